/*
 * party.c
 *	  A round: one message to the previous party while one comes from the next.
 *
 * Neither side waits for the other: a message is offered and one is looked
 * for in turn, so three large messages around the ring can't block it.
 *
 * The context hash is a message of its own before the first vector.  Each
 * party checks that of the next one, so around the ring all three agree.
 */
#include "mpc/party.h"

/* True when all of this round's message is on its way. */
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

/* True if a message of the next party has been copied to where it belongs. */
static bool
receive_message(Party *self, void *to, size_t len)
{
	const void *message;
	size_t		message_len;

	if (!channel_try_recv(self->next, &message, &message_len))
		return false;
	if (message_len != len)
		fail(ERRCODE_SECMED_PROTOCOL,
			 "party \"%s\" sent %zu bytes in round " UINT64_FORMAT " where %zu are due",
			 self->next->peer, message_len, self->rounds, len);
	memcpy(to, message, len);
	return true;
}

static bool
receive_step(Party *self, void *to, size_t len)
{
	if (!self->context_received)
	{
		uint8		context[HASH_BYTES];

		if (!receive_message(self, context, HASH_BYTES))
			return false;
		if (memcmp(context, self->context, HASH_BYTES) != 0)
			fail(ERRCODE_SECMED_PROTOCOL,
				 "party \"%s\" does not agree about the run: its parties, plan, receipts or threshold differ",
				 self->next->peer);
		self->context_received = true;
	}
	return receive_message(self, to, len);
}

void
party_round(Party *self, const void *send, size_t send_len,
			void *recv, size_t recv_len)
{
	bool		sending = send_len > 0;
	bool		receiving = recv_len > 0;

	self->rounds++;
	for (;;)
	{
		if (sending && send_step(self, send, send_len))
			sending = false;
		if (receiving && receive_step(self, recv, recv_len))
			receiving = false;
		if (!sending && !receiving)
			break;
		self->wait(self, sending, receiving);
	}
}
