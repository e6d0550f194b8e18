/*
 * release.c
 *	  The roots: what is opened, and what is stored.
 *
 * Whatever leaves by a RELEASE comes out of a multiplication or an AND with a
 * bit that says whether it may; so it is zero if not, and its shares tell nothing of how it came about.
 */
#include "oblivious/operator.h"

#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/scan.h"
#include "mpc/shuffle.h"

/* ---- which rows ---- */

/* Only these columns, in this order; one that is wanted twice is copied. */
static void
select_columns(SharedRelation *relation, const int *columns, int n)
{
	SharedColumn *selected = palloc0((n + 1) * sizeof(SharedColumn));

	for (int i = 0; i < n; i++)
		selected[i] = column_copy(&relation->columns[columns[i]]);
	for (int c = 0; c < relation->ncolumns; c++)
		column_free(&relation->columns[c]);
	pfree(relation->columns);
	relation->columns = selected;
	relation->ncolumns = n;
}

/* The rows that are there already come first: whether one is beyond the last that is wanted is easy to see. */
static void
note_rows_beyond(const NodeRun *at, const SharedRelation *relation, uint64 size)
{
	SharedBits	beyond = shared_bits_cut(&relation->valid, size, relation->n - size);
	SharedBits	any = shared_bits_alloc(1, 1);

	scan_any(at->self, &any, &beyond);
	note_problem(at, PROBLEM_ROWS, &any);
	shared_bits_free(&beyond);
}

static void
shuffle_rows(const NodeRun *at, SharedRelation *relation)
{
	Table		table = relation_to_table(relation);

	shuffle_table(at->self, &table);
	relation_from_table(relation, &table);
	relation->valid_first = false;
}

static void
choose_rows(const NodeRun *at, SharedRelation *relation, uint64 most)
{
	uint64		size = at->node->rows ? at->node->rows : most;
	bool		bounded = size < most;

	if (!at->node->ordered)
		shuffle_rows(at, relation);
	if (!relation->valid_first)
	{
		relation_compact(at, relation, size, bounded);
		return;
	}
	if (size < relation->n)
		note_rows_beyond(at, relation, size);
	relation_cut(relation, 0, size);
}

/* ---- what may be opened of them ---- */

/* One bit in all of n values; local. */
static SharedBits
spread(const SharedBits *bit, size_t n)
{
	SharedBits	all = shared_bits_alloc(1, n);

	for (size_t w = 0; w < BIT_WORDS(n); w++)
	{
		all.mine[w] = -bit->mine[0];
		all.next[w] = -bit->next[0];
	}
	bits_clear_tails(all.mine, 1, n);
	bits_clear_tails(all.next, 1, n);
	return all;
}

/*
 * Problems are told only if there is something to show, and then nothing else is: any = some
 * row is there; of each problem p any; and the rows that are there if none of these is 1.  Where
 * one patient is enough for everything there is nothing to protect, and they are told in any case: an empty
 * answer would be a wrong one.
 */
static void
settle_problems(const NodeRun *at, SharedRelation *relation)
{
	Execution  *run = at->run;
	SharedBits	any = shared_bits_alloc(1, 1);
	SharedBits	fine = shared_bits_alloc(1, 1);
	SharedBits	all;

	if (plan_withholds(run->checked))
		scan_any(at->self, &any, &relation->valid);
	for (int i = 0; i < run->checked->nproblems; i++)
	{
		if (run->problems[i].mine == NULL)
			continue;
		if (plan_withholds(run->checked))
			logic_and(at->self, &run->problems[i], &run->problems[i], &any);
		logic_or(at->self, &fine, &fine, &run->problems[i]);
	}
	logic_not(at->self, &fine);
	all = spread(&fine, relation->n);
	logic_and(at->self, &relation->valid, &relation->valid, &all);
	shared_bits_free(&any);
	shared_bits_free(&fine);
	shared_bits_free(&all);
}

/* Where each column is NULL in rows that are there, all in one round; and where it has a value. */
static SharedBits *
settle_nulls(const NodeRun *at, SharedRelation *relation)
{
	SharedBits *values = palloc0((relation->ncolumns + 1) * sizeof(SharedBits));
	SharedBits	planes = shared_bits_alloc(relation->ncolumns, relation->n);

	for (int c = 0; c < relation->ncolumns; c++)
	{
		SharedBits	plane = shared_bits_view(&planes, c, 1);

		if (relation->columns[c].null.mine)
			shared_bits_copy(&plane, &relation->columns[c].null);
	}
	logic_and_bit(at->self, &planes, &planes, &relation->valid);
	for (int c = 0; c < relation->ncolumns; c++)
	{
		SharedBits	plane = shared_bits_view(&planes, c, 1);

		values[c] = plane_copy(&relation->valid);
		if (relation->columns[c].null.mine == NULL)
			continue;
		shared_bits_copy(&relation->columns[c].null, &plane);
		logic_xor(&values[c], &plane);
	}
	shared_bits_free(&planes);
	return values;
}

/* All numbers end to end, each times its bit. */
static void
settle_numbers(const NodeRun *at, SharedRelation *relation, const SharedBits *values)
{
	Shared64	all = shared64_alloc(0);
	SharedBits	bits = shared_bits_alloc(1, 0);
	size_t		start = 0;

	for (int c = 0; c < relation->ncolumns; c++)
	{
		Shared64	longer;
		SharedBits	more;

		if (relation->columns[c].number.mine == NULL)
			continue;
		longer = number_append(&all, &relation->columns[c].number);
		more = shared_bits_append(&bits, &values[c]);
		shared64_free(&all);
		shared_bits_free(&bits);
		all = longer;
		bits = more;
	}
	if (all.n > 0)
		convert_bit_times(at->self, &all, &bits, &all);
	for (int c = 0; c < relation->ncolumns; c++)
	{
		Shared64	part;

		if (relation->columns[c].number.mine == NULL)
			continue;
		part = shared64_view(&all, start, relation->n);
		shared64_copy(&relation->columns[c].number, &part);
		start += relation->n;
	}
	shared64_free(&all);
	shared_bits_free(&bits);
}

static void
settle_bits(const NodeRun *at, SharedRelation *relation, const SharedBits *values)
{
	for (int c = 0; c < relation->ncolumns; c++)
		if (relation->columns[c].bits.mine)
			logic_and_bit(at->self, &relation->columns[c].bits, &relation->columns[c].bits, &values[c]);
}

SharedRelation
execute_release(const NodeRun *at, SharedRelation *child)
{
	uint64		most = at->run->checked->nodes[at->node->children[0]].rows;
	SharedBits *values;

	select_columns(child, at->node->columns, at->node->ncolumns);
	choose_rows(at, child, most);
	settle_problems(at, child);
	values = settle_nulls(at, child);
	settle_numbers(at, child, values);
	settle_bits(at, child, values);
	for (int c = 0; c < child->ncolumns; c++)
	{
		child->columns[c].loose = false;
		shared_bits_free(&values[c]);
	}
	pfree(values);
	return *child;
}

SharedRelation
execute_store(const NodeRun *at, SharedRelation *child)
{
	select_columns(child, at->node->columns, at->node->ncolumns);
	for (int c = 0; c < child->ncolumns; c++)
		column_tighten(at->self, &child->columns[c]);
	return *child;
}
