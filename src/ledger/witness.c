/*
 * witness.c
 *	  What a witness decides.
 */
#include "base/base.h"

#include "ledger/witness.h"

/* For whoever stores no tiles. */
static void
drop_tile(void *arg, int level, uint64 number, int width, const uint8 (*hashes)[HASH_BYTES])
{
}

void
witness_start(WitnessLog *log, const char *site)
{
	memset(log, 0, sizeof(*log));
	chain_start(&log->chain, site);
	history_start(&log->keys);
	tiles_start(&log->tiles, drop_tile, NULL);
}

static bool
take_key(WitnessLog *log, const EntryView *view, const char **reason)
{
	LedgerEntry entry;
	bool		taken;

	entry_from_view(&entry, view);
	taken = history_accept(&log->keys, &entry, reason);
	entry_forget(&entry);
	return taken;
}

/* One entry more: its place in the chain, and what it says about keys. */
static bool
take_entry(WitnessLog *log, const void *bytes, size_t len, const char **reason)
{
	EntryView	entry;
	uint64		seq = log->chain.next_seq;
	uint8		leaf[HASH_BYTES];

	if (!entry_view(&entry, bytes, len, reason))
		return false;
	entry_hash(leaf, bytes, len);
	*reason = chain_follow(&log->chain, seq, &entry, leaf);
	if (*reason != NULL || (entry.kind == ENTRY_KEY && !take_key(log, &entry, reason)))
		return false;
	if (entry.kind != ENTRY_HEAD)
		log->others = seq + 1;
	tiles_append(&log->tiles, leaf);
	return true;
}

bool
witness_resume(WitnessLog *log, const void *bytes, size_t len)
{
	const char *reason;

	return take_entry(log, bytes, len, &reason);
}

/* Whose key is named, of those that the ledger has introduced; NULL if none is. */
static const KeySpan *
span_of_origin(const KeyHistory *keys, const char *origin)
{
	for (int i = keys->nlogs - 1; i >= 0; i--)
		if (strcmp(keys->logs[i].key.name, origin) == 0)
			return &keys->logs[i];
	return NULL;
}

/* A reason why this is no checkpoint of this ledger, whoever signed it; or NULL. */
static const char *
origin_problem(const WitnessLog *log, const Checkpoint *head)
{
	Origin		origin;

	if (!origin_from_text(&origin, head->origin) || head->size == 0)
		return "is not a checkpoint of a ledger";
	if (strcmp(origin.site, log->chain.site) != 0)
		return "is of another node's ledger";
	if (log->keys.nlogs > 0 && !origin_same_ledger(&origin, &log->keys.origin))
		return "is of another ledger than the one of this node that is held here";
	if (origin.epoch < log->epoch_min)
		return "is of an epoch that was ended here, after a fork";
	return NULL;
}

/* The key that holds for this size, if it is the one that is named; else NULL. */
static const KeySpan *
key_holds(const KeyHistory *keys, const Checkpoint *head)
{
	const KeySpan *span = history_log(keys, head->size);

	return span != NULL && strcmp(span->key.name, head->origin) == 0 ? span : NULL;
}

/* Has it signed?  A reason, or NULL. */
static const char *
signature_problem(const KeyHistory *keys, const Checkpoint *head, const Note *note)
{
	const KeySpan *span = key_holds(keys, head);
	uint64		time;

	if (span == NULL)
		return "is under a key that does not hold for its size";
	return note_check(note, &span->key, &time) == NOTE_SIGNED ? NULL : "is not signed by its log's key";
}

/* Has any key of the ledger signed, even one that no longer holds? */
static bool
signed_by_log(const KeyHistory *keys, const Checkpoint *head, const Note *note)
{
	const KeySpan *span = span_of_origin(keys, head->origin);
	uint64		time;

	return span != NULL && note_check(note, &span->key, &time) == NOTE_SIGNED;
}

static bool
same_root(const WitnessLog *log, const Checkpoint *head)
{
	uint8		root[HASH_BYTES];

	if (head->size == log->tiles.size)
		tiles_root(root, &log->tiles);
	else if (!merkle_root(root, &log->held, head->size))
		return true;			/* what can't be read accuses nobody */
	return memcmp(root, head->root, HASH_BYTES) == 0;
}

/* A checkpoint of no more entries than are held. */
static WitnessVerdict
compare_held(const WitnessLog *log, const Checkpoint *head, const Note *note, const char **reason)
{
	*reason = "is not signed by a key of its log";
	if (!signed_by_log(&log->keys, head, note))
		return WITNESS_REFUSES;
	*reason = "contradicts the entries that are held here";
	if (!same_root(log, head))
		return WITNESS_FORKED;
	*reason = "is under a key that does not hold for its size";
	return key_holds(&log->keys, head) != NULL ? WITNESS_SIGNS : WITNESS_REFUSES;
}

