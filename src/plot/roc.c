/*
 * roc.c
 *	  ROC curves.
 */
#include "base/base.h"

#include <math.h>

#include "plot/axis.h"
#include "plot/plot.h"

#define SIDE			360.0
#define LEFT			78.0
#define RIGHT			24.0
#define TOP				44.0

/* From the strictest cut point to the laxest. */
static int
compare_points(const void *a, const void *b)
{
	const RocPoint *p = a;
	const RocPoint *q = b;

	if (p->specificity != q->specificity)
		return p->specificity > q->specificity ? -1 : 1;
	return p->sensitivity < q->sensitivity ? -1 : p->sensitivity > q->sensitivity;
}

static double
area_of(const RocCurve *curve)
{
	double		area = 0;

	for (int i = 0; i + 1 < curve->n; i++)
	{
		const RocPoint *point = &curve->points[i];

		area += (point->specificity - point[1].specificity) * (point->sensitivity + point[1].sensitivity) / 2;
	}
	return area;
}

static char *
label_of(const RocCurve *curve)
{
	return psprintf("%s%sAUC %.3f", curve->label, curve->label[0] ? ", " : "", area_of(curve));
}

static void
draw_curve(Svg *svg, const RocCurve *curve, int number, const Axis *x, const Axis *y)
{
	svg_path_begin(svg);
	for (int i = 0; i < curve->n; i++)
		(i == 0 ? svg_path_move : svg_path_line) (svg, axis_at(x, 1 - curve->points[i].specificity),
												  axis_at(y, curve->points[i].sensitivity));
	svg_path_curve(svg, number);
}

/* In the lower right corner, where no good curve goes. */
static void
draw_legend(Svg *svg, const RocCurve *curves, int n)
{
	double		widest = 0;

	for (int i = 0; i < n; i++)
		widest = Max(widest, svg_text_width(label_of(&curves[i]), SVG_TEXT_SIZE));
	widest = Min(widest, SIDE - 70);
	for (int i = 0; i < n; i++)
	{
		double		x = LEFT + SIDE - widest - 56;
		double		y = TOP + SIDE - 16 - (n - 1 - i) * 18;

		svg_path_begin(svg);
		svg_path_move(svg, x, y);
		svg_path_line(svg, x + 38, y);
		svg_path_curve(svg, i);
		svg_text(svg, x + 46, y + 4.5, SVG_START, SVG_TEXT_SIZE, SIDE - 70, label_of(&curves[i]));
	}
}

static char *
describe(const RocCurve *curves, int n)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "Sensitivity over 1 - specificity.");
	for (int i = 0; i < n; i++)
		appendStringInfo(&out, " %s.", label_of(&curves[i]));
	return out.data;
}

char *
plot_roc(const RocCurve *curves, int n, const PlotWords *words)
{
	Axis		x = {.from = LEFT, .to = LEFT + SIDE};
	Axis		y = {.from = TOP + SIDE, .to = TOP};
	double		height = TOP + SIDE + 52 + (words->note[0] ? 22 : 0);
	Svg			svg;

	for (int i = 0; i < n; i++)
		qsort(curves[i].points, curves[i].n, sizeof(RocPoint), compare_points);
	axis_round(&x, 0, 1, 5);
	axis_round(&y, 0, 1, 5);
	svg_begin(&svg, LEFT + SIDE + RIGHT, height, words->title, describe(curves, n));
	axis_draw_y(&svg, &y, LEFT, LEFT + SIDE, words->y);
	axis_draw_x(&svg, &x, TOP + SIDE, words->x);
	svg_line(&svg, LEFT, TOP + SIDE, LEFT + SIDE, TOP, SVG_ABSENT);
	for (int i = 0; i < n; i++)
		draw_curve(&svg, &curves[i], i, &x, &y);
	draw_legend(&svg, curves, n);
	if (words->note[0])
		svg_text(&svg, 16, height - 12, SVG_START, SVG_SMALL_SIZE, LEFT + SIDE - 16, words->note);
	return svg_end(&svg);
}
