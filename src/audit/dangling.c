/*
 * dangling.c
 *	  Closes the local actions that a crash of the server left open.
 *
 * "Left open" is said only of entries that were there when the first
 * sequencer after the start of the server came: those after may belong to
 * sessions that are alive.  That number is kept in shared memory, which is made
 * anew by a crash.
 */
#include "base/base.h"

#include "access/transam.h"
#include "access/xact.h"
#include "audit/append.h"
#include "audit/dangling.h"
#include "audit/queue.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Entries of a piece: some milliseconds, in which others' entries wait. */
#define PIECE_ENTRIES		10000

/* Shared memory -------------------------------------------------------------*/

typedef struct Life
{
	Oid			database;		/* InvalidOid: this place is free */
	uint64		end;			/* entries when the server had started */
	bool		done;
	bool		again;			/* a prepared transaction has ended */
} Life;

static Life *lives = NULL;		/* LEDGER_DATABASES of them; the queue's lock protects them */

static shmem_request_hook_type prev_shmem_request = NULL;
static shmem_startup_hook_type prev_shmem_startup = NULL;

static void
request_lives(void)
{
	if (prev_shmem_request)
		prev_shmem_request();
	RequestAddinShmemSpace(MAXALIGN(LEDGER_DATABASES * sizeof(Life)));
}

static void
start_lives(void)
{
	bool		found;

	if (prev_shmem_startup)
		prev_shmem_startup();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	lives = ShmemInitStruct("secmed audit lives", LEDGER_DATABASES * sizeof(Life), &found);
	if (!found)
		memset(lives, 0, LEDGER_DATABASES * sizeof(Life));
	LWLockRelease(AddinShmemInitLock);
}

void
dangling_init(void)
{
	prev_shmem_request = shmem_request_hook;
	shmem_request_hook = request_lives;
	prev_shmem_startup = shmem_startup_hook;
	shmem_startup_hook = start_lives;
}

/* The caller holds the lock. */
static Life *
find_life(Oid database)
{
	for (int i = 0; i < LEDGER_DATABASES; i++)
		if (lives[i].database == database)
			return &lives[i];
	return NULL;
}

/*
 * What is known of this database; if nothing is, that it begins with end
 * entries.  A place is never given back: without one all that fails is this.
 */
static Life *
open_life(Oid database, uint64 end)
{
	Life	   *life;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	life = find_life(database);
	if (life == NULL && (life = find_life(InvalidOid)) != NULL)
		*life = (Life) {.database = database, .end = end};
	LWLockRelease(queue->lock);
	return life;
}

void
dangling_look_again(Oid database)
{
	Life	   *life;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	life = find_life(database);
	if (life)
		life->again = true;
	LWLockRelease(queue->lock);
}

/* What is open --------------------------------------------------------------*/

typedef struct ActionKey
{
	uint8		run[RUN_ID_BYTES];
	uint64		n;
} ActionKey;

typedef struct OpenAction
{
	ActionKey	key;
	uint64		seq;
	EntryKind	kind;
	char	   *actor;
	char	   *object;
	char	   *operation;
} OpenAction;

typedef struct OpenRun
{
	uint8		run[RUN_ID_BYTES];
	uint64		xid;
	bool		prepared;
} OpenRun;

typedef enum Phase
{
	PHASE_START,
	PHASE_SCAN,
	PHASE_CLOSE,
	PHASE_RESTART,
	PHASE_DONE
} Phase;

static Phase phase = PHASE_START;
static Life *mine = NULL;
static bool only_prepared;		/* everything else may be of sessions that are alive */
static MemoryContext context = NULL;
static HTAB *actions;			/* of OpenAction */
static HTAB *runs;				/* of OpenRun, those with a PRECOMMIT */
static uint64 next_seq;			/* to be looked at */
static uint64 end_seq;
static bool seen_local;
static uint64 n_closed;
static uint64 first_open;		/* where the next start begins */

