/*
 * sim_table.h
 *	  Rows in the clear, shared as tables, and rebuilt from them.
 */
#ifndef SIM_TABLE_H
#define SIM_TABLE_H

#include "sim64.h"

#include "mpc/table.h"

#define COLUMNS_HERE	16

/* Rows in the clear. */
typedef struct Clear
{
	size_t		n;
	int			slices;
	int			planes[COLUMNS_HERE];
	int			numbers;
	uint64	   *slice[COLUMNS_HERE];
	uint64	   *number[COLUMNS_HERE];
} Clear;

static inline uint64
low_bits(uint64 x, int planes)
{
	return planes == 64 ? x : x & ((UINT64CONST(1) << planes) - 1);
}

static inline Clear
clear_rows(size_t n, int slices, const int *planes, int numbers)
{
	Clear		clear = {n, slices};

	clear.numbers = numbers;
	for (int c = 0; c < slices; c++)
	{
		clear.planes[c] = planes[c];
		clear.slice[c] = palloc0(Max(n, 1) * sizeof(uint64));
	}
	for (int c = 0; c < numbers; c++)
		clear.number[c] = palloc0(Max(n, 1) * sizeof(uint64));
	return clear;
}

static inline void
clear_free(Clear *clear)
{
	for (int c = 0; c < clear->slices; c++)
		pfree(clear->slice[c]);
	for (int c = 0; c < clear->numbers; c++)
		pfree(clear->number[c]);
}

static inline void
sim_share_table(Table table[PARTIES], const Clear *clear, Prg *prg)
{
	for (int i = 0; i < PARTIES; i++)
	{
		table[i].n = clear->n;
		table[i].slices = clear->slices;
		table[i].numbers = clear->numbers;
		table[i].slice = palloc(COLUMNS_HERE * sizeof(SharedBits));
		table[i].number = palloc(COLUMNS_HERE * sizeof(Shared64));
	}
	for (int c = 0; c < clear->slices; c++)
	{
		SharedBits	shared[PARTIES];

		sim_share_bits(shared, clear->slice[c], clear->planes[c], clear->n, prg);
		for (int i = 0; i < PARTIES; i++)
			table[i].slice[c] = shared[i];
	}
	for (int c = 0; c < clear->numbers; c++)
	{
		Shared64	shared[PARTIES];

		sim_share64(shared, clear->number[c], clear->n, prg, sim_u64(prg) % 2);
		for (int i = 0; i < PARTIES; i++)
			table[i].number[c] = shared[i];
	}
}

static inline void
sim_free_table(Table table[PARTIES])
{
	for (int i = 0; i < PARTIES; i++)
	{
		for (int c = 0; c < table[i].slices; c++)
			shared_bits_free(&table[i].slice[c]);
		for (int c = 0; c < table[i].numbers; c++)
			shared64_free(&table[i].number[c]);
		pfree(table[i].slice);
		pfree(table[i].number);
	}
}

static inline Clear
sim_rebuild_table(const Table table[PARTIES])
{
	int			planes[COLUMNS_HERE];
	Clear		clear;

	for (int c = 0; c < table->slices; c++)
		planes[c] = table->slice[c].planes;
	clear = clear_rows(table->n, table->slices, planes, table->numbers);
	for (int c = 0; c < table->slices; c++)
	{
		SharedBits	shared[PARTIES];
		uint64	   *words;
		uint64	   *again = palloc0((1 + planes[c] * BIT_WORDS(table->n)) * sizeof(uint64));

		for (int i = 0; i < PARTIES; i++)
			shared[i] = table[i].slice[c];
		CHECK(shared->n == table->n, "column %d", c);
		words = sim_rebuild_bits(shared);
		bits_unslice(clear.slice[c], words, table->n, planes[c]);
		bits_slice(again, clear.slice[c], table->n, planes[c]);
		CHECK(memcmp(again, words, planes[c] * BIT_WORDS(table->n) * sizeof(uint64)) == 0, "tails");
		pfree(words);
		pfree(again);
	}
	for (int c = 0; c < table->numbers; c++)
	{
		Shared64	shared[PARTIES];
		uint64	   *values;

		for (int i = 0; i < PARTIES; i++)
			shared[i] = table[i].number[c];
		CHECK(shared->n == table->n, "column %d", c);
		values = sim_rebuild64(shared);
		memcpy(clear.number[c], values, table->n * sizeof(uint64));
		pfree(values);
	}
	return clear;
}

#endif							/* SIM_TABLE_H */
