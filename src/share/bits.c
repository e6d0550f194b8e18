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
#include "share/memory.h"
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
alloc_planes(int planes, size_t n, bool zero)
{
	SharedBits	bits;
	size_t		bytes = planes * BIT_WORDS(n) * sizeof(uint64);

	bits.mine = zero ? vector_alloc_zero(bytes) : vector_alloc(bytes);
	bits.next = zero ? vector_alloc_zero(bytes) : vector_alloc(bytes);
	bits.planes = planes;
	bits.n = n;
	return bits;
}

SharedBits
shared_bits_alloc(int planes, size_t n)
{
	return alloc_planes(planes, n, true);
}

SharedBits
shared_bits_raw(int planes, size_t n)
{
	return alloc_planes(planes, n, false);
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

	vector_free(bits->mine, len);
	vector_free(bits->next, len);
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

typedef uint64 Block[64][VECTOR_BLOCK_WORDS];

/* Up to VECTOR_BLOCK values, words apart by `step` bytes, to planes from `word` on. */
static inline __attribute__((always_inline)) void
slice_block(Block block, uint64 *const *planes_of, size_t word, const char *values, int step, size_t n, int planes)
{
	uint64		used = ~UINT64CONST(0) >> (64 - planes);

	if (n < VECTOR_BLOCK)
		memset(block, 0, sizeof(Block));
	for (size_t v = 0; v < n; v++)
	{
		uint64		value;

		memcpy(&value, values + v * step, sizeof(uint64));
		block[v % 64][v / 64] = value & used;
	}
	vector_slice(block, planes);
	for (int plane = 0; plane < planes; plane++)
		memcpy(planes_of[plane] + word, block[plane], BIT_WORDS(n) * sizeof(uint64));
}

static inline __attribute__((always_inline)) void
unslice_block(Block block, char *values, int step, uint64 *const *planes_of, size_t word, size_t n, int planes)
{
	for (int plane = 0; plane < planes; plane++)
		memcpy(block[plane], planes_of[plane] + word, BIT_WORDS(n) * sizeof(uint64));
	vector_unslice(block, planes);
	for (size_t v = 0; v < n; v++)
		memcpy(values + v * step, &block[v % 64][v / 64], sizeof(uint64));
}

void
bits_slice_planes(uint64 *const *planes_of, int planes, size_t word, const uint64 *values, size_t n)
{
	Block		block;

	Assert(planes >= 1 && planes <= 64);
	for (size_t v = 0; v < n; v += VECTOR_BLOCK)
		slice_block(block, planes_of, word + v / 64, (const char *) (values + v), sizeof(uint64),
					Min(VECTOR_BLOCK, n - v), planes);
	wipe(block, sizeof(block));
}

void
bits_unslice_planes(uint64 *values, uint64 *const *planes_of, int planes, size_t word, size_t n)
{
	Block		block;

	Assert(planes >= 1 && planes <= 64);
	for (size_t v = 0; v < n; v += VECTOR_BLOCK)
		unslice_block(block, (char *) (values + v), sizeof(uint64), planes_of, word + v / 64,
					  Min(VECTOR_BLOCK, n - v), planes);
	wipe(block, sizeof(block));
}

static void
planes_in_a_row(uint64 *planes_of[64], uint64 *words, int planes, size_t n)
{
	for (int plane = 0; plane < planes; plane++)
		planes_of[plane] = words + plane * BIT_WORDS(n);
}

void
bits_slice(uint64 *out, const uint64 *values, size_t n, int planes)
{
	uint64	   *planes_of[64];

	Assert(planes <= 64);
	if (planes == 0)
		return;
	planes_in_a_row(planes_of, out, planes, n);
	bits_slice_planes(planes_of, planes, 0, values, n);
}

void
bits_unslice(uint64 *values, const uint64 *words, size_t n, int planes)
{
	uint64	   *planes_of[64];

	Assert(planes <= 64);
	if (planes == 0)
	{
		memset(values, 0, n * sizeof(uint64));
		return;
	}
	planes_in_a_row(planes_of, (uint64 *) words, planes, n);
	bits_unslice_planes(values, planes_of, planes, 0, n);
}

/* Bytes to the halves of a wide value. */
#ifdef WORDS_BIGENDIAN
#define LOW_WORD	8
#define HIGH_WORD	0
#else
#define LOW_WORD	0
#define HIGH_WORD	8
#endif

/* The low words of wide values, or the high ones. */
static void
slice_halves(uint64 *out, const uint128 *values, size_t n, int planes, int half)
{
	uint64	   *planes_of[64];
	Block		block;

	planes_in_a_row(planes_of, out, planes, n);
	for (size_t v = 0; v < n; v += VECTOR_BLOCK)
		slice_block(block, planes_of, v / 64, (const char *) (values + v) + half, sizeof(uint128),
					Min(VECTOR_BLOCK, n - v), planes);
	wipe(block, sizeof(block));
}

static void
unslice_halves(uint128 *values, const uint64 *words, size_t n, int planes, int half)
{
	uint64	   *planes_of[64];
	Block		block;

	planes_in_a_row(planes_of, (uint64 *) words, planes, n);
	for (size_t v = 0; v < n; v += VECTOR_BLOCK)
		unslice_block(block, (char *) (values + v) + half, sizeof(uint128), planes_of, v / 64,
					  Min(VECTOR_BLOCK, n - v), planes);
	wipe(block, sizeof(block));
}

void
bits_slice_wide(uint64 *out, const uint128 *values, size_t n, int planes)
{
	Assert(planes >= 1 && planes <= 128);
	slice_halves(out, values, n, Min(planes, 64), LOW_WORD);
	if (planes > 64)
		slice_halves(out + 64 * BIT_WORDS(n), values, n, planes - 64, HIGH_WORD);
}

void
bits_unslice_wide(uint128 *values, const uint64 *words, size_t n, int planes)
{
	Assert(planes >= 1 && planes <= 128);
	memset(values, 0, n * sizeof(uint128));
	unslice_halves(values, words, n, Min(planes, 64), LOW_WORD);
	if (planes > 64)
		unslice_halves(values, words + 64 * BIT_WORDS(n), n, planes - 64, HIGH_WORD);
}

void
bits_unslice_plane(uint8 *out, const uint64 *plane, size_t n)
{
	for (size_t v = 0; v < n; v++)
		out[v] = (plane[v / 64] >> (v % 64)) & 1;
}

void
bits_bytes_out(uint8 *out, const uint64 *plane, size_t offset, size_t len)
{
#ifdef WORDS_BIGENDIAN
	for (size_t k = offset; k < offset + len; k++)
		out[k - offset] = (uint8) (plane[k / 8] >> (8 * (k % 8)));
#else
	memcpy(out, (const uint8 *) plane + offset, len);
#endif
}

void
bits_bytes_in(uint64 *plane, size_t n, size_t offset, const uint8 *bytes, size_t len)
{
#ifdef WORDS_BIGENDIAN
	for (size_t k = offset; k < offset + len; k++)
	{
		if (k % 8 == 0)
			plane[k / 8] = 0;
		plane[k / 8] |= (uint64) bytes[k - offset] << (8 * (k % 8));
	}
#else
	memcpy((uint8 *) plane + offset, bytes, len);
#endif
	if (offset + len == PLANE_BYTES(n))
	{
#ifndef WORDS_BIGENDIAN
		memset((uint8 *) plane + PLANE_BYTES(n), 0, BIT_WORDS(n) * sizeof(uint64) - PLANE_BYTES(n));
#endif
		bits_clear_tails(plane, 1, n);
	}
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

void
bits_open_message(const SharedBits *shared, StringInfo out)
{
	size_t		len = shared->planes * PLANE_BYTES(shared->n);

	enlargeStringInfo(out, 2 * len);
	bits_pack((uint8 *) out->data + out->len, shared->mine, shared->planes, shared->n);
	bits_pack((uint8 *) out->data + out->len + len, shared->next, shared->planes, shared->n);
	out->len += 2 * len;
	out->data[out->len] = '\0';
}

/* As in ring64_rebuild(), only "all equal" is told. */
bool
bits_rebuild(uint64 *words, int planes, size_t n,
			 const uint8 *messages[PARTIES], const size_t lens[PARTIES])
{
	size_t		len = planes * PLANE_BYTES(n);
	uint8	   *bytes = palloc_extended(len + 1, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint8		difference = 0;

	for (int party = 0; party < PARTIES; party++)
	{
		if (lens[party] != 2 * len)
		{
			pfree(bytes);
			return false;
		}
	}
	for (int party = 0; party < PARTIES; party++)
	{
		const uint8 *mine = messages[party];
		const uint8 *copy = messages[(party + 2) % PARTIES] + len;

		for (size_t i = 0; i < len; i++)
		{
			difference |= mine[i] ^ copy[i];
			bytes[i] ^= mine[i];
		}
	}
	bits_unpack(words, bytes, planes, n);
	wipe(bytes, len);
	pfree(bytes);
	return difference == 0;
}
