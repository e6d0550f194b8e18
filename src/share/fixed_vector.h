/*
 * fixed_vector.h
 *	  Exact sums of many double precision numbers at once: what a site adds up
 *	  row by row for a regression.
 *
 * Each sum is one of share/fixed.h's FIXED_SUM (512 bits, lowest bit worth
 * 2^FIXED_SUM_EXPONENT), without its own notes on what can't be added: those
 * are marks of the vector, whose meaning is its user's.  So a regression with
 * ten covariates, 66 sums of products, stays in a processor's first cache.
 *
 * A number is accepted if |x| < 2^160; one below 2^-204 counts as zero.
 */
#ifndef SECMED_FIXED_VECTOR_H
#define SECMED_FIXED_VECTOR_H

#include "base/base.h"
#include "share/fixed.h"

/* 32-bit digits of one sum, and the one with the sign. */
#define FIXED_VECTOR_DIGITS		(FIXED_SUM_LIMBS * 2 + 1)
/* Bits of `marks`: each may be opened. */
#define FIXED_VECTOR_MARKS		8

/* No pointers: may be copied, serialised and combined bytewise. */
typedef struct FixedVector
{
	int32		n;				/* sums */
	uint32		pending;		/* at most so many additions to a sum since digits were carried */
	uint32		marks;
	uint32		unused;
	int64		digits[FLEXIBLE_ARRAY_MEMBER];	/* FIXED_VECTOR_DIGITS of each sum, lazily carried */
} FixedVector;

/* Bytes of a vector of n sums. */
extern size_t fixed_vector_bytes(int n);
extern void fixed_vector_init(FixedVector *vector, int n);

/* To be called once a row, before anything is added. */
extern void fixed_vector_next(FixedVector *vector);

/* False if x is not finite or out of range (nothing is added then).  Once a row for each sum. */
extern bool fixed_vector_add(FixedVector *vector, int i, double x);

/* Both have as many sums. */
extern void fixed_vector_combine(FixedVector *vector, const FixedVector *other);

/* FIXED_SUM_LIMBS limbs of two's complement of each sum, one behind the other. */
extern void fixed_vector_limbs(uint64 *limbs, FixedVector *vector);

/* The doubles nearest to the sums. */
extern void fixed_vector_doubles(double *sums, FixedVector *vector);

#endif							/* SECMED_FIXED_VECTOR_H */
