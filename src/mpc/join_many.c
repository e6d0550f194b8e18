/*
 * join_many.c
 *	  Rows of two tables whose keys are equal, all pairs of them.
 *
 * In the order of the keys, a rows of the left side and then b of the right side make a group. Each left row
 * is wanted b times and each right row a times; expand.c makes these copies, left and right
 * in one go. Where a copy belongs is linear in the place it has then, so that the
 * left half of the result and the right half are put together by one more shuffle. Two rows that are
 * none take what the bound leaves free, so that all sizes are public.  [Krastnikov,
 * Kerschbaum, Stebila: Efficient Oblivious Database Joins, VLDB 2020, section 6; both sides at once
 * and no second sort: ours; letters as in mpc/README.md, "Join, many to many"]
 */
#include "mpc/join_sides.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/expand.h"
#include "mpc/logic.h"
#include "mpc/place.h"
#include "mpc/rows.h"
#include "mpc/scan.h"

/* ---- both sides end to end: what is left's and what is right's share columns ---- */

static int
planes_of(const JoinSide *side)
{
	int			planes = 0;

	for (int k = 0; k < side->slice_count; k++)
		planes += side->table->slice[side->slices[k]].planes;
	return planes;
}

/* All bits of a side's values as one column, zeros above. */
static SharedBits
values_of(const JoinSide *side, int planes)
{
	SharedBits	values = shared_bits_alloc(planes, side->table->n);
	int			used = 0;

	for (int k = 0; k < side->slice_count; k++)
	{
		const SharedBits *column = &side->table->slice[side->slices[k]];
		SharedBits	part = shared_bits_view(&values, used, column->planes);

		shared_bits_copy(&part, column);
		used += column->planes;
	}
	return values;
}

/* Number k of a side, zeros if it has not so many. */
static Shared64
number_of(const JoinSide *side, int k)
{
	Shared64	number = shared64_zero(side->table->n);

	if (k < side->number_count)
		shared64_copy(&number, &side->table->number[side->numbers[k]]);
	return number;
}

/* Columns of bits. */
enum
{
	IS_LEFT,					/* later: is a row */
	VALUES
};

static Table
both_sides(Party *self, const JoinSide *left, const JoinSide *right)
{
	Table		both = table_create(left->table->n + right->table->n);
	int			planes = Max(planes_of(left), planes_of(right));
	SharedBits	low = values_of(left, planes);
	SharedBits	high = values_of(right, planes);

	table_add_slice(&both, join_first_rows(self, left->table->n, both.n));
	table_add_slice(&both, shared_bits_append(&low, &high));
	shared_bits_free(&low);
	shared_bits_free(&high);
	for (int k = 0; k < Max(left->number_count, right->number_count); k++)
	{
		Shared64	first = number_of(left, k);
		Shared64	second = number_of(right, k);

		table_add_number(&both, shared64_append(&first, &second));
		shared64_free(&first);
		shared64_free(&second);
	}
	return both;
}

/* ---- of each row ---- */

typedef struct Counts
{
	size_t		n;
	Shared64	t;				/* is of the left side */
	Shared64	pass;			/* has the key of the row before it */
	Shared64	a;				/* left rows of the group so far: of right rows, all */
	Shared64	b;				/* right rows of the group */
	Shared64	k;				/* of a right row: which of the group's it is, from 0 */
	Shared64	left;			/* b of left rows, 0 of right rows */
	Shared64	copies;			/* b of left rows, a of right rows; none if there are too many */
	Shared64	total;			/* one number: all of `left`; none if there are too many */
	Shared64	u;				/* a copy in place q belongs to u + q w */
	Shared64	w;
} Counts;

static void
free_counts(Counts *counts)
{
	shared64_free(&counts->t);
	shared64_free(&counts->pass);
	shared64_free(&counts->a);
	shared64_free(&counts->b);
	shared64_free(&counts->k);
	shared64_free(&counts->left);
	shared64_free(&counts->copies);
	shared64_free(&counts->total);
	shared64_free(&counts->u);
	shared64_free(&counts->w);
}

static Shared64
copy_of(const Shared64 *x)
{
	Shared64	copy = shared64_alloc(x->n);

	shared64_copy(&copy, x);
	return copy;
}

/* Sums of the elements before each. */
static Shared64
sums_before(const Shared64 *x)
{
	Shared64	sums = copy_of(x);

	shared64_prefix_sums(&sums);
	shared64_subtract(&sums, &sums, x);
	return sums;
}

