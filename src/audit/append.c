/*
 * append.c
 *	  The backend's half of appending: claim a slot, fill it, wake the
 *	  sequencer, wait for its word.
 *
 * Every ticket that is not yet waited for is remembered here with the
 * subtransaction that made it.  If that one is rolled back nobody will come
 * back for it, so the slot is abandoned: the entry is appended, the sequencer
 * frees the slot.
 */
#include "base/base.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "audit/append.h"
#include "audit/mode.h"
#include "audit/queue.h"
#include "audit/spool.h"
#include "audit/steady.h"
#include "datatype/timestamp.h"
#include "ledger/lint.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/latch.h"

/* peer/connection.c: how long anything may take that others do for us. */
extern int	node_timeout_ms;

/* A sequencer that was asked for this long ago and has not come is asked for again. */
#define START_RETRY_MS		1000
/* How often one wait starts a sequencer: one that dies each time is no use. */
#define STARTS_MAX			3
/* How long a session that blocks leaves a ledger alone that has just failed. */
#define BLOCK_PAUSE_MS		500
/* Entries that nobody waits for and a session still may change. */
#define UNWAITED_MAX		64

typedef struct OpenTicket
{
	AuditTicket ticket;
	SubTransactionId subid;
	bool		waits;			/* in the mode in which it was appended */
} OpenTicket;

/* Who waits holds a slot; the others' may be free again. */
static OpenTicket open_tickets[LEDGER_SLOTS + UNWAITED_MAX + 1];
static int	n_open_tickets = 0;

/* Abandoning ----------------------------------------------------------------*/

static void
abandon(AuditTicket ticket)
{
	Slot	   *slot = &queue->slots[ticket.slot];
	bool		freed = false;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	if (slot->state != SLOT_FREE && slot->generation == ticket.generation)
	{
		slot->owner = NULL;
		if (slot->state == SLOT_DONE || slot->state == SLOT_FAILED)
		{
			queue_free_slot(slot);
			freed = true;
		}
	}
	LWLockRelease(queue->lock);
	if (freed)
		ConditionVariableBroadcast(&queue->places);
}

static bool
same_ticket(AuditTicket a, AuditTicket b)
{
	return a.slot == b.slot && a.generation == b.generation;
}

static void
forget(AuditTicket ticket)
{
	for (int i = n_open_tickets - 1; i >= 0; i--)
		if (same_ticket(open_tickets[i].ticket, ticket))
		{
			n_open_tickets--;
			memmove(&open_tickets[i], &open_tickets[i + 1], (n_open_tickets - i) * sizeof(OpenTicket));
		}
}

/* All those of one subtransaction, or all. */
static void
abandon_all(SubTransactionId subid)
{
	for (int i = n_open_tickets - 1; i >= 0; i--)
	{
		AuditTicket ticket = open_tickets[i].ticket;

		if (subid == InvalidSubTransactionId || open_tickets[i].subid == subid)
		{
			abandon(ticket);
			forget(ticket);
		}
	}
}

/* Of those that nobody waits for, leaves the oldest ones; keeps so many. */
static void
leave_unwaited(int keep)
{
	int			n = 0;

	for (int i = n_open_tickets - 1; i >= 0; i--)
		if (!open_tickets[i].waits && ++n > keep)
		{
			AuditTicket ticket = open_tickets[i].ticket;

			abandon(ticket);
			forget(ticket);
		}
}

static void wait_for_all(void);

/* A transaction commits only after what it has appended is durable. */
static void
transaction_ends(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		wait_for_all();
		leave_unwaited(0);
	}
	if (event == XACT_EVENT_ABORT)
		abandon_all(InvalidSubTransactionId);
}

static void
subtransaction_ends(SubXactEvent event, SubTransactionId subid,
					SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		abandon_all(subid);
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (int i = 0; i < n_open_tickets; i++)
			if (open_tickets[i].subid == subid)
				open_tickets[i].subid = parent;
}

static void
process_ends(int code, Datum arg)
{
	abandon_all(InvalidSubTransactionId);
}

