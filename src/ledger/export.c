/*
 * export.c
 *	  Writing a ledger as tiles.
 */
#include "base/base.h"

#include "ledger/columns.h"
#include "ledger/export.h"
#include "ledger/note.h"

void
tile_path(char out[TILE_PATH_BYTES], int level, uint64 number, int width)
{
	char		digits[32];
	char	   *at = out;
	char	   *end = out + TILE_PATH_BYTES;
	int			ndigits = snprintf(digits, sizeof(digits), "%03llu", (unsigned long long) number);
	int			groups = (ndigits + 2) / 3;

	/* Zeros in front fill the first group. */
	snprintf(digits, sizeof(digits), "%0*llu", groups * 3, (unsigned long long) number);
	if (level == TILE_ENTRIES)
		at += snprintf(at, end - at, "tile/entries/");
	else if (level == TILE_COLUMNS)
		at += snprintf(at, end - at, "csv/");
	else
		at += snprintf(at, end - at, "tile/%d/", level);
	for (int i = 0; i < groups; i++)
		at += snprintf(at, end - at, "%s%.3s%s", i < groups - 1 ? "x" : "", digits + 3 * i,
					   i < groups - 1 ? "/" : "");
	if (width < TILE_HASHES)
		snprintf(at, end - at, ".p/%d", width);
}

void
policy_path(char out[POLICY_PATH_BYTES], const uint8 hash[HASH_BYTES])
{
	int			at = snprintf(out, POLICY_PATH_BYTES, "policy/");

	for (int i = 0; i < HASH_BYTES; i++)
		at += snprintf(out + at, POLICY_PATH_BYTES - at, "%02x", hash[i]);
}

int
tile_width(int level, uint64 number, uint64 size)
{
	uint64		hashes = size >> (TILE_BITS * Max(level, 0));

	if (number >= (hashes + TILE_HASHES - 1) / TILE_HASHES)
		return 0;
	return (int) Min(hashes - number * TILE_HASHES, TILE_HASHES);
}

int
tile_levels(uint64 size)
{
	int			levels = 1;

	while (levels < TILE_LEVELS_MAX && size >> (TILE_BITS * levels) > 0)
		levels++;
	return levels;
}

void
tiles_start(TileBuilder *tiles, TileTaker take, void *arg)
{
	tiles->take = take;
	tiles->arg = arg;
	tiles->size = 0;
	for (int level = 0; level < TILE_LEVELS_MAX; level++)
		frontier_start(&tiles->frontiers[level]);
}

/* Each full tile leaves its root one level up. */
void
tiles_append(TileBuilder *tiles, const uint8 leaf[HASH_BYTES])
{
	uint64		number = tiles->size++;
	uint8		hash[HASH_BYTES];

	memcpy(hash, leaf, HASH_BYTES);
	for (int level = 0; level < TILE_LEVELS_MAX; level++)
	{
		memcpy(tiles->tiles[level][number % TILE_HASHES], hash, HASH_BYTES);
		frontier_append(&tiles->frontiers[level], hash);
		if (number % TILE_HASHES != TILE_HASHES - 1)
			return;
		number /= TILE_HASHES;
		tiles->take(tiles->arg, level, number, TILE_HASHES,
					(const uint8 (*)[HASH_BYTES]) tiles->tiles[level]);
		frontier_root(hash, &tiles->frontiers[level]);
		frontier_start(&tiles->frontiers[level]);
	}
}

/* What is right of a level's tile are the lower levels'. */
void
tiles_root(uint8 out[HASH_BYTES], const TileBuilder *tiles)
{
	bool		any = false;

	for (int level = 0; level < TILE_LEVELS_MAX; level++)
	{
		if (tiles->frontiers[level].size == 0)
			continue;
		if (any)
			frontier_root_with(out, &tiles->frontiers[level], out);
		else
			frontier_root(out, &tiles->frontiers[level]);
		any = true;
	}
	if (!any)
		hash_bytes(out, "", 0);
}

void
tiles_finish(TileBuilder *tiles)
{
	for (int level = 0; level < TILE_LEVELS_MAX; level++)
	{
		uint64		hashes = tiles->size >> (TILE_BITS * level);
		int			width = (int) (hashes % TILE_HASHES);

		if (width > 0)
			tiles->take(tiles->arg, level, hashes / TILE_HASHES, width,
						(const uint8 (*)[HASH_BYTES]) tiles->tiles[level]);
	}
}

