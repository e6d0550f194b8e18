/*
 * columns.c
 *	  Rows of secret values as the engine's vectors, and back.
 *
 * Blocks begin at a word of every plane, so a text's bits are sliced for the
 * block alone and copied to their place.
 */
#include "base/base.h"

#include "crypto/hash.h"
#include "share/columns.h"

LoadedColumn *
columns_alloc(const RowLayout *layout, size_t n)
{
	LoadedColumn *columns = palloc0(sizeof(LoadedColumn) * (layout->ncolumns + 1));

	for (int i = 0; i < layout->ncolumns; i++)
	{
		columns[i].type = layout->types[i];
		if (secret_is_number(&columns[i].type))
			columns[i].numbers = shared64_alloc(n);
		else
			columns[i].bits = shared_bits_alloc(columns[i].type.bits, n);
		if (columns[i].type.nullable)
			columns[i].nulls = shared_bits_alloc(1, n);
	}
	return columns;
}

void
columns_free(LoadedColumn *columns, int ncolumns)
{
	for (int i = 0; i < ncolumns; i++)
	{
		if (secret_is_number(&columns[i].type))
			shared64_free(&columns[i].numbers);
		else
			shared_bits_free(&columns[i].bits);
		if (columns[i].type.nullable)
			shared_bits_free(&columns[i].nulls);
	}
	pfree(columns);
}

static uint64 *
words_of(const SharedBits *bits, Summand summand)
{
	return summand == SUMMAND_MINE ? bits->mine : bits->next;
}

static uint64 *
elements_of(const Shared64 *numbers, Summand summand)
{
	return summand == SUMMAND_MINE ? numbers->mine : numbers->next;
}

/* ---- rows to columns ---- */

/* One bit of n rows into the words of a plane. */
static void
put_bit(const RowLayout *layout, int bit, uint64 *plane, const uint8 *rows, size_t n)
{
	const uint8 *byte = rows + layout->bits_at + bit / 8;
	int			shift = bit % 8;

	for (size_t i = 0; i < n; i++)
		plane[i / 64] |= (uint64) ((byte[i * layout->width] >> shift) & 1) << (i % 64);
}

static uint128
text_of(const uint8 *bytes, int n)
{
	uint128		value = 0;

	for (int b = 0; b < n; b++)
		value = value << 8 | bytes[b];
	return value;
}

static void
put_text(const RowLayout *layout, int column, uint64 *planes, size_t total, size_t first, const uint8 *rows, size_t n)
{
	int			bits = layout->types[column].bits;
	uint128    *values = palloc_extended(sizeof(uint128) * (n + 1), MCXT_ALLOC_HUGE);
	uint64	   *block = palloc_extended(sizeof(uint64) * (bits * BIT_WORDS(n) + 1), MCXT_ALLOC_HUGE);

	for (size_t i = 0; i < n; i++)
		values[i] = text_of(rows + i * layout->width + layout->at[column], bits / 8);
	bits_slice_wide(block, values, n, bits);
	for (int p = 0; p < bits; p++)
		memcpy(planes + p * BIT_WORDS(total) + first / 64, block + p * BIT_WORDS(n), BIT_WORDS(n) * sizeof(uint64));
	wipe(values, sizeof(uint128) * n);
	wipe(block, sizeof(uint64) * bits * BIT_WORDS(n));
	pfree(values);
	pfree(block);
}

void
columns_put_rows(const RowLayout *layout, LoadedColumn *columns, SharedBits *valid, Summand summand,
				 size_t first, const uint8 *rows, size_t n)
{
	Assert(first % 64 == 0);
	for (int i = 0; i < layout->ncolumns; i++)
	{
		LoadedColumn *column = &columns[i];

		if (secret_is_number(&column->type))
			for (size_t r = 0; r < n; r++)
				elements_of(&column->numbers, summand)[first + r] = row_number(layout, rows + r * layout->width, i);
		else if (column->type.kind == SECRET_TEXT)
			put_text(layout, i, words_of(&column->bits, summand), column->bits.n, first, rows, n);
		else
			put_bit(layout, layout->bit[i], words_of(&column->bits, summand) + first / 64, rows, n);
		if (column->type.nullable)
			put_bit(layout, layout->null_bit[i], words_of(&column->nulls, summand) + first / 64, rows, n);
	}
	if (valid != NULL)
		put_bit(layout, layout->valid_bit, words_of(valid, summand) + first / 64, rows, n);
}

/* ---- columns to rows ---- */

static inline int
plane_bit(const uint64 *plane, size_t i)
{
	return (plane[i / 64] >> (i % 64)) & 1;
}

static void
get_bit(const RowLayout *layout, int bit, uint8 *rows, const uint64 *plane, size_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		row_put_bit(layout, rows + i * layout->width, bit, plane_bit(plane, first + i));
}

static void
get_text(const RowLayout *layout, int column, uint8 *rows, const uint64 *planes, size_t total, size_t first, size_t n)
{
	int			bits = layout->types[column].bits;

	for (int p = 0; p < bits; p++)
	{
		int			byte = layout->at[column] + (bits - 1 - p) / 8;

		for (size_t i = 0; i < n; i++)
			rows[i * layout->width + byte] |= plane_bit(planes + p * BIT_WORDS(total), first + i) << (p % 8);
	}
}

void
columns_get_rows(const RowLayout *layout, const LoadedColumn *columns, const SharedBits *valid,
				 Summand summand, size_t first, uint8 *rows, size_t n)
{
	for (int i = 0; i < layout->ncolumns; i++)
	{
		const LoadedColumn *column = &columns[i];

		if (secret_is_number(&column->type))
			for (size_t r = 0; r < n; r++)
				row_put_number(layout, rows + r * layout->width, i, elements_of(&column->numbers, summand)[first + r]);
		else if (column->type.kind == SECRET_TEXT)
			get_text(layout, i, rows, words_of(&column->bits, summand), column->bits.n, first, n);
		else
			get_bit(layout, layout->bit[i], rows, words_of(&column->bits, summand), first, n);
		if (column->type.nullable)
			get_bit(layout, layout->null_bit[i], rows, words_of(&column->nulls, summand), first, n);
	}
	if (valid != NULL)
		get_bit(layout, layout->valid_bit, rows, words_of(valid, summand), first, n);
}
