/*
 * ranked.c
 *	  Elements of a rank are those that sorting all runs finds, for what the header says, however often
 *	  values repeat and wherever groups begin.
 */
#include "sim_operators.h"

#include "mpc/ranked.h"
#include "share/packed.h"

#define RUNS_MAX		12

typedef struct Element
{
	uint64		group;
	int64		value;
} Element;

typedef struct RankedJob
{
	int			runs;
	size_t		n;
	int			group_planes;
	int			value_planes;
	Shared64	groups[PARTIES][RUNS_MAX];
	Shared64	values[PARTIES][RUNS_MAX];
	size_t		goals;
	Shared64	goal[PARTIES];
	uint64	   *scales;
	bool		second;
	SharedBits	first_found[PARTIES];
	SharedBits	second_found[PARTIES];
	Shared64	before[PARTIES];
} RankedJob;

static RankedRuns
runs_of(const RankedJob *job, int party)
{
	return (RankedRuns) {job->runs, job->n, job->group_planes, job->value_planes,
		job->group_planes ? job->groups[party] : NULL, job->values[party]};
}

static void
step_find(Party *self, void *arg)
{
	RankedJob  *job = arg;
	int			i = self->index;
	RankedRuns	runs = runs_of(job, i);
	RankedGoals goals = {job->goals, job->goal[i], job->scales};

	ranked_find(self, &runs, &goals, &job->first_found[i], job->second ? &job->second_found[i] : NULL, &job->before[i]);
}

