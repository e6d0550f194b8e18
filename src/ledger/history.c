/*
 * history.c
 *	  Replaying a ledger's keys, and writing what is replayed.
 */
#include "base/base.h"

#include "base/cbor.h"
#include "ledger/history.h"

#define SIGNATURE_TEXT_BYTES	88

/* What one KEY entry says, and what it follows. */
typedef struct KeyChange
{
	const char *outcome;
	const NoteKey *key;
	const uint8 *policy;		/* or NULL */
	const KeySpan *old;			/* or NULL */
} KeyChange;

void
history_start(KeyHistory *history)
{
	memset(history, 0, sizeof(*history));
}

char *
cosigner_name(const char *federation, const char *site)
{
	return psprintf("secmed.%s/%s/cosigner", federation, site);
}

static bool
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void
write_hash_or_null(StringInfo out, const uint8 *hash)
{
	if (hash == NULL)
		cbor_null(out);
	else
		cbor_bytes(out, hash, HASH_BYTES);
}

/* What is signed. */
static void
write_statement(StringInfo out, const KeyChange *change)
{
	bool		has_policy = change->key->kind == NOTE_LOG;
	char	   *key = note_key_to_text(change->key);

	initStringInfo(out);
	cbor_array(out, 5);
	cbor_text(out, change->outcome);
	cbor_text(out, key);
	pfree(key);
	if (change->old == NULL)
		cbor_null(out);
	else
	{
		key = note_key_to_text(&change->old->key);
		cbor_text(out, key);
		pfree(key);
	}
	write_hash_or_null(out, has_policy ? change->policy : NULL);
	write_hash_or_null(out, has_policy && change->old != NULL ? change->old->policy : NULL);
}

/* Exactly these signatures, in this order, one space between them. */
static bool
signatures_valid(const KeyChange *change, const char *text)
{
	bool		two = is(change->outcome, "rotated");
	uint8		signatures[2][SIGNATURE_BYTES];
	StringInfoData statement;
	bool		valid;

	if (strlen(text) != (two ? 2 * SIGNATURE_TEXT_BYTES + 1 : SIGNATURE_TEXT_BYTES) ||
		!base64_read(signatures[0], SIGNATURE_BYTES, text, SIGNATURE_TEXT_BYTES) ||
		(two && (text[SIGNATURE_TEXT_BYTES] != ' ' ||
				 !base64_read(signatures[1], SIGNATURE_BYTES, text + SIGNATURE_TEXT_BYTES + 1,
							  SIGNATURE_TEXT_BYTES))))
		return false;
	write_statement(&statement, change);
	valid = sign_verify(signatures[0], change->key->public_key, KEY_PURPOSE, statement.data, statement.len) &&
		(!two || sign_verify(signatures[1], change->old->key.public_key, KEY_PURPOSE,
							 statement.data, statement.len));
	pfree(statement.data);
	return valid;
}

static bool
key_is_new(const KeySpan *spans, int n, const NoteKey *key)
{
	for (int i = 0; i < n; i++)
		if (memcmp(spans[i].key.public_key, key->public_key, SIGN_PUBLIC_BYTES) == 0)
			return false;
	return true;
}

/* May a key called this be the next log key? */
static bool
origin_follows(const KeyHistory *history, const LedgerEntry *entry, const NoteKey *key)
{
	Origin		origin;

	if (!origin_from_text(&origin, key->name) || !is(origin.site, entry->site))
		return false;
	if (is(entry->outcome, "first"))
		return origin.epoch == 1;
	if (!origin_same_ledger(&origin, &history->origin))
		return false;
	if (is(entry->outcome, "rotated"))
		return origin.epoch == history->origin.epoch + 1;
	return origin.epoch > history->origin.epoch;
}

static bool
name_follows(const KeyHistory *history, const LedgerEntry *entry, const NoteKey *key)
{
	char	   *name;
	bool		same;

	if (key->kind == NOTE_LOG)
		return origin_follows(history, entry, key);
	if (history->nlogs == 0)
		return false;
	name = cosigner_name(history->origin.federation, entry->site);
	same = is(name, key->name);
	pfree(name);
	return same;
}

static bool
known_outcome(const LedgerEntry *entry)
{
	static const char *const words[] = {"first", "rotated", "recovered", "revoked", "policy"};

	for (int i = 0; i < lengthof(words); i++)
		if (is(entry->outcome, words[i]))
			return true;
	return false;
}

static const char *
change_problem(const KeyHistory *history, const LedgerEntry *entry, const NoteKey *key,
			   const KeySpan *spans, int n)
{
	const KeySpan *old = n > 0 ? &spans[n - 1] : NULL;
	KeyChange	change = {entry->outcome, key, entry->plan, old};

	if (!known_outcome(entry) || entry->ncounters > 0 || entry->has_run || entry->has_commitment ||
		entry->has_plan != (key->kind == NOTE_LOG))
		return "is about a key, and not written as such entries are";
	if (n == HISTORY_KEYS_MAX)
		return "is one key too many";
	if (is(entry->outcome, "first") != (old == NULL))
		return old == NULL ? "follows on a key, and there is none before it"
			: "is about a first key, and there is one before it";
	if (is(entry->outcome, "policy"))
	{
		if (key->kind != NOTE_LOG || !note_key_equal(key, &old->key))
			return "changes the policy under another key than the current one";
	}
	else if (!key_is_new(history->logs, history->nlogs, key) ||
			 !key_is_new(history->witnesses, history->nwitnesses, key))
		return "brings a key that is not new";
	else if (!name_follows(history, entry, key))
		return "brings a key under a name that is not this ledger's next";
	return signatures_valid(&change, entry->revealed) ? NULL
		: "is about a key, and not signed as it must be";
}

