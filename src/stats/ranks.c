/*
 * ranks.c
 *	  Tests by ranks: Wilcoxon, Mann-Whitney, Kruskal-Wallis, Kolmogorov-Smirnov, Spearman.
 */
#include "base/base.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/ranks.h"

/* sum of t^3 - t over values: zero if there are no ties */
static double
ties_of(const double *counts, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += counts[i] * counts[i] * counts[i] - counts[i];
	return sum;
}

/* z against the normal distribution, corrected for continuity as R does */
static double
normal_p(double distance, double sigma, Alternative alternative)
{
	double		correction = alternative == ALTERNATIVE_TWO_SIDED ? (distance > 0) - (distance < 0) : (double) alternative;
	double		z = (distance - correction / 2) / sigma;

	if (alternative == ALTERNATIVE_TWO_SIDED)
		return Min(1, 2 * Min(normal_probability(z, TAIL_LOWER), normal_probability(z, TAIL_UPPER)));
	return normal_probability(z, alternative == ALTERNATIVE_LESS ? TAIL_LOWER : TAIL_UPPER);
}

/* Exact tails: P(W <= w) and P(W >= w). */
static double
exact_p(double at_most, double at_least, bool above, Alternative alternative)
{
	if (alternative == ALTERNATIVE_TWO_SIDED)
		return Min(1, 2 * (above ? at_least : at_most));
	return alternative == ALTERNATIVE_LESS ? at_most : at_least;
}

/* ---- two groups ---- */

/* Numbers, rank sum of the first group, and ties. */
typedef struct RankSums
{
	double		n1;
	double		n2;
	double		sum;
	double		ties;
} RankSums;

static RankSums
rank_sums(const RankedValue *values, int n)
{
	RankSums	sums = {0};
	double		before = 0;

	for (int i = 0; i < n; i++)
	{
		double		here = values[i].counts[0] + values[i].counts[1];

		sums.n1 += values[i].counts[0];
		sums.n2 += values[i].counts[1];
		sums.sum += values[i].counts[0] * (before + (here + 1) / 2);
		sums.ties += ties_of(&here, 1);
		before += here;
	}
	return sums;
}

void
ranks_sum(const RankedValue *values, int n, Alternative alternative, Outcome *outcome)
{
	RankSums	sums = rank_sums(values, n);
	double		n1 = sums.n1;
	double		n2 = sums.n2;
	double		w = sums.sum - n1 * (n1 + 1) / 2;
	bool		exact = n1 < RANK_EXACT_MAX && n2 < RANK_EXACT_MAX && sums.ties == 0;
	double		sigma = sqrt(n1 * n2 / 12 * (n1 + n2 + 1 - sums.ties / ((n1 + n2) * (n1 + n2 - 1))));

	outcome_text(outcome, "method", exact ? "Wilcoxon rank sum exact test" :
				 "Wilcoxon rank sum test with continuity correction");
	outcome_count(outcome, "n1", n1);
	outcome_count(outcome, "n2", n2);
	if (n1 < 1 || n2 < 1)
		return;
	outcome_number(outcome, "statistic", w);
	if (exact)
		outcome_number(outcome, "p_value", exact_p(rank_sum_probability(w, n1, n2, TAIL_LOWER),
												   rank_sum_probability(w - 1, n1, n2, TAIL_UPPER),
												   w > n1 * n2 / 2, alternative));
	else if (sigma > 0)
		outcome_number(outcome, "p_value", normal_p(w - n1 * n2 / 2, sigma, alternative));
}

/* ---- one group ---- */

static int
compare_magnitudes(const void *a, const void *b)
{
	double		x = fabs(((const RankedValue *) a)->value);
	double		y = fabs(((const RankedValue *) b)->value);

	return (x > y) - (x < y);
}

/* n, V and ties of the values that are not zero, by magnitude. */
static void
signed_sums(RankedValue *values, int n, double *rows, double *v, double *ties)
{
	double		before = 0;

	*v = *ties = 0;
	qsort(values, n, sizeof(RankedValue), compare_magnitudes);
	for (int i = 0; i < n;)
	{
		double		here = 0;
		double		above = 0;
		int			first = i;

		for (; i < n && fabs(values[i].value) == fabs(values[first].value); i++)
		{
			here += values[i].counts[0];
			above += values[i].value > 0 ? values[i].counts[0] : 0;
		}
		*v += above * (before + (here + 1) / 2);
		*ties += ties_of(&here, 1);
		before += here;
	}
	*rows = before;
}

