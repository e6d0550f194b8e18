/*
 * append.c
 *	  The backend's half of appending: claim a slot, fill it, wake the
 *	  sequencer.  For its word one waits in await.c.
 */
#include "base/base.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "audit/append.h"
#include "audit/await.h"
#include "audit/mode.h"
#include "audit/queue.h"
#include "audit/spool.h"
#include "audit/spool_out.h"
#include "audit/steady.h"
#include "audit/ticket.h"
#include "audit/wake.h"
#include "datatype/timestamp.h"
#include "ledger/lint.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"

/* peer/connection.c: how long anything may take that others do for us. */
extern int	node_timeout_ms;

/* A transaction commits only after what it has appended is durable. */
static void
transaction_ends(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		await_all();
		ticket_leave_unwaited(0);
	}
	if (event == XACT_EVENT_ABORT)
		ticket_abandon_all(InvalidSubTransactionId);
}

static void
subtransaction_ends(SubXactEvent event, SubTransactionId subid,
					SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		ticket_abandon_all(subid);
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		ticket_rise(subid, parent);
}

static void
process_ends(int code, Datum arg)
{
	ticket_abandon_all(InvalidSubTransactionId);
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

/* Queueing ------------------------------------------------------------------*/

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

/* NULL: there is none, and the entry is to be spooled. */
static Slot *
claim_slot(EntryKind kind, size_t payload_len)
{
	Slot	   *slot;

	do
		slot = wait_for_slot(await_deadline(), payload_len);
	while (slot == NULL && mode_on_failure(kind) == LEDGER_FAILURE_BLOCK);

	if (slot == NULL && mode_on_failure(kind) == LEDGER_FAILURE_ERROR)
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
	content->uncommitted = false;
	content->payload_len = payload_len;
	if (payload)
	{
		memcpy(content->payload, payload, payload_len);
		memcpy(content->salt, salt, SALT_BYTES);
	}
}

/* Queues it and wakes the sequencer; false if there is none that could be woken. */
static bool
enqueue(Slot *slot, bool waits)
{
	PGPROC	   *sequencer;
	bool		running;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	slot->waits = waits;
	queue_add_slot(slot);
	running = wake_whom(slot->database, !waits, &sequencer);
	LWLockRelease(queue->lock);
	if (sequencer)
		SetLatch(&sequencer->procLatch);
	return running;
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

static void
register_exit(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(process_ends, (Datum) 0);
	registered = true;
}

static const AuditTicket no_ticket = {.slot = -1};

/* What this process has queued last, and before that with nothing in between. */
static AuditTicket newest = {.slot = -1};
static AuditTicket before_newest = {.slot = -1};

AuditTicket
audit_append(LedgerEntry *entry, const void *payload, size_t payload_len)
{
	LedgerEntry copy = *entry;
	uint8		salt[SALT_BYTES];
	AuditTicket ticket;
	Slot	   *slot;
	bool		waits = mode_waits(entry->kind);
	bool		uncommitted = !waits && payload && mode_on_failure(entry->kind) != LEDGER_FAILURE_SPOOL;

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
		if (!uncommitted)
			commit_payload(copy.commitment, salt, payload, payload_len);
		copy.has_commitment = true;
	}
	check_entry(&copy, payload != NULL, payload_len);
	memcpy(entry->commitment, copy.commitment, HASH_BYTES);
	entry->has_commitment = copy.has_commitment;

	register_exit();
	if (mode_on_failure(copy.kind) == LEDGER_FAILURE_SPOOL && spool_in_use(MyDatabaseId) &&
		spool_in(&copy, unix_now_us(), salt, payload, payload_len, NULL, true))
		return no_ticket;
	slot = claim_slot(copy.kind, payload_len);
	if (slot == NULL)
	{
		(void) spool_in(&copy, unix_now_us(), salt, payload, payload_len, NULL, false);
		return no_ticket;
	}
	fill_slot(slot->content, &copy, salt, payload, payload_len);
	slot->content->uncommitted = uncommitted;
	wipe(salt, sizeof(salt));
	ticket = (AuditTicket) {.slot = slot - queue->slots, .generation = slot->generation};
	ticket_remember(ticket, waits);
	before_newest = newest;
	newest = ticket;
	if (enqueue(slot, waits))
		return ticket;
	if (mode_on_failure(copy.kind) == LEDGER_FAILURE_ERROR)
		wake_or_withdraw(ticket, !waits);
	else
		(void) wake_try(MyDatabaseId, !waits);	/* who waits will see */
	return ticket;
}

/* Nobody waits --------------------------------------------------------------*/

void
audit_leave(AuditTicket ticket)
{
	if (ticket.slot < 0)
		return;
	ticket_abandon(ticket);
	ticket_forget(ticket);
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

	newest = no_ticket;
	/* Ours while it is claimed.  Without a sequencer it waits for the next one. */
	slot->database = database;
	slot->owner = NULL;
	if (!enqueue(slot, false))
		(void) wake_try(database, true);
	return true;
}

/* The caller holds queue->lock. */
static Slot *
still_queued(AuditTicket ticket)
{
	Slot	   *slot = ticket.slot < 0 ? NULL : &queue->slots[ticket.slot];

	return slot && slot->generation == ticket.generation && slot->state == SLOT_QUEUED ? slot : NULL;
}

static bool
can_join(const Slot *to, const Slot *from)
{
	const SlotContent *a = to->content;
	const SlotContent *b = from->content;

	return !to->waits && !from->waits && a->entry.kind == ENTRY_ACCESS && b->entry.kind == ENTRY_ACCESS &&
		a->uncommitted && b->uncommitted && a->large == NULL &&
		a->entry.ncounters >= 2 && b->entry.ncounters == 2 &&
		strcmp(a->outcome, b->outcome) == 0 && strcmp(a->object, b->object) == 0 &&
		strcmp(a->revealed, b->revealed) == 0 && strcmp(a->actor, b->actor) == 0 &&
		a->payload_len + 1 + b->payload_len <= LEDGER_PAYLOAD_SMALL;
}

static void
join(Slot *to, Slot *from)
{
	SlotContent *content = to->content;
	LedgerEntry *entry = &content->entry;

	content->payload[content->payload_len] = '\n';
	memcpy(content->payload + content->payload_len + 1, from->content->payload, from->content->payload_len);
	content->payload_len += 1 + from->content->payload_len;
	entry->counters[2] = (entry->ncounters == 2 ? entry->counters[0] : entry->counters[2]) + 1;
	entry->counters[1] += from->content->entry.counters[1];
	entry->ncounters = 3;
	queue_free_slot(from);
}

static void
amend(SlotContent *content, EntryKind kind, const char *outcome, int ncounters, const uint64 *counters)
{
	LedgerEntry *entry = &content->entry;

	entry->kind = kind;
	entry->outcome = keep(content->outcome, sizeof(content->outcome), outcome);
	entry->ncounters = ncounters;
	memcpy(entry->counters, counters, ncounters * sizeof(uint64));
}

bool
audit_amend(AuditTicket ticket, EntryKind kind, const char *outcome,
			int ncounters, const uint64 *counters)
{
	Slot	   *slot;
	Slot	   *before;
	bool		joined = false;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	slot = still_queued(ticket);
	if (slot)
	{
		amend(slot->content, kind, outcome, ncounters, counters);
		before = ticket_same(ticket, newest) ? still_queued(before_newest) : NULL;
		joined = before && can_join(before, slot);
		if (joined)
			join(before, slot);
		else
			slot->owner = NULL;
	}
	LWLockRelease(queue->lock);

	if (joined)
	{
		newest = before_newest;
		before_newest = no_ticket;
		ConditionVariableBroadcast(&queue->places);
	}
	if (slot)
		ticket_forget(ticket);
	else
		audit_leave(ticket);
	return slot != NULL;
}
