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
 * The protocols of arith64.h, with 16 bytes in the place of 8.  Letters and
 * promises as there.
 */
extern void arith_square(Party *self, Shared *z, const Shared *x);
extern void arith_dot(Party *self, Shared *z, const Shared *x, const Shared *y);
extern void arith_sum(Shared *z, const Shared *x);
extern void arith_public(const Party *self, Shared *z, const uint128 *values);
extern void arith_add_constant(const Party *self, Shared *z, const Shared *x, uint128 c);
extern void arith_input(Party *self, Shared *z, int from, const uint128 *values);
extern void arith_random(Party *self, Shared *z);
extern void arith_zero(Party *self, uint128 *r, size_t n);
extern void arith_open(Party *self, uint128 *values, const Shared *x);
extern void arith_open_to(Party *self, int to, uint128 *values, const Shared *x);
extern void arith_multiply_known(Party *self, Shared *z, const Shared *x, const uint128 *known);

/*
 * Party 0 knows the values and shares them; the others pass NULL.
 *
 * Rounds: 1.  Sends: 16n bytes from party 0 to party 2.  Reveals: nothing.
 */
extern void arith_input_from_0(Party *self, Shared *z, const uint128 *values);

/*
 * In one round: party 0 shares s, which only it knows (values, else NULL), and
 * u = x * known as above.
 *
 * Rounds: 1.  Sends: 16n bytes.
 */
extern void arith_input_and_known(Party *self, Shared *s, const uint128 *values,
									Shared *u, const Shared *x, const uint128 *known);

/*
 * The two halves of which such a round is made, for those who join others in
 * one: they compute and do not send.  Of an input by party 0, it then sends z->mine
 * and party 2 receives z->next; of a product with a known factor, parties 1
 * and 2 send z->mine and parties 0 and 1 receive z->next.
 */
extern void arith_input_begin(Party *self, Shared *z, const uint128 *values);
extern void arith_known_begin(Party *self, Shared *z, const Shared *x, const uint128 *known);

/*
 * z = x in new shares.  Whoever is to learn a result from all three summands
 * (a requester who is no party) must get refreshed ones, or products, which
 * are: summands of what was computed locally tell more than their sum.
 *
 * Rounds: 1.  Sends: 16n bytes.
 */
extern void arith_refresh(Party *self, Shared *z, const Shared *x);

#endif							/* SECMED_ARITH_H */
