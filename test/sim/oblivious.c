/*
 * oblivious.c
 *	  Shuffling, sorting, grouping and compacting give what the clear
 *	  computation gives, and show nothing of it.
 */
#include "sim_table.h"

#include <math.h>

#include "mpc/adder.h"
#include "mpc/group.h"
#include "mpc/shuffle.h"
#include "mpc/order.h"
#include "mpc/sort.h"
#include "share/memory.h"

static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 17, 63, 64, 65, 127, 128, 129, 500, 1024, 1025};

typedef struct Job
{
	Table		table[PARTIES];
	const SortKey *keys;
	int			key_count;
	int			valid;
	SortWork	work[PARTIES];
	uint64		round_bytes;
	uint64		held[PARTIES];	/* in a sort, at its peak, of what it has reserved */
	uint64		reserved[PARTIES];
	const Grouping *by;
	size_t		size;
	Shared64	kept[PARTIES];
	uint64		sent[PARTIES];
	uint64		rounds;
} Job;

static uint64 runs = 0;

static void
share_rows(Job *job, const Clear *clear, Prg *prg)
{
	memset(job, 0, sizeof(Job));
	sim_share_table(job->table, clear, prg);
	for (int i = 0; i < PARTIES; i++)
		job->kept[i] = shared64_zero(1);
}

static void
free_rows(Job *job)
{
	sim_free_table(job->table);
	for (int i = 0; i < PARTIES; i++)
		shared64_free(&job->kept[i]);
}

static Clear
rebuild_rows(const Job *job)
{
	return sim_rebuild_table(job->table);
}

static void
run(SimStep step, Job *job)
{
	Sim			sim;

	sim_open(&sim, runs++);
	sim_run_well(&sim, step, job);
	for (int i = 0; i < PARTIES; i++)
	{
		CHECK(sim.party[i].memory_reserved == 0, "party %d", i);
		CHECK(sim.party[i].rounds == sim.party[0].rounds, "party %d", i);
		job->sent[i] = sim.party[i].bytes_sent;
	}
	job->rounds = sim.party[0].rounds;
	sim_close(&sim);
}

static uint64
shuffle_bytes(int party, size_t n, int numbers, int planes)
{
	return (party == 1 ? 2 : 1) * (8 * n * numbers + planes * PLANE_BYTES(n));
}

/* ---- shuffle ---- */

static void
step_shuffle(Party *self, void *arg)
{
	Job		   *job = arg;

	shuffle_table(self, &job->table[self->index]);
}

/* Number 0 says which row it was; everything else must have come along. */
static void
expect_moved(const Clear *after, const Clear *before)
{
	uint8	   *seen = palloc0(before->n + 1);

	for (size_t v = 0; v < after->n; v++)
	{
		size_t		was = after->number[0][v];

		CHECK(was < before->n && !seen[was], "n=%zu, row %zu was %zu", before->n, v, was);
		if (was >= before->n)
			break;
		seen[was] = 1;
		for (int c = 0; c < before->slices; c++)
			CHECK(after->slice[c][v] == before->slice[c][was], "n=%zu, column %d", before->n, c);
		for (int c = 1; c < before->numbers; c++)
			CHECK(after->number[c][v] == before->number[c][was], "n=%zu, number %d", before->n, c);
	}
	pfree(seen);
}

static void
test_shuffle(size_t n, const int *planes, int slices, int numbers, Prg *prg)
{
	Clear		before = clear_rows(n, slices, planes, numbers);
	Clear		after;
	Job			job;
	int			all = 0;

	for (int c = 0; c < slices; c++)
	{
		all += planes[c];
		for (size_t v = 0; v < n; v++)
			before.slice[c][v] = low_bits(sim_hard64(prg), planes[c]);
	}
	for (int c = 0; c < numbers; c++)
	{
		for (size_t v = 0; v < n; v++)
			before.number[c][v] = c == 0 ? v : sim_hard64(prg);
	}
	share_rows(&job, &before, prg);
	run(step_shuffle, &job);
	after = rebuild_rows(&job);
	CHECK(after.n == n, "n=%zu", n);
	if (numbers > 0)
		expect_moved(&after, &before);
	CHECK(job.rounds == (n > 0 ? 2 : 0), "n=%zu", n);
	for (int i = 0; i < PARTIES; i++)
		CHECK(job.sent[i] == shuffle_bytes(i, n, numbers, all), "n=%zu, party %d", n, i);
	clear_free(&before);
	clear_free(&after);
	free_rows(&job);
}

