/*
 * memory.c
 *	  What sorting and grouping hold at their peak: less than three times the columns
 *	  they are given, no more than they reserve, and nothing at all if that is not
 *	  allowed.
 */
#include "sim64.h"

#include "mpc/group.h"
#include "mpc/release.h"
#include "mpc/shuffle.h"
#include "mpc/sort.h"
#include "share/memory.h"

/* Columns: validity, a key of 64 bits, a number. */
typedef struct Job
{
	Table		table[PARTIES];
	SharedBits	slice[PARTIES][2];
	Shared64	number[PARTIES][1];
	int			valid;
	int			key;
	bool		shuffles;
	bool		groups;
	uint64		memory_max;
	uint64		columns[PARTIES];	/* bytes */
	uint64		peak[PARTIES];
	uint64		left[PARTIES];
	uint64		reserved[PARTIES];
} Job;

static uint64 runs = 0;

static void
open_job(Job *job, size_t n, bool validity, bool number, Prg *prg)
{
	uint64	   *keys = palloc(n * sizeof(uint64));
	uint64	   *ones = palloc(n * sizeof(uint64));
	int			slices = 0;
	SharedBits	shared[PARTIES];
	Shared64	numbers[PARTIES];

	memset(job, 0, sizeof(Job));
	for (size_t v = 0; v < n; v++)
	{
		keys[v] = sim_u64(prg) % n;
		ones[v] = 1;
	}
	job->valid = SORT_ALL_VALID;
	if (validity)
	{
		sim_share_bits(shared, ones, 1, n, prg);
		for (int i = 0; i < PARTIES; i++)
			job->slice[i][0] = shared[i];
		job->valid = slices++;
	}
	sim_share_bits(shared, keys, 64, n, prg);
	sim_share64(numbers, keys, n, prg, false);
	job->key = slices++;
	for (int i = 0; i < PARTIES; i++)
	{
		job->slice[i][job->key] = shared[i];
		job->number[i][0] = numbers[i];
		job->table[i] = (Table)
		{
			n, number ? 1 : 0, job->number[i], slices, job->slice[i]
		};
	}
	pfree(keys);
	pfree(ones);
}

static void
close_job(Job *job)
{
	for (int i = 0; i < PARTIES; i++)
	{
		for (int c = 0; c < job->table[i].slices; c++)
			shared_bits_free(&job->slice[i][c]);
		shared64_free(&job->number[i][0]);
	}
}

static void
work(Party *self, Job *job, Table *table)
{
	SortKey		sort_key = {job->key, false, false};
	int			sum = 0;
	Grouping	by = {&job->key, 1, job->valid, &sum, table->numbers, GROUP_WITHOUT_ROWS};

	if (job->shuffles)
		shuffle_table(self, table);
	else
		sort_table(self, table, &sort_key, 1, job->valid, NULL);
	if (job->groups)
		group_table(self, table, &by, table->n, NULL);
}

static void
step(Party *self, void *arg)
{
	Job		   *job = arg;
	Table	   *table = &job->table[self->index];

	self->memory_max = job->memory_max;
	if (self->memory_max > 0)
		sim_allow_leaks();
	job->columns[self->index] = table_bytes(table);
	vector_memory.now = vector_memory.peak = table_bytes(table);
	work(self, job, table);
	job->peak[self->index] = vector_memory.peak;
	job->left[self->index] = vector_memory.now;
	job->reserved[self->index] = self->memory_peak;
}

static void
run(Job *job)
{
	Sim			sim;

	sim_open(&sim, runs++);
	sim_run_well(&sim, step, job);
	sim_close(&sim);
}

/* How many times the columns the parties held at their peak, the worst of them. */
static double
test_peak(Job *job)
{
	double		worst = 0;

	run(job);
	for (int i = 0; i < PARTIES; i++)
	{
		double		times = (double) job->peak[i] / job->columns[i];

		worst = Max(worst, times);
		CHECK(times < 3, "party %d held %.3f times its columns", i, times);
		CHECK(job->left[i] == table_bytes(&job->table[i]), "party %d kept " UINT64_FORMAT " bytes", i, job->left[i]);
		CHECK(job->peak[i] <= job->columns[i] + job->reserved[i],
			  "party %d held " UINT64_FORMAT " and had reserved " UINT64_FORMAT,
			  i, job->peak[i] - job->columns[i], job->reserved[i]);
		/* And a reservation that asks for far too much would be no help. */
		CHECK(job->peak[i] >= (job->columns[i] + job->reserved[i]) / 10 * 8,
			  "party %d held " UINT64_FORMAT " and had reserved " UINT64_FORMAT,
			  i, job->peak[i] - job->columns[i], job->reserved[i]);
	}
	return worst;
}

