/*
 * meta.c
 *	  Meta-analysis: one estimate of those of several studies.
 */
#include "base/base.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/meta.h"

/* Steps of Fisher's scoring; ten are many. */
#define STEPS_MAX	1000

/* With weights w = 1 / (v + tau2): sums of w, w^2, w^3, the mean, and sums of w (y - mean)^2 and w^2 (y - mean)^2. */
typedef struct Weighted
{
	double		w,
				ww,
				www,
				mean,
				squares,
				squares_w;
} Weighted;

static Weighted
weigh(const Study *studies, int n, double tau2)
{
	Weighted	sums = {0};

	for (int i = 0; i < n; i++)
	{
		double		w = 1 / (studies[i].error * studies[i].error + tau2);

		sums.w += w;
		sums.ww += w * w;
		sums.www += w * w * w;
	}
	for (int i = 0; i < n; i++)
		sums.mean += studies[i].estimate / (studies[i].error * studies[i].error + tau2) / sums.w;
	for (int i = 0; i < n; i++)
	{
		double		w = 1 / (studies[i].error * studies[i].error + tau2);
		double		distance = studies[i].estimate - sums.mean;

		sums.squares += w * distance * distance;
		sums.squares_w += w * w * distance * distance;
	}
	return sums;
}

static double
tau2_of_moments(const Weighted *fixed, int n)
{
	return n < 2 ? 0 : Max(0, (fixed->squares - (n - 1)) / (fixed->w - fixed->ww / fixed->w));
}

/* Fisher's scoring: the score is y'PPy - tr(P), the information tr(PP), both twice. */
static double
tau2_of_likelihood(const Study *studies, int n, double start)
{
	double		tau2 = start;

	for (int i = 0; n > 1 && i < STEPS_MAX; i++)
	{
		Weighted	sums = weigh(studies, n, tau2);
		double		trace = sums.w - sums.ww / sums.w;
		double		information = sums.ww - 2 * sums.www / sums.w + sums.ww / sums.w * (sums.ww / sums.w);
		double		next = Max(0, tau2 + (sums.squares_w - trace) / information);

		if (fabs(next - tau2) <= 1e-13 * Max(next, 1 / sums.w))
			return next;
		tau2 = next;
	}
	if (n < 2)
		return 0;
	fail(ERRCODE_DATA_EXCEPTION, "restricted maximum likelihood finds no variance between the studies");
}

/* names: the estimate, its error, limits, and p. */
static void
add_estimate(const Weighted *sums, double tail, const char *const names[5], Outcome *outcome)
{
	double		error = 1 / sqrt(sums->w);
	double		half = error * normal_quantile(tail, TAIL_UPPER);

	outcome_number(outcome, names[0], sums->mean);
	outcome_number(outcome, names[1], error);
	outcome_number(outcome, names[2], sums->mean - half);
	outcome_number(outcome, names[3], sums->mean + half);
	outcome_number(outcome, names[4], 2 * normal_probability(fabs(sums->mean / error), TAIL_UPPER));
}

static void
add_heterogeneity(const Weighted *fixed, int n, double tau2, Outcome *outcome)
{
	double		q = fixed->squares;

	outcome_number(outcome, "tau2", tau2);
	outcome_number(outcome, "q", q);
	outcome_number(outcome, "q_df", n - 1);
	if (n < 2)
		return;
	outcome_number(outcome, "q_p_value", chi_squared_probability(q, n - 1, TAIL_UPPER));
	outcome_number(outcome, "i2", q > 0 ? Max(0, (q - (n - 1)) / q) : 0);
}

static void
add_prediction(const Weighted *sums, int n, double tau2, double tail, Outcome *outcome)
{
	double		half;

	if (n < 3)
		return;
	half = student_quantile(tail, n - 2, TAIL_UPPER) * sqrt(tau2 + 1 / sums->w);
	outcome_number(outcome, "prediction_low", sums->mean - half);
	outcome_number(outcome, "prediction_high", sums->mean + half);
}

void
meta_analyse(const Study *studies, int n, MetaMethod method, double level, Outcome *outcome)
{
	static const char *const fixed_names[] = {"fixed_estimate", "fixed_error", "fixed_low", "fixed_high", "fixed_p_value"};
	static const char *const names[] = {"estimate", "standard_error", "conf_low", "conf_high", "p_value"};
	double		tail = (1 - level) / 2;
	double		tau2;
	Weighted	fixed,
				random;

	outcome_count(outcome, "studies", n);
	outcome_text(outcome, "method", method == META_REML ? "REML" : "DL");
	if (n == 0)
		return;
	fixed = weigh(studies, n, 0);
	tau2 = tau2_of_moments(&fixed, n);
	if (method == META_REML)
		tau2 = tau2_of_likelihood(studies, n, tau2);
	random = weigh(studies, n, tau2);
	add_estimate(&fixed, tail, fixed_names, outcome);
	add_estimate(&random, tail, names, outcome);
	add_heterogeneity(&fixed, n, tau2, outcome);
	add_prediction(&random, n, tau2, tail, outcome);
}
