/*
 * family.c
 *	  Families of generalised linear models.
 *
 * Bounds at the ends (eta beyond 30, means below the machine's epsilon) are R's,
 * so that iterations are the same also where a fit runs to the edge.
 */
#include "stats/family.h"

#include <float.h>
#include <math.h>

#include "stats/distribution.h"

/* Beyond it a probability is as good as 0 or 1. */
#define LOGIT_MAX	30

static const char *const names[] = {NULL, "gaussian", "binomial", "poisson", "negative_binomial"};

const char *
family_name(GlmFamily family)
{
	return names[family];
}

GlmFamily
family_of_name(const char *name)
{
	for (int i = 1; i <= FAMILY_MAX; i++)
		if (strcmp(name, names[i]) == 0)
			return (GlmFamily) i;
	return (GlmFamily) 0;
}

bool
family_accepts(GlmFamily family, double y)
{
	if (family == FAMILY_BINOMIAL)
		return y >= 0 && y <= 1;
	return family == FAMILY_GAUSSIAN || y >= 0;
}

double
family_start(GlmFamily family, double y, double weight)
{
	switch (family)
	{
		case FAMILY_BINOMIAL:
			return (weight * y + 0.5) / (weight + 1);
		case FAMILY_POISSON:
			return y + 0.1;
		case FAMILY_NEGATIVE_BINOMIAL:
			return y == 0 ? 1.0 / 6 : y;
		case FAMILY_GAUSSIAN:
			break;
	}
	return y;
}

double
family_link(GlmFamily family, double mu)
{
	if (family == FAMILY_GAUSSIAN)
		return mu;
	return family == FAMILY_BINOMIAL ? log(mu / (1 - mu)) : log(mu);
}

double
family_mean(GlmFamily family, double eta)
{
	double		odds;

	if (family == FAMILY_GAUSSIAN)
		return eta;
	if (family != FAMILY_BINOMIAL)
		return fmax(exp(eta), DBL_EPSILON);
	odds = eta < -LOGIT_MAX ? DBL_EPSILON : eta > LOGIT_MAX ? 1 / DBL_EPSILON : exp(eta);
	return odds / (1 + odds);
}

double
family_slope(GlmFamily family, double eta)
{
	double		odds;

	if (family == FAMILY_GAUSSIAN)
		return 1;
	if (family != FAMILY_BINOMIAL)
		return fmax(exp(eta), DBL_EPSILON);
	if (fabs(eta) > LOGIT_MAX)
		return DBL_EPSILON;
	odds = exp(eta);
	return odds / ((1 + odds) * (1 + odds));
}

double
family_variance(GlmFamily family, double mu, double theta)
{
	switch (family)
	{
		case FAMILY_BINOMIAL:
			return mu * (1 - mu);
		case FAMILY_POISSON:
			return mu;
		case FAMILY_NEGATIVE_BINOMIAL:
			return mu + mu * mu / theta;
		case FAMILY_GAUSSIAN:
			break;
	}
	return 1;
}

/* y log(y / mu), 0 for y = 0 */
static double
y_log_y(double y, double mu)
{
	return y == 0 ? 0 : y * log(y / mu);
}

double
family_deviance(GlmFamily family, double y, double mu, double weight, double theta)
{
	switch (family)
	{
		case FAMILY_BINOMIAL:
			return 2 * weight * (y_log_y(y, mu) + y_log_y(1 - y, 1 - mu));
		case FAMILY_POISSON:
			return 2 * weight * (y_log_y(y, mu) - (y - mu));
		case FAMILY_NEGATIVE_BINOMIAL:
			return 2 * weight * (y * log(fmax(1, y) / mu) - (y + theta) * log((y + theta) / (mu + theta)));
		case FAMILY_GAUSSIAN:
			break;
	}
	return weight * (y - mu) * (y - mu);
}

double
family_saturated(GlmFamily family, double y, double weight, double theta)
{
	switch (family)
	{
		case FAMILY_BINOMIAL:
			return weight * (y_log_y(y, 1) + y_log_y(1 - y, 1));
		case FAMILY_POISSON:
			return weight * y_log_y(y, 1);
		case FAMILY_NEGATIVE_BINOMIAL:
			return weight * (y * log(fmax(1, y)) - (y + theta) * log(y + theta));
		case FAMILY_GAUSSIAN:
			break;
	}
	return weight * y * y;
}

double
family_null_deviance(GlmFamily family, double saturated, double sum_w, double sum_wy, double theta)
{
	double		mu = sum_wy / sum_w;

	switch (family)
	{
		case FAMILY_BINOMIAL:
			return 2 * (saturated - y_log_y(sum_wy, sum_w) - y_log_y(sum_w - sum_wy, sum_w));
		case FAMILY_POISSON:
			return 2 * (saturated - sum_wy * log(mu));
		case FAMILY_NEGATIVE_BINOMIAL:
			return 2 * (saturated - sum_wy * log(mu) + (sum_wy + theta * sum_w) * log(mu + theta));
		case FAMILY_GAUSSIAN:
			break;
	}
	return saturated - sum_wy * mu;
}

/* Trials are the weight (R's binomial()$aic). */
static double
best_binomial(double y, double weight)
{
	double		trials = rint(weight);
	double		successes = rint(trials * y);

	if (trials <= 0)
		return 0;
	return weight / trials * (log_choose(trials, successes) + y_log_y(successes, trials) +
							  y_log_y(trials - successes, trials));
}

double
family_best_loglik(GlmFamily family, double y, double weight)
{
	switch (family)
	{
		case FAMILY_BINOMIAL:
			return best_binomial(y, weight);
		case FAMILY_POISSON:
			return weight * (y_log_y(y, 1) - y - log_gamma(y + 1));
		case FAMILY_GAUSSIAN:
		case FAMILY_NEGATIVE_BINOMIAL:
			break;
	}
	return 0;
}
