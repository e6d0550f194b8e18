/*
 * link_table.c
 *	  The runs that backends of this server compute, in shared memory.
 *
 * The table holds no more than where to find the segment: LINK_SLOTS places
 * under one lock, searched from the start (a place is taken for a run, so
 * this is not often).  The messages go through two queues in the segment.
 */
#include "base/base.h"

#include "miscadmin.h"
#include "peer/link.h"
#include "peer/link_table.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define TRANCHE			"secmed_links"
#define SEGMENT_HEAD	MAXALIGN(sizeof(LinkSegment))

typedef struct LinkSlot
{
	bool		used;
	bool		taken;			/* a relay has it */
	LinkKey		key;
	char		previous[NODE_NAME_BYTES_MAX + 1];	/* who may call */
	dsm_handle	segment;
} LinkSlot;

typedef struct LinkTable
{
	LWLock	   *lock;
	ConditionVariable changed;	/* a place was filled */
	LinkSlot	slots[LINK_SLOTS];
} LinkTable;

static LinkTable *table = NULL;
static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;

static void
link_shmem_request(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(LinkTable)));
	RequestNamedLWLockTranche(TRANCHE, 1);
}

static void
link_shmem_startup(void)
{
	bool		found;

	if (next_startup_hook)
		next_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	table = ShmemInitStruct("secmed links", sizeof(LinkTable), &found);
	if (!found)
	{
		memset(table, 0, sizeof(LinkTable));
		table->lock = &(GetNamedLWLockTranche(TRANCHE))->lock;
		ConditionVariableInit(&table->changed);
	}
	LWLockRelease(AddinShmemInitLock);
}

void
link_init(void)
{
	next_request_hook = shmem_request_hook;
	shmem_request_hook = link_shmem_request;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = link_shmem_startup;
}

void
link_key(LinkKey *key, const uint8 run[RUN_ID_BYTES], int index)
{
	memset(key, 0, sizeof(*key));
	key->database = MyDatabaseId;
	memcpy(key->run, run, RUN_ID_BYTES);
	key->index = index;
}

LinkSegment *
link_segment(dsm_segment *segment)
{
	return dsm_segment_address(segment);
}

/* The queue towards the computing backend is the first. */
static shm_mq *
queue_of(dsm_segment *segment, int i)
{
	char	   *start = dsm_segment_address(segment);

	return (shm_mq *) (start + SEGMENT_HEAD + i * LINK_QUEUE_BYTES);
}

/* Place of the key, or of a free slot if key is NULL, or -1.  The lock is held. */
static int
find_place(const LinkKey *key)
{
	for (int i = 0; i < LINK_SLOTS; i++)
	{
		LinkSlot   *slot = &table->slots[i];

		if (key == NULL ? !slot->used : slot->used && memcmp(&slot->key, key, sizeof(LinkKey)) == 0)
			return i;
	}
	return -1;
}

static int
fill_place(const LinkKey *key, const char *previous, dsm_handle segment)
{
	LinkSlot	slot = {.used = true,.key = *key,.segment = segment};
	int			place;
	bool		known;

	strlcpy(slot.previous, previous, sizeof(slot.previous));

	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	known = find_place(key) >= 0;
	place = find_place(NULL);
	if (!known && place >= 0)
		table->slots[place] = slot;
	LWLockRelease(table->lock);

	if (known)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("this node computes that run already")));
	if (place < 0)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("this server computes %d runs already", LINK_SLOTS),
				 errhint("Try again when one of them has ended.")));
	ConditionVariableBroadcast(&table->changed);
	return place;
}

static shm_mq *
queue_create(dsm_segment *segment, int i)
{
	return shm_mq_create(queue_of(segment, i), LINK_QUEUE_BYTES);
}

/* An error leaves the segment to the resource owner; success keeps it beyond. */
int
link_register(const LinkKey *key, const char *previous, dsm_segment **segment,
			  shm_mq_handle **from_relay, shm_mq_handle **to_relay)
{
	shm_mq	   *in;
	shm_mq	   *out;
	int			place;

	*segment = dsm_create(SEGMENT_HEAD + 2 * LINK_QUEUE_BYTES, 0);
	memset(link_segment(*segment), 0, sizeof(LinkSegment));
	in = queue_create(*segment, 0);
	out = queue_create(*segment, 1);
	shm_mq_set_receiver(in, MyProc);
	shm_mq_set_sender(out, MyProc);
	*from_relay = shm_mq_attach(in, *segment, NULL);
	*to_relay = shm_mq_attach(out, *segment, NULL);
	place = fill_place(key, previous, dsm_segment_handle(*segment));
	dsm_pin_mapping(*segment);
	return place;
}

void
link_unregister(int place)
{
	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	table->slots[place].used = false;
	LWLockRelease(table->lock);
}

/*
 * Marks the key's place as taken.  False if it is not there; *segment is
 * invalid if the caller has no business with it, or another relay has it.
 */
static bool
take_place(const LinkKey *key, const char *caller, dsm_handle *segment)
{
	LinkSlot   *slot;
	int			place;

	*segment = DSM_HANDLE_INVALID;
	LWLockAcquire(table->lock, LW_EXCLUSIVE);
	place = find_place(key);
	slot = &table->slots[Max(place, 0)];
	if (place >= 0 && !slot->taken && strcmp(slot->previous, caller) == 0)
	{
		slot->taken = true;
		*segment = slot->segment;
	}
	LWLockRelease(table->lock);
	return place >= 0;
}

dsm_segment *
link_take(const LinkKey *key, const char *caller,
		  shm_mq_handle **from_computing, shm_mq_handle **to_computing)
{
	dsm_handle	handle;
	dsm_segment *segment;

	if (!take_place(key, caller, &handle))
		return NULL;
	segment = handle == DSM_HANDLE_INVALID ? NULL : dsm_attach(handle);
	if (segment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" has no place in that run", caller)));
	shm_mq_set_sender(queue_of(segment, 0), MyProc);
	shm_mq_set_receiver(queue_of(segment, 1), MyProc);
	*to_computing = shm_mq_attach(queue_of(segment, 0), segment, NULL);
	*from_computing = shm_mq_attach(queue_of(segment, 1), segment, NULL);
	return segment;
}

void
link_sleep(void)
{
	(void) ConditionVariableTimedSleep(&table->changed, CANCEL_POLL_MS, PG_WAIT_EXTENSION);
}

void
link_sleep_end(void)
{
	ConditionVariableCancelSleep();
}

void
link_note_lost(dsm_segment *segment, const char *name)
{
	LinkSegment *head = link_segment(segment);

	if (head->lost[0] == '\0')
		strlcpy(head->lost, name, sizeof(head->lost));
}

void
link_note_late(dsm_segment *segment, shm_mq_handle *to_relay, const char *name)
{
	PGPROC	   *relay = shm_mq_get_receiver(shm_mq_get_queue(to_relay));

	link_note_lost(segment, name);
	pg_write_barrier();
	link_segment(segment)->late = true;
	if (relay != NULL)
		SetLatch(&relay->procLatch);
}
