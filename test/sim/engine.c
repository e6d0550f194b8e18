/*
 * engine.c
 *	  Every protocol over Z_2^64 and over bits gives what the clear computation gives.
 */
#include "sim64.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "share/vector.h"

static const size_t sizes[] = {0, 1, 2, 3, 63, 64, 65, 127, 511, 512, 513, 1000};

/* What the three threads work on; each touches only its own index. */
typedef struct Job
{
	size_t		n;
	int			planes;
	int			party;
	bool		is_signed;
	uint64		c;
	const uint64 *xv;
	const uint64 *yv;
	Shared64	x[PARTIES];
	Shared64	y[PARTIES];
	Shared64	z[PARTIES];
	Shared64	z2[PARTIES];
	SharedBits	bx[PARTIES];
	SharedBits	by[PARTIES];
	SharedBits	bz[PARTIES];
	SharedBits	bz2[PARTIES];
	uint64	   *opened[PARTIES];
} Job;

static uint64 runs = 0;

static void
run(SimStep step, Job *job)
{
	Sim			sim;

	sim_open(&sim, runs++);
	sim_run_well(&sim, step, job);
	sim_close(&sim);
}

static void
expect64(const Shared64 z[PARTIES], const uint64 *expected, const char *what)
{
	uint64	   *values = sim_rebuild64(z);

	for (size_t v = 0; v < z[0].n; v++)
		CHECK(values[v] == expected[v], "%s, n=%zu, element %zu: " UINT64_FORMAT " for " UINT64_FORMAT,
			  what, z[0].n, v, values[v], expected[v]);
	pfree(values);
}

/* Tails must be zero too. */
static void
expect_bits(const SharedBits z[PARTIES], const uint64 *expected, const char *what)
{
	uint64	   *words = sim_rebuild_bits(z);
	uint64	   *values = palloc(z[0].n * sizeof(uint64));
	uint64	   *again = palloc(z[0].planes * BIT_WORDS(z[0].n) * sizeof(uint64));

	bits_unslice(values, words, z[0].n, z[0].planes);
	bits_slice(again, values, z[0].n, z[0].planes);
	CHECK(memcmp(words, again, z[0].planes * BIT_WORDS(z[0].n) * sizeof(uint64)) == 0, "%s: tails", what);
	for (size_t v = 0; v < z[0].n; v++)
		CHECK(values[v] == expected[v], "%s, planes=%d n=%zu, value %zu: " UINT64_FORMAT " for " UINT64_FORMAT,
			  what, z[0].planes, z[0].n, v, values[v], expected[v]);
	pfree(words);
	pfree(values);
	pfree(again);
}

static uint64
low_bits(uint64 x, int planes)
{
	return planes == 64 ? x : x & ((UINT64CONST(1) << planes) - 1);
}

static int64
as_signed(uint64 x, int planes)
{
	return planes == 64 ? (int64) x : (int64) (x << (64 - planes)) >> (64 - planes);
}

static void
start(Job *job, uint64 *x, uint64 *y, size_t n, int planes, Prg *prg, bool extreme)
{
	memset(job, 0, sizeof(Job));
	job->n = n;
	job->planes = planes;
	job->xv = x;
	job->yv = y;
	sim_share64(job->x, x, n, prg, extreme);
	sim_share64(job->y, y, n, prg, extreme);
	sim_alloc64(job->z, n);
	sim_alloc64(job->z2, n);
	sim_share_bits(job->bx, x, planes, n, prg);
	sim_share_bits(job->by, y, planes, n, prg);
	sim_alloc_bits(job->bz, planes, n);
	sim_alloc_bits(job->bz2, planes, n);
	for (int i = 0; i < PARTIES; i++)
		job->opened[i] = palloc0((64 * BIT_WORDS(n) + n + 8) * sizeof(uint64));
}

static void
finish(Job *job)
{
	sim_free64(job->x);
	sim_free64(job->y);
	sim_free64(job->z);
	sim_free64(job->z2);
	sim_free_bits(job->bx);
	sim_free_bits(job->by);
	sim_free_bits(job->bz);
	sim_free_bits(job->bz2);
	for (int i = 0; i < PARTIES; i++)
		pfree(job->opened[i]);
}

/* ---- packages ---- */

