/*
 * student.c
 *	  Tests of means, variances and correlation under the normal distribution.
 */
#include "base/base.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/moments.h"
#include "stats/student.h"

static Alternative
alternative_of(const LinearTotals *totals)
{
	return (Alternative) linear_option(totals, 'a');
}

/* ---- t tests ---- */

static double
student_p(double t, double df, Alternative alternative)
{
	if (alternative == ALTERNATIVE_TWO_SIDED)
		return 2 * student_probability(fabs(t), df, TAIL_UPPER);
	return student_probability(t, df, alternative == ALTERNATIVE_LESS ? TAIL_LOWER : TAIL_UPPER);
}

/* estimate with its standard error, against the value mu. */
static void
add_t(const LinearTotals *totals, double estimate, double error, double df, double mu, Outcome *outcome)
{
	Alternative alternative = alternative_of(totals);
	double		outside = 1 - linear_option(totals, 'c');
	double		half;

	if (!(error > 0) || !(df > 0))
		return;
	outcome_number(outcome, "standard_error", error);
	outcome_number(outcome, "statistic", (estimate - mu) / error);
	outcome_number(outcome, "df", df);
	outcome_number(outcome, "p_value", student_p((estimate - mu) / error, df, alternative));
	half = error * student_quantile(alternative == ALTERNATIVE_TWO_SIDED ? outside / 2 : outside, df, TAIL_UPPER);
	outcome_number(outcome, "conf_low", alternative == ALTERNATIVE_LESS ? -INFINITY : estimate - half);
	outcome_number(outcome, "conf_high", alternative == ALTERNATIVE_GREATER ? INFINITY : estimate + half);
}

void
student_one_sample(const LinearTotals *totals, Outcome *outcome)
{
	Sample		sample = sample_of_terms(totals, "1", "x", "xx");

	outcome_text(outcome, "method", "One Sample t-test");
	outcome_count(outcome, "n", sample.n);
	outcome_count(outcome, "n_missing", linear_count(totals, "*") - sample.n);
	if (sample.n < 1)
		return;
	outcome_number(outcome, "estimate", sample.mean);
	if (sample.n > 1)
		add_t(totals, sample.mean, sqrt(sample.ss / (sample.n - 1) / sample.n), sample.n - 1,
			  linear_option(totals, 'm'), outcome);
}

/* Both groups, their numbers and means. */
static void
add_groups(const LinearTotals *totals, Sample *first, Sample *second, Outcome *outcome)
{
	*first = sample_of_terms(totals, "g", "xg", "xxg");
	*second = sample_of_terms(totals, "G", "xG", "xxG");
	outcome_count(outcome, "n", first->n + second->n);
	outcome_count(outcome, "n_missing", linear_count(totals, "*") - first->n - second->n);
	outcome_count(outcome, "n1", first->n);
	outcome_count(outcome, "n2", second->n);
	if (first->n > 0)
		outcome_number(outcome, "mean1", first->mean);
	if (second->n > 0)
		outcome_number(outcome, "mean2", second->mean);
}

void
student_welch(const LinearTotals *totals, Outcome *outcome)
{
	Sample		a,
				b;
	double		va,
				vb;

	outcome_text(outcome, "method", "Welch Two Sample t-test");
	add_groups(totals, &a, &b, outcome);
	if (a.n > 0 && b.n > 0)
		outcome_number(outcome, "estimate", a.mean - b.mean);
	if (a.n < 2 || b.n < 2)
		return;
	va = a.ss / (a.n - 1) / a.n;
	vb = b.ss / (b.n - 1) / b.n;
	add_t(totals, a.mean - b.mean, sqrt(va + vb),
		  (va + vb) * (va + vb) / (va * va / (a.n - 1) + vb * vb / (b.n - 1)), 0, outcome);
}

void
student_pooled(const LinearTotals *totals, Outcome *outcome)
{
	Sample		a,
				b;
	double		df;

	outcome_text(outcome, "method", "Two Sample t-test");
	add_groups(totals, &a, &b, outcome);
	if (a.n < 1 || b.n < 1)
		return;
	df = a.n + b.n - 2;
	outcome_number(outcome, "estimate", a.mean - b.mean);
	add_t(totals, a.mean - b.mean, sqrt((a.ss + b.ss) / df * (1 / a.n + 1 / b.n)), df, 0, outcome);
}

/* sum(d^2) - sum(d)^2 / n, for d = x - y */
static double
squares_of_differences(const LinearTotals *totals)
{
	ExactFrame *frame = exact_begin();
	Exact		n = linear_exact(totals, frame, "1");
	Exact		d = exact_subtract(frame, linear_exact(totals, frame, "x"), linear_exact(totals, frame, "y"));
	Exact		squares = exact_add(frame, linear_exact(totals, frame, "xx"), linear_exact(totals, frame, "yy"));
	double		result;

	squares = exact_subtract(frame, squares, exact_scale(frame, 2, linear_exact(totals, frame, "xy")));
	result = exact_divide(frame, exact_subtract(frame, exact_multiply(frame, n, squares), exact_power(frame, d, 2)), n);
	exact_end(frame);
	return result;
}