/*
 * All orders of five rows are as likely: chi-square with 119 degrees of freedom,
 * and mean m and deviation sqrt(2 m); five deviations are allowed.
 */
static void
test_uniform(Prg *prg)
{
	int			planes[] = {3};
	Clear		before = clear_rows(5, 1, planes, 0);
	int			count[120] = {0};
	int			times = 6000;
	double		chi = 0;

	for (int v = 0; v < 5; v++)
		before.slice[0][v] = v;
	for (int t = 0; t < times; t++)
	{
		Job			job;
		Clear		after;
		int			order = 0;

		share_rows(&job, &before, prg);
		run(step_shuffle, &job);
		after = rebuild_rows(&job);
		for (int v = 0; v < 4; v++)
		{
			int			smaller = 0;

			for (int w = v + 1; w < 5; w++)
				smaller += after.slice[0][w] < after.slice[0][v];
			order = order * (5 - v) + smaller;
		}
		count[order]++;
		clear_free(&after);
		free_rows(&job);
	}
	for (int k = 0; k < 120; k++)
		chi += (count[k] - times / 120.0) * (count[k] - times / 120.0) / (times / 120.0);
	CHECK(fabs(chi - 119) < 5 * sqrt(2 * 119), "chi-square %f", chi);
	clear_free(&before);
}

/* ---- sort ---- */

static void
step_sort(Party *self, void *arg)
{
	Job		   *job = arg;

	self->round_bytes = job->round_bytes;
	vector_memory.now = vector_memory.peak = 0;
	sort_table(self, &job->table[self->index], job->keys, job->key_count, job->valid,
			   &job->work[self->index]);
	job->held[self->index] = vector_memory.peak;
	job->reserved[self->index] = self->memory_peak;
}

/* What qsort() compares by. */
static const Clear *sorted_rows;
static const SortKey *sorted_keys;
static int	sorted_count;
static int	sorted_valid;

static int
in_order(const void *a, const void *b)
{
	size_t		x = *(const size_t *) a;
	size_t		y = *(const size_t *) b;

	if (sorted_valid != SORT_ALL_VALID &&
		sorted_rows->slice[sorted_valid][x] != sorted_rows->slice[sorted_valid][y])
		return sorted_rows->slice[sorted_valid][x] ? -1 : 1;
	for (int k = 0; k < sorted_count; k++)
	{
		int			c = sorted_keys[k].slice;
		uint64		flip = sorted_keys[k].is_signed ? UINT64CONST(1) << (sorted_rows->planes[c] - 1) : 0;
		uint64		u = sorted_rows->slice[c][x] ^ flip;
		uint64		w = sorted_rows->slice[c][y] ^ flip;

		if (u != w)
			return (u < w) != sorted_keys[k].descending ? -1 : 1;
	}
	return x < y ? -1 : 1;
}

static size_t *
sorted_order(const Clear *rows, const SortKey *keys, int count, int valid)
{
	size_t	   *order = palloc(Max(rows->n, 1) * sizeof(size_t));

	for (size_t v = 0; v < rows->n; v++)
		order[v] = v;
	sorted_rows = rows;
	sorted_keys = keys;
	sorted_count = count;
	sorted_valid = valid;
	qsort(order, rows->n, sizeof(size_t), in_order);
	return order;
}