void
ranks_signed(const RankedValue *values, int n, Alternative alternative, Outcome *outcome)
{
	RankedValue *nonzero = palloc(sizeof(RankedValue) * (n + 1));
	int			kept = 0;
	double		rows,
				v,
				ties,
				sigma;
	bool		exact;

	for (int i = 0; i < n; i++)
		if (values[i].value != 0)
			nonzero[kept++] = values[i];
	signed_sums(nonzero, kept, &rows, &v, &ties);
	pfree(nonzero);
	exact = rows < RANK_EXACT_MAX && ties == 0 && kept == n;
	outcome_text(outcome, "method", exact ? "Wilcoxon signed rank exact test" :
				 "Wilcoxon signed rank test with continuity correction");
	if (rows < 1)
		return;
	outcome_number(outcome, "statistic", v);
	sigma = sqrt(rows * (rows + 1) * (2 * rows + 1) / 24 - ties / 48);
	if (exact)
		outcome_number(outcome, "p_value", exact_p(signed_rank_probability(v, rows, TAIL_LOWER),
												   signed_rank_probability(v - 1, rows, TAIL_UPPER),
												   v > rows * (rows + 1) / 4, alternative));
	else
		outcome_number(outcome, "p_value", normal_p(v - rows * (rows + 1) / 4, sigma, alternative));
}

/* ---- several groups ---- */

void
ranks_kruskal(const RankedValue *values, int n, int groups, Outcome *outcome)
{
	double	   *sums = palloc0(sizeof(double) * groups);
	double	   *sizes = palloc0(sizeof(double) * groups);
	double		rows = 0;
	double		ties = 0;
	double		statistic = 0;

	for (int i = 0; i < n; i++)
	{
		double		here = 0;

		for (int g = 0; g < groups; g++)
			here += values[i].counts[g];
		for (int g = 0; g < groups; g++)
		{
			sizes[g] += values[i].counts[g];
			sums[g] += values[i].counts[g] * (rows + (here + 1) / 2);
		}
		ties += ties_of(&here, 1);
		rows += here;
	}
	outcome_text(outcome, "method", "Kruskal-Wallis rank sum test");
	for (int g = 0; g < groups; g++)
		statistic += sums[g] * sums[g] / sizes[g];
	statistic = (12 * statistic / (rows * (rows + 1)) - 3 * (rows + 1)) / (1 - ties / (rows * rows * rows - rows));
	if (groups > 1 && isfinite(statistic))
	{
		outcome_number(outcome, "statistic", statistic);
		outcome_number(outcome, "df", groups - 1);
		outcome_number(outcome, "p_value", chi_squared_probability(statistic, groups - 1, TAIL_UPPER));
	}
	pfree(sums);
	pfree(sizes);
}

/* ---- Kolmogorov-Smirnov ---- */

/* Kolmogorov's limit: 2 sum of (-1)^(k-1) exp(-2 k^2 x^2), or its other form for small x. */
static double
kolmogorov_upper(double x)
{
	double		sum = 0;

	if (x <= 0)
		return 1;
	if (x < 1)
	{
		double		z = -(M_PI * M_PI / 8) / (x * x);

		for (int k = 1; k < 200; k += 2)
			sum += exp(k * k * z);
		return 1 - sum * sqrt(2 * M_PI) / x;
	}
	for (int k = 1; k < 200; k++)
		sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * x * x);
	return sum;
}

/*
 * The share of lattice paths from (0, 0) to (n1, n2) that go as far as d from
 * the diagonal at the end of some value: there only are the distribution
 * functions compared.
 */
static double
paths_upper(const RankedValue *values, int n, int n1, int n2, double d)
{
	bool	   *ends = palloc0(sizeof(bool) * (n1 + n2 + 1));
	double	   *beyond = palloc(sizeof(double) * (n2 + 1));
	int			at = 0;
	double		result;

	for (int i = 0; i < n; i++)
	{
		at += (int) (values[i].counts[0] + values[i].counts[1]);
		ends[at] = true;
	}
	for (int i = 0; i <= n1; i++)
		for (int j = 0; j <= n2; j++)
		{
			double		here = i + j == 0 ? 0 : i == 0 ? beyond[j - 1] : j == 0 ? beyond[j] :
				(double) i / (i + j) * beyond[j] + (double) j / (i + j) * beyond[j - 1];

			if (ends[i + j] && fabs((double) i / n1 - (double) j / n2) >= d - 1e-7 / ((double) n1 * n2))
				here = 1;
			beyond[j] = here;
		}
	result = beyond[n2];
	pfree(ends);
	pfree(beyond);
	return result;
}

void
ranks_smirnov(const RankedValue *values, int n, Outcome *outcome)
{
	RankSums	sums = rank_sums(values, n);
	bool		exact = sums.n1 * sums.n2 < 10000;
	double		x = 0;
	double		y = 0;
	double		d = 0;

	outcome_text(outcome, "method", exact ? "Exact two-sample Kolmogorov-Smirnov test" :
				 "Asymptotic two-sample Kolmogorov-Smirnov test");
	outcome_count(outcome, "n1", sums.n1);
	outcome_count(outcome, "n2", sums.n2);
	if (sums.n1 < 1 || sums.n2 < 1)
		return;
	for (int i = 0; i < n; i++)
	{
		x += values[i].counts[0];
		y += values[i].counts[1];
		d = Max(d, fabs(x / sums.n1 - y / sums.n2));
	}
	outcome_number(outcome, "statistic", d);
	outcome_number(outcome, "p_value", exact ? paths_upper(values, n, (int) sums.n1, (int) sums.n2, d) :
				   Max(0, Min(1, kolmogorov_upper(sqrt(sums.n1 * sums.n2 / (sums.n1 + sums.n2)) * d))));
}

