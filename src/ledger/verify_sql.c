/*
 * verify_sql.c
 *	  Verification inside the database.
 *
 * The entries come from the executor, in order, one slot at a time and without
 * a copy; bodies, level 0 tiles and checkpoints from cursors in the same order,
 * which are asked only for the numbers that they have.  So each table is read
 * once, and the most is spent on hashing.
 */
#include "base/base.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "identity/node.h"
#include "ledger/chain.h"
#include "ledger/datum.h"
#include "ledger/review.h"
#include "ledger/store_sql.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(secmed_verify_ledger);

/* Rows that a cursor takes at once: with the largest bodies 5 MB. */
#define SIDE_ROWS			100

/* A table beside the entries, in the order of a number. */
typedef struct SideTable
{
	Portal		portal;
	SPITupleTable *rows;
	uint64		n;
	uint64		at;
	bool		has_number;
	int64		number;			/* of the row at hand */
} SideTable;

typedef struct Verification
{
	DestReceiver receiver;		/* first: the executor knows only this */
	MemoryContext entry_context;	/* reset after each entry that allocates */
	ChainState	chain;			/* begun if entries > 0 or a node is here */
	bool		has_node;
	uint64		whole;			/* entries in which nothing is wrong, and the hash of the last */
	uint8		head[HASH_BYTES];
	const char *reason;			/* NULL: whole so far */
	int64		bad_seq;
	KeyHistory	keys;
	uint64		archived;		/* whole bundles below may be missing */
	TileBuilder tiles;
	bool		bad_tile;
	uint64		first_bad;		/* below the bad tile */
	SideTable	bodies;
	SideTable	stored_tiles;	/* of level 0 */
	SideTable	checkpoints;
} Verification;

/* The tables beside the entries ---------------------------------------------*/

static void
side_next(SideTable *side)
{
	bool		isnull;

	if (side->at == side->n)
	{
		if (side->rows)
			SPI_freetuptable(side->rows);
		SPI_cursor_fetch(side->portal, true, SIDE_ROWS);
		side->rows = SPI_tuptable;
		side->n = SPI_processed;
		side->at = 0;
	}
	side->has_number = side->at < side->n;
	if (side->has_number)
		side->number = DatumGetInt64(SPI_getbinval(side->rows->vals[side->at], side->rows->tupdesc, 1, &isnull));
}

static void
side_open(SideTable *side, const char *query)
{
	memset(side, 0, sizeof(*side));
	side->portal = SPI_cursor_open_with_args(NULL, query, 0, NULL, NULL, NULL, true, 0);
	side_next(side);
}

static void
side_close(SideTable *side)
{
	if (side->rows)
		SPI_freetuptable(side->rows);
	SPI_cursor_close(side->portal);
}

/* A column of the row at hand, in the current context. */
static bytea *
side_bytes(SideTable *side, int column)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(side->rows->vals[side->at], side->rows->tupdesc, column, &isnull);

	return isnull ? NULL : DatumGetByteaPP(datum);
}

static void
side_take(SideTable *side)
{
	side->at++;
	side_next(side);
}

static inline bool
side_is_at(const SideTable *side, uint64 number)
{
	return side->has_number && side->number <= (int64) number;
}

/* Bodies --------------------------------------------------------------------*/

/* The body of an entry against its commitment. */
static const char *
body_problem(Verification *v, const EntryView *entry)
{
	bytea	   *salt = side_bytes(&v->bodies, 2);
	bytea	   *body = side_bytes(&v->bodies, 3);
	uint8		commitment[HASH_BYTES];

	if (v->bodies.number < (int64) entry->seq)
		return "comes after an entry with two bodies";
	if (entry->commitment == NULL)
		return "has a body but does not commit to one";
	if (salt == NULL || body == NULL || VARSIZE_ANY_EXHDR(salt) != SALT_BYTES)
		return "has a body with a salt of the wrong length";
	commit_payload(commitment, (const uint8 *) VARDATA_ANY(salt),
				   VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body));
	return memcmp(commitment, entry->commitment, HASH_BYTES) == 0 ? NULL
		: "has another body than the one it commits to";
}

/* What is said to be erased is not here.  The first body that is, of these ranges. */
static const char *
erasure_problem(Verification *v, const LedgerEntry *entry)
{
	const char *problem = erased_problem(entry);

	for (int i = 0; problem == NULL && i < entry->ncounters; i += 2)
	{
		char	   *query = psprintf("SELECT seq FROM secmed.ledger_payload WHERE seq BETWEEN " UINT64_FORMAT
									 " AND " UINT64_FORMAT " ORDER BY seq LIMIT 1",
									 entry->counters[i], entry->counters[i + 1]);
		bool		isnull;

		if (SPI_execute(query, true, 1) != SPI_OK_SELECT)
			elog(ERROR, "can't read secmed.ledger_payload");
		if (SPI_processed == 0)
			continue;
		v->bad_seq = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		problem = "is said to be erased, and its body is here";
	}
	return problem;
}