static void
expect_sort_costs(const Job *job, const Clear *rows)
{
	const SortWork *work = &job->work[0];
	int			number = log2_up(rows->n);
	int			planes = number + (job->valid == SORT_ALL_VALID ? 0 : 1);
	int			all = number;

	for (int k = 0; k < job->key_count; k++)
		planes += rows->planes[job->keys[k].slice];
	for (int c = 0; c < rows->slices; c++)
		all += rows->planes[c];
	for (int i = 1; i < PARTIES; i++)
		CHECK(memcmp(work, &job->work[i], sizeof(SortWork)) == 0, "party %d", i);
	if (rows->n <= 1)
	{
		CHECK(job->rounds == 0, "n=%zu", rows->n);
		return;
	}
	CHECK(work->planes == planes, "%d planes", work->planes);
	CHECK(job->rounds == 2 + work->batches * (1 + carry_rounds(planes)), "n=%zu", rows->n);
	for (int i = 0; i < PARTIES; i++)
		CHECK(job->sent[i] == shuffle_bytes(i, rows->n, rows->numbers, all) +
			  work->bytes * (carry_gates(planes) + 1) + work->batches * HASH_BYTES,
			  "n=%zu, party %d", rows->n, i);
}

/* How many batches it took. */
static uint64
test_sort_where(uint64 round_bytes, const Clear *before, const SortKey *keys, int count, int valid, Prg *prg)
{
	Job			job;
	Clear		after;
	size_t	   *order = sorted_order(before, keys, count, valid);

	share_rows(&job, before, prg);
	job.keys = keys;
	job.key_count = count;
	job.valid = valid;
	job.round_bytes = round_bytes;
	run(step_sort, &job);
	after = rebuild_rows(&job);
	for (size_t v = 0; v < before->n; v++)
		CHECK(after.number[0][v] == order[v], "n=%zu, row %zu", before->n, v);
	expect_moved(&after, before);
	expect_sort_costs(&job, before);
	for (int i = 0; i < PARTIES; i++)
		CHECK(job.held[i] <= job.reserved[i], "n=%zu: " UINT64_FORMAT " held and " UINT64_FORMAT " reserved", before->n,
			  job.held[i], job.reserved[i]);
	pfree(order);
	clear_free(&after);
	free_rows(&job);
	return job.work[0].batches;
}

static void
test_sort(const Clear *before, const SortKey *keys, int count, int valid, Prg *prg)
{
	test_sort_where(0, before, keys, count, valid, prg);
}

static const size_t dear_sizes[] = {0, 1, 2, 6, 7, 100, 511, 512, 513, 3000};
static const SortKey by_first[] = {{1, false, false}};
static const SortKey by_all[] = {{3, true, true}, {1, true, false}, {2, false, true}};

typedef enum Filling
{
	FILL_HARD,
	FILL_FEW,					/* many duplicates */
	FILL_SAME,
	FILL_UP,
	FILL_DOWN,
	FILL_EXTREMES,
	FILLINGS
} Filling;

/* Slice 0: validity, of which one in `invalid` is 0 (1: all; 0: none); number 0: the row. */
static Clear
filled_rows(size_t n, Filling filling, int invalid, Prg *prg)
{
	int			planes[] = {1, 64, 5, 33};
	Clear		rows = clear_rows(n, 4, planes, 2);

	for (size_t v = 0; v < n; v++)
	{
		rows.slice[0][v] = invalid == 0 || (invalid > 1 && sim_u64(prg) % invalid != 0);
		rows.number[0][v] = v;
		rows.number[1][v] = sim_hard64(prg);
		for (int c = 1; c < 4; c++)
		{
			uint64		x =
				filling == FILL_HARD ? sim_hard64(prg) :
				filling == FILL_FEW ? sim_u64(prg) % 3 :
				filling == FILL_SAME ? 7 :
				filling == FILL_UP ? v :
				filling == FILL_DOWN ? n - v :
				(sim_u64(prg) % 2 ? UINT64CONST(1) << (planes[c] - 1) : 0) - sim_u64(prg) % 2;

			rows.slice[c][v] = low_bits(x, planes[c]);
		}
	}
	return rows;
}

static void
test_sorts(size_t n, Prg *prg)
{
	for (Filling filling = 0; filling < FILLINGS; filling++)
	{
		Clear		rows = filled_rows(n, filling, filling % 3 * 2, prg);

		test_sort(&rows, by_first, 1, SORT_ALL_VALID, prg);
		test_sort(&rows, by_first, 1, 0, prg);
		test_sort(&rows, by_all, 3, 0, prg);
		test_sort(&rows, NULL, 0, 0, prg);
		clear_free(&rows);
	}
}

