/*
 * contract.c
 *	  The body of a contract.
 */
#include "fuzz.h"

#include "contract/contract.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Contract	found;
	StringInfoData again = empty();
	StringInfoData words = empty();
	const char *reason = NULL;

	if (contract_decode(&found, data, size, &reason))
	{
		contract_encode(&again, &found);
		must_be(&again, data, size);
		contract_describe(&words, data, size);
		must(words.len > 0);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
