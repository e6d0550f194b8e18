/*
 * program.h
 *	  The parties' programs on what the sites add up (contract/estimate.h):
 *	  only what they come to leaves, and only of arms with enough patients.
 *
 * in, of each arm: the number of patients, the counts, and the mark that there
 * are rows (plan_layout()).  out, of each arm: a flag, what estimate.h says, and
 * the mark (plan_opened_layout()); all of it zero where the flag is.
 *
 * An arm passes as a cell does in release.h, if besides patients_min of its rows or more have their
 * event (or it has no rows), and it has fewer than 2^ESTIMATE_ROWS_BITS rows.  All arms of a log-rank test
 * pass or none.
 *
 * Rounds and bytes: estimate_cost().  Reveals: nothing to the parties, but the bit of the guard.
 */
#ifndef SECMED_ESTIMATE_PROGRAM_H
#define SECMED_ESTIMATE_PROGRAM_H

#include "contract/estimate.h"
#include "estimate/cost.h"
#include "mpc/party.h"
#include "mpc/release.h"
#include "share/ring.h"

typedef struct EstimateRule
{
	const Estimate *estimate;
	size_t		arms;
	uint64		patients_min;
	bool		show_zero;
	int			nkeys;			/* the arms as a table, as in release.h */
	const size_t *sizes;
	const ReleaseGuard *guard;
} EstimateRule;

/* Elements of an arm, before and after. */
extern size_t estimate_stride_in(const EstimateRule *rule);
extern size_t estimate_stride_out(const EstimateRule *rule);

/* False, and nothing in out, if an arm is close to an earlier answer, as release_cells() says. */
extern bool estimate_run(Party *self, Shared *out, const Shared *in, const EstimateRule *rule);

extern void estimate_cost(const EstimateRule *rule, int party, uint64 *rounds, uint64 *bytes);

/* Bytes held besides in and out. */
extern uint64 estimate_need(const EstimateRule *rule);

/* ---- what the programs share ---- */

/* Counts of one arm and stratum, or of its patients: views into `in`. */
extern Shared estimate_counts(const Shared *in, const EstimateRule *rule, size_t arm, size_t stratum, bool censored);

/* x becomes the sums from each element to the last. */
extern void suffix_sums(Shared *x);

/* Of each arm 1 or 0: does it pass?  rows and events are the arms' numbers of them.  False as estimate_run(). */
extern bool estimate_flags(Party *self, Shared *flags, const Shared *in, const Shared *rows, const Shared *events,
						   const EstimateRule *rule);
extern void estimate_flags_cost(EstimateCost *cost, const EstimateRule *rule);

/* ---- the programs ---- */

extern bool curve_run(Party *self, Shared *out, const Shared *in, const EstimateRule *rule);
extern void curve_cost(EstimateCost *cost, const EstimateRule *rule);
extern uint64 curve_need(const EstimateRule *rule);
extern bool logrank_run(Party *self, Shared *out, const Shared *in, const EstimateRule *rule);
extern void logrank_cost(EstimateCost *cost, const EstimateRule *rule);
extern uint64 logrank_need(const EstimateRule *rule);

#endif							/* SECMED_ESTIMATE_PROGRAM_H */
