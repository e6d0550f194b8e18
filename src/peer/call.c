/*
 * call.c
 *	  One call over an open session: the request, then messages both ways,
 *	  then CopyDone both ways.
 *
 * libpq keeps whatever it is given until the socket takes it, and moves the
 * rest after each piece that it took.  So it is given one frame at a time,
 * and messages wait here.
 */
#include "base/base.h"

#include "peer/nodeconn.h"
#include "utils/memutils.h"

/* A frame sealed: its overhead, and the stream's header before the first. */
#define SEALED_BYTES_MAX	(FRAME_BYTES_MAX + 64)

Outgoing *
conn_copy_message(NodeConn *conn, const void *message, size_t len)
{
	Outgoing   *copy;

	if (len > MESSAGE_BYTES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a message of %zu bytes to node \"%s\" is too long", len, conn->name),
				 errdetail("The longest has %d bytes.", MESSAGE_BYTES_MAX)));
	copy = MemoryContextAlloc(conn->call_context, offsetof(Outgoing, bytes) + len);
	copy->next = NULL;
	copy->len = len;
	copy->sent = 0;
	if (len > 0)
		memcpy(copy->bytes, message, len);
	return copy;
}

/* Is the answer one row, and not a stream? */
static bool
is_question(const NodeConn *conn)
{
	return strcmp(conn->procedure, "describe") == 0 || strcmp(conn->procedure, "shared") == 0 ||
		strcmp(conn->procedure, "erase") == 0 || strcmp(conn->procedure, "exchange") == 0 ||
		strcmp(conn->procedure, "propose") == 0 || strcmp(conn->procedure, "hold_credits") == 0;
}

/* The session is open: the request goes out. */
void
conn_start_call(NodeConn *conn)
{
	char	   *sql = psprintf("%s secmed.%s($1)", is_question(conn) ? "SELECT" : "CALL", conn->procedure);

	resetStringInfo(&conn->sealed);
	session_seal(conn->session, conn->request->bytes, conn->request->len, &conn->sealed);
	conn_send_query(conn, sql, conn->sealed.data, conn->sealed.len);
	conn->bytes_sent += conn->request->len;
	resetStringInfo(&conn->sealed);
	pfree(sql);
	conn_set_state(conn, CONN_CALLING);
}

/*
 * A connection that stood idle may turn out to be dead: the server was
 * restarted, or ended the backend.  Then the call goes over a new one, once.
 */
static bool
died_while_idle(NodeConn *conn)
{
	if (!conn->reused || conn->redialled || conn->answered)
		return false;
	if (conn->result == NULL && !PQisBusy(conn->pg))
		conn->result = PQgetResult(conn->pg);
	if (conn->result == NULL)
		return conn->broken;
	return PQresultStatus(conn->result) == PGRES_FATAL_ERROR && conn_server_ended(conn->result);
}

static void
open_into(NodeConn *conn, const void *frame, size_t len, StringInfo out)
{
	if (!session_open(conn->session, frame, len, out))
		conn_protocol(conn, "bytes that do not belong to the session");
}

void
conn_calling_step(NodeConn *conn)
{
	bool		question = is_question(conn);

	conn_io(conn, true);
	if (died_while_idle(conn))
	{
		conn_close(conn);
		conn->redialled = true;
		conn_dial(conn);
		return;
	}
	if (!conn_results(conn, question ? PGRES_TUPLES_OK : PGRES_COPY_BOTH, &conn->sealed))
		return;
	if (question)
	{
		open_into(conn, conn->sealed.data, conn->sealed.len, &conn->arriving);
		conn->bytes_received += conn->arriving.len;
		conn->message_ready = true;
		resetStringInfo(&conn->sealed);
		conn_set_state(conn, CONN_IDLE);
	}
	else
		conn_set_state(conn, CONN_STREAMING);
}

