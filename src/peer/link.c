/*
 * link.c
 *	  A party's two links as channels, for the backend that computes.
 *
 * Both carry messages in frames of FRAME_BYTES_MAX, the first shorter one
 * ending a message: over the connection call.c does that, over shared memory
 * we do it here, so that a message larger than the queue flows through it.
 *
 * No innocent party shall be blamed.  If party 0 stops, party 2 misses it,
 * and party 1 misses party 2, which did nothing wrong.  So whoever fails
 * notes first, in shared memory, whom it missed, and its relay tells the
 * previous party.  At the deadline, which comes to all at once, a party does
 * so before it fails and waits LINK_BLAME_MS more for the next one to do the
 * same (less if the deadline is near anyway): silence even then means that
 * the next one is to blame.
 */
#include "base/base.h"

#include "access/xact.h"
#include "base/cbor.h"
#include "lib/ilist.h"
#include "libpq/libpq-be.h"
#include "miscadmin.h"
#include "peer/connection.h"
#include "peer/link.h"
#include "peer/link_table.h"
#include "peer/served.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

struct PartyLinks
{
	dlist_node	node;			/* in live */
	MemoryContext context;
	MemoryContextCallback on_reset;
	SubTransactionId subxact;
	uint8		run[RUN_ID_BYTES];
	int			index;
	TimestampTz opened;
	TimestampTz deadline;
	int			blame_ms;		/* how long to wait beyond it */
	int			silence_ms;		/* it moves on, as long as something moves; 0: it does not */
	uint64		moved;			/* rounds and bytes, when it was last looked at */

	/* The previous party, through the relay; NULL segment once released. */
	int			place;
	dsm_segment *segment;
	shm_mq_handle *from_prev;
	shm_mq_handle *to_prev;
	size_t		sent;			/* of the message being sent */
	StringInfoData arriving;	/* a message of more than one frame */
	bool		arrived;		/* it was given out */

	/* The next party, which we have called; NULL once finished. */
	NodeConn   *next;

	WaitEventSet *set;
	int			next_pos;
	int			next_events;
	int			client_pos;		/* -1 without a client */

	Channel		prev_channel;
	Channel		next_channel;
};

static dlist_head live = DLIST_STATIC_INIT(live);

static int	mpc_memory_kb = 1024 * 1024;

/* The setting ------------------------------------------------------------ */

void
links_init(void)
{
	static const LinksInterface interface = {links_open, links_ready, links_close};

	*find_rendezvous_variable(LINKS_RENDEZVOUS) = (void *) &interface;
	DefineCustomIntVariable("secmed.mpc_memory",
							"Sets the memory that a run may take on this node as a party.",
							"A run that needs more fails before it begins to compute, and says how much.",
							&mpc_memory_kb, 1024 * 1024, 64, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
}

uint64
links_memory_max(void)
{
	return mpc_memory_kb * UINT64CONST(1024);
}

/* Cleanup ---------------------------------------------------------------- */

/* Leaves the table and the segment; the relay notices. */
static void
release_prev(PartyLinks *links)
{
	if (links->segment == NULL)
		return;
	dlist_delete(&links->node);
	link_unregister(links->place);
	dsm_detach(links->segment);
	links->segment = NULL;
	if (links->set != NULL)
	{
		FreeWaitEventSet(links->set);
		party_give_memory_back();
	}
	links->set = NULL;
}

static void
release(void *arg)
{
	PartyLinks *links = arg;

	release_prev(links);
	if (links->next != NULL)
		nodeconn_abort(links->next);
	links->next = NULL;
}

/* Releases those of a subtransaction, or all. */
static void
release_live(SubTransactionId subxact)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &live)
	{
		PartyLinks *links = dlist_container(PartyLinks, node, iter.cur);

		if (subxact == InvalidSubTransactionId || links->subxact == subxact)
			release(links);
	}
}

static void
links_exit(int code, Datum arg)
{
	release_live(InvalidSubTransactionId);
}

static void
links_xact(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT)
		release_live(InvalidSubTransactionId);
}