static void
test_packages(size_t n, Prg *prg)
{
	Shared64	sum[PARTIES];
	uint64	   *total = palloc0(n * sizeof(uint64));

	sim_alloc64(sum, n);
	for (int site = 0; site < 3; site++)
	{
		uint64	   *values = sim_hard_values(n, prg);
		StringInfoData package[PARTIES];

		for (int i = 0; i < PARTIES; i++)
			initStringInfo(&package[i]);
		ring64_split(values, n, (StringInfo[PARTIES])
					 {
						 &package[0], &package[1], &package[2]
					 });
		for (int i = 0; i < PARTIES; i++)
		{
			CHECK(package[i].len == package64_bytes(i, n), "party %d, n=%zu", i, n);
			CHECK(!ring64_add_package(&sum[i], i, package[i].data, package[i].len - 1), "short");
			CHECK(!ring64_add_package(&sum[i], i, package[i].data, package[i].len + 1), "long");
			CHECK(ring64_add_package(&sum[i], i, package[i].data, package[i].len), "party %d", i);
			pfree(package[i].data);
		}
		for (size_t v = 0; v < n; v++)
			total[v] += values[v];
		pfree(values);
	}
	expect64(sum, total, "packages");
	sim_free64(sum);
	pfree(total);
}

/* ---- arithmetic ---- */

static void
step_arith(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;
	Shared64	one = shared64_alloc(1);
	Shared64	halves = shared64_alloc(2);
	Shared64	even = shared64_view(&job->x[i], 0, job->n / 2 * 2);
	Shared64	even_y = shared64_view(&job->y[i], 0, job->n / 2 * 2);

	arith64_multiply(self, &job->z[i], &job->x[i], &job->y[i]);
	arith64_square(self, &job->z2[i], &job->x[i]);
	arith64_dot(self, &one, &job->x[i], &job->y[i]);
	arith64_open(self, &job->opened[i][0], &one);
	arith64_dot(self, &halves, &even, &even_y);
	arith64_open(self, &job->opened[i][1], &halves);
	arith64_sum(&halves, &even);
	arith64_open(self, &job->opened[i][3], &halves);
	/* In place. */
	arith64_multiply(self, &job->x[i], &job->x[i], &job->y[i]);
	arith64_multiply(self, &job->y[i], &job->x[i], &job->y[i]);
	arith64_add_constant(self, &job->x[i], &job->x[i], 7);
	shared64_free(&one);
	shared64_free(&halves);
}

static void
test_arith(size_t n, Prg *prg, bool extreme)
{
	Job			job;
	uint64	   *x = sim_hard_values(n, prg);
	uint64	   *y = sim_hard_values(n, prg);
	uint64	   *z = palloc(n * sizeof(uint64));
	uint64		sums[5] = {0};

	start(&job, x, y, n, 1, prg, extreme);
	run(step_arith, &job);
	for (size_t v = 0; v < n; v++)
	{
		z[v] = x[v] * y[v];
		sums[0] += z[v];
		if (v < n / 2 * 2)
		{
			sums[v < n / 2 ? 1 : 2] += z[v];
			sums[v < n / 2 ? 3 : 4] += x[v];
		}
	}
	expect64(job.z, z, "multiply");
	for (int i = 0; i < PARTIES; i++)
		CHECK(memcmp(job.opened[i], sums, sizeof(sums)) == 0, "dots, n=%zu", n);
	for (size_t v = 0; v < n; v++)
		z[v] = x[v] * x[v];
	expect64(job.z2, z, "square");
	for (size_t v = 0; v < n; v++)
		z[v] = x[v] * y[v] + 7;
	expect64(job.x, z, "multiply into x, add a constant");
	for (size_t v = 0; v < n; v++)
		z[v] = x[v] * y[v] * y[v];
	expect64(job.y, z, "multiply into y");
	finish(&job);
	pfree(x);
	pfree(y);
	pfree(z);
}

