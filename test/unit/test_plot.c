/*
 * test_plot.c
 *	  Plots: round scales, words that would be markup, and values that can't be drawn.
 */
#include "base/base.h"

#include <math.h>

#include "plot/axis.h"
#include "plot/plot.h"
#include "leaves.h"
#include "unit.h"

static void
axis_is(double low, double high, int wanted, double first, double last, int n)
{
	Axis		axis = {0};

	axis_round(&axis, low, high, wanted);
	check(fabs(axis.low - first) < 1e-9 * fabs(last) && fabs(axis.high - last) < 1e-9 * fabs(last) && axis.n == n,
		  "%g to %g: %g to %g with %d marks", low, high, axis.low, axis.high, axis.n);
}

static void
test_axes(void)
{
	Axis		axis = {.from = 10, .to = 110};

	axis_is(0, 1022, 7, 0, 1200, 7);
	axis_is(0, 1, 5, 0, 1, 6);
	axis_is(-3.2, 0.1, 6, -4, 1, 6);
	axis_is(7, 7, 6, 2, 12, 6);
	axis_is(0, 0, 5, -0.6, 0.6, 7);
	axis_is(1e15, 1e15 + 1e-3, 5, 4e14, 16e14, 7);
	axis_round_log(&axis, 0.07, 1.3);
	check(axis.low == 0.05 && axis.high == 2 && axis.n == 6, "0.05 to 2: %g to %g with %d marks", axis.low, axis.high, axis.n);
	check(fabs(axis_at(&axis, 0.05) - 10) < 1e-9 && fabs(axis_at(&axis, 99) - 110) < 1e-9, "what is beyond ends at the axis");
	axis_round_log(&axis, 1e-300, 1e300);
	check(axis.n <= AXIS_TICKS_MAX && axis.n > 4, "%d marks over 600 powers", axis.n);
	axis_round_log(&axis, 1, 1);
	check(axis.high > axis.low, "one ratio has a scale");
}

static void
test_words(void)
{
	ForestRow	row = {"<a href=\"x\">&\x01\xEF\xBF\xBF\xEF\xBF\xBD", 1, -INFINITY, INFINITY, NAN, false};
	PlotWords	words = {"</title>", "'", "", ""};
	char	   *svg = plot_forest(&row, 1, false, &words);

	check(strstr(svg, "<title>&lt;/title&gt;</title>") != NULL, "a title is words");
	check(strstr(svg, "&lt;a href=&quot;x&quot;&gt;&amp;??\xEF\xBF\xBD") != NULL, "so is a label");
	check(strstr(svg, "<a") == NULL && strchr(svg, '\x01') == NULL && strstr(svg, "\xEF\xBF\xBF") == NULL, "nothing of it is markup");
	check(strstr(svg, "\"nan") == NULL && strstr(svg, "\"inf") == NULL, "places are numbers");
}

static void
test_withheld(void)
{
	HistogramBin bins[] = {{-INFINITY, 0, NAN}, {0, 1, NAN}, {1, 3, NAN}};
	SurvivalPoint points[] = {{5, NAN, NAN, NAN, NAN, NAN, NAN}};
	SurvivalCurve curves[] = {{"a", 1, points}, {"b", 0, NULL}};
	RocPoint	corner[] = {{1, 0}};
	RocCurve	roc[] = {{"", 1, corner}};
	PlotWords	words = {"t", "x", "y", ""};

	check(strstr(plot_histogram(bins, 3, &words), "Some rows below 0. Dashed: withheld") != NULL, "a histogram of nothing known");
	check(strstr(plot_survival(curves, 2, &words), "a: the end is withheld. b: no times.") != NULL, "curves of nothing known");
	check(strstr(plot_roc(roc, 1, &words), "AUC 0.000") != NULL, "a curve of one point has no area");
}

int
main(void)
{
	test_axes();
	test_words();
	test_withheld();
	return unit_done();
}
