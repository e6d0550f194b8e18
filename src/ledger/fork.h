/*
 * fork.h
 *	  Proof that somebody signed two histories of one ledger.
 *
 *	  secmed-fork@v1
 *	  BASE64 of a hash, one a line          (none if both sizes are equal)
 *	  (empty line)
 *	  the note of the smaller size, m
 *	  (empty line)
 *	  the note of the larger size, n
 *
 * Both notes have one origin.  Of equal sizes the roots differ.  Otherwise the
 * hashes are merkle_prefix_path(m, n): they lead to the larger note's root, so
 * they are the nodes of that tree, and the root of its first m leaves, which
 * follows from them, is not the smaller note's.
 *
 * The file is complete: with the public key of a log or a witness that signed
 * both notes, anybody can check it.  Who has not answered has not forked.
 */
#ifndef SECMED_FORK_H
#define SECMED_FORK_H

#include "ledger/checkpoint.h"

typedef struct ForkProof
{
	Checkpoint	heads[2];
	Note		notes[2];		/* point into the bytes that were read */
	MerkleProof path;
} ForkProof;

/*
 * Writes the proof of two signed notes, in whichever order.  source holds the
 * leaves below the larger one; it is not read if the sizes are equal.  False
 * with a reason if they do not conflict, or it can't be shown.
 */
extern bool fork_prove(StringInfo out, const void *a, size_t a_len, const void *b, size_t b_len,
					   const TileSource *source, const char **reason);

/* False with a reason unless the two checkpoints contradict each other. */
extern bool fork_parse(ForkProof *proof, const void *bytes, size_t len, const char **reason);

/* Has the holder of this key, the log or a witness, signed both? */
extern bool fork_convicts(const ForkProof *proof, const NoteKey *key);

#endif							/* SECMED_FORK_H */
