/*
 * sort.h
 *	  Rows in the order of one or several keys.
 */
#ifndef SECMED_SORT_H
#define SECMED_SORT_H

#include "mpc/party.h"
#include "mpc/table.h"

/* A column of bits of the table; the first key counts most. */
typedef struct SortKey
{
	int			slice;
	bool		is_signed;		/* two's complement */
	bool		descending;
} SortKey;

/* For tables without a column of validity. */
#define SORT_ALL_VALID	(-1)

/* What was done: random, but the same whatever the rows hold. */
typedef struct SortWork
{
	int			planes;			/* of what was compared: W */
	uint64		comparisons;
	uint64		bytes;			/* the sum of PLANE_BYTES(m) over all batches of m */
	uint64		batches;
} SortWork;

/*
 * Orders the rows by the keys, and rows with equal keys as they were (the sort is
 * stable); rows whose bit in the column `valid` is 0 come last.  All columns follow, and the
 * table gets new shares.
 *
 * W = planes of the keys + log2 n for the row number + 1 if there is validity.
 * Rounds: 2 + batches (1 + carry_rounds(W)).  Sends: what shuffle_table() does, with
 * log2 n planes more, then (carry_gates(W) + 1) PLANE_BYTES(m) + 32 bytes for each batch
 * of m comparisons.  n up to 1: nothing.
 * Reveals: the results of comparisons of rows in an order that nobody knows: a
 * random permutation, whatever they hold.  How many comparisons and batches there are
 * follows from it (and so is random, not known before): about n log2 n, and 40 for a million rows.
 *
 * Memory besides the columns: less than twice their bytes if there are 128 bits a row or more
 * (64 bits of key); reserved before anything is sent.  More batches are made where needed
 * for that.  mpc/README.md, "Sort".
 */
extern void sort_table(Party *self, Table *table, const SortKey *keys, int count, int valid,
					   SortWork *work);

/*
 * The same, but only the first `wanted` rows come in order; the others come behind them in a random one.  For ORDER
 * BY with LIMIT: few wanted rows take 3 comparisons a row, and not log2 n.
 */
extern void sort_first(Party *self, Table *table, const SortKey *keys, int count, int valid,
					   size_t wanted, SortWork *work);

#endif							/* SECMED_SORT_H */
