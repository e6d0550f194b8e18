/*
 * sums.c
 *	  Sums of any width, from sums of numbers that fit into 64 bits.
 *
 * A column of 64 bits has more than 2^63 in a few rows.  So a row gives two halves, x = 2^32 h + l with
 * 0 <= l < 2^32, and both sums stay below 2^63 for 2^31 rows.  Factors whose product may need more than
 * 64 bits are cut into thirds of w bits, and a row gives the coefficients of the powers of 2^w.
 * Only the sums, one for each group, are put together, in Z_2^128, and become bits: what
 * is opened of them is the sum, and not its parts.
 */
#include "oblivious/group.h"

#include "mpc/arith.h"
#include "mpc/arith64.h"
#include "mpc/convert.h"
#include "mpc/scaled.h"

#define HALF_BITS	32

/* Sums of parts are in [-2^62, 2^62). */
#define PART_OFFSET	(UINT64CONST(1) << 62)

static int128
largest(const ColumnType *type)
{
	return Max(-type->low, type->high);
}

static bool
product_fits(const ColumnType *x, const ColumnType *y)
{
	return largest(x) * largest(y) <= PG_INT64_MAX;
}

/* low = x mod 2^bits and high = floor(x / 2^bits); low may be x, high may not. */
static void
cut_in_two(Party *self, Shared64 *low, Shared64 *high, const Shared64 *x, int bits)
{
	Shared64	scaled = shared64_alloc(x->n);

	scaled_truncate(self, high, x, bits);
	shared64_scale(&scaled, high, UINT64CONST(1) << bits);
	shared64_subtract(low, x, &scaled);
	shared64_free(&scaled);
}

static void
cut_in_three(Party *self, Shared64 third[3], const Shared64 *x, int bits)
{
	for (int k = 0; k < 3; k++)
		third[k] = shared64_alloc(x->n);
	cut_in_two(self, &third[0], &third[1], x, bits);
	cut_in_two(self, &third[1], &third[2], &third[1], bits);
}

/* The nine products of thirds, added up by their power of 2^bits. */
static void
products_of_thirds(Party *self, Shared64 parts[SUM_PARTS_MAX], const Shared64 *x, const Shared64 *y, int bits)
{
	Shared64	a[3];
	Shared64	b[3];
	Shared64	product = shared64_alloc(x->n);

	cut_in_three(self, a, x, bits);
	cut_in_three(self, b, y, bits);
	for (int k = 0; k < SUM_PARTS_MAX; k++)
		parts[k] = shared64_zero(x->n);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
		{
			arith64_multiply(self, &product, &a[i], &b[j]);
			shared64_add(&parts[i + j], &parts[i + j], &product);
		}
	for (int k = 0; k < 3; k++)
	{
		shared64_free(&a[k]);
		shared64_free(&b[k]);
	}
	shared64_free(&product);
}

int
sum_parts(Party *self, const ColumnType *type, SharedColumn *x, SharedColumn *y, Shared64 parts[SUM_PARTS_MAX])
{
	bool		wide = column_type_is_wide(type);
	int			count = 1;

	if (y != NULL && wide && !product_fits(&x->type, &y->type))
	{
		count = SUM_PARTS_MAX;
		products_of_thirds(self, parts, &x->number, &y->number, product_limb_bits(&x->type, &y->type));
	}
	else
	{
		if (y != NULL)
			arith64_multiply(self, &x->number, &x->number, &y->number);
		parts[0] = number_copy(&x->number);
		if (wide)
		{
			count = 2;
			parts[1] = shared64_alloc(parts[0].n);
			cut_in_two(self, &parts[0], &parts[1], &parts[0], HALF_BITS);
		}
	}
	column_free(x);
	if (y != NULL)
		column_free(y);
	return count;
}

/* ---- putting together ---- */

/* total += (part - offset) 2^shift */
static void
add_part(const Party *self, Shared *total, const Shared *parts, int part, uint64 offset, int shift)
{
	uint128		one_mine;
	uint128		one_next;
	Shared		one = {&one_mine, &one_next, 1};

	arith_constant(self, &one, 1);
	for (size_t v = 0; v < total->n; v++)
	{
		total->mine[v] += (parts->mine[part * total->n + v] - offset * one_mine) << shift;
		total->next[v] += (parts->next[part * total->n + v] - offset * one_next) << shift;
	}
}

/* All parts, moved up by the offset if it may be negative, in the wider ring, end to end. */
static Shared
widened(Party *self, Shared64 *parts, int count, size_t n)
{
	Shared64	all = shared64_alloc(count * n);
	Shared		wide = shared_alloc(count * n);

	for (int k = 0; k < count; k++)
	{
		Shared64	part = shared64_view(&all, k * n, n);

		arith64_add_constant(self, &part, &parts[k], count == 2 && k == 0 ? 0 : PART_OFFSET);
		shared64_free(&parts[k]);
	}
	scaled_widen(self, &wide, &all);
	shared64_free(&all);
	return wide;
}

SharedColumn
sum_of_parts(Party *self, const ColumnType *type, const ColumnType *x, const ColumnType *y,
			 Shared64 *parts, int count)
{
	size_t		n = parts[0].n;
	SharedColumn column = {.type = *type};
	int			bits = count == 2 ? HALF_BITS : y != NULL ? product_limb_bits(x, y) : 0;
	Shared		wide;
	Shared		total;

	if (count == 1)
	{
		column.number = parts[0];
		return column;
	}
	wide = widened(self, parts, count, n);
	total = shared_alloc(n);
	memset(total.mine, 0, n * sizeof(uint128));
	memset(total.next, 0, n * sizeof(uint128));
	for (int k = 0; k < count; k++)
		add_part(self, &total, &wide, k, count == 2 && k == 0 ? 0 : PART_OFFSET, k * bits);
	column.bits = shared_bits_alloc(column_planes(type), n);
	convert_to_bits_wide(self, &column.bits, &total);
	shared_free(&wide);
	shared_free(&total);
	return column;
}
