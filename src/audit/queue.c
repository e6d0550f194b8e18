/*
 * queue.c
 *	  The shared memory between those who append and the sequencers.
 */
#include "base/base.h"

#include "audit/queue.h"
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
	RequestNamedLWLockTranche("secmed_audit", 1);
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
		queue->lock = &GetNamedLWLockTranche("secmed_audit")->lock;
		ConditionVariableInit(&queue->places);
		ConditionVariableInit(&queue->exits);
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
			sequencer->started_at = GetCurrentTimestamp();
			return sequencer;
		}
	}
	return NULL;
}

void
queue_free_slot(Slot *slot)
{
	/* SQL text may hold a patient's details: it does not stay here. */
	wipe(slot->payload, slot->payload_len);
	wipe(slot->salt, sizeof(slot->salt));
	slot->payload_len = 0;
	slot->owner = NULL;
	slot->state = SLOT_FREE;
}

void
queue_wake_owners(Oid database)
{
	PGPROC	   *owners[LEDGER_SLOTS];
	int			n = 0;

	LWLockAcquire(queue->lock, LW_SHARED);
	for (int i = 0; i < LEDGER_SLOTS; i++)
	{
		Slot	   *slot = &queue->slots[i];

		if (slot->state == SLOT_QUEUED && slot->database == database && slot->owner)
			owners[n++] = slot->owner;
	}
	LWLockRelease(queue->lock);

	/* A PGPROC outlives its process: at worst somebody wakes for nothing. */
	for (int i = 0; i < n; i++)
		SetLatch(&owners[i]->procLatch);
}
