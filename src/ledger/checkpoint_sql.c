/*
 * checkpoint_sql.c
 *	  Checkpoints and proofs of this node's ledger, for SQL, and the guard of
 *	  what is stored beside the entries.
 *
 * Each function begins with the newest checkpoint.  What that covers never
 * changes again, so it does not matter under which snapshots the rest is read.
 */
#include "base/base.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "ledger/datum.h"
#include "ledger/guard.h"
#include "ledger/store_sql.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(secmed_store_guard);
PG_FUNCTION_INFO_V1(secmed_checkpoint);
PG_FUNCTION_INFO_V1(secmed_inclusion_proof);
PG_FUNCTION_INFO_V1(secmed_consistency_proof);

/* The guard -----------------------------------------------------------------*/

/*
 * The leaves of the ledger, bundle by bundle.  Tiles are restored in their
 * order, and before there is an index, so the entries are read once for all of
 * a transaction's tiles.
 */
typedef struct LeafStream
{
	TransactionId xid;			/* whose portal it is */
	Portal		portal;
	uint64		bundle;			/* that was read last, */
	int			width;			/* with so many entries; 0: none, or there are no more */
	uint8		hashes[TILE_HASHES][HASH_BYTES];
} LeafStream;

static LeafStream leaves;

static uint64
take_leaf(LeafStream *stream, int i)
{
	HeapTuple	row = SPI_tuptable->vals[i];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	bool		isnull;
	uint64		seq = (uint64) DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	bytea	   *entry = DatumGetByteaPP(SPI_getbinval(row, desc, 2, &isnull));

	entry_hash(stream->hashes[i], VARDATA_ANY(entry), VARSIZE_ANY_EXHDR(entry));
	return seq;
}

/* Entries come in whole bundles, but for the last one. */
static void
next_bundle(LeafStream *stream)
{
	uint64		last = 0;

	SPI_cursor_fetch(stream->portal, true, TILE_HASHES);
	stream->width = (int) SPI_processed;
	for (int i = 0; i < stream->width; i++)
		last = take_leaf(stream, i);
	stream->bundle = last / TILE_HASHES;
	SPI_freetuptable(SPI_tuptable);
}

static void
seek_bundle(LeafStream *stream, uint64 number)
{
	TransactionId now = GetCurrentTransactionId();

	if (stream->xid != now || stream->bundle > number)
	{
		if (stream->xid == now)
			SPI_cursor_close(stream->portal);
		stream->xid = InvalidTransactionId;
		stream->portal = SPI_cursor_open_with_args(NULL, "SELECT seq, entry FROM secmed.ledger ORDER BY seq",
												   0, NULL, NULL, NULL, true, 0);
		stream->xid = now;
		next_bundle(stream);
	}
	while (stream->width == TILE_HASHES && stream->bundle < number)
		next_bundle(stream);
}

static const char *
leaves_problem(uint64 number, const bytea *hashes)
{
	seek_bundle(&leaves, number);
	if (leaves.width > 0 && leaves.bundle > number)
		return NULL;			/* it is archived */
	return leaves.width == TILE_HASHES && leaves.bundle == number &&
		memcmp(leaves.hashes, VARDATA_ANY(hashes), sizeof(leaves.hashes)) == 0 ? NULL
		: "is not one of these entries";
}

/* Of rows that are restored: do they follow from the entries that are there?  A reason, or NULL. */
static const char *
tile_problem(int level, uint64 number, const bytea *hashes)
{
	TileBuilder *tiles = palloc(sizeof(TileBuilder));
	uint64		below = UINT64CONST(1) << (TILE_BITS * Max(level, 0));

	if (level < 0 || level >= TILE_LEVELS_MAX || number >= MERKLE_SIZE_MAX / below / TILE_HASHES ||
		VARSIZE_ANY_EXHDR(hashes) != TILE_HASHES * HASH_BYTES)
		return "is not a full tile";
	if (level == 0)
		return leaves_problem(number, hashes);

	/* The last hash would be the next to come: all others are in the tree before it. */
	tiles_start(tiles, NULL, NULL);
	if (!store_tree(tiles, ((number + 1) * TILE_HASHES - 1) * below) ||
		memcmp(tiles->tiles[level], VARDATA_ANY(hashes), (TILE_HASHES - 1) * HASH_BYTES) != 0)
		return "is not one of these entries";
	return NULL;
}

/* The keys are looked up once a transaction, as well. */
static const char *
checkpoint_problem(uint64 size, const bytea *note)
{
	static TransactionId keys_of = InvalidTransactionId;
	static KeyHistory keys;
	TransactionId now = GetCurrentTransactionId();
	StoredCheckpoint checkpoint;
	const char *reason;

	if (keys_of != now)
	{
		keys_of = InvalidTransactionId;
		if (!store_keys(&keys, &reason))
			return reason;
		keys_of = now;
	}
	if (!store_read_checkpoint(&checkpoint, size, VARDATA_ANY(note), VARSIZE_ANY_EXHDR(note), &reason))
		return reason;
	return store_signature_problem(&checkpoint, &keys);
}

static Datum
new_value(TriggerData *trigger, const char *column)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;
	Datum		datum = SPI_getbinval(trigger->tg_trigtuple, desc, SPI_fnumber(desc, column), &isnull);

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("\"%s\" of %s can't be NULL", column, RelationGetRelationName(trigger->tg_relation))));
	return datum;
}

