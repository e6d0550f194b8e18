/*
 * survival.c
 *	  Times until an event, right-censored.
 */
#include "stats/survival.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/solve.h"

/* As R: what is so near to 1/2 is 1/2. */
#define HALF_TOLERANCE	1.4901161193847656e-08

/* ---- the curve ---- */

static void
take_count(SurvivalPoint *point, const EventCount *count)
{
	double		left = point->at_risk - count->events;

	point->time = count->time;
	point->events = count->events;
	point->censored = count->censored;
	if (count->events == 0)
		return;
	point->survival *= left / point->at_risk;
	point->log_variance += count->events / (point->at_risk * left);
	point->hazard += count->events / point->at_risk;
	point->hazard_variance += count->events / (point->at_risk * point->at_risk);
}

void
survival_curve(SurvivalPoint *points, const EventCount *counts, int n)
{
	SurvivalPoint now = {.survival = 1};

	for (int i = 0; i < n; i++)
		now.at_risk += counts[i].events + counts[i].censored;
	for (int i = 0; i < n; i++)
	{
		take_count(&now, &counts[i]);
		points[i] = now;
		now.at_risk -= counts[i].events + counts[i].censored;
	}
}

void
survival_at(SurvivalPoint *asked, int nasked, const SurvivalPoint *points, int n)
{
	SurvivalPoint last = {.survival = 1};
	int			at = 0;

	for (int i = 0; i < nasked; i++)
	{
		double		time = asked[i].time;
		double		events = 0;
		double		censored = 0;

		for (; at < n && points[at].time <= time; at++)
		{
			last = points[at];
			events += last.events;
			censored += last.censored;
		}
		asked[i] = last;
		asked[i].time = time;
		asked[i].events = events;
		asked[i].censored = censored;
		if (at == 0 || last.time < time)
			asked[i].at_risk = at < n ? points[at].at_risk : 0;
	}
}

/* ---- limits ---- */

