/*
 * ledger_sql.c
 *	  The ledger's decoder and its verification, for SQL.
 */
#include "base/base.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "identity/node.h"
#include "ledger/chain.h"
#include "ledger/store_sql.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_decode_entry);
PG_FUNCTION_INFO_V1(secmed_verify_ledger);

/* Rows read at once: with the largest bodies 5 MB. */
#define VERIFY_ROWS		100

static Datum
bytea_datum(const void *bytes, size_t len)
{
	bytea	   *copy = palloc(VARHDRSZ + len);

	SET_VARSIZE(copy, VARHDRSZ + len);
	memcpy(VARDATA(copy), bytes, len);
	return PointerGetDatum(copy);
}

/* Decoding ------------------------------------------------------------------*/

static Datum
text_datum(const char *utf8)
{
	return CStringGetTextDatum(pg_any_to_server(utf8, strlen(utf8), PG_UTF8));
}

static Datum
counters_datum(const LedgerEntry *entry)
{
	Datum		counters[ENTRY_COUNTERS_MAX];

	for (int i = 0; i < entry->ncounters; i++)
		counters[i] = Int64GetDatum((int64) entry->counters[i]);
	return PointerGetDatum(construct_array(counters, entry->ncounters, INT8OID, 8,
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static Datum
run_datum(const LedgerEntry *entry)
{
	pg_uuid_t  *run = palloc(sizeof(pg_uuid_t));

	StaticAssertStmt(RUN_ID_BYTES == UUID_LEN, "a run's id is a UUID");
	memcpy(run->data, entry->run, UUID_LEN);
	return UUIDPGetDatum(run);
}

static Datum
time_datum(int64 at_us)
{
	return TimestampTzGetDatum(at_us -
							   (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
}

static void
entry_columns(const LedgerEntry *entry, Datum *values, bool *nulls)
{
	values[0] = text_datum(entry->site);
	values[1] = Int64GetDatum((int64) entry->seq);
	values[2] = bytea_datum(entry->prev, HASH_BYTES);
	values[3] = time_datum(entry->at_us);
	values[4] = CStringGetTextDatum(entry_kind_name(entry->kind));
	values[5] = run_datum(entry);
	nulls[5] = !entry->has_run;
	values[6] = text_datum(entry->actor);
	values[7] = text_datum(entry->object);
	values[8] = bytea_datum(entry->plan, HASH_BYTES);
	nulls[8] = !entry->has_plan;
	values[9] = text_datum(entry->outcome);
	values[10] = text_datum(entry->revealed);
	values[11] = counters_datum(entry);
	values[12] = bytea_datum(entry->commitment, HASH_BYTES);
	nulls[12] = !entry->has_commitment;
}

/* For a function that returns one row. */
static Datum
row_datum(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

Datum
secmed_decode_entry(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	LedgerEntry entry;
	const char *reason;
	uint8		hash[HASH_BYTES];
	Datum		values[14];
	bool		nulls[14] = {false};

	if (!entry_decode(&entry, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("these bytes are not a ledger entry"),
				 errdetail("The entry %s.", reason)));
	entry_columns(&entry, values, nulls);
	entry_hash(hash, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	values[13] = bytea_datum(hash, HASH_BYTES);
	PG_RETURN_DATUM(row_datum(fcinfo, values, nulls));
}

/* Verification --------------------------------------------------------------*/

typedef struct Verification
{
	ChainState	chain;			/* begun if entries > 0 or a node is here */
	bool		has_node;
	const char *reason;			/* NULL: whole so far */
	int64		bad_seq;
	KeyHistory	keys;
	TileBuilder tiles;
	bool		bad_tile;
	uint64		first_bad;		/* below the bad tile */
} Verification;

static bytea *
row_bytes(HeapTuple row, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(row, desc, column, &isnull);

	return isnull ? NULL : DatumGetByteaPP(datum);
}

/* The body of an entry, if there (still) is one, against its commitment. */
static const char *
body_problem(const LedgerEntry *entry, const bytea *salt, const bytea *body)
{
	uint8		commitment[HASH_BYTES];

	if (body == NULL)
		return NULL;
	if (!entry->has_commitment)
		return "has a body but does not commit to one";
	if (VARSIZE_ANY_EXHDR(salt) != SALT_BYTES)
		return "has a body with a salt of the wrong length";
	commit_payload(commitment, (const uint8 *) VARDATA_ANY(salt),
				   VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body));
	return memcmp(commitment, entry->commitment, HASH_BYTES) == 0 ? NULL
		: "has another body than the one it commits to";
}

/* What the stored tile must hold, now that its last hash is known. */
static void
check_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
	Verification *v = arg;
	uint8		stored[TILE_HASHES][HASH_BYTES];

	if (v->bad_tile || (store_tile(level, number, stored) && memcmp(stored, hashes, sizeof(stored)) == 0))
		return;
	v->bad_tile = true;
	v->first_bad = number * TILE_HASHES << (TILE_BITS * level);
}

/* The checkpoint of the entries so far, if one was signed. */
static const char *
note_problem(const Verification *v, const bytea *note)
{
	StoredCheckpoint checkpoint;
	uint8		root[HASH_BYTES];
	const char *reason;

	if (note == NULL)
		return NULL;
	if (!store_read_checkpoint(&checkpoint, v->chain.next_seq, VARDATA_ANY(note), VARSIZE_ANY_EXHDR(note),
							   &reason) ||
		(reason = store_signature_problem(&checkpoint, &v->keys)) != NULL)
		return psprintf("is the last of a checkpoint that %s", reason);
	tiles_root(root, &v->tiles);
	return memcmp(root, checkpoint.head.root, HASH_BYTES) == 0 ? NULL
		: "is the last of a checkpoint of other entries";
}

/* What the entry is in: the history of keys, the tree, a checkpoint. */
static const char *
tree_problem(Verification *v, const LedgerEntry *entry, const bytea *note)
{
	const char *reason;

	if (entry->kind == ENTRY_KEY && !history_accept(&v->keys, entry, &reason))
		return reason;
	tiles_append(&v->tiles, v->chain.head);
	return v->bad_tile ? "begins a tile that is missing or was changed" : note_problem(v, note);
}

/* row: seq, entry, salt, payload, note */
static const char *
row_problem(Verification *v, uint64 seq, HeapTuple row, TupleDesc desc)
{
	bytea	   *bytes = row_bytes(row, desc, 2);
	size_t		len = VARSIZE_ANY_EXHDR(bytes);
	ChainState	next = v->chain;
	LedgerEntry entry;
	const char *reason;

	if (!entry_decode(&entry, VARDATA_ANY(bytes), len, &reason))
		return reason;
	if (next.next_seq == 0 && !v->has_node)
		chain_start(&next, entry.site);
	if (!chain_accept(&next, seq, VARDATA_ANY(bytes), len, &reason))
		return reason;
	reason = body_problem(&entry, row_bytes(row, desc, 3), row_bytes(row, desc, 4));
	if (reason)
		return reason;
	v->chain = next;
	return tree_problem(v, &entry, row_bytes(row, desc, 5));
}

static void
verify_rows(Verification *v, SPITupleTable *rows, uint64 n)
{
	for (uint64 i = 0; i < n && v->reason == NULL; i++)
	{
		bool		isnull;
		Datum		seq = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);

		CHECK_FOR_INTERRUPTS();
		v->reason = row_problem(v, (uint64) DatumGetInt64(seq), rows->vals[i], rows->tupdesc);
		v->bad_seq = v->bad_tile ? (int64) v->first_bad : DatumGetInt64(seq);
	}
}

/* Streams the ledger with its bodies; the memory of each batch is reset. */
static void
verify_entries(Verification *v)
{
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "ledger rows",
												ALLOCSET_DEFAULT_SIZES);
	Portal		portal = SPI_cursor_open_with_args(NULL,
												   "SELECT l.seq, l.entry, p.salt, p.payload, c.note"
												   " FROM secmed.ledger l"
												   " LEFT JOIN secmed.ledger_payload p ON p.seq = l.seq"
												   " LEFT JOIN secmed.ledger_checkpoint c ON c.size = l.seq + 1"
												   " ORDER BY l.seq",
												   0, NULL, NULL, NULL, true, 0);

	uint64		n;

	do
	{
		SPITupleTable *rows;
		MemoryContext old;

		SPI_cursor_fetch(portal, true, VERIFY_ROWS);
		rows = SPI_tuptable;
		n = SPI_processed;
		old = MemoryContextSwitchTo(batch);
		verify_rows(v, rows, n);
		MemoryContextSwitchTo(old);
		if (v->reason)
			v->reason = pstrdup(v->reason);
		MemoryContextReset(batch);
		SPI_freetuptable(rows);
	} while (n > 0 && v->reason == NULL);
	SPI_cursor_close(portal);
}

/* The node, to know whose ledger this must be. */
static void
verify_begin(Verification *v)
{
	if (SPI_execute("SELECT name FROM secmed.node", true, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.node");
	v->has_node = SPI_processed == 1;
	history_start(&v->keys);
	tiles_start(&v->tiles, check_tile, v);
	chain_start(&v->chain, v->has_node ?
				SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : "");
}

/* Is there a row, of these tables, of an entry that isn't there?  Its number. */
static bool
left_over(Verification *v, const char *query)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum((int64) v->chain.next_seq)};
	bool		isnull;

	if (SPI_execute_with_args(query, 1, types, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed's tables");
	if (SPI_processed == 1)
		v->bad_seq = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	return SPI_processed == 1;
}

/* What a ledger that is whole may still lack: its end, or everything. */
static void
verify_end(Verification *v)
{
	if (v->reason == NULL && v->has_node && v->chain.next_seq == 0)
	{
		v->reason = "is missing, though this database is a node";
		v->bad_seq = 0;
	}
	if (v->reason != NULL)
		return;

	if (left_over(v, "SELECT $1 FROM secmed.ledger_checkpoint WHERE size > $1 OR size < 1 LIMIT 1"))
		v->reason = "is missing, though a checkpoint of it was signed";
	else if (left_over(v, "SELECT $1 FROM secmed.ledger_tile WHERE level NOT BETWEEN 0 AND 6 OR idx < 0"
					   " OR idx >= $1 >> (8 * (level + 1)) LIMIT 1"))
		v->reason = "is missing, though a tile with it was stored";
	else if (left_over(v, "SELECT seq FROM secmed.ledger_payload"
					   " WHERE seq < 0 OR seq >= $1 ORDER BY seq LIMIT 1"))
		v->reason = "is missing, though its body is there";
}

Datum
secmed_verify_ledger(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Verification *v = palloc0(sizeof(Verification));
	OwnerScope	scope;
	Datum		values[5];
	bool		nulls[5] = {false};

	owner_begin(&scope);
	SPI_connect();
	verify_begin(v);
	verify_entries(v);
	verify_end(v);
	if (v->reason)
		v->reason = MemoryContextStrdup(caller, v->reason);
	SPI_finish();
	owner_end(&scope);

	values[0] = BoolGetDatum(v->reason == NULL);
	values[1] = Int64GetDatum((int64) v->chain.next_seq);
	values[2] = Int64GetDatum(v->bad_seq);
	nulls[2] = v->reason == NULL;
	values[3] = v->reason ? CStringGetTextDatum(v->reason) : (Datum) 0;
	nulls[3] = v->reason == NULL;
	values[4] = bytea_datum(v->chain.head, HASH_BYTES);
	nulls[4] = v->chain.next_seq == 0;
	PG_RETURN_DATUM(row_datum(fcinfo, values, nulls));
}
