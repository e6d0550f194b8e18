/*
 * histogram_sql.c
 *	  How many rows lie between public breaks, of one variable or of two.
 *
 * Bins are closed on the right, the first one on both sides: (a, b], as R's
 * hist().  What lies outside is counted in a bin below the first and in one
 * above the last, so that nothing is lost unseen.  One question with GROUP BY of
 * a CASE, whose values are the numbers of the bins.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "stats/breaks_sql.h"
#include "stats/relation_sql.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_histogram);
PG_FUNCTION_INFO_V1(secmed_histogram_2d);

static Breaks
breaks_argument(ArrayType *array)
{
	return breaks_of_array(array, 2, "the breaks of a histogram");
}

/* The number of the bin of x: 0 below the first, n above the last; NaN is in none. */
static char *
bin_of_expression(const char *x, const Breaks *breaks)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CASE WHEN %s::pg_catalog.float8 < '%.17g'::pg_catalog.float8 THEN 0", x, breaks->at[0]);
	for (int i = 1; i < breaks->n; i++)
		appendStringInfo(&sql, " WHEN %s::pg_catalog.float8 <= '%.17g'::pg_catalog.float8 THEN %d", x, breaks->at[i], i);
	appendStringInfo(&sql, " WHEN %s::pg_catalog.float8 <= 'Infinity'::pg_catalog.float8 THEN %d END", x, breaks->n);
	return sql.data;
}

static double
lower_of(const Breaks *breaks, int bin)
{
	return bin == 0 ? -INFINITY : breaks->at[bin - 1];
}

static double
upper_of(const Breaks *breaks, int bin)
{
	return bin == breaks->n ? INFINITY : breaks->at[bin];
}

/* ---- one variable ---- */

/* Counts of all bins, -1 where withheld. */
static int64 *
ask_bins(const char *x, const Breaks *breaks, Oid relation)
{
	int64	   *counts = palloc0(sizeof(int64) * (breaks->n + 1));
	uint64		rows;

	relation_begin();
	rows = relation_query(psprintf("SELECT bin::pg_catalog.int8, n FROM (SELECT %s AS bin, pg_catalog.count(*) AS n FROM %s GROUP BY 1) AS bins",
								   bin_of_expression(x, breaks), relation_name(relation)));
	for (uint64 i = 0; i < rows; i++)
		if (!relation_is_null(i, 0))
			counts[relation_count(i, 0)] = relation_is_null(i, 1) ? -1 : relation_count(i, 1);
	relation_end();
	return counts;
}

/* What density is relative to: rows within the breaks; 0 if some are withheld. */
static double
rows_within(const int64 *counts, const Breaks *breaks)
{
	double		n = 0;

	for (int bin = 1; bin < breaks->n; bin++)
	{
		if (counts[bin] < 0)
			return 0;
		n += counts[bin];
	}
	return n;
}

/* histogram(x text, relation regclass, breaks double precision[]): bin, lower, upper, n, density */
Datum
secmed_histogram(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *x = expression_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Breaks		breaks = breaks_argument(PG_GETARG_ARRAYTYPE_P(2));
	int64	   *counts;
	double		within;

	InitMaterializedSRF(fcinfo, 0);
	counts = ask_bins(x, &breaks, PG_GETARG_OID(1));
	within = rows_within(counts, &breaks);
	for (int bin = 0; bin <= breaks.n; bin++)
	{
		double		lower = lower_of(&breaks, bin);
		double		upper = upper_of(&breaks, bin);
		bool		inside = bin > 0 && bin < breaks.n;
		Datum		values[5] = {Int32GetDatum(bin), Float8GetDatum(lower), Float8GetDatum(upper), Int64GetDatum(counts[bin]),
		Float8GetDatum(counts[bin] / (within * (upper - lower)))};
		bool		nulls[5] = {false, false, false, counts[bin] < 0, !inside || within == 0};

		if (inside || counts[bin] != 0)
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* ---- two variables ---- */

/* histogram_2d(x text, y text, relation regclass, x_breaks, y_breaks): bins and limits of both, n */
Datum
secmed_histogram_2d(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *x = expression_of_text(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *y = expression_of_text(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	Breaks		x_breaks = breaks_argument(PG_GETARG_ARRAYTYPE_P(3));
	Breaks		y_breaks = breaks_argument(PG_GETARG_ARRAYTYPE_P(4));
	uint64		rows;

	InitMaterializedSRF(fcinfo, 0);
	relation_begin();
	rows = relation_query(psprintf("SELECT x::pg_catalog.int8, y::pg_catalog.int8, n FROM "
								   "(SELECT %s AS x, %s AS y, pg_catalog.count(*) AS n FROM %s GROUP BY 1, 2) AS bins ORDER BY 1, 2",
								   bin_of_expression(x, &x_breaks), bin_of_expression(y, &y_breaks),
								   relation_name(PG_GETARG_OID(2))));
	for (uint64 i = 0; i < rows; i++)
	{
		int			bx = (int) relation_count(i, 0);
		int			by = (int) relation_count(i, 1);
		Datum		values[7] = {Int32GetDatum(bx), Int32GetDatum(by),
			Float8GetDatum(lower_of(&x_breaks, bx)), Float8GetDatum(upper_of(&x_breaks, bx)),
			Float8GetDatum(lower_of(&y_breaks, by)), Float8GetDatum(upper_of(&y_breaks, by)),
		Int64GetDatum(relation_count(i, 2))};
		bool		nulls[7] = {0, 0, 0, 0, 0, 0, relation_is_null(i, 2)};

		if (!relation_is_null(i, 0) && !relation_is_null(i, 1))
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	relation_end();
	return (Datum) 0;
}
