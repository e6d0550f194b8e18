/*
 * forest.c
 *	  Estimates with their limits, one a line.
 */
#include "base/base.h"

#include <math.h>

#include "plot/axis.h"
#include "plot/plot.h"

#define WIDTH			720.0
#define MARGIN			16.0
#define LABELS_MAX		240.0
#define NUMBERS			170.0
#define TOP				52.0
#define LINE			24.0

/* ---- the scale ---- */

static void
extend(double value, bool logarithmic, double *low, double *high)
{
	if (!isfinite(value) || (logarithmic && value <= 0))
		return;
	*low = Min(*low, value);
	*high = Max(*high, value);
}

/* Around all that is finite, and the line of no effect; no row widens a scale of ratios beyond a hundred times the estimates. */
static void
make_scale(Axis *x, const ForestRow *rows, int n, bool logarithmic)
{
	double		low = logarithmic ? 1 : 0;
	double		high = low;
	double		least,
				most;

	for (int i = 0; i < n; i++)
		extend(rows[i].estimate, logarithmic, &low, &high);
	least = low / 100;
	most = high * 100;
	for (int i = 0; i < n; i++)
	{
		extend(logarithmic ? Max(rows[i].low, least) : rows[i].low, logarithmic, &low, &high);
		extend(logarithmic ? Min(rows[i].high, most) : rows[i].high, logarithmic, &low, &high);
	}
	if (logarithmic)
		axis_round_log(x, low, high);
	else
		axis_round(x, low, high, 6);
}

/* ---- lines ---- */

/* The end of a limit: a short bar, or a tip if it goes on beyond the scale. */
static void
draw_end(Svg *svg, const Axis *x, double value, double y, int side)
{
	double		at = axis_at(x, value);
	bool		beyond = side < 0 ? value < x->low : value > x->high;

	if (!beyond)
	{
		svg_line(svg, at, y - 4, at, y + 4, SVG_PLAIN);
		return;
	}
	svg_path_begin(svg);
	svg_path_move(svg, at + side * 7, y);
	svg_path_line(svg, at, y - 4.5);
	svg_path_line(svg, at, y + 4.5);
	svg_path_fill(svg, SVG_SOLID);
}

/* The area of the square is the weight. */
static void
draw_interval(Svg *svg, const Axis *x, const ForestRow *row, double heaviest, double y)
{
	double		half = isnan(row->weight) || !(heaviest > 0) ? 3 : Max(2, 7 * sqrt(Max(0, row->weight) / heaviest));

	if (!isnan(row->low) && !isnan(row->high))
	{
		svg_line(svg, axis_at(x, row->low), y, axis_at(x, row->high), y, SVG_PLAIN);
		draw_end(svg, x, row->low, y, -1);
		draw_end(svg, x, row->high, y, 1);
	}
	svg_rect(svg, axis_at(x, row->estimate) - half, y - half, 2 * half, 2 * half, SVG_SOLID);
}

static void
draw_diamond(Svg *svg, const Axis *x, const ForestRow *row, double y)
{
	svg_path_begin(svg);
	svg_path_move(svg, axis_at(x, isnan(row->low) ? row->estimate : row->low), y);
	svg_path_line(svg, axis_at(x, row->estimate), y - 8);
	svg_path_line(svg, axis_at(x, isnan(row->high) ? row->estimate : row->high), y);
	svg_path_line(svg, axis_at(x, row->estimate), y + 8);
	svg_path_fill(svg, SVG_BAR);
}

/* Two decimals, and more of what is small beside them. */
static int
decimals_of(const ForestRow *rows, int n)
{
	double		smallest = INFINITY;

	for (int i = 0; i < n; i++)
		if (rows[i].high - rows[i].low > 0)
			smallest = Min(smallest, rows[i].high - rows[i].low);
	return smallest < 0.001 ? 5 : smallest < 0.01 ? 4 : smallest < 0.1 ? 3 : 2;
}

/* A number that has so many digits before the point is for readers of powers of ten. */
static void
append_number(StringInfo out, double value, int decimals)
{
	if (fabs(value) < 1e7)
		appendStringInfo(out, "%.*f", decimals, value);
	else
		appendStringInfo(out, "%.3g", value);
}

static char *
numbers_of(const ForestRow *row, int decimals)
{
	StringInfoData out;

	initStringInfo(&out);
	if (isnan(row->estimate))
		appendStringInfoString(&out, "not known");
	else
		append_number(&out, row->estimate, decimals);
	if (!isnan(row->estimate) && !isnan(row->low) && !isnan(row->high))
	{
		appendStringInfoString(&out, " (");
		append_number(&out, row->low, decimals);
		appendStringInfoString(&out, ", ");
		append_number(&out, row->high, decimals);
		appendStringInfoChar(&out, ')');
	}
	return out.data;
}

static void
draw_row(Svg *svg, const Axis *x, const ForestRow *row, double heaviest, int decimals, double y)
{
	svg_text(svg, MARGIN, y + 4.5, SVG_START, SVG_TEXT_SIZE, x->from - MARGIN - 14, row->label);
	svg_text(svg, WIDTH - MARGIN, y + 4.5, SVG_END, SVG_TEXT_SIZE, NUMBERS, numbers_of(row, decimals));
	if (isnan(row->estimate))
		return;
	if (row->summary)
		draw_diamond(svg, x, row, y);
	else
		draw_interval(svg, x, row, heaviest, y);
}

/* ---- the whole ---- */

static char *
describe(const ForestRow *rows, int n, int decimals)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "Estimates with confidence limits.");
	for (int i = 0; i < n; i++)
		appendStringInfo(&out, " %s: %s.", rows[i].label, numbers_of(&rows[i], decimals));
	return out.data;
}

static double
widest_label(const ForestRow *rows, int n)
{
	double		widest = 60;

	for (int i = 0; i < n; i++)
		widest = Max(widest, svg_text_width(rows[i].label, SVG_TEXT_SIZE));
	return Min(widest, LABELS_MAX);
}

char *
plot_forest(const ForestRow *rows, int n, bool logarithmic, const PlotWords *words)
{
	Axis		x = {.from = MARGIN + widest_label(rows, n) + 22, .to = WIDTH - MARGIN - NUMBERS - 14};
	double		bottom = TOP + LINE * n;
	double		height = bottom + 54 + (words->note[0] ? 20 : 0);
	double		heaviest = 0;
	int			decimals = decimals_of(rows, n);
	double		nothing;
	Svg			svg;

	make_scale(&x, rows, n, logarithmic);
	nothing = axis_at(&x, logarithmic ? 1 : 0);
	for (int i = 0; i < n; i++)
		heaviest = isnan(rows[i].weight) ? heaviest : Max(heaviest, rows[i].weight);
	svg_begin(&svg, WIDTH, height, words->title, describe(rows, n, decimals));
	svg_line(&svg, nothing, TOP - 10, nothing, bottom, SVG_ABSENT);
	for (int i = 0; i < n; i++)
		draw_row(&svg, &x, &rows[i], heaviest, decimals, TOP + LINE * i + LINE / 2 - 6);
	axis_draw_x(&svg, &x, bottom, words->x);
	if (words->note[0])
		svg_text(&svg, MARGIN, height - 12, SVG_START, SVG_SMALL_SIZE, WIDTH - 2 * MARGIN, words->note);
	return svg_end(&svg);
}
