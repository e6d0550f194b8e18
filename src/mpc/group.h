/*
 * group.h
 *	  Sorted rows: groups with their sums and counts; and rows that are left over.
 */
#ifndef SECMED_GROUP_H
#define SECMED_GROUP_H

#include "mpc/party.h"
#include "mpc/table.h"

/* As a size: the number of rows that are left is opened to all, and is the size. */
#define SIZE_OPENED		SIZE_MAX

/*
 * The rows whose bit in the column `keep` is 1, in their order; behind them come the
 * others, as far as there is room: the table gets `size` rows (n if that is less).
 * If more are kept than that, the last of them are lost; kept, one number, says how
 * many there are, and may be NULL.  The column `keep` is moved like all others.
 *
 * Rounds: 6, or 7 if the size is opened.  Sends: 24 n bytes, 32, and what shuffle_table()
 * does with one column of numbers more; 40 more if the size is opened.  n = 0: nothing.
 * Reveals: nothing, or the number of rows kept.  Memory: 32 bytes a row besides the table.
 */
extern void group_compact(Party *self, Table *table, int keep, size_t size, Shared64 *kept);

/* How to group. */
typedef struct Grouping
{
	const int  *keys;			/* columns of bits */
	int			key_count;
	int			valid;			/* the column of validity: one plane */
	const int  *sums;			/* columns of numbers that become their sums in the group */
	int			sum_count;
	int			rows;			/* a column of numbers that becomes the number of rows in the group, or: */
#define GROUP_WITHOUT_ROWS	(-1)
} Grouping;

/*
 * One row for each group, in the order of the keys.  The table must be sorted by the keys, valid
 * rows first (sort_table()), each key in any direction.  Columns that are not sums have
 * what the last row of the group has: the greatest value of a column by which the rows were
 * sorted after the keys, the smallest if that was descending.  Without sums it
 * is DISTINCT.
 *
 * The table gets `size` rows (n if that is less), of which those with a group are valid;
 * `groups`, one number, says how many groups there are, even if there is no room for
 * all, and may be NULL.
 *
 * W = planes of the keys + 1.
 * Rounds: 1 + log2 W + group_compact().  Sends: (W - 1) PLANE_BYTES(n - 1) + PLANE_BYTES(n)
 * and group_compact().  n = 0: nothing.
 * Reveals: nothing, or with SIZE_OPENED the number of groups.
 */
extern void group_table(Party *self, Table *table, const Grouping *by, size_t size, Shared64 *groups);

/*
 * The two steps of it, for those who need the groups in between.
 *
 * group_same() gives one plane, to be freed by who calls: rows v and v + 1 are valid and of
 * one group; 0 for the last row.  Rounds: log2 W.  Sends: (W - 1) PLANE_BYTES(n - 1).
 *
 * group_rows() does the rest; same is destroyed.
 */
extern SharedBits group_same(Party *self, const Table *table, const Grouping *by);
extern void group_rows(Party *self, Table *table, const Grouping *by, SharedBits *same, size_t size,
					   Shared64 *groups);

#endif							/* SECMED_GROUP_H */
