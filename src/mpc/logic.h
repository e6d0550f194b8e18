/*
 * logic.h
 *	  Boolean operations on bit-sliced shares.  One place ands.
 *
 * Results are allocated by the caller, with the planes and values they get.
 */
#ifndef SECMED_LOGIC_H
#define SECMED_LOGIC_H

#include "mpc/party.h"
#include "share/bits.h"

/*
 * z = x & y, bit by bit; same planes and n.  z may be x or y.  [Araki et al.,
 * CCS 2016, section 2.1]
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes to the previous party.
 * Reveals: nothing.
 */
extern void logic_and(Party *self, SharedBits *z, const SharedBits *x, const SharedBits *y);

/*
 * Party 0 knows the words (bit-sliced) and shares them; the others pass NULL.
 *
 * Rounds: 1.  Sends: planes * PLANE_BYTES(n) bytes from party 0 to party 2.
 * Reveals: nothing.
 */
extern void logic_input_from_0(Party *self, SharedBits *z, const uint64 *words);

/* x ^= y and x = NOT x, bit by bit; they send nothing. */
extern void logic_xor(SharedBits *x, const SharedBits *y);
extern void logic_not(const Party *self, SharedBits *x);

#endif							/* SECMED_LOGIC_H */
