/*
 * failures.c
 *	  A wrong message, another context, a lost peer: each ends the run with an
 *	  error that names the party; and no flipped bit survives the opening.
 */
#include "sim.h"

#include "mpc/arith.h"
#include "mpc/release.h"

/* More than the queues of a channel take while everybody sends first. */
#define LARGE_BYTES	(4 * 1024 * 1024)

static void
expect_failure(const Sim *sim, int party, int sqlstate, const char *part)
{
	const Outcome *outcome = &sim->outcome[party];

	CHECK(outcome->failed && outcome->sqlstate == sqlstate && strstr(outcome->message, part),
		  "party %d: \"%s\", expected \"%s\"", party, outcome->message, part);
}

/* ---- lengths ---- */

typedef struct Lengths
{
	size_t		send[PARTIES];
	size_t		recv[PARTIES];
} Lengths;

static void
step_lengths(Party *self, void *arg)
{
	Lengths    *lengths = arg;
	uint8		out[64] = {0};
	uint8		in[64];

	party_round(self, out, lengths->send[self->index], in, lengths->recv[self->index]);
}

static void
test_length(size_t len)
{
	Lengths		lengths = {{8, len, 8}, {8, 8, 8}};
	Sim			sim;

	sim_open(&sim, 0);
	sim_run(&sim, step_lengths, &lengths);
	expect_failure(&sim, 0, ERRCODE_SECMED_PROTOCOL, "party \"east\" sent");
	sim_close(&sim);
	sim_report("a message of %zu bytes where 8 are due fails", len);
}

/* ---- the context ---- */

static void
step_other_context(Party *self, void *arg)
{
	if (self->index == *(int *) arg)
		self->context[HASH_BYTES - 1] ^= 1;
	step_lengths(self, &(Lengths)
				 {
					 {8, 8, 8}, {8, 8, 8}
				 });
}

static void
test_context(int party)
{
	Sim			sim;
	char		name[128];

	snprintf(name, sizeof(name), "party \"%s\" does not agree about the run", sim_names[party]);
	sim_open(&sim, 0);
	sim_run(&sim, step_other_context, &party);

	/* It may be lost before it is found out, because it found the others out. */
	if (sim.outcome[PARTY_PREV(party)].sqlstate != ERRCODE_SECMED_NODE_LOST)
		expect_failure(&sim, PARTY_PREV(party), ERRCODE_SECMED_PROTOCOL, name);
	CHECK(sim.outcome[PARTY_PREV(party)].failed && sim.outcome[party].failed, "party %d", party);
	sim_close(&sim);
	sim_report("another context of %s fails", sim_names[party]);
}

/* Party 0 alone sends, first nothing, then a vector: its context goes first. */
static void
step_late_context(Party *self, void *arg)
{
	uint8		out[8] = {1, 2, 3};
	uint8		in[8] = {0};

	if (self->index == 0 && arg)
		self->context[0] ^= 1;
	party_round(self, NULL, 0, NULL, 0);
	CHECK(!self->context_sent && !self->context_received, "party %d", self->index);
	if (self->index == 0)
		party_round(self, out, 8, NULL, 0);
	if (self->index == 1)
		party_round(self, NULL, 0, NULL, 0);
	if (self->index == 2)
	{
		party_round(self, NULL, 0, in, 8);
		CHECK(memcmp(out, in, 8) == 0 && self->context_received && !self->context_sent, "party 2");
	}
}

static void
test_late_context(void)
{
	Sim			sim;

	sim_open(&sim, 0);
	sim_run_well(&sim, step_late_context, NULL);
	CHECK(sim.prev[0].messages_sent == 2 && sim.prev[0].bytes_sent == HASH_BYTES + 8, "party 0");
	CHECK(sim.prev[1].messages_sent == 0 && sim.prev[2].messages_sent == 0, "parties 1 and 2");
	CHECK(sim.party[1].rounds == 2, "an empty round counts");
	sim_close(&sim);

	sim_open(&sim, 0);
	sim_run(&sim, step_late_context, "differs");
	/* Party 2 may have left before party 0 is done with sending. */
	CHECK(!sim.outcome[0].failed || sim.outcome[0].sqlstate == ERRCODE_SECMED_NODE_LOST, "party 0");
	CHECK(!sim.outcome[1].failed, "party 1");
	expect_failure(&sim, 2, ERRCODE_SECMED_PROTOCOL, "party \"north\" does not agree");
	sim_close(&sim);
	sim_report("the context goes before the first message, whenever that is");
}

