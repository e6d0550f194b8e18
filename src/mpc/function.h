/*
 * function.h
 *	  exp, ln and the logistic function of shared fixed-point numbers.
 *
 * Arguments and results have FUNCTION_FRACTION fractional bits in Z_2^64.
 * Out of the stated range the result is arbitrary; nothing is revealed.
 *
 * exp has 35 rounds and sends 1077 bytes an element by party 0, 591 by the others; the
 * logistic function 65 rounds, 1534 and 878; ln 46, 642 and 427 at most.  Exactly: mpc/README.md.
 */
#ifndef SECMED_FUNCTION_H
#define SECMED_FUNCTION_H

#include "mpc/party.h"
#include "share/ring64.h"

#define FUNCTION_FRACTION	40

/*
 * z = exp(x) for -32 < x <= 14, with an absolute error below 1e-9, and a
 * relative one below 1e-9 where x >= 0.
 */
extern void function_exp(Party *self, Shared64 *z, const Shared64 *x);

/* z = ln(x) for 0 < x < 2^22 (as represented), with an absolute error below 1e-9. */
extern void function_ln(Party *self, Shared64 *z, const Shared64 *x);

/* z = 1 / (1 + exp(-x)) for |x| < 2^20, with an absolute error below 1e-9. */
extern void function_sigmoid(Party *self, Shared64 *z, const Shared64 *x);

#endif							/* SECMED_FUNCTION_H */
