/*
 * axis.c
 *	  Scales with round marks, and the frame that two of them make.
 */
#include "base/base.h"

#include <math.h>

#include "plot/axis.h"

/* How far marks stand out, and their labels from the axis. */
#define TICK		5.0
#define BELOW		18.0

/* ---- round numbers ---- */

/* The smallest of 1, 2, 5 times a power of ten that is not below. */
static double
round_step(double least)
{
	double		power = pow(10, floor(log10(least)));

	if (power >= least * (1 - 1e-9))
		return power;
	if (2 * power >= least * (1 - 1e-9))
		return 2 * power;
	return 5 * power >= least * (1 - 1e-9) ? 5 * power : 10 * power;
}

void
axis_round(Axis *axis, double low, double high, int wanted)
{
	double		step;

	if (high - low < 1e-9 * Max(fabs(low), fabs(high)) || high == low)
	{
		low -= low == 0 ? 0.5 : fabs(low) / 2;
		high += high == 0 ? 0.5 : fabs(high) / 2;
	}
	step = round_step((high - low) / wanted);
	axis->logarithmic = false;
	axis->low = floor(low / step + 1e-9) * step;
	axis->high = ceil(high / step - 1e-9) * step;
	axis->n = 0;
	for (int i = 0; i < AXIS_TICKS_MAX && axis->low + i * step <= axis->high + step / 2; i++)
		axis->ticks[axis->n++] = (floor(low / step + 1e-9) + i) * step;
}

/* Marks of each power of ten: 1, or 1, 2, 5; of many powers only each so many. */
static void
add_log_ticks(Axis *axis, int first, int last)
{
	static const double steps[] = {1, 2, 5};
	int			each = last - first <= 3 ? 3 : 1;
	int			stride = Max(1, (last - first + AXIS_TICKS_MAX / 2) / (AXIS_TICKS_MAX / 2));

	axis->n = 0;
	for (int power = first; power <= last; power += stride)
		for (int i = 0; i < each; i++)
		{
			double		tick = steps[i] * pow(10, power);

			if (tick >= axis->low * (1 - 1e-9) && tick <= axis->high * (1 + 1e-9) && axis->n < AXIS_TICKS_MAX)
				axis->ticks[axis->n++] = tick;
		}
}

void
axis_round_log(Axis *axis, double low, double high)
{
	double		down = pow(10, floor(log10(low) + 1e-9));

	axis->logarithmic = true;
	axis->low = low >= 5 * down ? 5 * down : low >= 2 * down ? 2 * down : down;
	axis->high = round_step(high);
	if (axis->high <= axis->low)
		axis->high = axis->low * 10;
	add_log_ticks(axis, (int) floor(log10(axis->low) + 1e-9), (int) ceil(log10(axis->high) - 1e-9));
}

double
axis_at(const Axis *axis, double value)
{
	double		inside = Min(axis->high, Max(axis->low, value));
	double		share = axis->logarithmic ? log(inside / axis->low) / log(axis->high / axis->low) :
		(inside - axis->low) / (axis->high - axis->low);

	return axis->from + share * (axis->to - axis->from);
}

void
axis_write(double value, char *out, size_t size)
{
	snprintf(out, size, "%.6g", fabs(value) < 1e-300 ? 0 : value);
}

/* ---- drawing ---- */

void
axis_draw_x(Svg *svg, const Axis *x, double y, const char *name)
{
	svg_line(svg, x->from, y, x->to, y, SVG_FRAME);
	for (int i = 0; i < x->n; i++)
	{
		char		label[32];

		axis_write(x->ticks[i], label, sizeof(label));
		svg_line(svg, axis_at(x, x->ticks[i]), y, axis_at(x, x->ticks[i]), y + TICK, SVG_FRAME);
		svg_text(svg, axis_at(x, x->ticks[i]), y + BELOW, SVG_MIDDLE, SVG_TEXT_SIZE, 100, label);
	}
	svg_text(svg, (x->from + x->to) / 2, y + BELOW + 20, SVG_MIDDLE, SVG_TEXT_SIZE, x->to - x->from, name);
}

void
axis_draw_y(Svg *svg, const Axis *y, double x, double right, const char *name)
{
	double		widest = 0;

	for (int i = 0; i < y->n; i++)
	{
		char		label[32];
		double		at = axis_at(y, y->ticks[i]);

		axis_write(y->ticks[i], label, sizeof(label));
		widest = Max(widest, svg_text_width(label, SVG_TEXT_SIZE));
		if (i > 0)
			svg_line(svg, x, at, right, at, SVG_GRID);
		svg_line(svg, x - TICK, at, x, at, SVG_FRAME);
		svg_text(svg, x - TICK - 4, at + 4.5, SVG_END, SVG_TEXT_SIZE, 100, label);
	}
	svg_line(svg, x, y->from, x, y->to, SVG_FRAME);
	svg_text_up(svg, x - TICK - 14 - widest, (y->from + y->to) / 2, fabs(y->to - y->from), name);
}
