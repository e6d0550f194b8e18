/*
 * standing.c
 *	  How a database's ledger stands with its peers.
 */
#include "base/base.h"

#include "access/xact.h"
#include "audit/background.h"
#include "audit/queue.h"
#include "audit/standing.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

/* A mirror worker that fails comes back after so long. */
#define MIRROR_RESTART_S	1
/* One that was asked for and has not come is asked for again after so long. */
#define MIRROR_RETRY_MS		5000
/* How long DROP DATABASE and the like wait for it to leave. */
#define MIRROR_STOP_MS		5000

int			startup_wait_ms = 5000;

void
standing_init(void)
{
	DefineCustomIntVariable("secmed.startup_wait",
							"Sets how long a ledger waits, after the server's start, for what its witnesses hold of it.",
							"It goes on earlier if so many have answered that the newest certified checkpoint is among what they hold.",
							&startup_wait_ms, 5000, 100, 24 * 60 * 60 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
}

/* The place of a database, made if it has none; NULL if there is no room.  The caller holds the lock. */
static Standing *
place_of(Oid database)
{
	Standing   *free_place = NULL;

	for (int i = 0; i < LEDGER_STANDINGS; i++)
	{
		Standing   *place = &queue->standings[i];

		if (place->database == database)
			return place;
		if (free_place == NULL && !OidIsValid(place->database))
			free_place = place;
	}
	if (free_place != NULL)
	{
		memset(free_place, 0, sizeof(*free_place));
		free_place->database = database;
	}
	return free_place;
}

ConditionVariable *
standing_changes(void)
{
	return &queue->changes;
}

uint64
standing_certified(Oid database)
{
	Standing   *place;
	uint64		size;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	place = place_of(database);
	size = place ? place->certified_size : 0;
	LWLockRelease(queue->lock);
	return size;
}

StandingState
standing_get(Oid database, char *reason)
{
	StandingState state = STANDING_UNASKED;
	Standing   *place;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	place = place_of(database);
	if (place)
		state = place->state;
	if (reason)
		strlcpy(reason, place ? place->reason : "", STANDING_REASON_BYTES);
	LWLockRelease(queue->lock);
	return state;
}

/* Tells those who wait for a change, and the sequencer. */
static void
announce(Oid database)
{
	Sequencer  *sequencer;
	PGPROC	   *proc;

	LWLockAcquire(queue->lock, LW_SHARED);
	sequencer = queue_sequencer(database);
	proc = sequencer && sequencer->state == SEQUENCER_RUNNING ? sequencer->proc : NULL;
	LWLockRelease(queue->lock);
	if (proc)
		SetLatch(&proc->procLatch);
	ConditionVariableBroadcast(&queue->changes);
}

void
standing_set(Oid database, StandingState state, const char *reason)
{
	Standing   *place;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	place = place_of(database);
	if (place)
	{
		place->state = state;
		strlcpy(place->reason, reason ? reason : "", STANDING_REASON_BYTES);
	}
	LWLockRelease(queue->lock);
	announce(database);
}

void
standing_set_certified(Oid database, uint64 size)
{
	Standing   *place;
	bool		more = false;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	place = place_of(database);
	if (place && size > place->certified_size)
	{
		place->certified_size = size;
		more = true;
	}
	LWLockRelease(queue->lock);
	if (more)
		announce(database);
}

void
standing_forget(Oid database)
{
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	for (int i = 0; i < LEDGER_STANDINGS; i++)
		if (queue->standings[i].database == database)
			queue->standings[i].database = InvalidOid;
	LWLockRelease(queue->lock);
}

const char *
standing_problem(Oid database)
{
	char		reason[STANDING_REASON_BYTES];

	switch (standing_get(database, reason))
	{
		case STANDING_GOOD:
		case STANDING_ALONE:
			return NULL;
		case STANDING_BEHIND:
			return pstrdup(reason);
		case STANDING_UNASKED:
			break;
	}
	return "What its witnesses hold of the ledger is not known yet.";
}

/* The mirror worker ---------------------------------------------------------*/

static bool
mirror_register(Oid database)
{
	BackgroundWorker worker = background_worker("secmed mirror", "secmed_mirror_main");

	worker.bgw_restart_time = MIRROR_RESTART_S;
	worker.bgw_main_arg = ObjectIdGetDatum(database);
	return RegisterDynamicBackgroundWorker(&worker, NULL);
}

bool
mirror_wake(Oid database)
{
	TimestampTz now = GetCurrentTimestamp();
	Standing   *place;
	PGPROC	   *proc;
	bool		start;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	place = place_of(database);
	proc = place ? place->mirror : NULL;
	start = place && proc == NULL &&
		TimestampDifferenceExceeds(place->mirror_asked_at, now, MIRROR_RETRY_MS);
	if (start)
	{
		place->mirror_asked_at = now;
		place->mirror_stop = false;
	}
	LWLockRelease(queue->lock);
	if (proc)
		SetLatch(&proc->procLatch);
	return start ? mirror_register(database) : place != NULL;
}

/* Late in the exit, when the process no longer counts as a user of the database. */
static void
mirror_leaves(int code, Datum arg)
{
	Oid			database = DatumGetObjectId(arg);

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	for (int i = 0; i < LEDGER_STANDINGS; i++)
		if (queue->standings[i].database == database && queue->standings[i].mirror == MyProc)
		{
			queue->standings[i].mirror = NULL;
			queue->standings[i].mirror_asked_at = 0;
		}
	LWLockRelease(queue->lock);
	ConditionVariableBroadcast(&queue->changes);
}

bool
mirror_attach(Oid database)
{
	Standing   *place;
	bool		attached;

	on_shmem_exit(mirror_leaves, ObjectIdGetDatum(database));
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	place = place_of(database);
	attached = place && place->mirror == NULL && !place->mirror_stop;
	if (attached)
		place->mirror = MyProc;
	LWLockRelease(queue->lock);
	return attached;
}

bool
mirror_asked_to_stop(Oid database)
{
	Standing   *place;
	bool		stop;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	place = place_of(database);
	stop = place == NULL || place->mirror_stop;
	LWLockRelease(queue->lock);
	return stop;
}

/* True while there is one. */
static bool
ask_to_stop(Oid database)
{
	Standing   *place;
	PGPROC	   *proc;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	place = place_of(database);
	proc = place ? place->mirror : NULL;
	if (place)
		place->mirror_stop = true;
	LWLockRelease(queue->lock);
	if (proc)
		SetLatch(&proc->procLatch);
	return proc != NULL;
}

void
mirror_stop(Oid database)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), MIRROR_STOP_MS);

	ConditionVariablePrepareToSleep(&queue->changes);
	while (ask_to_stop(database))
	{
		long		wait_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (wait_ms <= 0)
			break;				/* the command itself will say who is there */
		(void) ConditionVariableTimedSleep(&queue->changes, wait_ms, PG_WAIT_EXTENSION);
	}
	ConditionVariableCancelSleep();
}

