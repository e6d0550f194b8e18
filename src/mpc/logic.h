/*
 * logic.h
 *	  Boolean operations on bit-sliced shares.  One place ands.
 *
 * Results are allocated by the caller, with the planes and values they get.
 */
#ifndef SECMED_LOGIC_H
#define SECMED_LOGIC_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/vector.h"

/*
 * z = x & y, bit by bit; same planes and n.  z may be x or y.  [Araki et al.,
 * CCS 2016, section 2.1]
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes to the previous party.
 * Reveals: nothing.
 */
extern void logic_and(Party *self, SharedBits *z, const SharedBits *x, const SharedBits *y);

/*
 * AND gates (share/vector.h) over planes of n bits each.  All gates of a list are
 * one round.  A z may be an x, y or v of its own gate or of an earlier one, not
 * of a later one.
 *
 * Rounds: 1.  Sends: count * PLANE_BYTES(n) bytes to the previous party.  Reveals: nothing.
 */
extern void logic_gates(Party *self, const Gate *gates, int count, size_t n);

/*
 * The same for values that lie in blocks of VECTOR_BLOCK: all gates of a block are computed and sent,
 * then those of the next.  So a network over many values stays in the cache, and
 * its first operands may be made block by block.  The gates tell where things are in block 0.
 */
typedef struct GateBlocks
{
	const Gate *gates;
	int			count;
	size_t		n;				/* values */
	size_t		in;				/* words from x, y and v of a block to those of the next */
	size_t		out;			/* from z to z */
	void		(*prepare) (void *arg, size_t block);	/* before a block is computed, in order; or NULL */
	void	   *arg;
} GateBlocks;

/* Rounds, bytes: as logic_gates(). */
extern void logic_gate_blocks(Party *self, const GateBlocks *blocks);

static inline PlaneRef
plane_ref(const SharedBits *bits, int plane)
{
	PlaneRef	ref = {bits->mine + plane * BIT_WORDS(bits->n), bits->next + plane * BIT_WORDS(bits->n)};

	return ref;
}

/* z = x | y: as logic_and(). */
extern void logic_or(Party *self, SharedBits *z, const SharedBits *x, const SharedBits *y);

/*
 * z = choice ? x : y, for a choice of one plane and any number of planes in
 * x, y, z.  z may be x or y.
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes.
 */
extern void logic_select(Party *self, SharedBits *z, const SharedBits *choice,
						 const SharedBits *x, const SharedBits *y);

/* z = every plane of x and the one plane of `bit`.  Costs as logic_and(). */
extern void logic_and_bit(Party *self, SharedBits *z, const SharedBits *x, const SharedBits *bit);

/*
 * z = AND, or OR, of all planes of x; x is destroyed.  (Both have a tree of
 * planes - 1 gates.)
 *
 * Rounds: ceil(log2 planes).  Sends: (planes - 1) * PLANE_BYTES(n) bytes.
 */
extern void logic_and_all(Party *self, SharedBits *z, SharedBits *x);
extern void logic_or_all(Party *self, SharedBits *z, SharedBits *x);

/*
 * Party `from` knows the words (bit-sliced) and shares them; the others pass
 * NULL.
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes, by `from` only.
 */
extern void logic_input(Party *self, SharedBits *z, int from, const uint64 *words);

/*
 * In one round each party k shares z[k], planes of its own: words are what
 * this party knows.  z[k] is NULL if party k shares nothing; the others have the same
 * planes and n.
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes, by those who share.
 */
extern void logic_input_all(Party *self, SharedBits *const z[PARTIES], const uint64 *words);

/* z = public planes (bit-sliced words), or every bit the same; send nothing. */
extern void logic_public(const Party *self, SharedBits *z, const uint64 *words);
extern void logic_constant(const Party *self, SharedBits *z, bool c);

/* Random bits that nobody knows; send nothing. */
extern void logic_random(Party *self, SharedBits *z);

/*
 * Everybody learns x, as words.  As arith64_open().
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes to the previous party, 32 to the next.
 * Reveals: x to all.  Fails if the parties' shares do not fit together.
 */
extern void logic_open(Party *self, uint64 *words, const SharedBits *x);

/*
 * Only party `to` learns x; the others pass NULL.
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes by the party after `to`,
 * 32 bytes by the party before it.  Reveals: x to party `to`.  Fails as above.
 */
extern void logic_open_to(Party *self, int to, uint64 *words, const SharedBits *x);

/*
 * Parties 1 and 2 learn x and party 0 learns nothing (words NULL there).
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes by parties 0 and 2, 32 by parties 0 and 1.
 * Reveals: x to parties 1 and 2.  Fails as above.
 */
extern void logic_open_to_pair(Party *self, uint64 *words, const SharedBits *x);

/*
 * Party 0 knows the words (bit-sliced) and shares them; the others pass NULL.
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes from party 0 to party 2.
 * Reveals: nothing.
 */
extern void logic_input_from_0(Party *self, SharedBits *z, const uint64 *words);

/* x ^= y and x = NOT x, bit by bit; they send nothing. */
extern void logic_xor(SharedBits *x, const SharedBits *y);
extern void logic_not(const Party *self, SharedBits *x);

#endif							/* SECMED_LOGIC_H */
