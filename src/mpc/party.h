/*
 * party.h
 *	  One of the three who compute, and its one way to talk: a round.
 *
 * A round is one message of a whole vector to the previous party while one
 * is received from the next.  The pairwise seeds make zero shares and random
 * values without messages: seed i is known to party i and party i - 1.
 */
#ifndef SECMED_PARTY_H
#define SECMED_PARTY_H

#include "base/base.h"
#include "channel/channel.h"
#include "crypto/hash.h"
#include "crypto/prg.h"

typedef struct Party Party;

struct Party
{
	int			index;			/* 0, 1, 2 */
	Channel    *prev;			/* to party index - 1 */
	Channel    *next;			/* to party index + 1 */
	Prg		   *prg_mine;		/* seed `index`, shared with the previous party */
	Prg		   *prg_next;		/* seed `index + 1`, shared with the next party */

	/*
	 * Hash of everything the three must agree on (run, plan, receipts,
	 * threshold).  A message of its own before the first vector that this
	 * party sends, and before the first that it receives; a difference fails.
	 * Both flags start as false.
	 */
	uint8		context[HASH_BYTES];
	bool		context_sent;
	bool		context_received;

	/* Sleeps until a channel may move again; bounded, obeys cancel. */
	void		(*wait) (Party *self, bool sending, bool receiving);
	void	   *wait_arg;

	uint64		rounds;			/* rounds so far */
	uint64		bytes_sent;		/* payload bytes, without the context hash */
};

/*
 * Sends send_len bytes to the previous party and receives exactly recv_len
 * bytes from the next.  Either may be 0: then no message goes that way, but
 * the round is counted.  A message of another length fails, naming the party.
 */
extern void party_round(Party *self, const void *send, size_t send_len,
						void *recv, size_t recv_len);

/* Index of the previous and the next party. */
#define PARTY_PREV(i)	(((i) + 2) % 3)
#define PARTY_NEXT(i)	(((i) + 1) % 3)

#endif							/* SECMED_PARTY_H */
