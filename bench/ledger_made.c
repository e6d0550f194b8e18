/*
 * ledger_made.c
 *	  A ledger of n entries, as a busy node leaves it: for bench/ledger_verify
 *	  and bench/ledger_search.
 *
 *	  ledger_made ENTRIES DIRECTORY [SITE]
 *
 * Four entries a run (request, decision, execution, outcome), with the texts
 * and hashes of a real one, written by the code that the sequencer and
 * export_ledger() use.  DIRECTORY/export is the export; ledger.copy, tile.copy
 * and checkpoint.copy are the rows of the tables, as COPY BINARY reads them.
 *
 * With SITE that is the node's name, there is no export, and the entries are of a
 * longer life: nine seconds apart, of 200 people and 20 tables, one run of a
 * thousand refused, and after each ten thousand entries a GRANT.
 */
#include "base/base.h"

#include <sodium.h>
#include <sys/stat.h>

#include "ledger/entry.h"
#include "ledger/export.h"
#include "ledger/history.h"
#include "ledger/note.h"

#define AT_US	INT64CONST(1700000000000000)

static const char *directory;
static const char *site = "lmu";
static bool long_life = false;

/* ---- files ---- */

static FILE *
open_file(const char *path)
{
	char	   *full = psprintf("%s/%s", directory, path);
	FILE	   *file;

	for (char *slash = strchr(full + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
	{
		*slash = '\0';
		mkdir(full, 0777);
		*slash = '/';
	}
	file = fopen(full, "wb");
	if (file == NULL)
		fail(ERRCODE_IO_ERROR, "can't write \"%s\": %s", full, strerror(errno));
	pfree(full);
	return file;
}

static void
put(FILE *file, const void *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, file) != len)
		fail(ERRCODE_IO_ERROR, "can't write: %s", strerror(errno));
}

static void
close_file(FILE *file)
{
	if (fclose(file) != 0)
		fail(ERRCODE_IO_ERROR, "can't write: %s", strerror(errno));
}

static void
put_export(void *arg, const char *path, const void *bytes, size_t len)
{
	char	   *inside = psprintf("export/%s", path);
	FILE	   *file;

	if (long_life)
		return;
	file = open_file(inside);
	put(file, bytes, len);
	close_file(file);
	pfree(inside);
}

/* ---- rows, for COPY BINARY ---- */

static void
put_number(FILE *file, uint64 value, int bytes)
{
	uint8		out[8];

	for (int i = 0; i < bytes; i++)
		out[i] = (uint8) (value >> (8 * (bytes - 1 - i)));
	put(file, out, bytes);
}

static FILE *
open_copy(const char *path)
{
	FILE	   *file = open_file(path);

	put(file, "PGCOPY\n\377\r\n\0", 11);
	put_number(file, 0, 8);
	return file;
}

static void
put_bytes(FILE *file, const void *bytes, size_t len)
{
	put_number(file, len, 4);
	put(file, bytes, len);
}

static void
put_integer(FILE *file, uint64 value, int bytes)
{
	put_number(file, bytes, 4);
	put_number(file, value, bytes);
}

static void
close_copy(FILE *file)
{
	put_number(file, 0xffff, 2);
	close_file(file);
}

static void
put_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
	FILE	   *file = arg;

	if (width < TILE_HASHES)
		return;
	put_number(file, 3, 2);
	put_integer(file, level, 4);
	put_integer(file, number, 8);
	put_bytes(file, hashes, TILE_HASHES * HASH_BYTES);
}

/* ---- entries ---- */

/* The four entries of a run, in turn. */
static void
make_entry(LedgerEntry *entry, uint64 seq)
{
	static const EntryKind kinds[] = {ENTRY_REQUEST, ENTRY_DECISION, ENTRY_EXECUTION, ENTRY_OUTCOME};
	static const char *const outcomes[] = {"asked", "yes", "shared", "opened"};
	static const char *const revealed[] = {
		"", "", "secret shares, sealed to the three parties",
		"to research:alice, of each group with at least 11 patients: counts, sums, sums of squares"
	};
	uint64		number = seq / 4;
	int			step = (int) (seq % 4);

	memset(entry, 0, sizeof(*entry));
	entry->kind = kinds[step];
	entry->actor = "research:alice";
	entry->object = "trial";
	entry->outcome = outcomes[step];
	entry->revealed = revealed[step];
	entry->has_run = entry->has_plan = true;
	hash_bytes(entry->plan, &number, sizeof(number));
	memcpy(entry->run, entry->plan, RUN_ID_BYTES);
	entry->ncounters = 4;
	entry->counters[0] = 12;
	entry->counters[1] = 480;
	entry->counters[2] = 11;
	entry->counters[3] = 3;
	entry->has_commitment = step == 0;
	if (step == 0)
		hash_bytes(entry->commitment, entry->plan, HASH_BYTES);
}

