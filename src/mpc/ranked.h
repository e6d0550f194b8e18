/*
 * ranked.h
 *	  Which element of several sorted vectors, put together, has a given rank; neither is known to anybody.
 *
 * Each run is sorted by who shares it: by a group, unsigned, then by a value, as two's complement.
 * Its end is filled up with elements that come last.  Steps, letters and costs: mpc/README.md, "Ranks in
 * sorted runs".
 *
 * What is sent grows with the square of a number of pivots and with the logarithm of n; what is computed
 * locally with n.  Nothing is revealed, neither values nor where they are.
 */
#ifndef SECMED_RANKED_H
#define SECMED_RANKED_H

#include "mpc/cost.h"
#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring64.h"

typedef struct RankedRuns
{
	int			runs;			/* 1 to SITES_MAX */
	size_t		n;				/* elements of each, at least 1 */
	int			group_planes;	/* bits of a group, 0 to 32; 0: there is one */
	int			value_planes;	/* bits of a value, 2 to 64 */
	const Shared64 *groups;		/* of each run; NULL if there is one group.  Only the low bits count */
	const Shared64 *values;		/* of each run */
} RankedRuns;

/* Its number in the union of all runs is R, from 1, where scale (R - 1) < goal <= scale R. */
typedef struct RankedGoals
{
	size_t		n;
	Shared64	goal;			/* in (-scale, scale runs n]; beyond, what is found is arbitrary */
	const uint64 *scales;		/* public; 1 to RANKED_SCALE_MAX */
} RankedGoals;

#define RANKED_SCALE_MAX	65536

/* The group and value of elements that fill up a run. */
extern uint64 ranked_last_group(int group_planes);
extern uint64 ranked_last_value(int value_planes);

/*
 * Of each goal the value of that element, of the one after it, and how many are before it.  Values are
 * value_planes planes of two's complement.  second may be NULL, which is cheaper.  All are
 * allocated by the caller.
 */
extern void ranked_find(Party *self, const RankedRuns *runs, const RankedGoals *goals,
						SharedBits *first, SharedBits *second, Shared64 *before);

/* Of runs and goals only what is public is read. */
extern void ranked_cost(MpcCost *cost, const RankedRuns *runs, const RankedGoals *goals, bool second);

/* Memory at its peak. */
extern uint64 ranked_need(const RankedRuns *runs, size_t goals);

#endif							/* SECMED_RANKED_H */
