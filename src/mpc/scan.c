/*
 * scan.c
 *	  What a row takes from the rows before it.
 *
 * Two neighbouring spans of rows become one: its last row takes from the last row of the first
 * span, if no stretch begins in the second.  On the way up spans of 2, 4, 8, ...
 * rows are made of pairs; on the way down the rows between take from the span that ends
 * before them.  Less than 2 n joins, in 2 log2 n levels.  [Brent, Kung: A Regular Layout for
 * Parallel Adders, IEEE Transactions on Computers, 1982; with stretches: Blelloch: Prefix
 * Sums and Their Applications, CMU-CS-90-190, 1990, section 1.5]
 *
 * What is joined may be anything that is associative.  That it is always the row before that
 * is copied, or the lesser of both, makes all operations here.
 */
#include "mpc/scan.h"

#include "mpc/adder.h"
#include "mpc/arith64.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/table.h"

int
scan_levels(size_t n)
{
	int			levels = 0;

	for (size_t left = n; left > 1; left /= 2)
		levels += left > 2 ? 2 : 1;
	return levels;
}

/* ---- bits: planes are dealt into the rows of a level and those of the next ---- */

/*
 * Row v of x takes from row v of `before`, if its pass is 1.  pass becomes pass & pass_before,
 * unless that is NULL.
 */
typedef void (*Join) (Party *self, SharedBits *x, SharedBits *pass,
					  const SharedBits *before, const SharedBits *pass_before);

/* x = choice ? before : x, and in the same round pass and pass_before in one. */
static void
take_from(Party *self, SharedBits *x, SharedBits *pass, const SharedBits *choice,
		  const SharedBits *before, const SharedBits *pass_before)
{
	Gate	   *gates = palloc0((x->planes + 1) * sizeof(Gate));
	Gate	   *last = &gates[x->planes];

	for (int k = 0; k < x->planes; k++)
	{
		gates[k].z = gates[k].y = gates[k].v = plane_ref(x, k);
		gates[k].y2 = plane_ref(before, k);
		gates[k].x = plane_ref(choice, 0);
	}
	if (pass_before)
	{
		last->z = last->x = plane_ref(pass, 0);
		last->y = plane_ref(pass_before, 0);
	}
	logic_gates(self, gates, x->planes + (pass_before ? 1 : 0), x->n);
	pfree(gates);
}

static void
join_copy(Party *self, SharedBits *x, SharedBits *pass,
		  const SharedBits *before, const SharedBits *pass_before)
{
	take_from(self, x, pass, pass, before, pass_before);
}

/*
 * less = pass and before < x, by the tree of "Compare": a = x and p = NOT (x ^ before) for each
 * bit, and above them all a = 0 and p = pass.  No carry goes into the lowest bit: where
 * the two are equal, less may be anything.
 */
static SharedBits
passing_less(Party *self, const SharedBits *x, const SharedBits *pass, const SharedBits *before)
{
	SharedBits	less = shared_bits_raw(1, x->n);
	SharedBits	a = shared_bits_alloc(x->planes + 1, x->n);
	SharedBits	p = shared_bits_raw(x->planes + 1, x->n);
	SharedBits	a_bits = shared_bits_view(&a, 0, x->planes);
	SharedBits	p_bits = shared_bits_view(&p, 0, x->planes);
	SharedBits	p_above = shared_bits_view(&p, x->planes, 1);

	shared_bits_copy(&a_bits, x);
	shared_bits_copy(&p_bits, x);
	logic_xor(&p_bits, before);
	logic_not(self, &p_bits);
	shared_bits_copy(&p_above, pass);
	adder_top(self, &less, &a, &p);
	shared_bits_free(&a);
	shared_bits_free(&p);
	return less;
}

static void
join_least(Party *self, SharedBits *x, SharedBits *pass,
		   const SharedBits *before, const SharedBits *pass_before)
{
	SharedBits	less = passing_less(self, x, pass, before);

	take_from(self, x, pass, &less, before, pass_before);
	shared_bits_free(&less);
}

