/*
 * reciprocal.c
 *	  1 / x and ln x of shared counts.
 */
#include "estimate/reciprocal.h"

#include "base/limits.h"
#include "mpc/arith.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/scaled.h"
#include "share/bits.h"

#define B			ESTIMATE_ROWS_BITS
#define U_BITS		(B - 2)		/* fractional bits of u */
#define FRACTION	60			/* of what is computed with */
#define BLOCK		4			/* coefficients of one of the polynomials in u */
#define BLOCKS		6
#define FUNCTIONS	2

StaticAssertDecl((BLOCK - 1) * U_BITS <= FRACTION, "powers of u have to be exact");

/* 2^60 times the coefficients of 1 / (3/4 + u/4) and ln(3/4 + u/4), interpolated at 24 Chebyshev nodes. */
static const int64 coefficients[FUNCTIONS][BLOCKS * BLOCK] = {
	{
		INT64CONST(1537228672809129300), INT64CONST(-512409557603043100), INT64CONST(170803185867681408), INT64CONST(-56934395289227136),
		INT64CONST(18978131763057841), INT64CONST(-6326043921019280), INT64CONST(2108681307340014), INT64CONST(-702893769113338),
		INT64CONST(234297919821044), INT64CONST(-78099306607015), INT64CONST(26033120501989), INT64CONST(-8677706833996),
		INT64CONST(2892502955016), INT64CONST(-964167651672), INT64CONST(321545851997), INT64CONST(-107181950666),
		INT64CONST(35479311831), INT64CONST(-11826437277), INT64CONST(4201497454), INT64CONST(-1400499151),
		INT64CONST(294841927), INT64CONST(-98280642), INT64CONST(98280642), INT64CONST(-32760214)
	},
	{
		INT64CONST(-331674847819523230), INT64CONST(384307168202282325), INT64CONST(-64051194700380399), INT64CONST(14233598822306756),
		INT64CONST(-3558399705576160), INT64CONST(948906588153614), INT64CONST(-263585163385870), INT64CONST(75310046682020),
		INT64CONST(-21965430187143), INT64CONST(6508275608714), INT64CONST(-1952483223590), INT64CONST(591661592258),
		INT64CONST(-180783536084), INT64CONST(55625678901), INT64CONST(-17222100911), INT64CONST(5358029042),
		INT64CONST(-1667056090), INT64CONST(522950869), INT64CONST(-172294935), INT64CONST(54442041),
		INT64CONST(-12159297), INT64CONST(3846831), INT64CONST(-3159281), INT64CONST(1009616)
	}
};

/* ln 2 with LOGARITHM_FRACTION bits. */
static const uint128 ln_2 = (uint128) UINT64CONST(0xb17217f7d1cf79) << 64 | UINT64CONST(0xabc9e3b39803f2f7);

Shared
part_of(const Shared *all, size_t k, size_t n)
{
	return shared_view(all, k * n, n);
}

void
part_put(Shared *all, size_t k, const Shared *x)
{
	Shared		to = part_of(all, k, x->n);

	shared_copy(&to, x);
}

/* ---- moving up ---- */

/* B vectors of 0 and 1, end to end: is x at least 2^k? */
static Shared
reached(Party *self, const Shared *x)
{
	size_t		n = x->n;
	Shared64	narrow = shared64_alloc(B * n);
	SharedBits	less = shared_bits_alloc(1, B * n);
	uint64	   *bounds = palloc(sizeof(uint64) * (B * n + 1));
	Shared		out = shared_alloc(B * n);

	for (int k = 0; k < B; k++)
	{
		Shared64	own = shared64_view(&narrow, k * n, n);

		scaled_narrow(&own, x);
		for (size_t v = 0; v < n; v++)
			bounds[k * n + v] = UINT64CONST(1) << k;
	}
	compare_less_public(self, &less, &narrow, bounds, B * n, (NumberKind) {true, B + 1});
	logic_not(self, &less);
	convert_bit_to_ring(self, &out, &less);
	shared64_free(&narrow);
	shared_bits_free(&less);
	pfree(bounds);
	return out;
}

/* v = 2^(B - 1 - k), k being the highest bit of x, or 0; levels = k + 1, or 0; positive = (x > 0). */
static void
powers(Party *self, Shared *v, Shared *levels, Shared *positive, const Shared *x)
{
	Shared		all = reached(self, x);
	Shared		first = part_of(&all, 0, x->n);

	shared_linear(v, (uint128) 1 << (B - 1), &first, 0, &first);
	shared_copy(levels, &first);
	shared_copy(positive, &first);
	for (int k = 1; k < B; k++)
	{
		Shared		own = part_of(&all, k, x->n);

		shared_linear(v, 1, v, -((uint128) 1 << (B - 1 - k)), &own);
		shared_linear(levels, 1, levels, 1, &own);
	}
	shared_free(&all);
}

