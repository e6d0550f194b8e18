/*
 * log_key.h
 *	  The key that signs the checkpoints of this node's ledger, and no other
 *	  bytes but its own introduction.
 *
 * Its file (identity/key_file.h) is the CBOR array [1, "log key", public,
 * secret].  Its name, the ledger's origin, is in the ledger: entry 1 of a new
 * ledger is KEY, "first".
 */
#ifndef SECMED_LOG_KEY_H
#define SECMED_LOG_KEY_H

#include "ledger/history.h"

/* _PG_init: secmed.federation. */
extern void log_key_init(void);

/*
 * Makes a new key, writes its file (key_file_write() says when) and the entry
 * that introduces it, to be appended.  A ledger that had a key goes on under a
 * higher epoch.  history is what the caller can see; the sequencer checks again.
 */
extern void log_key_create(LedgerEntry *entry, const KeyHistory *history, const char *site);

/* The secret key of this public one; the caller wipes it.  Fails if the file doesn't hold it. */
extern void log_key_secret(uint8 secret[SIGN_SECRET_BYTES], const NoteKey *key, const char *site);

#endif							/* SECMED_LOG_KEY_H */
