/*
 * test_fixed.c
 *	  Exact sums: against OpenSSL's BIGNUM, against strtod() (which rounds
 *	  correctly from hexadecimal), and against numbers one can do by hand.
 */
#include "base/base.h"

#include <float.h>
#include <math.h>
#include <openssl/bn.h>
#include <time.h>

#include "share/fixed.h"
#include "share/wide.h"
#include "unit.h"

#define ROWS_MAX	300
#define SUM_LIMBS	(FIXED_SUM_LIMBS + 1)
#define PRODUCT_LIMBS	(FIXED_PRODUCT_LIMBS + 1)

static BN_CTX *ctx;

/* |x| from about 2^low to 2^high, either sign, sometimes zero or a short mantissa. */
static double
random_double(int low, int high)
{
	double		mantissa = 1 + (double) (unit_random() >> 12) / 4503599627370496.0;

	if (unit_random() % 20 == 0)
		return 0.0;
	if (unit_random() % 5 == 0)
		mantissa = 1 + (double) (unit_random() % 8) / 8;
	return ldexp(unit_random() % 2 ? mantissa : -mantissa, unit_random_between(low, high));
}

/* out = x * 2^-lowest, a whole number; frexp() and ldexp(), unlike fixed.c. */
static void
bn_of_double(BIGNUM *out, double x, int lowest)
{
	int			exponent;
	int64		mantissa = (int64) ldexp(frexp(x, &exponent), 53);

	BN_set_word(out, (BN_ULONG) (mantissa < 0 ? -mantissa : mantissa));
	BN_set_negative(out, mantissa < 0);
	BN_lshift(out, out, exponent - 53 - lowest);
}

/* value of two's complement limbs */
static BIGNUM *
bn_of_limbs(const uint64 *limbs, int n)
{
	BIGNUM	   *out = BN_new();
	BIGNUM	   *limb = BN_new();
	BIGNUM	   *modulus = BN_new();

	BN_zero(out);
	for (int i = n - 1; i >= 0; i--)
	{
		BN_lshift(out, out, 64);
		BN_set_word(limb, limbs[i]);
		BN_add(out, out, limb);
	}
	if ((int64) limbs[n - 1] < 0)
	{
		BN_one(modulus);
		BN_lshift(modulus, modulus, 64 * n);
		BN_sub(out, out, modulus);
	}
	BN_free(limb);
	BN_free(modulus);
	return out;
}

static bool
limbs_are(const uint64 *limbs, int n, const BIGNUM *expected)
{
	BIGNUM	   *found = bn_of_limbs(limbs, n);
	bool		same = BN_cmp(found, expected) == 0;

	BN_free(found);
	return same;
}

/* Correctly rounded value * 2^exponent. */
static double
round_bn(const BIGNUM *value, int exponent)
{
	char	   *hex = BN_bn2hex(value);
	bool		negative = hex[0] == '-';
	char	   *text = psprintf("%s0x%sp%d", negative ? "-" : "", hex + negative, exponent);
	double		result = strtod(text, NULL);

	OPENSSL_free(hex);
	pfree(text);
	return result;
}

