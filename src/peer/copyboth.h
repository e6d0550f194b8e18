/*
 * copyboth.h
 *	  The bytes of a served call: CopyBoth between this backend and its client.
 *
 * Nothing here blocks but copyboth_wait(), and nothing here knows sessions:
 * served.c seals, opens and names the caller.
 */
#ifndef SECMED_COPYBOTH_H
#define SECMED_COPYBOTH_H

#include "base/base.h"
#include "utils/timestamp.h"

typedef enum CopyBothEvent
{
	COPYBOTH_NOTHING,			/* no whole message has arrived */
	COPYBOTH_FRAME,				/* CopyData: in *frame, until the next poll */
	COPYBOTH_DONE,				/* CopyDone: the client has said all */
	COPYBOTH_GONE,				/* closed, Terminate or CopyFail */
	COPYBOTH_WRONG				/* a message that has no place here, or too long */
} CopyBothEvent;

/* Forgets what an earlier call left behind. */
extern void copyboth_reset(void);

/* Queues CopyBothResponse. */
extern void copyboth_begin(void);

/* Takes in what has arrived; see above. */
extern CopyBothEvent copyboth_poll(StringInfo *frame);

/*
 * True once the Sync that follows the CALL has been read.  libpq sends it at
 * once, so that silence can only be told from then on.
 */
extern bool copyboth_synced(void);

/* Queues a message: 'd' or 'c'. */
extern void copyboth_queue(char type, const void *bytes, size_t len);

/* Sends what the socket takes.  COPYBOTH_DONE: all of it, _NOTHING: not yet, _GONE. */
extern CopyBothEvent copyboth_flush(void);

/*
 * Sleeps until the socket has one of the events, the latch is set or the
 * deadline has passed; processes interrupts.  False at the deadline.
 */
extern bool copyboth_wait(uint32 socket_events, TimestampTz deadline);

/*
 * Ends the connection at once: for a client that has stopped reading, where
 * even an error message would wait for ever.
 */
extern void copyboth_hang_up(void);

#endif							/* SECMED_COPYBOTH_H */