/* What such an entry says in a longer life.  Knuth's multiplier spreads the runs (1998, section 6.4). */
static void
vary_entry(LedgerEntry *entry, uint64 seq)
{
	static char actor[32];
	static char object[32];
	uint32		spread = (uint32) (seq / 4) * 2654435761U;

	snprintf(actor, sizeof(actor), "research:person%u", (spread >> 8) % 200);
	snprintf(object, sizeof(object), "table%u", (spread >> 16) % 20);
	entry->actor = actor;
	entry->object = object;
	if (entry->kind == ENTRY_OUTCOME && seq / 4 % 1000 == 7)
	{
		entry->outcome = "refused SM003";
		entry->revealed = "";
	}
	if (seq % 10000 == 9999)
	{
		memset(entry, 0, sizeof(*entry));
		entry->kind = ENTRY_CHANGE;
		entry->actor = "admin";
		entry->object = "clinic.trial";
		entry->outcome = "asked";
		entry->revealed = "GRANT";
		entry->ncounters = 1;
		entry->counters[0] = 1;
	}
}

static void
make_key(LedgerEntry *entry, NoteKey *key, uint8 *secret)
{
	static const uint8 seed[32] = {1};
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint8		policy[HASH_BYTES];
	char		path[POLICY_PATH_BYTES];
	char	   *text;
	KeyHistory *history = palloc(sizeof(KeyHistory));

	crypto_sign_seed_keypair(public_key, secret, seed);
	note_key_make(key, psprintf("secmed.bench/%s/01234567-89ab-cdef-0123-456789abcdef/1", site), NOTE_LOG, public_key);
	text = psprintf("log %s\nquorum none\n", note_key_to_text(key));
	hash_bytes(policy, text, strlen(text));
	policy_path(path, policy);
	put_export(NULL, path, text, strlen(text));
	history_start(history);
	history_make(entry, history, "first", key, secret, NULL, policy);
	pfree(history);
}

static void
write_checkpoint(const TileBuilder *tiles, const NoteKey *key, const uint8 *secret)
{
	Checkpoint	head = {.size = tiles->size};
	StringInfoData note;
	FILE	   *copy = open_copy("checkpoint.copy");
	char	   *text;

	strlcpy(head.origin, key->name, sizeof(head.origin));
	tiles_root(head.root, tiles);
	text = checkpoint_text(&head);
	initStringInfo(&note);
	note_begin(&note, text);
	note_sign(&note, text, key, secret, 0);
	put_export(NULL, EXPORT_CHECKPOINT, note.data, note.len);
	put_number(copy, 2, 2);
	put_integer(copy, head.size, 8);
	put_bytes(copy, note.data, note.len);
	close_copy(copy);
}

static void
make_ledger(uint64 n)
{
	NoteKey		key;
	uint8		secret[SIGN_SECRET_BYTES];
	ExportWriter *writer = palloc(sizeof(ExportWriter));
	TileBuilder *tiles = palloc(sizeof(TileBuilder));
	FILE	   *ledger = open_copy("ledger.copy");
	FILE	   *tile = open_copy("tile.copy");
	LedgerEntry entry;
	uint8		leaf[HASH_BYTES] = {0};
	StringInfoData bytes;

	initStringInfo(&bytes);
	export_start(writer, (ExportSink) {.put = put_export}, 0);
	tiles_start(tiles, put_tile, tile);
	for (uint64 seq = 0; seq < n; seq++)
	{
		if (seq == 1)
			make_key(&entry, &key, secret);
		else
			make_entry(&entry, seq);
		if (seq == 0)
			entry.kind = ENTRY_NODE_CREATED;
		else if (seq > 1 && long_life)
			vary_entry(&entry, seq);
		entry.site = site;
		entry.seq = seq;
		entry.at_us = AT_US + (int64) seq * (long_life ? 9000000 : 1000);
		memcpy(entry.prev, leaf, HASH_BYTES);
		resetStringInfo(&bytes);
		entry_encode(&bytes, &entry);
		entry_hash(leaf, bytes.data, bytes.len);
		if (!long_life)
			export_entry(writer, bytes.data, bytes.len);
		tiles_append(tiles, leaf);
		put_number(ledger, 2, 2);
		put_integer(ledger, seq, 8);
		put_bytes(ledger, bytes.data, bytes.len);
	}
	if (!long_life)
		export_finish(writer);
	write_checkpoint(tiles, &key, secret);
	close_copy(ledger);
	close_copy(tile);
}

int
main(int argc, char **argv)
{
	jmp_buf		failed;

	if (argc < 3 || argc > 4 || atoll(argv[1]) < 2)
	{
		fprintf(stderr, "usage: ledger_made ENTRIES DIRECTORY [SITE]\n");
		return 2;
	}
	if (setjmp(failed) != 0)
	{
		fprintf(stderr, "ledger_made: %s\n", fail_message);
		return 1;
	}
	fail_handler = &failed;
	if (sodium_init() < 0)
		fail(ERRCODE_INTERNAL_ERROR, "libsodium can't start");
	directory = argv[2];
	long_life = argc == 4;
	if (long_life)
		site = argv[3];
	make_ledger((uint64) atoll(argv[1]));
	return 0;
}
