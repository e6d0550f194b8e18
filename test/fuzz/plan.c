/*
 * plan.c
 *	  A canonical plan, and what is said of it.
 */
#include "fuzz.h"

#include "contract/plan.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	CanonicalPlan plan;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (plan_decode(&plan, data, size, &reason))
	{
		plan_encode(&again, &plan);
		must_be(&again, data, size);
		must(plan_elements(&plan) == plan_cells(&plan) * plan_stride(&plan));
		must(plan_layout(&plan).stride == plan_stride(&plan));
		must(plan_opened_elements(&plan) == plan_cells(&plan) * plan_opened_layout(&plan).stride);
		must(strlen(plan_tables_text(&plan, 20)) <= 20);
		plan_describe(&again, &plan);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
