/*
 * erase_order.c
 *	  Erasure beyond this node: what was asked in a run is kept, as a body under
 *	  a salt of its own, by every node that took part.
 *
 * An order names runs and a legal basis, and is signed by who gives it.  Each
 * node follows its own policy, secmed.erasure_orders, and answers with a
 * signed receipt of what it has deleted or why it has not.  Orders and receipts
 * are in secmed.erasure; those without a receipt are sent again by
 * secmed.send_erasure_orders().
 */
#include "base/base.h"

#include "access/xact.h"
#include "audit/append.h"
#include "catalog/pg_type.h"
#include "contract/erasure.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "identity/node.h"
#include "ledger/datum.h"
#include "ledger/lint.h"
#include "miscadmin.h"
#include "peer/connection.h"
#include "peer/erase.h"
#include "peer/served.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_erase);
PG_FUNCTION_INFO_V1(secmed_send_erasure_orders);

/* Who may order this node to erase. */
typedef enum ErasurePolicy
{
	ERASURE_NONE,
	ERASURE_REQUESTER,			/* who asked the run, what it asked */
	ERASURE_KNOWN				/* any node that this node knows */
} ErasurePolicy;

static const struct config_enum_entry policies[] = {
	{"none", ERASURE_NONE, false},
	{"requester", ERASURE_REQUESTER, false},
	{"known", ERASURE_KNOWN, false},
	{NULL, 0, false}
};

static int	erasure_orders = ERASURE_REQUESTER;

void
erase_init(void)
{
	DefineCustomEnumVariable("secmed.erasure_orders",
							 "Sets whose orders to erase the statements of runs this node obeys.",
							 NULL,
							 &erasure_orders, ERASURE_REQUESTER, policies,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}

static int64
unix_now_us(void)
{
	return GetCurrentTimestamp() + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static void
query(const char *sql, int nargs, Oid *types, Datum *values, int expected)
{
	if (SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0) != expected)
		elog(ERROR, "can't read or write secmed.erasure");
}

/* Being ordered -------------------------------------------------------------*/

/* Did this node ask what the run is? */
static bool
was_asked_by(const uint8 *run, const char *node)
{
	Oid			types[] = {UUIDOID, TEXTOID};
	Datum		values[] = {PointerGetDatum(run), CStringGetTextDatum(node)};
	OwnerScope	scope;
	bool		found;

	owner_begin(&scope);
	SPI_connect();
	query("SELECT FROM secmed.ledger WHERE secmed.entry_run(entry) = $1 AND secmed.entry_kind(entry) = 'request'"
		  " AND pg_catalog.starts_with(secmed.entry_actor(entry), $2 || ':') LIMIT 1", 2, types, values, SPI_OK_SELECT);
	found = SPI_processed > 0;
	SPI_finish();
	owner_end(&scope);
	return found;
}

/* Leaves only those runs in the order that its node may forget here. */
static void
keep_own_runs(ErasureOrder *order)
{
	int			n = 0;

	for (int i = 0; i < order->nruns; i++)
		if (was_asked_by(order->runs[i], order->from))
			memmove(order->runs[n++], order->runs[i], ERASE_RUN_BYTES);
	order->nruns = n;
}

/* Why the order is not obeyed, or "". */
static const char *
refusal(ErasureOrder *order)
{
	if (strcmp(order->from, served_peer()->name) != 0 || strcmp(order->to, node_self()->card.name) != 0)
		return "the order is of another node, or to another";
	if (erasure_orders == ERASURE_NONE)
		return "this node obeys no orders to erase";
	if (text_is_sql(order->basis) || text_has_hash(order->basis))
		return "the legal basis does not belong into a ledger";
	if (erasure_orders == ERASURE_REQUESTER)
		keep_own_runs(order);
	return order->nruns > 0 ? "" : "no run of the order was asked by the node that orders, and is known here";
}

static uint64
obey(const ErasureOrder *order)
{
	EntryList	list = {0};

	for (int i = 0; i < order->nruns; i++)
		bodies_of_run(&list, order->runs[i]);
	if (list.n > 1)
		qsort(list.seqs, list.n, sizeof(int64), entry_number_compare);
	erase_bodies(&list, psprintf("%s:order", order->from), order->basis);
	return (uint64) list.n;
}

static void
protocol_error(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("node \"%s\" sent a message that the protocol does not allow", served_peer()->name),
			 errdetail("It %s.", reason)));
}

