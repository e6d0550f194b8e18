/*
 * convert.h
 *	  Between bit shares and arithmetic shares.
 */
#ifndef SECMED_CONVERT_H
#define SECMED_CONVERT_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring.h"

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

#endif							/* SECMED_CONVERT_H */
