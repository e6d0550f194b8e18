/*
 * own.c
 *	  This node's own ledger as its witnesses are to see it.
 */
#include "base/base.h"

#include "audit/archived.h"
#include "audit/standing.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "ledger/store_sql.h"
#include "mirror/own.h"
#include "miscadmin.h"

static HeldNote
one_note(const char *query, uint64 size)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum((int64) size)};

	run_spi(query, SPI_OK_SELECT, 1, types, values, NULL);
	return SPI_processed == 0 ? (HeldNote) {"", 0} : column_note(0, 1);
}

static uint64
one_number(const char *query)
{
	run_spi(query, SPI_OK_SELECT, 0, NULL, NULL, NULL);
	return SPI_processed == 0 ? 0 : column_number(0, 1);
}

bool
own_read(Own *own)
{
	const KeySpan *span;
	const char *reason;
	char	   *policy;

	memset(own, 0, sizeof(*own));
	if (!store_keys(&own->keys, &reason) || own->keys.nlogs == 0)
		return false;
	own->size = one_number("SELECT max(size) FROM secmed.ledger_checkpoint");
	own->certified_size = one_number("SELECT max(size) FROM secmed.ledger_certified");
	own->certified = one_note("SELECT note FROM secmed.ledger_certified WHERE size = $1", own->certified_size);
	span = history_log(&own->keys, own->certified_size);
	policy = own->certified.len > 0 && span != NULL ? store_policy(span) : NULL;
	if (policy != NULL)
		own->policy = (HeldNote) {policy, strlen(policy)};
	else
		own->certified = (HeldNote) {"", 0};
	return true;
}

HeldNote
own_note(uint64 size)
{
	return one_note("SELECT note FROM secmed.ledger_checkpoint WHERE size = $1", size);
}

static uint64
next_step(uint64 held, uint64 target)
{
	Oid			types[] = {INT8OID, INT8OID, INT8OID, INT8OID};
	Datum		values[] = {Int64GetDatum((int64) held), Int64GetDatum((int64) target),
	Int64GetDatum((int64) held + MIRROR_ENTRIES_MAX), Int64GetDatum((int64) held + MIRROR_ENTRIES_LIMIT)};

	/* The largest step that is not too large, else the smallest. */
	run_spi("SELECT coalesce((SELECT max(size) FROM secmed.ledger_checkpoint WHERE size > $1 AND size <= least($2, $3)),"
			" (SELECT min(size) FROM secmed.ledger_checkpoint WHERE size > $1 AND size <= least($2, $4)))",
			SPI_OK_SELECT, 4, types, values, NULL);
	return column_number(0, 1);
}

uint64
own_next(const KeyHistory *keys, uint64 held, uint64 target)
{
	for (int i = keys->nlogs - 1; i >= 0; i--)
		if (keys->logs[i].handed_over && keys->logs[i].above > held && keys->logs[i].above < target)
			target = keys->logs[i].above;
	return next_step(held, target);
}

/* Entry first + at is of an archived bundle: this one and all of it that are not here either. */
static bool
fill_bundle(uint64 first, uint64 n, uint64 at, const uint8 **entries, size_t *lens)
{
	const uint8 *bundle[TILE_HASHES];
	size_t		bundle_lens[TILE_HASHES];
	uint64		number = (first + at) / TILE_HASHES;

	if (!archived_bundle(number, bundle, bundle_lens))
		return false;
	for (; at < n && (first + at) / TILE_HASHES == number; at++)
		if (entries[at] == NULL)
		{
			entries[at] = bundle[(first + at) % TILE_HASHES];
			lens[at] = bundle_lens[(first + at) % TILE_HASHES];
		}
	return true;
}

bool
own_entries(uint64 first, uint64 end, const uint8 ***entries, size_t **lens)
{
	Oid			types[] = {INT8OID, INT8OID};
	Datum		values[] = {Int64GetDatum((int64) first), Int64GetDatum((int64) end)};

	run_spi("SELECT seq, entry FROM secmed.ledger WHERE seq >= $1 AND seq < $2 ORDER BY seq",
			SPI_OK_SELECT, 2, types, values, NULL);
	*entries = palloc0((end - first + 1) * sizeof(uint8 *));
	*lens = palloc0((end - first + 1) * sizeof(size_t));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeldNote	entry = column_note(i, 2);
		uint64		at = column_number(i, 1) - first;

		(*entries)[at] = (const uint8 *) entry.bytes;
		(*lens)[at] = entry.len;
	}
	for (uint64 i = 0; i < end - first; i++)
		if ((*entries)[i] == NULL && !fill_bundle(first, end - first, i, *entries, *lens))
			return false;
	return true;
}

Policy *
own_policy(const KeyHistory *keys, uint64 size)
{
	const KeySpan *span = history_log(keys, size);
	Policy	   *policy = span == NULL ? NULL : store_parsed_policy(span);

	return policy == NULL || policy->quorum < 0 ? NULL : policy;
}

/* What can be said of a checkpoint of this ledger without its entries. */
static const char *
claim_problem(const KeyHistory *keys, const Note *note, const Checkpoint *head, uint64 entries)
{
	Origin		origin;

	if (!origin_from_text(&origin, head->origin) || strcmp(origin.site, keys->origin.site) != 0)
		return NULL;			/* not even of this node: nobody's claim */
	if (!origin_same_ledger(&origin, &keys->origin))
		return psprintf("holds another ledger of this node, with " UINT64_FORMAT " entries", head->size);
	for (int i = 0; i < keys->nlogs; i++)
	{
		uint64		time;

		if (strcmp(keys->logs[i].key.name, head->origin) == 0 &&
			note_check(note, &keys->logs[i].key, &time) != NOTE_SIGNED)
			return NULL;		/* we have not signed that */
	}
	if (head->size > entries)
		return psprintf("holds " UINT64_FORMAT " entries of this ledger, and " UINT64_FORMAT " are here",
						head->size, entries);
	return "";
}

const char *
own_problem(const KeyHistory *keys, const void *bytes, size_t len)
{
	Note	   *note = palloc(sizeof(Note));
	TileBuilder *tiles = palloc(sizeof(TileBuilder));
	uint64		entries = one_number("SELECT max(seq) + 1 FROM secmed.ledger");
	uint8		root[HASH_BYTES];
	Checkpoint	head;
	TileSource	source;
	const char *reason;

	if (!checkpoint_from_note(&head, note, bytes, len, &reason))
		return NULL;
	reason = claim_problem(keys, note, &head, entries);
	if (reason == NULL || reason[0] != '\0')
		return reason;
	tiles_start(tiles, NULL, NULL);
	if (!store_tree(tiles, entries))
		return "can't be answered: an entry or a tile of this ledger is missing";
	source = store_source(tiles);
	if (!merkle_root(root, &source, head.size) || memcmp(root, head.root, HASH_BYTES) != 0)
		return psprintf("holds other entries of this ledger below " UINT64_FORMAT " than those that are here", head.size);
	return NULL;
}

void
own_certify(const Checkpoint *head, const StringInfoData *note)
{
	Oid			types[] = {INT8OID, BYTEAOID};
	Datum		values[] = {Int64GetDatum((int64) head->size), bytes_datum(note->data, note->len)};

	run_spi("INSERT INTO secmed.ledger_certified (size, note) VALUES ($1, $2)"
			" ON CONFLICT (size) DO UPDATE SET note = EXCLUDED.note", SPI_OK_INSERT, 2, types, values, NULL);
}
