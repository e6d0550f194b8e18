/*
 * channel.h
 *	  Bytes between two parties, whatever carries them.
 *
 * A channel carries whole messages, in order, both ways.  Carriers are
 * libpq and shared memory (src/peer) and memory (memory.c, for tests and the
 * simulation).  Protocol code never knows which.
 *
 * Nothing here blocks: a party sends and receives at once, so that two large
 * messages in opposite directions can't wait for each other.  Who waits, and
 * how long, is the party's `wait` (mpc/party.h).
 */
#ifndef SECMED_CHANNEL_H
#define SECMED_CHANNEL_H

#include "base/base.h"

typedef struct Channel Channel;

typedef struct ChannelOps
{
	/*
	 * True when the whole message is on its way.  After false, call again
	 * with the same arguments.  Fails (does not return) when the other end is
	 * gone, naming it.
	 */
	bool		(*try_send) (Channel *channel, const void *message, size_t len);

	/*
	 * True with the next message, valid until the next try_recv; false when
	 * none has arrived.  Fails when the other end is gone.
	 */
	bool		(*try_recv) (Channel *channel, const void **message, size_t *len);
} ChannelOps;

struct Channel
{
	const ChannelOps *ops;
	void	   *carrier;
	char		peer[NODE_NAME_BYTES_MAX + 1];	/* who is at the other end */
	uint64		messages_sent;
	uint64		bytes_sent;
	uint64		messages_received;
	uint64		bytes_received;
};

/* Ops with the counting done. */
extern bool channel_try_send(Channel *channel, const void *message, size_t len);
extern bool channel_try_recv(Channel *channel, const void **message, size_t *len);

/*
 * memory.c: two ends of a channel within a process, for threads (FRONTEND
 * only).  Each end belongs to one thread; name its peer after pairing.
 */
#ifdef FRONTEND
extern void memory_channel_pair(Channel *a, Channel *b);
extern void memory_channel_free(Channel *a, Channel *b);

/* Sleeps until the other end has sent, taken or closed since this one last tried. */
extern void memory_channel_wait(Channel *channel, int timeout_ms);

/* This end vanishes: the other one fails once it has taken what was sent. */
extern void memory_channel_close(Channel *channel);

/* socket.c: a connected stream socket, unsealed, for benchmarks (FRONTEND only). */
extern void socket_channel_open(Channel *channel, int fd);
extern void socket_channel_close(Channel *channel);

/*
 * Sleeps until one of a party's channels may move on as it was last tried;
 * whether a message of the next is wanted now, the caller says.
 */
extern void socket_channels_wait(Channel *prev, Channel *next, bool receiving, int timeout_ms);
#endif

#endif							/* SECMED_CHANNEL_H */
