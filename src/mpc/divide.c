/*
 * divide.c
 *	  Division and square root of shared numbers, exact.
 *
 * A divisor y is moved up to D = y v / 2^62 in [1/2, 1), v a power of two, 1 / D is
 * approximated by Goldschmidt's iteration (Applications of Division by
 * Convergence, MIT 1964), and x / y = (x v / 2^62) (1 / D).  What comes out
 * is a little wrong; the remainder tells by how much.  The square root goes
 * the same way.  mpc/README.md has the bounds on the errors.
 *
 * Inside, numbers are in Z_2^128 with 62 fractional bits.
 */
#include "mpc/adder.h"
#include "mpc/arith.h"
#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/scaled.h"
#include "share/vector.h"

#define BITS		62			/* of a magnitude, and of a fraction */

void
scaled_multiply_near(Party *self, Shared *z, const Shared *x, const Shared *y, int shift)
{
	arith_multiply(self, z, x, y);
	scaled_truncate_near(self, z, z, shift);
}

/* ---- moving up ---- */

/*
 * reached: plane k = is any of the k + 1 highest bits of y set?  Bits that are 0 pass on what
 * comes from above, bits that are 1 give 1: the prefix of an adder.
 */
static void
reach_down(Party *self, SharedBits *reached, const SharedBits *y)
{
	int			w = y->planes;
	SharedBits	a = shared_bits_raw(1 + w, y->n);
	SharedBits	p = shared_bits_raw(1 + w, y->n);
	SharedBits	zero = shared_bits_view(&a, 0, 1);
	SharedBits	ones = shared_bits_view(&a, 1, w);
	SharedBits	p_bits = shared_bits_view(&p, 1, w);

	logic_constant(self, &zero, false);
	logic_constant(self, &ones, true);
	for (int k = 0; k < w; k++)
	{
		SharedBits	to = shared_bits_view(&p_bits, k, 1);
		SharedBits	from = shared_bits_view(y, w - 1 - k, 1);

		shared_bits_copy(&to, &from);
	}
	logic_not(self, &p_bits);
	adder_prefix(self, &a, &p);
	shared_bits_copy(reached, &ones);
	shared_bits_free(&a);
	shared_bits_free(&p);
}

/* The highest of the planes that are set, counted from 0: plane k ^ plane k - 1, downwards. */
static void
first_of(SharedBits *planes)
{
	for (int k = planes->planes - 1; k > 0; k--)
	{
		SharedBits	to = shared_bits_view(planes, k, 1);
		SharedBits	before = shared_bits_view(planes, k - 1, 1);

		logic_xor(&to, &before);
	}
}

/* ---- reciprocal ---- */

/*
 * w = 2.9142 - 2 D is 1 / D to within e = 1 - D w, |e| < 0.0858, and
 * 1 / D = w (1 + e) (1 + e^2) (1 + e^4) (1 + e^8) to within e^16.
 */
void
scaled_reciprocal(Party *self, Shared *r, const Shared *d)
{
	size_t		n = d->n;
	uint128		one = (uint128) 1 << BITS;
	uint128		start = (uint128) (2.914213562373095 * (1 << 20)) << (BITS - 20);
	Shared		both = shared_alloc(2 * n);
	Shared		factor = shared_alloc(2 * n);
	Shared		w = shared_view(&both, 0, n);
	Shared		e = shared_view(&both, n, n);
	Shared		factor_w = shared_view(&factor, 0, n);
	Shared		factor_e = shared_view(&factor, n, n);

	shared_linear(&w, -2, d, 0, d);
	arith_add_constant(self, &w, &w, start);
	scaled_multiply_near(self, &e, d, &w, BITS);
	shared_linear(&e, -1, &e, 0, &e);
	arith_add_constant(self, &e, &e, one);
	for (int round = 0; round < 3; round++)
	{
		arith_add_constant(self, &factor_w, &e, one);
		shared_copy(&factor_e, &e);
		scaled_multiply_near(self, &both, &both, &factor, BITS);
	}
	arith_add_constant(self, &factor_w, &e, one);
	scaled_multiply_near(self, r, &w, &factor_w, BITS);
	shared_free(&both);
	shared_free(&factor);
}

/* ---- correction ---- */

/*
 * z is at most one off: with `below` the result is one less, with `above` one
 * more.  Both are signs, of vectors that their caller has put end to end in `off`.
 */
