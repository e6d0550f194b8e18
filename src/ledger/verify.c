/*
 * verify.c
 *	  Walks an export of a ledger.
 */
#include "base/base.h"

#include "ledger/verify.h"

#define FUTURE_S			(CLOCK_SKEW_MS_MAX / 1000)
#define COSIGNERS_MAX		256
#define FILE_HASHES(width)	((size_t) (width) * HASH_BYTES)

/* A growing list of numbers. */
typedef struct Numbers
{
	uint64	   *at;
	uint64		n;
	uint64		room;
} Numbers;

/* When a cosigner signed last. */
typedef struct Cosigner
{
	uint8		public_key[SIGN_PUBLIC_BYTES];
	uint64		at;
} Cosigner;

typedef struct Walk
{
	VerifyResult *result;
	const VerifySource *source;
	const VerifyOptions *options;

	/* the chain */
	uint64		seq;			/* the entry that is looked at */
	uint8		prev[HASH_BYTES];
	int64		last_at_us;
	TileBuilder tiles;
	StringInfoData tile;		/* stored hashes of the bundle */
	StringInfoData bundle;

	/* keys and policies */
	KeyHistory	history;
	int			policy_span;	/* whose policy is below, or -1 */
	Policy		policy;
	Policy		old_policy;
	uint64		due;			/* a note of this size must come; 0: none */

	/* notes */
	StringInfoData notes_file;
	const char *notes_at;
	StringInfoData last_note;	/* the checkpoint */
	bool		has_note;		/* one is waiting for its size */
	bool		notes_done;
	Note		note;
	Checkpoint	head;
	uint64		certified;		/* size of the last good note */
	int			last_span;		/* and whose it was; -1 before the first */
	uint64		last_time;
	int			ncosigners;
	Cosigner	cosigners[COSIGNERS_MAX];

	/* bodies */
	StringInfoData payloads_file;
	const char *payloads_at;
	bool		has_payload;	/* a line is waiting for its entry */
	uint64		payload_seq;
	const char *payload;		/* what follows the number */
	size_t		payload_len;
	Numbers		opened;			/* entries whose bodies are here */
	Numbers		erased;			/* pairs: an entry, and the one that erased it */
	Numbers		erasures;		/* triples: ERASED entry, first, last */
} Walk;

static bool
violated_at(Walk *walk, uint64 entry, const char *reason)
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
static bool
violated(Walk *walk, const char *reason)
{
	violated_at(walk, 0, reason);
	walk->result->has_entry = false;
	return false;
}

static bool
get(const Walk *walk, const char *path, StringInfo out)
{
	resetStringInfo(out);
	return walk->source->get(walk->source->arg, path, out);
}

static void
numbers_add(Numbers *numbers, uint64 value)
{
	if (numbers->n == numbers->room)
	{
		numbers->room = Max(numbers->room * 2, 64);
		if (numbers->at == NULL)
			numbers->at = palloc(numbers->room * sizeof(uint64));
		else
			numbers->at = repalloc(numbers->at, numbers->room * sizeof(uint64));
	}
	numbers->at[numbers->n++] = value;
}

