/*
 * fixed_vector.c
 *	  Exact sums of many double precision numbers at once.
 *
 * As in fixed.c: 32-bit digits in int64, carried when 2^30 additions are
 * pending.  A double covers three of them.  These are a site's own rows, in the
 * clear; shares are made of the finished sums.
 */
#include "share/fixed_vector.h"

#define DIGIT_BITS			32
#define PENDING_MAX			(1u << 30)
#define MANTISSA_BITS		52
#define MANTISSA_MASK		((UINT64CONST(1) << MANTISSA_BITS) - 1)
#define BIASED_MASK			0x7ff
/* 2^-204 <= |x| < 2^160, counted from where 2^-204 begins. */
#define BIASED_LOWEST		(1023 - 204)
#define PLACE_MAX			(204 + 159)

StaticAssertDecl(FIXED_SUM_EXPONENT == -204 - MANTISSA_BITS, "lowest bit of the smallest number");

size_t
fixed_vector_bytes(int n)
{
	return offsetof(FixedVector, digits) + sizeof(int64) * FIXED_VECTOR_DIGITS * (size_t) n;
}

void
fixed_vector_init(FixedVector *vector, int n)
{
	memset(vector, 0, fixed_vector_bytes(n));
	vector->n = n;
}

/* All digits but the top one are in [0, 2^32) afterwards; the top one has the sign. */
static void
normalise(FixedVector *vector)
{
	for (int i = 0; i < vector->n; i++)
	{
		int64	   *digits = vector->digits + (size_t) i * FIXED_VECTOR_DIGITS;
		int64		carry = 0;

		for (int j = 0; j < FIXED_VECTOR_DIGITS - 1; j++)
		{
			int64		digit = digits[j] + carry;

			digits[j] = (uint32) digit;
			carry = digit >> DIGIT_BITS;
		}
		digits[FIXED_VECTOR_DIGITS - 1] += carry;
	}
	vector->pending = 0;
}

void
fixed_vector_next(FixedVector *vector)
{
	if (unlikely(++vector->pending >= PENDING_MAX))
		normalise(vector);
}

bool
fixed_vector_add(FixedVector *vector, int i, double x)
{
	uint64		bits;
	int			place;
	int64		sign;
	int64	   *digits;
	uint128		value;

	memcpy(&bits, &x, sizeof(bits));
	place = (int) (bits >> MANTISSA_BITS & BIASED_MASK) - BIASED_LOWEST;
	if (unlikely((unsigned) place > PLACE_MAX))
		return place < 0;		/* far too small to count */

	sign = -(int64) (bits >> 63);
	value = (uint128) ((bits & MANTISSA_MASK) | (UINT64CONST(1) << MANTISSA_BITS)) << (place % DIGIT_BITS);
	digits = vector->digits + (size_t) i * FIXED_VECTOR_DIGITS + place / DIGIT_BITS;
	/* Complement and add one, if it is negative. */
	digits[0] += ((int64) (uint32) value ^ sign) - sign;
	digits[1] += ((int64) (uint32) (value >> DIGIT_BITS) ^ sign) - sign;
	digits[2] += ((int64) (uint32) (value >> (2 * DIGIT_BITS)) ^ sign) - sign;
	return true;
}

/* Two vectors of carried digits are two additions. */
void
fixed_vector_combine(FixedVector *vector, const FixedVector *other)
{
	size_t		ndigits = (size_t) vector->n * FIXED_VECTOR_DIGITS;
	FixedVector *addend = palloc(fixed_vector_bytes(other->n));

	Assert(vector->n == other->n);
	memcpy(addend, other, fixed_vector_bytes(other->n));
	normalise(addend);
	normalise(vector);
	for (size_t i = 0; i < ndigits; i++)
		vector->digits[i] += addend->digits[i];
	vector->pending = 2;
	vector->marks |= other->marks;
	pfree(addend);
}

/* The top digit only repeats the sign: 2^60 additions of 2^160 stay far below it. */
void
fixed_vector_limbs(uint64 *limbs, FixedVector *vector)
{
	normalise(vector);
	for (int i = 0; i < vector->n; i++)
	{
		const int64 *digits = vector->digits + (size_t) i * FIXED_VECTOR_DIGITS;

		for (int j = 0; j < FIXED_SUM_LIMBS; j++)
			limbs[i * FIXED_SUM_LIMBS + j] = (uint64) digits[2 * j] | (uint64) digits[2 * j + 1] << DIGIT_BITS;
	}
}

void
fixed_vector_doubles(double *sums, FixedVector *vector)
{
	uint64	   *limbs = palloc(sizeof(uint64) * FIXED_SUM_LIMBS * (vector->n + 1));

	fixed_vector_limbs(limbs, vector);
	for (int i = 0; i < vector->n; i++)
		sums[i] = wide_to_double(limbs + i * FIXED_SUM_LIMBS, FIXED_SUM_LIMBS, FIXED_SUM_EXPONENT);
	pfree(limbs);
}