/* What is not positive stands at 1/2, so that nothing leaves its range. */
static void
make_u(Party *self, Shared *u, const Shared *x, const Shared *v, const Shared *positive)
{
	arith_multiply(self, u, x, v);
	shared_linear(u, 1, u, -((uint128) 1 << (B - 1)), positive);
	arith_add_constant(self, u, u, ((uint128) 1 << (B - 1)) - ((uint128) 3 << (B - 2)));
}

/* ---- polynomials ---- */

/* u, u^2, u^3, u^4 end to end, exact. */
static Shared
powers_of_u(Party *self, const Shared *u)
{
	size_t		n = u->n;
	Shared		all = shared_alloc(4 * n);
	Shared		square = part_of(&all, 1, n);
	Shared		lower = shared_view(&all, 0, 2 * n);
	Shared		upper = shared_view(&all, 2 * n, 2 * n);
	Shared		squares = shared_alloc(2 * n);

	part_put(&all, 0, u);
	arith_square(self, &square, u);
	part_put(&squares, 0, &square);
	part_put(&squares, 1, &square);
	arith_multiply(self, &upper, &lower, &squares);
	shared_free(&squares);
	return all;
}

/* One block's polynomial of degree 3 in u, with 2 FRACTION bits. */
static void
block(const Party *self, Shared *z, const Shared *u_powers, const int64 *c)
{
	shared_linear(z, 0, z, 0, z);
	for (int k = 1; k < BLOCK; k++)
	{
		Shared		power = part_of(u_powers, k - 1, z->n);

		shared_linear(z, 1, z, (uint128) (int128) c[k] << (FRACTION - k * U_BITS), &power);
	}
	arith_add_constant(self, z, z, (uint128) (int128) c[0] << FRACTION);
}

/* z[f] = q0 with 2 FRACTION bits; returned are y and then of each function q1 to q5, with FRACTION. */
static Shared
blocks(Party *self, Shared *z, int functions, const Shared *u)
{
	size_t		n = u->n;
	Shared		u_powers = powers_of_u(self, u);
	Shared		fourth = part_of(&u_powers, 3, n);
	Shared		cut = shared_alloc((1 + (BLOCKS - 1) * functions) * n);
	Shared		y = part_of(&cut, 0, n);

	shared_linear(&y, (uint128) 1 << (2 * FRACTION - 4 * U_BITS), &fourth, 0, &fourth);
	for (int f = 0; f < functions; f++)
	{
		block(self, &z[f], &u_powers, coefficients[f]);
		for (int i = 1; i < BLOCKS; i++)
		{
			Shared		q = part_of(&cut, (BLOCKS - 1) * f + i, n);

			block(self, &q, &u_powers, coefficients[f] + i * BLOCK);
		}
	}
	scaled_truncate_near(self, &cut, &cut, FRACTION);
	shared_free(&u_powers);
	return cut;
}

/*
 * z[f] += y q1; returned are y^2 and then of each function q2 + y q3 and q4 + y q5, with FRACTION bits.
 */
static Shared
pairs(Party *self, Shared *z, int functions, const Shared *cut)
{
	size_t		n = z[0].n;
	Shared		y = part_of(cut, 0, n);
	Shared		left = shared_alloc((1 + 3 * functions) * n);
	Shared		right = shared_alloc((1 + 3 * functions) * n);
	Shared		out = shared_alloc((1 + 2 * functions) * n);
	Shared		own;

	for (int i = 0; i < 1 + 3 * functions; i++)
	{
		own = part_of(cut, i == 0 ? 0 : (BLOCKS - 1) * ((i - 1) / 3) + 1 + 2 * ((i - 1) % 3), n);
		part_put(&left, i, &own);
		part_put(&right, i, &y);
	}
	arith_multiply(self, &left, &left, &right);
	own = part_of(&left, 0, n);
	part_put(&out, 0, &own);
	for (int f = 0; f < functions; f++)
	{
		own = part_of(&left, 1 + 3 * f, n);
		shared_linear(&z[f], 1, &z[f], 1, &own);
		for (int i = 1; i < 3; i++)
		{
			own = part_of(&left, 1 + 3 * f + i, n);
			part_put(&out, 2 * f + i, &own);
		}
	}
	scaled_truncate_near(self, &out, &out, FRACTION);
	for (int i = 1; i < 1 + 2 * functions; i++)
	{
		Shared		sum = part_of(&out, i, n);

		own = part_of(cut, (BLOCKS - 1) * ((i - 1) / 2) + 2 + 2 * ((i - 1) % 2), n);
		shared_linear(&sum, 1, &sum, 1, &own);
	}
	shared_free(&left);
	shared_free(&right);
	return out;
}

