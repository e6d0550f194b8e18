/*
 * sequencer.c
 *	  The background worker that writes a database's ledger: how it comes, what
 *	  it does in between, and how it goes.
 *
 * One process for each database gives numbers, times and links, so a ledger
 * can't fork.  It takes all that is queued and lets batch.c append it; while
 * that commits the next batch collects.  It is in no transaction while it
 * waits, and leaves after a minute of silence.
 */
#include "base/base.h"

#include "audit/background.h"
#include "audit/batch.h"
#include "audit/dangling.h"
#include "audit/ingest.h"
#include "audit/signer.h"
#include "audit/steady.h"
#include "ledger/guard.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"

/* An idle sequencer only costs a process; a start costs some milliseconds. */
#define IDLE_MS			60000
/* Entries that nobody waits for are collected for so long. */
#define COLLECT_MS		20
/* How long DROP DATABASE and the like wait for it to leave. */
#define STOP_MS			5000

PGDLLEXPORT void secmed_sequencer_main(Datum arg);

/* Coming and going ----------------------------------------------------------*/

bool
sequencer_register(Oid database)
{
	BackgroundWorker worker = background_worker("secmed sequencer", "secmed_sequencer_main");

	worker.bgw_main_arg = ObjectIdGetDatum(database);
	worker.bgw_notify_pid = MyProcPid;
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

/* Gives up the place in the table; the caller holds the lock. */
static bool
give_up_place(Oid database)
{
	Sequencer  *sequencer = queue_sequencer(database);

	if (sequencer == NULL || sequencer->proc != MyProc)
		return false;
	sequencer->state = SEQUENCER_NONE;
	return true;
}

/*
 * Runs late in the exit, when this process no longer counts as a user of the
 * database.  What was taken and not committed goes back to the queue.
 */
static void
leave(int code, Datum arg)
{
	Oid			database = DatumGetObjectId(arg);

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	if (give_up_place(database))
		queue_return_slots(database);
	LWLockRelease(queue->lock);

	ConditionVariableBroadcast(&queue->exits);
	queue_wake_owners(database);
}

/* False if this database has its sequencer: we were asked for twice. */
static bool
attach(Oid database)
{
	Sequencer  *sequencer;
	bool		attached = false;

	on_shmem_exit(leave, ObjectIdGetDatum(database));
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	sequencer = queue_sequencer(database);
	if (sequencer == NULL)
		sequencer = queue_new_sequencer(database);
	if (sequencer && sequencer->state == SEQUENCER_STARTING)
	{
		sequencer->state = SEQUENCER_RUNNING;
		sequencer->proc = MyProc;
		sequencer->awake = true;
		attached = true;
	}
	LWLockRelease(queue->lock);
	return attached;
}

static bool
asked_to_stop(Oid database)
{
	Sequencer  *sequencer;
	bool		stop;

	LWLockAcquire(queue->lock, LW_SHARED);
	sequencer = queue_sequencer(database);
	stop = sequencer && sequencer->stop;
	LWLockRelease(queue->lock);
	return stop;
}

/* After a minute without work: leaves, unless an entry came this moment. */
static bool
leave_if_idle(Oid database)
{
	bool		idle = true;
	dlist_iter	at;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	dlist_foreach(at, &queue->queued)
		if (dlist_container(Slot, node, at.cur)->database == database)
			idle = false;
	if (idle)
		give_up_place(database);
	LWLockRelease(queue->lock);
	return idle;
}

static bool
ask_to_stop(Oid database)
{
	Sequencer  *sequencer;
	PGPROC	   *proc = NULL;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	sequencer = queue_sequencer(database);
	if (sequencer)
	{
		sequencer->stop = true;
		proc = sequencer->state == SEQUENCER_RUNNING ? sequencer->proc : NULL;
	}
	LWLockRelease(queue->lock);
	if (proc)
		SetLatch(&proc->procLatch);
	return sequencer != NULL;
}

void
sequencer_stop(Oid database)
{
	int64		deadline = steady_ms() + STOP_MS;

	ConditionVariablePrepareToSleep(&queue->exits);
	while (ask_to_stop(database))
	{
		long		wait_ms = steady_wait_ms(deadline);

		if (wait_ms <= 0)
			break;				/* the command itself will say who is there */
		(void) ConditionVariableTimedSleep(&queue->exits, wait_ms, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
}

/* The loop ------------------------------------------------------------------*/

/* How many of our entries are queued, and does somebody wait for one? */
static int
count_queued(Oid database, bool *urgent)
{
	dlist_iter	at;
	int			n = 0;

	*urgent = false;
	dlist_foreach(at, &queue->queued)
	{
		Slot	   *slot = dlist_container(Slot, node, at.cur);

		if (slot->database == database)
		{
			n++;
			*urgent |= slot->waits;
		}
	}
	return n;
}

/* The caller holds the lock. */
static void
take_queued(Oid database, Batch *batch)
{
	dlist_mutable_iter at;

	dlist_foreach_modify(at, &queue->queued)
	{
		Slot	   *slot = dlist_container(Slot, node, at.cur);

		if (batch->n == LEDGER_BATCH)
			break;
		if (slot->database == database)
		{
			queue_take_slot(slot);
			batch->slots[batch->n++] = slot;
		}
	}
}

/* As long as nobody waits more of them are collected, so that a flush serves many. */
static void
take_batch(Oid database, Batch *batch)
{
	bool		urgent;
	bool		collect;
	int			n;

	batch->n = 0;
	ResetLatch(MyLatch);
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	n = count_queued(database, &urgent);
	collect = n > 0 && n < LEDGER_BATCH && !urgent && !ShutdownRequestPending;
	if (collect)
	{
		LWLockRelease(queue->lock);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 COLLECT_MS, PG_WAIT_EXTENSION);
		LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	}
	take_queued(database, batch);
	LWLockRelease(queue->lock);
}

/* False if there is something to do; otherwise we want to be woken from now on. */
static bool
fall_asleep(Oid database)
{
	bool		urgent;
	bool		may;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	may = count_queued(database, &urgent) == 0;
	queue_sequencer(database)->awake = !may;
	LWLockRelease(queue->lock);
	return may;
}

static void
wake_up(Oid database)
{
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	queue_sequencer(database)->awake = true;
	LWLockRelease(queue->lock);
}

/* False after IDLE_MS in which nobody woke us and nothing was due. */
static bool
wait_for_work(Oid database)
{
	long		due[] = {signer_wait_ms(), ingest_wait_ms()};
	long		wait_ms = IDLE_MS;
	int			woken;

	if (!fall_asleep(database))
		return true;
	for (int i = 0; i < lengthof(due); i++)
		if (due[i] >= 0)
			wait_ms = Min(wait_ms, due[i]);
	woken = WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					  wait_ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	wake_up(database);
	return wait_ms < IDLE_MS || (woken & WL_LATCH_SET) != 0;
}

/*
 * SIGTERM ends us at the next check for interrupts, whatever we wait for; but
 * between two batches it lets us sign what was appended.
 */
static volatile sig_atomic_t in_batch = false;

static void
be_told_to_leave(SIGNAL_ARGS)
{
	if (in_batch)
		die(postgres_signal_arg);
	ShutdownRequestPending = true;
	SetLatch(MyLatch);
}

static void
append_batch(Batch *batch)
{
	in_batch = true;
	batch_append(batch);
	in_batch = false;
}

/* The last checkpoint of an orderly exit: of all that there is. */
static void
sign_and_leave(void)
{
	ProcDiePending = false;
	signer_hurry();
	signer_run();
}

static void
serve_queue(Oid database)
{
	Batch		batch;
	bool		more;

	while (!ShutdownRequestPending)
	{
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}

		more = dangling_run(database);
		in_batch = true;
		ingest_run();
		in_batch = false;
		take_batch(database, &batch);
		if (batch.n > 0)
			append_batch(&batch);
		if (ShutdownRequestPending || asked_to_stop(database))
			break;
		signer_run();
		if (batch.n == 0 && !more && !wait_for_work(database) && leave_if_idle(database))
			return;
	}
	sign_and_leave();
}

/* What ALTER DATABASE or ALTER ROLE may say otherwise. */
static void
pin_settings(void)
{
	static const char *const settings[][2] = {
		{"synchronous_commit", "on"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_deferrable", "off"},
		{"search_path", "pg_catalog, pg_temp"},
		{"lock_timeout", "0"},
		{"statement_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"session_replication_role", "origin"},
		{"row_security", "on"},
	};

	for (int i = 0; i < lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

void
secmed_sequencer_main(Datum arg)
{
	Oid			database = DatumGetObjectId(arg);

	pqsignal(SIGTERM, be_told_to_leave);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGINT, SIG_IGN);	/* a cancel would fail other people's entries */
	BackgroundWorkerUnblockSignals();

	if (!attach(database))
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, BGWORKER_BYPASS_ALLOWCONN);
	pin_settings();
	guard_is_sequencer = true;
	pgstat_report_activity(STATE_IDLE, NULL);
	standing_settle(database);
	serve_queue(database);
	proc_exit(0);
}