static void
step_input(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;
	bool		from = i == job->party;
	uint64	   *words = palloc(job->planes * BIT_WORDS(job->n) * sizeof(uint64));
	Shared64	r = shared64_alloc(job->n);

	bits_slice(words, job->yv, job->n, job->planes);
	arith64_input(self, &job->z[i], job->party, from ? job->xv : NULL);
	logic_input(self, &job->bz[i], job->party, from ? words : NULL);
	arith64_public(self, &job->z2[i], job->yv);
	logic_public(self, &job->bz2[i], words);
	arith64_open_to(self, job->party, from ? job->opened[i] : NULL, &job->x[i]);
	logic_open_to(self, job->party, from ? job->opened[i] + job->n : NULL, &job->by[i]);

	/* Random shares fit together, and shares of zero sum to zero (opened as x - x). */
	arith64_random(self, &r);
	arith64_zero(self, r.mine, job->n);
	pfree(words);
	shared64_free(&r);
}

static void
test_input(size_t n, int planes, int party, Prg *prg)
{
	Job			job;
	uint64	   *x = sim_hard_values(n, prg);
	uint64	   *y = sim_hard_values(n, prg);
	uint64	   *words = palloc(planes * BIT_WORDS(n) * sizeof(uint64));

	for (size_t v = 0; v < n; v++)
		y[v] = low_bits(y[v], planes);
	start(&job, x, y, n, planes, prg, false);
	job.party = party;
	run(step_input, &job);
	bits_slice(words, y, n, planes);
	expect64(job.z, x, "input");
	expect_bits(job.bz, y, "input of bits");
	expect64(job.z2, y, "public");
	expect_bits(job.bz2, y, "public bits");
	CHECK(memcmp(job.opened[party], x, n * sizeof(uint64)) == 0, "open to %d, n=%zu", party, n);
	CHECK(memcmp(job.opened[party] + n, words, planes * BIT_WORDS(n) * sizeof(uint64)) == 0,
		  "open bits to %d, n=%zu", party, n);
	finish(&job);
	pfree(x);
	pfree(y);
	pfree(words);
}

/* ---- random ---- */

static void
step_random(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	arith64_random(self, &job->z[i]);
	logic_random(self, &job->bz[i]);
	arith64_zero(self, job->z2[i].mine, job->n);
}

static void
test_random(size_t n, Prg *prg)
{
	Job			job;
	uint64	   *x = sim_hard_values(n, prg);
	uint64	   *random;
	uint64	   *words;

	start(&job, x, x, n, 3, prg, false);
	run(step_random, &job);
	random = sim_rebuild64(job.z);
	words = sim_rebuild_bits(job.bz);
	for (size_t v = 0; v < n; v++)
	{
		CHECK(job.z2[0].mine[v] + job.z2[1].mine[v] + job.z2[2].mine[v] == 0, "zero, n=%zu", n);
		CHECK(v == 0 || random[v] != random[v - 1], "random, n=%zu", n);
	}
	pfree(random);
	pfree(words);
	finish(&job);
	pfree(x);
}

/* ---- logic ---- */

static void
step_logic(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;
	SharedBits *x = &job->bx[i];
	SharedBits *y = &job->by[i];
	SharedBits	choice = shared_bits_alloc(1, job->n);
	SharedBits	first = shared_bits_view(x, 0, 1);
	SharedBits	one = shared_bits_view(&job->bz[i], 0, 1);

	shared_bits_copy(&choice, &first);
	switch (job->party)
	{
		case 0:
			logic_or(self, &job->bz[i], x, y);
			logic_select(self, &job->bz2[i], &choice, x, y);
			break;
		case 1:
			logic_and_bit(self, &job->bz2[i], y, &choice);
			logic_or(self, y, x, y);
			shared_bits_copy(&job->bz[i], y);
			break;
		case 2:
			logic_select(self, x, &choice, x, y);
			shared_bits_copy(&job->bz2[i], x);
			logic_or_all(self, &one, y);
			break;
		case 3:
			shared_bits_copy(&job->bz2[i], y);
			logic_and_all(self, &one, x);
			break;
	}
	logic_open(self, job->opened[i], &job->bz2[i]);
	shared_bits_free(&choice);
}