/* z[f] += factor times the which-th of pairs' two sums; and power = factor^2 with FRACTION bits, unless it is NULL. */
static void
add_products(Party *self, Shared *z, int functions, const Shared *sums, int which, const Shared *factor, Shared *power)
{
	size_t		n = z[0].n;
	int			all = functions + (power ? 1 : 0);
	Shared		left = shared_alloc(all * n);
	Shared		right = shared_alloc(all * n);
	Shared		own;

	for (int f = 0; f < all; f++)
	{
		own = f < functions ? part_of(sums, 2 * f + which, n) : *factor;
		part_put(&left, f, &own);
		part_put(&right, f, factor);
	}
	arith_multiply(self, &left, &left, &right);
	for (int f = 0; f < functions; f++)
	{
		own = part_of(&left, f, n);
		shared_linear(&z[f], 1, &z[f], 1, &own);
	}
	if (power)
	{
		own = part_of(&left, functions, n);
		scaled_truncate_near(self, power, &own, FRACTION);
	}
	shared_free(&left);
	shared_free(&right);
}

/* z[f] = q0 + y q1 + y^2 (q2 + y q3) + y^4 (q4 + y q5), with 2 FRACTION bits. */
static void
polynomials(Party *self, Shared *z, int functions, const Shared *u)
{
	Shared		cut = blocks(self, z, functions, u);
	Shared		sums = pairs(self, z, functions, &cut);
	Shared		square = part_of(&sums, 0, u->n);
	Shared		fourth = shared_alloc(u->n);

	add_products(self, z, functions, &sums, 1, &square, &fourth);
	add_products(self, z, functions, &sums, 2, &fourth, NULL);
	shared_free(&cut);
	shared_free(&sums);
	shared_free(&fourth);
}

/* ---- the whole ---- */

void
reciprocal_of_counts(Party *self, Shared *inverse, Shared *logarithm, const Shared *x)
{
	size_t		n = x->n;
	uint128		zero = (uint128) (int128) LOGARITHM_OF_ZERO << LOGARITHM_FRACTION;
	Shared		v = shared_alloc(n);
	Shared		levels = shared_alloc(n);
	Shared		positive = shared_alloc(n);
	Shared		u = shared_alloc(n);
	Shared		z[FUNCTIONS] = {shared_alloc(n), shared_alloc(n)};

	powers(self, &v, &levels, &positive, x);
	make_u(self, &u, x, &v, &positive);
	polynomials(self, z, logarithm ? FUNCTIONS : 1, &u);
	scaled_truncate_near(self, inverse, &z[0], 2 * FRACTION + B - RECIPROCAL_FRACTION);
	arith_multiply(self, inverse, inverse, &v);
	if (logarithm)
	{
		shared_linear(logarithm, 1, &z[1], ln_2, &levels);
		shared_linear(logarithm, 1, logarithm, -zero, &positive);
		arith_add_constant(self, logarithm, logarithm, zero);
	}
	shared_free(&v);
	shared_free(&levels);
	shared_free(&positive);
	shared_free(&u);
	for (int f = 0; f < FUNCTIONS; f++)
		shared_free(&z[f]);
}

void
reciprocal_cost(EstimateCost *cost, uint64 n, bool with_logarithm)
{
	int			f = with_logarithm ? FUNCTIONS : 1;

	cost_less_public(cost, B * n, B + 1);
	cost_to_ring(cost, B * n);
	cost_multiply(cost, n);
	cost_multiply(cost, n);
	cost_multiply(cost, 2 * n);
	cost_truncate(cost, (1 + (BLOCKS - 1) * f) * n, FRACTION);
	cost_multiply(cost, (1 + 3 * f) * n);
	cost_truncate(cost, (1 + 2 * f) * n, FRACTION);
	cost_multiply(cost, (1 + f) * n);
	cost_truncate(cost, n, FRACTION);
	cost_multiply(cost, f * n);
	cost_truncate(cost, n, 2 * FRACTION + B - RECIPROCAL_FRACTION);
	cost_multiply(cost, n);
}

uint64
reciprocal_need(uint64 n, bool with_logarithm)
{
	uint64		f = with_logarithm ? FUNCTIONS : 1;
	uint64		comparing = B * n * (3 * sizeof(uint64) + 3 * 2 * sizeof(uint128) + (B + 2) / 2);
	uint64		computing = (4 + 6 + 21 * f) * n * 2 * sizeof(uint128);

	return 6 * n * 2 * sizeof(uint128) + Max(comparing, computing);
}
