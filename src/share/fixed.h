/*
 * fixed.h
 *	  Exact sums of double precision numbers and of their products, so that
 *	  the sum over all sites does not depend on who holds which row.
 *
 * A sum is a fixed-point number: FIXED_SUM has 512 bits, its lowest bit worth
 * 2^-256, and each further factor adds as many bits again (Kulisch's long
 * accumulator, cut to the range of measured things; Kulisch, "Computer
 * Arithmetic and Validity", 2008, chapter 8).  Skewness and kurtosis are what
 * needs products of three and of four.
 *
 * A number x is accepted if it is zero or 2^-204 <= |x| < 2^160, about
 * 3.9e-62 to 1.5e48: then every bit of x and of a product lies within the
 * accumulator, and 2^60 of them can be added.  NaN and infinities are noted
 * aside.  Accumulating is exact, so order and grouping do not matter.
 */
#ifndef SECMED_FIXED_H
#define SECMED_FIXED_H

#include "base/base.h"

#define FIXED_SUM_LIMBS			8	/* 64-bit limbs, two's complement */
#define FIXED_SUM_EXPONENT		(-256)	/* worth of the lowest bit: 2^this */
#define FIXED_PRODUCT_LIMBS		16
#define FIXED_PRODUCT_EXPONENT	(-512)
#define FIXED_FACTORS_MAX		4
#define FIXED_LIMBS_MAX			(FIXED_FACTORS_MAX * FIXED_SUM_LIMBS)

typedef enum FixedKind
{
	FIXED_SUM,
	FIXED_PRODUCT,
	FIXED_PRODUCT_3,
	FIXED_PRODUCT_4
} FixedKind;

/* How many numbers are multiplied, and what their sum looks like. */
static inline int
fixed_factors(FixedKind kind)
{
	return (int) kind + 1;
}

static inline int
fixed_limbs_of(FixedKind kind)
{
	return fixed_factors(kind) * FIXED_SUM_LIMBS;
}

static inline int
fixed_exponent_of(FixedKind kind)
{
	return fixed_factors(kind) * FIXED_SUM_EXPONENT;
}

/* Fixed size and no pointers: may be copied, serialised and combined bytewise. */
typedef struct FixedAcc
{
	int32		kind;			/* FixedKind */
	bool		nan;
	bool		pinf;
	bool		ninf;
	uint32		pending;		/* additions since the digits were normalised */
	int64		digits[FIXED_LIMBS_MAX * 2 + 1];	/* 32-bit digits, lazily carried, signed */
} FixedAcc;

extern void fixed_init(FixedAcc *acc, FixedKind kind);

/* False if |x| is out of the range above (nothing is added then). */
extern bool fixed_add(FixedAcc *acc, double x);

/* Adds the exact product (for FIXED_PRODUCT).  NaN, infinities and range as above, for each factor. */
extern bool fixed_add_product(FixedAcc *acc, double x, double y);

/* The same for any kind: as many factors as it has. */
extern bool fixed_add_factors(FixedAcc *acc, const double *factors);
extern void fixed_combine(FixedAcc *acc, const FixedAcc *other);

/* The value as two's complement limbs: fixed_limbs_of(kind). */
extern void fixed_limbs(uint64 *limbs, FixedAcc *acc);

/*
 * The double nearest to value * 2^exponent (ties to even), value being
 * two's complement of n limbs.  Infinity if it is beyond the largest double.
 */
extern double wide_to_double(const uint64 *value, int n, int exponent);

/*
 * The double nearest to sum_xy - sum_x * sum_y / n: the centred sum of
 * products that PostgreSQL's float8 aggregates keep (Sxx, Syy, Sxy).  Computed
 * exactly (OpenSSL BIGNUM) and rounded once.  sum_xy has FIXED_PRODUCT_LIMBS
 * + 1 limbs, sum_x and sum_y have FIXED_SUM_LIMBS + 1, as wide_decode() gives
 * them.  n > 0.
 */
extern double fixed_centred(const uint64 *sum_xy, const uint64 *sum_x, const uint64 *sum_y, uint64 n);

#endif							/* SECMED_FIXED_H */
