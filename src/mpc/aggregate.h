/*
 * aggregate.h
 *	  GROUP BY with count, sum, min, max, any, bool_or and bool_and of several columns.
 */
#ifndef SECMED_AGGREGATE_H
#define SECMED_AGGREGATE_H

#include "mpc/group.h"

typedef enum AggregateKind
{
	AGGREGATE_COUNT,			/* number: gets how many rows of the group are not NULL */
	AGGREGATE_SUM,				/* number */
	AGGREGATE_MIN,				/* bits, up to 127 planes if it may be NULL, else 128 */
	AGGREGATE_MAX,
	AGGREGATE_ANY,				/* bits: the value of the last row that is not NULL */
	AGGREGATE_ANY_NUMBER,		/* the same of a number */
	AGGREGATE_OR,				/* bits, one plane: bool_or, bool_and */
	AGGREGATE_AND
} AggregateKind;

/*
 * What becomes of a column.  `null` is its column of bits that says where it is NULL (one plane; the value is
 * zero there), and becomes: there is no value in the group but NULL, and so the aggregate is NULL
 * (not that of a count).  Several aggregates may share it; each has a column of its own (min(x) and max(x) need
 * two copies of x).  A column of numbers whose minimum is wanted becomes bits before: convert_to_bits().
 */
typedef struct Aggregate
{
	AggregateKind kind;
	int			column;
	int			null;			/* or: */
#define AGGREGATE_NOT_NULL	(-1)
	bool		is_signed;		/* of AGGREGATE_MIN and AGGREGATE_MAX: two's complement */
} Aggregate;

/*
 * group_table(), and in place the aggregates of each group.  The sums and rows of `by` are
 * done as well; a sum of what can't be NULL belongs there or here.  avg(x) is
 * AGGREGATE_SUM and AGGREGATE_COUNT, to be divided when it is opened, or by scaled_divide().
 *
 * With c counts; a widths w that minima and maxima have (a plane more if they may be NULL), k columns of
 * each; y columns for AGGREGATE_ANY that may be NULL; b columns for OR and AND, and nulls:
 * Rounds: group_table() + (2 if c > 0) + for each w scan_least() of k columns + for each y
 * 1 + scan_copy_bits() or scan_copy_numbers() + (scan_or() of b columns).
 * Sends: group_table() + 8 n c + the same scans + 1 plane for each y.
 * Reveals: as group_table().
 */
extern void aggregate_table(Party *self, Table *table, const Grouping *by, const Aggregate *aggregates,
							int count, size_t size, Shared64 *groups);

#endif							/* SECMED_AGGREGATE_H */
