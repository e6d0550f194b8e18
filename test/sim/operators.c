/*
 * operators.c
 *	  Operators on tables give what the clear computation gives, for what their headers say.
 */
#include "sim_table.h"

#include "mpc/adder.h"
#include "mpc/aggregate.h"
#include "mpc/expand.h"
#include "mpc/join.h"
#include "mpc/rows.h"
#include "mpc/scan.h"
#include "mpc/sort.h"
#include "share/memory.h"

static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 17, 63, 64, 65, 127, 128, 129, 500, 1024, 1025};

static const size_t joined_sizes[][2] = {
	{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 1}, {1, 2}, {3, 5}, {64, 0}, {0, 64}, {17, 64}, {63, 1}, {65, 64}, {128, 129},
	{3, 300}, {300, 3}, {255, 257}, {512, 513}
};

static const size_t expanded_sizes[] = {0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 200};
static const size_t paired_sizes[][2] = {
	{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 1}, {1, 2}, {3, 5}, {8, 8}, {9, 7}, {30, 33}, {1, 64}, {65, 2}
};
static const size_t rows_sizes[][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {3, 5}, {63, 1}, {65, 64}, {30, 99}};

static uint64 runs = 0;

/* What all three did alike. */
typedef struct Cost
{
	uint64		rounds;
	uint64		sent[PARTIES];
} Cost;

static Cost
run(SimStep step, void *job)
{
	Sim			sim;
	Cost		cost;

	sim_open(&sim, runs++);
	sim_run_well(&sim, step, job);
	for (int i = 0; i < PARTIES; i++)
	{
		CHECK(sim.party[i].memory_reserved == 0, "party %d", i);
		CHECK(sim.party[i].rounds == sim.party[0].rounds, "party %d", i);
		cost.sent[i] = sim.party[i].bytes_sent;
	}
	cost.rounds = sim.party[0].rounds;
	sim_close(&sim);
	return cost;
}

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

