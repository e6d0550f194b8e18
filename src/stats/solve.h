/*
 * solve.h
 *	  Symmetric positive definite systems, by LAPACK (Anderson et al., "LAPACK
 *	  Users' Guide", 3rd ed. 1999).  Matrices are p x p, p at least 1, both
 *	  triangles filled.
 */
#ifndef SECMED_SOLVE_H
#define SECMED_SOLVE_H

#include "base/base.h"

/*
 * Cholesky's factor into `factor` (may be the matrix itself).  Returns -1, or
 * the first row that depends on those before it: what these leave of its
 * diagonal is below `tolerance` of it.
 */
extern int	solve_factor(double *factor, const double *matrix, int p, double tolerance);

/* x becomes the solution of matrix * x = x. */
extern void solve_with(const double *factor, int p, double *x);

/* The matrix' inverse, from its factor. */
extern void solve_inverse(double *inverse, const double *factor, int p);

/* a * b * a for symmetric a, b. */
extern void solve_sandwich(double *out, const double *a, const double *b, int p);

#endif							/* SECMED_SOLVE_H */
