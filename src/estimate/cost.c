/*
 * cost.c
 *	  Rounds and bytes of the programs, added up step by step.
 */
#include "estimate/cost.h"

#include "mpc/adder.h"
#include "mpc/compare.h"
#include "share/bits.h"

static void
add(EstimateCost *cost, uint64 rounds, uint64 bytes)
{
	cost->rounds += rounds;
	cost->bytes += bytes;
}

void
cost_multiply(EstimateCost *cost, uint64 n)
{
	add(cost, 1, 16 * n);
}

void
cost_multiply64(EstimateCost *cost, uint64 n)
{
	add(cost, 1, 8 * n);
}

void
cost_truncate(EstimateCost *cost, uint64 n, int shift)
{
	add(cost, 2, (cost->party == 0 ? 24 : 8) * n + (shift > 64 ? 8 * n : 0));
}

void
cost_less_public(EstimateCost *cost, uint64 n, int bits)
{
	int			planes = carry_gates(bits + 1) + (cost->party == 0 ? bits + 1 : 0);

	add(cost, 1 + carry_rounds(bits + 1), planes * PLANE_BYTES(n));
}

void
cost_ge_public(EstimateCost *cost, uint64 n)
{
	int			planes = COMPARE_AND_PLANES + (cost->party == 0 ? COMPARE_INPUT_PLANES : 0);

	add(cost, COMPARE_ROUNDS, planes * PLANE_BYTES(n));
}

/* As many planes as a comparison with a bound. */
void
cost_negative(EstimateCost *cost, uint64 n)
{
	cost_ge_public(cost, n);
}

void
cost_and(EstimateCost *cost, uint64 planes, uint64 n)
{
	add(cost, 1, planes * PLANE_BYTES(n));
}

void
cost_to_ring(EstimateCost *cost, uint64 n)
{
	add(cost, 2, (cost->party == 0 ? 32 : 16) * n);
}

void
cost_to_ring64(EstimateCost *cost, uint64 n)
{
	add(cost, 2, 8 * n);
}

void
cost_widen(EstimateCost *cost, uint64 n)
{
	add(cost, 2, (cost->party == 0 ? 24 : 8) * n);
}
