/*
 * rows.c
 *	  Rows cut off, put end to end and beside each other, kept once, and copied, as the clear
 *	  computation says.
 */
#include "sim_operators.h"

#include "mpc/expand.h"
#include "mpc/place.h"
#include "mpc/rows.h"

static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 63, 64, 65, 127, 128, 129, 500, 1024, 1025};

static const size_t expanded_sizes[] = {0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 200};
static const size_t rows_sizes[][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {3, 5}, {63, 1}, {65, 64}, {30, 99}};

/* ---- the first rows in an order ---- */

typedef struct FirstJob
{
	Table		table[PARTIES];
	size_t		wanted;
	SortWork	work[PARTIES];
} FirstJob;

static const SortKey first_keys[] = {{J_KEY, true, true}, {J_VALUE, false, false}};

static void
step_first(Party *self, void *arg)
{
	FirstJob   *job = arg;
	int			i = self->index;

	sort_first(self, &job->table[i], first_keys, 2, J_VALID, job->wanted, &job->work[i]);
}

/* Is row v before row w? */
static bool
comes_first(const Clear *rows, size_t v, size_t w)
{
	uint64		x = signed_order(rows->slice[J_KEY][v], 12);
	uint64		y = signed_order(rows->slice[J_KEY][w], 12);

	if (rows->slice[J_VALID][v] != rows->slice[J_VALID][w])
		return rows->slice[J_VALID][v];
	if (x != y)
		return x > y;
	if (rows->slice[J_VALUE][v] != rows->slice[J_VALUE][w])
		return rows->slice[J_VALUE][v] < rows->slice[J_VALUE][w];
	return v < w;
}

static void
test_first(size_t n, size_t wanted, uint64 range, Prg *prg)
{
	FirstJob	job = {.wanted = wanted};
	Clear		before = join_rows(n, range, 3, 0, prg);
	Clear		after;
	uint8	   *seen = palloc0(n + 1);

	for (size_t v = 0; v < n; v++)
		before.number[0][v] = v;
	sim_share_table(job.table, &before, prg);
	run(step_first, &job);
	after = sim_rebuild_table(job.table);
	CHECK(after.n == n, "n=%zu", n);
	for (size_t v = 0; v < n; v++)
	{
		size_t		was = after.number[0][v];
		size_t		place = 0;

		CHECK(was < n && !seen[was]++, "n=%zu row %zu", n, v);
		for (int c = 0; c < JOIN_SLICES && was < n; c++)
			CHECK(after.slice[c][v] == before.slice[c][was], "n=%zu row %zu", n, v);
		for (size_t w = 0; w < n; w++)
			place += comes_first(&before, w, was);
		CHECK(v < wanted ? place == v : place >= wanted, "n=%zu: row %zu is in place %zu", n, place, v);
	}
	/* Few of many are far less work than all of them. */
	if (n >= 500 && wanted <= 5)
		CHECK(job.work[0].comparisons < 4 * n, UINT64_FORMAT " comparisons of %zu rows", job.work[0].comparisons, n);
	pfree(seen);
	clear_free(&before);
	clear_free(&after);
	sim_free_table(job.table);
}

/* ---- limit, union, columns beside, distinct, any ---- */

typedef struct RowsJob
{
	Table		table[PARTIES];
	Table		other[PARTIES];
	Shared64	kept[PARTIES];
	SharedBits	any[PARTIES];
	size_t		offset;
	size_t		count;
} RowsJob;

/* SELECT DISTINCT ... FROM (a UNION ALL b) OFFSET ... LIMIT ..., and the same once more beside it */
static void
step_rows(Party *self, void *arg)
{
	RowsJob    *job = arg;
	int			i = self->index;
	int			keys[] = {J_KEY_AGAIN, J_KEY};
	Table	   *table = &job->table[i];
	Table		copy = table_create(job->count);

	scan_any(self, &job->any[i], &table->slice[J_VALID]);
	rows_append(table, &job->other[i]);
	rows_distinct(self, table, keys, 2, J_VALID, table->n, &job->kept[i], NULL);
	rows_limit(table, job->offset, job->count);
	copy.n = table->n;
	table_add_slice(&copy, shared_bits_cut(&table->slice[J_KEY], 0, table->n));
	columns_beside(table, &copy);
	CHECK(copy.slices == 0, "columns are moved");
	table_destroy(&copy);
}

