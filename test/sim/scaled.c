/*
 * scaled.c
 *	  Truncation, division and square root are exact, on random and on hard
 *	  numbers, however they are shared.
 */
#include "sim64.h"

#include <math.h>

#include "mpc/function.h"
#include "mpc/scaled.h"

static const size_t sizes[] = {0, 1, 2, 65, 1000};

typedef struct Job
{
	int			shift;
	Shared64	x[PARTIES];
	Shared64	y[PARTIES];
	Shared64	z[PARTIES];
	Shared		wide[PARTIES];
	Shared		near[PARTIES];
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

static uint64 *
run64(SimStep step, const uint64 *x, const uint64 *y, size_t n, int shift, Prg *prg, bool extreme)
{
	Job			job = {shift};
	uint64	   *z;

	sim_share64(job.x, x, n, prg, extreme);
	sim_share64(job.y, y, n, prg, extreme);
	sim_alloc64(job.z, n);
	run(step, &job);
	z = sim_rebuild64(job.z);
	sim_free64(job.x);
	sim_free64(job.y);
	sim_free64(job.z);
	return z;
}

/* A number of up to `bits` bits, often at an end of the range. */
static uint64
magnitude(int bits, Prg *prg)
{
	uint64		top = (UINT64CONST(1) << bits) - 1;
	uint64		x = sim_hard64(prg) & top;

	switch (sim_u64(prg) % 8)
	{
		case 0:
			return top;
		case 1:
			return top - 1;
		case 2:
			return sim_u64(prg) & top;
		default:
			return x;
	}
}

static uint64
either_sign(uint64 x, Prg *prg)
{
	return sim_u64(prg) % 2 ? x : -x;
}

static void
step_truncate(Party *self, void *arg)
{
	Job		   *job = arg;

	scaled_truncate(self, &job->z[self->index], &job->x[self->index], job->shift);
}

static void
test_truncate(size_t n, int shift, Prg *prg, bool extreme)
{
	uint64	   *x = sim_hard_values(n, prg);
	uint64	   *z = run64(step_truncate, x, x, n, shift, prg, extreme);

	for (size_t v = 0; v < n; v++)
		CHECK(z[v] == (uint64) ((int64) x[v] >> shift), "truncate by %d, n=%zu", shift, n);
	pfree(x);
	pfree(z);
}

static void
step_near(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	scaled_truncate_near(self, &job->near[i], &job->wide[i], job->shift);
}

static void
test_near(size_t n, int shift, Prg *prg, bool extreme)
{
	Job			job = {shift};
	uint128    *x = palloc(n * sizeof(uint128));
	uint128    *z;

	for (size_t v = 0; v < n; v++)
	{
		x[v] = ((uint128) sim_hard64(prg) << 64 | sim_hard64(prg)) >> (2 + sim_u64(prg) % 120);
		x[v] = v % 7 == 0 ? ((uint128) 1 << 126) - 1 : v % 7 == 1 ? ((uint128) 1 << 126) : x[v];
		x[v] = v % 2 ? -x[v] : x[v] & (((uint128) 1 << 126) - 1);
	}
	sim_share(job.wide, x, n, prg, extreme);
	sim_alloc(job.near, n);
	run(step_near, &job);
	z = sim_rebuild(job.near);
	for (size_t v = 0; v < n; v++)
	{
		uint128		off = (uint128) ((int128) x[v] >> shift) - z[v];

		CHECK(off <= 1, "near truncation by %d, n=%zu, element %zu", shift, n, v);
	}
	sim_free(job.wide);
	sim_free(job.near);
	pfree(x);
	pfree(z);
}

static void
step_widen(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	scaled_widen(self, &job->wide[i], &job->x[i]);
	scaled_narrow(&job->z[i], &job->wide[i]);
}

static void
test_widen(size_t n, Prg *prg, bool extreme)
{
	Job			job = {0};
	uint64	   *x = palloc(n * sizeof(uint64));
	uint64	   *z;
	uint128    *wide;

	for (size_t v = 0; v < n; v++)
		x[v] = magnitude(63, prg);
	sim_share64(job.x, x, n, prg, extreme);
	sim_alloc64(job.z, n);
	sim_alloc(job.wide, n);
	run(step_widen, &job);
	wide = sim_rebuild(job.wide);
	z = sim_rebuild64(job.z);
	for (size_t v = 0; v < n; v++)
		CHECK(wide[v] == x[v] && z[v] == x[v], "widen, n=%zu", n);
	sim_free64(job.x);
	sim_free64(job.z);
	sim_free(job.wide);
	pfree(x);
	pfree(z);
	pfree(wide);
}

static void
step_multiply(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	scaled_multiply(self, &job->z[i], &job->x[i], &job->y[i], job->shift);
}

static void
test_multiply(size_t n, int fraction, Prg *prg)
{
	uint64	   *x = palloc(n * sizeof(uint64));
	uint64	   *y = palloc(n * sizeof(uint64));
	uint64	   *z;

	for (size_t v = 0; v < n; v++)
	{
		int			bits = sim_u64(prg) % 63;

		x[v] = either_sign(magnitude(bits, prg), prg);
		y[v] = either_sign(magnitude(63 - bits, prg) >> 1, prg);
	}
	z = run64(step_multiply, x, y, n, fraction, prg, false);
	for (size_t v = 0; v < n; v++)
		CHECK((int64) z[v] == (int64) (x[v] * y[v]) >> fraction, "fixed-point multiply");
	pfree(x);
	pfree(y);
	pfree(z);
}

static void
step_divide(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	scaled_divide(self, &job->z[i], &job->x[i], &job->y[i], job->shift);
}

static void
step_divide_integers(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	scaled_divide_integers(self, &job->z[i], &job->x[i], &job->y[i]);
}

static void
test_divide(size_t n, int fraction, Prg *prg, bool extreme)
{
	uint64	   *x = palloc(n * sizeof(uint64));
	uint64	   *y = palloc(n * sizeof(uint64));
	uint64	   *z;

	for (size_t v = 0; v < n; v++)
	{
		y[v] = either_sign(magnitude(62, prg), prg);
		x[v] = either_sign(magnitude(62 - fraction, prg), prg);
		/* Just at, above and below a multiple. */
		if (v % 3 == 0 && fraction == 0 && y[v] != 0)
			x[v] = (uint64) ((int64) x[v] / (int64) y[v]) * y[v] + sim_u64(prg) % 3 - 1;
		if (v % 11 == 0)
			y[v] = 1;
		if ((int64) x[v] >= (INT64CONST(1) << (62 - fraction)) || -(int64) x[v] >= (INT64CONST(1) << (62 - fraction)))
			x[v] = 0;
	}
	z = run64(fraction == 0 ? step_divide_integers : step_divide, x, y, n, fraction, prg, extreme);
	for (size_t v = 0; v < n; v++)
	{
		int64		clear = y[v] == 0 ? 0 : (int64) ((int128) (int64) x[v] * ((int128) 1 << fraction) / (int64) y[v]);

		CHECK((int64) z[v] == clear, INT64_FORMAT " / " INT64_FORMAT " with %d bits: " INT64_FORMAT " for " INT64_FORMAT,
			  (int64) x[v], (int64) y[v], fraction, (int64) z[v], clear);
	}
	pfree(x);
	pfree(y);
	pfree(z);
}

static void
step_sqrt(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	scaled_sqrt(self, &job->z[i], &job->x[i], job->shift);
}

static void
test_sqrt(size_t n, int fraction, Prg *prg, bool extreme)
{
	uint64	   *x = palloc(n * sizeof(uint64));
	uint64	   *z;

	for (size_t v = 0; v < n; v++)
	{
		uint64		root = magnitude(31, prg);

		x[v] = magnitude(62 - fraction, prg);
		if (v % 2 && fraction == 0)
			x[v] = root == 0 ? 0 : root * root - sim_u64(prg) % 2;
	}
	z = run64(step_sqrt, x, x, n, fraction, prg, extreme);
	for (size_t v = 0; v < n; v++)
	{
		uint128		scaled = (uint128) x[v] << fraction;

		CHECK((uint128) z[v] * z[v] <= scaled && scaled < (uint128) (z[v] + 1) * (z[v] + 1),
			  "sqrt of " UINT64_FORMAT " with %d bits: " UINT64_FORMAT, x[v], fraction, z[v]);
	}
	pfree(x);
	pfree(z);
}

/* ---- functions ---- */

#define ERROR_MAX	1e-9

static void
step_exp(Party *self, void *arg)
{
	Job		   *job = arg;

	function_exp(self, &job->z[self->index], &job->x[self->index]);
}

static void
step_ln(Party *self, void *arg)
{
	Job		   *job = arg;

	function_ln(self, &job->z[self->index], &job->x[self->index]);
}

static void
step_sigmoid(Party *self, void *arg)
{
	Job		   *job = arg;

	function_sigmoid(self, &job->z[self->index], &job->x[self->index]);
}

static double
as_double(uint64 x)
{
	return ldexp((double) (int64) x, -FUNCTION_FRACTION);
}

static uint64
as_fixed(double x)
{
	return (uint64) (int64) ldexp(x, FUNCTION_FRACTION);
}

static double
clear_sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

/* Of low to high: the ends, 0 and 1 if they are within, and numbers between. */
static void
test_function(SimStep step, double (*clear) (double), double low, double high, size_t n, const char *name,
			  Prg *prg, bool extreme)
{
	uint64	   *x = palloc(n * sizeof(uint64));
	uint64	   *z;
	double		worst = 0;

	for (size_t v = 0; v < n; v++)
	{
		double		part = (double) (sim_u64(prg) >> 11) / 9007199254740992.0;
		double		value = low + (high - low) * part;
		double		corner[] = {low, high, 0, 1, -1, ldexp(1, -40), 1 - ldexp(1, -40), 2, 0.5, 32, 64};

		if (v % 4 == 0)
			value = corner[sim_u64(prg) % lengthof(corner)];
		if (v % 4 == 1)
			value = ldexp(value, -(int) (sim_u64(prg) % 30));
		x[v] = as_fixed(Max(low, Min(high, value)));
	}
	z = run64(step, x, x, n, 0, prg, extreme);
	for (size_t v = 0; v < n; v++)
	{
		double		expected = clear(as_double(x[v]));
		double		error = fabs(as_double(z[v]) - expected) / (step == step_exp ? Max(1, expected) : 1);

		worst = Max(worst, error);
		CHECK(error < ERROR_MAX, "%s(%.15g) = %.15g, not %.15g", name, as_double(x[v]), as_double(z[v]), expected);
	}
	if (n >= 1000)
		printf("# %s: error at most %.3g\n", name, worst);
	pfree(x);
	pfree(z);
}

int
main(void)
{
	static const int shifts[] = {1, 2, 20, 31, 32, 33, 40, 62, 63};

	sim_start();
	for (int s = 0; s < lengthof(sizes); s++)
	{
		size_t		n = sizes[s];
		Prg		   *prg = sim_prg("scaled", n);

		for (int extreme = 0; extreme < 2; extreme++)
		{
			for (int k = 0; k < lengthof(shifts); k++)
			{
				test_truncate(n, shifts[k], prg, extreme);
				test_near(n, 2 * shifts[k], prg, extreme);
			}
			test_widen(n, prg, extreme);
			test_divide(n, 0, prg, extreme);
			test_divide(n, 20, prg, extreme);
			test_divide(n, 40, prg, extreme);
			test_sqrt(n, 0, prg, extreme);
			test_sqrt(n, 20, prg, extreme);
		}
		test_multiply(n, 20, prg);
		test_multiply(n, 1, prg);
		for (int extreme = 0; extreme < 2; extreme++)
		{
			test_function(step_exp, exp, -32 + ldexp(1, -40), 14, n, "exp", prg, extreme);
			test_function(step_ln, log, ldexp(1, -40), 4194304 - ldexp(1, -30), n, "ln", prg, extreme);
			test_function(step_sigmoid, clear_sigmoid, -1048576 + 1, 1048576 - 1, n, "sigmoid", prg, extreme);
			test_function(step_sigmoid, clear_sigmoid, -40, 40, n, "sigmoid", prg, extreme);
		}
		prg_free(prg);
		sim_report("fixed-point protocols over %zu values are exact", n);
	}
	return sim_end();
}
