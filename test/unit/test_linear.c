/*
 * test_linear.c
 *	  Linear aggregates: the table keeps its own rules, and what is made of
 *	  totals agrees with R 4.2.2 (calls beside the figures).
 */
#include "base/base.h"

#include <ctype.h>
#include <math.h>

#include "stats/fisher.h"
#include "stats/linear.h"
#include "unit.h"

static bool
close_to(double value, double expected)
{
	return value == expected || fabs(value - expected) <= 1e-12 * fabs(expected);
}

/* ---- the table ---- */

static bool
same_rows(const LinearTerm *a, const LinearTerm *b)
{
	return memcmp(a->where, b->where, sizeof(a->where)) == 0;
}

/* Is there a plain sum of this argument over the rows of the product? */
static bool
has_plain_sum(const LinearAggregate *aggregate, const LinearTerm *product, int arg)
{
	for (int i = 0; i < linear_nterms(aggregate); i++)
	{
		LinearTerm	term;

		linear_term(aggregate, i, &term);
		if (term.nfactors == 1 && term.factors[0] == arg && same_rows(&term, product))
			return true;
	}
	return false;
}

static bool
terms_are_good(const LinearAggregate *aggregate)
{
	bool		good = linear_nterms(aggregate) <= LINEAR_TERMS_MAX && linear_nargs(aggregate) <= LINEAR_ARGS_MAX &&
		strlen(aggregate->options) <= LINEAR_OPTIONS_MAX;

	for (int i = 0; good && i < linear_nterms(aggregate); i++)
	{
		LinearTerm	term;

		linear_term(aggregate, i, &term);
		good = term.nfactors <= FIXED_FACTORS_MAX;
		for (int j = 0; j < term.nfactors; j++)
			good = good && has_plain_sum(aggregate, &term, term.factors[j]);
	}
	return good;
}

static void
test_table(void)
{
	int			n;
	const LinearAggregate *all = linear_all(&n);

	for (int i = 0; i < n; i++)
		check(terms_are_good(&all[i]), "%s(%s%s): every product has its plain sums", all[i].name, all[i].numbers, all[i].truths);
	check(linear_find("t_test", "n") != linear_find("t_test", "nb"), "t tests of one and of two groups");
	check(linear_find("t_test", "nnnt") == linear_find("t_test", "n"), "one with all its options");
	check(linear_find("t_test", "nt") == NULL && linear_find("t_test", "nbnn") == NULL, "options of other types");
	check(linear_find("mean_ci", "") == NULL && linear_find("nobody", "n") == NULL, "no such aggregate");
}

static void
test_terms(void)
{
	const LinearAggregate *t = linear_find("t_test", "nb");
	LinearTerm	term;

	linear_term(t, 0, &term);
	check(term.nfactors == 0 && term.where[0] == LINEAR_ANY && term.where[1] == LINEAR_ANY, "all rows");
	linear_term(t, 3, &term);
	check(term.nfactors == 2 && term.factors[0] == 0 && term.factors[1] == 0 &&
		  term.where[0] == LINEAR_PRESENT && term.where[1] == LINEAR_TRUE, "squares of the first group");
	linear_term(t, 4, &term);
	check(term.nfactors == 0 && term.where[0] == LINEAR_PRESENT && term.where[1] == LINEAR_FALSE,
		  "the number of the second");
}

/* ---- rows ---- */

typedef struct Row
{
	double		x;
	double		y;
	bool		g;
	bool		h;
} Row;

static double
argument(const LinearAggregate *aggregate, const Row *row, int arg)
{
	bool		number = arg < strlen(aggregate->numbers);

	if (number)
		return arg == 0 ? row->x : row->y;
	return arg == (int) strlen(aggregate->numbers) ? row->g : row->h;
}

static bool
row_counts(const LinearAggregate *aggregate, const LinearTerm *term, const Row *row)
{
	for (int i = 0; i < linear_nargs(aggregate); i++)
		if ((term->where[i] == LINEAR_TRUE || term->where[i] == LINEAR_FALSE) &&
			(argument(aggregate, row, i) != 0) != (term->where[i] == LINEAR_TRUE))
			return false;
	return true;
}

static void
total(LinearTotals *totals, int which, const Row *rows, int n)
{
	LinearTerm	term;
	FixedAcc	acc;
	double		factors[FIXED_FACTORS_MAX];

	linear_term(totals->aggregate, which, &term);
	fixed_init(&acc, term.nfactors == 0 ? FIXED_SUM : (FixedKind) (term.nfactors - 1));
	for (int i = 0; i < n; i++)
	{
		if (!row_counts(totals->aggregate, &term, &rows[i]))
			continue;
		totals->terms[which].count++;
		for (int j = 0; j < term.nfactors; j++)
			factors[j] = argument(totals->aggregate, &rows[i], term.factors[j]);
		if (term.nfactors > 0)
			fixed_add_factors(&acc, factors);
	}
	if (term.nfactors == 0)
		return;
	totals->terms[which].special = acc.nan || acc.pinf || acc.ninf;
	totals->terms[which].nlimbs = fixed_limbs_of(acc.kind);
	totals->terms[which].exponent = fixed_exponent_of(acc.kind);
	fixed_limbs(totals->terms[which].limbs, &acc);
}

