/*
 * store_sql.c
 *	  What is stored beside the entries: full tiles, signed checkpoints, keys.
 */
#include "base/base.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "ledger/store_sql.h"

static void
read_rows(const char *query, int nargs, Datum *values)
{
	Oid			types[] = {INT8OID, INT8OID, INT8OID};

	if (SPI_execute_with_args(query, nargs, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "can't read the ledger: %s", query);
}

static const void *
row_bytes(uint64 row, int column, size_t *len)
{
	bool		isnull;
	bytea	   *bytes = DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
													  column, &isnull));

	*len = VARSIZE_ANY_EXHDR(bytes);
	return VARDATA_ANY(bytes);
}

/* Keys ----------------------------------------------------------------------*/

/* Of the rows that were read. */
static bool
replay_keys(KeyHistory *history, const char **reason)
{
	SPITupleTable *rows;
	bool		good = true;

	history_start(history);
	rows = SPI_tuptable;
	for (uint64 i = 0; i < SPI_processed && good; i++)
	{
		LedgerEntry entry;
		size_t		len;
		const void *bytes = row_bytes(i, 1, &len);

		good = entry_decode(&entry, bytes, len, reason) && history_accept(history, &entry, reason);
	}
	SPI_freetuptable(rows);
	return good;
}

/* The conditions are those of indexes. */
bool
store_keys(KeyHistory *history, const char **reason)
{
	read_rows("SELECT entry FROM secmed.ledger WHERE secmed.entry_kind(entry) = 'key' ORDER BY seq", 0, NULL);
	return replay_keys(history, reason);
}

bool
store_mirror_keys(KeyHistory *history, int mirror, const char **reason)
{
	Datum		values[] = {Int64GetDatum(mirror)};

	read_rows("SELECT entry FROM secmed.mirror_entry WHERE mirror = $1"
			  " AND secmed.entry_kind(entry) = 'key' ORDER BY seq", 1, values);
	return replay_keys(history, reason);
}

char *
policy_of_one_log(const NoteKey *key, uint8 hash[HASH_BYTES])
{
	char	   *policy = psprintf("log %s\nquorum none\n", note_key_to_text(key));

	hash_bytes(hash, policy, strlen(policy));
	return policy;
}

char *
store_policy(const KeySpan *span)
{
	Oid			types[] = {BYTEAOID};
	bytea	   *name = palloc(VARHDRSZ + HASH_BYTES);
	Datum		values[] = {PointerGetDatum(name)};
	uint8		hash[HASH_BYTES];
	char	   *policy = policy_of_one_log(&span->key, hash);
	const void *bytes;
	size_t		len;

	if (memcmp(hash, span->policy, HASH_BYTES) == 0)
		return policy;
	SET_VARSIZE(name, VARHDRSZ + HASH_BYTES);
	memcpy(VARDATA(name), span->policy, HASH_BYTES);
	if (SPI_execute_with_args("SELECT policy FROM secmed.ledger_policy WHERE hash = $1",
							  1, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.ledger_policy");
	if (SPI_processed == 0)
		return NULL;
	bytes = row_bytes(0, 1, &len);
	return pnstrdup(bytes, len);
}

Policy *
store_parsed_policy(const KeySpan *span)
{
	char	   *text = store_policy(span);
	Policy	   *policy = palloc(sizeof(Policy));
	const char *reason;

	return text != NULL && policy_parse(policy, text, strlen(text), &reason) ? policy : NULL;
}

/* What was archived ---------------------------------------------------------*/

uint64
store_archived(void)
{
	uint64		end = 0;

	read_rows("SELECT entry FROM secmed.ledger WHERE secmed.entry_kind(entry) = 'archived' ORDER BY seq", 0, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		EntryView	entry;
		const char *reason;
		size_t		len;
		const void *bytes = row_bytes(i, 1, &len);

		if (entry_view(&entry, bytes, len, &reason) && entry.ncounters == 2 && entry.counters[1] <= entry.seq)
			end = Max(end, entry.counters[1]);
	}
	SPI_freetuptable(SPI_tuptable);
	return end;
}

/* Checkpoints ---------------------------------------------------------------*/

bool
store_read_checkpoint(StoredCheckpoint *checkpoint, uint64 size, const void *bytes, size_t len,
					  const char **reason)
{
	if (!checkpoint_from_note(&checkpoint->head, &checkpoint->note, bytes, len, reason))
		return false;
	if (checkpoint->head.size == size)
		return true;
	*reason = "is stored under another size than its own";
	return false;
}

const char *
store_signature_problem(const StoredCheckpoint *checkpoint, const KeyHistory *history)
{
	const KeySpan *span = history_log(history, checkpoint->head.size);
	uint64		time;

	if (span == NULL || strcmp(span->key.name, checkpoint->head.origin) != 0)
		return "is not of a key of this ledger";
	return note_check(&checkpoint->note, &span->key, &time) == NOTE_SIGNED ? NULL
		: "is not signed by the key of this ledger";
}

bool
store_last_checkpoint(StoredCheckpoint *checkpoint, const char **reason)
{
	const void *bytes;
	bool		isnull;
	uint64		size;

	*reason = NULL;
	read_rows("SELECT size, note FROM secmed.ledger_checkpoint ORDER BY size DESC LIMIT 1", 0, NULL);
	if (SPI_processed == 0)
		return false;
	size = (uint64) DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	bytes = row_bytes(0, 2, &checkpoint->len);
	checkpoint->text = pnstrdup(bytes, checkpoint->len);
	return store_read_checkpoint(checkpoint, size, checkpoint->text, checkpoint->len, reason);
}

void
store_require_checkpoint(StoredCheckpoint *checkpoint)
{
	const char *reason;

	if (store_last_checkpoint(checkpoint, &reason))
		return;
	if (reason)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("the last checkpoint of the ledger is damaged"),
				 errdetail("It %s.", reason),
				 errhint("See secmed.verify_ledger().")));
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the ledger has no checkpoint yet"),
			 errhint("The first is signed within secmed.checkpoint_interval of the node's creation; the server's log says what is in the way.")));
}

