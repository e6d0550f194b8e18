/*
 * fixed.c
 *	  Exact sums of double precision numbers, and doubles from exact numbers.
 *
 * A double is a whole number of 53 bits times a power of two, so it covers
 * three 32-bit digits of the accumulator.  Digits are held in int64 and are
 * not carried at each addition: after a normalisation they are below 2^32,
 * each addition changes them by less than 2^32, and after 2^30 additions they
 * are still below 2^63.  That makes an addition about as cheap as three
 * integer additions.
 *
 * The digit that is touched depends on the number's size.  These are a site's
 * own rows, in the clear, in its own memory (the SQL around it depends on
 * them just as much); shares are made from the finished sum.  In the same way
 * wide_to_double() and fixed_centred() work on what was opened.
 */
#include "base/base.h"

#include <math.h>
#include <openssl/bn.h>

#include "port/pg_bitutils.h"
#include "share/fixed.h"

#define DIGIT_BITS			32
#define PENDING_MAX			(1u << 30)

/* IEEE 754 binary64. */
#define MANTISSA_BITS		52
#define MANTISSA_MASK		((UINT64CONST(1) << MANTISSA_BITS) - 1)
#define BIASED_MASK			0x7ff
#define EXPONENT_BIAS		1023
#define EXPONENT_LOWEST		(-1074)	/* of the smallest subnormal */

/* 2^-204 <= |x| < 2^160, counted from where 2^-204 begins. */
#define BIASED_LOWEST		(EXPONENT_BIAS - 204)
#define PLACE_MAX			(204 + 159)

StaticAssertDecl(FIXED_SUM_EXPONENT == -204 - MANTISSA_BITS, "lowest bit of the smallest number");
StaticAssertDecl(FIXED_PRODUCT_EXPONENT == 2 * FIXED_SUM_EXPONENT, "lowest bit of the smallest product");

typedef enum NumberClass
{
	NUMBER_USABLE,
	NUMBER_ZERO,
	NUMBER_NOT_FINITE,
	NUMBER_OUT_OF_RANGE
} NumberClass;

/* x = (sign ? -1 : 1) * mantissa * 2^(place + FIXED_SUM_EXPONENT) */
typedef struct Parts
{
	uint64		mantissa;
	int			place;
	int64		sign;			/* 0 or -1 */
} Parts;

void
fixed_init(FixedAcc *acc, FixedKind kind)
{
	memset(acc, 0, sizeof(*acc));
	acc->kind = kind;
}

static inline NumberClass
take_apart(double x, Parts *parts)
{
	uint64		bits;

	memcpy(&bits, &x, sizeof(bits));
	parts->mantissa = (bits & MANTISSA_MASK) | (UINT64CONST(1) << MANTISSA_BITS);
	parts->place = (int) (bits >> MANTISSA_BITS & BIASED_MASK) - BIASED_LOWEST;
	parts->sign = -(int64) (bits >> 63);

	if (likely((unsigned) parts->place <= PLACE_MAX))
		return NUMBER_USABLE;
	if (bits << 1 == 0)
		return NUMBER_ZERO;
	return (bits >> MANTISSA_BITS & BIASED_MASK) == BIASED_MASK ? NUMBER_NOT_FINITE : NUMBER_OUT_OF_RANGE;
}

static void
note_not_finite(FixedAcc *acc, double x)
{
	acc->nan |= isnan(x) != 0;
	acc->pinf |= isinf(x) && x > 0;
	acc->ninf |= isinf(x) && x < 0;
}

/* The lowest bit of the accumulator is that of its first digit. */
static int
top_digit(const FixedAcc *acc)
{
	return 2 * fixed_limbs_of(acc->kind);
}

/* All digits but the top one are in [0, 2^32) afterwards; the top one has the sign. */
static void
normalise(FixedAcc *acc)
{
	int			top = top_digit(acc);
	int64		carry = 0;

	for (int i = 0; i < top; i++)
	{
		int64		digit = acc->digits[i] + carry;

		acc->digits[i] = (uint32) digit;
		carry = digit >> DIGIT_BITS;
	}
	acc->digits[top] += carry;
	acc->pending = 0;
}

