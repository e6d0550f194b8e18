/*
 * contract_deeds.h
 *	  What people did with a contract, as life.h wants it.
 */
#ifndef SECMED_CONTRACT_DEEDS_H
#define SECMED_CONTRACT_DEEDS_H

#include "govern/contracts.h"

/*
 * So many acts on a contract are kept: each vetter and owner has a few, and reading them all is
 * part of each decision.
 */
#define CONTRACT_DEEDS_MAX		1000

/* The deeds on a contract and the facts around it, at this moment, palloc'd. */
extern void contract_facts(ContractFacts *facts, const StoredContract *stored);

/* Does this person answer for a node: owner, of the organisation that the node's identity names, or else of its name? */
extern bool contract_owns_node(const Identity *identity, const char *node);

#endif							/* SECMED_CONTRACT_DEEDS_H */
