/*
 * uniform.c
 *	  What one party sees of a fixed secret looks like random bytes.
 *
 * A test of the masks, not a proof: forgetting one, or using one twice in
 * the same sum, makes the secret's regular pattern show.  Bytes are counted
 * and compared with the uniform distribution by Pearson's chi-square.
 */
#include "sim64.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/function.h"
#include "mpc/release.h"
#include "mpc/scaled.h"

/*
 * 255 degrees of freedom exceed 420 with probability below 1e-9 (Wilson and
 * Hilferty's approximation); some 70 samples are tested.
 */
#define CHI_SQUARE_MAX	420.0

/* Two comparisons a cell: the smallest message, one plane, has 2048 bytes. */
#define CELLS			8192
#define WIDTH			2
#define ELEMENTS		(CELLS * (1 + WIDTH))

static double
chi_square(const void *bytes, size_t len)
{
	uint64		seen[256] = {0};
	double		expected = len / 256.0;
	double		sum = 0;

	for (size_t i = 0; i < len; i++)
		seen[((const uint8 *) bytes)[i]]++;
	for (int value = 0; value < 256; value++)
		sum += (seen[value] - expected) * (seen[value] - expected) / expected;
	return sum;
}

static void
expect_uniform(const void *bytes, size_t len, const char *what, int party, int number)
{
	double		chi = chi_square(bytes, len);

	CHECK(len >= 5 * 256, "%s %d of party %d has only %zu bytes", what, number, party, len);
	CHECK(chi < CHI_SQUARE_MAX, "%s %d of party %d: chi-square %.0f", what, number, party, chi);
}

/* Both summands, and what they make together: a reused mask cancels there. */
static void
expect_uniform_shares(const Shared *shared, const char *what, int party)
{
	size_t		len = shared->n * sizeof(uint128);
	uint128    *together = palloc(len);

	expect_uniform(shared->mine, len, what, party, 0);
	expect_uniform(shared->next, len, what, party, 1);
	for (size_t v = 0; v < shared->n; v++)
		together[v] = shared->mine[v] + shared->next[v];
	expect_uniform(together, len, what, party, 2);
	for (size_t v = 0; v < shared->n; v++)
		together[v] = shared->mine[v] - shared->next[v];
	expect_uniform(together, len, what, party, 3);
	pfree(together);
}

/* ---- a party's mail ---- */

static const ChannelOps *memory_ops;
static __thread int mail_party;
static __thread int mail_number;

static bool
reading_recv(Channel *channel, const void **message, size_t *len)
{
	if (!memory_ops->try_recv(channel, message, len))
		return false;
	/* The first is the context. */
	if (mail_number > 0)
		expect_uniform(*message, *len, "message", mail_party, mail_number);
	mail_number++;
	return true;
}

/* Digests of what is opened. */
static bool
reading_send(Channel *channel, const void *message, size_t len)
{
	return memory_ops->try_send(channel, message, len);
}

static const ChannelOps reading_ops = {reading_send, reading_recv};

/* ---- runs ---- */

typedef struct Job
{
	Shared		in[PARTIES];
	Shared		out[PARTIES];
} Job;

static void
step_release(Party *self, void *arg)
{
	Job		   *job = arg;
	ReleaseRule rule = {CELLS, WIDTH, 11, true};
	int			i = self->index;

	mail_party = i;
	mail_number = 0;
	self->next->ops = &reading_ops;
	release_cells(self, &job->out[i], &job->in[i], &rule);
}

/* What three sites with the same numbers in each cell send, added up. */
static void
share_cells(Shared in[PARTIES], uint64 patients)
{
	uint128    *values = palloc(ELEMENTS * sizeof(uint128));

	for (size_t v = 0; v < ELEMENTS; v++)
		values[v] = v % (1 + WIDTH) == 0 ? patients : v % (1 + WIDTH) == 1 ? 42 : 0;
	sim_alloc(in, ELEMENTS);
	for (int site = 0; site < 3; site++)
	{
		StringInfoData package[PARTIES];

		for (int i = 0; i < PARTIES; i++)
			initStringInfo(&package[i]);
		ring_split(values, ELEMENTS, (StringInfo[PARTIES])
				   {
					   &package[0], &package[1], &package[2]
				   });
		for (int i = 0; i < PARTIES; i++)
		{
			CHECK(ring_add_package(&in[i], i, package[i].data, package[i].len), "party %d", i);
			pfree(package[i].data);
		}
	}
	pfree(values);
}

static void
expect_opened(const Shared out[PARTIES], uint64 patients)
{
	bool		pass = 3 * patients >= 11 || patients == 0;
	uint128    *values = sim_rebuild(out);

	for (size_t v = 0; v < ELEMENTS; v++)
	{
		size_t		element = v % (1 + WIDTH);
		uint128		expected = element == 0 ? 1 : element == 1 ? 3 * 42 : 0;

		CHECK(values[v] == (pass ? expected : 0), "element %zu", v);
	}
	pfree(values);
}

