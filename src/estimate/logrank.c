/*
 * logrank.c
 *	  The log-rank test on shared counts.
 *
 * At each time of each stratum d of n have their event, and n_a at risk are of arm
 * a.  With R = 1 / n, Q = 1 / (n - 1):
 *
 *	  a  R and Q (estimate/reciprocal.h), cut to FRACTION bits
 *	  b  f_a = n_a R, h = (n - d) Q
 *	  c  g_a = d (h f_a), where E_a is the sum of d f_a
 *	  d  V_ab is the sum of g_a times (1 if a = b) - f_b
 *
 * Sums are over times and strata, so that of none of these anything is opened.
 * [Peto and Peto, JRSS A 135, 1972; the variance is the hypergeometric one, as in R's survdiff]
 */
#include "estimate/program.h"

#include "estimate/reciprocal.h"
#include "mpc/arith.h"
#include "mpc/scaled.h"

#define FRACTION		58		/* of R, Q, f, h */
#define COARSE			40		/* of f as the second factor, beside counts; and of what is opened */

typedef struct LogRankRun
{
	Party	   *self;
	const EstimateRule *rule;
	size_t		arms;
	size_t		times;			/* of all strata */
	Shared		at_risk;		/* of each arm, arms * times */
	Shared		deaths;			/* of all arms, times */
	Shared		left;			/* n - d */
	Shared		rows;			/* of each arm */
	Shared		observed;
	Shared		expected;
	Shared		covariance;		/* arms * arms */
} LogRankRun;

static size_t
all_times(const EstimateRule *rule)
{
	return (size_t) rule->estimate->cells * rule->estimate->strata;
}

/* What is at risk in each arm, and the arms' totals. */
static void
count_arm(LogRankRun *run, const Shared *in, size_t arm, size_t stratum)
{
	size_t		cells = run->rule->estimate->cells;
	Shared		events = estimate_counts(in, run->rule, arm, stratum, false);
	Shared		censored = estimate_counts(in, run->rule, arm, stratum, true);
	Shared		own = shared_view(&run->at_risk, arm * run->times + stratum * cells, cells);
	Shared		died = shared_view(&run->deaths, stratum * cells, cells);
	Shared		rows = shared_view(&run->rows, arm, 1);
	Shared		observed = shared_view(&run->observed, arm, 1);
	Shared		total = shared_alloc(1);

	shared_linear(&own, 1, &events, 1, &censored);
	suffix_sums(&own);
	shared_linear(&died, 1, &died, 1, &events);
	arith_sum(&total, &events);
	shared_linear(&observed, 1, &observed, 1, &total);
	total.mine[0] = own.mine[0];
	total.next[0] = own.next[0];
	shared_linear(&rows, 1, &rows, 1, &total);
	shared_free(&total);
}

static void
count_all(LogRankRun *run, const Shared *in)
{
	for (size_t arm = 0; arm < run->arms; arm++)
	{
		Shared		own = part_of(&run->at_risk, arm, run->times);

		for (size_t stratum = 0; stratum < run->rule->estimate->strata; stratum++)
			count_arm(run, in, arm, stratum);
		shared_linear(&run->left, 1, &run->left, 1, &own);
	}
}

/* R and Q end to end: 1 / n and 1 / (n - 1), with FRACTION bits.  run->left is n before and n - d after. */
static Shared
reciprocals(LogRankRun *run)
{
	Shared		counts = shared_alloc(2 * run->times);
	Shared		out = shared_alloc(2 * run->times);
	Shared		less = part_of(&counts, 1, run->times);

	part_put(&counts, 0, &run->left);
	arith_add_constant(run->self, &less, &run->left, (uint128) -1);
	reciprocal_of_counts(run->self, &out, NULL, &counts);
	scaled_truncate_near(run->self, &out, &out, RECIPROCAL_FRACTION - FRACTION);
	shared_linear(&run->left, 1, &run->left, -1, &run->deaths);
	shared_free(&counts);
	return out;
}

/* f_a of each arm, and then h: one product of each time. */
static Shared
fractions(LogRankRun *run)
{
	Shared		both = reciprocals(run);
	Shared		r = part_of(&both, 0, run->times);
	Shared		q = part_of(&both, 1, run->times);
	size_t		all = run->arms + 1;
	Shared		left = shared_alloc(all * run->times);
	Shared		right = shared_alloc(all * run->times);

	for (size_t arm = 0; arm < run->arms; arm++)
	{
		Shared		own = part_of(&run->at_risk, arm, run->times);

		part_put(&left, arm, &own);
		part_put(&right, arm, &r);
	}
	part_put(&left, run->arms, &run->left);
	part_put(&right, run->arms, &q);
	arith_multiply(run->self, &left, &left, &right);
	shared_free(&both);
	shared_free(&right);
	return left;
}

