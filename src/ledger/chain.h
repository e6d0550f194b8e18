/*
 * chain.h
 *	  Walking a ledger from its first entry: is every link whole?
 */
#ifndef SECMED_CHAIN_H
#define SECMED_CHAIN_H

#include "ledger/entry.h"

typedef struct ChainState
{
	char		site[NODE_NAME_BYTES_MAX + 1];
	uint64		next_seq;
	uint8		head[HASH_BYTES];	/* hash of the last entry; zeros before the first */
	int64		last_at_us;
} ChainState;

extern void chain_start(ChainState *chain, const char *site);

/*
 * The next entry, stored under seq, read and hashed by the caller: a reason
 * if it names another site or seq, does not link to the head, or goes back in
 * time, with the state unchanged; or NULL, and the state is that after it.
 */
extern const char *chain_follow(ChainState *chain, uint64 seq, const EntryView *entry,
								const uint8 hash[HASH_BYTES]);

/* The same for bytes; false with a reason also if they are not canonical. */
extern bool chain_accept(ChainState *chain, uint64 seq, const void *bytes, size_t len,
						 const char **reason);

/*
 * The state after this entry, without looking at what lies before it.  False
 * with a reason if the entry itself is broken.
 */
extern bool chain_resume(ChainState *chain, uint64 seq, const void *bytes, size_t len,
						 const char **reason);

/* Over an entry of which only the hash is left. */
extern void chain_skip(ChainState *chain, const uint8 hash[HASH_BYTES]);

#endif							/* SECMED_CHAIN_H */
