/*
 * diagnostic.h
 *	  How well a test tells the diseased from the others.
 *
 * Proportions have the exact limits of Clopper and Pearson, Biometrika 1934.
 */
#ifndef SECMED_DIAGNOSTIC_H
#define SECMED_DIAGNOSTIC_H

#include "stats/linear.h"

/*
 * Compute function of a linear aggregate: p the test is positive, d the patient has
 * the disease.  Sensitivity pd / d, specificity PD / D, predictive values
 * pd / p and PD / P, accuracy, likelihood ratios.  What has nobody below the line is left out.
 */
extern void diagnostic_test(const LinearTotals *totals, Outcome *outcome);

/* A score, and how many have it. */
typedef struct ScoredRows
{
	double		score;
	double		diseased;
	double		others;
} ScoredRows;

/*
 * The area under the ROC curve: the share of pairs in which the diseased scores
 * higher, ties half.  standard_error and limits after DeLong et al., Biometrics 1988,
 * which R's package pROC has; hanley_error after Hanley and McNeil, Radiology
 * 1982.  Values sorted by score, each once.
 */
extern void diagnostic_auc(const ScoredRows *values, int n, double level, Outcome *outcome);

#endif							/* SECMED_DIAGNOSTIC_H */