/* A peer of another version may begin with anything. */
static void
step_no_context(Party *self, void *arg)
{
	size_t		len = *(size_t *) arg;
	uint8		junk[64] = {0};

	if (self->index == 1)
		channel_try_send(self->prev, junk, len);
	else
		step_lengths(self, &(Lengths)
					 {
						 {8, 8, 8}, {8, 8, 8}
					 });
}

static void
test_no_context(size_t len)
{
	Sim			sim;

	sim_open(&sim, 0);
	sim.patience_ms = 100;
	sim_run(&sim, step_no_context, &len);
	expect_failure(&sim, 0, ERRCODE_SECMED_PROTOCOL,
				   len == HASH_BYTES ? "party \"east\" does not agree" : "party \"east\" sent");
	sim_close(&sim);
	sim_report("%zu bytes that are no context fail", len);
}

/* ---- lost peers ---- */

static void
step_silent(Party *self, void *arg)
{
	if (self->index != 2)
		step_lengths(self, &(Lengths)
					 {
						 {8, 8, 8}, {8, 8, 8}
					 });
}

static void
test_silent(void)
{
	Sim			sim;

	sim_open(&sim, 0);
	sim.patience_ms = 100;
	sim_run(&sim, step_silent, NULL);
	expect_failure(&sim, 1, ERRCODE_SECMED_NODE_LOST, "party \"south\" did not answer in time");
	sim_close(&sim);
	sim_report("a silent party is named at the deadline");
}

static __thread int messages_left;
static const ChannelOps *memory_ops;

static bool
vanishing_send(Channel *channel, const void *message, size_t len)
{
	if (messages_left == 0)
		fail(ERRCODE_INTERNAL_ERROR, "gone as planned");
	if (!memory_ops->try_send(channel, message, len))
		return false;
	messages_left--;
	return true;
}

static const ChannelOps vanishing_ops = {vanishing_send, NULL};

/* Party 2 releases cells with the others and is gone after some messages. */
static void
step_vanish(Party *self, void *arg)
{
	ReleaseRule rule = {9, 2, 11, true};
	Shared		in;
	Shared		out;

	sim_allow_leaks();
	if (self->index == 2)
	{
		messages_left = *(int *) arg;
		self->prev->ops = &vanishing_ops;
	}
	in = shared_alloc(rule.cells * (1 + rule.width));
	out = shared_alloc(rule.cells * (1 + rule.width));
	release_cells(self, &out, &in, &rule);
	shared_free(&in);
	shared_free(&out);
}

/* Party 2 sends its context and eight vectors. */
#define RELEASE_MESSAGES	9

static void
test_vanish(int after)
{
	Sim			sim;

	sim_open(&sim, 0);
	memory_ops = sim.prev[2].ops;
	sim_run(&sim, step_vanish, &after);
	expect_failure(&sim, 2, ERRCODE_INTERNAL_ERROR, "gone as planned");
	expect_failure(&sim, 1, ERRCODE_SECMED_NODE_LOST, "is gone");

	/* Party 0 may have all it needs by then. */
	if (sim.outcome[0].failed)
		expect_failure(&sim, 0, ERRCODE_SECMED_NODE_LOST, "is gone");
	CHECK(strstr(sim.outcome[0].message, "\"south\"") || strstr(sim.outcome[1].message, "\"south\""),
		  "nobody names the lost party");
	sim_close(&sim);
}

/* ---- rounds that could block ---- */

static void
step_large(Party *self, void *arg)
{
	uint8	   *out = palloc(LARGE_BYTES);
	uint8	   *in = palloc(LARGE_BYTES);

	for (int r = 0; r < 5; r++)
	{
		memset(out, 10 * r + self->index, LARGE_BYTES);
		party_round(self, out, LARGE_BYTES, in, LARGE_BYTES);
		CHECK(in[0] == 10 * r + PARTY_NEXT(self->index) && in[LARGE_BYTES - 1] == in[0],
			  "party %d, round %d", self->index, r);
	}
	pfree(out);
	pfree(in);
}