/* Rows 1, 2, ... of even take from the rows before them, which are in odd. */
static void
scan_down(Party *self, Join join, SharedBits *even, const SharedBits *pass, const SharedBits *odd)
{
	size_t		n = even->n - 1;
	SharedBits	first = shared_bits_cut(even, 0, 1);
	SharedBits	rest = shared_bits_cut(even, 1, n);
	SharedBits	rest_pass = shared_bits_cut(pass, 1, n);
	SharedBits	before = shared_bits_cut(odd, 0, n);

	join(self, &rest, &rest_pass, &before, NULL);
	shared_bits_free(even);
	*even = shared_bits_append(&first, &rest);
	shared_bits_free(&first);
	shared_bits_free(&rest);
	shared_bits_free(&rest_pass);
	shared_bits_free(&before);
}

/* Replaces x and destroys pass. */
static void
scan_bits(Party *self, Join join, SharedBits *x, SharedBits *pass)
{
	SharedBits	even;
	SharedBits	odd;
	SharedBits	even_pass;
	SharedBits	odd_pass;

	if (x->n <= 1)
		return;
	shared_bits_deal(x, &even, &odd);
	shared_bits_deal(pass, &even_pass, &odd_pass);
	shared_bits_free(x);
	if (even.n == odd.n)
		join(self, &odd, &odd_pass, &even, odd.n > 1 ? &even_pass : NULL);
	else
	{
		SharedBits	before = shared_bits_cut(&even, 0, odd.n);
		SharedBits	pass_before = shared_bits_cut(&even_pass, 0, odd.n);

		join(self, &odd, &odd_pass, &before, odd.n > 1 ? &pass_before : NULL);
		shared_bits_free(&before);
		shared_bits_free(&pass_before);
	}
	scan_bits(self, join, &odd, &odd_pass);
	if (even.n > 1)
		scan_down(self, join, &even, &even_pass, &odd);
	*x = shared_bits_interleave(&even, &odd);
	shared_bits_free(&even);
	shared_bits_free(&odd);
	shared_bits_free(&even_pass);
	shared_bits_free(&odd_pass);
}

/*
 * Of `planes` and a plane of pass: what is given, a level and the next one, its message, and for
 * comparisons twice the half of it.
 */
static uint64
scan_need(int planes, size_t n, bool compares)
{
	return (compares ? 34 : 24) * (uint64) (planes + 1) * BIT_WORDS(n) * 2 * sizeof(uint64) / 10;
}

/* ---- columns beside each other: they pass on together ---- */

static SharedBits
beside(const SharedBits *columns, int count)
{
	int			planes = 0;
	int			used = 0;
	SharedBits	all;

	for (int c = 0; c < count; c++)
		planes += columns[c].planes;
	all = shared_bits_raw(planes, columns[0].n);
	for (int c = 0; c < count; c++)
	{
		SharedBits	part = shared_bits_view(&all, used, columns[c].planes);

		shared_bits_copy(&part, &columns[c]);
		used += columns[c].planes;
	}
	return all;
}

static void
apart(SharedBits *columns, int count, const SharedBits *all)
{
	int			used = 0;

	for (int c = 0; c < count; c++)
	{
		SharedBits	part = shared_bits_view(all, used, columns[c].planes);

		shared_bits_copy(&columns[c], &part);
		used += columns[c].planes;
	}
}

void
scan_copy_bits(Party *self, SharedBits *columns, int count, const SharedBits *pass)
{
	SharedBits	all;
	SharedBits	all_pass;
	uint64		need;

	if (count == 0 || pass->n <= 1)
		return;
	all = beside(columns, count);
	need = scan_need(all.planes, all.n, false);
	party_reserve(self, "copying down", need);
	all_pass = shared_bits_cut(pass, 0, pass->n);
	scan_bits(self, join_copy, &all, &all_pass);
	apart(columns, count, &all);
	shared_bits_free(&all);
	shared_bits_free(&all_pass);
	party_release(self, need);
}

