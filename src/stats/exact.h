/*
 * exact.h
 *	  Exact arithmetic on opened totals, rounded once at the end.
 *
 * The sum of squares about a mean is what is left when two large numbers are
 * subtracted.  Totals are exact (share/fixed.h), so the difference is computed
 * exactly too, and no digit is lost, however large the mean is beside the
 * deviation.  Numbers are OpenSSL's BIGNUM times a power of two.
 *
 * Numbers live until exact_end().  If OpenSSL has no memory, results are
 * arbitrary until then, and exact_end() fails; nothing is leaked.
 */
#ifndef SECMED_EXACT_H
#define SECMED_EXACT_H

#include "base/base.h"

typedef struct ExactFrame ExactFrame;

/* number * 2^exponent */
typedef struct Exact
{
	void	   *number;			/* BIGNUM, of the frame */
	int			exponent;
} Exact;

extern ExactFrame *exact_begin(void);
extern void exact_end(ExactFrame *frame);

/* Two's complement limbs, as wide_decode() gives them, in units of 2^exponent. */
extern Exact exact_of_limbs(ExactFrame *frame, const uint64 *limbs, int n, int exponent);
extern Exact exact_of_integer(ExactFrame *frame, int64 value);

extern Exact exact_add(ExactFrame *frame, Exact a, Exact b);
extern Exact exact_subtract(ExactFrame *frame, Exact a, Exact b);
extern Exact exact_multiply(ExactFrame *frame, Exact a, Exact b);
extern Exact exact_power(ExactFrame *frame, Exact a, int power);

/* factor * a, for the coefficients of formulas */
extern Exact exact_scale(ExactFrame *frame, int factor, Exact a);

extern bool exact_is_zero(Exact a);

/* The double nearest to a / b (ties to even); b is not zero.  Infinite if beyond the largest. */
extern double exact_divide(ExactFrame *frame, Exact a, Exact b);
extern double exact_to_double(ExactFrame *frame, Exact a);

#endif							/* SECMED_EXACT_H */
