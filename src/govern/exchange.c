/*
 * exchange.c
 *	  Sending documents to other nodes, and asking for theirs.
 *
 * Each node numbers its documents (secmed.document.serial), in the order in
 * which they were committed, anew when something about one has changed.  For
 * each peer it remembers up to which number of its own it has sent, and up to
 * which of the peer's it has asked (secmed.document_peer).  So every document
 * comes to every node, in an order that made sense at one of them, whoever was
 * away meanwhile; and it comes twice, once from each side.
 *
 * What waits at this node is sent only if its people have submitted it: nobody
 * can fill other nodes' queues through us.
 *
 * Once a day a node begins from 0, in case a peer was restored from a backup
 * that the numbers do not tell.
 */
#include "postgres.h"

#include "access/xact.h"
#include "contract/exchange.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "govern/document.h"
#include "govern/exchange.h"
#include "govern/rows.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "peer/connection.h"
#include "peer/served.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

PG_FUNCTION_INFO_V1(secmed_exchange);

/* Documents of one message: about this many bytes, and one that may go over it. */
#define BATCH_BYTES			(1024 * 1024)
/* Messages that are asked for at a time, and held in memory. */
#define BATCHES_MAX			16

/* Documents that go to others; $1: behind this number. */
#define FOR_OTHERS \
	"SELECT serial, document FROM secmed.document WHERE serial > $1" \
	" AND (problem IS NULL OR received_from IS NULL) ORDER BY serial LIMIT " CppAsString2(EXCHANGE_DOCUMENTS_MAX)

/* Reading and sending -------------------------------------------------------*/

/* Fills the message with what is behind its serial, and sets that to the last; false if there is nothing. */
static bool
fill_batch(ExchangeMessage *message)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum((int64) message->serial)};
	uint64		n = rows_run(FOR_OTHERS, SPI_OK_SELECT, 1, types, values);
	size_t		total = 0;

	message->n = 0;
	for (uint64 i = 0; i < n && total < BATCH_BYTES; i++)
	{
		bytea	   *bytes = rows_bytes(i, 2);
		Bytes	   *place = &message->documents[message->n++];

		message->serial = (uint64) rows_int(i, 1);
		place->data = (uint8 *) VARDATA_ANY(bytes);
		place->len = VARSIZE_ANY_EXHDR(bytes);
		total += place->len;
	}
	return message->n > 0;
}

/* Takes one document in, in a subtransaction: an error is its problem alone. */
static DocumentFate
take_apart(const Bytes *document, const char *from, const char **reason)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	DocumentFate fate = DOCUMENT_REFUSED;
	uint8		hash[HASH_BYTES];

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		fate = document_take(document->data, document->len, from, hash, reason);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		*reason = error->message;
		fate = DOCUMENT_REFUSED;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return fate;
}

/* How many were refused; the reasons go to the server's log. */
static int
take_all(const ExchangeMessage *message, const char *from)
{
	int			refused = 0;

	for (int i = 0; i < message->n; i++)
	{
		const char *reason = NULL;

		CHECK_FOR_INTERRUPTS();
		if (take_apart(&message->documents[i], from, &reason) != DOCUMENT_REFUSED)
			continue;
		refused++;
		ereport(LOG,
				(errmsg("a document that node \"%s\" sent was refused", from),
				 errdetail("It %s.", reason)));
	}
	return refused;
}

/* The called side -----------------------------------------------------------*/

static void
protocol_error(const char *node, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("node \"%s\" sent a message that the protocol does not allow", node),
			 errdetail("It %s.", reason)));
}

static void
answer_pull(ExchangeMessage *message)
{
	OwnerScope	scope;

	owner_begin(&scope);
	SPI_connect();
	if (!fill_batch(message))
	{
		(void) rows_run("SELECT COALESCE(pg_catalog.max(serial), 0) FROM secmed.document", SPI_OK_SELECT, 0, NULL, NULL);
		message->serial = (uint64) rows_int(0, 1);
	}
	else
		for (int i = 0; i < message->n; i++)
			message->documents[i].data = memcpy(SPI_palloc(message->documents[i].len + 1), message->documents[i].data,
												message->documents[i].len);
	SPI_finish();
	owner_end(&scope);
}

Datum
secmed_exchange(PG_FUNCTION_ARGS)
{
	bytea	   *frame = PG_GETARG_BYTEA_PP(0);
	ExchangeMessage *message = palloc(sizeof(ExchangeMessage));
	StringInfoData bytes;
	StringInfoData sealed;
	const char *reason;

	initStringInfo(&bytes);
	initStringInfo(&sealed);
	served_open(&bytes, VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame));
	if (!exchange_decode(message, bytes.data, bytes.len, &reason))
		protocol_error(served_peer()->name, reason);
	if (message->verb == EXCHANGE_PULL)
		answer_pull(message);
	else
	{
		message->serial = (uint64) take_all(message, served_peer()->name);
		message->n = 0;
	}
	initStringInfo(&bytes);
	exchange_encode(&bytes, message);
	served_seal(&sealed, bytes.data, bytes.len);
	PG_RETURN_DATUM(bytea_datum(sealed.data, sealed.len));
}

/* The calling side ----------------------------------------------------------*/

