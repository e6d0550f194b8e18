/*
 * batch.c
 *	  Appends a batch of queued entries in one transaction.
 *
 * Interrupts are held from the commit until the slots are DONE, so a sequencer
 * that is told to end either has not committed (its slots go back to the
 * queue) or has told everybody.  If it is killed outright the server
 * restarts, and nobody has been told of what may be written.
 *
 * A batch for which nobody waits is committed without a flush of its own.
 */
#include "base/base.h"

#include "audit/batch.h"
#include "audit/writer.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/latch.h"

/* The owner may be gone, so the server's log has it as well. */
static void
refuse_slots(Slot **slots, int n, Refusal refusal)
{
	int			len = pg_mbcliplen(refusal.reason, strlen(refusal.reason), QUEUE_REASON_BYTES - 1);

	ereport(LOG,
			(errmsg("the ledger did not take %d of its entries", n),
			 errdetail("%s", refusal.reason)));
	for (int i = 0; i < n; i++)
	{
		slots[i]->refused = true;
		slots[i]->transient = refusal.transient;
		strlcpy(slots[i]->content->reason, refusal.reason, len + 1);
		strlcpy(slots[i]->content->hint, refusal.hint, QUEUE_REASON_BYTES);
	}
}

static void
write_slot(Slot *slot, Place *place)
{
	SlotContent *content = slot->content;
	Draft		draft = {
		.entry = &content->entry,
		.salt = content->salt,
		.payload = content->has_payload ? content->payload : NULL,
		.payload_len = content->payload_len,
	};
	Refusal		refusal;

	queue_commit(content);
	refusal = writer_put(&draft, place);

	if (refusal.reason)
		refuse_slots(&slot, 1, refusal);
}

static void
write_batch(Batch *batch, Place *places)
{
	Refusal		refusal;

	writer_begin();
	refusal = writer_open(batch->n);
	if (refusal.reason)
		refuse_slots(batch->slots, batch->n, refusal);
	else
		for (int i = 0; i < batch->n; i++)
			write_slot(batch->slots[i], &places[i]);
	writer_flush();
}

/* False if one of them was withdrawn: then the transaction must not commit. */
static bool
may_commit(Batch *batch, const Place *places, bool *awaited)
{
	bool		may = true;

	*awaited = false;
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	for (int i = 0; i < batch->n; i++)
		may = may && !batch->slots[i]->withdrawn;
	for (int i = 0; i < batch->n && may; i++)
	{
		Slot	   *slot = batch->slots[i];

		slot->state = SLOT_COMMITTING;
		*awaited |= slot->waits;
		if (slot->refused)
			continue;
		slot->seq = places[i].seq;
		memcpy(slot->leaf, places[i].leaf, HASH_BYTES);
	}
	LWLockRelease(queue->lock);
	return may;
}

/* Tells every owner, and frees the slots that have none. */
static void
finish_batch(Batch *batch)
{
	PGPROC	   *owners[LEDGER_BATCH];
	bool		freed = false;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	for (int i = 0; i < batch->n; i++)
	{
		Slot	   *slot = batch->slots[i];

		owners[i] = slot->waits ? slot->owner : NULL;
		slot->state = slot->refused ? SLOT_FAILED : SLOT_DONE;
		if (owners[i] == NULL)
		{
			queue_free_slot(slot);
			freed = true;
		}
	}
	LWLockRelease(queue->lock);

	for (int i = 0; i < batch->n; i++)
		if (owners[i])
			SetLatch(&owners[i]->procLatch);
	if (freed)
		ConditionVariableBroadcast(&queue->places);
}

static void
fail_batch(Batch *batch)
{
	char	   *reason = writer_abort(true);

	refuse_slots(batch->slots, batch->n, (Refusal) {reason, "", true});
	pfree(reason);
	finish_batch(batch);
}

/* Those that were not withdrawn come again, in the next batch. */
static void
return_batch(void)
{
	(void) writer_abort(false);
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	queue_return_slots(MyDatabaseId);
	LWLockRelease(queue->lock);
	ConditionVariableBroadcast(&queue->places);
}

void
batch_append(Batch *batch)
{
	Place		places[LEDGER_BATCH];
	bool		awaited;

	PG_TRY();
	{
		write_batch(batch, places);
		HOLD_INTERRUPTS();
		if (may_commit(batch, places, &awaited))
		{
			writer_commit(awaited);
			finish_batch(batch);
		}
		else
			return_batch();
		RESUME_INTERRUPTS();
	}
	PG_CATCH();
	{
		fail_batch(batch);
	}
	PG_END_TRY();
}
