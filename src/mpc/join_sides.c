/*
 * join_sides.c
 *	  The rows of both sides of a join, end to end and in the order of their keys.
 */
#include "mpc/join_sides.h"

#include "mpc/group.h"
#include "mpc/logic.h"

SharedBits
join_first_rows(Party *self, size_t ones, size_t n)
{
	SharedBits	yes = shared_bits_alloc(1, ones);
	SharedBits	no = shared_bits_alloc(1, n - ones);
	SharedBits	all;

	logic_constant(self, &yes, true);
	all = shared_bits_append(&yes, &no);
	shared_bits_free(&yes);
	shared_bits_free(&no);
	return all;
}

/* valid and not NULL: one plane */
static SharedBits
rows_here(Party *self, const JoinSide *side)
{
	const Table *table = side->table;
	SharedBits	all = shared_bits_raw(1 + side->null_count, table->n);
	SharedBits	here = shared_bits_raw(1, table->n);
	SharedBits	part = shared_bits_view(&all, 0, 1);

	shared_bits_copy(&part, &table->slice[side->valid]);
	for (int k = 0; k < side->null_count; k++)
	{
		part = shared_bits_view(&all, 1 + k, 1);
		shared_bits_copy(&part, &table->slice[side->nulls[k]]);
		logic_not(self, &part);
	}
	logic_and_all(self, &here, &all);
	shared_bits_free(&all);
	return here;
}

static SharedBits
both_here(Party *self, const JoinSide *first, const JoinSide *second)
{
	SharedBits	low = rows_here(self, first);
	SharedBits	high = rows_here(self, second);
	SharedBits	both = shared_bits_append(&low, &high);

	shared_bits_free(&low);
	shared_bits_free(&high);
	return both;
}

/* Whether a row is here, and its keys: the last columns, for a while. */
static void
add_keys(Party *self, Table *both, const JoinSide *first, const JoinSide *second)
{
	table_add_slice(both, both_here(self, first, second));
	for (int k = 0; k < first->key_count; k++)
		table_add_slice(both, shared_bits_append(&first->table->slice[first->keys[k]],
												 &second->table->slice[second->keys[k]]));
}

static void
remove_keys(Table *both, int key_count)
{
	for (int k = 0; k <= key_count; k++)
	{
		SharedBits	column = table_remove_slice(both, both->slices - 1);

		shared_bits_free(&column);
	}
}

/* same says it of a row and the next; of the first row it is 0. */
static SharedBits
move_down(const SharedBits *same)
{
	SharedBits	first = shared_bits_alloc(1, 1);
	SharedBits	others = shared_bits_cut(same, 0, same->n - 1);
	SharedBits	moved = shared_bits_append(&first, &others);

	shared_bits_free(&first);
	shared_bits_free(&others);
	return moved;
}

static SharedBits
sort_and_compare(Party *self, Table *both, int key_count, SortWork *work)
{
	int			here = both->slices - key_count - 1;
	SortKey    *order = palloc(Max(key_count, 1) * sizeof(SortKey));
	int		   *keys = palloc(Max(key_count, 1) * sizeof(int));
	Grouping	by = {keys, key_count, here};
	SharedBits	same;
	SharedBits	pass;

	for (int k = 0; k < key_count; k++)
	{
		keys[k] = here + 1 + k;
		order[k] = (SortKey)
		{
			keys[k], false, false
		};
	}
	sort_table(self, both, order, key_count, here, work);
	same = group_same(self, both, &by);
	pass = move_down(&same);
	shared_bits_free(&same);
	pfree(order);
	pfree(keys);
	return pass;
}

SharedBits
join_sort_sides(Party *self, Table *both, const JoinSide *first, const JoinSide *second, SortWork *work)
{
	SharedBits	pass;

	Assert(first->key_count == second->key_count);
	Assert(both->n == first->table->n + second->table->n);
	if (work)
		memset(work, 0, sizeof(SortWork));
	if (both->n == 0)
		return shared_bits_alloc(1, 0);
	add_keys(self, both, first, second);
	pass = sort_and_compare(self, both, first->key_count, work);
	remove_keys(both, first->key_count);
	return pass;
}
