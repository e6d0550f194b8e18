/*
 * contract_match.h
 *	  Which contract a SELECT is an instance of (query/constants.h says how).
 */
#ifndef SECMED_CONTRACT_MATCH_H
#define SECMED_CONTRACT_MATCH_H

#include "postgres.h"
#include "compute/answer.h"
#include "govern/contracts.h"
#include "query/shape.h"

/*
 * The question as a contract has it: with the contract's plan, and the query's own constants as
 * values of its parameters; its contract is set.  Otherwise what was given.  An error if several allow it.
 * merged: the relation whose groups the sites have made (merge.h); NULL: none.
 */
extern Shape *contract_match_shape(PlannerInfo *root, RelOptInfo *grouped, List *having, Shape *shape);
extern Answer *contract_match_answer(PlannerInfo *root, RelOptInfo *merged, AnswerStage stage, List *targets,
									 List *having, Answer *answer);

/* An error if secmed.contract names one, and this plan, which was chosen, is not of it. */
extern void contract_match_check(const AskedContract *contract);

/* While this is set, only this contract is looked for, whatever secmed.contract says. */
extern const StoredContract *contract_to_match;

/* What a question has in common with others that differ in constants, and what these are. */
typedef struct ContractSkeleton
{
	StringInfoData plan;		/* of the question as it is, normalized */
	List	   *params;			/* of the plan */
	uint8		skeleton[HASH_BYTES];
	List	   *taken;
} ContractSkeleton;

/* While this is set, a contract is drafted: nothing is looked for, and the list grows by each plan considered. */
extern List **contract_skeletons;

/* What was taken out, as slots; false with a reason (for errdetail) if one is neither constant nor parameter. */
extern bool contract_slots_of(Contract *contract, List *taken, const char **reason);

/* ERRCODE_SECMED_CONTRACT: the plan that this node makes is not the contract's. */
extern void contract_refuse_instance(const Contract *contract) pg_attribute_noreturn();

extern void contract_match_init(void);

#endif							/* SECMED_CONTRACT_MATCH_H */
