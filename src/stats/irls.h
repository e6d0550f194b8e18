/*
 * irls.h
 *	  Iteratively reweighted least squares: what glm.c and negative_binomial.c share.
 */
#ifndef SECMED_IRLS_H
#define SECMED_IRLS_H

#include "stats/glm.h"

/* A fit in progress, in centred and scaled columns. */
typedef struct Irls
{
	const GlmModel *model;
	int			p;				/* of the model */
	int			free;			/* so many coefficients, the first ones, are fitted; others are 0 */
	GlmPoint	point;			/* with the coefficients so far in beta */
	double	   *beta;
	double	   *penalty;		/* of each column, added to the diagonal */
	double	   *sums;			/* of the last pass */
	uint32		marks;
	double	   *information;	/* free x free cross products of the last iteration's weights */
	double	   *step;			/* the last one */
	double		theta;			/* of negative binomial, at which the last run was */
	double		saturated;		/* constants of the outcome */
	double		sum_weight;
	double		sum_outcome;
	double		best_loglik;
	double		sum_log_weight;
	double		deviance;
	int			iterations;
	GlmProblem	problem;
	int			column;
} Irls;

extern void irls_init(Irls *irls, const GlmModel *model, const GlmMoments *moments);

/* From the family's starting means, or from the coefficients so far; problem says how it went. */
extern void irls_run(Irls *irls, bool warm);

/* A pass at the coefficients so far. */
extern void irls_ask(Irls *irls, GlmPass pass);

/* Cross products of the last pass as a free x free matrix. */
extern void irls_products(const Irls *irls, double *matrix);

/* MASS::glm.nb: theta, the fit at it, and the log-likelihood of both. */
typedef struct ThetaFit
{
	double		theta;
	double		error;
	double		loglik;
} ThetaFit;

extern void negative_binomial_run(Irls *irls, ThetaFit *theta);

#endif							/* SECMED_IRLS_H */