static int
compare_elements(const void *a, const void *b)
{
	const Element *x = a;
	const Element *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

/* What a site would draw: many equal ones, or any of that many bits. */
static int64
draw_value(int planes, int kind, Prg *prg)
{
	int64		any = (int64) sim_hard64(prg);

	if (kind == 0)
		return (int64) (sim_u64(prg) % 3) - 1;
	return planes == 64 ? any : (int64) ((uint64) any << (64 - planes)) >> (64 - planes);
}

/* The same as a site's package and three parties who take it apart. */
static void
share(Shared64 shared[PARTIES][RUNS_MAX], int run, const uint64 *values, size_t n, int planes)
{
	StringInfoData package[PARTIES];
	StringInfo	out[PARTIES];
	int			width = packed_width(planes);
	uint8	   *x0 = palloc(packed_bytes(width, n) + PACKED_SLACK);
	uint8		hash[HASH_BYTES];

	for (int i = 0; i < PARTIES; i++)
	{
		initStringInfo(&package[i]);
		out[i] = &package[i];
	}
	packed_split(values, n, width, out);
	for (int i = 0; i < PARTIES; i++)
	{
		shared[i][run] = shared64_alloc(n);
		CHECK(packed_from_package(&shared[i][run], x0, hash, width, i, package[i].data, package[i].len), "n=%zu", n);
		CHECK(!packed_from_package(&shared[i][run], x0, hash, width, i, package[i].data, package[i].len - 1), "n=%zu", n);
		pfree(package[i].data);
	}
	CHECK(packed_complete(&shared[2][run], x0, hash, width), "n=%zu", n);
	x0[packed_bytes(width, n) - 1] ^= 1;
	CHECK(!packed_complete(&shared[2][run], x0, hash, width), "n=%zu", n);
	pfree(x0);
}

/* Runs, their ends filled up; all elements in order. */
static Element *
make_runs(RankedJob *job, int kind, size_t *total, Prg *prg)
{
	Element    *all = palloc(job->runs * job->n * sizeof(Element) + 1);
	uint64	   *column = palloc(job->n * sizeof(uint64) + 1);

	*total = 0;
	for (int run = 0; run < job->runs; run++)
	{
		Element    *own = all + *total;
		size_t		there = kind == 2 && run == 0 ? 0 : job->n - sim_u64(prg) % (job->n / 4 + 1);

		for (size_t k = 0; k < there; k++)
			own[k] = (Element) {job->group_planes ? sim_u64(prg) % 3 : 0, draw_value(job->value_planes, kind, prg)};
		qsort(own, there, sizeof(Element), compare_elements);
		for (size_t k = 0; k < job->n; k++)
			column[k] = k < there ? (uint64) own[k].value : ranked_last_value(job->value_planes);
		share(job->values, run, column, job->n, job->value_planes);
		for (size_t k = 0; k < job->n; k++)
			column[k] = k < there ? own[k].group : ranked_last_group(job->group_planes);
		if (job->group_planes)
			share(job->groups, run, column, job->n, job->group_planes);
		*total += there;
	}
	qsort(all, *total, sizeof(Element), compare_elements);
	pfree(column);
	return all;
}

/* The first, the last, the middle, and some; in thirds, tenths and whole numbers. */
static uint64 *
make_goals(RankedJob *job, size_t total, Prg *prg)
{
	uint64	   *goal = palloc(job->goals * sizeof(uint64));

	job->scales = palloc(job->goals * sizeof(uint64));
	for (size_t t = 0; t < job->goals; t++)
	{
		uint64		scale = t % 3 == 0 ? 1 : t % 3 == 1 ? 3 : 10000;
		uint64		rank = t == 0 ? 1 : t == 1 ? total : 1 + sim_u64(prg) % total;

		job->scales[t] = scale;
		goal[t] = scale * (rank - 1) + 1 + sim_u64(prg) % scale;
	}
	return goal;
}

static uint64 *
rebuild_planes(const SharedBits shared[PARTIES])
{
	uint64	   *words = sim_rebuild_bits(shared);
	uint64	   *values = palloc(shared[0].n * sizeof(uint64) + 1);

	bits_unslice(values, words, shared[0].n, shared[0].planes);
	pfree(words);
	return values;
}

static void
expect(const RankedJob *job, const Element *all, size_t total, const uint64 *goal)
{
	uint64	   *first = rebuild_planes(job->first_found);
	uint64	   *second = job->second ? rebuild_planes(job->second_found) : NULL;
	uint64	   *before = sim_rebuild64(job->before);
	uint64		mask = ~UINT64CONST(0) >> (64 - job->value_planes);

	for (size_t t = 0; t < job->goals; t++)
	{
		uint64		rank = (goal[t] + job->scales[t] - 1) / job->scales[t];

		CHECK(before[t] == rank - 1, "n=%zu goal %zu: " UINT64_FORMAT " before", job->n, t, before[t]);
		CHECK(first[t] == ((uint64) all[rank - 1].value & mask), "runs=%d n=%zu goal %zu", job->runs, job->n, t);
		if (second)
			CHECK(second[t] == ((rank < total ? (uint64) all[rank].value : ranked_last_value(job->value_planes)) & mask),
				  "runs=%d n=%zu goal %zu: next", job->runs, job->n, t);
	}
	pfree(first);
	pfree(before);
	if (second)
		pfree(second);
}

static void
expect_cost(const RankedJob *job, const Cost *cost)
{
	RankedRuns	runs = runs_of(job, 0);
	RankedGoals goals = {.n = job->goals,.scales = job->scales};

	for (int i = 0; i < PARTIES; i++)
	{
		MpcCost		said = {i};

		ranked_cost(&said, &runs, &goals, job->second);
		CHECK(cost->rounds == said.rounds, "n=%zu: " UINT64_FORMAT " rounds for " UINT64_FORMAT, job->n, cost->rounds, said.rounds);
		CHECK(cost->sent[i] == said.bytes, "n=%zu party %d: " UINT64_FORMAT " bytes for " UINT64_FORMAT, job->n, i, cost->sent[i], said.bytes);
	}
}

static void
test_find(RankedJob job, int kind, Prg *prg)
{
	size_t		total;
	Element    *all = make_runs(&job, kind, &total, prg);
	uint64	   *goal;
	Cost		cost;

	if (total > 0)
	{
		goal = make_goals(&job, total, prg);
		sim_share64(job.goal, goal, job.goals, prg, true);
		sim_alloc64(job.before, job.goals);
		for (int i = 0; i < PARTIES; i++)
		{
			job.first_found[i] = shared_bits_alloc(job.value_planes, job.goals);
			job.second_found[i] = shared_bits_alloc(job.value_planes, job.goals);
		}
		cost = run(step_find, &job);
		expect(&job, all, total, goal);
		expect_cost(&job, &cost);
		for (int i = 0; i < PARTIES; i++)
		{
			shared_bits_free(&job.first_found[i]);
			shared_bits_free(&job.second_found[i]);
		}
		sim_free64(job.goal);
		sim_free64(job.before);
		pfree(goal);
		pfree(job.scales);
	}
	for (int i = 0; i < PARTIES; i++)
		for (int run = 0; run < job.runs; run++)
		{
			shared64_free(&job.values[i][run]);
			if (job.group_planes)
				shared64_free(&job.groups[i][run]);
		}
	pfree(all);
}

int
main(void)
{
	static const size_t sizes[] = {1, 2, 63, 64, 65, 127, 128, 129, 700, 5000};
	static const int planes[] = {64, 8, 33, 2};
	Prg		   *prg;
	int			drawn = 0;

	sim_start();
	prg = sim_prg("ranked", 0);
	for (int s = 0; s < lengthof(sizes); s++)
		for (int runs = 1; runs <= 4; runs++, drawn++)
			test_find((RankedJob) {.runs = runs,.n = sizes[s],.value_planes = planes[drawn % lengthof(planes)],
					  .group_planes = drawn % 3 == 0 ? 0 : drawn % 3 * 2,.goals = 1 + drawn % 5,.second = drawn % 4 > 0},
					  drawn % 3, prg);
	test_find((RankedJob) {.runs = RUNS_MAX,.n = 300,.value_planes = 16,.goals = 2,.second = true}, 1, prg);
	sim_report("elements of a rank, among equal ones and in groups, for what the header says");
	prg_free(prg);
	return sim_end();
}
