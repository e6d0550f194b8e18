/*
 * cost.c
 *	  What protocols cost one party, exactly.
 */
#include "mpc/cost.h"

#include "mpc/adder.h"
#include "mpc/compare.h"

/* So many planes of n bits, and more by party 0. */
static void
send_planes(MpcCost *cost, uint64 rounds, uint64 planes, uint64 from_0, size_t n)
{
	cost->rounds += rounds;
	cost->bytes += (planes + (cost->party == 0 ? from_0 : 0)) * PLANE_BYTES(n);
}

static int
tree_rounds(int leaves)
{
	int			rounds = 0;

	while ((1 << rounds) < leaves)
		rounds++;
	return rounds;
}

void
mpc_cost_round(MpcCost *cost, uint64 bytes)
{
	cost->rounds++;
	cost->bytes += bytes;
}

void
mpc_cost_to_bits(MpcCost *cost, int planes, size_t n)
{
	if (planes > 0)
		send_planes(cost, 1 + prefix_rounds(planes), prefix_gates(planes), planes, n);
}

void
mpc_cost_bits_to_ring64(MpcCost *cost, size_t n)
{
	cost->rounds += 2;
	cost->bytes += n * sizeof(uint64);
}

void
mpc_cost_bits_to_ring(MpcCost *cost, size_t n)
{
	cost->rounds += 2;
	cost->bytes += n * sizeof(uint128) * (cost->party == 0 ? 2 : 1);
}

void
mpc_cost_from_bits_wide(MpcCost *cost, size_t n)
{
	send_planes(cost, 2 + prefix_rounds(127), 127 + prefix_gates(127) + (cost->party != 1 ? 128 : 0), 0, n);
	if (cost->party != 2)
		cost->bytes += 32;
}

void
mpc_cost_less(MpcCost *cost, int bits, size_t n)
{
	send_planes(cost, 1 + carry_rounds(bits + 1), carry_gates(bits + 1), bits + 1, n);
}

void
mpc_cost_negative(MpcCost *cost, size_t n)
{
	send_planes(cost, COMPARE_ROUNDS, COMPARE_AND_PLANES, COMPARE_INPUT_PLANES, n);
}

void
mpc_cost_equal(MpcCost *cost, int bits, size_t n)
{
	send_planes(cost, 1 + tree_rounds(bits), bits - 1, bits, n);
}

void
mpc_cost_less_bits(MpcCost *cost, int planes, size_t n)
{
	send_planes(cost, carry_rounds(planes + 1), carry_gates(planes + 1), 0, n);
}

void
mpc_cost_min_max_bits(MpcCost *cost, int planes, size_t n)
{
	mpc_cost_less_bits(cost, planes, n);
	send_planes(cost, 1, planes, 0, n);
}
