/*
 * aggregate.c
 *	  GROUP BY with count, sum, min, max, any, bool_or and bool_and of several columns.
 *
 * Sums and counts are differences of prefix sums (group.c).  For all else a row gets what its group
 * has had so far (scan.c); so the last row of a group, which stays, has it of all.
 * A minimum costs 46 bytes a row and 64-bit column so, and the values need not be sorted: as
 * a second key of the sort they would cost 300 and more.
 *
 * NULL is a number greater than all in a minimum, the row's own in a maximum less than all.
 */
#include "mpc/aggregate.h"

#include "mpc/arith64.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/scan.h"

/* What aggregate_table() was called with, and the columns that one step works on. */
typedef struct Aggregation
{
	Table	   *table;
	const Aggregate *list;
	int			count;
	SharedBits	pass;			/* a row is of the same group as the row before it */
} Aggregation;

static bool
may_be_null(const Aggregate *aggregate)
{
	return aggregate->null != AGGREGATE_NOT_NULL;
}

static SharedBits *
bits_of(const Aggregation *job, const Aggregate *aggregate)
{
	return &job->table->slice[aggregate->column];
}

static SharedBits *
null_of(const Aggregation *job, const Aggregate *aggregate)
{
	return &job->table->slice[aggregate->null];
}

/* A plane of all rows. */
static uint64
plane_need(const Aggregation *job)
{
	return 2 * sizeof(uint64) * (uint64) BIT_WORDS(job->table->n);
}

/* pass of row v + 1 = same of row v */
static SharedBits
pass_of(const SharedBits *same)
{
	SharedBits	first = shared_bits_alloc(1, 1);
	SharedBits	others = shared_bits_cut(same, 0, same->n - 1);
	SharedBits	pass = shared_bits_append(&first, &others);

	shared_bits_free(&first);
	shared_bits_free(&others);
	return pass;
}

/* ---- counts: 1 where there is a value, to be summed ---- */

static void
load_counts(Party *self, const Aggregation *job)
{
	size_t		n = job->table->n;
	int			planes = 0;
	int			used = 0;
	uint64		need;
	SharedBits	there;
	Shared64	numbers;

	for (int k = 0; k < job->count; k++)
		planes += job->list[k].kind == AGGREGATE_COUNT;
	if (planes == 0)
		return;
	/* What is converted, and what that takes: the numbers, a summand of them again, and a message. */
	need = planes * (plane_need(job) + 4 * sizeof(uint64) * (uint64) n);
	party_reserve(self, "counting", need);
	there = shared_bits_raw(planes, n);
	for (int k = 0; k < job->count; k++)
	{
		SharedBits	part;

		if (job->list[k].kind != AGGREGATE_COUNT)
			continue;
		Assert(may_be_null(&job->list[k]));
		part = shared_bits_view(&there, used++, 1);
		shared_bits_copy(&part, null_of(job, &job->list[k]));
	}
	logic_not(self, &there);
	numbers = shared64_alloc(planes * n);
	convert_bit_to_ring64(self, &numbers, &there);
	used = 0;
	for (int k = 0; k < job->count; k++)
	{
		Shared64	part;

		if (job->list[k].kind != AGGREGATE_COUNT)
			continue;
		part = shared64_view(&numbers, used++ * n, n);
		shared64_copy(&job->table->number[job->list[k].column], &part);
	}
	shared_bits_free(&there);
	shared64_free(&numbers);
	party_release(self, need);
}

/* ---- min and max ---- */

static bool
is_extreme(const Aggregate *aggregate)
{
	return aggregate->kind == AGGREGATE_MIN || aggregate->kind == AGGREGATE_MAX;
}

static int
extreme_planes(const Aggregation *job, const Aggregate *aggregate)
{
	return bits_of(job, aggregate)->planes + (may_be_null(aggregate) ? 1 : 0);
}

/* Its own inverse: as unsigned numbers the least of what comes out is what is wanted. */
static void
turn(Party *self, const Aggregate *aggregate, SharedBits *value)
{
	SharedBits	sign = shared_bits_view(value, value->planes - 1, 1);

	if (aggregate->is_signed)
		logic_not(self, &sign);
	if (aggregate->kind == AGGREGATE_MAX)
		logic_not(self, value);
}

/* The value, turned, and above it whether it is NULL. */
static SharedBits
load_extreme(Party *self, const Aggregation *job, const Aggregate *aggregate)
{
	SharedBits *value = bits_of(job, aggregate);
	SharedBits	whole = shared_bits_raw(extreme_planes(job, aggregate), value->n);
	SharedBits	low = shared_bits_view(&whole, 0, value->planes);

	shared_bits_copy(&low, value);
	turn(self, aggregate, &low);
	if (may_be_null(aggregate))
	{
		SharedBits	top = shared_bits_view(&whole, value->planes, 1);

		shared_bits_copy(&top, null_of(job, aggregate));
	}
	return whole;
}

static void
store_extreme(Party *self, const Aggregation *job, const Aggregate *aggregate, SharedBits *whole)
{
	SharedBits *value = bits_of(job, aggregate);
	SharedBits	low = shared_bits_view(whole, 0, value->planes);

	turn(self, aggregate, &low);
	shared_bits_copy(value, &low);
	shared_bits_free(whole);
}

