/*
 * join.h
 *	  Rows of two tables whose keys are equal.
 *
 * Keys are columns of bits, one or several, with the same planes on both sides. A row
 * whose key is NULL, or in part, matches nothing, and so does a row that is not valid.
 */
#ifndef SECMED_JOIN_H
#define SECMED_JOIN_H

#include "mpc/party.h"
#include "mpc/sort.h"
#include "mpc/table.h"

typedef enum JoinKind
{
	JOIN_INNER,					/* rows that match */
	JOIN_LEFT,					/* all rows; NULL beside those that match nothing */
	JOIN_SEMI,					/* WHERE EXISTS: as JOIN_INNER, nothing beside */
	JOIN_ANTI					/* WHERE NOT EXISTS */
} JoinKind;

/* A table, and what matters of it. */
typedef struct JoinSide
{
	Table	   *table;
	const int  *keys;			/* columns of bits, in the same order on both sides */
	int			key_count;
	const int  *nulls;			/* columns of one plane: 1 where a key is NULL */
	int			null_count;
	int			valid;			/* the column of validity */
	/* What is put beside the other side's rows: */
	const int  *numbers;		/* columns of numbers */
	int			number_count;
	const int  *slices;			/* columns of bits */
	int			slice_count;
	int			value_nulls;	/* the last so many of them say where a value is NULL */
} JoinSide;

/*
 * Puts beside each row of `many` the row of `one` with the same key, of which there is at
 * most one: nothing else is a key of a join like this.  If there are more, duplicate, one bit (allocated by
 * the caller, one plane and one value), is 1, and what is beside means nothing: open it before
 * anything is made of the result, and fail.
 *
 * The rows of many stay as and where they are; its column of validity becomes that of the
 * joined rows.  beside, made here, has as many rows: first a column of one plane, whether
 * the row matched; then the columns of one->slices and one->numbers, zeros where nothing
 * matched.  In a JOIN_LEFT the last one->value_nulls of them are then 1; of a column that could not be
 * NULL before, NOT matched says now where it is.  one is not changed; of many->numbers
 * and many->slices there must be none.  For fewer rows: columns_beside() and group_compact().
 *
 * n1, n2 = rows of one and many, n = n1 + n2; W = planes of the keys; V = planes of the values
 * of one, and 1; N = its numbers; l = log2 n.
 * Rounds: sort_table() + log2 (null_count + 1) of each side + log2 (W + 1) + 1 + log2 (n - 1) + scan_copy_bits() +
 * scan_copy_numbers() + 3.
 * Sends: null_count PLANE_BYTES(n1 or n2), sort_table() of n rows by W planes, with V + W + l + 1 planes and N numbers;
 * (W + 1) PLANE_BYTES(n - 1) and scan_any() of n - 1 rows; scan_copy_bits() of V planes, scan_copy_numbers(); shuffle_table()
 * of V + l planes and N numbers; l PLANE_BYTES(n) + 32.
 * Reveals: as sort_table(): random permutations.
 */
extern void join_unique(Party *self, JoinKind kind, const JoinSide *many, const JoinSide *one,
						Table *beside, SharedBits *duplicate, SortWork *work);

#endif							/* SECMED_JOIN_H */
