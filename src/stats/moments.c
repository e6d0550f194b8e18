/*
 * moments.c
 *	  Location, spread and shape of one variable, and proportions.
 */
#include "base/base.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/moments.h"

/* ---- sums about the mean, exactly ---- */

double
centred_of_terms(const LinearTotals *totals, const char *count, const char *products,
				 const char *x, const char *y)
{
	ExactFrame *frame = exact_begin();
	Exact		n = linear_exact(totals, frame, count);
	double		result = NAN;

	/* (n sum(xy) - sum(x) sum(y)) / n */
	if (!exact_is_zero(n))
		result = exact_divide(frame,
							  exact_subtract(frame,
											 exact_multiply(frame, n, linear_exact(totals, frame, products)),
											 exact_multiply(frame, linear_exact(totals, frame, x),
															linear_exact(totals, frame, y))),
							  n);
	exact_end(frame);
	return result;
}

/* a / b, of two terms; NaN if b is zero. */
static double
ratio_of_terms(const LinearTotals *totals, const char *a, const char *b)
{
	ExactFrame *frame = exact_begin();
	Exact		divisor = linear_exact(totals, frame, b);
	double		result = exact_is_zero(divisor) ? NAN :
		exact_divide(frame, linear_exact(totals, frame, a), divisor);

	exact_end(frame);
	return result;
}

Sample
sample_of_terms(const LinearTotals *totals, const char *count, const char *sum, const char *squares)
{
	return (Sample) {linear_count(totals, count), ratio_of_terms(totals, sum, count),
		centred_of_terms(totals, count, squares, sum, sum)};
}

/* sum((x - mean)^3) = (n^2 S3 - 3 n S1 S2 + 2 S1^3) / n^2 */
static double
third_about_mean(const LinearTotals *totals)
{
	ExactFrame *frame = exact_begin();
	Exact		n = linear_exact(totals, frame, "1");
	Exact		s1 = linear_exact(totals, frame, "x");
	Exact		s2 = linear_exact(totals, frame, "xx");
	Exact		s3 = linear_exact(totals, frame, "xxx");
	Exact		n2 = exact_power(frame, n, 2);
	Exact		sum = exact_multiply(frame, n2, s3);
	double		result;

	sum = exact_subtract(frame, sum, exact_scale(frame, 3, exact_multiply(frame, n, exact_multiply(frame, s1, s2))));
	sum = exact_add(frame, sum, exact_scale(frame, 2, exact_power(frame, s1, 3)));
	result = exact_divide(frame, sum, n2);
	exact_end(frame);
	return result;
}

/* sum((x - mean)^4) = (n^3 S4 - 4 n^2 S1 S3 + 6 n S1^2 S2 - 3 S1^4) / n^3 */
static double
fourth_about_mean(const LinearTotals *totals)
{
	ExactFrame *frame = exact_begin();
	Exact		n = linear_exact(totals, frame, "1");
	Exact		s1 = linear_exact(totals, frame, "x");
	Exact		s2 = linear_exact(totals, frame, "xx");
	Exact		s3 = linear_exact(totals, frame, "xxx");
	Exact		n2 = exact_power(frame, n, 2);
	Exact		n3 = exact_power(frame, n, 3);
	Exact		sum = exact_multiply(frame, n3, linear_exact(totals, frame, "xxxx"));
	double		result;

	sum = exact_subtract(frame, sum, exact_scale(frame, 4, exact_multiply(frame, n2, exact_multiply(frame, s1, s3))));
	sum = exact_add(frame, sum, exact_scale(frame, 6, exact_multiply(frame, n,
																	 exact_multiply(frame, exact_power(frame, s1, 2), s2))));
	sum = exact_subtract(frame, sum, exact_scale(frame, 3, exact_power(frame, s1, 4)));
	result = exact_divide(frame, sum, n3);
	exact_end(frame);
	return result;
}

/* ---- one variable ---- */

static void
add_skewness(const LinearTotals *totals, const Sample *sample, Outcome *outcome)
{
	double		n = sample->n;
	int			type = (int) linear_option(totals, 't');
	double		g1;

	if (!(sample->ss > 0) || (type == 2 && n < 3))
		return;
	g1 = third_about_mean(totals) / n / pow(sample->ss / n, 1.5);
	if (type == 2)
		g1 *= sqrt(n * (n - 1)) / (n - 2);
	if (type == 3)
		g1 *= pow((n - 1) / n, 1.5);
	outcome_number(outcome, "skewness", g1);
}

static void
add_kurtosis(const LinearTotals *totals, const Sample *sample, Outcome *outcome)
{
	double		n = sample->n;
	int			type = (int) linear_option(totals, 't');
	double		g2;

	if (!(sample->ss > 0) || (type == 2 && n < 4))
		return;
	g2 = n * fourth_about_mean(totals) / (sample->ss * sample->ss) - 3;
	if (type == 2)
		g2 = ((n + 1) * g2 + 6) * (n - 1) / ((n - 2) * (n - 3));
	if (type == 3)
		g2 = (g2 + 3) * (1 - 1 / n) * (1 - 1 / n) - 3;
	outcome_number(outcome, "kurtosis", g2);
}

static double
standard_error_of(const Sample *sample)
{
	return sqrt(sample->ss / (sample->n - 1) / sample->n);
}

static void
add_mean_limits(const LinearTotals *totals, const Sample *sample, Outcome *outcome)
{
	double		half;

	if (sample->n < 2)
		return;
	half = standard_error_of(sample) *
		student_quantile((1 - linear_option(totals, 'c')) / 2, sample->n - 1, TAIL_UPPER);
	outcome_number(outcome, "standard_error", standard_error_of(sample));
	outcome_number(outcome, "conf_low", sample->mean - half);
	outcome_number(outcome, "conf_high", sample->mean + half);
}

