/*
 * irls.c
 *	  Iteratively reweighted least squares from sums over rows.
 *
 * A step solves (A + penalty) d = score - penalty * beta for the increment d
 * (Nelder and Wedderburn 1972; McCullagh and Nelder 1989, section 2.5), A being
 * the weighted cross products.  In the first one all coefficients are 0 and
 * the means come from the outcome.
 *
 * A fit that is separated never ends: each step of Newton's method moves the
 * coefficient in question by about as much as the one before, while the
 * deviance creeps towards a limit (Albert and Anderson, "On the existence of
 * maximum likelihood estimates in logistic regression models", Biometrika 71,
 * 1984).  A fit that converges has steps that shrink quadratically.  So when
 * the deviance has settled, the next step tells which of both it is.
 */
#include "stats/irls.h"

#include <math.h>

#include "stats/solve.h"

/* What the columns before may leave of a column: R's lm takes 1e-7 of its length, 1e-14 of the square. */
#define PIVOT_MIN		1e-13
/* A column whose deviation is below this part of its size has one value only. */
#define SPREAD_MIN		1e-13
/* The next step is at least so much of the last one, and of the coefficient: it does not end. */
#define STEP_KEPT		0.5
#define STEP_OF_BETA	1e-3

/* A power of two, so that scaling is exact, and brings the deviation between 1 and 2. */
static double
scale_of(double mean, double square, bool centred)
{
	double		variance = centred ? square - mean * mean : square;
	int			exponent;

	if (!(variance > square * 1e-15))
		variance = square;		/* too little of it to be seen in double precision */
	if (!(variance > 0))
		return 1;
	frexp(sqrt(variance), &exponent);
	return ldexp(1, 1 - exponent);
}

static double *
zeros(int n)
{
	return palloc0(sizeof(double) * n);
}

/* Penalties are of columns scaled to a deviation of 1. */
static double
penalty_of(const GlmModel *model, const GlmMoments *moments, int i, double scale)
{
	double		mean = model->intercept ? moments->mean[i] : 0;

	if (model->ridge == 0 || (model->intercept && i == 0))
		return 0;
	return model->ridge * (moments->square[i] - mean * mean) * scale * scale;
}

void
irls_init(Irls *irls, const GlmModel *model, const GlmMoments *moments)
{
	int			p = model->p;
	double	   *centre = zeros(p);
	double	   *scale = zeros(p);

	memset(irls, 0, sizeof(*irls));
	irls->model = model;
	irls->p = irls->free = p;
	irls->beta = zeros(p);
	irls->penalty = zeros(p);
	irls->step = zeros(p);
	irls->sums = zeros(glm_sums_count(p));
	irls->information = zeros(p * p);
	irls->column = -1;
	for (int i = 0; i < p; i++)
	{
		bool		centred = model->intercept && i > 0;

		centre[i] = centred ? moments->mean[i] : 0;
		scale[i] = model->intercept && i == 0 ? 1 : scale_of(moments->mean[i], moments->square[i], centred);
		irls->penalty[i] = penalty_of(model, moments, i, scale[i]);
	}
	irls->point.family = model->family;
	irls->point.p = p;
	irls->point.outcome_centre = model->family == FAMILY_GAUSSIAN && model->intercept ? moments->outcome : 0;
	irls->point.beta = irls->beta;
	irls->point.centre = centre;
	irls->point.scale = scale;
}

void
irls_ask(Irls *irls, GlmPass pass)
{
	irls->point.pass = pass;
	irls->marks = 0;
	irls->model->ask(irls->model->arg, &irls->point, irls->sums, &irls->marks);
}

void
irls_products(const Irls *irls, double *matrix)
{
	for (int i = 0; i < irls->free; i++)
		for (int j = 0; j < irls->free; j++)
			matrix[i * irls->free + j] = irls->sums[glm_product_at(irls->p, Min(i, j), Max(i, j))];
}

/* ---- one step ---- */

/* The system's factor and the increment; -1, or the column that makes it singular. */
static int
next_step(Irls *irls, double *step)
{
	int			n = irls->free;
	double	   *matrix = zeros(n * n);
	int			dependent;

	irls_products(irls, matrix);
	for (int i = 0; i < n; i++)
	{
		matrix[i * n + i] += irls->penalty[i];
		step[i] = irls->sums[glm_score_at(i)] - irls->penalty[i] * irls->beta[i];
	}
	dependent = solve_factor(matrix, matrix, n, PIVOT_MIN);
	if (dependent < 0)
		solve_with(matrix, n, step);
	pfree(matrix);
	return dependent;
}

static double
penalised(const Irls *irls)
{
	double		sum = irls->sums[SUM_DEVIANCE];

	for (int i = 0; i < irls->free; i++)
		sum += irls->penalty[i] * irls->beta[i] * irls->beta[i];
	return sum;
}

