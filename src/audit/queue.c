/*
 * queue.c
 *	  The shared memory between those who append and the sequencers.
 */
#include "base/base.h"

#include "audit/queue.h"
#include "audit/steady.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

Queue	   *queue = NULL;

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

static void
request_queue(void)
{
	if (prev_shmem_request)
		prev_shmem_request();
	RequestAddinShmemSpace(MAXALIGN(sizeof(Queue)));
	RequestNamedLWLockTranche("secmed_audit", 2);
}

static void
start_queue(void)
{
	bool		found;

	if (prev_shmem_startup)
		prev_shmem_startup();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	queue = ShmemInitStruct("secmed audit queue", sizeof(Queue), &found);
	if (!found)
	{
		memset(queue, 0, sizeof(Queue));
		dlist_init(&queue->free);
		dlist_init(&queue->queued);
		dlist_init(&queue->free_large);
		for (int i = 0; i < LEDGER_LARGE_PAYLOADS; i++)
			dlist_push_tail(&queue->free_large, &queue->large[i].node);
		for (int i = 0; i < LEDGER_SLOTS; i++)
		{
			queue->slots[i].content = &queue->contents[i];
			dlist_push_tail(&queue->free, &queue->slots[i].node);
		}
		queue->lock = &GetNamedLWLockTranche("secmed_audit")[0].lock;
		queue->spool_lock = &GetNamedLWLockTranche("secmed_audit")[1].lock;
		ConditionVariableInit(&queue->places);
		ConditionVariableInit(&queue->exits);
		ConditionVariableInit(&queue->changes);
	}
	LWLockRelease(AddinShmemInitLock);
}

void
queue_init(void)
{
	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = request_queue;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = start_queue;
}

Sequencer *
queue_sequencer(Oid database)
{
	for (int i = 0; i < LEDGER_DATABASES; i++)
	{
		Sequencer  *sequencer = &queue->sequencers[i];

		if (sequencer->state != SEQUENCER_NONE && sequencer->database == database)
			return sequencer;
	}
	return NULL;
}

Sequencer *
queue_new_sequencer(Oid database)
{
	for (int i = 0; i < LEDGER_DATABASES; i++)
	{
		Sequencer  *sequencer = &queue->sequencers[i];

		if (sequencer->state == SEQUENCER_NONE)
		{
			memset(sequencer, 0, sizeof(*sequencer));
			sequencer->state = SEQUENCER_STARTING;
			sequencer->database = database;
			sequencer->started_ms = steady_ms();
			return sequencer;
		}
	}
	return NULL;
}

Slot *
queue_claim_slot(size_t payload_len)
{
	bool		large = payload_len > LEDGER_PAYLOAD_SMALL;
	SlotContent *content;
	Slot	   *slot;

	if (dlist_is_empty(&queue->free) || (large && dlist_is_empty(&queue->free_large)))
		return NULL;
	slot = dlist_container(Slot, node, dlist_pop_head_node(&queue->free));
	content = slot->content;
	content->large = large ? dlist_container(LargePayload, node, dlist_pop_head_node(&queue->free_large)) : NULL;
	content->payload = large ? content->large->bytes : content->small;
	content->payload_len = 0;
	slot->state = SLOT_CLAIMED;
	slot->generation++;
	slot->database = MyDatabaseId;
	slot->owner = MyProc;
	slot->waits = true;
	slot->withdrawn = false;
	slot->refused = false;
	return slot;
}

void
queue_add_slot(Slot *slot)
{
	slot->order = queue->next_order++;
	slot->state = SLOT_QUEUED;
	dlist_push_tail(&queue->queued, &slot->node);
}

void
queue_take_slot(Slot *slot)
{
	dlist_delete(&slot->node);
	slot->state = SLOT_TAKEN;
	slot->refused = false;
}

static int
younger_first(const void *a, const void *b)
{
	uint64		x = (*(Slot *const *) a)->order;
	uint64		y = (*(Slot *const *) b)->order;

	return (x < y) - (x > y);
}

void
queue_return_slots(Oid database)
{
	Slot	   *taken[LEDGER_SLOTS];
	int			n = 0;

	for (int i = 0; i < LEDGER_SLOTS; i++)
	{
		Slot	   *slot = &queue->slots[i];

		if (slot->database != database || (slot->state != SLOT_TAKEN && slot->state != SLOT_COMMITTING))
			continue;
		if (slot->withdrawn)
			queue_free_slot(slot);
		else
			taken[n++] = slot;
	}
	qsort(taken, n, sizeof(Slot *), younger_first);
	for (int i = 0; i < n; i++)
	{
		taken[i]->state = SLOT_QUEUED;
		dlist_push_head(&queue->queued, &taken[i]->node);
	}
}

void
queue_free_slot(Slot *slot)
{
	SlotContent *content = slot->content;

	/* SQL text may hold a patient's details: it does not stay here. */
	wipe(content->payload, content->payload_len);
	wipe(content->salt, sizeof(content->salt));
	content->payload_len = 0;
	if (content->large)
		dlist_push_head(&queue->free_large, &content->large->node);
	content->large = NULL;
	if (slot->state == SLOT_QUEUED)
		dlist_delete(&slot->node);
	slot->owner = NULL;
	slot->withdrawn = false;
	slot->state = SLOT_FREE;
	dlist_push_head(&queue->free, &slot->node);
}

void
queue_wake_owners(Oid database)
{
	PGPROC	   *owners[LEDGER_SLOTS];
	dlist_iter	at;
	int			n = 0;

	LWLockAcquire(queue->lock, LW_SHARED);
	dlist_foreach(at, &queue->queued)
	{
		Slot	   *slot = dlist_container(Slot, node, at.cur);

		if (slot->database == database && slot->owner)
			owners[n++] = slot->owner;
	}
	LWLockRelease(queue->lock);

	/* A PGPROC outlives its process: at worst somebody wakes for nothing. */
	for (int i = 0; i < n; i++)
		SetLatch(&owners[i]->procLatch);
}

void
queue_commit(SlotContent *content)
{
	if (content->uncommitted)
		commit_payload(content->entry.commitment, content->salt, content->payload, content->payload_len);
	content->uncommitted = false;
}
