/*
 * await.c
 *	  Waits for the sequencer's word on what was appended, and does what the
 *	  session is told to do if there is none, or it is no.
 */
#include "base/base.h"

#include "audit/append.h"
#include "audit/await.h"
#include "audit/mode.h"
#include "audit/queue.h"
#include "audit/spool.h"
#include "audit/spool_out.h"
#include "audit/steady.h"
#include "audit/ticket.h"
#include "audit/wake.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"

/* peer/connection.c: how long anything may take that others do for us. */
extern int	node_timeout_ms;

/* How often one wait starts a sequencer: one that dies each time is no use. */
#define STARTS_MAX			3
/* How long a session that blocks leaves a ledger alone that has just failed. */
#define BLOCK_PAUSE_MS		500

int64
await_deadline(void)
{
	return steady_ms() + node_timeout_ms;
}

typedef struct Verdict
{
	SlotState	state;
	EntryKind	kind;
	bool		transient;
	uint64		seq;
	char		reason[QUEUE_REASON_BYTES];
	char		hint[QUEUE_REASON_BYTES];
} Verdict;

/* Where the entry is, and who is to write it; of what is DONE the place is free again. */
static void
look(AuditTicket ticket, Verdict *verdict, SequencerState *sequencer_state, bool *late)
{
	Slot	   *slot = &queue->slots[ticket.slot];
	Sequencer  *sequencer;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
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
	if (verdict->state == SLOT_DONE)
		queue_free_slot(slot);
	sequencer = queue_sequencer(MyDatabaseId);
	*sequencer_state = sequencer ? sequencer->state : SEQUENCER_NONE;
	*late = sequencer && wake_is_late(sequencer);
	LWLockRelease(queue->lock);
	if (verdict->state == SLOT_DONE)
	{
		ConditionVariableBroadcast(&queue->places);
		ticket_forget(ticket);
	}
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
	if (mode_on_failure(kind) == LEDGER_FAILURE_ERROR)
		wake_or_withdraw(ticket, false);
	else if (wake_try(MyDatabaseId, false) != WAKE_DONE)
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
		if (mode_on_failure(verdict->kind) == LEDGER_FAILURE_SPOOL && spool_in_use(MyDatabaseId))
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
give_up(AuditTicket ticket, const char *why)
{
	ticket_abandon(ticket);
	ticket_forget(ticket);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the ledger did not confirm the entry"),
			 errdetail("%s", why),
			 errhint("The entry may still be appended. See the server's log and pg_stat_activity for the secmed sequencer.")));
}

static void
report_refusal(AuditTicket ticket, const Verdict *verdict)
{
	ticket_abandon(ticket);
	ticket_forget(ticket);
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
	(void) wake_try(MyDatabaseId, false);
}

/* No verdict, or one that may pass: what the session is told to do then. */
static void
handle_failure(AuditTicket ticket, const Verdict *verdict, const char *why)
{
	switch (mode_on_failure(verdict->kind))
	{
		case LEDGER_FAILURE_SPOOL:
			spool_out(ticket);
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

static void
wait_for_one(AuditTicket ticket)
{
	while (ticket_is_open(ticket))
	{
		int64		deadline = await_deadline();
		Verdict		verdict;
		const char *why = wait_for_verdict(ticket, &verdict, deadline);

		if (why == NULL && verdict.state == SLOT_DONE)
		{
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
void
await_all(void)
{
	AuditTicket ticket;

	while (ticket_oldest_waited(&ticket))
		wait_for_one(ticket);
}

/* An entry is in the ledger only after those before it: wait for all of ours. */
void
audit_wait(AuditTicket ticket)
{
	if (ticket_is_waited(ticket))
		await_all();
}

void
audit_append_now(LedgerEntry *entry, const void *payload, size_t payload_len)
{
	HOLD_INTERRUPTS();
	audit_wait(audit_append(entry, payload, payload_len));
	RESUME_INTERRUPTS();
}