static void
correct(Party *self, Shared64 *z, const Shared64 *off)
{
	size_t		n = z->n;
	SharedBits	signs = shared_bits_raw(1, 2 * n);
	Shared64	by = shared64_alloc(2 * n);
	Shared64	below = shared64_view(&by, 0, n);
	Shared64	not_above = shared64_view(&by, n, n);

	/* z - below + above, above = 1 - not_above */
	compare_negative(self, &signs, off);
	convert_bit_to_ring64(self, &by, &signs);
	shared64_subtract(z, z, &below);
	shared64_subtract(z, z, &not_above);
	arith64_add_constant(self, z, z, 1);
	shared_bits_free(&signs);
	shared64_free(&by);
}

/* ---- division ---- */

/* Magnitudes of x and y (62 bits) in `both`, their signs (one plane) in `signs`, end to end. */
static void
split_signs(Party *self, Shared64 *both, SharedBits *signs, const Shared64 *x, const Shared64 *y)
{
	size_t		n = x->n;
	Shared64	first = shared64_view(both, 0, n);
	Shared64	second = shared64_view(both, n, n);
	Shared64	twice = shared64_alloc(2 * n);

	shared64_copy(&first, x);
	shared64_copy(&second, y);
	compare_negative(self, signs, both);
	shared64_scale(&twice, both, -2);
	convert_bit_times(self, &twice, signs, &twice);
	shared64_add(both, both, &twice);
	shared64_free(&twice);
}

void
scaled_power(Party *self, Shared64 *v, SharedBits *which, SharedBits *positive, const Shared64 *y)
{
	SharedBits	bits = shared_bits_raw(BITS, y->n);
	SharedBits	reached = shared_bits_raw(BITS, y->n);
	SharedBits	last = shared_bits_view(&reached, BITS - 1, 1);

	convert_to_bits(self, &bits, y);
	reach_down(self, &reached, &bits);
	if (positive)
		shared_bits_copy(positive, &last);
	first_of(&reached);
	if (which)
		shared_bits_copy(which, &reached);
	convert_from_bits(self, v, &reached);
	shared_bits_free(&bits);
	shared_bits_free(&reached);
}

/*
 * q = x / y for magnitudes, one off at most, from v and with y v in 62 bits.
 * First q to some 2^-56 of it, then what is missing from the remainder.
 */
static void
quotient(Party *self, Shared64 *q, const Shared64 *x, const Shared64 *y, const Shared64 *v)
{
	size_t		n = x->n;
	Shared64	narrow = shared64_alloc(4 * n);
	Shared		wide = shared_alloc(4 * n);
	Shared		x_wide = shared_view(&wide, 0, n);
	Shared		y_wide = shared_view(&wide, n, n);
	Shared		v_wide = shared_view(&wide, 2 * n, n);
	Shared		d = shared_view(&wide, 3 * n, n);
	Shared		r = shared_alloc(n);
	Shared		first = shared_alloc(n);
	Shared		rest = shared_alloc(n);
	const Shared64 *parts[] = {x, y, v};

	for (int k = 0; k < 3; k++)
	{
		Shared64	part = shared64_view(&narrow, k * n, n);

		shared64_copy(&part, parts[k]);
	}
	{
		Shared64	product = shared64_view(&narrow, 3 * n, n);

		arith64_multiply(self, &product, y, v);
	}
	scaled_widen(self, &wide, &narrow);
	scaled_reciprocal(self, &r, &d);

	/* first = x r v / 2^124 */
	scaled_multiply_near(self, &first, &x_wide, &r, BITS - 1);
	scaled_multiply_near(self, &first, &first, &v_wide, BITS + 1);

	/* rest = (x - first y) r v / 2^124, with 2^-14 added before it is cut */
	arith_multiply(self, &rest, &first, &y_wide);
	shared_linear(&rest, 1, &x_wide, -1, &rest);
	scaled_multiply_near(self, &rest, &rest, &r, 42);
	arith_multiply(self, &rest, &rest, &v_wide);
	arith_add_constant(self, &rest, &rest, (uint128) 1 << (2 * BITS - 42 - 14));
	scaled_truncate_near(self, &rest, &rest, 2 * BITS - 42);
	shared_linear(&first, 1, &first, 1, &rest);
	scaled_narrow(q, &first);

	shared64_free(&narrow);
	shared_free(&wide);
	shared_free(&r);
	shared_free(&first);
	shared_free(&rest);
}

/* q so that 0 <= x - q y < y. */
static void
correct_quotient(Party *self, Shared64 *q, const Shared64 *x, const Shared64 *y)
{
	size_t		n = q->n;
	Shared64	off = shared64_alloc(2 * n);
	Shared64	remainder = shared64_view(&off, 0, n);
	Shared64	beyond = shared64_view(&off, n, n);

	arith64_multiply(self, &remainder, q, y);
	shared64_subtract(&remainder, x, &remainder);
	shared64_subtract(&beyond, &remainder, y);
	correct(self, q, &off);
	shared64_free(&off);
}

