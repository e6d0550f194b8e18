/*
 * constants.c
 *	  The constants of a question, taken out or put in.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "query/constants.h"

Node *
constants_meet(Constants *constants, Node *node)
{
	Node	   *put;

	if (constants->use == CONSTANTS_TAKEN)
	{
		constants->list = lappend(constants->list, node);
		return node;
	}
	if (constants->next >= list_length(constants->list))
	{
		constants->failed = true;
		return node;
	}
	put = list_nth(constants->list, constants->next++);
	if (exprType(put) == exprType(node))
		return put;
	constants->failed = true;
	return node;
}

bool
constants_all_put(const Constants *constants)
{
	return !constants->failed && constants->next == list_length(constants->list);
}