/* Where a round lasts as long as sending many bytes, small tables take one batch, and larger ones fewer. */
static void
test_dear_rounds(size_t n, Prg *prg)
{
	Clear		rows = filled_rows(n, FILL_FEW, 2, prg);
	uint64		cheap = test_sort_where(0, &rows, by_first, 1, 0, prg);
	uint64		dear = test_sort_where(8 * 1024 * 1024, &rows, by_first, 1, 0, prg);
	OrderWork	few = order_expected(n, 66 + log2_up(n), 8 * 1024 * 1024);
	OrderWork	many = order_expected(n, 66 + log2_up(n), 0);

	CHECK(n < 2 || n > 512 || dear == 1, "n=%zu: " UINT64_FORMAT " batches", n, dear);
	CHECK(n <= 6 || dear < cheap, "n=%zu: " UINT64_FORMAT " and " UINT64_FORMAT " batches", n, dear, cheap);
	CHECK(fabs(few.batches - dear) <= 0.5 * dear && fabs(many.batches - cheap) <= 0.5 * cheap + 1,
		  "n=%zu: %.1f and %.1f batches expected, " UINT64_FORMAT " and " UINT64_FORMAT " made", n, few.batches, many.batches, dear, cheap);
	test_sort_where(8 * 1024 * 1024, &rows, by_all, 3, 0, prg);
	clear_free(&rows);
}

/*
 * With the same seeds, two inputs whose rows come in the same order by their keys are sorted
 * with the same messages, however many of the keys are equal; and over many seeds the number
 * of comparisons is as large for one input as for another.
 */
static void
test_same_sizes(Prg *prg)
{
	size_t		n = 300;
	Clear		up = filled_rows(n, FILL_UP, 0, prg);
	Clear		same = filled_rows(n, FILL_SAME, 0, prg);
	Clear		down = filled_rows(n, FILL_DOWN, 2, prg);
	int			times = 60;
	double		mean[2] = {0};
	double		square[2] = {0};

	for (int t = 0; t < times; t++)
	{
		const Clear *rows[] = {&up, &same, &down};
		Job			jobs[3];

		for (int k = 0; k < 3; k++)
		{
			share_rows(&jobs[k], rows[k], prg);
			jobs[k].keys = by_first;
			jobs[k].key_count = 1;
			jobs[k].valid = 0;
			run(step_sort, &jobs[k]);
			if (k == 0)
				runs--;			/* the same seeds once more */
		}
		CHECK(memcmp(&jobs[0].work, &jobs[1].work, sizeof(jobs[0].work)) == 0, "run %d", t);
		CHECK(memcmp(&jobs[0].sent, &jobs[1].sent, sizeof(jobs[0].sent)) == 0, "run %d", t);
		CHECK(jobs[0].rounds == jobs[1].rounds, "run %d", t);
		for (int k = 0; k < 2; k++)
		{
			double		x = jobs[k + 1].work[0].comparisons;

			mean[k] += x / times;
			square[k] += x * x / times;
		}
		for (int k = 0; k < 3; k++)
			free_rows(&jobs[k]);
	}
	/* Five standard deviations of the difference of two means. */
	CHECK(fabs(mean[0] - mean[1]) <
		  5 * sqrt((square[0] - mean[0] * mean[0] + square[1] - mean[1] * mean[1]) / times),
		  "%f and %f comparisons", mean[0], mean[1]);
	clear_free(&up);
	clear_free(&same);
	clear_free(&down);
}

/* ---- groups ---- */

static void
step_sort_and_group(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;
	uint64		rounds;
	uint64		sent;

	sort_table(self, &job->table[i], job->keys, job->key_count, job->valid, NULL);
	rounds = self->rounds;
	sent = self->bytes_sent;
	group_table(self, &job->table[i], job->by, job->size, &job->kept[i]);
	self->rounds -= rounds;
	self->bytes_sent -= sent;
}

static bool
same_group(const Clear *rows, const Grouping *by, size_t x, size_t y)
{
	for (int k = 0; k < by->key_count; k++)
	{
		if (rows->slice[by->keys[k]][x] != rows->slice[by->keys[k]][y])
			return false;
	}
	return true;
}

