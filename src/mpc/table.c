/*
 * table.c
 *	  Rows of shared columns, moved about.
 *
 * Bit-sliced columns are bad to move row by row.  Their planes are taken 64 at a
 * time, whatever column they belong to, and turned into a word a row.
 */
#include "mpc/table.h"

#include "crypto/hash.h"

uint64 *
table_words(size_t n)
{
	return palloc_extended(Max(n, 1) * sizeof(uint64), MCXT_ALLOC_HUGE);
}

void
table_free_words(uint64 *words, size_t n)
{
	wipe(words, n * sizeof(uint64));
	pfree(words);
}

Table
table_create(size_t n)
{
	Table		table = {n};

	table.number = palloc(sizeof(Shared64));
	table.slice = palloc(sizeof(SharedBits));
	return table;
}

void
table_destroy(Table *table)
{
	for (int c = 0; c < table->numbers; c++)
		shared64_free(&table->number[c]);
	for (int c = 0; c < table->slices; c++)
		shared_bits_free(&table->slice[c]);
	pfree(table->number);
	pfree(table->slice);
	memset(table, 0, sizeof(Table));
}

void
table_add_number(Table *table, Shared64 column)
{
	Assert(column.n == table->n);
	table->number = repalloc(table->number, (table->numbers + 1) * sizeof(Shared64));
	table->number[table->numbers++] = column;
}

void
table_add_slice(Table *table, SharedBits column)
{
	Assert(column.n == table->n);
	table->slice = repalloc(table->slice, (table->slices + 1) * sizeof(SharedBits));
	table->slice[table->slices++] = column;
}

Shared64
table_remove_number(Table *table, int column)
{
	Shared64	removed = table->number[column];

	table->numbers--;
	memmove(table->number + column, table->number + column + 1, (table->numbers - column) * sizeof(Shared64));
	return removed;
}

SharedBits
table_remove_slice(Table *table, int column)
{
	SharedBits	removed = table->slice[column];

	table->slices--;
	memmove(table->slice + column, table->slice + column + 1, (table->slices - column) * sizeof(SharedBits));
	return removed;
}

void
table_pad(Table *table, size_t n)
{
	size_t		more = n - table->n;

	Assert(n >= table->n);
	for (int c = 0; c < table->numbers; c++)
	{
		Shared64	zeros = shared64_zero(more);
		Shared64	padded = shared64_append(&table->number[c], &zeros);

		shared64_free(&table->number[c]);
		shared64_free(&zeros);
		table->number[c] = padded;
	}
	for (int c = 0; c < table->slices; c++)
	{
		SharedBits	zeros = shared_bits_alloc(table->slice[c].planes, more);
		SharedBits	padded = shared_bits_append(&table->slice[c], &zeros);

		shared_bits_free(&table->slice[c]);
		shared_bits_free(&zeros);
		table->slice[c] = padded;
	}
	table->n = n;
}

int
table_planes(const Table *table)
{
	int			planes = 0;

	for (int c = 0; c < table->slices; c++)
		planes += table->slice[c].planes;
	return planes;
}

uint64
table_bytes(const Table *table)
{
	return 2 * sizeof(uint64) *
		(table->numbers * (uint64) table->n + table_planes(table) * (uint64) BIT_WORDS(table->n));
}

int
table_groups(const Table *table)
{
	return (table_planes(table) + 63) / 64;
}

int
table_group_planes(const Table *table, int group)
{
	return Min(64, table_planes(table) - 64 * group);
}

/* Copies the planes of a group to space, or from it. */
static void
copy_group(const Table *table, bool next, int group, uint64 *space, bool back)
{
	size_t		words = BIT_WORDS(table->n);
	int			skip = 64 * group;
	int			used = 0;

	for (int c = 0; c < table->slices && used < 64; c++)
	{
		SharedBits *column = &table->slice[c];
		uint64	   *planes = next ? column->next : column->mine;
		int			first = Min(skip, column->planes);
		int			count = Min(64 - used, column->planes - first);

		skip -= first;
		if (back)
			memcpy(planes + first * words, space + used * words, count * words * sizeof(uint64));
		else
			memcpy(space + used * words, planes + first * words, count * words * sizeof(uint64));
		used += count;
	}
}

void
table_read_group(const Table *table, bool next, int group, uint64 *words, uint64 *space)
{
	copy_group(table, next, group, space, false);
	bits_unslice(words, space, table->n, table_group_planes(table, group));
}

void
table_write_group(Table *table, bool next, int group, const uint64 *words, uint64 *space)
{
	bits_slice(space, words, table->n, table_group_planes(table, group));
	copy_group(table, next, group, space, true);
}

void
table_gather(uint64 *to, const uint64 *from, const uint32 *index, size_t n)
{
	for (size_t v = 0; v < n; v++)
		to[v] = from[index[v]];
}

static void
take_number(Shared64 *column, const uint32 *from, size_t n)
{
	Shared64	taken = shared64_alloc(n);

	table_gather(taken.mine, column->mine, from, n);
	table_gather(taken.next, column->next, from, n);
	shared64_free(column);
	*column = taken;
}

/* The planes of `table` become those of `taken`, which has the same columns. */
static void
take_slices(Table *taken, const Table *table, const uint32 *from)
{
	size_t		space_words = 64 * BIT_WORDS(table->n);
	uint64	   *words = table_words(table->n);
	uint64	   *moved = table_words(taken->n);
	uint64	   *space = table_words(space_words);

	for (int group = 0; group < table_groups(table); group++)
	{
		for (int next = 0; next < 2; next++)
		{
			table_read_group(table, next, group, words, space);
			table_gather(moved, words, from, taken->n);
			table_write_group(taken, next, group, moved, space);
		}
	}
	table_free_words(words, table->n);
	table_free_words(moved, taken->n);
	table_free_words(space, space_words);
}

void
table_take(Table *table, const uint32 *from, size_t n)
{
	Table		taken = *table;

	Assert(n <= table->n);
	for (int c = 0; c < table->numbers; c++)
		take_number(&table->number[c], from, n);
	taken.n = n;
	taken.slice = palloc(Max(table->slices, 1) * sizeof(SharedBits));
	for (int c = 0; c < table->slices; c++)
		taken.slice[c] = shared_bits_raw(table->slice[c].planes, n);
	take_slices(&taken, table, from);
	for (int c = 0; c < table->slices; c++)
	{
		shared_bits_free(&table->slice[c]);
		table->slice[c] = taken.slice[c];
	}
	pfree(taken.slice);
	table->n = n;
}
