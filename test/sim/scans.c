/*
 * scans.c
 *	  Rows take what their stretch has had so far, and groups their aggregates, as the clear computation
 *	  says, for what the headers say.
 */
#include "sim_operators.h"

#include "mpc/aggregate.h"
#include "mpc/sort.h"

static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 63, 64, 65, 127, 128, 129, 500, 1024, 1025};

/* ---- scans ---- */

/* Slice 0 is pass, 1 to 3 and numbers are copied, 4 and 5 are one plane, 6 and 7 have 20, 8 has 128 bits ... */
#define SCANNED_NUMBERS	3

typedef struct ScanJob
{
	Table		table[PARTIES];
	int			what;
} ScanJob;

typedef enum What
{
	SCAN_COPY_BITS,
	SCAN_COPY_NUMBERS,
	SCAN_OR,
	SCAN_AND,
	SCAN_LEAST,
	SCAN_GREATEST,
	SCAN_LEAST_64,
	SCAN_KINDS
} What;

static const int scan_planes[] = {1, 64, 7, 33, 1, 1, 20, 20, 64};

static void
step_scan(Party *self, void *arg)
{
	ScanJob    *job = arg;
	Table	   *table = &job->table[self->index];
	SharedBits *slice = table->slice;

	switch ((What) job->what)
	{
		case SCAN_COPY_BITS:
			scan_copy_bits(self, slice + 1, 3, slice);
			break;
		case SCAN_COPY_NUMBERS:
			scan_copy_numbers(self, table->number, SCANNED_NUMBERS, slice);
			break;
		case SCAN_OR:
			scan_or(self, slice + 4, 2, slice);
			break;
		case SCAN_AND:
			scan_and(self, slice + 4, 2, slice);
			break;
		case SCAN_LEAST:
			scan_least(self, slice + 6, 2, slice);
			break;
		case SCAN_GREATEST:
			scan_greatest(self, slice + 6, 2, slice);
			break;
		case SCAN_LEAST_64:
			scan_least(self, slice + 8, 1, slice);
			break;
		case SCAN_KINDS:
			break;
	}
}

/* What a row becomes whose row before has become `before`. */
static uint64
scanned(What what, uint64 before, uint64 x)
{
	switch (what)
	{
		case SCAN_COPY_BITS:
		case SCAN_COPY_NUMBERS:
			return before;
		case SCAN_OR:
			return before | x;
		case SCAN_AND:
			return before & x;
		case SCAN_GREATEST:
			return Max(before, x);
		default:
			return Min(before, x);
	}
}

static void
scan_clear(What what, uint64 *x, const uint64 *pass, size_t n)
{
	for (size_t v = 1; v < n; v++)
	{
		if (pass[v])
			x[v] = scanned(what, x[v - 1], x[v]);
	}
}

static void
expect_scan_cost(What what, const Cost *cost, size_t n)
{
	uint64		rounds = scan_levels(n);
	uint64		bytes = 0;

	if (what == SCAN_COPY_BITS)
		bytes = level_bytes(n, 105, 104, 104, true);
	else if (what == SCAN_COPY_NUMBERS && n > 1)
	{
		rounds += 2;
		bytes = 8 * n + level_bytes(n, 8 * 4, 8 * 4, 8 * 3, false);
	}
	else if ((what == SCAN_OR || what == SCAN_AND) && n > 0)
	{
		rounds = 1 + scan_levels(2 * n);
		bytes = PLANE_BYTES(2 * n) + level_bytes(2 * n, 2, 1, 1, true);
	}
	else if (what == SCAN_LEAST || what == SCAN_GREATEST)
	{
		rounds = scan_levels(2 * n) * (carry_rounds(21) + 1);
		bytes = level_bytes(2 * n, carry_gates(21) + 21, carry_gates(21) + 20, carry_gates(21) + 20, true);
	}
	else if (what == SCAN_LEAST_64)
	{
		rounds = scan_levels(n) * (carry_rounds(65) + 1);
		bytes = level_bytes(n, carry_gates(65) + 65, carry_gates(65) + 64, carry_gates(65) + 64, true);
	}
	CHECK(cost->rounds == rounds, "scan %d n=%zu: " UINT64_FORMAT, what, n, cost->rounds);
	for (int i = 0; i < PARTIES; i++)
		CHECK(cost->sent[i] == bytes, "scan %d n=%zu: " UINT64_FORMAT, what, n, cost->sent[i]);
}

