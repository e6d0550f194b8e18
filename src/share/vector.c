/*
 * vector.c
 *	  Inner loops over long vectors, compiled for several processors.
 *
 * PostgreSQL is compiled with -O2, which in gcc 12 vectorises only loops whose
 * length it knows; so this file asks for more.  No loop branches or indexes
 * on an element.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize ("O3")
#endif

#include "base/base.h"

#include "share/vector.h"

/*
 * VECTOR_LOOP(type, name, parameters, arguments) { ... } writes a loop once: as
 * a body that is inlined into a function for each kind of processor, and
 * into the one that chooses among them.
 */
#define BODY	static inline __attribute__((always_inline))

static int	level_max = VECTOR_AVX512;

#if defined(__x86_64__) && defined(__GNUC__)

static inline int
level(void)
{
	if (level_max >= VECTOR_AVX512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
		return VECTOR_AVX512;
	if (level_max >= VECTOR_AVX2 && __builtin_cpu_supports("avx2"))
		return VECTOR_AVX2;
	return VECTOR_PORTABLE;
}

#define VECTOR_LOOP(type, name, parameters, arguments) \
BODY type name##_body parameters; \
static __attribute__((target("avx512f,avx512dq"))) type name##_avx512 parameters \
{ \
	return name##_body arguments; \
} \
static __attribute__((target("avx2"))) type name##_avx2 parameters \
{ \
	return name##_body arguments; \
} \
type \
name parameters \
{ \
	switch (level()) \
	{ \
		case VECTOR_AVX512: \
			return name##_avx512 arguments; \
		case VECTOR_AVX2: \
			return name##_avx2 arguments; \
		default: \
			return name##_body arguments; \
	} \
} \
BODY type \
name##_body parameters

#else

#define VECTOR_LOOP(type, name, parameters, arguments) \
type \
name parameters

#endif

void
vector_limit(VectorLevel highest)
{
	level_max = highest;
}

VECTOR_LOOP(void, vector_product64,
			(uint64 *z, const uint64 *xm, const uint64 *xn, const uint64 *ym,
			 const uint64 *yn, const uint64 *alpha, const uint64 *beta, size_t n),
			(z, xm, xn, ym, yn, alpha, beta, n))
{
	for (size_t i = 0; i < n; i++)
		z[i] = xm[i] * (ym[i] + yn[i]) + xn[i] * ym[i] + alpha[i] - beta[i];
}

void
vector_product128(uint128 *z, const uint128 *xm, const uint128 *xn,
				  const uint128 *ym, const uint128 *yn,
				  const uint128 *alpha, const uint128 *beta, size_t n)
{
	for (size_t i = 0; i < n; i++)
		z[i] = xm[i] * (ym[i] + yn[i]) + xn[i] * ym[i] + alpha[i] - beta[i];
}

VECTOR_LOOP(void, vector_product_one64,
			(uint64 *z, const uint64 *xm, const uint64 *xn, uint64 ym, uint64 yn,
			 const uint64 *alpha, const uint64 *beta, size_t n),
			(z, xm, xn, ym, yn, alpha, beta, n))
{
	for (size_t i = 0; i < n; i++)
		z[i] = xm[i] * (ym + yn) + xn[i] * ym + alpha[i] - beta[i];
}

void
vector_product_one128(uint128 *z, const uint128 *xm, const uint128 *xn,
					  uint128 ym, uint128 yn,
					  const uint128 *alpha, const uint128 *beta, size_t n)
{
	for (size_t i = 0; i < n; i++)
		z[i] = xm[i] * (ym + yn) + xn[i] * ym + alpha[i] - beta[i];
}

VECTOR_LOOP(uint64, vector_dot64,
			(const uint64 *xm, const uint64 *xn, const uint64 *ym, const uint64 *yn,
			 size_t n),
			(xm, xn, ym, yn, n))
{
	uint64		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += xm[i] * (ym[i] + yn[i]) + xn[i] * ym[i];
	return sum;
}

uint128
vector_dot128(const uint128 *xm, const uint128 *xn,
			  const uint128 *ym, const uint128 *yn, size_t n)
{
	uint128		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += xm[i] * (ym[i] + yn[i]) + xn[i] * ym[i];
	return sum;
}

/* The factors are public; sums and differences are what is wanted most. */
VECTOR_LOOP(void, vector_linear64,
			(uint64 *z, uint64 c, const uint64 *x, uint64 d, const uint64 *y, size_t n),
			(z, c, x, d, y, n))
{
	if (c == 1 && d == 1)
	{
		for (size_t i = 0; i < n; i++)
			z[i] = x[i] + y[i];
	}
	else if (c == 1 && d == (uint64) -1)
	{
		for (size_t i = 0; i < n; i++)
			z[i] = x[i] - y[i];
	}
	else
	{
		for (size_t i = 0; i < n; i++)
			z[i] = c * x[i] + d * y[i];
	}
}

void
vector_linear128(uint128 *z, uint128 c, const uint128 *x, uint128 d, const uint128 *y, size_t n)
{
	if (c == 1 && d == 1)
	{
		for (size_t i = 0; i < n; i++)
			z[i] = x[i] + y[i];
	}
	else if (c == 1 && d == (uint128) -1)
	{
		for (size_t i = 0; i < n; i++)
			z[i] = x[i] - y[i];
	}
	else
	{
		for (size_t i = 0; i < n; i++)
			z[i] = c * x[i] + d * y[i];
	}
}

VECTOR_LOOP(void, vector_masked64,
			(uint64 *z, const uint64 *x, const uint64 *y, const uint64 *alpha,
			 const uint64 *beta, size_t n),
			(z, x, y, alpha, beta, n))
{
	for (size_t i = 0; i < n; i++)
		z[i] = x[i] * y[i] + alpha[i] - beta[i];
}

void
vector_masked128(uint128 *z, const uint128 *x, const uint128 *y,
				 const uint128 *alpha, const uint128 *beta, size_t n)
{
	for (size_t i = 0; i < n; i++)
		z[i] = x[i] * y[i] + alpha[i] - beta[i];
}

VECTOR_LOOP(uint64, vector_sum64,
			(const uint64 *x, size_t n),
			(x, n))
{
	uint64		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return sum;
}

uint128
vector_sum128(const uint128 *x, size_t n)
{
	uint128		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += x[i];
	return sum;
}

VECTOR_LOOP(void, vector_gate,
			(uint64 *z, const uint64 *xm, const uint64 *xn, const uint64 *ym,
			 const uint64 *yn, const uint64 *v, const uint64 *alpha, const uint64 *beta,
			 size_t n),
			(z, xm, xn, ym, yn, v, alpha, beta, n))
{
	for (size_t i = 0; i < n; i++)
		z[i] = (xm[i] & (ym[i] ^ yn[i])) ^ (xn[i] & ym[i]) ^ v[i] ^ alpha[i] ^ beta[i];
}

VECTOR_LOOP(void, vector_xor,
			(uint64 *z, const uint64 *x, const uint64 *y, size_t n),
			(z, x, y, n))
{
	for (size_t i = 0; i < n; i++)
		z[i] = x[i] ^ y[i];
}

/*
 * Swaps the two off-diagonal quarters of every square of side 64, then 32,
 * down to 2 (Warren, Hacker's Delight, 2nd edition, section 7-3), in all
 * eight at the same time.
 */
VECTOR_LOOP(void, vector_transpose,
			(uint64 block[64][8]),
			(block))
{
	uint64		low = UINT64CONST(0x00000000FFFFFFFF);

	for (int half = 32; half > 0; half /= 2, low ^= low << half)
	{
		for (int top = 0; top < 64; top += 2 * half)
		{
			for (int row = top; row < top + half; row++)
			{
				for (int k = 0; k < 8; k++)
				{
					uint64		swap = ((block[row][k] >> half) ^ block[row + half][k]) & low;

					block[row][k] ^= swap << half;
					block[row + half][k] ^= swap;
				}
			}
		}
	}
}
