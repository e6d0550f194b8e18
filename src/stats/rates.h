/*
 * rates.h
 *	  Events in person-time: rates, their ratio and difference, standardisation.
 *
 * The number of events in a known person-time T is taken to be Poisson, with
 * mean rate * T.  Person-time is in whatever unit the argument is; a rate is
 * per one of it.  A rate over no person-time is not defined and left out.
 */
#ifndef SECMED_RATES_H
#define SECMED_RATES_H

#include "stats/linear.h"

/* ---- compute functions of linear aggregates: t is person-time ---- */

/*
 * d / T, with the exact limits of Garwood, Biometrika 1936: quantiles of the gamma
 * distributions of shape d and d + 1; R's poisson.test(d, T).  Of a yes-or-no
 * event, and of a number of events in each row.
 */
extern void rates_of_events(const LinearTotals *totals, Outcome *outcome);
extern void rates_of_counts(const LinearTotals *totals, Outcome *outcome);

/*
 * (d1 / T1) / (d0 / T0).  Given d1 + d0, d1 is binomial: exact limits and p as R's
 * poisson.test(c(d1, d0), c(T1, T0)) (Przyborowski and Wilenski, Biometrika
 * 1940).  The standard error is of the logarithm, sqrt(1/d1 + 1/d0).
 */
extern void rates_ratio(const LinearTotals *totals, Outcome *outcome);

/* d1 / T1 - d0 / T0, error sqrt(d1 / T1^2 + d0 / T0^2), limits and p by the normal distribution. */
extern void rates_difference(const LinearTotals *totals, Outcome *outcome);

/* ---- standardisation ---- */

typedef struct RateStratum
{
	double		events;
	double		time;			/* > 0 */
	double		standard;		/* of the standard population, any unit, > 0 */
} RateStratum;

/*
 * Direct: sum of w d/T with w the standard's shares; limits by the gamma
 * distribution of Fay and Feuer, Statistics in Medicine 1997, as epitools'
 * ageadjust.direct.
 */
extern void rates_standardise(const RateStratum *strata, int n, double level, Outcome *outcome);

/*
 * Indirect: observed over expected, limits and p exact as R's
 * poisson.test(observed, expected).  `expected` is the sum of T times a reference rate.
 */
extern void rates_smr(double observed, double expected, double level, Outcome *outcome);

#endif							/* SECMED_RATES_H */