SurvivalLimits
survival_limits_of_name(const char *name)
{
	static const char *const names[] = {"plain", "log", "log-log"};

	for (int i = 0; i < lengthof(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (SurvivalLimits) (i + 1);
	return 0;
}

double
survival_error(const SurvivalPoint *point)
{
	return point->survival > 0 ? point->survival * sqrt(point->log_variance) : (double) NAN;
}

void
survival_limits(const SurvivalPoint *point, SurvivalLimits kind, double z, double *lower, double *upper)
{
	double		width = z * sqrt(point->log_variance);
	double		survival = point->survival;

	*lower = *upper = (double) NAN;
	if (survival == 0 || (survival == 1 && kind == LIMITS_LOG_LOG))
		return;
	switch (kind)
	{
		case LIMITS_PLAIN:
			*lower = Max(survival - width * survival, 0);
			*upper = Min(survival + width * survival, 1);
			break;
		case LIMITS_LOG:
			*lower = exp(log(survival) - width);
			*upper = Min(exp(log(survival) + width), 1);
			break;
		case LIMITS_LOG_LOG:
			width /= log(survival);
			*lower = exp(-exp(log(-log(survival)) - width));
			*upper = exp(-exp(log(-log(survival)) + width));
			break;
	}
}

/* ---- what is read off the curve ---- */

/* Where values (NaN: not there) first are at most 1/2. */
static double
half_time(const SurvivalPoint *points, const double *values, int n)
{
	int			first = 0;

	while (first < n && !(values[first] < 0.5 + HALF_TOLERANCE))
		first++;
	if (first == n)
		return (double) NAN;
	if (fabs(values[first] - 0.5) < HALF_TOLERANCE)
		for (int next = first + 1; next < n; next++)
			if (values[next] < values[first])
				return (points[first].time + points[next].time) / 2;
	return points[first].time;
}

SurvivalMedian
survival_median(const SurvivalPoint *points, int n, SurvivalLimits kind, double z)
{
	double	   *values = palloc(sizeof(double) * (3 * n + 1));
	double	   *lower = values + n;
	double	   *upper = values + 2 * n;
	SurvivalMedian median;

	for (int i = 0; i < n; i++)
	{
		values[i] = points[i].survival;
		survival_limits(&points[i], kind, z, &lower[i], &upper[i]);
	}
	median.median = half_time(points, values, n);
	median.lower = half_time(points, lower, n);
	median.upper = half_time(points, upper, n);
	pfree(values);
	return median;
}

/* From the last time backwards: the area behind each event weighs its part of Greenwood's sum. */
double
survival_mean(const SurvivalPoint *points, int n, double until, double *error)
{
	double		area = 0;
	double		variance = 0;
	double		end = until;

	for (int i = n - 1; i >= 0; i--)
	{
		double		left = points[i].at_risk - points[i].events;

		if (points[i].time > until)
			continue;
		area += points[i].survival * (end - points[i].time);
		end = points[i].time;
		if (left > 0)
			variance += area * area * points[i].events / (points[i].at_risk * left);
	}
	*error = sqrt(variance);
	return area + end;
}

/* ---- the log-rank test ---- */

void
logrank_init(LogRank *test, int arms)
{
	memset(test, 0, sizeof(*test));
	test->arms = arms;
	test->rows = palloc0(sizeof(double) * (arms + 1));
	test->observed = palloc0(sizeof(double) * (arms + 1));
	test->expected = palloc0(sizeof(double) * (arms + 1));
	test->covariance = palloc0(sizeof(double) * (arms * arms + 1));
}

void
logrank_add(LogRank *test, const double *at_risk, const double *events)
{
	double		all = 0;
	double		died = 0;
	double		factor;

	for (int a = 0; a < test->arms; a++)
	{
		all += at_risk[a];
		died += events[a];
		test->observed[a] += events[a];
	}
	if (died == 0)
		return;
	for (int a = 0; a < test->arms; a++)
		test->expected[a] += at_risk[a] * died / all;
	if (all == 1)
		return;
	factor = died * (all - died) / (all * all * (all - 1));
	for (int a = 0; a < test->arms; a++)
		for (int b = 0; b < test->arms; b++)
			test->covariance[a * test->arms + b] += factor * at_risk[a] * ((a == b ? all : 0) - at_risk[b]);
}

/* Arms at risk at some event, all but the first: the others' differences determine its. */
static int
free_arms(const LogRank *test, int *arms)
{
	int			n = 0;

	for (int a = 0; a < test->arms; a++)
		if (test->expected[a] > 0)
			arms[n++] = a;
	memmove(arms, arms + 1, sizeof(int) * Max(n - 1, 0));
	return n - 1;
}

void
logrank_finish(LogRank *test)
{
	int		   *arms = palloc(sizeof(int) * (test->arms + 1));
	int			n = free_arms(test, arms);
	double	   *matrix = palloc(sizeof(double) * (Max(n, 0) * Max(n, 0) + 1));
	double	   *solution = palloc(sizeof(double) * (Max(n, 0) + 1));

	test->df = Max(n, 0);
	test->statistic = test->p = (double) NAN;
	for (int i = 0; i < n; i++)
	{
		solution[i] = test->observed[arms[i]] - test->expected[arms[i]];
		for (int j = 0; j < n; j++)
			matrix[i * n + j] = test->covariance[arms[i] * test->arms + arms[j]];
	}
	if (n >= 1 && solve_factor(matrix, matrix, n, 1e-12) < 0)
	{
		solve_with(matrix, n, solution);
		test->statistic = 0;
		for (int i = 0; i < n; i++)
			test->statistic += solution[i] * (test->observed[arms[i]] - test->expected[arms[i]]);
		test->p = chi_squared_probability(test->statistic, n, TAIL_UPPER);
	}
	pfree(arms);
	pfree(matrix);
	pfree(solution);
}
