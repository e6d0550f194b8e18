/*
 * two_by_two.c
 *	  Tables of two yes-or-no questions.
 */
#include "base/base.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/fisher.h"
#include "stats/moments.h"
#include "stats/two_by_two.h"

/* Rows are those of e and E, columns of d and D. */
typedef struct Cells
{
	double		a,
				b,
				c,
				d;
	double		n;
} Cells;

static Cells
take_cells(const LinearTotals *totals, Outcome *outcome)
{
	Cells		cells = {linear_count(totals, "ed"), linear_count(totals, "eD"),
	linear_count(totals, "Ed"), linear_count(totals, "ED")};

	cells.n = cells.a + cells.b + cells.c + cells.d;
	outcome_count(outcome, "n", cells.n);
	outcome_count(outcome, "n_missing", linear_count(totals, "*") - cells.n);
	outcome_count(outcome, "n11", cells.a);
	outcome_count(outcome, "n10", cells.b);
	outcome_count(outcome, "n01", cells.c);
	outcome_count(outcome, "n00", cells.d);
	return cells;
}

static double
z_of_level(const LinearTotals *totals)
{
	return normal_quantile((1 - linear_option(totals, 'c')) / 2, TAIL_UPPER);
}

/* ---- ratios and differences ---- */

/* estimate, and limits on its logarithm, if the error is finite; a test that it is 1. */
static void
add_ratio(const LinearTotals *totals, double estimate, double error, Outcome *outcome)
{
	double		half = error * z_of_level(totals);
	double		z = log(estimate) / error;

	if (isnan(estimate))
		return;
	outcome_number(outcome, "estimate", estimate);
	if (!isfinite(error))
		return;
	outcome_number(outcome, "standard_error", error);
	outcome_number(outcome, "conf_low", exp(log(estimate) - half));
	outcome_number(outcome, "conf_high", exp(log(estimate) + half));
	outcome_number(outcome, "statistic", z);
	outcome_number(outcome, "p_value", 2 * normal_probability(fabs(z), TAIL_UPPER));
}

void
two_by_two_odds_ratio(const LinearTotals *totals, Outcome *outcome)
{
	Cells		cells = take_cells(totals, outcome);

	add_ratio(totals, cells.a * cells.d / (cells.b * cells.c),
			  sqrt(1 / cells.a + 1 / cells.b + 1 / cells.c + 1 / cells.d), outcome);
}

void
two_by_two_risk_ratio(const LinearTotals *totals, Outcome *outcome)
{
	Cells		cells = take_cells(totals, outcome);
	double		n1 = cells.a + cells.b;
	double		n0 = cells.c + cells.d;

	add_ratio(totals, cells.a / n1 / (cells.c / n0),
			  sqrt(1 / cells.a - 1 / n1 + 1 / cells.c - 1 / n0), outcome);
}

void
two_by_two_risk_difference(const LinearTotals *totals, Outcome *outcome)
{
	Cells		cells = take_cells(totals, outcome);
	double		n1 = cells.a + cells.b;
	double		n0 = cells.c + cells.d;
	double		p1 = cells.a / n1;
	double		p0 = cells.c / n0;
	double		error = sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0);

	if (n1 == 0 || n0 == 0)
		return;
	outcome_number(outcome, "risk1", p1);
	outcome_number(outcome, "risk0", p0);
	outcome_number(outcome, "estimate", p1 - p0);
	outcome_number(outcome, "standard_error", error);
	outcome_number(outcome, "conf_low", Max(-1, p1 - p0 - error * z_of_level(totals)));
	outcome_number(outcome, "conf_high", Min(1, p1 - p0 + error * z_of_level(totals)));
}

/* ---- tests ---- */

static void
add_chi_squared(double statistic, double df, Outcome *outcome)
{
	outcome_number(outcome, "statistic", statistic);
	outcome_number(outcome, "df", df);
	outcome_number(outcome, "p_value", chi_squared_probability(statistic, df, TAIL_UPPER));
}

