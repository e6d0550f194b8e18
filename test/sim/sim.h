/*
 * sim.h
 *	  Three parties in one process: a thread each, memory channels between
 *	  them, seeds from one number.
 *
 * A simulation prints that number (its seed) when a check fails; with
 * SIM_SEED=... in the environment the run is the same again.
 */
#ifndef SIM_H
#define SIM_H

#include "base/base.h"

#include <pthread.h>
#include <sodium.h>
#include <time.h>

#include "channel/channel.h"
#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring.h"

#include "../unit/unit.h"

/* What gcc defines, clang only tells when asked. */
#if !defined(__SANITIZE_ADDRESS__) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__	1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

/* Slow machines and valgrind stay far below this. */
#define SIM_PATIENCE_MS	120000

static uint64 sim_seed = 20240611;
static int	sim_failures = 0;	/* since the last sim_report() */

/* One of many cases: says something only if it does not hold. */
#define CHECK(condition, ...) \
	do { \
		if (!(condition)) \
		{ \
			printf("# %s:%d: not so: %s (", __FILE__, __LINE__, #condition); \
			printf(__VA_ARGS__); \
			printf(", SIM_SEED=" UINT64_FORMAT ")\n", sim_seed); \
			__atomic_add_fetch(&sim_failures, 1, __ATOMIC_RELAXED);	/* threads check too */ \
		} \
	} while (0)

/* All cases since the last one held. */
#define sim_report(...) \
	do { \
		check(sim_failures == 0, __VA_ARGS__); \
		sim_failures = 0; \
	} while (0)

typedef struct Outcome
{
	bool		failed;
	int			sqlstate;
	char		message[512];
} Outcome;

typedef void (*SimStep) (Party *self, void *job);

typedef struct Sim
{
	Party		party[PARTIES];
	Channel		prev[PARTIES];
	Channel		next[PARTIES];
	Outcome		outcome[PARTIES];
	SimStep		step;
	void	   *job;
	int			patience_ms;
	struct timespec started;
} Sim;

static const char *const sim_names[PARTIES] = {"north", "east", "south"};

/* ---- randomness ---- */

/* A stream for one use: the same in every run with this sim_seed. */
static inline Prg *
sim_prg(const char *purpose, uint64 id)
{
	uint8		secret[SEED_BYTES] = {0};
	uint8		seed[SEED_BYTES];

	memcpy(secret, &sim_seed, sizeof(sim_seed));
	prg_derive_seed(seed, secret, purpose, &id, sizeof(id));
	return prg_create(seed);
}

static inline uint64
sim_u64(Prg *prg)
{
	uint64		x;

	prg_fill(prg, &x, sizeof(x));
	return x;
}

static inline uint128
sim_u128(Prg *prg)
{
	uint128		x;

	prg_fill(prg, &x, sizeof(x));
	return x;
}

static Prg *sim_system;

static inline const char *
sim_system_name(void)
{
	return "sim";
}

static inline void
sim_system_fill(void *const out, const size_t len)
{
	prg_fill(sim_system, out, len);
}

static inline uint32_t
sim_system_random(void)
{
	return (uint32_t) sim_u64(sim_system);
}

/* Call first: reads SIM_SEED, and makes random_bytes() follow it too. */
static inline void
sim_start(void)
{
	static randombytes_implementation system = {
		.implementation_name = sim_system_name,
		.random = sim_system_random,
		.buf = sim_system_fill,
	};
	const char *given = getenv("SIM_SEED");

	if (given)
		sim_seed = strtoull(given, NULL, 10);
	sim_system = sim_prg("system", 0);
	randombytes_set_implementation(&system);
}

static inline int
sim_end(void)
{
	prg_free(sim_system);
	return unit_done();
}

/* ---- parties ---- */

static inline int64
sim_elapsed_ms(const Sim *sim)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - sim->started.tv_sec) * INT64CONST(1000) +
		(now.tv_nsec - sim->started.tv_nsec) / 1000000;
}

static inline void
sim_wait(Party *self, bool sending, bool receiving)
{
	Sim		   *sim = self->wait_arg;

	if (sim_elapsed_ms(sim) > sim->patience_ms)
		fail(ERRCODE_SECMED_NODE_LOST, "party \"%s\" did not answer in time",
			 receiving ? self->next->peer : self->prev->peer);
	memory_channel_wait(receiving ? self->next : self->prev, 20);
}

