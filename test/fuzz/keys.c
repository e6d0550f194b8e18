/*
 * keys.c
 *	  A key file.
 */
#include "fuzz.h"

#include "identity/card.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	NodeKeys	keys;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (node_keys_decode(&keys, data, size, &reason))
	{
		node_keys_encode(&again, &keys);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