/* The tree ------------------------------------------------------------------*/

/* As a mirror's number: this node's own ledger. */
#define OWN		(-1)

static bool
read_tile(int mirror, int level, uint64 number, uint8 (*hashes)[HASH_BYTES])
{
	Datum		values[] = {Int64GetDatum(level), Int64GetDatum((int64) number), Int64GetDatum(mirror)};
	const void *bytes;
	bool		found = false;
	size_t		len;

	if (mirror == OWN)
		read_rows("SELECT hashes FROM secmed.ledger_tile WHERE level = $1 AND idx = $2", 2, values);
	else
		read_rows("SELECT hashes FROM secmed.mirror_tile WHERE mirror = $3 AND level = $1 AND idx = $2", 3, values);
	if (SPI_processed == 1)
	{
		bytes = row_bytes(0, 1, &len);
		found = len == TILE_HASHES * HASH_BYTES;
		if (found)
			memcpy(hashes, bytes, len);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

bool
store_tile(int level, uint64 number, uint8 (*hashes)[HASH_BYTES])
{
	return read_tile(OWN, level, number, hashes);
}

static void
add_hash(TileBuilder *tiles, int level, const uint8 hash[HASH_BYTES])
{
	Frontier   *frontier = &tiles->frontiers[level];

	memcpy(tiles->tiles[level][frontier->size], hash, HASH_BYTES);
	frontier_append(frontier, hash);
}

/* The leaves after the last full tile. */
static bool
load_leaves(TileBuilder *tiles, int mirror)
{
	uint64		first = tiles->size - tiles->size % TILE_HASHES;
	Datum		values[] = {Int64GetDatum((int64) first), Int64GetDatum((int64) tiles->size), Int64GetDatum(mirror)};
	uint64		n;

	if (mirror == OWN)
		read_rows("SELECT entry FROM secmed.ledger WHERE seq >= $1 AND seq < $2 ORDER BY seq", 2, values);
	else
		read_rows("SELECT entry FROM secmed.mirror_entry WHERE mirror = $3 AND seq >= $1 AND seq < $2 ORDER BY seq",
				  3, values);
	n = SPI_processed;
	for (uint64 i = 0; i < n && n == tiles->size - first; i++)
	{
		uint8		leaf[HASH_BYTES];
		size_t		len;
		const void *bytes = row_bytes(i, 1, &len);

		entry_hash(leaf, bytes, len);
		add_hash(tiles, 0, leaf);
	}
	SPI_freetuptable(SPI_tuptable);
	return n == tiles->size - first;
}

/* What is in no full tile of a level above are roots of full tiles below. */
static bool
load_level(TileBuilder *tiles, int mirror, int level)
{
	uint64		hashes = tiles->size >> (TILE_BITS * level);
	uint8		tile[TILE_HASHES][HASH_BYTES];

	for (uint64 i = hashes - hashes % TILE_HASHES; i < hashes; i++)
	{
		Frontier	below;
		uint8		root[HASH_BYTES];

		if (!read_tile(mirror, level - 1, i, tile))
			return false;
		frontier_start(&below);
		for (int j = 0; j < TILE_HASHES; j++)
			frontier_append(&below, tile[j]);
		frontier_root(root, &below);
		add_hash(tiles, level, root);
	}
	return true;
}

bool
store_mirror_tree(TileBuilder *tiles, int mirror, uint64 size)
{
	tiles->size = size;
	if (!load_leaves(tiles, mirror))
		return false;
	for (int level = 1; level < TILE_LEVELS_MAX; level++)
		if (!load_level(tiles, mirror, level))
			return false;
	return true;
}

bool
store_tree(TileBuilder *tiles, uint64 size)
{
	return store_mirror_tree(tiles, OWN, size);
}

typedef struct StoredTree
{
	TileBuilder *tiles;
	int			mirror;
} StoredTree;

static bool
read_hashes(void *arg, int level, uint64 first, int n, uint8 (*out)[HASH_BYTES])
{
	StoredTree *tree = arg;
	TileBuilder *tiles = tree->tiles;
	uint64		number = first / TILE_HASHES;
	int			at = (int) (first % TILE_HASHES);
	int			width = tile_width(level, number, tiles->size);
	uint8		tile[TILE_HASHES][HASH_BYTES];

	if (at + n > width || (width == TILE_HASHES && !read_tile(tree->mirror, level, number, tile)))
		return false;
	memcpy(out, width == TILE_HASHES ? tile[at] : tiles->tiles[level][at], (size_t) n * HASH_BYTES);
	return true;
}

TileSource
store_mirror_source(TileBuilder *tiles, int mirror)
{
	StoredTree *tree = palloc(sizeof(StoredTree));

	tree->tiles = tiles;
	tree->mirror = mirror;
	return (TileSource) {.read = read_hashes, .arg = tree, .levels = tile_levels(tiles->size)};
}

TileSource
store_source(TileBuilder *tiles)
{
	return store_mirror_source(tiles, OWN);
}