/* Index of the first, in steps of width, that is not smaller. */
static uint64
numbers_find(const Numbers *numbers, int width, uint64 value)
{
	uint64		low = 0;
	uint64		high = numbers->n / width;

	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;

		if (numbers->at[middle * width] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low * width;
}

/* ---- policies ---- */

static const char *
load_policy(Walk *walk, Policy *policy, const uint8 hash[HASH_BYTES])
{
	char		path[POLICY_PATH_BYTES];
	StringInfoData bytes;
	uint8		found[HASH_BYTES];
	const char *reason = NULL;

	policy_path(path, hash);
	initStringInfo(&bytes);
	if (!get(walk, path, &bytes))
		reason = "names a policy that is not here";
	else
	{
		hash_bytes(found, bytes.data, bytes.len);
		if (memcmp(found, hash, HASH_BYTES) != 0)
			reason = "names a policy that is not the one here";
		else if (!policy_parse(policy, bytes.data, bytes.len, &reason))
			reason = "names a policy that can't be read";
	}
	pfree(bytes.data);
	return reason;
}

/* The policy of a span, and that before it, to be asked about the next notes. */
static const char *
use_span(Walk *walk, int span)
{
	const char *problem = NULL;

	if (walk->policy_span == span)
		return NULL;
	if (span > 0)
		problem = load_policy(walk, &walk->old_policy, walk->history.logs[span - 1].policy);
	if (problem == NULL)
		problem = load_policy(walk, &walk->policy, walk->history.logs[span].policy);
	walk->policy_span = span;
	return problem;
}

/* ---- notes ---- */

/* The next of "notes", then the checkpoint. */
static bool
next_note(Walk *walk)
{
	const char *end = walk->notes_file.data + walk->notes_file.len;
	const char *bytes;
	const char *reason;
	size_t		len;
	uint64		before = walk->head.size;

	walk->has_note = false;
	if (walk->notes_done)
		return true;
	if (!notes_next(&walk->notes_at, end, &bytes, &len))
	{
		bytes = walk->last_note.data;
		len = (size_t) walk->last_note.len;
		walk->notes_done = true;
	}
	if (!checkpoint_from_note(&walk->head, &walk->note, bytes, len, &reason))
		return violated_at(walk, walk->certified, "is under a note that can't be read");
	if (walk->head.size < before || walk->head.size == 0)
		return violated_at(walk, walk->certified, "is under a note of fewer entries than the one before");
	if (walk->head.size > walk->result->head.size)
		return violated_at(walk, walk->certified, "is under a note of more entries than there are");
	walk->has_note = true;
	return true;
}

static const char *
cosigner_problem(Walk *walk, const NoteKey *key, uint64 at)
{
	int			i = 0;

	while (i < walk->ncosigners &&
		   memcmp(walk->cosigners[i].public_key, key->public_key, SIGN_PUBLIC_BYTES) != 0)
		i++;
	if (i == COSIGNERS_MAX)
		return NULL;
	if (i == walk->ncosigners)
	{
		memcpy(walk->cosigners[walk->ncosigners++].public_key, key->public_key, SIGN_PUBLIC_BYTES);
		walk->cosigners[i].at = 0;
	}
	if (at < walk->cosigners[i].at)
		return "is under a note countersigned earlier than the one before";
	walk->cosigners[i].at = at;
	if (walk->options->now > 0 && at > walk->options->now + FUTURE_S)
		return "is under a note countersigned in the future";
	return NULL;
}

static const char *
cosigners_problem(Walk *walk, const PolicySigned *found)
{
	uint64		latest = 0;

	for (int i = 0; i < walk->policy.nwitnesses; i++)
	{
		const char *problem = found->by[i] ?
			cosigner_problem(walk, &walk->policy.witnesses[i], found->at[i]) : NULL;

		if (problem != NULL)
			return problem;
		latest = Max(latest, found->at[i]);
	}
	if (walk->last_time > 0 && latest > walk->last_time)
		walk->result->silence_s = Max(walk->result->silence_s, latest - walk->last_time);
	walk->last_time = Max(walk->last_time, latest);
	return NULL;
}

/* Signed by whom the history says, and by enough witnesses. */
static const char *
signatures_problem(Walk *walk, const KeySpan *span)
{
	int			number = (int) (span - walk->history.logs);
	PolicySigned found;
	PolicySigned old;
	const char *problem = use_span(walk, number);
	uint64		time;

	if (problem != NULL)
		return problem;
	if (strcmp(walk->head.origin, span->key.name) != 0)
		return "is under a note of another origin";
	if (note_check(&walk->note, &span->key, &time) != NOTE_SIGNED)
		return "is under a note that its log's key has not signed";
	if (!policy_check(&walk->policy, &walk->note, walk->head.origin, &found, &problem))
		return "is under a note that the policy does not accept";
	if (number != walk->last_span && number > 0 && !span->handed_over &&
		!policy_quorum(&walk->old_policy, &walk->note, &old, &problem))
		return "is under a new key that the old witnesses did not accept";
	walk->last_span = number;
	return cosigners_problem(walk, &found);
}

/* All notes of the size that is reached. */
static bool
check_notes(Walk *walk)
{
	while (walk->has_note && walk->head.size == walk->tiles.size)
	{
		const KeySpan *span = history_log(&walk->history, walk->head.size);
		const char *problem = span == NULL ? "is under a note, and there is no key yet"
			: signatures_problem(walk, span);
		PolicySigned found;
		uint8		root[HASH_BYTES];

		tiles_root(root, &walk->tiles);
		if (problem == NULL && memcmp(root, walk->head.root, HASH_BYTES) != 0)
			problem = "is under a note of other entries";
		if (problem != NULL)
			return violated_at(walk, walk->certified, problem);
		if (walk->options->policy != NULL &&
			policy_check(walk->options->policy, &walk->note, walk->head.origin, &found, &problem))
			walk->result->anchored = walk->head.size;
		walk->certified = walk->head.size;
		walk->result->notes++;
		if (!next_note(walk))
			return false;
	}
	if (walk->due == walk->tiles.size && walk->certified != walk->due)
		return violated_at(walk, walk->due - 1, "changes the key or policy, and no checkpoint ends with it");
	return true;
}

/* ---- bodies ---- */

static bool
next_payload(Walk *walk)
{
	const char *end = walk->payloads_file.data + walk->payloads_file.len;
	const char *line;
	const char *space;
	size_t		len;
	uint64		before = walk->payload_seq;
	bool		first = !walk->has_payload;

	walk->has_payload = false;
	if (walk->payloads_at == end)
		return true;
	if (!next_line(&walk->payloads_at, end, &line, &len) ||
		(space = memchr(line, ' ', len)) == NULL ||
		!decimal_read(&walk->payload_seq, line, (size_t) (space - line), PG_INT64_MAX))
		return violated(walk, "has a list of bodies that can't be read");
	if (walk->payload_seq >= walk->result->head.size || (!first && walk->payload_seq <= before))
		return violated_at(walk, walk->payload_seq, "has a body, and is not there or was listed before");
	walk->payload = space + 1;
	walk->payload_len = len - (size_t) (space + 1 - line);
	walk->has_payload = true;
	return true;
}

/* BASE64(SALT) BASE64(BODY) */
static const char *
opened_problem(Walk *walk, const LedgerEntry *entry, const char *text, size_t len)
{
	size_t		salt_len = (SALT_BYTES + 2) / 3 * 4;
	size_t		body_len;
	uint8		salt[SALT_BYTES];
	uint8		commitment[HASH_BYTES];
	uint8	   *body;
	bool		read;

	if (len < salt_len + 1 || text[salt_len] != ' ' || !base64_read(salt, SALT_BYTES, text, salt_len))
		return "has a body that can't be read";
	text += salt_len + 1;
	len -= salt_len + 1;
	body_len = len / 4 * 3;
	if (len >= 4)
		body_len -= (text[len - 1] == '=') + (text[len - 2] == '=');
	body = palloc(body_len + 1);
	read = base64_read(body, body_len, text, len);
	if (read)
		commit_payload(commitment, salt, body, body_len);
	pfree(body);
	if (!read)
		return "has a body that can't be read";
	return memcmp(commitment, entry->commitment, HASH_BYTES) == 0 ? NULL
		: "has a body that is not the one it commits to";
}

static const char *
payload_problem(Walk *walk, const LedgerEntry *entry)
{
	const char *text = walk->payload;
	size_t		len = walk->payload_len;
	const char *problem;
	uint64		by;

	if (!entry->has_commitment)
		return "has a body, and commits to none";
	if (len >= 7 && memcmp(text, "opened ", 7) == 0)
	{
		problem = opened_problem(walk, entry, text + 7, len - 7);
		numbers_add(&walk->opened, entry->seq);
		walk->result->opened++;
		return problem;
	}
	if (len < 7 || memcmp(text, "erased ", 7) != 0 || !decimal_read(&by, text + 7, len - 7, PG_INT64_MAX))
		return "has a body that can't be read";
	numbers_add(&walk->erased, entry->seq);
	numbers_add(&walk->erased, by);
	walk->result->erased++;
	return NULL;
}

static bool
check_payload(Walk *walk, const LedgerEntry *entry)
{
	const char *problem;

	if (!walk->has_payload || walk->payload_seq != entry->seq)
	{
		walk->result->withheld += entry->has_commitment;
		return true;
	}
	problem = payload_problem(walk, entry);
	if (problem != NULL)
		return violated_at(walk, entry->seq, problem);
	return next_payload(walk);
}

/* What an ERASED entry speaks of can't be here. */
static bool
take_erased(Walk *walk, const LedgerEntry *entry)
{
	const char *problem = erased_problem(entry);

	if (problem != NULL)
		return violated_at(walk, entry->seq, problem);
	for (int i = 0; i < entry->ncounters; i += 2)
	{
		uint64		at = numbers_find(&walk->opened, 1, entry->counters[i]);

		if (at < walk->opened.n && walk->opened.at[at] <= entry->counters[i + 1])
			return violated_at(walk, walk->opened.at[at], "is said to be erased, and its body is here");
		numbers_add(&walk->erasures, entry->seq);
		numbers_add(&walk->erasures, entry->counters[i]);
		numbers_add(&walk->erasures, entry->counters[i + 1]);
	}
	return true;
}

/* Each body that is listed as erased: does the entry that is named say so? */
static bool
check_erased(Walk *walk)
{
	for (uint64 i = 0; i < walk->erased.n; i += 2)
	{
		uint64		seq = walk->erased.at[i];
		uint64		by = walk->erased.at[i + 1];
		bool		covered = false;

		for (uint64 at = numbers_find(&walk->erasures, 3, by);
			 at < walk->erasures.n && walk->erasures.at[at] == by; at += 3)
			covered |= walk->erasures.at[at + 1] <= seq && seq <= walk->erasures.at[at + 2];
		if (!covered)
			return violated_at(walk, seq, "lacks its body, and no entry says that it was erased");
	}
	return true;
}

/* ---- entries ---- */

static const char *
link_problem(const Walk *walk, const LedgerEntry *entry)
{
	if (entry->seq != walk->seq)
		return "is stored under another number than its own";
	if (strcmp(entry->site, walk->result->origin.site) != 0)
		return "belongs to another node's ledger";
	if (memcmp(entry->prev, walk->prev, HASH_BYTES) != 0)
		return "does not link to the entry before it";
	if (entry->at_us < walk->last_at_us)
		return "is older than the entry before it";
	return NULL;
}

static bool
take_head(Walk *walk, const LedgerEntry *entry)
{
	VerifyResult *result = walk->result;
	const char *problem = head_problem(entry);
	QuotedHead *quote;

	if (problem != NULL)
		return violated_at(walk, entry->seq, problem);
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
		return violated_at(walk, entry->seq, problem);
	if (walk->history.nlogs > nlogs && walk->history.logs[nlogs].handed_over)
		walk->due = entry->seq + 1;
	walk->result->keys = walk->history.nlogs;
	return true;
}

static bool
take_meaning(Walk *walk, const LedgerEntry *entry)
{
	switch (entry->kind)
	{
		case ENTRY_KEY:
			return take_key(walk, entry);
		case ENTRY_HEAD:
			return take_head(walk, entry);
		case ENTRY_ERASED:
			return take_erased(walk, entry);
		default:
			return true;
	}
}

/* One leaf further, whether its entry is here or archived. */
static bool
grow(Walk *walk, const uint8 leaf[HASH_BYTES])
{
	memcpy(walk->prev, leaf, HASH_BYTES);
	tiles_append(&walk->tiles, leaf);
	walk->seq++;
	return walk->result->status == VERIFY_INTACT && check_notes(walk);
}

/* decode() leaves strings to its memory context, which a program does not have. */
static void
forget(LedgerEntry *entry)
{
	pfree((char *) entry->site);
	pfree((char *) entry->actor);
	pfree((char *) entry->object);
	pfree((char *) entry->outcome);
	pfree((char *) entry->revealed);
}

static bool
check_entry(Walk *walk, const uint8 *bytes, size_t len, const uint8 *stored)
{
	LedgerEntry entry;
	uint8		leaf[HASH_BYTES];
	const char *problem;
	bool		good;

	if (!entry_decode(&entry, bytes, len, &problem))
		return violated_at(walk, walk->seq, problem);
	problem = link_problem(walk, &entry);
	entry_hash(leaf, bytes, len);
	if (problem == NULL && memcmp(leaf, stored, HASH_BYTES) != 0)
		problem = "is not the one in the tree";
	if (problem != NULL)
		return violated_at(walk, walk->seq, problem);
	walk->last_at_us = entry.at_us;
	good = take_meaning(walk, &entry) && check_payload(walk, &entry);
	forget(&entry);
	return good && grow(walk, leaf);
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
			return violated_at(walk, walk->seq, "is cut off");
		if (!check_entry(walk, at + 2, len, (const uint8 *) walk->tile.data + FILE_HASHES(i)))
			return false;
		at += 2 + len;
	}
	return at == end || violated_at(walk, walk->seq, "is not in the tree");
}

