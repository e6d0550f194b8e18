/*
 * arith.h
 *	  Arithmetic on vectors shared over Z_2^128.  One place multiplies.
 *
 * Results are allocated by the caller, with as many elements as they get.
 */
#ifndef SECMED_ARITH_H
#define SECMED_ARITH_H

#include "mpc/party.h"
#include "share/ring.h"

/*
 * z = x * y, element by element (Araki et al., CCS 2016, section 2.2).
 * z may be x or y.
 *
 * Rounds: 1.  Sends: 16n bytes to the previous party.  Reveals: nothing.
 */
extern void arith_multiply(Party *self, Shared *z, const Shared *x, const Shared *y);

/*
 * The same for a table: x has y->n rows of x->n / y->n elements, and every
 * element of row r is multiplied by element r of y.  z may be x.
 *
 * Rounds: 1.  Sends: 16n bytes to the previous party, n = x->n.  Reveals: nothing.
 */
extern void arith_multiply_rows(Party *self, Shared *z, const Shared *x, const Shared *y);

/* z = the public constant c in every element; sends nothing. */
extern void arith_constant(const Party *self, Shared *z, uint128 c);

/*
 * Party 0 knows the values and shares them; the others pass NULL.
 *
 * Rounds: 1.  Sends: 16n bytes from party 0 to party 2.  Reveals: nothing.
 */
extern void arith_input_from_0(Party *self, Shared *z, const uint128 *values);

#endif							/* SECMED_ARITH_H */
