/*
 * bits.h
 *	  Bit-sliced vectors: plane b holds bit b of every value, 64 values a word.
 *
 * Everything boolean is linear in the declared width, on the wire as in
 * work.  A plane of n values travels as (n + 7) / 8 bytes, value 0 in the lowest
 * bit of the first.  The bits of a plane beyond its n values are zero.
 */
#ifndef SECMED_BITS_H
#define SECMED_BITS_H

#include "base/base.h"
#include "crypto/prg.h"

#define BIT_WORDS(n)		(((n) + 63) / 64)
#define PLANE_BYTES(n)		(((n) + 7) / 8)

/* One party's part of a boolean-shared, bit-sliced vector: XOR shares. */
typedef struct SharedBits
{
	uint64	   *mine;			/* b_i, planes * BIT_WORDS(n) words */
	uint64	   *next;			/* b_(i+1) */
	int			planes;
	size_t		n;				/* values */
} SharedBits;

extern SharedBits shared_bits_alloc(int planes, size_t n);	/* zeroed */
extern void shared_bits_free(SharedBits *bits);	/* wipes */

/* Not zeroed; may be larger than 1 GB.  Whoever fills it leaves the tails zero. */
extern SharedBits shared_bits_raw(int planes, size_t n);

/* Planes from `plane` on as a vector of their own, not to be freed. */
extern SharedBits shared_bits_view(const SharedBits *bits, int plane, int planes);

/* z = x, plane by plane; same planes and n. */
extern void shared_bits_copy(SharedBits *z, const SharedBits *x);

/* Values first to first + n - 1 of x, as a new vector; and two vectors of the same planes end to end. */
extern SharedBits shared_bits_cut(const SharedBits *x, size_t first, size_t n);
extern SharedBits shared_bits_append(const SharedBits *x, const SharedBits *y);

/* Values 0, 2, 4, ... and values 1, 3, 5, ... of x as two new vectors; and two such as one. */
extern void shared_bits_deal(const SharedBits *x, SharedBits *even, SharedBits *odd);
extern SharedBits shared_bits_interleave(const SharedBits *even, const SharedBits *odd);

/* The next words of a stream; clear the tails after use. */
extern void bits_random(Prg *prg, uint64 *out, size_t words);

/* Zeroes what the planes hold beyond n values. */
extern void bits_clear_tails(uint64 *words, int planes, size_t n);

/* planes of out[] from the low bits of values; tail bits are zero. */
extern void bits_slice(uint64 *out, const uint64 *values, size_t n, int planes);

/* The same from and to values of up to 128 bits; unsliced values have zeros above. */
extern void bits_slice_wide(uint64 *out, const uint128 *values, size_t n, int planes);
extern void bits_unslice(uint64 *values, const uint64 *words, size_t n, int planes);
extern void bits_unslice_wide(uint128 *values, const uint64 *words, size_t n, int planes);

/* The same with 1 to 64 planes wherever they lie, from their word `word` on. */
extern void bits_slice_planes(uint64 *const *planes_of, int planes, size_t word,
							  const uint64 *values, size_t n);
extern void bits_unslice_planes(uint64 *values, uint64 *const *planes_of, int planes, size_t word,
								size_t n);

/* Bit v of one plane as 0 or 1 in out[v]. */
extern void bits_unslice_plane(uint8 *out, const uint64 *plane, size_t n);

/* planes * PLANE_BYTES(n) bytes of wire from words, and back; tail bits are cleared. */
extern void bits_pack(uint8 *out, const uint64 *words, int planes, size_t n);
extern void bits_unpack(uint64 *out, const uint8 *bytes, int planes, size_t n);

/*
 * Bytes offset to offset + len - 1 of a plane of n values; back in order, and with the last one what
 * a peer sends beyond the n-th bit is cleared.
 */
extern void bits_bytes_out(uint8 *out, const uint64 *plane, size_t offset, size_t len);
extern void bits_bytes_in(uint64 *plane, size_t n, size_t offset, const uint8 *bytes, size_t len);

/*
 * What a party sends to a requester, both summands, packed, and how that one rebuilds the words: as
 * ring64_open_message() and ring64_rebuild().  False if a length is wrong or two copies differ.
 */
extern void bits_open_message(const SharedBits *shared, StringInfo out);
extern bool bits_rebuild(uint64 *words, int planes, size_t n,
						 const uint8 *messages[PARTIES], const size_t lens[PARTIES]);

#endif							/* SECMED_BITS_H */
