/*
 * proposal.c
 *	  What a coordinator asks people at a node, and the answer.
 */
#include "fuzz.h"

#include "contract/proposal.h"

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	ProposalQuestion question;
	ApprovalFact answer;
	StringInfoData bytes = empty();
	const char *reason = NULL;

	if (proposal_question_decode(&question, data, size, &reason))
	{
		proposal_question_encode(&bytes, &question);
		must(bytes.len == size && memcmp(bytes.data, data, size) == 0);
	}
	else
		must_say(reason);
	reason = NULL;
	bytes = empty();
	if (proposal_answer_decode(&answer, data, size, &reason))
	{
		proposal_answer_encode(&bytes, &answer);
		must(bytes.len == size && memcmp(bytes.data, data, size) == 0);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
