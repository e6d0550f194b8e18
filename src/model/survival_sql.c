/*
 * survival_sql.c
 *	  secmed.survfit(), survfit_summary() and survdiff(): curves of times until
 *	  an event and the log-rank test, over local tables and federations alike.
 *
 * They run as their caller, who needs the rights on the relation.
 */
#include "postgres.h"

#include <math.h>

#include "base/error.h"
#include "base/limits.h"
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

/* Logarithms below this are the parties' of 0 (estimate/reciprocal.h); none other is. */
#define LOG_OF_ZERO		(-30)

/* Asked for over sites, if no times are named. */
#define DEFAULT_TIMES	20

PG_FUNCTION_INFO_V1(secmed_survfit);
PG_FUNCTION_INFO_V1(secmed_survfit_summary);
PG_FUNCTION_INFO_V1(secmed_survdiff);

/* ---- arguments ---- */

typedef struct Asked
{
	SurvivalDesign *survival;
	SurvivalCounts *counts;		/* over local rows: of each arm and stratum */
	SurvivalGrid grid;			/* over sites */
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

/* The grid's numbers; none if it is NULL. */
static const double *
grid_argument(FunctionCallInfo fcinfo, int i, int *n)
{
	ArrayType  *array;

	*n = 0;
	if (PG_ARGISNULL(i))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(i);
	*n = ARR_NDIM(array) == 1 && !ARR_HASNULL(array) ? ARR_DIMS(array)[0] : 1;
	return (const double *) ARR_DATA_PTR(array);
}

/* Arguments 0 and 1 are the formula and the relation; levels and grid the last. */
static void
ask(Asked *asked, FunctionCallInfo fcinfo, int where, int levels, bool curves)
{
	const double *numbers;
	int			n;

	asked->context = CurrentMemoryContext;
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		bad_argument(PG_ARGISNULL(0) ? "formula" : "relation", "can't be NULL");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	asked->survival = survival_design(text_argument(fcinfo, 0), PG_GETARG_OID(1), text_argument(fcinfo, where),
									  PG_ARGISNULL(levels) ? NULL : PG_GETARG_JSONB_P(levels), curves);
	numbers = grid_argument(fcinfo, levels + 1, &n);
	if (asked->survival->design->federated)
		asked->grid = survival_grid(asked->survival, numbers, n);
	else
		asked->counts = survival_count(asked->survival, asked->context, &asked->missing);
}

static char *
arm_name(const Asked *asked, int arm)
{
	const Combinations *arms = &asked->survival->arms;

	return arms->names ? arms->names[arm] : NULL;
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
put_curve(FunctionCallInfo fcinfo, const Asked *asked, int arm, const double *times, int ntimes)
{
	const SurvivalCounts *counts = &asked->counts[arm];
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
		put_point(fcinfo, asked, arm_name(asked, arm), &shown[i]);
	pfree(points);
}

/* A position's outputs (contract/estimate.h) as a point; false if it is withheld. */
static bool
opened_point(SurvivalPoint *point, const double *outputs)
{
	if (outputs[0] != 1)
		return false;
	point->at_risk = outputs[1];
	point->events = outputs[2];
	point->censored = outputs[3];
	point->survival = outputs[4] < LOG_OF_ZERO ? 0 : exp(outputs[4]);
	point->log_variance = Max(outputs[5], 0);
	point->hazard = outputs[6];
	point->hazard_variance = Max(outputs[7], 0);
	return true;
}

static void
put_withheld(FunctionCallInfo fcinfo, const char *name, double time)
{
	Datum		values[11] = {0};
	bool		nulls[11];

	memset(nulls, true, sizeof(nulls));
	set_name(values, nulls, 0, name);
	values[1] = Float8GetDatum(time);
	nulls[1] = false;
	put_row(fcinfo, values, nulls);
}

/* Several times may be at one position: nothing happens between them. */
static void
put_opened_curve(FunctionCallInfo fcinfo, const Asked *asked, int arm, const double *outputs, const Estimate *estimate,
				 const double *times, int ntimes)
{
	int			position = 0;

	for (int i = 0; i < ntimes; i++)
	{
		bool		again;
		SurvivalPoint point = {.time = times[i]};

		while (estimate->positions[position] < survival_position(&asked->grid, times[i]))
			position++;
		again = i > 0 && estimate->positions[position] == survival_position(&asked->grid, times[i - 1]);
		if (outputs == NULL || !opened_point(&point, outputs + CURVE_TOTALS + position * CURVE_OUTPUTS))
		{
			put_withheld(fcinfo, arm_name(asked, arm), times[i]);
			continue;
		}
		if (again)
			point.events = point.censored = 0;
		put_point(fcinfo, asked, arm_name(asked, arm), &point);
	}
}

/* If none are asked for: twenty over the grid. */
static double *
times_of_grid(const SurvivalGrid *grid, int *n)
{
	double	   *times;

	*n = Min(DEFAULT_TIMES, grid->cells);
	times = palloc(sizeof(double) * *n);
	for (int i = 0; i < *n; i++)
		times[i] = grid->first + grid->step * ((i + 1) * grid->cells / *n - 1);
	return times;
}

static void
put_opened_curves(FunctionCallInfo fcinfo, Asked *asked, const double *times, int ntimes)
{
	Estimate	estimate = {.program = ESTIMATE_CURVE};
	double	  **outputs;

	if (times == NULL)
		times = times_of_grid(&asked->grid, &ntimes);
	if (ntimes > ESTIMATE_TIMES_MAX)
		bad_argument("times", psprintf("over sites are %d at most", ESTIMATE_TIMES_MAX));
	estimate.positions = palloc(sizeof(uint32) * ntimes);
	for (int i = 0; i < ntimes; i++)
	{
		uint32		position = survival_position(&asked->grid, times[i]);

		if (estimate.npositions == 0 || estimate.positions[estimate.npositions - 1] != position)
			estimate.positions[estimate.npositions++] = position;
	}
	outputs = survival_estimate(asked->survival, &asked->grid, &estimate, asked->context);
	for (int arm = 0; arm < asked->survival->arms.n; arm++)
		put_opened_curve(fcinfo, asked, arm, outputs[arm], &estimate, times, ntimes);
}

/* survfit(formula, relation, times, conf_type, conf_level, "where", levels, grid) */
Datum
secmed_survfit(PG_FUNCTION_ARGS)
{
	Asked		asked = {0};
	int			ntimes;
	double	   *times = asked_times(fcinfo, 2, &ntimes);

	InitMaterializedSRF(fcinfo, 0);
	read_limits(&asked, fcinfo, 3, 4);
	ask(&asked, fcinfo, 5, 6, true);
	if (asked.survival->design->federated)
		put_opened_curves(fcinfo, &asked, times, ntimes);
	else
		for (int arm = 0; arm < asked.survival->arms.n; arm++)
			if (asked.counts[arm].n > 0)
				put_curve(fcinfo, &asked, arm, times, ntimes);
	SPI_finish();
	return (Datum) 0;
}

/* ---- survfit_summary ---- */

typedef struct Summary
{
	double		rows;
	double		events;
	SurvivalMedian median;
	double		mean;
	double		mean_error;
	double		until;
} Summary;

/* secmed.survival_summary */
static void
put_summary(FunctionCallInfo fcinfo, const Asked *asked, int arm, const Summary *summary)
{
	Datum		values[10];
	bool		nulls[10] = {0};

	set_name(values, nulls, 0, arm_name(asked, arm));
	values[1] = Int64GetDatum((int64) summary->rows);
	values[2] = Int64GetDatum((int64) summary->events);
	set_number(values, nulls, 3, summary->median.median);
	set_number(values, nulls, 4, summary->median.lower);
	set_number(values, nulls, 5, summary->median.upper);
	set_number(values, nulls, 6, summary->mean);
	set_number(values, nulls, 7, summary->mean_error);
	set_number(values, nulls, 8, summary->until);
	values[9] = Int64GetDatum(asked->missing);
	nulls[9] = asked->missing < 0;
	put_row(fcinfo, values, nulls);
}

static Summary
summarize(const Asked *asked, int arm, double until)
{
	const SurvivalCounts *counts = &asked->counts[arm];
	SurvivalPoint *points = palloc_extended(sizeof(SurvivalPoint) * (counts->n + 1), MCXT_ALLOC_HUGE);
	Summary		summary = {.mean = (double) NAN,.mean_error = (double) NAN,.until = until};

	survival_curve(points, counts->counts, counts->n);
	summary.rows = points[0].at_risk;
	summary.median = survival_median(points, counts->n, asked->limits, asked->z);
	for (int i = 0; i < counts->n; i++)
		summary.events += points[i].events;
	if (!isnan(until))
		summary.mean = survival_mean(points, counts->n, until, &summary.mean_error);
	pfree(points);
	return summary;
}

/* The time that an output says (contract/estimate.h); NaN if it is not reached, or withheld. */
static double
opened_time(const SurvivalGrid *grid, double output)
{
	return output < 1 || output > grid->cells ? (double) NAN : grid->first + grid->step * (output - 1);
}

/* Where the curve stays at 1/2 until a later event, the middle; if that event is withheld, nothing. */
static Summary
opened_summary(const SurvivalGrid *grid, const double *outputs)
{
	const double *limits = outputs + CURVE_TOTALS;
	Summary		summary = {outputs[0], outputs[1], .mean = (double) NAN,.mean_error = (double) NAN,.until = (double) NAN};

	summary.median.median = opened_time(grid, limits[0]);
	if (limits[1] == 0)
		summary.median.median = (double) NAN;
	else if (limits[1] > limits[0] && limits[1] <= grid->cells)
		summary.median.median = (summary.median.median + opened_time(grid, limits[1])) / 2;
	summary.median.lower = opened_time(grid, limits[2]);
	summary.median.upper = opened_time(grid, limits[3]);
	return summary;
}

static void
put_opened_summaries(FunctionCallInfo fcinfo, Asked *asked, double until)
{
	Estimate	estimate = {.program = ESTIMATE_CURVE};
	double		rows = 0;
	double	  **outputs;

	if (asked->limits != LIMITS_LOG)
		bad_argument("conf_type", "of a median over sites is log");
	if (!isnan(until))
		bad_argument("until", "is not available over sites");
	estimate.squared = (uint32) rint(ldexp(Min(asked->z * asked->z, 63), ESTIMATE_SQUARED_BITS));
	outputs = survival_estimate(asked->survival, &asked->grid, &estimate, asked->context);
	asked->missing = survival_rows(asked->survival);
	for (int arm = 0; arm < asked->survival->arms.n; arm++)
		rows = outputs[arm] ? rows + outputs[arm][0] : (double) NAN;
	asked->missing = isnan(rows) || asked->missing < 0 ? -1 : asked->missing - (int64) rows;
	for (int arm = 0; arm < asked->survival->arms.n; arm++)
		if (outputs[arm])
		{
			Summary		summary = opened_summary(&asked->grid, outputs[arm]);

			put_summary(fcinfo, asked, arm, &summary);
		}
}

/* survfit_summary(formula, relation, until, conf_type, conf_level, "where", levels, grid) */
Datum
secmed_survfit_summary(PG_FUNCTION_ARGS)
{
	Asked		asked = {0};
	double		until = PG_ARGISNULL(2) ? (double) NAN : PG_GETARG_FLOAT8(2);

	if (!PG_ARGISNULL(2) && (isnan(until) || isinf(until)))
		bad_argument("until", "is a time");
	InitMaterializedSRF(fcinfo, 0);
	read_limits(&asked, fcinfo, 3, 4);
	ask(&asked, fcinfo, 5, 6, true);
	if (asked.survival->design->federated)
		put_opened_summaries(fcinfo, &asked, until);
	else
		for (int arm = 0; arm < asked.survival->arms.n; arm++)
			if (asked.counts[arm].n > 0)
			{
				Summary		summary = summarize(&asked, arm, until);

				put_summary(fcinfo, &asked, arm, &summary);
			}
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
		nulls[8] = asked->missing < 0;
		put_row(fcinfo, values, nulls);
	}
}

static void
test_withheld(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_SUPPRESSED),
			 errmsg("the test is withheld"),
			 errdetail("One of its arms has too few patients, or too few events, or none."),
			 errhint("Name the levels to compare with the argument \"levels\", or join levels.")));
}

