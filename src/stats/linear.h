/*
 * linear.h
 *	  Linear aggregates: those whose state is a vector that adds.
 *
 * One table (linear.c) says of each which sums it has and what is made of
 * them.  secmed's own aggregates over local tables (linear_sql.c) and
 * questions to sites (query/linear.c) both read it, so that an answer over a
 * federation is the one over the pooled rows.
 *
 * Arguments are named by a letter: first those of double precision, then
 * those that are boolean.  A term is a sum of products of the former, over
 * rows that the latter choose:
 *
 *	  1		how many rows are complete: no argument is NULL
 *	  *		how many rows there are at all
 *	  xxy	the sum of x * x * y over complete rows
 *	  g		how many complete rows g is true in;  G  false
 *	  xG	the sum of x over the complete rows in which g is false
 *
 * Sums are exact (share/fixed.h); what is computed of them is rounded as
 * late as possible (exact.h).  With every product there is a plain sum of each
 * factor over the same rows, which tells whether NaN or infinities were there.
 *
 * What is opened over a federation: the terms' totals over all sites, in each
 * group with enough patients, each term only if enough patients contribute
 * to it.  Nothing of a site.
 */
#ifndef SECMED_LINEAR_H
#define SECMED_LINEAR_H

#include "base/base.h"
#include "share/fixed.h"
#include "stats/exact.h"
#include "stats/outcome.h"

/* x, y, and z or two booleans: no aggregate has more. */
#define LINEAR_ARGS_MAX			4
#define LINEAR_OPTIONS_MAX		3
#define LINEAR_TERMS_MAX		16

/* What a term asks of an argument. */
typedef enum LinearWhere
{
	LINEAR_ANY,
	LINEAR_PRESENT,				/* is not NULL */
	LINEAR_TRUE,
	LINEAR_FALSE
} LinearWhere;

typedef struct LinearTerm
{
	int			nfactors;		/* 0: a count */
	int			factors[FIXED_FACTORS_MAX]; /* which arguments */
	LinearWhere where[LINEAR_ARGS_MAX];
} LinearTerm;

typedef struct LinearTotals LinearTotals;

typedef struct LinearAggregate
{
	const char *name;			/* in schema secmed */
	const char *numbers;		/* letters of the arguments */
	const char *truths;
	const char *options;		/* letters of the constants that may follow, see linear_option() */
	const char *terms;
	void		(*compute) (const LinearTotals *totals, Outcome *outcome);
} LinearAggregate;

/*
 * One letter for an argument's type: n double precision, b boolean, i integer,
 * t text.  NULL if there is no such aggregate.
 */
extern const LinearAggregate *linear_find(const char *name, const char *types);

/* The whole table, for tests. */
extern const LinearAggregate *linear_all(int *n);

extern int	linear_nargs(const LinearAggregate *aggregate);
extern int	linear_nterms(const LinearAggregate *aggregate);
extern void linear_term(const LinearAggregate *aggregate, int which, LinearTerm *out);

/*
 * Options are constants, held as numbers: c the confidence level (default
 * 0.95), m a hypothetical mean (0), a an Alternative (two-sided), k whether to
 * correct for continuity (true), t which definition (3).  Sets all, given how
 * many were written; fails with ERRCODE_INVALID_PARAMETER_VALUE.
 */
extern void linear_set_options(LinearTotals *totals, const double *values, int n);

/* ---- totals ---- */

typedef struct LinearTotal
{
	int64		count;			/* of a count */
	bool		special;		/* of a sum: NaN or infinities were there */
	int			nlimbs;
	int			exponent;
	uint64		limbs[FIXED_LIMBS_MAX + 1]; /* two's complement, as wide_decode() gives them */
} LinearTotal;

struct LinearTotals
{
	const LinearAggregate *aggregate;
	double		options[LINEAR_OPTIONS_MAX];
	LinearTotal terms[LINEAR_TERMS_MAX];
};

/*
 * What the totals come to.  Everything but counts is NaN if NaN or infinities
 * were among the rows.
 */
extern void linear_compute(const LinearTotals *totals, Outcome *outcome);

/* ---- for those who compute: a total by its term ---- */

extern double linear_count(const LinearTotals *totals, const char *term);
extern Exact linear_exact(const LinearTotals *totals, ExactFrame *frame, const char *term);
extern double linear_sum(const LinearTotals *totals, const char *term);
extern double linear_option(const LinearTotals *totals, char letter);

#endif							/* SECMED_LINEAR_H */
