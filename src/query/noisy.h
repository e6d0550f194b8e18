/*
 * noisy.h
 *	  A party's part of the noise of a run over the rows of sites.
 */
#ifndef SECMED_NOISY_H
#define SECMED_NOISY_H

#include "contract/noise.h"
#include "mpc/party.h"
#include "share/ring.h"

/* What this party draws for the numbers of all cells; palloc'd and to be wiped, noisy_numbers() of them. */
extern int64 *noisy_draw(const CanonicalPlan *plan, const Noise *noise);
extern size_t noisy_numbers(const CanonicalPlan *plan);

/*
 * Adds the three parties' draws to the numbers of the sum of all sites.  Whatever else a part holds becomes
 * the same for every patient: marks are 1, the rest 0.  Patient counts, which are not opened, stay.
 *
 * Rounds: 1.  Sends: 16 noisy_numbers() bytes.
 */
extern void noisy_cells(Party *self, Shared *sum, const CanonicalPlan *plan, const int64 *drawn);

#endif							/* SECMED_NOISY_H */