/* Checks row g of what came out against the valid rows order[first] to order[end - 1]. */
static void
expect_group(const Clear *after, const Clear *before, const Grouping *by, size_t g,
			 const size_t *order, size_t first, size_t end)
{
	CHECK(after->slice[by->valid][g] == 1, "group %zu", g);
	for (int c = 0; c < before->slices; c++)
		CHECK(after->slice[c][g] == before->slice[c][order[end - 1]], "group %zu, column %d", g, c);
	for (int k = 0; k < by->sum_count; k++)
	{
		uint64		sum = 0;

		for (size_t v = first; v < end; v++)
			sum += before->number[by->sums[k]][order[v]];
		CHECK(after->number[by->sums[k]][g] == sum, "group %zu, sum %d", g, k);
	}
	if (by->rows != GROUP_WITHOUT_ROWS)
		CHECK(after->number[by->rows][g] == end - first, "group %zu has %zu rows", g, end - first);
}

static void
expect_group_costs(const Job *job, const Clear *before)
{
	size_t		n = before->n;
	int			w = 1;
	int			planes = 0;

	if (n == 0)
	{
		CHECK(job->rounds == 0, "no rows");
		return;
	}
	for (int k = 0; k < job->by->key_count; k++)
		w += before->planes[job->by->keys[k]];
	for (int c = 0; c < before->slices; c++)
		planes += before->planes[c];
	CHECK(job->rounds == 7 + log2_up(w) + (job->size == SIZE_OPENED), "n=%zu: " UINT64_FORMAT, n, job->rounds);
	for (int i = 0; i < PARTIES; i++)
		CHECK(job->sent[i] == (w - 1) * PLANE_BYTES(n - 1) + PLANE_BYTES(n) + 24 * n + 32 +
			  (job->size == SIZE_OPENED ? 40 : 0) + shuffle_bytes(i, n, before->numbers + 1, planes),
			  "n=%zu, party %d: " UINT64_FORMAT, n, i, job->sent[i]);
}

static void
test_group(const Clear *before, const SortKey *keys, int key_count, const Grouping *by, size_t size, Prg *prg)
{
	Job			job;
	Clear		after;
	size_t	   *order = sorted_order(before, keys, key_count, by->valid);
	size_t		groups = 0;
	uint64	   *kept;

	share_rows(&job, before, prg);
	job.keys = keys;
	job.key_count = key_count;
	job.valid = by->valid;
	job.by = by;
	job.size = size;
	run(step_sort_and_group, &job);
	after = rebuild_rows(&job);
	for (size_t first = 0, end; first < before->n && before->slice[by->valid][order[first]]; first = end)
	{
		for (end = first + 1; end < before->n && before->slice[by->valid][order[end]] &&
			 same_group(before, by, order[first], order[end]);)
			end++;
		if (groups < after.n)
			expect_group(&after, before, by, groups, order, first, end);
		groups++;
	}
	for (size_t g = groups; g < after.n; g++)
		CHECK(after.slice[by->valid][g] == 0, "group %zu of %zu", g, groups);
	CHECK(after.n == (size == SIZE_OPENED ? groups : Min(size, before->n)), "%zu rows", after.n);
	kept = sim_rebuild64(job.kept);
	CHECK(kept[0] == groups, UINT64_FORMAT " groups for %zu", kept[0], groups);
	expect_group_costs(&job, before);
	pfree(kept);
	pfree(order);
	clear_free(&after);
	free_rows(&job);
}

/* Slice 2 says whether the key in slice 1 is NULL; NULLs are one group.  Slice 3 is for min and max. */
static const int key_columns[] = {2, 1};
static const int sum_columns[] = {1, 0};
static const SortKey group_keys[] = {{2, false, true}, {1, true, false}, {3, true, false}};
static const Grouping with_sums = {key_columns, 2, 0, sum_columns, 2, 2};
static const Grouping distinct = {key_columns, 2, 0, NULL, 0, GROUP_WITHOUT_ROWS};
static const Grouping one_group = {NULL, 0, 0, sum_columns, 1, 2};