/* h f_a with FRACTION bits and f_a with COARSE bits, end to end. */
static Shared
weights(LogRankRun *run, const Shared *f)
{
	size_t		all = run->arms * run->times;
	Shared		h = part_of(f, run->arms, run->times);
	Shared		own = shared_view(f, 0, all);
	Shared		spread = shared_alloc(all);
	Shared		both = shared_alloc(2 * all);
	Shared		product = part_of(&both, 0, all);
	Shared		coarse = part_of(&both, 1, all);

	for (size_t arm = 0; arm < run->arms; arm++)
		part_put(&spread, arm, &h);
	arith_multiply(run->self, &product, &own, &spread);
	/* Cut alike: FRACTION bits off 2 FRACTION, and off FRACTION + COARSE. */
	shared_linear(&coarse, (uint128) 1 << COARSE, &own, 0, &own);
	scaled_truncate_near(run->self, &both, &both, FRACTION);
	shared_free(&spread);
	return both;
}

/* Deaths times each of `many` vectors. */
static Shared
times_deaths(LogRankRun *run, const Shared *x, size_t many)
{
	Shared		out = shared_alloc(many * run->times);

	for (size_t i = 0; i < many; i++)
		part_put(&out, i, &run->deaths);
	arith_multiply(run->self, &out, &out, x);
	return out;
}

/* The sums of g_a f_b over all times, arms * arms, with FRACTION + COARSE bits. */
static Shared
sums_of_products(LogRankRun *run, const Shared *g, const Shared *coarse)
{
	size_t		pairs = run->arms * run->arms;
	Shared		left = shared_alloc(pairs * run->times);
	Shared		right = shared_alloc(pairs * run->times);
	Shared		out = shared_alloc(pairs);

	for (size_t pair = 0; pair < pairs; pair++)
	{
		Shared		a = part_of(g, pair / run->arms, run->times);
		Shared		b = part_of(coarse, pair % run->arms, run->times);

		part_put(&left, pair, &a);
		part_put(&right, pair, &b);
	}
	arith_dot(run->self, &out, &left, &right);
	shared_free(&left);
	shared_free(&right);
	return out;
}

/* E and V to COARSE bits, then moved up to what is opened. */
static void
finish_sums(LogRankRun *run, const Shared *expected, const Shared *diagonal, const Shared *products)
{
	size_t		arms = run->arms;
	Shared		all = shared_alloc(arms + arms * arms);
	Shared		covariance = shared_view(&all, arms, arms * arms);
	Shared		own = shared_view(&all, 0, arms);

	/* All with FRACTION + COARSE bits. */
	shared_linear(&own, (uint128) 1 << COARSE, expected, 0, expected);
	shared_linear(&covariance, -1, products, 0, products);
	for (size_t arm = 0; arm < arms; arm++)
	{
		Shared		to = shared_view(&covariance, arm * arms + arm, 1);
		Shared		sum = shared_view(diagonal, arm, 1);

		shared_linear(&to, 1, &to, (uint128) 1 << COARSE, &sum);
	}
	scaled_truncate_near(run->self, &all, &all, FRACTION);
	shared_linear(&all, (uint128) 1 << (ESTIMATE_FRACTION - COARSE), &all, 0, &all);
	shared_copy(&run->expected, &own);
	shared_copy(&run->covariance, &covariance);
	shared_free(&all);
}

static void
compute(LogRankRun *run)
{
	size_t		all = run->arms * run->times;
	Shared		f = fractions(run);
	Shared		f_arms = shared_view(&f, 0, all);
	Shared		both = weights(run, &f);
	Shared		hf = part_of(&both, 0, all);
	Shared		coarse = part_of(&both, 1, all);
	Shared		factors = shared_alloc(2 * all);
	Shared		products;
	Shared		sums = shared_alloc(2 * run->arms);
	Shared		expected = shared_view(&sums, 0, run->arms);
	Shared		diagonal = shared_view(&sums, run->arms, run->arms);
	Shared		g;
	Shared		cross;

	part_put(&factors, 0, &f_arms);
	part_put(&factors, 1, &hf);
	products = times_deaths(run, &factors, 2 * run->arms);
	arith_sum(&sums, &products);
	g = part_of(&products, 1, all);
	cross = sums_of_products(run, &g, &coarse);
	finish_sums(run, &expected, &diagonal, &cross);
	shared_free(&f);
	shared_free(&both);
	shared_free(&factors);
	shared_free(&products);
	shared_free(&sums);
	shared_free(&cross);
}

