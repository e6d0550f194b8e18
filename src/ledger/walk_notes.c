/*
 * walk_notes.c
 *	  The notes of an export: signed by whom the key history says, accepted by
 *	  the policy that it names, in order, over these entries.
 */
#include "base/base.h"

#include "ledger/walk.h"

#define FUTURE_S			(CLOCK_SKEW_MS_MAX / 1000)

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
	if (!walk_get(walk, path, &bytes))
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
bool
walk_next_note(Walk *walk)
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
		return walk_fault(walk, walk->certified, "is under a note that can't be read");
	if (walk->head.size < before || walk->head.size == 0)
		return walk_fault(walk, walk->certified, "is under a note of fewer entries than the one before");
	if (walk->head.size > walk->result->head.size)
		return walk_fault(walk, walk->certified, "is under a note of more entries than there are");
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
bool
walk_check_notes(Walk *walk)
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
			return walk_fault(walk, walk->certified, problem);
		if (walk->options->policy != NULL &&
			policy_check(walk->options->policy, &walk->note, walk->head.origin, &found, &problem))
			walk->result->anchored = walk->head.size;
		walk->certified = walk->head.size;
		walk->result->notes++;
		if (!walk_next_note(walk))
			return false;
	}
	if (walk->due == walk->tiles.size && walk->certified != walk->due)
		return walk_fault(walk, walk->due - 1, "changes the key or policy, and no checkpoint ends with it");
	return true;
}