static void
test_scan(What what, Clear *before, Prg *prg)
{
	ScanJob		job = {.what = what};
	Clear		after;
	Cost		cost;
	int			first[] = {1, 0, 4, 4, 6, 6, 8};
	int			end[] = {4, 0, 6, 6, 8, 8, 9};

	sim_share_table(job.table, before, prg);
	cost = run(step_scan, &job);
	after = sim_rebuild_table(job.table);
	for (int c = 0; c < before->slices; c++)
	{
		uint64	   *x = palloc(before->n * sizeof(uint64) + 1);

		memcpy(x, before->slice[c], before->n * sizeof(uint64));
		if (c >= first[what] && c < end[what])
			scan_clear(what, x, before->slice[0], before->n);
		CHECK(memcmp(x, after.slice[c], before->n * sizeof(uint64)) == 0, "scan %d, n=%zu, column %d", what,
			  before->n, c);
		pfree(x);
	}
	for (int c = 0; c < before->numbers; c++)
	{
		uint64	   *x = palloc(before->n * sizeof(uint64) + 1);

		memcpy(x, before->number[c], before->n * sizeof(uint64));
		if (what == SCAN_COPY_NUMBERS)
			scan_clear(what, x, before->slice[0], before->n);
		CHECK(memcmp(x, after.number[c], before->n * sizeof(uint64)) == 0, "scan %d, n=%zu, number %d", what,
			  before->n, c);
		pfree(x);
	}
	expect_scan_cost(what, &cost, before->n);
	clear_free(&after);
	sim_free_table(job.table);
}

/* Stretches are of one row, short, or everything; the bit of row 0 may be anything. */
static void
test_scans(size_t n, Prg *prg)
{
	for (int one_in = 0; one_in < 4; one_in++)
	{
		Clear		rows = clear_rows(n, lengthof(scan_planes), scan_planes, SCANNED_NUMBERS);

		for (size_t v = 0; v < n; v++)
		{
			rows.slice[0][v] = one_in == 0 || (one_in > 1 && sim_u64(prg) % (one_in * one_in) != 0);
			for (int c = 1; c < rows.slices; c++)
				rows.slice[c][v] = low_bits(sim_hard64(prg), scan_planes[c]);
			rows.slice[5][v] = sim_u64(prg) % 8 == 0;
			for (int c = 0; c < rows.numbers; c++)
				rows.number[c][v] = sim_hard64(prg);
		}
		for (What what = 0; what < SCAN_KINDS; what++)
			test_scan(what, &rows, prg);
		clear_free(&rows);
	}
}

/* ---- aggregates ---- */

enum
{
	VALID, KEY, KEY_NULL, SMALL, SMALL_AGAIN, SMALL_NULL, BIG, BIG_AGAIN, LAST_SMALL, ANY_OR, ANY_AND, EVERY, EVERY_NULL,
	AGGREGATE_SLICES
};

enum
{
	SUM, SUM_NULLABLE, COUNT_SMALL, COUNT_EVERY, ANY_VALUE, ROWS, AGGREGATE_NUMBERS
};

static const int aggregate_planes[AGGREGATE_SLICES] = {1, 20, 1, 20, 20, 1, 64, 64, 20, 1, 1, 1, 1};

static const Aggregate aggregates[] = {
	{AGGREGATE_MIN, SMALL, SMALL_NULL, true},
	{AGGREGATE_MAX, SMALL_AGAIN, SMALL_NULL, true},
	{AGGREGATE_COUNT, COUNT_SMALL, SMALL_NULL},
	{AGGREGATE_MAX, BIG, AGGREGATE_NOT_NULL, false},
	{AGGREGATE_MIN, BIG_AGAIN, AGGREGATE_NOT_NULL, true},
	{AGGREGATE_ANY, LAST_SMALL, SMALL_NULL},
	{AGGREGATE_ANY_NUMBER, ANY_VALUE, EVERY_NULL},
	{AGGREGATE_OR, ANY_OR, AGGREGATE_NOT_NULL},
	{AGGREGATE_AND, ANY_AND, AGGREGATE_NOT_NULL},
	{AGGREGATE_AND, EVERY, EVERY_NULL},
	{AGGREGATE_COUNT, COUNT_EVERY, EVERY_NULL},
	{AGGREGATE_SUM, SUM_NULLABLE, EVERY_NULL},
};
static const int aggregate_keys[] = {KEY_NULL, KEY};
static const int aggregate_sums[] = {SUM};
static const Grouping aggregate_by = {aggregate_keys, 2, VALID, aggregate_sums, 1, ROWS};
static const SortKey aggregate_order[] = {{KEY_NULL, false, false}, {KEY, false, false}};

