/*
 * action.c
 *	  Intent, precommit and outcome: the entries of one local action.
 *
 * The actions of the open transaction are a list here, the newest first.
 * It is in TopTransactionContext, which is still there when the transaction's
 * callbacks are called.
 *
 * How an action ended is noted where nothing may fail or wait: after a commit,
 * during an abort.  When the queue has no place then, the note is kept in this
 * process and goes out ahead of the next intent, or at the session's end.
 */
#include "base/base.h"

#include "access/xact.h"
#include "audit/action.h"
#include "audit/append.h"
#include "audit/audited.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* Reads within functions that stay open to count more rows of the same kind. */
#define OPEN_READS_MAX		64
/* Endings that wait in this process for a place in the queue. */
#define PENDING_MAX			1024

typedef struct Action
{
	struct Action *older;
	ActionId	id;
	EntryKind	kind;
	bool		changes;
	bool		own;
	bool		unconfirmed;	/* who does it was warned */
	uint64		n;
	uint64		last_n;			/* of those that are closed with it */
	uint64		hash;			/* of object, operation and statement */
	uint64		statement;		/* of the client, that it is part of */
	SubTransactionId subid;
	int			running;		/* how many executions are under way */
	uint64		rows;
	int			sqlstate;		/* 0: has not failed */
	AuditTicket ticket;			/* of the intent, while nobody waited for it */
	char	   *actor;			/* in UTF-8, like the next two */
	char	   *object;
	char	   *operation;
} Action;

/* The open transaction's. */
static uint8 run[RUN_ID_BYTES];
static uint64 last_n = 0;		/* 0: run is not yet chosen */
static bool precommitted = false;
static bool ledger_gone = false;	/* dropped by this transaction */
static Action *actions = NULL;
static int	n_open_reads = 0;

static const AuditTicket no_ticket = {.slot = -1};

/* The session's. */
static ActionId last_id = 0;
static uint64 statement = 0;
static int	depth = 0;

/* Endings that found no place -----------------------------------------------*/

typedef struct Pending
{
	LedgerEntry entry;			/* its strings are malloc'd: they outlive everything */
} Pending;

static Pending pending[PENDING_MAX];
static int	n_pending = 0;
static int	n_lost = 0;

static void
drop_first_pending(void)
{
	free((char *) pending[0].entry.actor);
	free((char *) pending[0].entry.object);
	free((char *) pending[0].entry.outcome);
	free((char *) pending[0].entry.revealed);
	memmove(pending, pending + 1, --n_pending * sizeof(Pending));
}

static void
keep_pending(const LedgerEntry *entry)
{
	LedgerEntry *kept = &pending[n_pending].entry;

	if (n_pending == PENDING_MAX)
	{
		n_lost++;
		return;
	}
	*kept = *entry;
	kept->actor = strdup(entry->actor);
	kept->object = strdup(entry->object);
	kept->outcome = strdup(entry->outcome);
	kept->revealed = strdup(entry->revealed);
	if (kept->actor && kept->object && kept->outcome && kept->revealed)
		n_pending++;
	else
		n_lost++;
}

static void
note_pending(void)
{
	while (n_pending > 0 && audit_note(MyDatabaseId, &pending[0].entry, NULL, 0))
		drop_first_pending();
}

/* Before something new is announced there is time to wait for places. */
static void
append_pending(void)
{
	if (n_lost > 0)
		ereport(LOG,
				(errmsg("the ledger was too busy to be told how %d local actions ended", n_lost),
				 errdetail("They are closed at the next start of the server.")));
	n_lost = 0;
	while (n_pending > 0)
	{
		LedgerEntry entry = pending[0].entry;

		audit_leave(audit_append(&entry, NULL, 0));
		drop_first_pending();
	}
}

static void
note(const LedgerEntry *entry)
{
	note_pending();
	if (n_pending > 0 || !audit_note(MyDatabaseId, entry, NULL, 0))
		keep_pending(entry);
}

static void
process_ends(int code, Datum arg)
{
	note_pending();
}

/* Entries -------------------------------------------------------------------*/

static void
begin_run(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(process_ends, (Datum) 0);
	registered = true;
	if (last_n == 0)
		audit_random(run, RUN_ID_BYTES);
}

static LedgerEntry
local_entry(EntryKind kind, const char *actor, const char *object, const char *outcome,
			const char *operation)
{
	LedgerEntry entry = {.kind = kind, .has_run = true, .actor = actor, .object = object,
	.outcome = outcome, .revealed = operation};

	memcpy(entry.run, run, RUN_ID_BYTES);
	return entry;
}

