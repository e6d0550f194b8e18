/*
 * verify.c
 *	  Walks an export of a ledger.
 */
#include "base/base.h"

#include "ledger/walk.h"

#define FILE_HASHES(width)	((size_t) (width) * HASH_BYTES)

bool
walk_fault(Walk *walk, uint64 entry, const char *reason)
{
	VerifyResult *result = walk->result;

	if (result->status == VERIFY_INTACT)
	{
		result->status = VERIFY_VIOLATED;
		result->reason = reason;
		result->has_entry = true;
		result->entry = entry;
	}
	return false;
}

/* Wrong as a whole, at no entry. */
bool
walk_fault_whole(Walk *walk, const char *reason)
{
	walk_fault(walk, 0, reason);
	walk->result->has_entry = false;
	return false;
}

bool
walk_get(const Walk *walk, const char *path, StringInfo out)
{
	resetStringInfo(out);
	return walk->source->get(walk->source->arg, path, out);
}

/* ---- entries ---- */

/* One leaf further, whether its entry is here or archived; the chain is there already. */
static bool
grow(Walk *walk, const uint8 leaf[HASH_BYTES])
{
	tiles_append(&walk->tiles, leaf);
	return walk->result->status == VERIFY_INTACT && walk_check_notes(walk);
}

static bool
check_entry(Walk *walk, const uint8 *bytes, size_t len, const uint8 *stored)
{
	EntryView	entry;
	uint64		seq = walk->chain.next_seq;
	uint8		leaf[HASH_BYTES];
	const char *problem;

	if (!entry_view(&entry, bytes, len, &problem))
		return walk_fault(walk, seq, problem);
	entry_hash(leaf, bytes, len);
	problem = chain_follow(&walk->chain, seq, &entry, leaf);
	if (problem == NULL && memcmp(leaf, stored, HASH_BYTES) != 0)
		problem = "is not the one in the tree";
	if (problem != NULL)
		return walk_fault(walk, seq, problem);
	return walk_take_meaning(walk, &entry) && walk_check_payload(walk, &entry) &&
		walk_check_row(walk, &entry, leaf) && grow(walk, leaf);
}

/* Entries with their lengths before them, and no more. */
static bool
check_bundle(Walk *walk, int width)
{
	const uint8 *at = (const uint8 *) walk->bundle.data;
	const uint8 *end = at + walk->bundle.len;

	for (int i = 0; i < width; i++)
	{
		size_t		len = end - at < 2 ? 0 : (size_t) at[0] << 8 | at[1];

		if (end - at < 2 || (size_t) (end - at - 2) < len)
			return walk_fault(walk, walk->chain.next_seq, "is cut off");
		if (!check_entry(walk, at + 2, len, (const uint8 *) walk->tile.data + FILE_HASHES(i)))
			return false;
		at += 2 + len;
	}
	if (at != end)
		return walk_fault(walk, walk->chain.next_seq, "is not in the tree");
	return !walk->has_rows || walk->rows_at == walk->rows.len ||
		walk_fault(walk, walk->chain.next_seq, "has columns, and is not in the tree");
}

/* Of an archived bundle only the hashes are here. */
static bool
skip_bundle(Walk *walk, int width)
{
	walk->result->archived += width;
	walk->stories.partial = true;
	for (int i = 0; i < width; i++)
	{
		if (walk->has_payload && walk->payload_seq == walk->chain.next_seq)
			return walk_fault(walk, walk->chain.next_seq, "has a body, and is not there or was listed before");
		chain_skip(&walk->chain, (const uint8 *) walk->tile.data + FILE_HASHES(i));
		if (!grow(walk, (const uint8 *) walk->tile.data + FILE_HASHES(i)))
			return false;
	}
	return true;
}

/* The columns of a bundle, which may be exported with it. */
static void
load_rows(Walk *walk, uint64 number, int width)
{
	char		path[TILE_PATH_BYTES];

	tile_path(path, TILE_COLUMNS, number, width);
	walk->has_rows = walk_get(walk, path, &walk->rows);
	walk->rows_at = 0;
	walk->result->rows += walk->has_rows ? width : 0;
}

static bool
walk_bundles(Walk *walk, uint64 archived)
{
	uint64		size = walk->result->head.size;

	for (uint64 number = 0; number * TILE_HASHES < size; number++)
	{
		int			width = tile_width(0, number, size);
		char		path[TILE_PATH_BYTES];

		tile_path(path, 0, number, width);
		if (!walk_get(walk, path, &walk->tile) || walk->tile.len != FILE_HASHES(width))
			return walk_fault(walk, walk->chain.next_seq, "has no hash in the tree");
		tile_path(path, TILE_ENTRIES, number, width);
		if (!walk_get(walk, path, &walk->bundle))
		{
			if (walk->chain.next_seq + width > archived)
				return walk_fault(walk, walk->chain.next_seq, "is missing");
			if (!skip_bundle(walk, width))
				return false;
		}
		else
		{
			load_rows(walk, number, width);
			if (!check_bundle(walk, width))
				return false;
		}
	}
	return true;
}

