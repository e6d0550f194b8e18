/*
 * watch.c
 *	  Cancels a sub-query when the node that asked for it is no longer there.
 *
 * A backend that runs a query does not look at its client.  A timer does so
 * here, from a signal handler: poll(2) is allowed there, reading is not, so
 * whatever was sent before must have been read when the watch begins.  That
 * includes the Sync that libpq sends behind every CALL.
 */
#include "base/base.h"

#include <poll.h>

#include "access/xact.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "peer/connection.h"
#include "peer/copyboth.h"
#include "peer/served.h"
#include "storage/latch.h"
#include "utils/timeout.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

static TimeoutId watch_timeout = MAX_TIMEOUTS;	/* not registered yet */
static TimestampTz watch_deadline;
static volatile sig_atomic_t verdict = WATCH_QUIET;

static bool
client_stirs(void)
{
	struct pollfd client = {.fd = MyProcPort->sock,.events = POLLIN | POLLRDHUP};

	return poll(&client, 1, 0) > 0;
}

/* Runs in a signal handler. */
static void
watch_handler(void)
{
	if (verdict != WATCH_QUIET)
		return;					/* cancelled once; the handler of the error is not to be disturbed */
	if (GetCurrentTimestamp() >= watch_deadline)
		verdict = WATCH_DEADLINE;
	else if (client_stirs())
		verdict = WATCH_CALLER_GONE;
	else
		return;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

/* The Sync is right behind the CALL: a client that withholds it is none of ours. */
static void
wait_for_sync(TimestampTz deadline)
{
	served_expect_silence();
	while (!copyboth_synced())
	{
		if (!copyboth_wait(WL_SOCKET_READABLE, deadline))
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_PROTOCOL),
					 errmsg("node \"%s\" did not finish its call", served_peer()->name)));
		served_expect_silence();
	}
}

void
served_watch_begin(TimestampTz deadline)
{
	wait_for_sync(deadline);
	if (watch_timeout == MAX_TIMEOUTS)
		watch_timeout = RegisterTimeout(USER_TIMEOUT, watch_handler);
	watch_deadline = deadline;
	verdict = WATCH_QUIET;
	enable_timeout_every(watch_timeout,
						 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), CANCEL_POLL_MS),
						 CANCEL_POLL_MS);
}

void
served_watch_end(void)
{
	if (watch_timeout != MAX_TIMEOUTS)
		disable_timeout(watch_timeout, false);
}

WatchVerdict
served_watch_verdict(void)
{
	return verdict;
}

/* An error may have left the watch on. */
static void
watch_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		served_watch_end();
}

void
served_init(void)
{
	RegisterXactCallback(watch_xact, NULL);
}
