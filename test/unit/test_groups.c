/*
 * test_groups.c
 *	  Several groups, tables of any size, strata and ranks: against R 4.2.2,
 *	  with the calls beside the figures, and where nothing is defined.
 */
#include "base/base.h"

#include <math.h>

#include "stats/cells.h"
#include "stats/groups.h"
#include "stats/ranks.h"
#include "leaves.h"
#include "unit.h"

static void
same(const Outcome *outcome, const char *name, double expected)
{
	const OutcomeValue *value = outcome_find(outcome, name);

	check(value != NULL && fabs(value->number - expected) <= 1e-11 * fabs(expected),
		  "%s is %.17g, of %.17g", name, value ? value->number : NAN, expected);
}

static bool
undefined(const Outcome *outcome, const char *name)
{
	return outcome_find(outcome, name) == NULL;
}

/* ---- groups ---- */

static Sample
sample(const double *x, int n)
{
	Sample		out = {n, 0, 0};

	for (int i = 0; i < n; i++)
		out.mean += x[i] / n;
	for (int i = 0; i < n; i++)
		out.ss += (x[i] - out.mean) * (x[i] - out.mean);
	return out;
}

/* a <- c(1, 2, 4); b <- c(3, 5, 9, 10); c <- c(2, 8); g <- function() data.frame(v = c(a, b, c), g = rep(1:3, c(3, 4, 2))) */
static void
test_groups(void)
{
	Sample		groups[] = {sample((double[]) {1, 2, 4}, 3), sample((double[]) {3, 5, 9, 10}, 4), sample((double[]) {2, 8}, 2)};
	Sample		single = {1, 5, 0};
	Outcome		outcome = {0};

	groups_anova(groups, 3, &outcome);
	same(&outcome, "statistic", 1.8120300751879699);	/* oneway.test(v ~ g, g(), var.equal = TRUE)$statistic */
	same(&outcome, "p_value", 0.24231414413452149);	/* oneway.test(v ~ g, g(), var.equal = TRUE)$p.value */
	outcome.n = 0;
	groups_welch(groups, 3, &outcome);
	same(&outcome, "statistic", 2.2868615565114898);	/* oneway.test(v ~ g, g())$statistic */
	same(&outcome, "df2", 2.3728960042977105);	/* oneway.test(v ~ g, g())$parameter[2] */
	same(&outcome, "p_value", 0.27959422554998203);	/* oneway.test(v ~ g, g())$p.value */
	outcome.n = 0;
	groups_bartlett(groups, 3, &outcome);
	same(&outcome, "statistic", 1.2387803720312094);	/* bartlett.test(v ~ g, g())$statistic */
	same(&outcome, "p_value", 0.538272583679414);	/* bartlett.test(v ~ g, g())$p.value */
	groups[1] = single;
	outcome.n = 0;
	groups_welch(groups, 3, &outcome);
	check(undefined(&outcome, "p_value"), "Welch's test needs two rows in each group");
	outcome.n = 0;
	groups_anova(&single, 1, &outcome);
	check(undefined(&outcome, "p_value"), "one group has nothing to compare with");
}

/* ---- tables ---- */

/* t <- matrix(c(3, 0, 2, 1, 4, 2, 0, 1, 5), 3, byrow = TRUE); s <- array(c(8, 3, 2, 9, 5, 4, 1, 6), c(2, 2, 2)) */
static void
test_cells(void)
{
	double		cells[] = {3, 0, 2, 0, 1, 4, 2, 0, 0, 1, 5, 0, 0, 0, 0, 0};
	CellTable	table = {4, 4, cells};	/* the last row and column are empty */
	CellTable	large = {3, 3, (double[]) {90, 80, 70, 60, 50, 40, 30, 20, 10}};
	Stratum		strata[] = {{8, 2, 3, 9}, {1, 0, 0, 0}, {5, 1, 4, 6}};	/* the second tells nothing */
	Outcome		outcome = {0};

	cells_chi_squared(&table, true, &outcome);
	same(&outcome, "statistic", 10.647619047619047);	/* chisq.test(t)$statistic */
	same(&outcome, "p_value", 0.030823196957956989);	/* chisq.test(t)$p.value */
	outcome.n = 0;
	cells_fisher(&table, NULL, &outcome);
	same(&outcome, "p_value", 0.047974084738790251);	/* fisher.test(t)$p.value */
	outcome.n = 0;
	cells_mantel_haenszel(strata, 3, true, 0.95, &outcome);
	same(&outcome, "statistic", 7.0518038852913962);	/* mantelhaen.test(s)$statistic */
	same(&outcome, "estimate", 9.8478260869565233);	/* mantelhaen.test(s)$estimate */
	same(&outcome, "conf_low", 2.0364632944638523);	/* mantelhaen.test(s)$conf.int[1] */
	same(&outcome, "conf_high", 47.621618765524396);	/* mantelhaen.test(s)$conf.int[2] */
	outcome.n = 0;
	check_fails(ERRCODE_PROGRAM_LIMIT_EXCEEDED, cells_fisher(&large, NULL, &outcome), "more tables than one goes through");
	outcome.n = 0;
	cells_mantel_haenszel(strata, 0, true, 0.95, &outcome);
	check(undefined(&outcome, "p_value") && undefined(&outcome, "estimate"), "no strata, no odds ratio");
}

/* ---- ranks ---- */

