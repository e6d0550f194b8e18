/*
 * across.c
 *	  Several exports beside each other: do their ledgers agree?
 */
#include "base/base.h"

#include "ledger/verify.h"

/* Tiles are read one at a time, and the last of each level is kept. */
typedef struct StoredTiles
{
	const VerifySource *source;
	uint64		size;
	struct
	{
		bool		is_here;
		uint64		number;
		StringInfoData bytes;
	}			levels[TILE_LEVELS_MAX];
} StoredTiles;

static bool
read_tile(void *arg, int level, uint64 first, int n, uint8 (*out)[HASH_BYTES])
{
	StoredTiles *tiles = arg;
	uint64		number = first / TILE_HASHES;
	size_t		offset = (size_t) (first % TILE_HASHES) * HASH_BYTES;
	char		path[TILE_PATH_BYTES];

	if (!tiles->levels[level].is_here || tiles->levels[level].number != number)
	{
		StringInfo	bytes = &tiles->levels[level].bytes;
		int			width = tile_width(level, number, tiles->size);

		if (bytes->data == NULL)
			initStringInfo(bytes);
		resetStringInfo(bytes);
		tile_path(path, level, number, width);
		tiles->levels[level].is_here = width > 0 && tiles->source->get(tiles->source->arg, path, bytes);
		tiles->levels[level].number = number;
	}
	if (!tiles->levels[level].is_here ||
		offset + (size_t) n * HASH_BYTES > (size_t) tiles->levels[level].bytes.len)
		return false;
	memcpy(out, tiles->levels[level].bytes.data + offset, (size_t) n * HASH_BYTES);
	return true;
}

TileSource
verify_tiles(const VerifySource *source, uint64 size)
{
	StoredTiles *tiles = palloc0(sizeof(StoredTiles));
	TileSource	result = {read_tile, tiles, tile_levels(size)};

	tiles->source = source;
	tiles->size = size;
	return result;
}

static void
violated(VerifyResult *result, uint64 entry, const char *reason)
{
	if (result->status != VERIFY_INTACT)
		return;
	result->status = VERIFY_VIOLATED;
	result->reason = reason;
	result->has_entry = true;
	result->entry = entry;
}

static bool
same_prefix(const TileSource *a, const TileSource *b, uint64 size)
{
	uint8		roots[2][HASH_BYTES];

	return merkle_root(roots[0], a, size) && merkle_root(roots[1], b, size) &&
		memcmp(roots[0], roots[1], HASH_BYTES) == 0;
}

/* The first entry in which two ledgers, both of size or more, differ. */
static uint64
first_difference(const TileSource *a, const TileSource *b, uint64 size)
{
	uint64		same = 0;

	/* Invariant: prefixes of same entries agree, those of size do not. */
	while (size - same > 1)
	{
		uint64		middle = same + (size - same) / 2;

		if (same_prefix(a, b, middle))
			same = middle;
		else
			size = middle;
	}
	return same;
}

/* Two copies: the shorter is the beginning of the longer, or both are accused. */
static void
compare_copies(VerifyResult *a, const TileSource *a_tiles, VerifyResult *b, const TileSource *b_tiles)
{
	uint64		size = Min(a->head.size, b->head.size);
	uint64		entry;

	if (!origin_same_ledger(&a->origin, &b->origin) || same_prefix(a_tiles, b_tiles, size))
		return;
	entry = first_difference(a_tiles, b_tiles, size);
	violated(a, entry, "differs between two copies of this ledger");
	violated(b, entry, "differs between two copies of this ledger");
}

static void
check_quote(VerifyResult *quoting, const QuotedHead *quote, VerifyResult *quoted, const TileSource *tiles)
{
	uint8		root[HASH_BYTES];

	if (!origin_same_ledger(&quote->origin, &quoted->origin))
		return;
	if (quote->size > quoted->head.size)
	{
		violated(quoted, quoted->head.size, "is missing, and another ledger has seen it certified");
		return;
	}
	if (!merkle_root(root, tiles, quote->size) || memcmp(root, quote->root, HASH_BYTES) != 0)
	{
		violated(quoted, quote->size - 1, "is below a head that another ledger has seen otherwise");
		return;
	}
	quoting->quotes_checked++;
}

void
verify_across(VerifyResult *results, const VerifySource *sources, int n)
{
	TileSource *tiles = palloc(n * sizeof(TileSource));
	bool	   *intact = palloc(n * sizeof(bool));

	for (int i = 0; i < n; i++)
	{
		intact[i] = results[i].status == VERIFY_INTACT;
		tiles[i] = verify_tiles(&sources[i], results[i].head.size);
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			if (intact[i] && intact[j])
				compare_copies(&results[j], &tiles[j], &results[i], &tiles[i]);
	for (int i = 0; i < n; i++)
		for (int q = 0; intact[i] && q < results[i].nquotes; q++)
			for (int j = 0; j < n; j++)
				if (intact[j])
					check_quote(&results[i], &results[i].quotes[q], &results[j], &tiles[j]);
}
