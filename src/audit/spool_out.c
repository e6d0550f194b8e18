/*
 * spool_out.c
 *	  Brings what can't be in the ledger at the moment to the spool instead.
 */
#include "base/base.h"

#include "audit/spool.h"
#include "audit/spool_out.h"
#include "audit/ticket.h"
#include "audit/wake.h"
#include "miscadmin.h"

bool
spool_in(const LedgerEntry *entry, int64 made_us, const uint8 *salt, const void *payload, size_t payload_len,
	  const Slot *place, bool only_if_used)
{
	SpooledEntry spooled = {.entry = *entry, .has_payload = payload != NULL,
	.payload = payload, .payload_len = payload_len, .has_place = place != NULL};

	spooled.entry.has_spooled = true;
	spooled.entry.spooled_us = Min(Max(made_us, 0), ENTRY_AT_US_MAX);
	if (payload)
		memcpy(spooled.salt, salt, SALT_BYTES);
	if (place)
	{
		spooled.seq = place->seq;
		memcpy(spooled.leaf, place->leaf, HASH_BYTES);
	}
	if (!spool_append(&spooled, only_if_used))
		return false;
	(void) wake_try(MyDatabaseId, false);
	return true;
}

/* A copy of what is in a slot, whose strings are its own; payload has room for any. */
static void
copy_content(SlotContent *copy, const SlotContent *content, char *payload)
{
	*copy = *content;
	memcpy(payload, content->payload, content->payload_len);
	copy->payload = payload;
	copy->entry.site = NULL;
	copy->entry.actor = copy->actor;
	copy->entry.object = copy->object;
	copy->entry.outcome = copy->outcome;
	copy->entry.revealed = copy->revealed;
}

void
spool_out(AuditTicket ticket)
{
	Slot	   *slot = &queue->slots[ticket.slot];
	SlotContent *copy = palloc(sizeof(SlotContent));
	char	   *payload = palloc(LEDGER_PAYLOAD_BYTES_MAX);
	Slot		place;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	place = *slot;
	if (place.state == SLOT_DONE || (place.state == SLOT_FAILED && !place.transient))
	{
		LWLockRelease(queue->lock);
		pfree(payload);
		pfree(copy);
		return;
	}
	copy_content(copy, slot->content, payload);
	if (place.state == SLOT_QUEUED || place.state == SLOT_FAILED)
		queue_free_slot(slot);
	else
	{
		slot->withdrawn = place.state == SLOT_TAKEN;
		slot->owner = NULL;
	}
	LWLockRelease(queue->lock);
	ConditionVariableBroadcast(&queue->places);
	ticket_forget(ticket);

	queue_commit(copy);
	(void) spool_in(&copy->entry, copy->made_us, copy->salt, copy->has_payload ? copy->payload : NULL,
				 copy->payload_len, place.state == SLOT_COMMITTING && !place.refused ? &place : NULL, false);
	wipe(payload, copy->payload_len);
	wipe(copy->small, sizeof(copy->small));
	pfree(payload);
	pfree(copy);
}
