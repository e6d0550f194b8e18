/*
 * quantiles.c
 *	  Quantiles in groups are those of R's types 1 and 7, wherever values repeat, groups are empty, and few values
 *	  are before or after.
 */
#include "sim_operators.h"

#include "estimate/quantile.h"

#define SITES			3
#define GROUPS_MAX		4

typedef struct QuantileJob
{
	QuantileSpec spec;
	size_t		groups;
	Shared64	values[PARTIES][SITES];
	Shared64	numbers[PARTIES][SITES];
	Shared		counts[PARTIES];
	Shared		out[PARTIES];
} QuantileJob;

static Quantiles
quantiles_of(const QuantileJob *job, int party)
{
	return (Quantiles) {&job->spec, job->groups, SITES, job->values[party], job->groups > 1 ? job->numbers[party] : NULL};
}

static void
step_compute(Party *self, void *arg)
{
	QuantileJob *job = arg;
	Quantiles	quantiles = quantiles_of(job, self->index);

	quantiles_compute(self, &job->out[self->index], &quantiles, &job->counts[self->index]);
}

static int
compare_values(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

/* In the clear: 1 and the values, or zeros. */
static void
expect_one(const QuantileSpec *spec, const QuantileAsked *asked, const int64 *sorted, int64 n, const uint128 *elements)
{
	int64		p = asked->numerator;
	int64		q = asked->denominator;
	int64		at = asked->form == QUANTILE_DISC ? Max((p * n + q - 1) / q, 1) - 1 : p * (n - 1) / q;
	int64		way = asked->form == QUANTILE_DISC ? 0 : p * (n - 1) % q;
	int64		after = n - 1 - at - (asked->form == QUANTILE_DISC ? 0 : 1);
	bool		shown = n > 0 && (spec->tail == 0 || (at >= (int64) spec->tail && after >= (int64) spec->tail));
	int64		x = shown ? sorted[at] : 0;
	int64		y = shown && way > 0 ? sorted[at + 1] : x;

	CHECK(elements[0] == (shown ? 1 : 0), "n=" INT64_FORMAT, n);
	if (asked->form == QUANTILE_CONT)
		CHECK((int128) elements[1] == (int128) x * q + (int128) way * ((int128) y - x) || !shown, "n=" INT64_FORMAT, n);
	else
		CHECK((int128) elements[1] == x, "n=" INT64_FORMAT, n);
	if (asked->form == QUANTILE_NEIGHBOURS)
		CHECK((int128) elements[2] == y && elements[3] == (shown ? way : 0), "n=" INT64_FORMAT, n);
	if (!shown)
		CHECK(elements[1] == 0, "n=" INT64_FORMAT, n);
}

static int64
draw(const QuantileSpec *spec, int kind, Prg *prg)
{
	int64		any = (int64) sim_hard64(prg);
	int			spare = 64 - spec->type.bits;

	return kind == 0 ? (int64) (sim_u64(prg) % 5) - 2 : (int64) ((uint64) any << spare) >> spare;
}

static void
test_quantiles(QuantileJob job, int kind, Prg *prg)
{
	size_t		rows = job.spec.rows;
	int64	   *pooled[GROUPS_MAX];
	uint128		counts[GROUPS_MAX] = {0};
	uint128    *opened;
	Cost		cost;
	size_t		elements = quantile_elements(&job.spec);

	for (size_t g = 0; g < job.groups; g++)
		pooled[g] = palloc(SITES * rows * sizeof(int64));
	for (int site = 0; site < SITES; site++)
	{
		uint64	   *values = palloc(rows * sizeof(uint64));
		uint64	   *numbers = palloc(rows * sizeof(uint64));
		size_t		at = 0;

		/* The last but one group is empty, if there are several. */
		for (size_t g = 0; g < job.groups; g++)
		{
			size_t		n = job.groups > 1 && g == job.groups - 2 ? 0 : sim_u64(prg) % (rows / job.groups + 1);
			size_t		first = at;

			for (; n > 0; n--, at++)
			{
				values[at] = (uint64) draw(&job.spec, kind, prg);
				numbers[at] = g;
				pooled[g][(size_t) counts[g]++] = (int64) values[at];
			}
			qsort(values + first, at - first, sizeof(uint64), compare_values);
		}
		for (; at < rows; at++)
		{
			values[at] = ranked_last_value(job.spec.type.bits);
			numbers[at] = ranked_last_group(quantile_group_bits(job.groups));
		}
		for (int i = 0; i < PARTIES; i++)
			job.values[i][site] = job.numbers[i][site] = (Shared64) {0};
		{
			Shared64	shared[PARTIES];

			sim_share64(shared, values, rows, prg, false);
			for (int i = 0; i < PARTIES; i++)
				job.values[i][site] = shared[i];
			sim_share64(shared, numbers, rows, prg, false);
			for (int i = 0; i < PARTIES; i++)
				job.numbers[i][site] = shared[i];
		}
		pfree(values);
		pfree(numbers);
	}
	sim_share(job.counts, counts, job.groups, prg, false);
	sim_alloc(job.out, job.groups * elements);
	cost = run(step_compute, &job);
	opened = sim_rebuild(job.out);
	for (size_t g = 0; g < job.groups; g++)
	{
		qsort(pooled[g], (size_t) counts[g], sizeof(int64), compare_values);
		for (int a = 0; a < job.spec.nasked; a++)
			expect_one(&job.spec, &job.spec.asked[a], pooled[g], (int64) counts[g],
					   opened + g * elements + quantile_at(&job.spec, a));
		pfree(pooled[g]);
	}
	for (int i = 0; i < PARTIES; i++)
	{
		Quantiles	quantiles = quantiles_of(&job, i);
		MpcCost		said = {i};

		quantiles_cost(&said, &quantiles);
		CHECK(cost.rounds == said.rounds, UINT64_FORMAT " rounds for " UINT64_FORMAT, cost.rounds, said.rounds);
		CHECK(cost.sent[i] == said.bytes, UINT64_FORMAT " bytes for " UINT64_FORMAT, cost.sent[i], said.bytes);
		for (int site = 0; site < SITES; site++)
		{
			shared64_free(&job.values[i][site]);
			shared64_free(&job.numbers[i][site]);
		}
	}
	pfree(opened);
	sim_free(job.counts);
	sim_free(job.out);
}

int
main(void)
{
	static const QuantileAsked all[] = {
		{QUANTILE_DISC, 0, 1}, {QUANTILE_DISC, 1, 2}, {QUANTILE_DISC, 1, 1}, {QUANTILE_CONT, 1, 2}, {QUANTILE_CONT, 9999, 10000},
		{QUANTILE_NEIGHBOURS, 1, 3}, {QUANTILE_NEIGHBOURS, 0, 1}, {QUANTILE_DISC, 37, 100},
	};
	static const int bits[] = {64, 8, 32, 2};
	Prg		   *prg;

	sim_start();
	prg = sim_prg("quantiles", 0);
	for (int turn = 0; turn < 24; turn++)
	{
		QuantileJob job = {.groups = 1 + turn % GROUPS_MAX};

		job.spec = (QuantileSpec) {.rows = turn % 5 == 0 ? 3 : 70 + 40 * (turn % 7),.type = secret_integer(bits[turn % 4]),
			.tail = turn % 3 == 0 ? 5 : 0};
		/* Only first values, only one form, all. */
		job.spec.nasked = turn % 4 == 1 ? 3 : turn % 4 == 2 ? 5 : lengthof(all);
		memcpy(job.spec.asked, all, job.spec.nasked * sizeof(QuantileAsked));
		test_quantiles(job, turn % 2, prg);
	}
	sim_report("quantiles in groups, for what the header says");
	prg_free(prg);
	return sim_end();
}