static HTAB *
make_table(const char *name, size_t key, size_t entry)
{
	HASHCTL		control = {.keysize = key, .entrysize = entry, .hcxt = context};

	return hash_create(name, 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
start_tables(void)
{
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "secmed dangling", ALLOCSET_DEFAULT_SIZES);
	MemoryContextReset(context);
	actions = make_table("secmed open actions", sizeof(ActionKey), sizeof(OpenAction));
	runs = make_table("secmed open runs", RUN_ID_BYTES, sizeof(OpenRun));
	seen_local = false;
	n_closed = 0;
}

static char *
keep(EntryText text)
{
	char	   *copy = MemoryContextAlloc(context, text.len + 1);

	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return copy;
}

static ActionKey
action_key(const EntryView *entry, uint64 n)
{
	ActionKey	key;

	memset(&key, 0, sizeof(key));
	memcpy(key.run, entry->run, RUN_ID_BYTES);
	key.n = n;
	return key;
}

static void
open_action(const EntryView *entry)
{
	ActionKey	key = action_key(entry, entry->counters[0]);
	OpenAction *action = hash_search(actions, &key, HASH_ENTER, NULL);

	action->seq = entry->seq;
	action->kind = entry->kind;
	action->actor = keep(entry->actor);
	action->object = keep(entry->object);
	action->operation = keep(entry->revealed);
}

static void
forget_action(OpenAction *action)
{
	pfree(action->actor);
	pfree(action->object);
	pfree(action->operation);
	(void) hash_search(actions, &action->key, HASH_REMOVE, NULL);
}

/* n, or n to last; more than were opened closes all that were. */
static void
close_actions(const EntryView *entry)
{
	uint64		last = entry->ncounters > 2 ? entry->counters[2] : entry->counters[0];

	for (uint64 n = entry->counters[0]; n <= last; n++)
	{
		ActionKey	key = action_key(entry, n);
		OpenAction *action = hash_search(actions, &key, HASH_FIND, NULL);

		if (action == NULL && n > entry->counters[0])
			break;
		if (action)
			forget_action(action);
	}
}

static void
take_entry(const EntryView *entry)
{
	OpenRun    *open_run;

	if (entry->run == NULL || entry->ncounters < 1)
		return;
	switch (entry->kind)
	{
		case ENTRY_INTENT:
		case ENTRY_CHANGE:
			open_action(entry);
			break;
		case ENTRY_PRECOMMIT:
			open_run = hash_search(runs, entry->run, HASH_ENTER, NULL);
			open_run->xid = entry->counters[0];
			open_run->prepared = entry_text_is(entry->outcome, "prepared");
			break;
		case ENTRY_CLOSED:
			close_actions(entry);
			break;
		default:
			return;
	}
	seen_local = true;
}

/* Reading -------------------------------------------------------------------*/

static void
read_entries(const char *query, uint64 from, uint64 to)
{
	Oid			types[] = {INT8OID, INT8OID};
	Datum		values[] = {Int64GetDatum((int64) from), Int64GetDatum((int64) to)};

	if (SPI_execute_with_args(query, 2, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "can't read the ledger");
}

static bool
view_row(uint64 row, EntryView *view)
{
	bool		isnull;
	bytea	   *bytes = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &isnull));
	const char *reason;

	return entry_view(view, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason);
}

/* Where the ledger ended, and where to begin. */
static void
look_where_to_begin(void)
{
	EntryView	view;

	next_seq = end_seq = 0;
	read_entries("SELECT entry FROM secmed.ledger WHERE seq >= $1 AND $2 = 0 ORDER BY seq DESC LIMIT 1", 0, 0);
	if (SPI_processed == 1 && view_row(0, &view))
		end_seq = view.seq + 1;
	/* The condition is that of an index. */
	read_entries("SELECT entry FROM secmed.ledger WHERE secmed.entry_kind(entry) = 'restart' AND seq >= $1 AND $2 = 0"
				 " ORDER BY seq DESC LIMIT 1", 0, 0);
	if (SPI_processed == 1 && view_row(0, &view) && view.ncounters >= 1)
		next_seq = view.counters[0];
}

static void
start_phase(Oid database)
{
	phase = PHASE_DONE;
	if (!OidIsValid(RangeVarGetRelid(makeRangeVar("secmed", "ledger", -1), NoLock, true)))
		return;
	start_tables();
	look_where_to_begin();
	if (mine == NULL)
		mine = open_life(database, end_seq);
	if (mine == NULL)
		return;
	only_prepared = mine->done;
	mine->again = false;
	if (!only_prepared)
		end_seq = mine->end;
	first_open = end_seq;
	if (next_seq < end_seq)
		phase = PHASE_SCAN;
	else
		mine->done = true;
}

static void
scan_phase(void)
{
	uint64		to = Min(next_seq + PIECE_ENTRIES, end_seq);
	EntryView	view;

	read_entries("SELECT entry FROM secmed.ledger WHERE seq >= $1 AND seq < $2 ORDER BY seq", next_seq, to);
	for (uint64 i = 0; i < SPI_processed; i++)
		if (view_row(i, &view))
			take_entry(&view);
	next_seq = to;
	if (next_seq >= end_seq)
		phase = PHASE_CLOSE;
}

