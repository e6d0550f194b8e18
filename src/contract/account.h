/*
 * account.h
 *	  An account in credits: what may be done with it, in one order.
 *
 * An account's address is "node" or "node:name"; the node is its owner and orders its entries, so
 * nobody else can tell what it holds.  Every entry is one move; the hash of all moves until then is
 * its head.  Credits that are held for a run are still in the balance, and can't be held again.
 */
#ifndef SECMED_ACCOUNT_H
#define SECMED_ACCOUNT_H

#include "base/base.h"
#include "crypto/hash.h"

/* Sums of some thousand accounts are exact wherever they are counted. */
#define CREDITS_MAX			(INT64CONST(1) << 53)
#define ACCOUNT_BYTES_MAX	127

typedef enum AccountMove
{
	MOVE_GRANT = 1,				/* credits come from outside */
	MOVE_HOLD,					/* are set aside for a run */
	MOVE_RETURN,				/* and are free again */
	MOVE_PAY,					/* or leave */
	MOVE_RECEIVE				/* come from another account */
} AccountMove;

#define MOVE_MAX	MOVE_RECEIVE

typedef struct Account
{
	uint64		serial;			/* moves so far */
	uint8		head[HASH_BYTES];	/* 32 zero bytes at first */
	uint64		balance;		/* with what is held */
	uint64		held;
} Account;

/*
 * Makes a move, by the document of this hash, or leaves the account as it is: false with a reason, for
 * "the account %s".
 */
extern bool account_move(Account *account, AccountMove move, uint64 amount, const uint8 document[HASH_BYTES],
						 const char **reason);

/* "hold"; and 0 if there is no such move. */
extern const char *account_move_name(AccountMove move);
extern AccountMove account_move_of_name(const char *name);

extern bool account_address_valid(const char *address);

/* The node of an address, palloc'd. */
extern char *account_node(const char *address);

/* amount in so many parts, by weight: the sum is amount, and who is first gets what does not divide. */
extern void account_split(uint64 amount, const uint64 *weights, int n, uint64 *parts);

#endif							/* SECMED_ACCOUNT_H */