/* The number of keys less than that of row v, or of all keys if v is n. */
static size_t
keys_before(const Clear *rows, size_t v)
{
	size_t		count = 0;

	for (size_t w = 0; w < rows->n; w++)
	{
		bool		counts = rows->slice[J_VALID][w];

		if (v < rows->n)
			counts = counts && (rows->slice[J_KEY_AGAIN][w] != rows->slice[J_KEY_AGAIN][v] ?
								rows->slice[J_KEY_AGAIN][w] < rows->slice[J_KEY_AGAIN][v] :
								rows->slice[J_KEY][w] < rows->slice[J_KEY][v]);
		for (size_t u = 0; u < w && counts; u++)
			counts = !(rows->slice[J_VALID][u] && rows->slice[J_KEY][u] == rows->slice[J_KEY][w] &&
					   rows->slice[J_KEY_AGAIN][u] == rows->slice[J_KEY_AGAIN][w]);
		count += counts;
	}
	return count;
}

static Clear
clear_append(const Clear *a, const Clear *b)
{
	Clear		both = clear_rows(a->n + b->n, a->slices, a->planes, a->numbers);

	for (int c = 0; c < a->slices; c++)
	{
		memcpy(both.slice[c], a->slice[c], a->n * sizeof(uint64));
		memcpy(both.slice[c] + a->n, b->slice[c], b->n * sizeof(uint64));
	}
	return both;
}

static void
expect_rows(const RowsJob *job, const Clear *a, const Clear *b)
{
	Clear		after = sim_rebuild_table(job->table);
	Clear		both = clear_append(a, b);
	size_t		keys = keys_before(&both, both.n);
	uint64	   *kept = sim_rebuild64(job->kept);
	uint64	   *any = sim_rebuild_bits(job->any);
	size_t		first = Min(job->offset, both.n);
	uint64		want_any = 0;

	for (size_t v = 0; v < a->n; v++)
		want_any |= a->slice[J_VALID][v];
	CHECK(any[0] == want_any, "n=%zu", a->n);
	CHECK(kept[0] == keys, "n=%zu: " UINT64_FORMAT " for %zu", both.n, kept[0], keys);
	CHECK(after.n == Min(job->count, both.n - first), "n=%zu: %zu", both.n, after.n);
	CHECK(after.slices == JOIN_SLICES + 1, "columns");
	for (size_t v = 0; v < after.n; v++)
	{
		CHECK(after.slice[J_VALID][v] == (first + v < keys), "n=%zu row %zu", both.n, v);
		CHECK(after.slice[JOIN_SLICES][v] == after.slice[J_KEY][v], "n=%zu row %zu", both.n, v);
	}
	/* Each key is where it is to be. */
	for (size_t w = 0; w < both.n; w++)
	{
		size_t		place = both.slice[J_VALID][w] ? keys_before(&both, w) : both.n;

		if (place >= first && place - first < after.n)
			CHECK(after.slice[J_KEY][place - first] == both.slice[J_KEY][w] &&
				  after.slice[J_KEY_AGAIN][place - first] == both.slice[J_KEY_AGAIN][w], "n=%zu row %zu", both.n, w);
	}
	pfree(kept);
	pfree(any);
	clear_free(&after);
	clear_free(&both);
}

static void
test_rows(size_t n1, size_t n2, Prg *prg)
{
	size_t		offsets[] = {0, 1, n1, n1 + n2, 10000, 0};
	size_t		counts[] = {n1 + n2, 3, n2 + 7, 1, SIZE_MAX, 0};

	for (int k = 0; k < lengthof(offsets); k++)
	{
		Clear		a = join_rows(n1, 1 + n2 / 2, k % 3, 0, prg);
		Clear		b = join_rows(n2, 1 + n2 / 2, k % 3 * 2, 0, prg);
		RowsJob		job = {.offset = offsets[k], .count = counts[k]};

		sim_share_table(job.table, &a, prg);
		sim_share_table(job.other, &b, prg);
		sim_alloc64(job.kept, 1);
		sim_alloc_bits(job.any, 1, 1);
		run(step_rows, &job);
		expect_rows(&job, &a, &b);
		sim_free_table(job.table);
		sim_free_table(job.other);
		sim_free64(job.kept);
		sim_free_bits(job.any);
		clear_free(&a);
		clear_free(&b);
	}
}

