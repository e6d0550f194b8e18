/*
 * survival_sql.c
 *	  secmed.survfit(), survfit_summary() and survdiff(): curves of times until
 *	  an event and the log-rank test, over local tables and federations alike.
 *
 * They run as their caller, who needs the rights on the relation.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "model/survival.h"
#include "stats/distribution.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(secmed_survfit);
PG_FUNCTION_INFO_V1(secmed_survfit_summary);
PG_FUNCTION_INFO_V1(secmed_survdiff);

/* ---- arguments ---- */

typedef struct Asked
{
	SurvivalDesign *survival;
	SurvivalCounts *counts;		/* of each arm and stratum */
	int64		missing;
	SurvivalLimits limits;
	double		z;
	MemoryContext context;		/* which outlives SPI */
} Asked;

static void
bad_argument(const char *name, const char *rule)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s %s", name, rule)));
}

static char *
text_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static void
read_limits(Asked *asked, FunctionCallInfo fcinfo, int type, int level)
{
	double		conf_level;

	asked->limits = PG_ARGISNULL(type) ? 0 : survival_limits_of_name(text_argument(fcinfo, type));
	if (asked->limits == 0)
		bad_argument("conf_type", "is plain, log or log-log");
	conf_level = PG_ARGISNULL(level) ? -1 : PG_GETARG_FLOAT8(level);
	if (!(conf_level > 0 && conf_level < 1))
		bad_argument("conf_level", "is between 0 and 1");
	asked->z = normal_quantile((1 - conf_level) / 2, TAIL_UPPER);
}

static int
compare_times(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Sorted, each once; NULL if none are asked for. */
static double *
asked_times(FunctionCallInfo fcinfo, int i, int *n)
{
	ArrayType  *array;
	double	   *times;
	int			all;

	*n = 0;
	if (PG_ARGISNULL(i))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(i);
	all = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) != 1 || ARR_HASNULL(array) || all == 0)
		bad_argument("times", "are a list of numbers");
	times = palloc(sizeof(double) * all);
	memcpy(times, ARR_DATA_PTR(array), sizeof(double) * all);
	qsort(times, all, sizeof(double), compare_times);
	for (int j = 0; j < all; j++)
	{
		if (isnan(times[j]) || isinf(times[j]))
			bad_argument("times", "are a list of numbers");
		if (*n == 0 || times[*n - 1] != times[j])
			times[(*n)++] = times[j];
	}
	return times;
}

/* Arguments 0 and 1 are the formula and the relation. */
static void
ask(Asked *asked, FunctionCallInfo fcinfo, int where, int levels)
{
	asked->context = CurrentMemoryContext;
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		bad_argument(PG_ARGISNULL(0) ? "formula" : "relation", "can't be NULL");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	asked->survival = survival_design(text_argument(fcinfo, 0), PG_GETARG_OID(1), text_argument(fcinfo, where),
									  PG_ARGISNULL(levels) ? NULL : PG_GETARG_JSONB_P(levels));
	asked->counts = survival_count(asked->survival, asked->context, &asked->missing);
}

/* strata() only make more arms of a curve. */
static int
curves_of(const Asked *asked)
{
	return asked->survival->arms.n * asked->survival->strata.n;
}

static char *
curve_name(const Asked *asked, int curve)
{
	const Combinations *arms = &asked->survival->arms;
	const Combinations *strata = &asked->survival->strata;
	char	   *arm = arms->names ? arms->names[curve / strata->n] : NULL;
	char	   *stratum = strata->names ? strata->names[curve % strata->n] : NULL;

	return arm && stratum ? psprintf("%s, %s", arm, stratum) : arm ? arm : stratum;
}

/* ---- rows ---- */

static void
set_number(Datum *values, bool *nulls, int i, double number)
{
	nulls[i] = isnan(number);
	values[i] = Float8GetDatum(number);
}

static void
set_name(Datum *values, bool *nulls, int i, const char *name)
{
	nulls[i] = name == NULL;
	values[i] = name ? CStringGetTextDatum(name) : (Datum) 0;
}

