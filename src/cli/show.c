/*
 * show.c
 *	  secmed show: says in words what is in a file.
 */
#include "base/base.h"

#include <time.h>

#include "cli/cli.h"
#include "cli/documents.h"
#include "cli/files.h"
#include "contract/plan.h"
#include "identity/card.h"
#include "ledger/fork.h"
#include "ledger/history.h"
#include "ledger/tlog_policy.h"

/* Others' text on a terminal: control characters become a question mark. */
static void
show_text(const char *label, const char *text)
{
	printf("%-11s ", label);
	for (const char *at = text; *at != '\0'; at++)
		putchar((uint8) *at < ' ' || *at == 0x7f ? '?' : *at);
	putchar('\n');
}

static void
show_hex(const char *label, const uint8 *bytes, size_t len)
{
	printf("%-11s ", label);
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static void
show_time(const char *label, int64 us)
{
	time_t		seconds = (time_t) (us / 1000000);
	struct tm	utc;
	char		text[64];

	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &utc);
	printf("%-11s %s.%06d UTC\n", label, text, (int) (us % 1000000));
}

static void
show_card(const NodeCard *card)
{
	uint8		fingerprint[HASH_BYTES];
	char		text[FINGERPRINT_TEXT_BYTES];

	card_fingerprint(fingerprint, card);
	fingerprint_to_text(text, fingerprint);
	show_text("card of", card->name);
	show_text("fingerprint", text);
	show_time("made", card->created_at_us);
}

static void
show_entry(const LedgerEntry *entry, const void *bytes, size_t len)
{
	uint8		hash[HASH_BYTES];

	printf("entry       " UINT64_FORMAT " of %s, %s\n", entry->seq, entry->site, entry_kind_name(entry->kind));
	show_time("at", entry->at_us);
	show_text("actor", entry->actor);
	show_text("object", entry->object);
	show_text("outcome", entry->outcome);
	show_text("revealed", entry->revealed);
	if (entry->has_run)
		show_hex("run", entry->run, RUN_ID_BYTES);
	if (entry->has_plan)
		show_hex("plan", entry->plan, HASH_BYTES);
	for (int i = 0; i < entry->ncounters; i++)
		printf("counter     " UINT64_FORMAT "\n", entry->counters[i]);
	if (entry->has_commitment)
		show_hex("commitment", entry->commitment, HASH_BYTES);
	entry_hash(hash, bytes, len);
	show_hex("hash", hash, HASH_BYTES);
}

static void
show_note(const Note *note)
{
	Checkpoint	head;
	const char *reason;

	if (checkpoint_parse(&head, note->text, note->text_len, &reason))
	{
		show_text("checkpoint", head.origin);
		printf("entries     " UINT64_FORMAT "\n", head.size);
		show_hex("root", head.root, HASH_BYTES);
	}
	else
		printf("note of %zu bytes\n", note->text_len);
	for (int i = 0; i < note->nsignatures; i++)
		show_text("signed by", pnstrdup(note->signatures[i].name, note->signatures[i].name_len));
	printf("(no signature was checked)\n");
}

static void
show_plan(const CanonicalPlan *plan, const void *bytes, size_t len)
{
	uint8		hash[HASH_BYTES];
	StringInfoData words;

	plan_hash(hash, bytes, len);
	initStringInfo(&words);
	plan_describe(&words, plan);
	show_hex("plan", hash, HASH_BYTES);
	show_text("tables", plan_tables_text(plan, 1024));
	show_text("sql", plan->sql);
	printf("cells       %zu\n", plan_cells(plan));
	show_text("reveals", words.data);
}

static void
show_policy(const Policy *policy)
{
	for (int i = 0; i < policy->nlogs; i++)
		show_text("log", policy->logs[i].name);
	for (int i = 0; i < policy->nwitnesses; i++)
		show_text("witness", policy->witnesses[i].name);
	show_text("quorum", policy->quorum < 0 ? "none" : policy->names[policy->quorum].name);
}

static void
show_document(const Document *document)
{
	StringInfoData words;

	initStringInfo(&words);
	document_describe(&words, document);
	fputs(words.data, stdout);
	if (document->nsignatures > 0)
		printf("(no signature was checked)\n");
}

static bool
show_bytes(const char *bytes, size_t len)
{
	const char *line = pnstrdup(bytes, strcspn(bytes, "\n"));
	const char *reason;
	NodeCard	card;
	LedgerEntry entry;
	CanonicalPlan plan;
	NoteKey		key;
	Policy	   *policy = palloc(sizeof(Policy));
	Note	   *note = palloc(sizeof(Note));
	ForkProof  *fork = palloc(sizeof(ForkProof));
	ProofFile  *proof = palloc(sizeof(ProofFile));
	Document   *document = palloc(sizeof(Document));

	if (document_read(document, bytes, len, &reason))
		show_document(document);
	else if (card_from_text(&card, line, &reason))
		show_card(&card);
	else if (note_key_from_text(&key, line, strlen(line), &reason))
		printf("%s\n%s\n", key.kind == NOTE_LOG ? "public key of a log" : "public key of a witness", key.name);
	else if (proof_parse(proof, bytes, len, &reason) && entry_decode(&entry, proof->entry.data, proof->entry.len, &reason))
		show_entry(&entry, proof->entry.data, proof->entry.len);
	else if (fork_parse(fork, bytes, len, &reason))
	{
		show_note(&fork->notes[0]);
		show_note(&fork->notes[1]);
	}
	else if (note_parse(note, bytes, len, &reason))
		show_note(note);
	else if (policy_parse(policy, bytes, len, &reason))
		show_policy(policy);
	else if (entry_decode(&entry, bytes, len, &reason))
		show_entry(&entry, bytes, len);
	else if (plan_decode(&plan, bytes, len, &reason))
		show_plan(&plan, bytes, len);
	else
		return false;
	return true;
}

int
command_show(int argc, char **argv)
{
	StringInfoData bytes;

	if (argc != 1)
		give_up("name a file to show");
	initStringInfo(&bytes);
	if (!file_read(argv[0], &bytes))
		give_up("can't read \"%s\": %s", argv[0], strerror(errno));
	if (!show_bytes(bytes.data, bytes.len))
		give_up("\"%s\" is nothing that secmed knows", argv[0]);
	return 0;
}
