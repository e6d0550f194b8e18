/*
 * connection.c
 *	  The nodes this backend is connected to, and what callers may do with
 *	  them.  How a connection comes about is in dial.c, a call in call.c.
 *
 * Connections belong to the backend and outlive transactions, as in
 * postgres_fdw.  One that is in the middle of a call when its transaction or
 * subtransaction aborts is closed: that is also how the other node learns
 * that nobody waits for it any more.  A procedure may commit in the middle
 * of a call; that does not touch it.
 */
#include "base/base.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "peer/nodeconn.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

#define KEEP_BYTES_MAX	(1024 * 1024)	/* a larger buffer is given back between messages */

int			node_timeout_ms = 10000;

static HTAB *connections = NULL;

/* Cleanup ---------------------------------------------------------------- */

static bool
in_call(const NodeConn *conn)
{
	return conn->state != CONN_CLOSED && conn->state != CONN_IDLE;
}

static void
close_all(int code, Datum arg)
{
	HASH_SEQ_STATUS scan;
	NodeConn   *conn;

	hash_seq_init(&scan, connections);
	while ((conn = hash_seq_search(&scan)) != NULL)
		conn_close(conn);
}

static void
connections_xact(XactEvent event, void *arg)
{
	HASH_SEQ_STATUS scan;
	NodeConn   *conn;

	if (event != XACT_EVENT_ABORT && event != XACT_EVENT_COMMIT)
		return;
	hash_seq_init(&scan, connections);
	while ((conn = hash_seq_search(&scan)) != NULL)
	{
		if (event == XACT_EVENT_ABORT && in_call(conn))
			conn_close(conn);
		conn->subxact = TopSubTransactionId;
	}
}

static void
connections_subxact(SubXactEvent event, SubTransactionId subxact, SubTransactionId parent, void *arg)
{
	HASH_SEQ_STATUS scan;
	NodeConn   *conn;

	if (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	hash_seq_init(&scan, connections);
	while ((conn = hash_seq_search(&scan)) != NULL)
	{
		if (conn->subxact != subxact)
			continue;
		if (event == SUBXACT_EVENT_ABORT_SUB && in_call(conn))
			conn_close(conn);
		conn->subxact = parent;
	}
}

static void
connections_create(void)
{
	HASHCTL		settings = {.keysize = NODE_NAME_BYTES_MAX + 1,.entrysize = sizeof(NodeConn)};

	connections = hash_create("secmed connections", SITES_MAX, &settings, HASH_ELEM | HASH_STRINGS);
	RegisterXactCallback(connections_xact, NULL);
	RegisterSubXactCallback(connections_subxact, NULL);
	on_proc_exit(close_all, 0);
}

void
connection_init(void)
{
	DefineCustomIntVariable("secmed.node_timeout",
							"Sets the maximum time to wait for another node to answer.",
							NULL,
							&node_timeout_ms,
							10000, 100, 24 * 60 * 60 * 1000,
							PGC_USERSET, GUC_UNIT_MS,
							NULL, NULL, NULL);
}

/* Calls ------------------------------------------------------------------ */

NodeConn *
nodeconn_get(const char *node)
{
	char		name[NODE_NAME_BYTES_MAX + 1];
	NodeConn   *conn;
	bool		found;

	if (connections == NULL)
		connections_create();
	strlcpy(name, node, sizeof(name));
	conn = hash_search(connections, name, HASH_ENTER, &found);
	if (!found)
	{
		memset((char *) conn + sizeof(name), 0, sizeof(NodeConn) - sizeof(name));
		conn->call_context = AllocSetContextCreate(TopMemoryContext, "secmed call", ALLOCSET_DEFAULT_SIZES);
	}
	return conn;
}

const char *
nodeconn_name(const NodeConn *conn)
{
	return conn->name;
}

static void
forget_last_call(NodeConn *conn)
{
	MemoryContext caller = MemoryContextSwitchTo(conn->call_context);

	MemoryContextReset(conn->call_context);
	initStringInfo(&conn->sealed);
	initStringInfo(&conn->arriving);
	initStringInfo(&conn->arrived);
	MemoryContextSwitchTo(caller);
	conn->out_first = conn->out_last = NULL;
	conn->message_ready = conn->answered = conn->node_done = conn->we_done = false;
	conn->redialled = false;
}

static bool
same_keys(const NodeCard *a, const NodeCard *b)
{
	return memcmp(a->sign_public, b->sign_public, SIGN_PUBLIC_BYTES) == 0 &&
		memcmp(a->seal_public, b->seal_public, SEAL_PUBLIC_BYTES) == 0;
}

/* Closes a connection that can't serve the next call, and notes how to reach the peer. */
static void
prepare_connection(NodeConn *conn, const Peer *peer)
{
	if (peer->conninfo == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_UNKNOWN_NODE),
				 errmsg("node \"%s\" can't be called from here", conn->name),
				 errdetail("It was added without a connection string."),
				 errhint("Add it again with secmed.add_peer(card, conninfo).")));
	if (in_call(conn))
		conn_close(conn);
	if (conn->state == CONN_IDLE)
	{
		conn_io(conn, true);
		if (conn->broken || !same_keys(&conn->card, &peer->card) ||
			strcmp(conn->conninfo, peer->conninfo) != 0)
			conn_close(conn);
	}
	if (conn->conninfo != NULL)
		pfree(conn->conninfo);
	conn->conninfo = MemoryContextStrdup(TopMemoryContext, peer->conninfo);
	conn->card = peer->card;
}

