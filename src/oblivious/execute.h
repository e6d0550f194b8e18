/*
 * execute.h
 *	  Oblivious plans, executed by three parties.
 *
 * Each party calls execute_plan() with the same checked plan, the same values of parameters
 * and its shares of the inputs.  What it does, and what it sends when, follows
 * from the plan, from the numbers of rows of the inputs, and from what sorting and joining open: comparisons
 * and places of rows in an order that nobody knows (mpc/sort.h, mpc/join.h, mpc/group.h).  Neither values nor
 * numbers of rows that are there are opened; what a requester learns is in the result alone.
 *
 * Hash the plan, the parameters and what says which rows were loaded into Party.context before.
 */
#ifndef SECMED_OBLIVIOUS_EXECUTE_H
#define SECMED_OBLIVIOUS_EXECUTE_H

#include "base/base.h"
#include "mpc/party.h"
#include "oblivious/check.h"
#include "oblivious/relation.h"

/*
 * This party's shares of an input: its columns in their order, each with exactly the type of the plan, zero where
 * NULL, and which rows are there.  Called once for each SCAN but of INPUT_NUMBERS, when it
 * is needed; the relation belongs to the executor then.
 */
typedef SharedRelation (*InputLoader) (Party *self, int input, void *arg);

typedef struct Executing
{
	InputLoader load;
	void	   *arg;
	/* Called before each node, or NULL: for progress and for interrupts. */
	void		(*step) (const CheckedPlan *checked, int node, void *arg);
} Executing;

/*
 * RELEASE: columns of the rows that are there, first the rows that are there, then zeros; and which of
 * the problems of the plan occurred.  If one did, everything else is zero.  All in fresh shares, so that what
 * the three parties send of it tells nothing but the values (result.h).
 *
 * STORE: columns, and which rows are there, in the order of the input; and the problems,
 * which must be opened, and be none, before anything is stored.
 */
typedef struct ObliviousResult
{
	SharedRelation relation;	/* as checked->nodes[root] says */
	SharedBits	problems;		/* one plane, as many values as checked->nproblems */
} ObliviousResult;

/*
 * Fails if the loader gives more rows than the plan says or other columns, or
 * if memory is short (Party.memory_max).
 */
extern ObliviousResult execute_plan(Party *self, const CheckedPlan *checked, const PublicValue *params,
									const Executing *executing);
extern void oblivious_result_free(ObliviousResult *result);

/* Do these values fit the parameters of the plan?  False with a reason (constant string). */
extern bool parameters_fit(const ObliviousPlan *plan, const PublicValue *params, const char **reason);

#endif							/* SECMED_OBLIVIOUS_EXECUTE_H */
