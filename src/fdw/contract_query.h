/*
 * contract_query.h
 *	  The text of a contract's question, planned over this node's foreign tables.
 *
 * The text was written by somebody else, perhaps at another node, and is run with the rights of who
 * runs the contract.  So it is one SELECT that reads foreign tables of secmed and calls nothing but
 * PostgreSQL's own immutable functions; tables are named without a schema, by their published names,
 * whatever they are called here.  Settings of the session have no part in it.
 */
#ifndef SECMED_CONTRACT_QUERY_H
#define SECMED_CONTRACT_QUERY_H

#include "postgres.h"
#include "fdw/contract_match.h"
#include "nodes/plannodes.h"

/* The question that a plan asks: one of them. */
typedef struct ContractQuestion
{
	PlannedStmt *planned;
	ForeignScan *scan;
	bool		over_sites;
	bool		asks_sites;		/* so it does, or rows of sites are in its plan */
	AskedContract contract;		/* that the planner found */
	const uint8 *plan;			/* bytes */
	size_t		plan_len;
	List	   *skeletons;		/* while drafting: ContractSkeleton * of all plans that were considered */
} ContractQuestion;

/*
 * Parses, checks and plans the text with parameters of these types as $1, $2, ...  Errors say what is
 * not allowed in a contract.  stored: the contract that the plan must be of; NULL: it is being drafted.
 */
extern void contract_query_plan(ContractQuestion *question, const char *sql, const Oid *types, int ntypes,
								const StoredContract *stored);

#endif							/* SECMED_CONTRACT_QUERY_H */
