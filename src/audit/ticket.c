/*
 * ticket.c
 *	  The entries of this process that are not yet waited for.
 */
#include "base/base.h"

#include "audit/queue.h"
#include "audit/ticket.h"

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

void
ticket_abandon(AuditTicket ticket)
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

bool
ticket_same(AuditTicket a, AuditTicket b)
{
	return a.slot == b.slot && a.generation == b.generation;
}

void
ticket_forget(AuditTicket ticket)
{
	for (int i = n_open_tickets - 1; i >= 0; i--)
		if (ticket_same(open_tickets[i].ticket, ticket))
		{
			n_open_tickets--;
			memmove(&open_tickets[i], &open_tickets[i + 1], (n_open_tickets - i) * sizeof(OpenTicket));
		}
}

/* All those of one subtransaction, or all. */
void
ticket_abandon_all(SubTransactionId subid)
{
	for (int i = n_open_tickets - 1; i >= 0; i--)
	{
		AuditTicket ticket = open_tickets[i].ticket;

		if (subid == InvalidSubTransactionId || open_tickets[i].subid == subid)
		{
			ticket_abandon(ticket);
			ticket_forget(ticket);
		}
	}
}

/* Of those that nobody waits for, leaves the oldest ones; keeps so many. */
void
ticket_leave_unwaited(int keep)
{
	int			n = 0;

	for (int i = n_open_tickets - 1; i >= 0; i--)
		if (!open_tickets[i].waits && ++n > keep)
		{
			AuditTicket ticket = open_tickets[i].ticket;

			ticket_abandon(ticket);
			ticket_forget(ticket);
		}
}

/* Takes an entry back that no sequencer has seen, because there is none. */
void
ticket_withdraw(AuditTicket ticket)
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
		ticket_abandon(ticket);
	ticket_forget(ticket);
}

bool
ticket_is_open(AuditTicket ticket)
{
	for (int i = 0; i < n_open_tickets; i++)
		if (ticket_same(open_tickets[i].ticket, ticket))
			return true;
	return false;
}

void
ticket_remember(AuditTicket ticket, bool waits)
{
	ticket_leave_unwaited(UNWAITED_MAX);
	open_tickets[n_open_tickets++] = (OpenTicket)
	{
		ticket, GetCurrentSubTransactionId(), waits
	};
}

void
ticket_rise(SubTransactionId subid, SubTransactionId parent)
{
	for (int i = 0; i < n_open_tickets; i++)
		if (open_tickets[i].subid == subid)
			open_tickets[i].subid = parent;
}

bool
ticket_is_waited(AuditTicket ticket)
{
	for (int i = 0; i < n_open_tickets; i++)
		if (ticket_same(open_tickets[i].ticket, ticket))
			return open_tickets[i].waits;
	return false;
}

bool
ticket_oldest_waited(AuditTicket *ticket)
{
	for (int i = 0; i < n_open_tickets; i++)
		if (open_tickets[i].waits)
		{
			*ticket = open_tickets[i].ticket;
			return true;
		}
	return false;
}