static double
mean_of_differences(const LinearTotals *totals)
{
	ExactFrame *frame = exact_begin();
	Exact		d = exact_subtract(frame, linear_exact(totals, frame, "x"), linear_exact(totals, frame, "y"));
	double		result = exact_divide(frame, d, linear_exact(totals, frame, "1"));

	exact_end(frame);
	return result;
}

static double
add_pairs(const LinearTotals *totals, Outcome *outcome)
{
	double		n = linear_count(totals, "1");

	outcome_count(outcome, "n", n);
	outcome_count(outcome, "n_missing", linear_count(totals, "*") - n);
	return n;
}

void
student_paired(const LinearTotals *totals, Outcome *outcome)
{
	double		n = add_pairs(totals, outcome);
	double		mean;

	outcome_text(outcome, "method", "Paired t-test");
	if (n < 1)
		return;
	mean = mean_of_differences(totals);
	outcome_number(outcome, "estimate", mean);
	if (n > 1)
		add_t(totals, mean, sqrt(squares_of_differences(totals) / (n - 1) / n), n - 1, 0, outcome);
}

/* ---- variances ---- */

static double
f_p(double f, double df1, double df2, Alternative alternative)
{
	double		below = f_probability(f, df1, df2, TAIL_LOWER);
	double		above = f_probability(f, df1, df2, TAIL_UPPER);

	if (alternative == ALTERNATIVE_TWO_SIDED)
		return 2 * Min(below, above);
	return alternative == ALTERNATIVE_LESS ? below : above;
}

void
student_variances(const LinearTotals *totals, Outcome *outcome)
{
	Alternative alternative = alternative_of(totals);
	double		outside = 1 - linear_option(totals, 'c');
	Sample		a,
				b;
	double		f;

	outcome_text(outcome, "method", "F test to compare two variances");
	add_groups(totals, &a, &b, outcome);
	if (a.n < 2 || b.n < 2 || !(b.ss > 0))
		return;
	f = a.ss / (a.n - 1) / (b.ss / (b.n - 1));
	if (alternative == ALTERNATIVE_TWO_SIDED)
		outside /= 2;
	outcome_number(outcome, "estimate", f);
	outcome_number(outcome, "statistic", f);
	outcome_number(outcome, "df", a.n - 1);
	outcome_number(outcome, "df2", b.n - 1);
	outcome_number(outcome, "p_value", f_p(f, a.n - 1, b.n - 1, alternative));
	outcome_number(outcome, "conf_low", alternative == ALTERNATIVE_LESS ? 0 :
				   f / f_quantile(outside, a.n - 1, b.n - 1, TAIL_UPPER));
	outcome_number(outcome, "conf_high", alternative == ALTERNATIVE_GREATER ? INFINITY :
				   f / f_quantile(outside, a.n - 1, b.n - 1, TAIL_LOWER));
}

/* ---- correlation ---- */

static void
add_limits_of_r(const LinearTotals *totals, double r, double n, Outcome *outcome)
{
	Alternative alternative = alternative_of(totals);
	double		outside = 1 - linear_option(totals, 'c');
	double		half = normal_quantile(alternative == ALTERNATIVE_TWO_SIDED ? outside / 2 : outside, TAIL_UPPER) /
		sqrt(n - 3);

	outcome_number(outcome, "conf_low", alternative == ALTERNATIVE_LESS ? -1 : tanh(atanh(r) - half));
	outcome_number(outcome, "conf_high", alternative == ALTERNATIVE_GREATER ? 1 : tanh(atanh(r) + half));
}

void
student_correlation(const LinearTotals *totals, Outcome *outcome)
{
	double		n = add_pairs(totals, outcome);
	double		sxx = centred_of_terms(totals, "1", "xx", "x", "x");
	double		syy = centred_of_terms(totals, "1", "yy", "y", "y");
	double		r,
				t;

	outcome_text(outcome, "method", "Pearson's product-moment correlation");
	if (n < 2 || !(sxx > 0) || !(syy > 0))
		return;
	r = centred_of_terms(totals, "1", "xy", "x", "y") / sqrt(sxx) / sqrt(syy);
	r = Max(-1, Min(1, r));
	outcome_number(outcome, "estimate", r);
	if (n < 3)
		return;
	t = sqrt(n - 2) * r / sqrt(1 - r * r);
	outcome_number(outcome, "statistic", t);
	outcome_number(outcome, "df", n - 2);
	outcome_number(outcome, "p_value", student_p(t, n - 2, alternative_of(totals)));
	if (n > 3)
		add_limits_of_r(totals, r, n, outcome);
}
