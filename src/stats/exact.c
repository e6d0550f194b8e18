/*
 * exact.c
 *	  Exact arithmetic on opened totals, rounded once at the end.
 *
 * Every number is of one BN_CTX frame; once an operation had no memory, all
 * later ones return the frame's zero.
 */
#include "base/base.h"

#include <math.h>
#include <openssl/bn.h>

#include "stats/exact.h"

struct ExactFrame
{
	BN_CTX	   *ctx;
	bool		failed;
};

/* Bits of a quotient: more than a double has, with the last one for the rest. */
#define QUOTIENT_BITS	64

ExactFrame *
exact_begin(void)
{
	ExactFrame *frame = palloc(sizeof(ExactFrame));

	frame->ctx = BN_CTX_new();
	frame->failed = frame->ctx == NULL;
	if (!frame->failed)
		BN_CTX_start(frame->ctx);
	return frame;
}

void
exact_end(ExactFrame *frame)
{
	bool		failed = frame->failed;

	if (frame->ctx != NULL)
	{
		BN_CTX_end(frame->ctx);
		BN_CTX_free(frame->ctx);
	}
	pfree(frame);
	if (failed)
		fail(ERRCODE_OUT_OF_MEMORY, "OpenSSL could not compute with exact sums");
}

/* A new number, or NULL. */
static BIGNUM *
new_number(ExactFrame *frame)
{
	BIGNUM	   *number = frame->failed ? NULL : BN_CTX_get(frame->ctx);

	frame->failed = number == NULL;
	return number;
}

static Exact
done(ExactFrame *frame, bool good, BIGNUM *number, int exponent)
{
	frame->failed = frame->failed || !good;
	return (Exact) {frame->failed ? NULL : number, exponent};
}

Exact
exact_of_limbs(ExactFrame *frame, const uint64 *limbs, int n, int exponent)
{
	BIGNUM	   *number = new_number(frame);
	bool		negative = (int64) limbs[n - 1] < 0;
	uint64		carry = negative;
	bool		good = number != NULL;
	uint8	   *bytes = palloc(n * 8);

	for (int i = 0; i < n; i++)
	{
		uint64		limb = (negative ? ~limbs[i] : limbs[i]) + carry;

		carry = carry && limb == 0;
		for (int j = 0; j < 8; j++)
			bytes[i * 8 + j] = (uint8) (limb >> (8 * j));
	}
	good = good && BN_lebin2bn(bytes, n * 8, number) != NULL;
	if (good)
		BN_set_negative(number, negative);
	pfree(bytes);
	return done(frame, good, number, exponent);
}

Exact
exact_of_integer(ExactFrame *frame, int64 value)
{
	uint64		limb = (uint64) value;

	return exact_of_limbs(frame, &limb, 1, 0);
}

/* The number in units of 2^exponent, which is not above its own. */
static BIGNUM *
in_units(ExactFrame *frame, Exact a, int exponent)
{
	BIGNUM	   *number = new_number(frame);

	if (number != NULL && !BN_lshift(number, a.number, a.exponent - exponent))
		frame->failed = true;
	return number;
}

Exact
exact_add(ExactFrame *frame, Exact a, Exact b)
{
	int			exponent = Min(a.exponent, b.exponent);
	BIGNUM	   *x = in_units(frame, a, exponent);
	BIGNUM	   *y = in_units(frame, b, exponent);

	return done(frame, !frame->failed && BN_add(x, x, y), x, exponent);
}

Exact
exact_subtract(ExactFrame *frame, Exact a, Exact b)
{
	int			exponent = Min(a.exponent, b.exponent);
	BIGNUM	   *x = in_units(frame, a, exponent);
	BIGNUM	   *y = in_units(frame, b, exponent);

	return done(frame, !frame->failed && BN_sub(x, x, y), x, exponent);
}

Exact
exact_multiply(ExactFrame *frame, Exact a, Exact b)
{
	BIGNUM	   *product = new_number(frame);

	return done(frame, !frame->failed && BN_mul(product, a.number, b.number, frame->ctx),
				product, a.exponent + b.exponent);
}

Exact
exact_power(ExactFrame *frame, Exact a, int power)
{
	Exact		result = exact_of_integer(frame, 1);

	for (int i = 0; i < power; i++)
		result = exact_multiply(frame, result, a);
	return result;
}

Exact
exact_scale(ExactFrame *frame, int factor, Exact a)
{
	return exact_multiply(frame, exact_of_integer(frame, factor), a);
}

bool
exact_is_zero(Exact a)
{
	return a.number != NULL && BN_is_zero((BIGNUM *) a.number);
}

/* 64 or 65 bits of quotient, the rest noted in the last of them: converting rounds once. */
static bool
divide(double *out, Exact a, Exact b, BIGNUM *x, BIGNUM *y, BIGNUM *quotient, BIGNUM *rest, BN_CTX *ctx)
{
	int			shift = QUOTIENT_BITS + BN_num_bits(b.number) - BN_num_bits(a.number);
	uint8		bytes[16];
	uint128		bits = 0;

	if (!BN_lshift(x, a.number, Max(shift, 0)) || !BN_lshift(y, b.number, Max(-shift, 0)) ||
		!BN_div(quotient, rest, x, y, ctx) || BN_bn2lebinpad(quotient, bytes, sizeof(bytes)) < 0)
		return false;
	for (int i = 0; i < (int) sizeof(bytes); i++)
		bits |= (uint128) bytes[i] << (8 * i);
	if (!BN_is_zero(rest))
		bits |= 1;
	if (bits >> QUOTIENT_BITS != 0)
	{
		bits = bits >> 1 | (bits & 1);
		shift--;
	}
	*out = ldexp((double) (uint64) bits, a.exponent - b.exponent - shift);
	if (BN_is_negative(quotient))
		*out = -*out;
	return true;
}

double
exact_divide(ExactFrame *frame, Exact a, Exact b)
{
	BIGNUM	   *x = new_number(frame);
	BIGNUM	   *y = new_number(frame);
	BIGNUM	   *quotient = new_number(frame);
	BIGNUM	   *rest = new_number(frame);
	double		result = 0;

	if (frame->failed || BN_is_zero((BIGNUM *) a.number))
		return 0;
	if (!divide(&result, a, b, x, y, quotient, rest, frame->ctx))
		frame->failed = true;
	return result;
}

double
exact_to_double(ExactFrame *frame, Exact a)
{
	return exact_divide(frame, a, exact_of_integer(frame, 1));
}
