/*
 * axis.h
 *	  Scales with round marks, and the frame that two of them make.
 */
#ifndef SECMED_AXIS_H
#define SECMED_AXIS_H

#include "plot/svg.h"

#define AXIS_TICKS_MAX	24

typedef struct Axis
{
	bool		logarithmic;
	double		low;			/* of the values */
	double		high;
	double		from;			/* where `low` is drawn, and `high` */
	double		to;
	int			n;
	double		ticks[AXIS_TICKS_MAX];
} Axis;

/*
 * Marks at multiples of 1, 2 or 5 times a power of ten, at most about `wanted`;
 * the axis ends at marks on both sides of the values, which are finite.
 * Logarithmic: values above zero; marks at 1, 2, 5 times powers of ten, or at powers alone.
 */
extern void axis_round(Axis *axis, double low, double high, int wanted);
extern void axis_round_log(Axis *axis, double low, double high);

/* Where the value is drawn; one beyond the axis at its end. */
extern double axis_at(const Axis *axis, double value);

/* As short as a number can be. */
extern void axis_write(double value, char *out, size_t size);

/* Marks, labels, and names of both axes, around the area that they span. */
extern void axis_draw_x(Svg *svg, const Axis *x, double y, const char *name);
extern void axis_draw_y(Svg *svg, const Axis *y, double x, double right, const char *name);

#endif							/* SECMED_AXIS_H */
