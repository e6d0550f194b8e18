/*
 * linear.c
 *	  The table of linear aggregates, and how it is read.
 */
#include "base/base.h"

#include <ctype.h>
#include <math.h>

#include "stats/diagnostic.h"
#include "stats/linear.h"
#include "stats/moments.h"
#include "stats/rates.h"
#include "stats/student.h"
#include "stats/two_by_two.h"

#define CELLS	"* ed eD Ed ED"

static const LinearAggregate aggregates[] = {
	{"summary", "x", "", "ct", "* 1 x xx xxx xxxx", moments_summary},
	{"skewness", "x", "", "t", "1 x xx xxx", moments_skewness},
	{"kurtosis", "x", "", "t", "1 x xx xxx xxxx", moments_kurtosis},
	{"standard_error", "x", "", "", "1 x xx", moments_standard_error},
	{"mean_ci", "x", "", "c", "* 1 x xx", moments_mean_ci},
	{"weighted_mean", "xw", "", "", "x w xw", moments_weighted_mean},
	{"weighted_variance", "xw", "", "", "1 x w xw ww xxw", moments_weighted_variance},
	{"proportion_ci", "", "e", "ck", "* e E", proportion_wilson},
	{"proportion_ci_exact", "", "e", "c", "* e E", proportion_exact},
	{"t_test", "x", "", "mca", "* 1 x xx", student_one_sample},
	{"t_test", "x", "g", "ca", "* g xg xxg G xG xxG", student_welch},
	{"t_test_pooled", "x", "g", "ca", "* g xg xxg G xG xxG", student_pooled},
	{"t_test_paired", "xy", "", "ca", "* 1 x y xx yy xy", student_paired},
	{"variance_test", "x", "g", "ca", "* g xg xxg G xG xxG", student_variances},
	{"correlation_test", "xy", "", "ca", "* 1 x y xx yy xy", student_correlation},
	{"trend_test", "x", "e", "", "* e xe xxe E xE xxE", two_by_two_trend},
	{"odds_ratio", "", "ed", "c", CELLS, two_by_two_odds_ratio},
	{"risk_ratio", "", "ed", "c", CELLS, two_by_two_risk_ratio},
	{"risk_difference", "", "ed", "c", CELLS, two_by_two_risk_difference},
	{"chisq_test", "", "ed", "k", CELLS, two_by_two_chi_squared},
	{"fisher_test", "", "ed", "ca", CELLS, two_by_two_fisher},
	{"mcnemar_test", "", "ed", "k", CELLS, two_by_two_mcnemar},
	{"incidence_rate", "t", "e", "c", "* e E t", rates_of_events},
	{"incidence_rate", "td", "", "c", "* 1 t d", rates_of_counts},
	{"rate_ratio", "t", "ed", "c", CELLS " te tE", rates_ratio},
	{"rate_difference", "t", "ed", "c", CELLS " te tE", rates_difference},
	{"diagnostic_test", "", "pd", "c", "* pd pD Pd PD", diagnostic_test},
};

static const struct
{
	char		letter;
	char		type;
	double		initial;
}			options[] = {
	{'c', 'n', 0.95},
	{'m', 'n', 0},
	{'a', 't', ALTERNATIVE_TWO_SIDED},
	{'k', 'b', true},
	{'t', 'i', 3},
};

const LinearAggregate *
linear_all(int *n)
{
	*n = lengthof(aggregates);
	return aggregates;
}

static int
find_option(char letter)
{
	for (int i = 0; i < lengthof(options); i++)
		if (options[i].letter == letter)
			return i;
	fail(ERRCODE_INTERNAL_ERROR, "no option %c of an aggregate", letter);
}

/* ---- finding ---- */

int
linear_nargs(const LinearAggregate *aggregate)
{
	return (int) (strlen(aggregate->numbers) + strlen(aggregate->truths));
}

/* All arguments, and as many of the options as there are types left. */
static bool
types_match(const LinearAggregate *aggregate, const char *types)
{
	size_t		nnumbers = strlen(aggregate->numbers);
	size_t		nargs = linear_nargs(aggregate);

	if (strlen(types) < nargs || strlen(types) > nargs + strlen(aggregate->options))
		return false;
	for (size_t i = 0; types[i] != '\0'; i++)
	{
		char		wanted = i < nnumbers ? 'n' : 'b';

		if (i >= nargs)
			wanted = options[find_option(aggregate->options[i - nargs])].type;
		if (types[i] != wanted)
			return false;
	}
	return true;
}

const LinearAggregate *
linear_find(const char *name, const char *types)
{
	for (int i = 0; i < lengthof(aggregates); i++)
		if (strcmp(aggregates[i].name, name) == 0 && types_match(&aggregates[i], types))
			return &aggregates[i];
	return NULL;
}