void
audit_init(void)
{
	queue_init();
	mode_init();
	standing_init();
	utility_init();
	RegisterXactCallback(transaction_ends, NULL);
	RegisterSubXactCallback(subtransaction_ends, NULL);
}

/* Waking the sequencer ------------------------------------------------------*/

typedef enum Wake
{
	WAKE_DONE = 0,
	WAKE_NO_PLACE,				/* in the table of sequencers */
	WAKE_NO_WORKER
} Wake;

static bool
start_sequencer(Oid database)
{
	Sequencer  *sequencer;

	if (sequencer_register(database))
		return true;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	sequencer = queue_sequencer(database);
	if (sequencer && sequencer->state == SEQUENCER_STARTING)
		sequencer->state = SEQUENCER_NONE;
	LWLockRelease(queue->lock);
	return false;
}

static bool
start_is_late(const Sequencer *sequencer)
{
	return sequencer->state == SEQUENCER_STARTING &&
		steady_ms() - sequencer->started_ms > START_RETRY_MS;
}

/*
 * Wakes the sequencer of a database, or starts one if there is none, or if
 * the one that was asked for has not come.  For lazy entries one that is awake
 * is left alone.  Never fails.
 */
static Wake
try_wake(Oid database, bool lazy)
{
	Sequencer  *sequencer;
	PGPROC	   *proc = NULL;
	bool		full = false;
	bool		start = false;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	sequencer = queue_sequencer(database);
	if (sequencer == NULL)
	{
		full = queue_new_sequencer(database) == NULL;
		start = !full;
	}
	else if (sequencer->state == SEQUENCER_RUNNING)
		proc = lazy && sequencer->awake ? NULL : sequencer->proc;
	else if (start_is_late(sequencer))
	{
		sequencer->started_ms = steady_ms();
		start = true;
	}
	LWLockRelease(queue->lock);

	if (full)
		return WAKE_NO_PLACE;
	if (proc)
		SetLatch(&proc->procLatch);
	return start && !start_sequencer(database) ? WAKE_NO_WORKER : WAKE_DONE;
}

static void
wake_sequencer(bool lazy)
{
	Wake		wake = try_wake(MyDatabaseId, lazy);

	if (wake == WAKE_DONE)
		return;
	queue_wake_owners(MyDatabaseId);	/* they shall find out, too */
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the ledger's sequencer can't start"),
			 wake == WAKE_NO_WORKER ? errdetail("No background worker is free.") :
			 errdetail("Too many databases of this server append to a ledger at once."),
			 wake == WAKE_NO_WORKER ? errhint("Raise max_worker_processes and restart the server.") :
			 errhint("Wait until another one is idle.")));
}

/* Queueing ------------------------------------------------------------------*/

static int64
deadline_from_now(void)
{
	return steady_ms() + node_timeout_ms;
}

static Slot *
try_claim(size_t payload_len)
{
	Slot	   *slot;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	slot = queue_claim_slot(payload_len);
	LWLockRelease(queue->lock);
	return slot;
}

/* NULL if there is none before the deadline. */
static Slot *
wait_for_slot(int64 deadline, size_t payload_len)
{
	Slot	   *slot = try_claim(payload_len);

	if (slot)
		return slot;
	ConditionVariablePrepareToSleep(&queue->places);
	while ((slot = try_claim(payload_len)) == NULL)
	{
		long		wait_ms = steady_wait_ms(deadline);

		if (wait_ms <= 0)
			break;
		(void) ConditionVariableTimedSleep(&queue->places, wait_ms, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
	return slot;
}

/* What this session does about a failure, with an entry of this kind, at the moment. */
static LedgerFailure
on_failure(EntryKind kind)
{
	if (on_ledger_failure == LEDGER_FAILURE_SPOOL && spooled_kind(kind))
		return LEDGER_FAILURE_SPOOL;
	/* Who can't be cancelled doesn't wait for ever. */
	if (on_ledger_failure == LEDGER_FAILURE_BLOCK && InterruptHoldoffCount == 0)
		return LEDGER_FAILURE_BLOCK;
	return LEDGER_FAILURE_ERROR;
}

/* NULL: there is none, and the entry is to be spooled. */
static Slot *
claim_slot(EntryKind kind, size_t payload_len)
{
	Slot	   *slot;

	do
		slot = wait_for_slot(deadline_from_now(), payload_len);
	while (slot == NULL && on_failure(kind) == LEDGER_FAILURE_BLOCK);

	if (slot == NULL && on_failure(kind) == LEDGER_FAILURE_ERROR)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the ledger takes no more entries at the moment"),
				 errdetail("%d entries of this server, or %d with long statements, have waited for %d ms.",
						   LEDGER_SLOTS, LEDGER_LARGE_PAYLOADS, node_timeout_ms),
				 errhint("See pg_stat_activity for what the secmed sequencer waits for.")));
	return slot;
}

