/*
 * moments.h
 *	  Location, spread and shape of one variable, and proportions.
 *
 * Each is the compute function of a linear aggregate (linear.h), and takes its
 * options from the totals.
 */
#ifndef SECMED_MOMENTS_H
#define SECMED_MOMENTS_H

#include "stats/linear.h"

/* How many, their mean, and the sum of squares about it; mean is NaN if there are none. */
typedef struct Sample
{
	double		n;
	double		mean;
	double		ss;
} Sample;

/* From the terms that count, add, and add the squares: of the group g "g", "xg", "xxg". */
extern Sample sample_of_terms(const LinearTotals *totals, const char *count, const char *sum, const char *squares);

/* Sum of (x - mean x)(y - mean y), from the terms; NaN if there are no rows. */
extern double centred_of_terms(const LinearTotals *totals, const char *count, const char *products,
							   const char *x, const char *y);

/* Number, mean, deviation, limits of the mean, shape: all at once. */
extern void moments_summary(const LinearTotals *totals, Outcome *outcome);

/*
 * With m_r = sum((x - mean)^r) / n:
 *	  type 1: g1 = m3 / m2^(3/2),          g2 = m4 / m2^2 - 3
 *	  type 2: g1 sqrt(n(n-1)) / (n-2),     ((n+1) g2 + 6) (n-1) / ((n-2)(n-3))
 *	  type 3: g1 ((n-1)/n)^(3/2),          (g2 + 3) (1 - 1/n)^2 - 3
 * Joanes and Gill, "Comparing measures of sample skewness and kurtosis", The
 * Statistician, 1998; numbered as in R's package e1071.
 */
extern void moments_skewness(const LinearTotals *totals, Outcome *outcome);
extern void moments_kurtosis(const LinearTotals *totals, Outcome *outcome);

/* s / sqrt(n) */
extern void moments_standard_error(const LinearTotals *totals, Outcome *outcome);

/* mean -+ t(n-1) s / sqrt(n), "Student", Biometrika 1908 */
extern void moments_mean_ci(const LinearTotals *totals, Outcome *outcome);

/* sum(w x) / sum(w) */
extern void moments_weighted_mean(const LinearTotals *totals, Outcome *outcome);

/* With v = w / sum(w): sum(v (x - mean)^2) / (1 - sum(v^2)), as R's cov.wt */
extern void moments_weighted_variance(const LinearTotals *totals, Outcome *outcome);

/*
 * Limits of Wilson, JASA 1927, with or without the correction for continuity
 * (Newcombe, Statistics in Medicine 1998, methods 3 and 4), as R's prop.test.
 */
extern void proportion_wilson(const LinearTotals *totals, Outcome *outcome);

/* Limits of Clopper and Pearson, Biometrika 1934, as R's binom.test: of x among n > 0, and as a compute function. */
extern void proportion_exact_limits(double x, double n, double level, double *low, double *high);
extern void proportion_exact(const LinearTotals *totals, Outcome *outcome);

#endif							/* SECMED_MOMENTS_H */
