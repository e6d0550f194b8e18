/*
 * oblivious_plan.c
 *	  An oblivious plan, and what follows from it.
 */
#include "fuzz.h"

#include "oblivious/check.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	ObliviousPlan plan;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (oblivious_plan_decode(&plan, data, size, &reason))
	{
		CheckedPlan checked;
		PlanRefusal refusal;

		oblivious_plan_encode(&again, &plan);
		must_be(&again, data, size);
		if (!plan_check(&checked, &plan, &refusal))
			must_say(refusal.refusal.reason);
		else
			must(checked.nodes[plan.nnodes - 1].rows <= RELATION_ROWS_MAX);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
