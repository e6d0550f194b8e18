/*
 * wake.c
 *	  Wakes a database's sequencer, or has one started.
 */
#include "base/base.h"

#include "audit/steady.h"
#include "audit/ticket.h"
#include "audit/wake.h"
#include "miscadmin.h"
#include "storage/latch.h"

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

bool
wake_is_late(const Sequencer *sequencer)
{
	return sequencer->state == SEQUENCER_STARTING &&
		steady_ms() - sequencer->started_ms > START_RETRY_MS;
}

bool
wake_whom(Oid database, bool lazy, PGPROC **proc)
{
	Sequencer  *sequencer = queue_sequencer(database);

	*proc = NULL;
	if (sequencer == NULL || sequencer->state != SEQUENCER_RUNNING)
		return false;
	if (!lazy || !sequencer->awake)
		*proc = sequencer->proc;
	return true;
}

Wake
wake_try(Oid database, bool lazy)
{
	Sequencer  *sequencer;
	PGPROC	   *proc;
	bool		full = false;
	bool		start = false;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	sequencer = queue_sequencer(database);
	if (wake_whom(database, lazy, &proc))
		;
	else if (sequencer == NULL)
	{
		full = queue_new_sequencer(database) == NULL;
		start = !full;
	}
	else if (wake_is_late(sequencer))
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
	Wake		wake = wake_try(MyDatabaseId, lazy);

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

void
wake_or_withdraw(AuditTicket ticket, bool lazy)
{
	PG_TRY();
	{
		wake_sequencer(lazy);
	}
	PG_CATCH();
	{
		ticket_withdraw(ticket);
		PG_RE_THROW();
	}
	PG_END_TRY();
}
