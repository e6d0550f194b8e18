/*
 * two_by_two.h
 *	  Tables of two yes-or-no questions: e (exposed), d (diseased).
 *
 *				d		D
 *		  e		a		b			a = exposed and diseased, and so on
 *		  E		c		d
 *
 * Compute functions of linear aggregates (linear.h); the outcome has the four
 * cells as n11, n10, n01, n00.  What is not defined, as a ratio with zero
 * below, is left out; nothing is added to empty cells.
 */
#ifndef SECMED_TWO_BY_TWO_H
#define SECMED_TWO_BY_TWO_H

#include "stats/linear.h"

/* ad / bc; limits exp(log -+ z sqrt(1/a + 1/b + 1/c + 1/d)), Woolf, Annals of Human Genetics 1955. */
extern void two_by_two_odds_ratio(const LinearTotals *totals, Outcome *outcome);

/* (a / (a+b)) / (c / (c+d)); limits on the log, Katz et al., Biometrics 1978. */
extern void two_by_two_risk_ratio(const LinearTotals *totals, Outcome *outcome);

/* a / (a+b) - c / (c+d); Wald's limits, as R's prop.test(correct = FALSE). */
extern void two_by_two_risk_difference(const LinearTotals *totals, Outcome *outcome);

/* Pearson's, with the correction of Yates (JRSS Supplement 1934) or without, as R's chisq.test. */
extern void two_by_two_chi_squared(const LinearTotals *totals, Outcome *outcome);

/*
 * Fisher, JRSS 1935.  Odds ratio and limits are of the conditional
 * (noncentral hypergeometric) likelihood, as R's fisher.test; R finds them to
 * about 4 digits only, here they have all.
 */
extern void two_by_two_fisher(const LinearTotals *totals, Outcome *outcome);

/* (|b - c| - 1)^2 / (b + c), or without the 1; McNemar, Psychometrika 1947, as R's mcnemar.test. */
extern void two_by_two_mcnemar(const LinearTotals *totals, Outcome *outcome);

/*
 * Cochran-Armitage: does the share of e rise with the score x?  Cochran,
 * Biometrics 1954, Armitage, Biometrics 1955; R's prop.trend.test.
 */
extern void two_by_two_trend(const LinearTotals *totals, Outcome *outcome);

#endif							/* SECMED_TWO_BY_TWO_H */