/* first, first + 1, ..., known to all */
static Shared64
numbers_from(const Party *self, uint64 first, size_t n)
{
	Shared64	numbers = shared64_alloc(n);
	uint64	   *values = table_words(n);

	for (size_t v = 0; v < n; v++)
		values[v] = first + v;
	arith64_public(self, &numbers, values);
	table_free_words(values, n);
	return numbers;
}

/* out[v] = x[n - 1 - v] */
static Shared64
reversed(const Shared64 *x, size_t n)
{
	Shared64	out = shared64_alloc(n);

	for (size_t v = 0; v < n; v++)
	{
		out.mine[v] = x->mine[n - 1 - v];
		out.next[v] = x->next[n - 1 - v];
	}
	return out;
}

/* t and pass as numbers. */
static void
convert_marks(Party *self, Counts *counts, const SharedBits *is_left, const SharedBits *pass)
{
	size_t		n = counts->n;
	SharedBits	both = shared_bits_raw(2, n);
	SharedBits	low = shared_bits_view(&both, 0, 1);
	SharedBits	high = shared_bits_view(&both, 1, 1);
	Shared64	numbers = shared64_alloc(2 * n);
	Shared64	first = shared64_view(&numbers, 0, n);
	Shared64	second = shared64_view(&numbers, n, n);

	shared_bits_copy(&low, is_left);
	shared_bits_copy(&high, pass);
	convert_bit_to_ring64(self, &numbers, &both);
	counts->t = copy_of(&first);
	counts->pass = copy_of(&second);
	shared_bits_free(&both);
	shared64_free(&numbers);
}

/* a and k: what the group's first row says of the rows before it, copied down, tells how far its own go. */
static void
count_so_far(Party *self, Counts *counts)
{
	Shared64	begin[2] = {numbers_from(self, 0, counts->n), sums_before(&counts->t)};
	Shared64	pass = copy_of(&counts->pass);

	scan_copy_with(self, begin, 2, &pass);
	counts->a = copy_of(&counts->t);
	shared64_prefix_sums(&counts->a);
	shared64_subtract(&counts->a, &counts->a, &begin[1]);
	counts->k = numbers_from(self, 0, counts->n);
	shared64_subtract(&counts->k, &counts->k, &begin[0]);
	shared64_subtract(&counts->k, &counts->k, &counts->a);
	shared64_free(&begin[0]);
	shared64_free(&begin[1]);
	shared64_free(&pass);
}

/* b: k + 1 of the group's last row, copied up. */
static void
count_right(Party *self, Counts *counts)
{
	size_t		n = counts->n;
	Shared64	end;
	Shared64	one = shared64_zero(Min(n, 1));
	Shared64	rest = shared64_view(&counts->pass, Min(n, 1), n - Min(n, 1));
	Shared64	after = shared64_append(&rest, &one);	/* row v + 1 has the key of row v */
	Shared64	pass = reversed(&after, n);
	Shared64	so_far = copy_of(&counts->k);

	arith64_add_constant(self, &so_far, &so_far, 1);
	end = reversed(&so_far, n);
	scan_copy_with(self, &end, 1, &pass);
	counts->b = reversed(&end, n);
	shared64_free(&end);
	shared64_free(&one);
	shared64_free(&after);
	shared64_free(&pass);
	shared64_free(&so_far);
}

/* left = t b; copies = t b + a - t a */
static void
count_copies(Party *self, Counts *counts)
{
	size_t		n = counts->n;
	Shared64	t = shared64_append(&counts->t, &counts->t);
	Shared64	factors = shared64_append(&counts->b, &counts->a);
	Shared64	tb = shared64_view(&factors, 0, n);
	Shared64	ta = shared64_view(&factors, n, n);

	arith64_multiply(self, &factors, &factors, &t);
	counts->left = copy_of(&tb);
	counts->copies = copy_of(&tb);
	shared64_add(&counts->copies, &counts->copies, &counts->a);
	shared64_subtract(&counts->copies, &counts->copies, &ta);
	counts->total = shared64_zero(1);
	if (n > 0)
		arith64_sum(&counts->total, &counts->left);
	shared64_free(&t);
	shared64_free(&factors);
}