/* ---- places ---- */

typedef enum PlaceBy
{
	PLACE_BY_BITS,
	PLACE_BY_NUMBERS,
	PLACE_TAKE,
	PLACE_KINDS
} PlaceBy;

typedef struct PlaceJob
{
	Table		table[PARTIES];	/* a column of bits and one of numbers say where to, and another number what it was */
	PlaceBy		by;
	size_t		first;
	size_t		count;
	bool		fails;
} PlaceJob;

static void
step_place(Party *self, void *arg)
{
	PlaceJob   *job = arg;
	Table	   *table = &job->table[self->index];
	Shared64	from;

	if (job->fails)
		sim_allow_leaks();
	if (job->by == PLACE_BY_BITS)
		place_by_bits(self, table, 0, job->first, job->count);
	else if (job->by == PLACE_BY_NUMBERS)
		place_by_numbers(self, table, 0, job->first, job->count);
	else
	{
		from = table_remove_number(table, 0);
		place_take(self, table, &from);
		shared64_free(&from);
	}
}

static Clear
place_rows(const uint64 *places, size_t n)
{
	int			planes = table_row_planes(n);
	Clear		rows = clear_rows(n, 1, &planes, 2);

	for (size_t v = 0; v < n; v++)
	{
		rows.slice[0][v] = rows.number[0][v] = places[v];
		rows.number[1][v] = v;
	}
	return rows;
}

static void
test_place(PlaceBy by, const uint64 *places, size_t n, size_t first, size_t count, Prg *prg)
{
	PlaceJob	job = {.by = by, .first = first, .count = count};
	Clear		before = place_rows(places, n);
	Clear		after;
	const uint64 *was;

	sim_share_table(job.table, &before, prg);
	run(step_place, &job);
	after = sim_rebuild_table(job.table);
	was = after.number[after.numbers - 1];
	CHECK(after.n == (by == PLACE_TAKE ? n : count), "n=%zu: %zu", n, after.n);
	for (size_t v = 0; v < after.n; v++)
		CHECK(by == PLACE_TAKE ? was[v] == places[v] : places[was[v]] == first + v, "n=%zu row %zu", n, v);
	clear_free(&before);
	clear_free(&after);
	sim_free_table(job.table);
}

static void
test_places(size_t n, Prg *prg)
{
	uint64	   *places = palloc((n + 1) * sizeof(uint64));

	for (size_t v = 0; v < n; v++)
	{
		size_t		at = sim_u64(prg) % (v + 1);

		places[v] = places[at];
		places[at] = v;
	}
	for (PlaceBy by = 0; by < PLACE_KINDS; by++)
	{
		test_place(by, places, n, 0, n, prg);
		test_place(by, places, n, n / 3, n / 2, prg);
		test_place(by, places, n, n, 0, prg);
	}
	pfree(places);
}

/* Whoever shares places that are none, or one twice, gets no further. */
static void
test_no_permutation(Prg *prg)
{
	uint64		twice[] = {0, 1, 2, 1, 4};
	uint64		outside[] = {0, 1, 2, 3, 7};

	sim_allow_leaks();
	for (int k = 0; k < 2 * PLACE_KINDS; k++)
	{
		PlaceJob	job = {.by = (PlaceBy) (k / 2), .count = 5, .fails = true};
		Clear		rows = place_rows(k % 2 ? twice : outside, 5);
		Sim			sim;

		sim_share_table(job.table, &rows, prg);
		sim_open(&sim, runs++);
		sim_run(&sim, step_place, &job);
		for (int i = 0; i < PARTIES; i++)
			CHECK(sim.outcome[i].failed && sim.outcome[i].sqlstate == ERRCODE_SECMED_PROTOCOL &&
				  strstr(sim.outcome[i].message, "no permutation"), "kind %d: %s", k, sim.outcome[i].message);
		sim_close(&sim);
		clear_free(&rows);
		sim_free_table(job.table);
	}
}

/* ---- rows several times ---- */

typedef struct ExpandJob
{
	Table		table[PARTIES];
	Shared64	copies[PARTIES];
	Shared64	first[PARTIES];
	size_t		total;
} ExpandJob;