/* The tree ------------------------------------------------------------------*/

static bool
same_tile(Verification *v, int level, uint64 number, const uint8 (*hashes)[HASH_BYTES])
{
	uint8		stored[TILE_HASHES][HASH_BYTES];
	bytea	   *bytes;
	bool		same;

	if (level > 0)
		return store_tile(level, number, stored) && memcmp(stored, hashes, sizeof(stored)) == 0;
	if (!side_is_at(&v->stored_tiles, number) || v->stored_tiles.number != (int64) number)
		return false;
	bytes = side_bytes(&v->stored_tiles, 2);
	same = bytes != NULL && VARSIZE_ANY_EXHDR(bytes) == sizeof(stored) &&
		memcmp(VARDATA_ANY(bytes), hashes, sizeof(stored)) == 0;
	side_take(&v->stored_tiles);
	return same;
}

/* What the stored tile must hold, now that its last hash is known. */
static void
check_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
	Verification *v = arg;

	if (v->bad_tile || same_tile(v, level, number, hashes))
		return;
	v->bad_tile = true;
	v->first_bad = number * TILE_HASHES << (TILE_BITS * level);
}

/* The checkpoint of the entries so far. */
static const char *
note_problem(Verification *v)
{
	bytea	   *note = side_bytes(&v->checkpoints, 2);
	StoredCheckpoint checkpoint;
	uint8		root[HASH_BYTES];
	const char *reason;

	if (note == NULL ||
		!store_read_checkpoint(&checkpoint, v->chain.next_seq, VARDATA_ANY(note), VARSIZE_ANY_EXHDR(note),
							   &reason) ||
		(reason = store_signature_problem(&checkpoint, &v->keys)) != NULL)
		return psprintf("is the last of a checkpoint that %s", note == NULL ? "is empty" : reason);
	tiles_root(root, &v->tiles);
	return memcmp(root, checkpoint.head.root, HASH_BYTES) == 0 ? NULL
		: "is the last of a checkpoint of other entries";
}

/* Entries -------------------------------------------------------------------*/

/* What entries about the ledger itself say. */
static const char *
meaning_problem(Verification *v, const EntryView *view)
{
	LedgerEntry entry;
	const char *reason;

	switch (view->kind)
	{
		case ENTRY_KEY:
			entry_from_view(&entry, view);
			return history_accept(&v->keys, &entry, &reason) ? NULL : reason;
		case ENTRY_HEAD:
			entry_from_view(&entry, view);
			return head_problem(&entry);
		case ENTRY_ERASED:
			entry_from_view(&entry, view);
			return erasure_problem(v, &entry);
		case ENTRY_REVIEWED:
			entry_from_view(&entry, view);
			return review_problem(&entry);
		default:
			return NULL;
	}
}

/* What remains to be done with a leaf, whether its entry is here or archived. */
static const char *
leaf_fault(Verification *v, const uint8 leaf[HASH_BYTES])
{
	const char *reason;

	tiles_append(&v->tiles, leaf);
	if (v->bad_tile)
		return "begins a tile that is missing or was changed";
	if (side_is_at(&v->checkpoints, v->chain.next_seq))
	{
		if ((reason = note_problem(v)) != NULL)
			return reason;
		side_take(&v->checkpoints);
	}
	v->whole = v->chain.next_seq;
	memcpy(v->head, leaf, HASH_BYTES);
	return NULL;
}

static const char *
entry_fault(Verification *v, uint64 seq, const void *bytes, size_t len)
{
	EntryView	entry;
	uint8		leaf[HASH_BYTES];
	const char *reason;

	if (!entry_view(&entry, bytes, len, &reason))
		return reason;
	if (v->chain.next_seq == 0 && !v->has_node)
		chain_start(&v->chain, pnstrdup(entry.site.at, entry.site.len));
	entry_hash(leaf, bytes, len);
	if ((reason = chain_follow(&v->chain, seq, &entry, leaf)) != NULL ||
		(reason = meaning_problem(v, &entry)) != NULL)
		return reason;
	if (side_is_at(&v->bodies, seq))
	{
		if ((reason = body_problem(v, &entry)) != NULL)
			return reason;
		side_take(&v->bodies);
	}
	return leaf_fault(v, leaf);
}

