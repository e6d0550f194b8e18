/*
 * exchange.c
 *	  A question or an answer about documents.
 */
#include "fuzz.h"

#include "contract/exchange.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	ExchangeMessage *message = palloc(sizeof(ExchangeMessage));
	StringInfoData again = empty();
	const char *reason = NULL;

	if (exchange_decode(message, data, size, &reason))
	{
		exchange_encode(&again, message);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
