/*
 * expand.c
 *	  Each row as many times as a shared number says.
 *
 * Row v goes to place v + p, where p is the number of copies before it, and then its copies
 * follow.  A network of log2 of all copies levels finds out which places those are: in the
 * level of 2^j a row moves on by 2^j places if bit j of its p is set.  From the highest
 * bit to the lowest no two rows meet, for neither v + p nor p without its low bits ever falls.  What runs
 * through it is one bit and what is left of p; the rows themselves follow in two shuffles.
 * [The network: Krastnikov, Kerschbaum, Stebila: Efficient Oblivious Database Joins,
 * VLDB 2020, section 5.2; a row that stays for itself, so that all move, and that only bits run
 * through it: ours; mpc/README.md, "Expand"]
 */
#include "mpc/expand.h"

#include "mpc/arith64.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/place.h"
#include "mpc/scan.h"

/* ---- which places ---- */

/* p = how many copies there are of the rows before. */
static SharedBits
copies_before(Party *self, const Shared64 *copies, int planes)
{
	Shared64	sums = shared64_alloc(copies->n);
	SharedBits	before = shared_bits_raw(planes, copies->n);

	shared64_copy(&sums, copies);
	shared64_prefix_sums(&sums);
	shared64_subtract(&sums, &sums, copies);
	convert_to_bits(self, &before, &sums);
	shared64_free(&sums);
	return before;
}

/*
 * x becomes x without what moves, and `moving` from `by` places before it; so many places that
 * there are n at most.
 */
static void
move_on(SharedBits *x, const SharedBits *moving, size_t by, size_t n)
{
	SharedBits	zeros = shared_bits_alloc(x->planes, by);
	SharedBits	moved = shared_bits_append(&zeros, moving);
	SharedBits	longer;
	SharedBits	arrived;

	logic_xor(x, moving);
	longer = shared_bits_append(x, &zeros);
	shared_bits_free(x);
	*x = shared_bits_cut(&longer, 0, Min(n, longer.n));
	arrived = shared_bits_cut(&moved, 0, x->n);
	logic_xor(x, &arrived);
	shared_bits_free(&zeros);
	shared_bits_free(&moved);
	shared_bits_free(&longer);
	shared_bits_free(&arrived);
}

/* One level: `taken`, and the planes of `left` below its highest, which leaves it. */
static void
network_level(Party *self, SharedBits *taken, SharedBits *left, size_t n)
{
	int			planes = left->planes - 1;
	SharedBits	moves = shared_bits_view(left, planes, 1);
	SharedBits	low = shared_bits_view(left, 0, planes);
	SharedBits	rest = shared_bits_raw(planes, left->n);
	SharedBits	moving = shared_bits_raw(planes, left->n);
	size_t		by = (size_t) 1 << planes;

	/* A place that is not taken has no p, and does not move. */
	move_on(taken, &moves, by, n);
	if (planes > 0)
	{
		logic_and_bit(self, &moving, &low, &moves);
		shared_bits_copy(&rest, &low);
		move_on(&rest, &moving, by, n);
	}
	shared_bits_free(&moving);
	shared_bits_free(left);
	*left = rest;
}

/* One plane: which of n places are those of rows. */
static SharedBits
find_places(Party *self, const Shared64 *copies, size_t total)
{
	SharedBits	taken = shared_bits_alloc(1, copies->n);
	SharedBits	left = copies_before(self, copies, table_row_planes(total + 1));

	logic_constant(self, &taken, true);
	while (left.planes > 0)
		network_level(self, &taken, &left, copies->n + total);
	shared_bits_free(&left);
	Assert(taken.n == copies->n + total);
	return taken;
}

/* ---- rows to their places ---- */

/*
 * What is to come to each place: of the places taken the k-th gets row k, of the others the k-th gets row
 * `rows` + k, which is none.  E = how many are taken so far, e = taken: rows + v - E + e (2 E - 1 - rows - v).
 */
static void
rows_for_places(Party *self, Shared64 *row, const Shared64 *taken, size_t rows)
{
	Shared64	sums = shared64_alloc(row->n);
	Shared64	other = shared64_alloc(row->n);
	uint64	   *numbers = table_words(row->n);

	shared64_copy(&sums, taken);
	shared64_prefix_sums(&sums);
	for (size_t v = 0; v < row->n; v++)
		numbers[v] = rows + v;
	arith64_public(self, &other, numbers);
	shared64_subtract(&other, &other, &sums);
	arith64_add_constant(self, &sums, &sums, -1);
	shared64_subtract(row, &sums, &other);
	arith64_multiply(self, row, row, taken);
	shared64_add(row, row, &other);
	shared64_free(&sums);
	shared64_free(&other);
	table_free_words(numbers, row->n);
}

static void
copy_rows(Party *self, Table *table, const SharedBits *taken, const Shared64 *first)
{
	SharedBits	pass = shared_bits_cut(taken, 0, taken->n);
	Shared64	factor = shared64_alloc(first->n);

	logic_not(self, &pass);
	scan_copy_bits(self, table->slice, table->slices, &pass);
	shared64_negate(&factor, first);
	arith64_add_constant(self, &factor, &factor, 1);
	scan_copy_with(self, table->number, table->numbers, &factor);
	shared_bits_free(&pass);
	shared64_free(&factor);
}

void
expand_table(Party *self, Table *table, const Shared64 *copies, size_t total, Shared64 *first)
{
	size_t		n = table->n + total;
	uint64		need = 6 * (uint64) table_row_planes(total + 1) * BIT_WORDS(n) * 2 * sizeof(uint64) +
		8 * (uint64) n * sizeof(uint64);
	SharedBits	taken;
	Shared64	row;

	Assert(copies->n == table->n && first->n == n);
	if (total == 0)
	{
		arith64_constant(self, first, 1);
		return;
	}
	party_reserve(self, "expanding rows", need);
	taken = find_places(self, copies, total);
	convert_bit_to_ring64(self, first, &taken);
	row = shared64_alloc(n);
	rows_for_places(self, &row, first, table->n);
	place_take(self, table, &row);
	copy_rows(self, table, &taken, first);
	shared64_free(&row);
	shared_bits_free(&taken);
	party_release(self, need);
}