/* Entries are UTF-8 whatever the database's encoding; NULL is empty. */
static const char *
utf8(const char *text)
{
	if (text == NULL)
		return "";
	return pg_server_to_any(text, strlen(text), PG_UTF8);
}

static void
check_entry(const LedgerEntry *entry, bool has_payload, size_t payload_len)
{
	const char *problem = entry_problem(entry);
	const char *lint = entry_lint(entry, has_payload);

	if (problem == NULL && payload_len > LEDGER_PAYLOAD_BYTES_MAX)
		problem = "has too long a statement";
	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("this entry for the ledger %s", problem),
				 errdetail("An entry's texts may have %d bytes, its statement %d.",
						   ENTRY_TEXT_MAX, LEDGER_PAYLOAD_BYTES_MAX)));
	if (lint)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("this entry for the ledger %s", lint),
				 errdetail("What is in the ledger can't be taken back, and others hold copies of it."),
				 errhint("Statements and what is about patients belong into the body, which may be erased.")));
	if (RecoveryInProgress() || IsParallelWorker())
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the ledger can't be appended to from here"),
				 errdetail(RecoveryInProgress() ? "This server is a standby." :
						   "This is a parallel worker.")));
}

static const char *
keep(char *place, size_t size, const char *text)
{
	strlcpy(place, text, size);
	return place;
}