/* If total is more than size: no copies at all, total = 0. */
static void
forget_if_more(Party *self, Counts *counts, size_t size)
{
	uint64		bound = (uint64) size + 1;
	SharedBits	fits = shared_bits_alloc(1, 1);
	Shared64	factor = shared64_zero(1);
	Shared64	all = shared64_append(&counts->copies, &counts->total);
	Shared64	copies = shared64_view(&all, 0, counts->n);
	Shared64	total = shared64_view(&all, counts->n, 1);

	compare_less_public(self, &fits, &counts->total, &bound, 1, KIND_UINT64);
	convert_bit_to_ring64(self, &factor, &fits);
	arith64_multiply_rows(self, &all, &all, &factor);
	shared64_copy(&counts->copies, &copies);
	shared64_copy(&counts->total, &total);
	shared_bits_free(&fits);
	shared64_free(&factor);
	shared64_free(&all);
}

/*
 * Row v is in place v + p, p = copies of the rows before it; its copies are in the places after that.  P = left of
 * the rows before it.  Copies of a left row belong to P and the places after; copy i of a right row to size + P - a
 * b + i b + k.  With i = q - v - p - 1:
 *
 *	  left:	 u = P - v - p - 1				w = 1
 *	  right: u = size + P + k - b (a + v + p + 1)	w = b
 */
static void
destinations(Party *self, Counts *counts, size_t size)
{
	size_t		n = counts->n;
	Shared64	after = sums_before(&counts->copies);	/* v + p + 1 */
	Shared64	before = sums_before(&counts->left);	/* P */
	Shared64	numbers = numbers_from(self, 1, n);
	Shared64	product = shared64_alloc(n);
	Shared64	right = shared64_alloc(n);
	Shared64	u = shared64_alloc(n);

	shared64_add(&after, &after, &numbers);
	shared64_add(&product, &counts->a, &after);
	arith64_multiply(self, &product, &product, &counts->b);
	arith64_add_constant(self, &right, &before, size);
	shared64_add(&right, &right, &counts->k);
	shared64_subtract(&right, &right, &product);
	shared64_subtract(&u, &before, &after);
	shared64_subtract(&u, &u, &right);
	arith64_multiply(self, &u, &u, &counts->t);
	shared64_add(&u, &u, &right);
	counts->u = u;

	/* b + t (1 - b) */
	counts->w = copy_of(&counts->b);
	shared64_add(&counts->w, &counts->w, &counts->t);
	shared64_subtract(&counts->w, &counts->w, &counts->left);
	shared64_free(&after);
	shared64_free(&before);
	shared64_free(&numbers);
	shared64_free(&product);
	shared64_free(&right);
}

static Counts
count_rows(Party *self, const SharedBits *is_left, const SharedBits *pass)
{
	Counts		counts = {is_left->n};

	convert_marks(self, &counts, is_left, pass);
	count_so_far(self, &counts);
	count_right(self, &counts);
	count_copies(self, &counts);
	return counts;
}

/* ---- what is left free ---- */

/* x and then two numbers c + factor times y: */
static Shared64
with_two(Party *self, const Shared64 *x, const Shared64 *y, const uint64 factor[2], const uint64 c[2])
{
	Shared64	two = shared64_alloc(2);
	Shared64	all;

	for (int k = 0; k < 2; k++)
	{
		Shared64	one = shared64_view(&two, k, 1);

		shared64_scale(&one, y, factor[k]);
		arith64_add_constant(self, &one, &one, c[k]);
	}
	all = shared64_append(x, &two);
	shared64_free(&two);
	return all;
}

/*
 * Rows n and n + 1 are copied size - total times each: to the places from total to size, and to those from size + total
 * to 2 size.
 */
static void
take_what_is_free(Party *self, Counts *counts, size_t size)
{
	uint64		n = counts->n;
	Shared64	copies = with_two(self, &counts->copies, &counts->total, (uint64[]) {-1, -1}, (uint64[]) {size, size});
	Shared64	u = with_two(self, &counts->u, &counts->total, (uint64[]) {-1, 0}, (uint64[]) {-n - 1, -n - 2});
	Shared64	w = with_two(self, &counts->w, &counts->total, (uint64[]) {0, 0}, (uint64[]) {1, 1});

	shared64_free(&counts->copies);
	shared64_free(&counts->u);
	shared64_free(&counts->w);
	counts->copies = copies;
	counts->u = u;
	counts->w = w;
}

/* ---- copies, and where they belong ---- */

/*
 * u + q w for copies; the rows themselves, of which the E-th is in place q, go behind all: 2 size + E - 1.
 * first = is no copy; it is destroyed.
 */
