/*
 * party.c
 *	  A round: one message to the previous party while one comes from the next.
 *
 * Neither side waits for the other: a message is offered and one is looked
 * for in turn, so three large messages around the ring can't block it.  A
 * long message goes in pieces, and what is computed next overlaps with what
 * is on its way.
 *
 * A piece is taken only after one's own has been made up to the same place.
 * Then of three parties the one who has made least is always read by the
 * previous one, so it gets on, and a piece may overwrite what it was made from.
 *
 * The context hash is a message of its own before the first vector.  Each
 * party checks that of the next one, so around the ring all three agree.
 */
#include "base/base.h"

#include <limits.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "mpc/party.h"
#include "share/memory.h"

/* True when all of this piece is on its way. */
static bool
send_step(Party *self, const void *message, size_t len)
{
	if (!self->context_sent)
	{
		if (!channel_try_send(self->prev, self->context, HASH_BYTES))
			return false;
		self->context_sent = true;
	}
	if (!channel_try_send(self->prev, message, len))
		return false;
	self->bytes_sent += len;
	return true;
}

/* The next message of a neighbour, which must have this length; NULL if there is none yet. */
static const void *
receive_message(Party *self, Channel *from, size_t len)
{
	const void *message;
	size_t		message_len;

	if (!channel_try_recv(from, &message, &message_len))
		return NULL;
	if (message_len != len)
		fail(ERRCODE_SECMED_PROTOCOL,
			 "party \"%s\" sent %zu bytes in round " UINT64_FORMAT " where %zu are due",
			 from->peer, message_len, self->rounds, len);
	return message;
}

static const void *
receive_step(Party *self, size_t len)
{
	if (!self->context_received)
	{
		const void *context = receive_message(self, self->next, HASH_BYTES);

		if (context == NULL)
			return NULL;
		if (memcmp(context, self->context, HASH_BYTES) != 0)
			fail(ERRCODE_SECMED_PROTOCOL,
				 "party \"%s\" does not agree about the run: its parties, plan, receipts, threshold or rows of shared tables differ",
				 self->next->peer);
		self->context_received = true;
	}
	return receive_message(self, self->next, len);
}

/* How far a stream has come; all of it counted in bytes of the message. */
typedef struct Progress
{
	size_t		total;			/* to be made: what is sent or received, the longer */
	size_t		made;
	size_t		sent;
	size_t		taken;
	const void *piece;			/* made and not yet sent */
	size_t		piece_len;
	void	   *space;
} Progress;

static bool
make_step(Party *self, const PartyStream *stream, Progress *at)
{
	size_t		len = Min(PARTY_CHUNK_BYTES, at->total - at->made);
	const void *piece;

	if (at->piece_len > 0 || len == 0)
		return false;
	piece = stream->make(self, stream->arg, at->made, len, at->space);
	if (at->made < stream->send_bytes)
	{
		at->piece = piece;
		at->piece_len = Min(len, stream->send_bytes - at->made);
	}
	at->made += len;
	return true;
}

static bool
piece_step(Party *self, Progress *at)
{
	if (at->piece_len == 0 || !send_step(self, at->piece, at->piece_len))
		return false;
	at->sent += at->piece_len;
	at->piece_len = 0;
	return true;
}

/* What may be taken now: 0 if all is there, or if our own must be made first. */
static size_t
takeable(const PartyStream *stream, const Progress *at)
{
	return Min(PARTY_CHUNK_BYTES, Min(at->made, stream->recv_bytes) - Min(at->taken, at->made));
}

static bool
take_step(Party *self, const PartyStream *stream, Progress *at)
{
	size_t		len = takeable(stream, at);
	const void *bytes;

	if (len == 0)
		return false;
	bytes = receive_step(self, len);
	if (bytes == NULL)
		return false;
	stream->take(self, stream->arg, at->taken, len, bytes);
	at->taken += len;
	return true;
}

