/*
 * relay.c
 *	  secmed.link: the previous party of a run has reached this backend, and
 *	  means the one next door that computes.
 *
 * Frames are opened and sealed here and passed on as they come, without
 * putting messages together.  Neither side is read while the other can't
 * take more: that is all the flow control there is.
 *
 * The relay ends when either side does.  If the computing backend fails, or
 * waits beyond its deadline, it leaves behind whom it misses, and the
 * previous party is told that (see link.c).
 */
#include "base/base.h"

#include "base/cbor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "peer/connection.h"
#include "peer/copyboth.h"
#include "peer/link_table.h"
#include "peer/served.h"
#include "port/atomics.h"
#include "storage/latch.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_FUNCTION_INFO_V1(secmed_link);

typedef struct Relay
{
	dsm_segment *segment;
	shm_mq_handle *from_computing;
	shm_mq_handle *to_computing;
	StringInfoData frame;		/* from the caller, to be passed on */
	bool		frame_waits;
	bool		caller_full;	/* it has not taken all that was sent to it, when we last looked */
	bool		caller_done;
	bool		computing_gone;
} Relay;

/* ["link", run, index of the calling party] */
static void
read_request(bytea *sealed, uint8 run[RUN_ID_BYTES], int *caller_index)
{
	StringInfoData request;
	CborReader	reader;
	char	   *kind;

	initStringInfo(&request);
	served_open(&request, VARDATA_ANY(sealed), VARSIZE_ANY_EXHDR(sealed));
	cbor_start(&reader, request.data, request.len);
	cbor_expect_array(&reader, 3);
	kind = cbor_read_text(&reader, 16);
	cbor_read_fixed(&reader, run, RUN_ID_BYTES);
	*caller_index = cbor_read_uint(&reader, PARTIES - 1);
	if (!cbor_finish(&reader) || strcmp(kind, "link") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a request that is not one for a link", served_peer()->name)));
	pfree(request.data);
}

/* The previous party may be here before our own part of the run is. */
static void
join(Relay *relay, const LinkKey *key)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);

	for (;;)
	{
		relay->segment = link_take(key, served_peer()->name,
								   &relay->from_computing, &relay->to_computing);
		if (relay->segment != NULL)
			break;
		if (GetCurrentTimestamp() >= deadline)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_NODE_LOST),
					 errmsg("party \"%s\" has not joined the run", node_self()->card.name)));
		served_expect_silence();
		link_sleep();
	}
	link_sleep_end();
}

static void
hand_over_secret(Relay *relay, const uint8 run[RUN_ID_BYTES])
{
	uint8		secret[SEED_BYTES];

	session_export(served_session(), PAIR_PURPOSE, run, RUN_ID_BYTES, secret);
	(void) shm_mq_send(relay->to_computing, SEED_BYTES, secret, true, true);
	wipe(secret, sizeof(secret));
}

/* One frame from the caller to the computing backend; true if something moved. */
static bool
step_to_computing(Relay *relay)
{
	if (!relay->frame_waits)
	{
		FrameEvent	event;

		resetStringInfo(&relay->frame);
		event = served_frame_receive(&relay->frame);
		relay->caller_done |= event == FRAME_DONE;
		relay->frame_waits = event == FRAME_READY;
	}
	if (!relay->frame_waits)
		return false;
	/* After a detach the other direction tells how it ended; this frame is for nobody. */
	relay->frame_waits = shm_mq_send(relay->to_computing, relay->frame.len, relay->frame.data,
									 true, true) == SHM_MQ_WOULD_BLOCK;
	return !relay->frame_waits;
}

/* One frame the other way, once the caller has taken the one before. */
static bool
step_to_caller(Relay *relay)
{
	Size		len;
	void	   *frame;

	relay->caller_full = !served_flush();
	if (relay->caller_full)
		return false;
	switch (shm_mq_receive(relay->from_computing, &len, &frame, true))
	{
		case SHM_MQ_SUCCESS:
			served_frame_queue(frame, len);
			(void) served_flush();
			return true;
		case SHM_MQ_DETACHED:
			relay->computing_gone = true;
			return false;
		default:
			return false;
	}
}

/* Nothing is tried here once more: if it went well, there would be more to do before sleeping. */
static void
sleep_until_event(Relay *relay)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);
	uint32		events = 0;

	if (!relay->frame_waits)
		events |= WL_SOCKET_READABLE;
	if (relay->caller_full)
		events |= WL_SOCKET_WRITEABLE;
	if (events != 0)
		(void) copyboth_wait(events, deadline);
	else
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 node_timeout_ms, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* The computing backend misses a party: its own node, if it can't say which. */
static void
check_lost(Relay *relay)
{
	LinkSegment *head = link_segment(relay->segment);
	bool		late = head->late;

	pg_read_barrier();
	if (late)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NODE_LOST),
				 errmsg("party \"%s\" did not answer in time", head->lost)));
	if (relay->computing_gone && !head->closed)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NODE_LOST),
				 errmsg("party \"%s\" is gone",
						head->lost[0] != '\0' ? head->lost : node_self()->card.name)));
}

/*
 * The computing backend has a deadline and watches for cancel, so it ends
 * for sure, and this with it.
 */
static void
relay_frames(Relay *relay)
{
	for (;;)
	{
		bool		moved = step_to_computing(relay);

		moved |= step_to_caller(relay);
		check_lost(relay);
		if (moved)
			continue;
		if (relay->caller_done || relay->computing_gone)
			break;
		sleep_until_event(relay);
	}
}

Datum
secmed_link(PG_FUNCTION_ARGS)
{
	Relay		relay = {0};
	LinkKey		key;
	uint8		run[RUN_ID_BYTES];
	int			caller_index;
	TimestampTz deadline;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("request must not be null")));
	read_request(PG_GETARG_BYTEA_PP(0), run, &caller_index);
	link_key(&key, run, PARTY_NEXT(caller_index));
	initStringInfo(&relay.frame);
	join(&relay, &key);
	served_begin();
	hand_over_secret(&relay, run);

	relay_frames(&relay);
	deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);
	deadline = Max(deadline, link_segment(relay.segment)->deadline);
	dsm_detach(relay.segment);
	served_end(deadline);
	PG_RETURN_VOID();
}