bool
history_accept(KeyHistory *history, const LedgerEntry *entry, const char **reason)
{
	NoteKey		key;
	bool		is_log;
	KeySpan    *spans;
	int		   *n;
	KeySpan    *span;

	*reason = "is about a key, and holds none";
	if (entry->kind != ENTRY_KEY || !note_key_from_text(&key, entry->object, strlen(entry->object), reason))
	{
		*reason = "is about a key, and holds none";
		return false;
	}
	is_log = key.kind == NOTE_LOG;
	spans = is_log ? history->logs : history->witnesses;
	n = is_log ? &history->nlogs : &history->nwitnesses;
	*reason = change_problem(history, entry, &key, spans, *n);
	if (*reason != NULL)
		return false;

	span = &spans[(*n)++];
	span->entry = entry->seq;
	span->handed_over = is(entry->outcome, "rotated") || is(entry->outcome, "policy");
	span->above = entry->seq + (span->handed_over ? 1 : 0);
	span->key = key;
	memcpy(span->policy, entry->plan, HASH_BYTES);
	if (is_log)
		origin_from_text(&history->origin, key.name);
	return true;
}

const KeySpan *
history_log(const KeyHistory *history, uint64 size)
{
	for (int i = history->nlogs - 1; i >= 0; i--)
		if (history->logs[i].above < size)
			return &history->logs[i];
	return NULL;
}

bool
history_hands_over(const KeyHistory *history, uint64 size)
{
	for (int i = 0; i < history->nlogs; i++)
		if (history->logs[i].handed_over && history->logs[i].above == size)
			return true;
	return false;
}

/* ---- writing ---- */

static void
sign_change(StringInfo out, const KeyChange *change, const uint8 *secret_key)
{
	uint8		signature[SIGNATURE_BYTES];
	StringInfoData statement;

	write_statement(&statement, change);
	sign_message(signature, secret_key, KEY_PURPOSE, statement.data, statement.len);
	base64_write(out, signature, SIGNATURE_BYTES);
	pfree(statement.data);
}

void
history_make(LedgerEntry *entry, const KeyHistory *history, const char *outcome,
			 const NoteKey *key, const uint8 secret_key[SIGN_SECRET_BYTES],
			 const uint8 *old_secret_key, const uint8 *policy)
{
	const KeySpan *spans = key->kind == NOTE_LOG ? history->logs : history->witnesses;
	int			n = key->kind == NOTE_LOG ? history->nlogs : history->nwitnesses;
	KeyChange	change = {outcome, key, policy, n > 0 ? &spans[n - 1] : NULL};
	StringInfoData signatures;

	initStringInfo(&signatures);
	sign_change(&signatures, &change, secret_key);
	if (is(outcome, "rotated"))
	{
		appendStringInfoChar(&signatures, ' ');
		sign_change(&signatures, &change, old_secret_key);
	}
	memset(entry, 0, sizeof(*entry));
	entry->kind = ENTRY_KEY;
	entry->actor = "";
	entry->object = note_key_to_text(key);
	entry->outcome = outcome;
	entry->revealed = signatures.data;
	entry->has_plan = key->kind == NOTE_LOG;
	if (entry->has_plan)
		memcpy(entry->plan, policy, HASH_BYTES);
}

void
history_make_head(LedgerEntry *entry, const Checkpoint *head)
{
	memset(entry, 0, sizeof(*entry));
	entry->kind = ENTRY_HEAD;
	entry->actor = entry->revealed = "";
	entry->object = pstrdup(head->origin);
	entry->outcome = "certified";
	entry->has_plan = true;
	memcpy(entry->plan, head->root, HASH_BYTES);
	entry->ncounters = 1;
	entry->counters[0] = head->size;
}

void
history_make_erased(LedgerEntry *entry, const char *basis, uint64 first, uint64 last)
{
	memset(entry, 0, sizeof(*entry));
	entry->kind = ENTRY_ERASED;
	entry->actor = entry->revealed = "";
	entry->object = basis;
	entry->outcome = "erased";
	entry->ncounters = 2;
	entry->counters[0] = first;
	entry->counters[1] = last;
}

/* ---- reading the other kinds ---- */

const char *
head_problem(const LedgerEntry *entry)
{
	Origin		origin;

	if (!is(entry->outcome, "certified") || !entry->has_plan || entry->has_run ||
		entry->has_commitment || entry->ncounters != 1 || entry->counters[0] == 0)
		return "is about a head, and not written as such entries are";
	if (!origin_from_text(&origin, entry->object))
		return "is about the head of something that is not a ledger";
	return NULL;
}

bool
ranges_valid(const LedgerEntry *entry)
{
	if (entry->ncounters == 0 || entry->ncounters % 2 != 0)
		return false;
	for (int i = 0; i < entry->ncounters; i++)
		if (entry->counters[i] >= entry->seq ||
			(i > 0 && entry->counters[i] < entry->counters[i - 1] + (i % 2 == 0 ? 1 : 0)))
			return false;
	return true;
}

const char *
erased_problem(const LedgerEntry *entry)
{
	if (!is(entry->outcome, "erased") || entry->has_plan || entry->has_run || entry->has_commitment ||
		entry->object[0] == '\0' || entry->ncounters == 0 || entry->ncounters % 2 != 0)
		return "is about erasing, and not written as such entries are";
	return ranges_valid(entry) ? NULL
		: "is about erasing, and names entries that are not before it or not in order";
}

bool
erased_covers(const LedgerEntry *entry, uint64 seq)
{
	for (int i = 0; i + 1 < entry->ncounters; i += 2)
		if (entry->counters[i] <= seq && seq <= entry->counters[i + 1])
			return true;
	return false;
}
