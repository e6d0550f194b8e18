/*
 * nodeconn.h
 *	  What is inside a NodeConn; for dial.c, call.c and connection.c only.
 */
#ifndef SECMED_NODECONN_H
#define SECMED_NODECONN_H

#include "peer/connection.h"

#include <libpq-fe.h>

typedef enum ConnState
{
	CONN_CLOSED,
	CONN_CONNECTING,			/* libpq connects and logs in */
	CONN_HELLO,					/* secmed.hello is under way */
	CONN_IDLE,					/* a session, and no call */
	CONN_CALLING,				/* the call is sent, its answer is not here */
	CONN_STREAMING,				/* CopyBoth */
	CONN_FINISHING				/* our CopyDone is sent, or waits behind messages */
} ConnState;

/* A message that waits to be cut into frames, sealed and sent. */
typedef struct Outgoing
{
	struct Outgoing *next;
	size_t		len;
	size_t		sent;
	char		bytes[FLEXIBLE_ARRAY_MEMBER];
} Outgoing;

struct NodeConn
{
	char		name[NODE_NAME_BYTES_MAX + 1];	/* hash key */
	ConnState	state;
	bool		progress;		/* something moved since the last nodeconn_wait() */

	/* The connection; dial.c. */
	PGconn	   *pg;
	PGresult   *result;			/* being looked at; freed by conn_close() */
	char	   *piece;			/* of PQgetCopyData, likewise */
	bool		fd_reserved;
	bool		broken;			/* libpq says that no more will come */
	int			dial_events;	/* while CONN_CONNECTING */
	Session    *session;
	NodeCard	card;			/* of the peer, as registered when we connected */
	char	   *conninfo;

	/* The call; call.c.  Its memory is in call_context. */
	MemoryContext call_context;
	const NodeKeys *self;
	char	   *procedure;
	Outgoing   *request;
	bool		reused;			/* the connection had served before this call */
	bool		redialled;
	SubTransactionId subxact;	/* where the call was made */
	Outgoing   *out_first;
	Outgoing   *out_last;
	StringInfoData sealed;
	StringInfoData arriving;	/* frames of the next message */
	StringInfoData arrived;		/* what nodeconn_receive() last gave out */
	bool		message_ready;	/* arriving is whole */
	bool		answered;		/* the result that the command must have has come */
	bool		node_done;		/* the node's CopyDone has come */
	bool		we_done;		/* ours is sent */

	uint64		bytes_sent;
	uint64		bytes_received;
};

/* dial.c: from a name to an open session, and errors. */
extern void conn_dial(NodeConn *conn);
extern void conn_dial_step(NodeConn *conn);
extern void conn_hello_step(NodeConn *conn);
extern void conn_close(NodeConn *conn);
extern void conn_set_state(NodeConn *conn, ConnState state);
extern void conn_send_query(NodeConn *conn, const char *sql, const void *argument, size_t len);
extern void conn_io(NodeConn *conn, bool reading);

/* Takes results until there is none; true when the command has ended. See dial.c. */
extern bool conn_results(NodeConn *conn, ExecStatusType expected, StringInfo value);

/* Is this error only that the node's server ended the backend we spoke to? */
extern bool conn_server_ended(const PGresult *error);

extern void conn_lost(NodeConn *conn, const char *what) pg_attribute_noreturn();
extern void conn_rethrow(NodeConn *conn) pg_attribute_noreturn();
extern void conn_protocol(NodeConn *conn, const char *what) pg_attribute_noreturn();

/* call.c: a call over an open session. */
extern void conn_start_call(NodeConn *conn);
extern void conn_calling_step(NodeConn *conn);
extern void conn_streaming_step(NodeConn *conn);
extern void conn_finishing_step(NodeConn *conn);
extern Outgoing *conn_copy_message(NodeConn *conn, const void *message, size_t len);

#endif							/* SECMED_NODECONN_H */
