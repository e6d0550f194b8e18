/*
 * rows.h
 *	  Rows cut off, put end to end, beside each other, and each but once.
 *
 * All but the last are local.  What needs no function: a filter is logic_and() of the column of
 * validity with what the condition gave (1 round, PLANE_BYTES(n)); a projection leaves out columns; the first k
 * rows in an order are sort_first() and rows_limit(), because rows that are not valid come last.
 */
#ifndef SECMED_MPC_ROWS_H
#define SECMED_MPC_ROWS_H

#include "mpc/party.h"
#include "mpc/sort.h"
#include "mpc/table.h"

/* OFFSET and LIMIT: rows offset to offset + count - 1, as far as there are such. */
extern void rows_limit(Table *table, size_t offset, size_t count);

/* UNION ALL: the rows of more come behind those of the table.  Both have the same columns. */
extern void rows_append(Table *table, const Table *more);

/*
 * The columns of `beside`, which has as many rows, become the last of the table, numbers and bits; beside
 * loses them.
 */
extern void columns_beside(Table *table, Table *beside);

/*
 * DISTINCT: one valid row for each value of the columns `keys`, in their order, and then rows that are
 * not valid; `size` rows.  What other columns hold is that of the last row with that value.  kept, one number, says how many there
 * are and may be NULL, as may work.
 *
 * Costs: sort_table() and group_table() by the keys.  Reveals: as those.
 */
extern void rows_distinct(Party *self, Table *table, const int *keys, int key_count, int valid,
						  size_t size, Shared64 *kept, SortWork *work);

#endif							/* SECMED_MPC_ROWS_H */