void
nodeconn_call(NodeConn *conn, const char *procedure, const void *message, size_t len)
{
	Peer		peer = {0};

	/* All that reads tables is done now: what follows may run where errors are caught. */
	peer_require(&peer, conn->name);
	conn->self = node_self();
	prepare_connection(conn, &peer);

	forget_last_call(conn);
	conn->procedure = MemoryContextStrdup(conn->call_context, procedure);
	conn->request = conn_copy_message(conn, message, len);
	conn->subxact = GetCurrentSubTransactionId();
	conn->reused = conn->state == CONN_IDLE;
	if (conn->reused)
		conn_start_call(conn);
	else
		conn_dial(conn);
}

static void
require_call(const NodeConn *conn)
{
	if (!in_call(conn))
		elog(ERROR, "node \"%s\" is not being called", conn->name);
}

void
nodeconn_send(NodeConn *conn, const void *message, size_t len)
{
	Outgoing   *copy;

	require_call(conn);
	if (conn->state == CONN_FINISHING)
		elog(ERROR, "the call of node \"%s\" is being finished", conn->name);
	copy = conn_copy_message(conn, message, len);
	if (conn->out_first == NULL)
		conn->out_first = copy;
	else
		conn->out_last->next = copy;
	conn->out_last = copy;
}

bool
nodeconn_sending(NodeConn *conn)
{
	return in_call(conn) &&
		(conn->out_first != NULL || (conn->state != CONN_CONNECTING && PQflush(conn->pg) > 0));
}

static void
buffer_reset(NodeConn *conn, StringInfo buffer)
{
	if (buffer->maxlen > KEEP_BYTES_MAX)
	{
		MemoryContext caller = MemoryContextSwitchTo(conn->call_context);

		pfree(buffer->data);
		initStringInfo(buffer);
		MemoryContextSwitchTo(caller);
	}
	resetStringInfo(buffer);
}

bool
nodeconn_receive(NodeConn *conn, const char **message, size_t *len)
{
	StringInfoData taken;

	if (nodeconn_ended(conn))
		conn_lost(conn, "it ended the call");
	if (!conn->message_ready)
		return false;
	taken = conn->arriving;
	conn->arriving = conn->arrived;
	conn->arrived = taken;
	buffer_reset(conn, &conn->arriving);
	conn->message_ready = false;
	*message = conn->arrived.data;
	*len = conn->arrived.len;
	return true;
}

bool
nodeconn_finish(NodeConn *conn)
{
	if (conn->state == CONN_IDLE)
		return true;
	require_call(conn);
	if (conn->state == CONN_STREAMING)
		conn_set_state(conn, CONN_FINISHING);
	return false;
}

void
nodeconn_abort(NodeConn *conn)
{
	conn_close(conn);
}

Session *
nodeconn_session(NodeConn *conn)
{
	return conn->state == CONN_CALLING || conn->state == CONN_STREAMING || conn->state == CONN_FINISHING ?
		conn->session : NULL;
}

bool
nodeconn_streaming(const NodeConn *conn)
{
	return conn->state == CONN_STREAMING;
}

bool
nodeconn_ended(const NodeConn *conn)
{
	return conn->state == CONN_STREAMING && conn->node_done && !conn->message_ready;
}

void
nodeconn_traffic(const NodeConn *conn, uint64 *sent, uint64 *received)
{
	*sent = conn->bytes_sent;
	*received = conn->bytes_received;
}

/* Moving and waiting ------------------------------------------------------ */

static void
idle_step(NodeConn *conn)
{
	conn_io(conn, true);
	if (conn->broken)
		conn_close(conn);
}