static void
step_expand(Party *self, void *arg)
{
	ExpandJob  *job = arg;
	int			i = self->index;

	expand_table(self, &job->table[i], &job->copies[i], job->total, &job->first[i]);
}

static void
expect_expand_cost(const Cost *cost, size_t n, size_t total)
{
	Cost		want = expand_cost(n, total, 2, 34);

	CHECK(memcmp(cost, &want, sizeof(Cost)) == 0, "n=%zu+%zu: " UINT64_FORMAT " rounds, " UINT64_FORMAT " bytes",
		  n, total, cost->rounds, cost->sent[0]);
}

static void
test_expand(size_t n, const uint64 *copies, Prg *prg)
{
	int			planes[] = {1, 33};
	Clear		before = clear_rows(n, 2, planes, 2);
	Clear		after;
	ExpandJob	job = {.total = 0};
	Cost		cost;
	uint64	   *first;
	size_t		q = 0;

	for (size_t v = 0; v < n; v++)
	{
		job.total += copies[v];
		before.slice[0][v] = sim_u64(prg) % 2;
		before.slice[1][v] = low_bits(sim_hard64(prg), 33);
		before.number[0][v] = v;
		before.number[1][v] = sim_hard64(prg);
	}
	sim_share_table(job.table, &before, prg);
	sim_share64(job.copies, copies, n, prg, true);
	sim_alloc64(job.first, n + job.total);
	cost = run(step_expand, &job);
	after = sim_rebuild_table(job.table);
	first = sim_rebuild64(job.first);
	CHECK(after.n == n + job.total, "n=%zu: %zu", n, after.n);
	for (size_t v = 0; v < n; v++)
	{
		for (uint64 i = 0; i <= copies[v] && q < after.n; i++, q++)
		{
			CHECK(first[q] == (i == 0), "n=%zu place %zu", n, q);
			for (int c = 0; c < 2; c++)
				CHECK(after.slice[c][q] == before.slice[c][v] && after.number[c][q] == before.number[c][v],
					  "n=%zu place %zu", n, q);
		}
	}
	expect_expand_cost(&cost, n, job.total);
	pfree(first);
	clear_free(&before);
	clear_free(&after);
	sim_free_table(job.table);
	sim_free64(job.copies);
	sim_free64(job.first);
}

static void
test_expands(size_t n, Prg *prg)
{
	uint64	   *copies = palloc0((n + 1) * sizeof(uint64));

	test_expand(n, copies, prg);	/* none */
	for (size_t at = 0; at < n; at += Max(n / 2, 1))
	{
		for (uint64 many = 1; many < 300; many = 3 * many + 1)
		{
			memset(copies, 0, n * sizeof(uint64));
			copies[at] = many;	/* all of one row */
			test_expand(n, copies, prg);
		}
	}
	for (uint64 range = 2; range < 30; range += 9)
	{
		for (size_t v = 0; v < n; v++)
			copies[v] = sim_u64(prg) % 3 == 0 ? 0 : sim_u64(prg) % range;
		test_expand(n, copies, prg);
	}
	pfree(copies);
}

int
main(void)
{
	Prg		   *prg;

	sim_start();
	prg = sim_prg("rows", 0);
	for (int s = 0; s < lengthof(sizes); s++)
	{
		test_first(sizes[s], 0, 3, prg);
		test_first(sizes[s], 1, 1000, prg);
		test_first(sizes[s], 5, 3, prg);
		test_first(sizes[s], sizes[s] / 2, 1000, prg);
		test_first(sizes[s], sizes[s] + 1, 1000, prg);
	}
	sim_report("the first rows in an order come first");
	for (int s = 0; s < lengthof(rows_sizes); s++)
		test_rows(rows_sizes[s][0], rows_sizes[s][1], prg);
	sim_report("rows are cut off, put end to end and beside each other, and kept once");
	for (int s = 0; s < lengthof(expanded_sizes); s++)
		test_expands(expanded_sizes[s], prg);
	sim_report("rows become as many as a shared number says");
	for (int s = 0; s < lengthof(sizes); s++)
		test_places(sizes[s], prg);
	sim_report("rows go to the places that are shared");
	test_no_permutation(prg);
	sim_report("places that are no permutation are refused");
	prg_free(prg);
	return sim_end();
}
