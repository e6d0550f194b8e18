/*
 * mirror.h
 *	  What nodes say to each other about their ledgers: exact bytes.
 *
 * One question, one answer; each is a CBOR array.  The caller's ledger is that
 * of the node that has opened the session, whatever is said.
 *
 *	  [1, "key"]                              the key you countersign with?
 *	  [1, "head"]                             the newest of my checkpoints you have countersigned?
 *	  [1, "update", turn, note, first, [entry, ...], certified, policy]
 *	                                          countersign this checkpoint of mine: from entry
 *	                                          `first` on, what you do not hold yet; turn is that
 *	                                          of your last answer to "head"; certified is
 *	                                          the newest that a quorum has countersigned, and
 *	                                          policy the file that says so, or both null
 *	  [1, "pull", first]                      give me back my entries from this one on
 *	  [1, "gossip", [note, ...], [proof, ...]]
 *	                                          checkpoints of others that I have countersigned,
 *	                                          and proofs of forks
 *
 *	  [1, "answer", code, size, turn, text, [item, ...]]
 *	                                          code is a WitnessVerdict; size how many entries are
 *	                                          held here; turn is not 0 for "head" only; text by question: "key" the key, "head" and
 *	                                          "pull" the note or "", "update" the lines of the
 *	                                          signatures; for codes other than 200 a reason; items
 *	                                          are entries for "pull"; for "head" policy
 *	                                          files, and notes that end with a new key or policy
 *
 * Why turns: a node that has lost its disk asks what others hold, and goes on
 * from there.  What it had sent before may still be under way; had it not been
 * for the turn, that could be countersigned after the answer, and be certified
 * beside what comes then (test/model).  Each answer to "head" begins a new turn.
 */
#ifndef SECMED_MIRROR_H
#define SECMED_MIRROR_H

#include "ledger/witness.h"

/*
 * A checkpoint is signed after so many entries at the latest, and so no update
 * has more; with the largest entries 64 MB.
 */
#define MIRROR_ENTRIES_MAX	8192
/* Others may sign a little later, never this much. */
#define MIRROR_ENTRIES_LIMIT	(2 * MIRROR_ENTRIES_MAX)
#define MIRROR_NOTES_MAX	128
#define MIRROR_PROOF_BYTES_MAX	(64 * 1024)
/* A policy file of ours: 64 witnesses. */
#define MIRROR_POLICY_BYTES_MAX	(32 * 1024)
/* A certified note: 64 countersignatures of 300 bytes. */
#define MIRROR_NOTE_BYTES_MAX	(32 * 1024)

typedef enum MirrorKind
{
	MIRROR_KEY,
	MIRROR_HEAD,
	MIRROR_UPDATE,
	MIRROR_PULL,
	MIRROR_GOSSIP
} MirrorKind;

typedef struct MirrorBytes
{
	const uint8 *bytes;
	size_t		len;
} MirrorBytes;

typedef struct MirrorQuestion
{
	MirrorKind	kind;
	uint64		turn;			/* update */
	MirrorBytes note;			/* update */
	MirrorBytes certified;		/* update; len 0: none */
	MirrorBytes policy;			/* update; with certified only */
	uint64		first;			/* update, pull */
	uint64		n;				/* entries of update, notes of gossip */
	const uint8 **items;
	size_t	   *lens;
	int			nproofs;		/* gossip */
	MirrorBytes *proofs;
} MirrorQuestion;

typedef struct MirrorAnswer
{
	int			code;
	uint64		size;
	uint64		turn;
	char	   *text;
	uint64		n;
	const uint8 **items;
	size_t	   *lens;
} MirrorAnswer;

extern void mirror_question_encode(StringInfo out, const MirrorQuestion *question);

/* False with a reason (constant string).  Lists are palloc'd, and point into the bytes. */
extern bool mirror_question_decode(MirrorQuestion *question, const void *bytes, size_t len,
								   const char **reason);
extern void mirror_answer_encode(StringInfo out, const MirrorAnswer *answer);
extern bool mirror_answer_decode(MirrorAnswer *answer, const void *bytes, size_t len,
								 const char **reason);

#endif							/* SECMED_MIRROR_H */