/* What the parties have computed; a rounding error is no expectation. */
static void
take_opened_test(LogRank *test, Asked *asked)
{
	Estimate	estimate = {.program = ESTIMATE_LOG_RANK};
	double	  **outputs = survival_estimate(asked->survival, &asked->grid, &estimate, asked->context);
	double		rows = 0;

	for (int arm = 0; arm < test->arms; arm++)
	{
		if (outputs[arm] == NULL)
			test_withheld();
		test->rows[arm] = outputs[arm][0];
		test->observed[arm] = outputs[arm][1];
		test->expected[arm] = outputs[arm][2] > 1e-9 ? outputs[arm][2] : 0;
		memcpy(test->covariance + arm * test->arms, outputs[arm] + LOG_RANK_OUTPUTS, sizeof(double) * test->arms);
		rows += test->rows[arm];
	}
	asked->missing = survival_rows(asked->survival);
	if (asked->missing >= 0)
		asked->missing -= (int64) rows;
}

/* survdiff(formula, relation, "where", levels, grid) */
Datum
secmed_survdiff(PG_FUNCTION_ARGS)
{
	Asked		asked = {0};
	LogRank		test;

	InitMaterializedSRF(fcinfo, 0);
	ask(&asked, fcinfo, 2, 3, false);
	if (asked.survival->arms.names == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("formula \"%s\" has no arms to compare", asked.survival->design->formula->text)));
	logrank_init(&test, asked.survival->arms.n);
	if (asked.survival->design->federated)
		take_opened_test(&test, &asked);
	else
		for (int stratum = 0; stratum < asked.survival->strata.n; stratum++)
			add_stratum(&test, &asked, stratum);
	logrank_finish(&test);
	put_test(fcinfo, &asked, &test);
	SPI_finish();
	return (Datum) 0;
}