static Shared64
final_places(Party *self, const Shared64 *u, const Shared64 *w, Shared64 *first, size_t size)
{
	Shared64	place = copy_of(u);
	Shared64	factor = copy_of(first);

	for (size_t q = 0; q < place.n; q++)
	{
		place.mine[q] += q * w->mine[q];
		place.next[q] += q * w->next[q];
	}
	shared64_prefix_sums(first);
	arith64_add_constant(self, first, first, 2 * (uint64) size - 1);
	shared64_subtract(first, first, &place);
	arith64_multiply(self, &factor, &factor, first);
	shared64_add(&place, &place, &factor);
	shared64_free(&factor);
	return place;
}

/* The left half of the result, and below it the right half. */
static void
make_halves(Party *self, Table *both, Counts *counts, size_t size)
{
	size_t		n = both->n;
	Shared64	first = shared64_alloc(n + 2 + 2 * size);
	SharedBits	is_left = table_remove_slice(both, IS_LEFT);
	Shared64	u;
	Shared64	w;

	shared_bits_free(&is_left);
	table_pad(both, n + 2);
	table_add_slice(both, join_first_rows(self, n, n + 2));
	table_add_number(both, copy_of(&counts->u));
	table_add_number(both, copy_of(&counts->w));
	expand_table(self, both, &counts->copies, 2 * size, &first);
	w = table_remove_number(both, both->numbers - 1);
	u = table_remove_number(both, both->numbers - 1);
	table_add_number(both, final_places(self, &u, &w, &first, size));
	place_by_numbers(self, both, both->numbers - 1, 0, 2 * size);
	shared64_free(&first);
	shared64_free(&u);
	shared64_free(&w);
}

/* ---- the result ---- */

/* Rows from `start` on have what is a side's. */
static void
add_side(Table *joined, const Table *halves, const JoinSide *side, size_t start)
{
	int			used = 0;

	for (int k = 0; k < side->slice_count; k++)
	{
		int			planes = side->table->slice[side->slices[k]].planes;
		SharedBits	column = shared_bits_view(&halves->slice[0], used, planes);

		table_add_slice(joined, shared_bits_cut(&column, start, joined->n));
		used += planes;
	}
	for (int k = 0; k < side->number_count; k++)
	{
		Shared64	column = shared64_view(&halves->number[k], start, joined->n);

		table_add_number(joined, copy_of(&column));
	}
}

static Table
join_halves(const Table *halves, const JoinSide *left, const JoinSide *right, size_t size)
{
	Table		joined = table_create(size);

	/* Whether it is a row is the last column. */
	table_add_slice(&joined, shared_bits_cut(&halves->slice[1], 0, size));
	add_side(&joined, halves, left, 0);
	add_side(&joined, halves, right, size);
	return joined;
}

/* Both sides, and the numbers counted for each row and each copy. */
static uint64
need_of(const Table *both, size_t size)
{
	uint64		copies = both->n + 2 + 2 * (uint64) size;

	return table_bytes(both) + 10 * 2 * sizeof(uint64) * (uint64) both->n +
		2 * sizeof(uint64) * copies * (both->numbers + 4) +
		2 * sizeof(uint64) * BIT_WORDS(copies) * (uint64) table_planes(both);
}

/* Rows, and two times the bound, are numbered like rows. */
static void
require_room(size_t n1, size_t n2, size_t size)
{
	size_t		most = TABLE_ROWS_MAX - 2;

	if (n1 > most || n2 > most - n1 || size > (most - n1 - n2) / 2)
		fail(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
			 "a join of %zu rows and %zu rows with room for %zu rows is too large", n1, n2, size);
}

void
join_many(Party *self, const JoinSide *left, const JoinSide *right, size_t size,
		  Table *joined, Shared64 *rows, SortWork *work)
{
	Table		both;
	uint64		need;
	SharedBits	pass;
	Counts		counts;

	require_room(left->table->n, right->table->n, size);
	both = both_sides(self, left, right);
	need = need_of(&both, size);
	party_reserve(self, "joining", need);
	pass = join_sort_sides(self, &both, left, right, work);
	counts = count_rows(self, &both.slice[IS_LEFT], &pass);
	shared64_copy(rows, &counts.total);
	forget_if_more(self, &counts, size);
	destinations(self, &counts, size);
	take_what_is_free(self, &counts, size);
	make_halves(self, &both, &counts, size);
	*joined = join_halves(&both, left, right, size);
	shared_bits_free(&pass);
	free_counts(&counts);
	table_destroy(&both);
	party_release(self, need);
}
