/*
 * store_sql.h
 *	  What is stored beside the entries: full tiles, signed checkpoints, and
 *	  where the keys are (server only).
 *
 * All of these read secmed's tables over SPI, which the caller has connected,
 * as somebody who may.
 */
#ifndef SECMED_STORE_SQL_H
#define SECMED_STORE_SQL_H

#include "ledger/export.h"
#include "ledger/history.h"
#include "ledger/tlog_policy.h"

typedef struct StoredCheckpoint
{
	Checkpoint	head;
	Note		note;			/* points into text */
	char	   *text;			/* UTF-8, palloc'd */
	size_t		len;
} StoredCheckpoint;

/* The keys of the ledger, from its KEY entries; false with a reason. */
extern bool store_keys(KeyHistory *history, const char **reason);

/* The newest checkpoint; false if there is none, or with a reason if it can't be read. */
extern bool store_last_checkpoint(StoredCheckpoint *checkpoint, const char **reason);

/* The same, or an error that says why there is none. */
extern void store_require_checkpoint(StoredCheckpoint *checkpoint);

/* Reads a stored note; false with a reason. bytes must stay. */
extern bool store_read_checkpoint(StoredCheckpoint *checkpoint, uint64 size, const void *bytes,
								  size_t len, const char **reason);

/* Is it signed by the log key that holds for its size?  A reason, or NULL. */
extern const char *store_signature_problem(const StoredCheckpoint *checkpoint, const KeyHistory *history);

/*
 * The tree of the first size entries, as if they had been appended: from full
 * tiles, and the entries after the last.  False if one is missing.  Cost: 511
 * hashings for each level, more reading than hashing.
 */
extern bool store_tree(TileBuilder *tiles, uint64 size);

/* The same as a source of proofs. */
extern TileSource store_source(TileBuilder *tiles);

/* Below this, whole bundles of entries may be in an archive instead: the ledger says so itself. */
extern uint64 store_archived(void);

/* One stored full tile; false if it is not there. */
extern bool store_tile(int level, uint64 number, uint8 (*hashes)[HASH_BYTES]);

/*
 * The same three for the copy of another node's ledger that is held under this
 * number (secmed.mirror); the source's memory is the current context's.
 */
extern bool store_mirror_tree(TileBuilder *tiles, int mirror, uint64 size);
extern TileSource store_mirror_source(TileBuilder *tiles, int mirror);
extern bool store_mirror_keys(KeyHistory *history, int mirror, const char **reason);

/*
 * The policy file that a KEY entry of this key names: it is stored, or that of
 * one log; palloc'd, NULL if it is not here.
 */
extern char *store_policy(const KeySpan *span);

/* The same, read; NULL if it is not here or can't be read. */
extern Policy *store_parsed_policy(const KeySpan *span);

/* The policy of a log that nobody countersigns, which its KEY entry names; palloc'd. */
extern char *policy_of_one_log(const NoteKey *key, uint8 hash[HASH_BYTES]);

#endif							/* SECMED_STORE_SQL_H */
