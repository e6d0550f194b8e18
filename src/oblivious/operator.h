/*
 * operator.h
 *	  The nodes of a plan: each takes the relations of its children and makes its own.
 *
 * What a function takes with a pointer to a SharedRelation it consumes.  Nothing
 * is revealed, but for what mpc/sort.h, mpc/group.h and mpc/join.h open: random permutations.
 */
#ifndef SECMED_OBLIVIOUS_OPERATOR_H
#define SECMED_OBLIVIOUS_OPERATOR_H

#include "oblivious/evaluate.h"
#include "mpc/sort.h"
#include "oblivious/execute.h"

/* One run. */
typedef struct Execution
{
	Party	   *self;
	const CheckedPlan *checked;
	const PublicValue *params;
	const Executing *executing;
	SharedBits *problems;		/* of each problem of the plan: one bit, or no memory: none so far */
} Execution;

/* Where a node is, and what is known of it. */
typedef struct NodeRun
{
	Execution  *run;
	Party	   *self;
	int			number;
	const PlanNode *node;
	const RelationType *type;	/* of its relation */
} NodeRun;

extern SharedRelation execute_scan(const NodeRun *at);
extern SharedRelation execute_filter(const NodeRun *at, SharedRelation *child);
extern SharedRelation execute_project(const NodeRun *at, SharedRelation *child);
extern SharedRelation execute_union(const NodeRun *at, SharedRelation *children);
extern SharedRelation execute_join(const NodeRun *at, SharedRelation *left, SharedRelation *right);
extern SharedRelation execute_group(const NodeRun *at, SharedRelation *child);
extern SharedRelation execute_merge(const NodeRun *at, SharedRelation *child);
extern SharedRelation execute_sort(const NodeRun *at, SharedRelation *child);
extern SharedRelation execute_limit(const NodeRun *at, SharedRelation *child);
extern SharedRelation execute_release(const NodeRun *at, SharedRelation *child);
extern SharedRelation execute_store(const NodeRun *at, SharedRelation *child);

/* ---- steps that nodes share ---- */

extern void evaluation_start_at(const NodeRun *at, Evaluation *evaluation, const SharedRelation *relation);

/* What did not fit in rows that are there is a problem of this node.  Ends the evaluation. */
extern void evaluation_end_at(const NodeRun *at, Evaluation *evaluation, const SharedBits *valid);

/* A problem occurred if the bit (one plane of one value) is 1; consumes it. */
extern void note_problem(const NodeRun *at, ProblemKind kind, SharedBits *bit);

/* There are more than `most` rows: kept, one number, says how many there are, n at most, below 2^62. */
extern void note_rows(const NodeRun *at, const Shared64 *kept, uint64 most, uint64 n);

/* A key of a sort by a column of the table of a relation, added as slices; NULLs are put at one end. */
extern void add_order_keys(Party *self, const SharedRelation *relation, Table *table, const OrderKey *order, int count,
						   SortKey *keys, int *nkeys);

/* The rows that are there come first, in their order; and there are `size` rows, or as many as before if that is less. */
extern void relation_compact(const NodeRun *at, SharedRelation *relation, uint64 size, bool problem);

/* Rows first to first + n - 1, as far as they exist. */
extern void relation_cut(SharedRelation *relation, uint64 first, uint64 n);

#endif							/* SECMED_OBLIVIOUS_OPERATOR_H */
