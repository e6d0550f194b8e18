/*
 * compare.h
 *	  Which shared numbers reach a public bound.
 */
#ifndef SECMED_COMPARE_H
#define SECMED_COMPARE_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring.h"

/* What it costs, n being the values and a plane PLANE_BYTES(n) bytes. */
#define COMPARE_ROUNDS			7
#define COMPARE_INPUT_PLANES	64	/* party 0 sends these alone */
#define COMPARE_AND_PLANES		120 /* each party sends these: 63 + 31 + 15 + 7 + 3 + 1 */

/*
 * ge (one plane, allocated by the caller) = x >= bound[v], for x and bound in [0, 2^63).
 *
 * x - bound is negative if and only if bit 63 of it (modulo 2^64) is set.
 * Party 0 knows a = x0 + x1 - bound and shares its bits (one round); x2 is
 * known to the two others, so its bits are shared for free; the carry of
 * a + x2 into bit 63 comes from a tree that keeps only the carry (six rounds).
 *
 * Rounds: 7.  Sends: 120 planes a party, and party 0 64 planes more.
 * Reveals: nothing.
 */
extern void compare_ge_public(Party *self, SharedBits *ge, const Shared *x, const uint64 *bound);

#endif							/* SECMED_COMPARE_H */