/* ---- terms ---- */

int
linear_nterms(const LinearAggregate *aggregate)
{
	int			n = 1;

	for (const char *c = aggregate->terms; *c != '\0'; c++)
		n += *c == ' ';
	return n;
}

/* Where the term begins. */
static const char *
term_text(const LinearAggregate *aggregate, int which)
{
	const char *c = aggregate->terms;

	for (; which > 0; c++)
		which -= *c == ' ';
	return c;
}

/* One letter of a term. */
static void
read_letter(const LinearAggregate *aggregate, char letter, LinearTerm *out)
{
	const char *number = strchr(aggregate->numbers, letter);
	const char *truth = strchr(aggregate->truths, tolower((unsigned char) letter));
	size_t		nnumbers = strlen(aggregate->numbers);

	if (number != NULL)
		out->factors[out->nfactors++] = (int) (number - aggregate->numbers);
	else if (truth != NULL)
		out->where[nnumbers + (truth - aggregate->truths)] =
			isupper((unsigned char) letter) ? LINEAR_FALSE : LINEAR_TRUE;
	else
		fail(ERRCODE_INTERNAL_ERROR, "no argument %c of %s", letter, aggregate->name);
}

void
linear_term(const LinearAggregate *aggregate, int which, LinearTerm *out)
{
	const char *c = term_text(aggregate, which);

	memset(out, 0, sizeof(*out));
	if (*c == '*')
		return;
	for (int i = 0; i < linear_nargs(aggregate); i++)
		out->where[i] = LINEAR_PRESENT;
	for (; *c != ' ' && *c != '\0'; c++)
		if (*c != '1')
			read_letter(aggregate, *c, out);
}

/* ---- options ---- */

static void
check_option(char letter, double value)
{
	if (letter == 'c' && !(value > 0 && value < 1))
		fail(ERRCODE_INVALID_PARAMETER_VALUE, "a confidence level lies between 0 and 1, as 0.95 does");
	if (letter == 'm' && !isfinite(value))
		fail(ERRCODE_INVALID_PARAMETER_VALUE, "the hypothetical mean must be finite");
	if (letter == 't' && !(value >= 1 && value <= 3))
		fail(ERRCODE_INVALID_PARAMETER_VALUE, "skewness and kurtosis have the types 1, 2 and 3");
}

void
linear_set_options(LinearTotals *totals, const double *values, int n)
{
	const char *letters = totals->aggregate->options;

	for (int i = 0; letters[i] != '\0'; i++)
	{
		totals->options[i] = i < n ? values[i] : options[find_option(letters[i])].initial;
		check_option(letters[i], totals->options[i]);
	}
}

double
linear_option(const LinearTotals *totals, char letter)
{
	const char *letters = totals->aggregate->options;
	const char *found = strchr(letters, letter);

	return found ? totals->options[found - letters] : options[find_option(letter)].initial;
}

/* ---- totals ---- */

static const LinearTotal *
total_of(const LinearTotals *totals, const char *term)
{
	int			nterms = linear_nterms(totals->aggregate);
	size_t		len = strlen(term);

	for (int i = 0; i < nterms; i++)
	{
		const char *text = term_text(totals->aggregate, i);

		if (strncmp(text, term, len) == 0 && (text[len] == ' ' || text[len] == '\0'))
			return &totals->terms[i];
	}
	fail(ERRCODE_INTERNAL_ERROR, "no term %s of %s", term, totals->aggregate->name);
}

double
linear_count(const LinearTotals *totals, const char *term)
{
	return (double) total_of(totals, term)->count;
}

Exact
linear_exact(const LinearTotals *totals, ExactFrame *frame, const char *term)
{
	const LinearTotal *total = total_of(totals, term);

	if (total->nlimbs == 0)
		return exact_of_integer(frame, total->count);
	return exact_of_limbs(frame, total->limbs, total->nlimbs, total->exponent);
}

double
linear_sum(const LinearTotals *totals, const char *term)
{
	ExactFrame *frame = exact_begin();
	double		sum = exact_to_double(frame, linear_exact(totals, frame, term));

	exact_end(frame);
	return sum;
}

void
linear_compute(const LinearTotals *totals, Outcome *outcome)
{
	bool		special = false;

	memset(outcome, 0, sizeof(*outcome));
	for (int i = 0; i < linear_nterms(totals->aggregate); i++)
		special = special || totals->terms[i].special;
	totals->aggregate->compute(totals, outcome);
	for (int i = 0; special && i < outcome->n; i++)
		if (outcome->values[i].kind == OUTCOME_NUMBER)
			outcome->values[i].number = NAN;
}
