/*
 * diagnostic.c
 *	  How well a test tells the diseased from the others.
 */
#include "base/base.h"

#include <math.h>

#include "stats/diagnostic.h"
#include "stats/distribution.h"
#include "stats/moments.h"

/* ---- yes or no ---- */

static void
add_share(double x, double n, double level, const char *const names[3], Outcome *outcome)
{
	double		low,
				high;

	if (n == 0)
		return;
	proportion_exact_limits(x, n, level, &low, &high);
	outcome_number(outcome, names[0], x / n);
	outcome_number(outcome, names[1], low);
	outcome_number(outcome, names[2], high);
}

static void
add_finite(const char *name, double value, Outcome *outcome)
{
	if (isfinite(value))
		outcome_number(outcome, name, value);
}

void
diagnostic_test(const LinearTotals *totals, Outcome *outcome)
{
	static const char *const sensitivity[] = {"sensitivity", "sensitivity_low", "sensitivity_high"};
	static const char *const specificity[] = {"specificity", "specificity_low", "specificity_high"};
	static const char *const ppv[] = {"ppv", "ppv_low", "ppv_high"};
	static const char *const npv[] = {"npv", "npv_low", "npv_high"};
	double		tp = linear_count(totals, "pd");
	double		fp = linear_count(totals, "pD");
	double		fn = linear_count(totals, "Pd");
	double		tn = linear_count(totals, "PD");
	double		n = tp + fp + fn + tn;
	double		level = linear_option(totals, 'c');

	outcome_count(outcome, "n", n);
	outcome_count(outcome, "n_missing", linear_count(totals, "*") - n);
	outcome_count(outcome, "true_positive", tp);
	outcome_count(outcome, "false_positive", fp);
	outcome_count(outcome, "false_negative", fn);
	outcome_count(outcome, "true_negative", tn);
	add_share(tp, tp + fn, level, sensitivity, outcome);
	add_share(tn, tn + fp, level, specificity, outcome);
	add_share(tp, tp + fp, level, ppv, outcome);
	add_share(tn, tn + fn, level, npv, outcome);
	add_finite("prevalence", (tp + fn) / n, outcome);
	add_finite("accuracy", (tp + tn) / n, outcome);
	add_finite("lr_positive", tp / (tp + fn) / (fp / (fp + tn)), outcome);
	add_finite("lr_negative", fn / (tp + fn) / (tn / (fp + tn)), outcome);
}

/* ---- a score ---- */

/* The variances of the shares of pairs that one diseased, one of the others, wins: S10 and S01. */
typedef struct Placements
{
	double		area;
	double		diseased;
	double		others;
} Placements;

static Placements
placements_of(const ScoredRows *values, int n, double diseased, double others)
{
	Placements	out = {0};
	double		below = 0;
	double		above = diseased;

	for (int i = 0; i < n; i++)
	{
		out.area += values[i].diseased * (below + values[i].others / 2) / others / diseased;
		below += values[i].others;
	}
	below = 0;
	for (int i = 0; i < n; i++)
	{
		double		won = (below + values[i].others / 2) / others - out.area;
		double		lost;

		above -= values[i].diseased;
		lost = (above + values[i].diseased / 2) / diseased - out.area;
		out.diseased += values[i].diseased * won * won / (diseased - 1);
		out.others += values[i].others * lost * lost / (others - 1);
		below += values[i].others;
	}
	return out;
}

static double
hanley_error(double area, double diseased, double others)
{
	double		q1 = area / (2 - area);
	double		q2 = 2 * area * area / (1 + area);

	return sqrt((area * (1 - area) + (diseased - 1) * (q1 - area * area) + (others - 1) * (q2 - area * area)) /
				(diseased * others));
}

void
diagnostic_auc(const ScoredRows *values, int n, double level, Outcome *outcome)
{
	double		diseased = 0,
				others = 0,
				error;
	Placements	placements;

	for (int i = 0; i < n; i++)
	{
		diseased += values[i].diseased;
		others += values[i].others;
	}
	outcome_count(outcome, "diseased", diseased);
	outcome_count(outcome, "others", others);
	if (diseased == 0 || others == 0)
		return;
	placements = placements_of(values, n, diseased, others);
	outcome_number(outcome, "estimate", placements.area);
	outcome_number(outcome, "hanley_error", hanley_error(placements.area, diseased, others));
	if (diseased == 1 || others == 1)
		return;
	error = sqrt(placements.diseased / diseased + placements.others / others);
	outcome_number(outcome, "standard_error", error);
	error *= normal_quantile((1 - level) / 2, TAIL_UPPER);
	outcome_number(outcome, "conf_low", Max(0, placements.area - error));
	outcome_number(outcome, "conf_high", Min(1, placements.area + error));
}
