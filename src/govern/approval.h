/*
 * approval.h
 *	  The yes of named people to a run, at a node that wants it.
 *
 *	  secmed.approval_rule	which runs need it: whose, and of how many
 *	  secmed.asked			questions that came, each for one run
 *	  secmed.approval		what people answered
 *	  secmed.asked_status	the state of each question, from the three
 *
 * A question is bound to all of its request that matters (request_binding()), so an approval is
 * for this plan, these parameters, this requester.  It is for one run: before anything leaves the
 * node the run writes "used" to the ledger, in the name of the submission, and who finds that
 * entry refuses.  So neither a crash nor a rollback gives an approval back.
 *
 * The passes of one fit are one question (request_may_iterate()): each writes its "used", and they are
 * let through until there are as many as people were told, for PASSES_HOURS from the first on.
 */
#ifndef SECMED_GOVERN_APPROVAL_H
#define SECMED_GOVERN_APPROVAL_H

#include "postgres.h"
#include "audit/append.h"
#include "contract/policy.h"
#include "nodes/pg_list.h"

/*
 * May the run of this request take place, as far as people here are concerned?  Holds until the
 * end of the transaction off other runs of the same submission.
 */
extern ApprovalFact approval_of_run(const Request *request, const List *tables);

/* It will, and nobody's yes is good for another: queues the entry that says so. */
extern void approval_use(const Request *request, const char *tables_text, const uint8 plan_hash[HASH_BYTES]);

/* False if nobody was asked about this submission yet; otherwise what became of it. */
extern bool approval_known(const Request *request, ApprovalFact *fact);

typedef struct AskedQuestion
{
	const Request *request;
	const void *bytes;			/* the signed request */
	size_t		len;
	const uint8 *plan_hash;
	const List *tables;
	const char *tables_text;
	const char *question;		/* in words */
	const char *statement;		/* what runs here */
	const char *reveals;		/* likewise */
} AskedQuestion;

/* Puts a question before the people here; records it.  Error if too many wait. */
extern ApprovalFact approval_ask(const AskedQuestion *question);

/* The coordinator of a question takes it back. */
extern void approval_withdraw(const uint8 submission[SUBMISSION_ID_BYTES], const char *coordinator);

/* Queues an entry of kind approval, by who is logged in if actor is NULL; words become the body. */
extern AuditTicket approval_record(const uint8 submission[SUBMISSION_ID_BYTES], const char *actor, const char *object,
							const uint8 *plan_hash, const char *outcome, const char *words);

#endif							/* SECMED_GOVERN_APPROVAL_H */
