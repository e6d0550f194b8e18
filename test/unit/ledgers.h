/*
 * ledgers.h
 *	  Two ledgers as a federation would leave them, in memory: always the same
 *	  bytes, for tests and for test/peers.
 *
 * charite: 600 entries.  1 is its first key, 2 its cosigner's; every seventh has
 * a body, some are erased at 200; 300 hands over to a second key, 350 changes
 * the policy, 450 goes on under a third key after a loss, with the old witnesses'
 * consent; every 50th quotes a head of lmu.
 * lmu: 300 entries, which quote heads of charite.
 * small: 12 entries with something of each kind, and no signature too many.
 * The columns of lmu and small are exported, too; runs are told in charite.
 */
#ifndef SECMED_TEST_LEDGERS_H
#define SECMED_TEST_LEDGERS_H

#include <sodium.h>

#include "ledger/fork.h"
#include "ledger/review.h"
#include "ledger/verify.h"
#include "unit.h"

#define AT_US			INT64CONST(1700000000000000)
#define AT_S			UINT64CONST(1700000000)
#define FILES_MAX		256
#define ENTRIES_MAX		700

typedef struct Files
{
	int			n;
	char	   *paths[FILES_MAX];
	StringInfoData bytes[FILES_MAX];
} Files;

typedef struct Ledger
{
	const char *site;
	const char *uuid;
	uint64		size;
	StringInfoData entries[ENTRIES_MAX];
	uint8		leaves[ENTRIES_MAX][HASH_BYTES];
	Frontier	frontier;
	KeyHistory	history;
	NoteKey		key;			/* the current one */
	uint8		secret[SIGN_SECRET_BYTES];
	StringInfoData policies[8];
	int			npolicies;
	StringInfoData notes;
	StringInfoData last_note;
	StringInfoData payloads;
} Ledger;

static inline void
key_of(NoteKey *key, uint8 *secret, const char *name, uint8 kind, const char *seed_text)
{
	uint8		seed[32];
	uint8		public_key[SIGN_PUBLIC_BYTES];

	hash_bytes(seed, seed_text, strlen(seed_text));
	crypto_sign_seed_keypair(public_key, secret, seed);
	note_key_make(key, name, kind, public_key);
}

static inline void
cosigner_of(NoteKey *key, uint8 *secret, const char *site)
{
	key_of(key, secret, cosigner_name("eu", site), NOTE_WITNESS, psprintf("cosigner %s", site));
}

static inline void
log_key_of(NoteKey *key, uint8 *secret, const Ledger *ledger, int epoch)
{
	key_of(key, secret, psprintf("secmed.eu/%s/%s/%d", ledger->site, ledger->uuid, epoch), NOTE_LOG,
		   psprintf("log %s %d", ledger->site, epoch));
}

static inline void
ledger_start(Ledger *ledger, const char *site, const char *uuid)
{
	memset(ledger, 0, sizeof(*ledger));
	ledger->site = site;
	ledger->uuid = uuid;
	frontier_start(&ledger->frontier);
	history_start(&ledger->history);
	initStringInfo(&ledger->notes);
	initStringInfo(&ledger->last_note);
	initStringInfo(&ledger->payloads);
}

static inline void
ledger_append(Ledger *ledger, LedgerEntry entry)
{
	const char *reason;
	uint64		seq = ledger->size;

	entry.site = ledger->site;
	entry.seq = seq;
	entry.at_us = AT_US + (int64) seq * 1000;
	if (seq > 0)
		memcpy(entry.prev, ledger->leaves[seq - 1], HASH_BYTES);
	initStringInfo(&ledger->entries[seq]);
	entry_encode(&ledger->entries[seq], &entry);
	entry_hash(ledger->leaves[seq], ledger->entries[seq].data, ledger->entries[seq].len);
	frontier_append(&ledger->frontier, ledger->leaves[seq]);
	ledger->size++;
	if (entry.kind == ENTRY_KEY && !history_accept(&ledger->history, &entry, &reason))
	{
		fprintf(stderr, "key entry %s\n", reason);
		abort();
	}
}

static inline void
ledger_body(Ledger *ledger, LedgerEntry *entry, bool erased_by, uint64 by)
{
	uint8		salt[SALT_BYTES];
	char	   *body = psprintf("SELECT count(*) FROM trial -- %d", (int) ledger->size);

	hash_bytes(salt, body, strlen(body));
	entry->has_commitment = true;
	commit_payload(entry->commitment, salt, body, strlen(body));
	if (erased_by)
		export_erased(&ledger->payloads, ledger->size, by);
	else
		export_opened(&ledger->payloads, ledger->size, salt, body, strlen(body));
}

