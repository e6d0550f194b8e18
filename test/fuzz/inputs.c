/*
 * inputs.c
 *	  What a coordinator passes on to a party.
 */
#include "fuzz.h"

#include "contract/request.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	InputsMessage inputs;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (inputs_decode(&inputs, data, size, &reason))
	{
		inputs_encode(&again, &inputs);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
