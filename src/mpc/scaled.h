/*
 * scaled.h
 *	  Fixed-point numbers: truncation, multiplication, division, square root.
 *
 * A number x with f fractional bits is the integer x 2^f.  In Z_2^64 it is a
 * column (Shared64); inside divisions and functions it is in Z_2^128
 * (Shared), where a product of two numbers of 60 bits has room.
 */
#ifndef SECMED_SCALED_H
#define SECMED_SCALED_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring.h"
#include "share/ring64.h"

/*
 * z = floor(x / 2^shift), signed, 1 <= shift <= 63: exact on the whole range
 * of 64 bits.  z may be x.
 *
 * Rounds: 10.  Sends: split_gates(65, shift) planes (about 122) and 16n bytes, party 0
 * another 64 planes and 8n bytes: 47 bytes an element by party 0, 31 by the others.
 */
extern void scaled_truncate(Party *self, Shared64 *z, const Shared64 *x, int shift);

/*
 * z = floor(x / 2^shift) or one less, over Z_2^128, for -2^126 <= x < 2^126: never
 * further off.  For where an ulp does not matter.  z may be x.
 *
 * Rounds: 2.  Sends: 24n bytes by party 0, 8n by parties 1 and 2; with a
 * shift above 64 32n and 16n.
 */
extern void scaled_truncate_near(Party *self, Shared *z, const Shared *x, int shift);

/*
 * z = x in the wider ring, for 0 <= x < 2^63.
 *
 * Rounds: 2.  Sends: 24n bytes by party 0, 8n by parties 1 and 2.
 */
extern void scaled_widen(Party *self, Shared *z, const Shared64 *x);

/* z = x modulo 2^64; sends nothing. */
extern void scaled_narrow(Shared64 *z, const Shared *x);

/*
 * z = floor(x y / 2^fraction), for |x y| < 2^63 (as integers).  z may be x or y.
 *
 * Rounds: 11.  Sends: 8n bytes and scaled_truncate().
 */
extern void scaled_multiply(Party *self, Shared64 *z, const Shared64 *x, const Shared64 *y, int fraction);

/*
 * z = x y / 2^shift or one less, over Z_2^128, for |x y| < 2^126.  z may be x or y.
 *
 * Rounds: 3.  Sends: 16n bytes and scaled_truncate_near().
 */
extern void scaled_multiply_near(Party *self, Shared *z, const Shared *x, const Shared *y, int shift);

/*
 * The steps of divisions, for functions made of them.
 *
 * v = the power of two that moves y, 0 <= y < 2^62, up to exactly 62 bits; 0
 * if y = 0.  Of the 62 planes of `which` plane k is set if v = 2^k; positive = (y > 0).
 * Either may be NULL.  Rounds: 27.  Sends: see mpc/README.md.
 *
 * r = 1 / d, d in [1/2, 1], both with 62 fractional bits, to within 2^-55 of
 * it.  Rounds: 15.  Sends: eight times scaled_multiply_near().
 */
extern void scaled_power(Party *self, Shared64 *v, SharedBits *which, SharedBits *positive,
						 const Shared64 *y);
extern void scaled_reciprocal(Party *self, Shared *r, const Shared *d);

/*
 * Integers: z = x / y towards zero, as PostgreSQL's bigint division, exact for all
 * |x|, |y| < 2^62, y not 0.  Where y = 0, z = 0.  z may be x or y.
 *
 * Rounds: 80.  Sends: 879 bytes an element by party 0, 575 and 583 by the others; exactly: mpc/README.md.
 */
extern void scaled_divide_integers(Party *self, Shared64 *z, const Shared64 *x, const Shared64 *y);

/*
 * z = x 2^fraction / y towards zero, exact, for |x| < 2^(62-fraction), |y| < 2^62,
 * y not 0.  Where y = 0, z = 0.  Costs as scaled_divide_integers().
 */
extern void scaled_divide(Party *self, Shared64 *z, const Shared64 *x, const Shared64 *y, int fraction);

/*
 * z = floor(sqrt(x 2^fraction)), exact, for 0 <= x < 2^(62-fraction).
 * fraction 0: the integer square root.
 *
 * Rounds: 82.  Sends: 831 bytes an element by party 0, 535 and 551 by the others.
 */
extern void scaled_sqrt(Party *self, Shared64 *z, const Shared64 *x, int fraction);

#endif							/* SECMED_SCALED_H */
