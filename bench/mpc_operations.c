/*
 * mpc_operations.c
 *	  What bench/mpc measures, and how one party does so: the same over raw
 *	  sockets (mpc_engine.c) and over the links of real nodes (mpc_wire.c).
 *
 * An operation runs once unmeasured and MPC_RUNS times measured.  What it
 * gave is opened afterwards and compared with the computation in the clear.
 */
#include "mpc_operations.h"

#include <time.h>

#include "mpc/aggregate.h"
#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/group.h"
#include "mpc/join.h"
#include "mpc/logic.h"
#include "mpc/rows.h"
#include "mpc/scaled.h"
#include "mpc/shuffle.h"
#include "mpc/sort.h"

#define M		(UINT64CONST(1000000))
#define MI		(UINT64CONST(1) << 20)

/* What an operation works on; made anew for each operation. */
struct Work
{
	size_t		n;
	uint64	   *xv;				/* in the clear, known to all: a benchmark has no secrets */
	uint64	   *yv;
	Shared64	x;
	Shared64	y;
	Shared64	z;
	Shared64	one;
	SharedBits	bx;
	SharedBits	by;
	SharedBits	bz;
	SharedBits	bu;
	SharedBits	bv;
	SharedBits	bit;
};

/* ---- operations ---- */

static uint64 *
opened(Party *self, const Shared64 *x)
{
	uint64	   *values = palloc(x->n * sizeof(uint64));

	arith64_open(self, values, x);
	return values;
}

static uint64 *
opened_bits(Party *self, const SharedBits *x)
{
	uint64	   *words = palloc(x->planes * BIT_WORDS(x->n) * sizeof(uint64));
	uint64	   *values = palloc(x->n * sizeof(uint64));

	logic_open(self, words, x);
	bits_unslice(values, words, x->n, x->planes);
	pfree(words);
	return values;
}

/* Are all values of z what `clear` says of x and y? */
#define CHECK_ALL(values, clear) \
	uint64	   *got = (values); \
	bool		good = true; \
	for (size_t v = 0; v < work->n; v++) \
	{ \
		uint64		x = work->xv[v]; \
		uint64		y = work->yv[v]; \
		(void) x; \
		(void) y; \
		good &= got[v] == (uint64) (clear); \
	} \
	pfree(got); \
	return good

static void
run_multiply(Party *self, Work *work)
{
	arith64_multiply(self, &work->z, &work->x, &work->y);
}

static bool
check_multiply(Party *self, Work *work)
{
	CHECK_ALL(opened(self, &work->z), x * y);
}

static void
run_and(Party *self, Work *work)
{
	logic_and(self, &work->bz, &work->bx, &work->by);
}

static bool
check_and(Party *self, Work *work)
{
	CHECK_ALL(opened_bits(self, &work->bz), x & y);
}

static void
run_less(Party *self, Work *work)
{
	compare_less(self, &work->bit, &work->x, &work->y, KIND_INT(63));
}

static void
run_less_any(Party *self, Work *work)
{
	compare_less(self, &work->bit, &work->x, &work->y, KIND_INT64);
}

static bool
check_less(Party *self, Work *work)
{
	CHECK_ALL(opened_bits(self, &work->bit), (int64) x < (int64) y);
}

static void
run_equal(Party *self, Work *work)
{
	compare_equal(self, &work->bit, &work->x, &work->y, 64);
}

static void
run_equal_bits(Party *self, Work *work)
{
	compare_equal_bits(self, &work->bit, &work->bx, &work->by);
}

static bool
check_equal(Party *self, Work *work)
{
	CHECK_ALL(opened_bits(self, &work->bit), x == y);
}

static void
run_less_bits(Party *self, Work *work)
{
	compare_less_bits(self, &work->bit, &work->bx, &work->by, true);
}

static void
run_to_bits(Party *self, Work *work)
{
	convert_to_bits(self, &work->bz, &work->x);
}

static bool
check_to_bits(Party *self, Work *work)
{
	CHECK_ALL(opened_bits(self, &work->bz), x);
}

static void
run_from_bits(Party *self, Work *work)
{
	convert_from_bits(self, &work->z, &work->bx);
}

