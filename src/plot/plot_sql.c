/*
 * plot_sql.c
 *	  Plots of rows: plot_survival, plot_histogram, plot_forest, plot_roc.
 *
 * They take an array of rows, whatever asked for them, and look for columns by
 * name: SELECT secmed.plot_roc(array_agg(r)) FROM secmed.roc(...) r.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "plot/plot.h"
#include "plot/records_sql.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_plot_survival);
PG_FUNCTION_INFO_V1(secmed_plot_histogram);
PG_FUNCTION_INFO_V1(secmed_plot_forest);
PG_FUNCTION_INFO_V1(secmed_plot_roc);

/* As many curves as anybody can follow with a finger. */
#define CURVES_MAX		12
/* And as many lines as two pages have. */
#define FOREST_ROWS_MAX	200

static char *
words_argument(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static PlotRecords
rows_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("there are no rows to plot")));
	return records_of_array(PG_GETARG_ARRAYTYPE_P(0));
}

static void
nothing_to_draw(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is nothing to plot: %s", what)));
}

/* ---- curves: rows with the same label ---- */

typedef struct Labels
{
	int			n;
	char	   *names[CURVES_MAX];
} Labels;

static int
label_of_row(Labels *labels, const PlotRecords *rows, int row, int column)
{
	char	   *name = records_text(rows, row, column);

	name = name ? name : "";
	for (int i = 0; i < labels->n; i++)
		if (strcmp(labels->names[i], name) == 0)
			return i;
	if (labels->n == CURVES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a plot has at most %d curves", CURVES_MAX)));
	labels->names[labels->n] = name;
	return labels->n++;
}

/* ---- survival ---- */

static int
compare_times(const void *a, const void *b)
{
	double		x = ((const SurvivalPoint *) a)->time;
	double		y = ((const SurvivalPoint *) b)->time;

	return x < y ? -1 : x > y;
}

static SurvivalPoint
point_of_row(const PlotRecords *rows, int row)
{
	return (SurvivalPoint) {
		.time = records_number(rows, row, records_column(rows, "time")),
		.n_risk = records_number(rows, row, records_column(rows, "n_risk")),
		.n_event = records_number(rows, row, records_column(rows, "n_event")),
		.n_censor = records_number(rows, row, records_column(rows, "n_censor")),
		.survival = records_number(rows, row, records_column(rows, "survival")),
		.lower = records_number(rows, row, records_column(rows, "lower")),
		.upper = records_number(rows, row, records_column(rows, "upper")),
	};
}

static int
survival_curves(const PlotRecords *rows, SurvivalCurve *curves)
{
	static const char *const names[] = {"stratum", "arm", "label"};
	int			column = records_find(rows, names, lengthof(names));
	Labels		labels = {0};
	SurvivalPoint *points[CURVES_MAX] = {0};

	for (int i = 0; i < rows->n; i++)
	{
		SurvivalPoint point = point_of_row(rows, i);
		int			curve = label_of_row(&labels, rows, i, column);

		if (points[curve] == NULL)
			points[curve] = palloc(sizeof(SurvivalPoint) * rows->n);
		if (isfinite(point.time) && point.time >= 0)
			points[curve][curves[curve].n++] = point;
	}
	for (int i = 0; i < labels.n; i++)
	{
		qsort(points[i], curves[i].n, sizeof(SurvivalPoint), compare_times);
		curves[i].label = labels.names[i][0] ? labels.names[i] : "All";
		curves[i].points = points[i];
	}
	return labels.n;
}

/* plot_survival(rows record[], title text, x_label text, y_label text, note text) */
Datum
secmed_plot_survival(PG_FUNCTION_ARGS)
{
	PlotRecords	rows = rows_argument(fcinfo);
	SurvivalCurve curves[CURVES_MAX] = {0};
	int			n = survival_curves(&rows, curves);
	PlotWords	words = {words_argument(fcinfo, 1), words_argument(fcinfo, 2), words_argument(fcinfo, 3), words_argument(fcinfo, 4)};

	PG_RETURN_TEXT_P(cstring_to_text(plot_survival(curves, n, &words)));
}

/* ---- histogram ---- */

/* plot_histogram(rows record[], title text, x_label text, y_label text, note text) */
Datum
secmed_plot_histogram(PG_FUNCTION_ARGS)
{
	PlotRecords	rows = rows_argument(fcinfo);
	HistogramBin *bins = palloc(sizeof(HistogramBin) * rows.n);
	PlotWords	words = {words_argument(fcinfo, 1), words_argument(fcinfo, 2), words_argument(fcinfo, 3), words_argument(fcinfo, 4)};
	bool		finite = false;

	for (int i = 0; i < rows.n; i++)
	{
		bins[i] = (HistogramBin) {records_number(&rows, i, records_column(&rows, "lower")),
			records_number(&rows, i, records_column(&rows, "upper")), records_number(&rows, i, records_column(&rows, "n"))};
		if (!(bins[i].lower < bins[i].upper) || bins[i].n < 0)
			nothing_to_draw("a bin has a lower and a larger upper limit, and no number below zero");
		finite = finite || (isfinite(bins[i].lower) && isfinite(bins[i].upper));
	}
	if (!finite)
		nothing_to_draw("no bin has two finite limits");
	PG_RETURN_TEXT_P(cstring_to_text(plot_histogram(bins, rows.n, &words)));
}

/* ---- forest ---- */

static ForestRow
forest_row(const PlotRecords *rows, int row)
{
	static const char *const labels[] = {"label", "term", "study", "arm", "stratum"};
	static const char *const lows[] = {"conf_low", "lower"};
	static const char *const highs[] = {"conf_high", "upper"};
	static const char *const weights[] = {"weight", "n"};
	static const char *const summaries[] = {"summary"};
	char	   *label = records_text(rows, row, records_find(rows, labels, lengthof(labels)));

	return (ForestRow) {
		.label = label ? label : "",
		.estimate = records_number(rows, row, records_column(rows, "estimate")),
		.low = records_number(rows, row, records_find(rows, lows, lengthof(lows))),
		.high = records_number(rows, row, records_find(rows, highs, lengthof(highs))),
		.weight = records_number(rows, row, records_find(rows, weights, lengthof(weights))),
		.summary = records_number(rows, row, records_find(rows, summaries, lengthof(summaries))) == 1,
	};
}

/* plot_forest(rows record[], title text, x_label text, ratios boolean, note text) */
Datum
secmed_plot_forest(PG_FUNCTION_ARGS)
{
	PlotRecords	rows = rows_argument(fcinfo);
	bool		ratios = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	ForestRow  *lines = palloc(sizeof(ForestRow) * rows.n);
	PlotWords	words = {words_argument(fcinfo, 1), words_argument(fcinfo, 2), "", words_argument(fcinfo, 4)};

	if (rows.n > FOREST_ROWS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a forest plot has at most %d rows, not %d", FOREST_ROWS_MAX, rows.n)));
	for (int i = 0; i < rows.n; i++)
	{
		lines[i] = forest_row(&rows, i);
		if (isinf(lines[i].estimate) || (ratios && lines[i].estimate <= 0))
			nothing_to_draw(ratios ? "a ratio is above zero and finite" : "an estimate is finite");
	}
	PG_RETURN_TEXT_P(cstring_to_text(plot_forest(lines, rows.n, ratios, &words)));
}

/* ---- ROC ---- */

static int
roc_curves(const PlotRecords *rows, RocCurve *curves)
{
	static const char *const names[] = {"label", "curve", "score"};
	int			column = records_find(rows, names, lengthof(names));
	Labels		labels = {0};

	for (int i = 0; i < rows->n; i++)
	{
		RocPoint	point = {records_number(rows, i, records_column(rows, "sensitivity")),
		records_number(rows, i, records_column(rows, "specificity"))};
		RocCurve   *curve = &curves[label_of_row(&labels, rows, i, column)];

		if (!(point.sensitivity >= 0 && point.sensitivity <= 1 && point.specificity >= 0 && point.specificity <= 1))
			nothing_to_draw("sensitivity and specificity lie between 0 and 1");
		if (curve->points == NULL)
			curve->points = palloc(sizeof(RocPoint) * rows->n);
		curve->points[curve->n++] = point;
	}
	for (int i = 0; i < labels.n; i++)
		curves[i].label = labels.names[i];
	return labels.n;
}

/* plot_roc(rows record[], title text, x_label text, y_label text, note text) */
Datum
secmed_plot_roc(PG_FUNCTION_ARGS)
{
	PlotRecords	rows = rows_argument(fcinfo);
	RocCurve	curves[CURVES_MAX] = {0};
	int			n = roc_curves(&rows, curves);
	PlotWords	words = {words_argument(fcinfo, 1), words_argument(fcinfo, 2), words_argument(fcinfo, 3), words_argument(fcinfo, 4)};

	PG_RETURN_TEXT_P(cstring_to_text(plot_roc(curves, n, &words)));
}
