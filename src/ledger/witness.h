/*
 * witness.h
 *	  What a witness decides: may it countersign this checkpoint of another
 *	  node's ledger?
 *
 * A witness holds every entry below the checkpoint that it has countersigned
 * last.  It signs another one only if that extends this, and it has seen each
 * entry in between: its countersignature means "I hold it, and it extends
 * everything of this ledger that I have ever signed".  The rules and their
 * numbers are those of add-checkpoint in c2sp.org/tlog-witness.
 *
 * Nothing here reads or writes: the caller keeps what is held, and signs only
 * after it has stored, durably, what witness_take() took.
 */
#ifndef SECMED_WITNESS_H
#define SECMED_WITNESS_H

#include "ledger/chain.h"
#include "ledger/export.h"
#include "ledger/history.h"

/* One ledger, as this witness holds it: chain.next_seq entries. */
typedef struct WitnessLog
{
	ChainState	chain;			/* its site is that of the node whose ledger it is */
	KeyHistory	keys;
	TileBuilder tiles;			/* set tiles.take to store those that are filled */
	TileSource	held;			/* over all held entries; read only for checkpoints of fewer */
	uint64		epoch_min;		/* what was signed under earlier ones is void; 0: none is */
	uint64		others;			/* number after that of the last entry that is not a HEAD */
} WitnessLog;

extern void witness_start(WitnessLog *log, const char *site);

/* Takes the next held entry, which was checked when it came; false if it can't be. */
extern bool witness_resume(WitnessLog *log, const void *bytes, size_t len);

typedef enum WitnessVerdict
{
	WITNESS_SIGNS = 200,		/* *log has taken it; to be stored, then signed */
	WITNESS_REFUSES = 403,		/* not a checkpoint that this log's key has signed */
	WITNESS_HOLDS_OTHER = 409,	/* it does not begin where the held entries end */
	WITNESS_INCONSISTENT = 422, /* signed by the log's key, and its entries don't lead to it */
	WITNESS_FORKED = 423		/* signed by the log's key, and it contradicts the held entries */
} WitnessVerdict;

typedef struct WitnessUpdate
{
	const void *note;
	size_t		note_len;
	uint64		first;			/* number of the first entry below */
	uint64		n;
	const uint8 *const *entries;
	const size_t *lens;
} WitnessUpdate;

/*
 * The decision, with a reason (constant string, "it %s") unless it is to sign.
 * *head is what the note says, if it says anything (else size 0).  After
 * WITNESS_REFUSES and WITNESS_INCONSISTENT *log may hold what is not to be
 * kept: it must be read again.
 */
extern WitnessVerdict witness_take(WitnessLog *log, const WitnessUpdate *update,
								   Checkpoint *head, const char **reason);

/*
 * Of a checkpoint that somebody else has seen: does it contradict the held
 * entries?  WITNESS_SIGNS: it is one of them; _HOLDS_OTHER: it has more entries
 * than are held; _REFUSES: it is not this log's; _FORKED.
 */
extern WitnessVerdict witness_compare(const WitnessLog *log, const void *note, size_t note_len,
									  Checkpoint *head, const char **reason);

/* The time of the next countersignature, which never goes back. */
extern uint64 witness_time(uint64 now_s, uint64 last_s);

/*
 * How many of n sites, the log's own among them, must have signed, so that two
 * quorums always share more sites than may be faulty: f of n >= 3f + 1.
 */
extern int	quorum_faulty(int n);	/* the largest f */
extern int	quorum_needed(int n);	/* ceil((n + f + 1) / 2) */

/* So many others must say what they hold for the newest certified to be among it. */
extern int	quorum_answers(int n, int needed);

/* The policy file of a log that these witnesses countersign, needed of them; palloc'd. */
extern char *policy_of_witnesses(const NoteKey *log, const char *const *names, const NoteKey *keys,
								 int n, int needed, uint8 hash[HASH_BYTES]);

/* The name of the group in it: no node's, as it has capitals. */
#define POLICY_GROUP	"WITNESSES"

#endif							/* SECMED_WITNESS_H */
