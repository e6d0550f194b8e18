/*
 * function.c
 *	  exp, ln and the logistic function of shared fixed-point numbers.
 *
 * exp(-y): the highest bits of y each choose a factor exp(-2^i) or 1, and
 * what is left is small enough for four terms of the series.  ln: the
 * argument is moved to [1/2, 1), where a polynomial is near enough.
 *
 * Constants are integers written out: parties whose C libraries round
 * differently must not multiply their summands by different numbers.
 */
#include "mpc/arith.h"
#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/function.h"
#include "mpc/logic.h"
#include "mpc/scaled.h"
#include "share/vector.h"

/* Fractional bits of a factor and of a constant; ln has 62 inside (scaled_power). */
#define INSIDE		60
#define ONE			((uint128) 1 << INSIDE)

/* ---- exp(-y) ---- */

/* Bits 34 to 45 of y, worth 2^-6 to 2^5, choose factors; those below are left. */
#define FACTORS		12
#define FACTOR_BIT	34
#define EXP_PLANES	(FACTOR_BIT + FACTORS)

/* exp(-2^i) - 1 for i = -6 to 5, times 2^60. */
static const int64 factor_minus_one[FACTORS] = {
	INT64CONST(-17874391174491575),
	INT64CONST(-35471665599419447),
	INT64CONST(-69851982780608025),
	INT64CONST(-135471847868133180),
	INT64CONST(-255025333999172236),
	INT64CONST(-453639263820774145),
	INT64CONST(-728785385777541646),
	INT64CONST(-996890546231297676),
	INT64CONST(-1131805010661411886),
	INT64CONST(-1152534742529146245),
	INT64CONST(-1152921374862624017),
	INT64CONST(-1152921504606832375),
};

/* 1/2, 1/6 and 1/24 times 2^60, with the signs of exp(-r). */
#define TERM_2		((uint128) 1 << (INSIDE - 1))
#define TERM_3		(-(uint128) UINT64CONST(192153584101141163))
#define TERM_4		((uint128) UINT64CONST(48038396025285291))

/* e = 1 - r + r^2/2 - r^3/6 + r^4/24, 0 <= r < 2^-6: wrong by less than 2^-36. */
static void
series(Party *self, Shared *e, const Shared *r)
{
	size_t		n = r->n;
	Shared		x = shared_alloc(2 * n);
	Shared		powers = shared_alloc(2 * n);
	Shared		square = shared_alloc(n);
	Shared		x_low = shared_view(&x, 0, n);
	Shared		x_high = shared_view(&x, n, n);
	Shared		third = shared_view(&powers, 0, n);
	Shared		fourth = shared_view(&powers, n, n);

	scaled_multiply_near(self, &square, r, r, INSIDE);
	shared_copy(&x_low, r);
	shared_copy(&x_high, &square);
	shared_copy(&third, &square);
	shared_copy(&fourth, &square);
	scaled_multiply_near(self, &powers, &powers, &x, INSIDE);

	shared_linear(&x_low, TERM_2, &square, TERM_3, &third);
	shared_linear(&x_low, 1, &x_low, TERM_4, &fourth);
	scaled_truncate_near(self, &x_low, &x_low, INSIDE);
	shared_linear(e, 1, &x_low, -1, r);
	arith_add_constant(self, e, e, ONE);
	shared_free(&x);
	shared_free(&powers);
	shared_free(&square);
}

/* x[0] = the product of `count` vectors that lie one after the other; x is destroyed. */
static void
product(Party *self, Shared *x, int count, size_t n)
{
	while (count > 1)
	{
		int			half = count / 2;
		Shared		low = shared_view(x, 0, half * n);
		Shared		high = shared_view(x, (count - half) * n, half * n);

		scaled_multiply_near(self, &low, &low, &high, INSIDE);
		count -= half;
	}
}

/* Is a bit from EXP_PLANES on set?  Then exp(-y) is 0: one plane, inverted. */
static void
not_beyond(Party *self, SharedBits *small, const SharedBits *bits)
{
	SharedBits	high = shared_bits_cut(bits, 0, bits->n);
	SharedBits	beyond = shared_bits_view(&high, EXP_PLANES, bits->planes - EXP_PLANES);

	logic_or_all(self, small, &beyond);
	logic_not(self, small);
	shared_bits_free(&high);
}

/*
 * e = exp(-y) with 60 fractional bits, 0 <= y as a number of `planes` bits,
 * EXP_PLANES or more.
 */
