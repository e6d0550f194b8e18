/*
 * noise.h
 *	  Differential privacy of a contract's answers: how much noise, and what a run spends.
 *
 *	  in a contract	 ["gaussian", rho, rows_max, thresholds, [[low, high, scale], ...]]
 *
 *	  rho			what a run spends, in millionths of zero-concentrated differential privacy (Bun,
 *					Steinke: TCC 2016, zCDP); what runs spend adds up
 *	  rows_max		rows of one patient that are counted, at most; the sites leave out the others
 *	  thresholds	small groups are withheld as well; if not, noise takes their place
 *	  low, high		of each component of the plan: what one row adds to it, in units of 10^-scale; the sites
 *					round each row's value to a unit, and take the nearest bound for what is outside
 *
 * Two tables are neighbours if one has the rows of one patient more.  Then the d components of all
 * groups together differ, each, by at most Delta = rows_max * max(|low|, |high|) in the Euclidean
 * norm.  Noise of standard deviation sigma on each number of a component makes that rho = Delta^2 /
 * (2 sigma^2); each of the d components gets an equal part of the contract's.
 *
 * Each of three parties adds noise of sigma_party, and the two whom a third does not know have to
 * suffice: sigma^2 = 2 sigma_party^2.  The sum of two discrete Gaussians of an integer sigma_party is
 * all but one of sqrt(2) sigma_party: with n of them its probabilities are off by a factor of at most
 * exp(tau), tau = 10 sum of exp(-2 pi^2 sigma_party^2 k / (k + 1)) for k = 1 to n - 1 (Kairouz, Liu,
 * Steinke: The Distributed Discrete Gaussian Mechanism for Federated Learning with Secure
 * Aggregation, ICML 2021, section 2).  For sigma_party = NOISE_SIGMA_MIN tau is below 10^-67, which
 * costs less than 10^-59 of rho over all numbers of an answer; what rounding sigma_party up to the next
 * integer saves is above 10^-42.
 */
#ifndef SECMED_CONTRACT_NOISE_H
#define SECMED_CONTRACT_NOISE_H

#include "base/cbor.h"
#include "contract/plan.h"
#include "share/gaussian.h"

#define NOISE_GAUSSIAN			"gaussian"

#define NOISE_RHO_MAX			(UINT64CONST(100) * 1000000)
#define NOISE_ROWS_MAX			(1024 * 1024)
#define NOISE_BOUND_MAX			(INT64CONST(1) << 40)
#define NOISE_SCALE_MAX			12
#define NOISE_SIGMA_MIN			4

typedef struct NoiseBound
{
	int64		low;
	int64		high;
	int			scale;
} NoiseBound;

typedef struct Noise
{
	uint64		rho;			/* millionths */
	uint64		rows_max;
	bool		thresholds;
	int			nbounds;		/* one for each component */
	NoiseBound *bounds;
} Noise;

extern void noise_encode(StringInfo out, const Noise *noise);

/* palloc'd; after an error of the reader whatever. */
extern Noise *noise_read(CborReader *in);

/* What is wrong with it by itself, for "the contract %s", or NULL. */
extern const char *noise_problem(const Noise *noise);

/* Likewise for this plan: a component that has no bounds can't have noise. */
extern const char *noise_plan_problem(const Noise *noise, const CanonicalPlan *plan);

/* The position of the number in the elements of a component; -1 of kinds that can't have noise. */
extern int	noise_number(ComponentKind kind);

/* What one patient can change of a component, at most, in its units. */
extern uint64 noise_sensitivity(const Noise *noise, int component);

/* Of the numbers that each party draws; 0 if that is more than can be drawn. */
extern uint64 noise_sigma_of_party(const Noise *noise, int component);

/* Standard deviation of the noise in an answer, all three parties', in units of 1. */
extern double noise_sigma(const Noise *noise, int component);

/* The epsilon of (epsilon, delta)-differential privacy that rho millionths imply: rho + 2 sqrt(rho ln(1 / delta)). */
extern double noise_epsilon(uint64 rho, double delta);

#endif							/* SECMED_CONTRACT_NOISE_H */
