/*
 * ring64.h
 *	  Replicated additive secret sharing over Z_2^64: the columns of tables.
 *
 * The same as ring.h with half the bytes.  x = x0 + x1 + x2; party i holds
 * (x_i, x_(i+1)).  A signed number is its two's complement.
 *
 * Everything here is local, and touches each summand of its own: z may be x
 * or y.  No function here branches or indexes on a share.
 */
#ifndef SECMED_RING64_H
#define SECMED_RING64_H

#include "base/base.h"
#include "crypto/prg.h"

/* One party's part of a shared vector of n elements. */
typedef struct Shared64
{
	uint64	   *mine;			/* x_i */
	uint64	   *next;			/* x_(i+1) */
	size_t		n;
} Shared64;

extern Shared64 shared64_alloc(size_t n);	/* not zeroed; may be larger than 1 GB */
extern Shared64 shared64_zero(size_t n);	/* zeroed */
extern void shared64_free(Shared64 *shared);	/* wipes */

/* Elements first to first + n - 1, not to be freed. */
extern Shared64 shared64_view(const Shared64 *shared, size_t first, size_t n);

/* Two vectors end to end, as a new one. */
extern Shared64 shared64_append(const Shared64 *x, const Shared64 *y);

extern void shared64_copy(Shared64 *z, const Shared64 *x);
extern void shared64_add(Shared64 *z, const Shared64 *x, const Shared64 *y);
extern void shared64_subtract(Shared64 *z, const Shared64 *x, const Shared64 *y);
extern void shared64_negate(Shared64 *z, const Shared64 *x);
extern void shared64_scale(Shared64 *z, const Shared64 *x, uint64 factor);	/* public factor */

/* x[v] becomes x[0] + ... + x[v]; and back: each element minus the one before it. */
extern void shared64_prefix_sums(Shared64 *x);
extern void shared64_differences(Shared64 *x);

/* Between elements and their little-endian bytes, in place; its own inverse. */
extern void ring64_wire(uint64 *elements, size_t n);

/* The next n elements of a stream. */
extern void ring64_random(Prg *prg, uint64 *out, size_t n);

/*
 * Packages as in ring.h, with 8 bytes an element: what a site sends to each
 * party, what a party adds, and how the requester rebuilds what all three
 * send.
 */
extern size_t package64_bytes(int party, size_t n);
extern void ring64_split(const uint64 *values, size_t n, StringInfo out[PARTIES]);
extern bool ring64_add_package(Shared64 *sum, int party, const void *package, size_t len);
extern void ring64_open_message(const Shared64 *shared, StringInfo out);
extern bool ring64_rebuild(uint64 *values, size_t n,
						   const uint8 *messages[PARTIES], const size_t lens[PARTIES]);

#endif							/* SECMED_RING64_H */
