/*
 * packed.h
 *	  Long vectors of numbers that are known to be short: of each only the low bytes are shared.
 *
 * x = x0 + x1 + x2 modulo 2^(8 w) for numbers of w bytes, little-endian, end to end; party i holds (x_i, x_(i+1)).
 * x1 and x2 are streams of two seeds.  x0, which is as long as the vector, leaves the site once:
 *
 *	  package 0   x0, n w bytes, then seed of x1
 *	  package 1   seed of x1 then seed of x2
 *	  package 2   hash of x0, then seed of x2
 *
 * Party 0 passes x0 on to party 2, over their own link, before they compute; party 2 holds it against the hash that
 * the site has sealed to it, so that it has what the site sent or fails.
 *
 * What a party takes out of its package are elements of Z_2^64 of which only the low 8 w bits, when the
 * summands are added, mean something: those bits may be taken (mpc/convert.h), and sums of multiples of
 * them.
 */
#ifndef SECMED_PACKED_H
#define SECMED_PACKED_H

#include "base/base.h"
#include "crypto/hash.h"
#include "share/ring64.h"

/* Bytes of a number of so many bits; 0 for 0. */
extern int	packed_width(int bits);

extern size_t packed_package_bytes(int width, int party, size_t n);

/* Splits the low bytes of n values into three packages, appended to out[0..2].  width: 1 to 8. */
extern void packed_split(const uint64 *values, size_t n, int width, StringInfo out[PARTIES]);

/* Bytes of x0. */
extern size_t packed_bytes(int width, size_t n);

/* What is behind x0 wherever it lies in memory, so that whole words may be read. */
#define PACKED_SLACK	sizeof(uint64)

/*
 * z->n numbers from a package of exactly that length, else false.  Party 0 gets x0 for party 2, in packed_bytes() bytes; party 2
 * gets its hash, and z->next is missing.
 */
extern bool packed_from_package(Shared64 *z, uint8 *x0, uint8 hash[HASH_BYTES], int width, int party,
								const void *package, size_t len);

/* At party 2: z->next from x0 (with PACKED_SLACK behind it); false if it is not what the site sealed. */
extern bool packed_complete(Shared64 *z, const uint8 *x0, const uint8 hash[HASH_BYTES], int width);

#endif							/* SECMED_PACKED_H */
