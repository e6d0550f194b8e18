/*
 * sim_operators.h
 *	  What the tests of operators share: rows to join, runs with their costs, and how costs add up.
 */
#ifndef SIM_OPERATORS_H
#define SIM_OPERATORS_H

#include "sim_table.h"

#include "mpc/adder.h"
#include "mpc/scan.h"

static uint64 runs = 0;

/* What all three did alike. */
typedef struct Cost
{
	uint64		rounds;
	uint64		sent[PARTIES];
} Cost;

static inline Cost
run(SimStep step, void *job)
{
	Sim			sim;
	Cost		cost;

	sim_open(&sim, runs++);
	sim_run_well(&sim, step, job);
	for (int i = 0; i < PARTIES; i++)
	{
		CHECK(sim.party[i].memory_reserved == 0, "party %d", i);
		CHECK(sim.party[i].rounds == sim.party[0].rounds, "party %d", i);
		cost.sent[i] = sim.party[i].bytes_sent;
	}
	cost.rounds = sim.party[0].rounds;
	sim_close(&sim);
	return cost;
}

/* ---- what they cost ---- */

/* Planes of one row each on the way up, if the last level has some too, and on the way down. */
static inline uint64
level_bytes(size_t n, uint64 up, uint64 last_up, uint64 down, bool planes)
{
	uint64		bytes = 0;

	for (size_t left = n; left > 1; left /= 2)
	{
		uint64		u = left / 2;
		uint64		d = (left - 1) / 2;

		bytes += (u > 1 ? up : last_up) * (planes ? PLANE_BYTES(u) : u);
		bytes += down * (planes ? PLANE_BYTES(d) : d);
	}
	return bytes;
}

static inline uint64
any_bytes(size_t n)
{
	uint64		bytes = 0;

	for (; n > 1; n -= n / 2)
		bytes += PLANE_BYTES(n / 2);
	return bytes;
}

static inline uint64
shuffle_bytes(int party, size_t n, int numbers, int planes)
{
	return (party == 1 ? 2 : 1) * (8 * n * numbers + planes * PLANE_BYTES(n));
}

/* For a table of so many numbers and planes. */
static inline Cost
expand_cost(size_t n, size_t total, int numbers, int planes)
{
	size_t		all = n + total;
	int			d = table_row_planes(total + 1);
	int			l = table_row_planes(all);
	size_t		len = n;
	uint64		bytes = prefix_gates(d) * PLANE_BYTES(n);
	Cost		cost = {0};

	if (total == 0)
		return cost;
	cost.rounds = d + prefix_rounds(d) + 9 + (planes > 0 ? scan_levels(all) : 0) + (numbers > 0 ? scan_levels(all) : 0);
	for (int j = d - 1; j > 0; j--)
	{
		bytes += j * PLANE_BYTES(len);
		len = Min(all, len + ((size_t) 1 << j));
	}
	bytes += 16 * all + 8 * all + HASH_BYTES + l * PLANE_BYTES(all) + HASH_BYTES +
		level_bytes(all, planes + 1, planes, planes, true) +
		level_bytes(all, 8 * numbers + 8, 8 * numbers + 8, 8 * numbers, false);
	for (int i = 0; i < PARTIES; i++)
		cost.sent[i] = bytes + (i == 0 ? d * PLANE_BYTES(n) : 0) + shuffle_bytes(i, all, 1, l) +
			shuffle_bytes(i, all, numbers, l + planes);
	return cost;
}

/* ---- rows to be joined, ordered, and each kept once ---- */

enum
{
	J_VALID, J_KEY, J_KEY_AGAIN, J_KEY_NULL, J_VALUE, J_VALUE_NULL, JOIN_SLICES
};

static const int join_planes[JOIN_SLICES] = {1, 12, 64, 1, 33, 1};
static const int join_keys[] = {J_KEY, J_KEY_AGAIN};
static const int join_nulls[] = {J_KEY_NULL};
static const int join_values[] = {J_VALUE, J_VALUE_NULL};
static const int join_numbers[] = {0, 1};

/* One in `invalid` and one in `null` rows (0: none, 1: all); keys from 0 to range - 1. */
static inline Clear
join_rows(size_t n, uint64 range, int invalid, int null, Prg *prg)
{
	Clear		rows = clear_rows(n, JOIN_SLICES, join_planes, 2);

	for (size_t v = 0; v < n; v++)
	{
		uint64		key = sim_u64(prg) % range;

		rows.slice[J_VALID][v] = invalid == 0 || (invalid > 1 && sim_u64(prg) % invalid != 0);
		rows.slice[J_KEY_NULL][v] = null > 0 && sim_u64(prg) % null == 0;
		/* Both extremes, and keys that differ in one of the columns only. */
		rows.slice[J_KEY][v] = rows.slice[J_KEY_NULL][v] ? 0 : key % 2 ? low_bits(-key, 12) : 7;
		rows.slice[J_KEY_AGAIN][v] = key % 2 ? UINT64CONST(1) << 63 : -(key / 2);
		rows.slice[J_VALUE_NULL][v] = sim_u64(prg) % 4 == 0;
		rows.slice[J_VALUE][v] = rows.slice[J_VALUE_NULL][v] ? 0 : low_bits(sim_hard64(prg), 33);
		for (int c = 0; c < 2; c++)
			rows.number[c][v] = sim_hard64(prg);
	}
	return rows;
}

static inline bool
join_here(const Clear *rows, size_t v)
{
	return rows->slice[J_VALID][v] && !rows->slice[J_KEY_NULL][v];
}

static inline bool
join_equal(const Clear *a, size_t v, const Clear *b, size_t w)
{
	return join_here(a, v) && join_here(b, w) && a->slice[J_KEY][v] == b->slice[J_KEY][w] &&
		a->slice[J_KEY_AGAIN][v] == b->slice[J_KEY_AGAIN][w];
}

static inline uint64
signed_order(uint64 x, int planes)
{
	return x ^ UINT64CONST(1) << (planes - 1);
}

#endif							/* SIM_OPERATORS_H */
