/*
 * signer.c
 *	  The Merkle tree over the ledger, and the checkpoints.
 *
 * What a reader must believe: entries are committed and flushed before a
 * checkpoint of them is signed, so no crash leaves a checkpoint of more than
 * there is, and what would be signed after it extends what was signed before.
 * The checkpoint's own transaction need not be flushed, then; the mark outside
 * of the tables is, before anybody sees the checkpoint.
 *
 * Usually all entries are signed.  A new key or policy holds only after a
 * checkpoint that ends with its entry, under the old one, and certified if that
 * has witnesses; so that one comes first.
 */
#include "base/base.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "audit/log_key.h"
#include "audit/mark.h"
#include "audit/signer.h"
#include "audit/standing.h"
#include "audit/steady.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "ledger/mirror.h"
#include "ledger/store_sql.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* After a signature that was not possible: the key file may come back. */
#define RETRY_MS		10000
/* Appends wait while we do, so a locked table of checkpoints is left alone. */
#define LOCK_TIMEOUT	"100ms"

static int	checkpoint_interval_ms = 1000;

static Oid	ledger = InvalidOid;	/* closed if invalid */
static char site[NODE_NAME_BYTES_MAX + 1];
static TileBuilder tree;
static KeyHistory keys;
static uint64 signed_size;
static int64 next_ms = 0;		/* not before then; steady.h */

/* Of the newest key or policy that was handed over: what must be certified before it signs. */
static uint64 handed_over_at;	/* 0: nothing */
static bool old_has_witnesses;
static bool witnessed;			/* somebody countersigns under the newest policy */

static SPIPlanPtr insert_tile = NULL;