/* ---- the writer ---- */

static void
put_file(ExportWriter *writer, int level, uint64 number, int width, const void *bytes, size_t len)
{
	char		path[TILE_PATH_BYTES];

	tile_path(path, level, number, width);
	writer->sink.put(writer->sink.arg, path, bytes, len);
}

static void
put_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
	put_file(arg, level, number, width, hashes, (size_t) width * HASH_BYTES);
}

void
export_start(ExportWriter *writer, ExportSink sink, uint64 archived)
{
	if (archived % TILE_HASHES != 0)
		fail(ERRCODE_SECMED_LEDGER, "entries are archived in bundles of %d", TILE_HASHES);
	writer->sink = sink;
	writer->archived = archived;
	writer->with_columns = false;
	writer->nbundle = 0;
	initStringInfo(&writer->bundle);
	initStringInfo(&writer->rows);
	tiles_start(&writer->tiles, put_tile, writer);
}

/* A bundle is whole, or left out and below what is archived. */
static void
finish_bundle(ExportWriter *writer)
{
	uint64		size = writer->tiles.size;
	int			width = (int) ((size - 1) % TILE_HASHES) + 1;

	if (writer->nbundle == 0 ? size > writer->archived : writer->nbundle != width)
		fail(ERRCODE_SECMED_LEDGER, "a bundle of entries is written as a whole, or archived as a whole");
	if (writer->nbundle > 0)
		put_file(writer, TILE_ENTRIES, (size - 1) / TILE_HASHES, width, writer->bundle.data, writer->bundle.len);
	if (writer->rows.len > 0)
		put_file(writer, TILE_COLUMNS, (size - 1) / TILE_HASHES, width, writer->rows.data, writer->rows.len);
	writer->nbundle = 0;
	resetStringInfo(&writer->bundle);
	resetStringInfo(&writer->rows);
}

void
export_leaf(ExportWriter *writer, const uint8 leaf[HASH_BYTES])
{
	tiles_append(&writer->tiles, leaf);
	if (writer->tiles.size % TILE_HASHES == 0)
		finish_bundle(writer);
}

void
export_entry(ExportWriter *writer, const void *bytes, size_t len)
{
	uint8		prefix[2] = {(uint8) (len >> 8), (uint8) len};
	uint8		leaf[HASH_BYTES];
	EntryView	view;
	const char *reason;

	if (len > LEDGER_ENTRY_BYTES_MAX)
		fail(ERRCODE_SECMED_LEDGER, "an entry of %zu bytes is longer than %d bytes", len, LEDGER_ENTRY_BYTES_MAX);
	appendBinaryStringInfo(&writer->bundle, (char *) prefix, sizeof(prefix));
	appendBinaryStringInfo(&writer->bundle, bytes, (int) len);
	writer->nbundle++;
	entry_hash(leaf, bytes, len);
	if (writer->with_columns && entry_view(&view, bytes, len, &reason))
		columns_write(&writer->rows, &view, leaf);
	export_leaf(writer, leaf);
}

void
export_finish(ExportWriter *writer)
{
	char		archived[32];

	tiles_finish(&writer->tiles);
	if (writer->tiles.size % TILE_HASHES != 0)
		finish_bundle(writer);
	pfree(writer->bundle.data);
	pfree(writer->rows.data);
	if (writer->archived == 0)
		return;
	snprintf(archived, sizeof(archived), UINT64_FORMAT "\n", writer->archived);
	writer->sink.put(writer->sink.arg, EXPORT_ARCHIVED, archived, strlen(archived));
}

void
export_opened(StringInfo out, uint64 seq, const uint8 *salt, const void *payload, size_t len)
{
	appendStringInfo(out, UINT64_FORMAT " opened ", seq);
	base64_write(out, salt, SALT_BYTES);
	appendStringInfoChar(out, ' ');
	base64_write(out, payload, len);
	appendStringInfoChar(out, '\n');
}

void
export_erased(StringInfo out, uint64 seq, uint64 by_entry)
{
	appendStringInfo(out, UINT64_FORMAT " erased " UINT64_FORMAT "\n", seq, by_entry);
}

void
export_note(StringInfo out, const char *note)
{
	if (out->len > 0)
		appendStringInfoChar(out, '\n');
	appendStringInfoString(out, note);
}
