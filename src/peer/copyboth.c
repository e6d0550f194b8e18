/*
 * copyboth.c
 *	  The bytes of a served call: CopyBoth between this backend and its client.
 *
 * PostgreSQL reads a client's message in one blocking piece, which a client
 * that stops in the middle could hold for ever, beyond every cancel.  So we
 * first take what the server has already buffered and then read from the
 * connection itself, as secure_read() allows, without blocking.  We never
 * read beyond the message at hand: what follows CopyDone is the server's.
 *
 * While a message is half read pq_is_reading_msg() is true, so an error then
 * makes the server close the connection, whose place in the stream is lost.
 */
#include "base/base.h"

#include <sys/socket.h>

#include "libpq/libpq.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "peer/copyboth.h"
#include "port/pg_bswap.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define HEAD_BYTES			5	/* type and length */

/* A sealed frame: its overhead, and the stream's header before the first. */
#define SEALED_BYTES_MAX	(FRAME_BYTES_MAX + 64)

static uint8 head[HEAD_BYTES];
static int	head_len;
static StringInfoData body;		/* in TopMemoryContext */
static bool synced;

void
copyboth_reset(void)
{
	synced = false;
	head_len = 0;
}

static void
body_reset(void)
{
	if (body.data == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		initStringInfo(&body);
		MemoryContextSwitchTo(caller);
	}
	resetStringInfo(&body);
}

void
copyboth_begin(void)
{
	StringInfoData response;

	pq_beginmessage(&response, 'W');
	pq_sendbyte(&response, 1);	/* binary */
	pq_sendint16(&response, 0); /* no columns */
	copyboth_queue('W', response.data, response.len);
	pfree(response.data);
}

bool
copyboth_synced(void)
{
	return synced;
}

/* Number of bytes read; 0 if there are none now; -1 if there will be no more. */
static ssize_t
client_read(char *to, size_t want)
{
	ssize_t		n = 0;

	while (n < want && pq_buffer_has_data())
	{
		if (pq_getbytes(to + n, 1) == EOF)
			return -1;
		n++;
	}
	if (n > 0)
		return n;

	MyProcPort->noblock = true;
	n = secure_read(MyProcPort, to, want);
	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	return -1;
}

static CopyBothEvent
read_head(void)
{
	if (!pq_is_reading_msg())
	{
		pq_startmsgread();
		head_len = 0;
	}
	while (head_len < HEAD_BYTES)
	{
		ssize_t		n = client_read((char *) head + head_len, HEAD_BYTES - head_len);

		if (n <= 0)
		{
			if (head_len == 0)
				pq_endmsgread();
			return n < 0 ? COPYBOTH_GONE : COPYBOTH_NOTHING;
		}
		head_len += n;
	}
	return COPYBOTH_DONE;
}

/* DONE when a whole message is in head and body. */
static CopyBothEvent
read_message(void)
{
	CopyBothEvent event = COPYBOTH_DONE;
	uint32		len;

	if (head_len < HEAD_BYTES || !pq_is_reading_msg())
	{
		event = read_head();
		body_reset();
	}
	if (event != COPYBOTH_DONE)
		return event;

	memcpy(&len, head + 1, sizeof(len));
	len = pg_ntoh32(len);
	if (len < sizeof(len) || len > sizeof(len) + SEALED_BYTES_MAX)
		return COPYBOTH_WRONG;
	len -= sizeof(len);
	enlargeStringInfo(&body, len);
	while (body.len < len)
	{
		ssize_t		n = client_read(body.data + body.len, len - body.len);

		if (n <= 0)
			return n < 0 ? COPYBOTH_GONE : COPYBOTH_NOTHING;
		body.len += n;
	}
	body.data[body.len] = '\0';
	pq_endmsgread();
	return COPYBOTH_DONE;
}

CopyBothEvent
copyboth_poll(StringInfo *frame)
{
	for (;;)
	{
		CopyBothEvent event = read_message();

		if (event != COPYBOTH_DONE)
			return event;
		switch (head[0])
		{
			case 'S':
				synced = true;
				break;
			case 'H':
				break;
			case 'd':
				*frame = &body;
				return COPYBOTH_FRAME;
			case 'c':
				return COPYBOTH_DONE;
			case 'f':
			case 'X':
				return COPYBOTH_GONE;
			default:
				return COPYBOTH_WRONG;
		}
	}
}

void
copyboth_queue(char type, const void *bytes, size_t len)
{
	pq_putmessage_noblock(type, bytes, len);
}

CopyBothEvent
copyboth_flush(void)
{
	if (pq_is_send_pending() && pq_flush_if_writable() != 0)
	{
		/*
		 * The server would now end this backend at the next interrupt check.
		 * Our caller raises an error first, so that the end of the run can
		 * still be recorded; reporting it makes the server notice again.
		 */
		ClientConnectionLost = false;
		return COPYBOTH_GONE;
	}
	return pq_is_send_pending() ? COPYBOTH_NOTHING : COPYBOTH_DONE;
}

bool
copyboth_wait(uint32 socket_events, TimestampTz deadline)
{
	long		timeout_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
	WaitEvent	event;
	int			n;

	ModifyWaitEvent(FeBeWaitSet, FeBeWaitSetSocketPos, socket_events, NULL);
	n = WaitEventSetWait(FeBeWaitSet, timeout_ms, &event, 1, PG_WAIT_EXTENSION);
	if (n > 0 && (event.events & WL_POSTMASTER_DEATH))
		ereport(FATAL,
				(errcode(ERRCODE_ADMIN_SHUTDOWN),
				 errmsg("terminating connection due to unexpected postmaster exit")));
	if (n > 0 && (event.events & WL_LATCH_SET))
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
	return n > 0 || timeout_ms > 0;
}

void
copyboth_hang_up(void)
{
	(void) shutdown(MyProcPort->sock, SHUT_RDWR);
}
