/*
 * append.h
 *	  Appending to this node's ledger, so that it survives the ROLLBACK, ERROR
 *	  and cancel of whoever appends, and a crash of anything.
 *
 * A backend copies its entries into shared memory and wakes the database's
 * sequencer, a background worker (sequencer.c), which gives them their
 * numbers, times and links, inserts all that wait in one transaction of its
 * own, and commits with a flush.  While it flushes the next batch collects.
 *
 * audit_append() may be called, and the work go on, before audit_wait() makes
 * sure that the entry is durable.  Nothing may leave the node before that.
 * A transaction that commits waits as well; one that is rolled back does not,
 * but its entries are appended all the same.
 */
#ifndef SECMED_APPEND_H
#define SECMED_APPEND_H

#include "ledger/entry.h"

/* Where an entry waits; valid until audit_wait(). */
typedef struct AuditTicket
{
	int			slot;			/* -1: none */
	uint64		generation;
} AuditTicket;

/* _PG_init: shared memory, settings, hooks. */
extern void audit_init(void);

/*
 * Queues one entry, with a body for the side table or NULL (the commitment
 * is filled in here).  Bounded wait for a place; ERRCODE_SECMED_LEDGER if
 * there is none in time, or the entry is too large.  Entries of one backend
 * keep their order.
 */
extern AuditTicket audit_append(LedgerEntry *entry, const void *payload, size_t payload_len);

/*
 * Returns when the entry is durable, and all that this backend appended before
 * it and has not waited for.  ERRCODE_SECMED_LEDGER if it can't be
 * within secmed.node_timeout, or the sequencer reports an error.  Obeys
 * cancel: the entry is appended all the same.
 */
extern void audit_wait(AuditTicket ticket);

/* Both; does not obey cancel (for use while an error is being handled). */
extern void audit_append_now(LedgerEntry *entry, const void *payload, size_t payload_len);

/* Random bytes, at most a salt's, out of a pool of this process. */
extern void audit_random(void *out, size_t len);

/* Does audit_wait() wait, in the mode of this session? */
extern bool audit_waits(void);

/* What is appended need not be waited for any more. */
extern void audit_leave(AuditTicket ticket);

/*
 * Queues an entry that nobody waits for; of any database, in UTF-8.  Neither
 * fails nor waits, so that it can be called after a commit, during an abort
 * or before there is a session: false if there is no place at the moment.
 */
extern bool audit_note(Oid database, const LedgerEntry *entry, const void *payload, size_t payload_len);

/*
 * If the entry is still in the queue, nobody having begun to write it, makes it
 * one of another kind; false if it is too late.  It is left either way.
 *
 * An ACCESS for which nobody waits joins the one that this process has queued just
 * before it, if that waits as well, says the same, and has room for the body: its
 * counters [n, rows] become [n, rows, last], its body has one statement a line.
 */
extern bool audit_amend(AuditTicket ticket, EntryKind kind, const char *outcome,
						int ncounters, const uint64 *counters);

#endif							/* SECMED_APPEND_H */
