/*
 * resolver.c
 *	  A background worker that resolves what a party has staged, soon.
 *
 * Staging starts one for the database, unless it runs.  It asks a little later
 * each time, and leaves when nothing is staged, or when it has asked long
 * enough: whoever uses the table next resolves as well.
 *
 * What a crash of this server left behind, or a coordinator that was away for
 * longer, is the launcher's: it starts with the server, stays, and sends a
 * resolver to look into each database then and every LAUNCH_MS.
 */
#include "postgres.h"

#include "access/xact.h"
#include "audit/background.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "shared/stage.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Waits between two questions double from the first to the last ... */
#define WAIT_FIRST_MS		100
#define WAIT_LAST_MS		5000
/* ... and end when nothing was settled for so long. */
#define GIVE_UP_MS			60000

/* Somebody who has staged something commits within this. */
#define LAST_LOOK_MS		300

/* Held by the worker of a database; class as in stage.c. */
#define WORKER_LOCK_KEY		0x5ec3ee
#define WORKER_LOCK_CLASS	0x5ec

/* How often somebody looks whether anything was left. */
#define LAUNCH_MS			(5 * 60 * 1000)
/* Between two databases, so that few places for workers are taken at a time. */
#define LAUNCH_PAUSE_MS		50

PGDLLEXPORT void secmed_resolver_main(Datum arg);
PGDLLEXPORT void secmed_launcher_main(Datum arg);

PG_FUNCTION_INFO_V1(secmed_resolve_writes);

static bool
lock_worker(bool session)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, WORKER_LOCK_KEY, 0, WORKER_LOCK_CLASS);
	if (LockAcquire(&tag, ExclusiveLock, session, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	if (!session)
		LockRelease(&tag, ExclusiveLock, false);
	return true;
}

/* Without a free place the next use of the table resolves. */
static void
start_resolver(Oid database, bool only_look)
{
	BackgroundWorker worker = background_worker("secmed resolver", "secmed_resolver_main");

	worker.bgw_main_arg = ObjectIdGetDatum(database);
	worker.bgw_extra[0] = only_look;
	(void) RegisterDynamicBackgroundWorker(&worker, NULL);
}

void
resolver_wake(void)
{
	static TimestampTz last = 0;
	TimestampTz now = GetCurrentTimestamp();

	/* One that was asked for a moment ago may not have its lock yet. */
	if (now - last < 100 * 1000 || !lock_worker(false))
		return;
	last = now;
	start_resolver(MyDatabaseId, false);
}

/* ---- one round ---- */

/* In a subtransaction: a coordinator that can't be reached does not hold up the others. */
static bool
resolve_node(const char *node, Resolved *sum, int report)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool reached = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		Resolved	resolved = stage_resolve(node);

		ReleaseCurrentSubTransaction();
		sum->applied += resolved.applied;
		sum->dropped += resolved.dropped;
		sum->waiting += resolved.waiting;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		ereport(report,
				(errcode(error->sqlerrcode),
				 errmsg("changes of shared tables by node \"%s\" remain undecided: %s", node, error->message)));
		reached = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return reached;
}

static Resolved
resolve_all(int report, int *left)
{
	Resolved	sum = {0};
	ListCell   *lc;

	*left = 0;
	foreach(lc, stage_nodes())
		if (!resolve_node(lfirst(lc), &sum, report))
			(*left)++;
	*left += (int) (sum.waiting + sum.applied);	/* what was applied is still to be told */
	return sum;
}

Datum
secmed_resolve_writes(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false};
	int			left;
	Resolved	sum;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	(void) node_self();
	sum = resolve_all(WARNING, &left);
	values[0] = Int64GetDatum((int64) sum.applied);
	values[1] = Int64GetDatum((int64) sum.dropped);
	values[2] = Int64GetDatum((int64) sum.waiting);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ---- the worker ---- */

/* True if nothing is left to resolve. */
static bool
resolve_in_transaction(bool *settled)
{
	Resolved	sum;
	int			left;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "resolving changes of shared tables");
	sum = resolve_all(LOG, &left);
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);
	*settled = sum.applied + sum.dropped > 0;
	return left == 0;
}

static void
wait_ms(int ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* Not every database that the launcher sends us to is a node. */
static bool
is_node(void)
{
	bool		node;

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	node = OidIsValid(get_extension_oid("secmed", true)) && stage_nodes() != NIL;
	PopActiveSnapshot();
	CommitTransactionCommand();
	return node;
}

static void
prepare_process(void)
{
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
}

/* False if another resolver is at work here. */
static bool
take_turn(void)
{
	bool		taken;

	StartTransactionCommand();
	taken = lock_worker(true);
	CommitTransactionCommand();
	return taken;
}

/*
 * Who stages something while we hold the lock relies on us, and may not have
 * committed yet when we see that nothing is left: gives the lock back, and lets
 * whoever it was commit before the last look.
 */
static void
end_turn(void)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, WORKER_LOCK_KEY, 0, WORKER_LOCK_CLASS);
	LockRelease(&tag, ExclusiveLock, true);
	wait_ms(LAST_LOOK_MS);
}

/* True if it was given up. */
static bool
resolve_until_done(void)
{
	int			pause_ms = WAIT_FIRST_MS;
	int			waited_ms = 0;
	bool		settled;

	while (waited_ms < GIVE_UP_MS)
	{
		wait_ms(pause_ms);
		waited_ms += pause_ms;
		pause_ms = Min(2 * pause_ms, WAIT_LAST_MS);
		if (!is_node() || resolve_in_transaction(&settled))
			break;
		if (settled)
		{
			pause_ms = WAIT_FIRST_MS;
			waited_ms = 0;
		}
	}
	end_turn();
	return waited_ms >= GIVE_UP_MS;
}

void
secmed_resolver_main(Datum arg)
{
	prepare_process();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid, 0);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);

	if (MyBgworkerEntry->bgw_extra[0] && !is_node())
		proc_exit(0);
	while (take_turn() && !resolve_until_done() && is_node())
		;
	proc_exit(0);
}

/* ---- the launcher ---- */

void
secmed_launcher_main(Datum arg)
{
	prepare_process();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	for (;;)
	{
		List	   *databases = background_databases(false);
		ListCell   *lc;

		foreach(lc, databases)
		{
			start_resolver(lfirst_oid(lc), true);
			wait_ms(LAUNCH_PAUSE_MS);
		}
		list_free(databases);
		wait_ms(LAUNCH_MS);
	}
}

void
resolver_init(void)
{
	BackgroundWorker worker = background_worker("secmed launcher", "secmed_launcher_main");

	worker.bgw_restart_time = 60;
	RegisterBackgroundWorker(&worker);
}
