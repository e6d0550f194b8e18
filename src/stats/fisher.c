/*
 * fisher.c
 *	  Fisher's exact test of a two by two table.
 */
#include "base/base.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/fisher.h"

/* The values the first cell may have, and the one it has. */
typedef struct Support
{
	int			n;
	double		low;			/* the first */
	int			at;				/* the observed, counted from it */
	double	   *log_density;	/* without odds ratio */
	double	   *density;		/* with the last one asked for; adds up to 1 */
} Support;

static void
support_init(Support *support, double a, double b, double c, double d)
{
	double		low = Max(0, (a + b) - (b + d));
	double		high = Min(a + b, a + c);

	if (high - low >= FISHER_SUPPORT_MAX)
		fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "Fisher's exact test is for smaller tables: a cell could have %.0f values",
			 high - low + 1);
	support->n = (int) (high - low) + 1;
	support->low = low;
	support->at = (int) (a - low);
	support->log_density = palloc(sizeof(double) * support->n);
	support->density = palloc(sizeof(double) * support->n);
	for (int i = 0; i < support->n; i++)
		support->log_density[i] = hypergeometric_log_density(low + i, a + c, b + d, a + b);
}

/* The distribution for this logarithm of the odds ratio. */
static void
support_tilt(Support *support, double log_ratio)
{
	double		largest = -INFINITY;
	double		sum = 0;

	for (int i = 0; i < support->n; i++)
	{
		support->density[i] = support->log_density[i] + log_ratio * i;
		largest = Max(largest, support->density[i]);
	}
	for (int i = 0; i < support->n; i++)
	{
		support->density[i] = exp(support->density[i] - largest);
		sum += support->density[i];
	}
	for (int i = 0; i < support->n; i++)
		support->density[i] /= sum;
}

/* ---- what is asked of a distribution, each rising or falling with the odds ratio ---- */

static double
mean_at(Support *support, double log_ratio)
{
	double		mean = 0;

	support_tilt(support, log_ratio);
	for (int i = 0; i < support->n; i++)
		mean += i * support->density[i];
	return mean;
}

static double
at_least(Support *support, double log_ratio)
{
	double		p = 0;

	support_tilt(support, log_ratio);
	for (int i = support->n - 1; i >= support->at; i--)
		p += support->density[i];
	return p;
}

/* Less than 1 - at_least() by the observed value; minus, so that it rises. */
static double
minus_at_most(Support *support, double log_ratio)
{
	double		p = 0;

	support_tilt(support, log_ratio);
	for (int i = 0; i <= support->at; i++)
		p += support->density[i];
	return -p;
}

/* Where a rising function has this value: by halving, to the last digit. */
static double
solve(Support *support, double (*rising) (Support *, double), double value)
{
	double		low = -1;
	double		high = 1;

	while (rising(support, low) > value && low > -1e3)
		low *= 2;
	while (rising(support, high) < value && high < 1e3)
		high *= 2;
	for (int i = 0; i < 100; i++)
	{
		double		middle = low + (high - low) / 2;

		if (middle <= low || middle >= high)
			break;
		if (rising(support, middle) < value)
			low = middle;
		else
			high = middle;
	}
	return exp(low + (high - low) / 2);
}

/* ---- the test ---- */

/* Two-sided: values not more likely than the observed, but for rounding, as R. */
static double
p_two_sided(Support *support)
{
	double		bound,
				p = 0;

	support_tilt(support, 0);
	bound = support->density[support->at] * (1 + 1e-7);
	for (int i = 0; i < support->n; i++)
		if (support->density[i] <= bound)
			p += support->density[i];
	return Min(p, 1);
}

static double
odds_ratio(Support *support)
{
	if (support->at == 0)
		return 0;
	if (support->at == support->n - 1)
		return INFINITY;
	return solve(support, mean_at, support->at);
}

static double
lower_limit(Support *support, double outside)
{
	return support->at == 0 ? 0 : solve(support, at_least, outside);
}

static double
upper_limit(Support *support, double outside)
{
	return support->at == support->n - 1 ? INFINITY : solve(support, minus_at_most, -outside);
}

FisherResult
fisher_two_by_two(double a, double b, double c, double d, double level, Alternative alternative)
{
	Support		support;
	double		outside = alternative == ALTERNATIVE_TWO_SIDED ? (1 - level) / 2 : 1 - level;
	FisherResult result = {.conf_low = 0,.conf_high = INFINITY};

	support_init(&support, a, b, c, d);
	if (alternative == ALTERNATIVE_TWO_SIDED)
		result.p_value = p_two_sided(&support);
	else if (alternative == ALTERNATIVE_LESS)
		result.p_value = hypergeometric_probability(a, a + c, b + d, a + b, TAIL_LOWER);
	else
		result.p_value = hypergeometric_probability(a - 1, a + c, b + d, a + b, TAIL_UPPER);
	result.odds_ratio = odds_ratio(&support);
	if (alternative != ALTERNATIVE_LESS)
		result.conf_low = lower_limit(&support, outside);
	if (alternative != ALTERNATIVE_GREATER)
		result.conf_high = upper_limit(&support, outside);
	pfree(support.log_density);
	pfree(support.density);
	return result;
}