static void
put_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* secmed.survival_point */
static void
put_point(FunctionCallInfo fcinfo, const Asked *asked, const char *name, const SurvivalPoint *point)
{
	Datum		values[11];
	bool		nulls[11] = {0};
	double		lower;
	double		upper;

	survival_limits(point, asked->limits, asked->z, &lower, &upper);
	set_name(values, nulls, 0, name);
	set_number(values, nulls, 1, point->time);
	values[2] = Int64GetDatum((int64) point->at_risk);
	values[3] = Int64GetDatum((int64) point->events);
	values[4] = Int64GetDatum((int64) point->censored);
	set_number(values, nulls, 5, point->survival);
	set_number(values, nulls, 6, survival_error(point));
	set_number(values, nulls, 7, lower);
	set_number(values, nulls, 8, upper);
	set_number(values, nulls, 9, point->hazard);
	set_number(values, nulls, 10, sqrt(point->hazard_variance));
	put_row(fcinfo, values, nulls);
}

/* ---- survfit ---- */

static void
put_curve(FunctionCallInfo fcinfo, const Asked *asked, int curve, const double *times, int ntimes)
{
	const SurvivalCounts *counts = &asked->counts[curve];
	SurvivalPoint *points = palloc_extended(sizeof(SurvivalPoint) * (counts->n + 1), MCXT_ALLOC_HUGE);
	SurvivalPoint *shown = points;
	int			n = counts->n;

	survival_curve(points, counts->counts, counts->n);
	if (times != NULL)
	{
		n = ntimes;
		shown = palloc0(sizeof(SurvivalPoint) * ntimes);
		for (int i = 0; i < ntimes; i++)
			shown[i].time = times[i];
		survival_at(shown, ntimes, points, counts->n);
	}
	for (int i = 0; i < n; i++)
		put_point(fcinfo, asked, curve_name(asked, curve), &shown[i]);
	pfree(points);
}

/* survfit(formula, relation, times, conf_type, conf_level, "where", levels) */
Datum
secmed_survfit(PG_FUNCTION_ARGS)
{
	Asked		asked;
	int			ntimes;
	double	   *times = asked_times(fcinfo, 2, &ntimes);

	InitMaterializedSRF(fcinfo, 0);
	read_limits(&asked, fcinfo, 3, 4);
	ask(&asked, fcinfo, 5, 6);
	for (int curve = 0; curve < curves_of(&asked); curve++)
		if (asked.counts[curve].n > 0)
			put_curve(fcinfo, &asked, curve, times, ntimes);
	SPI_finish();
	return (Datum) 0;
}

/* ---- survfit_summary ---- */

static void
put_summary(FunctionCallInfo fcinfo, const Asked *asked, int curve, double until)
{
	const SurvivalCounts *counts = &asked->counts[curve];
	SurvivalPoint *points = palloc_extended(sizeof(SurvivalPoint) * (counts->n + 1), MCXT_ALLOC_HUGE);
	SurvivalMedian median;
	double		error = (double) NAN;
	double		events = 0;
	Datum		values[10];
	bool		nulls[10] = {0};

	survival_curve(points, counts->counts, counts->n);
	median = survival_median(points, counts->n, asked->limits, asked->z);
	for (int i = 0; i < counts->n; i++)
		events += points[i].events;
	set_name(values, nulls, 0, curve_name(asked, curve));
	values[1] = Int64GetDatum((int64) points[0].at_risk);
	values[2] = Int64GetDatum((int64) events);
	set_number(values, nulls, 3, median.median);
	set_number(values, nulls, 4, median.lower);
	set_number(values, nulls, 5, median.upper);
	set_number(values, nulls, 6, isnan(until) ? until : survival_mean(points, counts->n, until, &error));
	set_number(values, nulls, 7, error);
	set_number(values, nulls, 8, until);
	values[9] = Int64GetDatum(asked->missing);
	put_row(fcinfo, values, nulls);
	pfree(points);
}

