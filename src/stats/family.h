/*
 * family.h
 *	  Families of generalised linear models with their usual links, as R's
 *	  family objects compute them (R 4.2, stats::family; MASS::negative.binomial).
 *
 * McCullagh and Nelder, "Generalized Linear Models", 2nd ed. 1989, chapter 2;
 * negative binomial: Venables and Ripley, "Modern Applied Statistics with S",
 * 4th ed. 2002, section 7.4.
 */
#ifndef SECMED_FAMILY_H
#define SECMED_FAMILY_H

#include "base/base.h"

/* The numbers are in the SQL that sites run. */
typedef enum GlmFamily
{
	FAMILY_GAUSSIAN = 1,		/* identity link */
	FAMILY_BINOMIAL = 2,		/* logit */
	FAMILY_POISSON = 3,			/* log */
	FAMILY_NEGATIVE_BINOMIAL = 4	/* log; variance mu + mu^2 / theta */
} GlmFamily;

#define FAMILY_MAX		FAMILY_NEGATIVE_BINOMIAL

extern const char *family_name(GlmFamily family);

/* 0 if there is none of this name. */
extern GlmFamily family_of_name(const char *name);

/* May the outcome be this? */
extern bool family_accepts(GlmFamily family, double y);

/* The mean from which the first iteration starts. */
extern double family_start(GlmFamily family, double y, double weight);
extern double family_link(GlmFamily family, double mu);
extern double family_mean(GlmFamily family, double eta);

/* d mean / d eta */
extern double family_slope(GlmFamily family, double eta);
extern double family_variance(GlmFamily family, double mu, double theta);

/* Twice the log-likelihood that is lacking to a perfect fit. */
extern double family_deviance(GlmFamily family, double y, double mu, double weight, double theta);

/*
 * What depends on the outcome alone: the deviance of a model with one mean mu
 * for all rows is
 *
 *	  2 (sum of family_saturated - [terms of mu with sum w, sum w y]),
 *
 * see family_null_deviance().  Of gaussian, y is y less some constant near its mean.
 */
extern double family_saturated(GlmFamily family, double y, double weight, double theta);
extern double family_null_deviance(GlmFamily family, double saturated, double sum_w, double sum_wy, double theta);

/* The log-likelihood of a perfect fit; of gaussian, of which it depends on the deviance, 0. */
extern double family_best_loglik(GlmFamily family, double y, double weight);

#endif							/* SECMED_FAMILY_H */
