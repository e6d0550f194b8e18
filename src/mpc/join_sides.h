/*
 * join_sides.h
 *	  The rows of both sides of a join, end to end and in the order of their keys.
 */
#ifndef SECMED_JOIN_SIDES_H
#define SECMED_JOIN_SIDES_H

#include "mpc/join.h"

/* One plane: 1 for the first `ones` of n rows, known to all. */
extern SharedBits join_first_rows(Party *self, size_t ones, size_t n);

/*
 * Sorts a table that has the rows of `first` and behind them those of `second` by the keys, which need not be
 * columns of it; rows with the same key stay as they were.  The result, one plane, is 1 for a row that
 * has the key of the row before it: both are valid then and no key is NULL.
 *
 * n = rows of both, W = planes of the keys.
 * Rounds: log2 (null_count + 1) of each side + sort_table() + log2 (W + 1).
 * Sends: null_count PLANE_BYTES() of each side's rows, sort_table() with W + 1 planes more than the table has
 * and validity, W PLANE_BYTES(n - 1).
 */
extern SharedBits join_sort_sides(Party *self, Table *both, const JoinSide *first,
								  const JoinSide *second, SortWork *work);

#endif							/* SECMED_JOIN_SIDES_H */