static void
links_subxact(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent, void *arg)
{
	dlist_iter	iter;

	if (event == SUBXACT_EVENT_ABORT_SUB)
		release_live(subxact);
	if (event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	dlist_foreach(iter, &live)
	{
		PartyLinks *links = dlist_container(PartyLinks, node, iter.cur);

		if (links->subxact == subxact)
			links->subxact = parent;
	}
}

static void
watch_transactions(void)
{
	static bool watching = false;

	if (watching)
		return;
	RegisterXactCallback(links_xact, NULL);
	RegisterSubXactCallback(links_subxact, NULL);
	before_shmem_exit(links_exit, 0);
	watching = true;
}

/* Errors ----------------------------------------------------------------- */

static pg_attribute_noreturn() void
party_late(PartyLinks *links, const char *name)
{
	link_note_lost(links->segment, name);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NODE_LOST),
			 errmsg("party \"%s\" did not answer in time", name)));
}

static pg_attribute_noreturn() void
party_gone(PartyLinks *links, const char *name)
{
	/* Our relay goes when it has told whom we miss; that is not the previous party's doing. */
	if (link_segment(links->segment)->late)
		party_late(links, link_segment(links->segment)->lost);
	link_note_lost(links->segment, name);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NODE_LOST),
			 errmsg("party \"%s\" is gone", name)));
}

/* The deadline has passed: our relay says whom we miss, and we wait to hear the same. */
static void
become_late(PartyLinks *links, const char *name)
{
	link_note_late(links->segment, links->to_prev, name);
	links->deadline = TimestampTzPlusMilliseconds(links->deadline, links->blame_ms);
}

/* The previous party, over shared memory ----------------------------------- */

static bool
prev_try_send(Channel *channel, const void *message, size_t len)
{
	PartyLinks *links = channel->carrier;
	size_t		part;

	do
	{
		part = Min(len - links->sent, FRAME_BYTES_MAX);
		switch (shm_mq_send(links->to_prev, part, (const char *) message + links->sent, true, true))
		{
			case SHM_MQ_WOULD_BLOCK:
				return false;
			case SHM_MQ_DETACHED:
				party_gone(links, channel->peer);
			default:
				links->sent += part;
		}
	} while (part == FRAME_BYTES_MAX);
	links->sent = 0;
	return true;
}

static bool
prev_frame(PartyLinks *links, void **frame, Size *len)
{
	shm_mq_result result = shm_mq_receive(links->from_prev, len, frame, true);

	if (result == SHM_MQ_DETACHED)
		party_gone(links, links->prev_channel.peer);
	return result == SHM_MQ_SUCCESS;
}

static bool
prev_try_recv(Channel *channel, const void **message, size_t *len)
{
	PartyLinks *links = channel->carrier;
	void	   *frame;
	Size		frame_len;

	if (links->arrived)
		resetStringInfo(&links->arriving);
	links->arrived = false;
	do
	{
		if (!prev_frame(links, &frame, &frame_len))
			return false;
		if (links->arriving.len + frame_len > MESSAGE_BYTES_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_PROTOCOL),
					 errmsg("party \"%s\" sent a message that is too long", channel->peer)));
		appendBinaryStringInfo(&links->arriving, frame, frame_len);
	} while (frame_len == FRAME_BYTES_MAX);
	links->arrived = true;
	*message = links->arriving.data;
	*len = links->arriving.len;
	return true;
}

static const ChannelOps prev_ops = {prev_try_send, prev_try_recv};

/* The next party, over its connection -------------------------------------- */

/* Moves the connection; an error is also noted for the relay. */
static void
next_advance(PartyLinks *links)
{
	ErrorData  *failed;

	if (nodeconn_advance(links->next, &failed))
		return;
	link_note_lost(links->segment, links->next_channel.peer);
	ReThrowError(failed);
}

static bool
next_try_send(Channel *channel, const void *message, size_t len)
{
	PartyLinks *links = channel->carrier;

	next_advance(links);
	if (nodeconn_sending(links->next))
		return false;
	nodeconn_send(links->next, message, len);
	next_advance(links);
	return true;
}

static bool
next_try_recv(Channel *channel, const void **message, size_t *len)
{
	PartyLinks *links = channel->carrier;
	const char *bytes;

	next_advance(links);
	if (nodeconn_ended(links->next))
		party_gone(links, channel->peer);
	if (!nodeconn_receive(links->next, &bytes, len))
		return false;
	*message = bytes;
	return true;
}

