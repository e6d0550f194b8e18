/*
 * walk.h
 *	  What verify_export() keeps while it walks an export, and the parts of
 *	  the walk: notes, bodies, what entries say.  For these files only.
 *
 * A part returns false when something is wrong, and has then said what with
 * walk_fault(); the first that is said counts.
 */
#ifndef SECMED_WALK_H
#define SECMED_WALK_H

#include "ledger/chain.h"
#include "ledger/verify.h"

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

#define COSIGNERS_MAX		256

typedef struct Walk
{
	VerifyResult *result;
	const VerifySource *source;
	const VerifyOptions *options;

	/* the chain */
	ChainState	chain;			/* next_seq: the entry that is looked at */
	TileBuilder tiles;
	StringInfoData tile;		/* stored hashes of the bundle */
	StringInfoData bundle;
	Stories		stories;

	/* the columns, if they are exported */
	bool		has_rows;
	StringInfoData rows;		/* of the bundle */
	size_t		rows_at;
	StringInfoData row;

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

/* At this entry; and of the export as a whole.  Both return false. */
extern bool walk_fault(Walk *walk, uint64 entry, const char *reason);
extern bool walk_fault_whole(Walk *walk, const char *reason);

/* A file of the export into out, which is emptied; false if it is not there. */
extern bool walk_get(const Walk *walk, const char *path, StringInfo out);

/* walk_notes.c: reads the next note; and checks all of the size that is reached. */
extern bool walk_next_note(Walk *walk);
extern bool walk_check_notes(Walk *walk);

/* walk_bodies.c: the next line; an entry's; an ERASED entry; what was said to be erased. */
extern bool walk_next_payload(Walk *walk);
extern bool walk_check_payload(Walk *walk, const EntryView *entry);
extern bool walk_take_erased(Walk *walk, const LedgerEntry *entry);
extern bool walk_check_erased(Walk *walk);

/* walk_meaning.c: keys, heads, erasures, runs; and the exported columns. */
extern bool walk_take_meaning(Walk *walk, const EntryView *entry);
extern bool walk_check_row(Walk *walk, const EntryView *entry, const uint8 leaf[HASH_BYTES]);

#endif							/* SECMED_WALK_H */
