/*
 * site_values.h
 *	  The values of a site that quantiles are found among: sorted, filled up to a public number, split among the
 *	  parties (contract/quantile.h).
 */
#ifndef SECMED_SITE_VALUES_H
#define SECMED_SITE_VALUES_H

#include "postgres.h"
#include "contract/plan.h"

/* Of all components of a plan. */
typedef struct SiteValues SiteValues;

/* rows_most: of each component, the most values that this site shares for it; fewer than the plan says, or as many. */
extern SiteValues *site_values_create(const CanonicalPlan *plan, const uint64 *rows_most);

/*
 * Takes what the site's aggregate (query/all_values.h) has given for one cell, and encodes the component: a mark, how many values there
 * are, zeros.  Fails, without the number, with ERRCODE_PROGRAM_LIMIT_EXCEEDED if there are too many,
 * or with ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE if one does not fit its declared bits.
 */
extern void site_values_take(SiteValues *values, int component, size_t cell, Datum bytes, uint128 *elements);

/* Memory for the rows of a site's query beyond work_mem, so that all values of a column do not go through a file. */
extern int	site_values_memory_kb(const CanonicalPlan *plan);

/* Appends them to the packages of the parties, and wipes them. */
extern void site_values_share(SiteValues *values, StringInfo packages[PARTIES]);

#endif							/* SECMED_SITE_VALUES_H */
