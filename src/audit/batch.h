/*
 * batch.h
 *	  Appends a batch of queued entries in one transaction (sequencer only).
 */
#ifndef SECMED_BATCH_H
#define SECMED_BATCH_H

#include "audit/queue.h"

typedef struct Batch
{
	int			n;
	Slot	   *slots[LEDGER_BATCH];	/* TAKEN, oldest first */
} Batch;

/*
 * Returns when all slots are DONE or FAILED, or free where nobody waits, or
 * QUEUED again because one was withdrawn.  Never fails.
 */
extern void batch_append(Batch *batch);

#endif							/* SECMED_BATCH_H */
