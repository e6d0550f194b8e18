/*
 * test_export.c
 *	  Exports of ledgers: whole ones verify; whatever is changed is found, at
 *	  its place.  With a directory as argument, writes the ledgers there
 *	  (test/peers/verify reads them) and stops.
 */
#include "base/base.h"

#include <sys/stat.h>

#include "../memory.h"
#include "ledger/columns.h"
#include "ledgers.h"
#include "vectors.h"

static Ledger charite;
static Ledger lmu;
static Ledger small;
static Files charite_files;
static Files lmu_files;
static Files small_files;

static void
make_ledgers(void)
{
	make_lmu(&lmu, NULL);
	make_charite(&charite, &lmu);
	make_lmu(&lmu, &charite);
	make_small(&small);
	export_ledger(&charite_files, &charite, 0);
	export_ledger(&lmu_files, &lmu, 0);
	export_ledger(&small_files, &small, 0);
}

/* ---- to a directory ---- */

static void
write_file(const char *path, const void *bytes, size_t len)
{
	char	   *copy = pstrdup(path);
	FILE	   *out;

	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
	{
		*slash = '\0';
		mkdir(copy, 0777);
		*slash = '/';
	}
	out = fopen(path, "wb");
	if (out == NULL || fwrite(bytes, 1, len, out) != len || fclose(out) != 0)
		abort();
}

static void
write_files(const char *directory, const char *name, const Files *files)
{
	for (int i = 0; i < files->n; i++)
		write_file(psprintf("%s/%s/%s", directory, name, files->paths[i]),
				   files->bytes[i].data, files->bytes[i].len);
}

/* Proofs of an entry and of a fork, with the policy to check them under. */
static void
write_proofs(const char *directory)
{
	LeafArray	array = {(const uint8 (*)[HASH_BYTES]) charite.leaves, charite.size};
	TileSource	source = merkle_leaves(&array);
	Ledger	   *other = palloc(sizeof(Ledger));
	MerkleProof path;
	StringInfoData out;
	const char *reason;
	StringInfo	policy = &charite.policies[charite.npolicies - 1];

	write_file(psprintf("%s/policy", directory), policy->data, policy->len);
	initStringInfo(&out);
	if (!merkle_inclusion(&path, &source, 333, charite.size))
		abort();
	proof_write(&out, charite.entries[333].data, charite.entries[333].len, 333, &path, charite.last_note.data);
	write_file(psprintf("%s/entry.tlog-proof", directory), out.data, out.len);

	/* Another history: the same up to 460, then something else. */
	*other = charite;
	initStringInfo(&other->notes);
	initStringInfo(&other->last_note);
	other->size = 460;
	frontier_load(&other->frontier, &source, 460);
	for (int i = 0; i < 40; i++)
		ledger_append(other, plain_entry(ENTRY_REQUEST));
	ledger_note(other, &other->key, other->secret, peers_of_charite, 1);
	resetStringInfo(&out);
	if (!fork_prove(&out, charite.last_note.data, charite.last_note.len, other->last_note.data,
					other->last_note.len, &source, &reason))
		abort();
	write_file(psprintf("%s/fork", directory), out.data, out.len);
}

/* ---- the bytes of test/vectors/ledger ---- */

static void
check_bytes(const char *name, const void *found, size_t len)
{
	StringInfoData expected = vector_bytes("ledger", name);

	check(expected.len == len && memcmp(expected.data, found, len) == 0, "ledger: %s", name);
}

static void
test_vectors(void)
{
	uint8		root[HASH_BYTES];

	frontier_root(root, &small.frontier);
	check_bytes("first", small.entries[1].data, small.entries[1].len);
	check_bytes("erased", small.entries[6].data, small.entries[6].len);
	check_bytes("rotated", small.entries[7].data, small.entries[7].len);
	check_bytes("notes", small.notes.data, small.notes.len);
	check_bytes("head", small.last_note.data, small.last_note.len);
	check_bytes("root", root, HASH_BYTES);
	check_bytes("policy", small.policies[0].data, small.policies[0].len);
	check_bytes("payloads", small.payloads.data, small.payloads.len);
}

/* ---- whole ---- */

