/*
 * contract_act.c
 *	  The body of what somebody does with a contract.
 */
#include "fuzz.h"

#include "contract/act.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	ContractAct found;
	StringInfoData again = empty();
	StringInfoData words = empty();
	const char *reason = NULL;

	if (contract_act_decode(&found, data, size, &reason))
	{
		contract_act_encode(&again, &found);
		must_be(&again, data, size);
		contract_act_describe(&words, data, size);
		must(words.len > 0);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
