/*
 * test_rates.c
 *	  Standardised rates, ROC areas and meta-analysis: against R 4.2.2, with the
 *	  calls beside the figures, and at the edges.
 */
#include "base/base.h"

#include <math.h>

#include "stats/diagnostic.h"
#include "stats/meta.h"
#include "stats/rates.h"
#include "leaves.h"
#include "unit.h"

static void
same(const Outcome *outcome, const char *name, double expected)
{
	const OutcomeValue *value = outcome_find(outcome, name);

	check(value != NULL && fabs(value->number - expected) <= 1e-11 * fabs(expected),
		  "%s is %.17g, of %.17g", name, value ? value->number : NAN, expected);
}

static void
smr_p_is(double observed, double expected, double p)
{
	Outcome		outcome = {0};

	rates_smr(observed, expected, 0.95, &outcome);
	same(&outcome, "p_value", p);
}

static void
test_smr(void)
{
	Outcome		outcome = {0};

	smr_p_is(0, 3, 0.08329560367670516);	/* poisson.test(0, 3)$p.value */
	smr_p_is(3, 3, 1);
	smr_p_is(4, 10.5, 0.042955483769965282);	/* poisson.test(4, 10.5)$p.value */
	smr_p_is(21, 10.5, 0.0031044975083461611);	/* poisson.test(21, 10.5)$p.value */
	smr_p_is(1, 0.3, 0.25918177931828212);	/* poisson.test(1, .3)$p.value */
	smr_p_is(1e6, 1002500, 0.012511466800838849);	/* poisson.test(1e6, 1002500)$p.value */
	rates_smr(2.5, 2, 0.95, &outcome);
	check(outcome_find(&outcome, "p_value") == NULL, "events that are not whole have no p");
	outcome.n = 0;
	rates_smr(1, 0, 0.95, &outcome);
	check(outcome_find(&outcome, "estimate") == NULL, "nothing expected");
}

static void
test_standardise(void)
{
	RateStratum strata[] = {{3, 400, 30}, {0, 250, 20}, {7, 90, 50}};
	Outcome		outcome = {0};

	/* epitools::ageadjust.direct(c(3, 0, 7), c(400, 250, 90), stdpop = c(30, 20, 50)) */
	rates_standardise(strata, 3, 0.95, &outcome);
	same(&outcome, "estimate", 3. / 400 * .3 + 7. / 90 * .5);
	same(&outcome, "crude_rate", 10. / 740);
	same(&outcome, "conf_low", 0.017499896191997891);	/* qgamma(.025, r^2 / v, scale = v / r) */
	same(&outcome, "conf_high", 0.082295225461493121);	/* qgamma(.975, (r + w)^2 / (v + w^2), scale = (v + w^2) / (r + w)) */
	outcome.n = 0;
	rates_standardise(strata, 0, 0.95, &outcome);
	check(outcome_find(&outcome, "estimate") == NULL, "no strata");
}

/* x <- c(1, 2, 2, 5); y <- c(0, 1, 2, 3, 3); w <- outer(x, y, ">") + outer(x, y, "==") / 2 */
static void
test_auc(void)
{
	ScoredRows	rows[] = {{0, 0, 1}, {1, 1, 1}, {2, 2, 1}, {3, 0, 2}, {5, 1, 0}};
	ScoredRows	one[] = {{0, 0, 3}, {1, 1, 0}};
	Outcome		outcome = {0};

	diagnostic_auc(rows, 5, 0.95, &outcome);
	same(&outcome, "estimate", 0.575);	/* mean(w) */
	same(&outcome, "standard_error", 0.21602468994692867);	/* sqrt(var(rowMeans(w)) / 4 + var(colMeans(w)) / 5) */
	same(&outcome, "conf_high", 0.99840061206741193);	/* mean(w) + qnorm(.975) * ... */
	outcome.n = 0;
	diagnostic_auc(one, 2, 0.95, &outcome);
	same(&outcome, "estimate", 1);
	check(outcome_find(&outcome, "standard_error") == NULL, "one diseased has no variance");
}

/* y <- c(.2, .6, -.1, .9); v <- c(.1, .2, .3, .15)^2; score <- as in test/peers/statistics.R */
static void
test_meta(void)
{
	Study		studies[] = {{.2, .1}, {.6, .2}, {-.1, .3}, {.9, .15}};
	Study		alike[] = {{1, .5}, {1, .5}};
	Outcome		outcome = {0};

	meta_analyse(studies, 4, META_DERSIMONIAN_LAIRD, 0.95, &outcome);
	same(&outcome, "tau2", 0.14419254658385092);	/* (q - 3) / (sum(w) - sum(w^2) / sum(w)) */
	outcome.n = 0;
	meta_analyse(studies, 4, META_REML, 0.95, &outcome);
	same(&outcome, "tau2", 0.14007941199510118);	/* uniroot(score, c(0, 10), tol = 1e-15)$root */
	outcome.n = 0;
	meta_analyse(alike, 2, META_REML, 0.95, &outcome);
	same(&outcome, "tau2", 0);
	check(outcome_find(&outcome, "prediction_low") == NULL, "two studies predict nothing");
	outcome.n = 0;
	meta_analyse(NULL, 0, META_DERSIMONIAN_LAIRD, 0.95, &outcome);
	check(outcome_find(&outcome, "estimate") == NULL, "no studies");
}

int
main(void)
{
	test_smr();
	test_standardise();
	test_auc();
	test_meta();
	return unit_done();
}