static void
read_order(ErasureOrder *order, uint8 hash[HASH_BYTES], bytea *frame)
{
	StringInfoData message;
	const uint8 *bytes;
	size_t		len;
	const char *reason;

	initStringInfo(&message);
	served_open(&message, VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame));
	if (!erasure_open(&bytes, &len, message.data, message.len, ERASE_PURPOSE, served_peer()->sign_public, &reason) ||
		!order_decode(order, bytes, len, &reason))
		protocol_error(reason);
	hash_bytes(hash, bytes, len);
}

Datum
secmed_erase(PG_FUNCTION_ARGS)
{
	ErasureOrder order;
	ErasureReceipt receipt = {.erased_us = unix_now_us()};
	StringInfoData bytes;
	StringInfoData message;
	StringInfoData sealed;

	initStringInfo(&bytes);
	initStringInfo(&message);
	initStringInfo(&sealed);
	read_order(&order, receipt.order, PG_GETARG_BYTEA_PP(0));
	strlcpy(receipt.node, node_self()->card.name, sizeof(receipt.node));
	receipt.refused = refusal(&order);
	if (receipt.refused[0] == '\0')
		receipt.count = obey(&order);
	receipt_of_order_encode(&bytes, &receipt);
	erasure_seal(&message, &bytes, ERASED_PURPOSE, node_self()->sign_secret);
	served_seal(&sealed, message.data, message.len);
	PG_RETURN_DATUM(bytea_datum(sealed.data, sealed.len));
}

/* Ordering ------------------------------------------------------------------*/

/* The runs of these entries that other nodes may have taken part in. */
static int
find_runs(const EntryList *list, uint8 (**runs)[ERASE_RUN_BYTES])
{
	Datum	   *seqs = palloc(list->n * sizeof(Datum));
	Oid			types[] = {INT8ARRAYOID};
	Datum		values[1];
	int			n;

	for (int i = 0; i < list->n; i++)
		seqs[i] = Int64GetDatum(list->seqs[i]);
	values[0] = PointerGetDatum(construct_array(seqs, list->n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	query("SELECT DISTINCT secmed.entry_run(entry) FROM secmed.ledger WHERE seq = ANY ($1)"
		  " AND secmed.entry_kind(entry) = 'request' AND secmed.entry_run(entry) IS NOT NULL",
		  1, types, values, SPI_OK_SELECT);
	n = (int) SPI_processed;
	*runs = palloc((n + 1) * ERASE_RUN_BYTES);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		run = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		memcpy((*runs)[i], DatumGetUUIDP(run)->data, ERASE_RUN_BYTES);
	}
	return n;
}

/* Notes an order to one node, to be sent. */
static void
note_order(const char *node, const char *basis, uint8 (*runs)[ERASE_RUN_BYTES], int nruns)
{
	ErasureOrder order = {.ordered_us = unix_now_us(), .basis = basis, .nruns = nruns, .runs = runs};
	StringInfoData bytes;
	StringInfoData message;
	uint8		hash[HASH_BYTES];
	Oid			types[] = {BYTEAOID, NAMEOID, TEXTOID, INT4OID, BYTEAOID};
	Datum		values[5];

	strlcpy(order.from, node_self()->card.name, sizeof(order.from));
	strlcpy(order.to, node, sizeof(order.to));
	initStringInfo(&bytes);
	initStringInfo(&message);
	order_encode(&bytes, &order);
	erasure_seal(&message, &bytes, ERASE_PURPOSE, node_self()->sign_secret);
	hash_bytes(hash, bytes.data, bytes.len);
	values[0] = bytea_datum(hash, HASH_BYTES);
	values[1] = DirectFunctionCall1(namein, CStringGetDatum(node));
	values[2] = CStringGetTextDatum(basis);
	values[3] = Int32GetDatum(nruns);
	values[4] = bytea_datum(message.data, message.len);
	query("INSERT INTO secmed.erasure (order_hash, node, legal_basis, runs, message) VALUES ($1, $2, $3, $4, $5)",
		  5, types, values, SPI_OK_INSERT);
}

static void
note_answer(Datum hash, const char *problem, const ErasureReceipt *receipt, const StringInfoData *message)
{
	Oid			types[] = {BYTEAOID, TEXTOID, INT8OID, BYTEAOID};
	Datum		values[4] = {hash, (Datum) 0, (Datum) 0, (Datum) 0};
	char		nulls[] = {' ', problem ? ' ' : 'n', receipt ? ' ' : 'n', receipt ? ' ' : 'n', '\0'};

	if (problem)
		values[1] = CStringGetTextDatum(problem);
	if (receipt)
	{
		values[2] = Int64GetDatum((int64) receipt->count);
		values[3] = bytea_datum(message->data, message->len);
	}
	if (SPI_execute_with_args("UPDATE secmed.erasure SET problem = $2, erased = $3, receipt = $4, answered_at ="
							  " CASE WHEN $4 IS NULL THEN NULL ELSE pg_catalog.clock_timestamp() END"
							  " WHERE order_hash = $1", 4, types, values, nulls, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "can't write secmed.erasure");
}

/* The answer to an order, checked; its problem or NULL. */
static const char *
read_receipt(ErasureReceipt *receipt, const StringInfoData *answer, const char *node, bytea *hash)
{
	const uint8 *bytes;
	size_t		len;
	const char *reason;
	Peer		peer;

	peer_require(&peer, node);
	if (!erasure_open(&bytes, &len, answer->data, answer->len, ERASED_PURPOSE, peer.card.sign_public, &reason) ||
		!receipt_of_order_decode(receipt, bytes, len, &reason))
		return psprintf("the receipt %s", reason);
	if (strcmp(receipt->node, node) != 0 || memcmp(receipt->order, VARDATA_ANY(hash), HASH_BYTES) != 0)
		return "the receipt is of another order";
	return NULL;
}

/* Sends one order; whatever goes wrong is noted, and no error. */
static void
send_order(bytea *hash, const char *node, bytea *message)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErasureReceipt receipt;
	StringInfoData answer;
	const char *volatile problem = NULL;

	initStringInfo(&answer);
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		nodeconn_ask(nodeconn_get(node), "erase", VARDATA_ANY(message), VARSIZE_ANY_EXHDR(message), &answer,
					 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms));
		problem = read_receipt(&receipt, &answer, node, hash);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			PG_RE_THROW();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		problem = error->message;
	}
	PG_END_TRY();
	if (problem)
		note_answer(PointerGetDatum(hash), problem, NULL, NULL);
	else
		note_answer(PointerGetDatum(hash), receipt.refused[0] ? receipt.refused : NULL, &receipt, &answer);
}

