/*
 * facts.c
 *	  What policy.c must know for its decision, out of this node's own tables.
 */
#include "postgres.h"

#include "govern/account.h"
#include "govern/approval.h"
#include "govern/budget.h"
#include "govern/contracts.h"
#include "govern/facts.h"
#include "govern/mode.h"
#include "govern/repeats.h"

void
facts_of_mode(PolicyFacts *facts, const Request *request, const List *tables)
{
	ModeFact   *modes;

	facts->nmodes = modes_of_question(&modes, request, tables);
	facts->modes = modes;
}

void
facts_of_approval(PolicyFacts *facts, const Request *request, const List *tables)
{
	ApprovalFact *fact = palloc(sizeof(ApprovalFact));

	*fact = approval_of_run(request, tables);
	facts->approval = fact;
}

void
facts_of_repeats(PolicyFacts *facts, const Request *request, const uint8 plan_hash[HASH_BYTES], int max)
{
	RepeatsFact *fact = palloc(sizeof(RepeatsFact));

	*fact = repeats_of_run(request, plan_hash, max);
	facts->repeats = fact;
}

void
facts_of_budget(PolicyFacts *facts, const Request *request, const List *tables, const Noise *noise)
{
	BudgetFact *fact = palloc(sizeof(BudgetFact));

	*fact = budget_of_run(request, tables, noise);
	facts->budget = fact;
}

void
facts_of_payment(PolicyFacts *facts, const Request *request)
{
	PaymentFact *fact = palloc(sizeof(PaymentFact));

	*fact = payment_of_run(request);
	facts->payment = fact;
}

void
facts_of_contract(PolicyFacts *facts, const Request *request)
{
	ContractGround *ground = palloc0(sizeof(ContractGround));

	if (!request->has_contract)
		return;
	contract_ground(ground, request);
	facts->contract = ground;
}
