/*
 * oblivious_result.c
 *	  A party's shares of an oblivious plan's result; and the same from all three, which fit
 *	  together if nothing is wrong with the sizes.
 */
#include "fuzz.h"

#include "../unit/a_plan.h"
#include "oblivious/result.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	CheckedPlan checked;
	PlanRefusal refusal;
	ResultParts parts;
	OpenedResult opened;
	const uint8 *messages[PARTIES] = {data, data, data};
	size_t		lens[PARTIES] = {size, size, size};
	const char *reason = NULL;
	bool		read;

	must(plan_check(&checked, a_plan(), &refusal));
	read = result_message_decode(&parts, &checked, data, size, &reason);
	if (!read)
		must_say(reason);
	if (result_open(&opened, &checked, messages, lens, &reason))
		must(read && opened.there <= opened.rows && opened.rows <= 10);
	else
		must_say(reason);
	memory_reset();
	return 0;
}
