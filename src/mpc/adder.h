/*
 * adder.h
 *	  Carries of a binary addition: one of them, or all.
 *
 * Leaf k is a span of one bit: if p_k = 1 it passes on the carry that goes
 * into it, else a_k comes out.  Leaf 0 is the carry that goes into everything:
 * it has no p.  Spans are joined in trees (mpc/README.md, "Compare").
 */
#ifndef SECMED_ADDER_H
#define SECMED_ADDER_H

#include "mpc/logic.h"

/* ceil(log2 x), 0 for x <= 1. */
extern int	log2_up(int x);

/*
 * top = what comes out of the last of a->planes leaves; a and p are destroyed, plane 0
 * of p is not read.
 *
 * Rounds: carry_rounds(leaves).  Sends: carry_gates(leaves) planes.
 * carry_gates(64) = 120 with 6 rounds, carry_gates(65) = 121 with 7 rounds.
 */
extern void adder_top(Party *self, SharedBits *top, SharedBits *a, SharedBits *p);

/* Several additions of the same size in the same rounds. */
extern void adder_tops(Party *self, int count, SharedBits *top, SharedBits *a, SharedBits *p);
#define ADDER_TOPS_MAX	3
extern int	carry_rounds(int leaves);
extern int	carry_gates(int leaves);

/*
 * Two carries of one addition: low = what comes out of leaf split, top = what
 * comes out of the last leaf.  a and p are destroyed.
 *
 * Rounds: split_rounds(leaves, split).  Sends: split_gates(leaves, split) planes.
 */
extern void adder_split(Party *self, SharedBits *low, SharedBits *top,
						SharedBits *a, SharedBits *p, int split);
extern int	split_rounds(int leaves, int split);
extern int	split_gates(int leaves, int split);

/*
 * a[k] becomes what comes out of leaf k, for all k: the carries into the bits after
 * them.  p is destroyed.
 *
 * Joins pairs, and pairs of pairs; over the quarters it has Sklansky's
 * network (IRE Transactions on Electronic Computers, 1960); then back down.
 * A little more than Brent and Kung's gates with few more than Sklansky's
 * rounds: 189 gates in 8 rounds for 64 leaves, where those have 177 in 11 and 321 in 6.
 *
 * Rounds: prefix_rounds(leaves).  Sends: prefix_gates(leaves) planes.
 */
extern void adder_prefix(Party *self, SharedBits *a, SharedBits *p);
extern int	prefix_rounds(int leaves);
extern int	prefix_gates(int leaves);

#endif							/* SECMED_ADDER_H */
