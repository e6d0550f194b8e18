/*
 * vector.h
 *	  Inner loops over long vectors, compiled for several processors.
 *
 * Each exists for AVX-512, for AVX2 and for any processor, and is chosen
 * when it runs.  All give the same results: they are integer arithmetic.
 *
 * Pointers may be equal where a comment says so, and do not overlap otherwise.
 */
#ifndef SECMED_VECTOR_H
#define SECMED_VECTOR_H

#include "base/base.h"

typedef enum VectorLevel
{
	VECTOR_PORTABLE,
	VECTOR_AVX2,
	VECTOR_AVX512
} VectorLevel;

/* For tests: use nothing above this. */
extern void vector_limit(VectorLevel highest);

/* z = xm (ym + yn) + xn ym + alpha - beta; z may be any of them. */
extern void vector_product64(uint64 *z, const uint64 *xm, const uint64 *xn,
							 const uint64 *ym, const uint64 *yn,
							 const uint64 *alpha, const uint64 *beta, size_t n);
extern void vector_product128(uint128 *z, const uint128 *xm, const uint128 *xn,
							  const uint128 *ym, const uint128 *yn,
							  const uint128 *alpha, const uint128 *beta, size_t n);

/* The same with one y for all. */
extern void vector_product_one64(uint64 *z, const uint64 *xm, const uint64 *xn,
								 uint64 ym, uint64 yn,
								 const uint64 *alpha, const uint64 *beta, size_t n);
extern void vector_product_one128(uint128 *z, const uint128 *xm, const uint128 *xn,
								  uint128 ym, uint128 yn,
								  const uint128 *alpha, const uint128 *beta, size_t n);

/* The sum of xm (ym + yn) + xn ym. */
extern uint64 vector_dot64(const uint64 *xm, const uint64 *xn,
						   const uint64 *ym, const uint64 *yn, size_t n);
extern uint128 vector_dot128(const uint128 *xm, const uint128 *xn,
							 const uint128 *ym, const uint128 *yn, size_t n);

/* z += xm (ym + yn) + xn ym, with one y for all. */
extern void vector_add_product_one64(uint64 *z, const uint64 *xm, const uint64 *xn, uint64 ym, uint64 yn, size_t n);

/* z = c x + d y, element by element; z may be x or y. */
extern void vector_linear64(uint64 *z, uint64 c, const uint64 *x, uint64 d, const uint64 *y, size_t n);
extern void vector_linear128(uint128 *z, uint128 c, const uint128 *x, uint128 d, const uint128 *y, size_t n);

/* z = (x y) + alpha - beta; z may be any of them. */
extern void vector_masked64(uint64 *z, const uint64 *x, const uint64 *y,
							const uint64 *alpha, const uint64 *beta, size_t n);
extern void vector_masked128(uint128 *z, const uint128 *x, const uint128 *y,
							 const uint128 *alpha, const uint128 *beta, size_t n);

extern uint64 vector_sum64(const uint64 *x, size_t n);
extern uint128 vector_sum128(const uint128 *x, size_t n);

/* z = xm (ym ^ yn) ^ xn ym ^ v ^ alpha ^ beta on words; z may be any of them. */
extern void vector_gate(uint64 *z, const uint64 *xm, const uint64 *xn,
						const uint64 *ym, const uint64 *yn, const uint64 *v,
						const uint64 *alpha, const uint64 *beta, size_t n);

/* z = x ^ y; z may be x or y. */
extern void vector_xor(uint64 *z, const uint64 *x, const uint64 *y, size_t n);

/*
 * One AND gate over a plane of bits, as networks of gates are made of them:
 * z = (x ^ x2) & (y ^ y2) ^ v, each in two shares (mpc/logic.h).  x2, y2 and v
 * may be absent (mine NULL).
 */
typedef struct PlaneRef
{
	uint64	   *mine;
	uint64	   *next;
} PlaneRef;

typedef struct Gate
{
	PlaneRef	z;
	PlaneRef	x;
	PlaneRef	x2;
	PlaneRef	y;
	PlaneRef	y2;
	PlaneRef	v;
} Gate;

/* Values that are sliced at a time: eight words of a plane, a line of the cache. */
#define VECTOR_BLOCK		512
#define VECTOR_BLOCK_WORDS	(VECTOR_BLOCK / 64)

/*
 * z.mine of each gate, on `words` words (at most VECTOR_BLOCK_WORDS) that begin `in`
 * words behind those of x, y and v, and `out` behind that of z.  Gate g takes
 * VECTOR_BLOCK_WORDS words of alpha and beta.  A z may be what its own gate or an
 * earlier one reads.
 */
extern void vector_gates(const Gate *gates, int count, size_t in, size_t out, size_t words,
						 const uint64 *alpha, const uint64 *beta);

/*
 * Eight 64 by 64 bit matrices at once.  Slice: value v is block[v % 64][v / 64],
 * below 2^planes, and plane k becomes block[k]; what stands behind the planes means
 * nothing.  Unslice is the way back, whatever stands behind the planes.
 */
extern void vector_slice(uint64 block[64][VECTOR_BLOCK_WORDS], int planes);
extern void vector_unslice(uint64 block[64][VECTOR_BLOCK_WORDS], int planes);

#endif							/* SECMED_VECTOR_H */
