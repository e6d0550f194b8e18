/*
 * complement.c
 *	  Tables of cells are released: what passes is what the same rule gives in the clear, no
 *	  margin tells of a few withheld patients, and it costs what is said.
 */
#include "sim.h"

#include "mpc/complement.h"
#include "mpc/release.h"

#define PATIENTS_MIN	5

typedef struct Job
{
	ReleaseRule rule;
	Shared		in[PARTIES];
	Shared		out[PARTIES];
	uint64		rounds[PARTIES];
	uint64		bytes[PARTIES];
} Job;

static void
step(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	release_cells(self, &job->out[i], &job->in[i], &job->rule);
	job->rounds[i] = self->rounds;
	job->bytes[i] = self->bytes_sent;
}

/* ---- in the clear, cell by cell ---- */

static size_t
coordinate(const ReleaseRule *rule, size_t cell, int key)
{
	for (int k = rule->nkeys - 1; k > key; k--)
		cell /= rule->sizes[k];
	return cell % rule->sizes[key];
}

/* In one line of the margin: equal in all keys that are not summed out. */
static bool
same_line(const ReleaseRule *rule, uint32 summed, size_t a, size_t b)
{
	for (int k = 0; k < rule->nkeys; k++)
		if (!(summed >> k & 1) && coordinate(rule, a, k) != coordinate(rule, b, k))
			return false;
	return true;
}

static bool
is_margin(const ReleaseRule *rule, uint32 summed)
{
	return rule->nkeys <= COMPLEMENT_KEYS_MAX || (summed & (summed - 1)) == 0 ||
		summed == ((uint32) 1 << rule->nkeys) - 1;
}

/* The patients of the withheld cells of this cell's line, and its last cell that is large; -1 if none is. */
static uint64
withheld_in_line(const ReleaseRule *rule, const uint64 *patients, const bool *pass, uint32 summed, size_t cell,
				 int *last_large)
{
	uint64		withheld = 0;

	*last_large = -1;
	for (size_t other = 0; other < rule->cells; other++)
	{
		if (!same_line(rule, summed, cell, other))
			continue;
		if (!pass[other])
			withheld += patients[other];
		if (pass[other] && patients[other] >= rule->patients_min)
			*last_large = other;
	}
	return withheld;
}

/* The cells that pass by themselves, and of them those that remain. */
static void
clear_release(const ReleaseRule *rule, const uint64 *patients, bool *pass)
{
	bool	   *alone = palloc(rule->cells);

	for (size_t c = 0; c < rule->cells; c++)
		pass[c] = alone[c] = patients[c] >= rule->patients_min || (rule->show_zero && patients[c] == 0);
	for (uint32 summed = 1; summed < (uint32) 1 << rule->nkeys; summed++)
		for (size_t c = 0; c < rule->cells && is_margin(rule, summed); c++)
		{
			int			last_large;
			uint64		withheld = withheld_in_line(rule, patients, alone, summed, c, &last_large);

			if (withheld > 0 && withheld < rule->patients_min && last_large >= 0)
				pass[last_large] = false;
		}
	pfree(alone);
}

/* Who subtracts what is shown from any margin has no fewer patients, or nothing was shown of its line. */
static void
check_margins(const ReleaseRule *rule, const uint64 *patients, const bool *pass)
{
	for (uint32 summed = 1; summed < (uint32) 1 << rule->nkeys; summed++)
		for (size_t c = 0; c < rule->cells && is_margin(rule, summed); c++)
		{
			int			last_large;
			uint64		withheld = withheld_in_line(rule, patients, pass, summed, c, &last_large);

			CHECK(withheld == 0 || withheld >= rule->patients_min || last_large < 0,
				  "margin %u of cell %zu gives back " UINT64_FORMAT " patients", summed, c, withheld);
		}
}

/* ---- one table ---- */

