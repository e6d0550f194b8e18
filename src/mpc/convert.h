/*
 * convert.h
 *	  Between bit shares and arithmetic shares.
 */
#ifndef SECMED_CONVERT_H
#define SECMED_CONVERT_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring.h"
#include "share/ring64.h"

/*
 * z = the one plane of bits as 0 or 1 in Z_2^128; allocated by the caller.
 *
 * Party 0 knows s = b0 ^ b1 and shares it (one round); b2 is known to the two
 * others; b = s + b2 - 2 s b2 (one multiplication).
 *
 * Rounds: 2.  Sends: 16n bytes a party, and party 0 16n bytes more.
 * Reveals: nothing.
 */
extern void convert_bit_to_ring(Party *self, Shared *z, const SharedBits *bits);

/*
 * The same over Z_2^64, where no party sends more than the others: party 0
 * sends s in one round, the others b2 s in the next.  Of several planes each becomes
 * bit->n elements of z, one plane after the other.
 *
 * Rounds: 2.  Sends: 8n bytes, n = z->n.
 */
extern void convert_bit_to_ring64(Party *self, Shared64 *z, const SharedBits *bit);

/*
 * z = bit ? x : 0, without the bit as a number between.  z may be x.
 *
 * Rounds: 2.  Sends: 16n bytes.
 */
extern void convert_bit_times(Party *self, Shared64 *z, const SharedBits *bit, const Shared64 *x);

/*
 * z = bit ? x : y over Z_2^64; z may be x or y.  Costs as convert_bit_times().
 */
extern void convert_select(Party *self, Shared64 *z, const SharedBits *bit,
						   const Shared64 *x, const Shared64 *y);

/*
 * z = the low z->planes (1 to 64) bits of x, so of x modulo 2^planes.
 *
 * Party 0 knows x0 + x1 and shares its bits, x2 is known to the two others,
 * and a prefix adder (adder.h) adds them.
 *
 * Rounds: 1 + prefix_rounds(planes).  Sends: prefix_gates(planes) planes, and
 * party 0 another z->planes of them.  (64: 9 rounds, 189 planes.)
 */
extern void convert_to_bits(Party *self, SharedBits *z, const Shared64 *x);

/* The same of Z_2^128, 1 to 128 planes. */
extern void convert_to_bits_wide(Party *self, SharedBits *z, const Shared *x);

/*
 * z = the unsigned number whose bits are x, 1 to 64 planes; for a signed one
 * of fewer than 64 planes see convert_from_signed_bits().
 *
 * Two summands of z are drawn from seeds, whose bits are shared for free.
 * They are taken from x in one carry-save layer and one prefix adder, and
 * what is left, the third summand, is opened to the two parties who hold it.
 *
 * Rounds: 2 + prefix_rounds(63) = 10.  Sends: 63 + prefix_gates(63) planes, and
 * parties 0 and 2 another 64; parties 0 and 1 another 32 bytes.
 */
extern void convert_from_bits(Party *self, Shared64 *z, const SharedBits *x);

/* The same, bit planes - 1 being the sign. */
extern void convert_from_signed_bits(Party *self, Shared64 *z, const SharedBits *x);

/* The same into Z_2^128, 1 to 128 planes; costs with 128 in the place of 64. */
extern void convert_from_bits_wide(Party *self, Shared *z, const SharedBits *x);

/*
 * What this party knows of bits b, as numbers 0 or 1, plane after plane: party 0 s
 * = b0 ^ b1, the others b2.  Local.
 */
extern void convert_known_bits(const Party *self, uint64 *known, const SharedBits *bit);

/*
 * What is left to be done when party 0 has shared s: z = s becomes s (1 - 2 b2) + b2, known
 * is b2 at the others.  Rounds: 1.  Sends: 8 z->n bytes by parties 1 and 2.
 */
extern void convert_finish_bits(Party *self, Shared64 *z, uint64 *known);

/*
 * What additions start from.  Party `owner` knows a number a (the bits of it, sliced, in words),
 * the two others know b (its bits in words).  a becomes its bits, shared, and p = a ^ b.
 *
 * Rounds: 1.  Sends: a->planes planes, by `owner`.
 */
extern void convert_parts(Party *self, int owner, SharedBits *a, SharedBits *p, const uint64 *words);

/* The same for several owners in one round: a[k], p[k], words[k], k = owner; a[k] without planes: none. */
extern void convert_parts_all(Party *self, SharedBits a[PARTIES], SharedBits p[PARTIES],
							  const uint64 *const words[PARTIES]);

#endif							/* SECMED_CONVERT_H */
