/*
 * ask.c
 *	  One question about ledgers to one node, from a session.
 */
#include "base/base.h"

#include "mirror/ask.h"
#include "peer/connection.h"

static void
wait_for(NodeConn *conn, TimestampTz deadline)
{
	if (nodeconn_wait(&conn, 1, deadline, NULL, NULL))
		return;
	nodeconn_abort(conn);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NODE_LOST),
			 errmsg("node \"%s\" did not answer in time", nodeconn_name(conn)),
			 errhint("secmed.node_timeout sets how long to wait.")));
}

static void
decode(NodeConn *conn, const char *message, size_t len, MirrorAnswer *answer)
{
	const char *reason;
	char	   *copy = palloc(len + 1);

	memcpy(copy, message, len);
	if (mirror_answer_decode(answer, copy, len, &reason))
		return;
	nodeconn_abort(conn);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("node \"%s\" sent a message that the protocol does not allow", nodeconn_name(conn)),
			 errdetail("It %s.", reason)));
}

void
ask_node(const char *node, const MirrorQuestion *question, MirrorAnswer *answer)
{
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);
	NodeConn   *conn = nodeconn_get(node);
	StringInfoData message;
	const char *bytes;
	size_t		len;

	initStringInfo(&message);
	mirror_question_encode(&message, question);
	nodeconn_call(conn, "mirror", message.data, message.len);
	while (!nodeconn_receive(conn, &bytes, &len))
		wait_for(conn, deadline);
	decode(conn, bytes, len, answer);
	while (!nodeconn_finish(conn))
		wait_for(conn, deadline);
}
