/*
 * constants.h
 *	  The constants of a question, when it is held against a contract's.
 *
 * A plan is made three times.  First as the query says.  Then with every constant taken out:
 * what is left, the skeleton, finds contracts (govern/contract.h), and the list of what was
 * taken out is compared with theirs (the slots), which gives their parameters' values.  Last with a
 * contract's own constants and parameters put in; if that is the contract's plan, byte by
 * byte, the query is an instance of it, whatever the first two steps were worth.
 *
 * A place is a constant, or an expression without columns that only the coordinator knows
 * (deparser_owns()).  Places are met in an order that the query's form alone determines.
 */
#ifndef SECMED_CONSTANTS_H
#define SECMED_CONSTANTS_H

#include "postgres.h"
#include "nodes/pg_list.h"

typedef enum ConstantsUse
{
	CONSTANTS_TAKEN,			/* the list grows by what is met */
	CONSTANTS_PUT				/* the list is put in the place of what is met */
} ConstantsUse;

typedef struct Constants
{
	ConstantsUse use;
	List	   *list;			/* Const, Param, or another expression without columns */
	int			next;			/* of CONSTANTS_PUT */
	bool		failed;			/* too few, too many, or another type */
} Constants;

/*
 * A place: takes the node, and returns it; or returns what is to be put there, or
 * the node and failed set.
 */
extern Node *constants_meet(Constants *constants, Node *node);

/* Were as many put as there are, each where one of its type had been? */
extern bool constants_all_put(const Constants *constants);

#endif							/* SECMED_CONSTANTS_H */
