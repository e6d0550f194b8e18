/*
 * logins.c
 *	  Logins that are refused to roles of the protocol become entries.
 *
 * At this point the process has its place in shared memory and a transaction
 * that can read the shared catalogs, as the rules of pg_hba.conf need them,
 * but no database.  It ends right after.  Attempts that are only counted are
 * told of with the next one that is written, of the same database.
 *
 * What pg_hba.conf turns away never comes to the hook of authentication: the
 * process only complains and ends.  So it is told of when it ends, while
 * that transaction is still open.
 */
#include "base/base.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "audit/append.h"
#include "audit/logins.h"
#include "audit/queue.h"
#include "commands/dbcommands.h"
#include "identity/key_file.h"
#include "libpq/auth.h"
#include "libpq/libpq-be.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "postmaster/postmaster.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/acl.h"
#include "utils/builtins.h"

/* Refused attempts of one database; the queue's lock protects them. */
typedef struct Refusals
{
	Oid			database;		/* InvalidOid: this place is free */
	TimestampTz written_at;
	uint64		counted;		/* since then */
} Refusals;

static Refusals *refusals = NULL;	/* LEDGER_DATABASES of them */

/* This process has told of it, or will. */
static bool told = false;

static emit_log_hook_type prev_emit_log = NULL;
static ClientAuthentication_hook_type prev_authentication = NULL;
static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

static void
request_refusals(void)
{
	if (prev_shmem_request)
		prev_shmem_request();
	RequestAddinShmemSpace(MAXALIGN(LEDGER_DATABASES * sizeof(Refusals)));
}

static void
start_refusals(void)
{
	bool		found;

	if (prev_shmem_startup)
		prev_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	refusals = ShmemInitStruct("secmed refused logins", LEDGER_DATABASES * sizeof(Refusals), &found);
	if (!found)
		memset(refusals, 0, LEDGER_DATABASES * sizeof(Refusals));
	LWLockRelease(AddinShmemInitLock);
}

/* The caller holds the lock. */
static Refusals *
find_refusals(Oid database)
{
	Refusals   *free = NULL;

	for (int i = 0; i < LEDGER_DATABASES; i++)
	{
		if (refusals[i].database == database)
			return &refusals[i];
		if (!OidIsValid(refusals[i].database))
			free = &refusals[i];
	}
	if (free)
		*free = (Refusals) {.database = database};
	return free;
}

/* How many attempts an entry shall tell of now; 0: none, this one is counted. */
static uint64
count_refusal(Oid database)
{
	TimestampTz now = GetCurrentTimestamp();
	Refusals   *of;
	uint64		told = 0;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	of = find_refusals(database);
	if (of)
	{
		of->counted++;
		if (TimestampDifferenceExceeds(of->written_at, now, LOGIN_ENTRY_MS))
		{
			told = of->counted;
			of->counted = 0;
			of->written_at = now;
		}
	}
	LWLockRelease(queue->lock);
	return told;
}

static bool
is_protocol_role(Oid role)
{
	static const char *const groups[] = {"secmed_peer", "secmed_admin", "secmed_analyst",
	"secmed_auditor", "secmed_runner"};

	for (int i = 0; i < lengthof(groups); i++)
	{
		Oid			group = get_role_oid(groups[i], true);

		if (OidIsValid(group) && is_member_of_role_nosuper(role, group))
			return true;
	}
	return false;
}

static void
note_refusal(const Port *port, Oid database, uint64 attempts)
{
	LedgerEntry entry = {.kind = ENTRY_LOGIN, .actor = port->user_name, .object = port->user_name,
	.outcome = "refused", .revealed = "", .ncounters = 1};
	char	   *from;

	/* Names in the shared catalogs are of no encoding that could be told. */
	if (!pg_verify_mbstr(PG_UTF8, port->user_name, strlen(port->user_name), true))
		entry.actor = entry.object = "?";
	from = psprintf("from %s", port->remote_host ? port->remote_host : "?");

	entry.counters[0] = attempts;
	(void) audit_note(database, &entry, from, strlen(from));
}

static void
record_refusal(const Port *port)
{
	Oid			database = get_database_oid(port->database_name, true);
	Oid			role = get_role_oid(port->user_name, true);
	uint64		attempts;

	if (!OidIsValid(database) || !OidIsValid(role) || RecoveryInProgress() ||
		!key_file_exists(KEY_FILE_NODE, database) || !is_protocol_role(role))
		return;
	attempts = count_refusal(database);
	if (attempts > 0)
		note_refusal(port, database, attempts);
}

static void
process_ends(int code, Datum arg)
{
	if (IsTransactionState())
		record_refusal(MyProcPort);
}

static void
logins_complaint(ErrorData *error)
{
	if (prev_emit_log)
		prev_emit_log(error);
	if (!ClientAuthInProgress || told || MyProcPort == NULL || MyProc == NULL ||
		error->elevel != FATAL || error->sqlerrcode != ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION)
		return;
	told = true;
	before_shmem_exit(process_ends, (Datum) 0);
}

static void
logins_authentication(Port *port, int status)
{
	if (prev_authentication)
		prev_authentication(port, status);
	told = true;
	if (status == STATUS_ERROR)
		record_refusal(port);
}

void
logins_init(void)
{
	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = request_refusals;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = start_refusals;
	prev_authentication = ClientAuthentication_hook;
	ClientAuthentication_hook = logins_authentication;
	prev_emit_log = emit_log_hook;
	emit_log_hook = logins_complaint;
}