/* Adds or subtracts up to 96 bits; sign is 0 or -1 (complement and add one). */
static inline void
add_three_digits(int64 *digits, uint128 value, int64 sign)
{
	for (int i = 0; i < 3; i++)
		digits[i] += ((int64) (uint32) (value >> (DIGIT_BITS * i)) ^ sign) - sign;
}

static inline void
count_addition(FixedAcc *acc)
{
	if (unlikely(++acc->pending >= PENDING_MAX))
		normalise(acc);
}

bool
fixed_add(FixedAcc *acc, double x)
{
	Parts		parts;
	NumberClass class = take_apart(x, &parts);

	Assert(acc->kind == FIXED_SUM);
	if (unlikely(class != NUMBER_USABLE))
	{
		if (class == NUMBER_NOT_FINITE)
			note_not_finite(acc, x);
		return class != NUMBER_OUT_OF_RANGE;
	}
	add_three_digits(acc->digits + parts.place / DIGIT_BITS,
					 (uint128) parts.mantissa << (parts.place % DIGIT_BITS), parts.sign);
	count_addition(acc);
	return true;
}

/* The product's upper 64 bits begin two digits higher. */
static void
add_product(FixedAcc *acc, const Parts *x, const Parts *y)
{
	uint128		product = (uint128) x->mantissa * y->mantissa;
	int			place = x->place + y->place;
	int			shift = place % DIGIT_BITS;
	int64	   *digits = acc->digits + place / DIGIT_BITS;
	int64		sign = x->sign ^ y->sign;

	add_three_digits(digits, (uint128) (uint64) product << shift, sign);
	add_three_digits(digits + 2, (product >> 64) << shift, sign);
	count_addition(acc);
}

bool
fixed_add_product(FixedAcc *acc, double x, double y)
{
	Parts		x_parts;
	Parts		y_parts;
	NumberClass x_class = take_apart(x, &x_parts);
	NumberClass y_class = take_apart(y, &y_parts);

	Assert(acc->kind == FIXED_PRODUCT);
	if (x_class == NUMBER_OUT_OF_RANGE || y_class == NUMBER_OUT_OF_RANGE)
		return false;
	if (x_class == NUMBER_USABLE && y_class == NUMBER_USABLE)
		add_product(acc, &x_parts, &y_parts);
	else
		note_not_finite(acc, x * y);	/* a zero, unless one is not finite */
	return true;
}

/* magnitude *= factor, in 32-bit digits. */
static void
multiply_digits(uint32 *magnitude, int n, uint64 factor)
{
	uint128		carry = 0;
	uint32		product[FIXED_FACTORS_MAX * 2 + 1] = {0};

	/* the factor's lower and upper 32 bits */
	for (int half = 0; half < 2; half++)
	{
		carry = 0;
		for (int i = 0; i + half < n; i++)
		{
			carry += (uint128) magnitude[i] * (uint32) (factor >> (DIGIT_BITS * half)) + product[i + half];
			product[i + half] = (uint32) carry;
			carry >>= DIGIT_BITS;
		}
	}
	memcpy(magnitude, product, n * sizeof(uint32));
}

/* The product of four mantissas has 212 bits; shifted by up to 31 they are eight digits. */
static void
add_factors(FixedAcc *acc, const Parts *parts, int n)
{
	uint32		magnitude[FIXED_FACTORS_MAX * 2 + 1] = {1};
	int64		sign = 0;
	int			place = 0;
	int64	   *digits;

	for (int i = 0; i < n; i++)
	{
		multiply_digits(magnitude, lengthof(magnitude), parts[i].mantissa);
		sign ^= parts[i].sign;
		place += parts[i].place;
	}
	multiply_digits(magnitude, lengthof(magnitude), UINT64CONST(1) << (place % DIGIT_BITS));
	digits = acc->digits + place / DIGIT_BITS;
	for (int i = 0; i < 2 * n; i++)
		digits[i] += ((int64) magnitude[i] ^ sign) - sign;
	count_addition(acc);
}

