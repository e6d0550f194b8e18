/*
 * account.h
 *	  Accounts that this node owns, and what runs cost.
 *
 *	  secmed.account		one row an account: who may spend, through which nodes, and where it stands
 *	  secmed.account_entry	its moves, in order (contract/account.h)
 *	  secmed.payment_hold	credits of its accounts that were set aside for runs
 *	  secmed.payment_fate	what the parties of such a run said of it
 *	  secmed.payment_run	runs that cost something in which this node is a party, until it has told
 *							their fate
 *
 * The price of a run goes this way: the coordinator asks the owner of the payer's account to hold it,
 * and sends the owner's signed word with the request; every node holds that against the contract, and
 * no run pays twice, because nobody takes part in a run of one id twice.  Each party writes down, durably and
 * before it opens anything, that it will; afterwards it tells the owner by a document.  Two of three
 * decide, so neither the coordinator nor one party can have an answer for nothing, or take credits for none.
 */
#ifndef SECMED_GOVERN_ACCOUNT_H
#define SECMED_GOVERN_ACCOUNT_H

#include "postgres.h"
#include "contract/payment.h"
#include "contract/policy.h"
#include "govern/document.h"
#include "utils/timestamp.h"

/* For RULE_PAYMENT, in CurrentMemoryContext; price 0 of a run that is free. */
extern PaymentFact payment_of_run(const Request *request);

/* At the coordinator: if the request's contract has a price, has it held and puts the owner's word into the request. */
extern void payment_hold(Request *request);

/*
 * At a party: a run that costs something has begun here, or is about to be opened; nothing if it is
 * free.  Durable when the transaction has committed.  The second is an error if the owner was told otherwise.
 */
extern void payment_begin(const Request *request, TimestampTz until);
extern void payment_opened(const Request *request);

/* Hook of the kind "payment". */
extern DocumentFate payment_taken(const DocumentTaken *taken, const char **reason);

/* Tells fates, pays and returns: how many.  In a transaction; called by the worker that exchanges documents. */
extern int	payments_tick(void);

/* _PG_init. */
extern void account_init(void);

#endif							/* SECMED_GOVERN_ACCOUNT_H */