/* Those without a receipt; how many have one now. */
static int64
send_orders(void)
{
	SPITupleTable *rows;
	uint64		n;
	bool		isnull;

	query("SELECT e.order_hash, e.node::pg_catalog.text, e.message FROM secmed.erasure e"
		  " JOIN secmed.peer p ON p.name = e.node WHERE e.receipt IS NULL AND p.conninfo IS NOT NULL"
		  " ORDER BY e.ordered_at FOR UPDATE OF e", 0, NULL, NULL, SPI_OK_SELECT);
	rows = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
		send_order(DatumGetByteaPP(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull)),
				   SPI_getvalue(rows->vals[i], rows->tupdesc, 2),
				   DatumGetByteaPP(SPI_getbinval(rows->vals[i], rows->tupdesc, 3, &isnull)));
	query("SELECT FROM secmed.erasure WHERE receipt IS NULL", 0, NULL, NULL, SPI_OK_SELECT);
	return (int64) SPI_processed;
}

void
erase_elsewhere(const EntryList *list, const char *basis)
{
	uint8		(*runs)[ERASE_RUN_BYTES];
	OwnerScope	scope;
	int			n;

	if (list->n == 0)
		return;
	owner_begin(&scope);
	SPI_connect();
	n = find_runs(list, &runs);
	if (n > 0)
	{
		SPITupleTable *peers;
		uint64		npeers;

		query("SELECT p.name FROM secmed.peer p, secmed.node n WHERE p.name <> n.name AND p.conninfo IS NOT NULL",
			  0, NULL, NULL, SPI_OK_SELECT);
		peers = SPI_tuptable;
		npeers = SPI_processed;
		for (uint64 i = 0; i < npeers; i++)
			for (int first = 0; first < n; first += ERASE_RUNS_MAX)
				note_order(SPI_getvalue(peers->vals[i], peers->tupdesc, 1), basis, runs + first,
						   Min(n - first, ERASE_RUNS_MAX));
		(void) send_orders();
	}
	SPI_finish();
	owner_end(&scope);
}

/* How many orders are without a receipt still. */
Datum
secmed_send_erasure_orders(PG_FUNCTION_ARGS)
{
	OwnerScope	scope;
	int64		left;

	PreventCommandIfReadOnly("secmed.send_erasure_orders()");
	owner_begin(&scope);
	SPI_connect();
	left = send_orders();
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_INT64(left);
}
