/*
 * dangling.h
 *	  Closes the local actions that a crash of the server left open (sequencer
 *	  only).
 *
 * The first sequencer of a database after a start of the server looks at the
 * entries since the last RESTART, in pieces, between its batches.  Each INTENT
 * or CHANGE without its CLOSED gets one:
 *
 *	  a PRECOMMIT with its xid is there		committed or aborted, as PostgreSQL
 *											says of that transaction
 *	  none, and it would have changed rows	aborted: no commit without PRECOMMIT
 *	  or definitions
 *	  none, and it was a read, or ALTER		unknown
 *	  SYSTEM, which needs no transaction
 *
 * A transaction that is prepared stays open until it ends.  RESTART then says
 * how many were closed, and where the next start has to begin.
 */
#ifndef SECMED_DANGLING_H
#define SECMED_DANGLING_H

#include "base/base.h"

/* _PG_init: asks for the shared memory. */
extern void dangling_init(void);

/* Does the next piece; false when there is nothing left to do.  Never fails. */
extern bool dangling_run(Oid database);

/*
 * COMMIT PREPARED or ROLLBACK PREPARED of this transaction is done: the
 * sequencer shall look again at what it had left open.
 */
extern void dangling_look_again(Oid database);

#endif							/* SECMED_DANGLING_H */
