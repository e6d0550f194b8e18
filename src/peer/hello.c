/*
 * hello.c
 *	  secmed.hello: another node introduces itself on this connection.
 *
 * The database role says that the caller may speak the protocol at all; the
 * signature says which node it is.  Nothing is believed before that, and the
 * errors tell the two ends apart, because the person who reads them set up
 * one of them.
 */
#include "base/base.h"

#include "base/cbor.h"
#include "fmgr.h"
#include "peer/served.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_FUNCTION_INFO_V1(secmed_hello);

/* The protocol version of a hello whatever else it holds; 0 if it is none. */
static uint64
hello_version(const void *hello, size_t len)
{
	CborReader	reader;
	uint64		version;

	cbor_start(&reader, hello, len);
	cbor_read_array(&reader, 16);
	cbor_read_uint(&reader, PG_UINT64_MAX);
	for (int i = 0; i < 3; i++) /* kind, from, to */
		pfree(cbor_read_text(&reader, NODE_NAME_BYTES_MAX));
	version = cbor_read_uint(&reader, PG_UINT64_MAX);
	return reader.error == NULL ? version : 0;
}

static void
read_names(const void *hello, size_t len, char **from, char **to)
{
	const char *reason;
	uint64		version = hello_version(hello, len);

	if (version != 0 && version != PROTOCOL_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" speaks another version of the protocol", node_self()->card.name),
				 errdetail("It speaks version %d, and the caller version " UINT64_FORMAT ".",
						   PROTOCOL_VERSION, version),
				 errhint("Install the same version of secmed on both nodes.")));
	if (!session_hello_names(hello, len, from, to, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("the introduction of a node is not valid"),
				 errdetail("It %s.", reason)));
}

static void
check_names(Peer *caller, const char *from, const char *to)
{
	const char *self = node_self()->card.name;

	if (strcmp(to, self) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("this is node \"%s\", not \"%s\"", self, to),
				 errhint("Check the connection string of \"%s\" at node \"%s\".", to, from)));
	if (!peer_lookup(caller, from))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_UNKNOWN_NODE),
				 errmsg("node \"%s\" is not known to node \"%s\"", from, self),
				 errhint("At \"%s\", call secmed.add_peer() with the card of \"%s\".", self, from)));
}

Datum
secmed_hello(PG_FUNCTION_ARGS)
{
	bytea	   *hello = PG_GETARG_BYTEA_PP(0);
	size_t		len = VARSIZE_ANY_EXHDR(hello);
	char	   *from;
	char	   *to;
	Peer		caller;
	Session    *session;
	StringInfoData welcome;
	const char *reason;

	read_names(VARDATA_ANY(hello), len, &from, &to);
	check_names(&caller, from, to);

	initStringInfo(&welcome);
	appendStringInfoSpaces(&welcome, VARHDRSZ);
	session = session_welcome(node_self(), &caller.card, VARDATA_ANY(hello), len, &welcome, &reason);
	if (session == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("the caller is not the node \"%s\" that node \"%s\" knows", from, to),
				 errdetail("Its introduction %s.", reason),
				 errhint("Compare the fingerprint of \"%s\" by phone.", from)));
	served_start(session);
	SET_VARSIZE(welcome.data, welcome.len);
	PG_RETURN_BYTEA_P(welcome.data);
}
