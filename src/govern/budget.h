/*
 * budget.h
 *	  How much privacy answers with noise may spend here: of each published table, by all
 *	  together and by each requester.
 *
 *	  secmed.budget_limit	one row for each table, of all requesters together (requester ''), and one
 *							for each person whose share of that is limited
 *	  secmed.budget_spent	one row for each run and row of budget_limit that it was taken from
 *
 * Amounts are millionths of rho (contract/noise.h).  A run with noise at this site takes what its
 * contract says from every row that concerns its tables and its requester, or fails; a table
 * without a row for all has no budget.  It does so in one short transaction, before anything
 * leaves: rows are locked, so of two runs at a time the second sees what the first has left,
 * and what was taken is never given back, whatever becomes of the run.
 */
#ifndef SECMED_GOVERN_BUDGET_H
#define SECMED_GOVERN_BUDGET_H

#include "postgres.h"
#include "contract/noise.h"
#include "contract/policy.h"
#include "nodes/pg_list.h"

/* For RULE_BUDGET: what is left for a run of this request over these tables (names); needed is 0 without noise. */
extern BudgetFact budget_of_run(const Request *request, const List *tables, const Noise *noise);

/*
 * Takes it, and queues the ledger's entry; returns what is left for the requester.  ERRCODE_SECMED_BUDGET if there is not
 * enough at this moment.  Durable when the transaction has committed.
 */
extern uint64 budget_take(const Request *request, const List *tables, const Noise *noise, const char *tables_text,
						  const uint8 plan_hash[HASH_BYTES]);

#endif							/* SECMED_GOVERN_BUDGET_H */