/* Who has logged in, and as whom they act. */
static char *
actor_name(void)
{
	char	   *session = GetUserNameFromId(GetSessionUserId(), true);
	char	   *current = GetUserNameFromId(GetUserId(), true);

	if (GetSessionUserId() == GetUserId())
		return session ? session : "?";
	return psprintf("%s (session of %s)", current ? current : "?", session ? session : "?");
}

/* A copy for the time when nothing can be converted any more. */
static char *
keep_utf8(const char *text)
{
	return MemoryContextStrdup(TopTransactionContext, pg_server_to_any(text, strlen(text), PG_UTF8));
}

/* Opening -------------------------------------------------------------------*/

/* Then the sequencer waits for us, and we must not wait for it. */
static bool
ledger_is_locked_by_us(void)
{
	LOCKTAG		tag;

	if (depth == 0 && !IsTransactionBlock())
		return false;			/* this is the first statement */
	SET_LOCKTAG_RELATION(tag, MyDatabaseId, audited_ledger());
	for (LOCKMODE mode = ShareLock; mode <= AccessExclusiveLock; mode++)
		if (LockHeldByMe(&tag, mode))
			return true;
	return false;
}

static void pg_attribute_noreturn()
refuse_locked(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("this transaction has locked the ledger, which has to record what you do now"),
			 errhint("Commit first.")));
}

/* Only ERRCODE_SECMED_LEDGER, which leaves nothing behind; all else goes on its way. */
static void
warn_instead(MemoryContext caller)
{
	ErrorData  *error;

	MemoryContextSwitchTo(caller);
	if (geterrcode() != ERRCODE_SECMED_LEDGER)
		PG_RE_THROW();
	error = CopyErrorData();
	FlushErrorState();
	ereport(WARNING,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the ledger does not confirm what you do: %s", error->message),
			 error->detail ? errdetail_internal("%s", error->detail) : 0));
	FreeErrorData(error);
}

static void
write_precommit(LedgerEntry *entry)
{
	AuditTicket ticket = audit_append(entry, NULL, 0);

	if (ledger_is_locked_by_us())
		audit_leave(ticket);
	else
		audit_wait(ticket);
}

/*
 * Before the transaction commits.  The exceptions of action.h hold here, too;
 * who was warned once is not made to wait again.
 */
static void
precommit(const char *outcome, bool own, bool unconfirmed)
{
	MemoryContext caller = CurrentMemoryContext;
	LedgerEntry entry = local_entry(ENTRY_PRECOMMIT, actor_name(), "", outcome, "");

	precommitted = true;
	entry.ncounters = 1;
	entry.counters[0] = U64FromFullTransactionId(GetTopFullTransactionId());
	if (unconfirmed)
	{
		entry.actor = pg_server_to_any(entry.actor, strlen(entry.actor), PG_UTF8);
		note(&entry);
		return;
	}
	if (!own || !superuser())
	{
		write_precommit(&entry);
		return;
	}
	PG_TRY();
	{
		write_precommit(&entry);
	}
	PG_CATCH();
	{
		warn_instead(caller);
	}
	PG_END_TRY();
}

/* FNV-1a (Fowler, Noll, Vo): two statements that collide are told of as one. */
static uint64
text_hash(uint64 hash, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8) text[i]) * UINT64CONST(0x100000001b3);
	return hash;
}

static uint64
plan_hash(const ActionPlan *plan)
{
	uint64		hash = UINT64CONST(0xcbf29ce484222325);

	hash = text_hash(hash, plan->object, strlen(plan->object) + 1);
	hash = text_hash(hash, plan->operation, strlen(plan->operation) + 1);
	/* Of one within a function, all that is known is its text. */
	if (depth > 0 && plan->statement)
		hash = text_hash(hash, plan->statement, plan->text_len);
	return hash;
}

/* Writes the intent.  Who need not wait keeps its ticket. */
static AuditTicket
announce(const ActionPlan *plan, const char *actor, uint64 n)
{
	LedgerEntry entry = local_entry(plan->kind, actor, plan->object, "asked", plan->operation);
	AuditTicket ticket;

	if (!plan->own && ledger_is_locked_by_us())
		refuse_locked();
	append_pending();
	entry.ncounters = 1;
	entry.counters[0] = n;
	ticket = audit_append(&entry, plan->statement, plan->statement_len);
	if (!plan->changes && !audit_waits())
		return ticket;
	if (ledger_is_locked_by_us())
		audit_leave(ticket);
	else
		audit_wait(ticket);
	return no_ticket;
}