/* Of an archived bundle only the hashes are here. */
static bool
skip_bundle(Walk *walk, int width)
{
	walk->result->archived += width;
	for (int i = 0; i < width; i++)
	{
		if (walk->has_payload && walk->payload_seq == walk->seq)
			return violated_at(walk, walk->seq, "has a body, and is not there or was listed before");
		if (!grow(walk, (const uint8 *) walk->tile.data + FILE_HASHES(i)))
			return false;
	}
	return true;
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
		if (!get(walk, path, &walk->tile) || walk->tile.len != FILE_HASHES(width))
			return violated_at(walk, walk->seq, "has no hash in the tree");
		tile_path(path, TILE_ENTRIES, number, width);
		if (!get(walk, path, &walk->bundle))
		{
			if (walk->seq + width > archived)
				return violated_at(walk, walk->seq, "is missing");
			if (!skip_bundle(walk, width))
				return false;
		}
		else if (!check_bundle(walk, width))
			return false;
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
	get(walk, path, &found);
	if (found.len == FILE_HASHES(width))
		while (same < width && memcmp(found.data + FILE_HASHES(same), hashes[same], HASH_BYTES) == 0)
			same++;
	if (same < width)
		violated_at(walk, (number * TILE_HASHES + same) << (TILE_BITS * level),
					"is below a stored hash that is wrong");
	pfree(found.data);
}

