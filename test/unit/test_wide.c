/*
 * test_wide.c
 *	  Wide integers: the sum of encodings decodes to the sum, and elements
 *	  stay within what the ring can add.
 */
#include "base/base.h"

#include <time.h>

#include "share/wide.h"
#include "unit.h"

#define LIMBS_MAX	(WIDE_LIMBS_MAX + 1)

/* sum += value, sign-extended from limbs to limbs + 1, modulo 2^(64 (limbs + 1)). */
static void
add_wide(uint64 *sum, const uint64 *value, int limbs)
{
	unsigned __int128 carry = 0;

	for (int j = 0; j <= limbs; j++)
	{
		uint64		limb = j < limbs ? value[j] : ((int64) value[limbs - 1] < 0 ? PG_UINT64_MAX : 0);

		carry += (unsigned __int128) sum[j] + limb;
		sum[j] = (uint64) carry;
		carry >>= 64;
	}
}

static uint64
any_limb(int kind)
{
	switch (kind)
	{
		case 0:
			return 0;
		case 1:
			return PG_UINT64_MAX;
		case 2:
			return UINT64CONST(1) << 63;
		case 3:
			return (UINT64CONST(1) << 63) - 1;
		default:
			return unit_random();
	}
}

static bool
below(uint128 element, int bits)
{
	int128		value = (int128) element;
	int128		limit = (int128) 1 << bits;

	return value > -limit && value < limit;
}

/* Sites draw limbs of one kind (or any), so that all carry or none does. */
static bool
sum_decodes(int limbs, int sites, int kind)
{
	uint128		elements[WIDE_LIMBS_MAX] = {0};
	uint64		expected[LIMBS_MAX] = {0};
	uint64		found[LIMBS_MAX];
	bool		small = true;

	for (int site = 0; site < sites; site++)
	{
		uint64		value[WIDE_LIMBS_MAX];
		uint128		encoded[WIDE_LIMBS_MAX];

		for (int j = 0; j < limbs; j++)
			value[j] = any_limb(kind < 5 ? kind : unit_random_between(0, 4));
		wide_encode(encoded, value, limbs);
		for (int j = 0; j < limbs; j++)
		{
			small &= below(encoded[j], 121);
			elements[j] += encoded[j];
			small &= below(elements[j], 126);
		}
		add_wide(expected, value, limbs);
	}
	wide_decode(found, elements, limbs);
	return small && memcmp(found, expected, (limbs + 1) * 8) == 0;
}

static void
test_sums(void)
{
	for (int limbs = 1; limbs <= WIDE_LIMBS_MAX; limbs++)
	{
		bool		right = true;

		for (int sites = 1; sites <= SITES_MAX; sites++)
			for (int kind = 0; kind < 6; kind++)
				for (int round = 0; round < 10; round++)
					right &= sum_decodes(limbs, sites, kind);
		check(right, "%d limbs: sums of 1 to %d sites are right and elements small", limbs, SITES_MAX);
	}
}

/* Small numbers, as integers of C. */
static void
test_small(void)
{
	bool		right = true;

	for (int round = 0; round < 20000; round++)
	{
		int64		a = (int64) unit_random() >> unit_random_between(0, 63);
		int64		b = (int64) unit_random() >> unit_random_between(0, 63);
		uint64		a_limbs[2] = {a, a < 0 ? -1 : 0};
		uint64		b_limbs[2] = {b, b < 0 ? -1 : 0};
		uint128		a_elements[2];
		uint128		b_elements[2];
		uint64		sum[3];
		int128		expected = (int128) a + b;

		wide_encode(a_elements, a_limbs, 2);
		wide_encode(b_elements, b_limbs, 2);
		a_elements[0] += b_elements[0];
		a_elements[1] += b_elements[1];
		wide_decode(sum, a_elements, 2);
		right &= sum[0] == (uint64) expected && sum[1] == (uint64) (expected >> 64) &&
			sum[2] == (expected < 0 ? PG_UINT64_MAX : 0);
	}
	check(right, "sums of two 64-bit numbers");
}

/*
 * Of zero, each element shows a mask: 56 random bits, each of which is one
 * about half of the times (5000 +- 300 is six standard deviations).
 */
static void
test_masks(void)
{
	static const uint64 zero[3] = {0};
	int			ones[2][WIDE_MASK_BITS] = {0};
	bool		even = true;
	bool		within = true;

	for (int round = 0; round < 10000; round++)
	{
		uint128		elements[3];
		uint64		carries[2];

		wide_encode(elements, zero, 3);
		carries[0] = (uint64) (-elements[0] >> 64);
		carries[1] = (uint64) elements[2];
		within &= (uint64) elements[0] == 0 && (uint64) (elements[2] >> 64) == 0 &&
			carries[0] >> WIDE_MASK_BITS == 0 && carries[1] >> WIDE_MASK_BITS == 0 &&
			elements[1] == carries[0] - ((uint128) carries[1] << 64);
		for (int i = 0; i < 2; i++)
			for (int bit = 0; bit < WIDE_MASK_BITS; bit++)
				ones[i][bit] += carries[i] >> bit & 1;
	}
	for (int i = 0; i < 2; i++)
		for (int bit = 0; bit < WIDE_MASK_BITS; bit++)
			even &= abs(ones[i][bit] - 5000) < 300;
	check(within, "e_j = limb_j + c_j - c_(j+1) 2^64 with c of %d bits", WIDE_MASK_BITS);
	check(even, "each bit of the masks is random");
}

static void
test_hostile_elements(void)
{
	uint64		found[LIMBS_MAX];
	uint128		elements[WIDE_LIMBS_MAX];

	for (int j = 0; j < WIDE_LIMBS_MAX; j++)
		elements[j] = (uint128) 1 << 127;
	wide_decode(found, elements, WIDE_LIMBS_MAX);
	for (int j = 0; j < WIDE_LIMBS_MAX; j++)
		elements[j] = ~(uint128) 0 >> 1;
	wide_decode(found, elements, WIDE_LIMBS_MAX);
	check(true, "elements out of range decode to something, without overflow");
}

static void
test_narrow(void)
{
	int128		limit = (int128) 1 << NARROW_BITS_MAX;

	check(narrow_fits(0) && narrow_fits(limit) && narrow_fits(-limit), "2^121 fits");
	check(!narrow_fits(limit + 1) && !narrow_fits(-limit - 1), "2^121 + 1 does not");
	check(!narrow_fits((int128) ((uint128) 1 << 127)) && !narrow_fits((int128) (~(uint128) 0 >> 1)), "nor do the extremes");
}

static void
test_marks(void)
{
	uint128		first = mark_encode(true);
	uint128		second = mark_encode(true);

	check(mark_encode(false) == 0, "the mark of false is zero");
	check(first != 0 && second != 0 && first != second, "marks of true are random");
	check((first + second) != 0 && first + mark_encode(false) == first, "their sum is zero only if all are false");
}

static void
test_speed(void)
{
	static const uint64 value[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	uint128		elements[8];
	clock_t		start = clock();

	for (int i = 0; i < 12500; i++)
		wide_encode(elements, value, 8);
	printf("# 100000 elements in %.1f ms\n", (double) (clock() - start) * 1000 / CLOCKS_PER_SEC);
}

int
main(void)
{
	test_sums();
	test_small();
	test_masks();
	test_hostile_elements();
	test_narrow();
	test_marks();
	test_speed();
	return unit_done();
}