void
party_stream(Party *self, const PartyStream *stream)
{
	Progress	at = {0};
	size_t		space_bytes = Min(PARTY_CHUNK_BYTES, stream->send_bytes);

	self->rounds++;
	at.total = Max(stream->send_bytes, stream->recv_bytes);
	if (stream->needs_space)
		at.space = vector_alloc(space_bytes);
	while (at.sent < stream->send_bytes || at.taken < stream->recv_bytes)
	{
		bool		moved = make_step(self, stream, &at);

		moved |= piece_step(self, &at);
		moved |= take_step(self, stream, &at);
		if (!moved)
			self->wait(self, at.piece_len > 0, takeable(stream, &at) > 0);
	}
	if (at.space)
		vector_free(at.space, space_bytes);
}

/* A whole message that is there already. */
typedef struct Message
{
	const uint8 *send;
	uint8	   *recv;
} Message;

static const void *
message_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Message    *message = arg;

	return message->send ? message->send + start : NULL;
}

static void
message_take(Party *self, void *arg, size_t start, size_t len, const void *bytes)
{
	Message    *message = arg;

	memcpy(message->recv + start, bytes, len);
}

void
party_round(Party *self, const void *send, size_t send_len,
			void *recv, size_t recv_len)
{
	Message		message = {send_len > 0 ? send : NULL, recv};
	PartyStream stream = {send_len, recv_len, message_make, message_take, &message};

	party_stream(self, &stream);
}

void
party_round_checked(Party *self, const void *send, size_t send_len,
					void *recv, size_t recv_len,
					const uint8 *digest_sent, uint8 *digest_received)
{
	bool		sending = digest_sent != NULL;

	if (sending && channel_try_send(self->next, digest_sent, HASH_BYTES))
		sending = false;
	party_round(self, send, send_len, recv, recv_len);
	while (sending && !channel_try_send(self->next, digest_sent, HASH_BYTES))
		self->wait(self, false, true);
	while (digest_received)
	{
		const void *digest = receive_message(self, self->prev, HASH_BYTES);

		if (digest)
		{
			memcpy(digest_received, digest, HASH_BYTES);
			break;
		}
		self->wait(self, true, false);
	}
	if (digest_sent)
		self->bytes_sent += HASH_BYTES;
}

void
party_require(Party *self, const char *step, uint64 bytes)
{
	uint64		need = self->memory_reserved + bytes;

	if (self->memory_max > 0 && need > self->memory_max)
		fail(ERRCODE_OUT_OF_MEMORY,
			 "%s needs " UINT64_FORMAT " kB of memory, and secmed.mpc_memory allows " UINT64_FORMAT " kB",
			 step, need / 1024 + 1, self->memory_max / 1024);
}

void
party_reserve(Party *self, const char *step, uint64 bytes)
{
	party_require(self, step, bytes);
	self->memory_reserved += bytes;
	self->memory_peak = Max(self->memory_peak, self->memory_reserved);
}

void
party_release(Party *self, uint64 bytes)
{
	Assert(bytes <= self->memory_reserved);
	self->memory_reserved -= bytes;
}

void
party_keep_memory(uint64 bytes)
{
#ifdef __GLIBC__
	(void) mallopt(M_MMAP_MAX, 0);
	(void) mallopt(M_TRIM_THRESHOLD, (int) Min(bytes, (uint64) INT_MAX));
	/* Or each growth of the heap would be a call of the kernel. */
	(void) mallopt(M_TOP_PAD, 16 * 1024 * 1024);
#endif
}

void
party_give_memory_back(void)
{
#ifdef __GLIBC__
	/* The documented defaults. */
	(void) mallopt(M_MMAP_MAX, 65536);
	(void) mallopt(M_TRIM_THRESHOLD, 128 * 1024);
	(void) mallopt(M_TOP_PAD, 0);
	(void) malloc_trim(0);
#endif
}