static void
read_cursors(Exchanged *with)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(with->node)};

	(void) rows_run("INSERT INTO secmed.document_peer (node) VALUES ($1::pg_catalog.name) ON CONFLICT (node) DO UPDATE SET"
					" pushed = 0, pulled = 0, begun_at = pg_catalog.clock_timestamp()"
					" WHERE document_peer.begun_at < pg_catalog.clock_timestamp() - '1 day'::pg_catalog.interval",
					SPI_OK_INSERT, 1, types, values);
	(void) rows_run("SELECT pushed, pulled FROM secmed.document_peer WHERE node = $1::pg_catalog.name", SPI_OK_SELECT, 1, types, values);
	with->pushed = (uint64) rows_int(0, 1);
	with->pulled = (uint64) rows_int(0, 2);
}

static void
write_cursors(const Exchanged *with)
{
	Oid			types[] = {TEXTOID, INT8OID, INT8OID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(with->node), Int64GetDatum((int64) with->pushed),
	Int64GetDatum((int64) with->pulled), with->problem ? CStringGetTextDatum(with->problem) : (Datum) 0};

	(void) rows_run("UPDATE secmed.document_peer SET pushed = $2, pulled = $3, problem = $4,"
					" exchanged_at = CASE WHEN $4 IS NULL THEN pg_catalog.clock_timestamp() ELSE exchanged_at END"
					" WHERE node = $1::pg_catalog.name", SPI_OK_UPDATE, 4, types, values);
}

static void
ask(const char *node, const ExchangeMessage *question, ExchangeMessage *answer)
{
	StringInfoData bytes;
	StringInfoData reply;
	const char *reason;

	initStringInfo(&bytes);
	initStringInfo(&reply);
	exchange_encode(&bytes, question);
	nodeconn_ask(nodeconn_get(node), "exchange", bytes.data, bytes.len, &reply,
				 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms));
	if (!exchange_decode(answer, reply.data, reply.len, &reason))
		protocol_error(node, reason);
	if (answer->verb != question->verb)
		protocol_error(node, "answers another question");
}

static void
push(Exchanged *with)
{
	ExchangeMessage *question = palloc(sizeof(ExchangeMessage));
	ExchangeMessage *answer = palloc(sizeof(ExchangeMessage));

	question->verb = EXCHANGE_PUT;
	question->serial = with->pushed;
	while (fill_batch(question))
	{
		uint64		last = question->serial;

		question->serial = 0;
		ask(with->node, question, answer);
		with->sent += question->n;
		with->refused += (int64) answer->serial;
		with->pushed = question->serial = last;
	}
}

/* Only collects; what is more comes the next time. */
static void
pull(Exchanged *with)
{
	ExchangeMessage question = {.verb = EXCHANGE_PULL};

	for (int i = 0; i < BATCHES_MAX; i++)
	{
		ExchangeMessage *answer = palloc(sizeof(ExchangeMessage));

		question.serial = with->pulled;
		ask(with->node, &question, answer);
		if (answer->n == 0)
		{
			if (answer->serial < with->pulled)
				with->pulled = 0;	/* it has lost some, and gives their numbers to others */
			break;
		}
		if (answer->serial <= with->pulled)
			protocol_error(with->node, "numbers its documents backwards");
		with->batches = lappend(with->batches, answer);
		with->received += answer->n;
		with->pulled = answer->serial;
	}
}

/* Both questions, in a subtransaction. */
static void
talk(Exchanged *with)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		push(with);
		pull(with);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		with->problem = error->message;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}

static List *
callable_nodes(void)
{
	List	   *nodes = NIL;
	uint64		n = rows_run("SELECT p.name FROM secmed.peer p, secmed.node n WHERE p.name <> n.name"
							 " AND p.conninfo IS NOT NULL ORDER BY p.name", SPI_OK_SELECT, 0, NULL, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		Exchanged  *with = palloc0(sizeof(Exchanged));

		with->node = rows_text(i, 1);
		nodes = lappend(nodes, with);
	}
	return nodes;
}

/* In memory that outlives SPI_finish(). */
static List *
results(const List *nodes, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *copies = NIL;
	ListCell   *lc;

	foreach(lc, nodes)
	{
		Exchanged  *copy = palloc(sizeof(Exchanged));

		*copy = *(Exchanged *) lfirst(lc);
		copy->node = pstrdup(copy->node);
		copy->problem = copy->problem ? pstrdup(copy->problem) : NULL;
		copy->batches = NIL;
		copies = lappend(copies, copy);
	}
	MemoryContextSwitchTo(old);
	return copies;
}

List *
exchange_all(void)
{
	MemoryContext context = CurrentMemoryContext;
	OwnerScope	scope;
	List	   *nodes;
	ListCell   *lc;

	owner_begin(&scope);
	SPI_connect();
	nodes = callable_nodes();
	foreach(lc, nodes)
	{
		read_cursors(lfirst(lc));
		talk(lfirst(lc));
	}
	/* From here on nobody is waited for. */
	document_expire();
	foreach(lc, nodes)
	{
		Exchanged  *with = lfirst(lc);
		ListCell   *batch;

		foreach(batch, with->batches)
			with->refused += take_all(lfirst(batch), with->node);
		write_cursors(with);
	}
	nodes = results(nodes, context);
	SPI_finish();
	owner_end(&scope);
	return nodes;
}