static const char *
insert_problem(TriggerData *trigger)
{
	bool		is_tile = strcmp(RelationGetRelationName(trigger->tg_relation), "ledger_tile") == 0;
	OwnerScope	scope;
	const char *problem;

	owner_begin(&scope);
	SPI_connect();
	if (is_tile)
		problem = tile_problem(DatumGetInt32(new_value(trigger, "level")),
							   (uint64) DatumGetInt64(new_value(trigger, "idx")),
							   DatumGetByteaPP(new_value(trigger, "hashes")));
	else
		problem = checkpoint_problem((uint64) DatumGetInt64(new_value(trigger, "size")),
									 DatumGetByteaPP(new_value(trigger, "note")));
	SPI_finish();
	owner_end(&scope);
	return problem;
}

Datum
secmed_store_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *problem;

	if (!CALLED_AS_TRIGGER(fcinfo))
		elog(ERROR, "store_guard() is a trigger");
	if (guard_is_recovery)
		PG_RETURN_POINTER(trigger->tg_trigtuple);
	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the ledger can't be changed"),
				 errdetail("%s of its tiles and checkpoints is refused, whoever asks.",
						   TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "UPDATE" :
						   TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ? "DELETE" : "TRUNCATE")));
	problem = guard_is_sequencer ? NULL : insert_problem(trigger);
	if (problem)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("this row does not belong to the ledger"),
				 errdetail("It %s.", problem),
				 errhint("Only the sequencer writes here. Restored tiles and checkpoints come after their entries, lower levels first.")));
	PG_RETURN_POINTER(trigger->tg_trigtuple);
}

/* Checkpoints and proofs ----------------------------------------------------*/

static void pg_attribute_noreturn()
proof_not_made(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("entries or tiles of the ledger are missing"),
			 errhint("See secmed.verify_ledger().")));
}

static TileSource
require_tree(const StoredCheckpoint *checkpoint)
{
	TileBuilder *tiles = palloc(sizeof(TileBuilder));

	tiles_start(tiles, NULL, NULL);
	if (!store_tree(tiles, checkpoint->head.size))
		proof_not_made();
	return store_source(tiles);
}

/* UTF-8 made here, as text of the caller. */
static text *
utf8_text(MemoryContext caller, const char *bytes, int len)
{
	MemoryContext old = MemoryContextSwitchTo(caller);
	char	   *converted = pg_any_to_server(bytes, len, PG_UTF8);
	text	   *result = converted == bytes ? cstring_to_text_with_len(bytes, len) : cstring_to_text(converted);

	MemoryContextSwitchTo(old);
	return result;
}

Datum
secmed_checkpoint(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	StoredCheckpoint last;
	OwnerScope	scope;
	text	   *result;

	owner_begin(&scope);
	SPI_connect();
	store_require_checkpoint(&last);
	result = utf8_text(caller, last.text, (int) last.len);
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_TEXT_P(result);
}

static bytea *
require_entry(uint64 seq)
{
	bool		isnull;
	char	   *query = psprintf("SELECT entry FROM secmed.ledger WHERE seq = " UINT64_FORMAT, seq);

	if (SPI_execute(query, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.ledger");
	if (SPI_processed != 1)
		proof_not_made();
	return DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

static void
check_number(int64 number, uint64 least, uint64 below, const char *what)
{
	if (number < (int64) least || number >= (int64) below)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the last checkpoint proves nothing about %s " INT64_FORMAT, what, number),
				 errdetail("It is one of " UINT64_FORMAT " entries.", below - least)));
}

static void
write_inclusion(StringInfo out, uint64 seq, const StoredCheckpoint *last)
{
	TileSource	source = require_tree(last);
	bytea	   *entry = require_entry(seq);
	uint8		leaf[HASH_BYTES];
	MerkleProof path;

	entry_hash(leaf, VARDATA_ANY(entry), VARSIZE_ANY_EXHDR(entry));
	if (!merkle_inclusion(&path, &source, seq, last->head.size))
		proof_not_made();
	if (!merkle_included(&path, leaf, seq, last->head.size, last->head.root))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the ledger is not that of its last checkpoint"),
				 errhint("See secmed.verify_ledger().")));
	initStringInfo(out);
	proof_write(out, VARDATA_ANY(entry), VARSIZE_ANY_EXHDR(entry), seq, &path, last->text);
}

Datum
secmed_inclusion_proof(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	StoredCheckpoint last;
	StringInfoData proof;
	OwnerScope	scope;
	text	   *result;

	owner_begin(&scope);
	SPI_connect();
	store_require_checkpoint(&last);
	check_number(PG_GETARG_INT64(0), 0, last.head.size, "entry");
	write_inclusion(&proof, (uint64) PG_GETARG_INT64(0), &last);
	result = utf8_text(caller, proof.data, proof.len);
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_TEXT_P(result);
}

Datum
secmed_consistency_proof(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	int64		old = PG_GETARG_INT64(0);
	StoredCheckpoint last;
	StringInfoData proof;
	MerkleProof path;
	TileSource	source;
	OwnerScope	scope;
	text	   *result;

	owner_begin(&scope);
	SPI_connect();
	store_require_checkpoint(&last);
	check_number(old, 1, last.head.size + 1, "a checkpoint of size");
	source = require_tree(&last);
	if (!merkle_consistency(&path, &source, (uint64) old, last.head.size))
		proof_not_made();

	initStringInfo(&proof);
	appendStringInfo(&proof, "old " INT64_FORMAT "\n", old);
	proof_write_path(&proof, &path);
	appendBinaryStringInfo(&proof, last.text, (int) last.len);
	result = utf8_text(caller, proof.data, proof.len);
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_TEXT_P(result);
}
