/*
 * survival.c
 *	  Survival curves with the numbers at risk under them.
 */
#include "base/base.h"

#include <math.h>

#include "plot/axis.h"
#include "plot/plot.h"

#define WIDTH			680.0
#define LEFT_LEAST		78.0
#define LEFT_MOST		200.0
#define RIGHT			24.0
#define TOP				44.0
#define CURVE_HEIGHT	300.0
#define RISK_LINE		17.0
/* Columns of numbers at risk. */
#define RISK_TIMES		9

/* ---- what the rows are ---- */

/*
 * Rows of all times: who is at risk next are those who neither had an event
 * nor were censored.  Of asked times this is not so.
 */
static bool
has_all_times(const SurvivalCurve *curve)
{
	for (int i = 0; i + 1 < curve->n; i++)
	{
		const SurvivalPoint *point = &curve->points[i];

		if (!(point->n_risk - point->n_event - point->n_censor == point[1].n_risk))
			return false;
	}
	return curve->n > 0;
}

/* At risk just before a time: those of the next row.  NaN if it is not known. */
static double
at_risk(const SurvivalCurve *curve, double time)
{
	for (int i = 0; i < curve->n; i++)
		if (curve->points[i].time >= time)
			return curve->points[i].n_risk;
	return 0;
}

static double
last_time(const SurvivalCurve *curves, int n)
{
	double		last = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < curves[i].n; j++)
			last = Max(last, curves[i].points[j].time);
	return last > 0 ? last : 1;
}

/* ---- curves ---- */

/* One of its values. */
typedef double (*ValueOf) (const SurvivalPoint *point);

static double
survival_of(const SurvivalPoint *point)
{
	return point->survival;
}

static double
lower_of(const SurvivalPoint *point)
{
	return point->lower;
}

static double
upper_of(const SurvivalPoint *point)
{
	return point->upper;
}

/* From 1 at time 0, in steps or straight; values that are not known are passed over. */
static void
draw_forth(Svg *svg, const SurvivalCurve *curve, bool stepped, const Axis *x, const Axis *y, ValueOf value_of)
{
	double		value = 1;

	for (int i = 0; i < curve->n; i++)
	{
		double		next = value_of(&curve->points[i]);

		if (stepped)
			svg_path_line(svg, axis_at(x, curve->points[i].time), axis_at(y, value));
		if (!isnan(next) && (next != value || !stepped))
			svg_path_line(svg, axis_at(x, curve->points[i].time), axis_at(y, value = next));
	}
}

/* The same backwards, for the other edge of a band. */
static void
draw_back(Svg *svg, const SurvivalCurve *curve, bool stepped, const Axis *x, const Axis *y, ValueOf value_of)
{
	for (int i = curve->n - 1; i >= 0; i--)
	{
		double		before = i == 0 ? 1 : value_of(&curve->points[i - 1]);
		double		after = value_of(&curve->points[i]);

		if (!isnan(after))
			svg_path_line(svg, axis_at(x, curve->points[i].time), axis_at(y, after));
		if (!isnan(before) && stepped)
			svg_path_line(svg, axis_at(x, curve->points[i].time), axis_at(y, before));
	}
}

/* A dot at each asked time; or marks where somebody is censored. */
static void
draw_points(Svg *svg, const SurvivalCurve *curve, int number, bool stepped, const Axis *x, const Axis *y)
{
	for (int i = 0; i < curve->n; i++)
	{
		const SurvivalPoint *point = &curve->points[i];
		double		at_x = axis_at(x, point->time);
		double		at_y = axis_at(y, isnan(point->survival) ? 0 : point->survival);

		if (isnan(point->survival))
			continue;
		if (!stepped)
			svg_dot(svg, at_x, at_y, number);
		else if (point->n_censor > 0)
			svg_line(svg, at_x, at_y - 4, at_x, at_y + 4, SVG_PLAIN);
	}
}

static void
draw_curve(Svg *svg, const SurvivalCurve *curve, int number, const Axis *x, const Axis *y)
{
	bool		stepped = has_all_times(curve);

	svg_path_begin(svg);
	svg_path_move(svg, axis_at(x, 0), axis_at(y, 1));
	draw_forth(svg, curve, stepped, x, y, upper_of);
	draw_back(svg, curve, stepped, x, y, lower_of);
	svg_path_band(svg, number);
	svg_path_begin(svg);
	svg_path_move(svg, axis_at(x, 0), axis_at(y, 1));
	draw_forth(svg, curve, stepped, x, y, survival_of);
	svg_path_curve(svg, number);
	draw_points(svg, curve, number, stepped, x, y);
}