static WitnessVerdict
take_entries(WitnessLog *log, const WitnessUpdate *update, const Checkpoint *head,
			 const Note *note, const char **reason)
{
	uint8		root[HASH_BYTES];

	for (uint64 i = 0; i < update->n; i++)
		if (!take_entry(log, update->entries[i], update->lens[i], reason))
			/* If a key that is known has signed it, the log must answer for it. */
			return signed_by_log(&log->keys, head, note) ? WITNESS_INCONSISTENT : WITNESS_REFUSES;
	*reason = signature_problem(&log->keys, head, note);
	if (*reason != NULL)
		return WITNESS_REFUSES;
	tiles_root(root, &log->tiles);
	*reason = "is not the root over the entries that came with it";
	return memcmp(root, head->root, HASH_BYTES) == 0 ? WITNESS_SIGNS : WITNESS_INCONSISTENT;
}

static WitnessVerdict
take_note(WitnessLog *log, const WitnessUpdate *update, const Checkpoint *head,
		  const Note *note, const char **reason)
{
	uint64		held = log->chain.next_seq;
	WitnessVerdict verdict;

	*reason = origin_problem(log, head);
	if (*reason != NULL)
		return WITNESS_REFUSES;
	if (head->size <= held)
	{
		verdict = compare_held(log, head, note, reason);
		if (verdict == WITNESS_SIGNS && (head->size < held || update->first != held || update->n > 0))
		{
			*reason = "is of fewer entries than are held here";
			return WITNESS_HOLDS_OTHER;
		}
		return verdict;
	}
	*reason = "does not begin where the entries that are held here end";
	if (update->first != held)
		return WITNESS_HOLDS_OTHER;
	*reason = "comes with another number of entries than it is of";
	if (update->n != head->size - held)
		return WITNESS_REFUSES;
	return take_entries(log, update, head, note, reason);
}

WitnessVerdict
witness_take(WitnessLog *log, const WitnessUpdate *update, Checkpoint *head, const char **reason)
{
	Note	   *note = palloc(sizeof(Note));
	WitnessVerdict verdict = WITNESS_REFUSES;

	memset(head, 0, sizeof(*head));
	if (checkpoint_from_note(head, note, update->note, update->note_len, reason))
		verdict = take_note(log, update, head, note, reason);
	pfree(note);
	return verdict;
}

WitnessVerdict
witness_compare(const WitnessLog *log, const void *bytes, size_t len, Checkpoint *head, const char **reason)
{
	Note	   *note = palloc(sizeof(Note));
	WitnessVerdict verdict = WITNESS_REFUSES;

	memset(head, 0, sizeof(*head));
	if (checkpoint_from_note(head, note, bytes, len, reason))
	{
		*reason = origin_problem(log, head);
		if (*reason == NULL && head->size > log->chain.next_seq)
			verdict = signed_by_log(&log->keys, head, note) ? WITNESS_HOLDS_OTHER : WITNESS_REFUSES;
		else if (*reason == NULL)
			verdict = compare_held(log, head, note, reason);
	}
	pfree(note);
	return verdict;
}

uint64
witness_time(uint64 now_s, uint64 last_s)
{
	return Max(now_s, last_s);
}

/* Quorums -------------------------------------------------------------------*/

int
quorum_faulty(int n)
{
	return (n - 1) / 3;
}

int
quorum_needed(int n)
{
	return (n + quorum_faulty(n) + 2) / 2;
}

/* Of a certified checkpoint at most n - q sites know nothing, and f may not tell. */
int
quorum_answers(int n, int needed)
{
	return Min(n - needed + quorum_faulty(n) + 1, n - 1);
}

char *
policy_of_witnesses(const NoteKey *log, const char *const *names, const NoteKey *keys,
					int n, int needed, uint8 hash[HASH_BYTES])
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "log %s\n", note_key_to_text(log));
	for (int i = 0; i < n; i++)
		appendStringInfo(&text, "witness %s %s\n", names[i], note_key_to_text(&keys[i]));
	if (n > 0)
	{
		appendStringInfo(&text, "group " POLICY_GROUP " %d", needed);
		for (int i = 0; i < n; i++)
			appendStringInfo(&text, " %s", names[i]);
		appendStringInfoString(&text, "\nquorum " POLICY_GROUP "\n");
	}
	else
		appendStringInfoString(&text, "quorum none\n");
	hash_bytes(hash, text.data, text.len);
	return text.data;
}