static inline LedgerEntry
plain_entry(EntryKind kind)
{
	LedgerEntry entry = {.kind = kind, .actor = "research:alice", .object = "trial",
	.outcome = "ok", .revealed = ""};

	return entry;
}

/* A step of a run of four, in which what stands at other numbers is missing. */
static inline LedgerEntry
told_entry(uint64 seq)
{
	static const EntryKind runs[] = {ENTRY_REQUEST, ENTRY_DECISION, ENTRY_EXECUTION, ENTRY_OUTCOME};
	static const EntryKind actions[] = {ENTRY_INTENT, ENTRY_CHANGE, ENTRY_CLOSED, ENTRY_CLOSED};
	LedgerEntry entry = plain_entry(seq % 40 < 20 ? runs[seq % 4] : actions[seq % 4]);
	uint64		number = seq / 4;
	uint8		hash[HASH_BYTES];

	hash_bytes(hash, &number, sizeof(number));
	memcpy(entry.run, hash, RUN_ID_BYTES);
	entry.has_run = true;
	if (entry.kind == ENTRY_DECISION)
		entry.outcome = seq % 9 == 0 ? "no" : "yes";
	if (entry.kind == ENTRY_OUTCOME)
		entry.outcome = seq % 5 == 0 ? "failed 57014" : "released";
	if (entry.kind >= ENTRY_INTENT)
	{
		entry.ncounters = 1;
		entry.counters[0] = seq % 2;
	}
	return entry;
}

/* With the signer's own key, or only his name. */
static inline void
ledger_review(Ledger *ledger, uint64 first, uint64 last, bool own_key)
{
	LedgerEntry entry = plain_entry(ENTRY_REVIEWED);
	StringInfoData text;
	StringInfoData note;
	NoteKey		key;
	uint8		secret[SIGN_SECRET_BYTES];

	entry.site = ledger->site;
	entry.seq = ledger->size;
	entry.object = "Dr. Åsa Lindgren, \"DPO\"";
	entry.outcome = "reviewed";
	entry.has_plan = true;
	memcpy(entry.plan, ledger->leaves[last], HASH_BYTES);
	entry.ncounters = 4;
	entry.counters[0] = entry.counters[1] = first;
	entry.counters[2] = first + 2;
	entry.counters[3] = last;
	if (own_key)
	{
		key_of(&key, secret, "lindgren", NOTE_LOG, "lindgren");
		initStringInfo(&text);
		initStringInfo(&note);
		review_statement(&text, &entry);
		note_begin(&note, text.data);
		note_sign(&note, text.data, &key, secret, 0);
		entry.revealed = review_signature(&key, note.data, note.len);
	}
	ledger_append(ledger, entry);
}

/* The witnesses' names, comma separated groups do not matter here. */
static inline void
ledger_policy(Ledger *ledger, uint8 hash[HASH_BYTES], const NoteKey *log, const char *rule,
			  const char *const *sites, int n)
{
	StringInfo	text = &ledger->policies[ledger->npolicies++];

	initStringInfo(text);
	appendStringInfo(text, "# %s\nlog %s\n\n", ledger->site, note_key_to_text(log));
	for (int i = 0; i < n; i++)
	{
		NoteKey		key;
		uint8		secret[SIGN_SECRET_BYTES];

		cosigner_of(&key, secret, sites[i]);
		appendStringInfo(text, "witness %s %s\n", sites[i], note_key_to_text(&key));
	}
	appendStringInfo(text, "group peers %s", rule);
	for (int i = 0; i < n; i++)
		appendStringInfo(text, " %s", sites[i]);
	appendStringInfoString(text, "\nquorum peers\n");
	hash_bytes(hash, text->data, text->len);
}

static inline void
ledger_key(Ledger *ledger, const char *outcome, int epoch, const char *rule,
		   const char *const *sites, int n)
{
	NoteKey		key;
	uint8		secret[SIGN_SECRET_BYTES];
	uint8		policy[HASH_BYTES];
	LedgerEntry entry;

	log_key_of(&key, secret, ledger, epoch);
	ledger_policy(ledger, policy, &key, rule, sites, n);
	history_make(&entry, &ledger->history, outcome, &key, secret, ledger->secret, policy);
	ledger_append(ledger, entry);
	ledger->key = key;
	memcpy(ledger->secret, secret, sizeof(secret));
}

