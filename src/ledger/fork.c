/*
 * fork.c
 *	  Fork proofs, made and checked.
 */
#include "base/base.h"

#include "ledger/fork.h"

#define FORK_FIRST_LINE		"secmed-fork@v1\n"

/* The reason why these two, the smaller first, are no fork; NULL if they are one. */
static const char *
agreement(const Checkpoint heads[2], const MerkleProof *path)
{
	uint8		roots[2][HASH_BYTES];

	if (strcmp(heads[0].origin, heads[1].origin) != 0)
		return "has checkpoints of two logs";
	if (heads[0].size == heads[1].size)
	{
		if (path->n != 0)
			return "has a path that it should not have";
		return memcmp(heads[0].root, heads[1].root, HASH_BYTES) != 0 ? NULL
			: "has the same checkpoint twice";
	}
	if (heads[0].size == 0)
		return "has a checkpoint of no entries, which every other extends";
	if (!merkle_prefix_roots(path, heads[0].size, heads[1].size, roots[0], roots[1]) ||
		memcmp(roots[1], heads[1].root, HASH_BYTES) != 0)
		return "has a path that does not lead to the larger checkpoint";
	return memcmp(roots[0], heads[0].root, HASH_BYTES) != 0 ? NULL
		: "has two checkpoints of which one extends the other";
}

bool
fork_prove(StringInfo out, const void *a, size_t a_len, const void *b, size_t b_len,
		   const TileSource *source, const char **reason)
{
	const void *bytes[] = {a, b};
	size_t		lens[] = {a_len, b_len};
	Checkpoint	heads[2];
	Note	   *note = palloc(sizeof(Note));
	MerkleProof path = {0};
	bool		read = checkpoint_from_note(&heads[0], note, a, a_len, reason) &&
		checkpoint_from_note(&heads[1], note, b, b_len, reason);
	int			first = read && heads[0].size > heads[1].size ? 1 : 0;
	Checkpoint	ordered[2];

	pfree(note);
	if (!read)
		return false;
	ordered[0] = heads[first];
	ordered[1] = heads[1 - first];
	*reason = "has entries that are not here";
	if (ordered[0].size > 0 && ordered[0].size < ordered[1].size &&
		!merkle_prefix_path(&path, source, ordered[0].size, ordered[1].size))
		return false;
	*reason = agreement(ordered, &path);
	if (*reason != NULL)
		return false;

	appendStringInfoString(out, FORK_FIRST_LINE);
	proof_write_path(out, &path);
	appendBinaryStringInfo(out, bytes[first], (int) lens[first]);
	appendStringInfoChar(out, '\n');
	appendBinaryStringInfo(out, bytes[1 - first], (int) lens[1 - first]);
	return true;
}

bool
fork_parse(ForkProof *proof, const void *bytes, size_t len, const char **reason)
{
	const char *at = bytes;
	const char *end = at + len;
	const char *note;
	size_t		note_len;

	*reason = "is not a fork proof";
	if (len < strlen(FORK_FIRST_LINE) || memcmp(at, FORK_FIRST_LINE, strlen(FORK_FIRST_LINE)) != 0)
		return false;
	at += strlen(FORK_FIRST_LINE);
	*reason = "has a path that is not a list of hashes";
	if (!proof_read_path(&proof->path, &at, end))
		return false;
	for (int i = 0; i < 2; i++)
	{
		*reason = "has fewer than two notes";
		if (!notes_next(&at, end, &note, &note_len) ||
			!checkpoint_from_note(&proof->heads[i], &proof->notes[i], note, note_len, reason))
			return false;
	}
	*reason = "has bytes after its notes";
	if (at != end)
		return false;
	*reason = "has the larger checkpoint first";
	if (proof->heads[0].size > proof->heads[1].size)
		return false;
	*reason = agreement(proof->heads, &proof->path);
	return *reason == NULL;
}

bool
fork_convicts(const ForkProof *proof, const NoteKey *key)
{
	uint64		time;

	return (key->kind == NOTE_WITNESS || strcmp(key->name, proof->heads[0].origin) == 0) &&
		note_check(&proof->notes[0], key, &time) == NOTE_SIGNED &&
		note_check(&proof->notes[1], key, &time) == NOTE_SIGNED;
}
