/*
 * proposal.c
 *	  Bytes of questions for people's yes, and of what they have said.
 */
#include "contract/proposal.h"

#include "base/cbor.h"

static bool
finish(CborReader *in, const char **reason)
{
	*reason = cbor_finish(in) ? NULL : in->error ? in->error : "bytes after the message";
	return *reason == NULL;
}

void
proposal_question_encode(StringInfo out, const ProposalQuestion *question)
{
	cbor_array(out, 2);
	cbor_text(out, question->withdraw ? "withdraw" : "propose");
	if (question->withdraw)
		cbor_bytes(out, question->submission, SUBMISSION_ID_BYTES);
	else
		cbor_bytes(out, question->request, question->request_len);
}

bool
proposal_question_decode(ProposalQuestion *question, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;
	char	   *word;

	memset(question, 0, sizeof(*question));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 2);
	word = cbor_read_text(&in, 16);
	question->withdraw = strcmp(word, "withdraw") == 0;
	if (in.error == NULL && !question->withdraw && strcmp(word, "propose") != 0)
		in.error = "message of another kind than expected";
	if (question->withdraw)
		cbor_read_fixed(&in, question->submission, SUBMISSION_ID_BYTES);
	else
		question->request = cbor_read_bytes(&in, 3 * REQUEST_BYTES_MAX, &question->request_len);
	return finish(&in, reason);
}

/* As much of a text as fits, in whole characters. */
static const char *
cut(const char *text)
{
	size_t		len = strlen(text);

	if (len <= PROPOSAL_TEXT_MAX)
		return text;
	for (len = PROPOSAL_TEXT_MAX; len > 0 && (text[len] & 0xC0) == 0x80; len--)
		;
	return pnstrdup(text, len);
}

void
proposal_answer_encode(StringInfo out, const ApprovalFact *answer)
{
	cbor_array(out, 4);
	cbor_text(out, "proposal");
	cbor_text(out, approval_state_name(answer->state));
	cbor_text(out, cut(answer->waits_for));
	cbor_text(out, cut(answer->reason));
}

bool
proposal_answer_decode(ApprovalFact *answer, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;
	char	   *word;

	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 4);
	word = cbor_read_text(&in, 16);
	if (in.error == NULL && strcmp(word, "proposal") != 0)
		in.error = "message of another kind than expected";
	answer->state = approval_state_from_name(cbor_read_text(&in, 16));
	if (in.error == NULL && answer->state == 0)
		in.error = "an unknown state";
	answer->waits_for = cbor_read_text(&in, PROPOSAL_TEXT_MAX);
	answer->reason = cbor_read_text(&in, PROPOSAL_TEXT_MAX);
	return finish(&in, reason);
}