static void
exp_minus(Party *self, Shared *e, const Shared64 *y, int planes)
{
	size_t		n = y->n;
	bool		with_flag = planes > EXP_PLANES;
	int			chosen = FACTORS + (with_flag ? 1 : 0);
	SharedBits	bits = shared_bits_raw(planes, n);
	SharedBits	choice = shared_bits_raw(chosen, n);
	SharedBits	high = shared_bits_view(&bits, FACTOR_BIT, FACTORS);
	SharedBits	factor_bits = shared_bits_view(&choice, 0, FACTORS);
	Shared64	narrow = shared64_alloc((chosen + 1) * n);
	Shared64	numbers = shared64_view(&narrow, 0, chosen * n);
	Shared64	rest = shared64_view(&narrow, chosen * n, n);
	Shared		wide = shared_alloc((chosen + 1) * n);
	Shared		r = shared_view(&wide, chosen * n, n);

	convert_to_bits(self, &bits, y);
	shared_bits_copy(&factor_bits, &high);
	if (with_flag)
	{
		SharedBits	flag = shared_bits_view(&choice, FACTORS, 1);

		not_beyond(self, &flag, &bits);
	}
	convert_bit_to_ring64(self, &numbers, &choice);

	/* What the chosen bits leave of y; too much if there are bits beyond, but then a factor is 0. */
	shared64_copy(&rest, y);
	for (int k = 0; k < FACTORS; k++)
	{
		Shared64	number = shared64_view(&numbers, k * n, n);

		vector_linear64(rest.mine, 1, rest.mine, -(UINT64CONST(1) << (FACTOR_BIT + k)), number.mine, n);
		vector_linear64(rest.next, 1, rest.next, -(UINT64CONST(1) << (FACTOR_BIT + k)), number.next, n);
	}
	scaled_widen(self, &wide, &narrow);
	shared_linear(&r, (uint128) 1 << (INSIDE - FUNCTION_FRACTION), &r, 0, &r);
	series(self, &r, &r);
	for (int k = 0; k < chosen; k++)
	{
		Shared		factor = shared_view(&wide, k * n, n);

		if (k < FACTORS)
		{
			shared_linear(&factor, (uint128) (int128) factor_minus_one[k], &factor, 0, &factor);
			arith_add_constant(self, &factor, &factor, ONE);
		}
		else
			shared_linear(&factor, ONE, &factor, 0, &factor);
	}
	product(self, &wide, chosen + 1, n);
	{
		Shared		first = shared_view(&wide, 0, n);

		shared_copy(e, &first);
	}
	shared_bits_free(&bits);
	shared_bits_free(&choice);
	shared64_free(&narrow);
	shared_free(&wide);
}

/* ---- exp ---- */

#define EXP_MAX		14

/* exp(14) / 2^20, times 2^60: from 60 fractional bits to 40. */
#define EXP_SCALE	((uint128) UINT64CONST(1322277394052404976))

/* exp(x) = exp(14) exp(-(14 - x)) */
void
function_exp(Party *self, Shared64 *z, const Shared64 *x)
{
	size_t		n = x->n;
	Shared64	y = shared64_alloc(n);
	Shared		e = shared_alloc(n);

	Assert(z->n == n);
	shared64_negate(&y, x);
	arith64_add_constant(self, &y, &y, (uint64) EXP_MAX << FUNCTION_FRACTION);
	exp_minus(self, &e, &y, EXP_PLANES);
	shared_linear(&e, EXP_SCALE, &e, 0, &e);
	scaled_truncate_near(self, &e, &e, INSIDE);
	scaled_narrow(z, &e);
	shared64_free(&y);
	shared_free(&e);
}

/* ---- the logistic function ---- */

/* |x| has 60 bits, and one for its sign. */
#define SIGMOID_PLANES	60

/* s = 1 / (1 + exp(-y)) with y = |x|, which is 1/2 or more; below 0 it is 1 - s. */
void
function_sigmoid(Party *self, Shared64 *z, const Shared64 *x)
{
	size_t		n = x->n;
	SharedBits	negative = shared_bits_raw(1, n);
	Shared64	y = shared64_alloc(n);
	Shared		e = shared_alloc(n);

	Assert(z->n == n);
	compare_negative(self, &negative, x);
	shared64_scale(&y, x, -2);
	convert_bit_times(self, &y, &negative, &y);
	shared64_add(&y, &y, x);
	exp_minus(self, &e, &y, SIGMOID_PLANES);

	/* d = (1 + e) / 2 with 62 fractional bits, s = (1 / d) / 2 */
	arith_add_constant(self, &e, &e, ONE);
	shared_linear(&e, 2, &e, 0, &e);
	scaled_reciprocal(self, &e, &e);
	scaled_truncate_near(self, &e, &e, 62 - FUNCTION_FRACTION + 1);
	scaled_narrow(z, &e);

	/* z = s, or s + (1 - 2 s) */
	shared64_scale(&y, z, -2);
	arith64_add_constant(self, &y, &y, UINT64CONST(1) << FUNCTION_FRACTION);
	convert_bit_times(self, &y, &negative, &y);
	shared64_add(z, z, &y);
	shared_bits_free(&negative);
	shared64_free(&y);
	shared_free(&e);
}

/* ---- ln ---- */

/*
 * ln((3 + t) / 4) for -1 <= t <= 1, wrong by less than 3e-11: the polynomial
 * that agrees with it at the 13 Chebyshev nodes.  Times 2^60, from t^0 on.
 */
