/*
 * served.h
 *	  The called side of a call: this backend was reached by another node.
 *
 * secmed.hello(bytea) opens the backend's one session (session.h); the
 * functions below speak over it.  In secmed.serve and secmed.link the
 * connection is a two-way stream (CopyBothResponse was sent, CopyData
 * follows both ways), used from a C procedure.
 */
#ifndef SECMED_SERVED_H
#define SECMED_SERVED_H

#include "identity/node.h"
#include "identity/session.h"
#include "utils/timestamp.h"

/* The card of the node that called; ERRCODE_SECMED_PROTOCOL if there was no hello. */
extern const NodeCard *served_peer(void);
extern Session *served_session(void);

/*
 * Opens the sealed argument of a call into out.  Refused: who is not known here any more, and
 * calls in a transaction above read committed, which would be decided on by what was so before.
 */
extern void served_open(StringInfo out, const void *frame, size_t len);
extern void served_seal(StringInfo out, const void *message, size_t len);

/* Sends CopyBothResponse; from here on messages go both ways. */
extern void served_begin(void);

/* Sends one sealed message and flushes; may block while the client reads, bounded by the deadline. */
extern void served_send(const void *message, size_t len);

/*
 * Receives one message into out (reset).  False if none is there and wait is
 * false.  Otherwise waits until deadline (then ERRCODE_SECMED_NODE_LOST).  If
 * the caller closed the connection, or sent CopyFail: ERRCODE_QUERY_CANCELED.
 * CopyDone from the client: returns false with *done = true.
 */
extern bool served_receive(StringInfo out, bool wait, TimestampTz deadline, bool *done);

/* Ends in order: waits for the client's CopyDone, sends ours. */
extern void served_end(TimestampTz deadline);

/*
 * Raises ERRCODE_QUERY_CANCELED if the caller has said anything or is gone,
 * at a time when it must be silent.  Never blocks.
 */
extern void served_expect_silence(void);

/*
 * While this backend is busy in the executor the caller can't tell it
 * anything.  Between these two, a timer looks every CANCEL_POLL_MS whether
 * the client's socket has become readable or was closed (it must be silent
 * now), and then cancels the running query as pg_cancel_backend would; also
 * at the deadline.
 */
extern void served_watch_begin(TimestampTz deadline);
extern void served_watch_end(void);

/* Why the last watch cancelled, for the handler of the error. */
typedef enum WatchVerdict
{
	WATCH_QUIET,				/* it did not */
	WATCH_CALLER_GONE,
	WATCH_DEADLINE
} WatchVerdict;
extern WatchVerdict served_watch_verdict(void);

/*
 * For hello.c and relay.c.  A message is cut into frames of FRAME_BYTES_MAX;
 * the first shorter one (it may be empty) ends it.  A relay passes frames on
 * without putting them together.
 */
extern void served_start(Session *session);

typedef enum FrameEvent
{
	FRAME_NONE,					/* none has arrived */
	FRAME_READY,				/* appended to out */
	FRAME_DONE					/* the caller has sent CopyDone */
} FrameEvent;
extern FrameEvent served_frame_receive(StringInfo out);
extern void served_frame_queue(const void *frame, size_t len);

/* Sends what the socket takes; true when nothing is queued. */
extern bool served_flush(void);

extern void served_init(void);	/* _PG_init */

#endif							/* SECMED_SERVED_H */
