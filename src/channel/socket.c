/*
 * socket.c
 *	  A channel over a connected stream socket, for the benchmark of the
 *	  engine: three processes on one machine.
 *
 * A message is its length, 8 bytes little-endian, then its bytes.  Nothing is
 * sealed and nobody is authenticated: real parties talk over PostgreSQL's
 * connections (src/peer).  FRONTEND only.
 */
#ifdef FRONTEND

#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "channel/channel.h"

#define HEADER_BYTES	8

typedef struct End
{
	int			fd;
	bool		send_waits;		/* the last try_send found no room */
	bool		recv_waits;		/* the last try_recv found no message */
	size_t		sent;			/* of header and message, so far */
	uint8		header[HEADER_BYTES];	/* of the message that arrives */
	size_t		arrived;		/* of header and message */
	uint8	   *bytes;			/* the message that arrives or is being looked at */
	size_t		room;
} End;

static void
write_length(uint8 header[HEADER_BYTES], size_t len)
{
	for (int k = 0; k < HEADER_BYTES; k++)
		header[k] = (uint8) ((uint64) len >> (8 * k));
}

static size_t
read_length(const uint8 header[HEADER_BYTES])
{
	uint64		len = 0;

	for (int k = 0; k < HEADER_BYTES; k++)
		len |= (uint64) header[k] << (8 * k);
	return len;
}

static void
fail_gone(const Channel *channel)
{
	fail(ERRCODE_SECMED_NODE_LOST, "party \"%s\" is gone", channel->peer);
}

/* Bytes moved, or 0 if none can be now. */
static size_t
moved(const Channel *channel, ssize_t result)
{
	if (result > 0)
		return result;
	if (result == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		fail_gone(channel);
	return 0;
}

static bool
socket_try_send(Channel *channel, const void *message, size_t len)
{
	End		   *end = channel->carrier;
	uint8		header[HEADER_BYTES];

	write_length(header, len);
	while (end->sent < HEADER_BYTES + len)
	{
		size_t		in_header = end->sent < HEADER_BYTES ? HEADER_BYTES - end->sent : 0;
		size_t		in_message = end->sent + in_header - HEADER_BYTES;
		struct iovec parts[2] = {
			{header + HEADER_BYTES - in_header, in_header},
			{(uint8 *) message + in_message, len - in_message},
		};
		size_t		bytes = moved(channel, writev(end->fd, parts, 2));

		end->sent += bytes;
		end->send_waits = bytes == 0;
		if (bytes == 0)
			return false;
	}
	end->sent = 0;
	return true;
}

static void
make_room(End *end, size_t len)
{
	if (end->room >= len)
		return;
	pfree(end->bytes);
	end->bytes = palloc(len);
	end->room = len;
}

static bool
socket_try_recv(Channel *channel, const void **message, size_t *len)
{
	End		   *end = channel->carrier;

	for (;;)
	{
		size_t		bytes;

		if (end->arrived < HEADER_BYTES)
			bytes = moved(channel, read(end->fd, end->header + end->arrived, HEADER_BYTES - end->arrived));
		else
		{
			size_t		at = end->arrived - HEADER_BYTES;

			*len = read_length(end->header);
			if (*len > MESSAGE_BYTES_MAX)
				fail(ERRCODE_SECMED_PROTOCOL, "party \"%s\" sent a message that is too long", channel->peer);
			make_room(end, *len);
			if (at == *len)
				break;
			bytes = moved(channel, read(end->fd, end->bytes + at, *len - at));
		}
		end->recv_waits = bytes == 0;
		if (bytes == 0)
			return false;
		end->arrived += bytes;
	}
	end->arrived = 0;
	*message = end->bytes;
	return true;
}

static const ChannelOps socket_ops = {socket_try_send, socket_try_recv};

void
socket_channel_open(Channel *channel, int fd)
{
	End		   *end = palloc0(sizeof(End));
	int			on = 1;

	end->fd = fd;
	end->room = 1;
	end->bytes = palloc(end->room);
	(void) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	memset(channel, 0, sizeof(Channel));
	channel->ops = &socket_ops;
	channel->carrier = end;
}

void
socket_channel_close(Channel *channel)
{
	End		   *end = channel->carrier;

	close(end->fd);
	pfree(end->bytes);
	pfree(end);
	channel->carrier = NULL;
}

static short
events_of(const Channel *channel, bool look)
{
	const End  *end = channel->carrier;

	return (end->send_waits ? POLLOUT : 0) | (end->recv_waits && look ? POLLIN : 0);
}

void
socket_channels_wait(Channel *prev, Channel *next, bool receiving, int timeout_ms)
{
	struct pollfd fds[2] = {
		{((End *) prev->carrier)->fd, events_of(prev, true)},
		{((End *) next->carrier)->fd, events_of(next, receiving)},
	};

	(void) poll(fds, 2, timeout_ms);
}

#endif							/* FRONTEND */
