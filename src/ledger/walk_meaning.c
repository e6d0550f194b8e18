/*
 * walk_meaning.c
 *	  What the entries of an export say: keys, heads, erasures, runs; and the
 *	  columns that were exported beside them.
 */
#include "base/base.h"

#include "ledger/columns.h"
#include "ledger/review.h"
#include "ledger/walk.h"

static bool
take_head(Walk *walk, const LedgerEntry *entry)
{
	VerifyResult *result = walk->result;
	const char *problem = head_problem(entry);
	QuotedHead *quote;

	if (problem != NULL)
		return walk_fault(walk, entry->seq, problem);
	if (result->nquotes == result->quotes_room)
	{
		result->quotes_room = Max(result->quotes_room * 2, 64);
		if (result->quotes == NULL)
			result->quotes = palloc(result->quotes_room * sizeof(QuotedHead));
		else
			result->quotes = repalloc(result->quotes, result->quotes_room * sizeof(QuotedHead));
	}
	quote = &result->quotes[result->nquotes++];
	quote->entry = entry->seq;
	quote->size = entry->counters[0];
	memcpy(quote->root, entry->plan, HASH_BYTES);
	origin_from_text(&quote->origin, entry->object);
	return true;
}

static bool
take_key(Walk *walk, const LedgerEntry *entry)
{
	const char *problem;
	int			nlogs = walk->history.nlogs;

	if (!history_accept(&walk->history, entry, &problem))
		return walk_fault(walk, entry->seq, problem);
	if (walk->history.nlogs > nlogs && walk->history.logs[nlogs].handed_over)
		walk->due = entry->seq + 1;
	walk->result->keys = walk->history.nlogs;
	return true;
}

/* The stored leaf hash of an entry before this one: in this bundle's tile, or another's. */
static bool
stored_leaf(Walk *walk, uint64 seq, uint8 leaf[HASH_BYTES])
{
	uint64		number = seq / TILE_HASHES;
	size_t		offset = (size_t) (seq % TILE_HASHES) * HASH_BYTES;
	char		path[TILE_PATH_BYTES];
	StringInfoData tile;
	bool		found;

	tile_path(path, 0, number, tile_width(0, number, walk->result->head.size));
	initStringInfo(&tile);
	found = walk_get(walk, path, &tile) && offset + HASH_BYTES <= (size_t) tile.len;
	if (found)
		memcpy(leaf, tile.data + offset, HASH_BYTES);
	pfree(tile.data);
	return found;
}

static bool
take_review(Walk *walk, const LedgerEntry *entry)
{
	const char *problem = review_problem(entry);
	uint8		leaf[HASH_BYTES];

	if (problem == NULL && (!stored_leaf(walk, entry->counters[entry->ncounters - 1], leaf) ||
							memcmp(leaf, entry->plan, HASH_BYTES) != 0))
		problem = "is about a review of other entries";
	if (problem != NULL)
		return walk_fault(walk, entry->seq, problem);
	walk->result->reviews++;
	return true;
}

static bool
take_ledger_kind(Walk *walk, const EntryView *view)
{
	LedgerEntry entry;
	bool		good;

	entry_from_view(&entry, view);
	good = view->kind == ENTRY_KEY ? take_key(walk, &entry)
		: view->kind == ENTRY_HEAD ? take_head(walk, &entry)
		: view->kind == ENTRY_REVIEWED ? take_review(walk, &entry)
		: walk_take_erased(walk, &entry);
	entry_forget(&entry);
	return good;
}

bool
walk_take_meaning(Walk *walk, const EntryView *entry)
{
	switch (entry->kind)
	{
		case ENTRY_KEY:
		case ENTRY_HEAD:
		case ENTRY_ERASED:
		case ENTRY_REVIEWED:
			return take_ledger_kind(walk, entry);
		default:
			stories_take(&walk->stories, entry);
			return true;
	}
}

/* The columns are what the bytes say, written again. */
bool
walk_check_row(Walk *walk, const EntryView *entry, const uint8 leaf[HASH_BYTES])
{
	size_t		left = (size_t) walk->rows.len - walk->rows_at;

	if (!walk->has_rows)
		return true;
	resetStringInfo(&walk->row);
	columns_write(&walk->row, entry, leaf);
	if (left < (size_t) walk->row.len ||
		memcmp(walk->rows.data + walk->rows_at, walk->row.data, walk->row.len) != 0)
		return walk_fault(walk, entry->seq, "has other columns than its bytes say");
	walk->rows_at += walk->row.len;
	return true;
}
