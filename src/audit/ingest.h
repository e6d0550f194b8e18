/*
 * ingest.h
 *	  Takes spooled entries into the ledger (sequencer only).
 */
#ifndef SECMED_INGEST_H
#define SECMED_INGEST_H

#include "base/base.h"

/*
 * In milliseconds: when spooled entries are to be taken in; 0: now, -1: there are
 * none.  A sequencer that has just come looks for a file, later ones are
 * known from shared memory.
 */
extern long ingest_wait_ms(void);

/*
 * Takes them in, each once however often we are killed meanwhile.  Never
 * fails: what can't be written stays where it is and is tried again.
 */
extern void ingest_run(void);

#endif							/* SECMED_INGEST_H */
