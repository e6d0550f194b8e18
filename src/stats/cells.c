/*
 * cells.c
 *	  Contingency tables of any size, and of strata.
 */
#include "base/base.h"

#include <math.h>

#include "stats/cells.h"
#include "stats/distribution.h"

/* ---- margins ---- */

typedef struct Margins
{
	int			rows;
	int			columns;
	double	   *row;
	double	   *column;
	double		n;
	double	   *cells;			/* without empty rows and columns */
} Margins;

static double
sum_of(const double *values, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += values[i];
	return sum;
}

static double *
column_sums(const CellTable *table)
{
	double	   *sums = palloc0(sizeof(double) * (table->columns + 1));

	for (int i = 0; i < table->rows; i++)
		for (int j = 0; j < table->columns; j++)
			sums[j] += table->cells[(size_t) i * table->columns + j];
	return sums;
}

static Margins
take_margins(const CellTable *table)
{
	Margins		out = {0};
	double	   *sums = column_sums(table);

	out.row = palloc(sizeof(double) * (table->rows + 1));
	out.column = palloc(sizeof(double) * (table->columns + 1));
	out.cells = palloc(sizeof(double) * ((size_t) table->rows * table->columns + 1));
	for (int j = 0; j < table->columns; j++)
		if (sums[j] > 0)
			out.column[out.columns++] = sums[j];
	for (int i = 0; i < table->rows; i++)
	{
		const double *row = table->cells + (size_t) i * table->columns;
		int			column = 0;

		if (sum_of(row, table->columns) == 0)
			continue;
		for (int j = 0; j < table->columns; j++)
			if (sums[j] > 0)
				out.cells[out.rows * out.columns + column++] = row[j];
		out.row[out.rows++] = sum_of(row, table->columns);
	}
	pfree(sums);
	out.n = sum_of(out.row, out.rows);
	return out;
}

/* ---- chi-square ---- */

static double
yates(const Margins *margins)
{
	double		least = 0.5;

	for (int i = 0; i < margins->rows; i++)
		for (int j = 0; j < margins->columns; j++)
			least = Min(least, fabs(margins->cells[i * margins->columns + j] -
									margins->row[i] * margins->column[j] / margins->n));
	return least;
}

void
cells_chi_squared(const CellTable *table, bool correct, Outcome *outcome)
{
	Margins		margins = take_margins(table);
	double		correction = correct && margins.rows == 2 && margins.columns == 2 ? yates(&margins) : 0;
	double		statistic = 0;
	double		df = (margins.rows - 1.0) * (margins.columns - 1.0);

	outcome_text(outcome, "method", correction > 0 ?
				 "Pearson's Chi-squared test with Yates' continuity correction" : "Pearson's Chi-squared test");
	if (margins.rows < 2 || margins.columns < 2)
		return;
	for (int i = 0; i < margins.rows; i++)
		for (int j = 0; j < margins.columns; j++)
		{
			double		expected = margins.row[i] * margins.column[j] / margins.n;
			double		distance = fabs(margins.cells[i * margins.columns + j] - expected) - correction;

			statistic += distance * distance / expected;
		}
	outcome_number(outcome, "statistic", statistic);
	outcome_number(outcome, "df", df);
	outcome_number(outcome, "p_value", chi_squared_probability(statistic, df, TAIL_UPPER));
}

/* ---- Fisher ---- */

/*
 * Where the search is: what of each row is not yet placed, in which column,
 * and the logarithm of the part of the probability that is settled.
 */
typedef struct Search
{
	const Margins *margins;
	double	   *left;			/* of each row */
	double	   *log_factorial;	/* of 0 .. n */
	double		bound;			/* log probability of the table, and a little */
	double		sum;
	uint64		tables;
	void		(*interrupt) (void);
} Search;

static double *
log_factorials(double n)
{
	double	   *table;

	if (n >= FISHER_SUPPORT_MAX)
		fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "Fisher's exact test is for smaller tables: this one has %.0f rows", n);
	table = palloc(sizeof(double) * ((size_t) n + 1));
	for (int i = 0; i <= n; i++)
		table[i] = log_gamma(i + 1.0);
	return table;
}

static double
log_factorial(const Search *search, double n)
{
	return search->log_factorial[(size_t) n];
}

/* All is placed but the last column, which takes what is left. */
static void
count_table(Search *search, double log_p)
{
	for (int i = 0; i < search->margins->rows; i++)
		log_p -= log_factorial(search, search->left[i]);
	if (log_p <= search->bound)
		search->sum += exp(log_p);
	if (++search->tables > FISHER_TABLES_MAX)
		fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "Fisher's exact test would go through more than %d tables", FISHER_TABLES_MAX);
	if (search->tables % 65536 == 0 && search->interrupt != NULL)
		search->interrupt();
}