static void
test_logic(size_t n, int planes, int variant, Prg *prg)
{
	Job			job;
	uint64	   *x = sim_hard_values(n, prg);
	uint64	   *y = sim_hard_values(n, prg);
	uint64	   *z = palloc(n * sizeof(uint64));
	uint64	   *z2 = palloc(n * sizeof(uint64));
	uint64	   *opened = palloc(n * sizeof(uint64));

	for (size_t v = 0; v < n; v++)
	{
		if (variant == 3 && v % 2)
			x[v] = UINT64_MAX;
		x[v] = low_bits(x[v], planes);
		y[v] = low_bits(y[v], planes);
		z[v] = variant < 2 ? x[v] | y[v] : variant == 2 ? y[v] != 0 : x[v] == low_bits(UINT64_MAX, planes);
		z2[v] = variant == 3 ? y[v] : variant == 1 ? (x[v] & 1) * y[v] : x[v] & 1 ? x[v] : y[v];
	}
	start(&job, x, y, n, planes, prg, false);
	job.party = variant;
	run(step_logic, &job);
	expect_bits(job.bz, z, "or");
	expect_bits(job.bz2, z2, "select");
	for (int i = 0; i < PARTIES; i++)
	{
		bits_unslice(opened, job.opened[i], n, planes);
		CHECK(memcmp(opened, z2, n * sizeof(uint64)) == 0, "open bits, n=%zu, party %d", n, i);
	}
	finish(&job);
	pfree(x);
	pfree(y);
	pfree(z);
	pfree(z2);
	pfree(opened);
}

/* ---- conversions ---- */

static void
step_convert(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;
	SharedBits	bit = shared_bits_view(&job->bx[i], 0, 1);

	convert_to_bits(self, &job->bz[i], &job->x[i]);
	if (job->is_signed)
		convert_from_signed_bits(self, &job->z[i], &job->by[i]);
	else
		convert_from_bits(self, &job->z[i], &job->by[i]);
	convert_select(self, &job->z2[i], &bit, &job->x[i], &job->y[i]);
	convert_bit_times(self, &job->y[i], &bit, &job->y[i]);
	convert_bit_to_ring64(self, &job->x[i], &bit);
}

static void
test_convert(size_t n, int planes, bool is_signed, Prg *prg, bool extreme)
{
	Job			job;
	uint64	   *x = sim_hard_values(n, prg);
	uint64	   *y = sim_hard_values(n, prg);
	uint64	   *expected = palloc(n * sizeof(uint64));

	start(&job, x, y, n, planes, prg, extreme);
	job.is_signed = is_signed;
	run(step_convert, &job);
	for (size_t v = 0; v < n; v++)
		expected[v] = low_bits(x[v], planes);
	expect_bits(job.bz, expected, "to bits");
	for (size_t v = 0; v < n; v++)
		expected[v] = is_signed ? (uint64) as_signed(y[v], planes) : low_bits(y[v], planes);
	expect64(job.z, expected, "from bits");
	for (size_t v = 0; v < n; v++)
		expected[v] = x[v] & 1 ? x[v] : y[v];
	expect64(job.z2, expected, "select");
	for (size_t v = 0; v < n; v++)
		expected[v] = x[v] & 1 ? y[v] : 0;
	expect64(job.y, expected, "bit times");
	for (size_t v = 0; v < n; v++)
		expected[v] = x[v] & 1;
	expect64(job.x, expected, "bit to ring");
	finish(&job);
	pfree(x);
	pfree(y);
	pfree(expected);
}

typedef struct WideJob
{
	int			planes;
	Shared		x[PARTIES];
	Shared		z[PARTIES];
	SharedBits	bits[PARTIES];
} WideJob;

static void
step_wide(Party *self, void *arg)
{
	WideJob    *job = arg;
	int			i = self->index;

	convert_to_bits_wide(self, &job->bits[i], &job->x[i]);
	convert_from_bits_wide(self, &job->z[i], &job->bits[i]);
}

/* To bits and back. */
static void
test_wide(size_t n, int planes, Prg *prg)
{
	WideJob		job = {planes};
	Sim			sim;
	uint128    *x = palloc(n * sizeof(uint128));
	uint128    *z;

	for (size_t v = 0; v < n; v++)
		x[v] = (uint128) sim_hard64(prg) << 64 | sim_hard64(prg);
	sim_share(job.x, x, n, prg, n % 2);
	sim_alloc(job.z, n);
	sim_alloc_bits(job.bits, planes, n);
	sim_open(&sim, runs++);
	sim_run_well(&sim, step_wide, &job);
	sim_close(&sim);
	z = sim_rebuild(job.z);
	for (size_t v = 0; v < n; v++)
		CHECK(z[v] == (planes == 128 ? x[v] : x[v] & (((uint128) 1 << planes) - 1)),
			  "wide bits, planes=%d, n=%zu", planes, n);
	sim_free(job.x);
	sim_free(job.z);
	sim_free_bits(job.bits);
	pfree(x);
	pfree(z);
}