static bool
check_from_bits(Party *self, Work *work)
{
	CHECK_ALL(opened(self, &work->z), x);
}

static void
run_dot(Party *self, Work *work)
{
	arith64_dot(self, &work->one, &work->x, &work->y);
}

static bool
check_dot(Party *self, Work *work)
{
	uint64	   *got = opened(self, &work->one);
	uint64		sum = 0;

	for (size_t v = 0; v < work->n; v++)
		sum += work->xv[v] * work->yv[v];
	return got[0] == sum;
}

#define FRACTION	20

static void
run_scaled_multiply(Party *self, Work *work)
{
	scaled_multiply(self, &work->z, &work->x, &work->y, FRACTION);
}

static bool
check_scaled_multiply(Party *self, Work *work)
{
	CHECK_ALL(opened(self, &work->z), x * y >> FRACTION);
}

static void
run_divide(Party *self, Work *work)
{
	scaled_divide(self, &work->z, &work->x, &work->y, FRACTION);
}

static bool
check_divide(Party *self, Work *work)
{
	CHECK_ALL(opened(self, &work->z), y == 0 ? 0 : ((uint128) x << FRACTION) / y);
}

static void
run_divide_integers(Party *self, Work *work)
{
	scaled_divide_integers(self, &work->z, &work->x, &work->y);
}

static bool
check_divide_integers(Party *self, Work *work)
{
	CHECK_ALL(opened(self, &work->z), y == 0 ? 0 : x / y);
}

/* SELECT sum(y) WHERE x < c */
#define FILTER_BELOW	(UINT64CONST(1) << 61)

static void
run_filter_sum(Party *self, Work *work)
{
	uint64		c = FILTER_BELOW;

	compare_less_public(self, &work->bit, &work->x, &c, 1, KIND_INT(63));
	convert_bit_to_ring64(self, &work->z, &work->bit);
	arith64_dot(self, &work->one, &work->z, &work->y);
}

static bool
check_filter_sum(Party *self, Work *work)
{
	uint64	   *got = opened(self, &work->one);
	uint64		sum = 0;

	for (size_t v = 0; v < work->n; v++)
		sum += work->xv[v] < FILTER_BELOW ? work->yv[v] : 0;
	return got[0] == sum;
}

/* ---- tables ---- */

static void
run_shuffle(Party *self, Work *work)
{
	Table		table = {work->n, 1, &work->x, 0, NULL};

	shuffle_table(self, &table);
}