static void
test_case(const char *what, size_t n, bool validity, bool number, bool shuffles, bool groups, Prg *prg)
{
	Job			job;
	double		times;

	open_job(&job, n, validity, number, prg);
	job.shuffles = shuffles;
	job.groups = groups;
	times = test_peak(&job);
	close_job(&job);
	sim_report("%s of %zu rows holds %.2f times its columns", what, n, times);
}

/* One byte less than what was reserved is refused before anything is sent. */
static void
test_bound(bool groups, Prg *prg)
{
	Job			job;
	Sim			sim;
	uint64		need;

	open_job(&job, 5000, true, true, prg);
	job.groups = groups;
	run(&job);
	need = job.reserved[0];
	close_job(&job);

	sim_allow_leaks();
	open_job(&job, 5000, true, true, prg);
	job.groups = groups;
	job.memory_max = need - 1;
	sim_open(&sim, runs++);
	sim_run(&sim, step, &job);
	for (int i = 0; i < PARTIES; i++)
	{
		char		message[128];

		snprintf(message, sizeof(message), "needs " UINT64_FORMAT " kB of memory, and secmed.mpc_memory allows",
				 need / 1024 + 1);
		CHECK(sim.outcome[i].failed && sim.outcome[i].sqlstate == ERRCODE_OUT_OF_MEMORY &&
			  strstr(sim.outcome[i].message, message), "party %d: %s", i, sim.outcome[i].message);
		CHECK(groups || sim.party[i].bytes_sent == 0, "party %d", i);
	}
	sim_close(&sim);
	close_job(&job);
	sim_report("%s with too little memory is refused, with the need stated", groups ? "grouping" : "sorting");
}

/* ---- release ---- */

typedef struct ReleaseJob
{
	ReleaseRule rule;
	Shared		in[PARTIES];
	Shared		out[PARTIES];
	uint64		peak[PARTIES];
	uint64		reserved[PARTIES];
} ReleaseJob;

static void
step_release(Party *self, void *arg)
{
	ReleaseJob *job = arg;
	int			i = self->index;

	vector_memory.now = vector_memory.peak = 0;
	release_cells(self, &job->out[i], &job->in[i], &job->rule);
	job->peak[i] = vector_memory.peak;
	job->reserved[i] = self->memory_peak;
}

static void
test_release(size_t cells, size_t width, bool show_zero, Prg *prg)
{
	ReleaseJob	job = {{.cells = cells, .width = width, .patients_min = 11, .show_zero = show_zero}};
	size_t		elements = cells * (1 + width);
	uint128    *values = palloc0(elements * sizeof(uint128));
	Sim			sim;

	sim_share(job.in, values, elements, prg, false);
	sim_alloc(job.out, elements);
	sim_open(&sim, runs++);
	sim_run_well(&sim, step_release, &job);
	sim_close(&sim);
	for (int i = 0; i < PARTIES; i++)
		CHECK(job.peak[i] <= job.reserved[i] && job.reserved[i] <= 2 * job.peak[i] + 2 * PARTY_CHUNK_BYTES,
			  "%zu cells of %zu, party %d held " UINT64_FORMAT " and had reserved " UINT64_FORMAT,
			  cells, width, i, job.peak[i], job.reserved[i]);
	sim_free(job.in);
	sim_free(job.out);
	pfree(values);
}

int
main(void)
{
	Prg		   *prg;

	sim_start();
	prg = sim_prg("memory", 0);
	test_case("a shuffle by one column", 1 << 18, false, false, true, false, prg);
	test_case("a sort by one column", 1 << 18, false, false, false, false, prg);
	test_case("a sort", 1 << 17, true, true, false, false, prg);
	test_case("distinct", 1 << 18, true, false, false, true, prg);
	test_case("a group-by sum", 1 << 17, true, true, false, true, prg);
	test_bound(false, prg);
	test_bound(true, prg);
	for (int show_zero = 0; show_zero < 2; show_zero++)
	{
		test_release(1, 0, show_zero, prg);
		test_release(1000, 1, show_zero, prg);
		test_release(20000, 0, show_zero, prg);
		test_release(20000, 1, show_zero, prg);
		test_release(3000, 10, show_zero, prg);
	}
	sim_report("releasing cells reserves what it holds");
	prg_free(prg);
	return sim_end();
}
