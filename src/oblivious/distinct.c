/*
 * distinct.c
 *	  How many different values there are in a group.
 *
 * Rows are sorted by the keys and the value.  In each stretch of equal ones a row knows whether
 * it, or one before it, contributes (an OR along the stretch), and the last of them counts.
 */
#include "oblivious/group.h"

#include "mpc/convert.h"
#include "mpc/group.h"
#include "mpc/logic.h"
#include "mpc/scan.h"

void
planes_to_numbers(Party *self, const SharedBits *planes, int count, Shared64 *numbers)
{
	SharedBits	all;
	Shared64	converted;

	if (count == 0)
		return;
	all = shared_bits_raw(count, planes[0].n);
	for (int k = 0; k < count; k++)
	{
		SharedBits	plane = shared_bits_view(&all, k, 1);

		shared_bits_copy(&plane, &planes[k]);
	}
	converted = shared64_alloc(count * all.n);
	convert_bit_to_ring64(self, &converted, &all);
	for (int k = 0; k < count; k++)
		numbers[k] = number_cut(&converted, k * all.n, all.n);
	shared64_free(&converted);
	shared_bits_free(&all);
}

SharedBits
looks_back(const SharedBits *same)
{
	SharedBits	first = shared_bits_alloc(1, Min(same->n, 1));
	SharedBits	others = shared_bits_cut(same, 0, same->n - first.n);
	SharedBits	back = shared_bits_append(&first, &others);

	shared_bits_free(&first);
	shared_bits_free(&others);
	return back;
}

/* Rows that contribute to the class, and in which the value is not NULL. */
static SharedBits
contributing(const GroupJob *job, const GroupPass *pass, int null, int support)
{
	SharedBits	rows = shared_bits_alloc(1, pass->table.n);

	if (support >= 0)
		shared_bits_copy(&rows, &pass->table.slice[support]);
	else
		logic_constant(job->self, &rows, true);
	if (null >= 0)
	{
		SharedBits	there = plane_not(job->self, &pass->table.slice[null]);

		logic_and(job->self, &rows, &rows, &there);
		shared_bits_free(&there);
	}
	return rows;
}

/* Rows that count: the last of each stretch, if one of it contributes. */
static void
mark_last(const GroupJob *job, SharedBits *rows, int count, SharedBits *same)
{
	SharedBits	back = looks_back(same);

	scan_or(job->self, rows, count, &back);
	logic_not(job->self, same);
	for (int k = 0; k < count; k++)
		logic_and(job->self, &rows[k], &rows[k], same);
	shared_bits_free(&back);
}

void
distinct_numbers(const GroupJob *job, GroupPass *pass, int distinct, int value, int null,
				 const int *support, int *places)
{
	const bool *wanted = job->distincts[distinct].wanted;
	SharedBits *rows = palloc(job->nclasses * sizeof(SharedBits));
	Shared64   *numbers = palloc(job->nclasses * sizeof(Shared64));
	int			keys[lengthof(pass->keys) + 1];
	Grouping	by = {keys, pass->nkeys + 1, 0};
	SharedBits	same;
	int			count = 0;

	memcpy(keys, pass->keys, pass->nkeys * sizeof(int));
	/* NULL holds zero, and does not count, but must not hide a zero: it comes first or last, so it is a key too. */
	keys[pass->nkeys] = value;
	if (null >= 0)
		keys[by.key_count++] = null;
	same = group_same(job->self, &pass->table, &by);
	for (int class = 0; class < job->nclasses; class++)
		if (wanted[class])
			rows[count++] = contributing(job, pass, null, support[class]);
	mark_last(job, rows, count, &same);
	planes_to_numbers(job->self, rows, count, numbers);
	count = 0;
	for (int class = 0; class < job->nclasses; class++)
	{
		if (!wanted[class])
			continue;
		shared_bits_free(&rows[count]);
		places[class] = table_place_number(&pass->table, numbers[count++]);
	}
	shared_bits_free(&same);
	pfree(rows);
	pfree(numbers);
}

void
distinct_pass(GroupJob *job, int number)
{
	Distinct   *distinct = &job->distincts[number];
	GroupPass	pass;
	int		   *support = palloc(job->nclasses * sizeof(int));
	int		   *places = palloc0(job->nclasses * sizeof(int));
	int			null = -1;
	int			value;
	int			sums = 0;
	int		   *list = palloc(job->nclasses * sizeof(int));

	pass_start(job, &pass);
	value = table_place_slice(&pass.table, column_to_planes(job->self, &distinct->column, column_planes(&distinct->column.type)));
	if (distinct->column.null.mine)
	{
		null = table_place_slice(&pass.table, plane_copy(&distinct->column.null));
		pass_order_by(&pass, null, false);
	}
	pass_order_by(&pass, value, false);
	for (int class = 0; class < job->nclasses; class++)
		support[class] = distinct->wanted[class] && job->support[class].mine ?
			table_place_slice(&pass.table, plane_copy(&job->support[class])) : -1;
	pass_sort(job, &pass);
	distinct_numbers(job, &pass, number, value, null, support, places);
	for (int class = 0; class < job->nclasses; class++)
		if (distinct->wanted[class])
			list[sums++] = places[class];
	pass_group(job, &pass, list, sums, NULL);
	for (int class = 0; class < job->nclasses; class++)
		if (distinct->wanted[class])
			distinct->counts[class] = number_copy(&pass.table.number[places[class]]);
	table_destroy(&pass.table);
	pfree(support);
	pfree(places);
	pfree(list);
}
