/*
 * wide.c
 *	  Wide integers to ring elements and back, and marks.
 *
 * What the masks hide is a site's own carries, so the randomness is as secret
 * as the shares: it comes from the system's generator.  One system call for
 * each cell would cost more than the rest, so it is drawn ahead into a pool,
 * one for each thread, and wiped as it is used.  (A server process draws for
 * itself; the postmaster, whose pool a child would inherit, never encodes.)
 */
#include "base/base.h"

#include "crypto/hash.h"
#include "share/wide.h"

#define POOL_BYTES	4096

StaticAssertDecl(WIDE_MASK_BITS <= 56, "elements must stay below 2^121");

static __thread uint8 pool[POOL_BYTES];
static __thread size_t pool_left = 0;

/* At most POOL_BYTES. */
static void
pool_take(void *out, size_t len)
{
	uint8	   *from;

	if (pool_left < len)
	{
		random_bytes(pool, POOL_BYTES);
		pool_left = POOL_BYTES;
	}
	from = pool + POOL_BYTES - pool_left;
	memcpy(out, from, len);
	wipe(from, len);
	pool_left -= len;
}

/* Not &&: the answer may be known, but how it came about may not. */
bool
narrow_fits(int128 value)
{
	int128		limit = (int128) 1 << NARROW_BITS_MAX;

	return (value >= -limit) & (value <= limit);
}

/* e_j = limb_j + c_j - c_(j+1) * 2^64 */
void
wide_encode(uint128 *elements, const uint64 *value, int limbs)
{
	uint64		carries[WIDE_LIMBS_MAX + 1] = {0};

	Assert(limbs >= 1 && limbs <= WIDE_LIMBS_MAX);
	pool_take(carries + 1, (limbs - 1) * sizeof(uint64));

	for (int j = 0; j < limbs; j++)
		carries[j] >>= 64 - WIDE_MASK_BITS;
	for (int j = 0; j < limbs - 1; j++)
		elements[j] = (uint128) value[j] + carries[j] - ((uint128) carries[j + 1] << 64);
	elements[limbs - 1] = (uint128) (int128) (int64) value[limbs - 1] + carries[limbs - 1];
	wipe(carries, sizeof(carries));
}

/* Unsigned where sums of hostile elements may wrap. */
void
wide_decode(uint64 *value, const uint128 *elements, int limbs)
{
	int128		carry = 0;

	for (int j = 0; j < limbs; j++)
	{
		uint128		sum = elements[j] + (uint128) carry;

		value[j] = (uint64) sum;
		carry = (int128) sum >> 64;
	}
	value[limbs] = (uint64) carry;
}

uint128
mark_encode(bool value)
{
	uint128		element;

	pool_take(&element, sizeof(element));
	return element & -(uint128) value;
}
