/*
 * place.c
 *	  Rows to places that nobody knows.
 */
#include "mpc/place.h"

#include "mpc/arith64.h"
#include "mpc/logic.h"
#include "mpc/shuffle.h"

/* What a permutation takes in the clear. */
static uint64
need_of(size_t n)
{
	return n * (uint64) (2 * sizeof(uint64) + 2 * sizeof(uint32));
}

/* inverse[places[v]] = v.  Whoever cheats must not make us write elsewhere. */
static uint32 *
inverse_of(const uint64 *places, size_t n)
{
	uint32	   *inverse = palloc_extended(n * sizeof(uint32), MCXT_ALLOC_HUGE);
	uint8	   *seen = palloc_extended(n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	for (size_t v = 0; v < n; v++)
	{
		if (places[v] >= n || seen[places[v]]++)
			fail(ERRCODE_SECMED_PROTOCOL, "the opened places of %zu rows are no permutation", n);
		inverse[places[v]] = v;
	}
	pfree(seen);
	return inverse;
}

void
place_by_bits(Party *self, Table *table, int column, size_t first, size_t count)
{
	uint64		need = need_of(table->n);
	SharedBits	place;
	uint64	   *words;
	uint64	   *places;
	uint32	   *from;

	shuffle_table(self, table);
	place = table_remove_slice(table, column);
	party_reserve(self, "moving rows", need);
	words = table_words(place.planes * BIT_WORDS(table->n));
	places = table_words(table->n);
	logic_open(self, words, &place);
	bits_unslice(places, words, table->n, place.planes);
	from = inverse_of(places, table->n);
	table_free_words(words, place.planes * BIT_WORDS(table->n));
	table_free_words(places, table->n);
	table_take(table, from + first, count);
	shared_bits_free(&place);
	pfree(from);
	party_release(self, need);
}

void
place_by_numbers(Party *self, Table *table, int column, size_t first, size_t count)
{
	uint64		need = need_of(table->n);
	Shared64	place;
	uint64	   *places;
	uint32	   *from;

	shuffle_table(self, table);
	place = table_remove_number(table, column);
	party_reserve(self, "moving rows", need);
	places = table_words(table->n);
	arith64_open(self, places, &place);
	from = inverse_of(places, table->n);
	table_free_words(places, table->n);
	table_take(table, from + first, count);
	shared64_free(&place);
	pfree(from);
	party_release(self, need);
}

SharedBits
place_row_numbers(Party *self, size_t n)
{
	SharedBits	rows = shared_bits_raw(table_row_planes(n), n);
	uint64	   *numbers = table_words(n);
	uint64	   *words = table_words(rows.planes * BIT_WORDS(n));

	for (size_t v = 0; v < n; v++)
		numbers[v] = v;
	bits_slice(words, numbers, n, rows.planes);
	logic_public(self, &rows, words);
	table_free_words(numbers, n);
	table_free_words(words, rows.planes * BIT_WORDS(n));
	return rows;
}

/* ---- taking: the places to be filled are shuffled, then what fills them goes back ---- */

/* Rows take what their numbers say, in a random order that is known; where each of them was, is not. */
static void
take_opened(Party *self, Table *table, const Shared64 *from)
{
	uint64	   *opened = table_words(from->n);
	uint32	   *inverse;
	uint32	   *rows = palloc_extended(from->n * sizeof(uint32), MCXT_ALLOC_HUGE);

	arith64_open(self, opened, from);
	/* Only to see that it is a permutation. */
	inverse = inverse_of(opened, from->n);
	for (size_t v = 0; v < from->n; v++)
		rows[v] = opened[v];
	table_take(table, rows, from->n);
	table_free_words(opened, from->n);
	pfree(inverse);
	pfree(rows);
}

void
place_take(Party *self, Table *table, const Shared64 *from)
{
	uint64		need = need_of(from->n);
	Table		places;

	if (from->n == 0)
		return;
	places = table_create(from->n);
	party_reserve(self, "moving rows", need);
	table_add_number(&places, shared64_alloc(from->n));
	shared64_copy(&places.number[0], from);
	table_add_slice(&places, place_row_numbers(self, from->n));
	shuffle_table(self, &places);
	table_pad(table, from->n);
	take_opened(self, table, &places.number[0]);
	party_release(self, need);

	table_add_slice(table, table_remove_slice(&places, 0));
	table_destroy(&places);
	place_by_bits(self, table, table->slices - 1, 0, table->n);
}
