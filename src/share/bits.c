/*
 * bits.c
 *	  Bit-sliced vectors: slicing, unslicing, and their bytes.
 *
 * Words go to planes in blocks of 64 values: a block is a 64x64 bit matrix
 * and slicing transposes it (Warren, Hacker's Delight, 2nd edition, section
 * 7-3).  No function here branches or indexes on a bit.
 */
#include "base/base.h"

#include "port/pg_bswap.h"

#include "crypto/hash.h"
#include "share/bits.h"

static inline uint64
little_endian(uint64 word)
{
#ifdef WORDS_BIGENDIAN
	return pg_bswap64(word);
#else
	return word;
#endif
}

SharedBits
shared_bits_alloc(int planes, size_t n)
{
	SharedBits	bits;

	bits.mine = palloc0(planes * BIT_WORDS(n) * sizeof(uint64));
	bits.next = palloc0(planes * BIT_WORDS(n) * sizeof(uint64));
	bits.planes = planes;
	bits.n = n;
	return bits;
}

void
shared_bits_free(SharedBits *bits)
{
	size_t		len = bits->planes * BIT_WORDS(bits->n) * sizeof(uint64);

	wipe(bits->mine, len);
	wipe(bits->next, len);
	pfree(bits->mine);
	pfree(bits->next);
	bits->mine = NULL;
	bits->next = NULL;
	bits->planes = 0;
	bits->n = 0;
}

void
bits_random(Prg *prg, uint64 *out, size_t words)
{
	prg_fill(prg, out, words * sizeof(uint64));
	for (size_t i = 0; i < words; i++)
		out[i] = little_endian(out[i]);
}

void
bits_clear_tails(uint64 *words, int planes, size_t n)
{
	uint64		used;

	if (n % 64 == 0)
		return;
	used = (UINT64CONST(1) << (n % 64)) - 1;
	for (int plane = 1; plane <= planes; plane++)
		words[plane * BIT_WORDS(n) - 1] &= used;
}

/*
 * Bit b of word w becomes bit w of word b: swaps the two off-diagonal
 * quarters of every square of side 64, then 32, down to 2.
 */
static void
transpose(uint64 block[64])
{
	uint64		low = UINT64CONST(0x00000000FFFFFFFF);

	for (int half = 32; half > 0; half /= 2, low ^= low << half)
	{
		for (int top = 0; top < 64; top += 2 * half)
		{
			for (int row = top; row < top + half; row++)
			{
				uint64		swap = ((block[row] >> half) ^ block[row + half]) & low;

				block[row] ^= swap << half;
				block[row + half] ^= swap;
			}
		}
	}
}

void
bits_slice(uint64 *out, const uint64 *values, size_t n, int planes)
{
	uint64		block[64];

	Assert(planes <= 64);
	for (size_t word = 0; word < BIT_WORDS(n); word++)
	{
		size_t		len = Min(64, n - word * 64);

		memcpy(block, values + word * 64, len * sizeof(uint64));
		memset(block + len, 0, (64 - len) * sizeof(uint64));
		transpose(block);
		for (int plane = 0; plane < planes; plane++)
			out[plane * BIT_WORDS(n) + word] = block[plane];
	}
	wipe(block, sizeof(block));
}

void
bits_unslice_plane(uint8 *out, const uint64 *plane, size_t n)
{
	for (size_t v = 0; v < n; v++)
		out[v] = (plane[v / 64] >> (v % 64)) & 1;
}

void
bits_pack(uint8 *out, const uint64 *words, int planes, size_t n)
{
	for (int plane = 0; plane < planes; plane++)
	{
		for (size_t at = 0; at < PLANE_BYTES(n); at += 8)
		{
			uint64		word = little_endian(*words++);

			memcpy(out + at, &word, Min(8, PLANE_BYTES(n) - at));
		}
		out += PLANE_BYTES(n);
	}
}

void
bits_unpack(uint64 *out, const uint8 *bytes, int planes, size_t n)
{
	uint64	   *words = out;

	for (int plane = 0; plane < planes; plane++)
	{
		for (size_t at = 0; at < PLANE_BYTES(n); at += 8)
		{
			uint64		word = 0;

			memcpy(&word, bytes + at, Min(8, PLANE_BYTES(n) - at));
			*words++ = little_endian(word);
		}
		bytes += PLANE_BYTES(n);
	}
	bits_clear_tails(out, planes, n);
}
