/*
 * secret_datum.h
 *	  One secret value as a party keeps it: the bytes of the SQL types
 *	  secmed.secret_... (server only).
 *
 *	  generation   8 bytes    of which sharing of which table these are
 *	  flags        1 byte     party (2 bits), nullable, NULL of mine and of next,
 *	                          value of mine and of next (boolean only), 0
 *	  scale        1 byte     numbers only
 *	  mine, next   8 bytes each for numbers; as many as the text's type has
 *
 * in the machine's byte order; numbers and booleans of a fixed length, text a
 * varlena.  Generation, party, nullable and scale are public, the rest is
 * shares: independent of the value.
 *
 * The generation is the tag that keeps apart what may not be combined.
 */
#ifndef SECMED_SECRET_DATUM_H
#define SECMED_SECRET_DATUM_H

#include "postgres.h"
#include "base/base.h"
#include "share/rows.h"

typedef struct SecretDatum
{
	uint64		generation;
	int			party;
	bool		nullable;
	int			null_mine;
	int			null_next;
	int			scale;
	uint64		mine;			/* of a number; of a boolean 0 or 1 */
	uint64		next;
	int			bytes;			/* of a text */
	uint8		text_mine[SECRET_TEXT_BYTES_MAX];
	uint8		text_next[SECRET_TEXT_BYTES_MAX];
} SecretDatum;

#define SECRET_NUMBER_BYTES		26
#define SECRET_BOOLEAN_BYTES	9

/* Bytes of the datum of a type, VARHDRSZ included. */
extern int	secret_datum_bytes(SecretKind kind, int bits);

/* Into `out`, which has room for it. */
extern void secret_datum_form(void *out, SecretKind kind, const SecretDatum *value);
extern Datum secret_datum_make(SecretKind kind, const SecretDatum *value);	/* palloc'd */

/* Not detoasted: a text of ours never is compressed or moved away. */
extern void secret_datum_read(SecretDatum *value, SecretKind kind, Datum datum);

/* One column of a party's row, from its two summands (share/rows.h), and back. */
extern void secret_datum_from_row(SecretDatum *value, const RowLayout *layout, int column,
								  const uint8 *mine, const uint8 *next);
extern void secret_datum_to_row(const SecretDatum *value, const RowLayout *layout, int column,
								uint8 *mine, uint8 *next);

/* Of the type that its column has? False if the bytes can't have been written for it. */
extern bool secret_datum_fits(const SecretDatum *value, const SecretType *type);

#endif							/* SECMED_SECRET_DATUM_H */
