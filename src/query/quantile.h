/*
 * quantile.h
 *	  percentile_disc and percentile_cont over several sites.
 *
 * The values of a column are shared once for all percentiles that are asked of it; see
 * contract/quantile.h for what the parties make of them, and what is opened.
 */
#ifndef SECMED_QUERY_QUANTILE_H
#define SECMED_QUERY_QUANTILE_H

#include "postgres.h"
#include "query/component.h"
#include "query/encode.h"

/* Is it one of the two? */
extern bool is_percentile(const Aggref *agg);

/* A fraction as it was meant: 0.9 is 9 / 10.  False if it is none of at most PERCENTILE_DENOMINATOR_MAX parts. */
extern bool percentile_ratio(double fraction, int *numerator, int *denominator);

/* percentile_cont() casts to double precision: its argument without that, whose order is the same, and which is more exact. */
extern Node *percentile_argument(Node *arg);

/*
 * Adds a component, or what is asked to one that is there.  False with a reason and a hint (may be NULL) if the values can't be
 * shared.  How many are shared, and how many must be beyond a percentile, is for who makes the plan.
 */
extern bool quantile_decompose(ComponentSet *set, Aggref *agg, Final *final, char **reason, char **hint);

/* What PostgreSQL would give, or an array of it.  NULL where there is no value, or where too few are beyond it. */
extern Datum quantile_result(const Final *final, const ComponentTotal *totals, bool *isnull);

/* How many are not shown because too few values are beyond them. */
extern int	quantile_withheld(const Final *final, const ComponentTotal *totals);

#endif							/* SECMED_QUERY_QUANTILE_H */
