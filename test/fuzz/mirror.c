/*
 * mirror.c
 *	  Questions and answers about ledgers.
 */
#include "fuzz.h"

#include "ledger/mirror.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	MirrorQuestion question;
	MirrorAnswer answer;
	const char *reason = NULL;

	if (mirror_question_decode(&question, data, size, &reason))
	{
		StringInfoData again = empty();

		mirror_question_encode(&again, &question);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	if (mirror_answer_decode(&answer, data, size, &reason))
	{
		StringInfoData again = empty();

		mirror_answer_encode(&again, &answer);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