static inline void
sim_open(Sim *sim, uint64 id)
{
	memset(sim, 0, sizeof(Sim));
	sim->patience_ms = SIM_PATIENCE_MS;
	for (int i = 0; i < PARTIES; i++)
	{
		memory_channel_pair(&sim->prev[i], &sim->next[PARTY_PREV(i)]);
		strlcpy(sim->prev[i].peer, sim_names[PARTY_PREV(i)], sizeof(sim->prev[i].peer));
		strlcpy(sim->next[PARTY_PREV(i)].peer, sim_names[i], sizeof(sim->prev[i].peer));
	}
	for (int i = 0; i < PARTIES; i++)
	{
		Party	   *party = &sim->party[i];

		party->index = i;
		party->prev = &sim->prev[i];
		party->next = &sim->next[i];
		party->prg_mine = sim_prg("pair", id * PARTIES + i);
		party->prg_next = sim_prg("pair", id * PARTIES + PARTY_NEXT(i));
		memset(party->context, 0x5e, HASH_BYTES);
		party->wait = sim_wait;
		party->wait_arg = sim;
	}
}

static inline void
sim_close(Sim *sim)
{
	for (int i = 0; i < PARTIES; i++)
	{
		prg_free(sim->party[i].prg_mine);
		prg_free(sim->party[i].prg_next);
		memory_channel_free(&sim->prev[i], &sim->next[PARTY_PREV(i)]);
	}
}

/* fail() jumps over what a server's memory context would free. */
static inline void
sim_allow_leaks(void)
{
#if defined(__SANITIZE_ADDRESS__)
	__lsan_disable();
#endif
}

static inline void
sim_vanish(Party *self)
{
	memory_channel_close(self->prev);
	memory_channel_close(self->next);
}

/* A party that fails is gone for the others, as it would be on a network. */
static inline void *
sim_thread(void *arg)
{
	Party	   *self = arg;
	Sim		   *sim = self->wait_arg;
	Outcome    *outcome = &sim->outcome[self->index];
	jmp_buf		handler;

	fail_handler = &handler;
	if (setjmp(handler) == 0)
	{
		sim->step(self, sim->job);
		return NULL;
	}
	outcome->failed = true;
	outcome->sqlstate = fail_sqlstate;
	strlcpy(outcome->message, fail_message, sizeof(outcome->message));
	sim_vanish(self);
	return NULL;
}

static inline void
sim_run(Sim *sim, SimStep step, void *job)
{
	pthread_t	threads[PARTIES];

	sim->step = step;
	sim->job = job;
	clock_gettime(CLOCK_MONOTONIC, &sim->started);
	for (int i = 0; i < PARTIES; i++)
	{
		if (pthread_create(&threads[i], NULL, sim_thread, &sim->party[i]) != 0)
			abort();
	}
	for (int i = 0; i < PARTIES; i++)
		pthread_join(threads[i], NULL);
}

/* For protocols that must not fail. */
static inline void
sim_run_well(Sim *sim, SimStep step, void *job)
{
	sim_run(sim, step, job);
	for (int i = 0; i < PARTIES; i++)
		CHECK(!sim->outcome[i].failed, "%s: %s", sim_names[i], sim->outcome[i].message);
}

/* ---- sharing in the clear ---- */

/* What party i holds of the summands s[0..2], PARTIES vectors of n. */
static inline void
sim_deal(Shared shared[PARTIES], uint128 *const s[PARTIES], size_t n)
{
	for (int i = 0; i < PARTIES; i++)
	{
		shared[i] = shared_alloc(n);
		memcpy(shared[i].mine, s[i], n * sizeof(uint128));
		memcpy(shared[i].next, s[PARTY_NEXT(i)], n * sizeof(uint128));
	}
}

/*
 * Shares values.  With `extreme`, the two free summands cycle through zeros,
 * ones and powers of two instead of being random.
 */
