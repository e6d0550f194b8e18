/*
 * glm.c
 *	  Generalised linear models: from the end of the iterations to what is
 *	  reported.
 *
 * Coefficients are of the columns themselves, while iterations know them
 * centred and scaled: beta_j = s_j gamma_j, and the intercept is
 * gamma_0 - sum of c_j beta_j.
 */
#include "stats/glm.h"

#include <math.h>

#include "stats/distribution.h"
#include "stats/irls.h"
#include "stats/solve.h"

/* ---- the first pass ---- */

static GlmProblem
problem_of_marks(uint32 marks)
{
	if (marks & MARK_NOT_FINITE)
		return GLM_VALUE_NOT_FINITE;
	if (marks & MARK_OUTCOME)
		return GLM_OUTCOME_IMPOSSIBLE;
	if (marks & MARK_WEIGHT)
		return GLM_WEIGHT_NEGATIVE;
	return marks & MARK_OVERFLOW ? GLM_VALUE_NOT_FINITE : GLM_FITS;
}

/* The outcome is the same in all rows, as far as the family cares. */
static bool
outcome_is_constant(const GlmModel *model, const GlmMoments *moments, uint32 marks)
{
	switch (model->family)
	{
		case FAMILY_BINOMIAL:
			return !(marks & MARK_BETWEEN) && (moments->outcome == 0 || moments->outcome == 1);
		case FAMILY_POISSON:
		case FAMILY_NEGATIVE_BINOMIAL:
			return moments->outcome == 0;
		case FAMILY_GAUSSIAN:
			break;
	}
	return moments->outcome_square == 0;
}

GlmProblem
glm_moments(GlmMoments *moments, const GlmModel *model)
{
	int			p = model->p;
	double	   *sums = palloc0(sizeof(double) * glm_sums_count(p));
	double	   *numbers = palloc0(sizeof(double) * p * 2);
	GlmPoint	point = {.pass = PASS_MOMENTS, .family = model->family, .p = p, .theta = 1};
	uint32		marks = 0;
	GlmProblem	problem;

	point.beta = point.centre = numbers;
	point.scale = numbers + p;
	for (int i = 0; i < p; i++)
		numbers[p + i] = 1;
	model->ask(model->arg, &point, sums, &marks);

	problem = problem_of_marks(marks);
	moments->rows = (int64) sums[SUM_ROWS];
	if (problem == GLM_FITS && moments->rows == 0)
		problem = GLM_NO_ROWS;
	moments->outcome = sums[SUM_OUTCOME] / sums[SUM_ROWS];
	moments->outcome_square = sums[SUM_DEVIANCE] / sums[SUM_ROWS];
	moments->mean = palloc(sizeof(double) * p);
	moments->square = palloc(sizeof(double) * p);
	for (int i = 0; i < p; i++)
	{
		/* Without an intercept means are of no use; its column is 1. */
		moments->mean[i] = model->intercept ? sums[glm_product_at(p, 0, i)] / sums[SUM_ROWS] : 0;
		moments->square[i] = sums[glm_product_at(p, i, i)] / sums[SUM_ROWS];
	}
	if (problem == GLM_FITS && outcome_is_constant(model, moments, marks))
		problem = GLM_OUTCOME_CONSTANT;
	pfree(sums);
	return problem;
}

/* ---- coefficients and their errors ---- */

/* covariance = T matrix T', and beta = T gamma. */
static void
to_original_columns(GlmFit *fit, const Irls *irls, const double *matrix)
{
	int			p = irls->p;
	const double *scale = irls->point.scale;
	const double *centre = irls->point.centre;
	bool		intercept = irls->model->intercept;
	double	   *t = palloc0(sizeof(double) * p * p);

	for (int i = 0; i < p; i++)
	{
		t[i * p + i] = scale[i];
		if (intercept && i > 0)
			t[i] = -centre[i] * scale[i];
	}
	for (int i = 0; i < p; i++)
	{
		fit->beta[i] = 0;
		for (int j = 0; j < p; j++)
		{
			double		sum = 0;

			fit->beta[i] += t[i * p + j] * irls->beta[j];
			for (int k = 0; k < p; k++)
				for (int l = 0; l < p; l++)
					if (t[i * p + k] != 0 && t[j * p + l] != 0)
						sum += t[i * p + k] * matrix[k * p + l] * t[j * p + l];
			fit->covariance[i * p + j] = sum;
		}
	}
	pfree(t);
}

/* Inverse of (matrix + penalty); false if it is singular. */
static bool
invert_penalised(double *inverse, const double *matrix, const Irls *irls)
{
	int			p = irls->p;

	memcpy(inverse, matrix, sizeof(double) * p * p);
	for (int i = 0; i < p; i++)
		inverse[i * p + i] += irls->penalty[i];
	if (solve_factor(inverse, inverse, p, 0) >= 0)
		return false;
	solve_inverse(inverse, inverse, p);
	return true;
}

