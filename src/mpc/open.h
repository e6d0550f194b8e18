/*
 * open.h
 *	  One place opens.
 *
 * Whoever learns a vector lacks one summand of it.  The next party sends it,
 * and the previous party a digest of its copy (SHA-256), so that no single
 * party can pass off another.
 */
#ifndef SECMED_OPEN_H
#define SECMED_OPEN_H

#include "mpc/party.h"

/* Who learns: one bit for each party. */
#define LEARN_ALL		7
#define LEARN_ONE(i)	(1 << (i))
#define LEARN_PAIR		6		/* parties 1 and 2 */

/*
 * mine and next are summands as they travel (little-endian), len bytes each;
 * missing gets the third, for those who learn, and is NULL for the others.
 *
 * Rounds: 1.  Sends: len bytes to the previous party if that one learns, 32
 * to the next if that one learns; nothing if len = 0.
 * Fails if the two copies of a summand differ.
 */
extern void open_summands(Party *self, int learners, const void *mine, const void *next,
						  void *missing, size_t len);

static inline bool
open_learns(const Party *self, int learners)
{
	return learners >> self->index & 1;
}

#endif							/* SECMED_OPEN_H */
