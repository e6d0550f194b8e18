/*
 * forks.h
 *	  Nodes that have signed two histories: who is convicted, and what follows.
 */
#ifndef SECMED_FORKS_H
#define SECMED_FORKS_H

#include "mirror/held.h"

/*
 * Makes the proof that a checkpoint of the same log contradicts what is held,
 * and records it.  False if it can't be proven (it is under another epoch).
 */
extern bool forks_prove(const Held *held, const WitnessLog *log, const void *note, size_t len,
						const char *told_by);

/*
 * Records a proof: freezes whom it convicts, of those that are known here, and
 * appends an entry for each.  False with a reason if it convicts nobody.
 * told_by may be NULL.  SPI is connected, as the owner.
 */
extern bool forks_record(const void *proof, size_t len, const char *told_by, const char **reason);

/* Proofs that are not lifted, for others; palloc'd. */
extern int	forks_all(HeldNote **proofs);

/* ERRCODE_SECMED_FORKED if this node is convicted and not let in again. */
extern void forks_require_none(const char *node);

#endif							/* SECMED_FORKS_H */
