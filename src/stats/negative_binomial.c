/*
 * negative_binomial.c
 *	  Negative binomial regression: MASS::glm.nb over sums of rows.
 *
 * Fits of the coefficients at a theta alternate with maximum likelihood
 * estimates of theta at the means of the fit before (Venables and Ripley, "Modern
 * Applied Statistics with S", 4th ed. 2002, section 7.4), in MASS' own order,
 * which estimates theta at the coefficients of one fit earlier.
 */
#include "stats/irls.h"

#include <float.h>
#include <math.h>

/* MASS::theta.ml */
static bool
estimate_theta(Irls *irls, ThetaFit *fit)
{
	double		enough = pow(DBL_EPSILON, 0.25);
	double		change = 1;
	double		theta;

	irls->point.family = FAMILY_NEGATIVE_BINOMIAL;
	irls->point.theta = 1;
	irls_ask(irls, PASS_THETA);
	theta = irls->sums[SUM_WEIGHT] / irls->sums[SUM_THETA_START];
	for (int i = 1; i < irls->model->iterations_max && fabs(change) > enough; i++)
	{
		irls->point.theta = fabs(theta);
		irls_ask(irls, PASS_THETA);
		if (irls->marks & MARK_OVERFLOW)
			return false;
		change = irls->sums[SUM_THETA_SCORE] / irls->sums[SUM_THETA_INFORMATION];
		theta = irls->point.theta + change;
		fit->error = sqrt(1 / irls->sums[SUM_THETA_INFORMATION]);
	}
	fit->theta = theta;
	return fabs(change) <= enough && theta > 0 && isfinite(theta) && isfinite(fit->error);
}

static double
loglik_at(Irls *irls, double theta)
{
	irls->point.family = FAMILY_NEGATIVE_BINOMIAL;
	irls->point.theta = theta;
	irls_ask(irls, PASS_THETA);
	return irls->sums[SUM_THETA_LOGLIK];
}

static void
stop(Irls *irls, GlmProblem problem)
{
	irls->problem = problem;
	irls->column = -1;
}

/* A fit at theta from the coefficients so far, and what it leaves in the sums. */
static bool
fit_at(Irls *irls, double theta)
{
	irls->point.theta = theta;
	irls_run(irls, true);
	return irls->problem == GLM_FITS;
}

void
negative_binomial_run(Irls *irls, ThetaFit *fit)
{
	const GlmModel *model = irls->model;
	double		per_loglik;
	double		change = 1;
	double		loglik_before;
	double		df = 0;
	double	   *sums = palloc(sizeof(double) * glm_sums_count(irls->p));
	int			iterations;

	irls->point.family = FAMILY_POISSON;
	irls_run(irls, false);
	if (irls->problem != GLM_FITS)
		return;
	df = irls->sums[SUM_ROWS] - irls->free;
	if (!estimate_theta(irls, fit))
	{
		stop(irls, GLM_THETA_LOST);
		return;
	}
	per_loglik = sqrt(2 * Max(1, df));
	fit->loglik = loglik_at(irls, fit->theta);
	loglik_before = fit->loglik + 2 * per_loglik;
	for (iterations = 1; fabs(loglik_before - fit->loglik) / per_loglik + fabs(change) > model->epsilon; iterations++)
	{
		ThetaFit	next = *fit;

		if (iterations > model->iterations_max)
		{
			stop(irls, GLM_NOT_CONVERGED);
			return;
		}
		/* Theta of the means before this fit; the first time that is known. */
		if (iterations > 1 && !estimate_theta(irls, &next))
		{
			stop(irls, GLM_THETA_LOST);
			return;
		}
		if (!fit_at(irls, fit->theta))
			return;
		memcpy(sums, irls->sums, sizeof(double) * glm_sums_count(irls->p));
		change = fit->theta - next.theta;
		loglik_before = fit->loglik;
		*fit = next;
		fit->loglik = loglik_at(irls, fit->theta);
		memcpy(irls->sums, sums, sizeof(double) * glm_sums_count(irls->p));
	}
	irls->point.theta = irls->theta;
	pfree(sums);
}
