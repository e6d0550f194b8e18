/*
 * queue.h
 *	  The shared memory between those who append and the sequencers.
 *
 * LEDGER_SLOTS slots serve all databases of the cluster.  A slot goes round:
 *
 *	  FREE     -> CLAIMED   a backend took it and fills it in
 *	  CLAIMED  -> QUEUED    filled; its order is its place in the queue
 *	  QUEUED   -> TAKEN     in the sequencer's open transaction
 *	  TAKEN    -> COMMITTING  all of it is written: seq and leaf are known
 *	  COMMITTING -> DONE    the transaction is committed and flushed
 *	  TAKEN, COMMITTING -> FAILED  it was aborted, or the entry refused: reason
 *	  TAKEN, COMMITTING -> QUEUED  the sequencer left before its commit
 *	  DONE, FAILED -> FREE  by its owner, who has read the result
 *
 * A slot without an owner is abandoned: nobody waits any more, the entry is
 * appended all the same, and the sequencer frees the slot.  One that is also
 * withdrawn was spooled instead (spool.h): the sequencer frees it unwritten.
 * A backend withdraws what is QUEUED or TAKEN; of what is COMMITTING it spools
 * seq and leaf as well, by which it is known later whether it came to pass.
 *
 * One lock protects states, owners, generations, lists and the table of
 * sequencers.  The contents of a slot belong to the backend while it is
 * CLAIMED and to the sequencer while it is TAKEN, without the lock.  They are
 * large, and lie apart from what everybody looks at under the lock.
 */
#ifndef SECMED_QUEUE_H
#define SECMED_QUEUE_H

#include "audit/standing.h"
#include "ledger/entry.h"
#include "lib/ilist.h"
#include "storage/condition_variable.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

/* Why an entry was not appended; cut to this, it never holds a payload. */
#define QUEUE_REASON_BYTES	256

typedef enum SlotState
{
	SLOT_FREE = 0,
	SLOT_CLAIMED,
	SLOT_QUEUED,
	SLOT_TAKEN,
	SLOT_COMMITTING,
	SLOT_DONE,
	SLOT_FAILED
} SlotState;

/* What is to be appended, and what became of it. */
typedef struct SlotContent
{
	char		reason[QUEUE_REASON_BYTES]; /* if it is refused */
	char		hint[QUEUE_REASON_BYTES];	/* and what to do; may be "" */

	/* Its strings point to those below; shared memory has one address. */
	LedgerEntry entry;
	char		site[NODE_NAME_BYTES_MAX + 1];
	char		actor[ENTRY_ACTOR_MAX + 1];
	char		object[ENTRY_TEXT_MAX + 1];
	char		outcome[ENTRY_OUTCOME_MAX + 1];
	char		revealed[ENTRY_TEXT_MAX + 1];
	int64		made_us;		/* when it was queued, since 1970 */
	uint8		salt[SALT_BYTES];
	bool		has_payload;
	bool		uncommitted;	/* the entry's commitment to the payload is still to be made */
	size_t		payload_len;
	char	   *payload;		/* small, or that of large */
	struct LargePayload *large; /* NULL: none */
	char		small[LEDGER_PAYLOAD_SMALL];
} SlotContent;

typedef struct LargePayload
{
	dlist_node	node;			/* in queue->free_large while nobody has it */
	char		bytes[LEDGER_PAYLOAD_BYTES_MAX];
} LargePayload;

typedef struct Slot
{
	dlist_node	node;			/* in queue->free or queue->queued */
	SlotState	state;
	uint64		generation;		/* how often this slot was claimed */
	uint64		order;
	Oid			database;
	PGPROC	   *owner;			/* NULL: abandoned */
	bool		waits;			/* its owner; else others may be collected first, and it is freed
								 * when it is decided */
	bool		withdrawn;
	bool		refused;		/* becomes FAILED */
	bool		transient;		/* for a reason that may pass, not of this entry */
	uint64		seq;			/* from COMMITTING on */
	uint8		leaf[HASH_BYTES];
	SlotContent *content;
} Slot;

typedef enum SequencerState
{
	SEQUENCER_NONE = 0,			/* this place in the table is free */
	SEQUENCER_STARTING,			/* asked of the postmaster at started_ms */
	SEQUENCER_RUNNING
} SequencerState;

typedef struct Sequencer
{
	SequencerState state;
	Oid			database;
	int64		started_ms;		/* steady.h */
	PGPROC	   *proc;			/* while RUNNING; its latch wakes it */
	bool		awake;			/* looks at the queue again before it sleeps: no need to wake it */
	bool		stop;			/* asked to leave when its queue is empty */
} Sequencer;

typedef struct Queue
{
	LWLock	   *lock;
	ConditionVariable places;	/* a slot became free */
	ConditionVariable exits;	/* a sequencer left */
	LWLock	   *spool_lock;		/* for the files of spool.c */
	Oid			spooling[LEDGER_DATABASES]; /* whose spools are in use */
	uint64		next_order;
	dlist_head	free;
	dlist_head	free_large;
	dlist_head	queued;			/* of all databases, oldest first */
	ConditionVariable changes;	/* of a standing */
	Sequencer	sequencers[LEDGER_DATABASES];
	Standing	standings[LEDGER_STANDINGS];
	Slot		slots[LEDGER_SLOTS];
	SlotContent contents[LEDGER_SLOTS];
	LargePayload large[LEDGER_LARGE_PAYLOADS];
} Queue;

extern Queue *queue;

/* _PG_init: asks for the shared memory. */
extern void queue_init(void);

/* The caller holds queue->lock in all of these. */
extern Sequencer *queue_sequencer(Oid database);	/* NULL if there is none */
extern Sequencer *queue_new_sequencer(Oid database);	/* NULL if the table is full */
extern Slot *queue_claim_slot(size_t payload_len);	/* FREE -> CLAIMED; NULL if there is none */
extern void queue_add_slot(Slot *slot);	/* CLAIMED -> QUEUED, as the last */
extern void queue_take_slot(Slot *slot);	/* QUEUED -> TAKEN */
extern void queue_return_slots(Oid database);	/* TAKEN, COMMITTING -> QUEUED, in their old order */
extern void queue_free_slot(Slot *slot);	/* any -> FREE; then broadcast queue->places */

/* Makes the commitment, if that was left to whoever writes the entry.  Needs no lock. */
extern void queue_commit(SlotContent *content);

/* Wakes whoever has an entry of this database in the queue; takes the lock. */
extern void queue_wake_owners(Oid database);

/*
 * Makes the database's sequencer leave, and waits until it has (bounded):
 * no other session but ours then holds the database.  (sequencer.c)
 */
extern void sequencer_stop(Oid database);

/* Asks the postmaster for a sequencer; false if it has no place. */
extern bool sequencer_register(Oid database);

/* _PG_init: the hook that calls sequencer_stop() where it is needed.  (utility.c) */
extern void utility_init(void);

#endif							/* SECMED_QUEUE_H */
