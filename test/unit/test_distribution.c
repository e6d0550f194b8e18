/*
 * test_distribution.c
 *	  Distributions against R 4.2.2, and arguments that make no sense.
 */
#include "base/base.h"

#include <math.h>

#include "stats/distribution.h"
#include "unit.h"

#define same(value, expected)	check(close_to(value, expected), #value)

static bool
close_to(double value, double expected)
{
	return fabs(value - expected) <= 1e-13 * fabs(expected);
}

static void
test_figures_of_r(void)
{
	same(normal_probability(1.96, TAIL_UPPER), 0.024997895148220428);	/* pnorm(1.96, lower = FALSE) */
	same(normal_quantile(.975, TAIL_LOWER), 1.9599639845400536);	/* qnorm(.975) */
	same(student_probability(2.5, 3.7, TAIL_UPPER), 0.035911011455913376);	/* pt(2.5, 3.7, lower = FALSE) */
	same(student_quantile(.975, 7.3, TAIL_LOWER), 2.3450667365477025);	/* qt(.975, 7.3) */
	same(chi_squared_probability(30, 4, TAIL_UPPER), 4.8944371280292126e-06);	/* pchisq(30, 4, lower = FALSE) */
	same(chi_squared_quantile(.95, 3, TAIL_LOWER), 7.8147279032511792); /* qchisq(.95, 3) */
	same(f_probability(3.2, 2, 17, TAIL_UPPER), 0.066142566666421362);	/* pf(3.2, 2, 17, lower = FALSE) */
	same(f_quantile(.975, 4, 9, TAIL_LOWER), 4.7180784581281934);	/* qf(.975, 4, 9) */
	same(beta_probability(.3, 2, 5, TAIL_LOWER), 0.57982500000000015);	/* pbeta(.3, 2, 5) */
	same(beta_quantile(.025, 3, 8, TAIL_LOWER), 0.066739511177734467);	/* qbeta(.025, 3, 8) */
	same(gamma_probability(2, 3, .5, TAIL_UPPER), 0.23810330555354436); /* pgamma(2, 3, scale = .5, lower = FALSE) */
	same(gamma_quantile(.025, 7, 1, TAIL_LOWER), 2.8143630515198663);	/* qgamma(.025, 7) */
	same(binomial_density(3, 10, .3), 0.26682793199999993); /* dbinom(3, 10, .3) */
	same(binomial_probability(3, 10, .3, TAIL_LOWER), 0.64961071840000018); /* pbinom(3, 10, .3) */
	same(poisson_density(4, 2.5), 0.13360188578108531); /* dpois(4, 2.5) */
	same(poisson_probability(4, 2.5, TAIL_UPPER), 0.10882198108584877); /* ppois(4, 2.5, lower = FALSE) */
	same(hypergeometric_log_density(2, 5, 7, 4), -0.85745023185122138); /* dhyper(2, 5, 7, 4, log = TRUE) */
	same(hypergeometric_probability(2, 5, 7, 4, TAIL_LOWER), 0.84848484848484862);	/* phyper(2, 5, 7, 4) */
	same(tukey_probability(3.5, 3, 20, TAIL_UPPER), 0.055891849082059353);	/* ptukey(3.5, 3, 20, lower = FALSE) */
	same(rank_sum_probability(20, 8, 9, TAIL_LOWER), 0.069395310571781166); /* pwilcox(20, 8, 9) */
	same(signed_rank_probability(15, 9, TAIL_LOWER), 0.212890625);	/* psignrank(15, 9) */
	same(log_gamma(.5), 0.57236494292470008);	/* lgamma(.5) */
	same(log_choose(50, 7), 18.419524075268985);	/* lchoose(50, 7) */
	same(digamma_of(2.5), 0.70315664064524341); /* digamma(2.5) */
	same(trigamma_of(2.5), 0.49035775610023491);	/* trigamma(2.5) */
}

static void
test_edges(void)
{
	check(normal_quantile(0, TAIL_LOWER) == -INFINITY, "no probability below minus infinity");
	check(normal_probability(INFINITY, TAIL_UPPER) == 0, "and none above infinity");
	same(student_probability(1.5, INFINITY, TAIL_UPPER), normal_probability(1.5, TAIL_UPPER));
	check(chi_squared_probability(-1, 2, TAIL_UPPER) == 1, "all of chi-square is above -1");
	check(chi_squared_probability(0.1, 0, TAIL_UPPER) == 0, "without freedom it is zero");
}

#define no_sense(value)	check(isnan(value), #value)

static void
test_nonsense(void)
{
	no_sense(normal_probability(NAN, TAIL_LOWER));
	no_sense(normal_quantile(1.1, TAIL_LOWER));
	no_sense(normal_quantile(NAN, TAIL_LOWER));
	no_sense(student_probability(1, 0, TAIL_LOWER));
	no_sense(student_quantile(.5, -1, TAIL_LOWER));
	no_sense(chi_squared_probability(1, -1, TAIL_LOWER));
	no_sense(chi_squared_quantile(-.1, 3, TAIL_LOWER));
	no_sense(f_probability(1, 0, 3, TAIL_LOWER));
	no_sense(f_quantile(.5, 3, NAN, TAIL_LOWER));
	no_sense(beta_probability(.5, 0, 1, TAIL_LOWER));
	no_sense(beta_quantile(2, 1, 1, TAIL_LOWER));
	no_sense(gamma_probability(1, 0, 1, TAIL_LOWER));
	no_sense(gamma_quantile(.5, 1, 0, TAIL_LOWER));
	no_sense(binomial_density(1, 2.5, .5));
	no_sense(binomial_density(1.5, 2, .5));
	no_sense(binomial_probability(1, 2, 1.5, TAIL_LOWER));
	no_sense(poisson_density(1, -1));
	no_sense(poisson_probability(NAN, 1, TAIL_LOWER));
	no_sense(hypergeometric_log_density(1, 2, 2, 5));
	no_sense(hypergeometric_probability(1, -2, 2, 1, TAIL_LOWER));
	no_sense(tukey_probability(1, 1, 10, TAIL_LOWER));
	no_sense(rank_sum_probability(3, RANK_EXACT_MAX, 2, TAIL_LOWER));
	no_sense(signed_rank_probability(3, RANK_EXACT_MAX, TAIL_LOWER));
	no_sense(log_gamma(0));
	no_sense(log_choose(3, 4));
	no_sense(digamma_of(-1));
	no_sense(trigamma_of(0));
}

int
main(void)
{
	test_figures_of_r();
	test_edges();
	test_nonsense();
	return unit_done();
}
