/*
 * tlog.c
 *	  The texts around a ledger: notes, checkpoints, policies, proofs of entries
 *	  and of forks, keys and origins.
 */
#include "fuzz.h"

#include "ledger/fork.h"
#include "ledger/tlog_policy.h"

static void
try_note(const uint8 *data, size_t size)
{
	Note		note;
	Checkpoint	checkpoint;
	const char *reason = NULL;

	if (!note_parse(&note, data, size, &reason))
		must_say(reason);
	else if (!checkpoint_parse(&checkpoint, note.text, note.text_len, &reason))
		must_say(reason);
	else
	{
		char	   *text = checkpoint_text(&checkpoint);

		must(strlen(text) == note.text_len && memcmp(text, note.text, note.text_len) == 0);
	}
}

static void
try_policy(const uint8 *data, size_t size)
{
	static const char forged[] = "a\n1\nQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=\n\n\xe2\x80\x94 a AAAAAAA=\n";
	static Policy policy;
	Note		note;
	PolicySigned found;
	const char *reason = NULL;

	if (!policy_parse(&policy, data, size, &reason))
		must_say(reason);
	else
	{
		must(note_parse(&note, forged, sizeof(forged) - 1, &reason));
		must(!policy_check(&policy, &note, "a", &found, &reason));
	}
}

static void
try_proofs(const uint8 *data, size_t size)
{
	static ForkProof fork;
	ProofFile	proof;
	const char *reason = NULL;

	if (!fork_parse(&fork, data, size, &reason))
		must_say(reason);
	if (!proof_parse(&proof, data, size, &reason))
		must_say(reason);
	else
	{
		StringInfoData again = empty();
		char	   *note = pnstrdup(proof.note, proof.note_len);

		/* What follows the path is not yet looked at, and may hold a zero byte. */
		proof_write(&again, proof.entry.data, proof.entry.len, proof.index, &proof.path, note);
		must(again.len <= size && memcmp(again.data, data, again.len) == 0);
	}
}

static void
try_names(const uint8 *data, size_t size)
{
	char	   *text = pnstrdup((const char *) data, size);
	NoteKey		key;
	Origin		origin;
	const char *reason = NULL;

	if (note_key_from_text(&key, text, strlen(text), &reason))
		must(strcmp(note_key_to_text(&key), text) == 0);
	else
		must_say(reason);
	if (origin_from_text(&origin, text))
		must(strcmp(origin_to_text(&origin), text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	try_note(data, size);
	try_policy(data, size);
	try_proofs(data, size);
	try_names(data, size);
	memory_reset();
	return 0;
}
