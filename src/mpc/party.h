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
typedef struct Watched Watched;

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

	/*
	 * A round lasts about as long as sending so many bytes; 0: unknown.  The three must agree: it
	 * decides what is compared in one round (order.h).
	 */
	uint64		round_bytes;

	uint64		rounds;			/* rounds so far */
	uint64		bytes_sent;		/* payload bytes, without the context hash */

	/* secmed.mpc_memory: bytes that may be reserved at once, 0 for no bound. */
	uint64		memory_max;
	uint64		memory_reserved;
	uint64		memory_peak;	/* the most that was reserved at once */

	/*
	 * Where a check against a cheating party will look: what it is told of
	 * is every product, every AND, every input and every opening there is.
	 * NULL: nobody looks.  See `Watched` below.
	 */
	void		(*watch) (Party *self, const Watched *what);
	void	   *watch_arg;
};

/*
 * One chunk of one multiplication, AND, input or opening, as this party saw
 * it before it sent.  The pointers are valid during the call.  A product is
 * told in two calls, because z may lie where x or y does: first x and y, with
 * z NULL, then z, with x and y NULL.
 *
 *	  WATCH_MULTIPLY	z = x y over elements of `bytes` (8 or 16), n of them
 *	  WATCH_AND			z = x y ^ v over words, n of them; v is told with x and y
 *	  WATCH_DOT			z = sum of x y, one element
 *	  WATCH_KNOWN		z = x y, where y is a summand that two parties know (arith.h)
 *	  WATCH_INPUT		z was shared by party `party`
 *	  WATCH_OPEN		x is about to be opened
 *	  WATCH_DIGEST		x_mine and x_next are about to be compared: the digest of what
 *						came, and the one that its other holder sent
 *	  WATCH_SHUFFLE		x is a column of a table that is about to be shuffled: n elements of 8
 *						bytes, or (bytes = 0) planes of n bits, `party` of them
 *	  WATCH_SHUFFLED	x is the same column afterwards
 *	  WATCH_NOISE		z is what it was, and a number that each party has drawn (noise.h)
 */
typedef enum WatchedKind
{
	WATCH_MULTIPLY,
	WATCH_AND,
	WATCH_DOT,
	WATCH_KNOWN,
	WATCH_INPUT,
	WATCH_OPEN,
	WATCH_DIGEST,
	WATCH_SHUFFLE,
	WATCH_SHUFFLED,
	WATCH_NOISE
} WatchedKind;

struct Watched
{
	WatchedKind kind;
	int			party;			/* who shares; or who learns, one bit each; or planes */
	int			bytes;			/* of an element */
	size_t		n;
	const void *x_mine;
	const void *x_next;
	const void *y_mine;
	const void *y_next;
	const void *v_mine;			/* of an AND */
	const void *v_next;
	const void *z_mine;			/* z_next is what comes */
};

/*
 * A message longer than this travels, and is computed, in pieces of this size: a little less than a
 * frame, so that a piece is one frame, and small enough for the cache.
 */
#define PARTY_CHUNK_BYTES	(FRAME_BYTES_MAX - 4096)

/*
 * Sends send_len bytes to the previous party and receives exactly recv_len
 * bytes from the next.  Either may be 0: then no message goes that way, but
 * the round is counted.  A message of another length fails, naming the party.
 */
extern void party_round(Party *self, const void *send, size_t send_len,
						void *recv, size_t recv_len);

/*
 * A round whose message is made and used piece by piece, so that computing
 * and sending overlap.  Pieces start at multiples of PARTY_CHUNK_BYTES; each
 * is a message of its own.
 *
 * make: returns where the bytes from start on lie, `len` of them: in memory
 * that stays until the round ends, or, if needs_space, in `space`, which has
 * room for them.  Asked for in order, once each.  Also called, with what it would
 * receive, if send_bytes is less than recv_bytes or 0: then it returns NULL
 * for what is not sent.
 *
 * take: gets the bytes from start on.  Called in order, once each, and only
 * after the pieces up to the same place have been made: what they are
 * computed from may be overwritten.
 *
 * Counts as one round whatever the pieces.
 */
typedef struct PartyStream
{
	size_t		send_bytes;
	size_t		recv_bytes;
	const void *(*make) (Party *self, void *arg, size_t start, size_t len, void *space);
	void		(*take) (Party *self, void *arg, size_t start, size_t len, const void *bytes);
	void	   *arg;
	bool		needs_space;
} PartyStream;

extern void party_stream(Party *self, const PartyStream *stream);

/*
 * A message each way: send to the previous party as in party_round(), and at
 * the same time a digest to the next party and one from the previous: the
 * second copy of what is opened.  Counts as one round.
 */
extern void party_round_checked(Party *self, const void *send, size_t send_len,
								void *recv, size_t recv_len,
								const uint8 *digest_sent, uint8 *digest_received);

/*
 * Before memory is taken for a step: bytes of it, all of them at once.  Fails
 * with the need stated if memory_max does not allow it.  The operators call
 * it with what they will hold at their peak besides the columns that they are given, and give
 * it back at their end.
 */
extern void party_reserve(Party *self, const char *step, uint64 bytes);
extern void party_release(Party *self, uint64 bytes);

/* Fails as party_reserve() would, and reserves nothing: for the most that several steps will take. */
extern void party_require(Party *self, const char *step, uint64 bytes);

/*
 * Between these two the process keeps up to `bytes` of the memory that is freed, for the next step:
 * protocols take and free vectors of megabytes all the time, and pages that
 * come anew from the kernel cost more than what is computed in them.  For whoever
 * runs parties: the backend around a run, a benchmark around everything.
 * Without effect where malloc() is not glibc's.
 */
extern void party_keep_memory(uint64 bytes);
extern void party_give_memory_back(void);

/* Index of the previous and the next party. */
#define PARTY_PREV(i)	(((i) + 2) % 3)
#define PARTY_NEXT(i)	(((i) + 1) % 3)

#endif							/* SECMED_PARTY_H */
