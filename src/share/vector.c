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

VECTOR_LOOP(void, vector_add_product_one64,
			(uint64 *z, const uint64 *xm, const uint64 *xn, uint64 ym, uint64 yn, size_t n),
			(z, xm, xn, ym, yn, n))
{
	uint64		y = ym + yn;

	for (size_t i = 0; i < n; i++)
		z[i] += xm[i] * y + xn[i] * ym;
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

/* Eight words as one register, or as several; they may lie anywhere. */
typedef uint64 Line __attribute__((vector_size(64), aligned(8), may_alias));

#define LINE(words)		(*(const Line *) (words))

BODY void
gate_line(const Gate *gate, size_t in, size_t out, const uint64 *alpha, const uint64 *beta)
{
	Line		xm = LINE(gate->x.mine + in);
	Line		xn = LINE(gate->x.next + in);
	Line		ym = LINE(gate->y.mine + in);
	Line		yn = LINE(gate->y.next + in);
	Line		z;

	if (gate->x2.mine)
	{
		xm ^= LINE(gate->x2.mine + in);
		xn ^= LINE(gate->x2.next + in);
	}
	if (gate->y2.mine)
	{
		ym ^= LINE(gate->y2.mine + in);
		yn ^= LINE(gate->y2.next + in);
	}
	z = (xm & (ym ^ yn)) ^ (xn & ym) ^ LINE(alpha) ^ LINE(beta);
	if (gate->v.mine)
		z ^= LINE(gate->v.mine + in);
	*(Line *) (gate->z.mine + out) = z;
}

/* Fewer words than a line. */
BODY void
gate_words(const Gate *gate, size_t in, size_t out, size_t words,
		   const uint64 *alpha, const uint64 *beta)
{
	for (size_t w = 0; w < words; w++)
	{
		size_t		at = in + w;
		uint64		xm = gate->x.mine[at] ^ (gate->x2.mine ? gate->x2.mine[at] : 0);
		uint64		xn = gate->x.next[at] ^ (gate->x2.mine ? gate->x2.next[at] : 0);
		uint64		ym = gate->y.mine[at] ^ (gate->y2.mine ? gate->y2.mine[at] : 0);
		uint64		yn = gate->y.next[at] ^ (gate->y2.mine ? gate->y2.next[at] : 0);

		gate->z.mine[out + w] = (xm & (ym ^ yn)) ^ (xn & ym) ^ (gate->v.mine ? gate->v.mine[at] : 0) ^
			alpha[w] ^ beta[w];
	}
}

VECTOR_LOOP(void, vector_gates,
			(const Gate *gates, int count, size_t in, size_t out, size_t words,
			 const uint64 *alpha, const uint64 *beta),
			(gates, count, in, out, words, alpha, beta))
{
	for (int g = 0; g < count; g++, alpha += VECTOR_BLOCK_WORDS, beta += VECTOR_BLOCK_WORDS)
	{
		if (words == VECTOR_BLOCK_WORDS)
			gate_line(&gates[g], in, out, alpha, beta);
		else
			gate_words(&gates[g], in, out, words, alpha, beta);
	}
}

/*
 * Swaps the two off-diagonal quarters of every square of side 2 half, in the
 * first `rows` rows.  (Warren, Hacker's Delight, 2nd edition, section 7-3)
 */
BODY void
swap_quarters(Line *block, int rows, int half, uint64 low)
{
	for (int top = 0; top < rows; top += 2 * half)
	{
		for (int row = top; row < top + half; row++)
		{
			Line		swap = ((block[row] >> half) ^ block[row + half]) & low;

			block[row] ^= swap << half;
			block[row + half] ^= swap;
		}
	}
}

/* The low half of each of the cells of 2 half bits: ones below `half`, and so on. */
BODY uint64
low_halves(int half)
{
	return ~UINT64CONST(0) / ((UINT64CONST(1) << half) + 1);
}

/*
 * The matrices are transposed by swapping for half = 32, 16, ... 1, in any order.
 * Where the upper half of all cells is zero, there is nothing to swap, only to put together.
 */
VECTOR_LOOP(void, vector_slice,
			(uint64 block[64][VECTOR_BLOCK_WORDS], int planes),
			(block, planes))
{
	Line	   *line = (Line *) block;
	int			half = 32;

	for (; half >= planes && half > 0; half /= 2)
	{
		for (int row = 0; row < half; row++)
			line[row] |= line[row + half] << half;
	}
	for (int rows = 2 * half; half > 0; half /= 2)
		swap_quarters(line, rows, half, low_halves(half));
}

VECTOR_LOOP(void, vector_unslice,
			(uint64 block[64][VECTOR_BLOCK_WORDS], int planes),
			(block, planes))
{
	Line	   *line = (Line *) block;
	int			rows = 1;

	while (rows < planes)
		rows *= 2;
	for (int row = planes; row < rows; row++)
		line[row] ^= line[row];
	for (int half = 1; half < rows; half *= 2)
		swap_quarters(line, rows, half, low_halves(half));
	for (int half = rows; half < 64; half *= 2)
	{
		uint64		low = low_halves(half);

		for (int row = 0; row < half; row++)
		{
			line[row + half] = (line[row] >> half) & low;
			line[row] &= low;
		}
	}
}
