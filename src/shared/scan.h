/*
 * scan.h
 *	  A party's shares of a table, row by row in the order of row ids.
 *
 * Reads the heap itself: an executor would cost more than what is done with
 * the shares.  Every datum is held against the table's generation, party and
 * types; one that is not of this table is an error that says so.
 */
#ifndef SECMED_SHARED_SCAN_H
#define SECMED_SHARED_SCAN_H

#include "shared/table.h"

/* Rows that are given out at a time; a multiple of 64, so that planes are cut at words. */
#define SCAN_BLOCK_ROWS		4096

/*
 * Rows first to first + n - 1: their ids, and both summands as `layout` has
 * them.  n is SCAN_BLOCK_ROWS but at the end.
 */
typedef void (*RowsConsumer) (void *arg, size_t first, size_t n, const int64 *row_ids,
							  const uint8 *mine, const uint8 *next);

typedef struct SharedScan
{
	const SharedTable *table;
	int			ncolumns;		/* which columns, by number; layout is of these */
	const int  *columns;
	RowLayout	layout;			/* with validity */
	int64		after;			/* with limit > 0: only rows behind this id ... */
	size_t		limit;			/* ... and at most so many, found by the primary key */
	bool		any_order;		/* for check_shared: doubled rows are not an error */
} SharedScan;

/* All columns if columns is NULL. */
extern void shared_scan_init(SharedScan *scan, const SharedTable *table, const int *columns, int ncolumns);

/* How many rows shared_scan_run() will give out; both see the transaction's latest snapshot. */
extern size_t shared_scan_count(const SharedScan *scan);
extern size_t shared_scan_run(const SharedScan *scan, RowsConsumer consume, void *arg);

#endif							/* SECMED_SHARED_SCAN_H */
