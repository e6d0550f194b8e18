/*
 * contracts.h
 *	  Contracts at this node: kept, found, and in which state they are now.
 *
 *	  secmed.contract_standing	one row for each contract document that was taken, with its state
 *							as it was when something last changed
 *	  secmed.contract_deed	what people did with it (contract/act.h), as it was signed
 *	  secmed.contract_use	runs under it that this node took part in
 *
 * Who decides on a run does not rely on the stored state: contract_now() works it out from the
 * deeds, the identities as they are at this moment, and the clock.
 */
#ifndef SECMED_CONTRACTS_H
#define SECMED_CONTRACTS_H

#include "postgres.h"
#include "contract/life.h"
#include "contract/permit.h"
#include "govern/document.h"
#include "nodes/pg_list.h"

typedef struct StoredContract
{
	uint8		hash[HASH_BYTES];
	Contract	contract;
} StoredContract;

/* False if no such contract was taken here.  Everything is palloc'd. */
extern bool contract_find(StoredContract *found, const uint8 hash[HASH_BYTES]);

/*
 * The contract that a person names: by its hash in hex, or the first 8 digits or more of it, or by
 * name, of which there must be one that is active (or one at all).  An error with a hint otherwise.
 */
extern void contract_require(StoredContract *found, const char *name);

/* Active contracts (List of StoredContract *) with a question of this skeleton; NIL if there is none. */
extern List *contracts_of_skeleton(const uint8 skeleton[HASH_BYTES]);

/* Is there any active one? */
extern bool contracts_any(void);

/* Its life at this moment. */
extern ContractLife contract_now(const StoredContract *stored);

/* Has this person accepted its terms? */
extern bool contract_terms_accepted(const uint8 contract[HASH_BYTES], const uint8 person[HASH_BYTES]);

/* The oldest of the identities that were replaced, one by the next, until this one. */
extern void contract_person(uint8 person[HASH_BYTES], const Identity *identity);

/* Runs under it that this node took part in. */
extern uint64 contract_uses(const uint8 contract[HASH_BYTES]);

/* Hooks of the kinds "contract" and "contract-act". */
extern DocumentFate contract_taken(const DocumentTaken *taken, const char **reason);
extern DocumentFate contract_act_taken(const DocumentTaken *taken, const char **reason);

/*
 * Writes down states that a date, or what became of an identity, has changed, and tells listeners of
 * secmed_contract.  In a transaction.  Called by the worker that exchanges documents.
 */
extern void contracts_tick(void);

/* ---- at a node that is asked for a run ---- */

/*
 * What contract/permit.h needs to know, in CurrentMemoryContext.  The request names a contract.  If that has a
 * largest number of runs, this one is alone with it until the transaction's end.
 */
extern void contract_ground(ContractGround *ground, const Request *request);

/* The smallest group that the request's contract asks for here; 1 without one. */
extern uint64 contract_smallest_group(const Request *request);

/* The noise that the request's contract asks for, palloc'd; NULL without one. */
extern const Noise *contract_noise(const Request *request);

/*
 * The run is about to give something away: it counts.  Of a run without a contract, nothing.  Durable when
 * the transaction has committed.
 */
extern void contract_count_use(const Request *request);

/* The plan over shared tables with what grows with the tables left out: how many rows an input may have. */
extern bool contract_plan_normalize(StringInfo out, const uint8 *plan, size_t len);

#endif							/* SECMED_CONTRACTS_H */