/* survfit_summary(formula, relation, until, conf_type, conf_level, "where", levels) */
Datum
secmed_survfit_summary(PG_FUNCTION_ARGS)
{
	Asked		asked;
	double		until = PG_ARGISNULL(2) ? (double) NAN : PG_GETARG_FLOAT8(2);

	if (!PG_ARGISNULL(2) && (isnan(until) || isinf(until)))
		bad_argument("until", "is a time");
	InitMaterializedSRF(fcinfo, 0);
	read_limits(&asked, fcinfo, 3, 4);
	ask(&asked, fcinfo, 5, 6);
	for (int curve = 0; curve < curves_of(&asked); curve++)
		if (asked.counts[curve].n > 0)
			put_summary(fcinfo, &asked, curve, until);
	SPI_finish();
	return (Datum) 0;
}

/* ---- survdiff ---- */

/* The arms' next events of one stratum, from the earliest time that is left in any. */
static bool
next_time(const Asked *asked, int stratum, int *at, double *events, double *leave)
{
	const SurvivalDesign *survival = asked->survival;
	double		time = INFINITY;

	for (int arm = 0; arm < survival->arms.n; arm++)
	{
		const SurvivalCounts *counts = &asked->counts[arm * survival->strata.n + stratum];

		if (at[arm] < counts->n)
			time = Min(time, counts->counts[at[arm]].time);
	}
	for (int arm = 0; arm < survival->arms.n; arm++)
	{
		const SurvivalCounts *counts = &asked->counts[arm * survival->strata.n + stratum];

		events[arm] = leave[arm] = 0;
		if (at[arm] == counts->n || counts->counts[at[arm]].time != time)
			continue;
		events[arm] = counts->counts[at[arm]].events;
		leave[arm] = events[arm] + counts->counts[at[arm]].censored;
		at[arm]++;
	}
	return !isinf(time);
}

static void
add_stratum(LogRank *test, const Asked *asked, int stratum)
{
	int			arms = asked->survival->arms.n;
	int		   *at = palloc0(sizeof(int) * arms);
	double	   *at_risk = palloc0(sizeof(double) * arms);
	double	   *events = palloc(sizeof(double) * arms);
	double	   *leave = palloc(sizeof(double) * arms);

	for (int arm = 0; arm < arms; arm++)
	{
		const SurvivalCounts *counts = &asked->counts[arm * asked->survival->strata.n + stratum];

		for (int i = 0; i < counts->n; i++)
			at_risk[arm] += counts->counts[i].events + counts->counts[i].censored;
		test->rows[arm] += at_risk[arm];
	}
	while (next_time(asked, stratum, at, events, leave))
	{
		logrank_add(test, at_risk, events);
		for (int arm = 0; arm < arms; arm++)
			at_risk[arm] -= leave[arm];
	}
}

static void
put_test(FunctionCallInfo fcinfo, const Asked *asked, const LogRank *test)
{
	for (int arm = 0; arm < test->arms; arm++)
	{
		Datum		values[9];
		bool		nulls[9] = {0};

		if (test->rows[arm] == 0)
			continue;
		values[0] = CStringGetTextDatum(asked->survival->arms.names[arm]);
		values[1] = Int64GetDatum((int64) test->rows[arm]);
		values[2] = Int64GetDatum((int64) test->observed[arm]);
		set_number(values, nulls, 3, test->expected[arm]);
		set_number(values, nulls, 4, test->covariance[arm * test->arms + arm]);
		set_number(values, nulls, 5, test->statistic);
		set_number(values, nulls, 6, test->df);
		set_number(values, nulls, 7, test->p);
		values[8] = Int64GetDatum(asked->missing);
		put_row(fcinfo, values, nulls);
	}
}

/* survdiff(formula, relation, "where", levels) */
Datum
secmed_survdiff(PG_FUNCTION_ARGS)
{
	Asked		asked;
	LogRank		test;

	InitMaterializedSRF(fcinfo, 0);
	ask(&asked, fcinfo, 2, 3);
	if (asked.survival->arms.names == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("formula \"%s\" has no arms to compare", asked.survival->design->formula->text)));
	logrank_init(&test, asked.survival->arms.n);
	for (int stratum = 0; stratum < asked.survival->strata.n; stratum++)
		add_stratum(&test, &asked, stratum);
	logrank_finish(&test);
	put_test(fcinfo, &asked, &test);
	SPI_finish();
	return (Datum) 0;
}