/* Closing -------------------------------------------------------------------*/

static bool
has_word(const char *operations, const char *word)
{
	const char *at = strstr(operations, word);

	return at != NULL && (at == operations || at[-1] == ' ') &&
		(at[strlen(word)] == '\0' || at[strlen(word)] == ',');
}

static bool
has_changed(const OpenAction *action)
{
	static const char *const words[] = {"insert", "update", "delete", "merge", "truncate", "copy from"};

	if (action->kind == ENTRY_CHANGE)
		return strcmp(action->operation, "ALTER SYSTEM") != 0;
	for (int i = 0; i < lengthof(words); i++)
		if (has_word(action->operation, words[i]))
			return true;
	return false;
}

/* NULL: it has not ended. */
static const char *
fate_of_xid(uint64 xid)
{
	LOCAL_FCINFO(call, 1);
	const char *fate = "unknown";
	Datum		result;

	/* Of another cluster: a ledger that was restored. */
	if (xid < FirstNormalTransactionId || xid >= U64FromFullTransactionId(ReadNextFullTransactionId()))
		return fate;
	InitFunctionCallInfoData(*call, NULL, 1, InvalidOid, NULL, NULL);
	call->args[0].value = UInt64GetDatum(xid);
	call->args[0].isnull = false;
	result = pg_xact_status(call);
	if (!call->isnull)
		fate = TextDatumGetCString(result);
	return strcmp(fate, "in progress") == 0 ? NULL : fate;
}

static const char *
fate_of(const OpenAction *action)
{
	OpenRun    *open_run = hash_search(runs, action->key.run, HASH_FIND, NULL);

	if (only_prepared && (open_run == NULL || !open_run->prepared))
		return NULL;
	if (!has_changed(action))
		return "unknown";
	return open_run ? fate_of_xid(open_run->xid) : "aborted";
}

/* False: the queue has no place. */
static bool
note_closed(const OpenAction *action, const char *outcome)
{
	LedgerEntry entry = {.kind = ENTRY_CLOSED, .has_run = true, .actor = action->actor,
		.object = action->object, .outcome = outcome, .revealed = action->operation,
	.ncounters = 1};

	memcpy(entry.run, action->key.run, RUN_ID_BYTES);
	entry.counters[0] = action->key.n;
	return audit_note(MyDatabaseId, &entry, NULL, 0);
}

static void
close_phase(void)
{
	HASH_SEQ_STATUS all;
	OpenAction *action;

	hash_seq_init(&all, actions);
	while ((action = hash_seq_search(&all)) != NULL)
	{
		const char *outcome = fate_of(action);

		if (outcome == NULL)
			first_open = Min(first_open, action->seq);
		else if (note_closed(action, outcome))
		{
			n_closed++;
			forget_action(action);
		}
		else
		{
			hash_seq_term(&all);
			return;
		}
	}
	phase = PHASE_RESTART;
}

static void
restart_phase(Oid database)
{
	LedgerEntry entry = {.kind = ENTRY_RESTART, .actor = "", .object = "", .outcome = "asked",
	.revealed = "", .ncounters = 2};

	entry.counters[0] = first_open;
	entry.counters[1] = n_closed;
	if (!only_prepared && seen_local && !audit_note(database, &entry, NULL, 0))
		return;
	phase = PHASE_DONE;
	mine->done = true;
	MemoryContextReset(context);
}

static void
run_phase(Oid database)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	if (phase == PHASE_START)
		start_phase(database);
	else if (phase == PHASE_SCAN)
		scan_phase();
	else if (phase == PHASE_CLOSE)
		close_phase();
	else
		restart_phase(database);
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
}

/* The table may not be there yet, or be broken: batch.c says so to those who append. */
static void
give_up(void)
{
	MemoryContextSwitchTo(TopMemoryContext);
	EmitErrorReport();
	FlushErrorState();
	AbortCurrentTransaction();
	phase = PHASE_DONE;
}

bool
dangling_run(Oid database)
{
	if (phase == PHASE_DONE && mine && mine->done && mine->again)
		phase = PHASE_START;
	if (phase == PHASE_DONE)
		return false;
	PG_TRY();
	{
		run_phase(database);
	}
	PG_CATCH();
	{
		give_up();
	}
	PG_END_TRY();
	return phase != PHASE_DONE;
}
