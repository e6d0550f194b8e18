/*
 * quantile.h
 *	  Quantiles of what several sites hold, without opening anything else of it.
 *
 * Each site has sorted its values and shared them (contract/quantile.h).  The parties add up how many there are, find the
 * elements of the ranks that are asked for (mpc/ranked.h), and make of them what is opened later, if
 * enough patients contribute; to release is not done here (mpc/release.h).
 *
 * Definitions: percentile_disc is type 1, percentile_cont is type 7 of Hyndman and Fan, The American Statistician, 1996.
 *
 * Steps, with f = p / q, N values in the group and S in the groups before:
 *	  (a) the goal is p N + q S, or 1 + q S if p = 0; of percentile_cont p (N - 1) + 1 + q S;
 *	  (b) ranked_find: x, the value after it y, and R - 1 elements before x;
 *	  (c) d = goal - 1 - q (R - 1), which is in [0, q): the way from x towards y in parts of q;
 *	  (d) a bit: there is a value, and enough of them before and after;
 *	  (e) x, or q x + d (y - x), or x, y and d, times that bit.
 *
 * Reveals nothing.  Rounds and bytes: quantiles_cost().
 */
#ifndef SECMED_ESTIMATE_QUANTILE_H
#define SECMED_ESTIMATE_QUANTILE_H

#include "contract/quantile.h"
#include "mpc/ranked.h"
#include "share/ring.h"

/*
 * One component: what is asked, of so many groups.  values and groups: of each site a vector of spec->rows elements, in order;
 * groups is NULL if there is one.
 */
typedef struct Quantiles
{
	const QuantileSpec *spec;
	size_t		ngroups;
	int			nsites;
	const Shared64 *values;
	const Shared64 *groups;
} Quantiles;

/*
 * counts: of each group, how many values there are.  out: of each group quantile_elements(spec) elements, in
 * fresh shares; allocated by the caller.
 */
extern void quantiles_compute(Party *self, Shared *out, const Quantiles *quantiles, const Shared *counts);

/* Only what is public of it is read. */
extern void quantiles_cost(MpcCost *cost, const Quantiles *quantiles);

/* Memory at its peak, beside what is given. */
extern uint64 quantiles_need(const Quantiles *quantiles);

#endif							/* SECMED_ESTIMATE_QUANTILE_H */