/* Party 0 runs ahead of two that take their time. */
static void
step_one_way(Party *self, void *arg)
{
	uint8		byte = 7;

	for (int r = 0; r < 100; r++)
	{
		if (self->index == 2 && r % 20 == 0)
			pg_usleep(1000);
		party_round(self, &byte, self->index == 0, &byte, self->index == 2);
	}
}

static void
test_rounds(void)
{
	Sim			sim;

	sim_open(&sim, 0);
	sim_run_well(&sim, step_large, NULL);
	sim_close(&sim);
	sim_open(&sim, 0);
	sim_run_well(&sim, step_one_way, NULL);
	sim_close(&sim);
	sim_report("large messages around the ring and a fast sender do not block");
}

/* ---- rules ---- */

static void
step_rule(Party *self, void *arg)
{
	ReleaseRule rule = {1, 0, *(uint64 *) arg, false};
	Shared		none = {0};

	release_cells(self, &none, &none, &rule);
}

static void
test_rule(uint64 patients_min)
{
	Sim			sim;

	sim_open(&sim, 0);
	sim_run(&sim, step_rule, &patients_min);
	for (int i = 0; i < PARTIES; i++)
		expect_failure(&sim, i, ERRCODE_SECMED_PROTOCOL, "is not possible");
	CHECK(sim.prev[0].messages_sent == 0, "nothing may be sent");
	sim_close(&sim);
	sim_report("a threshold of " UINT64_FORMAT " patients fails", patients_min);
}

/* ---- opening ---- */

#define OPENED	3

static void
test_rebuild(void)
{
	Prg		   *prg = sim_prg("rebuild", 0);
	uint128		values[OPENED] = {0, 1, ~(uint128) 0};
	uint128		rebuilt[OPENED];
	Shared		shared[PARTIES];
	StringInfoData message[PARTIES];
	const uint8 *messages[PARTIES];
	size_t		lens[PARTIES];

	sim_share(shared, values, OPENED, prg, false);
	for (int i = 0; i < PARTIES; i++)
	{
		initStringInfo(&message[i]);
		ring_open_message(&shared[i], &message[i]);
		messages[i] = (const uint8 *) message[i].data;
		lens[i] = message[i].len;
	}
	CHECK(ring_rebuild(rebuilt, OPENED, messages, lens), "untouched");
	CHECK(memcmp(values, rebuilt, sizeof(values)) == 0, "untouched");
	for (int i = 0; i < PARTIES; i++)
	{
		for (int bit = 0; bit < 8 * message[i].len; bit++)
		{
			message[i].data[bit / 8] ^= 1 << bit % 8;
			CHECK(!ring_rebuild(rebuilt, OPENED, messages, lens), "party %d, bit %d", i, bit);

			/* The same bit of the next element must not make up for it. */
			if (bit / 8 + sizeof(uint128) < message[i].len)
			{
				message[i].data[bit / 8 + sizeof(uint128)] ^= 1 << bit % 8;
				CHECK(!ring_rebuild(rebuilt, OPENED, messages, lens), "party %d, bit %d, twice", i, bit);
				message[i].data[bit / 8 + sizeof(uint128)] ^= 1 << bit % 8;
			}
			message[i].data[bit / 8] ^= 1 << bit % 8;
		}
		lens[i]--;
		CHECK(!ring_rebuild(rebuilt, OPENED, messages, lens), "party %d, short", i);
		lens[i] += 2;
		CHECK(!ring_rebuild(rebuilt, OPENED, messages, lens), "party %d, long", i);
		lens[i]--;
	}
	for (int i = 0; i < PARTIES; i++)
		pfree(message[i].data);
	sim_free(shared);
	prg_free(prg);
	sim_report("opening finds every single flipped bit");
}

int
main(void)
{
	sim_start();
	test_length(1);
	test_length(7);
	test_length(9);
	for (int party = 0; party < PARTIES; party++)
		test_context(party);
	test_late_context();
	test_no_context(8);
	test_no_context(HASH_BYTES - 1);
	test_no_context(HASH_BYTES);
	test_silent();
	for (int after = 0; after < RELEASE_MESSAGES; after++)
		test_vanish(after);
	sim_report("a party that vanishes in any round is named");
	test_rounds();
	test_rule(0);
	test_rule((uint64) PG_INT64_MAX + 1);
	test_rebuild();
	return sim_end();
}
