/*
 * gaussian.h
 *	  Numbers of the discrete Gaussian distribution, exactly.
 *
 *	  Pr[X = x] is proportional to exp(-x^2 / (2 sigma^2)), x any integer
 *
 * Sampled as in Canonne, Kamath, Steinke: The Discrete Gaussian for Differential Privacy (NeurIPS
 * 2020), algorithms 1 to 3: integers only, so that nothing of what floating-point noise gives away
 * (Mironov, CCS 2012) is there to be given.  Sigma is an integer, and t of algorithm 3 is sigma,
 * which makes all fractions small.
 *
 * How long a draw takes depends on the number that is drawn, as with every exact sampler by
 * rejection (Jin, McMurtry, Rubinstein, Ohrimenko: Are We There Yet? Timing and Floating-Point
 * Attacks on Differential Privacy Systems, S&P 2022).  Whoever can time one party draw can tell
 * something of that party's share of the noise: docs/privacy-budget.md.
 */
#ifndef SECMED_GAUSSIAN_H
#define SECMED_GAUSSIAN_H

#include "base/base.h"
#include "crypto/prg.h"

/* With it 2 sigma^2 k, k below 2^40, fits 128 bits, and a number 64. */
#define GAUSSIAN_SIGMA_MAX	(UINT64CONST(1) << 40)

typedef struct Gaussian Gaussian;

/* A source of draws from this stream, which it takes over. */
extern Gaussian *gaussian_create(const uint8 seed[SEED_BYTES]);

/* One number; sigma from 1 to GAUSSIAN_SIGMA_MAX. */
extern int64 gaussian_draw(Gaussian *source, uint64 sigma);

/* Wipes what is left of the stream. */
extern void gaussian_free(Gaussian *source);

#endif							/* SECMED_GAUSSIAN_H */
