/*
 * columns.h
 *	  Rows of secret values (rows.h) as the engine's vectors, column by column,
 *	  and back.
 *
 * A party has two summands of everything; each is moved alone, so that these
 * work on what travels and on what is kept.  No function branches or indexes
 * on a share.
 */
#ifndef SECMED_COLUMNS_H
#define SECMED_COLUMNS_H

#include "base/base.h"
#include "share/bits.h"
#include "share/ring64.h"
#include "share/rows.h"

/* One column of n rows: numbers or bits, and NULLs if its type is nullable. */
typedef struct LoadedColumn
{
	SecretType	type;
	Shared64	numbers;
	SharedBits	bits;
	SharedBits	nulls;			/* one plane */
} LoadedColumn;

/* Columns as the layout has them; bits are zeroed, numbers not. */
extern LoadedColumn *columns_alloc(const RowLayout *layout, size_t n);
extern void columns_free(LoadedColumn *columns, int ncolumns); /* wipes */

typedef enum Summand
{
	SUMMAND_MINE,
	SUMMAND_NEXT
} Summand;

/*
 * Rows first to first + n - 1, where first is a multiple of 64.  Bits at
 * those places must be zero.  valid may be NULL if the layout has no validity.
 */
extern void columns_put_rows(const RowLayout *layout, LoadedColumn *columns, SharedBits *valid, Summand summand,
							 size_t first, const uint8 *rows, size_t n);

/* The same rows out again, into zeroed memory; first may be any. */
extern void columns_get_rows(const RowLayout *layout, const LoadedColumn *columns, const SharedBits *valid,
							 Summand summand, size_t first, uint8 *rows, size_t n);

#endif							/* SECMED_COLUMNS_H */
