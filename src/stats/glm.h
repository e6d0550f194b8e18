/*
 * glm.h
 *	  Generalised linear models by iteratively reweighted least squares, from
 *	  nothing but sums over rows.
 *
 * Who fits brings a function that answers a pass (stats/glm_sums.h) with its
 * sums; it may be a loop over rows in memory, or a query over a federation.
 * The iterations are those of R's glm.fit: same start, same criterion
 * (|dev - dev_old| / (|dev| + 0.1) < epsilon), same halving of steps; standard
 * errors are from the weights of the last iteration.  Negative binomial
 * alternates as MASS::glm.nb does.
 *
 * Passes: moments, start, one for each iteration; one more for robust errors,
 * and those of the model without covariates if there is an offset.
 *
 * Ridge: minimises deviance + ridge * sum of (sd_j beta_j)^2, the intercept
 * apart; sd_j is the column's standard deviation (denominator n), as
 * MASS::lm.ridge does.
 */
#ifndef SECMED_GLM_H
#define SECMED_GLM_H

#include "stats/glm_sums.h"

typedef enum GlmErrors
{
	ERRORS_MODEL,				/* from the model */
	ERRORS_HC0,					/* robust against a wrong variance */
	ERRORS_HC1,
	ERRORS_HC2,
	ERRORS_HC3
} GlmErrors;

/* Why there is no fit. */
typedef enum GlmProblem
{
	GLM_FITS,
	GLM_NO_ROWS,
	GLM_TOO_FEW_ROWS,			/* not more rows than coefficients */
	GLM_VALUE_NOT_FINITE,
	GLM_OUTCOME_IMPOSSIBLE,
	GLM_WEIGHT_NEGATIVE,
	GLM_OUTCOME_CONSTANT,
	GLM_COLUMN_CONSTANT,		/* column */
	GLM_COLLINEAR,				/* column depends on those before */
	GLM_SEPARATED,				/* column's coefficient runs to infinity */
	GLM_NOT_CONVERGED,
	GLM_DIVERGED,				/* no valid coefficients, even after halving steps */
	GLM_THETA_LOST				/* no estimate of theta: not overdispersed */
} GlmProblem;

typedef struct GlmModel
{
	GlmFamily	family;
	int			p;				/* columns; the first is the intercept if there is one */
	bool		intercept;
	bool		offset;
	double		ridge;			/* 0: none */
	double		epsilon;
	int			iterations_max;
	GlmErrors	errors;
	double		conf_level;

	/* Sums of a pass and its marks; `sums` has glm_sums_count(p). */
	void		(*ask) (void *arg, const GlmPoint *point, double *sums, uint32 *marks);

	/* Called after each iteration; may be NULL. */
	void		(*progress) (void *arg, int iteration, double deviance);
	void	   *arg;
} GlmModel;

/* What the first pass tells; arrays of p. */
typedef struct GlmMoments
{
	int64		rows;			/* with weight above zero */
	double		outcome;		/* mean, and mean square */
	double		outcome_square;
	double	   *mean;
	double	   *square;
} GlmMoments;

typedef struct GlmFit
{
	GlmProblem	problem;
	int			column;			/* of the problem, or -1 */

	int64		rows;
	int			iterations;
	double	   *beta;			/* p of each */
	double	   *error;
	double	   *statistic;
	double	   *probability;
	double	   *low;
	double	   *high;
	double	   *vif;			/* NaN for the intercept and without one */
	double	   *covariance;		/* p x p */

	double		df_model;		/* without the intercept */
	double		df_residual;
	double		df_null;
	double		deviance;
	double		null_deviance;
	double		dispersion;
	double		pearson;
	double		loglik;
	double		aic;
	double		bic;
	double		r_squared;		/* of gaussian, as are the following; NaN otherwise */
	double		adjusted;
	double		sigma;
	double		f;
	double		f_probability;
	double		theta;			/* of negative binomial */
	double		theta_error;
	bool		edge;			/* some fitted probabilities are 0 or 1, or means 0 */
} GlmFit;

/* The first pass; GLM_FITS, or what makes any fit impossible. */
extern GlmProblem glm_moments(GlmMoments *moments, const GlmModel *model);

/* Memory is the caller's context's. */
extern void glm_fit(GlmFit *fit, const GlmModel *model, const GlmMoments *moments);

#endif							/* SECMED_GLM_H */
