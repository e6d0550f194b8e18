/*
 * shared_answer.c
 *	  What a node answers about shared tables.
 */
#include "fuzz.h"

#include "contract/shared.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	SharedMessage answer;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (shared_answer_decode(&answer, SHARED_DIGESTS, data, size, &reason))
	{
		shared_answer_encode(&again, &answer);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
