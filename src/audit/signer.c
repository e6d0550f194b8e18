/*
 * signer.c
 *	  The Merkle tree over the ledger, and the checkpoints.
 *
 * What a reader must believe: entries are committed and flushed before a
 * checkpoint of them is signed, so no crash leaves a checkpoint of more than
 * there is, and what would be signed after it extends what was signed before.
 * The checkpoint's own transaction need not be flushed, then.
 */
#include "base/base.h"

#include "access/xact.h"
#include "audit/log_key.h"
#include "audit/signer.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "ledger/store_sql.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

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
static TimestampTz next_at = 0;	/* not before then */

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
		ledger = ledger_oid;
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
	next_at = 0;				/* a new key may be able to sign */
	return history_accept(&keys, entry, &reason) ? NULL : reason;
}

void
signer_append(const uint8 leaf[HASH_BYTES])
{
	tiles_append(&tree, leaf);
}

/* Checkpoints ---------------------------------------------------------------*/

long
signer_wait_ms(void)
{
	if (!OidIsValid(ledger) || tree.size == signed_size || history_log(&keys, tree.size) == NULL)
		return -1;
	return TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next_at);
}

void
signer_hurry(void)
{
	next_at = 0;
}

static void
sign(StringInfo note)
{
	const NoteKey *key = &history_log(&keys, tree.size)->key;
	Checkpoint	head = {.size = tree.size};
	uint8		secret[SIGN_SECRET_BYTES];
	char	   *text;

	strlcpy(head.origin, key->name, sizeof(head.origin));
	tiles_root(head.root, &tree);
	text = checkpoint_text(&head);

	initStringInfo(note);
	note_begin(note, text);
	log_key_secret(secret, key, site);
	note_sign(note, text, key, secret, 0);
	wipe(secret, sizeof(secret));
}

static void
store_checkpoint(void)
{
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
	sign(&note);
	values[0] = Int64GetDatum((int64) tree.size);
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
sign_in_transaction(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	set_local("synchronous_commit", "off");
	set_local("lock_timeout", LOCK_TIMEOUT);
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	pgstat_report_activity(STATE_RUNNING, "signing a checkpoint");
	store_checkpoint();
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	signed_size = tree.size;
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
	next_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), RETRY_MS);
}

void
signer_run(void)
{
	if (signer_wait_ms() != 0)
		return;
	next_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), checkpoint_interval_ms);
	PG_TRY();
	{
		sign_in_transaction();
	}
	PG_CATCH();
	{
		report_failure();
	}
	PG_END_TRY();
	pgstat_report_activity(STATE_IDLE, NULL);
}
