/*
 * student.h
 *	  Tests of means, variances and correlation under the normal distribution.
 *
 * Compute functions of linear aggregates (linear.h).  "Group 1" are the rows
 * in which the boolean is true, "group 2" those in which it is false: what
 * R's t.test(x[g], x[!g]) compares.  A statistic that is not defined (too few
 * rows, a constant column) is left out, and so are its p-value and limits.
 */
#ifndef SECMED_STUDENT_H
#define SECMED_STUDENT_H

#include "stats/linear.h"

/* t = (mean - mu) / (s / sqrt(n)), n - 1 degrees of freedom.  "Student", Biometrika 1908. */
extern void student_one_sample(const LinearTotals *totals, Outcome *outcome);

/* Unequal variances, degrees of freedom after Welch, Biometrika 1947 (Satterthwaite). */
extern void student_welch(const LinearTotals *totals, Outcome *outcome);

/* Equal variances: the pooled one, n1 + n2 - 2 degrees of freedom. */
extern void student_pooled(const LinearTotals *totals, Outcome *outcome);

/* One-sample test of x - y, without these differences: their squares follow from xx, yy and xy. */
extern void student_paired(const LinearTotals *totals, Outcome *outcome);

/* F = s1^2 / s2^2, as R's var.test. */
extern void student_variances(const LinearTotals *totals, Outcome *outcome);

/* Pearson's r; t with n - 2 degrees of freedom, limits by Fisher's z (Metron 1921), as R's cor.test. */
extern void student_correlation(const LinearTotals *totals, Outcome *outcome);

#endif							/* SECMED_STUDENT_H */
