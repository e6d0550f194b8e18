/*
 * fisher.h
 *	  Fisher's exact test of a two by two table.
 *
 * Given the margins, the first cell of a 2 x 2 table has a noncentral
 * hypergeometric distribution whose parameter is the odds ratio (Fisher,
 * JRSS 1935; Cornfield 1956).  p-value, estimate and limits are R's
 * fisher.test; R stops its search for estimate and limits at four digits.
 */
#ifndef SECMED_FISHER_H
#define SECMED_FISHER_H

#include "base/base.h"
#include "stats/outcome.h"

typedef struct FisherResult
{
	double		p_value;
	double		odds_ratio;		/* conditional maximum likelihood; may be 0 or infinite */
	double		conf_low;
	double		conf_high;
} FisherResult;

/*
 * The table a b / c d, whole numbers.  Fails with
 * ERRCODE_PROGRAM_LIMIT_EXCEEDED if its first cell could take more than
 * FISHER_SUPPORT_MAX values.
 */
extern FisherResult fisher_two_by_two(double a, double b, double c, double d, double level, Alternative alternative);

#endif							/* SECMED_FISHER_H */