void
signer_init(void)
{
	DefineCustomIntVariable("secmed.checkpoint_interval",
							"Sets the shortest time between two signed checkpoints of the ledger.",
							NULL,
							&checkpoint_interval_ms, 1000, 10, 3600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
}

static Datum
bytea_datum(const void *bytes, size_t len)
{
	bytea	   *copy = palloc(VARHDRSZ + len);

	SET_VARSIZE(copy, VARHDRSZ + len);
	memcpy(VARDATA(copy), bytes, len);
	return PointerGetDatum(copy);
}

/* The tree ------------------------------------------------------------------*/

static void
put_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
	Oid			types[] = {INT4OID, INT8OID, BYTEAOID};
	Datum		values[] = {Int32GetDatum(level), Int64GetDatum((int64) number),
	bytea_datum(hashes, (size_t) width * HASH_BYTES)};

	if (insert_tile == NULL)
	{
		insert_tile = SPI_prepare("INSERT INTO secmed.ledger_tile (level, idx, hashes) VALUES ($1, $2, $3)",
								  3, types);
		if (insert_tile == NULL || SPI_keepplan(insert_tile) != 0)
			elog(ERROR, "can't prepare to store a tile");
	}
	if (SPI_execute_plan(insert_tile, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "a tile was not inserted");
}

/* Is the last checkpoint one of this tree? */
static const char *
last_checkpoint_problem(void)
{
	StoredCheckpoint last;
	TileSource	source = store_source(&tree);
	const char *reason;
	uint8		root[HASH_BYTES];

	signed_size = 0;
	if (!store_last_checkpoint(&last, &reason))
		return reason ? psprintf("The last checkpoint of the ledger %s.", reason) : NULL;
	reason = store_signature_problem(&last, &keys);
	if (reason)
		return psprintf("The last checkpoint of the ledger %s.", reason);
	if (last.head.size > tree.size)
		return psprintf("The ledger has " UINT64_FORMAT " entries, but a checkpoint of " UINT64_FORMAT " was signed.",
						tree.size, last.head.size);
	if (!merkle_root(root, &source, last.head.size) || memcmp(root, last.head.root, HASH_BYTES) != 0)
		return "The entries or tiles of the ledger are not those of its last checkpoint.";
	signed_size = last.head.size;
	return NULL;
}

/* Was more signed than is here, or something else? */
static const char *
mark_problem(void)
{
	TileSource	source = store_source(&tree);
	uint8		root[HASH_BYTES];
	Mark		mark;

	if (keys.nlogs == 0 || !mark_read(&mark, keys.origin.ledger))
		return NULL;
	if (mark.size > tree.size)
		return psprintf("The ledger has " UINT64_FORMAT " entries, but this server has signed a checkpoint of " UINT64_FORMAT ".",
						tree.size, mark.size);
	if (!merkle_root(root, &source, mark.size) || memcmp(root, mark.root, HASH_BYTES) != 0)
		return "The entries of the ledger are not those of the last checkpoint that this server has signed.";
	return NULL;
}

/* A policy that is not here may well name some. */
static bool
names_witnesses(const KeySpan *span)
{
	Policy	   *policy = store_parsed_policy(span);

	return policy == NULL || policy->quorum >= 0;
}

/* The newest span: what must come before its first checkpoint. */
static void
look_at_keys(void)
{
	const KeySpan *span = keys.nlogs > 0 ? &keys.logs[keys.nlogs - 1] : NULL;

	witnessed = span != NULL && names_witnesses(span);
	handed_over_at = span != NULL && span->handed_over ? span->above : 0;
	old_has_witnesses = handed_over_at > 0 && names_witnesses(&span[-1]);
}

const char *
signer_open(Oid ledger_oid, const ChainState *end)
{
	const char *problem;

	ledger = InvalidOid;
	tiles_start(&tree, put_tile, NULL);
	if (!store_keys(&keys, &problem))
		return psprintf("One of the keys of the ledger %s.", problem);
	if (!store_tree(&tree, end->next_seq))
		return "An entry or a tile of the ledger is missing.";
	problem = last_checkpoint_problem();
	if (problem == NULL)
		problem = mark_problem();
	if (problem == NULL)
		ledger = ledger_oid;
	look_at_keys();
	strlcpy(site, end->site, sizeof(site));
	return problem;
}

void
signer_close(void)
{
	ledger = InvalidOid;
}

const char *
signer_key(const LedgerEntry *entry)
{
	const char *reason;

	strlcpy(site, entry->site, sizeof(site));
	next_ms = 0;				/* a new key may be able to sign */
	if (!history_accept(&keys, entry, &reason))
		return reason;
	look_at_keys();
	return NULL;
}

void
signer_append(const uint8 leaf[HASH_BYTES])
{
	tiles_append(&tree, leaf);
}

/* Checkpoints ---------------------------------------------------------------*/

/* How many entries the next checkpoint is of; signed_size: there is none to sign. */
static uint64
next_size(void)
{
	uint64		size = Min(tree.size, signed_size + MIRROR_ENTRIES_MAX);

	for (int i = keys.nlogs - 1; i >= 0; i--)
		if (keys.logs[i].handed_over && keys.logs[i].above > signed_size && keys.logs[i].above < size)
			size = keys.logs[i].above;
	if (handed_over_at > 0 && size > handed_over_at && old_has_witnesses &&
		standing_certified(MyDatabaseId) < handed_over_at)
		return signed_size;
	return size;
}

long
signer_wait_ms(void)
{
	uint64		size;

	if (!OidIsValid(ledger) || tree.size == signed_size || standing_get(MyDatabaseId, NULL) != STANDING_GOOD)
		return -1;
	size = next_size();
	if (size == signed_size || history_log(&keys, size) == NULL)
		return -1;
	if (size < tree.size)
		return 0;				/* more are to come */
	return steady_wait_ms(next_ms);
}

void
signer_hurry(void)
{
	next_ms = 0;
}

static void
sign(StringInfo note, Checkpoint *head)
{
	const NoteKey *key = &history_log(&keys, head->size)->key;
	TileSource	source = store_source(&tree);
	uint8		secret[SIGN_SECRET_BYTES];
	char	   *text;

	strlcpy(head->origin, key->name, sizeof(head->origin));
	if (!merkle_root(head->root, &source, head->size))
		elog(ERROR, "a tile of the ledger is missing");
	text = checkpoint_text(head);

	initStringInfo(note);
	note_begin(note, text);
	ledger_key_secret(secret, key, site);
	note_sign(note, text, key, secret, 0);
	wipe(secret, sizeof(secret));
}

static void
mark_signed(const Checkpoint *head)
{
	Mark		mark = {.size = head->size};

	memcpy(mark.root, head->root, HASH_BYTES);
	mark_write(&mark, keys.origin.ledger);
}

static void
store_checkpoint(uint64 size)
{
	Checkpoint	head = {.size = size};
	RangeVar   *name = makeRangeVar("secmed", "ledger", -1);
	Oid			types[] = {INT8OID, BYTEAOID};
	Datum		values[2];
	StringInfoData note;

	/* Another ledger by now? The next batch will see. */
	if (RangeVarGetRelid(name, RowExclusiveLock, true) != ledger)
	{
		ledger = InvalidOid;
		return;
	}
	XLogFlush(XactLastCommitEnd);	/* a batch for which nobody waited may not be */
	sign(&note, &head);
	mark_signed(&head);
	values[0] = Int64GetDatum((int64) size);
	values[1] = bytea_datum(note.data, note.len);
	if (SPI_execute_with_args("INSERT INTO secmed.ledger_checkpoint (size, note) VALUES ($1, $2)",
							  2, types, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "a checkpoint was not inserted");
}

/* Until the end of the transaction; of another source it would stay. */
static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

static void
sign_in_transaction(uint64 size)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	set_local("synchronous_commit", "off");
	set_local("lock_timeout", LOCK_TIMEOUT);
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	pgstat_report_activity(STATE_RUNNING, "signing a checkpoint");
	store_checkpoint(size);
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	signed_size = size;
}

/* For the server's log: nobody waits. */
static void
report_failure(void)
{
	ErrorData  *error;

	MemoryContextSwitchTo(TopMemoryContext);
	error = CopyErrorData();
	FlushErrorState();
	AbortCurrentTransaction();
	ereport(LOG,
			(errmsg("no checkpoint of the ledger could be signed"),
			 errdetail("%s. %s", error->message ? error->message : "", error->detail ? error->detail : "")));
	FreeErrorData(error);
	next_ms = steady_ms() + RETRY_MS;
}

void
signer_run(void)
{
	uint64		size;

	if (signer_wait_ms() != 0)
		return;
	size = next_size();
	next_ms = steady_ms() + checkpoint_interval_ms;
	PG_TRY();
	{
		sign_in_transaction(size);
		if (witnessed)
			mirror_wake(MyDatabaseId);
	}
	PG_CATCH();
	{
		report_failure();
	}
	PG_END_TRY();
	pgstat_report_activity(STATE_IDLE, NULL);
}
