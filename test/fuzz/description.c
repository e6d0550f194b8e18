/*
 * description.c
 *	  What a site says it publishes.
 */
#include "fuzz.h"

#include "contract/describe.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	DescribedTable *tables;
	int			n;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (description_decode(&tables, &n, data, size, &reason))
	{
		description_encode(&again, tables, n);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
