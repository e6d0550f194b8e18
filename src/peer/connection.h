/*
 * connection.h
 *	  Sealed sessions with other nodes over libpq, kept for the session and
 *	  reused, and the calls made over them.
 *
 * One connection to each node for each backend (key: node name).  A call
 * is `CALL secmed.serve($1)` or `CALL secmed.link($1)`, which turn the
 * connection into a two-way stream of messages (CopyBoth), or
 * `SELECT secmed.describe($1)`, which answers once.  Whatever goes wrong in
 * a call closes its connection; the next call opens a new one.
 *
 * Nothing here blocks without a bound: every function that waits takes the
 * deadline, obeys cancel, and names the node when it fails:
 * ERRCODE_SECMED_NODE_LOST (gone, silent, unreachable), _WRONG_KEY,
 * _PROTOCOL (not the bytes the protocol allows), or the node's own error,
 * passed on with its SQLSTATE, message, detail and hint, the node named in
 * the context.
 */
#ifndef SECMED_CONNECTION_H
#define SECMED_CONNECTION_H

#include "identity/node.h"
#include "identity/session.h"
#include "utils/timestamp.h"

typedef struct NodeConn NodeConn;

/*
 * Wait sets are built by the caller: which socket, which events.  After any
 * wake-up call nodeconn_advance(), which never blocks.
 */

/* Finds or creates the entry for a node; no network traffic. */
extern NodeConn *nodeconn_get(const char *node);
extern const char *nodeconn_name(const NodeConn *conn);

/*
 * Starts a call: connects and shakes hands first if need be, all without
 * blocking.  `procedure` is "serve" or "link"; message is sealed and sent as
 * the argument.  It is copied.
 */
extern void nodeconn_call(NodeConn *conn, const char *procedure, const void *message, size_t len);

/* Queues a message on a call in progress (sealed); sent as the socket takes it. */
extern void nodeconn_send(NodeConn *conn, const void *message, size_t len);

/* Bytes queued and not yet taken by the socket. */
extern bool nodeconn_sending(NodeConn *conn);

/* The next message, opened, valid until the next call of this function; false if none has come. */
extern bool nodeconn_receive(NodeConn *conn, const char **message, size_t *len);

/*
 * Ends a call in order: CopyDone both ways; true once the node has answered
 * it.  Until then nodeconn_wait() or nodeconn_advance(), and call again.
 */
extern bool nodeconn_finish(NodeConn *conn);

/* Closes the connection whatever it does; the other end sees it and cancels. */
extern void nodeconn_abort(NodeConn *conn);

/* Moves everything that can move.  On failure: if failed is NULL raises the
 * error, otherwise returns false and *failed has a palloc'd copy. The
 * connection is then already closed. */
extern bool nodeconn_advance(NodeConn *conn, ErrorData **failed);

/* For wait sets: PGINVALID_SOCKET when closed; events WL_SOCKET_READABLE/WRITEABLE. */
extern pgsocket nodeconn_socket(NodeConn *conn);
extern int nodeconn_events(NodeConn *conn);

/* The session with this node; NULL before it is open, and outside of calls. */
extern Session *nodeconn_session(NodeConn *conn);

/* True from the node's CopyBothResponse until nodeconn_finish(). */
extern bool nodeconn_streaming(const NodeConn *conn);

/* The node has ended its half of a call before us, and all its messages were received. */
extern bool nodeconn_ended(const NodeConn *conn);

/*
 * Waits until one of the conns may move, or the latch is set, or deadline;
 * processes interrupts; then advances all of them.  Returns false when the
 * deadline has passed.  failed as in nodeconn_advance (NULL in *failed if
 * none did), index of the failed conn in *which.
 *
 * A message that nodeconn_receive() has not taken yet does not end the wait
 * again, and holds back further ones from that node.
 */
extern bool nodeconn_wait(NodeConn **conns, int n, TimestampTz deadline,
						  ErrorData **failed, int *which);

/* SELECT secmed.describe() or erase(): one sealed question, one sealed answer. Blocks until deadline. */
extern void nodeconn_ask(NodeConn *conn, const char *function, const void *message, size_t len,
						 StringInfo answer, TimestampTz deadline);

/* Total payload bytes sent and received over this connection, for EXPLAIN ANALYZE. */
extern void nodeconn_traffic(const NodeConn *conn, uint64 *sent, uint64 *received);

/* _PG_init: the settings secmed.node_timeout and the cleanup at exit. */
extern void connection_init(void);
extern int	node_timeout_ms;	/* secmed.node_timeout, default 10000 */

#endif							/* SECMED_CONNECTION_H */