static void
place(Search *search, int column, int row, double remaining, double log_p)
{
	const Margins *margins = search->margins;
	double		later = 0;
	double		least;
	double		most;

	if (column == margins->columns - 1)
	{
		count_table(search, log_p);
		return;
	}
	if (row == margins->rows)
	{
		place(search, column + 1, 0, margins->column[column + 1], log_p);
		return;
	}
	/* the rows below must be able to take the rest */
	for (int i = row + 1; i < margins->rows; i++)
		later += search->left[i];
	least = Max(0, remaining - later);
	most = Min(remaining, search->left[row]);
	for (double x = least; x <= most; x++)
	{
		search->left[row] -= x;
		place(search, column, row + 1, remaining - x, log_p - log_factorial(search, x));
		search->left[row] += x;
	}
}

void
cells_fisher(const CellTable *table, void (*interrupt) (void), Outcome *outcome)
{
	Margins		margins = take_margins(table);
	Search		search = {.margins = &margins,.interrupt = interrupt};
	double		constant;
	double		observed;

	outcome_text(outcome, "method", "Fisher's Exact Test for Count Data");
	if (margins.rows < 2 || margins.columns < 2)
		return;
	if ((double) margins.rows * margins.columns > FISHER_CELLS_MAX)
		fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "Fisher's exact test is for smaller tables: this one has %d rows and %d columns",
			 margins.rows, margins.columns);
	search.log_factorial = log_factorials(margins.n);
	constant = -log_factorial(&search, margins.n);
	for (int i = 0; i < margins.rows; i++)
		constant += log_factorial(&search, margins.row[i]);
	for (int j = 0; j < margins.columns; j++)
		constant += log_factorial(&search, margins.column[j]);
	observed = constant;
	for (int i = 0; i < margins.rows * margins.columns; i++)
		observed -= log_factorial(&search, margins.cells[i]);
	search.bound = observed + 1e-7;
	search.left = palloc(sizeof(double) * margins.rows);
	memcpy(search.left, margins.row, sizeof(double) * margins.rows);
	place(&search, 0, 0, margins.column[0], constant);
	outcome_number(outcome, "p_value", Min(1, search.sum));
}

/* ---- strata ---- */

/* Sums over strata, in the letters of R's mantelhaen.test. */
typedef struct StrataSums
{
	double		difference;		/* a - E(a) */
	double		variance;
	double		diagonal;		/* ad / n */
	double		off;			/* bc / n */
	double		pr;				/* (a + d) ad / n^2 */
	double		ps_qr;			/* (a + d) bc + (b + c) ad */
	double		qs;				/* (b + c) bc */
	int			strata;
} StrataSums;

static void
add_stratum(StrataSums *sums, const Stratum *s)
{
	double		n = s->a + s->b + s->c + s->d;
	double		row1 = s->a + s->b;
	double		row2 = s->c + s->d;
	double		column1 = s->a + s->c;
	double		column2 = s->b + s->d;

	if (n < 2)
		return;
	sums->strata++;
	sums->difference += s->a - row1 * column1 / n;
	sums->variance += row1 * row2 * column1 * column2 / (n * n * (n - 1));
	sums->diagonal += s->a * s->d / n;
	sums->off += s->b * s->c / n;
	sums->pr += (s->a + s->d) * s->a * s->d / (n * n);
	sums->ps_qr += ((s->a + s->d) * s->b * s->c + (s->b + s->c) * s->a * s->d) / (n * n);
	sums->qs += (s->b + s->c) * s->b * s->c / (n * n);
}

void
cells_mantel_haenszel(const Stratum *strata, int n, bool correct, double level, Outcome *outcome)
{
	StrataSums	sums = {0};
	double		ratio;
	double		error;
	double		correction;
	double		z = normal_quantile((1 - level) / 2, TAIL_UPPER);

	for (int i = 0; i < n; i++)
		add_stratum(&sums, &strata[i]);
	correction = correct && fabs(sums.difference) >= 0.5 ? 0.5 : 0;
	outcome_text(outcome, "method", correction > 0 ?
				 "Mantel-Haenszel chi-squared test with continuity correction" :
				 "Mantel-Haenszel chi-squared test without continuity correction");
	outcome_count(outcome, "strata", sums.strata);
	if (sums.variance > 0)
	{
		double		distance = fabs(sums.difference) - correction;

		outcome_number(outcome, "statistic", distance * distance / sums.variance);
		outcome_number(outcome, "df", 1);
		outcome_number(outcome, "p_value", chi_squared_probability(distance * distance / sums.variance, 1, TAIL_UPPER));
	}
	ratio = sums.diagonal / sums.off;
	if (isnan(ratio))
		return;
	outcome_number(outcome, "estimate", ratio);
	error = sqrt(sums.pr / (2 * sums.diagonal * sums.diagonal) + sums.ps_qr / (2 * sums.diagonal * sums.off) +
				 sums.qs / (2 * sums.off * sums.off));
	if (!isfinite(error))
		return;
	outcome_number(outcome, "standard_error", error);
	outcome_number(outcome, "conf_low", ratio * exp(-z * error));
	outcome_number(outcome, "conf_high", ratio * exp(z * error));
}
