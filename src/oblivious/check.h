/*
 * check.h
 *	  Whether an oblivious plan means something, what its relations look like, and whom
 *	  its answer may tell about.
 *
 * Everything that follows from the plan alone: types, ranges, sizes, what is unique, and
 * how many patients are behind what is opened.  Coordinator and parties ask the same
 * question, the parties before they load anything.
 */
#ifndef SECMED_OBLIVIOUS_CHECK_H
#define SECMED_OBLIVIOUS_CHECK_H

#include "base/base.h"
#include "oblivious/plan.h"
#include "oblivious/type.h"

/* A set of columns of a relation. */
typedef struct ColumnSet
{
	uint64		words[RELATION_COLUMNS_MAX / 64];
} ColumnSet;

static inline bool
column_set_has(const ColumnSet *set, int column)
{
	return set->words[column / 64] >> (column % 64) & 1;
}

/*
 * Patients of one or several inputs that are the same ones because they were joined by
 * that column; and the columns that tell them apart.  Without columns nobody can count them.
 */
typedef struct PatientSource
{
	uint32		inputs;			/* one bit each */
	ColumnSet	columns;
} PatientSource;

/* What is known of a node's relation before it is computed. */
typedef struct RelationType
{
	uint64		rows;			/* at most */
	int			ncolumns;
	ColumnType *columns;
	int			nunique;
	ColumnSet  *unique;			/* rows that are there differ in these, NULLs aside */
	int			nsources;
	PatientSource *sources;		/* whose rows these still are */
} RelationType;

/*
 * What makes a run fail once its answer is opened, and no value with it: one bit
 * for each.  Of a RELEASE they are 0 if no row would be shown anyhow: an answer without
 * rows means that none is there, or that too few patients are behind each, or that there was a problem.
 */
typedef enum ProblemKind
{
	PROBLEM_ROWS = 1,			/* there are more rows than the node allows */
	PROBLEM_RANGE = 2,			/* a value does not fit the type that it is cast to */
	PROBLEM_KEYS = 3			/* rows of the right side of a join have the same keys, which were said to be unique */
} ProblemKind;

typedef struct PlanProblem
{
	ProblemKind kind;
	int			node;
} PlanProblem;

/* Nothing of an input is opened, whatever its patients. */
#define PATIENTS_NOT_OPENED		PG_UINT64_MAX

typedef struct CheckedPlan
{
	const ObliviousPlan *plan;
	RelationType *nodes;		/* of each node; of the root what is opened or stored */
	int			nproblems;
	PlanProblem *problems;

	/*
	 * Of each input: every row and value that is opened has at least so many of its patients behind
	 * it.  1: rows are opened.  PATIENTS_NOT_OPENED: nobody's, as with PATIENT_NONE, or the
	 * root is STORE.  A party compares it with its own threshold for the table.
	 */
	uint64	   *patients_min;
} CheckedPlan;

/* Where a plan is refused. */
typedef struct PlanRefusal
{
	int			node;
	Refusal		refusal;
} PlanRefusal;

/*
 * False if the plan can't be executed.  All of it is palloc'd; the plan must
 * outlive it.
 */
extern bool plan_check(CheckedPlan *out, const ObliviousPlan *plan, PlanRefusal *refusal);

/* Is anything left out because too few patients are behind it?  Then an empty answer may hide a problem. */
extern bool plan_withholds(const CheckedPlan *checked);

/* The GROUP by which a MERGE, whose plan was checked, is done, and its relation: sums of patients come last. */
extern void plan_merge_group(const CheckedPlan *checked, int number, PlanNode *group, RelationType *type);

/* A row's columns for expressions of a node's parent. */
extern ExpressionScope checked_scope(const CheckedPlan *checked, int node);

/*
 * Do the same rows contribute to both: those that pass the FILTER and in which no argument is NULL?
 * args are the types of their arguments.
 */
extern bool aggregates_same_support(const PlanAggregate *a, const ColumnType *a_args,
									const PlanAggregate *b, const ColumnType *b_args);

/* Does every row of the group? */
extern bool aggregate_takes_all(const PlanAggregate *aggregate, const ColumnType *args);

/*
 * Sums of products of which one may need more than 63 bits are made of products of thirds of the factors: bits of a third.
 */
extern int	product_limb_bits(const ColumnType *x, const ColumnType *y);

/* No two rows that are there are equal in all these columns, none of which is NULL. */
extern bool relation_is_unique(const RelationType *relation, const int *columns, int n);

#endif							/* SECMED_OBLIVIOUS_CHECK_H */
