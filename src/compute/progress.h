/*
 * progress.h
 *	  How far computations over shared tables and fits are, for secmed.progress.
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

/*
 * The line of this backend, until progress_end() or its transaction's end.  The second is of a fit, whose steps are
 * passes; its coordinator's line has the submission's id.
 */
extern void progress_begin(const uint8 run[RUN_ID_BYTES], const char *role, const CheckedPlan *checked);
extern void progress_begin_fit(const uint8 submission[SUBMISSION_ID_BYTES], uint64 passes_max);
extern void progress_report(const ProgressMessage *progress);
extern void progress_end(void);

#endif							/* SECMED_PROGRESS_H */
