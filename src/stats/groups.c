/*
 * groups.c
 *	  Comparing several groups: means and variances.
 */
#include "base/base.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/groups.h"

static double
total_of(const Sample *groups, int k)
{
	double		n = 0;

	for (int i = 0; i < k; i++)
		n += groups[i].n;
	return n;
}

static bool
all_have(const Sample *groups, int k, double rows, bool spread)
{
	for (int i = 0; i < k; i++)
		if (groups[i].n < rows || (spread && !(groups[i].ss > 0)))
			return false;
	return k > 1;
}

static double
variance_of(const Sample *group)
{
	return group->ss / (group->n - 1);
}

static void
add_f(Outcome *outcome, double f, double df, double df2)
{
	outcome_number(outcome, "statistic", f);
	outcome_number(outcome, "df", df);
	outcome_number(outcome, "df2", df2);
	outcome_number(outcome, "p_value", f_probability(f, df, df2, TAIL_UPPER));
}

void
groups_anova(const Sample *groups, int k, Outcome *outcome)
{
	double		n = total_of(groups, k);
	double		mean = 0;
	double		between = 0;
	double		within = 0;

	outcome_text(outcome, "method", "One-way analysis of means");
	for (int i = 0; i < k; i++)
		mean += groups[i].n / n * groups[i].mean;
	for (int i = 0; i < k; i++)
	{
		between += groups[i].n * (groups[i].mean - mean) * (groups[i].mean - mean);
		within += groups[i].ss;
	}
	if (all_have(groups, k, 1, false) && n > k && within > 0)
		add_f(outcome, between / (k - 1) / (within / (n - k)), k - 1, n - k);
}

/* w = n / s^2; R's letters */
void
groups_welch(const Sample *groups, int k, Outcome *outcome)
{
	double		w = 0;
	double		m = 0;
	double		tmp = 0;
	double		between = 0;

	outcome_text(outcome, "method", "One-way analysis of means (not assuming equal variances)");
	if (!all_have(groups, k, 2, true))
		return;
	for (int i = 0; i < k; i++)
		w += groups[i].n / variance_of(&groups[i]);
	for (int i = 0; i < k; i++)
	{
		double		share = groups[i].n / variance_of(&groups[i]) / w;

		m += share * groups[i].mean;
		tmp += (1 - share) * (1 - share) / (groups[i].n - 1);
	}
	tmp /= (double) k * k - 1;
	for (int i = 0; i < k; i++)
		between += groups[i].n / variance_of(&groups[i]) * (groups[i].mean - m) * (groups[i].mean - m);
	add_f(outcome, between / ((k - 1) * (1 + 2 * (k - 2) * tmp)), k - 1, 1 / (3 * tmp));
}

void
groups_bartlett(const Sample *groups, int k, Outcome *outcome)
{
	double		df = total_of(groups, k) - k;
	double		pooled = 0;
	double		logs = 0;
	double		inverse = 0;
	double		statistic;

	outcome_text(outcome, "method", "Bartlett test of homogeneity of variances");
	if (!all_have(groups, k, 2, true))
		return;
	for (int i = 0; i < k; i++)
	{
		pooled += groups[i].ss / df;
		logs += (groups[i].n - 1) * log(variance_of(&groups[i]));
		inverse += 1 / (groups[i].n - 1);
	}
	statistic = (df * log(pooled) - logs) / (1 + (inverse - 1 / df) / (3 * (k - 1)));
	outcome_number(outcome, "statistic", statistic);
	outcome_number(outcome, "df", k - 1);
	outcome_number(outcome, "p_value", chi_squared_probability(statistic, k - 1, TAIL_UPPER));
}
