/*
 * reciprocal.h
 *	  1 / x and ln x of shared counts.
 *
 * A count x below 2^ESTIMATE_ROWS_BITS, B for short, is moved up by a power of two to
 * D = x v / 2^B in [1/2, 1), where both functions are polynomials of degree
 * 23 in u = 4 D - 3, by Chebyshev's nodes wrong by less than 2^-58.  u has B - 2 bits, so its powers up to
 * the fourth are exact; the rest is a polynomial in u^4 (Paterson and
 * Stockmeyer, SIAM Journal on Computing 2, 1973).
 *
 *	  a  B times: is x at least 2^k?  As numbers they add up to v, and to log2 of D / x
 *	  b  D = x v; u^2; u^3 and u^4
 *	  c  the six polynomials of degree 3; y = u^4: y^2, y^4, and the sum
 *	  d  1 / x = v / D 2^-B, ln x = ln D + ln 2 (B - log2 v)
 *
 * Nothing is revealed.  Rounds: 24.  Bytes: reciprocal_cost().
 */
#ifndef SECMED_RECIPROCAL_H
#define SECMED_RECIPROCAL_H

#include "estimate/cost.h"
#include "mpc/party.h"
#include "share/ring.h"

/* Fractional bits of what comes out: 1 / x to within 2^-58 of it, ln x to within 2^-56. */
#define RECIPROCAL_FRACTION		118
#define LOGARITHM_FRACTION		120

/* In the place of ln 0: far below the logarithm of any survival. */
#define LOGARITHM_OF_ZERO		(-40)

/*
 * inverse = 1 / x, and 0 where x is not positive; logarithm (NULL: not wanted) = ln x, and
 * LOGARITHM_OF_ZERO - ln 2 where it is not.  Arbitrary if |x| is not below 2^ESTIMATE_ROWS_BITS.
 */
extern void reciprocal_of_counts(Party *self, Shared *inverse, Shared *logarithm, const Shared *x);

extern void reciprocal_cost(EstimateCost *cost, uint64 n, bool with_logarithm);

/* Bytes held at the peak. */
extern uint64 reciprocal_need(uint64 n, bool with_logarithm);

/* The k-th of several vectors of n that lie end to end; and x put there. */
extern Shared part_of(const Shared *all, size_t k, size_t n);
extern void part_put(Shared *all, size_t k, const Shared *x);

#endif							/* SECMED_RECIPROCAL_H */
