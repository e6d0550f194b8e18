/*
 * mode.h
 *	  How long who appends waits, and what happens when the ledger can't be
 *	  written.
 *
 *	  secmed.ledger_mode
 *		sync	until the entry is durable here
 *		quorum	until it is below a certified checkpoint (standing.h): witnesses
 *				hold it as well
 *		async	for local reads, how actions ended and refused logins not at all:
 *				those of the last moments before a crash may be lost.  Everything
 *				else as in sync: requests, decisions and outcomes of runs, changes
 *				and the commits of transactions that made some, notes, peers and
 *				keys are durable before anything goes on.
 *
 *	  secmed.on_ledger_failure, when the sequencer is gone, stopped, slow, or
 *	  the disk is full:
 *		error	an error within secmed.node_timeout: no reading without a record
 *		block	waits until it works again, or somebody cancels
 *		spool	break the glass: the entry goes to a file (spool.h), durably, and
 *				the work goes on; the sequencer takes it in later
 *
 * Both are for superusers, and for whom they grant SET on the parameter.
 */
#ifndef SECMED_MODE_H
#define SECMED_MODE_H

#include "ledger/entry.h"
#include "utils/guc.h"

typedef enum LedgerMode
{
	LEDGER_SYNC,
	LEDGER_QUORUM,
	LEDGER_ASYNC
} LedgerMode;

typedef enum LedgerFailure
{
	LEDGER_FAILURE_ERROR,
	LEDGER_FAILURE_BLOCK,
	LEDGER_FAILURE_SPOOL
} LedgerFailure;

extern int	ledger_mode;
extern int	on_ledger_failure;

/*
 * Called when a session is about to give one of the settings that the audit depends
 * on another value, by whatever means; may fail, then it keeps the old one.
 */
extern void (*mode_setting_changes) (const char *name);

/* For the check hook of such a setting. */
extern bool mode_check(const char *name, int now, int new_value, GucSource source);

/* _PG_init: the settings. */
extern void mode_init(void);

/* Does who appends an entry of this kind wait for it, in the mode of this session? */
extern bool mode_waits(EntryKind kind);

/* And until it is certified?  Not what a ledger has before it has witnesses, nor what they bring about. */
extern bool mode_waits_for_quorum(EntryKind kind);

/*
 * Mode quorum: returns when the entry of this number is certified.
 * ERRCODE_SECMED_LEDGER if it isn't at the deadline (steady.h).  Obeys cancel.
 */
extern void mode_wait_certified(uint64 seq, int64 deadline);

/* What this session does about a failure, with an entry of this kind, at the moment. */
extern LedgerFailure mode_on_failure(EntryKind kind);

#endif							/* SECMED_MODE_H */
