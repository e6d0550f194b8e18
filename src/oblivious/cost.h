/*
 * cost.h
 *	  What a plan will cost, before it runs: for EXPLAIN and for choosing between plans.
 *
 * Estimates: rows as declared, sorts as they mostly are (mpc/sort.h: their comparisons are
 * random), and expressions one by one, although some share rounds.  Not for tests
 * of protocols, which count (mpc/README.md).
 */
#ifndef SECMED_OBLIVIOUS_COST_H
#define SECMED_OBLIVIOUS_COST_H

#include "base/base.h"
#include "oblivious/check.h"

typedef struct NodeCost
{
	uint64		rows;			/* of its relation, public */
	double		rounds;
	double		bytes;			/* that the party with most to send sends, which is party 0 or 1 */
} NodeCost;

/* costs[i] of node i by itself, without its children; as many as the plan has nodes. */
extern void plan_cost(NodeCost *costs, const CheckedPlan *checked);

/* Of all nodes; rows are those of the root. */
extern NodeCost plan_cost_total(const CheckedPlan *checked);

#endif							/* SECMED_OBLIVIOUS_COST_H */