static const ChannelOps next_ops = {next_try_send, next_try_recv};

/* Opening ---------------------------------------------------------------- */

static void
call_next(PartyLinks *links, const char *name)
{
	StringInfoData request;

	initStringInfo(&request);
	cbor_array(&request, 3);
	cbor_text(&request, "link");
	cbor_bytes(&request, links->run, RUN_ID_BYTES);
	cbor_uint(&request, links->index);
	links->next = nodeconn_get(name);
	nodeconn_call(links->next, "link", request.data, request.len);
	pfree(request.data);
}

static void
channel_start(PartyLinks *links, Channel *channel, const ChannelOps *ops, const char *peer)
{
	channel->ops = ops;
	channel->carrier = links;
	strlcpy(channel->peer, peer, sizeof(channel->peer));
}

PartyLinks *
links_open(const uint8 run[RUN_ID_BYTES], int index, const char *const names[PARTIES])
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "secmed links",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	PartyLinks *links = palloc0(sizeof(PartyLinks));
	const char *prev = names[PARTY_PREV(index)];
	LinkKey		key;

	watch_transactions();
	links->context = context;
	links->index = index;
	links->opened = GetCurrentTimestamp();
	links->subxact = GetCurrentSubTransactionId();
	memcpy(links->run, run, RUN_ID_BYTES);
	initStringInfo(&links->arriving);
	channel_start(links, &links->prev_channel, &prev_ops, prev);
	channel_start(links, &links->next_channel, &next_ops, names[PARTY_NEXT(index)]);

	link_key(&key, run, index);
	links->place = link_register(&key, prev, &links->segment, &links->from_prev, &links->to_prev);
	dlist_push_tail(&live, &links->node);
	links->on_reset.func = release;
	links->on_reset.arg = links;
	MemoryContextRegisterResetCallback(context, &links->on_reset);

	call_next(links, names[PARTY_NEXT(index)]);
	MemoryContextSwitchTo(caller);
	return links;
}

/* True once the relay has handed over the secret shared with the previous party. */
static bool
prev_stands(PartyLinks *links, Prg **prg)
{
	void	   *secret;
	Size		len;

	if (*prg != NULL)
		return true;
	if (!prev_frame(links, &secret, &len))
		return false;
	if (len != SEED_BYTES)
		elog(ERROR, "a relay handed over %zu bytes of a secret", len);
	*prg = prg_create(secret);
	wipe(secret, SEED_BYTES);
	return true;
}

static Prg *
next_prg(PartyLinks *links)
{
	uint8		secret[SEED_BYTES];
	Prg		   *prg;

	session_export(nodeconn_session(links->next), PAIR_PURPOSE, links->run, RUN_ID_BYTES, secret);
	prg = prg_create(secret);
	wipe(secret, sizeof(secret));
	return prg;
}

/*
 * A connection that was begun at links_open() and not tended since, because
 * a long sub-query came between, may have been given up by the next node.
 */
static void
renew_call(PartyLinks *links)
{
	if (nodeconn_session(links->next) == NULL &&
		GetCurrentTimestamp() > TimestampTzPlusMilliseconds(links->opened, node_timeout_ms))
		call_next(links, links->next_channel.peer);
}

/* Both links must stand; meanwhile the coordinator may cancel. */
static void
await_links(PartyLinks *links, Prg **prg_mine)
{
	ErrorData  *failed;
	int			which;

	while (!prev_stands(links, prg_mine) || !nodeconn_streaming(links->next))
	{
		TimestampTz now = GetCurrentTimestamp();
		TimestampTz until = TimestampTzPlusMilliseconds(now, CANCEL_POLL_MS);

		if (now >= links->deadline)
			party_late(links, nodeconn_streaming(links->next) ?
					   links->prev_channel.peer : links->next_channel.peer);
		served_expect_silence();
		nodeconn_wait(&links->next, 1, Min(until, links->deadline), &failed, &which);
		if (failed != NULL)
		{
			link_note_lost(links->segment, links->next_channel.peer);
			ReThrowError(failed);
		}
	}
}

