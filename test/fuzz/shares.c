/*
 * shares.c
 *	  A site's shares.
 */
#include "fuzz.h"

#include "contract/request.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	SharesMessage shares;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (shares_decode(&shares, data, size, &reason))
	{
		shares_encode(&again, &shares);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