static bool
same_double(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

typedef struct Rows
{
	int			n;
	double		x[ROWS_MAX];
	double		y[ROWS_MAX];
} Rows;

static void
random_rows(Rows *rows, int low, int high)
{
	rows->n = unit_random_between(1, ROWS_MAX);
	for (int i = 0; i < rows->n; i++)
	{
		rows->x[i] = random_double(low, high);
		rows->y[i] = random_double(low, high);
	}
}

/* The sums of rows, exactly: x, y and x * y. */
typedef struct Exact
{
	BIGNUM	   *x;
	BIGNUM	   *y;
	BIGNUM	   *xy;
} Exact;

static Exact
exact_sums(const Rows *rows)
{
	Exact		exact = {BN_new(), BN_new(), BN_new()};
	BIGNUM	   *x = BN_new();
	BIGNUM	   *y = BN_new();

	BN_zero(exact.x);
	BN_zero(exact.y);
	BN_zero(exact.xy);
	for (int i = 0; i < rows->n; i++)
	{
		bn_of_double(x, rows->x[i], FIXED_SUM_EXPONENT);
		bn_of_double(y, rows->y[i], FIXED_SUM_EXPONENT);
		BN_add(exact.x, exact.x, x);
		BN_add(exact.y, exact.y, y);
		BN_mul(x, x, y, ctx);
		BN_add(exact.xy, exact.xy, x);
	}
	BN_free(x);
	BN_free(y);
	return exact;
}

static void
exact_free(Exact *exact)
{
	BN_free(exact->x);
	BN_free(exact->y);
	BN_free(exact->xy);
}

/* As if OpenSSL could divide into a double: 300 bits of quotient, then a bit for the rest. */
static double
exact_centred(const Exact *exact, int n)
{
	BIGNUM	   *numerator = BN_new();
	BIGNUM	   *square = BN_new();
	BIGNUM	   *count = BN_new();
	BIGNUM	   *rest = BN_new();
	BIGNUM	   *quotient = BN_new();
	double		result;

	BN_set_word(count, n);
	BN_mul(numerator, exact->xy, count, ctx);
	BN_mul(square, exact->x, exact->y, ctx);
	BN_sub(numerator, numerator, square);
	BN_lshift(numerator, numerator, 300);
	BN_div(quotient, rest, numerator, count, ctx);
	BN_lshift(quotient, quotient, 1);
	if (!BN_is_zero(rest))
	{
		if (BN_is_negative(numerator))
			BN_sub_word(quotient, 1);
		else
			BN_add_word(quotient, 1);
	}
	result = round_bn(quotient, FIXED_PRODUCT_EXPONENT - 301);
	BN_free(numerator);
	BN_free(square);
	BN_free(count);
	BN_free(rest);
	BN_free(quotient);
	return result;
}

/* Rows to limbs over some sites, by way of encoding and decoding. */
typedef struct Limbs
{
	uint64		x[SUM_LIMBS];
	uint64		y[SUM_LIMBS];
	uint64		xy[PRODUCT_LIMBS];
} Limbs;

static void
add_site(uint128 *elements, FixedAcc *acc)
{
	int			n = acc->kind == FIXED_SUM ? FIXED_SUM_LIMBS : FIXED_PRODUCT_LIMBS;
	uint64		limbs[FIXED_PRODUCT_LIMBS];
	uint128		encoded[FIXED_PRODUCT_LIMBS];

	fixed_limbs(limbs, acc);
	wide_encode(encoded, limbs, n);
	for (int i = 0; i < n; i++)
		elements[i] += encoded[i];
}

static bool
sites_sum(Limbs *out, const Rows *rows, int sites)
{
	uint128		x_elements[FIXED_SUM_LIMBS] = {0};
	uint128		y_elements[FIXED_SUM_LIMBS] = {0};
	uint128		xy_elements[FIXED_PRODUCT_LIMBS] = {0};
	bool		accepted = true;

	for (int site = 0; site < sites; site++)
	{
		FixedAcc	x;
		FixedAcc	y;
		FixedAcc	xy;

		fixed_init(&x, FIXED_SUM);
		fixed_init(&y, FIXED_SUM);
		fixed_init(&xy, FIXED_PRODUCT);
		for (int i = site; i < rows->n; i += sites)
			accepted &= fixed_add(&x, rows->x[i]) && fixed_add(&y, rows->y[i]) &&
				fixed_add_product(&xy, rows->x[i], rows->y[i]);
		add_site(x_elements, &x);
		add_site(y_elements, &y);
		add_site(xy_elements, &xy);
	}
	wide_decode(out->x, x_elements, FIXED_SUM_LIMBS);
	wide_decode(out->y, y_elements, FIXED_SUM_LIMBS);
	wide_decode(out->xy, xy_elements, FIXED_PRODUCT_LIMBS);
	return accepted;
}

/* Rows anywhere, to the sums and the centred sum, over one and over seven sites. */
static void
test_against_bignum(int low, int high, int rounds)
{
	bool		accepted = true;
	bool		exact_limbs = true;
	bool		rounded = true;
	bool		centred = true;

	for (int round = 0; round < rounds; round++)
	{
		static Rows rows;
		Exact		exact;
		Limbs		one;
		Limbs		seven;

		random_rows(&rows, low, high);
		exact = exact_sums(&rows);
		accepted &= sites_sum(&one, &rows, 1) && sites_sum(&seven, &rows, 7);
		exact_limbs &= memcmp(&one, &seven, sizeof(one)) == 0 &&
			limbs_are(one.x, SUM_LIMBS, exact.x) && limbs_are(one.y, SUM_LIMBS, exact.y) &&
			limbs_are(one.xy, PRODUCT_LIMBS, exact.xy);
		rounded &= same_double(wide_to_double(one.x, SUM_LIMBS, FIXED_SUM_EXPONENT),
							   round_bn(exact.x, FIXED_SUM_EXPONENT)) &&
			same_double(wide_to_double(one.xy, PRODUCT_LIMBS, FIXED_PRODUCT_EXPONENT),
						round_bn(exact.xy, FIXED_PRODUCT_EXPONENT));
		centred &= same_double(fixed_centred(one.xy, one.x, one.y, rows.n), exact_centred(&exact, rows.n));
		exact_free(&exact);
	}
	check(accepted, "numbers of 2^%d to 2^%d are accepted", low, high);
	check(exact_limbs, "their sums are exact, over one and over seven sites");
	check(rounded, "and correctly rounded");
	check(centred, "their centred sums of products are correctly rounded");
}

/* Shuffled, cut into parts and combined in any tree: the same limbs, bit by bit. */
static void
test_order(void)
{
	static Rows rows;
	bool		same = true;

	for (int round = 0; round < 50; round++)
	{
		FixedAcc	parts[5];
		FixedAcc	whole;
		uint64		expected[FIXED_PRODUCT_LIMBS];
		uint64		found[FIXED_PRODUCT_LIMBS];

		random_rows(&rows, -204, 159);
		fixed_init(&whole, FIXED_PRODUCT);
		for (int i = 0; i < rows.n; i++)
			fixed_add_product(&whole, rows.x[i], rows.y[i]);
		fixed_limbs(expected, &whole);
		for (int p = 0; p < 5; p++)
			fixed_init(&parts[p], FIXED_PRODUCT);
		for (int i = rows.n - 1; i >= 0; i--)
			fixed_add_product(&parts[unit_random() % 5], rows.y[i], rows.x[i]);
		fixed_combine(&parts[3], &parts[4]);
		fixed_combine(&parts[0], &parts[1]);
		fixed_combine(&parts[2], &parts[3]);
		fixed_combine(&parts[2], &parts[0]);
		fixed_limbs(found, &parts[2]);
		same &= memcmp(expected, found, sizeof(found)) == 0;
	}
	check(same, "order and grouping do not matter");
}

static void
test_special(void)
{
	FixedAcc	acc;
	FixedAcc	other;
	FixedAcc	empty;

	memset(&empty, 0x55, sizeof(empty));
	fixed_init(&empty, FIXED_SUM);
	acc = empty;
	check(fixed_add(&acc, 0.0) && fixed_add(&acc, -0.0) && memcmp(&acc, &empty, sizeof(acc)) == 0, "zeros add nothing");
	check(fixed_add(&acc, NAN) && acc.nan && !acc.pinf && !acc.ninf, "NaN is noted");
	check(fixed_add(&acc, INFINITY) && acc.pinf && !acc.ninf, "infinity is noted");
	other = empty;
	check(fixed_add(&other, -INFINITY) && other.ninf && !other.pinf && !other.nan, "minus infinity is noted");
	fixed_combine(&other, &acc);
	check(other.nan && other.pinf && other.ninf, "notes are combined");

	fixed_init(&acc, FIXED_PRODUCT);
	check(fixed_add_product(&acc, INFINITY, -2) && acc.ninf && !acc.pinf && !acc.nan, "infinity times a number");
	check(fixed_add_product(&acc, -INFINITY, -INFINITY) && acc.pinf && !acc.nan, "infinity times infinity");
	check(fixed_add_product(&acc, 0, INFINITY) && acc.nan, "zero times infinity is NaN");
	fixed_init(&acc, FIXED_PRODUCT);
	check(fixed_add_product(&acc, NAN, 1) && acc.nan && !acc.pinf, "NaN times a number");
	check(fixed_add_product(&acc, 0, 5) && fixed_add_product(&acc, -5, 0), "zero times a number");
}

static void
test_range(void)
{
	const double least = ldexp(1, -204);
	const double most = nextafter(ldexp(1, 160), 0);
	const double outside[] = {nextafter(ldexp(1, -204), 0), ldexp(1, 160), DBL_MIN, 5e-324, DBL_MAX};
	FixedAcc	sum;
	FixedAcc	product;
	FixedAcc	before;
	uint64		limbs[FIXED_PRODUCT_LIMBS];

	fixed_init(&sum, FIXED_SUM);
	check(fixed_add(&sum, least) && fixed_add(&sum, most) && fixed_add(&sum, -most), "the ends of the range add");
	fixed_limbs(limbs, &sum);
	check(same_double(wide_to_double(limbs, FIXED_SUM_LIMBS, FIXED_SUM_EXPONENT), least), "and nothing is lost");

	fixed_init(&product, FIXED_PRODUCT);
	check(fixed_add_product(&product, nextafter(least, 1), nextafter(least, 1)), "the smallest factors");
	check(fixed_add_product(&product, most, -most) && fixed_add_product(&product, most, most), "the largest");
	fixed_limbs(limbs, &product);
	check(limbs[0] == 1 + (UINT64CONST(1) << 53) && limbs[1] == UINT64CONST(1) << 40,
		  "(2^52 + 1)^2 is at the lowest bit");

	for (int i = 0; i < lengthof(outside); i++)
	{
		before = sum;
		check(!fixed_add(&sum, outside[i]) && !fixed_add(&sum, -outside[i]) &&
			  memcmp(&before, &sum, sizeof(sum)) == 0, "%g is out of range", outside[i]);
		before = product;
		check(!fixed_add_product(&product, outside[i], 1) && !fixed_add_product(&product, 1, -outside[i]) &&
			  !fixed_add_product(&product, outside[i], 0) && !fixed_add_product(&product, INFINITY, outside[i]) &&
			  memcmp(&before, &product, sizeof(product)) == 0, "as a factor as well");
	}
}

/* As after 2^30 - 1 additions of x at one place: the digits are as large as they get. */
static void
test_carry(double x, FixedKind kind, const char *what)
{
	const int64 times = (INT64CONST(1) << 30) - 1;
	FixedAcc	acc;
	FixedAcc	twin;
	int			n = kind == FIXED_SUM ? FIXED_SUM_LIMBS : FIXED_PRODUCT_LIMBS;
	uint64		limbs[FIXED_PRODUCT_LIMBS];
	BIGNUM	   *expected = BN_new();
	bool		small = true;

	fixed_init(&acc, kind);
	(void) (kind == FIXED_SUM ? fixed_add(&acc, x) : fixed_add_product(&acc, x, fabs(x)));
	for (int i = 0; i < lengthof(acc.digits); i++)
	{
		acc.digits[i] *= times;
		small &= acc.digits[i] < INT64CONST(1) << 62 && acc.digits[i] > -(INT64CONST(1) << 62);
	}
	acc.pending = (uint32) times;
	twin = acc;
	(void) (kind == FIXED_SUM ? fixed_add(&acc, x) : fixed_add_product(&acc, x, fabs(x)));
	check(small && acc.pending == 0, "%s: digits are carried in time", what);
	fixed_combine(&acc, &twin);
	fixed_combine(&twin, &acc);	/* 2^31 - 1 and 2^30 - 1: 3 * 2^30 - 2 in all */

	bn_of_double(expected, x, FIXED_SUM_EXPONENT);
	if (kind == FIXED_PRODUCT)
	{
		BIGNUM	   *factor = BN_dup(expected);

		BN_set_negative(factor, 0);
		BN_mul(expected, expected, factor, ctx);
		BN_free(factor);
	}
	BN_mul_word(expected, 3 * (UINT64CONST(1) << 30) - 2);
	fixed_limbs(limbs, &twin);
	check(limbs_are(limbs, n, expected), "%s: 3 * 2^30 - 2 of them are exact", what);
	BN_free(expected);
}

static void
test_carries(void)
{
	double		most = nextafter(ldexp(1, 160), 0);

	for (int place = 0; place < 32; place += 31)
	{
		test_carry(ldexp(most, -place), FIXED_SUM, "large numbers");
		test_carry(-ldexp(most, -place), FIXED_SUM, "large negative numbers");
		test_carry(ldexp(most, -place), FIXED_PRODUCT, "large products");
		test_carry(-ldexp(most, -place), FIXED_PRODUCT, "large negative products");
	}
	test_carry(-ldexp(1, -204), FIXED_SUM, "small negative numbers");
	test_carry(-nextafter(ldexp(1, -204), 1), FIXED_PRODUCT, "small products");
}

/* Bits of every length at every place, with ties and near ties, down to subnormals and up to infinity. */
static void
test_rounding(void)
{
	bool		right = true;
	int			subnormals = 0;
	int			infinities = 0;
	int			cases = 0;

	for (int n = 1; n <= PRODUCT_LIMBS; n++)
		for (int round = 0; round < 1500; round++, cases++)
		{
			uint64		limbs[PRODUCT_LIMBS] = {0};
			int			top = unit_random_between(0, 64 * n - 2);
			int			exponent = unit_random() % 2 ? unit_random_between(-2300, 1100) :
				unit_random_between(-1080, -1060) - (unit_random() % 2 ? top : 0);
			BIGNUM	   *value;
			double		found;
			double		expected;

			limbs[top / 64] |= UINT64CONST(1) << top % 64;
			for (int bit = top - 1; bit >= Max(0, top - 60); bit--)
				if (unit_random() % 4 != 0)
					limbs[bit / 64] |= UINT64CONST(1) << bit % 64;
			if (top >= 54 && unit_random() % 2)
			{
				/* a tie, perhaps with one bit far below */
				for (int bit = 0; bit < top - 52; bit++)
					limbs[bit / 64] &= ~(UINT64CONST(1) << bit % 64);
				limbs[(top - 53) / 64] |= UINT64CONST(1) << (top - 53) % 64;
				limbs[0] |= unit_random() % 2;
			}
			if (unit_random() % 2)
				for (int i = 0, carry = 1; i < n; i++)
				{
					limbs[i] = ~limbs[i] + carry;
					carry = carry && limbs[i] == 0;
				}
			value = bn_of_limbs(limbs, n);
			found = wide_to_double(limbs, n, exponent);
			expected = round_bn(value, exponent);
			right &= same_double(found, expected);
			subnormals += fpclassify(expected) == FP_SUBNORMAL;
			infinities += isinf(expected) != 0;
			BN_free(value);
		}
	check(right, "%d numbers are rounded as strtod() does", cases);
	check(subnormals > 500 && infinities > 100, "%d of them subnormal, %d infinite", subnormals, infinities);
}

static void
test_rounding_by_hand(void)
{
	uint64		least[2] = {0, UINT64CONST(1) << 63};	/* -2^127 */
	uint64		one[2] = {1, 0};
	uint64		three[1] = {3};
	uint64		minus_one[1] = {PG_UINT64_MAX};
	uint64		zero[3] = {0};
	uint64		ones[1] = {(UINT64CONST(1) << 54) - 1};	/* just below 2^54 */

	check(wide_to_double(least, 2, 0) == -ldexp(1, 127), "the most negative value");
	check(wide_to_double(minus_one, 1, -256) == -ldexp(1, -256), "minus one");
	check(same_double(wide_to_double(zero, 3, -256), 0.0), "zero");
	check(wide_to_double(one, 2, -1074) == 5e-324, "the smallest double");
	check(wide_to_double(one, 2, -1075) == 0, "half of it is a tie, to zero");
	check(wide_to_double(three, 1, -1076) == 5e-324, "three quarters of it are not");
	check(wide_to_double(three, 1, -1075) == 1e-323, "one and a half is a tie, to two");
	check(wide_to_double(one, 2, 1023) == ldexp(1, 1023), "a large power of two");
	check(isinf(wide_to_double(one, 2, 1024)), "one beyond the largest double");
	check(wide_to_double(ones, 1, 969) == ldexp(1, 1023), "rounding carries into the next power");
	check(isinf(wide_to_double(ones, 1, 970)), "and into infinity");
	check(wide_to_double(ones, 1, -1128) == ldexp(1, -1074), "and from nothing to the smallest");
}

/* Centred sums that one can do by hand. */
static void
test_centred_by_hand(void)
{
	Rows		rows = {10, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {10, 9, 8, 7, 6, 5, 4, 3, 2, 1}};
	Rows		same = {3, {0.1, 0.1, 0.1}, {0.1, 0.1, 0.1}};
	Rows		thirds = {3, {0, 0, 1}, {0, 0, 1}};
	Rows		far = {3, {1e15, 1e15 + 1, 1e15 + 2}, {1e15, 1e15 + 1, 1e15 + 2}};
	Limbs		limbs;
	uint64		zero[PRODUCT_LIMBS] = {0};
	uint64		tiny[PRODUCT_LIMBS] = {1};
	uint64		most_x[SUM_LIMBS];
	uint64		most_xy[PRODUCT_LIMBS];

	sites_sum(&limbs, &rows, 3);
	check(fixed_centred(limbs.xy, limbs.x, limbs.y, 10) == -82.5, "1 to 10 against 10 to 1");
	sites_sum(&limbs, &same, 1);
	check(same_double(fixed_centred(limbs.xy, limbs.x, limbs.y, 3), 0.0), "equal values do not vary at all");
	sites_sum(&limbs, &thirds, 1);
	check(fixed_centred(limbs.xy, limbs.x, limbs.y, 3) == 2.0 / 3.0, "two thirds");
	sites_sum(&limbs, &far, 1);
	check(fixed_centred(limbs.xy, limbs.x, limbs.y, 3) == 2.0, "small differences of large numbers");

	check(fixed_centred(tiny, zero, zero, 1) == ldexp(1, -512), "the lowest bit");
	check(fixed_centred(zero, tiny, tiny, PG_UINT64_MAX) == -ldexp(1, -576), "divided by the largest n");

	/* Everything as large as its limbs allow. */
	memset(most_x, 0, sizeof(most_x));
	memset(most_xy, 0xff, sizeof(most_xy));
	most_x[SUM_LIMBS - 1] = UINT64CONST(1) << 63;
	most_xy[PRODUCT_LIMBS - 1] = PG_INT64_MAX;
	check(fixed_centred(most_xy, most_x, most_x, 1) == ldexp(1, 1087 - 512) - ldexp(1, 1150 - 512),
		  "the largest sums against the largest");
	memset(most_xy, 0, sizeof(most_xy));
	most_xy[PRODUCT_LIMBS - 1] = UINT64CONST(1) << 63;
	check(fixed_centred(most_xy, zero, zero, PG_UINT64_MAX) == -ldexp(1, 1087 - 512), "the most negative, times by the largest n");
}

/* Against the textbook's two passes in long double, for measured things. */
static void
test_centred_two_passes(void)
{
	bool		near = true;

	for (int round = 0; round < 100; round++)
	{
		static Rows rows;
		Limbs		limbs;
		long double x_mean = 0;
		long double y_mean = 0;
		long double sum = 0;
		long double size = 0;

		rows.n = unit_random_between(2, ROWS_MAX);
		for (int i = 0; i < rows.n; i++)
		{
			rows.x[i] = 140 + (double) (unit_random() % 100000) / 1000;
			rows.y[i] = rows.x[i] / 3 + (double) (unit_random() % 100000) / 1000;
			x_mean += (long double) rows.x[i] / rows.n;
			y_mean += (long double) rows.y[i] / rows.n;
		}
		for (int i = 0; i < rows.n; i++)
		{
			sum += (rows.x[i] - x_mean) * (rows.y[i] - y_mean);
			size += fabsl((rows.x[i] - x_mean) * (rows.y[i] - y_mean));
		}
		sites_sum(&limbs, &rows, 4);
		near &= fabsl(fixed_centred(limbs.xy, limbs.x, limbs.y, rows.n) - sum) <= 1e-15L * size;
	}
	check(near, "centred sums agree with two passes in long double");
}

static void
test_speed(void)
{
	enum
	{
		N = 1000000
	};
	static double values[1024];
	FixedAcc	sum;
	FixedAcc	product;
	clock_t		start;

	for (int i = 0; i < 1024; i++)
		values[i] = random_double(-3, 10);
	fixed_init(&sum, FIXED_SUM);
	fixed_init(&product, FIXED_PRODUCT);
	start = clock();
	for (int i = 0; i < N; i++)
		fixed_add(&sum, values[i % 1024]);
	printf("# fixed_add: %.1f ns\n", (double) (clock() - start) * 1e9 / CLOCKS_PER_SEC / N);
	start = clock();
	for (int i = 0; i < N; i++)
		fixed_add_product(&product, values[i % 1024], values[(i + 1) % 1024]);
	printf("# fixed_add_product: %.1f ns\n", (double) (clock() - start) * 1e9 / CLOCKS_PER_SEC / N);
}

/* Products of three and four, in both halves of an accumulator that are then combined. */
static void
test_factors(FixedKind kind, int low, int high)
{
	FixedAcc	halves[2];
	BIGNUM	   *found;
	BIGNUM	   *exact = BN_new();
	BIGNUM	   *product = BN_new();
	BIGNUM	   *factor = BN_new();
	uint64		limbs[FIXED_LIMBS_MAX];
	bool		added = true;

	BN_zero(exact);
	fixed_init(&halves[0], kind);
	fixed_init(&halves[1], kind);
	for (int i = 0; i < ROWS_MAX; i++)
	{
		double		factors[FIXED_FACTORS_MAX];

		BN_one(product);
		for (int j = 0; j < fixed_factors(kind); j++)
		{
			factors[j] = random_double(low, high);
			bn_of_double(factor, factors[j], FIXED_SUM_EXPONENT);
			BN_mul(product, product, factor, ctx);
		}
		BN_add(exact, exact, product);
		added &= fixed_add_factors(&halves[i % 2], factors);
	}
	fixed_combine(&halves[0], &halves[1]);
	fixed_limbs(limbs, &halves[0]);
	found = bn_of_limbs(limbs, fixed_limbs_of(kind));
	check(added && BN_cmp(found, exact) == 0,
		  "sum of products of %d, from 2^%d to 2^%d", fixed_factors(kind), low, high);
	BN_free(found);
	BN_free(exact);
	BN_free(product);
	BN_free(factor);
}

static void
test_factors_special(void)
{
	FixedAcc	acc;

	fixed_init(&acc, FIXED_PRODUCT_3);
	check(fixed_add_factors(&acc, (double[]) {1, 0, 1e30}) && !acc.nan, "a zero among three factors");
	check(!fixed_add_factors(&acc, (double[]) {0, 1, 1e60}) && !acc.nan, "a factor of three out of range");
	check(fixed_add_factors(&acc, (double[]) {-2, 3, INFINITY}) && acc.ninf && !acc.pinf, "an infinite one");
	check(fixed_add_factors(&acc, (double[]) {0, 3, INFINITY}) && acc.nan, "an infinite one and zero");
}

int
main(void)
{
	ctx = BN_CTX_new();
	test_against_bignum(-204, 159, 150);
	test_against_bignum(-10, 20, 150);
	test_against_bignum(-204, -190, 50);
	test_against_bignum(150, 159, 50);
	test_order();
	test_special();
	test_range();
	test_carries();
	test_rounding();
	test_rounding_by_hand();
	test_centred_by_hand();
	test_centred_two_passes();
	for (FixedKind kind = FIXED_SUM; kind <= FIXED_PRODUCT_4; kind++)
	{
		test_factors(kind, -204, 159);
		test_factors(kind, 155, 159);
		test_factors(kind, -3, 10);
	}
	test_factors_special();
	test_speed();
	BN_CTX_free(ctx);
	return unit_done();
}