static void
test_release(uint64 patients)
{
	Job			job;
	Sim			sim;

	share_cells(job.in, patients);
	sim_alloc(job.out, ELEMENTS);
	sim_open(&sim, patients);
	memory_ops = sim.next[0].ops;
	for (int i = 0; i < PARTIES; i++)
		expect_uniform_shares(&job.in[i], "share", i);
	sim_run_well(&sim, step_release, &job);
	for (int i = 0; i < PARTIES; i++)
	{
		StringInfoData message;

		expect_uniform_shares(&job.out[i], "result", i);
		initStringInfo(&message);
		ring_open_message(&job.out[i], &message);
		expect_uniform(message.data, message.len, "open message", i, 0);
		pfree(message.data);
	}
	expect_opened(job.out, patients);
	sim_close(&sim);
	sim_free(job.in);
	sim_free(job.out);
	sim_report("cells with " UINT64_FORMAT " patients at each site: all that one party sees is uniform", patients);
}

/* ---- the protocols over Z_2^64 ---- */

/* One plane has 2048 bytes. */
#define NUMBERS			16384

typedef struct EngineJob
{
	Shared64	x[PARTIES];
	Shared64	z[PARTIES];
} EngineJob;

static void
step_engine(Party *self, void *arg)
{
	EngineJob  *job = arg;
	Shared64   *x = &job->x[self->index];
	Shared64   *z = &job->z[self->index];
	SharedBits	bits = shared_bits_alloc(64, NUMBERS);
	SharedBits	bit = shared_bits_alloc(1, NUMBERS);

	mail_party = self->index;
	mail_number = 0;
	self->next->ops = &reading_ops;
	arith64_multiply(self, z, x, x);
	convert_to_bits(self, &bits, x);
	compare_less_bits(self, &bit, &bits, &bits, true);
	convert_from_bits(self, z, &bits);
	compare_less(self, &bit, x, z, KIND_INT64);
	compare_equal(self, &bit, x, z, 64);
	convert_bit_to_ring64(self, z, &bit);
	convert_bit_times(self, z, &bit, x);
	scaled_truncate(self, z, x, 20);
	scaled_divide(self, z, x, x, 20);
	scaled_sqrt(self, z, x, 0);
	function_sigmoid(self, z, x);
	arith64_refresh(self, z, z);
	shared_bits_free(&bits);
	shared_bits_free(&bit);
}

/* Everybody has the same number; of its summands each party sees two that are random. */
static void
test_engine(uint64 value)
{
	EngineJob	job;
	Sim			sim;
	Prg		   *prg = sim_prg("engine", value);
	uint64	   *values = palloc(NUMBERS * sizeof(uint64));

	for (size_t v = 0; v < NUMBERS; v++)
		values[v] = value;
	sim_share64(job.x, values, NUMBERS, prg, false);
	sim_alloc64(job.z, NUMBERS);
	sim_open(&sim, value);
	memory_ops = sim.next[0].ops;
	sim_run_well(&sim, step_engine, &job);
	for (int i = 0; i < PARTIES; i++)
	{
		expect_uniform(job.z[i].mine, NUMBERS * sizeof(uint64), "mine", i, 0);
		expect_uniform(job.z[i].next, NUMBERS * sizeof(uint64), "next", i, 0);
	}
	sim_close(&sim);
	sim_free64(job.x);
	sim_free64(job.z);
	prg_free(prg);
	pfree(values);
	sim_report("protocols over Z_2^64 on " UINT64_FORMAT ": all messages are uniform", value);
}

/* The test itself must find what it looks for. */
static void
test_control(void)
{
	Prg		   *prg = sim_prg("control", 0);
	size_t		len = 2048;
	uint8	   *bytes = palloc(len);

	prg_fill(prg, bytes, len);
	CHECK(chi_square(bytes, len) < CHI_SQUARE_MAX, "random bytes");
	for (size_t i = 0; i < len; i++)
		bytes[i] &= ~1;
	CHECK(chi_square(bytes, len) > CHI_SQUARE_MAX, "one bit of a byte is always zero");
	memset(bytes, 42, len);
	CHECK(chi_square(bytes, len) > CHI_SQUARE_MAX, "one byte again and again");
	pfree(bytes);
	prg_free(prg);
	sim_report("chi-square tells random bytes from others");
}

int
main(void)
{
	sim_start();
	test_control();
	test_release(0);
	test_release(3);
	test_release(50);
	test_engine(0);
	test_engine(1);
	test_engine(UINT64CONST(1) << 40);
	return sim_end();
}
