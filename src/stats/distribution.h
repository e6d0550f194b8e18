/*
 * distribution.h
 *	  Probability distributions: R's own library (libRmath), behind checks.
 *
 * libRmath prints about an argument that makes no sense, which a server must
 * not; here such an argument gives NaN and no word, as does NaN itself.
 * Every probability is asked for by its tail, because 1 - p loses small ones.
 *
 * R Core Team, "R: A Language and Environment for Statistical Computing";
 * the algorithms' papers are named in R's help of pnorm, pt, pbeta and so on.
 */
#ifndef SECMED_DISTRIBUTION_H
#define SECMED_DISTRIBUTION_H

#include "base/base.h"

typedef enum Tail
{
	TAIL_LOWER,					/* P(X <= x) */
	TAIL_UPPER					/* P(X > x) */
} Tail;

/* x such that the tail has probability p: p in [0, 1]. */
extern double normal_probability(double z, Tail tail);
extern double normal_quantile(double p, Tail tail);

/* df > 0, perhaps not whole, perhaps infinite. */
extern double student_probability(double t, double df, Tail tail);
extern double student_quantile(double p, double df, Tail tail);

/* df >= 0 */
extern double chi_squared_probability(double x, double df, Tail tail);
extern double chi_squared_quantile(double p, double df, Tail tail);

/* df > 0 */
extern double f_probability(double f, double df1, double df2, Tail tail);
extern double f_quantile(double p, double df1, double df2, Tail tail);

/* a, b > 0 */
extern double beta_probability(double x, double a, double b, Tail tail);
extern double beta_quantile(double p, double a, double b, Tail tail);

/* shape, scale > 0 */
extern double gamma_probability(double x, double shape, double scale, Tail tail);
extern double gamma_quantile(double p, double shape, double scale, Tail tail);

/* k successes in n trials, n a whole number >= 0, p in [0, 1] */
extern double binomial_density(double k, double n, double p);
extern double binomial_probability(double k, double n, double p, Tail tail);

/* mean >= 0 */
extern double poisson_density(double k, double mean);
extern double poisson_probability(double k, double mean, Tail tail);

/* White balls among `drawn` from `white` and `black`; whole numbers. */
extern double hypergeometric_log_density(double k, double white, double black, double drawn);
extern double hypergeometric_probability(double k, double white, double black, double drawn, Tail tail);

/* Largest of `groups` studentized ranges; df >= 2, groups >= 2. */
extern double tukey_probability(double q, double groups, double df, Tail tail);

/*
 * Exact null distributions of rank statistics, without ties.  Both groups
 * below RANK_EXACT_MAX values: R's own limit, and libRmath keeps a table of
 * m * n * (m * n + 1) / 2 numbers.
 */
#define RANK_EXACT_MAX		50
extern double rank_sum_probability(double w, double m, double n, Tail tail);
extern double signed_rank_probability(double v, double n, Tail tail);

/* log |gamma(x)|, and of the binomial coefficient; x > 0, 0 <= k <= n. */
extern double log_gamma(double x);
extern double log_choose(double n, double k);

/* Derivatives of log gamma; x > 0. */
extern double digamma_of(double x);
extern double trigamma_of(double x);

#endif							/* SECMED_DISTRIBUTION_H */