static Outcome
outcome_of(const char *name, const char *types, const Row *rows, int n, const double *options, int noptions)
{
	static LinearTotals totals;
	Outcome		outcome;

	memset(&totals, 0, sizeof(totals));
	totals.aggregate = linear_find(name, types);
	linear_set_options(&totals, options, noptions);
	for (int i = 0; i < linear_nterms(totals.aggregate); i++)
		total(&totals, i, rows, n);
	linear_compute(&totals, &outcome);
	return outcome;
}

static const Row rows[] = {
	{1.5, 2, true, true}, {2.25, 1, true, false}, {-3, 0.5, false, true}, {4.75, 8, false, false},
	{0, 3, true, true}, {7.125, -2, false, false}, {2, 2.5, true, true}, {-1, 4, false, false}, {3.5, 1, true, false}
};

static void
same(const Outcome *outcome, const char *name, double expected)
{
	const OutcomeValue *value = outcome_find(outcome, name);

	check(value != NULL && close_to(value->number, expected), "%s is %.17g, of %.17g", name, value ? value->number : NAN, expected);
}

/* x <- c(1.5,2.25,-3,4.75,0,7.125,2,-1,3.5); y <- c(2,1,.5,8,3,-2,2.5,4,1); g <- c(T,T,F,F,T,F,T,F,T); h <- c(T,F,T,F,T,F,T,F,F) */
static void
test_against_r(void)
{
	Outcome		outcome = outcome_of("t_test", "nb", rows, lengthof(rows), NULL, 0);

	same(&outcome, "statistic", -0.048582758820342603);	/* t.test(x[g], x[!g])$statistic */
	same(&outcome, "df", 3.3439575211627095);	/* t.test(x[g], x[!g])$parameter */
	same(&outcome, "p_value", 0.96401067882039571);	/* t.test(x[g], x[!g])$p.value */
	same(&outcome, "conf_low", -7.4639213023454953);	/* t.test(x[g], x[!g])$conf.int[1] */
	outcome = outcome_of("t_test_pooled", "nb", rows, lengthof(rows), NULL, 0);
	same(&outcome, "p_value", 0.95817902118147313);	/* t.test(x[g], x[!g], var.equal = TRUE)$p.value */
	same(&outcome, "conf_high", 5.0482495351523733);	/* t.test(x[g], x[!g], var.equal = TRUE)$conf.int[2] */
	outcome = outcome_of("t_test_paired", "nn", rows, lengthof(rows), (double[]) {0.9}, 1);
	same(&outcome, "p_value", 0.82896885108821028);	/* t.test(x, y, paired = TRUE)$p.value */
	same(&outcome, "conf_high", 2.3418704587883155);	/* t.test(x, y, paired = TRUE, conf.level = .9)$conf.int[2] */
	outcome = outcome_of("t_test", "nn", rows, lengthof(rows), (double[]) {1}, 1);
	same(&outcome, "p_value", 0.4001153328972179);	/* t.test(x, mu = 1)$p.value */
	outcome = outcome_of("variance_test", "nb", rows, lengthof(rows), NULL, 0);
	same(&outcome, "p_value", 0.027447261368921349);	/* var.test(x[g], x[!g])$p.value */
	same(&outcome, "conf_low", 0.0047231428016063894);	/* var.test(x[g], x[!g])$conf.int[1] */
	outcome = outcome_of("correlation_test", "nn", rows, lengthof(rows), NULL, 0);
	same(&outcome, "estimate", -0.089904360538647698);	/* cor(x, y) */
	same(&outcome, "p_value", 0.81807750551376546);	/* cor.test(x, y)$p.value */
	same(&outcome, "conf_high", 0.61067945262029655);	/* cor.test(x, y)$conf.int[2] */
	outcome = outcome_of("skewness", "ni", rows, lengthof(rows), (double[]) {2}, 1);
	same(&outcome, "skewness", 0.11556307585760507);	/* skewness(x, 2) */
	outcome = outcome_of("kurtosis", "ni", rows, lengthof(rows), (double[]) {1}, 1);
	same(&outcome, "kurtosis", -0.59094784260634059);	/* kurtosis(x, 1) */
	outcome = outcome_of("weighted_mean", "nn", rows, lengthof(rows), NULL, 0);
	same(&outcome, "weighted_mean", 1.6000000000000001);	/* weighted.mean(x, y) */
	outcome = outcome_of("proportion_ci", "b", rows, lengthof(rows), NULL, 0);
	same(&outcome, "conf_low", 0.22652922988939753);	/* prop.test(5, 9)$conf.int[1] */
	same(&outcome, "conf_high", 0.84656944249142052);	/* prop.test(5, 9)$conf.int[2] */
	outcome = outcome_of("proportion_ci_exact", "b", rows, lengthof(rows), NULL, 0);
	same(&outcome, "conf_low", 0.21200850677886807);	/* binom.test(5, 9)$conf.int[1] */
	same(&outcome, "conf_high", 0.86300433773483343);	/* binom.test(5, 9)$conf.int[2] */
	outcome = outcome_of("fisher_test", "bb", rows, lengthof(rows), NULL, 0);
	same(&outcome, "p_value", 0.52380952380952395);	/* fisher.test(two(g, h))$p.value */
	same(&outcome, "estimate", 3.7640064541208247);	/* exact_fisher(two(g, h))$estimate */
	same(&outcome, "conf_low", 0.14980345971640993);	/* exact_fisher(two(g, h))$conf.int[1] */
	same(&outcome, "conf_high", 313.49443703144397);	/* exact_fisher(two(g, h))$conf.int[2] */
	outcome = outcome_of("chisq_test", "bbb", rows, lengthof(rows), (double[]) {0}, 1);
	same(&outcome, "statistic", 1.1024999999999996);	/* chisq.test(two(g, h), correct = FALSE)$statistic */
	outcome = outcome_of("chisq_test", "bb", rows, lengthof(rows), NULL, 0);
	same(&outcome, "p_value", 0.70766046665455251);	/* chisq.test(two(g, h))$p.value */
	outcome = outcome_of("mcnemar_test", "bb", rows, lengthof(rows), NULL, 0);
	same(&outcome, "statistic", 0);	/* mcnemar.test(two(g, h))$statistic */
	outcome = outcome_of("odds_ratio", "bb", rows, lengthof(rows), NULL, 0);
	same(&outcome, "estimate", 4.5);	/* odds(two(g, h))[1] */
	same(&outcome, "conf_low", 0.25134935049761453);	/* odds(two(g, h))[3] */
	outcome = outcome_of("risk_ratio", "bb", rows, lengthof(rows), NULL, 0);
	same(&outcome, "conf_high", 15.14327975122476);	/* risk(two(g, h))[4] */
	outcome = outcome_of("risk_difference", "bb", rows, lengthof(rows), NULL, 0);
	same(&outcome, "conf_high", 0.95370390558067031);	/* prop.test(two(g, h), correct = FALSE)$conf.int[2] */
}

