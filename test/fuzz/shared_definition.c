/*
 * shared_definition.c
 *	  The definition of a shared table.
 */
#include "fuzz.h"

#include "contract/shared.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	SharedDefinition definition;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (shared_definition_decode(&definition, data, size, &reason))
	{
		shared_definition_encode(&again, &definition);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
