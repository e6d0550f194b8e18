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
 * most one.  If there are more, duplicate, one bit (allocated by
 * the caller, one plane and one value), is 1, and what is beside means nothing: open it before
 * anything is made of the result, and fail.
 *
 * In a JOIN_SEMI or JOIN_ANTI nothing is beside, and a key of one need not be unique.
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
 * Rounds: sort_table() + log2 (null_count + 1) of each side + log2 (W + 1) + 1 + log2 n + scan_copy_bits() +
 * scan_copy_numbers() + 3.
 * Sends: null_count PLANE_BYTES(n1 or n2), sort_table() of n rows by W planes, with V + W + l + 1 planes and N numbers;
 * W PLANE_BYTES(n - 1) + PLANE_BYTES(n) and scan_any() of n rows; scan_copy_bits() of V planes, scan_copy_numbers(); shuffle_table()
 * of V + l planes and N numbers; l PLANE_BYTES(n) + 32.
 * Reveals: as sort_table(): random permutations.
 */
extern void join_unique(Party *self, JoinKind kind, const JoinSide *many, const JoinSide *one,
						Table *beside, SharedBits *duplicate, SortWork *work);

/*
 * Where neither key is unique: all pairs of rows with equal keys, up to `size` of them, which is public.  joined, made
 * here, has size rows: a column of validity, the columns of left->slices and right->slices, and those of left->numbers
 * and right->numbers; pairs are in the order of the keys, and zeros behind them.  rows, one
 * number (allocated by the caller), is how many pairs there are.  If that is more than size, no row is valid
 * at all: open rows, or whether it is more, and fail with what you open.  left and right are not changed.  An
 * outer join adds to this the rows of a JOIN_ANTI.  Fails if n1 + n2 + 2 size is more than rows can be numbered.
 *
 * n1, n2 = rows of left and right, n = n1 + n2, N = n + 2 + 2 size; W = planes of the keys, V = the greater of
 * left's and right's planes of values, C = the greater of their numbers; D = table_row_planes(2 size + 1).
 * Rounds: sort_table() + log2 (null_count + 1) of each side + log2 (W + 1) + 2 scan_copy_with() + 16 +
 * expand_table() + 4.
 * Sends: null_count PLANE_BYTES(n1 or n2), sort_table() of n rows by W planes, with V + W + 2 planes and C
 * numbers; W PLANE_BYTES(n - 1); scan_copy_with() of 2 columns and of 1, of n rows; 56 n + 16; a
 * compare_less_public() of one; expand_table() of n + 2 rows, 2 size copies, V + 1 planes and C + 2
 * numbers; shuffle_table() of V + 1 planes and C + 1 numbers of N rows; 16 N + 32.
 * Reveals: as sort_table(): random permutations.
 */
extern void join_many(Party *self, const JoinSide *left, const JoinSide *right, size_t size,
					  Table *joined, Shared64 *rows, SortWork *work);

#endif							/* SECMED_JOIN_H */