/* From the last iteration's weights, as R; with a penalty, inverse * information * inverse. */
static void
model_covariance(double *out, const double *inverse, const Irls *irls, double dispersion)
{
	int			n = irls->p * irls->p;

	if (irls->model->ridge == 0)
		memcpy(out, inverse, sizeof(double) * n);
	else
		solve_sandwich(out, inverse, irls->information, irls->p);
	for (int i = 0; i < n; i++)
		out[i] *= dispersion;
}

/* The sandwich, all of it at the final coefficients. */
static void
robust_covariance(double *out, Irls *irls, double rows, double df)
{
	int			p = irls->p;
	GlmErrors	errors = irls->model->errors;
	double	   *bread = palloc(sizeof(double) * p * p);
	double	   *middle = palloc(sizeof(double) * p * p);

	irls_products(irls, middle);
	(void) invert_penalised(bread, middle, irls);
	irls->point.inverse = bread;
	irls_ask(irls, errors == ERRORS_HC2 ? PASS_ROBUST_2 : errors == ERRORS_HC3 ? PASS_ROBUST_3 : PASS_ROBUST);
	irls_products(irls, middle);
	solve_sandwich(out, bread, middle, p);
	for (int i = 0; i < p * p && errors == ERRORS_HC1; i++)
		out[i] *= rows / df;
	pfree(bread);
	pfree(middle);
}

static void
test_coefficients(GlmFit *fit, const GlmModel *model)
{
	bool		student = model->family == FAMILY_GAUSSIAN;
	double		df = fit->df_residual;
	double		tail = (1 - model->conf_level) / 2;
	double		quantile = student ? student_quantile(tail, df, TAIL_UPPER) : normal_quantile(tail, TAIL_UPPER);

	for (int i = 0; i < model->p; i++)
	{
		double		z;

		fit->error[i] = sqrt(fit->covariance[i * model->p + i]);
		z = fit->statistic[i] = fit->beta[i] / fit->error[i];
		fit->probability[i] = 2 * (student ? student_probability(fabs(z), df, TAIL_UPPER) :
								   normal_probability(fabs(z), TAIL_UPPER));
		fit->low[i] = fit->beta[i] - quantile * fit->error[i];
		fit->high[i] = fit->beta[i] + quantile * fit->error[i];
	}
}

/* The diagonal of the coefficients' correlation, inverted: 1 / (1 - R^2 of a column on the others). */
static void
inflation_factors(GlmFit *fit, const Irls *irls, const double *inverse)
{
	int			p = irls->p;
	int			n = p - 1;
	double	   *matrix = palloc(sizeof(double) * p * p);

	for (int i = 0; i < p; i++)
		fit->vif[i] = NAN;
	if (irls->model->intercept && n > 0)
	{
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
				matrix[i * n + j] = inverse[(i + 1) * p + j + 1];
		if (solve_factor(matrix, matrix, n, 0) < 0)
		{
			solve_inverse(matrix, matrix, n);
			for (int i = 0; i < n; i++)
				fit->vif[i + 1] = matrix[i * n + i] * inverse[(i + 1) * p + i + 1];
		}
	}
	pfree(matrix);
}

/* ---- the model as a whole ---- */

/* Coefficients that count: the trace of what maps the outcome to its fitted values. */
static double
effective_coefficients(const double *inverse, const Irls *irls)
{
	double		trace = 0;
	int			p = irls->p;

	if (irls->model->ridge == 0)
		return p;
	for (int i = 0; i < p; i++)
		for (int j = 0; j < p; j++)
			trace += inverse[i * p + j] * irls->information[j * p + i];
	return trace;
}

/* Of the model without covariates; with an offset it has iterations of its own. */
static GlmProblem
null_deviance(double *deviance, Irls *irls)
{
	const GlmModel *model = irls->model;

	if (model->intercept && !model->offset)
	{
		*deviance = family_null_deviance(model->family, irls->saturated, irls->sum_weight, irls->sum_outcome, irls->theta);
		return GLM_FITS;
	}
	memset(irls->beta, 0, sizeof(double) * irls->p);
	irls->free = model->intercept;
	irls->problem = GLM_FITS;
	if (model->intercept)
		irls_run(irls, false);
	else
		irls_ask(irls, PASS_STEP);
	*deviance = irls->sums[SUM_DEVIANCE];
	return irls->problem;
}

