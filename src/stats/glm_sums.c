/*
 * glm_sums.c
 *	  What one row adds to the sums of a regression.
 *
 * Means, weights and working residuals are those of R's glm.fit (iteratively
 * reweighted least squares; Nelder and Wedderburn, "Generalized Linear Models",
 * JRSS A 135, 1972), but of the increment to the coefficients instead of the
 * coefficients themselves: the last digits then are not lost.
 */
#include "stats/glm_sums.h"

#include <float.h>
#include <math.h>

#include "stats/distribution.h"

/* Before beta: pass, family, p, theta, outcome's centre. */
#define POINT_HEADER	5

/* R warns of fitted probabilities that are closer than this to 0 or 1. */
#define EDGE			(10 * DBL_EPSILON)

/* A row on its way into the sums. */
typedef struct Row
{
	FixedVector *sums;
	const GlmPoint *point;
	double		y;
	double		weight;
	double		offset;
	double		x[GLM_COLUMNS_MAX]; /* centred and scaled */
	double		linear;			/* x times beta */
	double		eta;			/* and the offset; in the first iteration, the link of the starting mean */
	double		mu;
} Row;

int
glm_sums_count(int p)
{
	return SUM_COUNT + p + p * (p + 1) / 2;
}

int
glm_sums_columns(int n)
{
	for (int p = 1; p <= GLM_COLUMNS_MAX; p++)
		if (glm_sums_count(p) == n)
			return p;
	return 0;
}

int
glm_score_at(int i)
{
	return SUM_COUNT + i;
}

int
glm_product_at(int p, int i, int j)
{
	return SUM_COUNT + p + i * p - i * (i - 1) / 2 + (j - i);
}

/* ---- the point as numbers ---- */

static bool
needs_inverse(GlmPass pass)
{
	return pass == PASS_ROBUST_2 || pass == PASS_ROBUST_3;
}

int
glm_point_length(GlmPass pass, int p)
{
	return POINT_HEADER + 3 * p + (needs_inverse(pass) ? p * p : 0);
}

void
glm_point_encode(double *numbers, const GlmPoint *point)
{
	size_t		columns = sizeof(double) * point->p;

	*numbers++ = point->pass;
	*numbers++ = point->family;
	*numbers++ = point->p;
	*numbers++ = point->theta;
	*numbers++ = point->outcome_centre;
	memcpy(numbers, point->beta, columns);
	memcpy(numbers + point->p, point->centre, columns);
	memcpy(numbers + 2 * point->p, point->scale, columns);
	if (needs_inverse(point->pass))
		memcpy(numbers + 3 * point->p, point->inverse, columns * point->p);
}

static bool
whole_between(double x, int min, int max)
{
	return x >= min && x <= max && x == floor(x);
}

bool
glm_point_decode(GlmPoint *point, const double *numbers, int n)
{
	if (n < POINT_HEADER || !whole_between(numbers[0], PASS_MOMENTS, PASS_MAX) ||
		!whole_between(numbers[1], FAMILY_GAUSSIAN, FAMILY_MAX) ||
		!whole_between(numbers[2], 1, GLM_COLUMNS_MAX))
		return false;
	point->pass = (GlmPass) numbers[0];
	point->family = (GlmFamily) numbers[1];
	point->p = (int) numbers[2];
	point->theta = numbers[3];
	point->outcome_centre = numbers[4];
	if (n != glm_point_length(point->pass, point->p) ||
		(point->family == FAMILY_NEGATIVE_BINOMIAL && !(point->theta > 0)))
		return false;
	point->beta = numbers + POINT_HEADER;
	point->centre = point->beta + point->p;
	point->scale = point->centre + point->p;
	point->inverse = needs_inverse(point->pass) ? point->scale + point->p : NULL;
	return true;
}

/* ---- adding ---- */

static void
add(Row *row, int i, double value)
{
	if (unlikely(!fixed_vector_add(row->sums, i, value)))
		row->sums->marks |= MARK_OVERFLOW;
}

/* The sum of weight x_i x_j for all pairs, and of weight x_i residual. */
static void
add_products(Row *row, double weight, double residual)
{
	int			p = row->point->p;
	int			at = glm_product_at(p, 0, 0);

	for (int i = 0; i < p; i++)
	{
		double		weighted = weight * row->x[i];

		add(row, glm_score_at(i), weighted * residual);
		for (int j = i; j < p; j++)
			add(row, at++, weighted * row->x[j]);
	}
}

static void
add_moments(Row *row)
{
	add(row, SUM_OUTCOME, row->y);
	add(row, SUM_DEVIANCE, row->y * row->y);
	if (row->point->family == FAMILY_BINOMIAL && row->y != 0 && row->y != 1)
		row->sums->marks |= MARK_BETWEEN;
	add_products(row, 1, row->y);
}

/* What depends on the outcome and its weight only. */
static void
add_constants(Row *row)
{
	const GlmPoint *point = row->point;
	double		y = row->y - point->outcome_centre;

	add(row, SUM_WEIGHT, row->weight);
	add(row, SUM_OUTCOME, row->weight * y);
	add(row, SUM_SATURATED, family_saturated(point->family, y, row->weight, point->theta));
	if (point->pass == PASS_STEP)
		return;
	add(row, SUM_BEST_LOGLIK, family_best_loglik(point->family, row->y, row->weight));
	add(row, SUM_LOG_WEIGHT, log(row->weight));
}