typedef struct AggregateJob
{
	Table		table[PARTIES];
	Shared64	groups[PARTIES];
	size_t		size;
} AggregateJob;

static void
step_aggregate(Party *self, void *arg)
{
	AggregateJob *job = arg;
	int			i = self->index;

	sort_table(self, &job->table[i], aggregate_order, 2, VALID, NULL);
	aggregate_table(self, &job->table[i], &aggregate_by, aggregates, lengthof(aggregates), job->size,
					&job->groups[i]);
}

static Clear
aggregate_rows(size_t n, int keys, int invalid, int null, Prg *prg)
{
	Clear		rows = clear_rows(n, AGGREGATE_SLICES, aggregate_planes, AGGREGATE_NUMBERS);

	for (size_t v = 0; v < n; v++)
	{
		uint64	   *s[AGGREGATE_SLICES];

		for (int c = 0; c < AGGREGATE_SLICES; c++)
		{
			s[c] = &rows.slice[c][v];
			*s[c] = low_bits(sim_hard64(prg), aggregate_planes[c]);
		}
		for (int c = 0; c < AGGREGATE_NUMBERS; c++)
			rows.number[c][v] = sim_hard64(prg);
		*s[VALID] = invalid == 0 || (invalid > 1 && sim_u64(prg) % invalid != 0);
		*s[KEY_NULL] = sim_u64(prg) % 6 == 0;
		*s[KEY] = *s[KEY_NULL] ? 0 : sim_u64(prg) % keys;
		/* NULLs in all rows of some groups, and in some rows of others. */
		*s[SMALL_NULL] = null > 0 && (sim_u64(prg) % null == 0 || *s[KEY] % 3 == 1);
		*s[EVERY_NULL] = null > 0 && (sim_u64(prg) % null == 0 || *s[KEY] % 3 == 2);
		if (*s[SMALL_NULL])
			*s[SMALL] = *s[LAST_SMALL] = 0;
		*s[SMALL_AGAIN] = *s[SMALL];
		*s[BIG_AGAIN] = *s[BIG];
		*s[ANY_OR] = sim_u64(prg) % 8 == 0;
		*s[ANY_AND] = sim_u64(prg) % 8 != 0;
		*s[EVERY] = !*s[EVERY_NULL] && sim_u64(prg) % 8 != 0;
		if (*s[EVERY_NULL])
			rows.number[ANY_VALUE][v] = rows.number[SUM_NULLABLE][v] = 0;
	}
	return rows;
}

/* Rows of the group of row `of`, in their order, into what row 0 of want is to be. */
static size_t
aggregate_clear(Clear *want, const Clear *rows, size_t of)
{
	uint64	   *s[AGGREGATE_SLICES];
	uint64	   *x[AGGREGATE_NUMBERS];
	size_t		count = 0;

	for (int c = 0; c < AGGREGATE_SLICES; c++)
		s[c] = want->slice[c];
	for (int c = 0; c < AGGREGATE_NUMBERS; c++)
	{
		x[c] = want->number[c];
		*x[c] = 0;
	}
	*s[VALID] = *s[SMALL_NULL] = *s[EVERY_NULL] = *s[ANY_AND] = *s[EVERY] = 1;
	*s[ANY_OR] = *s[BIG] = 0;
	*s[SMALL] = *s[SMALL_AGAIN] = *s[LAST_SMALL] = 0;
	*s[BIG_AGAIN] = PG_INT64_MAX;
	for (size_t v = 0; v < rows->n; v++)
	{
		uint64		small = rows->slice[SMALL][v];
		uint64		big = rows->slice[BIG][v];

		if (!rows->slice[VALID][v] || rows->slice[KEY][v] != rows->slice[KEY][of] ||
			rows->slice[KEY_NULL][v] != rows->slice[KEY_NULL][of])
			continue;
		count++;
		*x[ROWS] += 1;
		*x[SUM] += rows->number[SUM][v];
		*s[BIG] = Max(*s[BIG], big);
		*s[BIG_AGAIN] = Min((int64) *s[BIG_AGAIN], (int64) big);
		*s[ANY_OR] |= rows->slice[ANY_OR][v];
		*s[ANY_AND] &= rows->slice[ANY_AND][v];
		*s[KEY] = rows->slice[KEY][v];
		*s[KEY_NULL] = rows->slice[KEY_NULL][v];
		if (!rows->slice[SMALL_NULL][v])
		{
			if (*s[SMALL_NULL] || signed_order(small, 20) < signed_order(*s[SMALL], 20))
				*s[SMALL] = small;
			if (*s[SMALL_NULL] || signed_order(small, 20) > signed_order(*s[SMALL_AGAIN], 20))
				*s[SMALL_AGAIN] = small;
			*s[LAST_SMALL] = rows->slice[LAST_SMALL][v];
			*x[COUNT_SMALL] += 1;
			*s[SMALL_NULL] = 0;
		}
		if (!rows->slice[EVERY_NULL][v])
		{
			*s[EVERY] &= rows->slice[EVERY][v];
			*x[ANY_VALUE] = rows->number[ANY_VALUE][v];
			*x[SUM_NULLABLE] += rows->number[SUM_NULLABLE][v];
			*x[COUNT_EVERY] += 1;
			*s[EVERY_NULL] = 0;
		}
	}
	if (*s[EVERY_NULL])
		*s[EVERY] = 0;
	return count;
}

