/*
 * account_moves.h
 *	  The moves of an account that this node owns: the one place that writes them.
 */
#ifndef SECMED_ACCOUNT_MOVES_H
#define SECMED_ACCOUNT_MOVES_H

#include "postgres.h"
#include "contract/account.h"
#include "ledger/entry.h"

/* Locks the account until the transaction ends; false if this node has none of this address. */
extern bool account_lock(Account *account, const char *address);

/*
 * Makes a move, and queues the ledger's entry; false with a reason.  If this document has made this
 * move before, it does nothing.  run may be NULL.  SPI is connected, as the owner.
 */
extern bool account_make_move(const char *address, AccountMove move, uint64 amount, const uint8 document[HASH_BYTES],
							  const uint8 *run, const char **reason);

/* A new account; holder may be NULL: then nobody spends from it. */
extern void account_create(const char *address, const uint8 *holder, Datum nodes);

#endif							/* SECMED_ACCOUNT_MOVES_H */