/* ---- columns end to end: each has joins of its own, in the rounds of one ---- */

static SharedBits
end_to_end(const SharedBits *columns, int count)
{
	SharedBits	all = shared_bits_cut(&columns[0], 0, columns[0].n);

	for (int c = 1; c < count; c++)
	{
		SharedBits	longer = shared_bits_append(&all, &columns[c]);

		shared_bits_free(&all);
		all = longer;
	}
	return all;
}

static void
cut_up(SharedBits *columns, int count, const SharedBits *all)
{
	for (int c = 0; c < count; c++)
	{
		size_t		n = columns[c].n;
		SharedBits	part = shared_bits_cut(all, c * n, n);

		shared_bits_copy(&columns[c], &part);
		shared_bits_free(&part);
	}
}

/* pass for each of them; no first row looks back. */
static SharedBits
end_to_end_pass(const SharedBits *pass, int count)
{
	SharedBits	once = shared_bits_cut(pass, 0, pass->n);
	SharedBits	all = once;

	once.mine[0] &= ~UINT64CONST(1);
	once.next[0] &= ~UINT64CONST(1);
	for (int c = 1; c < count; c++)
	{
		SharedBits	longer = shared_bits_append(&all, &once);

		if (c > 1)
			shared_bits_free(&all);
		all = longer;
	}
	if (count > 1)
		shared_bits_free(&once);
	return all;
}

/* Where a column is 1 nothing is taken: what a row has is the nearest 1 there is, or 0. */
static void
or_of_all(Party *self, SharedBits *all, SharedBits *pass)
{
	SharedBits	none = shared_bits_cut(all, 0, all->n);

	logic_not(self, &none);
	logic_and(self, pass, pass, &none);
	shared_bits_free(&none);
	scan_bits(self, join_copy, all, pass);
}

static void
least_of_all(Party *self, SharedBits *all, SharedBits *pass)
{
	scan_bits(self, join_least, all, pass);
}

/* `inverted`: what is done to NOT x gives NOT of what is wanted. */
static void
scan_each(Party *self, SharedBits *columns, int count, const SharedBits *pass, bool inverted,
		  const char *what, void (*step) (Party *self, SharedBits *all, SharedBits *pass))
{
	SharedBits	all;
	SharedBits	all_pass;
	uint64		need;

	if (count == 0 || pass->n == 0)
		return;
	need = scan_need(columns[0].planes, count * pass->n, true);
	party_reserve(self, what, need);
	all = end_to_end(columns, count);
	all_pass = end_to_end_pass(pass, count);
	if (inverted)
		logic_not(self, &all);
	step(self, &all, &all_pass);
	if (inverted)
		logic_not(self, &all);
	cut_up(columns, count, &all);
	shared_bits_free(&all);
	shared_bits_free(&all_pass);
	party_release(self, need);
}

void
scan_or(Party *self, SharedBits *columns, int count, const SharedBits *pass)
{
	scan_each(self, columns, count, pass, false, "scanning bits", or_of_all);
}

void
scan_and(Party *self, SharedBits *columns, int count, const SharedBits *pass)
{
	scan_each(self, columns, count, pass, true, "scanning bits", or_of_all);
}

void
scan_least(Party *self, SharedBits *columns, int count, const SharedBits *pass)
{
	scan_each(self, columns, count, pass, false, "looking for minima", least_of_all);
}

void
scan_greatest(Party *self, SharedBits *columns, int count, const SharedBits *pass)
{
	scan_each(self, columns, count, pass, true, "looking for maxima", least_of_all);
}

void
scan_any(Party *self, SharedBits *any, const SharedBits *x)
{
	SharedBits	left = shared_bits_cut(x, 0, x->n);

	Assert(x->planes == 1 && any->planes == 1 && any->n == 1);
	while (left.n > 1)
	{
		size_t		half = left.n / 2;
		SharedBits	low = shared_bits_cut(&left, 0, half);
		SharedBits	middle = shared_bits_cut(&left, half, left.n - 2 * half);
		SharedBits	high = shared_bits_cut(&left, left.n - half, half);

		logic_or(self, &low, &low, &high);
		shared_bits_free(&left);
		left = shared_bits_append(&low, &middle);
		shared_bits_free(&low);
		shared_bits_free(&middle);
		shared_bits_free(&high);
	}
	logic_constant(self, any, false);
	if (left.n == 1)
		shared_bits_copy(any, &left);
	shared_bits_free(&left);
}

