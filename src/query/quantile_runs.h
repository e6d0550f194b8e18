/*
 * quantile_runs.h
 *	  What a party holds of the values that quantiles of a plan are found among, and what it makes of them.
 */
#ifndef SECMED_QUANTILE_RUNS_H
#define SECMED_QUANTILE_RUNS_H

#include "postgres.h"
#include "contract/plan.h"
#include "estimate/quantile.h"

/* One vector for each component that is quantiles and each site: of component i and site k at [i * nsites + k]. */
typedef struct QuantileRuns
{
	const CanonicalPlan *plan;
	int			party;
	int			nsites;
	Shared64   *values;
	Shared64   *groups;
	uint8	   *passed;			/* what party 0 passes on to party 2: x0 of one vector after the other (share/packed.h) */
	size_t		passed_bytes;
	size_t		taken;			/* of it, so far */
	uint8	  (*hashes)[HASH_BYTES];	/* of values, then of groups */
} QuantileRuns;

/* Takes no memory for numbers yet. */
extern void quantile_runs_create(QuantileRuns *runs, const CanonicalPlan *plan, int party, int nsites);
extern void quantile_runs_free(QuantileRuns *runs);

/* What a site has sent behind its vector of sums, site after site; false if it has another length than the plan's. */
extern bool quantile_runs_take(QuantileRuns *runs, int site, const uint8 *package, size_t len);

/*
 * Finds the quantiles with the other parties, and puts them where the numbers of values were in the sum of
 * the sites' vectors.  Rounds and bytes: quantile_runs_cost().  Reveals nothing.
 */
extern void quantile_runs_compute(Party *self, const QuantileRuns *runs, Shared *sum);

extern void quantile_runs_cost(MpcCost *cost, const CanonicalPlan *plan, int nsites);

/* Memory of the vectors, and what finding takes beside them. */
extern uint64 quantile_runs_bytes(const QuantileRuns *runs);
extern uint64 quantile_runs_need(const QuantileRuns *runs);

#endif							/* SECMED_QUANTILE_RUNS_H */
