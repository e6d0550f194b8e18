/*
 * dial.c
 *	  From a peer's name to an open session with it: libpq connects, logs in,
 *	  and calls secmed.hello(), each step without blocking.
 *
 * (Looking up a host's address is the exception: libpq blocks for it.)
 *
 * Everything that fails closes the connection first and raises the error
 * then, so a failed connection is never used again.  What another node says
 * in an error is shown, but it is foreign text: it is made valid in our
 * encoding and never interpreted beyond its SQLSTATE.
 */
#include "base/base.h"

#include <openssl/ssl.h>
#include <poll.h>

#include "catalog/pg_type_d.h"
#include "libpq/libpq.h"
#include "mb/pg_wchar.h"
#include "peer/nodeconn.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "utils/memutils.h"

void
conn_set_state(NodeConn *conn, ConnState state)
{
	conn->state = state;
	conn->progress = true;
}

void
conn_close(NodeConn *conn)
{
	conn_set_state(conn, CONN_CLOSED);
	if (conn->result != NULL)
		PQclear(conn->result);
	conn->result = NULL;
	if (conn->piece != NULL)
		PQfreemem(conn->piece);
	conn->piece = NULL;
	if (conn->session != NULL)
		session_free(conn->session);
	conn->session = NULL;
	if (conn->pg != NULL)
		PQfinish(conn->pg);
	conn->pg = NULL;
	if (conn->fd_reserved)
		ReleaseExternalFD();
	conn->fd_reserved = false;
	conn->broken = false;
}

/* Errors ----------------------------------------------------------------- */

/* A palloc'd copy that is valid in this database's encoding. */
static char *
foreign_text(const char *text)
{
	char	   *copy = pchomp(text != NULL ? text : "");

	/* A node may say what it likes, not as much as it likes. */
	if (strlen(copy) > FOREIGN_TEXT_MAX)
		copy[pg_mbcliplen(copy, strlen(copy), FOREIGN_TEXT_MAX)] = '\0';
	if (GetDatabaseEncoding() == PG_UTF8 && pg_verify_mbstr(PG_UTF8, copy, strlen(copy), true))
		return copy;
	for (char *c = copy; *c != '\0'; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			*c = '?';
	}
	return copy;
}

void
conn_lost(NodeConn *conn, const char *what)
{
	char	   *detail = foreign_text(conn->pg != NULL ? PQerrorMessage(conn->pg) : NULL);

	conn_close(conn);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NODE_LOST),
			 errmsg("node \"%s\" did not answer: %s", conn->name, what),
			 detail[0] != '\0' ? errdetail_internal("%s", detail) : 0));
}

void
conn_protocol(NodeConn *conn, const char *what)
{
	conn_close(conn);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("node \"%s\" does not follow the protocol: %s", conn->name, what)));
}

/*
 * A node may raise secmed's own errors and the few others that a run can
 * end with; any other would let it steer whoever acts on the SQLSTATE.
 */
static int
foreign_sqlstate(const char *text)
{
	static const char *const allowed[] = {"SM", "22003", "40001", "42501", "53", "54", "57014"};

	if (text == NULL || strlen(text) != 5 || strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 5)
		return ERRCODE_SECMED_PROTOCOL;
	for (int i = 0; i < lengthof(allowed); i++)
		if (strncmp(text, allowed[i], strlen(allowed[i])) == 0)
			return MAKE_SQLSTATE(text[0], text[1], text[2], text[3], text[4]);
	return ERRCODE_SECMED_PROTOCOL;
}

/* Nothing from the server at all, or class 57P: it stops, or someone ended the backend. */
bool
conn_server_ended(const PGresult *error)
{
	const char *sqlstate = PQresultErrorField(error, PG_DIAG_SQLSTATE);

	return sqlstate == NULL || strncmp(sqlstate, "57P", 3) == 0;
}

/* Raises the error in conn->result as the node's. */
void
conn_rethrow(NodeConn *conn)
{
	PGresult   *result = conn->result;
	int			sqlstate = foreign_sqlstate(PQresultErrorField(result, PG_DIAG_SQLSTATE));
	char	   *message = foreign_text(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	char	   *detail = foreign_text(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
	char	   *hint = foreign_text(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));

	if (conn_server_ended(result))
		conn_lost(conn, "the connection was lost");
	conn_close(conn);
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg_internal("%s", message),
			 detail[0] != '\0' ? errdetail_internal("%s", detail) : 0,
			 hint[0] != '\0' ? errhint("%s", hint) : 0,
			 errcontext("node \"%s\"", conn->name)));
}

/* What every state needs -------------------------------------------------- */

/*
 * Records that are decrypted and not yet given to libpq do not show on the
 * socket, so nobody would wake us for them.
 */
static bool
tls_pending(PGconn *pg)
{
	SSL		   *ssl = PQsslInUse(pg) ? PQsslStruct(pg, "OpenSSL") : NULL;

	return ssl != NULL && SSL_pending(ssl) > 0;
}

/* Writes and reads what the socket takes and has. */
void
conn_io(NodeConn *conn, bool reading)
{
	if (PQflush(conn->pg) < 0)
		reading = true;			/* perhaps the node has said why */
	if (!reading)
		return;
	do
	{
		if (!PQconsumeInput(conn->pg))
		{
			conn->broken = true;
			return;
		}
	} while (tls_pending(conn->pg));
}

static void
take_value(NodeConn *conn, StringInfo value)
{
	if (PQntuples(conn->result) != 1 || PQnfields(conn->result) != 1 || PQgetisnull(conn->result, 0, 0))
		conn_protocol(conn, "its answer is not one value");
	appendBinaryStringInfo(value, PQgetvalue(conn->result, 0, 0), PQgetlength(conn->result, 0, 0));
}

