/*
 * served.c
 *	  The called side of a call: this backend was reached by another node.
 *
 * A backend has one client and so one session at most; it lives from hello
 * to the end of the backend or the next hello.  Whoever is at the other end
 * was verified by then, so errors name the node and not an address.
 *
 * A frame that does not open, or stops in the middle, can't be skipped: the
 * session is out of step.  The caller's side closes its connection after any
 * error, so nothing is done to repair that here.
 */
#include "base/base.h"

#include "access/xact.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "peer/connection.h"
#include "peer/copyboth.h"
#include "peer/served.h"
#include "storage/latch.h"
#include "utils/memutils.h"

#define KEEP_BYTES_MAX	(1024 * 1024)	/* a larger buffer is given back between messages */

static Session *session = NULL;
static bool caller_done;		/* its CopyDone has come */
static StringInfoData incoming; /* the message that is arriving; in TopMemoryContext */
static TimestampTz deadline_known;	/* latest deadline we were told in this call */

void
served_start(Session *opened)
{
	if (session != NULL)
		session_free(session);
	session = opened;
}

Session *
served_session(void)
{
	if (session == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("no node has introduced itself on this connection"),
				 errhint("secmed.serve, secmed.link and secmed.describe are called by other nodes, not by people.")));
	return session;
}

const NodeCard *
served_peer(void)
{
	return session_peer(served_session());
}

static void
incoming_reset(void)
{
	if (incoming.data != NULL && incoming.maxlen > KEEP_BYTES_MAX)
	{
		pfree(incoming.data);
		incoming.data = NULL;
	}
	if (incoming.data == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		initStringInfo(&incoming);
		MemoryContextSwitchTo(caller);
	}
	resetStringInfo(&incoming);
}

/* A peer may have been removed, or have got another key, since its hello. */
static void
require_still_known(const NodeCard *card)
{
	Peer		peer;

	peer_require(&peer, card->name);
	if (memcmp(peer.card.sign_public, card->sign_public, SIGN_PUBLIC_BYTES) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("node \"%s\" has got another key since it connected", card->name)));
}

/*
 * All that this node decides on is what it is now.  In a transaction that keeps its
 * snapshot the caller could have us look at an approval before it was used, at a mode
 * before it was closed, at itself before it was removed.
 */
static void
require_present(void)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" calls in a transaction that does not see what has changed since it began",
						served_peer()->name),
				 errdetail("Its isolation level is above read committed.")));
}

static void
open_frame(StringInfo out, const void *frame, size_t len)
{
	if (!session_open(served_session(), frame, len, out))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent bytes that do not belong to its session",
						served_peer()->name)));
}

void
served_open(StringInfo out, const void *frame, size_t len)
{
	require_present();
	require_still_known(served_peer());
	copyboth_reset();
	incoming_reset();
	caller_done = false;
	deadline_known = 0;
	open_frame(out, frame, len);
}

void
served_seal(StringInfo out, const void *message, size_t len)
{
	session_seal(served_session(), message, len, out);
}

static pg_attribute_noreturn() void
caller_gone(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_QUERY_CANCELED),
			 errmsg("node \"%s\" has cancelled its call", session == NULL ? "" : served_peer()->name)));
}

/* What an event other than a frame, a CopyDone or nothing means. */
static void
check_event(CopyBothEvent event)
{
	if (event == COPYBOTH_GONE)
		caller_gone();
	if (event == COPYBOTH_WRONG)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a message that is too long or out of place",
						served_peer()->name)));
}

/* Sending ---------------------------------------------------------------- */

bool
served_flush(void)
{
	CopyBothEvent event = copyboth_flush();

	check_event(event);
	return event == COPYBOTH_DONE;
}

void
served_frame_queue(const void *frame, size_t len)
{
	StringInfoData sealed;

	initStringInfo(&sealed);
	served_seal(&sealed, frame, len);
	copyboth_queue('d', sealed.data, sealed.len);
	pfree(sealed.data);
}

/*
 * A sender has no deadline of its own: the call's, but no less than the time
 * we give any node to answer.
 */
static void
flush_all(void)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);

	deadline = Max(deadline, deadline_known);
	while (!served_flush())
	{
		if (!copyboth_wait(WL_SOCKET_WRITEABLE, deadline))
		{
			copyboth_hang_up();
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_NODE_LOST),
					 errmsg("node \"%s\" does not take what it asked for", served_peer()->name)));
		}
	}
}

void
served_begin(void)
{
	copyboth_begin();
	flush_all();
}

void
served_send(const void *message, size_t len)
{
	size_t		sent = 0;
	size_t		part;

	if (len > MESSAGE_BYTES_MAX)
		elog(ERROR, "message of %zu bytes is too long", len);
	do
	{
		part = Min(len - sent, FRAME_BYTES_MAX);
		served_frame_queue((const char *) message + sent, part);
		flush_all();
		sent += part;
	} while (part == FRAME_BYTES_MAX);
}

/* Receiving -------------------------------------------------------------- */

FrameEvent
served_frame_receive(StringInfo out)
{
	StringInfo	frame;
	CopyBothEvent event = copyboth_poll(&frame);

	check_event(event);
	if (event == COPYBOTH_NOTHING)
		return FRAME_NONE;
	if (event == COPYBOTH_DONE)
	{
		caller_done = true;
		return FRAME_DONE;
	}
	open_frame(out, frame->data, frame->len);
	return FRAME_READY;
}

/* One step towards a whole message; true if it is whole, or the caller has said all. */
static bool
receive_step(FrameEvent *event)
{
	int			before = incoming.len;

	*event = served_frame_receive(&incoming);
	if (incoming.len > MESSAGE_BYTES_MAX || incoming.len - before > FRAME_BYTES_MAX)
		check_event(COPYBOTH_WRONG);
	return *event == FRAME_DONE ||
		(*event == FRAME_READY && incoming.len - before < FRAME_BYTES_MAX);
}

bool
served_receive(StringInfo out, bool wait, TimestampTz deadline, bool *done)
{
	FrameEvent	event = FRAME_DONE;

	resetStringInfo(out);
	deadline_known = Max(deadline_known, deadline);
	while (!caller_done && !receive_step(&event))
	{
		if (event == FRAME_READY)
			continue;
		if (!wait)
		{
			*done = false;
			return false;
		}
		if (!copyboth_wait(WL_SOCKET_READABLE, deadline))
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_NODE_LOST),
					 errmsg("node \"%s\" did not answer in time", served_peer()->name)));
	}
	*done = caller_done;
	if (caller_done)
		return false;
	appendBinaryStringInfo(out, incoming.data, incoming.len);
	incoming_reset();
	return true;
}

void
served_end(TimestampTz deadline)
{
	StringInfoData ignored;
	bool		done = false;

	initStringInfo(&ignored);
	while (!done)
		served_receive(&ignored, true, deadline, &done);
	pfree(ignored.data);
	copyboth_queue('c', "", 0);
	flush_all();
}

void
served_expect_silence(void)
{
	StringInfo	frame;

	if (copyboth_poll(&frame) != COPYBOTH_NOTHING)
		caller_gone();
}