static inline void
sim_share(Shared shared[PARTIES], const uint128 *values, size_t n, Prg *prg, bool extreme)
{
	uint128		corner[] = {0, ~(uint128) 0, 1, (uint128) 1 << 63, UINT64_MAX, (uint128) 1 << 127};
	uint128    *s[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		s[i] = palloc(n * sizeof(uint128));
	for (size_t v = 0; v < n; v++)
	{
		size_t		c = sim_u64(prg) % (lengthof(corner) * lengthof(corner));
		int			rest = v % PARTIES;
		uint128		a = extreme ? corner[c % lengthof(corner)] : sim_u128(prg);
		uint128		b = extreme ? corner[c / lengthof(corner)] : sim_u128(prg);

		s[rest][v] = values[v] - a - b;
		s[PARTY_NEXT(rest)][v] = a;
		s[PARTY_PREV(rest)][v] = b;
	}
	sim_deal(shared, s, n);
	for (int i = 0; i < PARTIES; i++)
		pfree(s[i]);
}

static inline void
sim_alloc(Shared shared[PARTIES], size_t n)
{
	for (int i = 0; i < PARTIES; i++)
		shared[i] = shared_alloc(n);
}

static inline void
sim_free(Shared shared[PARTIES])
{
	for (int i = 0; i < PARTIES; i++)
		shared_free(&shared[i]);
}

/* Opens and rebuilds; palloc'd. */
static inline uint128 *
sim_rebuild(const Shared shared[PARTIES])
{
	size_t		n = shared[0].n;
	uint128    *values = palloc(n * sizeof(uint128));
	StringInfoData message[PARTIES];
	const uint8 *messages[PARTIES];
	size_t		lens[PARTIES];

	for (int i = 0; i < PARTIES; i++)
	{
		initStringInfo(&message[i]);
		ring_open_message(&shared[i], &message[i]);
		messages[i] = (const uint8 *) message[i].data;
		lens[i] = message[i].len;
	}
	CHECK(ring_rebuild(values, n, messages, lens), "n=%zu", n);
	for (int i = 0; i < PARTIES; i++)
		pfree(message[i].data);
	return values;
}

static inline void
sim_alloc_bits(SharedBits bits[PARTIES], int planes, size_t n)
{
	for (int i = 0; i < PARTIES; i++)
		bits[i] = shared_bits_alloc(planes, n);
}

static inline void
sim_free_bits(SharedBits bits[PARTIES])
{
	for (int i = 0; i < PARTIES; i++)
		shared_bits_free(&bits[i]);
}

/* Shares the low bits of values, bit-sliced. */
static inline void
sim_share_bits(SharedBits bits[PARTIES], const uint64 *values, int planes, size_t n, Prg *prg)
{
	size_t		words = planes * BIT_WORDS(n);
	uint64	   *s[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		s[i] = palloc(words * sizeof(uint64));
	bits_random(prg, s[1], words);
	bits_random(prg, s[2], words);
	bits_clear_tails(s[1], planes, n);
	bits_clear_tails(s[2], planes, n);
	bits_slice(s[0], values, n, planes);
	for (size_t w = 0; w < words; w++)
		s[0][w] ^= s[1][w] ^ s[2][w];

	sim_alloc_bits(bits, planes, n);
	for (int i = 0; i < PARTIES; i++)
	{
		memcpy(bits[i].mine, s[i], words * sizeof(uint64));
		memcpy(bits[i].next, s[PARTY_NEXT(i)], words * sizeof(uint64));
	}
	for (int i = 0; i < PARTIES; i++)
		pfree(s[i]);
}

/* The words that bits stand for; checks that copies agree. */
static inline uint64 *
sim_rebuild_bits(const SharedBits bits[PARTIES])
{
	size_t		words = bits[0].planes * BIT_WORDS(bits[0].n);
	uint64	   *out = palloc(words * sizeof(uint64));

	for (int i = 0; i < PARTIES; i++)
		CHECK(memcmp(bits[i].next, bits[PARTY_NEXT(i)].mine, words * sizeof(uint64)) == 0,
			  "party %d, planes=%d n=%zu", i, bits[0].planes, bits[0].n);
	for (size_t w = 0; w < words; w++)
		out[w] = bits[0].mine[w] ^ bits[1].mine[w] ^ bits[2].mine[w];
	return out;
}

#endif							/* SIM_H */