static void
test_whole(void)
{
	Files	   *files[] = {&charite_files, &lmu_files};
	VerifySource sources[] = {{get_file, &charite_files}, {get_file, &lmu_files}};
	VerifyResult results[2];
	Policy	   *policy = palloc(sizeof(Policy));
	const char *reason;

	for (int i = 0; i < 2; i++)
		results[i] = verify_files(files[i], NULL);
	check(results[0].status == VERIFY_INTACT, "charite is intact: %s at " UINT64_FORMAT,
		  results[0].reason ? results[0].reason : "", results[0].entry);
	check(results[0].keys == 4 && results[0].notes > 12 && results[0].opened > 30 && results[0].erased > 1 &&
		  results[0].withheld > 20 && results[0].silence_s > 0, "and was looked at");
	check(results[0].reviews == 2 && results[0].rows == 0 && results[1].rows == 300, "with its reviews, and lmu's columns");
	check(results[0].runs.requests > 150 && results[0].runs.open > 0 && results[0].runs.open < 100 &&
		  results[0].runs.unfounded > 0 && results[0].runs.first_unfounded == 3,
		  "runs are told: " UINT64_FORMAT ", open " UINT64_FORMAT ", unfounded " UINT64_FORMAT " from " UINT64_FORMAT,
		  results[0].runs.requests, results[0].runs.open, results[0].runs.unfounded, results[0].runs.first_unfounded);
	check(results[1].status == VERIFY_INTACT, "lmu is intact: %s at " UINT64_FORMAT,
		  results[1].reason ? results[1].reason : "", results[1].entry);
	verify_across(results, sources, 2);
	check(results[0].status == VERIFY_INTACT && results[1].status == VERIFY_INTACT &&
		  results[0].quotes_checked == results[0].nquotes && results[1].quotes_checked == results[1].nquotes &&
		  results[0].nquotes > 5 && results[1].nquotes > 2, "each is what the other has seen");
	check(policy_parse(policy, charite.policies[3].data, charite.policies[3].len, &reason), "its newest policy is read");
	results[0] = verify_files(&charite_files, policy);
	check(results[0].status == VERIFY_INTACT && results[0].anchored == 600, "and accepts all of it");
	check(policy_parse(policy, charite.policies[0].data, charite.policies[0].len, &reason), "its first policy is read");
	results[0] = verify_files(&charite_files, policy);
	check(results[0].status == VERIFY_INTACT && results[0].anchored == 301, "and accepts it up to the second key");
	check(policy_parse(policy, lmu.policies[0].data, lmu.policies[0].len, &reason), "another's policy is read");
	results[0] = verify_files(&charite_files, policy);
	check(results[0].status == VERIFY_VIOLATED && results[0].entry == 0, "and accepts nothing");
}

/* ---- changed ---- */

static Files
copy_of(const Files *files)
{
	Files		copy = {0};

	for (int i = 0; i < files->n; i++)
		put_file(&copy, files->paths[i], files->bytes[i].data, files->bytes[i].len);
	return copy;
}

static void
free_files(Files *files)
{
	for (int i = 0; i < files->n; i++)
	{
		pfree(files->paths[i]);
		pfree(files->bytes[i].data);
	}
}

static void
remove_file(Files *files, const char *path)
{
	for (int i = 0; i < files->n; i++)
		if (strcmp(files->paths[i], path) == 0)
			files->paths[i] = pstrdup("gone");
}

/* Every byte of every file. */
static void
test_flips(void)
{
	int			bad = 0;
	int			tried = 0;

	check(verify_files(&small_files, NULL).status == VERIFY_INTACT, "small is intact");
	for (int f = 0; f < small_files.n; f++)
		for (int i = 0; i < small_files.bytes[f].len; i++, tried++)
		{
			uint8		bit = (uint8) (1 << (i % 8));

			small_files.bytes[f].data[i] ^= bit;
			if (verify_files(&small_files, NULL).status != VERIFY_VIOLATED && bad++ < 5)
				printf("# %s byte %d bit %x\n", small_files.paths[f], i, bit);
			small_files.bytes[f].data[i] ^= bit;
		}
	check(bad == 0, "a bit flipped in any of %d bytes is found", tried);
	bad = 0;
	for (int f = 0; f < small_files.n; f++)
	{
		int			whole = small_files.bytes[f].len;

		for (int len = 0; len < whole; len += 1 + whole / 60)
		{
			small_files.bytes[f].len = len;
			/* Empty lists of notes and bodies are allowed, as are fewer of them. */
			if (verify_files(&small_files, NULL).status != VERIFY_VIOLATED &&
				strcmp(small_files.paths[f], EXPORT_PAYLOADS) != 0)
				bad++;
		}
		small_files.bytes[f].len = whole;
	}
	check(bad == 0, "a file cut anywhere is found");
}

static void
expect(Files *files, uint64 entry, const char *what)
{
	VerifyResult result = verify_files(files, NULL);

	check(result.status == VERIFY_VIOLATED && result.has_entry && result.entry == entry,
		  "%s: entry " UINT64_FORMAT " %s", what, result.entry, result.reason ? result.reason : "is fine");
	free_files(files);
}

