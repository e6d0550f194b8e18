/*
 * result.c
 *	  A party's part of the answer; how far it is; and the ends of a run, which are short.
 */
#include "fuzz.h"

#include "contract/request.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	ResultMessage result;
	ProgressMessage progress;
	FinishMessage finish;
	StringInfoData again = empty();
	const char *reason = NULL;

	if (result_decode(&result, data, size, &reason))
	{
		result_encode(&again, &result);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	resetStringInfo(&again);
	if (progress_decode(&progress, data, size, &reason))
	{
		progress_encode(&again, &progress);
		must_be(&again, data, size);
	}
	else if (finish_decode(&finish, data, size, &reason))
	{
		finish_encode(&again, &finish);
		must_be(&again, data, size);
	}
	else if (done_decode(data, size, &reason))
	{
		done_encode(&again);
		must_be(&again, data, size);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
