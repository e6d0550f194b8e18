/*
 * receipt.c
 *	  A site's receipt.
 */
#include "fuzz.h"

#include "contract/request.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Receipt		receipt;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (receipt_decode(&receipt, data, size, &reason))
	{
		receipt_encode(&again, &receipt);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
