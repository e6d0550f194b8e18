/*
 * writer.c
 *	  Continues the ledger, a transaction at a time.
 */
#include "base/base.h"

#include "access/xact.h"
#include "audit/segment_rows.h"
#include "audit/signer.h"
#include "audit/standing.h"
#include "audit/writer.h"
#include "catalog/namespace.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "ledger/chain.h"
#include "ledger/review.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

/* The end of the ledger, as committed; known only if ledger_oid is valid. */
static ChainState chain;
static Oid	ledger_oid = InvalidOid;

/* The end as of the open transaction, and the rows that it is to insert. */
static ChainState next;
static SegmentRows entry_rows;
static SegmentRows payload_rows;

static const Refusal none = {NULL, NULL, false};

/* The ledger as it is can't be continued: that is no fault of the entries. */
static Refusal
broken(const char *reason, const char *hint)
{
	return (Refusal) {reason, hint, true};
}

static Refusal
wrong(const char *reason, const char *hint)
{
	return (Refusal) {reason, hint, false};
}

/* The end of the ledger -----------------------------------------------------*/

static const uint8 *
column_bytes(int row, int column, size_t *len)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);
	bytea	   *bytes = DatumGetByteaPP(datum);

	*len = VARSIZE_ANY_EXHDR(bytes);
	return (const uint8 *) VARDATA_ANY(bytes);
}

static uint64
column_seq(int row)
{
	bool		isnull;

	return (uint64) DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row],
												SPI_tuptable->tupdesc, 1, &isnull));
}