static void
test_groups(size_t n, Prg *prg)
{
	int			planes[] = {1, 20, 1, 9};

	for (int few = 0; few < 3; few++)
	{
		for (int invalid = 0; invalid < 3; invalid++)
		{
			Clear		rows = clear_rows(n, 4, planes, 3);
			size_t		padded[] = {0, 1, n / 2, n, n + 5, SIZE_OPENED};

			for (size_t v = 0; v < n; v++)
			{
				rows.slice[0][v] = invalid == 0 || (invalid == 2 && sim_u64(prg) % 3 != 0);
				rows.slice[2][v] = sim_u64(prg) % 8 == 0;
				if (!rows.slice[2][v])
					rows.slice[1][v] = few == 2 ? 9 : low_bits(sim_hard64(prg), few == 1 ? 3 : 20);
				rows.slice[3][v] = low_bits(sim_hard64(prg), 9);
				for (int c = 0; c < 3; c++)
					rows.number[c][v] = sim_hard64(prg);
			}
			for (int k = 0; k < lengthof(padded); k++)
			{
				test_group(&rows, group_keys, 3, &with_sums, padded[k], prg);
				test_group(&rows, group_keys, 2, &distinct, padded[k], prg);
			}
			test_group(&rows, group_keys, 3, &one_group, 1, prg);
			clear_free(&rows);
		}
	}
}

/* ---- compaction ---- */

static void
step_compact(Party *self, void *arg)
{
	Job		   *job = arg;
	int			i = self->index;

	group_compact(self, &job->table[i], 0, job->size, &job->kept[i]);
}

static void
test_compact(size_t n, Prg *prg)
{
	size_t		padded[] = {0, n / 3, n, SIZE_OPENED};

	for (int k = 0; k < lengthof(padded); k++)
	{
		Clear		before = filled_rows(n, FILL_HARD, k, prg);
		Clear		after;
		Job			job;
		size_t		kept = 0;
		uint64	   *count;

		share_rows(&job, &before, prg);
		job.size = padded[k];
		run(step_compact, &job);
		after = rebuild_rows(&job);
		expect_moved(&after, &before);
		for (size_t v = 0; v < n; v++)
		{
			if (!before.slice[0][v])
				continue;
			if (kept < after.n)
				CHECK(after.number[0][kept] == v, "n=%zu, row %zu", n, v);
			kept++;
		}
		count = sim_rebuild64(job.kept);
		CHECK(count[0] == kept, "n=%zu", n);
		CHECK(after.n == (padded[k] == SIZE_OPENED ? kept : padded[k]), "n=%zu: %zu rows", n, after.n);
		pfree(count);
		clear_free(&before);
		clear_free(&after);
		free_rows(&job);
	}
}

int
main(void)
{
	Prg		   *prg;
	int			plane_sets[][COLUMNS_HERE] = {{1}, {64, 1}, {5, 60, 64, 3}, {63, 2}};

	sim_start();
	prg = sim_prg("oblivious", 0);
	for (int s = 0; s < lengthof(sizes); s++)
	{
		test_shuffle(sizes[s], plane_sets[0], 0, 1, prg);
		test_shuffle(sizes[s], plane_sets[0], 1, 1, prg);
		test_shuffle(sizes[s], plane_sets[1], 2, 3, prg);
		test_shuffle(sizes[s], plane_sets[2], 4, 2, prg);
		test_shuffle(sizes[s], plane_sets[3], 2, 0, prg);
	}
	test_shuffle(100000, plane_sets[2], 4, 2, prg);
	sim_report("a shuffle moves whole rows, for what the README says");
	test_uniform(prg);
	sim_report("all orders of shuffled rows are as likely");

	for (int s = 0; s < lengthof(sizes); s++)
		test_sorts(sizes[s], prg);
	sim_report("rows are in order of several keys, invalid ones last, for what the README says");
	for (int s = 0; s < lengthof(dear_sizes); s++)
		test_dear_rounds(dear_sizes[s], prg);
	sim_report("rows are compared in fewer rounds where rounds are dear");
	test_same_sizes(prg);
	sim_report("messages of a sort do not depend on the keys");

	for (int s = 0; s < lengthof(sizes); s++)
		test_compact(sizes[s], prg);
	sim_report("rows that are kept come first, in their order");
	for (int s = 0; s < lengthof(sizes); s++)
		test_groups(sizes[s], prg);
	sim_report("groups, sums, counts and distinct rows, for what the README says");
	prg_free(prg);
	return sim_end();
}