/*
 * A command must give one result of the expected kind and end.  If it has a
 * row, it holds one value, which is appended.  True when the command has
 * ended, false when more must come first.
 */
bool
conn_results(NodeConn *conn, ExecStatusType expected, StringInfo value)
{
	while (conn->result != NULL || !PQisBusy(conn->pg))
	{
		ExecStatusType status;

		if (conn->result == NULL)
			conn->result = PQgetResult(conn->pg);
		if (conn->result == NULL)
		{
			if (!conn->answered)
				conn_lost(conn, "the connection was lost");
			return true;
		}
		status = PQresultStatus(conn->result);
		if (status == PGRES_FATAL_ERROR)
			conn_rethrow(conn);
		if (status != expected || conn->answered)
			conn_protocol(conn, "an unexpected result");
		if (status == PGRES_TUPLES_OK)
			take_value(conn, value);
		conn->answered = true;
		PQclear(conn->result);
		conn->result = NULL;
		if (status == PGRES_COPY_BOTH)
			return true;
	}
	if (conn->broken)
		conn_lost(conn, "the connection was lost");
	return false;
}

void
conn_send_query(NodeConn *conn, const char *sql, const void *argument, size_t len)
{
	Oid			type = BYTEAOID;
	const char *value = argument;
	int			length = (int) len;
	int			binary = 1;

	conn->answered = false;
	if (!PQsendQueryParams(conn->pg, sql, 1, &type, &value, &length, &binary, binary))
		conn->broken = true;
	conn_io(conn, false);
}

/* Connecting ------------------------------------------------------------- */

static void
ignore_notice(void *arg, const PGresult *result)
{
}

/*
 * Starts to connect.  Sessions are sealed whatever is below them, and GSSAPI
 * encryption would hide received bytes from the socket (see tls_pending).  Nodes refuse
 * calls in transactions that keep a snapshot, as a server may have by default (served.c).
 */
void
conn_dial(NodeConn *conn)
{
	const char *const keywords[] = {"options", "dbname", "fallback_application_name",
	"client_encoding", "gssencmode", NULL};
	const char *const values[] = {"-c search_path=pg_catalog -c datestyle=ISO"
		" -c default_transaction_isolation=read\\ committed", conn->conninfo, "secmed", "UTF8", "disable", NULL};

	if (!AcquireExternalFD())
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NODE_LOST),
				 errmsg("node \"%s\" could not be called", conn->name),
				 errdetail("There are too many open files on this server."),
				 errhint("Raise the server's max_files_per_process and/or \"ulimit -n\" limits.")));
	conn->fd_reserved = true;
	conn->pg = PQconnectStartParams(keywords, values, 1);
	if (conn->pg == NULL)
	{
		conn_close(conn);
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	if (PQstatus(conn->pg) == CONNECTION_BAD)
		conn_lost(conn, "could not connect");
	resetStringInfo(&conn->sealed);
	PQsetNoticeReceiver(conn->pg, ignore_notice, NULL);
	conn->dial_events = WL_SOCKET_WRITEABLE;
	conn_set_state(conn, CONN_CONNECTING);
}

static void
say_hello(NodeConn *conn)
{
	StringInfoData hello;

	if (PQsetnonblocking(conn->pg, 1) != 0)
		conn_lost(conn, "could not connect");
	initStringInfo(&hello);
	conn->session = session_hello(conn->self, conn->name, &hello);
	conn_send_query(conn, "SELECT secmed.hello($1)", hello.data, hello.len);
	pfree(hello.data);
	conn_set_state(conn, CONN_HELLO);
}

/* PQconnectPoll may only be called when the socket is as it asked. */
static bool
dial_ready(NodeConn *conn)
{
	struct pollfd node = {.fd = PQsocket(conn->pg),
	.events = conn->dial_events == WL_SOCKET_READABLE ? POLLIN : POLLOUT};

	return poll(&node, 1, 0) != 0;
}

void
conn_dial_step(NodeConn *conn)
{
	while (dial_ready(conn))
	{
		switch (PQconnectPoll(conn->pg))
		{
			case PGRES_POLLING_OK:
				say_hello(conn);
				return;
			case PGRES_POLLING_READING:
				conn->dial_events = WL_SOCKET_READABLE;
				break;
			case PGRES_POLLING_WRITING:
				conn->dial_events = WL_SOCKET_WRITEABLE;
				break;
			default:
				conn_lost(conn, "could not connect");
		}
	}
}

void
conn_hello_step(NodeConn *conn)
{
	StringInfoData welcome;
	const char *reason;
	bool		wrong_key;

	conn_io(conn, true);
	/* The answer is kept in sealed, which nothing uses before the session is open. */
	if (!conn_results(conn, PGRES_TUPLES_OK, &conn->sealed))
		return;
	welcome = conn->sealed;
	if (!session_finish(conn->session, &conn->card, welcome.data, welcome.len, &reason, &wrong_key))
	{
		conn_close(conn);
		ereport(ERROR,
				(errcode(wrong_key ? ERRCODE_SECMED_WRONG_KEY : ERRCODE_SECMED_PROTOCOL),
				 errmsg("the node that answered is not the node \"%s\" that was added", conn->name),
				 errdetail("Its answer %s.", reason),
				 errhint("Check its connection string, and compare its fingerprint by phone.")));
	}
	resetStringInfo(&conn->sealed);
	conn_set_state(conn, CONN_IDLE);
	conn_start_call(conn);
}
