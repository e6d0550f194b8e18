/*
 * checkpoint.h
 *	  What a log signs: its name, how many entries, and the root over them
 *	  (c2sp.org/tlog-checkpoint); and the proof of one entry below it
 *	  (c2sp.org/tlog-proof@v1).
 *
 *	  secmed.FEDERATION/SITE/LEDGER UUID/EPOCH
 *	  SIZE
 *	  BASE64(ROOT)
 *
 * Exactly these three lines: no extension lines.  A ledger keeps its entries
 * and their numbers when its key changes; the origin's epoch then goes up.
 */
#ifndef SECMED_CHECKPOINT_H
#define SECMED_CHECKPOINT_H

#include "ledger/merkle.h"
#include "ledger/note.h"

#define EPOCH_MAX			1000000
#define UUID_TEXT_BYTES		36

typedef struct Origin
{
	char		federation[NODE_NAME_BYTES_MAX + 1];
	char		site[NODE_NAME_BYTES_MAX + 1];
	char		ledger[UUID_TEXT_BYTES + 1];
	uint64		epoch;			/* from 1 on */
} Origin;

extern char *origin_to_text(const Origin *origin);	/* palloc'd */
extern bool origin_from_text(Origin *origin, const char *text);

/* The same ledger, whatever the epoch. */
extern bool origin_same_ledger(const Origin *a, const Origin *b);

typedef struct Checkpoint
{
	char		origin[NOTE_NAME_MAX + 1];
	uint64		size;
	uint8		root[HASH_BYTES];
} Checkpoint;

extern char *checkpoint_text(const Checkpoint *checkpoint); /* palloc'd; sign it with note_sign() */

/* The text of a note, strictly; false with a reason. Any origin without spaces. */
extern bool checkpoint_parse(Checkpoint *checkpoint, const char *text, size_t len, const char **reason);

/*
 * The next of several notes with an empty line between them; false at the end.
 * Only cuts: what is cut is for note_parse().
 */
extern bool notes_next(const char **at, const char *end, const char **note, size_t *len);

/* The checkpoint that a note's text is, both read strictly. */
extern bool checkpoint_from_note(Checkpoint *checkpoint, Note *note, const void *bytes, size_t len,
								 const char **reason);

/*
 * The proof that leaf index is below a signed checkpoint, as a file that is
 * checked alone.  Ours hold the entry's bytes as their "extra" data.
 */
typedef struct ProofFile
{
	uint64		index;
	MerkleProof path;
	StringInfoData entry;		/* extra data; len 0 if there is none */
	const char *note;			/* the signed checkpoint, points into the file */
	size_t		note_len;
} ProofFile;

extern void proof_write(StringInfo out, const void *entry, size_t entry_len, uint64 index,
						const MerkleProof *path, const char *note);
extern bool proof_parse(ProofFile *proof, const void *bytes, size_t len, const char **reason);

/* Lines of base64 hashes up to an empty line, which is taken; false if something else comes. */
extern bool proof_read_path(MerkleProof *path, const char **at, const char *end);
extern void proof_write_path(StringInfo out, const MerkleProof *path);

#endif							/* SECMED_CHECKPOINT_H */
