/*
 * guard.h
 *	  Groups that differ by few patients, from each other or from an answered one.
 *
 * Of two numbers about nearly the same patients the difference is about few: 330 patients, and all of them but number
 * 17.  [Denning, Denning, Schwartz, The tracker, ACM TODS 4, 1979]  Each site counts the patients by which two of
 * its groups differ; here the sums over the sites are compared with the threshold.  Two groups are close if the
 * sum is not zero and below patients_min.
 *
 * Within the answer: of two parts of a cell that are close and both large, the later one is withheld.
 * To earlier answers: if a part is close to an earlier group, and both are large, nothing is released at all: one cell that is left
 * out would be given back by the rest and a total.  All parties learn this one bit.
 */
#ifndef SECMED_GUARD_H
#define SECMED_GUARD_H

#include "mpc/party.h"
#include "share/bits.h"
#include "share/ring.h"

typedef struct ReleaseGuard
{
	/* By how many patients parts p < q of a cell differ: by cell, then q, then p. */
	Shared		within;

	/* Of `answers` earlier groups: their patients, and by how many each part of each cell differs. */
	size_t		answers;
	Shared		patients;
	Shared		earlier;
} ReleaseGuard;

/* Elements of `within` for so many cells of so many parts. */
extern size_t guard_pairs(size_t cells, size_t parts);

/* How many numbers are compared with how many bounds: 1 or patients_min. */
extern size_t guard_comparisons(const ReleaseGuard *guard);

/* Puts them, with their bounds, into x and bound, from `at` on. */
extern void guard_fill(const ReleaseGuard *guard, uint64 patients_min, Shared *x, uint64 *bound, size_t at);

/*
 * reached: one plane, what guard_fill() has put there compared with its bounds.  pass and large: a bit for each
 * part of each cell, as in complement.h; of parts that are withheld, both are cleared.
 *
 * Returns false if nothing may be released.
 * Rounds, bytes: guard_cost().  Reveals: that bit, to the parties.
 */
extern bool guard_withhold(Party *self, SharedBits *pass, SharedBits *large, const SharedBits *reached,
						   const ReleaseGuard *guard, size_t cells, size_t parts);

/* Adds what guard_withhold() takes. */
extern void guard_cost(const ReleaseGuard *guard, size_t cells, size_t parts, uint64 *rounds, uint64 *bytes);

/* Bytes that are held at once. */
extern uint64 guard_need(const ReleaseGuard *guard, size_t cells, size_t parts);

#endif							/* SECMED_GUARD_H */