/* ---- comparisons ---- */

static void
step_compare(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;
	NumberKind	kind = {job->is_signed, job->planes};
	uint64	   *out = job->opened[i];
	size_t		words = BIT_WORDS(job->n);
	SharedBits	bit = shared_bits_alloc(1, job->n);

	compare_less(self, &bit, &job->x[i], &job->y[i], kind);
	logic_open(self, out, &bit);
	compare_less_public(self, &bit, &job->x[i], job->yv, job->n, kind);
	logic_open(self, out + words, &bit);
	compare_less_public(self, &bit, &job->x[i], &job->c, 1, kind);
	logic_open(self, out + 2 * words, &bit);
	compare_equal(self, &bit, &job->x[i], &job->y[i], job->planes);
	logic_open(self, out + 3 * words, &bit);
	compare_equal_public(self, &bit, &job->x[i], job->yv, job->n, job->planes);
	logic_open(self, out + 4 * words, &bit);
	compare_equal_bits(self, &bit, &job->bx[i], &job->by[i]);
	logic_open(self, out + 5 * words, &bit);
	compare_less_bits(self, &bit, &job->bx[i], &job->by[i], job->is_signed);
	logic_open(self, out + 6 * words, &bit);
	compare_negative(self, &bit, &job->x[i]);
	logic_open(self, out + 7 * words, &bit);
	compare_min_max(self, &job->z[i], &job->z2[i], &job->x[i], &job->y[i], kind);
	compare_min_max_bits(self, &job->bz[i], &job->bz2[i], &job->bx[i], &job->by[i], job->is_signed);
	shared_bits_free(&bit);
}

static bool
clear_less(uint64 x, uint64 y, bool is_signed)
{
	return is_signed ? (int64) x < (int64) y : x < y;
}

static void
test_compare(size_t n, NumberKind kind, Prg *prg, bool extreme)
{
	Job			job;
	uint64	   *x = sim_hard_values(n, prg);
	uint64	   *y = sim_hard_values(n, prg);
	uint64	   *least = palloc(n * sizeof(uint64));
	uint64	   *greatest = palloc(n * sizeof(uint64));

	for (size_t v = 0; v < n; v++)
	{
		/* Often equal, or neighbours. */
		if (v % 4 == 0)
			y[v] = x[v] + sim_u64(prg) % 3 - 1;
		x[v] = kind.is_signed ? (uint64) as_signed(x[v], kind.bits) : low_bits(x[v], kind.bits);
		y[v] = kind.is_signed ? (uint64) as_signed(y[v], kind.bits) : low_bits(y[v], kind.bits);
	}
	start(&job, x, y, n, kind.bits, prg, extreme);
	job.is_signed = kind.is_signed;
	job.c = sim_hard64(prg);
	run(step_compare, &job);
	for (int i = 0; i < PARTIES; i++)
	{
		for (size_t v = 0; v < n; v++)
		{
			bool		less = clear_less(x[v], y[v], kind.is_signed);
			bool		clear[] = {
				less, less, clear_less(x[v], job.c, kind.is_signed), x[v] == y[v], x[v] == y[v], x[v] == y[v],
				less, (int64) x[v] < 0
			};

			for (int k = 0; k < lengthof(clear); k++)
				CHECK((job.opened[i][k * BIT_WORDS(n) + v / 64] >> v % 64 & 1) == clear[k],
					  "comparison %d of " UINT64_FORMAT " with " UINT64_FORMAT " (" UINT64_FORMAT "), %d bits",
					  k, x[v], y[v], job.c, kind.bits);
			least[v] = less ? x[v] : y[v];
			greatest[v] = less ? y[v] : x[v];
		}
	}
	expect64(job.z, least, "min");
	expect64(job.z2, greatest, "max");
	for (size_t v = 0; v < n; v++)
	{
		least[v] = low_bits(least[v], kind.bits);
		greatest[v] = low_bits(greatest[v], kind.bits);
	}
	expect_bits(job.bz, least, "min of bits");
	expect_bits(job.bz2, greatest, "max of bits");
	finish(&job);
	pfree(x);
	pfree(y);
	pfree(least);
	pfree(greatest);
}

