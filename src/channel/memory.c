/*
 * memory.c
 *	  A channel between two threads of one process, for tests and the
 *	  simulation.
 *
 * Each direction is a short queue under one lock.  The queue is bounded so
 * that a sender meets a full channel as it does on a network.
 */
#ifdef FRONTEND

#include "base/base.h"

#include <pthread.h>
#include <time.h>

#include "channel/channel.h"

/* Two: the context hash and a vector can be on their way, a third waits. */
#define MESSAGES_MAX	2

typedef struct Message
{
	struct Message *next;
	size_t		len;
	uint8		bytes[FLEXIBLE_ARRAY_MEMBER];
} Message;

typedef struct Queue
{
	Message    *first;
	Message    *last;
	int			length;
} Queue;

/* What the two ends share; side 0 is a, side 1 is b. */
typedef struct Pair
{
	pthread_mutex_t lock;
	pthread_cond_t moved;
	Queue		to[2];			/* by the side that receives */
	bool		closed[2];
	uint64		moves[2];		/* what a side did: sent, took, closed */
} Pair;

/* One end; touched by one thread only. */
typedef struct End
{
	Pair	   *pair;
	int			side;
	uint64		moves_seen;		/* of the other side, when this one last tried */
	Message    *taken;			/* valid until the next try_recv */
} End;

static End *
lock_end(Channel *channel)
{
	End		   *end = channel->carrier;

	pthread_mutex_lock(&end->pair->lock);
	end->moves_seen = end->pair->moves[1 - end->side];
	return end;
}

static void
unlock_end(End *end, bool moved)
{
	if (moved)
	{
		end->pair->moves[end->side]++;
		pthread_cond_broadcast(&end->pair->moved);
	}
	pthread_mutex_unlock(&end->pair->lock);
}

static void
fail_closed(Channel *channel)
{
	fail(ERRCODE_SECMED_NODE_LOST, "party \"%s\" is gone", channel->peer);
}

static void
queue_put(Queue *queue, const void *bytes, size_t len)
{
	Message    *message = palloc(offsetof(Message, bytes) + len);

	message->next = NULL;
	message->len = len;
	memcpy(message->bytes, bytes, len);
	if (queue->last)
		queue->last->next = message;
	else
		queue->first = message;
	queue->last = message;
	queue->length++;
}

/* The oldest message, now the caller's; NULL if there is none. */
static Message *
queue_take(Queue *queue)
{
	Message    *message = queue->first;

	if (message == NULL)
		return NULL;
	queue->first = message->next;
	if (queue->first == NULL)
		queue->last = NULL;
	queue->length--;
	return message;
}

static bool
memory_try_send(Channel *channel, const void *bytes, size_t len)
{
	End		   *end = lock_end(channel);
	int			peer = 1 - end->side;
	bool		closed = end->pair->closed[peer];
	bool		room = !closed && end->pair->to[peer].length < MESSAGES_MAX;

	if (room)
		queue_put(&end->pair->to[peer], bytes, len);
	unlock_end(end, room);
	if (closed)
		fail_closed(channel);
	return room;
}

/* What was sent before the other end closed still arrives. */
static bool
memory_try_recv(Channel *channel, const void **bytes, size_t *len)
{
	End		   *end = lock_end(channel);
	Message    *message = queue_take(&end->pair->to[end->side]);
	bool		closed = end->pair->closed[1 - end->side];

	unlock_end(end, message != NULL);
	if (message == NULL)
	{
		if (closed)
			fail_closed(channel);
		return false;
	}
	if (end->taken)
		pfree(end->taken);
	end->taken = message;
	*bytes = message->bytes;
	*len = message->len;
	return true;
}

static const ChannelOps memory_ops = {memory_try_send, memory_try_recv};

static void
end_init(Channel *channel, Pair *pair, int side)
{
	End		   *end = palloc0(sizeof(End));

	end->pair = pair;
	end->side = side;
	memset(channel, 0, sizeof(Channel));
	channel->ops = &memory_ops;
	channel->carrier = end;
}

void
memory_channel_pair(Channel *a, Channel *b)
{
	Pair	   *pair = palloc0(sizeof(Pair));
	pthread_condattr_t attributes;

	pthread_mutex_init(&pair->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&pair->moved, &attributes);
	pthread_condattr_destroy(&attributes);
	end_init(a, pair, 0);
	end_init(b, pair, 1);
}

void
memory_channel_close(Channel *channel)
{
	End		   *end = lock_end(channel);

	end->pair->closed[end->side] = true;
	unlock_end(end, true);
}

static void
end_free(Channel *channel)
{
	End		   *end = channel->carrier;
	Message    *message;

	while ((message = queue_take(&end->pair->to[end->side])) != NULL)
		pfree(message);
	if (end->taken)
		pfree(end->taken);
	pfree(end);
	channel->carrier = NULL;
}

void
memory_channel_free(Channel *a, Channel *b)
{
	Pair	   *pair = ((End *) a->carrier)->pair;

	end_free(a);
	end_free(b);
	pthread_cond_destroy(&pair->moved);
	pthread_mutex_destroy(&pair->lock);
	pfree(pair);
}

void
memory_channel_wait(Channel *channel, int timeout_ms)
{
	End		   *end = channel->carrier;
	Pair	   *pair = end->pair;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (timeout_ms % 1000) * 1000000L;
	until.tv_sec += timeout_ms / 1000 + until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;

	pthread_mutex_lock(&pair->lock);
	while (pair->moves[1 - end->side] == end->moves_seen)
	{
		if (pthread_cond_timedwait(&pair->moved, &pair->lock, &until) != 0)
			break;
	}
	pthread_mutex_unlock(&pair->lock);
}

#endif							/* FRONTEND */