/* Signed with this key over the entries so far; the note before becomes history. */
static inline void
ledger_note(Ledger *ledger, const NoteKey *key, const uint8 *secret, const char *const *sites, int n)
{
	Checkpoint	head = {.size = ledger->size};
	char	   *text;

	strlcpy(head.origin, key->name, sizeof(head.origin));
	frontier_root(head.root, &ledger->frontier);
	text = checkpoint_text(&head);
	if (ledger->last_note.len > 0)
		export_note(&ledger->notes, ledger->last_note.data);
	resetStringInfo(&ledger->last_note);
	note_begin(&ledger->last_note, text);
	note_sign(&ledger->last_note, text, key, secret, 0);
	for (int i = 0; i < n; i++)
	{
		NoteKey		witness;
		uint8		witness_secret[SIGN_SECRET_BYTES];

		cosigner_of(&witness, witness_secret, sites[i]);
		note_sign(&ledger->last_note, text, &witness, witness_secret, AT_S + ledger->size + i);
	}
}

static inline void
ledger_head(Ledger *ledger, const Ledger *other, uint64 size)
{
	LeafArray	array = {(const uint8 (*)[HASH_BYTES]) other->leaves, other->size};
	TileSource	source = merkle_leaves(&array);
	Checkpoint	head = {.size = size};
	LedgerEntry entry;

	snprintf(head.origin, sizeof(head.origin), "secmed.eu/%s/%s/1", other->site, other->uuid);
	if (!merkle_root(head.root, &source, size))
		abort();
	history_make_head(&entry, &head);
	ledger_append(ledger, entry);
}

static inline void
ledger_cosigner(Ledger *ledger)
{
	NoteKey		key;
	uint8		secret[SIGN_SECRET_BYTES];
	LedgerEntry entry;

	cosigner_of(&key, secret, ledger->site);
	history_make(&entry, &ledger->history, "first", &key, secret, NULL, NULL);
	ledger_append(ledger, entry);
}

static const char *const peers_of_charite[] = {"lmu", "gemelli", "mayo"};
static const char *const peers_of_lmu[] = {"charite", "gemelli"};

/* The beginning of lmu, which charite quotes: 300 entries, no more. */
static inline void
make_lmu(Ledger *ledger, const Ledger *charite)
{
	LedgerEntry entry;

	ledger_start(ledger, "lmu", "ffeeddcc-bbaa-9988-7766-554433221100");
	ledger_append(ledger, plain_entry(ENTRY_NODE_CREATED));
	ledger_key(ledger, "first", 1, "all", peers_of_lmu, 2);
	ledger_cosigner(ledger);
	while (ledger->size < 300)
	{
		entry = plain_entry(ENTRY_REQUEST);
		if (charite != NULL && ledger->size >= 256 && ledger->size % 11 == 0)
		{
			ledger_head(ledger, charite, 2 * ledger->size);
			continue;
		}
		ledger_append(ledger, entry);
		if (ledger->size % 90 == 0)
			ledger_note(ledger, &ledger->key, ledger->secret, peers_of_lmu, 2);
	}
	ledger_note(ledger, &ledger->key, ledger->secret, peers_of_lmu, 2);
}

static inline void
make_charite(Ledger *ledger, const Ledger *lmu)
{
	NoteKey		old;
	uint8		old_secret[SIGN_SECRET_BYTES];
	LedgerEntry entry;

	ledger_start(ledger, "charite", "00112233-4455-6677-8899-aabbccddeeff");
	ledger_append(ledger, plain_entry(ENTRY_NODE_CREATED));
	ledger_key(ledger, "first", 1, "2", peers_of_charite, 3);
	ledger_cosigner(ledger);
	while (ledger->size < 600)
	{
		uint64		seq = ledger->size;

		old = ledger->key;
		memcpy(old_secret, ledger->secret, sizeof(old_secret));
		if (seq == 200)
		{
			history_make_erased(&entry, "GDPR Art. 17(1)(b)", 100, 130);
			ledger_append(ledger, entry);
		}
		else if (seq == 300)
		{
			ledger_key(ledger, "rotated", 2, "2", peers_of_charite, 3);
			ledger_note(ledger, &old, old_secret, peers_of_charite, 2);
		}
		else if (seq == 350)
		{
			ledger_key(ledger, "policy", 2, "1", peers_of_charite, 3);
			ledger_note(ledger, &old, old_secret, peers_of_charite, 3);
		}
		else if (seq == 400 || seq == 401)
			ledger_review(ledger, 100, 390, seq == 400);
		else if (seq == 450)
			ledger_key(ledger, "recovered", 4, "any", peers_of_charite, 2);
		else if (seq % 50 == 0 && seq / 2 >= 3)
			ledger_head(ledger, lmu, seq / 3);
		else
		{
			entry = told_entry(seq);
			if (seq % 7 == 0 && seq % 3 != 0)
				ledger_body(ledger, &entry, seq >= 100 && seq <= 130, 200);
			else if (seq % 7 == 0)
			{
				entry.has_commitment = true;
				memset(entry.commitment, 7, HASH_BYTES);
			}
			ledger_append(ledger, entry);
		}
		if (ledger->size % 64 == 0 || ledger->size == 256)
			ledger_note(ledger, &ledger->key, ledger->secret, peers_of_charite, 2);
	}
	ledger_note(ledger, &ledger->key, ledger->secret, peers_of_charite, 2);
	ledger_note(ledger, &ledger->key, ledger->secret, peers_of_charite, 3);
}

