/*
 * rates.c
 *	  Events in person-time.
 */
#include "base/base.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/moments.h"
#include "stats/rates.h"

/* ---- exact two-sided p-values ---- */

/* Of events: Poisson of mean p if n is infinite, else binomial of n. */
typedef struct Counted
{
	double		n;
	double		p;
} Counted;

static double
density_of(const Counted *law, double k)
{
	return isinf(law->n) ? poisson_density(k, law->p) : binomial_density(k, law->n, law->p);
}

static double
tail_of(const Counted *law, double k, Tail tail)
{
	return isinf(law->n) ? poisson_probability(k, law->p, tail) : binomial_probability(k, law->n, law->p, tail);
}

/* The first number from `low` on, below `high`, on whose side of the mode the density is, or is no longer, above the bound. */
static double
first_beyond(const Counted *law, double low, double high, double bound, bool rising)
{
	while (low < high)
	{
		double		middle = floor((low + high) / 2);

		if ((density_of(law, middle) > bound) == rising)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Where the upper tail is less likely than the bound. */
static double
upper_end(const Counted *law, double mean, double x, double bound)
{
	double		end = isinf(law->n) ? ceil(2 * mean - x) : law->n + 1;

	while (isinf(law->n) && density_of(law, end) > bound)
		end *= 2;
	return end;
}

/*
 * The probability of all numbers that are not more likely than x, with R's
 * tolerance; densities rise up to the mean and fall beyond.
 */
static double
two_sided(const Counted *law, double x)
{
	double		mean = isinf(law->n) ? law->p : law->n * law->p;
	double		bound = density_of(law, x) * (1 + 1e-7);
	double		other;

	if (x == mean)
		return 1;
	if (x < mean)
	{
		other = first_beyond(law, ceil(mean), upper_end(law, mean, x, bound), bound, false);
		return Min(1, tail_of(law, x, TAIL_LOWER) + tail_of(law, other - 1, TAIL_UPPER));
	}
	other = first_beyond(law, 0, floor(mean) + 1, bound, true);
	return Min(1, tail_of(law, other - 1, TAIL_LOWER) + tail_of(law, x - 1, TAIL_UPPER));
}

/* ---- one rate ---- */

static double
tail_of_level(const LinearTotals *totals)
{
	return (1 - linear_option(totals, 'c')) / 2;
}

/* Garwood's limits of a Poisson mean, over `time`. */
static void
add_poisson_limits(double events, double time, double tail, Outcome *outcome)
{
	outcome_number(outcome, "conf_low", events == 0 ? 0 : gamma_quantile(tail, events, 1, TAIL_LOWER) / time);
	outcome_number(outcome, "conf_high", gamma_quantile(tail, events + 1, 1, TAIL_UPPER) / time);
}

static void
add_rate(const LinearTotals *totals, double n, double events, Outcome *outcome)
{
	double		time = linear_sum(totals, "t");

	outcome_number(outcome, "events", events);
	outcome_number(outcome, "person_time", time);
	outcome_count(outcome, "n", n);
	outcome_count(outcome, "n_missing", linear_count(totals, "*") - n);
	if (!(time > 0) || !(events >= 0))
		return;
	outcome_number(outcome, "estimate", events / time);
	outcome_number(outcome, "standard_error", sqrt(events) / time);
	add_poisson_limits(events, time, tail_of_level(totals), outcome);
}

void
rates_of_events(const LinearTotals *totals, Outcome *outcome)
{
	double		events = linear_count(totals, "e");

	add_rate(totals, events + linear_count(totals, "E"), events, outcome);
}

void
rates_of_counts(const LinearTotals *totals, Outcome *outcome)
{
	add_rate(totals, linear_count(totals, "1"), linear_sum(totals, "d"), outcome);
}

/* ---- two rates ---- */

typedef struct Rates
{
	double		d1,
				t1,
				d0,
				t0;
} Rates;

/* false if one of them is not defined. */
static bool
take_rates(const LinearTotals *totals, Rates *rates, Outcome *outcome)
{
	double		n;

	rates->d1 = linear_count(totals, "ed");
	rates->d0 = linear_count(totals, "Ed");
	rates->t1 = linear_sum(totals, "te");
	rates->t0 = linear_sum(totals, "tE");
	n = rates->d1 + rates->d0 + linear_count(totals, "eD") + linear_count(totals, "ED");
	outcome_count(outcome, "events1", rates->d1);
	outcome_number(outcome, "person_time1", rates->t1);
	outcome_count(outcome, "events0", rates->d0);
	outcome_number(outcome, "person_time0", rates->t0);
	outcome_count(outcome, "n", n);
	outcome_count(outcome, "n_missing", linear_count(totals, "*") - n);
	if (!(rates->t1 > 0 && rates->t0 > 0))
		return false;
	outcome_number(outcome, "rate1", rates->d1 / rates->t1);
	outcome_number(outcome, "rate0", rates->d0 / rates->t0);
	return true;
}

void
rates_ratio(const LinearTotals *totals, Outcome *outcome)
{
	Rates		rates;
	double		low,
				high,
				scale;

	if (!take_rates(totals, &rates, outcome) || rates.d1 + rates.d0 == 0)
		return;
	scale = rates.t0 / rates.t1;
	outcome_number(outcome, "estimate", rates.d1 / rates.d0 * scale);
	if (rates.d1 > 0 && rates.d0 > 0)
		outcome_number(outcome, "standard_error", sqrt(1 / rates.d1 + 1 / rates.d0));
	proportion_exact_limits(rates.d1, rates.d1 + rates.d0, linear_option(totals, 'c'), &low, &high);
	outcome_number(outcome, "conf_low", low / (1 - low) * scale);
	outcome_number(outcome, "conf_high", high / (1 - high) * scale);
	outcome_number(outcome, "p_value",
				   two_sided(&(Counted) {rates.d1 + rates.d0, rates.t1 / (rates.t1 + rates.t0)}, rates.d1));
}

void
rates_difference(const LinearTotals *totals, Outcome *outcome)
{
	Rates		rates;
	double		estimate,
				error,
				half;

	if (!take_rates(totals, &rates, outcome))
		return;
	estimate = rates.d1 / rates.t1 - rates.d0 / rates.t0;
	error = sqrt(rates.d1 / (rates.t1 * rates.t1) + rates.d0 / (rates.t0 * rates.t0));
	half = error * normal_quantile(tail_of_level(totals), TAIL_UPPER);
	outcome_number(outcome, "estimate", estimate);
	outcome_number(outcome, "standard_error", error);
	outcome_number(outcome, "conf_low", estimate - half);
	outcome_number(outcome, "conf_high", estimate + half);
	if (error > 0)
		outcome_number(outcome, "p_value", 2 * normal_probability(fabs(estimate / error), TAIL_UPPER));
}

/* ---- standardisation ---- */

/* Fay and Feuer: the upper limit counts one more event where it weighs most. */
static void
add_gamma_limits(double estimate, double variance, double most, double tail, Outcome *outcome)
{
	double		up = estimate + most;
	double		up_variance = variance + most * most;

	outcome_number(outcome, "conf_low", estimate == 0 ? 0 :
				   gamma_quantile(tail, estimate * estimate / variance, variance / estimate, TAIL_LOWER));
	outcome_number(outcome, "conf_high", gamma_quantile(tail, up * up / up_variance, up_variance / up, TAIL_UPPER));
}

void
rates_standardise(const RateStratum *strata, int n, double level, Outcome *outcome)
{
	double		events = 0,
				time = 0,
				standard = 0,
				estimate = 0,
				variance = 0,
				most = 0;

	for (int i = 0; i < n; i++)
		standard += strata[i].standard;
	for (int i = 0; i < n; i++)
	{
		double		weight = strata[i].standard / standard / strata[i].time;

		events += strata[i].events;
		time += strata[i].time;
		estimate += weight * strata[i].events;
		variance += weight * weight * strata[i].events;
		most = Max(most, weight);
	}
	outcome_count(outcome, "strata", n);
	outcome_number(outcome, "events", events);
	outcome_number(outcome, "person_time", time);
	if (n == 0)
		return;
	outcome_number(outcome, "crude_rate", events / time);
	outcome_number(outcome, "estimate", estimate);
	outcome_number(outcome, "standard_error", sqrt(variance));
	add_gamma_limits(estimate, variance, most, (1 - level) / 2, outcome);
}

void
rates_smr(double observed, double expected, double level, Outcome *outcome)
{
	outcome_number(outcome, "observed", observed);
	outcome_number(outcome, "expected", expected);
	if (!(expected > 0) || !(observed >= 0))
		return;
	outcome_number(outcome, "estimate", observed / expected);
	add_poisson_limits(observed, expected, (1 - level) / 2, outcome);
	if (observed == floor(observed))
		outcome_number(outcome, "p_value", two_sided(&(Counted) {INFINITY, expected}, observed));
}
