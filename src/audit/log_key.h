/*
 * log_key.h
 *	  The two keys of this node's ledger: one signs its checkpoints, the other
 *	  countersigns those of other nodes.  Neither signs any other bytes but its
 *	  own introduction.
 *
 * A file (identity/key_file.h) is the CBOR array [1, kind, public, secret], or
 * [2, kind, public, secret, old public, old secret] while the old key may have
 * to sign; kind is "log key" or "cosigner key".  What they are called is in
 * the ledger: entry 1 of a new one is KEY, "first".
 */
#ifndef SECMED_LOG_KEY_H
#define SECMED_LOG_KEY_H

#include "identity/key_file.h"
#include "ledger/history.h"

/* _PG_init: secmed.federation. */
extern void log_key_init(void);

/*
 * Makes a new key, writes its file (key_file_write() says when) and the entry
 * that introduces it, to be appended.  A ledger that had a key goes on under a
 * higher epoch.  history is what the caller can see; the sequencer checks again.
 */
extern void log_key_create(LedgerEntry *entry, const KeyHistory *history, const char *site);

/*
 * The secret key of this public one (its kind says of which file); the caller
 * wipes it.  Fails if the file doesn't hold it.
 */
extern void ledger_key_secret(uint8 secret[SIGN_SECRET_BYTES], const NoteKey *key, const char *site);

/* A key that a file holds, newest first; false if there is no such file. */
extern bool ledger_key_in_file(KeyFile file, uint8 public_key[SIGN_PUBLIC_BYTES], const char *site);

/*
 * A new key in the file, the current one of history kept beside it (where it
 * is still there), and the entry that introduces it.  outcome: "first" (cosigner only), "rotated",
 * "recovered" or "revoked".  policy_of makes the policy file for the new log
 * key, and its hash, and stores it; it is not called for a cosigner's.
 */
typedef void (*PolicyMaker) (const NoteKey *key, uint8 hash[HASH_BYTES], void *arg);
extern void ledger_key_change(LedgerEntry *entry, const KeyHistory *history, KeyFile file,
							  const char *outcome, const char *site, PolicyMaker policy_of, void *arg);

/* Introduces the cosigner's key that is in the file already. */
extern void cosigner_key_first(LedgerEntry *entry, const KeyHistory *history, const char *site);

/* The entry that names another policy under the current log key. */
extern void log_key_policy(LedgerEntry *entry, const KeyHistory *history, const char *site,
						   const uint8 policy[HASH_BYTES]);

#endif							/* SECMED_LOG_KEY_H */