/* All four cells are equally far from what the margins let expect: |ad - bc| / n. */
void
two_by_two_chi_squared(const LinearTotals *totals, Outcome *outcome)
{
	Cells		cells = take_cells(totals, outcome);
	double		n = cells.n;
	double		margins = (cells.a + cells.b) * (cells.c + cells.d) / n * ((cells.a + cells.c) * (cells.b + cells.d) / n);
	double		distance = fabs(cells.a * cells.d - cells.b * cells.c) / n;
	double		correction = linear_option(totals, 'k') ? Min(0.5, distance) : 0;

	outcome_text(outcome, "method", correction > 0 ?
				 "Pearson's Chi-squared test with Yates' continuity correction" : "Pearson's Chi-squared test");
	/* sum of (distance - correction)^2 / E over the cells; the sum of 1 / E is n^3 / the margins' product */
	if (margins > 0)
		add_chi_squared((distance - correction) * (distance - correction) * n / margins, 1, outcome);
}

void
two_by_two_fisher(const LinearTotals *totals, Outcome *outcome)
{
	Cells		cells = take_cells(totals, outcome);
	FisherResult result;

	outcome_text(outcome, "method", "Fisher's Exact Test for Count Data");
	if (cells.a + cells.b == 0 || cells.c + cells.d == 0 || cells.a + cells.c == 0 || cells.b + cells.d == 0)
		return;
	result = fisher_two_by_two(cells.a, cells.b, cells.c, cells.d, linear_option(totals, 'c'),
							   (Alternative) linear_option(totals, 'a'));
	outcome_number(outcome, "estimate", result.odds_ratio);
	outcome_number(outcome, "conf_low", result.conf_low);
	outcome_number(outcome, "conf_high", result.conf_high);
	outcome_number(outcome, "p_value", result.p_value);
}

void
two_by_two_mcnemar(const LinearTotals *totals, Outcome *outcome)
{
	Cells		cells = take_cells(totals, outcome);
	double		difference = fabs(cells.b - cells.c);
	bool		correct = linear_option(totals, 'k') && difference > 0;

	outcome_text(outcome, "method", correct ? "McNemar's Chi-squared test with continuity correction" :
				 "McNemar's Chi-squared test");
	difference -= correct;
	if (cells.b + cells.c > 0)
		add_chi_squared(difference * difference / (cells.b + cells.c), 1, outcome);
}

/* ---- trend ---- */

/* T = sum over e of (x - mean x); T^2 / (p (1 - p) sum((x - mean x)^2)) */
static double
trend_statistic(const LinearTotals *totals)
{
	ExactFrame *frame = exact_begin();
	Exact		ones = linear_exact(totals, frame, "e");
	Exact		n = exact_add(frame, ones, linear_exact(totals, frame, "E"));
	Exact		xe = linear_exact(totals, frame, "xe");
	Exact		x = exact_add(frame, xe, linear_exact(totals, frame, "xE"));
	Exact		xx = exact_add(frame, linear_exact(totals, frame, "xxe"), linear_exact(totals, frame, "xxE"));
	Exact		t = exact_subtract(frame, exact_multiply(frame, n, xe), exact_multiply(frame, ones, x));
	Exact		sxx = exact_subtract(frame, exact_multiply(frame, n, xx), exact_power(frame, x, 2));
	Exact		pq = exact_multiply(frame, ones, linear_exact(totals, frame, "E"));
	Exact		divisor = exact_multiply(frame, pq, sxx);
	double		result = exact_is_zero(divisor) ? NAN :
		exact_divide(frame, exact_multiply(frame, n, exact_power(frame, t, 2)), divisor);

	exact_end(frame);
	return result;
}

void
two_by_two_trend(const LinearTotals *totals, Outcome *outcome)
{
	double		n = linear_count(totals, "e") + linear_count(totals, "E");
	double		statistic = trend_statistic(totals);

	outcome_text(outcome, "method", "Chi-squared Test for Trend in Proportions");
	outcome_count(outcome, "n", n);
	outcome_count(outcome, "n_missing", linear_count(totals, "*") - n);
	if (!isnan(statistic))
		add_chi_squared(statistic, 1, outcome);
}