static inline void
make_small(Ledger *ledger)
{
	NoteKey		old;
	uint8		old_secret[SIGN_SECRET_BYTES];
	LedgerEntry entry;

	ledger_start(ledger, "small", "01234567-89ab-cdef-0123-456789abcdef");
	ledger_append(ledger, plain_entry(ENTRY_NODE_CREATED));
	ledger_key(ledger, "first", 1, "all", peers_of_lmu, 1);
	for (int i = 2; i < 6; i++)
	{
		entry = plain_entry(ENTRY_REQUEST);
		ledger_body(ledger, &entry, i == 3, 6);
		ledger_append(ledger, entry);
	}
	history_make_erased(&entry, "GDPR Art. 17(1)(b)", 3, 3);
	ledger_append(ledger, entry);
	ledger_note(ledger, &ledger->key, ledger->secret, peers_of_lmu, 1);
	old = ledger->key;
	memcpy(old_secret, ledger->secret, sizeof(old_secret));
	ledger_key(ledger, "rotated", 2, "all", peers_of_lmu, 2);
	ledger_note(ledger, &old, old_secret, peers_of_lmu, 1);
	while (ledger->size < 12)
		ledger_append(ledger, plain_entry(ENTRY_OUTCOME));
	ledger_note(ledger, &ledger->key, ledger->secret, peers_of_lmu, 2);
}

/* ---- as files ---- */

static inline void
put_file(void *arg, const char *path, const void *bytes, size_t len)
{
	Files	   *files = arg;

	if (files->n == FILES_MAX)
		abort();
	files->paths[files->n] = pstrdup(path);
	initStringInfo(&files->bytes[files->n]);
	appendBinaryStringInfo(&files->bytes[files->n++], bytes, (int) len);
}

static inline StringInfo
find_file(Files *files, const char *path)
{
	for (int i = 0; i < files->n; i++)
		if (strcmp(files->paths[i], path) == 0)
			return &files->bytes[i];
	return NULL;
}

static inline bool
get_file(void *arg, const char *path, StringInfo out)
{
	StringInfo	found = find_file(arg, path);

	if (found != NULL)
		appendBinaryStringInfo(out, found->data, found->len);
	return found != NULL;
}

static inline void
export_ledger(Files *files, const Ledger *ledger, uint64 archived)
{
	ExportSink	sink = {put_file, files};
	ExportWriter *writer = palloc(sizeof(ExportWriter));
	char		path[POLICY_PATH_BYTES];
	uint8		hash[HASH_BYTES];

	memset(files, 0, sizeof(*files));
	export_start(writer, sink, archived);
	writer->with_columns = ledger->size <= 300;
	for (uint64 seq = 0; seq < ledger->size; seq++)
		export_entry(writer, ledger->entries[seq].data, ledger->entries[seq].len);
	export_finish(writer);
	put_file(files, EXPORT_CHECKPOINT, ledger->last_note.data, ledger->last_note.len);
	if (ledger->notes.len > 0)
		put_file(files, EXPORT_NOTES, ledger->notes.data, ledger->notes.len);
	if (ledger->payloads.len > 0)
		put_file(files, EXPORT_PAYLOADS, ledger->payloads.data, ledger->payloads.len);
	for (int i = 0; i < ledger->npolicies; i++)
	{
		hash_bytes(hash, ledger->policies[i].data, ledger->policies[i].len);
		policy_path(path, hash);
		put_file(files, path, ledger->policies[i].data, ledger->policies[i].len);
	}
	pfree(writer);
}

static inline VerifyResult
verify_files(Files *files, const Policy *policy)
{
	VerifySource source = {get_file, files};
	VerifyOptions options = {policy, 0};
	VerifyResult result;

	verify_export(&result, &source, &options);
	return result;
}

#endif							/* SECMED_TEST_LEDGERS_H */