/* False: it is not confirmed, and who does it was warned. */
static bool
announce_or_warn(const ActionPlan *plan, const char *actor, uint64 n, AuditTicket *ticket)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool confirmed = true;

	*ticket = no_ticket;

	if (!plan->own || !superuser())
	{
		*ticket = announce(plan, actor, n);
		return true;
	}
	PG_TRY();
	{
		*ticket = announce(plan, actor, n);
	}
	PG_CATCH();
	{
		warn_instead(caller);
		confirmed = false;
	}
	PG_END_TRY();
	return confirmed;
}

/* The action of this client's statement that does the same, or NULL. */
static Action *
find_same(const ActionPlan *plan, uint64 hash)
{
	for (Action *action = actions; action && depth > 0; action = action->older)
		if (action->hash == hash && action->statement == statement &&
			action->kind == plan->kind && action->changes == plan->changes &&
			action->sqlstate == 0 &&
			(!action->changes || action->subid == GetCurrentSubTransactionId()))
			return action;
	return NULL;
}

/* The newest action, if its ending can be told together with that of a new one. */
static Action *
find_joinable(const ActionPlan *plan, uint64 hash, const char *actor)
{
	Action	   *action = actions;

	if (action == NULL || !plan->changes || !action->changes || action->last_n != last_n ||
		action->hash != hash || action->kind != plan->kind || action->sqlstate != 0 ||
		action->subid != GetCurrentSubTransactionId() || strcmp(action->actor, actor) != 0)
		return NULL;
	return action;
}

static Action *
add_action(const ActionPlan *plan, uint64 hash, const char *actor)
{
	Action	   *action = MemoryContextAllocZero(TopTransactionContext, sizeof(Action));

	action->id = ++last_id;
	action->kind = plan->kind;
	action->changes = plan->changes;
	action->own = plan->own;
	action->n = action->last_n = last_n;
	action->hash = hash;
	action->statement = statement;
	action->subid = GetCurrentSubTransactionId();
	action->ticket = no_ticket;
	action->actor = keep_utf8(actor);
	action->object = keep_utf8(plan->object);
	action->operation = keep_utf8(plan->operation);
	action->older = actions;
	actions = action;
	if (!action->changes)
		n_open_reads++;
	return action;
}

static void close_finished_reads(void);

ActionId
action_enter(const ActionPlan *plan)
{
	uint64		hash = plan_hash(plan);
	Action	   *action = find_same(plan, hash);
	char	   *actor;
	AuditTicket ticket;
	bool		confirmed;

	if (action == NULL)
	{
		if (n_open_reads >= OPEN_READS_MAX)
			close_finished_reads();
		begin_run();
		actor = actor_name();
		confirmed = announce_or_warn(plan, actor, last_n + 1, &ticket);
		action = find_joinable(plan, hash, pg_server_to_any(actor, strlen(actor), PG_UTF8));
		last_n++;
		if (action == NULL)
			action = add_action(plan, hash, actor);
		action->last_n = last_n;
		action->ticket = ticket;
		action->unconfirmed = !confirmed;
		if (plan->locks_ledger && !precommitted)
			precommit("committing", plan->own, !confirmed);
	}
	action->running++;
	return action->id;
}

/* Closing -------------------------------------------------------------------*/

static void
remove_action(Action *gone)
{
	for (Action **at = &actions; *at; at = &(*at)->older)
		if (*at == gone)
		{
			*at = gone->older;
			break;
		}
	if (!gone->changes)
		n_open_reads--;
	pfree(gone->actor);
	pfree(gone->object);
	pfree(gone->operation);
	pfree(gone);
}

static void
close_action(Action *action, const char *outcome)
{
	LedgerEntry entry = local_entry(ENTRY_CLOSED, action->actor, action->object, outcome, action->operation);

	entry.ncounters = action->last_n > action->n ? 3 : 2;
	entry.counters[0] = action->n;
	entry.counters[1] = action->rows;
	entry.counters[2] = action->last_n;
	if (action->ticket.slot < 0 ||
		!audit_amend(action->ticket, ENTRY_ACCESS, outcome, entry.ncounters, entry.counters))
		note(&entry);
	remove_action(action);
}

static void
failure_words(char words[16], const char *word, int sqlstate)
{
	snprintf(words, 16, "%s %s", word, unpack_sql_state(sqlstate));
}

