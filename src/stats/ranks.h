/*
 * ranks.h
 *	  Tests by ranks: Wilcoxon, Mann-Whitney, Kruskal-Wallis, Kolmogorov-Smirnov, Spearman.
 *
 * The rows come as distinct values with how many rows have each, sorted; so
 * ties are what has a count above one.  Exact distributions where R takes
 * them, else the normal, t or chi-square approximation with ties corrected.
 */
#ifndef SECMED_RANKS_H
#define SECMED_RANKS_H

#include "base/base.h"
#include "stats/outcome.h"

/* One value, and how many rows of each group have it. */
typedef struct RankedValue
{
	double		value;
	double	   *counts;			/* of each group */
} RankedValue;

/* Wilcoxon, Biometrics Bulletin 1945; Mann and Whitney, Annals 1947; R's wilcox.test(x, y).  Two groups. */
extern void ranks_sum(const RankedValue *values, int n, Alternative alternative, Outcome *outcome);

/* Wilcoxon's signed rank test that the centre is zero; R's wilcox.test(x).  One group; zeros are left out. */
extern void ranks_signed(const RankedValue *values, int n, Alternative alternative, Outcome *outcome);

/* Kruskal and Wallis, JASA 1952; R's kruskal.test. */
extern void ranks_kruskal(const RankedValue *values, int n, int groups, Outcome *outcome);

/*
 * Smirnov, Bulletin Moscow 1939: the largest distance of two distribution
 * functions, two-sided; R's ks.test(x, y).  Exact, ties included, by counting lattice
 * paths if n1 n2 < 10000, as R (Schroeer and Trenkler, CSDA 1995); else Kolmogorov's limit.
 */
extern void ranks_smirnov(const RankedValue *values, int n, Outcome *outcome);

/* A pair of values, and how many rows have it. */
typedef struct RankedPair
{
	double		x;
	double		y;
	double		count;
} RankedPair;

/*
 * Spearman, American Journal of Psychology 1904; R's cor.test(method =
 * "spearman"): without ties and up to 1290 rows by the Edgeworth series of Best and
 * Roberts, Applied Statistics 1975 (AS 89), exact up to 9 rows; else by t.
 */
extern void ranks_spearman(const RankedPair *pairs, int n, Outcome *outcome);

#endif							/* SECMED_RANKS_H */