static void
add_numbers(const LinearTotals *totals, double n, Outcome *outcome)
{
	outcome_count(outcome, "n", n);
	outcome_count(outcome, "n_missing", linear_count(totals, "*") - n);
}

void
moments_summary(const LinearTotals *totals, Outcome *outcome)
{
	Sample		sample = sample_of_terms(totals, "1", "x", "xx");

	add_numbers(totals, sample.n, outcome);
	if (sample.n < 1)
		return;
	outcome_number(outcome, "mean", sample.mean);
	if (sample.n > 1)
	{
		outcome_number(outcome, "variance", sample.ss / (sample.n - 1));
		outcome_number(outcome, "stddev", sqrt(sample.ss / (sample.n - 1)));
	}
	add_mean_limits(totals, &sample, outcome);
	add_skewness(totals, &sample, outcome);
	add_kurtosis(totals, &sample, outcome);
}

void
moments_skewness(const LinearTotals *totals, Outcome *outcome)
{
	Sample		sample = sample_of_terms(totals, "1", "x", "xx");

	add_skewness(totals, &sample, outcome);
}

void
moments_kurtosis(const LinearTotals *totals, Outcome *outcome)
{
	Sample		sample = sample_of_terms(totals, "1", "x", "xx");

	add_kurtosis(totals, &sample, outcome);
}

void
moments_standard_error(const LinearTotals *totals, Outcome *outcome)
{
	Sample		sample = sample_of_terms(totals, "1", "x", "xx");

	if (sample.n > 1)
		outcome_number(outcome, "standard_error", standard_error_of(&sample));
}

void
moments_mean_ci(const LinearTotals *totals, Outcome *outcome)
{
	Sample		sample = sample_of_terms(totals, "1", "x", "xx");

	add_numbers(totals, sample.n, outcome);
	if (sample.n > 0)
		outcome_number(outcome, "estimate", sample.mean);
	add_mean_limits(totals, &sample, outcome);
}

/* ---- weights ---- */

void
moments_weighted_mean(const LinearTotals *totals, Outcome *outcome)
{
	double		mean = ratio_of_terms(totals, "xw", "w");

	if (!isnan(mean))
		outcome_number(outcome, "weighted_mean", mean);
}

/* (sum(w) sum(w x^2) - sum(w x)^2) / (sum(w)^2 - sum(w^2)) */
void
moments_weighted_variance(const LinearTotals *totals, Outcome *outcome)
{
	ExactFrame *frame = exact_begin();
	Exact		w = linear_exact(totals, frame, "w");
	Exact		xw = linear_exact(totals, frame, "xw");
	Exact		divisor = exact_subtract(frame, exact_power(frame, w, 2), linear_exact(totals, frame, "ww"));
	Exact		squares = exact_subtract(frame, exact_multiply(frame, w, linear_exact(totals, frame, "xxw")),
										 exact_power(frame, xw, 2));

	if (linear_count(totals, "1") > 1 && !exact_is_zero(divisor))
		outcome_number(outcome, "weighted_variance", exact_divide(frame, squares, divisor));
	exact_end(frame);
}

/* ---- proportions ---- */

static void
add_proportion(const LinearTotals *totals, double x, double n, Outcome *outcome)
{
	add_numbers(totals, n, outcome);
	outcome_count(outcome, "successes", x);
	if (n > 0)
	{
		outcome_number(outcome, "estimate", x / n);
		outcome_number(outcome, "standard_error", sqrt(x / n * (1 - x / n) / n));
	}
}

/* One limit; side is -1 or 1. */
static double
wilson_limit(double p, double n, double z, int side)
{
	double		z22n = z * z / (2 * n);

	return (p + z22n + side * z * sqrt(p * (1 - p) / n + z22n / (2 * n))) / (1 + 2 * z22n);
}

/* prop.test corrects by 1/2, or by less if the proportion is that close to 1/2. */
void
proportion_wilson(const LinearTotals *totals, Outcome *outcome)
{
	double		x = linear_count(totals, "e");
	double		n = x + linear_count(totals, "E");
	double		z = normal_quantile((1 - linear_option(totals, 'c')) / 2, TAIL_UPPER);
	double		correction = linear_option(totals, 'k') ? Min(0.5, fabs(x - n * 0.5)) : 0;
	double		low = (x - correction) / n;
	double		high = (x + correction) / n;

	add_proportion(totals, x, n, outcome);
	if (n == 0)
		return;
	outcome_number(outcome, "conf_low", low <= 0 ? 0 : Max(0, wilson_limit(low, n, z, -1)));
	outcome_number(outcome, "conf_high", high >= 1 ? 1 : Min(1, wilson_limit(high, n, z, 1)));
}

void
proportion_exact_limits(double x, double n, double level, double *low, double *high)
{
	double		tail = (1 - level) / 2;

	*low = x == 0 ? 0 : beta_quantile(tail, x, n - x + 1, TAIL_LOWER);
	*high = x == n ? 1 : beta_quantile(tail, x + 1, n - x, TAIL_UPPER);
}

void
proportion_exact(const LinearTotals *totals, Outcome *outcome)
{
	double		x = linear_count(totals, "e");
	double		n = x + linear_count(totals, "E");
	double		low,
				high;

	add_proportion(totals, x, n, outcome);
	if (n == 0)
		return;
	proportion_exact_limits(x, n, linear_option(totals, 'c'), &low, &high);
	outcome_number(outcome, "conf_low", low);
	outcome_number(outcome, "conf_high", high);
}
