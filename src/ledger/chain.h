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
 * The state after this entry, without looking at what lies before it.  False
 * with a reason if the entry itself is broken.
 */
extern bool chain_resume(ChainState *chain, uint64 seq, const void *bytes, size_t len,
						 const char **reason);

/*
 * Takes the entry stored under seq.  False with a reason if its bytes are
 * not canonical, name another site or seq, do not link to the head, or go
 * back in time; the state is then unchanged.
 */
extern bool chain_accept(ChainState *chain, uint64 seq, const void *bytes, size_t len,
						 const char **reason);

#endif							/* SECMED_CHAIN_H */