static void
note_edge(Row *row)
{
	GlmFamily	family = row->point->family;

	if (family != FAMILY_GAUSSIAN &&
		(row->mu < EDGE || (family == FAMILY_BINOMIAL && row->mu > 1 - EDGE)))
		row->sums->marks |= MARK_EDGE;
}

static void
add_fit(Row *row, double variance)
{
	double		residual = row->y - row->mu;
	double		fitted = row->mu - row->point->outcome_centre;

	add(row, SUM_PEARSON, row->weight * residual * residual / variance);
	if (row->point->family == FAMILY_GAUSSIAN)
	{
		add(row, SUM_FITTED, row->weight * fitted);
		add(row, SUM_FITTED_SQUARE, row->weight * fitted * fitted);
	}
	note_edge(row);
}

static void
add_step(Row *row)
{
	const GlmPoint *point = row->point;
	double		slope = family_slope(point->family, row->eta);
	double		variance = family_variance(point->family, row->mu, point->theta);
	double		residual = (row->eta - row->offset - row->linear) + (row->y - row->mu) / slope;

	add(row, SUM_DEVIANCE, family_deviance(point->family, row->y, row->mu, row->weight, point->theta));
	add_constants(row);
	if (point->pass == PASS_STEP)
		add_fit(row, variance);
	add_products(row, row->weight * slope * slope / variance, residual);
}

/* MASS::theta.ml and the likelihood of MASS::glm.nb. */
static void
add_theta(Row *row)
{
	double		y = row->y;
	double		w = row->weight;
	double		mu = row->mu;
	double		theta = row->point->theta;
	double		both = mu + theta;
	double		ratio = y / mu - 1;

	add(row, SUM_WEIGHT, w);
	add(row, SUM_THETA_START, w * ratio * ratio);
	add(row, SUM_THETA_LOGLIK, w * (log_gamma(theta + y) - log_gamma(theta) - log_gamma(y + 1) + theta * log(theta) +
									y * log(mu + (y == 0)) - (theta + y) * log(both)));
	add(row, SUM_THETA_SCORE, w * (digamma_of(theta + y) - digamma_of(theta) + log(theta) + 1 - log(both) - (y + theta) / both));
	add(row, SUM_THETA_INFORMATION, w * (-trigamma_of(theta + y) + trigamma_of(theta) - 1 / theta + 2 / both -
										 (y + theta) / (both * both)));
}

/* weight x times inverse times x */
static double
leverage(const Row *row, double weight)
{
	int			p = row->point->p;
	double		sum = 0;

	for (int i = 0; i < p; i++)
	{
		double		inner = 0;

		for (int j = 0; j < p; j++)
			inner += row->point->inverse[i * p + j] * row->x[j];
		sum += row->x[i] * inner;
	}
	return weight * sum;
}

/* White 1980 (HC0); MacKinnon and White 1985 (HC2, HC3), with the leverages of the last iteration. */
static void
add_robust(Row *row)
{
	const GlmPoint *point = row->point;
	double		slope = family_slope(point->family, row->eta);
	double		weight = row->weight * slope * slope / family_variance(point->family, row->mu, point->theta);
	double		score = weight * (row->y - row->mu) / slope;
	double		rest = point->pass == PASS_ROBUST ? 1 : 1 - leverage(row, weight);

	add_products(row, score * score / (point->pass == PASS_ROBUST_3 ? rest * rest : rest), 0);
}

/* Sets marks for what can't be a row of this model. */
static bool
row_is_usable(Row *row, const double *x)
{
	const GlmPoint *point = row->point;
	bool		finite = isfinite(row->y) && isfinite(row->weight) && isfinite(row->offset);

	for (int i = 0; i < point->p; i++)
	{
		row->x[i] = (x[i] - point->centre[i]) * point->scale[i];
		finite = finite && isfinite(row->x[i]);
	}
	if (!finite)
		row->sums->marks |= MARK_NOT_FINITE;
	else if (!family_accepts(point->family, row->y))
		row->sums->marks |= MARK_OUTCOME;
	else if (row->weight < 0)
		row->sums->marks |= MARK_WEIGHT;
	else
		return true;
	return false;
}

static void
find_mean(Row *row)
{
	const GlmPoint *point = row->point;

	row->linear = 0;
	for (int i = 0; i < point->p; i++)
		row->linear += row->x[i] * point->beta[i];
	row->eta = row->linear + row->offset;
	if (point->pass == PASS_START)
		row->eta = family_link(point->family, family_start(point->family, row->y, row->weight));
	row->mu = family_mean(point->family, row->eta);
}

void
glm_sums_add(FixedVector *sums, const GlmPoint *point, double y, double weight, double offset, const double *x)
{
	Row			row = {.sums = sums, .point = point, .y = y, .weight = weight, .offset = offset};

	fixed_vector_next(sums);
	if (!row_is_usable(&row, x) || weight == 0)
		return;
	add(&row, SUM_ROWS, 1);
	if (point->pass == PASS_MOMENTS)
	{
		add_moments(&row);
		return;
	}
	find_mean(&row);
	if (!isfinite(row.mu))
		sums->marks |= MARK_OVERFLOW;
	else if (point->pass == PASS_START || point->pass == PASS_STEP)
		add_step(&row);
	else if (point->pass == PASS_THETA)
		add_theta(&row);
	else
		add_robust(&row);
}