/* ---- the whole ---- */

static bool
read_head(Walk *walk)
{
	VerifyResult *result = walk->result;
	const char *reason;

	if (!get(walk, EXPORT_CHECKPOINT, &walk->last_note))
	{
		result->status = VERIFY_UNREADABLE;
		result->reason = "has no checkpoint";
		return false;
	}
	if (!checkpoint_from_note(&result->head, &walk->note, walk->last_note.data, walk->last_note.len, &reason))
		return violated(walk, "has a checkpoint that can't be read");
	if (!origin_from_text(&result->origin, result->head.origin) || result->head.size == 0)
	{
		memset(&result->origin, 0, sizeof(result->origin));
		return violated(walk, "has a checkpoint that is not of a ledger");
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
	good = !get(walk, EXPORT_ARCHIVED, &text) ||
		(text.len > 1 && text.data[text.len - 1] == '\n' &&
		 decimal_read(archived, text.data, text.len - 1, walk->result->head.size) &&
		 *archived % TILE_HASHES == 0);
	pfree(text.data);
	return good || violated(walk, "does not say properly what is archived");
}

static bool
walk_all(Walk *walk)
{
	uint64		archived;

	if (!read_head(walk) || !read_archived(walk, &archived))
		return false;
	get(walk, EXPORT_NOTES, &walk->notes_file);
	walk->notes_at = walk->notes_file.data;
	get(walk, EXPORT_PAYLOADS, &walk->payloads_file);
	walk->payloads_at = walk->payloads_file.data;
	if (!next_note(walk) || !next_payload(walk) || !walk_bundles(walk, archived))
		return false;
	tiles_finish(&walk->tiles);
	if (walk->result->status != VERIFY_INTACT || !check_erased(walk))
		return false;
	memcpy(walk->result->policy, walk->history.logs[walk->last_span].policy, HASH_BYTES);
	return walk->options->policy == NULL || walk->result->anchored > 0 ||
		violated_at(walk, 0, "is under no note that the given policy accepts");
}

void
verify_export(VerifyResult *result, const VerifySource *source, const VerifyOptions *options)
{
	Walk	   *walk = palloc0(sizeof(Walk));
	Numbers    *lists[] = {&walk->opened, &walk->erased, &walk->erasures};
	StringInfo	files[] = {&walk->tile, &walk->bundle, &walk->notes_file, &walk->last_note, &walk->payloads_file};

	memset(result, 0, sizeof(*result));
	walk->result = result;
	walk->source = source;
	walk->options = options;
	walk->policy_span = walk->last_span = -1;
	for (int i = 0; i < lengthof(files); i++)
		initStringInfo(files[i]);
	tiles_start(&walk->tiles, compare_tile, walk);
	history_start(&walk->history);
	walk_all(walk);
	for (int i = 0; i < lengthof(files); i++)
		pfree(files[i]->data);
	for (int i = 0; i < lengthof(lists); i++)
		if (lists[i]->at != NULL)
			pfree(lists[i]->at);
	pfree(walk);
}
