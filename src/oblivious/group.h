/*
 * group.h
 *	  Between the files that make a GROUP.
 *
 * A group is made in passes over the same rows.  Each sorts them by the keys, and then as it
 * needs them; and ends with one row for each group, in the order of the keys.  So the results of all passes
 * fit together, row by row.  Without keys all rows are of one group and need no order, and a row is added that is not there, so that
 * there is one.
 *
 * A class is a set of rows that contribute to some aggregate; its support is the plane that
 * says which.  Class 0 is all rows that are there; with keys it has no plane, because rows that
 * are not there are behind all groups.
 */
#ifndef SECMED_OBLIVIOUS_GROUP_H
#define SECMED_OBLIVIOUS_GROUP_H

#include "mpc/sort.h"
#include "oblivious/operator.h"

/* Something whose different values are counted, in some classes. */
typedef struct Distinct
{
	const Expression *expression;
	SharedColumn column;
	bool		unique;			/* no value is twice: the class's rows are to be counted */
	bool	   *wanted;			/* of each class */
	Shared64   *counts;			/* of each class, what came out */
} Distinct;

typedef struct GroupJob
{
	const NodeRun *at;
	Party	   *self;
	const PlanNode *node;
	SharedRelation *child;
	size_t		n;
	bool		keyed;
	size_t		size;			/* rows of the result */
	SharedBits *key_planes;		/* of each key */
	int			nclasses;
	SharedBits *support;		/* of each class */
	int		   *class_of;		/* of each aggregate */
	SharedColumn *args;			/* two for each aggregate; tight */
	int			ndistincts;
	Distinct   *distincts;
	int		   *distinct_of;	/* of each aggregate that counts different values */
	int		   *patient;		/* of each patient column, which of them it is */

	/* What came out, with a row for each group. */
	SharedBits	valid;
	SharedColumn *keys;
	SharedColumn *values;		/* of each aggregate: whether it is NULL comes later */
	SharedBits *any;			/* of each class: some row contributes; no memory: always */
	Shared64   *counts;			/* of each class that was counted */
	bool	   *counted;
} GroupJob;

/* A table that is on its way through one pass. */
typedef struct GroupPass
{
	Table		table;			/* slice 0 says which rows are there */
	int			nkeys;
	int			keys[2 * KEYS_MAX + 2];	/* slices */
	int			norder;
	SortKey		order[2 * KEYS_MAX + 4];
} GroupPass;

/* Rows and keys; then what else the order needs; then the sort. */
extern void pass_start(const GroupJob *job, GroupPass *pass);
extern void pass_order_by(GroupPass *pass, int slice, bool is_signed);
extern void pass_sort(const GroupJob *job, GroupPass *pass);

/* The table gets one row for each group; sums become sums. */
extern void pass_group(const GroupJob *job, GroupPass *pass, const int *sums, int nsums, Shared64 *groups);

/* Truth values as numbers 0 and 1, all in the same rounds. */
extern void planes_to_numbers(Party *self, const SharedBits *planes, int count, Shared64 *numbers);

/* pass[v + 1] = same[v]: a row looks back to the one before it. */
extern SharedBits looks_back(const SharedBits *same);

/* ---- sums.c ---- */

/*
 * Numbers in each row whose sums over the rows make a sum: one, if it fits into 64 bits, two
 * (high and low halves) or five (products of thirds).
 */
#define SUM_PARTS_MAX	5

/* x is consumed; y is NULL unless it is a sum of products. */
extern int	sum_parts(Party *self, const ColumnType *type, SharedColumn *x, SharedColumn *y, Shared64 parts[SUM_PARTS_MAX]);

/* The sum, from sums of the parts, which are consumed. */
extern SharedColumn sum_of_parts(Party *self, const ColumnType *type, const ColumnType *x, const ColumnType *y,
								 Shared64 *parts, int count);

/* ---- distinct.c ---- */

/* To a sorted pass by keys and d: numbers whose sums count the different values of d in each class that wants it. */
extern void distinct_numbers(const GroupJob *job, GroupPass *pass, int distinct, int value, int null,
							 const int *support, int *places);

/* A pass of its own for it. */
extern void distinct_pass(GroupJob *job, int distinct);

/* ---- percentile.c ---- */

/* A pass for all percentiles of the same argument and class as this aggregate. */
extern void percentile_pass(GroupJob *job, int aggregate);

#endif							/* SECMED_OBLIVIOUS_GROUP_H */