/* Burnham and Anderson, "Model Selection and Multimodel Inference", 2nd ed. 2002. */
static void
information_criteria(GlmFit *fit, const Irls *irls, const ThetaFit *theta)
{
	double		rows = (double) fit->rows;
	double		count = rows - fit->df_residual;

	switch (irls->model->family)
	{
		case FAMILY_GAUSSIAN:
			fit->loglik = (irls->sum_log_weight - rows * (log(2 * M_PI * fit->deviance / rows) + 1)) / 2;
			count++;			/* the variance */
			break;
		case FAMILY_NEGATIVE_BINOMIAL:
			fit->loglik = theta->loglik;
			count++;
			break;
		case FAMILY_BINOMIAL:
		case FAMILY_POISSON:
			fit->loglik = irls->best_loglik - fit->deviance / 2;
			break;
	}
	fit->aic = 2 * count - 2 * fit->loglik;
	fit->bic = log(rows) * count - 2 * fit->loglik;
}

/* R's summary.lm */
static void
explained(GlmFit *fit, const Irls *irls)
{
	double		intercept = irls->model->intercept;
	double		fitted = irls->sums[SUM_FITTED];
	double		model = irls->sums[SUM_FITTED_SQUARE] - (intercept ? fitted * fitted / irls->sum_weight : 0);
	double		df = fit->df_model;

	fit->r_squared = fit->adjusted = fit->sigma = fit->f = fit->f_probability = NAN;
	if (irls->model->family != FAMILY_GAUSSIAN)
		return;
	fit->sigma = sqrt(fit->dispersion);
	fit->r_squared = df == 0 ? 0 : model / (model + fit->deviance);
	fit->adjusted = 1 - (1 - fit->r_squared) * ((double) fit->rows - intercept) / fit->df_residual;
	if (df > 0)
	{
		fit->f = model / df / fit->dispersion;
		fit->f_probability = f_probability(fit->f, df, fit->df_residual, TAIL_UPPER);
	}
}

static void
allocate(GlmFit *fit, int p)
{
	double	   *numbers = palloc0(sizeof(double) * p * (7 + p));

	fit->beta = numbers;
	fit->error = numbers + p;
	fit->statistic = numbers + 2 * p;
	fit->probability = numbers + 3 * p;
	fit->low = numbers + 4 * p;
	fit->high = numbers + 5 * p;
	fit->vif = numbers + 6 * p;
	fit->covariance = numbers + 7 * p;
}

/* Everything that comes of the last pass of the iterations, which robust errors then overwrite. */
static void
summarise(GlmFit *fit, Irls *irls, const ThetaFit *theta)
{
	const GlmModel *model = irls->model;
	int			p = irls->p;
	double	   *inverse = palloc(sizeof(double) * p * p);
	double	   *covariance = palloc(sizeof(double) * p * p);

	(void) invert_penalised(inverse, irls->information, irls);
	fit->iterations = irls->iterations;
	fit->deviance = irls->deviance;
	fit->pearson = irls->sums[SUM_PEARSON];
	fit->edge = (irls->marks & MARK_EDGE) != 0;
	fit->df_residual = (double) fit->rows - effective_coefficients(inverse, irls);
	fit->df_model = (double) fit->rows - fit->df_residual - model->intercept;
	fit->df_null = (double) fit->rows - model->intercept;
	fit->dispersion = model->family == FAMILY_GAUSSIAN ? fit->deviance / fit->df_residual : 1;
	fit->theta = fit->theta_error = NAN;
	if (model->family == FAMILY_NEGATIVE_BINOMIAL)
	{
		fit->theta = theta->theta;
		fit->theta_error = theta->error;
	}
	explained(fit, irls);
	information_criteria(fit, irls, theta);
	inflation_factors(fit, irls, inverse);
	if (model->errors == ERRORS_MODEL)
		model_covariance(covariance, inverse, irls, fit->dispersion);
	else
		robust_covariance(covariance, irls, (double) fit->rows, fit->df_residual);
	to_original_columns(fit, irls, covariance);
	test_coefficients(fit, model);
}

void
glm_fit(GlmFit *fit, const GlmModel *model, const GlmMoments *moments)
{
	Irls		irls;
	ThetaFit	theta = {0};

	memset(fit, 0, sizeof(*fit));
	fit->rows = moments->rows;
	fit->column = -1;
	if (moments->rows <= model->p && model->ridge == 0)
	{
		fit->problem = GLM_TOO_FEW_ROWS;
		return;
	}
	allocate(fit, model->p);
	irls_init(&irls, model, moments);
	if (model->family == FAMILY_NEGATIVE_BINOMIAL)
		negative_binomial_run(&irls, &theta);
	else
		irls_run(&irls, false);
	fit->problem = irls.problem;
	fit->column = irls.column;
	if (irls.problem != GLM_FITS)
		return;
	summarise(fit, &irls, &theta);
	fit->problem = null_deviance(&fit->null_deviance, &irls);
}
