/*
 * answer.c
 *	  A sealed answer, and one party's part of it.
 */
#include "fuzz.h"

#include "contract/answer.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	static const uint8 key[SIGN_PUBLIC_BYTES] = {1};
	SealedAnswer answer;
	OpenedAnswer opened;
	AnswerPart	part;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (answer_decode(&answer, data, size, &reason))
	{
		answer_encode(&again, &answer);
		must_be(&again, data, size);
		if (!answer_open(&opened, &answer, key, key, key, &reason))
			must_say(reason);
	}
	else
		must_say(reason);
	reason = NULL;
	if (!answer_part_read(&part, data, size, key, &reason))
		must_say(reason);
	memory_reset();
	return 0;
}
