/*
 * group.c
 *	  Sorted rows: groups with their sums and counts; and rows that are left over.
 *
 * The last row of a group is where the next one's key is another.  Sums from the first
 * row on are local; those in the last rows of two neighbouring groups differ by what
 * is in the second group.  So groups cost one equality a row, and moving their last rows
 * together.  [mpc/README.md, "Group"]
 */
#include "mpc/group.h"

#include "mpc/arith64.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/shuffle.h"

/* ---- compaction ---- */

/*
 * place = where each row goes, and kept = how many are kept.
 *
 * e = the bits as numbers, E their prefix sums, T = E of the last row.  A row that is kept goes to E - 1, another
 * to T plus how many others are before it: T + v - E.  Both: T + v - E + e (2 E - 1 - T - v).
 */
static void
places(Party *self, Shared64 *place, Shared64 *kept, const SharedBits *keep)
{
	size_t		n = place->n;
	Shared64	e = shared64_alloc(n);
	Shared64	sums = shared64_alloc(n);
	Shared64	factor = shared64_alloc(n);
	uint64	   *numbers = table_words(n);

	convert_bit_to_ring64(self, &e, keep);
	shared64_copy(&sums, &e);
	shared64_prefix_sums(&sums);
	kept->mine[0] = sums.mine[n - 1];
	kept->next[0] = sums.next[n - 1];

	for (size_t v = 0; v < n; v++)
		numbers[v] = v;
	arith64_public(self, place, numbers);
	for (size_t v = 0; v < n; v++)
	{
		place->mine[v] += kept->mine[0] - sums.mine[v];
		place->next[v] += kept->next[0] - sums.next[v];
		factor.mine[v] = sums.mine[v] - place->mine[v];
		factor.next[v] = sums.next[v] - place->next[v];
	}
	/* factor = E - 1 - (T + v - E) */
	arith64_add_constant(self, &factor, &factor, -1);
	arith64_multiply(self, &factor, &factor, &e);
	shared64_add(place, place, &factor);
	shared64_free(&e);
	shared64_free(&sums);
	shared64_free(&factor);
	pfree(numbers);
}

/* The table with another column of numbers, the last. */
static Table
with_column(const Table *table, Shared64 column)
{
	Table		longer = *table;

	longer.numbers++;
	longer.number = palloc(longer.numbers * sizeof(Shared64));
	for (int c = 0; c < table->numbers; c++)
		longer.number[c] = table->number[c];
	longer.number[table->numbers] = column;
	return longer;
}

