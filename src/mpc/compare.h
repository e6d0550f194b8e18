/*
 * compare.h
 *	  Which shared numbers reach a public bound.
 */
#ifndef SECMED_COMPARE_H
#define SECMED_COMPARE_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring.h"
#include "share/ring64.h"

/* What it costs, n being the values and a plane PLANE_BYTES(n) bytes. */
#define COMPARE_ROUNDS			7
#define COMPARE_INPUT_PLANES	64	/* party 0 sends these alone */
#define COMPARE_AND_PLANES		120 /* each party sends these: 63 + 31 + 15 + 7 + 3 + 1 */

/*
 * ge (one plane, allocated by the caller) = x >= bound[v], for x and bound in [0, 2^63).
 *
 * x - bound is negative if and only if bit 63 of it (modulo 2^64) is set.
 * Party 0 knows a = x0 + x1 - bound and shares its bits (one round); x2 is
 * known to the two others, so its bits are shared for free; the carry of
 * a + x2 into bit 63 comes from a tree that keeps only the carry (six rounds).
 *
 * Rounds: 7.  Sends: 120 planes a party, and party 0 64 planes more.
 * Reveals: nothing.
 */
extern void compare_ge_public(Party *self, SharedBits *ge, const Shared *x, const uint64 *bound);

/*
 * How two numbers are to be read.  `bits` is what their owner declares of
 * them: with 1 to 63, both are in [-2^(bits-1), 2^(bits-1)) if signed, in
 * [0, 2^bits) if not, and their difference can't overflow; the answer is
 * arbitrary where that does not hold.  64: any values, right on the whole
 * range, for three times the price.
 */
typedef struct NumberKind
{
	bool		is_signed;
	int			bits;
} NumberKind;

#define KIND_INT64		((NumberKind) {true, 64})
#define KIND_UINT64		((NumberKind) {false, 64})
#define KIND_INT(width)	((NumberKind) {true, (width)})

/*
 * less = x < y, one plane.
 *
 * bits < 64: the sign of x - y modulo 2^(bits+1).  With w = bits + 1:
 * Rounds: 1 + carry_rounds(w).  Sends: carry_gates(w) planes, party 0 another w.
 * (63 bits: 7 rounds, 120 planes, and 64 by party 0.)
 *
 * 64 bits: the signs of x, y and x - y, each with another party's help:
 * Rounds: 8.  Sends: 3 * 120 + 64 + 1 planes.
 */
extern void compare_less(Party *self, SharedBits *less, const Shared64 *x, const Shared64 *y,
						 NumberKind kind);

/*
 * less = x < c, for public c, one or x->n of them (`constants`).
 *
 * bits < 64: as compare_less().
 * 64 bits: the signs of x and x - c.  Rounds: 8.  Sends: 2 * 120 + 1
 * planes, parties 0 and 1 another 64 each.
 */
extern void compare_less_public(Party *self, SharedBits *less, const Shared64 *x,
								const uint64 *c, size_t constants, NumberKind kind);

/*
 * negative = bit 63 of x.  Rounds: 7.  Sends: 120 planes, party 0 another 64.
 */
extern void compare_negative(Party *self, SharedBits *negative, const Shared64 *x);

/*
 * equal = (x = y), one plane, comparing the low `bits` bits (64: all).
 *
 * Rounds: 1 + ceil(log2 bits).  Sends: bits - 1 planes, party 0 another `bits`.
 */
extern void compare_equal(Party *self, SharedBits *equal, const Shared64 *x, const Shared64 *y, int bits);

/* equal = (x = c), as above; one constant or x->n of them. */
extern void compare_equal_public(Party *self, SharedBits *equal, const Shared64 *x,
								 const uint64 *c, size_t constants, int bits);

/*
 * The same on bits, any width w = x->planes = y->planes, 1 to 128.
 *
 * equal: Rounds: ceil(log2 w).  Sends: w - 1 planes.
 * less:  Rounds: ceil(log2 (w + 1)).  Sends: carry_gates(w + 1) planes
 *        (64: 7 rounds, 121 planes).
 */
extern void compare_equal_bits(Party *self, SharedBits *equal, const SharedBits *x, const SharedBits *y);
extern void compare_less_bits(Party *self, SharedBits *less, const SharedBits *x, const SharedBits *y,
							  bool is_signed);

/*
 * least = min(x, y) and greatest = max(x, y); either may be NULL.  May be x
 * or y.
 *
 * Rounds: compare_less() + 2.  Sends: compare_less() + 16n bytes.
 */
extern void compare_min_max(Party *self, Shared64 *least, Shared64 *greatest,
							const Shared64 *x, const Shared64 *y, NumberKind kind);

/* The same on bits.  Rounds: compare_less_bits() + 1.  Sends: that + w planes. */
extern void compare_min_max_bits(Party *self, SharedBits *least, SharedBits *greatest,
								 const SharedBits *x, const SharedBits *y, bool is_signed);

#endif							/* SECMED_COMPARE_H */
