/*
 * noise.h
 *	  Noise on shared numbers, made by the three parties together: no one of them knows it.
 *
 * Each party draws a number of its own from the discrete Gaussian distribution
 * (share/gaussian.h) and adds it under the sharing.  Who knows one of the three, because it is that
 * party, is still faced with the two others: their sum alone has to suffice, and whoever says which
 * sigma a party draws with counts with two (contract/noise.h).
 */
#ifndef SECMED_NOISE_H
#define SECMED_NOISE_H

#include "mpc/party.h"
#include "share/ring.h"

/*
 * x[v] = x[v] + e0 + e1 + e2, fresh shares; drawn[v] is this party's own e_i, which it has drawn before, so
 * that how long drawing took is not seen in how long the round takes.
 *
 * Rounds: 1.  Sends: 16n bytes.  Reveals: nothing to the parties.
 */
extern void noise_add(Party *self, Shared *x, const int64 *drawn);

#endif							/* SECMED_NOISE_H */