static void
build_wait_set(PartyLinks *links)
{
	links->set = CreateWaitEventSet(links->context, 4);
	AddWaitEventToSet(links->set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(links->set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	links->next_events = WL_SOCKET_READABLE;
	links->next_pos = AddWaitEventToSet(links->set, links->next_events,
										nodeconn_socket(links->next), NULL, NULL);
	links->client_pos = MyProcPort == NULL ? -1 :
		AddWaitEventToSet(links->set, WL_SOCKET_READABLE, MyProcPort->sock, NULL, NULL);
}

/* Has anything moved since the last wait?  Then there is new patience. */
static void
renew_patience(PartyLinks *links, const Party *self)
{
	uint64		moved = self->rounds + links->prev_channel.bytes_sent + links->next_channel.bytes_sent +
		links->prev_channel.bytes_received + links->next_channel.bytes_received;

	if (links->silence_ms == 0 || moved == links->moved)
		return;
	links->moved = moved;
	links->deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), links->silence_ms);
	link_segment(links->segment)->deadline = links->deadline;
}

void
links_bound_silence(PartyLinks *links, int ms)
{
	links->silence_ms = ms;
}

static void
links_wait(Party *self, bool sending, bool receiving)
{
	PartyLinks *links = self->wait_arg;
	int			next_events = nodeconn_events(links->next);
	long		timeout_ms;
	WaitEvent	events[4];
	int			n;

	renew_patience(links, self);
	timeout_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), links->deadline);
	if (next_events != links->next_events && next_events != 0)
	{
		ModifyWaitEvent(links->set, links->next_pos, next_events, NULL);
		links->next_events = next_events;
	}
	n = WaitEventSetWait(links->set, timeout_ms, events, 4, PG_WAIT_EXTENSION);
	for (int i = 0; i < n; i++)
	{
		if (events[i].events & WL_LATCH_SET)
			ResetLatch(MyLatch);
		else if (events[i].pos == links->client_pos)
			served_expect_silence();
	}
	CHECK_FOR_INTERRUPTS();
	if (n == 0 && link_segment(links->segment)->late)
		party_late(links, link_segment(links->segment)->lost);
	if (n == 0)
		become_late(links, receiving ? links->next_channel.peer : links->prev_channel.peer);
}

void
links_ready(PartyLinks *links, Party *party, TimestampTz deadline)
{
	MemoryContext caller = MemoryContextSwitchTo(links->context);

	links->deadline = deadline;
	links->blame_ms = Min(LINK_BLAME_MS, TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline) / 6);
	link_segment(links->segment)->deadline = deadline;
	renew_call(links);
	party->prg_mine = NULL;
	await_links(links, &party->prg_mine);
	party->prg_next = next_prg(links);
	build_wait_set(links);
	MemoryContextSwitchTo(caller);

	party->index = links->index;
	party->prev = &links->prev_channel;
	party->next = &links->next_channel;
	party->context_sent = party->context_received = false;
	party->wait = links_wait;
	party->wait_arg = links;
	party->memory_max = links_memory_max();
	party_keep_memory(links_memory_max());
	party->rounds = 0;
	party->bytes_sent = 0;
}

/* Closing ---------------------------------------------------------------- */

/* True when the next party has answered, or is gone, which no longer matters. */
static bool
next_finished(PartyLinks *links)
{
	ErrorData  *failed;

	return !nodeconn_advance(links->next, &failed) || nodeconn_finish(links->next);
}

/*
 * The relay first: the previous party may be waiting for it.  The answer of
 * the next one is only waited for so that the connection can be used again.
 */
void
links_close(PartyLinks *links)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);
	ErrorData  *failed;
	int			which;

	link_segment(links->segment)->closed = true;
	release_prev(links);
	while (!next_finished(links))
	{
		if (!nodeconn_wait(&links->next, 1, deadline, &failed, &which) || failed != NULL)
		{
			nodeconn_abort(links->next);
			break;
		}
	}
	links->next = NULL;
}

uint64
links_bytes_sent(const PartyLinks *links)
{
	return links->prev_channel.bytes_sent + links->next_channel.bytes_sent;
}
