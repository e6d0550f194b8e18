/*
 * rows.c
 *	  Rows cut off, put end to end, beside each other, and each but once.
 */
#include "mpc/rows.h"

#include "mpc/group.h"

static Shared64
number_cut(const Shared64 *column, size_t first, size_t n)
{
	Shared64	cut = shared64_alloc(n);
	Shared64	wanted = shared64_view(column, first, n);

	shared64_copy(&cut, &wanted);
	return cut;
}

void
rows_limit(Table *table, size_t offset, size_t count)
{
	size_t		first = Min(offset, table->n);
	size_t		n = Min(count, table->n - first);

	for (int c = 0; c < table->numbers; c++)
	{
		Shared64	cut = number_cut(&table->number[c], first, n);

		shared64_free(&table->number[c]);
		table->number[c] = cut;
	}
	for (int c = 0; c < table->slices; c++)
	{
		SharedBits	cut = shared_bits_cut(&table->slice[c], first, n);

		shared_bits_free(&table->slice[c]);
		table->slice[c] = cut;
	}
	table->n = n;
}

void
rows_append(Table *table, const Table *more)
{
	Assert(table->numbers == more->numbers && table->slices == more->slices);
	Assert(more->n <= TABLE_ROWS_MAX - table->n);
	for (int c = 0; c < table->numbers; c++)
	{
		Shared64	both = shared64_append(&table->number[c], &more->number[c]);

		shared64_free(&table->number[c]);
		table->number[c] = both;
	}
	for (int c = 0; c < table->slices; c++)
	{
		SharedBits	both = shared_bits_append(&table->slice[c], &more->slice[c]);

		shared_bits_free(&table->slice[c]);
		table->slice[c] = both;
	}
	table->n += more->n;
}

void
columns_beside(Table *table, Table *beside)
{
	Assert(beside->n == table->n);
	for (int c = 0; c < beside->numbers; c++)
		table_add_number(table, beside->number[c]);
	for (int c = 0; c < beside->slices; c++)
		table_add_slice(table, beside->slice[c]);
	beside->numbers = 0;
	beside->slices = 0;
}

void
rows_distinct(Party *self, Table *table, const int *keys, int key_count, int valid,
			  size_t size, Shared64 *kept, SortWork *work)
{
	SortKey    *order = palloc(Max(key_count, 1) * sizeof(SortKey));
	Grouping	by = {keys, key_count, valid, NULL, 0, GROUP_WITHOUT_ROWS};

	for (int k = 0; k < key_count; k++)
		order[k] = (SortKey)
		{
			keys[k], false, false
		};
	sort_table(self, table, order, key_count, valid, work);
	group_table(self, table, &by, size, kept);
	pfree(order);
}
