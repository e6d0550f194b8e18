/*
 * cost.h
 *	  What a plan will cost, before it runs: for EXPLAIN and for choosing between plans.
 *
 * Estimates: rows as declared, sorts as they mostly are (mpc/order.h: their comparisons are
 * random), and expressions one by one, although some share rounds.  Not for tests
 * of protocols, which count (mpc/README.md).
 *
 * Time is rounds times what a round takes, bytes at the rate at which they are computed and sent, and what is done
 * with values without sending anything.
 */
#ifndef SECMED_OBLIVIOUS_COST_H
#define SECMED_OBLIVIOUS_COST_H

#include "base/base.h"
#include "oblivious/check.h"

/* What things cost among three parties. */
typedef struct LinkCost
{
	double		round_us;		/* a message and its answer's way, with nothing in it */
	double		bytes_per_us;	/* computed and sent */
	double		value_ns;		/* adding two shared numbers */
} LinkCost;

/* Where nobody has measured: a network within a town. */
extern const LinkCost link_cost_usual;

/* How many bytes take as long as a round, for Party.round_bytes; at least 1. */
extern uint64 link_round_bytes(const LinkCost *link);

typedef struct NodeCost
{
	uint64		rows;			/* of its relation, public */
	double		rounds;
	double		bytes;			/* that the party with most to send sends, which is party 0 or 1 */
	double		values;			/* handled where they are */
} NodeCost;

extern double node_cost_us(const NodeCost *cost, const LinkCost *link);

/* costs[i] of node i by itself, without its children; as many as the plan has nodes. */
extern void plan_cost(NodeCost *costs, const CheckedPlan *checked, const LinkCost *link);

/* Of all nodes; rows are those of the root. */
extern NodeCost plan_cost_total(const CheckedPlan *checked, const LinkCost *link);

#endif							/* SECMED_OBLIVIOUS_COST_H */