static void
draw_legend(Svg *svg, const SurvivalCurve *curves, int n)
{
	double		widest = 0;

	for (int i = 0; i < n; i++)
		widest = Max(widest, svg_text_width(curves[i].label, SVG_TEXT_SIZE));
	widest = Min(widest, 220);
	for (int i = 0; n > 1 && i < n; i++)
	{
		double		x = WIDTH - RIGHT - widest - 56;
		double		y = TOP + 12 + i * 18;

		svg_path_begin(svg);
		svg_path_move(svg, x, y);
		svg_path_line(svg, x + 38, y);
		svg_path_curve(svg, i);
		svg_text(svg, x + 46, y + 4.5, SVG_START, SVG_TEXT_SIZE, 220, curves[i].label);
	}
}

/* ---- numbers at risk ---- */

/* The times of the columns: marks of the axis, or asked times, thinned. */
static int
risk_times(const SurvivalCurve *curves, int n, const Axis *x, double *times)
{
	const SurvivalCurve *longest = &curves[0];
	bool		all_times = true;
	int			stride;
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		all_times = all_times && has_all_times(&curves[i]);
		longest = curves[i].n > longest->n ? &curves[i] : longest;
	}
	for (int i = 0; all_times && i < x->n && count < RISK_TIMES; i++)
		times[count++] = x->ticks[i];
	stride = Max(1, (longest->n + RISK_TIMES - 1) / RISK_TIMES);
	for (int i = 0; !all_times && i < longest->n && count < RISK_TIMES; i += stride)
		times[count++] = longest->points[i].time;
	return count;
}

static void
draw_at_risk(Svg *svg, const SurvivalCurve *curves, int n, const Axis *x, double top)
{
	double		times[RISK_TIMES];
	int			ntimes = risk_times(curves, n, x, times);

	svg_text(svg, 16, top, SVG_START, SVG_SMALL_SIZE, WIDTH, "Number at risk");
	for (int i = 0; i < n; i++)
	{
		double		y = top + RISK_LINE * (1 + i);

		if (n > 1)
			svg_text(svg, x->from - 20, y, SVG_END, SVG_SMALL_SIZE, x->from - 32, curves[i].label);
		for (int j = 0; j < ntimes; j++)
		{
			double		number = at_risk(&curves[i], times[j]);
			char		label[32] = "?";

			if (!isnan(number))
				axis_write(number, label, sizeof(label));
			svg_text(svg, axis_at(x, times[j]), y, SVG_MIDDLE, SVG_SMALL_SIZE, 80, label);
		}
	}
}

/* ---- the whole ---- */

static char *
describe(const SurvivalCurve *curves, int n, double last)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "Survival curves from time 0 to %.6g.", last);
	for (int i = 0; i < n; i++)
	{
		const SurvivalPoint *end = curves[i].n > 0 ? &curves[i].points[curves[i].n - 1] : NULL;

		appendStringInfo(&out, " %s:", curves[i].label);
		if (end == NULL)
			appendStringInfoString(&out, " no times.");
		else if (isnan(end->survival))
			appendStringInfoString(&out, " the end is withheld.");
		else
			appendStringInfo(&out, " %.3f alive at time %.6g.", end->survival, end->time);
	}
	return out.data;
}

/* Room for the labels beside the numbers at risk. */
static double
left_margin(const SurvivalCurve *curves, int n)
{
	double		left = LEFT_LEAST;

	for (int i = 0; n > 1 && i < n; i++)
		left = Max(left, svg_text_width(curves[i].label, SVG_SMALL_SIZE) + 44);
	return Min(left, LEFT_MOST);
}

char *
plot_survival(const SurvivalCurve *curves, int n, const PlotWords *words)
{
	Axis		x = {.from = left_margin(curves, n), .to = WIDTH - RIGHT};
	Axis		y = {.from = TOP + CURVE_HEIGHT, .to = TOP};
	double		risk_top = TOP + CURVE_HEIGHT + 66;
	double		height = risk_top + RISK_LINE * n + 16 + (words->note[0] ? 20 : 0);
	Svg			svg;

	axis_round(&x, 0, last_time(curves, n), 7);
	axis_round(&y, 0, 1, 5);
	svg_begin(&svg, WIDTH, height, words->title, describe(curves, n, last_time(curves, n)));
	axis_draw_y(&svg, &y, x.from, WIDTH - RIGHT, words->y);
	axis_draw_x(&svg, &x, TOP + CURVE_HEIGHT, words->x);
	for (int i = 0; i < n; i++)
		draw_curve(&svg, &curves[i], i, &x, &y);
	draw_legend(&svg, curves, n);
	draw_at_risk(&svg, curves, n, &x, risk_top);
	if (words->note[0])
		svg_text(&svg, 16, height - 12, SVG_START, SVG_SMALL_SIZE, WIDTH - 32, words->note);
	return svg_end(&svg);
}
