/*
 * gaussian.c
 *	  Numbers of the discrete Gaussian distribution, exactly.
 *
 * Letters and steps are those of the paper (gaussian.h).
 */
#include "share/gaussian.h"

#include "crypto/hash.h"

/* A call of the cipher for each number would cost more than the rest. */
#define AHEAD_BYTES		4096

struct Gaussian
{
	Prg		   *prg;
	size_t		left;
	uint8		ahead[AHEAD_BYTES];
};

Gaussian *
gaussian_create(const uint8 seed[SEED_BYTES])
{
	Gaussian   *source = palloc(sizeof(Gaussian));

	source->prg = prg_create(seed);
	source->left = 0;
	return source;
}

void
gaussian_free(Gaussian *source)
{
	prg_free(source->prg);
	wipe(source, sizeof(*source));
	pfree(source);
}

static uint128
random_128(Gaussian *source)
{
	uint128		number;

	if (source->left < sizeof(number))
	{
		prg_fill(source->prg, source->ahead, AHEAD_BYTES);
		source->left = AHEAD_BYTES;
	}
	memcpy(&number, source->ahead + AHEAD_BYTES - source->left, sizeof(number));
	source->left -= sizeof(number);
	return number;
}

/* Each of 0 to n - 1 as likely as any other. */
static uint128
uniform_below(Gaussian *source, uint128 n)
{
	uint128		mask = n - 1;
	uint128		number;

	for (int shift = 1; shift < 128; shift *= 2)
		mask |= mask >> shift;
	do
	{
		number = random_128(source) & mask;
	} while (number >= n);
	return number;
}

static bool
bernoulli(Gaussian *source, uint128 numerator, uint128 denominator)
{
	return uniform_below(source, denominator) < numerator;
}

/* Algorithm 1 for gamma = numerator / denominator from 0 to 1: K is odd with probability exp(-gamma). */
static bool
bernoulli_exp_fraction(Gaussian *source, uint128 numerator, uint128 denominator)
{
	uint128		k = 1;

	while (bernoulli(source, numerator, denominator * k))
		k++;
	return (k & 1) != 0;
}

/* Algorithm 1: true with probability exp(-numerator / denominator). */
static bool
bernoulli_exp(Gaussian *source, uint128 numerator, uint128 denominator)
{
	for (; numerator > denominator; numerator -= denominator)
		if (!bernoulli_exp_fraction(source, 1, 1))
			return false;
	return bernoulli_exp_fraction(source, numerator, denominator);
}

/* Algorithm 2 with s = 1: Pr[Y = y] is proportional to exp(-|y| / t). */
static int64
laplace_draw(Gaussian *source, uint64 t)
{
	for (;;)
	{
		uint64		u = (uint64) uniform_below(source, t);
		uint64		v = 0;
		bool		negative;

		if (!bernoulli_exp(source, u, t))
			continue;
		while (bernoulli_exp_fraction(source, 1, 1))
			v++;
		negative = bernoulli(source, 1, 2);
		if (negative && u + t * v == 0)
			continue;
		return negative ? -(int64) (u + t * v) : (int64) (u + t * v);
	}
}

/* Algorithm 3 with t = sigma: Y is kept with probability exp(-(|Y| - sigma)^2 / (2 sigma^2)). */
int64
gaussian_draw(Gaussian *source, uint64 sigma)
{
	Assert(sigma >= 1 && sigma <= GAUSSIAN_SIGMA_MAX);
	for (;;)
	{
		int64		y = laplace_draw(source, sigma);
		uint128		distance = y < 0 ? -(int128) y : (int128) y;

		distance = distance > sigma ? distance - sigma : sigma - distance;
		if (bernoulli_exp(source, distance * distance, 2 * (uint128) sigma * sigma))
			return y;
	}
}
