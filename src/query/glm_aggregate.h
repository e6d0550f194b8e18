/*
 * glm_aggregate.h
 *	  The aggregates secmed.glm_sums and secmed.exact_glm_sums: a pass of a
 *	  regression (stats/glm_sums.h) over the rows of a query.
 *
 *	  glm_sums(at double precision[], y, weight, offset double precision, x double precision[])
 *
 * `at` is the point as numbers, x the row's columns of the design.  A NULL in
 * any of them is an error, so no row of the query is left out: the query itself
 * leaves incomplete rows out, and says so.  glm_sums returns the marks and then
 * the sums as numbers; exact_glm_sums, which sites run, the vector's bytes.
 */
#ifndef SECMED_GLM_AGGREGATE_H
#define SECMED_GLM_AGGREGATE_H

#include "postgres.h"
#include "nodes/primnodes.h"

/* Is it secmed's own function, or aggregate, of this name? */
extern bool is_secmed_function(Oid function, const char *name);

/* Is it either of them? */
extern bool is_glm_aggregate(Oid function);

/* Is it the one that sites run? */
extern bool is_exact_glm_aggregate(Oid function);

/* The number of sums, as far as the query's text says it; 0 if it does not. */
extern int	glm_aggregate_width(const Aggref *agg);

/* double precision[]: marks, then sums. */
extern Datum glm_aggregate_result(uint32 marks, const double *sums, int n);

#endif							/* SECMED_GLM_AGGREGATE_H */