/* Halves the step until all means are valid. */
static bool
ask_within_reach(Irls *irls, bool may_halve)
{
	irls_ask(irls, PASS_STEP);
	for (int i = 0; irls->marks & MARK_OVERFLOW; i++)
	{
		if (!may_halve || i == irls->model->iterations_max)
			return false;
		for (int j = 0; j < irls->free; j++)
		{
			irls->step[j] /= 2;
			irls->beta[j] -= irls->step[j];
		}
		irls_ask(irls, PASS_STEP);
	}
	return true;
}

static void
stop(Irls *irls, GlmProblem problem, int column)
{
	irls->problem = problem;
	irls->column = column;
}

/* Has a column no deviation, so that what is left of it by centring is rounding? */
static int
constant_column(const Irls *irls)
{
	for (int i = irls->model->intercept; i < irls->free; i++)
	{
		double		centre = irls->point.centre[i] * irls->point.scale[i];
		double		square = irls->sums[glm_product_at(irls->p, i, i)];
		double		weight = irls->model->intercept ? irls->sums[glm_product_at(irls->p, 0, 0)] : 0;

		if (square <= SPREAD_MIN * SPREAD_MIN * weight * centre * centre)
			return i;
	}
	return -1;
}

/* The same of the outcome of a linear model. */
static bool
outcome_is_constant(const Irls *irls)
{
	double		centre = irls->point.outcome_centre;

	return irls->model->family == FAMILY_GAUSSIAN && irls->model->intercept && centre != 0 &&
		irls->saturated <= SPREAD_MIN * SPREAD_MIN * irls->sum_weight * centre * centre;
}

/* Does the coefficient go on as if nothing had been reached? */
static int
runaway_column(Irls *irls)
{
	double	   *next = zeros(irls->free);
	int			column = next_step(irls, next);

	for (int i = irls->free - 1; column < 0 && i >= 0; i--)
		if (fabs(next[i]) > STEP_KEPT * fabs(irls->step[i]) && fabs(next[i]) > STEP_OF_BETA * fabs(irls->beta[i]))
			column = i;
	pfree(next);
	return column;
}

/* A column is to blame rather than the intercept, if there is one. */
static void
stop_if_separated(Irls *irls)
{
	int			column = irls->model->family == FAMILY_GAUSSIAN ? -1 : runaway_column(irls);

	if (column >= 0)
		stop(irls, GLM_SEPARATED, column);
}

static void
keep_constants(Irls *irls)
{
	irls->saturated = irls->sums[SUM_SATURATED];
	irls->sum_weight = irls->sums[SUM_WEIGHT];
	irls->sum_outcome = irls->sums[SUM_OUTCOME];
	if (irls->point.pass == PASS_START)
	{
		irls->best_loglik = irls->sums[SUM_BEST_LOGLIK];
		irls->sum_log_weight = irls->sums[SUM_LOG_WEIGHT];
	}
}

static bool
start(Irls *irls, bool warm)
{
	int			column;

	irls->problem = GLM_FITS;
	irls->iterations = 0;
	irls_ask(irls, warm ? PASS_STEP : PASS_START);
	if (irls->marks & MARK_OVERFLOW)
		stop(irls, GLM_DIVERGED, -1);
	else if ((column = constant_column(irls)) >= 0 && irls->model->ridge == 0)
		stop(irls, GLM_COLUMN_CONSTANT, column);
	keep_constants(irls);
	if (irls->problem == GLM_FITS && outcome_is_constant(irls))
		stop(irls, GLM_OUTCOME_CONSTANT, -1);
	return irls->problem == GLM_FITS;
}

void
irls_run(Irls *irls, bool warm)
{
	double		before;
	bool		settled = false;

	irls->theta = irls->point.theta;
	if (!start(irls, warm))
		return;
	before = penalised(irls);
	while (!settled && irls->iterations < irls->model->iterations_max)
	{
		bool		first = !warm && irls->iterations == 0;
		int			dependent;
		double		now;

		irls_products(irls, irls->information);
		dependent = next_step(irls, irls->step);
		if (dependent >= 0)
		{
			stop(irls, irls->iterations == 0 ? GLM_COLLINEAR : GLM_SEPARATED, dependent);
			return;
		}
		for (int i = 0; i < irls->free; i++)
			irls->beta[i] += irls->step[i];
		irls->iterations++;
		if (!ask_within_reach(irls, !first))
		{
			stop(irls, GLM_DIVERGED, -1);
			return;
		}
		irls->deviance = irls->sums[SUM_DEVIANCE];
		if (irls->model->progress)
			irls->model->progress(irls->model->arg, irls->iterations, irls->deviance);
		now = penalised(irls);
		settled = fabs(now - before) / (fabs(now) + 0.1) < irls->model->epsilon;
		before = now;
	}
	stop_if_separated(irls);
	if (!settled && irls->problem == GLM_FITS)
		stop(irls, GLM_NOT_CONVERGED, -1);
}
