/*
 * bits.c
 *	  Bit-sliced vectors: slicing, unslicing, and their bytes.
 *
 * Words go to planes in blocks of 64 values: a block is a 64x64 bit matrix
 * and slicing transposes it.  No function here branches or indexes on a bit.
 */
#include "base/base.h"

#include "port/pg_bswap.h"

#include "crypto/hash.h"
#include "share/bits.h"
#include "share/vector.h"

static inline uint64
little_endian(uint64 word)
{
#ifdef WORDS_BIGENDIAN
	return pg_bswap64(word);
#else
	return word;
#endif
}

static SharedBits
alloc_planes(int planes, size_t n, int flags)
{
	SharedBits	bits;
	size_t		bytes = planes * BIT_WORDS(n) * sizeof(uint64);

	bits.mine = palloc_extended(bytes, MCXT_ALLOC_HUGE | flags);
	bits.next = palloc_extended(bytes, MCXT_ALLOC_HUGE | flags);
	bits.planes = planes;
	bits.n = n;
	return bits;
}

SharedBits
shared_bits_alloc(int planes, size_t n)
{
	return alloc_planes(planes, n, MCXT_ALLOC_ZERO);
}

SharedBits
shared_bits_raw(int planes, size_t n)
{
	return alloc_planes(planes, n, 0);
}

SharedBits
shared_bits_view(const SharedBits *bits, int plane, int planes)
{
	SharedBits	view;

	Assert(plane >= 0 && plane + planes <= bits->planes);
	view.mine = bits->mine + plane * BIT_WORDS(bits->n);
	view.next = bits->next + plane * BIT_WORDS(bits->n);
	view.planes = planes;
	view.n = bits->n;
	return view;
}

