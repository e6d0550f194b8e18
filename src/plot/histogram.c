/*
 * histogram.c
 *	  Counts between breaks, as bars.
 */
#include "base/base.h"

#include <math.h>

#include "plot/axis.h"
#include "plot/plot.h"

#define WIDTH			640.0
#define LEFT			82.0
#define RIGHT			24.0
#define TOP				44.0
#define BAR_HEIGHT		280.0

/* What is drawn: the finite bins. */
typedef struct Bars
{
	double		low;
	double		high;
	double		total;			/* of what is known, of all bins */
	bool		equal;			/* of one width: counts, not densities */
	bool		withheld;
	double		tallest;
} Bars;

static bool
is_finite_bin(const HistogramBin *bin)
{
	return isfinite(bin->lower) && isfinite(bin->upper);
}

/* NaN if withheld. */
static double
height_of(const Bars *bars, const HistogramBin *bin)
{
	return bars->equal ? bin->n : bin->n / (bin->upper - bin->lower) / bars->total;
}

static void
extend(Bars *bars, const HistogramBin *bin, double *width)
{
	bars->low = Min(bars->low, bin->lower);
	bars->high = Max(bars->high, bin->upper);
	bars->withheld = bars->withheld || isnan(bin->n);
	if (isnan(*width))
		*width = bin->upper - bin->lower;
	bars->equal = bars->equal && fabs(bin->upper - bin->lower - *width) <= 1e-9 * *width;
}

static Bars
measure(const HistogramBin *bins, int n)
{
	Bars		bars = {.low = INFINITY, .high = -INFINITY, .equal = true};
	double		width = NAN;

	for (int i = 0; i < n; i++)
		if (is_finite_bin(&bins[i]))
		{
			extend(&bars, &bins[i], &width);
			bars.total += isnan(bins[i].n) ? 0 : bins[i].n;
		}
	bars.total = Max(1, bars.total);
	for (int i = 0; i < n; i++)
		if (is_finite_bin(&bins[i]) && !isnan(bins[i].n))
			bars.tallest = Max(bars.tallest, height_of(&bars, &bins[i]));
	return bars;
}

static void
draw_bin(Svg *svg, const Bars *bars, const HistogramBin *bin, const Axis *x, const Axis *y)
{
	double		height = height_of(bars, bin);
	double		left = axis_at(x, bin->lower);
	double		width = axis_at(x, bin->upper) - left;
	double		top = axis_at(y, isnan(height) ? y->high / 20 : height);

	if (isnan(height))
		svg_rect(svg, left + 1, top, width - 2, y->from - top, SVG_ABSENT);
	else if (height > 0)
		svg_rect(svg, left, top, width, y->from - top, SVG_BAR);
}

/* What is outside, and what the dashes mean. */
static char *
footnote(const Bars *bars, const HistogramBin *bins, int n, const char *note)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, note);
	for (int i = 0; i < n; i++)
	{
		bool		below = isinf(bins[i].lower);

		if (is_finite_bin(&bins[i]) || bins[i].n == 0)
			continue;
		appendStringInfo(&out, "%s", out.len ? " " : "");
		if (isnan(bins[i].n))
			appendStringInfoString(&out, "Some rows");
		else
			appendStringInfo(&out, "%.0f row%s", bins[i].n, bins[i].n == 1 ? "" : "s");
		appendStringInfo(&out, " %s %.6g.", below ? "below" : "above", below ? bins[i].upper : bins[i].lower);
	}
	if (bars->withheld)
		appendStringInfo(&out, "%sDashed: withheld, too few patients or none.", out.len ? " " : "");
	return out.data;
}

static char *
describe(const Bars *bars, const HistogramBin *bins, int n, const char *footnote)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "Histogram from %.6g to %.6g.", bars->low, bars->high);
	for (int i = 0; i < n; i++)
		if (is_finite_bin(&bins[i]) && !isnan(bins[i].n))
			appendStringInfo(&out, " %.6g to %.6g: %.0f.", bins[i].lower, bins[i].upper, bins[i].n);
	if (footnote[0])
		appendStringInfo(&out, " %s", footnote);
	return out.data;
}

char *
plot_histogram(const HistogramBin *bins, int n, const PlotWords *words)
{
	Axis		x = {.from = LEFT, .to = WIDTH - RIGHT};
	Axis		y = {.from = TOP + BAR_HEIGHT, .to = TOP};
	Bars		bars = measure(bins, n);
	char	   *below = footnote(&bars, bins, n, words->note);
	double		height = TOP + BAR_HEIGHT + 52 + (below[0] ? 22 : 0);
	Svg			svg;

	axis_round(&x, bars.low, bars.high, 9);
	axis_round(&y, 0, bars.tallest > 0 ? bars.tallest : 1, 6);
	svg_begin(&svg, WIDTH, height, words->title, describe(&bars, bins, n, below));
	axis_draw_y(&svg, &y, LEFT, WIDTH - RIGHT, words->y[0] ? words->y : bars.equal ? "Rows" : "Density");
	for (int i = 0; i < n; i++)
		if (is_finite_bin(&bins[i]))
			draw_bin(&svg, &bars, &bins[i], &x, &y);
	axis_draw_x(&svg, &x, TOP + BAR_HEIGHT, words->x);
	if (below[0])
		svg_text(&svg, 16, height - 12, SVG_START, SVG_SMALL_SIZE, WIDTH - 32, below);
	return svg_end(&svg);
}