/* ---- Spearman ---- */

typedef struct RankedRow
{
	double		value;
	int			pair;
} RankedRow;

static int
compare_rows(const void *a, const void *b)
{
	double		x = ((const RankedRow *) a)->value;
	double		y = ((const RankedRow *) b)->value;

	return (x > y) - (x < y);
}

/* The mean rank of each pair's rows by x or y; true if there are no ties. */
static bool
rank_pairs(const RankedPair *pairs, int n, bool by_y, double *ranks)
{
	RankedRow  *rows = palloc(sizeof(RankedRow) * (n + 1));
	double		before = 0;
	bool		distinct = true;

	for (int i = 0; i < n; i++)
		rows[i] = (RankedRow) {by_y ? pairs[i].y : pairs[i].x, i};
	qsort(rows, n, sizeof(RankedRow), compare_rows);
	for (int i = 0; i < n;)
	{
		int			first = i;
		double		here = 0;

		for (; i < n && rows[i].value == rows[first].value; i++)
			here += pairs[rows[i].pair].count;
		for (int j = first; j < i; j++)
			ranks[rows[j].pair] = before + (here + 1) / 2;
		distinct = distinct && here == 1;
		before += here;
	}
	pfree(rows);
	return distinct;
}

/* Permutations of n ranks with sum of squared differences of at least s: by going through all. */
static void
count_permutations(int n, int at, uint32 used, double sum, double s, double *found)
{
	if (at == n)
	{
		*found += sum >= s;
		return;
	}
	for (int i = 0; i < n; i++)
		if (!(used & (1u << i)))
			count_permutations(n, at + 1, used | 1u << i, sum + (double) (i - at) * (i - at), s, found);
}

#define PERMUTATIONS_MAX	9

/* P(S >= s) for the sum S of squared rank differences; AS 89. */
static double
spearman_upper(double n, double s)
{
	double		b = 1 / n;
	double		x = (6 * (s - 1) * b / (n * n - 1) - 1) * sqrt(n - 1);
	double		y = x * x;
	double		u = x * b * (0.2274 + b * (0.2531 + 0.1745 * b) + y * (-0.0758 + b * (0.1033 + 0.3932 * b) -
		y * b * (0.0879 + 0.0151 * b - y * (0.0072 - 0.0831 * b + y * b * (0.0131 - 4.6e-4 * y)))));

	if (n <= PERMUTATIONS_MAX)
	{
		double		found = 0;

		count_permutations((int) n, 0, 0, 0, s, &found);
		return found / exp(log_gamma(n + 1));
	}
	return Max(0, Min(1, u / exp(y / 2) + normal_probability(x, TAIL_UPPER)));
}

/* R rounds s, and asks for the tail on the side on which s lies. */
static double
spearman_p(double n, double r)
{
	double		s = rint((n * n * n - n) * (1 - r) / 6);
	double		p = s > (n * n * n - n) / 6 ? spearman_upper(n, s) : 1 - spearman_upper(n, s + 2);

	return Min(1, 2 * p);
}

void
ranks_spearman(const RankedPair *pairs, int n, Outcome *outcome)
{
	double	   *x = palloc(sizeof(double) * (n + 1));
	double	   *y = palloc(sizeof(double) * (n + 1));
	bool		distinct = rank_pairs(pairs, n, false, x);
	double		rows = 0;
	double		sxx = 0;
	double		syy = 0;
	double		sxy = 0;
	double		r;

	distinct = rank_pairs(pairs, n, true, y) && distinct;
	for (int i = 0; i < n; i++)
		rows += pairs[i].count;
	for (int i = 0; i < n; i++)
	{
		double		dx = x[i] - (rows + 1) / 2;
		double		dy = y[i] - (rows + 1) / 2;

		sxx += pairs[i].count * dx * dx;
		syy += pairs[i].count * dy * dy;
		sxy += pairs[i].count * dx * dy;
	}
	pfree(x);
	pfree(y);
	outcome_text(outcome, "method", "Spearman's rank correlation rho");
	if (rows < 2 || sxx == 0 || syy == 0)
		return;
	r = sxy / sqrt(sxx * syy);
	outcome_number(outcome, "estimate", r);
	outcome_number(outcome, "statistic", (rows * rows * rows - rows) * (1 - r) / 6);
	if (rows <= 1290 && distinct)
		outcome_number(outcome, "p_value", spearman_p(rows, r));
	else if (rows > 2)
		outcome_number(outcome, "p_value", Min(1, 2 * student_probability(fabs(r) / sqrt((1 - r * r) / (rows - 2)),
																	   rows - 2, TAIL_UPPER)));
}
