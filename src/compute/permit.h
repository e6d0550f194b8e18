/*
 * permit.h
 *	  Whether a party computes a plan: what it says of tables is held against
 *	  what this party keeps of them.
 *
 * The coordinator is trusted with nothing: neither with what is unique or tells patients apart,
 * nor with the smallest group.
 */
#ifndef SECMED_PERMIT_H
#define SECMED_PERMIT_H

#include "contract/request.h"
#include "oblivious/check.h"
#include "shared/table.h"

/* A plan's input at this party: the table, and which of its columns. */
typedef struct PermittedInput
{
	SharedTable *table;			/* NULL: its rows come from the sites, or are numbers */
	int		   *columns;		/* in the order of the input */
} PermittedInput;

/*
 * Does the plan read nothing but numbers that the parties make up?  Anybody whom this node knows may ask so, to measure
 * what plans cost; ERRCODE_SECMED_PROTOCOL if it costs too much.
 */
extern bool permit_numbers(const CheckedPlan *checked);

/*
 * One for each input of the plan, palloc'd.  Errors: ERRCODE_SECMED_REFUSED if the table's
 * definition forbids it, ERRCODE_UNDEFINED_TABLE and _COLUMN.
 */
extern PermittedInput *permit_inputs(const CheckedPlan *checked, const Request *request, const NodeCard *coordinator);

/*
 * A STORE over one input: its columns get the types of the input's first columns, and the
 * coordinator may write here (secmed.allow_shared()).  Same errors.
 */
extern void permit_change(const CheckedPlan *checked, const PermittedInput *input, const NodeCard *coordinator);

/* The values of the request's parameters; ERRCODE_SECMED_PROTOCOL if they are not of the plan's types. */
extern PublicValue *permit_parameters(const ObliviousPlan *plan, const Request *request);

#endif							/* SECMED_PERMIT_H */
