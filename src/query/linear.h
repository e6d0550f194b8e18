/*
 * linear.h
 *	  secmed's linear aggregates (stats/linear.h) over several sites.
 */
#ifndef SECMED_QUERY_LINEAR_H
#define SECMED_QUERY_LINEAR_H

#include "query/component.h"
#include "query/encode.h"

/*
 * A component for each term of the aggregate's row in the table.  False with
 * a reason and a hint if its arguments can't be computed by sites, or an
 * option is not a constant.
 */
extern bool linear_decompose(ComponentSet *set, Aggref *agg, Final *final, char **reason, char **hint);

/* The aggregate's result from the totals. */
extern Datum linear_result(const Final *final, const ComponentTotal *totals, bool *isnull);

#endif							/* SECMED_QUERY_LINEAR_H */
