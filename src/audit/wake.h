/*
 * wake.h
 *	  Wakes a database's sequencer, or has one started.
 */
#ifndef SECMED_WAKE_H
#define SECMED_WAKE_H

#include "audit/append.h"
#include "audit/queue.h"

/* A sequencer that was asked for this long ago and has not come is asked for again. */
#define START_RETRY_MS		1000

typedef enum Wake
{
	WAKE_DONE = 0,
	WAKE_NO_PLACE,				/* in the table of sequencers */
	WAKE_NO_WORKER
} Wake;

/*
 * Wakes the sequencer of a database, or starts one if there is none, or if
 * the one that was asked for has not come.  For lazy entries one that is awake
 * is left alone.  Never fails.
 */
extern Wake wake_try(Oid database, bool lazy);

/* The one of our database; if it can't start, takes the entry back and fails. */
extern void wake_or_withdraw(AuditTicket ticket, bool lazy);

/*
 * As wake_try() for who holds queue->lock: whose latch to set, or NULL, after it is
 * released; false if it takes wake_try().
 */
extern bool wake_whom(Oid database, bool lazy, PGPROC **proc);

/* The caller holds queue->lock. */
extern bool wake_is_late(const Sequencer *sequencer);

#endif							/* SECMED_WAKE_H */
