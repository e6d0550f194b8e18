/*
 * channel.c
 *	  Counts what a channel carries, whatever carries it.
 */
#include "channel/channel.h"

bool
channel_try_send(Channel *channel, const void *message, size_t len)
{
	if (!channel->ops->try_send(channel, message, len))
		return false;
	channel->messages_sent++;
	channel->bytes_sent += len;
	return true;
}

bool
channel_try_recv(Channel *channel, const void **message, size_t *len)
{
	if (!channel->ops->try_recv(channel, message, len))
		return false;
	channel->messages_received++;
	channel->bytes_received += *len;
	return true;
}
