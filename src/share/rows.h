/*
 * rows.h
 *	  Rows of secret values, side by side: what a writer splits, what travels
 *	  to a party, and what a party keeps.
 *
 * A row is `width` bytes.  Numbers come first, 8 bytes each, little-endian,
 * shared by adding over Z_2^64; everything behind is shared by exclusive or:
 * the bytes of texts, then one bit for each boolean, for NULL of each nullable
 * column, and, if asked for, one that the row is valid.  Bits fill bytes from
 * the lowest on; what is left of the last byte is zero.
 *
 * x = x0 + x1 + x2 in this sense, party i holds (x_i, x_(i+1)).  x1 and x2 are
 * streams of two seeds, so packages are as in ring64.h, for n rows:
 *
 *	  package 0   x0, n * width bytes, then seed of x1
 *	  package 1   seed of x1 then seed of x2
 *	  package 2   x0, then seed of x2
 *
 * Row by row, and not column by column, because rows are written a few at a
 * time and kept as tuples.  No function but row_set_...() branches or indexes
 * on a value.
 */
#ifndef SECMED_ROWS_H
#define SECMED_ROWS_H

#include "base/base.h"
#include "crypto/prg.h"
#include "share/secret.h"

typedef struct RowLayout
{
	int			ncolumns;
	SecretType	types[SHARED_COLUMNS_MAX];
	int			at[SHARED_COLUMNS_MAX];		/* first byte of a number or text */
	int			bit[SHARED_COLUMNS_MAX];	/* of a boolean, counted from bits_at */
	int			null_bit[SHARED_COLUMNS_MAX];	/* -1: not nullable */
	int			valid_bit;		/* -1: none */
	int			numbers;		/* how many */
	int			bits_at;		/* first byte of the bits */
	int			nbits;
	int			width;			/* bytes of a row */
} RowLayout;

/* At most SHARED_COLUMNS_MAX columns; types that secret_type_check() takes. */
extern void rows_layout(RowLayout *layout, const SecretType *types, int ncolumns, bool valid);

/* ---- one row in the clear, zeroed before; values that fit their types ---- */

extern void row_set_number(const RowLayout *layout, uint8 *row, int column, int64 number);
extern void row_set_text(const RowLayout *layout, uint8 *row, int column, uint128 bits);
extern void row_set_boolean(const RowLayout *layout, uint8 *row, int column, bool value);
extern void row_set_null(const RowLayout *layout, uint8 *row, int column);
extern void row_set_valid(const RowLayout *layout, uint8 *row);

/* ---- one row, in the clear or a summand of it ---- */

extern uint64 row_number(const RowLayout *layout, const uint8 *row, int column);
extern void row_put_number(const RowLayout *layout, uint8 *row, int column, uint64 x);
extern int	row_bit(const RowLayout *layout, const uint8 *row, int bit);
extern void row_put_bit(const RowLayout *layout, uint8 *row, int bit, int value);

/* ---- n rows ---- */

/* z = z + x, z = z - x, in the sense above. */
extern void rows_add(const RowLayout *layout, uint8 *z, const uint8 *x, size_t n);
extern void rows_subtract(const RowLayout *layout, uint8 *z, const uint8 *x, size_t n);

/* The next n rows of a stream; uniform but for the zero bits at the end. */
extern void rows_random(const RowLayout *layout, Prg *prg, uint8 *out, size_t n);

/* Are the bits at the end of each row zero? */
extern bool rows_clean(const RowLayout *layout, const uint8 *rows, size_t n);

extern size_t rows_package_bytes(const RowLayout *layout, int party, size_t n);

/* Splits n rows into three packages, appended to out[0..2]. */
extern void rows_split(const RowLayout *layout, const uint8 *rows, size_t n, StringInfo out[PARTIES]);

/*
 * Both summands of a party from its package, n * width bytes each; false if
 * the package has not the length of n rows or a bit where none is.
 */
extern bool rows_from_package(const RowLayout *layout, int party, const void *package, size_t len,
							  size_t n, uint8 *mine, uint8 *next);

#endif							/* SECMED_ROWS_H */
