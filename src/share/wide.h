/*
 * wide.h
 *	  Integers of more than one ring element, as vectors that add.
 *
 * A wide integer has L limbs of 64 bits, two's complement, little-endian.
 * Limb j becomes one element of Z_2^128, so that sums over sites can't
 * overflow an element and the carries are settled after opening.
 *
 * Opened limb sums would tell more than the total: how many sites carried.
 * So an encoder moves a random number c_j < 2^WIDE_MASK_BITS of carries
 * between neighbours before it shares:
 *
 *	  e_j = limb_j + c_j - c_(j+1) * 2^64,   c_0 = c_L = 0
 *
 * (the top limb is signed).  The total is unchanged, and what a limb sum
 * tells beyond the total is hidden up to a statistical distance of
 * SITES_MAX / 2^WIDE_MASK_BITS for each limb.
 *
 * |e_j| < 2^121, so the sum of SITES_MAX of them stays below 2^126 and can be
 * read as a signed number.
 */
#ifndef SECMED_WIDE_H
#define SECMED_WIDE_H

#include "base/base.h"

#define WIDE_MASK_BITS		56
#define WIDE_LIMBS_MAX		32

/* The largest magnitude one site may put into a one-element sum: 2^121. */
#define NARROW_BITS_MAX		121
extern bool narrow_fits(int128 value);

/* elements[limbs] from limbs; draws its own randomness. */
extern void wide_encode(uint128 *elements, const uint64 *value, int limbs);

/*
 * The total from summed elements, with limbs + 1 limbs of two's complement,
 * so it always fits.
 */
extern void wide_decode(uint64 *value, const uint128 *elements, int limbs);

/*
 * A mark: zero for false, a uniformly random element for true.  The sum of
 * marks over sites is zero if and only if all are false (up to 2^-128), and
 * tells nothing else: not how many sites said true.
 */
extern uint128 mark_encode(bool value);

#endif							/* SECMED_WIDE_H */