/* Planes of one row each on the way up, if the last level has some too, and on the way down. */
static uint64
level_bytes(size_t n, uint64 up, uint64 last_up, uint64 down, bool planes)
{
	uint64		bytes = 0;

	for (size_t left = n; left > 1; left /= 2)
	{
		uint64		u = left / 2;
		uint64		d = (left - 1) / 2;

		bytes += (u > 1 ? up : last_up) * (planes ? PLANE_BYTES(u) : u);
		bytes += down * (planes ? PLANE_BYTES(d) : d);
	}
	return bytes;
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

static uint64
signed_order(uint64 x, int planes)
{
	return x ^ UINT64CONST(1) << (planes - 1);
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

/* ---- joins on a unique key ---- */

enum
{
	J_VALID, J_KEY, J_KEY_AGAIN, J_KEY_NULL, J_VALUE, J_VALUE_NULL, JOIN_SLICES
};

static const int join_planes[JOIN_SLICES] = {1, 12, 64, 1, 33, 1};
static const int join_keys[] = {J_KEY, J_KEY_AGAIN};
static const int join_nulls[] = {J_KEY_NULL};
static const int join_values[] = {J_VALUE, J_VALUE_NULL};
static const int join_numbers[] = {0, 1};

typedef struct JoinJob
{
	Table		one[PARTIES];
	Table		many[PARTIES];
	Table		beside[PARTIES];
	SharedBits	duplicate[PARTIES];
	JoinKind	kind;
	SortWork	work;
} JoinJob;

static void
step_join(Party *self, void *arg)
{
	JoinJob    *job = arg;
	int			i = self->index;
	bool		values = job->kind == JOIN_INNER || job->kind == JOIN_LEFT;
	JoinSide	one = {&job->one[i], join_keys, 2, join_nulls, 1, J_VALID};
	JoinSide	many = one;
	SortWork	work;

	if (values)
	{
		one.numbers = join_numbers;
		one.number_count = 2;
		one.slices = join_values;
		one.slice_count = 2;
		one.value_nulls = 1;
	}
	many = (JoinSide) {&job->many[i], join_keys, 2, join_nulls, 1, J_VALID};
	join_unique(self, job->kind, &many, &one, &job->beside[i], &job->duplicate[i], &work);
	if (i == 0)
		job->work = work;
}

/* One in `invalid` and one in `null` rows (0: none, 1: all); keys from 0 to range - 1. */
static Clear
join_rows(size_t n, uint64 range, int invalid, int null, Prg *prg)
{
	Clear		rows = clear_rows(n, JOIN_SLICES, join_planes, 2);

	for (size_t v = 0; v < n; v++)
	{
		uint64		key = sim_u64(prg) % range;

		rows.slice[J_VALID][v] = invalid == 0 || (invalid > 1 && sim_u64(prg) % invalid != 0);
		rows.slice[J_KEY_NULL][v] = null > 0 && sim_u64(prg) % null == 0;
		/* Both extremes, and keys that differ in one of the columns only. */
		rows.slice[J_KEY][v] = rows.slice[J_KEY_NULL][v] ? 0 : key % 2 ? low_bits(-key, 12) : 7;
		rows.slice[J_KEY_AGAIN][v] = key % 2 ? UINT64CONST(1) << 63 : -(key / 2);
		rows.slice[J_VALUE_NULL][v] = sim_u64(prg) % 4 == 0;
		rows.slice[J_VALUE][v] = rows.slice[J_VALUE_NULL][v] ? 0 : low_bits(sim_hard64(prg), 33);
		for (int c = 0; c < 2; c++)
			rows.number[c][v] = sim_hard64(prg);
	}
	return rows;
}

static bool
join_here(const Clear *rows, size_t v)
{
	return rows->slice[J_VALID][v] && !rows->slice[J_KEY_NULL][v];
}

static bool
join_equal(const Clear *a, size_t v, const Clear *b, size_t w)
{
	return join_here(a, v) && join_here(b, w) && a->slice[J_KEY][v] == b->slice[J_KEY][w] &&
		a->slice[J_KEY_AGAIN][v] == b->slice[J_KEY_AGAIN][w];
}

/* How many rows have the key of an earlier one; they become invalid, if asked. */
static int
join_duplicates(Clear *rows, bool remove)
{
	int			count = 0;

	for (size_t v = 0; v < rows->n; v++)
	{
		for (size_t w = 0; w < v; w++)
		{
			if (!join_equal(rows, v, rows, w))
				continue;
			count++;
			if (remove)
				rows->slice[J_VALID][v] = 0;
			break;
		}
	}
	return count;
}

static void
expect_join(const JoinJob *job, const Clear *many, const Clear *one)
{
	Clear		beside = sim_rebuild_table(job->beside);
	Clear		after = sim_rebuild_table(job->many);
	bool		values = job->kind == JOIN_INNER || job->kind == JOIN_LEFT;

	CHECK(beside.n == many->n && beside.slices == (values ? 3 : 1) && beside.numbers == (values ? 2 : 0), "columns");
	for (size_t v = 0; v < many->n; v++)
	{
		size_t		w = 0;
		bool		matched;
		bool		valid = many->slice[J_VALID][v];

		while (w < one->n && !join_equal(many, v, one, w))
			w++;
		matched = w < one->n;
		CHECK(beside.slice[0][v] == matched, "n=%zu row %zu", many->n, v);
		CHECK(after.slice[J_VALID][v] == (job->kind == JOIN_LEFT ? valid : job->kind == JOIN_ANTI ? valid && !matched : matched),
			  "kind %d n=%zu row %zu", job->kind, many->n, v);
		for (int c = 1; c < JOIN_SLICES; c++)
			CHECK(after.slice[c][v] == many->slice[c][v], "n=%zu row %zu", many->n, v);
		for (int c = 0; c < 2; c++)
			CHECK(after.number[c][v] == many->number[c][v], "n=%zu row %zu", many->n, v);
		if (!values)
			continue;
		CHECK(beside.slice[1][v] == (matched ? one->slice[J_VALUE][w] : 0), "n=%zu row %zu", many->n, v);
		CHECK(beside.slice[2][v] == (matched ? one->slice[J_VALUE_NULL][w] : job->kind == JOIN_LEFT),
			  "kind %d n=%zu row %zu", job->kind, many->n, v);
		for (int c = 0; c < 2; c++)
			CHECK(beside.number[c][v] == (matched ? one->number[c][w] : 0), "n=%zu row %zu", many->n, v);
	}
	clear_free(&beside);
	clear_free(&after);
}

static uint64
any_bytes(size_t n)
{
	uint64		bytes = 0;

	for (; n > 1; n -= n / 2)
		bytes += PLANE_BYTES(n / 2);
	return bytes;
}

static uint64
shuffle_bytes(int party, size_t n, int numbers, int planes)
{
	return (party == 1 ? 2 : 1) * (8 * n * numbers + planes * PLANE_BYTES(n));
}

static void
expect_join_cost(const JoinJob *job, const Cost *cost, size_t n1, size_t n2)
{
	size_t		n = n1 + n2;
	bool		values = job->kind == JOIN_INNER || job->kind == JOIN_LEFT;
	int			l = table_row_planes(n);
	int			v = values ? 35 : 1;
	int			numbers = values ? 2 : 0;
	int			w = 12 + 64;
	const SortWork *work = &job->work;
	uint64		rounds = 2 + 3 + table_row_planes(w + 1) + 1 + scan_levels(n) + table_row_planes(n);
	uint64		bytes;

	if (n == 0)
	{
		CHECK(cost->rounds == 2 && cost->sent[0] == 0, "no rows: " UINT64_FORMAT, cost->rounds);
		return;
	}
	if (values && n > 1)
		rounds += scan_levels(n) + 2;
	if (n > 1)
		rounds += 2 + work->batches * (1 + carry_rounds(work->planes));
	CHECK(cost->rounds == rounds, "n=%zu+%zu: " UINT64_FORMAT " for " UINT64_FORMAT, n1, n2, cost->rounds, rounds);
	bytes = PLANE_BYTES(n1) + PLANE_BYTES(n2) + work->bytes * (carry_gates(work->planes) + 1) +
		work->batches * HASH_BYTES + w * PLANE_BYTES(n - 1) + PLANE_BYTES(n) + any_bytes(n) +
		level_bytes(n, v + 1, v, v, true) + l * PLANE_BYTES(n);
	if (n > 1)
		bytes += HASH_BYTES;
	if (values && n > 1)
		bytes += 8 * n + level_bytes(n, 24, 24, 16, false);
	for (int i = 0; i < PARTIES; i++)
	{
		uint64		moved = shuffle_bytes(i, n, numbers, v + l) +
			(n > 1 ? shuffle_bytes(i, n, numbers, v + w + 1 + 2 * l) : 0);

		CHECK(cost->sent[i] == bytes + moved, "n=%zu+%zu party %d: " UINT64_FORMAT " for " UINT64_FORMAT,
			  n1, n2, i, cost->sent[i], bytes + moved);
	}
}

static void
test_join(JoinKind kind, const Clear *many, const Clear *one, bool duplicates, Prg *prg)
{
	JoinJob		job = {.kind = kind};
	Cost		cost;
	uint64	   *duplicate;

	sim_share_table(job.many, many, prg);
	sim_share_table(job.one, one, prg);
	sim_alloc_bits(job.duplicate, 1, 1);
	cost = run(step_join, &job);
	duplicate = sim_rebuild_bits(job.duplicate);
	CHECK(duplicate[0] == duplicates, "n=%zu+%zu: " UINT64_FORMAT, one->n, many->n, duplicate[0]);
	if (!duplicates)
		expect_join(&job, many, one);
	expect_join_cost(&job, &cost, one->n, many->n);
	pfree(duplicate);
	sim_free_table(job.many);
	sim_free_table(job.one);
	sim_free_bits(job.duplicate);
	for (int i = 0; i < PARTIES; i++)
		table_destroy(&job.beside[i]);
}

static void
test_joins(size_t n1, size_t n2, Prg *prg)
{
	uint64		ranges[] = {1, n1 + 1, 4 * n1 + 4};

	for (int k = 0; k < lengthof(ranges); k++)
	{
		for (int invalid = 0; invalid < 4; invalid++)
		{
			Clear		one = join_rows(n1, ranges[k], invalid, (invalid + k) % 4 * 2, prg);
			Clear		many = join_rows(n2, ranges[k], (invalid + k) % 4, 5, prg);
			JoinKind	kind = (JoinKind) ((k + invalid) % 4);

			test_join(kind, &many, &one, join_duplicates(&one, false) > 0, prg);
			join_duplicates(&one, true);
			for (kind = JOIN_INNER; kind <= JOIN_ANTI; kind++)
				test_join(kind, &many, &one, false, prg);
			clear_free(&one);
			clear_free(&many);
		}
	}
}

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

/* For a table of so many numbers and planes. */
static Cost
expand_cost(size_t n, size_t total, int numbers, int planes)
{
	size_t		all = n + total;
	int			d = table_row_planes(total + 1);
	int			l = table_row_planes(all);
	size_t		len = n;
	uint64		bytes = prefix_gates(d) * PLANE_BYTES(n);
	Cost		cost = {0};

	if (total == 0)
		return cost;
	cost.rounds = d + prefix_rounds(d) + 9 + (planes > 0 ? scan_levels(all) : 0) + (numbers > 0 ? scan_levels(all) : 0);
	for (int j = d - 1; j > 0; j--)
	{
		bytes += j * PLANE_BYTES(len);
		len = Min(all, len + ((size_t) 1 << j));
	}
	bytes += 16 * all + 8 * all + HASH_BYTES + l * PLANE_BYTES(all) + HASH_BYTES +
		level_bytes(all, planes + 1, planes, planes, true) +
		level_bytes(all, 8 * numbers + 8, 8 * numbers + 8, 8 * numbers, false);
	for (int i = 0; i < PARTIES; i++)
		cost.sent[i] = bytes + (i == 0 ? d * PLANE_BYTES(n) : 0) + shuffle_bytes(i, all, 1, l) +
			shuffle_bytes(i, all, numbers, l + planes);
	return cost;
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

/* ---- joins of all pairs ---- */

typedef struct PairsJob
{
	Table		left[PARTIES];
	Table		right[PARTIES];
	Table		joined[PARTIES];
	Shared64	rows[PARTIES];
	size_t		size;
	SortWork	work[PARTIES];
} PairsJob;

static const int right_values[] = {J_VALUE};
static const int right_numbers[] = {1};

/* The left side has two numbers and 34 bits to show, the right side one and 33. */
static void
step_pairs(Party *self, void *arg)
{
	PairsJob   *job = arg;
	int			i = self->index;
	JoinSide	left = {&job->left[i], join_keys, 2, join_nulls, 1, J_VALID, join_numbers, 2, join_values, 2};
	JoinSide	right = {&job->right[i], join_keys, 2, join_nulls, 1, J_VALID, right_numbers, 1, right_values, 1};

	join_many(self, &left, &right, job->size, &job->joined[i], &job->rows[i], &job->work[i]);
}

static void
expect_pairs_cost(const PairsJob *job, const Cost *cost, size_t n1, size_t n2)
{
	size_t		n = n1 + n2;
	size_t		all = n + 2 + 2 * job->size;
	int			w = 12 + 64;
	int			v = 34;
	int			numbers = 2;
	const SortWork *work = &job->work[0];
	Cost		expand = expand_cost(n + 2, 2 * job->size, numbers + 2, v + 1);
	uint64		rounds = 16 + 4 + 2 * scan_levels(n) + expand.rounds;
	uint64		bytes = 56 * n + 16 + level_bytes(n, 24, 24, 16, false) + level_bytes(n, 16, 16, 8, false) +
		8 * all + 8 * all + HASH_BYTES;

	if (n > 0)
	{
		rounds += 2 + table_row_planes(w + 1);
		bytes += PLANE_BYTES(n1) + PLANE_BYTES(n2) + w * PLANE_BYTES(n - 1);
	}
	if (n > 1)
	{
		rounds += 2 + work->batches * (1 + carry_rounds(work->planes));
		bytes += work->bytes * (carry_gates(work->planes) + 1) + work->batches * HASH_BYTES;
	}
	CHECK(cost->rounds == rounds, "n=%zu+%zu: " UINT64_FORMAT " for " UINT64_FORMAT, n1, n2, cost->rounds, rounds);
	for (int i = 0; i < PARTIES; i++)
	{
		uint64		want = bytes + expand.sent[i] + shuffle_bytes(i, all, numbers + 1, v + 1) + (i == 2 ? 241 : 305);

		if (n > 1)
			want += shuffle_bytes(i, n, numbers, v + w + 2 + table_row_planes(n));
		CHECK(cost->sent[i] == want, "n=%zu+%zu party %d: " UINT64_FORMAT " for " UINT64_FORMAT, n1, n2, i,
			  cost->sent[i], want);
	}
}

/* Each pair must be there; there are as many as there should be, so each is there once. */
static void
expect_pairs(const PairsJob *job, const Clear *left, const Clear *right, size_t pairs)
{
	Clear		joined = sim_rebuild_table(job->joined);
	uint64	   *rows = sim_rebuild64(job->rows);
	bool		fits = pairs <= job->size;
	uint8	   *seen = palloc0(left->n * right->n + 1);

	CHECK(rows[0] == pairs, "%zu+%zu: " UINT64_FORMAT " pairs for %zu", left->n, right->n, rows[0], pairs);
	CHECK(joined.n == job->size && joined.slices == 4 && joined.numbers == 3, "columns");
	for (size_t q = 0; q < joined.n; q++)
	{
		/* Numbers 1 and 2 are the rows' own. */
		uint64		v = joined.number[1][q];
		uint64		w = joined.number[2][q];

		CHECK(joined.slice[0][q] == (fits && q < pairs), "%zu+%zu row %zu", left->n, right->n, q);
		if (!fits || q >= pairs)
		{
			CHECK(v == 0 && w == 0 && joined.slice[1][q] == 0 && joined.slice[3][q] == 0, "row %zu", q);
			continue;
		}
		CHECK(v < left->n && w < right->n && join_equal(left, v, right, w), "row %zu", q);
		if (v >= left->n || w >= right->n)
			continue;
		CHECK(!seen[v * right->n + w]++, "pair of %zu and %zu twice", (size_t) v, (size_t) w);
		CHECK(joined.slice[1][q] == left->slice[J_VALUE][v] && joined.slice[2][q] == left->slice[J_VALUE_NULL][v] &&
			  joined.slice[3][q] == right->slice[J_VALUE][w] && joined.number[0][q] == left->number[0][v],
			  "%zu+%zu row %zu", left->n, right->n, q);
	}
	pfree(rows);
	pfree(seen);
	clear_free(&joined);
}

static void
test_pairs(const Clear *left, const Clear *right, size_t size, size_t pairs, Prg *prg)
{
	PairsJob	job = {.size = size};
	Cost		cost;

	sim_share_table(job.left, left, prg);
	sim_share_table(job.right, right, prg);
	sim_alloc64(job.rows, 1);
	cost = run(step_pairs, &job);
	expect_pairs_cost(&job, &cost, left->n, right->n);
	expect_pairs(&job, left, right, pairs);
	sim_free_table(job.left);
	sim_free_table(job.right);
	sim_free64(job.rows);
	for (int i = 0; i < PARTIES; i++)
		table_destroy(&job.joined[i]);
}

static void
test_all_pairs(size_t n1, size_t n2, Prg *prg)
{
	uint64		ranges[] = {1, 3, n1 + 1};

	for (int k = 0; k < lengthof(ranges); k++)
	{
		size_t		pairs = 0;
		Clear		left = join_rows(n1, ranges[k], k * 2, 5, prg);
		Clear		right = join_rows(n2, ranges[k], (k + 1) % 3 * 2, 0, prg);

		for (size_t v = 0; v < n1; v++)
		{
			left.number[1][v] = v;
			for (size_t w = 0; w < n2; w++)
				pairs += join_equal(&left, v, &right, w);
		}
		for (size_t w = 0; w < n2; w++)
			right.number[1][w] = w;
		test_pairs(&left, &right, pairs, pairs, prg);
		test_pairs(&left, &right, pairs + 1 + n1, pairs, prg);
		test_pairs(&left, &right, pairs / 2, pairs, prg);
		if (pairs > 0)
			test_pairs(&left, &right, pairs - 1, pairs, prg);
		clear_free(&left);
		clear_free(&right);
	}
}

/* ---- memory: no more is held than was reserved ---- */

typedef enum Operator
{
	OPERATOR_SCAN_BITS,
	OPERATOR_SCAN_NUMBERS,
	OPERATOR_LEAST,
	OPERATOR_AGGREGATE,
	OPERATOR_JOIN,
	OPERATOR_EXPAND,
	OPERATOR_PAIRS,
	OPERATORS
} Operator;

static const char *const operator_names[] = {
	"copying bits", "copying numbers", "a minimum", "aggregates", "a join", "expanding", "a join of all pairs"
};

typedef struct MemoryJob
{
	Operator	what;
	Table		one[PARTIES];
	Table		two[PARTIES];
	Shared64	copies[PARTIES];
	SharedBits	pass[PARTIES];
	size_t		total;
	int64		held[PARTIES];
	uint64		reserved[PARTIES];
} MemoryJob;

static void
step_operator(Party *self, MemoryJob *job, Table *result)
{
	int			i = self->index;
	JoinSide	left = {&job->one[i], join_keys, 2, join_nulls, 1, J_VALID, join_numbers, 2, join_values, 2};
	JoinSide	right = {&job->two[i], join_keys, 2, join_nulls, 1, J_VALID};
	int			key = J_KEY;
	Grouping	by = {&key, 1, J_VALID, NULL, 0, GROUP_WITHOUT_ROWS};
	Aggregate	list[] = {
		{AGGREGATE_MIN, J_VALUE, J_VALUE_NULL}, {AGGREGATE_MAX, J_KEY_AGAIN, AGGREGATE_NOT_NULL}, {AGGREGATE_COUNT, 0, J_VALUE_NULL}
	};
	SharedBits	duplicate;
	Shared64	number;

	switch (job->what)
	{
		case OPERATOR_SCAN_BITS:
			scan_copy_bits(self, job->one[i].slice, 5, &job->pass[i]);
			break;
		case OPERATOR_SCAN_NUMBERS:
			scan_copy_numbers(self, job->one[i].number, 2, &job->pass[i]);
			break;
		case OPERATOR_LEAST:
			scan_least(self, &job->one[i].slice[J_KEY_AGAIN], 1, &job->pass[i]);
			break;
		case OPERATOR_AGGREGATE:
			aggregate_table(self, &job->one[i], &by, list, lengthof(list), job->one[i].n, NULL);
			break;
		case OPERATOR_JOIN:
			duplicate = shared_bits_alloc(1, 1);
			join_unique(self, JOIN_LEFT, &right, &left, result, &duplicate, NULL);
			shared_bits_free(&duplicate);
			break;
		case OPERATOR_EXPAND:
			number = shared64_zero(job->one[i].n + job->total);
			expand_table(self, &job->one[i], &job->copies[i], job->total, &number);
			shared64_free(&number);
			break;
		case OPERATOR_PAIRS:
			number = shared64_zero(1);
			join_many(self, &left, &right, job->total, result, &number, NULL);
			shared64_free(&number);
			break;
		case OPERATORS:
			break;
	}
}

static void
step_memory(Party *self, void *arg)
{
	MemoryJob  *job = arg;
	Table		result = table_create(0);

	vector_memory.now = vector_memory.peak = 0;
	step_operator(self, job, &result);
	job->held[self->index] = vector_memory.peak;
	job->reserved[self->index] = self->memory_peak;
	table_destroy(&result);
}

static void
test_memory(Operator what, Prg *prg)
{
	size_t		n = 20000;
	MemoryJob	job = {.what = what, .total = n};
	Clear		one = join_rows(n, n, 0, 0, prg);
	Clear		two = join_rows(n, n, 0, 0, prg);
	uint64	   *copies = palloc0(n * sizeof(uint64));
	uint64	   *pass = palloc(n * sizeof(uint64));
	double		part = 0;

	copies[n / 2] = job.total;
	for (size_t v = 0; v < n; v++)
		pass[v] = sim_u64(prg) % 2;
	sim_share_table(job.one, &one, prg);
	sim_share_table(job.two, &two, prg);
	sim_share64(job.copies, copies, n, prg, false);
	sim_share_bits(job.pass, pass, 1, n, prg);
	run(step_memory, &job);
	for (int i = 0; i < PARTIES; i++)
		part = Max(part, (double) job.held[i] / job.reserved[i]);
	CHECK(part <= 1, "%s held %.2f of what was reserved", operator_names[what], part);
	/* And a reservation that asks for far too much would be no help. */
	CHECK(part > 0.5, "%s held %.2f of what was reserved", operator_names[what], part);
	pfree(copies);
	pfree(pass);
	clear_free(&one);
	clear_free(&two);
	sim_free_table(job.one);
	sim_free_table(job.two);
	sim_free64(job.copies);
	sim_free_bits(job.pass);
}

int
main(void)
{
	Prg		   *prg;

	sim_start();
	prg = sim_prg("operators", 0);
	for (int s = 0; s < lengthof(sizes); s++)
		test_scans(sizes[s], prg);
	sim_report("a row takes what its stretch has had so far, for what the headers say");
	for (int s = 0; s < lengthof(sizes); s++)
		test_aggregates(sizes[s], prg);
	sim_report("count, sum, min, max, any, or and and of groups, with NULLs as in SQL");
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
	for (int s = 0; s < lengthof(joined_sizes); s++)
		test_joins(joined_sizes[s][0], joined_sizes[s][1], prg);
	sim_report("rows find the one with their key, and a second one is told");
	for (int s = 0; s < lengthof(expanded_sizes); s++)
		test_expands(expanded_sizes[s], prg);
	sim_report("rows become as many as a shared number says");
	for (int s = 0; s < lengthof(paired_sizes); s++)
		test_all_pairs(paired_sizes[s][0], paired_sizes[s][1], prg);
	sim_report("all pairs of rows with equal keys, and none if there is no room for all");
	for (Operator what = 0; what < OPERATORS; what++)
		test_memory(what, prg);
	sim_report("no operator holds more than it has reserved");
	prg_free(prg);
	return sim_end();
}