#define LN_DEGREE	12
static const int64 ln_polynomial[LN_DEGREE + 1] = {
	INT64CONST(-331674847819523230),
	INT64CONST(384307167957653603),
	INT64CONST(-64051194624425499),
	INT64CONST(14233605648215327),
	INT64CONST(-3558401824890480),
	INT64CONST(948852452464347),
	INT64CONST(-263568356591481),
	INT64CONST(75492678828598),
	INT64CONST(-22022121402124),
	INT64CONST(6212832831014),
	INT64CONST(-1860798521641),
	INT64CONST(813571750302),
	INT64CONST(-249610751886),
};

/* ln(2) 2^40 */
#define LN_2		UINT64CONST(762123384786)

/* Fractional bits of what scaled_power() has moved up. */
#define MOVED		62

/* powers: t to t^12, one after the other; of t^1 to t^k all up to t^2k follow in one round. */
static void
powers_of(Party *self, Shared *powers, size_t n)
{
	Shared		factor = shared_alloc(LN_DEGREE * n);

	for (int known = 1; known < LN_DEGREE; known *= 2)
	{
		int			count = Min(known, LN_DEGREE - known);
		Shared		next = shared_view(powers, known * n, count * n);
		Shared		low = shared_view(powers, 0, count * n);
		Shared		highest = shared_view(powers, (known - 1) * n, n);
		Shared		factors = shared_view(&factor, 0, count * n);

		for (int k = 0; k < count; k++)
		{
			Shared		to = shared_view(&factor, k * n, n);

			shared_copy(&to, &highest);
		}
		shared_copy(&next, &low);
		scaled_multiply_near(self, &next, &next, &factors, MOVED);
	}
	shared_free(&factor);
}

/* z = ln(d), 1/2 <= d < 1 with 62 fractional bits, z with 40. */
static void
ln_of_fraction(Party *self, Shared64 *z, const Shared *d)
{
	size_t		n = d->n;
	Shared		powers = shared_alloc(LN_DEGREE * n);
	Shared		t = shared_view(&powers, 0, n);
	Shared		sum = shared_alloc(n);

	/* t = 4 d - 3 */
	shared_linear(&t, 4, d, 0, d);
	arith_add_constant(self, &t, &t, -((uint128) 3 << MOVED));
	powers_of(self, &powers, n);
	arith_constant(self, &sum, (uint128) (int128) ln_polynomial[0] << MOVED);
	for (int k = 1; k <= LN_DEGREE; k++)
	{
		Shared		power = shared_view(&powers, (k - 1) * n, n);

		shared_linear(&sum, 1, &sum, (uint128) (int128) ln_polynomial[k], &power);
	}
	scaled_truncate_near(self, &sum, &sum, INSIDE + MOVED - FUNCTION_FRACTION);
	scaled_narrow(z, &sum);
	shared_free(&powers);
	shared_free(&sum);
}

/* The exponent k of v = 2^k, of which plane k of `which` is set: bit j is set if one of these planes is. */
#define EXPONENT_BITS	6

static void
exponent_bits(const Party *self, SharedBits *exponent, const SharedBits *which)
{
	logic_constant(self, exponent, false);
	for (int j = 0; j < EXPONENT_BITS; j++)
	{
		SharedBits	bit = shared_bits_view(exponent, j, 1);

		for (int k = 0; k < which->planes; k++)
		{
			SharedBits	plane = shared_bits_view(which, k, 1);

			if (k >> j & 1)
				logic_xor(&bit, &plane);
		}
	}
}

/* x 2^40 v = d 2^62, v = 2^k: ln(x) = ln(d) + (22 - k) ln(2) */
void
function_ln(Party *self, Shared64 *z, const Shared64 *x)
{
	size_t		n = x->n;
	Shared64	v = shared64_alloc(n);
	Shared64	numbers = shared64_alloc(EXPONENT_BITS * n);
	SharedBits	which = shared_bits_raw(MOVED, n);
	SharedBits	exponent = shared_bits_raw(EXPONENT_BITS, n);
	Shared		d = shared_alloc(n);

	Assert(z->n == n);
	scaled_power(self, &v, &which, NULL, x);
	arith64_multiply(self, &v, &v, x);
	scaled_widen(self, &d, &v);
	exponent_bits(self, &exponent, &which);
	convert_bit_to_ring64(self, &numbers, &exponent);
	ln_of_fraction(self, z, &d);
	for (int j = 0; j < EXPONENT_BITS; j++)
	{
		Shared64	number = shared64_view(&numbers, j * n, n);

		vector_linear64(z->mine, 1, z->mine, -(LN_2 << j), number.mine, n);
		vector_linear64(z->next, 1, z->next, -(LN_2 << j), number.next, n);
	}
	arith64_add_constant(self, z, z, (MOVED - FUNCTION_FRACTION) * LN_2);
	shared64_free(&v);
	shared64_free(&numbers);
	shared_bits_free(&which);
	shared_bits_free(&exponent);
	shared_free(&d);
}
