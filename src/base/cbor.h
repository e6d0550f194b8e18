/*
 * cbor.h
 *	  Deterministic CBOR (RFC 8949, section 4.2.1): the bytes of everything
 *	  that is signed, hashed or sent.
 *
 * Only what secmed uses: unsigned and negative integers of 64 bits, byte and
 * text strings, definite arrays, false, true, null.  No maps (arrays are
 * positional), no tags, no floats.  One value has one encoding, and the
 * reader refuses every other, so equal content means equal bytes.
 *
 * Writing appends to a StringInfo.  Reading never allocates and never fails
 * loudly: the first problem is kept in reader->error, later reads return
 * zeros, and the caller asks once, at the end, with cbor_finish().
 */
#ifndef SECMED_CBOR_H
#define SECMED_CBOR_H

#include "base/base.h"

extern void cbor_array(StringInfo out, uint64 elements);
extern void cbor_uint(StringInfo out, uint64 value);
extern void cbor_int(StringInfo out, int64 value);
extern void cbor_bytes(StringInfo out, const void *bytes, size_t len);
extern void cbor_text(StringInfo out, const char *text);	/* UTF-8, as given */
extern void cbor_bool(StringInfo out, bool value);
extern void cbor_null(StringInfo out);

typedef struct CborReader
{
	const uint8 *at;
	const uint8 *end;
	const char *error;			/* first problem, or NULL; a constant string */
} CborReader;

extern void cbor_start(CborReader *reader, const void *bytes, size_t len);

/* Number of elements; more than max is an error. */
extern uint64 cbor_read_array(CborReader *reader, uint64 max);

/* As above, and the number must be exactly this. */
extern void cbor_expect_array(CborReader *reader, uint64 elements);
extern uint64 cbor_read_uint(CborReader *reader, uint64 max);
extern int64 cbor_read_int(CborReader *reader);
extern bool cbor_read_bool(CborReader *reader);

/* Points into the input; *len is at most max. Never NULL. */
extern const uint8 *cbor_read_bytes(CborReader *reader, size_t max, size_t *len);

/* Copies exactly len bytes, or zeros after an error. */
extern void cbor_read_fixed(CborReader *reader, void *out, size_t len);

/*
 * A palloc'd, terminated string of at most max bytes; checks that it is
 * UTF-8 and holds no zero byte.  "" after an error.
 */
extern char *cbor_read_text(CborReader *reader, size_t max);

/* The same, without a copy: points into the input, and is not terminated. */
extern const char *cbor_read_text_at(CborReader *reader, size_t max, size_t *len);

/* If the next element is null, takes it and returns true. */
extern bool cbor_read_null(CborReader *reader);

/* True if nothing went wrong and nothing is left. */
extern bool cbor_finish(CborReader *reader);

#endif							/* SECMED_CBOR_H */
