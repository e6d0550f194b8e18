/*
 * test_gaussian.c
 *	  Draws of the discrete Gaussian against its exact probabilities, from both sides: too far
 *	  off, and too near to be drawn at all.  Seeds are fixed.
 */
#include "base/base.h"

#include <math.h>

#include "share/gaussian.h"
#include "unit.h"

static Gaussian *
source_of(uint8 which)
{
	uint8		seed[SEED_BYTES] = {which};

	return gaussian_create(seed);
}

/* Probabilities of -reach to reach, as the definition says. */
static void
exact(double *p, int reach, double sigma)
{
	double		sum = 0;

	for (int x = -reach; x <= reach; x++)
		sum += p[x + reach] = exp(-(double) x * x / (2 * sigma * sigma));
	for (int i = 0; i <= 2 * reach; i++)
		p[i] /= sum;
}

/* How many standard deviations chi-square is off its mean (Wilson, Hilferty: PNAS 1931). */
static double
chi_square_score(const int *found, const double *p, int cells, int draws)
{
	double		chi = 0;
	double		expected = 0;
	int			seen = 0;
	int			k = 0;

	/* Neighbours that are rare are one cell. */
	for (int i = 0; i < cells; i++)
	{
		expected += p[i] * draws;
		seen += found[i];
		if (expected < 20 && i < cells - 1)
			continue;
		if (expected > 0)
			chi += (seen - expected) * (seen - expected) / expected;
		k++;
		expected = seen = 0;
	}
	k--;
	return (cbrt(chi / k) - (1 - 2.0 / (9 * k))) / sqrt(2.0 / (9 * k));
}

#define DRAWS	200000

/* The sum of `terms` draws with sigma each, against one with sqrt(terms) sigma. */
static void
test_sum(uint64 sigma, int terms, uint8 seed)
{
	double		wide = (double) sigma * sqrt(terms);
	int			reach = (int) (wide * 9) + 4;
	double	   *p = palloc(sizeof(double) * (2 * reach + 1));
	int		   *found = palloc0(sizeof(int) * (2 * reach + 1));
	Gaussian   *source = source_of(seed);
	int			outside = 0;
	double		score;

	exact(p, reach, wide);
	for (int i = 0; i < DRAWS; i++)
	{
		int64		x = 0;

		for (int t = 0; t < terms; t++)
			x += gaussian_draw(source, sigma);
		if (x < -reach || x > reach)
			outside++;
		else
			found[x + reach]++;
	}
	score = chi_square_score(found, p, 2 * reach + 1, DRAWS);
	check(outside == 0 && fabs(score) < 3.5, "the sum of %d draws with sigma " UINT64_FORMAT
		  " is distributed as it should be: %.2f deviations off", terms, sigma, score);
	gaussian_free(source);
	pfree(p);
	pfree(found);
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: for a sigma so large that the normal distribution is the same. */
static void
test_large(uint64 sigma, uint8 seed)
{
	int			n = 50000;
	double	   *x = palloc(sizeof(double) * n);
	Gaussian   *source = source_of(seed);
	double		most = 0;

	for (int i = 0; i < n; i++)
		x[i] = (double) gaussian_draw(source, sigma) / (double) sigma;
	qsort(x, n, sizeof(double), compare_doubles);
	for (int i = 0; i < n; i++)
	{
		double		f = 0.5 * erfc(-x[i] / sqrt(2));

		most = fmax(most, fmax(fabs(f - (double) i / n), fabs(f - (double) (i + 1) / n)));
	}
	/* sqrt(n) D is between these with a probability of 0.9996. */
	check(most * sqrt(n) > 0.38 && most * sqrt(n) < 2.1, "draws with sigma " UINT64_FORMAT
		  " are distributed as they should be: sqrt(n) D = %.3f", sigma, most * sqrt(n));
	gaussian_free(source);
	pfree(x);
}

/* A sampler whose numbers follow from the seed alone is one that tests and the simulation can repeat. */
static void
test_repeats(void)
{
	Gaussian   *a = source_of(7);
	Gaussian   *b = source_of(7);
	Gaussian   *c = source_of(8);
	int			same = 0;
	int			other = 0;

	for (int i = 0; i < 100; i++)
	{
		int64		x = gaussian_draw(a, 1000000);

		same += x == gaussian_draw(b, 1000000);
		other += x == gaussian_draw(c, 1000000);
	}
	check(same == 100 && other < 3, "a seed gives its numbers again, another seed others");
	gaussian_free(a);
	gaussian_free(b);
	gaussian_free(c);
}

int
main(void)
{
	test_sum(1, 1, 1);
	test_sum(2, 1, 2);
	test_sum(5, 1, 3);
	test_sum(40, 1, 4);
	test_sum(4, 2, 5);
	test_sum(4, 3, 6);
	test_large(1000000, 9);
	test_large(GAUSSIAN_SIGMA_MAX, 10);
	test_repeats();
	return unit_done();
}
