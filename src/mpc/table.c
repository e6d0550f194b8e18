/*
 * table.c
 *	  Rows of shared columns, moved about.
 *
 * Bit-sliced columns are bad to move row by row.  Their planes are taken 64 at a
 * time, whatever column they belong to, and turned into a word a row.
 */
#include "mpc/table.h"

#include "crypto/hash.h"
#include "share/memory.h"
#include "share/vector.h"

uint64 *
table_words(size_t n)
{
	return vector_alloc(n * sizeof(uint64));
}

void
table_free_words(uint64 *words, size_t n)
{
	vector_free(words, n * sizeof(uint64));
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
table_group(const Table *table, bool next, int group, uint64 *planes_of[64])
{
	int			skip = 64 * group;
	int			used = 0;

	for (int c = 0; c < table->slices && used < 64; c++)
	{
		SharedBits *column = &table->slice[c];
		uint64	   *planes = next ? column->next : column->mine;
		int			first = Min(skip, column->planes);

		skip -= first;
		for (int k = first; k < column->planes && used < 64; k++)
			planes_of[used++] = planes + k * BIT_WORDS(column->n);
	}
	return used;
}

void
table_gather(uint64 *to, const uint64 *from, const uint32 *index, size_t n)
{
	for (size_t v = 0; v < n; v++)
		to[v] = from[index[v]];
}

/* One vector at a time is there twice. */
static uint64 *
take_vector(uint64 *vector, const uint32 *from, size_t old_n, size_t n)
{
	uint64	   *taken = table_words(n);

	table_gather(taken, vector, from, n);
	table_free_words(vector, old_n);
	return taken;
}

/*
 * All rows of a group are words before any of its planes is written, so what is
 * taken lies where it was: in the first words of each plane.
 */
static void
take_group(Table *table, bool next, int group, const uint32 *from, size_t n, uint64 *words)
{
	uint64	   *planes_of[64];
	uint64		moved[VECTOR_BLOCK];
	int			planes = table_group(table, next, group, planes_of);

	bits_unslice_planes(words, planes_of, planes, 0, table->n);
	for (size_t v = 0; v < n; v += VECTOR_BLOCK)
	{
		size_t		len = Min(VECTOR_BLOCK, n - v);

		table_gather(moved, words, from + v, len);
		bits_slice_planes(planes_of, planes, v / 64, moved, len);
	}
	wipe(moved, sizeof(moved));
}

/* Planes that have got shorter move together. */
static void
shorten_planes(SharedBits *column, size_t n)
{
	size_t		old_bytes = column->planes * BIT_WORDS(column->n) * sizeof(uint64);
	size_t		words = BIT_WORDS(n);

	for (int k = 1; k < column->planes; k++)
	{
		memmove(column->mine + k * words, column->mine + k * BIT_WORDS(column->n), words * sizeof(uint64));
		memmove(column->next + k * words, column->next + k * BIT_WORDS(column->n), words * sizeof(uint64));
	}
	column->mine = vector_shorten(column->mine, old_bytes, column->planes * words * sizeof(uint64));
	column->next = vector_shorten(column->next, old_bytes, column->planes * words * sizeof(uint64));
	column->n = n;
}

void
table_take(Table *table, const uint32 *from, size_t n)
{
	uint64	   *words;

	Assert(n <= table->n);
	for (int c = 0; c < table->numbers; c++)
	{
		Shared64   *column = &table->number[c];

		column->mine = take_vector(column->mine, from, table->n, n);
		column->next = take_vector(column->next, from, table->n, n);
		column->n = n;
	}
	words = table_words(table->n);
	for (int group = 0; group < table_groups(table); group++)
	{
		take_group(table, false, group, from, n, words);
		take_group(table, true, group, from, n, words);
	}
	table_free_words(words, table->n);
	for (int c = 0; c < table->slices && n < table->n; c++)
		shorten_planes(&table->slice[c], n);
	table->n = n;
}