/* Opens the places of shuffled rows: a random permutation. */
static uint32 *
open_places(Party *self, const Shared64 *place)
{
	size_t		n = place->n;
	uint64	   *to = table_words(n);
	uint32	   *from = palloc_extended(n * sizeof(uint32), MCXT_ALLOC_HUGE);
	uint8	   *seen = palloc_extended(n, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	arith64_open(self, to, place);
	for (size_t v = 0; v < n; v++)
	{
		/* Whoever cheats must not make us write elsewhere. */
		if (to[v] >= n || seen[to[v]]++)
			fail(ERRCODE_SECMED_PROTOCOL, "the opened places of %zu rows are no permutation", n);
		from[to[v]] = v;
	}
	pfree(to);
	pfree(seen);
	return from;
}

void
group_compact(Party *self, Table *table, int keep, size_t size, Shared64 *kept)
{
	Shared64	count = shared64_zero(1);
	Shared64	place;
	Table		longer;
	uint32	   *from;

	if (table->n > 0)
	{
		place = shared64_alloc(table->n);
		places(self, &place, &count, &table->slice[keep]);
		if (size == SIZE_OPENED)
		{
			uint64		opened;

			arith64_open(self, &opened, &count);
			size = opened;
		}
		longer = with_column(table, place);
		shuffle_table(self, &longer);
		from = open_places(self, &longer.number[table->numbers]);
		shared64_free(&longer.number[table->numbers]);
		pfree(longer.number);
		table_take(table, from, Min(size, table->n));
		pfree(from);
	}
	if (kept)
		shared64_copy(kept, &count);
	shared64_free(&count);
}

/* ---- groups ---- */

/* The planes `used` and on of differ = rows 0 to n - 2 of a column XOR rows 1 to n - 1. */
static int
append_differences(SharedBits *differ, int used, const SharedBits *column)
{
	SharedBits	part = shared_bits_view(differ, used, column->planes);
	SharedBits	here = shared_bits_cut(column, 0, column->n - 1);
	SharedBits	below = shared_bits_cut(column, 1, column->n - 1);

	logic_xor(&here, &below);
	shared_bits_copy(&part, &here);
	shared_bits_free(&here);
	shared_bits_free(&below);
	return used + column->planes;
}

/* Valid rows come first: a row is valid if the next one is. */
static int
append_valid(Party *self, SharedBits *differ, const SharedBits *valid)
{
	SharedBits	part = shared_bits_view(differ, 0, 1);
	SharedBits	below = shared_bits_cut(valid, 1, valid->n - 1);

	logic_not(self, &below);
	shared_bits_copy(&part, &below);
	shared_bits_free(&below);
	return 1;
}

/* equal[v] = rows v and v + 1 are valid and of one group, for all rows but the last. */
static SharedBits
equal_to_next(Party *self, const Table *table, const Grouping *by)
{
	int			planes = 1;
	int			used;
	SharedBits	same;
	SharedBits	equal = shared_bits_alloc(1, table->n - 1);

	for (int k = 0; k < by->key_count; k++)
		planes += table->slice[by->keys[k]].planes;
	same = shared_bits_raw(planes, table->n - 1);
	used = append_valid(self, &same, &table->slice[by->valid]);
	for (int k = 0; k < by->key_count; k++)
		used = append_differences(&same, used, &table->slice[by->keys[k]]);
	logic_not(self, &same);
	logic_and_all(self, &equal, &same);
	shared_bits_free(&same);
	return equal;
}

SharedBits
group_same(Party *self, const Table *table, const Grouping *by)
{
	SharedBits	none = shared_bits_alloc(1, Min(table->n, 1));
	SharedBits	equal;
	SharedBits	same;

	if (table->n == 0)
		return none;
	equal = equal_to_next(self, table, by);
	same = shared_bits_append(&equal, &none);
	shared_bits_free(&equal);
	shared_bits_free(&none);
	return same;
}

/* The column of validity becomes that of the last rows of groups. */
static void
mark_ends(Party *self, Table *table, const Grouping *by, SharedBits *same)
{
	logic_not(self, same);
	logic_and(self, &table->slice[by->valid], &table->slice[by->valid], same);
}

/* Valid rows come first, so what is in the others changes no sum that is used, and the v-th is the v-th valid one. */
static void
sum_from_first(Party *self, Table *table, const Grouping *by)
{
	for (int k = 0; k < by->sum_count; k++)
		shared64_prefix_sums(&table->number[by->sums[k]]);
	if (by->rows != GROUP_WITHOUT_ROWS)
	{
		Shared64   *rows = &table->number[by->rows];

		arith64_constant(self, rows, 1);
		shared64_prefix_sums(rows);
	}
}

void
group_table(Party *self, Table *table, const Grouping *by, size_t size, Shared64 *groups)
{
	SharedBits	same = group_same(self, table, by);

	group_rows(self, table, by, &same, size, groups);
	shared_bits_free(&same);
}

void
group_rows(Party *self, Table *table, const Grouping *by, SharedBits *same, size_t size, Shared64 *groups)
{
	if (table->n > 0)
	{
		mark_ends(self, table, by, same);
		sum_from_first(self, table, by);
	}
	group_compact(self, table, by->valid, size, groups);
	for (int k = 0; k < by->sum_count; k++)
		shared64_differences(&table->number[by->sums[k]]);
	if (by->rows != GROUP_WITHOUT_ROWS)
		shared64_differences(&table->number[by->rows]);
}
