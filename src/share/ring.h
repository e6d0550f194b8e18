/*
 * ring.h
 *	  Replicated additive secret sharing over Z_2^128.
 *
 * x = x0 + x1 + x2; party i holds (x_i, x_(i+1)), indices modulo 3 (Araki et
 * al., CCS 2016, section 2).  Any one party's pair is uniformly random and
 * independent of x; any two parties have everything.
 *
 * A site splits a vector once and makes one package for each party.  Two of
 * the three summands are pseudo-random, so packages carry their seeds
 * instead:
 *
 *	  package 0   x0 in full (16 bytes an element) then seed of x1
 *	  package 1   seed of x1 then seed of x2
 *	  package 2   x0 in full then seed of x2
 *
 * Elements travel little-endian.  No function here branches or indexes on a
 * share.
 */
#ifndef SECMED_RING_H
#define SECMED_RING_H

#include "base/base.h"
#include "crypto/prg.h"

/* One party's part of a shared vector of n elements. */
typedef struct Shared
{
	uint128    *mine;			/* x_i */
	uint128    *next;			/* x_(i+1) */
	size_t		n;
} Shared;

extern Shared shared_alloc(size_t n);	/* zeroed; both arrays palloc'd, 64-byte aligned not needed */
extern void shared_free(Shared *shared);	/* wipes */

/* Between elements and their little-endian bytes, in place; its own inverse. */
extern void ring_wire(uint128 *elements, size_t n);

/* The next n elements of a stream. */
extern void ring_random(Prg *prg, uint128 *out, size_t n);

/* n elements from `first` on, in the same memory. */
extern Shared shared_view(const Shared *x, size_t first, size_t n);

/* z = c x + d y, element by element; local. */
extern void shared_linear(Shared *z, uint128 c, const Shared *x, uint128 d, const Shared *y);

/* z = x, of the size of x; they may overlap. */
extern void shared_copy(Shared *z, const Shared *x);

/* Bytes of the package for this party. */
extern size_t package_bytes(int party, size_t n);

/* Splits values into three packages, appended to out[0..2]. */
extern void ring_split(const uint128 *values, size_t n, StringInfo out[PARTIES]);

/*
 * Adds the vector in a package to this party's shares; false if the package
 * has not the length for n elements.
 */
extern bool ring_add_package(Shared *sum, int party, const void *package, size_t len);

/* What a party sends to open a vector: mine then next, 32 bytes an element. */
extern void ring_open_message(const Shared *shared, StringInfo out);

/*
 * Rebuilds the values from the three parties' open messages.  Each summand
 * arrives twice; false if a length is wrong or two copies differ.
 */
extern bool ring_rebuild(uint128 *values, size_t n,
						 const uint8 *messages[PARTIES], const size_t lens[PARTIES]);

#endif							/* SECMED_RING_H */
