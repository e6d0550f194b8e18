/*
 * progress.h
 *	  How far computations over shared tables are, for secmed.progress.
 *
 * Each backend that runs one, as coordinator or party, has a line in shared
 * memory: PROGRESS_SLOTS of them.  Whoever finds none free goes without.
 */
#ifndef SECMED_PROGRESS_H
#define SECMED_PROGRESS_H

#include "contract/request.h"
#include "oblivious/check.h"

/* _PG_init: shared memory. */
extern void progress_init(void);

/* The line of this backend, until progress_end() or its transaction's end. */
extern void progress_begin(const uint8 run[RUN_ID_BYTES], const char *role, const CheckedPlan *checked);
extern void progress_report(const ProgressMessage *progress);
extern void progress_end(void);

#endif							/* SECMED_PROGRESS_H */