/* Of the bundle that is next only the hashes are here. */
static const char *
archived_fault(Verification *v)
{
	uint64		number = v->chain.next_seq / TILE_HASHES;
	uint8		hashes[TILE_HASHES][HASH_BYTES];
	const char *reason = NULL;

	if (!store_tile(0, number, hashes))
		return "is archived, and its tile is missing";
	for (int i = 0; i < TILE_HASHES && reason == NULL; i++)
	{
		chain_skip(&v->chain, hashes[i]);
		reason = leaf_fault(v, hashes[i]);
	}
	return reason;
}

/* The bundles before this entry that are not here, and need not be. */
static const char *
gap_fault(Verification *v, uint64 seq)
{
	while (v->chain.next_seq % TILE_HASHES == 0 && v->chain.next_seq + TILE_HASHES <= Min(seq, v->archived))
	{
		const char *reason;

		v->bad_seq = (int64) v->chain.next_seq;
		if ((reason = archived_fault(v)) != NULL)
			return reason;
	}
	return NULL;
}

static bool
receive_entry(TupleTableSlot *slot, DestReceiver *self)
{
	Verification *v = (Verification *) self;
	MemoryContext old = MemoryContextSwitchTo(v->entry_context);
	bool		isnull;
	int64		seq = DatumGetInt64(slot_getattr(slot, 1, &isnull));
	bytea	   *bytes = DatumGetByteaPP(slot_getattr(slot, 2, &isnull));

	v->reason = gap_fault(v, (uint64) seq);
	if (v->reason == NULL)
	{
		v->bad_seq = seq;
		v->reason = entry_fault(v, (uint64) seq, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	}
	if (v->bad_tile)
		v->bad_seq = (int64) v->first_bad;
	MemoryContextSwitchTo(old);
	if (v->reason != NULL)
		return false;
	MemoryContextReset(v->entry_context);
	return true;
}

static void
receive_nothing(DestReceiver *self)
{
}

static void
receive_start(DestReceiver *self, int operation, TupleDesc desc)
{
}

/* Streams the ledger; ends where something is wrong. */
static void
verify_entries(Verification *v)
{
	Portal		entries;

	v->receiver = (DestReceiver) {receive_entry, receive_start, receive_nothing, receive_nothing, DestNone};
	v->entry_context = AllocSetContextCreate(CurrentMemoryContext, "ledger entry", ALLOCSET_DEFAULT_SIZES);
	side_open(&v->bodies, "SELECT seq, salt, payload FROM secmed.ledger_payload WHERE seq >= 0 ORDER BY seq");
	side_open(&v->stored_tiles, "SELECT idx, hashes FROM secmed.ledger_tile WHERE level = 0 AND idx >= 0 ORDER BY idx");
	side_open(&v->checkpoints, "SELECT size, note FROM secmed.ledger_checkpoint WHERE size > 0 ORDER BY size");

	/* Not by SPI_cursor_fetch(), within which receive_entry() could call no SPI. */
	entries = SPI_cursor_open_with_args(NULL, "SELECT seq, entry FROM secmed.ledger ORDER BY seq",
										0, NULL, NULL, NULL, true, 0);
	(void) PortalRunFetch(entries, FETCH_FORWARD, FETCH_ALL, &v->receiver);
	SPI_cursor_close(entries);

	side_close(&v->bodies);
	side_close(&v->stored_tiles);
	side_close(&v->checkpoints);
}

/* The whole -----------------------------------------------------------------*/

/* The node, to know whose ledger this must be. */
static void
verify_begin(Verification *v)
{
	/* The indexes have the order; a table that was never analysed looks small enough to sort. */
	SetConfigOption("enable_sort", "off", PGC_USERSET, PGC_S_SESSION);
	if (SPI_execute("SELECT name FROM secmed.node", true, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.node");
	v->has_node = SPI_processed == 1;
	history_start(&v->keys);
	tiles_start(&v->tiles, check_tile, v);
	chain_start(&v->chain, v->has_node ?
				SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : "");
	v->archived = store_archived();
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
	values[1] = Int64GetDatum((int64) v->whole);
	values[2] = Int64GetDatum(v->bad_seq);
	nulls[2] = v->reason == NULL;
	values[3] = v->reason ? CStringGetTextDatum(v->reason) : (Datum) 0;
	nulls[3] = v->reason == NULL;
	values[4] = bytea_datum(v->head, HASH_BYTES);
	nulls[4] = v->whole == 0;
	PG_RETURN_DATUM(row_datum(fcinfo, values, nulls));
}
