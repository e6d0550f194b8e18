/*
 * shared_question.c
 *	  What a node is asked about shared tables.
 */
#include "fuzz.h"

#include "contract/shared.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	SharedMessage question;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (shared_question_decode(&question, data, size, &reason))
	{
		shared_question_encode(&again, &question);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
