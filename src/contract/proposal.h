/*
 * proposal.h
 *	  A coordinator asks for the yes of people at other nodes, before a run, and
 *	  later what they have said.
 *
 *	  question  ["propose", request]	 the bytes of a signed request (request.h), with a submission
 *				["withdraw", submission]
 *	  answer	["proposal", state, waits for, reason]
 *
 * The same question again only asks for the state (policy.h, in words); a run is
 * asked for with a request that is alike but for run id and times.
 */
#ifndef SECMED_PROPOSAL_H
#define SECMED_PROPOSAL_H

#include "contract/policy.h"

typedef struct ProposalQuestion
{
	bool		withdraw;
	const uint8 *request;		/* points into what was decoded */
	size_t		request_len;
	uint8		submission[SUBMISSION_ID_BYTES];	/* of a withdrawal */
} ProposalQuestion;

extern void proposal_question_encode(StringInfo out, const ProposalQuestion *question);
extern void proposal_answer_encode(StringInfo out, const ApprovalFact *answer);

/* Strict; false with a reason.  Strings are palloc'd. */
extern bool proposal_question_decode(ProposalQuestion *question, const void *bytes, size_t len, const char **reason);
extern bool proposal_answer_decode(ApprovalFact *answer, const void *bytes, size_t len, const char **reason);

#endif							/* SECMED_PROPOSAL_H */