void
shared_bits_copy(SharedBits *z, const SharedBits *x)
{
	size_t		bytes = x->planes * BIT_WORDS(x->n) * sizeof(uint64);

	Assert(z->planes == x->planes && z->n == x->n);
	memmove(z->mine, x->mine, bytes);
	memmove(z->next, x->next, bytes);
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

/* out = bits of a plane from `first` on. */
static void
cut_plane(uint64 *out, size_t n, const uint64 *plane, size_t first, size_t plane_n)
{
	for (size_t w = 0; w < BIT_WORDS(n); w++)
	{
		size_t		at = first / 64 + w;

		out[w] = plane[at] >> (first % 64);
		if (first % 64 != 0 && at + 1 < BIT_WORDS(plane_n))
			out[w] |= plane[at + 1] << (64 - first % 64);
	}
	bits_clear_tails(out, 1, n);
}

SharedBits
shared_bits_cut(const SharedBits *x, size_t first, size_t n)
{
	SharedBits	cut = shared_bits_raw(x->planes, n);

	Assert(first + n <= x->n);
	for (int k = 0; k < x->planes; k++)
	{
		cut_plane(cut.mine + k * BIT_WORDS(n), n, x->mine + k * BIT_WORDS(x->n), first, x->n);
		cut_plane(cut.next + k * BIT_WORDS(n), n, x->next + k * BIT_WORDS(x->n), first, x->n);
	}
	return cut;
}

/* ORs a plane into another, from bit `first` on; what was there is zero. */
static void
paste_plane(uint64 *out, size_t first, const uint64 *plane, size_t n)
{
	for (size_t w = 0; w < BIT_WORDS(n); w++)
	{
		size_t		at = first / 64 + w;
		size_t		left = n - w * 64;

		out[at] |= plane[w] << (first % 64);
		if (first % 64 != 0 && left > 64 - first % 64)
			out[at + 1] |= plane[w] >> (64 - first % 64);
	}
}

SharedBits
shared_bits_append(const SharedBits *x, const SharedBits *y)
{
	SharedBits	both = shared_bits_alloc(x->planes, x->n + y->n);

	Assert(x->planes == y->planes);
	for (int k = 0; k < x->planes; k++)
	{
		size_t		at = k * BIT_WORDS(both.n);

		paste_plane(both.mine + at, 0, x->mine + k * BIT_WORDS(x->n), x->n);
		paste_plane(both.next + at, 0, x->next + k * BIT_WORDS(x->n), x->n);
		paste_plane(both.mine + at, x->n, y->mine + k * BIT_WORDS(y->n), y->n);
		paste_plane(both.next + at, x->n, y->next + k * BIT_WORDS(y->n), y->n);
	}
	return both;
}

/* Bits 0, 2, 4, ... of a word as its low half. */
static inline uint64
even_bits(uint64 x)
{
	x &= UINT64CONST(0x5555555555555555);
	x = (x | x >> 1) & UINT64CONST(0x3333333333333333);
	x = (x | x >> 2) & UINT64CONST(0x0f0f0f0f0f0f0f0f);
	x = (x | x >> 4) & UINT64CONST(0x00ff00ff00ff00ff);
	x = (x | x >> 8) & UINT64CONST(0x0000ffff0000ffff);
	return (x | x >> 16) & UINT64CONST(0x00000000ffffffff);
}

/* The low half of a word as bits 0, 2, 4, ... */
static inline uint64
spread_bits(uint64 x)
{
	x &= UINT64CONST(0x00000000ffffffff);
	x = (x | x << 16) & UINT64CONST(0x0000ffff0000ffff);
	x = (x | x << 8) & UINT64CONST(0x00ff00ff00ff00ff);
	x = (x | x << 4) & UINT64CONST(0x0f0f0f0f0f0f0f0f);
	x = (x | x << 2) & UINT64CONST(0x3333333333333333);
	return (x | x << 1) & UINT64CONST(0x5555555555555555);
}

/* out = every second bit of `words` words, from bit `first`, 0 or 1. */
static void
deal_plane(uint64 *out, size_t out_words, const uint64 *plane, size_t words, int first)
{
	for (size_t w = 0; w < out_words; w++)
	{
		out[w] = even_bits(plane[2 * w] >> first);
		if (2 * w + 1 < words)
			out[w] |= even_bits(plane[2 * w + 1] >> first) << 32;
	}
}

void
shared_bits_deal(const SharedBits *x, SharedBits *even, SharedBits *odd)
{
	size_t		words = BIT_WORDS(x->n);
	SharedBits *half[2] = {even, odd};

	for (int first = 0; first < 2; first++)
	{
		SharedBits	part = shared_bits_raw(x->planes, (x->n + 1 - first) / 2);
		size_t		part_words = BIT_WORDS(part.n);

		for (int k = 0; k < x->planes; k++)
		{
			deal_plane(part.mine + k * part_words, part_words, x->mine + k * words, words, first);
			deal_plane(part.next + k * part_words, part_words, x->next + k * words, words, first);
		}
		*half[first] = part;
	}
}

static void
interleave_plane(uint64 *out, size_t words, const uint64 *even, const uint64 *odd, size_t odd_words)
{
	for (size_t w = 0; w < words; w++)
	{
		int			shift = w % 2 * 32;

		out[w] = spread_bits(even[w / 2] >> shift);
		if (w / 2 < odd_words)
			out[w] |= spread_bits(odd[w / 2] >> shift) << 1;
	}
}

SharedBits
shared_bits_interleave(const SharedBits *even, const SharedBits *odd)
{
	SharedBits	both = shared_bits_raw(even->planes, even->n + odd->n);
	size_t		words = BIT_WORDS(both.n);
	size_t		even_words = BIT_WORDS(even->n);
	size_t		odd_words = BIT_WORDS(odd->n);

	Assert(even->planes == odd->planes && even->n - odd->n <= 1);
	for (int k = 0; k < both.planes; k++)
	{
		interleave_plane(both.mine + k * words, words, even->mine + k * even_words,
						 odd->mine + k * odd_words, odd_words);
		interleave_plane(both.next + k * words, words, even->next + k * even_words,
						 odd->next + k * odd_words, odd_words);
	}
	return both;
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
 * Values at a time: eight matrices of 64 by 64 bits, so that a plane gets its
 * words a cache line at a time.
 */
#define STRIPE	512
#define STRIPE_WORDS	(STRIPE / 64)

/* Words of the planes from `word` on, at most STRIPE_WORDS. */
static inline size_t
stripe_words(size_t word, size_t n)
{
	return Min(STRIPE_WORDS, BIT_WORDS(n) - word);
}

/*
 * Values are read and written as words, one every `step` bytes: the low word
 * of a wide value, then the high one.
 */
static void
slice_words(uint64 *out, const char *values, int step, size_t n, int planes)
{
	uint64		block[64][8];

	for (size_t word = 0; word < BIT_WORDS(n); word += STRIPE_WORDS)
	{
		const char *from = values + word * 64 * step;
		size_t		len = Min(STRIPE, n - word * 64);
		size_t		words = stripe_words(word, n);

		if (len < STRIPE)
			memset(block, 0, sizeof(block));
		for (size_t v = 0; v < len; v++)
			memcpy(&block[v % 64][v / 64], from + v * step, sizeof(uint64));
		vector_transpose(block);
		for (int plane = 0; plane < planes; plane++)
			memcpy(out + plane * BIT_WORDS(n) + word, block[plane], words * sizeof(uint64));
	}
	wipe(block, sizeof(block));
}

static void
unslice_words(char *values, int step, const uint64 *planes_of, size_t n, int planes)
{
	uint64		block[64][8];

	for (size_t word = 0; word < BIT_WORDS(n); word += STRIPE_WORDS)
	{
		char	   *to = values + word * 64 * step;
		size_t		len = Min(STRIPE, n - word * 64);
		size_t		words = stripe_words(word, n);

		memset(block, 0, sizeof(block));
		for (int plane = 0; plane < planes; plane++)
			memcpy(block[plane], planes_of + plane * BIT_WORDS(n) + word, words * sizeof(uint64));
		vector_transpose(block);
		for (size_t v = 0; v < len; v++)
			memcpy(to + v * step, &block[v % 64][v / 64], sizeof(uint64));
	}
	wipe(block, sizeof(block));
}

void
bits_slice(uint64 *out, const uint64 *values, size_t n, int planes)
{
	Assert(planes <= 64);
	slice_words(out, (const char *) values, sizeof(uint64), n, planes);
}

void
bits_unslice(uint64 *values, const uint64 *words, size_t n, int planes)
{
	Assert(planes <= 64);
	unslice_words((char *) values, sizeof(uint64), words, n, planes);
}

/* Bytes to the halves of a wide value. */
#ifdef WORDS_BIGENDIAN
#define LOW_WORD	8
#define HIGH_WORD	0
#else
#define LOW_WORD	0
#define HIGH_WORD	8
#endif

void
bits_slice_wide(uint64 *out, const uint128 *values, size_t n, int planes)
{
	const char *bytes = (const char *) values;

	Assert(planes <= 128);
	slice_words(out, bytes + LOW_WORD, sizeof(uint128), n, Min(planes, 64));
	if (planes > 64)
		slice_words(out + 64 * BIT_WORDS(n), bytes + HIGH_WORD, sizeof(uint128), n, planes - 64);
}

void
bits_unslice_wide(uint128 *values, const uint64 *planes_of, size_t n, int planes)
{
	char	   *bytes = (char *) values;

	Assert(planes <= 128);
	memset(values, 0, n * sizeof(uint128));
	unslice_words(bytes + LOW_WORD, sizeof(uint128), planes_of, n, Min(planes, 64));
	if (planes > 64)
		unslice_words(bytes + HIGH_WORD, sizeof(uint128), planes_of + 64 * BIT_WORDS(n), n, planes - 64);
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