/* Where entry seq is within its bundle; points at the length before it. */
static uint8 *
entry_in(Files *files, uint64 seq, int width)
{
	char		path[TILE_PATH_BYTES];
	uint8	   *at;

	tile_path(path, TILE_ENTRIES, seq / TILE_HASHES, width);
	at = (uint8 *) find_file(files, path)->data;
	for (uint64 i = seq / TILE_HASHES * TILE_HASHES; i < seq; i++)
		at += 2 + ((size_t) at[0] << 8 | at[1]);
	return at;
}

static void
test_tampering(void)
{
	Files		files = copy_of(&charite_files);

	entry_in(&files, 77, 256)[2 + 60] ^= 1;
	expect(&files, 77, "a bit of an entry");

	files = copy_of(&charite_files);
	find_file(&files, "tile/0/001")->data[(401 - 256) * 32 + 5] ^= 4;
	expect(&files, 401, "a stored hash");

	files = copy_of(&charite_files);
	find_file(&files, "tile/1/000.p/2")->data[40] ^= 4;
	expect(&files, 256, "a stored hash of level 1");

	files = copy_of(&charite_files);
	remove_file(&files, "tile/entries/001");
	expect(&files, 256, "the middle is gone");

	files = copy_of(&charite_files);
	remove_file(&files, "tile/entries/002.p/88");
	expect(&files, 512, "the tail is gone");

	files = copy_of(&charite_files);
	find_file(&files, "tile/entries/002.p/88")->len -= 3;
	expect(&files, 599, "the tail is cut");

	files = copy_of(&charite_files);
	remove_file(&files, "tile/0/000");
	expect(&files, 0, "a tile is gone");

	files = copy_of(&charite_files);
	resetStringInfo(find_file(&files, EXPORT_CHECKPOINT));
	appendBinaryStringInfo(find_file(&files, EXPORT_CHECKPOINT), lmu.last_note.data, lmu.last_note.len);
	check(verify_files(&files, NULL).status == VERIFY_VIOLATED, "another ledger's checkpoint");
	free_files(&files);

	files = copy_of(&charite_files);
	appendStringInfoString(find_file(&files, EXPORT_PAYLOADS), "599 erased 200\n");
	expect(&files, 599, "a body where none is committed");

	files = copy_of(&charite_files);
	find_file(&files, EXPORT_PAYLOADS)->data[20] ^= 1;
	expect(&files, 7, "a salt");

	files = copy_of(&charite_files);
	remove_file(&files, EXPORT_NOTES);
	expect(&files, 300, "without the note that hands over the key");

	files = copy_of(&charite_files);
	remove_file(&files, EXPORT_CHECKPOINT);
	check(verify_files(&files, NULL).status == VERIFY_UNREADABLE, "without a checkpoint it is no export");
	free_files(&files);
}

/* The owner, with its own key, writes the ledger anew: the witnesses' signatures are missing. */
static void
test_rewritten(void)
{
	Ledger	   *ledger = palloc(sizeof(Ledger));
	Files		files;
	VerifyResult result;

	make_charite(ledger, &lmu);
	ledger_note(ledger, &ledger->key, ledger->secret, peers_of_charite, 0);
	export_ledger(&files, ledger, 0);
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_VIOLATED && result.entry == 600, "a note without countersignatures: %s", result.reason);

	/* A key that takes over without the old witnesses, who are all but mayo. */
	ledger_key(ledger, "revoked", 9, "1", &peers_of_charite[2], 1);
	ledger_note(ledger, &ledger->key, ledger->secret, &peers_of_charite[2], 1);
	resetStringInfo(&ledger->notes);
	appendStringInfoString(&ledger->notes, charite.notes.data);
	export_ledger(&files, ledger, 0);
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_VIOLATED && strstr(result.reason, "old witnesses") != NULL,
		  "a key that the old witnesses did not accept: entry " UINT64_FORMAT " %s", result.entry, result.reason);
	ledger_note(ledger, &ledger->key, ledger->secret, peers_of_charite, 3);
	resetStringInfo(&ledger->notes);
	appendStringInfoString(&ledger->notes, charite.notes.data);
	export_ledger(&files, ledger, 0);
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_INTACT, "and one that they did: %s", result.reason ? result.reason : "");
}