static int64
unix_now_us(void)
{
	return GetCurrentTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static void
fill_slot(SlotContent *content, const LedgerEntry *entry, const uint8 *salt,
		  const void *payload, size_t payload_len)
{
	LedgerEntry *kept = &content->entry;

	*kept = *entry;
	kept->site = entry->site ? keep(content->site, sizeof(content->site), entry->site) : NULL;
	kept->actor = keep(content->actor, sizeof(content->actor), entry->actor);
	kept->object = keep(content->object, sizeof(content->object), entry->object);
	kept->outcome = keep(content->outcome, sizeof(content->outcome), entry->outcome);
	kept->revealed = keep(content->revealed, sizeof(content->revealed), entry->revealed);
	content->made_us = unix_now_us();
	content->has_payload = payload != NULL;
	content->payload_len = payload_len;
	if (payload)
	{
		memcpy(content->payload, payload, payload_len);
		memcpy(content->salt, salt, SALT_BYTES);
	}
}

static AuditTicket
enqueue(Slot *slot, bool waits)
{
	AuditTicket ticket = {.slot = slot - queue->slots, .generation = slot->generation};

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	slot->waits = waits;
	queue_add_slot(slot);
	LWLockRelease(queue->lock);

	leave_unwaited(UNWAITED_MAX);
	open_tickets[n_open_tickets++] = (OpenTicket)
	{
		ticket, GetCurrentSubTransactionId(), waits
	};
	return ticket;
}

/* Spooling ------------------------------------------------------------------*/

/* True if it was: not if it only may join others in the spool, and there are none. */
static bool
spool(const LedgerEntry *entry, int64 made_us, const uint8 *salt, const void *payload, size_t payload_len,
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
	(void) try_wake(MyDatabaseId, false);
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

/*
 * Takes the entry out of the queue, or away from the sequencer, and spools it.
 * Nothing is done if the ledger has decided about it meanwhile.
 */
static void
spool_ticket(AuditTicket ticket)
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
	forget(ticket);

	(void) spool(&copy->entry, copy->made_us, copy->salt, copy->has_payload ? copy->payload : NULL,
				 copy->payload_len, place.state == SLOT_COMMITTING && !place.refused ? &place : NULL, false);
	wipe(payload, copy->payload_len);
	wipe(copy->small, sizeof(copy->small));
	pfree(payload);
	pfree(copy);
}

/* Appending -----------------------------------------------------------------*/

/* A system call for each salt would cost a reader more than its hash. */
void
audit_random(void *out, size_t len)
{
	static uint8 pool[32 * SALT_BYTES];
	static size_t left = 0;

	if (left < len)
	{
		random_bytes(pool, sizeof(pool));
		left = sizeof(pool);
	}
	left -= len;
	memcpy(out, pool + left, len);
	wipe(pool + left, len);
}

/* Takes an entry back that no sequencer has seen, because there is none. */
static void
withdraw(AuditTicket ticket)
{
	Slot	   *slot = &queue->slots[ticket.slot];
	bool		withdrawn = false;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	if (slot->generation == ticket.generation && slot->state == SLOT_QUEUED)
	{
		queue_free_slot(slot);
		withdrawn = true;
	}
	LWLockRelease(queue->lock);

	if (withdrawn)
		ConditionVariableBroadcast(&queue->places);
	else
		abandon(ticket);
	forget(ticket);
}

static void
wake_or_withdraw(AuditTicket ticket, bool lazy)
{
	PG_TRY();
	{
		wake_sequencer(lazy);
	}
	PG_CATCH();
	{
		withdraw(ticket);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

static void
register_exit(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(process_ends, (Datum) 0);
	registered = true;
}

static const AuditTicket no_ticket = {.slot = -1};

AuditTicket
audit_append(LedgerEntry *entry, const void *payload, size_t payload_len)
{
	LedgerEntry copy = *entry;
	uint8		salt[SALT_BYTES];
	AuditTicket ticket;
	Slot	   *slot;
	bool		lazy;

	copy.actor = utf8(entry->actor);
	copy.object = utf8(entry->object);
	copy.outcome = utf8(entry->outcome);
	copy.revealed = utf8(entry->revealed);
	if (payload)
	{
		const char *converted = pg_server_to_any(payload, payload_len, PG_UTF8);

		if (converted != payload)
			payload_len = strlen(converted);
		payload = converted;
		audit_random(salt, SALT_BYTES);
		commit_payload(copy.commitment, salt, payload, payload_len);
		copy.has_commitment = true;
	}
	check_entry(&copy, payload != NULL, payload_len);
	memcpy(entry->commitment, copy.commitment, HASH_BYTES);
	entry->has_commitment = copy.has_commitment;

	register_exit();
	if (on_failure(copy.kind) == LEDGER_FAILURE_SPOOL && spool_in_use(MyDatabaseId) &&
		spool(&copy, unix_now_us(), salt, payload, payload_len, NULL, true))
		return no_ticket;
	slot = claim_slot(copy.kind, payload_len);
	if (slot == NULL)
	{
		(void) spool(&copy, unix_now_us(), salt, payload, payload_len, NULL, false);
		return no_ticket;
	}
	fill_slot(slot->content, &copy, salt, payload, payload_len);
	wipe(salt, sizeof(salt));
	lazy = !mode_waits(copy.kind);
	ticket = enqueue(slot, !lazy);
	if (on_failure(copy.kind) == LEDGER_FAILURE_ERROR)
		wake_or_withdraw(ticket, lazy);
	else
		(void) try_wake(MyDatabaseId, lazy);	/* who waits will see */
	return ticket;
}

/* Waiting -------------------------------------------------------------------*/

typedef struct Verdict
{
	SlotState	state;
	EntryKind	kind;
	bool		transient;
	uint64		seq;
	char		reason[QUEUE_REASON_BYTES];
	char		hint[QUEUE_REASON_BYTES];
} Verdict;

/* Where the entry is, and who is to write it. */
static void
look(AuditTicket ticket, Verdict *verdict, SequencerState *sequencer_state, bool *late)
{
	Slot	   *slot = &queue->slots[ticket.slot];
	Sequencer  *sequencer;

	LWLockAcquire(queue->lock, LW_SHARED);
	verdict->kind = slot->content->entry.kind;
	verdict->transient = slot->transient;
	verdict->seq = slot->seq;
	if (slot->generation != ticket.generation || slot->owner != MyProc)
		verdict->state = SLOT_FREE;
	else
		verdict->state = slot->state;
	if (verdict->state == SLOT_FAILED)
	{
		strlcpy(verdict->reason, slot->content->reason, QUEUE_REASON_BYTES);
		strlcpy(verdict->hint, slot->content->hint, QUEUE_REASON_BYTES);
	}
	sequencer = queue_sequencer(MyDatabaseId);
	*sequencer_state = sequencer ? sequencer->state : SEQUENCER_NONE;
	*late = sequencer && start_is_late(sequencer);
	LWLockRelease(queue->lock);
	if (verdict->state == SLOT_FREE)
		elog(ERROR, "audit_wait: this ticket was waited for before");
}

static void
wait_a_while(int64 deadline, bool starting)
{
	long		wait_ms = steady_wait_ms(deadline);

	if (starting)
		wait_ms = Min(wait_ms, START_RETRY_MS);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 wait_ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* Starts a sequencer if there is none; a reason if that can't be, or NULL. */
static const char *
see_to_sequencer(AuditTicket ticket, EntryKind kind, SequencerState sequencer, bool late, int *starts)
{
	if (sequencer == SEQUENCER_NONE && (*starts)++ == STARTS_MAX)
		return "The sequencer ended each time it was started.";
	if (sequencer != SEQUENCER_NONE && !late)
		return NULL;
	if (on_failure(kind) == LEDGER_FAILURE_ERROR)
		wake_or_withdraw(ticket, false);
	else if (try_wake(MyDatabaseId, false) != WAKE_DONE)
		return "The sequencer can't start.";
	return NULL;
}

/* NULL with verdict->state DONE or FAILED; or a reason why there is no verdict. */
static const char *
wait_for_verdict(AuditTicket ticket, Verdict *verdict, int64 deadline)
{
	int			starts = 0;

	for (;;)
	{
		SequencerState sequencer;
		const char *reason;
		bool		late;

		look(ticket, verdict, &sequencer, &late);
		if (verdict->state == SLOT_DONE || verdict->state == SLOT_FAILED)
			return NULL;
		/* Somebody has waited long enough for all of us. */
		if (on_failure(verdict->kind) == LEDGER_FAILURE_SPOOL && spool_in_use(MyDatabaseId))
			return "Others spool already.";
		if (steady_wait_ms(deadline) <= 0)
			return "It took longer than secmed.node_timeout.";
		reason = see_to_sequencer(ticket, verdict->kind, sequencer, late, &starts);
		if (reason)
			return reason;
		wait_a_while(deadline, sequencer != SEQUENCER_RUNNING);
	}
}

static void
free_decided(AuditTicket ticket)
{
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	queue_free_slot(&queue->slots[ticket.slot]);
	LWLockRelease(queue->lock);
	ConditionVariableBroadcast(&queue->places);
	forget(ticket);
}

static void
give_up(AuditTicket ticket, const char *why)
{
	abandon(ticket);
	forget(ticket);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the ledger did not confirm the entry"),
			 errdetail("%s", why),
			 errhint("The entry may still be appended. See the server's log and pg_stat_activity for the secmed sequencer.")));
}

static void
report_refusal(AuditTicket ticket, const Verdict *verdict)
{
	free_decided(ticket);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the ledger did not take the entry"),
			 errdetail("%s", verdict->reason),
			 verdict->hint[0] ? errhint("%s", verdict->hint) : 0));
}