/* z = q where y > 0, -q where also the signs of x and y differ, else 0. */
static void
put_sign(Party *self, Shared64 *z, const Shared64 *q, const SharedBits *signs, const SharedBits *positive)
{
	size_t		n = q->n;
	SharedBits	differ = shared_bits_cut(signs, 0, n);
	SharedBits	y_sign = shared_bits_cut(signs, n, n);
	SharedBits	choices;
	Shared64	twice = shared64_alloc(2 * n);
	Shared64	first = shared64_view(&twice, 0, n);
	Shared64	second = shared64_view(&twice, n, n);

	logic_xor(&differ, &y_sign);
	logic_and(self, &differ, &differ, positive);
	choices = shared_bits_append(positive, &differ);
	shared64_copy(&first, q);
	shared64_scale(&second, q, -2);
	convert_bit_times(self, &twice, &choices, &twice);
	shared64_add(z, &first, &second);
	shared_bits_free(&differ);
	shared_bits_free(&y_sign);
	shared_bits_free(&choices);
	shared64_free(&twice);
}

void
scaled_divide_integers(Party *self, Shared64 *z, const Shared64 *x, const Shared64 *y)
{
	size_t		n = x->n;
	Shared64	both = shared64_alloc(2 * n);
	Shared64	x_size = shared64_view(&both, 0, n);
	Shared64	y_size = shared64_view(&both, n, n);
	Shared64	v = shared64_alloc(n);
	Shared64	q = shared64_alloc(n);
	SharedBits	signs = shared_bits_raw(1, 2 * n);
	SharedBits	positive = shared_bits_raw(1, n);

	Assert(z->n == n && y->n == n);
	split_signs(self, &both, &signs, x, y);
	scaled_power(self, &v, NULL, &positive, &y_size);
	quotient(self, &q, &x_size, &y_size, &v);
	correct_quotient(self, &q, &x_size, &y_size);
	put_sign(self, z, &q, &signs, &positive);

	shared64_free(&both);
	shared64_free(&v);
	shared64_free(&q);
	shared_bits_free(&signs);
	shared_bits_free(&positive);
}

void
scaled_divide(Party *self, Shared64 *z, const Shared64 *x, const Shared64 *y, int fraction)
{
	Shared64	scaled = shared64_alloc(x->n);

	Assert(fraction >= 0 && fraction < BITS);
	shared64_scale(&scaled, x, UINT64CONST(1) << fraction);
	scaled_divide_integers(self, z, &scaled, y);
	shared64_free(&scaled);
}

/* ---- square root ---- */

/*
 * Powers for x: up = 4^j moves x up to 61 or 62 bits, down = 2^(31 - j) brings
 * the root back.
 */
static void
powers_of_root(Party *self, Shared64 *up, Shared64 *down, SharedBits *positive, const Shared64 *x)
{
	size_t		n = x->n;
	SharedBits	bits = shared_bits_raw(BITS, n);
	SharedBits	reached = shared_bits_raw(BITS, n);
	SharedBits	firsts = shared_bits_raw(BITS / 2, n);
	SharedBits	powers = shared_bits_alloc(BITS, n);

	convert_to_bits(self, &bits, x);
	reach_down(self, &reached, &bits);
	{
		SharedBits	last = shared_bits_view(&reached, BITS - 1, 1);

		shared_bits_copy(positive, &last);
	}
	/* Of every two bits: is one of these, or of those above, set? */
	for (int j = 0; j < BITS / 2; j++)
	{
		SharedBits	to = shared_bits_view(&firsts, j, 1);
		SharedBits	from = shared_bits_view(&reached, 2 * j + 1, 1);

		shared_bits_copy(&to, &from);
	}
	first_of(&firsts);
	for (int j = 0; j < BITS / 2; j++)
	{
		SharedBits	to = shared_bits_view(&powers, 2 * j, 1);
		SharedBits	from = shared_bits_view(&firsts, j, 1);

		shared_bits_copy(&to, &from);
	}
	convert_from_bits(self, up, &powers);
	for (int j = 0; j < BITS / 2; j++)
	{
		/* Plane 31 - j of 32. */
		SharedBits	to = shared_bits_view(&powers, 31 - j, 1);
		SharedBits	from = shared_bits_view(&firsts, j, 1);

		shared_bits_copy(&to, &from);
	}
	{
		SharedBits	planes = shared_bits_view(&powers, 0, 32);
		SharedBits	zero = shared_bits_view(&powers, 0, 1);

		logic_constant(self, &zero, false);
		convert_from_bits(self, down, &planes);
	}
	shared_bits_free(&bits);
	shared_bits_free(&reached);
	shared_bits_free(&firsts);
	shared_bits_free(&powers);
}

