/*
 * sim64.h
 *	  Sharing and rebuilding of Z_2^64 vectors in the clear, and hard inputs.
 */
#ifndef SIM64_H
#define SIM64_H

#include "sim.h"

#include "share/ring64.h"

/* As sim_share(). */
static inline void
sim_share64(Shared64 shared[PARTIES], const uint64 *values, size_t n, Prg *prg, bool extreme)
{
	uint64		corner[] = {0, ~UINT64CONST(0), 1, UINT64CONST(1) << 63, UINT64CONST(1) << 62, PG_INT64_MAX};
	uint64	   *s[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		s[i] = palloc(n * sizeof(uint64));
	for (size_t v = 0; v < n; v++)
	{
		size_t		c = sim_u64(prg) % (lengthof(corner) * lengthof(corner));
		int			rest = v % PARTIES;
		uint64		a = extreme ? corner[c % lengthof(corner)] : sim_u64(prg);
		uint64		b = extreme ? corner[c / lengthof(corner)] : sim_u64(prg);

		s[rest][v] = values[v] - a - b;
		s[PARTY_NEXT(rest)][v] = a;
		s[PARTY_PREV(rest)][v] = b;
	}
	for (int i = 0; i < PARTIES; i++)
	{
		shared[i] = shared64_alloc(n);
		memcpy(shared[i].mine, s[i], n * sizeof(uint64));
		memcpy(shared[i].next, s[PARTY_NEXT(i)], n * sizeof(uint64));
	}
	for (int i = 0; i < PARTIES; i++)
		pfree(s[i]);
}

static inline void
sim_alloc64(Shared64 shared[PARTIES], size_t n)
{
	for (int i = 0; i < PARTIES; i++)
		shared[i] = shared64_zero(n);
}

static inline void
sim_free64(Shared64 shared[PARTIES])
{
	for (int i = 0; i < PARTIES; i++)
	{
		if (shared[i].mine)
			shared64_free(&shared[i]);
	}
}

/* Opens and rebuilds; palloc'd. */
static inline uint64 *
sim_rebuild64(const Shared64 shared[PARTIES])
{
	size_t		n = shared[0].n;
	uint64	   *values = palloc(n * sizeof(uint64));
	StringInfoData message[PARTIES];
	const uint8 *messages[PARTIES];
	size_t		lens[PARTIES];

	for (int i = 0; i < PARTIES; i++)
	{
		initStringInfo(&message[i]);
		ring64_open_message(&shared[i], &message[i]);
		messages[i] = (const uint8 *) message[i].data;
		lens[i] = message[i].len;
	}
	CHECK(ring64_rebuild(values, n, messages, lens), "n=%zu", n);
	for (int i = 0; i < PARTIES; i++)
		pfree(message[i].data);
	return values;
}

/* 0, 1, -1, the ends of the range and their neighbours, powers of two; else random of any length. */
static inline uint64
sim_hard64(Prg *prg)
{
	static const uint64 corner[] = {
		0, 1, 2, 3, UINT64_MAX, UINT64_MAX - 1, PG_INT64_MAX, PG_INT64_MAX - 1,
		UINT64CONST(1) << 63, (UINT64CONST(1) << 63) + 1, UINT64CONST(1) << 62, UINT64CONST(3) << 62,
		UINT64CONST(1) << 32, UINT32_MAX,
	};
	uint64		pick = sim_u64(prg);

	if (pick % 3 == 0)
		return corner[(pick >> 8) % lengthof(corner)];
	if (pick % 3 == 1)
		return UINT64CONST(1) << ((pick >> 8) % 64);
	return sim_u64(prg) >> ((pick >> 8) % 64);
}

static inline uint64 *
sim_hard_values(size_t n, Prg *prg)
{
	uint64	   *values = palloc(n * sizeof(uint64));

	for (size_t v = 0; v < n; v++)
		values[v] = sim_hard64(prg);
	return values;
}

#endif							/* SIM64_H */