/* How it ended, when its transaction or subtransaction has (or a read by itself). */
static void
close_ended(Action *action, bool committed)
{
	char		failed[16];

	/* A session that is ended in the middle of it has no error that could be caught. */
	if (action->sqlstate == 0 && action->running > 0 && depth > 0 && proc_exit_inprogress)
		action->sqlstate = ERRCODE_ADMIN_SHUTDOWN;
	failure_words(failed, action->sqlstate == ERRCODE_INSUFFICIENT_PRIVILEGE && action->rows == 0 ?
				  "refused" : "failed", action->sqlstate);
	if (action->sqlstate != 0 && !(committed && action->changes))
		close_action(action, failed);
	else if (!action->changes)
		close_action(action, "read");
	else
		close_action(action, committed ? "committed" : "aborted");
}

static void
close_finished_reads(void)
{
	Action	   *older;

	for (Action *action = actions; action; action = older)
	{
		older = action->older;
		if (!action->changes && action->running == 0)
			close_ended(action, true);
	}
}

static Action *
find_action(ActionId id)
{
	Action	   *action = actions;

	while (action && action->id != id)
		action = action->older;
	return action;
}

void
action_add_rows(ActionId id, uint64 rows)
{
	Action	   *action = find_action(id);

	if (action)
		action->rows += rows;
}

void
action_failed(ActionId id, int sqlstate)
{
	Action	   *action = find_action(id);

	if (action)
		action->sqlstate = sqlstate;
}

void
action_leave(ActionId id)
{
	Action	   *action = find_action(id);

	if (action == NULL)
		return;
	action->running--;
	if (depth == 0 && !action->changes && action->running == 0)
		close_ended(action, true);
}

void
action_refused(const ActionPlan *plan, int sqlstate)
{
	LedgerEntry entry;
	char		refused[16];

	begin_run();
	failure_words(refused, "refused", sqlstate);
	entry = local_entry(ENTRY_ACCESS, keep_utf8(actor_name()), keep_utf8(plan->object), refused,
						keep_utf8(plan->operation));
	entry.ncounters = 2;
	entry.counters[0] = ++last_n;
	note_pending();
	(void) audit_note(MyDatabaseId, &entry, plan->statement, plan->statement_len);
}

/* Statements of statements --------------------------------------------------*/

int
action_depth(void)
{
	return depth;
}

void
action_descend(void)
{
	if (depth++ == 0)
		statement++;
}

void
action_rise(void)
{
	if (--depth == 0 && actions)
		close_finished_reads();
}

/* The ends of transactions --------------------------------------------------*/

/* The changes: are there any of what is published, and were all without confirmation? */
static bool
has_changes(bool *own, bool *unconfirmed)
{
	bool		found = false;

	*own = *unconfirmed = true;
	for (Action *action = actions; action; action = action->older)
		if (action->changes)
		{
			found = true;
			*own &= action->own;
			*unconfirmed &= action->unconfirmed;
		}
	return found;
}

/* A transaction without an xid has changed nothing that a commit would keep. */
static void
before_commit(const char *outcome)
{
	bool		own;
	bool		unconfirmed;

	ledger_gone = !audited_ledger_is_there();
	if (precommitted || ledger_gone || !has_changes(&own, &unconfirmed) ||
		!FullTransactionIdIsValid(GetTopFullTransactionIdIfAny()))
		return;
	precommit(outcome, own, unconfirmed);
}

static void
close_all(bool committed)
{
	Action	   *oldest = NULL;

	while (actions)
	{
		Action	   *action = actions;

		actions = action->older;
		action->older = oldest;
		oldest = action;
	}
	actions = oldest;			/* now told of in their order */
	while (actions)
		close_ended(actions, committed);
}

static void
forget_transaction(void)
{
	actions = NULL;
	n_open_reads = 0;
	last_n = 0;
	precommitted = false;
	ledger_gone = false;
}

static void
transaction_ends(XactEvent event, void *arg)
{
	if (last_n == 0)
		return;
	if (event == XACT_EVENT_PRE_COMMIT)
		before_commit("committing");
	if (event == XACT_EVENT_PRE_PREPARE)
		before_commit("prepared");
	if (event == XACT_EVENT_ABORT || (event == XACT_EVENT_COMMIT && !ledger_gone))
		close_all(event == XACT_EVENT_COMMIT);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		forget_transaction();
}

static void
subtransaction_ends(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	Action	   *older;

	for (Action *action = actions; action; action = older)
	{
		older = action->older;
		if (action->subid != subid)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			action->subid = parent;
		if (event == SUBXACT_EVENT_ABORT_SUB)
			close_ended(action, false);
	}
}

void
action_init(void)
{
	RegisterXactCallback(transaction_ends, NULL);
	RegisterSubXactCallback(subtransaction_ends, NULL);
}