static void
test_archived(void)
{
	Files		files;
	VerifyResult result;
	ExportSink	sink = {put_file, &files};
	ExportWriter *writer = palloc(sizeof(ExportWriter));

	memset(&files, 0, sizeof(files));
	export_start(writer, sink, 256);
	for (uint64 seq = 0; seq < lmu.size; seq++)
		if (seq < 256)
			export_leaf(writer, lmu.leaves[seq]);
		else
			export_entry(writer, lmu.entries[seq].data, lmu.entries[seq].len);
	export_finish(writer);
	put_file(&files, EXPORT_CHECKPOINT, lmu.last_note.data, lmu.last_note.len);
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_VIOLATED, "the bundle with the keys must stay: %s", result.reason);

	export_ledger(&files, &charite, 512);
	remove_file(&files, "tile/entries/001");
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_VIOLATED && result.entry > 256, "a later bundle with keys must stay: %s", result.reason);

	check_fails(ERRCODE_SECMED_LEDGER, export_start(writer, sink, 100), "archived are whole bundles");
	export_start(writer, sink, 0);
	check_fails(ERRCODE_SECMED_LEDGER,
				for (int i = 0; i < 256; i++) export_leaf(writer, lmu.leaves[i]), "only what is archived is left out");
}

/* A ledger of which 512 entries are archived, keys kept in a later bundle's place. */
static void
test_archived_whole(void)
{
	Ledger	   *ledger = palloc(sizeof(Ledger));
	Files		files;
	VerifyResult result;

	ledger_start(ledger, "lmu", "ffeeddcc-bbaa-9988-7766-554433221100");
	while (ledger->size < 300)
		ledger_append(ledger, plain_entry(ENTRY_REQUEST));
	ledger_key(ledger, "first", 1, "all", peers_of_lmu, 2);
	while (ledger->size < 600)
		ledger_append(ledger, plain_entry(ENTRY_REQUEST));
	ledger_note(ledger, &ledger->key, ledger->secret, peers_of_lmu, 2);
	export_ledger(&files, ledger, 512);
	remove_file(&files, "tile/entries/000");
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_INTACT && result.archived == 256, "256 archived entries: %s",
		  result.reason ? result.reason : "the rest is intact");
	find_file(&files, "tile/0/000")->data[100] ^= 1;
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_VIOLATED, "a changed hash of an archived entry: entry " UINT64_FORMAT " %s",
		  result.entry, result.reason);
}

static void
test_copies(void)
{
	Ledger	   *other = palloc(sizeof(Ledger));
	Files		files;
	VerifySource sources[] = {{get_file, &lmu_files}, {get_file, &files}};
	VerifyResult results[2];

	/* lmu once more, without its quotes: differs from 264 on. */
	make_lmu(other, NULL);
	export_ledger(&files, other, 0);
	results[0] = verify_files(&lmu_files, NULL);
	results[1] = verify_files(&files, NULL);
	check(results[1].status == VERIFY_INTACT, "another copy is intact by itself");
	verify_across(results, sources, 2);
	check(results[0].status == VERIFY_VIOLATED && results[0].entry == 264 && results[1].entry == 264,
		  "beside the other it is not: entry " UINT64_FORMAT, results[0].entry);
}

static void
test_quotes(void)
{
	Ledger	   *quoting = palloc(sizeof(Ledger));
	Ledger	   *shorter = palloc(sizeof(Ledger));
	Files		files;
	VerifySource sources[] = {{get_file, &charite_files}, {get_file, &files}};
	VerifyResult results[2];

	/* It has seen 700 entries of charite. */
	memcpy(shorter, &charite, sizeof(Ledger));
	initStringInfo(&shorter->notes);
	initStringInfo(&shorter->last_note);
	while (shorter->size < 650)
		ledger_append(shorter, plain_entry(ENTRY_REQUEST));
	make_lmu(quoting, NULL);
	ledger_head(quoting, shorter, 650);
	ledger_note(quoting, &quoting->key, quoting->secret, peers_of_lmu, 2);
	export_ledger(&files, quoting, 0);
	results[0] = verify_files(&charite_files, NULL);
	results[1] = verify_files(&files, NULL);
	verify_across(results, sources, 2);
	check(results[0].status == VERIFY_VIOLATED && results[0].entry == 600 && results[1].status == VERIFY_INTACT,
		  "a tail that another has seen: entry " UINT64_FORMAT " %s", results[0].entry, results[0].reason);

	make_lmu(quoting, NULL);
	ledger_head(quoting, &lmu, 200);
	memcpy(shorter, &charite, sizeof(Ledger));
	memset(shorter->leaves[99], 9, HASH_BYTES);
	ledger_head(quoting, shorter, 100);
	ledger_note(quoting, &quoting->key, quoting->secret, peers_of_lmu, 2);
	export_ledger(&files, quoting, 0);
	results[0] = verify_files(&charite_files, NULL);
	results[1] = verify_files(&files, NULL);
	verify_across(results, sources, 2);
	check(results[0].status == VERIFY_VIOLATED && results[0].entry == 99, "a head that another has seen otherwise");
}