/* To be tried again, in the place that is the last one now. */
static void
queue_again(AuditTicket ticket)
{
	Slot	   *slot = &queue->slots[ticket.slot];

	wait_a_while(steady_ms() + BLOCK_PAUSE_MS, false);
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	if (slot->state == SLOT_FAILED)
		queue_add_slot(slot);
	LWLockRelease(queue->lock);
	(void) try_wake(MyDatabaseId, false);
}

/* No verdict, or one that may pass: what the session is told to do then. */
static void
handle_failure(AuditTicket ticket, const Verdict *verdict, const char *why)
{
	switch (on_failure(verdict->kind))
	{
		case LEDGER_FAILURE_SPOOL:
			spool_ticket(ticket);
			break;
		case LEDGER_FAILURE_BLOCK:
			queue_again(ticket);
			break;
		case LEDGER_FAILURE_ERROR:
			if (why)
				give_up(ticket, why);
			report_refusal(ticket, verdict);
			break;
	}
}

static bool
is_open(AuditTicket ticket)
{
	for (int i = 0; i < n_open_tickets; i++)
		if (same_ticket(open_tickets[i].ticket, ticket))
			return true;
	return false;
}

static void
wait_for_one(AuditTicket ticket)
{
	while (is_open(ticket))
	{
		int64		deadline = deadline_from_now();
		Verdict		verdict;
		const char *why = wait_for_verdict(ticket, &verdict, deadline);

		if (why == NULL && verdict.state == SLOT_DONE)
		{
			free_decided(ticket);
			if (mode_waits_for_quorum(verdict.kind))
				mode_wait_certified(verdict.seq, deadline);
		}
		else if (why == NULL && !verdict.transient)
			report_refusal(ticket, &verdict);
		else
			handle_failure(ticket, &verdict, why);
	}
}