/* ---- longer than a piece of a message ---- */

static void
step_long(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	arith64_multiply(self, &job->z[i], &job->x[i], &job->y[i]);
	logic_and(self, &job->bz[i], &job->bx[i], &job->by[i]);
	arith64_input(self, &job->z2[i], 1, i == 1 ? job->xv : NULL);
	convert_to_bits(self, &job->bz2[i], &job->x[i]);
}

static void
test_long(size_t n, int planes, Prg *prg)
{
	Job			job;
	uint64	   *x = sim_hard_values(n, prg);
	uint64	   *y = sim_hard_values(n, prg);
	uint64	   *z = palloc(n * sizeof(uint64));

	start(&job, x, y, n, planes, prg, false);
	run(step_long, &job);
	for (size_t v = 0; v < n; v++)
		z[v] = x[v] * y[v];
	expect64(job.z, z, "long multiply");
	for (size_t v = 0; v < n; v++)
		z[v] = low_bits(x[v] & y[v], planes);
	expect_bits(job.bz, z, "long and");
	expect64(job.z2, x, "long input");
	for (size_t v = 0; v < n; v++)
		z[v] = low_bits(x[v], planes);
	expect_bits(job.bz2, z, "long to bits");
	finish(&job);
	pfree(x);
	pfree(y);
	pfree(z);
	sim_report("messages of several pieces, %zu values of %d bits", n, planes);
}

/* ---- a wrong share, too little memory ---- */

static void
step_open(Party *self, void *arg)
{
	Job		   *job = arg;

	arith64_open(self, job->opened[self->index], &job->x[self->index]);
}

static void
test_wrong_share(int party, Prg *prg)
{
	uint64		x[70] = {0};
	Job			job;
	Sim			sim;
	int			found = 0;

	sim_allow_leaks();
	start(&job, x, x, 70, 1, prg, false);
	job.x[party].next[69] ^= UINT64CONST(1) << 63;
	sim_open(&sim, runs++);
	sim_run(&sim, step_open, &job);
	for (int i = 0; i < PARTIES; i++)
		found += sim.outcome[i].failed && sim.outcome[i].sqlstate == ERRCODE_SECMED_SHARES_DIFFER;
	CHECK(found >= 1, "party %d sent a wrong summand", party);
	CHECK(sim.outcome[PARTY_PREV(party)].sqlstate == ERRCODE_SECMED_SHARES_DIFFER, "party %d", party);
	sim_close(&sim);
	finish(&job);
	sim_report("opening finds a wrong summand of party %d", party);
}

static void
step_reserve(Party *self, void *arg)
{
	self->memory_max = 10 * 1024 * 1024;
	party_reserve(self, "the sort", 8 * 1024 * 1024);
	party_release(self, 8 * 1024 * 1024);
	party_reserve(self, "the sort", 6 * 1024 * 1024);
	party_reserve(self, "the join", 5 * 1024 * 1024);
}

static void
test_reserve(void)
{
	Sim			sim;

	sim_open(&sim, runs++);
	sim_run(&sim, step_reserve, NULL);
	for (int i = 0; i < PARTIES; i++)
		CHECK(sim.outcome[i].failed && strstr(sim.outcome[i].message, "the join needs 11265 kB"),
			  "%s", sim.outcome[i].message);
	sim_close(&sim);
	sim_report("memory beyond the bound is refused, with the need stated");
}

/* ---- the same on every processor ---- */

#define LOOP_N		1003