/* A review that says something else than what was signed, or is of other entries. */
static void
test_reviews(void)
{
	static const char *const names[] = {"as signed", "another name", "another meaning", "another range",
	"another site", "another hash", "no signature", "an empty name", "two lines", "of itself"};

	for (int i = 0; i < lengthof(names); i++)
	{
		LedgerEntry entry;
		const char *reason;
		const char *problem;

		check(entry_decode(&entry, charite.entries[400].data, charite.entries[400].len, &reason), "read");
		entry.object = i == 1 ? "Dr. No" : i == 7 ? "" : i == 8 ? "Dr.\nNo" : entry.object;
		entry.outcome = i == 2 ? "approved" : entry.outcome;
		entry.counters[0] -= i == 3;
		entry.site = i == 4 ? "lmu" : entry.site;
		entry.plan[7] ^= i == 5;
		entry.revealed = i == 6 ? "" : entry.revealed;
		entry.counters[3] = i == 9 ? entry.seq : entry.counters[3];
		problem = review_problem(&entry);
		check(i == 0 || i == 6 ? problem == NULL : problem != NULL, "a review, %s: %s", names[i],
			  problem ? problem : "good");
	}
}

/* A review is of the entries that are there. */
static void
test_review_of_others(void)
{
	Ledger	   *other = palloc(sizeof(Ledger));
	Files		files;
	VerifyResult result;

	make_lmu(other, NULL);
	memcpy(other->leaves[ENTRIES_MAX - 1], other->leaves[10], HASH_BYTES);
	memset(other->leaves[10], 1, HASH_BYTES);
	ledger_review(other, 3, 10, true);
	memcpy(other->leaves[10], other->leaves[ENTRIES_MAX - 1], HASH_BYTES);
	ledger_note(other, &other->key, other->secret, peers_of_lmu, 2);
	export_ledger(&files, other, 0);
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_VIOLATED && result.entry == 300, "a review of other entries: " UINT64_FORMAT " %s",
		  result.entry, result.reason ? result.reason : "");
}

static void
test_columns(void)
{
	Files		files = copy_of(&lmu_files);
	StringInfo	rows = find_file(&files, "csv/001.p/44");
	VerifyResult result;

	check(rows != NULL && strncmp(rows->data, "256,2023-11-14T22:13:20.256000Z,request,,\"research:alice\",\"trial\",,"
								  "\"ok\",\"\",,,", 70) == 0, "columns: %.100s", rows ? rows->data : "none");
	rows->data[strcspn(rows->data, "r")] = 'R';
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_VIOLATED && result.entry == 256, "a column that was changed is found");
	rows->data[strcspn(rows->data, "R")] = 'r';
	appendStringInfoString(rows, "300\n");
	result = verify_files(&files, NULL);
	check(result.status == VERIFY_VIOLATED && result.entry == 300, "and a row too many");
	free_files(&files);
}

static void
test_times(void)
{
	static const struct
	{
		int64		at_us;
		const char *text;
	}			times[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{INT64CONST(951782399999999), "2000-02-28T23:59:59.999999Z"},
		{INT64CONST(951782400000000), "2000-02-29T00:00:00.000000Z"},
		{INT64CONST(951868800000000), "2000-03-01T00:00:00.000000Z"},
		{INT64CONST(4107542400000001), "2100-03-01T00:00:00.000001Z"},
		{ENTRY_AT_US_MAX, "9999-12-31T23:59:59.999999Z"},
	};

	for (int i = 0; i < lengthof(times); i++)
	{
		char		text[TIME_TEXT_BYTES];

		time_text(text, times[i].at_us);
		check(strcmp(text, times[i].text) == 0, "a time: %s", text);
	}
}

int
main(int argc, char **argv)
{
	make_ledgers();
	if (argc > 1)
	{
		write_files(argv[1], "charite", &charite_files);
		write_files(argv[1], "lmu", &lmu_files);
		write_files(argv[1], "small", &small_files);
		write_proofs(argv[1]);
		memory_reset();
		return 0;
	}
	test_vectors();
	test_whole();
	test_flips();
	test_tampering();
	test_rewritten();
	test_archived();
	test_archived_whole();
	test_copies();
	test_quotes();
	test_reviews();
	test_review_of_others();
	test_columns();
	test_times();
	memory_reset();
	return unit_done();
}