bool
fixed_add_factors(FixedAcc *acc, const double *factors)
{
	Parts		parts[FIXED_FACTORS_MAX];
	int			n = fixed_factors(acc->kind);
	bool		usable = true;
	double		product = 1;

	if (n == 1)
		return fixed_add(acc, factors[0]);
	if (n == 2)
		return fixed_add_product(acc, factors[0], factors[1]);
	for (int i = 0; i < n; i++)
	{
		NumberClass class = take_apart(factors[i], &parts[i]);

		if (class == NUMBER_OUT_OF_RANGE)
			return false;
		usable = usable && class == NUMBER_USABLE;
		product *= factors[i];
	}
	if (usable)
		add_factors(acc, parts, n);
	else
		note_not_finite(acc, product);	/* a zero, unless one is not finite */
	return true;
}

/* Normalised digits of the other are one more addition. */
void
fixed_combine(FixedAcc *acc, const FixedAcc *other)
{
	FixedAcc	addend = *other;

	Assert(acc->kind == other->kind);
	normalise(&addend);
	for (int i = 0; i <= top_digit(acc); i++)
		acc->digits[i] += addend.digits[i];
	acc->nan |= other->nan;
	acc->pinf |= other->pinf;
	acc->ninf |= other->ninf;
	count_addition(acc);
}

/* The top digit only repeats the sign: 2^60 additions stay 30 bits below it. */
void
fixed_limbs(uint64 *limbs, FixedAcc *acc)
{
	normalise(acc);
	for (int i = 0; i < top_digit(acc) / 2; i++)
		limbs[i] = (uint64) acc->digits[2 * i] | (uint64) acc->digits[2 * i + 1] << DIGIT_BITS;
}

/* |value| as n unsigned limbs; true if value is negative. */
static bool
magnitude_of(uint64 *magnitude, const uint64 *value, int n)
{
	bool		negative = (int64) value[n - 1] < 0;
	uint64		carry = negative;

	for (int i = 0; i < n; i++)
	{
		magnitude[i] = (negative ? ~value[i] : value[i]) + carry;
		carry = carry && magnitude[i] == 0;
	}
	return negative;
}

/* Position of the highest one, or -1. */
static int
highest_bit(const uint64 *magnitude, int n)
{
	while (n > 0 && magnitude[n - 1] == 0)
		n--;
	return n == 0 ? -1 : (n - 1) * 64 + pg_leftmost_one_pos64(magnitude[n - 1]);
}

/* 64 bits from this position on; zeros beyond the top. */
static uint64
bits_from(const uint64 *magnitude, int n, int position)
{
	int			limb = position / 64;
	int			shift = position % 64;
	uint64		low = limb < n ? magnitude[limb] : 0;
	uint64		high = limb + 1 < n ? magnitude[limb + 1] : 0;

	return shift == 0 ? low : low >> shift | high << (64 - shift);
}

/* True if any bit below this position is one. */
static bool
ones_below(const uint64 *magnitude, int position)
{
	for (int i = 0; i < position / 64; i++)
		if (magnitude[i] != 0)
			return true;
	return position % 64 != 0 && magnitude[position / 64] << (64 - position % 64) != 0;
}

/*
 * Keeps the bits from `lowest` on, which are at most 53, and rounds the rest
 * away: to the nearest, and to even if it is just half.
 */
static uint64
round_at(const uint64 *magnitude, int n, int lowest)
{
	uint64		kept = bits_from(magnitude, n, lowest);
	bool		half = bits_from(magnitude, n, lowest - 1) & 1;
	bool		more = ones_below(magnitude, lowest - 1);

	return kept + (half && (more || (kept & 1)));
}

/* The whole number kept has at most 53 bits, or is 2^53, so ldexp() is exact. */
static double
magnitude_to_double(const uint64 *magnitude, int n, int exponent)
{
	int			top = highest_bit(magnitude, n);
	int			lowest = Max(top - MANTISSA_BITS, EXPONENT_LOWEST - exponent);

	if (top < 0 || lowest > top + 1)
		return 0.0;				/* zero, or less than half the smallest double */
	if (lowest <= 0)
		return ldexp((double) magnitude[0], exponent);
	return ldexp((double) round_at(magnitude, n, lowest), exponent + lowest);
}

