/*
 * cost.h
 *	  Rounds and bytes of the programs, added up step by step as they run.
 *
 * Each function counts one protocol of the engine as src/mpc/README.md states it.
 */
#ifndef SECMED_ESTIMATE_COST_H
#define SECMED_ESTIMATE_COST_H

#include "base/base.h"

typedef struct EstimateCost
{
	int			party;
	uint64		rounds;
	uint64		bytes;			/* that this party sends */
} EstimateCost;

/* n products, or n sums of products. */
extern void cost_multiply(EstimateCost *cost, uint64 n);
extern void cost_multiply64(EstimateCost *cost, uint64 n);
extern void cost_truncate(EstimateCost *cost, uint64 n, int shift);
extern void cost_less_public(EstimateCost *cost, uint64 n, int bits);
extern void cost_ge_public(EstimateCost *cost, uint64 n);
extern void cost_negative(EstimateCost *cost, uint64 n);
extern void cost_and(EstimateCost *cost, uint64 planes, uint64 n);
extern void cost_to_ring(EstimateCost *cost, uint64 n);
extern void cost_to_ring64(EstimateCost *cost, uint64 n);
extern void cost_widen(EstimateCost *cost, uint64 n);

#endif							/* SECMED_ESTIMATE_COST_H */
