/*
 * meta.h
 *	  Meta-analysis: one estimate of those of several studies.
 *
 * y_i is the estimate of study i and v_i the square of its standard error.
 * Fixed effect: weights 1/v.  Random effects: weights 1/(v + tau2), tau2 after
 * DerSimonian and Laird, Controlled Clinical Trials 1986, or by restricted
 * maximum likelihood (Viechtbauer, J. Educational and Behavioral Statistics
 * 2005).  Heterogeneity: Cochran's Q, I2 = (Q - df) / Q (Higgins and Thompson,
 * Statistics in Medicine 2002).  What R's package metafor calls rma(method = "DL", "REML").
 */
#ifndef SECMED_META_H
#define SECMED_META_H

#include "base/base.h"
#include "stats/outcome.h"

typedef struct Study
{
	double		estimate;
	double		error;			/* finite, > 0 */
} Study;

typedef enum MetaMethod
{
	META_DERSIMONIAN_LAIRD,
	META_REML
} MetaMethod;

/*
 * The random effects' prediction interval is by t with n - 2 degrees of freedom
 * (Higgins, Thompson and Spiegelhalter, JRSS A 2009), from three studies on.
 * Fails with ERRCODE_DATA_EXCEPTION if REML finds no tau2.
 */
extern void meta_analyse(const Study *studies, int n, MetaMethod method, double level, Outcome *outcome);

#endif							/* SECMED_META_H */
