/*
 * erasure.c
 *	  An erasure order, or its receipt.
 */
#include "fuzz.h"

#include "contract/erasure.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	ErasureOrder order;
	ErasureReceipt receipt;
	StringInfoData again = empty();
	const uint8 *bytes;
	size_t		len;
	static const uint8 key[SIGN_PUBLIC_BYTES] = {1};
	const char *reason = NULL;

	if (order_decode(&order, data, size, &reason))
	{
		order_encode(&again, &order);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	resetStringInfo(&again);
	if (receipt_of_order_decode(&receipt, data, size, &reason))
	{
		receipt_of_order_encode(&again, &receipt);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	if (!erasure_open(&bytes, &len, data, size, ERASE_PURPOSE, key, &reason))
		must_say(reason);
	memory_reset();
	return 0;
}
