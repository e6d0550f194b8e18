/*
 * distribution.c
 *	  Probability distributions: R's own library (libRmath), behind checks.
 *
 * The checks are those of R's functions themselves, made before libRmath
 * would print its warning to the server's standard output.
 */
#include "base/base.h"

#include <math.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "stats/distribution.h"

static bool
is_probability(double p)
{
	return p >= 0 && p <= 1;
}

static bool
is_whole(double x)
{
	return isfinite(x) && x >= 0 && x == floor(x);
}

static int
lower(Tail tail)
{
	return tail == TAIL_LOWER;
}

double
normal_probability(double z, Tail tail)
{
	return isnan(z) ? NAN : pnorm(z, 0, 1, lower(tail), 0);
}

double
normal_quantile(double p, Tail tail)
{
	return is_probability(p) ? qnorm(p, 0, 1, lower(tail), 0) : NAN;
}

double
student_probability(double t, double df, Tail tail)
{
	return !isnan(t) && df > 0 ? pt(t, df, lower(tail), 0) : NAN;
}

double
student_quantile(double p, double df, Tail tail)
{
	return is_probability(p) && df > 0 ? qt(p, df, lower(tail), 0) : NAN;
}

double
chi_squared_probability(double x, double df, Tail tail)
{
	return !isnan(x) && df >= 0 && isfinite(df) ? pchisq(x, df, lower(tail), 0) : NAN;
}

double
chi_squared_quantile(double p, double df, Tail tail)
{
	return is_probability(p) && df >= 0 && isfinite(df) ? qchisq(p, df, lower(tail), 0) : NAN;
}

double
f_probability(double f, double df1, double df2, Tail tail)
{
	return !isnan(f) && df1 > 0 && df2 > 0 ? pf(f, df1, df2, lower(tail), 0) : NAN;
}

double
f_quantile(double p, double df1, double df2, Tail tail)
{
	return is_probability(p) && df1 > 0 && df2 > 0 ? qf(p, df1, df2, lower(tail), 0) : NAN;
}

double
beta_probability(double x, double a, double b, Tail tail)
{
	return !isnan(x) && a > 0 && b > 0 ? pbeta(x, a, b, lower(tail), 0) : NAN;
}

double
beta_quantile(double p, double a, double b, Tail tail)
{
	return is_probability(p) && a > 0 && b > 0 ? qbeta(p, a, b, lower(tail), 0) : NAN;
}

double
gamma_probability(double x, double shape, double scale, Tail tail)
{
	return !isnan(x) && shape > 0 && scale > 0 ? pgamma(x, shape, scale, lower(tail), 0) : NAN;
}

double
gamma_quantile(double p, double shape, double scale, Tail tail)
{
	return is_probability(p) && shape > 0 && scale > 0 ? qgamma(p, shape, scale, lower(tail), 0) : NAN;
}

double
binomial_density(double k, double n, double p)
{
	return is_whole(k) && is_whole(n) && is_probability(p) ? dbinom(k, n, p, 0) : NAN;
}

double
binomial_probability(double k, double n, double p, Tail tail)
{
	return !isnan(k) && is_whole(n) && is_probability(p) ? pbinom(k, n, p, lower(tail), 0) : NAN;
}

double
poisson_density(double k, double mean)
{
	return is_whole(k) && mean >= 0 ? dpois(k, mean, 0) : NAN;
}

double
poisson_probability(double k, double mean, Tail tail)
{
	return !isnan(k) && mean >= 0 ? ppois(k, mean, lower(tail), 0) : NAN;
}

static bool
is_urn(double white, double black, double drawn)
{
	return is_whole(white) && is_whole(black) && is_whole(drawn) && drawn <= white + black;
}

double
hypergeometric_log_density(double k, double white, double black, double drawn)
{
	return is_whole(k) && is_urn(white, black, drawn) ? dhyper(k, white, black, drawn, 1) : NAN;
}

double
hypergeometric_probability(double k, double white, double black, double drawn, Tail tail)
{
	return !isnan(k) && is_urn(white, black, drawn) ? phyper(k, white, black, drawn, lower(tail), 0) : NAN;
}

double
tukey_probability(double q, double groups, double df, Tail tail)
{
	return !isnan(q) && groups >= 2 && df >= 2 ? ptukey(q, 1, groups, df, lower(tail), 0) : NAN;
}

double
rank_sum_probability(double w, double m, double n, Tail tail)
{
	if (isnan(w) || !is_whole(m) || !is_whole(n) || m < 1 || n < 1 || m >= RANK_EXACT_MAX || n >= RANK_EXACT_MAX)
		return NAN;
	return pwilcox(w, m, n, lower(tail), 0);
}

double
signed_rank_probability(double v, double n, Tail tail)
{
	if (isnan(v) || !is_whole(n) || n < 1 || n >= RANK_EXACT_MAX)
		return NAN;
	return psignrank(v, n, lower(tail), 0);
}

double
log_gamma(double x)
{
	return x > 0 ? lgammafn(x) : NAN;
}

double
log_choose(double n, double k)
{
	return is_whole(k) && is_whole(n) && k <= n ? lchoose(n, k) : NAN;
}

double
digamma_of(double x)
{
	return x > 0 ? digamma(x) : NAN;
}

double
trigamma_of(double x)
{
	return x > 0 ? trigamma(x) : NAN;
}