static void
advance(NodeConn *conn)
{
	ConnState	before;

	do
	{
		before = conn->state;
		switch (conn->state)
		{
			case CONN_CLOSED:
				break;
			case CONN_CONNECTING:
				conn_dial_step(conn);
				break;
			case CONN_HELLO:
				conn_hello_step(conn);
				break;
			case CONN_IDLE:
				idle_step(conn);
				break;
			case CONN_CALLING:
				conn_calling_step(conn);
				break;
			case CONN_STREAMING:
				conn_streaming_step(conn);
				break;
			case CONN_FINISHING:
				conn_finishing_step(conn);
				break;
		}
	} while (conn->state != before);
}

/* Nothing in advance() touches a table, a lock or a resource owner, so its errors may be caught. */
bool
nodeconn_advance(NodeConn *conn, ErrorData **failed)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool ok = true;

	if (failed == NULL)
	{
		advance(conn);
		return true;
	}
	*failed = NULL;
	PG_TRY();
	{
		advance(conn);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		*failed = CopyErrorData();
		FlushErrorState();
		conn_close(conn);
		ok = false;
	}
	PG_END_TRY();
	return ok;
}

pgsocket
nodeconn_socket(NodeConn *conn)
{
	return conn->pg == NULL ? PGINVALID_SOCKET : PQsocket(conn->pg);
}

/*
 * Frames of ours wait for the socket as libpq's bytes do: libpq may get rid
 * of the last ones just when we ask.
 */
int
nodeconn_events(NodeConn *conn)
{
	bool		frames_wait = conn->out_first != NULL &&
		(conn->state == CONN_STREAMING || conn->state == CONN_FINISHING);

	if (conn->state == CONN_CLOSED)
		return 0;
	if (conn->state == CONN_CONNECTING)
		return conn->dial_events;
	if (frames_wait || PQflush(conn->pg) > 0)
		return WL_SOCKET_READABLE | WL_SOCKET_WRITEABLE;
	return conn->message_ready ? 0 : WL_SOCKET_READABLE;
}

/* Advances all of them; true if something moved, or one failed. */
static bool
advance_all(NodeConn **conns, int n, ErrorData **failed, int *which)
{
	bool		progress = false;

	for (int i = 0; i < n; i++)
	{
		if (!nodeconn_advance(conns[i], failed))
		{
			*which = i;
			return true;
		}
		progress |= conns[i]->progress;
		conns[i]->progress = false;
	}
	return progress;
}

/* False if it slept until the deadline. */
static bool
sleep_until_event(NodeConn **conns, int n, TimestampTz deadline)
{
	long		timeout_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
	WaitEventSet *set = CreateWaitEventSet(CurrentMemoryContext, n + 2);
	WaitEvent	event;
	volatile int happened = 0;

	PG_TRY();
	{
		AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
		AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
		for (int i = 0; i < n; i++)
		{
			int			events = nodeconn_events(conns[i]);

			if (events != 0 && nodeconn_socket(conns[i]) != PGINVALID_SOCKET)
				AddWaitEventToSet(set, events, nodeconn_socket(conns[i]), NULL, NULL);
		}
		happened = WaitEventSetWait(set, timeout_ms, &event, 1, PG_WAIT_EXTENSION);
	}
	PG_FINALLY();
	{
		FreeWaitEventSet(set);
	}
	PG_END_TRY();
	if (happened > 0 && (event.events & WL_LATCH_SET))
		ResetLatch(MyLatch);
	return happened > 0;
}

bool
nodeconn_wait(NodeConn **conns, int n, TimestampTz deadline, ErrorData **failed, int *which)
{
	bool		in_time = true;

	if (failed != NULL)
		*failed = NULL;
	CHECK_FOR_INTERRUPTS();
	if (advance_all(conns, n, failed, which))
		return true;
	in_time = sleep_until_event(conns, n, deadline);
	CHECK_FOR_INTERRUPTS();
	return advance_all(conns, n, failed, which) || in_time;
}

void
nodeconn_ask(NodeConn *conn, const char *function, const void *message, size_t len,
			 StringInfo answer, TimestampTz deadline)
{
	const char *bytes;
	size_t		bytes_len;

	nodeconn_call(conn, function, message, len);
	while (!nodeconn_receive(conn, &bytes, &bytes_len))
	{
		if (!nodeconn_wait(&conn, 1, deadline, NULL, NULL))
		{
			conn_close(conn);
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_NODE_LOST),
					 errmsg("node \"%s\" did not answer in time", conn->name),
					 errhint("secmed.node_timeout sets how long to wait.")));
		}
	}
	appendBinaryStringInfo(answer, bytes, bytes_len);
}
