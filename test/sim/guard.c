/*
 * guard.c
 *	  Groups that are close to each other or to an answered one: what passes is what the same rule
 *	  gives in the clear, whether anything is released all parties agree on, and it costs what is said.
 */
#include "sim.h"

#include "mpc/release.h"

#define PATIENTS_MIN	5

typedef struct Job
{
	ReleaseRule rule;
	ReleaseGuard guard[PARTIES];
	Shared		within[PARTIES];
	Shared		patients[PARTIES];
	Shared		earlier[PARTIES];
	Shared		in[PARTIES];
	Shared		out[PARTIES];
	bool		released[PARTIES];
	uint64		rounds[PARTIES];
	uint64		bytes[PARTIES];
} Job;

static void
step(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;
	ReleaseRule rule = job->rule;

	rule.guard = &job->guard[i];
	job->released[i] = release_cells(self, &job->out[i], &job->in[i], &rule);
	job->rounds[i] = self->rounds;
	job->bytes[i] = self->bytes_sent;
}

/* Often 0, often few, sometimes many. */
static uint128
draw(Prg *prg, bool calm)
{
	uint64		kind = sim_u64(prg) % 4;

	return calm || kind == 0 ? 0 : kind == 1 ? sim_u64(prg) % (2 * PATIENTS_MIN) : sim_u64(prg) % 1000;
}

static uint128 *
draw_all(size_t n, Prg *prg, bool calm)
{
	uint128    *values = palloc((n + 1) * sizeof(uint128));

	for (size_t i = 0; i < n; i++)
		values[i] = draw(prg, calm);
	return values;
}

static bool
is_close(uint128 difference)
{
	return difference >= 1 && difference < PATIENTS_MIN;
}

/* ---- in the clear ---- */

static bool
clear_released(const uint128 *counts, size_t k, const uint128 *patients, const uint128 *earlier, size_t answers)
{
	for (size_t a = 0; a < answers; a++)
		for (size_t c = 0; c < k; c++)
			if (patients[a] >= PATIENTS_MIN && counts[c] >= PATIENTS_MIN && is_close(earlier[a * k + c]))
				return false;
	return true;
}

static bool
clear_pass(const uint128 *counts, size_t cell, size_t q, size_t parts, const uint128 *within)
{
	const uint128 *pairs = within + cell * (parts * (parts - 1) / 2) + q * (q - 1) / 2;

	if (counts[cell * parts + q] < PATIENTS_MIN)
		return false;
	for (size_t p = 0; p < q; p++)
		if (counts[cell * parts + p] >= PATIENTS_MIN && is_close(pairs[p]))
			return false;
	return true;
}

/* ---- one answer ---- */

static void
check_costs(const Job *job)
{
	for (int i = 0; i < PARTIES; i++)
	{
		ReleaseRule rule = job->rule;
		uint64		rounds;
		uint64		bytes;

		rule.guard = &job->guard[i];
		release_cost(&rule, i, &rounds, &bytes);
		CHECK(rounds == job->rounds[i], "party %d: " UINT64_FORMAT " rounds, said " UINT64_FORMAT, i, job->rounds[i], rounds);
		CHECK(bytes == job->bytes[i], "party %d: " UINT64_FORMAT " bytes, said " UINT64_FORMAT, i, job->bytes[i], bytes);
	}
}

static void
check_values(const Job *job, const uint128 *values, const uint128 *counts, const uint128 *within)
{
	size_t		parts = job->rule.parts;
	uint128    *opened = sim_rebuild(job->out);

	for (size_t c = 0; c < job->rule.cells * parts; c++)
	{
		bool		pass = clear_pass(counts, c / parts, c % parts, parts, within);

		CHECK(opened[2 * c] == pass, "part %zu of %zu of cell %zu", c % parts, parts, c / parts);
		CHECK(opened[2 * c + 1] == (pass ? values[2 * c + 1] : 0), "value of part %zu", c);
	}
	pfree(opened);
}

static void
test_answer(size_t cells, size_t parts, size_t answers, bool calm, Prg *prg)
{
	static uint64 runs = 0;
	Job			job = {{.cells = cells, .width = 1, .patients_min = PATIENTS_MIN, .parts = parts}};
	size_t		k = cells * parts;
	size_t		pairs = guard_pairs(cells, parts);
	uint128    *counts = draw_all(k, prg, false);
	uint128    *within = draw_all(pairs, prg, false);
	uint128    *patients = draw_all(answers, prg, false);
	uint128    *earlier = draw_all(answers * k, prg, calm);
	uint128    *values = palloc(2 * k * sizeof(uint128));
	bool		released = clear_released(counts, k, patients, earlier, answers);
	Sim			sim;

	for (size_t c = 0; c < k; c++)
	{
		values[2 * c] = counts[c];
		values[2 * c + 1] = sim_u128(prg);
	}
	sim_share(job.in, values, 2 * k, prg, false);
	sim_share(job.within, within, pairs, prg, false);
	sim_share(job.patients, patients, answers, prg, false);
	sim_share(job.earlier, earlier, answers * k, prg, false);
	sim_alloc(job.out, 2 * k);
	for (int i = 0; i < PARTIES; i++)
		job.guard[i] = (ReleaseGuard) {job.within[i], answers, job.patients[i], job.earlier[i]};
	sim_open(&sim, runs++);
	sim_run_well(&sim, step, &job);
	sim_close(&sim);
	for (int i = 0; i < PARTIES; i++)
		CHECK(job.released[i] == released, "party %d of %zu cells, %zu parts, %zu answers", i, cells, parts, answers);
	if (released)
	{
		check_values(&job, values, counts, within);
		check_costs(&job);
	}
	pfree(counts);
	pfree(within);
	pfree(patients);
	pfree(earlier);
	pfree(values);
	sim_free(job.in);
	sim_free(job.within);
	sim_free(job.patients);
	sim_free(job.earlier);
	sim_free(job.out);
}

int
main(void)
{
	static const size_t shapes[][3] = {
		{1, 1, 1}, {1, 1, 2}, {1, 2, 0}, {3, 2, 1}, {1, 3, 3}, {2, 4, 5}, {10, 1, 13}, {4, 5, 16}, {33, 2, 2}, {1, 12, 0},
	};
	Prg		   *prg;

	sim_start();
	prg = sim_prg("guard", 0);
	for (int s = 0; s < lengthof(shapes); s++)
		for (int round = 0; round < 12; round++)
			test_answer(shapes[s][0], shapes[s][1], shapes[s][2], round % 2, prg);
	sim_report("groups that are close to each other or to an answer are not released");
	prg_free(prg);
	return sim_end();
}
