/*
 * verify.h
 *	  Is this export of a ledger whole?  Needs no server and no network.
 *
 * An export is walked once, from entry 0: the entry's bytes, its link, its hash
 * in the tree, what it says about keys and erased bodies, its body if it is
 * there; and at each size that a note was signed for, the note.  The first
 * thing that is wrong ends the walk, and is named with its entry.  For a note
 * that is the first entry that no good note before it vouches for.
 *
 * docs/spec/ledger.md says what is checked, in this order.
 */
#ifndef SECMED_VERIFY_H
#define SECMED_VERIFY_H

#include "ledger/export.h"
#include "ledger/history.h"
#include "ledger/story.h"
#include "ledger/tlog_policy.h"

/* Files of an export. False if it is not there; out is empty before. */
typedef struct VerifySource
{
	bool		(*get) (void *arg, const char *path, StringInfo out);
	void	   *arg;
} VerifySource;

typedef struct VerifyOptions
{
	const Policy *policy;		/* what the reader trusts, or NULL: what the export says of itself */
	uint64		now;			/* seconds; no countersignature is later, give or take five minutes; 0: unknown */
} VerifyOptions;

typedef enum VerifyStatus
{
	VERIFY_INTACT = 0,
	VERIFY_VIOLATED = 1,
	VERIFY_UNREADABLE = 2
} VerifyStatus;

/* What the ledger says of another's. */
typedef struct QuotedHead
{
	uint64		entry;
	Origin		origin;
	uint64		size;
	uint8		root[HASH_BYTES];
} QuotedHead;

typedef struct VerifyResult
{
	VerifyStatus status;
	const char *reason;			/* verb phrase, or NULL if intact */
	bool		has_entry;
	uint64		entry;			/* the first that is bad */

	Checkpoint	head;
	Origin		origin;			/* site "" if even the checkpoint could not be read */
	uint64		archived;		/* entries of which only the hash is here */
	uint64		notes;			/* good ones */
	uint64		keys;			/* log keys so far */
	uint64		anchored;		/* largest size that options.policy accepts */
	uint8		policy[HASH_BYTES]; /* hash of the newest policy */
	uint64		opened;			/* bodies that are here and match */
	uint64		erased;
	uint64		withheld;		/* commitments without a body here */
	uint64		rows;			/* entries whose columns are here, too, and right */
	uint64		reviews;		/* signed reviews of entries */
	RunCounts	runs;			/* what their entries tell, and what they don't */
	uint64		silence_s;		/* longest time between two countersigned notes */
	int			nquotes;
	int			quotes_room;
	QuotedHead *quotes;
	uint64		quotes_checked; /* by verify_across() */
} VerifyResult;

extern void verify_export(VerifyResult *result, const VerifySource *source, const VerifyOptions *options);

/*
 * After verify_export() of each: copies of one ledger must be prefixes of one
 * another, and every quoted head a prefix of the ledger it is about, as far as
 * that is among them.  Changes the result in which the fault is.
 */
extern void verify_across(VerifyResult *results, const VerifySource *sources, int n);

/* The tiles of an export as a source of proofs; palloc'd. size is the tree's. */
extern TileSource verify_tiles(const VerifySource *source, uint64 size);

#endif							/* SECMED_VERIFY_H */
