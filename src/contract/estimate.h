/*
 * estimate.h
 *	  A named program that the parties run on what the sites add up, so that
 *	  only what it comes to is opened: part of a plan.
 *
 *	  [program, cells, strata, [position, ...], squared]
 *
 * Sites count events: of each stratum, how many have their event in each cell
 * of a public grid of times, then how many are last seen in each (component
 * COMPONENT_EVENT_COUNTS, whose width is 2 cells strata).  What the programs do
 * is in estimate/curve.h and estimate/logrank.h.
 *
 * What is opened of a cell of the plan (an arm): its flag, then outputs with
 * ESTIMATE_FRACTION fractional bits, then the mark that some site has a row of it:
 *
 *	  curve      rows, events; of each position a flag, numbers at risk, of events and of
 *	             censored since the position before, log survival, Greenwood's sum, cumulative
 *	             hazard, its variance; with limits of the survival at most 1/2, less than 1/2, and of its
 *	             limits at most 1/2 one more than the cells of the grid before that; 0: withheld
 *	  log-rank   rows, events, expected events, the arm's row of the covariance
 */
#ifndef SECMED_CONTRACT_ESTIMATE_H
#define SECMED_CONTRACT_ESTIMATE_H

#include "base/base.h"
#include "base/cbor.h"

typedef enum EstimateProgram
{
	ESTIMATE_CURVE = 1,
	ESTIMATE_LOG_RANK = 2
} EstimateProgram;

#define ESTIMATE_PROGRAM_MAX	ESTIMATE_LOG_RANK

/* Fractional bits of what is opened. */
#define ESTIMATE_FRACTION	80

/* Opened of each position of a curve, and besides them; of the median; of an arm of a log-rank test. */
#define CURVE_OUTPUTS			8
#define CURVE_TOTALS			2
#define CURVE_LIMITS			4
#define LOG_RANK_OUTPUTS		3

/* z is below 8. */
#define ESTIMATE_SQUARED_BITS	26

typedef struct Estimate
{
	EstimateProgram program;	/* 0: there is none */
	uint32		cells;			/* of the grid of times */
	uint32		strata;			/* 1 of a curve */

	/*
	 * Asked times of a curve, ascending: 2 i is after cell i - 1 and before
	 * cell i, 2 i + 1 is the time of cell i.
	 */
	int			npositions;
	uint32	   *positions;
	uint32		squared;		/* of the median's limits, z^2 in units of 2^-ESTIMATE_SQUARED_BITS; 0: no median */
} Estimate;

extern void estimate_encode(StringInfo out, const Estimate *estimate);

/* Bounded; what is wrong goes to the reader. */
extern void estimate_read(CborReader *in, Estimate *estimate);

/* Counts that the sites add up, of each arm. */
extern size_t estimate_inputs(const Estimate *estimate);

/* What is opened of each of so many arms, besides flag and mark. */
extern size_t estimate_outputs(const Estimate *estimate, size_t arms);

/* What opening it reveals, for people. */
extern const char *estimate_words(const Estimate *estimate);

#endif							/* SECMED_CONTRACT_ESTIMATE_H */
