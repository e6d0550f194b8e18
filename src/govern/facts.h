/*
 * facts.h
 *	  What policy.c must know for its decision, out of this node's own tables.
 */
#ifndef SECMED_GOVERN_FACTS_H
#define SECMED_GOVERN_FACTS_H

#include "postgres.h"
#include "contract/noise.h"
#include "contract/policy.h"
#include "nodes/pg_list.h"

/* For RULE_MODE; what they point to is in CurrentMemoryContext. */
extern void facts_of_mode(PolicyFacts *facts, const Request *request, const List *tables);

/* For RULE_APPROVAL; approval_of_run() says what it holds. */
extern void facts_of_approval(PolicyFacts *facts, const Request *request, const List *tables);

/* For RULE_REPEATS; max as in govern/repeats.h. */
extern void facts_of_repeats(PolicyFacts *facts, const Request *request, const uint8 plan_hash[HASH_BYTES], int max);

/* For RULE_BUDGET; noise is that of the run at this site, or NULL. */
extern void facts_of_budget(PolicyFacts *facts, const Request *request, const List *tables, const Noise *noise);

/* For RULE_PAYMENT. */
extern void facts_of_payment(PolicyFacts *facts, const Request *request);

/* For RULE_CONTRACT and RULE_TERMS; nothing of a request that names no contract. */
extern void facts_of_contract(PolicyFacts *facts, const Request *request);

#endif							/* SECMED_GOVERN_FACTS_H */
