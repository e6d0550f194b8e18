/*
 * cost.h
 *	  What protocols cost one party, exactly: sums of what their headers say, for programs made of them.
 */
#ifndef SECMED_MPC_COST_H
#define SECMED_MPC_COST_H

#include "base/base.h"

/* The party's index is set by who calls; the rest is added to. */
typedef struct MpcCost
{
	int			party;
	uint64		rounds;
	uint64		bytes;
} MpcCost;

/* convert_to_bits(): nothing for 0 planes. */
extern void mpc_cost_to_bits(MpcCost *cost, int planes, size_t n);

/* convert_bit_to_ring64(), convert_bit_to_ring(), convert_from_bits_wide() */
extern void mpc_cost_bits_to_ring64(MpcCost *cost, size_t n);
extern void mpc_cost_bits_to_ring(MpcCost *cost, size_t n);
extern void mpc_cost_from_bits_wide(MpcCost *cost, size_t n);

/* compare_less() of fewer than 64 bits, compare_negative(), compare_equal_public(), compare_less_bits(), compare_min_max_bits() */
extern void mpc_cost_less(MpcCost *cost, int bits, size_t n);
extern void mpc_cost_negative(MpcCost *cost, size_t n);
extern void mpc_cost_equal(MpcCost *cost, int bits, size_t n);
extern void mpc_cost_less_bits(MpcCost *cost, int planes, size_t n);
extern void mpc_cost_min_max_bits(MpcCost *cost, int planes, size_t n);

/* A round in which every party sends so many bytes. */
extern void mpc_cost_round(MpcCost *cost, uint64 bytes);

#endif							/* SECMED_MPC_COST_H */