/* In the order in which they were appended. */
static void
wait_for_all(void)
{
	int			i = 0;

	while (i < n_open_tickets)
	{
		if (open_tickets[i].waits)
			wait_for_one(open_tickets[i].ticket);
		else
			i++;
	}
}

/* An entry is in the ledger only after those before it: wait for all of ours. */
void
audit_wait(AuditTicket ticket)
{
	for (int i = 0; i < n_open_tickets; i++)
		if (same_ticket(open_tickets[i].ticket, ticket) && open_tickets[i].waits)
		{
			wait_for_all();
			return;
		}
}

void
audit_append_now(LedgerEntry *entry, const void *payload, size_t payload_len)
{
	HOLD_INTERRUPTS();
	audit_wait(audit_append(entry, payload, payload_len));
	RESUME_INTERRUPTS();
}

/* Nobody waits --------------------------------------------------------------*/

void
audit_leave(AuditTicket ticket)
{
	if (ticket.slot < 0)
		return;
	abandon(ticket);
	forget(ticket);
}

bool
audit_waits(void)
{
	return ledger_mode != LEDGER_ASYNC;
}

bool
audit_note(Oid database, const LedgerEntry *entry, const void *payload, size_t payload_len)
{
	LedgerEntry copy = *entry;
	uint8		salt[SALT_BYTES];
	Slot	   *slot;

	if (RecoveryInProgress() || entry_problem(entry) != NULL || payload_len > LEDGER_PAYLOAD_BYTES_MAX)
		return false;
	if ((slot = try_claim(payload_len)) == NULL)
		return false;
	if (payload)
	{
		audit_random(salt, SALT_BYTES);
		commit_payload(copy.commitment, salt, payload, payload_len);
		copy.has_commitment = true;
	}
	fill_slot(slot->content, &copy, salt, payload, payload_len);
	wipe(salt, sizeof(salt));

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	slot->database = database;
	slot->owner = NULL;
	slot->waits = false;
	queue_add_slot(slot);
	LWLockRelease(queue->lock);
	/* Without a sequencer it waits for the next one. */
	(void) try_wake(database, true);
	return true;
}

bool
audit_amend(AuditTicket ticket, EntryKind kind, const char *outcome,
			int ncounters, const uint64 *counters)
{
	Slot	   *slot = &queue->slots[ticket.slot];
	bool		waits;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	waits = slot->generation == ticket.generation && slot->owner == MyProc &&
		slot->state == SLOT_QUEUED;
	if (waits)
	{
		LedgerEntry *entry = &slot->content->entry;

		entry->kind = kind;
		entry->outcome = keep(slot->content->outcome, sizeof(slot->content->outcome), outcome);
		entry->ncounters = ncounters;
		memcpy(entry->counters, counters, ncounters * sizeof(uint64));
	}
	LWLockRelease(queue->lock);
	audit_leave(ticket);
	return waits;
}
