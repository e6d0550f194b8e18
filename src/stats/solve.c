/*
 * solve.c
 *	  Symmetric positive definite systems.
 */
#include "stats/solve.h"

#include <lapacke.h>

/* LAPACK's lower triangle by columns is ours by rows, the upper one. */
static double *
element(double *matrix, int p, int i, int j)
{
	return &matrix[i * p + j];
}

int
solve_factor(double *factor, const double *matrix, int p, double tolerance)
{
	double	   *diagonal = palloc(sizeof(double) * p);
	int			dependent = -1;
	lapack_int	info;

	for (int i = 0; i < p; i++)
		diagonal[i] = matrix[i * p + i];
	if (factor != matrix)
		memcpy(factor, matrix, sizeof(double) * p * p);
	info = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', p, factor, p);
	if (info < 0)
		dependent = 0;			/* NaN in the matrix */
	else if (info > 0)
		dependent = (int) info - 1;
	for (int i = 0; i < (info > 0 ? (int) info - 1 : p); i++)
	{
		double		pivot = *element(factor, p, i, i);

		if (!(pivot * pivot > tolerance * diagonal[i]))
		{
			dependent = i;
			break;
		}
	}
	pfree(diagonal);
	return dependent;
}

void
solve_with(const double *factor, int p, double *x)
{
	(void) LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', p, 1, factor, p, x, p);
}

void
solve_inverse(double *inverse, const double *factor, int p)
{
	if (inverse != factor)
		memcpy(inverse, factor, sizeof(double) * p * p);
	(void) LAPACKE_dpotri(LAPACK_COL_MAJOR, 'L', p, inverse, p);
	for (int i = 0; i < p; i++)
		for (int j = 0; j < i; j++)
			*element(inverse, p, i, j) = *element(inverse, p, j, i);
}

static void
multiply(double *out, const double *a, const double *b, int p)
{
	for (int i = 0; i < p; i++)
		for (int j = 0; j < p; j++)
		{
			double		sum = 0;

			for (int k = 0; k < p; k++)
				sum += a[i * p + k] * b[k * p + j];
			out[i * p + j] = sum;
		}
}

void
solve_sandwich(double *out, const double *a, const double *b, int p)
{
	double	   *half = palloc(sizeof(double) * p * p);

	multiply(half, a, b, p);
	multiply(out, half, a, p);
	pfree(half);
}