/* What a constant far away does to a mean must not reach the deviations. */
static void
test_far_away(void)
{
	Row			far[lengthof(rows)];
	Outcome		near = outcome_of("summary", "n", rows, lengthof(rows), NULL, 0);
	Outcome		outcome;

	for (int i = 0; i < lengthof(rows); i++)
	{
		far[i] = rows[i];
		far[i].x += 1e12;		/* exact: eighths */
	}
	outcome = outcome_of("summary", "n", far, lengthof(rows), NULL, 0);
	same(&outcome, "variance", outcome_find(&near, "variance")->number);
	same(&outcome, "skewness", outcome_find(&near, "skewness")->number);
	same(&outcome, "kurtosis", outcome_find(&near, "kurtosis")->number);
}

static void
test_undefined(void)
{
	Row			two[] = {{1, 1, true, true}, {NAN, 2, false, false}};
	Outcome		outcome = outcome_of("summary", "n", rows, 0, NULL, 0);

	check(outcome.n == 2 && outcome_find(&outcome, "n")->number == 0, "no rows: nothing but their number");
	outcome = outcome_of("summary", "n", rows, 1, NULL, 0);
	check(outcome_find(&outcome, "mean") && !outcome_find(&outcome, "stddev") && !outcome_find(&outcome, "skewness"),
		  "one row has a mean alone");
	outcome = outcome_of("mean_ci", "n", two, 2, NULL, 0);
	check(isnan(outcome_find(&outcome, "estimate")->number) && outcome_find(&outcome, "n")->number == 2,
		  "of NaN only the number of rows is known");
	outcome = outcome_of("correlation_test", "nn", two, 1, NULL, 0);
	check(!outcome_find(&outcome, "estimate"), "no correlation of one row");
}

static void
test_options(void)
{
	LinearTotals totals = {.aggregate = linear_find("mean_ci", "n")};

	check_fails(ERRCODE_INVALID_PARAMETER_VALUE, linear_set_options(&totals, (double[]) {0}, 1), "a level of 0");
	check_fails(ERRCODE_INVALID_PARAMETER_VALUE, linear_set_options(&totals, (double[]) {NAN}, 1), "a level that is no number");
	linear_set_options(&totals, NULL, 0);
	check(linear_option(&totals, 'c') == 0.95, "the level that is meant if none is given");
	check_fails(ERRCODE_PROGRAM_LIMIT_EXCEEDED, fisher_two_by_two(5e6, 5e6, 5e6, 5e6, 0.95, ALTERNATIVE_TWO_SIDED),
				"Fisher's test of a table beyond its bound");
}

int
main(void)
{
	test_table();
	test_terms();
	test_against_r();
	test_far_away();
	test_undefined();
	test_options();
	return unit_done();
}