static void
check_part(const Job *job, const uint128 *opened, const uint64 *counts, const uint128 *values, size_t part, size_t parts)
{
	const ReleaseRule *rule = &job->rule;
	uint64	   *patients = palloc(rule->cells * sizeof(uint64));
	bool	   *pass = palloc(rule->cells);

	for (size_t c = 0; c < rule->cells; c++)
		patients[c] = counts[c * parts + part];
	clear_release(rule, patients, pass);
	check_margins(rule, patients, pass);
	for (size_t c = 0; c < rule->cells; c++)
	{
		size_t		at = (c * parts + part) * 2;

		CHECK(opened[at] == pass[c], "cell %zu of %zu, part %zu, with " UINT64_FORMAT " patients", c, rule->cells, part,
			  patients[c]);
		CHECK(opened[at + 1] == (pass[c] ? values[at + 1] : 0), "value of cell %zu, part %zu", c, part);
	}
	pfree(patients);
	pfree(pass);
}

static void
test_table(int nkeys, const size_t *sizes, size_t parts, bool show_zero, const uint64 *given, Prg *prg)
{
	static uint64 runs = 0;
	Job			job = {{.cells = 1, .width = 1, .patients_min = PATIENTS_MIN, .show_zero = show_zero, .parts = parts,
	.nkeys = nkeys, .sizes = sizes}};
	size_t		n;
	uint64	   *counts;
	uint128    *values;
	uint128    *opened;
	Sim			sim;

	for (int k = 0; k < nkeys; k++)
		job.rule.cells *= sizes[k];
	n = job.rule.cells * parts;
	counts = palloc(n * sizeof(uint64));
	values = palloc(2 * n * sizeof(uint128));
	for (size_t v = 0; v < n; v++)
	{
		uint64		kind = sim_u64(prg) % 8;

		counts[v] = given ? given[v] : kind == 0 ? 0 : kind == 1 ? sim_u64(prg) % PATIENTS_MIN :
			PATIENTS_MIN + sim_u64(prg) % 100;
		values[2 * v] = counts[v];
		values[2 * v + 1] = sim_u128(prg);
	}
	sim_share(job.in, values, 2 * n, prg, false);
	sim_alloc(job.out, 2 * n);
	sim_open(&sim, runs++);
	sim_run_well(&sim, step, &job);
	sim_close(&sim);
	opened = sim_rebuild(job.out);
	for (size_t part = 0; part < parts; part++)
		check_part(&job, opened, counts, values, part, parts);
	for (int i = 0; i < PARTIES; i++)
	{
		uint64		rounds;
		uint64		bytes;

		release_cost(&job.rule, i, &rounds, &bytes);
		CHECK(rounds == job.rounds[i], "party %d: " UINT64_FORMAT " rounds, said " UINT64_FORMAT, i, job.rounds[i], rounds);
		CHECK(bytes == job.bytes[i], "party %d: " UINT64_FORMAT " bytes, said " UINT64_FORMAT, i, job.bytes[i], bytes);
	}
	pfree(opened);
	pfree(values);
	pfree(counts);
	sim_free(job.in);
	sim_free(job.out);
}

int
main(void)
{
	static const struct
	{
		int			nkeys;
		size_t		sizes[6];
	}			tables[] = {
		{1, {1}}, {1, {2}}, {1, {3}}, {1, {70}}, {2, {2, 4}}, {2, {5, 3}}, {2, {1, 6}}, {3, {2, 3, 4}}, {4, {2, 2, 3, 2}},
		{5, {2, 2, 2, 2, 2}}, {6, {2, 1, 2, 2, 3, 2}},
	};
	static const size_t three[] = {3};
	static const uint64 counts[][3] = {{0, 3, 11}, {11, 0, 3}, {3, 4, 11}, {3, 0, 0}, {1, 4, 4}, {11, 12, 13}, {0, 0, 0}};
	Prg		   *prg;

	sim_start();
	prg = sim_prg("complement", 0);
	for (int i = 0; i < lengthof(counts); i++)
		for (int show_zero = 0; show_zero < 2; show_zero++)
			test_table(1, three, 1, show_zero, counts[i], prg);
	for (int t = 0; t < lengthof(tables); t++)
		for (int round = 0; round < 20; round++)
			test_table(tables[t].nkeys, tables[t].sizes, 1 + round % 3, round % 2, NULL, prg);
	sim_report("no margin of a table gives back cells that are withheld");
	prg_free(prg);
	return sim_end();
}
