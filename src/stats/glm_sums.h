/*
 * glm_sums.h
 *	  What one row adds to the sums of a regression.
 *
 * A pass over the rows, at given coefficients, gives all that an iteration
 * needs: cross products of the design's columns, weighted; the score; the
 * deviance.  Terms are double precision, rounded in each row alike wherever the
 * row lies; their sums are exact (share/fixed_vector.h), so that the result does
 * not depend on which site holds which row.
 *
 * A column is taken as (x - centre) * scale, which keeps the cross products far
 * from singular when a mean is large beside its deviation.
 */
#ifndef SECMED_GLM_SUMS_H
#define SECMED_GLM_SUMS_H

#include "share/fixed_vector.h"
#include "stats/family.h"

/* What a pass is to add up.  The numbers are parameters of the SQL that sites run. */
typedef enum GlmPass
{
	PASS_MOMENTS = 1,			/* cross products of columns, and of columns with the outcome, unweighted */
	PASS_START = 2,				/* the first iteration: means begin at the outcome (family_start) */
	PASS_STEP = 3,				/* at the coefficients */
	PASS_THETA = 4,				/* of negative binomial: likelihood, score and information of theta */
	PASS_ROBUST = 5,			/* the middle of a sandwich, HC0; then HC2 and HC3 */
	PASS_ROBUST_2 = 6,
	PASS_ROBUST_3 = 7
} GlmPass;

#define PASS_MAX	PASS_ROBUST_3

/* Sums that are no vectors; which pass fills them is beside. */
typedef enum GlmSum
{
	SUM_ROWS,					/* with a weight above zero; all passes */
	SUM_DEVIANCE,				/* START, STEP; MOMENTS: sum of y^2 */
	SUM_WEIGHT,					/* of prior weights; START, THETA */
	SUM_OUTCOME,				/* w (y - outcome's centre); START; MOMENTS: y */
	SUM_SATURATED,				/* family_saturated of that; START, STEP */
	SUM_BEST_LOGLIK,			/* family_best_loglik; START */
	SUM_LOG_WEIGHT,				/* START */
	SUM_PEARSON,				/* w (y - mu)^2 / variance; STEP */
	SUM_FITTED,					/* of gaussian: w (mu - outcome's centre), and its square; STEP */
	SUM_FITTED_SQUARE,
	SUM_THETA_LOGLIK,			/* THETA, as are the following */
	SUM_THETA_SCORE,
	SUM_THETA_INFORMATION,
	SUM_THETA_START,			/* w (y / mu - 1)^2 */
	SUM_COUNT					/* then the score of each column, then cross products, row by row from the diagonal */
} GlmSum;

/* Marks: something holds of at least one row. */
#define MARK_NOT_FINITE		0x01	/* a value is NaN, infinite, or beyond 2^160 */
#define MARK_OUTCOME		0x02	/* an outcome that the family can't have */
#define MARK_WEIGHT			0x04	/* a negative weight */
#define MARK_OVERFLOW		0x08	/* a mean or a term of the sums went out of range at these coefficients */
#define MARK_EDGE			0x10	/* a fitted probability is 0 or 1, or a mean 0, to the machine's precision */
#define MARK_BETWEEN		0x20	/* a binomial outcome is neither 0 nor 1 */

typedef struct GlmPoint
{
	GlmPass		pass;
	GlmFamily	family;
	int			p;				/* columns of the design */
	double		theta;			/* of negative binomial */
	double		outcome_centre;
	const double *beta;			/* of centred and scaled columns */
	const double *centre;
	const double *scale;
	const double *inverse;		/* p x p, of the cross products; for PASS_ROBUST_2 and _3 */
} GlmPoint;

/* Sums of a design with p columns. */
extern int	glm_sums_count(int p);

/* p from the number of sums; 0 if no p has so many. */
extern int	glm_sums_columns(int n);

/* Where the score begins, and where the product of columns i <= j is. */
extern int	glm_score_at(int i);
extern int	glm_product_at(int p, int i, int j);

/*
 * A point as one array of numbers, and back: [pass, family, p, theta, outcome's
 * centre, beta, centre, scale, perhaps inverse].  It is the parameter of the
 * SQL that sites run, so a foreign one is checked: false if it makes no sense.
 * The point's pointers point into the numbers.
 */
extern int	glm_point_length(GlmPass pass, int p);
extern void glm_point_encode(double *numbers, const GlmPoint *point);
extern bool glm_point_decode(GlmPoint *point, const double *numbers, int n);

/* Adds one row: x are p values, `sums` has glm_sums_count(p). */
extern void glm_sums_add(FixedVector *sums, const GlmPoint *point, double y, double weight, double offset, const double *x);

#endif							/* SECMED_GLM_SUMS_H */