/* The sequencer's start -----------------------------------------------------*/

/* Has somebody ever countersigned this ledger?  (Not even its tables may be here.) */
static bool
had_witnesses(void)
{
	RangeVar   *name = makeRangeVar("secmed", "ledger_policy", -1);
	bool		found = false;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	if (OidIsValid(RangeVarGetRelid(name, NoLock, true)))
	{
		if (SPI_execute("SELECT FROM secmed.ledger_policy LIMIT 1", true, 1) != SPI_OK_SELECT)
			elog(ERROR, "can't read secmed.ledger_policy");
		found = SPI_processed > 0;
	}
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	return found;
}

void
standing_settle(Oid database)
{
	/* The worker keeps to startup_wait; this is for when it can't be had at all. */
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), startup_wait_ms + 2000);

	if (standing_get(database, NULL) != STANDING_UNASKED)
		return;
	if (!had_witnesses())
	{
		standing_set(database, STANDING_GOOD, NULL);
		return;
	}
	pgstat_report_activity(STATE_RUNNING, "asking the witnesses of the ledger");
	while (standing_get(database, NULL) == STANDING_UNASKED)
	{
		long		wait_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);

		if (wait_ms <= 0 || !mirror_wake(database))
			break;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(wait_ms, 1000), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	pgstat_report_activity(STATE_IDLE, NULL);
}