static void
run_loops(uint64 *out, const uint64 *in)
{
	const uint64 *a[6];
	uint64		block[64][VECTOR_BLOCK_WORDS];

	for (int k = 0; k < 6; k++)
		a[k] = in + k * LOOP_N;
	vector_product64(out, a[0], a[1], a[2], a[3], a[4], a[5], LOOP_N);
	vector_product_one64(out + LOOP_N, a[0], a[1], a[2][0], a[3][0], a[4], a[5], LOOP_N);
	vector_linear64(out + 2 * LOOP_N, a[0][0], a[1], a[2][0], a[3], LOOP_N);
	vector_linear64(out + 3 * LOOP_N, 1, a[1], -1, a[3], LOOP_N);
	vector_linear64(out + 4 * LOOP_N, 1, a[1], 1, a[3], LOOP_N);
	vector_masked64(out + 5 * LOOP_N, a[0], a[1], a[2], a[3], LOOP_N);
	vector_gate(out + 6 * LOOP_N, a[0], a[1], a[2], a[3], a[4], a[5], a[1], LOOP_N);
	vector_xor(out + 7 * LOOP_N, a[0], a[1], LOOP_N);
	out[8 * LOOP_N] = vector_dot64(a[0], a[1], a[2], a[3], LOOP_N);
	out[8 * LOOP_N + 1] = vector_sum64(a[0], LOOP_N);
	out += 8 * LOOP_N + 2;
	for (int planes = 1; planes <= 64; planes++)
	{
		for (int v = 0; v < VECTOR_BLOCK; v++)
			block[v % 64][v / 64] = in[v] >> (64 - planes);
		vector_slice(block, planes);
		memcpy(out, block, planes * sizeof(block[0]));
		vector_unslice(block, planes);
		for (int v = 0; v < VECTOR_BLOCK; v++)
			CHECK(block[v % 64][v / 64] == in[v] >> (64 - planes), "%d planes", planes);
		out += planes * VECTOR_BLOCK_WORDS;
	}
}

static void
test_levels(void)
{
	size_t		n = 8 * LOOP_N + 2 + 65 * 32 * VECTOR_BLOCK_WORDS;
	uint64	   *in = palloc(6 * LOOP_N * sizeof(uint64));
	uint64	   *portable = palloc(n * sizeof(uint64));
	uint64	   *other = palloc(n * sizeof(uint64));
	Prg		   *prg = sim_prg("levels", 0);

	prg_fill(prg, in, 6 * LOOP_N * sizeof(uint64));
	vector_limit(VECTOR_PORTABLE);
	run_loops(portable, in);
	for (VectorLevel level = VECTOR_AVX2; level <= VECTOR_AVX512; level++)
	{
		vector_limit(level);
		memset(other, 0, n * sizeof(uint64));
		run_loops(other, in);
		CHECK(memcmp(portable, other, n * sizeof(uint64)) == 0, "level %d", level);
	}
	prg_free(prg);
	pfree(in);
	pfree(portable);
	pfree(other);
	sim_report("loops for every processor give the same");
}

int
main(void)
{
	static const int widths[] = {1, 2, 3, 5, 16, 17, 31, 32, 33, 63, 64};
	Prg		   *prg;

	sim_start();
	test_levels();
	for (int s = 0; s < lengthof(sizes); s++)
	{
		size_t		n = sizes[s];

		prg = sim_prg("engine", n);
		test_packages(n, prg);
		test_arith(n, prg, false);
		test_arith(n, prg, true);
		test_random(n, prg);
		for (int party = 0; party < PARTIES; party++)
			test_input(n, 1 + 21 * party, party, prg);
		for (int w = 0; w < lengthof(widths); w++)
		{
			/* All widths for a few sizes, the longest for all. */
			if (n != 1 && n != 65 && widths[w] != 64)
				continue;
			for (int variant = 0; variant < 4; variant++)
				test_logic(n, widths[w], variant, prg);
			for (int extreme = 0; extreme < 2; extreme++)
			{
				test_convert(n, widths[w], extreme, prg, extreme);
				test_compare(n, (NumberKind) {false, widths[w]}, prg, extreme);
				test_compare(n, (NumberKind) {true, widths[w]}, prg, extreme);
			}
		}
		test_wide(n, 128, prg);
		test_wide(n, 65, prg);
		prg_free(prg);
		sim_report("every protocol over %zu values gives what the clear computation gives", n);
	}
	prg = sim_prg("long", 0);
	test_long(PARTY_CHUNK_BYTES / 8 + 1, 10, prg);
	test_long(3 * PARTY_CHUNK_BYTES / 8 - 5, 17, prg);
	for (int party = 0; party < PARTIES; party++)
		test_wrong_share(party, prg);
	prg_free(prg);
	test_reserve();
	return sim_end();
}