static int
by_word(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

/* The same values as xv, in any order. */
static bool
check_shuffle(Party *self, Work *work)
{
	uint64	   *got = opened(self, &work->x);

	qsort(got, work->n, sizeof(uint64), by_word);
	qsort(work->xv, work->n, sizeof(uint64), by_word);
	return memcmp(got, work->xv, work->n * sizeof(uint64)) == 0;
}

static void
run_sort(Party *self, Work *work)
{
	SortKey		key = {0, false, false};
	Table		table = {work->n, 0, NULL, 1, &work->bz};

	shared_bits_copy(&work->bz, &work->bx);
	sort_table(self, &table, &key, 1, SORT_ALL_VALID, NULL);
}

static bool
check_sort(Party *self, Work *work)
{
	uint64	   *got = opened_bits(self, &work->bz);

	qsort(work->xv, work->n, sizeof(uint64), by_word);
	return memcmp(got, work->xv, work->n * sizeof(uint64)) == 0;
}

/* ORDER BY x LIMIT 10 */
static void
run_top(Party *self, Work *work)
{
	SortKey		key = {0, false, false};
	Table		table = {work->n, 0, NULL, 1, &work->bu};

	shared_bits_free(&work->bu);
	work->bu = shared_bits_cut(&work->bx, 0, work->n);
	sort_first(self, &table, &key, 1, SORT_ALL_VALID, 10, NULL);
	rows_limit(&table, 0, 10);
}

static bool
check_top(Party *self, Work *work)
{
	uint64	   *got = opened_bits(self, &work->bu);

	qsort(work->xv, work->n, sizeof(uint64), by_word);
	return work->bu.n == 10 && memcmp(got, work->xv, 10 * sizeof(uint64)) == 0;
}

/* SELECT x, sum(y) GROUP BY x, or SELECT DISTINCT x, padded to all rows; validity and all. */
static void
run_groups(Party *self, Work *work, bool with_sum)
{
	SortKey		sort_key = {1, false, false};
	int			key = 1;
	int			sum = 0;
	Grouping	by = {&key, 1, 0, &sum, with_sum ? 1 : 0, GROUP_WITHOUT_ROWS};
	SharedBits	slices[2] = {work->bit, work->bz};
	Table		table = {work->n, with_sum ? 1 : 0, &work->z, 2, slices};

	logic_constant(self, &slices[0], true);
	shared_bits_copy(&slices[1], &work->bx);
	if (with_sum)
		shared64_copy(&work->z, &work->y);
	sort_table(self, &table, &sort_key, 1, 0, NULL);
	group_table(self, &table, &by, work->n, &work->one);
	work->bit = slices[0];
	work->bz = slices[1];
}

static void
run_group_sum(Party *self, Work *work)
{
	run_groups(self, work, true);
}

static void
run_distinct(Party *self, Work *work)
{
	run_groups(self, work, false);
}

/* A row and what is added up in it. */
typedef struct Pair
{
	uint64		key;
	uint64		value;
} Pair;

static bool
check_groups(Party *self, Work *work, bool with_sum)
{
	Pair	   *pairs = palloc_extended(work->n * sizeof(Pair), MCXT_ALLOC_HUGE);
	uint64	   *valid = opened_bits(self, &work->bit);
	uint64	   *keys = opened_bits(self, &work->bz);
	uint64	   *sums = with_sum ? opened(self, &work->z) : NULL;
	uint64	   *groups = opened(self, &work->one);
	size_t		used = 0;
	bool		good = true;

	for (size_t v = 0; v < work->n; v++)
		pairs[v] = (Pair)
		{
			work->xv[v], with_sum ? work->yv[v] : 0
		};
	qsort(pairs, work->n, sizeof(Pair), by_word);
	for (size_t v = 0, end; v < work->n; v = end, used++)
	{
		uint64		sum = 0;

		for (end = v; end < work->n && pairs[end].key == pairs[v].key; end++)
			sum += pairs[end].value;
		good &= valid[used] == 1 && keys[used] == pairs[v].key && (!with_sum || sums[used] == sum);
	}
	good &= groups[0] == used;
	for (size_t v = used; v < work->n; v++)
		good &= valid[v] == 0;
	return good;
}

static bool
check_group_sum(Party *self, Work *work)
{
	return check_groups(self, work, true);
}

static bool
check_distinct(Party *self, Work *work)
{
	return check_groups(self, work, false);
}

/* SELECT x, min(y), max(y) GROUP BY x: bits of y, twice. */
static void
run_group_min_max(Party *self, Work *work)
{
	SortKey		sort_key = {1, false, false};
	int			key = 1;
	Grouping	by = {&key, 1, 0, NULL, 0, GROUP_WITHOUT_ROWS};
	Aggregate	list[2] = {
		{AGGREGATE_MIN, 2, AGGREGATE_NOT_NULL}, {AGGREGATE_MAX, 3, AGGREGATE_NOT_NULL}
	};
	SharedBits	slices[4] = {work->bit, work->bz, work->bu, work->bv};
	Table		table = {work->n, 0, NULL, 4, slices};

	logic_constant(self, &slices[0], true);
	shared_bits_copy(&slices[1], &work->bx);
	shared_bits_copy(&slices[2], &work->by);
	shared_bits_copy(&slices[3], &work->by);
	sort_table(self, &table, &sort_key, 1, 0, NULL);
	aggregate_table(self, &table, &by, list, 2, work->n, &work->one);
	work->bit = slices[0];
	work->bz = slices[1];
	work->bu = slices[2];
	work->bv = slices[3];
}

static bool
check_group_min_max(Party *self, Work *work)
{
	Pair	   *pairs = palloc_extended(work->n * sizeof(Pair), MCXT_ALLOC_HUGE);
	uint64	   *valid = opened_bits(self, &work->bit);
	uint64	   *keys = opened_bits(self, &work->bz);
	uint64	   *least = opened_bits(self, &work->bu);
	uint64	   *greatest = opened_bits(self, &work->bv);
	size_t		used = 0;
	bool		good = true;

	for (size_t v = 0; v < work->n; v++)
		pairs[v] = (Pair)
		{
			work->xv[v], work->yv[v]
		};
	qsort(pairs, work->n, sizeof(Pair), by_word);
	for (size_t v = 0, end; v < work->n; v = end, used++)
	{
		uint64		low = pairs[v].value;
		uint64		high = pairs[v].value;

		for (end = v; end < work->n && pairs[end].key == pairs[v].key; end++)
		{
			low = Min(low, pairs[end].value);
			high = Max(high, pairs[end].value);
		}
		good &= valid[used] == 1 && keys[used] == pairs[v].key && least[used] == low && greatest[used] == high;
	}
	for (size_t v = used; v < work->n; v++)
		good &= valid[v] == 0;
	return good;
}

/*
 * Half of the rows have the unique key (2 v), and the number y beside it; the other half look for keys up to n,
 * of which every second one is there.
 */
static uint64
join_key(const Work *work, size_t v)
{
	size_t		half = work->n / 2;

	return v < half ? 2 * v : work->xv[v] % (2 * half);
}

static void
run_join(Party *self, Work *work)
{
	size_t		half = work->n / 2;
	int			key = 1;
	int			number = 0;
	SharedBits	duplicate = shared_bits_alloc(1, 1);
	Table		one = table_create(half);
	Table		many = table_create(work->n - half);
	JoinSide	one_side = {&one, &key, 1, NULL, 0, 0, &number, 1};
	JoinSide	many_side = {&many, &key, 1, NULL, 0, 0};
	Table		beside;

	table_add_slice(&one, shared_bits_alloc(1, one.n));
	logic_constant(self, &one.slice[0], true);
	table_add_slice(&one, shared_bits_cut(&work->bx, 0, half));
	table_add_number(&one, shared64_alloc(one.n));
	memcpy(one.number[0].mine, work->y.mine, half * sizeof(uint64));
	memcpy(one.number[0].next, work->y.next, half * sizeof(uint64));
	table_add_slice(&many, shared_bits_alloc(1, many.n));
	logic_constant(self, &many.slice[0], true);
	table_add_slice(&many, shared_bits_cut(&work->bx, half, many.n));

	join_unique(self, JOIN_INNER, &many_side, &one_side, &beside, &duplicate, NULL);
	shared_bits_free(&work->bit);
	work->bit = shared_bits_cut(&many.slice[0], 0, many.n);
	shared64_free(&work->z);
	work->z = beside.number[0];
	beside.numbers = 0;
	table_destroy(&one);
	table_destroy(&many);
	table_destroy(&beside);
	shared_bits_free(&duplicate);
}

static bool
check_join(Party *self, Work *work)
{
	uint64	   *matched = opened_bits(self, &work->bit);
	uint64	   *values = opened(self, &work->z);
	size_t		half = work->n / 2;
	bool		good = true;

	for (size_t v = 0; v < work->n - half; v++)
	{
		uint64		key = join_key(work, half + v);
		bool		found = key % 2 == 0;

		good &= matched[v] == found && values[v] == (found ? work->yv[key / 2] : 0);
	}
	return good;
}

static void
set_join_keys(Work *work)
{
	for (size_t v = 0; v < work->n; v++)
		work->xv[v] = join_key(work, v);
}

/*
 * Half of the rows with half of the rows, where each key is twice on each side: as many pairs as rows, and so
 * is the bound, if n is a multiple of four.  y is of the left side.
 */
static void
set_pair_keys(Work *work)
{
	size_t		half = work->n / 2;

	for (size_t v = 0; v < work->n; v++)
		work->xv[v] = (v < half ? v : v - half) / 2;
}

static void
run_join_many(Party *self, Work *work)
{
	size_t		half = work->n / 2;
	int			key = 1;
	int			number = 0;
	Table		left = table_create(half);
	Table		right = table_create(half);
	JoinSide	left_side = {&left, &key, 1, NULL, 0, 0, &number, 1};
	JoinSide	right_side = {&right, &key, 1, NULL, 0, 0, NULL, 0, &key, 1};
	Table		joined;

	table_add_slice(&left, shared_bits_alloc(1, half));
	logic_constant(self, &left.slice[0], true);
	table_add_slice(&left, shared_bits_cut(&work->bx, 0, half));
	table_add_number(&left, shared64_alloc(half));
	memcpy(left.number[0].mine, work->y.mine, half * sizeof(uint64));
	memcpy(left.number[0].next, work->y.next, half * sizeof(uint64));
	table_add_slice(&right, shared_bits_alloc(1, half));
	logic_constant(self, &right.slice[0], true);
	table_add_slice(&right, shared_bits_cut(&work->bx, half, half));

	join_many(self, &left_side, &right_side, work->n, &joined, &work->one, NULL);
	shared_bits_free(&work->bz);
	shared64_free(&work->z);
	work->z = table_remove_number(&joined, 0);
	work->bz = table_remove_slice(&joined, 1);
	table_destroy(&left);
	table_destroy(&right);
	table_destroy(&joined);
}

/* Pairs come in the order of the keys, four of each: twice both of the left side's values. */
static bool
check_join_many(Party *self, Work *work)
{
	uint64	   *keys = opened_bits(self, &work->bz);
	uint64	   *values = opened(self, &work->z);
	uint64	   *pairs = opened(self, &work->one);
	size_t		wanted = work->n / 4 * 4;
	bool		good = pairs[0] == wanted;

	for (size_t v = 0; v < wanted; v++)
	{
		good &= keys[v] == v / 4;
		good &= v % 4 != 0 ||
			values[v] + values[v + 1] + values[v + 2] + values[v + 3] ==
			2 * (work->yv[v / 2] + work->yv[v / 2 + 1]);
	}
	return good;
}

#define ALL		UINT64_MAX
#define GROUPS	((UINT64CONST(1) << 16) - 1)
#define BITS62	((UINT64CONST(1) << 62) - 1)
#define BITS30	((UINT64CONST(1) << 30) - 1)

/* The goals were set from figures of the published engines on such a machine. */
const Operation mpc_operations[] = {
	{"multiply", M, 0.025, 8, ALL, ALL, 0, false, run_multiply, check_multiply},
	{"and", M, 0.025, 8, ALL, ALL, 64, true, run_and, check_and},
	{"less-than", M, 0.08, 25, BITS62, BITS62, 0, false, run_less, check_less},
	{"less-than-any", M, 0, 0, ALL, ALL, 0, false, run_less_any, check_less},
	{"less-than-bits", M, 0, 0, ALL, ALL, 64, true, run_less_bits, check_less},
	{"equality", M, 0.06, 0, ALL, ALL, 0, false, run_equal, check_equal},
	{"equality-bits", M, 0.03, 0, ALL, ALL, 64, true, run_equal_bits, check_equal},
	{"to-bits", M, 0.12, 0, ALL, ALL, 64, false, run_to_bits, check_to_bits},
	{"from-bits", M, 0.3, 0, ALL, ALL, 64, false, run_from_bits, check_from_bits},
	{"dot", 10 * M, 0.08, 0, ALL, ALL, 0, false, run_dot, check_dot},
	{"fixed-multiply", M, 0.15, 0, BITS30, BITS30, 0, false, run_scaled_multiply, check_scaled_multiply},
	{"divide", M / 10, 0.3, 0, BITS30, BITS30, 0, false, run_divide, check_divide},
	{"divide-integers", M / 10, 0, 0, BITS62, BITS30, 0, false, run_divide_integers, check_divide_integers},
	{"filter-sum", M, 0.15, 0, BITS62, ALL, 0, false, run_filter_sum, check_filter_sum},
	{"shuffle", M, 0.12, 16, ALL, ALL, 0, false, run_shuffle, check_shuffle},
	{"sort-100k", M / 10, 0.4, 60, ALL, ALL, 64, true, run_sort, check_sort},
	{"sort", M, 4, 600, ALL, ALL, 64, true, run_sort, check_sort},
	{"top-10", MI, 0, 0, ALL, ALL, 64, true, run_top, check_top},
	{"group-sum", MI, 5, 734, GROUPS, ALL, 64, false, run_group_sum, check_group_sum},
	{"distinct", MI, 5, 0, GROUPS, ALL, 64, false, run_distinct, check_distinct},
	{"group-min-max", MI, 0, 0, GROUPS, ALL, 64, true, run_group_min_max, check_group_min_max},
	{"join", MI, 6, 786, ALL, ALL, 64, false, run_join, check_join, set_join_keys},
	{"join-many", MI / 4, 0, 0, ALL, ALL, 64, false, run_join_many, check_join_many, set_pair_keys},
};

const int mpc_operation_count = lengthof(mpc_operations);

/* ---- one party ---- */

static double
seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

/* Nobody leaves before everybody has come. */
static void
barrier(Party *self)
{
	uint8		byte = 0;

	for (int k = 0; k < 2; k++)
		party_round(self, &byte, 1, &byte, 1);
}

static uint64 *
clear_values(size_t n, uint64 mask, uint64 seed)
{
	uint8		key[SEED_BYTES] = {0};
	uint64	   *values = palloc_extended(n * sizeof(uint64), MCXT_ALLOC_HUGE);
	Prg		   *prg;

	memcpy(key, &seed, sizeof(seed));
	prg = prg_create(key);
	prg_fill(prg, values, n * sizeof(uint64));
	prg_free(prg);
	for (size_t v = 0; v < n; v++)
		values[v] &= mask;
	return values;
}

static void
share_numbers(Party *self, Shared64 *x, const uint64 *values, size_t n)
{
	*x = shared64_alloc(n);
	arith64_input(self, x, 0, self->index == 0 ? values : NULL);
}

static void
share_planes(Party *self, SharedBits *x, const uint64 *values, size_t n, int planes)
{
	uint64	   *words = palloc_extended(planes * BIT_WORDS(n) * sizeof(uint64), MCXT_ALLOC_HUGE);

	bits_slice(words, values, n, planes);
	*x = shared_bits_alloc(planes, n);
	logic_input(self, x, 1, self->index == 1 ? words : NULL);
	pfree(words);
}

static void
prepare(Party *self, Work *work, const Operation *operation, size_t n)
{
	memset(work, 0, sizeof(Work));
	work->n = n;
	work->xv = clear_values(n, operation->x_mask, 1);
	work->yv = clear_values(n, operation->y_mask, 2);
	/* Every tenth pair is equal. */
	for (size_t v = 0; v < n; v += 10)
		work->yv[v] = work->xv[v] & operation->y_mask;
	if (operation->prepare)
		operation->prepare(work);
	if (operation->planes > 0)
	{
		share_planes(self, &work->bx, work->xv, n, operation->planes);
		share_planes(self, &work->by, work->yv, n, operation->planes);
		work->bz = shared_bits_alloc(operation->planes, n);
		work->bu = shared_bits_alloc(operation->planes, n);
		work->bv = shared_bits_alloc(operation->planes, n);
	}
	if (!operation->no_numbers)
	{
		share_numbers(self, &work->x, work->xv, n);
		share_numbers(self, &work->y, work->yv, n);
		work->z = shared64_zero(n);
	}
	work->bit = shared_bits_alloc(1, n);
	work->one = shared64_zero(1);
}

void
mpc_measure(Party *self, const Operation *operation, size_t n, Report *report)
{
	Work		work;

	prepare(self, &work, operation, n);
	for (int run = 0; run <= MPC_RUNS; run++)
	{
		double		cpu;

		barrier(self);
		self->rounds = self->bytes_sent = 0;
		cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
		report->start[run] = seconds(CLOCK_MONOTONIC);
		operation->run(self, &work);
		report->end[run] = seconds(CLOCK_MONOTONIC);
		report->cpu[run] = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		report->rounds = self->rounds;
		report->bytes = self->bytes_sent;
	}
	report->good = operation->check(self, &work);
}