/*
 * g = sqrt(D), D in [1/4, 1), 62 fractional bits; relative error below 2^-38.
 *
 * w = 2 - D is 1 / sqrt(D) to within 12.5 %, g = D w as far from the root.
 * Each step multiplies both by 3/2 - g w / 2, and an error e becomes 1.5 e^2.
 */
static void
root_near(Party *self, Shared *g, const Shared *d)
{
	size_t		n = d->n;
	uint128		one = (uint128) 1 << BITS;
	Shared		both = shared_alloc(2 * n);
	Shared		factor = shared_alloc(2 * n);
	Shared		g_part = shared_view(&both, 0, n);
	Shared		w = shared_view(&both, n, n);
	Shared		factor_g = shared_view(&factor, 0, n);
	Shared		factor_w = shared_view(&factor, n, n);

	shared_linear(&w, -1, d, 0, d);
	arith_add_constant(self, &w, &w, 2 * one);
	scaled_multiply_near(self, &g_part, d, &w, BITS);
	for (int round = 0; round < 4; round++)
	{
		scaled_multiply_near(self, &factor_g, &g_part, &w, BITS + 1);
		shared_linear(&factor_g, -1, &factor_g, 0, &factor_g);
		arith_add_constant(self, &factor_g, &factor_g, 3 * one / 2);
		shared_copy(&factor_w, &factor_g);
		scaled_multiply_near(self, &both, &both, &factor, BITS);
	}
	shared_copy(g, &g_part);
	shared_free(&both);
	shared_free(&factor);
}

/* s = sqrt(x), one off at most, from the powers of x. */
static void
root(Party *self, Shared64 *s, const Shared64 *x, const Shared64 *up, const Shared64 *down)
{
	size_t		n = x->n;
	Shared64	narrow = shared64_alloc(2 * n);
	Shared64	moved = shared64_view(&narrow, 0, n);
	Shared64	back = shared64_view(&narrow, n, n);
	Shared		wide = shared_alloc(2 * n);
	Shared		d = shared_view(&wide, 0, n);
	Shared		back_wide = shared_view(&wide, n, n);

	arith64_multiply(self, &moved, x, up);
	shared64_copy(&back, down);
	scaled_widen(self, &wide, &narrow);
	root_near(self, &d, &d);
	arith_multiply(self, &d, &d, &back_wide);
	arith_add_constant(self, &d, &d, (uint128) 1 << (BITS - 6));
	scaled_truncate_near(self, &d, &d, BITS);
	scaled_narrow(s, &d);
	shared64_free(&narrow);
	shared_free(&wide);
}

/* s so that s^2 <= x < (s + 1)^2. */
static void
correct_root(Party *self, Shared64 *s, const Shared64 *x)
{
	size_t		n = s->n;
	Shared64	off = shared64_alloc(2 * n);
	Shared64	remainder = shared64_view(&off, 0, n);
	Shared64	beyond = shared64_view(&off, n, n);

	arith64_square(self, &remainder, s);
	shared64_subtract(&remainder, x, &remainder);
	shared64_subtract(&beyond, &remainder, s);
	shared64_subtract(&beyond, &beyond, s);
	arith64_add_constant(self, &beyond, &beyond, -1);
	correct(self, s, &off);
	shared64_free(&off);
}

void
scaled_sqrt(Party *self, Shared64 *z, const Shared64 *x, int fraction)
{
	size_t		n = x->n;
	Shared64	scaled = shared64_alloc(n);
	Shared64	up = shared64_alloc(n);
	Shared64	down = shared64_alloc(n);
	SharedBits	positive = shared_bits_raw(1, n);

	Assert(z->n == n && fraction >= 0 && fraction < BITS);
	shared64_scale(&scaled, x, UINT64CONST(1) << fraction);
	powers_of_root(self, &up, &down, &positive, &scaled);
	root(self, z, &scaled, &up, &down);
	correct_root(self, z, &scaled);
	convert_bit_times(self, z, &positive, z);
	shared64_free(&scaled);
	shared64_free(&up);
	shared64_free(&down);
	shared_bits_free(&positive);
}