/* All columns of `planes` planes. */
static void
find_extremes_of(Party *self, const Aggregation *job, int planes)
{
	SharedBits *columns = palloc(job->count * sizeof(SharedBits));
	uint64		need;
	int			used = 0;

	for (int k = 0; k < job->count; k++)
		used += is_extreme(&job->list[k]) && extreme_planes(job, &job->list[k]) == planes;
	need = used * plane_need(job) * planes;
	party_reserve(self, "looking for minima", need);
	used = 0;
	for (int k = 0; k < job->count; k++)
	{
		if (is_extreme(&job->list[k]) && extreme_planes(job, &job->list[k]) == planes)
			columns[used++] = load_extreme(self, job, &job->list[k]);
	}
	scan_least(self, columns, used, &job->pass);
	used = 0;
	for (int k = 0; k < job->count; k++)
	{
		if (is_extreme(&job->list[k]) && extreme_planes(job, &job->list[k]) == planes)
			store_extreme(self, job, &job->list[k], &columns[used++]);
	}
	party_release(self, need);
	pfree(columns);
}

static void
find_extremes(Party *self, const Aggregation *job)
{
	for (int planes = 1; planes <= 128; planes++)
		find_extremes_of(self, job, planes);
}

/* ---- any ---- */

/* What is NULL takes from the row before, in its group. */
static void
find_any(Party *self, const Aggregation *job, const Aggregate *aggregate)
{
	SharedBits	pass = shared_bits_raw(1, job->pass.n);

	logic_and(self, &pass, &job->pass, null_of(job, aggregate));
	if (aggregate->kind == AGGREGATE_ANY)
		scan_copy_bits(self, bits_of(job, aggregate), 1, &pass);
	else
		scan_copy_numbers(self, &job->table->number[aggregate->column], 1, &pass);
	shared_bits_free(&pass);
}

/* ---- or and and, and whether all is NULL ---- */

/* Is this the first aggregate with its column of NULLs? */
static bool
first_with_null(const Aggregation *job, int k)
{
	for (int j = 0; j < k; j++)
	{
		if (job->list[j].null == job->list[k].null)
			return false;
	}
	return may_be_null(&job->list[k]);
}

static bool
is_logical(const Aggregate *aggregate)
{
	return aggregate->kind == AGGREGATE_OR || aggregate->kind == AGGREGATE_AND;
}

/*
 * x OR y = NOT (NOT x AND NOT y); and in an AND, what is NULL (and so 0) is to count as 1.  Afterwards
 * that gave 1 where all is NULL.
 */
static void
turn_logical(Party *self, const Aggregation *job, const Aggregate *aggregate)
{
	Assert(bits_of(job, aggregate)->planes == 1);
	if (aggregate->kind == AGGREGATE_OR)
		logic_not(self, bits_of(job, aggregate));
	else if (may_be_null(aggregate))
		logic_xor(bits_of(job, aggregate), null_of(job, aggregate));
}

/* All of these columns are planes of which the AND is wanted.  Their vectors stay those of the table. */
static void
find_logical(Party *self, const Aggregation *job)
{
	SharedBits *columns = palloc(2 * job->count * sizeof(SharedBits));
	int			used = 0;

	for (int k = 0; k < job->count; k++)
	{
		if (is_logical(&job->list[k]))
		{
			turn_logical(self, job, &job->list[k]);
			columns[used++] = *bits_of(job, &job->list[k]);
		}
		if (first_with_null(job, k))
			columns[used++] = *null_of(job, &job->list[k]);
	}
	scan_and(self, columns, used, &job->pass);
	for (int k = 0; k < job->count; k++)
	{
		if (is_logical(&job->list[k]))
			turn_logical(self, job, &job->list[k]);
	}
	pfree(columns);
}

/* ---- all of it ---- */

/* Those of the caller, and ours. */
static int *
sums_of(const Aggregation *job, const Grouping *by, int *count)
{
	int		   *sums = palloc((by->sum_count + job->count) * sizeof(int) + 1);

	*count = 0;
	for (int k = 0; k < by->sum_count; k++)
		sums[(*count)++] = by->sums[k];
	for (int k = 0; k < job->count; k++)
	{
		if (job->list[k].kind == AGGREGATE_COUNT || job->list[k].kind == AGGREGATE_SUM)
			sums[(*count)++] = job->list[k].column;
	}
	return sums;
}

static void
aggregate_rows(Party *self, const Aggregation *job)
{
	load_counts(self, job);
	find_extremes(self, job);
	for (int k = 0; k < job->count; k++)
	{
		const Aggregate *aggregate = &job->list[k];
		bool		any = aggregate->kind == AGGREGATE_ANY || aggregate->kind == AGGREGATE_ANY_NUMBER;

		if (any && may_be_null(aggregate))
			find_any(self, job, aggregate);
	}
	find_logical(self, job);
}

void
aggregate_table(Party *self, Table *table, const Grouping *by, const Aggregate *aggregates,
				int count, size_t size, Shared64 *groups)
{
	Aggregation job = {table, aggregates, count};
	Grouping	with_sums = *by;
	int		   *sums = sums_of(&job, by, &with_sums.sum_count);
	uint64		need = 3 * plane_need(&job);
	SharedBits	same = group_same(self, table, by);

	party_reserve(self, "grouping", need);
	with_sums.sums = sums;
	if (table->n > 0)
	{
		job.pass = pass_of(&same);
		aggregate_rows(self, &job);
		shared_bits_free(&job.pass);
	}
	group_rows(self, table, &with_sums, &same, size, groups);
	shared_bits_free(&same);
	party_release(self, need);
	pfree(sums);
}
