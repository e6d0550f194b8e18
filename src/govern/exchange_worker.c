/*
 * exchange_worker.c
 *	  The background workers that exchange documents.
 *
 * The launcher starts with the server, and once in secmed.document_interval
 * sends a worker into each database that is a node.  Taking a document in sends
 * one there at once.  A worker exchanges with every peer until nothing comes
 * any more, and leaves; two of one database come one after the other.
 */
#include "postgres.h"

#include "access/xact.h"
#include "audit/background.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "govern/account.h"
#include "govern/document.h"
#include "govern/contracts.h"
#include "govern/exchange.h"
#include "govern/rows.h"
#include "identity/key_file.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Two nodes that tell each other the same without end are stopped here, and go on the next time. */
#define ROUNDS_MAX			20

/* Held by the worker that waits, and by the one that works; class as in shared/stage.c. */
#define NEXT_LOCK_KEY		0x5ec0d1
#define WORKER_LOCK_KEY		0x5ec0d2
#define WORKER_LOCK_CLASS	0x5ec

PGDLLEXPORT void secmed_documents_main(Datum arg);
PGDLLEXPORT void secmed_documents_launcher_main(Datum arg);

static int	document_interval_ms = 60000;

static void
start_worker(Oid database)
{
	BackgroundWorker worker = background_worker("secmed documents", "secmed_documents_main");

	worker.bgw_main_arg = ObjectIdGetDatum(database);
	(void) RegisterDynamicBackgroundWorker(&worker, NULL);
}

/* ---- being woken ---- */

static bool wake_at_commit = false;

static void
transaction_ends(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && wake_at_commit)
		start_worker(MyDatabaseId);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		wake_at_commit = false;
}

void
document_wake(void)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(transaction_ends, NULL);
	registered = true;
	wake_at_commit = MyBackendType != B_BG_WORKER;	/* a worker goes on by itself */
}

/* ---- the worker ---- */

static bool
take_lock(uint32 key, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, key, 0, WORKER_LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, true, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

static void
give_lock(uint32 key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, key, 0, WORKER_LOCK_CLASS);
	LockRelease(&tag, ExclusiveLock, true);
}

/*
 * One works, one waits for it, and no third is needed: who waits begins after
 * whatever was committed when the third was sent.
 */
static bool
take_turn(void)
{
	bool		turn;

	StartTransactionCommand();
	turn = take_lock(NEXT_LOCK_KEY, false);
	if (turn)
	{
		(void) take_lock(WORKER_LOCK_KEY, true);
		give_lock(NEXT_LOCK_KEY);
	}
	CommitTransactionCommand();
	return turn;
}

/* Not every database that has a key file has the extension still, and is a node. */
static bool
is_node(void)
{
	bool		node = OidIsValid(RangeVarGetRelid(makeRangeVar("secmed", "document_peer", -1), NoLock, true));

	if (node)
	{
		SPI_connect();
		node = rows_run("SELECT FROM secmed.node", SPI_OK_SELECT, 0, NULL, NULL) > 0;
		SPI_finish();
	}
	return node;
}

/* True if documents came, so that there may be more to do. */
static bool
exchange_round(void)
{
	bool		more = false;
	ListCell   *lc;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "exchanging documents");
	if (is_node())
	{
		foreach(lc, exchange_all())
			more |= ((Exchanged *) lfirst(lc))->received > 0;
		contracts_tick();
		more |= payments_tick() > 0;
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_activity(STATE_IDLE, NULL);
	return more;
}

void
secmed_documents_main(Datum arg)
{
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(arg), InvalidOid, 0);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET, PGC_S_OVERRIDE);

	if (!take_turn())
		proc_exit(0);
	for (int i = 0; i < ROUNDS_MAX && exchange_round(); i++)
		;
	proc_exit(0);
}

/* ---- the launcher ---- */

void
secmed_documents_launcher_main(Datum arg)
{
	pqsignal(SIGTERM, die);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	for (;;)
	{
		List	   *databases = background_databases(true);
		ListCell   *lc;

		foreach(lc, databases)
			if (key_file_exists(KEY_FILE_NODE, lfirst_oid(lc)))
				start_worker(lfirst_oid(lc));
		list_free(databases);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, document_interval_ms, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
}

void
document_init(void)
{
	BackgroundWorker worker = background_worker("secmed documents launcher", "secmed_documents_launcher_main");

	worker.bgw_restart_time = 60;
	RegisterBackgroundWorker(&worker);

	DefineCustomIntVariable("secmed.document_interval",
							"Sets how often each other node is asked for documents that this one lacks.",
							NULL,
							&document_interval_ms, 60000, 1000, 24 * 3600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
}
