/*
 * payment.c
 *	  The body of a document about credits.
 */
#include "fuzz.h"

#include "contract/payment.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Payment		found;
	StringInfoData again = empty();
	StringInfoData words = empty();
	const char *reason = NULL;

	if (payment_decode(&found, data, size, &reason))
	{
		payment_encode(&again, &found);
		must_be(&again, data, size);
		payment_describe(&words, data, size);
		must(words.len > 0);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