/* The committed name of this node, or NULL. */
static char *
node_name(void)
{
	if (SPI_execute("SELECT name FROM secmed.node", false, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.node");
	return SPI_processed == 0 ? NULL :
		SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
}

/*
 * Row 0 is the last entry and row 1 the one before, if there is one.
 * Returns why the ledger can't be continued, or NULL.
 */
static const char *
end_problem(ChainState *end, int rows)
{
	LedgerEntry first;
	const char *reason;
	size_t		len;
	const uint8 *bytes = column_bytes(rows - 1, 2, &len);

	if (rows == 2)
	{
		if (!chain_resume(end, column_seq(1), bytes, len, &reason))
			return reason;
		bytes = column_bytes(0, 2, &len);
	}
	else if (entry_decode(&first, bytes, len, &reason))
		chain_start(end, first.site);
	else
		return reason;
	return chain_accept(end, column_seq(0), bytes, len, &reason) ? NULL : reason;
}

static Refusal
load_chain(ChainState *end)
{
	char	   *node = node_name();
	const char *problem;

	chain_start(end, "");
	if (SPI_execute("SELECT seq, entry FROM secmed.ledger ORDER BY seq DESC LIMIT 2",
					false, 2) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.ledger");

	if (SPI_processed == 0 && node)
		return broken("The ledger of this node is empty: it was removed, or not restored.",
					  "Restore secmed.ledger from a backup.");
	if (SPI_processed == 0)
		return none;

	problem = end_problem(end, (int) SPI_processed);
	if (problem)
		return broken(psprintf("One of the last two entries of the ledger %s.", problem),
					  "See secmed.verify_ledger(), and restore secmed.ledger from a backup.");
	if (node && strcmp(node, end->site) != 0)
		return broken(psprintf("The ledger belongs to node \"%s\", but this node is \"%s\".",
							   end->site, node),
					  "Restore secmed.node and secmed.ledger from the same backup.");
	return none;
}

static void
forget_end(void)
{
	ledger_oid = InvalidOid;
	signer_close();
	segment_forget();
	segment_rows_forget(&entry_rows);
	segment_rows_forget(&payload_rows);
}

/* Reads the end of the ledger in this table. */
static Refusal
know_end(Oid oid)
{
	Refusal		refusal = load_chain(&next);

	if (refusal.reason == NULL)
		refusal = broken(signer_open(oid, &next),
						 "See secmed.verify_ledger(), and restore the ledger's tables from one backup.");
	if (refusal.reason == NULL)
		ledger_oid = oid;
	return refusal;
}

/* The transaction -----------------------------------------------------------*/

void
writer_begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	pgstat_report_activity(STATE_RUNNING, "appending to secmed.ledger");
}

Refusal
writer_open(int n)
{
	RangeVar   *name = makeRangeVar("secmed", "ledger", -1);
	Oid			oid = RangeVarGetRelid(name, RowExclusiveLock, true);
	const char *problem = standing_problem(MyDatabaseId);
	Refusal		refusal = none;

	next = chain;
	if (oid != ledger_oid || problem)
		forget_end();
	if (!OidIsValid(oid))
		return wrong("The ledger's table is not there, or not yet committed.",
					 "Commit CREATE EXTENSION secmed first.");
	if (problem)
		return broken(problem, "See secmed.witnesses; if the ledger is behind, CALL secmed.recover_ledger().");
	if (!OidIsValid(ledger_oid))
		refusal = know_end(oid);
	if (refusal.reason == NULL)
	{
		segment_require(next.next_seq, next.next_seq + n - 1);
		segment_rows_start(&entry_rows, SEGMENTS_LEDGER);
		segment_rows_start(&payload_rows, SEGMENTS_PAYLOAD);
	}
	return refusal;
}

static Datum
bytea_datum(const void *bytes, size_t len)
{
	bytea	   *copy = palloc(VARHDRSZ + len);

	SET_VARSIZE(copy, VARHDRSZ + len);
	memcpy(VARDATA(copy), bytes, len);
	return PointerGetDatum(copy);
}

/* Is this entry one that the ledger, as it stands, can take? */
static Refusal
check_site(const LedgerEntry *entry)
{
	if (next.next_seq == 0)
	{
		if (entry->site == NULL || entry->kind != ENTRY_NODE_CREATED)
			return wrong("This database is not a node.", "Call secmed.create_node() first.");
		chain_start(&next, entry->site);
	}
	else if (entry->site && strcmp(entry->site, next.site) != 0)
		return wrong(psprintf("The ledger of this database was begun by node \"%s\".", next.site),
					 "Call secmed.create_node() with that name, or drop the extension and create it again to begin a new ledger.");
	return none;
}

static int64
unix_now_us(void)
{
	return GetCurrentTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static void
put_rows(const Draft *draft, uint64 seq, const StringInfoData *bytes)
{
	Datum		values[2];

	values[0] = bytea_datum(bytes->data, bytes->len);
	segment_rows_put(&entry_rows, seq, values);
	if (draft->payload)
	{
		values[0] = bytea_datum(draft->salt, SALT_BYTES);
		values[1] = bytea_datum(draft->payload, draft->payload_len);
		segment_rows_put(&payload_rows, seq, values);
	}
}

/* What an entry says was erased goes in the same transaction. */
static void
delete_bodies(const LedgerEntry *entry)
{
	for (int i = 0; i + 1 < entry->ncounters; i += 2)
	{
		char	   *query = psprintf("DELETE FROM secmed.ledger_payload WHERE seq BETWEEN " UINT64_FORMAT
									 " AND " UINT64_FORMAT, entry->counters[i], entry->counters[i + 1]);

		if (SPI_execute(query, false, 0) != SPI_OK_DELETE)
			elog(ERROR, "the bodies were not deleted");
	}
}

Refusal
writer_put(const Draft *draft, Place *place)
{
	LedgerEntry entry = *draft->entry;
	Refusal		refusal = check_site(&entry);
	StringInfoData bytes;
	const char *reason;

	if (refusal.reason)
		return refusal;
	entry.site = next.site;
	entry.seq = next.next_seq;
	memcpy(entry.prev, next.head, HASH_BYTES);
	entry.at_us = Max(unix_now_us(), next.last_at_us);

	initStringInfo(&bytes);
	entry_encode(&bytes, &entry);
	reason = entry.kind == ENTRY_KEY ? signer_key(&entry) : entry_meaning_problem(&entry);
	if (reason || !chain_accept(&next, entry.seq, bytes.data, bytes.len, &reason))
		return wrong(psprintf("The entry %s.", reason), "");

	put_rows(draft, entry.seq, &bytes);
	if (entry.kind == ENTRY_ERASED)
		delete_bodies(&entry);
	signer_append(next.head);
	place->seq = entry.seq;
	memcpy(place->leaf, next.head, HASH_BYTES);
	return none;
}

void
writer_flush(void)
{
	if (OidIsValid(ledger_oid))
	{
		segment_rows_end(&entry_rows);
		segment_rows_end(&payload_rows);
	}
	SPI_finish();
	PopActiveSnapshot();
}

void
writer_commit(bool flush)
{
	synchronous_commit = flush ? SYNCHRONOUS_COMMIT_ON : SYNCHRONOUS_COMMIT_OFF;
	CommitTransactionCommand();
	chain = next;
	pgstat_report_activity(STATE_IDLE, NULL);
	(void) pgstat_report_stat(false);
}

char *
writer_abort(bool after_error)
{
	char	   *message = NULL;

	MemoryContextSwitchTo(TopMemoryContext);
	if (after_error)
	{
		ErrorData  *error = CopyErrorData();

		/* Only the message: details may show what was to be inserted. */
		message = pstrdup(error->message ? error->message : "unknown error");
		FlushErrorState();
		FreeErrorData(error);
	}
	AbortCurrentTransaction();
	forget_end();				/* the tree has changed in place */
	pgstat_report_activity(STATE_IDLE, NULL);
	return message;
}
