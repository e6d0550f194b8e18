/*
 * plot.h
 *	  The plots of medical papers, as SVG.
 *
 * They draw what is given and compute nothing new but an area under a curve.
 * A number that is not known (withheld) is NaN, and shown as such.  Each
 * has a description in words, for who can't see it.
 */
#ifndef SECMED_PLOT_H
#define SECMED_PLOT_H

#include "base/base.h"

/* What stands around a plot; none is NULL. */
typedef struct PlotWords
{
	const char *title;
	const char *x;
	const char *y;
	const char *note;			/* small, below; may be empty */
} PlotWords;

/* ---- survival ---- */

typedef struct SurvivalPoint
{
	double		time;			/* rising within a curve */
	double		n_risk;			/* just before */
	double		n_event;
	double		n_censor;
	double		survival;
	double		lower;
	double		upper;
} SurvivalPoint;

typedef struct SurvivalCurve
{
	const char *label;
	int			n;
	const SurvivalPoint *points;
} SurvivalCurve;

/*
 * Curves in steps from (0, 1), limits as bands, a mark where somebody is
 * censored, numbers at risk below.  Of asked times, where the steps between them are
 * not known: dots joined by straight lines, no marks, numbers at risk at these times.
 */
extern char *plot_survival(const SurvivalCurve *curves, int n, const PlotWords *words);

/* ---- histogram ---- */

typedef struct HistogramBin
{
	double		lower;			/* infinite in the bin of all below */
	double		upper;
	double		n;				/* NaN if withheld */
} HistogramBin;

/* Counts; of bins of unequal width their density.  At least one bin is finite. */
extern char *plot_histogram(const HistogramBin *bins, int n, const PlotWords *words);

/* ---- forest ---- */

typedef struct ForestRow
{
	const char *label;
	double		estimate;		/* NaN if there is none; limits may be infinite */
	double		low;
	double		high;
	double		weight;			/* of the square, relative to the others; NaN for all alike */
	bool		summary;		/* drawn as a diamond */
} ForestRow;

/* One line each, with the numbers at the right; logarithmic for ratios, around 1, else around 0. */
extern char *plot_forest(const ForestRow *rows, int n, bool logarithmic, const PlotWords *words);

/* ---- ROC ---- */

typedef struct RocPoint
{
	double		sensitivity;
	double		specificity;
} RocPoint;

typedef struct RocCurve
{
	const char *label;
	int			n;
	RocPoint   *points;			/* any order; sorted by the plot */
} RocCurve;

/* Sensitivity over 1 - specificity, with the area under the straight lines that join the points. */
extern char *plot_roc(const RocCurve *curves, int n, const PlotWords *words);

#endif							/* SECMED_PLOT_H */
