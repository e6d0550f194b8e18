/*
 * protocols.c
 *	  Every protocol gives what the computation in the clear gives.
 */
#include "sim.h"

#include "mpc/arith.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/noise.h"
#include "mpc/release.h"
#include "share/gaussian.h"

#define TOP		((uint64) PG_INT64_MAX)

static const size_t sizes[] = {0, 1, 2, 7, 63, 64, 65, 127, 1000};

/* What the three threads work on; each touches only its own index. */
typedef struct Job
{
	Shared		x[PARTIES];
	Shared		y[PARTIES];
	Shared		z[PARTIES];
	SharedBits	bx[PARTIES];
	SharedBits	by[PARTIES];
	SharedBits	bz[PARTIES];
	const uint128 *values;
	const uint64 *words;
	const uint64 *bound;
	const ReleaseRule *rule;
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

/* 0, 1, the largest, the middle, then random ones. */
static uint128 *
ring_inputs(size_t n, Prg *prg)
{
	uint128		corner[] = {0, 1, ~(uint128) 0, (uint128) 1 << 127, (uint128) 1 << 64, UINT64_MAX};
	uint128    *values = palloc(n * sizeof(uint128));

	for (size_t v = 0; v < n; v++)
		values[v] = v % 2 ? sim_u128(prg) : corner[sim_u64(prg) % lengthof(corner)];
	return values;
}

static uint64 *
word_inputs(size_t n, Prg *prg)
{
	uint64	   *values = palloc(n * sizeof(uint64));

	for (size_t v = 0; v < n; v++)
		values[v] = v % 5 == 0 ? 0 : v % 5 == 1 ? UINT64_MAX : sim_u64(prg);
	return values;
}

static void
expect(const Shared z[PARTIES], const uint128 *expected, const char *what)
{
	uint128    *values = sim_rebuild(z);

	for (size_t v = 0; v < z[0].n; v++)
		CHECK(values[v] == expected[v], "%s, n=%zu, element %zu", what, z[0].n, v);
	pfree(values);
}

static void
expect_words(const SharedBits z[PARTIES], const uint64 *expected, const char *what)
{
	uint64	   *words = sim_rebuild_bits(z);

	for (size_t w = 0; w < z[0].planes * BIT_WORDS(z[0].n); w++)
		CHECK(words[w] == expected[w], "%s, planes=%d n=%zu, word %zu", what, z[0].planes, z[0].n, w);
	pfree(words);
}

/* ---- sharing ---- */

static void
test_packages(size_t n, Prg *prg)
{
	Shared		sum[PARTIES];
	uint128    *total = palloc0(n * sizeof(uint128));

	sim_alloc(sum, n);
	for (int site = 0; site < 3; site++)
	{
		uint128    *values = ring_inputs(n, prg);
		StringInfoData package[PARTIES];

		for (int i = 0; i < PARTIES; i++)
			initStringInfo(&package[i]);
		ring_split(values, n, (StringInfo[PARTIES])
				   {
					   &package[0], &package[1], &package[2]
				   });
		for (int i = 0; i < PARTIES; i++)
		{
			CHECK(package[i].len == package_bytes(i, n), "party %d, n=%zu", i, n);
			CHECK(!ring_add_package(&sum[i], i, package[i].data, package[i].len - 1), "short");
			CHECK(!ring_add_package(&sum[i], i, package[i].data, package[i].len + 1), "long");
			CHECK(ring_add_package(&sum[i], i, package[i].data, package[i].len), "party %d", i);
			pfree(package[i].data);
		}
		for (size_t v = 0; v < n; v++)
			total[v] += values[v];
		pfree(values);
	}
	expect(sum, total, "packages");
	sim_free(sum);
	pfree(total);
}

static void
test_slices(size_t n, Prg *prg)
{
	static const int widths[] = {1, 7, 16, 63, 64};
	uint64	   *values = word_inputs(n, prg);

	for (int k = 0; k < lengthof(widths); k++)
	{
		int			planes = widths[k];
		size_t		words = planes * BIT_WORDS(n);
		uint64	   *sliced = palloc(words * sizeof(uint64));
		uint64	   *unpacked = palloc(words * sizeof(uint64));
		uint8	   *packed = palloc(planes * PLANE_BYTES(n));
		uint8	   *bits = palloc(n);

		bits_slice(sliced, values, n, planes);
		for (int plane = 0; plane < planes; plane++)
		{
			bits_unslice_plane(bits, sliced + plane * BIT_WORDS(n), n);
			for (size_t v = 0; v < n; v++)
				CHECK(bits[v] == (values[v] >> plane & 1), "n=%zu, plane %d, value %zu", n, plane, v);
		}
		bits_pack(packed, sliced, planes, n);
		for (size_t v = 0; v < n; v++)
			CHECK((packed[v / 8] >> v % 8 & 1) == (values[v] & 1), "n=%zu, value %zu", n, v);
		bits_unpack(unpacked, packed, planes, n);
		CHECK(memcmp(sliced, unpacked, words * sizeof(uint64)) == 0, "n=%zu, %d planes", n, planes);

		/* Whatever a peer sends behind the last value is dropped. */
		memset(packed, 0xff, planes * PLANE_BYTES(n));
		bits_unpack(unpacked, packed, planes, n);
		if (n % 64 != 0)
			CHECK(unpacked[words - 1] == (UINT64CONST(1) << n % 64) - 1, "n=%zu", n);
		pfree(sliced);
		pfree(unpacked);
		pfree(packed);
		pfree(bits);
	}
	pfree(values);
}

/* ---- arithmetic ---- */

static void
step_multiply(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	arith_multiply(self, &job->z[i], &job->x[i], &job->y[i]);
	arith_multiply(self, &job->y[i], &job->z[i], &job->y[i]);
	arith_multiply(self, &job->x[i], &job->x[i], &job->y[i]);
}

/* z = x y, then y = z y and x = x y in place. */
static void
test_multiply(size_t n, Prg *prg, bool extreme)
{
	Job			job = {0};
	uint128    *x = ring_inputs(n, prg);
	uint128    *y = ring_inputs(n, prg);
	uint128    *z = palloc(n * sizeof(uint128));

	sim_share(job.x, x, n, prg, extreme);
	sim_share(job.y, y, n, prg, extreme);
	sim_alloc(job.z, n);
	run(step_multiply, &job);
	for (size_t v = 0; v < n; v++)
	{
		z[v] = x[v] * y[v];
		y[v] = z[v] * y[v];
		x[v] = x[v] * y[v];
	}
	expect(job.z, z, "multiply");
	expect(job.y, y, "multiply into y");
	expect(job.x, x, "multiply into x");
	sim_free(job.x);
	sim_free(job.y);
	sim_free(job.z);
	pfree(x);
	pfree(y);
	pfree(z);
}

static void
step_multiply_rows(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	arith_multiply_rows(self, &job->x[i], &job->x[i], &job->y[i]);
}

static void
test_multiply_rows(size_t rows, size_t width, Prg *prg)
{
	Job			job = {0};
	size_t		n = rows * width;
	uint128    *x = ring_inputs(n, prg);
	uint128    *y = ring_inputs(rows, prg);

	sim_share(job.x, x, n, prg, false);
	sim_share(job.y, y, rows, prg, false);
	run(step_multiply_rows, &job);
	for (size_t v = 0; v < n; v++)
		x[v] *= y[v / width];
	expect(job.x, x, "multiply rows");
	sim_free(job.x);
	sim_free(job.y);
	pfree(x);
	pfree(y);
}

static void
step_input(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	arith_input_from_0(self, &job->z[i], i == 0 ? job->values : NULL);
	arith_constant(self, &job->x[i], 7);
}

static void
test_input(size_t n, Prg *prg)
{
	Job			job = {0};
	uint128    *values = ring_inputs(n, prg);

	job.values = values;
	sim_alloc(job.x, n);
	sim_alloc(job.z, n);
	run(step_input, &job);
	expect(job.z, values, "input");
	for (size_t v = 0; v < n; v++)
		values[v] = 7;
	expect(job.x, values, "constant");
	sim_free(job.x);
	sim_free(job.z);
	pfree(values);
}

/* ---- bits ---- */

static void
step_logic(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	logic_and(self, &job->bz[i], &job->bx[i], &job->by[i]);
	logic_and(self, &job->by[i], &job->bx[i], &job->by[i]);
	logic_xor(&job->bx[i], &job->by[i]);
	logic_not(self, &job->bx[i]);
}

static void
test_logic(int planes, size_t n, Prg *prg)
{
	Job			job = {0};
	uint64	   *x = word_inputs(n, prg);
	uint64	   *y = word_inputs(n, prg);
	uint64	   *sliced = palloc(planes * BIT_WORDS(n) * sizeof(uint64));

	sim_share_bits(job.bx, x, planes, n, prg);
	sim_share_bits(job.by, y, planes, n, prg);
	sim_alloc_bits(job.bz, planes, n);
	run(step_logic, &job);
	for (size_t v = 0; v < n; v++)
	{
		y[v] &= x[v];
		x[v] = ~(x[v] ^ y[v]);
	}
	bits_slice(sliced, y, n, planes);
	expect_words(job.bz, sliced, "and");
	expect_words(job.by, sliced, "and into y");
	bits_slice(sliced, x, n, planes);
	expect_words(job.bx, sliced, "xor, not");
	sim_free_bits(job.bx);
	sim_free_bits(job.by);
	sim_free_bits(job.bz);
	pfree(x);
	pfree(y);
	pfree(sliced);
}

static void
step_input_bits(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	logic_input_from_0(self, &job->bz[i], i == 0 ? job->words : NULL);
}

static void
test_input_bits(int planes, size_t n, Prg *prg)
{
	Job			job = {0};
	uint64	   *values = word_inputs(n, prg);
	uint64	   *sliced = palloc(planes * BIT_WORDS(n) * sizeof(uint64));

	bits_slice(sliced, values, n, planes);
	job.words = sliced;
	sim_alloc_bits(job.bz, planes, n);
	run(step_input_bits, &job);
	expect_words(job.bz, sliced, "input of bits");
	sim_free_bits(job.bz);
	pfree(values);
	pfree(sliced);
}

/* ---- compare and convert ---- */

static uint64
corner_bound(Prg *prg)
{
	static const uint64 corner[] = {0, 1, 2, 5, 11, 1000, TOP - 1, TOP, (uint64) 1 << 32, (uint64) 1 << 62};
	uint64		pick = sim_u64(prg) % (lengthof(corner) + 1);

	return pick < lengthof(corner) ? corner[pick] : sim_u64(prg) & TOP;
}

static uint64
corner_value(uint64 bound, Prg *prg)
{
	switch (sim_u64(prg) % 7)
	{
		case 0:
			return 0;
		case 1:
			return 1;
		case 2:
			return bound > 0 ? bound - 1 : 0;
		case 3:
			return bound;
		case 4:
			return bound < TOP ? bound + 1 : TOP;
		case 5:
			return TOP;
		default:
			return sim_u64(prg) & TOP;
	}
}

static void
step_compare(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	compare_ge_public(self, &job->bz[i], &job->x[i], job->bound);
	convert_bit_to_ring(self, &job->z[i], &job->bz[i]);
}

/* Two protocols at once: what compare gives is what convert takes. */
static void
test_compare(size_t n, Prg *prg, bool extreme)
{
	Job			job = {0};
	uint128    *x = palloc(n * sizeof(uint128));
	uint64	   *bound = palloc(n * sizeof(uint64));
	uint64	   *ge = palloc0(BIT_WORDS(n) * sizeof(uint64));

	for (size_t v = 0; v < n; v++)
	{
		bound[v] = corner_bound(prg);
		x[v] = corner_value(bound[v], prg);
	}
	job.bound = bound;
	sim_share(job.x, x, n, prg, extreme);
	sim_alloc(job.z, n);
	sim_alloc_bits(job.bz, 1, n);
	run(step_compare, &job);
	for (size_t v = 0; v < n; v++)
	{
		x[v] = x[v] >= bound[v];
		ge[v / 64] |= (uint64) x[v] << v % 64;
	}
	expect_words(job.bz, ge, "compare");
	expect(job.z, x, "convert");
	sim_free(job.x);
	sim_free(job.z);
	sim_free_bits(job.bz);
	pfree(x);
	pfree(bound);
	pfree(ge);
}

#define CARRY_BITS	63

/*
 * A carry is made in bit k and stopped in bit `stop` (63: in none); all other
 * bits pass on what comes from below.  Bit 63 of a + b is then 1 if no carry
 * comes out of bit 62.  For every k and stop, a being what party 0 knows.
 */
static void
test_carries(void)
{
	Prg		   *prg = sim_prg("carries", 0);
	size_t		n = (CARRY_BITS + 1) * (CARRY_BITS + 1);
	Job			job = {0};
	uint64	   *bound = palloc(n * sizeof(uint64));
	uint64	   *ge = palloc0(BIT_WORDS(n) * sizeof(uint64));
	uint128    *s[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		s[i] = palloc(n * sizeof(uint128));
	for (size_t v = 0; v < n; v++)
	{
		int			k = v / (CARRY_BITS + 1);
		int			stop = v % (CARRY_BITS + 1);
		uint64		made = ((uint64) 1 << k) & TOP;
		uint64		stopped = ((uint64) 1 << stop) & TOP;
		uint64		a = sim_u64(prg);
		uint64		b = (~a | made) & ~stopped;
		bool		carry = k < CARRY_BITS && (stop < k || stop == CARRY_BITS);

		a = (a | made) & ~stopped;
		bound[v] = carry ? 0 : -(a + b);
		s[1][v] = sim_u128(prg);
		s[2][v] = b;
		s[0][v] = (uint128) a + bound[v] - s[1][v];
		ge[v / 64] |= (uint64) carry << v % 64;
	}
	job.bound = bound;
	sim_deal(job.x, s, n);
	sim_alloc(job.z, n);
	sim_alloc_bits(job.bz, 1, n);
	run(step_compare, &job);
	expect_words(job.bz, ge, "carries");
	sim_free(job.x);
	sim_free(job.z);
	sim_free_bits(job.bz);
	for (int i = 0; i < PARTIES; i++)
		pfree(s[i]);
	pfree(bound);
	pfree(ge);
	prg_free(prg);
	sim_report("a carry gets from every bit to the sign, unless a bit between stops it");
}

/* ---- release ---- */

static void
step_release(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	release_cells(self, &job->z[i], &job->x[i], job->rule);
}

/* Elements of a part, by its number among all. */
static size_t
width_of(const ReleaseRule *rule, size_t part)
{
	return rule->widths ? rule->widths[part % rule->parts] : rule->width;
}

static void
test_release(ReleaseRule rule, Prg *prg, bool extreme)
{
	Job			job = {0};
	size_t		parts = rule.cells * (rule.parts ? rule.parts : 1);
	size_t		n = rule.cells * release_stride(&rule);
	uint128    *cells = ring_inputs(n, prg);
	size_t		at = 0;

	for (size_t p = 0; p < parts; at += 1 + width_of(&rule, p), p++)
		cells[at] = corner_value(rule.patients_min, prg);
	CHECK(at == n, "release: a stride of %zu elements", release_stride(&rule));
	job.rule = &rule;
	sim_share(job.x, cells, n, prg, extreme);
	sim_alloc(job.z, n);
	run(step_release, &job);
	at = 0;
	for (size_t p = 0; p < parts; at += 1 + width_of(&rule, p), p++)
	{
		bool		pass = cells[at] >= rule.patients_min || (rule.show_zero && cells[at] == 0);

		cells[at] = 1;
		for (size_t e = 0; e <= width_of(&rule, p); e++)
			cells[at + e] *= pass;
	}
	expect(job.z, cells, rule.show_zero ? "release, zeros shown" : "release");
	sim_free(job.x);
	sim_free(job.z);
	pfree(cells);
}

/* Several parts a cell, of one width and of different ones. */
static void
test_release_parts(ReleaseRule rule, Prg *prg)
{
	static const size_t widths[] = {2, 0, 5};

	rule.parts = 2;
	test_release(rule, prg, false);
	rule.parts = lengthof(widths);
	rule.widths = widths;
	test_release(rule, prg, true);
}

static void
test_release_rules(size_t cells, Prg *prg)
{
	static const uint64 patients_min[] = {1, 2, 11, TOP - 1, TOP};
	static const size_t width[] = {0, 1, 3};

	for (int m = 0; m < lengthof(patients_min); m++)
	{
		for (int w = 0; w < lengthof(width); w++)
		{
			ReleaseRule rule = {cells, width[w], patients_min[m], w % 2 == m % 2};

			test_release(rule, prg, w == 1);
			rule.show_zero = !rule.show_zero;
			test_release(rule, prg, w == 2);
			test_release_parts(rule, prg);
		}
	}
}

/* ---- noise ---- */

/* With another sigma for each. */
static int64 *
party_noise(int party, size_t n)
{
	uint8		seed[SEED_BYTES] = {(uint8) (party + 1)};
	Gaussian   *own = gaussian_create(seed);
	int64	   *drawn = palloc((n + 1) * sizeof(int64));

	for (size_t v = 0; v < n; v++)
		drawn[v] = gaussian_draw(own, 4 + v);
	gaussian_free(own);
	return drawn;
}

static void
step_noise(Party *self, void *arg)
{
	Job		   *job = arg;
	int64	   *drawn = party_noise(self->index, job->x[0].n);

	noise_add(self, &job->x[self->index], drawn);
	pfree(drawn);
}

/* What each party has drawn is added, nothing else; and no two parties' numbers are the same. */
static void
test_noise(size_t n, Prg *prg)
{
	Job			job = {0};
	uint128    *values = ring_inputs(n, prg);
	int64	   *e[PARTIES];
	size_t		same = 0;

	sim_share(job.x, values, n, prg, false);
	run(step_noise, &job);
	for (int i = 0; i < PARTIES; i++)
		e[i] = party_noise(i, n);
	for (size_t v = 0; v < n; v++)
	{
		for (int i = 0; i < PARTIES; i++)
			values[v] += (uint128) (int128) e[i][v];
		same += e[0][v] == e[1][v] && e[1][v] == e[2][v];
	}
	CHECK(n < 10 || same < n, "parties draw each for itself");
	expect(job.x, values, "noise");
	for (int i = 0; i < PARTIES; i++)
		pfree(e[i]);
	sim_free(job.x);
	pfree(values);
}

int
main(void)
{
	sim_start();
	for (int s = 0; s < lengthof(sizes); s++)
	{
		size_t		n = sizes[s];
		Prg		   *prg = sim_prg("protocols", n);

		test_packages(n, prg);
		test_slices(n, prg);
		for (int extreme = 0; extreme < 2; extreme++)
		{
			test_multiply(n, prg, extreme);
			test_compare(n, prg, extreme);
		}
		for (size_t width = 1; width <= 9; width += 4)
			test_multiply_rows(n, width, prg);
		test_input(n, prg);
		test_noise(n, prg);
		for (int planes = 1; planes <= 64; planes += 21)
		{
			test_logic(planes, n, prg);
			test_input_bits(planes, n, prg);
		}
		test_release_rules(n, prg);
		prg_free(prg);
		sim_report("every protocol over %zu values gives what the clear computation gives", n);
	}
	test_carries();
	return sim_end();
}