static void
expect_aggregates(const Clear *after, const Clear *rows, size_t size, uint64 groups, int keys)
{
	Clear		want = clear_rows(1, AGGREGATE_SLICES, aggregate_planes, AGGREGATE_NUMBERS);
	size_t		used = 0;

	/* In the order of the keys, NULL last. */
	for (int key = 0; key <= keys; key++)
	{
		size_t		of = 0;

		while (of < rows->n && !(rows->slice[VALID][of] && rows->slice[KEY_NULL][of] == (key == keys) &&
								 rows->slice[KEY][of] == key % keys))
			of++;
		if (of == rows->n)
			continue;
		if (used++ >= after->n)
			continue;
		aggregate_clear(&want, rows, of);
		for (int c = 0; c < AGGREGATE_SLICES; c++)
			CHECK(after->slice[c][used - 1] == want.slice[c][0], "n=%zu group %zu column %d", rows->n, used - 1, c);
		for (int c = 0; c < AGGREGATE_NUMBERS; c++)
			CHECK(after->number[c][used - 1] == want.number[c][0], "n=%zu group %zu number %d", rows->n, used - 1, c);
	}
	CHECK(groups == used, "n=%zu: " UINT64_FORMAT " groups for %zu", rows->n, groups, used);
	CHECK(after->n == (size == SIZE_OPENED ? used : Min(size, rows->n)), "n=%zu: %zu rows", rows->n, after->n);
	for (size_t g = used; g < after->n; g++)
		CHECK(after->slice[VALID][g] == 0, "n=%zu row %zu", rows->n, g);
	clear_free(&want);
}

static void
test_aggregate(const Clear *rows, size_t size, int keys, Prg *prg)
{
	AggregateJob job = {.size = size};
	Clear		after;
	uint64	   *groups;

	sim_share_table(job.table, rows, prg);
	sim_alloc64(job.groups, 1);
	run(step_aggregate, &job);
	after = sim_rebuild_table(job.table);
	groups = sim_rebuild64(job.groups);
	expect_aggregates(&after, rows, size, groups[0], keys);
	pfree(groups);
	clear_free(&after);
	sim_free64(job.groups);
	sim_free_table(job.table);
}

static void
test_aggregates(size_t n, Prg *prg)
{
	int			keys[] = {1, 3, 40};
	size_t		padded[] = {n, n / 2, SIZE_OPENED};

	for (int k = 0; k < lengthof(keys); k++)
	{
		for (int invalid = 0; invalid < 4; invalid++)
		{
			Clear		rows = aggregate_rows(n, keys[k], invalid, (k + invalid) % 4, prg);

			test_aggregate(&rows, padded[invalid % 3], keys[k], prg);
			clear_free(&rows);
		}
	}
}

int
main(void)
{
	Prg		   *prg;

	sim_start();
	prg = sim_prg("scans", 0);
	for (int s = 0; s < lengthof(sizes); s++)
		test_scans(sizes[s], prg);
	sim_report("a row takes what its stretch has had so far, for what the headers say");
	for (int s = 0; s < lengthof(sizes); s++)
		test_aggregates(sizes[s], prg);
	sim_report("count, sum, min, max, any, or and and of groups, with NULLs as in SQL");
	prg_free(prg);
	return sim_end();
}