/* Gives libpq the next frame. */
static void
send_frame(NodeConn *conn, Outgoing *message)
{
	size_t		part = Min(message->len - message->sent, FRAME_BYTES_MAX);

	resetStringInfo(&conn->sealed);
	session_seal(conn->session, message->bytes + message->sent, part, &conn->sealed);
	if (PQputCopyData(conn->pg, conn->sealed.data, conn->sealed.len) != 1)
	{
		conn->broken = true;
		return;
	}
	message->sent += part;
	conn->bytes_sent += part;
	if (part < FRAME_BYTES_MAX)
	{
		conn->out_first = message->next;
		pfree(message);
		if (conn->out_first == NULL)
			conn->progress = true;
	}
}

static void
send_frames(NodeConn *conn)
{
	while (conn->out_first != NULL && !conn->broken && PQflush(conn->pg) == 0)
		send_frame(conn, conn->out_first);
}

/* A frame has come; it may end the message. */
static void
take_frame(NodeConn *conn, int len)
{
	int			before = conn->arriving.len;
	int			part;

	if (len > SEALED_BYTES_MAX)
		conn_protocol(conn, "a frame that is too long");
	open_into(conn, conn->piece, len, &conn->arriving);
	PQfreemem(conn->piece);
	conn->piece = NULL;

	part = conn->arriving.len - before;
	if (part > FRAME_BYTES_MAX || conn->arriving.len > MESSAGE_BYTES_MAX)
		conn_protocol(conn, "a message that is too long");
	conn->bytes_received += part;
	if (part < FRAME_BYTES_MAX)
	{
		conn->message_ready = true;
		conn->progress = true;
	}
}

/*
 * The node's half of the stream has ended: in order, after which libpq
 * waits for our half (PGRES_COPY_IN), or with an error.
 */
static void
take_end(NodeConn *conn)
{
	conn->result = PQgetResult(conn->pg);
	switch (PQresultStatus(conn->result))
	{
		case PGRES_COPY_IN:
			break;
		case PGRES_FATAL_ERROR:
			if (conn->result != NULL)
				conn_rethrow(conn);
			/* FALLTHROUGH */
		default:
			conn_protocol(conn, "the call ended too early");
	}
	PQclear(conn->result);
	conn->result = NULL;
	conn->node_done = true;
	conn->progress = true;
}

/* Takes what libpq holds; true at the end of the node's half. */
static bool
receive_frames(NodeConn *conn)
{
	while (!conn->message_ready && !conn->node_done)
	{
		int			len = PQgetCopyData(conn->pg, &conn->piece, true);

		if (len == -1)
			return true;
		if (len == -2)
			conn_lost(conn, "the connection was lost");
		if (len == 0)
		{
			if (conn->broken)
				conn_lost(conn, "the connection was lost");
			return false;
		}
		take_frame(conn, len);
	}
	return false;
}

/*
 * While a message waits to be received nothing more is read, unless we send:
 * the node may not read before it has said its own.
 */
void
conn_streaming_step(NodeConn *conn)
{
	conn_io(conn, !conn->message_ready || nodeconn_sending(conn));
	send_frames(conn);
	if (receive_frames(conn))
		take_end(conn);
}

static void
discard_message(NodeConn *conn)
{
	conn->message_ready = false;
	resetStringInfo(&conn->arriving);
}

void
conn_finishing_step(NodeConn *conn)
{
	StringInfoData none = {0};

	discard_message(conn);
	conn_io(conn, true);
	send_frames(conn);
	if (!conn->we_done && !conn->broken && conn->out_first == NULL)
	{
		conn->broken = PQputCopyEnd(conn->pg, NULL) != 1;
		conn->we_done = true;
		conn->answered = false;
	}
	while (!conn->node_done && receive_frames(conn))
	{
		if (conn->we_done)
			conn->node_done = true;
		else
			take_end(conn);
	}
	if (conn->message_ready)
	{
		discard_message(conn);
		conn->progress = true;	/* look again at once */
		return;
	}
	if (conn->we_done && conn->node_done && conn_results(conn, PGRES_COMMAND_OK, &none))
		conn_set_state(conn, CONN_IDLE);
}