/* ---- numbers: rows stay where they are ---- */

/*
 * Rows first, first + stride, ... take the columns from the row `back` before each.  One row of
 * the products holds, for each column, pass times the difference, and then, on the way up, pass
 * times the pass of that row.
 */
typedef struct Level
{
	size_t		first;
	size_t		stride;
	size_t		back;
	size_t		n;
} Level;

static void
load_level(const Level *level, const Shared64 *columns, int count, const Shared64 *pass, bool up,
		   bool next, uint64 *product, uint64 *factor)
{
	const uint64 *p = next ? pass->next : pass->mine;
	int			width = count + (up ? 1 : 0);

	for (int c = 0; c < count; c++)
	{
		const uint64 *x = next ? columns[c].next : columns[c].mine;

		for (size_t j = 0, v = level->first; j < level->n; j++, v += level->stride)
			product[j * width + c] = x[v - level->back] - x[v];
	}
	for (size_t j = 0, v = level->first; j < level->n; j++, v += level->stride)
	{
		factor[j] = p[v];
		if (up)
			product[j * width + count] = p[v - level->back];
	}
}

static void
store_level(const Level *level, Shared64 *columns, int count, Shared64 *pass, bool up,
			bool next, const uint64 *product)
{
	uint64	   *p = next ? pass->next : pass->mine;
	int			width = count + (up ? 1 : 0);

	for (int c = 0; c < count; c++)
	{
		uint64	   *x = next ? columns[c].next : columns[c].mine;

		for (size_t j = 0, v = level->first; j < level->n; j++, v += level->stride)
			x[v] += product[j * width + c];
	}
	for (size_t j = 0, v = level->first; up && j < level->n; j++, v += level->stride)
		p[v] = product[j * width + count];
}

static void
copy_level(Party *self, const Level *level, Shared64 *columns, int count, Shared64 *pass, bool up)
{
	Shared64	product = shared64_alloc(level->n * (count + (up ? 1 : 0)));
	Shared64	factor = shared64_alloc(level->n);

	load_level(level, columns, count, pass, up, false, product.mine, factor.mine);
	load_level(level, columns, count, pass, up, true, product.next, factor.next);
	arith64_multiply_rows(self, &product, &product, &factor);
	store_level(level, columns, count, pass, up, false, product.mine);
	store_level(level, columns, count, pass, up, true, product.next);
	shared64_free(&product);
	shared64_free(&factor);
}

void
scan_copy_with(Party *self, Shared64 *columns, int count, Shared64 *pass)
{
	size_t		n = pass->n;
	uint64		need = (2 * (count + 1) + 2) * (uint64) n * sizeof(uint64);
	size_t		span = 1;

	if (count == 0 || n <= 1)
		return;
	party_reserve(self, "copying down", need);
	for (; 2 * span <= n; span *= 2)
	{
		Level		level = {2 * span - 1, 2 * span, span, n / (2 * span)};

		copy_level(self, &level, columns, count, pass, true);
	}
	for (; span > 0; span /= 2)
	{
		Level		level = {3 * span - 1, 2 * span, span, (n / span - 1) / 2};

		if (n / span >= 3)
			copy_level(self, &level, columns, count, pass, false);
	}
	party_release(self, need);
}

void
scan_copy_numbers(Party *self, Shared64 *columns, int count, const SharedBits *pass)
{
	Shared64	factor;

	if (count == 0 || pass->n <= 1)
		return;
	factor = shared64_alloc(pass->n);
	convert_bit_to_ring64(self, &factor, pass);
	scan_copy_with(self, columns, count, &factor);
	shared64_free(&factor);
}
