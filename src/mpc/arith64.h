/*
 * arith64.h
 *	  Arithmetic on vectors shared over Z_2^64.  One place multiplies, one
 *	  place opens.
 *
 * Results are allocated by the caller, with as many elements as they get.  n
 * is the number of elements.  "Sends" is for each party, to the previous one,
 * unless parties are named.  Nothing is revealed where nothing is said.
 */
#ifndef SECMED_ARITH64_H
#define SECMED_ARITH64_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring64.h"

/*
 * z = x * y, element by element (Araki et al., CCS 2016, section 2.2).  z may
 * be x or y.
 *
 * Rounds: 1.  Sends: 8n bytes.
 */
extern void arith64_multiply(Party *self, Shared64 *z, const Shared64 *x, const Shared64 *y);

/* z = x * x.  Rounds: 1.  Sends: 8n bytes. */
extern void arith64_square(Party *self, Shared64 *z, const Shared64 *x);

/* The table x, y->n rows of x->n / y->n elements, each row times its y.  Rounds: 1.  Sends: 8n bytes, n = x->n. */
extern void arith64_multiply_rows(Party *self, Shared64 *z, const Shared64 *x, const Shared64 *y);

/*
 * z[k] = the sum of x * y over the k-th of z->n stretches of equal length.
 * Only sums are sent, whatever the length.  x and y may be the same.
 *
 * Rounds: 1.  Sends: 8 z->n bytes.
 */
extern void arith64_dot(Party *self, Shared64 *z, const Shared64 *x, const Shared64 *y);

/*
 * A stretch of x that begins in a place which is shared: with y one at one place b, and zero at all others, it begins
 * at b step.  z[j] = the sum of y[b] x[b step + j] over all b, where x has such an element.
 */
typedef struct Stretch
{
	Shared64	x;
	Shared64	y;
	size_t		step;
} Stretch;

/*
 * z = so many stretches of equal length, end to end.  What is computed is y->n times as much
 * as what is sent.
 *
 * Rounds: 1.  Sends: 8 z->n bytes.
 */
extern void arith64_stretches(Party *self, Shared64 *z, const Stretch *stretches, size_t count);

/*
 * z[k] = the sum of x over the k-th of z->n stretches of equal length.
 * Sends nothing.
 */
extern void arith64_sum(Shared64 *z, const Shared64 *x);

/* z = a public constant in every element, or public values; send nothing. */
extern void arith64_constant(const Party *self, Shared64 *z, uint64 c);
extern void arith64_public(const Party *self, Shared64 *z, const uint64 *values);

/* z = x + c; sends nothing.  z may be x. */
extern void arith64_add_constant(const Party *self, Shared64 *z, const Shared64 *x, uint64 c);

/*
 * Party `from` knows the values and shares them; the others pass NULL.
 *
 * Rounds: 1.  Sends: 8n bytes, by `from` only.
 */
extern void arith64_input(Party *self, Shared64 *z, int from, const uint64 *values);

/* Random elements that nobody knows; send nothing. */
extern void arith64_random(Party *self, Shared64 *z);

/* Shares of zero by one summand each: r_0 + r_1 + r_2 = 0, party i gets r_i; sends nothing. */
extern void arith64_zero(Party *self, uint64 *r, size_t n);

/*
 * Everybody learns x.  A digest of the second copy of each summand travels
 * the other way, so a party that sends a wrong summand is found.
 *
 * Rounds: 1.  Sends: 8n bytes to the previous party and 32 to the next (nothing if n = 0).
 * Reveals: x to all.  Fails if the parties' shares do not fit together.
 */
extern void arith64_open(Party *self, uint64 *values, const Shared64 *x);

/*
 * Only party `to` learns x; the others pass NULL.
 *
 * Rounds: 1.  Sends: 8n bytes by the party after `to`, 32 bytes by the party before it.
 * Reveals: x to party `to`.  Fails as above.
 */
extern void arith64_open_to(Party *self, int to, uint64 *values, const Shared64 *x);

/*
 * z = x * y where y is known to two: its summand 2, `known`, to parties 1 and
 * 2 who pass it, is y, and the other two summands are zero.  Party 0 passes
 * NULL.  x may be anything.  [mpc/README.md, "known factor"]
 *
 * Rounds: 1.  Sends: 8n bytes by parties 1 and 2, nothing by party 0.
 */
extern void arith64_multiply_known(Party *self, Shared64 *z, const Shared64 *x, const uint64 *known);

/*
 * In one round: party 0 shares s, which only it knows (values, else NULL), and
 * u = x * known as above.
 *
 * Rounds: 1.  Sends: 8n bytes.
 */
extern void arith64_input_and_known(Party *self, Shared64 *s, const uint64 *values,
									Shared64 *u, const Shared64 *x, const uint64 *known);

/*
 * The two halves of which such a round is made, for those who join others in
 * one: they compute and do not send.  Of an input by party 0, it then sends z->mine
 * and party 2 receives z->next; of a product with a known factor, parties 1
 * and 2 send z->mine and parties 0 and 1 receive z->next.
 */
extern void arith64_input_begin(Party *self, Shared64 *z, const uint64 *values);
extern void arith64_known_begin(Party *self, Shared64 *z, const Shared64 *x, const uint64 *known);

/*
 * z = x in new shares.  Whoever is to learn a result from all three summands
 * (a requester who is no party) must get refreshed ones, or products, which
 * are: summands of what was computed locally tell more than their sum.
 *
 * Rounds: 1.  Sends: 8n bytes.
 */
extern void arith64_refresh(Party *self, Shared64 *z, const Shared64 *x);

#endif							/* SECMED_ARITH64_H */
