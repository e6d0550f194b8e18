/*
 * signer.h
 *	  The Merkle tree over the ledger, as the sequencer grows it, and the
 *	  checkpoints that it signs (sequencer only).
 *
 * The tree is in memory, full tiles are in secmed.ledger_tile.  It changes in
 * place, so when a transaction fails it is closed and read again.
 */
#ifndef SECMED_SIGNER_H
#define SECMED_SIGNER_H

#include "ledger/chain.h"

/* _PG_init: secmed.checkpoint_interval. */
extern void signer_init(void);

/*
 * Reads the tree of this ledger (the table ledger_oid), which ends here.  A
 * reason why it can't be continued, or NULL: a ledger is continued only if
 * its last checkpoint is one of what is there.
 */
extern const char *signer_open(Oid ledger_oid, const ChainState *end);
extern void signer_close(void);

/* Will the ledger's keys take this entry of kind KEY?  A reason, or NULL. */
extern const char *signer_key(const LedgerEntry *entry);

/* Takes one leaf; stores the tiles that it fills. */
extern void signer_append(const uint8 leaf[HASH_BYTES]);

/* In milliseconds: when a checkpoint is due; -1: nothing has changed. */
extern long signer_wait_ms(void);

/*
 * Signs a checkpoint and stores it, in a transaction of its own, when one is
 * due.  Never fails.
 */
extern void signer_run(void);

/* Makes what is not yet signed due now. */
extern void signer_hurry(void);

#endif							/* SECMED_SIGNER_H */