double
wide_to_double(const uint64 *value, int n, int exponent)
{
	uint64		magnitude[FIXED_PRODUCT_LIMBS + 1];
	bool		negative;
	double		result;

	Assert(n >= 1 && n <= lengthof(magnitude));
	negative = magnitude_of(magnitude, value, n);
	result = magnitude_to_double(magnitude, n, exponent);
	return negative ? -result : result;
}

/*
 * fixed_centred() divides (n * sum_xy - sum_x * sum_y) * 2^128 by n: with
 * these 128 bits more the quotient of the smallest numerator (1) and the
 * largest n (2^64) still has 64 bits, enough to round, and a remainder only
 * has to be known to be there.  The numerator is below 2^1152.
 */
#define QUOTIENT_SHIFT		128
#define QUOTIENT_LIMBS		21
#define SUM_LIMBS			(FIXED_SUM_LIMBS + 1)
#define PRODUCT_LIMBS		(FIXED_PRODUCT_LIMBS + 1)

static bool
bn_from_wide(BIGNUM *out, const uint64 *value, int n)
{
	uint64		magnitude[PRODUCT_LIMBS];
	uint8		bytes[sizeof(magnitude)];
	bool		negative = magnitude_of(magnitude, value, n);

	for (int i = 0; i < n * 8; i++)
		bytes[i] = (uint8) (magnitude[i / 8] >> (8 * (i % 8)));
	if (BN_lebin2bn(bytes, n * 8, out) == NULL)
		return false;
	BN_set_negative(out, negative);
	return true;
}

static bool
bn_to_double(double *out, const BIGNUM *quotient, bool remainder, int exponent)
{
	uint8		bytes[QUOTIENT_LIMBS * 8];
	uint64		magnitude[QUOTIENT_LIMBS] = {0};

	if (BN_bn2lebinpad(quotient, bytes, sizeof(bytes)) < 0)
		return false;
	for (int i = 0; i < (int) sizeof(bytes); i++)
		magnitude[i / 8] |= (uint64) bytes[i] << (8 * (i % 8));
	magnitude[0] |= remainder;	/* far below the last bit kept */
	*out = magnitude_to_double(magnitude, QUOTIENT_LIMBS, exponent);
	return true;
}

/* False if OpenSSL has no memory. */
static bool
centred(double *out, const uint64 *sum_xy, const uint64 *sum_x, const uint64 *sum_y, uint64 n, BN_CTX *ctx)
{
	BIGNUM	   *xy = BN_CTX_get(ctx);
	BIGNUM	   *x = BN_CTX_get(ctx);
	BIGNUM	   *y = BN_CTX_get(ctx);
	BIGNUM	   *count = BN_CTX_get(ctx);
	BIGNUM	   *quotient = BN_CTX_get(ctx);
	BIGNUM	   *rest = BN_CTX_get(ctx);	/* NULL if any before it is */

	if (rest == NULL ||
		!bn_from_wide(xy, sum_xy, PRODUCT_LIMBS) ||
		!bn_from_wide(x, sum_x, SUM_LIMBS) ||
		!bn_from_wide(y, sum_y, SUM_LIMBS) ||
		!BN_set_word(count, n) ||
		!BN_mul(xy, xy, count, ctx) ||
		!BN_mul(x, x, y, ctx) ||
		!BN_sub(xy, xy, x) ||
		!BN_lshift(xy, xy, QUOTIENT_SHIFT) ||
		!BN_div(quotient, rest, xy, count, ctx) ||
		!bn_to_double(out, quotient, !BN_is_zero(rest), FIXED_PRODUCT_EXPONENT - QUOTIENT_SHIFT))
		return false;
	if (BN_is_negative(quotient))
		*out = -*out;
	return true;
}

double
fixed_centred(const uint64 *sum_xy, const uint64 *sum_x, const uint64 *sum_y, uint64 n)
{
	BN_CTX	   *ctx = BN_CTX_new();
	double		result = 0;
	bool		done = false;

	Assert(n > 0);
	if (ctx != NULL)
	{
		BN_CTX_start(ctx);
		done = centred(&result, sum_xy, sum_x, sum_y, n, ctx);
		BN_CTX_end(ctx);
		BN_CTX_free(ctx);
	}
	if (!done)
		fail(ERRCODE_OUT_OF_MEMORY, "OpenSSL could not compute an exact sum of products");
	return result;
}
