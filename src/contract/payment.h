/*
 * payment.h
 *	  Documents that move credits (account.h), or say why they should.
 *
 *	  ["payment", 1, verb, at_us, fields]
 *
 *	  grant		[account, amount, words]: signed by a member of the governance
 *	  hold		[account, amount, run, contract, requester, until_us, [[name, fingerprint] x 3]]: the owner of
 *				the account has set the price of a run aside; the parties of the run are named
 *	  fate		[hold, opened]: a party has opened its part of the answer (true), or never will
 *	  paid		[hold, account, [[account, amount], ...]]: by the owner, to these
 *	  returned	[hold, account]: by the owner
 *
 *	  account	account.h; the first in "paid" and "returned" is the payer's
 *	  hold		hash of that document
 *	  requester fingerprint of the identity that asks
 *
 * All but grants are signed by nodes.  A hold travels in the request of its run (request.h), and every
 * site holds it against the contract.  It is paid as soon as two of the three parties say that they have
 * opened, returned when two say that they have not, or when its time is over.
 */
#ifndef SECMED_PAYMENT_H
#define SECMED_PAYMENT_H

#include "contract/account.h"
#include "contract/document.h"
#include "contract/request.h"

#define PAYMENT_KIND		"payment"
#define PAYEES_MAX			256
#define PAYMENT_WORDS_MAX	500

typedef enum PaymentVerb
{
	PAYMENT_GRANT = 1,
	PAYMENT_HOLD,
	PAYMENT_FATE,
	PAYMENT_PAID,
	PAYMENT_RETURNED
} PaymentVerb;

typedef struct PaymentPart
{
	char	   *account;
	uint64		amount;
} PaymentPart;

typedef struct Payment
{
	PaymentVerb verb;
	int64		at_us;
	char	   *account;
	uint64		amount;
	char	   *words;
	uint8		run[RUN_ID_BYTES];
	uint8		contract[HASH_BYTES];
	uint8		requester[HASH_BYTES];
	int64		until_us;
	NodeRef		parties[PARTIES];
	uint8		hold[HASH_BYTES];
	bool		opened;
	int			nparts;
	PaymentPart *parts;
} Payment;

extern void payment_encode(StringInfo out, const Payment *payment);
extern bool payment_decode(Payment *payment, const void *bytes, size_t len, const char **reason);

/*
 * Is this the hold for the run of the request, and of the price or more, at this time?  NULL, or why not, for
 * "the payment %s".  That the account's owner has signed it, the caller knows.
 */
extern const char *payment_hold_problem(const Payment *hold, const Request *request, uint64 price, int64 now_us);

/* For document_kinds[]. */
extern bool payment_check(const void *body, size_t len, const char **reason);
extern void payment_describe(StringInfo out, const void *body, size_t len);

#endif							/* SECMED_PAYMENT_H */
