/*
 * spool.h
 *	  The file that entries go to when the ledger can't be written, and the way
 *	  back.
 *
 * $PGDATA/secmed/<database oid>.spool (0600; ledger/spooled.h) is written by
 * backends, one at a time, each frame with a flush.  Once something is in
 * it, sessions that may spool don't queue any more until the sequencer begins
 * to take it.  It takes the whole spool before what is queued, so entries
 * keep their order.
 *
 * The sequencer sets a spool aside as <database oid>.spool.taken, which nobody
 * writes any more, appends what is in it and removes it.  How far it is, by
 * the id in the file, is in secmed.ledger_spool and committed with the
 * entries, so a crash neither loses nor doubles one.
 */
#ifndef SECMED_SPOOL_H
#define SECMED_SPOOL_H

#include "ledger/spooled.h"

/* Is something in the spool, as far as is known since the server's start? */
extern bool spool_in_use(Oid database);

/*
 * Adds an entry, durably.  If only_if_used, false and nothing done when the spool is
 * not in use any more.  An error if the file can't be written.
 */
extern bool spool_append(const SpooledEntry *spooled, bool only_if_used);

/* An open spool that was set aside (sequencer only). */
typedef struct SpoolReader
{
	int			fd;
	uint8		id[SPOOL_ID_BYTES];
	uint64		at;				/* where the next frame is looked for */
	uint64		lost;			/* bytes that were no frame */
	uint8	   *buffer;			/* palloc'd */
} SpoolReader;

/* Is there a file?  Cheap if not. */
extern bool spool_exists(void);

/* Sets the spool aside unless one is already, and opens it; false if there is none. */
extern bool spool_open(SpoolReader *reader);

/* The next entry, valid until the next call; false at the end. */
extern bool spool_read(SpoolReader *reader, SpooledEntry *spooled);
extern void spool_close(SpoolReader *reader);

/* After an error: closes the file of the reader that was open. */
extern void spool_forget_reader(void);

/* Removes what was set aside, durably. */
extern void spool_remove_taken(void);

/* From now on sessions queue again: the ledger works. */
extern void spool_end(void);

#endif							/* SECMED_SPOOL_H */