/* All arms' flags times each other, in element 0: if one is withheld, all are. */
static Shared
flag_of_all(Party *self, const Shared *flags)
{
	Shared		all = shared_alloc(flags->n);

	shared_copy(&all, flags);
	for (size_t n = flags->n; n > 1; n -= n / 2)
	{
		Shared		first = shared_view(&all, 0, n / 2);
		Shared		last = shared_view(&all, n - n / 2, n / 2);

		arith_multiply(self, &first, &first, &last);
	}
	return all;
}

static void
put_one(Shared *to, size_t *at, const Shared *x, size_t i, uint128 factor)
{
	to->mine[*at] = x->mine[i] * factor;
	to->next[*at] = x->next[i] * factor;
	(*at)++;
}

/* out = the outputs times the flag of all. */
static void
write_outputs(LogRankRun *run, Shared *out, const Shared *in, const Shared *flag)
{
	uint128		unit = (uint128) 1 << ESTIMATE_FRACTION;
	Shared		factors = shared_alloc(out->n);
	Shared		one = shared_alloc(1);
	size_t		at = 0;

	arith_constant(run->self, &one, 1);
	for (size_t arm = 0; arm < run->arms; arm++)
	{
		put_one(out, &at, &one, 0, 1);
		put_one(out, &at, &run->rows, arm, unit);
		put_one(out, &at, &run->observed, arm, unit);
		put_one(out, &at, &run->expected, arm, 1);
		for (size_t b = 0; b < run->arms; b++)
			put_one(out, &at, &run->covariance, arm * run->arms + b, 1);
		put_one(out, &at, in, (arm + 1) * estimate_stride_in(run->rule) - 1, 1);
	}
	for (size_t v = 0; v < out->n;)
		put_one(&factors, &v, flag, 0, 1);
	arith_multiply(run->self, out, out, &factors);
	shared_free(&factors);
	shared_free(&one);
}

bool
logrank_run(Party *self, Shared *out, const Shared *in, const EstimateRule *rule)
{
	LogRankRun	run = {self, rule, rule->arms, all_times(rule)};
	Shared		flags = shared_alloc(rule->arms);
	bool		passes;

	run.at_risk = shared_alloc(run.arms * run.times);
	run.deaths = shared_alloc(run.times);
	run.left = shared_alloc(run.times);
	run.rows = shared_alloc(run.arms);
	run.observed = shared_alloc(run.arms);
	run.expected = shared_alloc(run.arms);
	run.covariance = shared_alloc(run.arms * run.arms);
	count_all(&run, in);
	passes = estimate_flags(self, &flags, in, &run.rows, &run.observed, rule);
	if (passes)
	{
		Shared		flag = flag_of_all(self, &flags);

		compute(&run);
		write_outputs(&run, out, in, &flag);
		shared_free(&flag);
	}
	shared_free(&run.at_risk);
	shared_free(&run.deaths);
	shared_free(&run.left);
	shared_free(&run.rows);
	shared_free(&run.observed);
	shared_free(&run.expected);
	shared_free(&run.covariance);
	shared_free(&flags);
	return passes;
}

void
logrank_cost(EstimateCost *cost, const EstimateRule *rule)
{
	uint64		times = all_times(rule);
	uint64		all = rule->arms * times;

	for (size_t n = rule->arms; n > 1; n -= n / 2)
		cost_multiply(cost, n / 2);
	reciprocal_cost(cost, 2 * times, false);
	cost_truncate(cost, 2 * times, RECIPROCAL_FRACTION - FRACTION);
	cost_multiply(cost, all + times);
	cost_multiply(cost, all);
	cost_truncate(cost, 2 * all, FRACTION);
	cost_multiply(cost, 2 * all);
	cost_multiply(cost, rule->arms * rule->arms);
	cost_truncate(cost, rule->arms + rule->arms * rule->arms, FRACTION);
	cost_multiply(cost, rule->arms * estimate_stride_out(rule));
}

uint64
logrank_need(const EstimateRule *rule)
{
	uint64		times = all_times(rule);
	uint64		elements = times * (3 + (9 + 2 * rule->arms) * rule->arms) + 4 * rule->arms * rule->arms + 2 * rule->arms * estimate_stride_out(rule);

	return elements * 2 * sizeof(uint128) + reciprocal_need(2 * times, false);
}