/* x <- c(1, 3, 4, 8); y <- c(2, 5, 6, 7, 9); xt <- c(1, 2, 2, 4, 5); yt <- c(2, 3, 4, 4) */
static void
test_two_groups(void)
{
	static double in_x[] = {1, 0},
				in_y[] = {0, 1},
				two_one[] = {2, 1},
				one_two[] = {1, 2};
	RankedValue distinct[] = {{1, in_x}, {2, in_y}, {3, in_x}, {4, in_x}, {5, in_y}, {6, in_y}, {7, in_y}, {8, in_x}, {9, in_y}};
	RankedValue ties[] = {{1, in_x}, {2, two_one}, {3, in_y}, {4, one_two}, {5, in_x}};
	Outcome		outcome = {0};

	ranks_sum(distinct, 9, ALTERNATIVE_TWO_SIDED, &outcome);
	same(&outcome, "statistic", 6);	/* wilcox.test(x, y)$statistic */
	same(&outcome, "p_value", 0.41269841269841268);	/* wilcox.test(x, y)$p.value */
	outcome.n = 0;
	ranks_sum(ties, 5, ALTERNATIVE_TWO_SIDED, &outcome);
	same(&outcome, "statistic", 8);	/* wilcox.test(xt, yt)$statistic */
	same(&outcome, "p_value", 0.70370832558818497);	/* wilcox.test(xt, yt)$p.value */
	outcome.n = 0;
	ranks_sum(ties, 5, ALTERNATIVE_GREATER, &outcome);
	same(&outcome, "p_value", 0.73691576112192836);	/* wilcox.test(xt, yt, alternative = "greater")$p.value */
	outcome.n = 0;
	ranks_kruskal(ties, 5, 2, &outcome);
	same(&outcome, "statistic", 0.25714285714286306);	/* kruskal.test(list(xt, yt))$statistic */
	same(&outcome, "p_value", 0.61208988008925269);	/* kruskal.test(list(xt, yt))$p.value */
	outcome.n = 0;
	ranks_smirnov(ties, 5, &outcome);
	same(&outcome, "statistic", 0.35000000000000003);	/* ks.test(xt, yt)$statistic */
	same(&outcome, "p_value", 0.71428571428571397);	/* ks.test(xt, yt)$p.value */
	outcome.n = 0;
	ranks_sum(distinct, 1, ALTERNATIVE_TWO_SIDED, &outcome);
	check(undefined(&outcome, "p_value"), "one group has no rank sum");
	outcome.n = 0;
	ranks_smirnov(distinct, 1, &outcome);
	check(undefined(&outcome, "p_value"), "and no distance");
}

static void
test_one_group(void)
{
	static double once[] = {1},
				twice[] = {2};
	RankedValue distinct[] = {{-4, once}, {-1, once}, {2, once}, {3, once}, {5, once}};
	RankedValue ties[] = {{-1, once}, {0, once}, {1, once}, {3, once}, {4, twice}};
	Outcome		outcome = {0};

	ranks_signed(distinct, 5, ALTERNATIVE_TWO_SIDED, &outcome);
	same(&outcome, "statistic", 10);	/* wilcox.test(c(-1, 2, 3, -4, 5))$statistic */
	same(&outcome, "p_value", 0.625);	/* wilcox.test(c(-1, 2, 3, -4, 5))$p.value */
	outcome.n = 0;
	ranks_signed(ties, 5, ALTERNATIVE_TWO_SIDED, &outcome);
	same(&outcome, "statistic", 13.5);	/* wilcox.test(c(0, -1, 1, 3, 4, 4))$statistic */
	same(&outcome, "p_value", 0.13441657417036029);	/* wilcox.test(c(0, -1, 1, 3, 4, 4))$p.value */
	outcome.n = 0;
	ranks_signed(ties + 1, 1, ALTERNATIVE_TWO_SIDED, &outcome);
	check(undefined(&outcome, "statistic"), "zeros alone have no sign");
}

static void
spearman(const double *x, const double *y, int n, Outcome *outcome)
{
	RankedPair	pairs[16];

	for (int i = 0; i < n; i++)
		pairs[i] = (RankedPair) {x[i], y[i], 1};
	outcome->n = 0;
	ranks_spearman(pairs, n, outcome);
}

static void
test_spearman(void)
{
	static const double counting[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
	Outcome		outcome;

	spearman(counting, (double[]) {2, 1, 4, 3, 7, 5, 6}, 7, &outcome);
	same(&outcome, "estimate", 0.82142857142857129);	/* cor.test(1:7, c(2, 1, 4, 3, 7, 5, 6), method = "spearman")$estimate */
	same(&outcome, "p_value", 0.034126984126984124);	/* cor.test(1:7, c(2, 1, 4, 3, 7, 5, 6), method = "spearman")$p.value */
	spearman(counting, (double[]) {2, 11, 4, 3, 7, 5, 6, 1, 9, 10, 8}, 11, &outcome);
	same(&outcome, "p_value", 0.32701595100267106);	/* cor.test(1:11, c(2, 11, 4, 3, 7, 5, 6, 1, 9, 10, 8), method = "spearman")$p.value */
	spearman((double[]) {1, 1, 2, 3, 4}, (double[]) {5, 3, 3, 2, 1}, 5, &outcome);
	same(&outcome, "estimate", -0.92105263157894757);	/* cor.test(c(1, 1, 2, 3, 4), c(5, 3, 3, 2, 1), method = "spearman")$estimate */
	same(&outcome, "p_value", 0.026310519685577839);	/* cor.test(c(1, 1, 2, 3, 4), c(5, 3, 3, 2, 1), method = "spearman")$p.value */
	spearman(counting, (double[]) {3, 3, 3}, 3, &outcome);
	check(undefined(&outcome, "estimate"), "no correlation with a constant");
}

int
main(void)
{
	test_groups();
	test_cells();
	test_two_groups();
	test_one_group();
	test_spearman();
	return unit_done();
}
