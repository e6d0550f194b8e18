/*
 * join.c
 *	  Rows of two tables whose keys are equal, where one side's keys are unique.
 *
 * The rows of both are sorted together, the unique side's before the other's of the same
 * key.  What they hold is copied down (scan.c), and then all rows go back where they came from: a shuffle,
 * after which the place that each row had may be opened.  So nothing of the other side but its
 * keys ever moves.  [The sorting together: Blanton, Aguiar: Private and Oblivious Set and Multiset
 * Operations, ASIACCS 2012; copying and going back: ours; mpc/README.md, "Join"]
 */
#include "mpc/join_sides.h"

#include "mpc/logic.h"
#include "mpc/place.h"
#include "mpc/rows.h"
#include "mpc/scan.h"

/* Columns of both sides end to end, the unique side first; then that side's values. */
enum
{
	PLACE,						/* where the row was, public until the sort; opened at last */
	UNIQUE						/* is of the unique side; later: has a row of it before it, or is one */
};

/* Its columns, of more rows than it has. */
static void
add_values(Table *both, const JoinSide *one)
{
	Table		values = table_create(one->table->n);

	for (int k = 0; k < one->slice_count; k++)
	{
		const SharedBits *column = &one->table->slice[one->slices[k]];

		table_add_slice(&values, shared_bits_cut(column, 0, column->n));
	}
	for (int k = 0; k < one->number_count; k++)
	{
		table_add_number(&values, shared64_alloc(values.n));
		shared64_copy(&values.number[k], &one->table->number[one->numbers[k]]);
	}
	table_pad(&values, both->n);
	columns_beside(both, &values);
	table_destroy(&values);
}

static Table
both_sides(Party *self, const JoinSide *one, const JoinSide *many)
{
	Table		both = table_create(one->table->n + many->table->n);

	table_add_slice(&both, place_row_numbers(self, both.n));
	table_add_slice(&both, join_first_rows(self, one->table->n, both.n));
	add_values(&both, one);
	return both;
}

/* A row of the unique side that has the key of the row before it, which then is one too. */
static void
find_duplicate(Party *self, SharedBits *duplicate, const Table *both, const SharedBits *pass)
{
	SharedBits	again = shared_bits_raw(1, both->n);

	logic_and(self, &again, &both->slice[UNIQUE], pass);
	scan_any(self, duplicate, &again);
	shared_bits_free(&again);
}

/* A row that matches is valid. */
static void
set_validity(Party *self, JoinKind kind, SharedBits *valid, const SharedBits *matched)
{
	if (kind == JOIN_INNER || kind == JOIN_SEMI)
		shared_bits_copy(valid, matched);
	else if (kind == JOIN_ANTI)
		logic_xor(valid, matched);
}

/* What is zero where nothing matched is to be 1 there. */
static void
set_nulls(Party *self, Table *beside, int count)
{
	for (int c = beside->slices - count; c < beside->slices; c++)
	{
		logic_not(self, &beside->slice[c]);
		logic_xor(&beside->slice[c], &beside->slice[0]);
	}
}

void
join_unique(Party *self, JoinKind kind, const JoinSide *many, const JoinSide *one,
			Table *beside, SharedBits *duplicate, SortWork *work)
{
	Table		both = both_sides(self, one, many);
	uint64		need = table_bytes(&both);
	SharedBits	pass;

	Assert(many->number_count == 0 && many->slice_count == 0);
	party_reserve(self, "joining", need);
	pass = join_sort_sides(self, &both, one, many, work);
	find_duplicate(self, duplicate, &both, &pass);
	scan_copy_bits(self, &both.slice[UNIQUE], both.slices - UNIQUE, &pass);
	scan_copy_numbers(self, both.number, both.numbers, &pass);
	shared_bits_free(&pass);
	place_by_bits(self, &both, PLACE, one->table->n, many->table->n);
	party_release(self, need);

	/* The first column is UNIQUE now. */
	set_validity(self, kind, &many->table->slice[many->valid], &both.slice[0]);
	if (kind == JOIN_LEFT)
		set_nulls(self, &both, one->value_nulls);
	*beside = both;
}