/* A tile above the leaves' is complete: is it the one that is stored? */
static void
compare_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
	Walk	   *walk = arg;
	char		path[TILE_PATH_BYTES];
	StringInfoData found;
	int			same = 0;

	if (level == 0)
		return;
	tile_path(path, level, number, width);
	initStringInfo(&found);
	walk_get(walk, path, &found);
	if (found.len == FILE_HASHES(width))
		while (same < width && memcmp(found.data + FILE_HASHES(same), hashes[same], HASH_BYTES) == 0)
			same++;
	if (same < width)
		walk_fault(walk, (number * TILE_HASHES + same) << (TILE_BITS * level),
					"is below a stored hash that is wrong");
	pfree(found.data);
}

/* ---- the whole ---- */

static bool
read_head(Walk *walk)
{
	VerifyResult *result = walk->result;
	const char *reason;

	if (!walk_get(walk, EXPORT_CHECKPOINT, &walk->last_note))
	{
		result->status = VERIFY_UNREADABLE;
		result->reason = "has no checkpoint";
		return false;
	}
	if (!checkpoint_from_note(&result->head, &walk->note, walk->last_note.data, walk->last_note.len, &reason))
		return walk_fault_whole(walk, "has a checkpoint that can't be read");
	if (!origin_from_text(&result->origin, result->head.origin) || result->head.size == 0)
	{
		memset(&result->origin, 0, sizeof(result->origin));
		return walk_fault_whole(walk, "has a checkpoint that is not of a ledger");
	}
	return true;
}

static bool
read_archived(Walk *walk, uint64 *archived)
{
	StringInfoData text;
	bool		good;

	initStringInfo(&text);
	*archived = 0;
	good = !walk_get(walk, EXPORT_ARCHIVED, &text) ||
		(text.len > 1 && text.data[text.len - 1] == '\n' &&
		 decimal_read(archived, text.data, text.len - 1, walk->result->head.size) &&
		 *archived % TILE_HASHES == 0);
	pfree(text.data);
	return good || walk_fault_whole(walk, "does not say properly what is archived");
}

static bool
walk_all(Walk *walk)
{
	uint64		archived;

	if (!read_head(walk) || !read_archived(walk, &archived))
		return false;
	chain_start(&walk->chain, walk->result->origin.site);
	walk_get(walk, EXPORT_NOTES, &walk->notes_file);
	walk->notes_at = walk->notes_file.data;
	walk_get(walk, EXPORT_PAYLOADS, &walk->payloads_file);
	walk->payloads_at = walk->payloads_file.data;
	if (!walk_next_note(walk) || !walk_next_payload(walk) || !walk_bundles(walk, archived))
		return false;
	tiles_finish(&walk->tiles);
	if (walk->result->status != VERIFY_INTACT || !walk_check_erased(walk))
		return false;
	memcpy(walk->result->policy, walk->history.logs[walk->last_span].policy, HASH_BYTES);
	return walk->options->policy == NULL || walk->result->anchored > 0 ||
		walk_fault(walk, 0, "is under no note that the given policy accepts");
}

void
verify_export(VerifyResult *result, const VerifySource *source, const VerifyOptions *options)
{
	Walk	   *walk = palloc0(sizeof(Walk));
	Numbers    *lists[] = {&walk->opened, &walk->erased, &walk->erasures};
	StringInfo	files[] = {&walk->tile, &walk->bundle, &walk->rows, &walk->row, &walk->notes_file, &walk->last_note,
	&walk->payloads_file};

	memset(result, 0, sizeof(*result));
	walk->result = result;
	walk->source = source;
	walk->options = options;
	walk->policy_span = walk->last_span = -1;
	for (int i = 0; i < lengthof(files); i++)
		initStringInfo(files[i]);
	tiles_start(&walk->tiles, compare_tile, walk);
	history_start(&walk->history);
	stories_start(&walk->stories);
	walk_all(walk);
	stories_end(&walk->stories, &result->runs);
	for (int i = 0; i < lengthof(files); i++)
		pfree(files[i]->data);
	for (int i = 0; i < lengthof(lists); i++)
		if (lists[i]->at != NULL)
			pfree(lists[i]->at);
	pfree(walk);
}
