/*
 * batch.c
 *	  Appends a batch of queued entries in one transaction.
 *
 * What a reader must believe:
 *	- Interrupts are held from the commit until the slots are DONE, so a
 *	  sequencer that is told to end either has not committed (its slots go
 *	  back to the queue) or has told everybody.  If it is killed outright the
 *	  server restarts, and nobody has been told of what may be written.
 *	- The state of the chain is kept in memory and read from the table only at
 *	  the start, after an error, and if the table is another one.  Rows that
 *	  somebody removes behind its back are therefore missed by
 *	  secmed.verify_ledger(), not papered over.
 *	- A history begins only with ENTRY_NODE_CREATED of a named site, on an
 *	  empty ledger of a database that has no node yet.
 *
 * That first entry outlives a rollback of create_node().  The ledger then
 * belongs to a node of that name and takes no other's entries; create_node()
 * has to be called again with this name.
 */
#include "base/base.h"

#include "access/xact.h"
#include "audit/batch.h"
#include "audit/segment.h"
#include "audit/signer.h"
#include "catalog/namespace.h"
#include "datatype/timestamp.h"
#include "executor/spi.h"
#include "ledger/chain.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* The end of the ledger, as committed; known only if ledger_oid is valid. */
static ChainState chain;
static Oid	ledger_oid = InvalidOid;

/* Rows of the batch. */
static SegmentRows entry_rows;
static SegmentRows payload_rows;

/* The end of the ledger -----------------------------------------------------*/

/* A reason why nothing can be appended; neither holds content of an entry. */
typedef struct Refusal
{
	const char *reason;			/* NULL: none */
	const char *hint;
} Refusal;

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
		return (Refusal) {"The ledger of this node is empty: it was removed, or not restored.",
		"Restore secmed.ledger from a backup."};
	if (SPI_processed == 0)
		return (Refusal) {NULL, NULL};

	problem = end_problem(end, (int) SPI_processed);
	if (problem)
		return (Refusal) {psprintf("One of the last two entries of the ledger %s.", problem),
		"See secmed.verify_ledger(), and restore secmed.ledger from a backup."};
	if (node && strcmp(node, end->site) != 0)
		return (Refusal) {psprintf("The ledger belongs to node \"%s\", but this node is \"%s\".",
								   end->site, node),
		"Restore secmed.node and secmed.ledger from the same backup."};
	return (Refusal) {NULL, NULL};
}

/* Writing -------------------------------------------------------------------*/

static Datum
bytea_datum(const void *bytes, size_t len)
{
	bytea	   *copy = palloc(VARHDRSZ + len);

	SET_VARSIZE(copy, VARHDRSZ + len);
	memcpy(VARDATA(copy), bytes, len);
	return PointerGetDatum(copy);
}

/* The owner may be gone, so the server's log has it as well. */
static void
refuse_slots(Slot **slots, int n, const char *reason, const char *hint)
{
	int			len = pg_mbcliplen(reason, strlen(reason), QUEUE_REASON_BYTES - 1);

	ereport(LOG,
			(errmsg("the ledger did not take %d of its entries", n),
			 errdetail("%s", reason)));
	for (int i = 0; i < n; i++)
	{
		slots[i]->refused = true;
		strlcpy(slots[i]->content->reason, reason, len + 1);
		strlcpy(slots[i]->content->hint, hint, QUEUE_REASON_BYTES);
	}
}

static void
refuse(Slot *slot, const char *reason, const char *hint)
{
	refuse_slots(&slot, 1, reason, hint);
}

static void
refuse_batch(Batch *batch, const char *reason, const char *hint)
{
	refuse_slots(batch->slots, batch->n, reason, hint);
}

/* Is this entry one that the ledger, as it stands, can take? */
static bool
site_accepted(Slot *slot, ChainState *next)
{
	const LedgerEntry *entry = &slot->content->entry;
	const char *site = entry->site;

	if (next->next_seq == 0)
	{
		if (site && entry->kind == ENTRY_NODE_CREATED)
			chain_start(next, site);
		else
			refuse(slot, "This database is not a node.", "Call secmed.create_node() first.");
	}
	else if (site && strcmp(site, next->site) != 0)
		refuse(slot, psprintf("The ledger of this database was begun by node \"%s\".", next->site),
			   "Call secmed.create_node() with that name, or drop the extension and create it again to begin a new ledger.");
	return !slot->refused;
}

static int64
unix_now_us(void)
{
	return GetCurrentTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static void
write_entry(Slot *slot, ChainState *next)
{
	const SlotContent *content = slot->content;
	LedgerEntry entry = content->entry;
	StringInfoData bytes;
	const char *reason;
	Datum		values[2];

	if (!site_accepted(slot, next))
		return;
	entry.site = next->site;
	entry.seq = next->next_seq;
	memcpy(entry.prev, next->head, HASH_BYTES);
	entry.at_us = Max(unix_now_us(), next->last_at_us);

	initStringInfo(&bytes);
	entry_encode(&bytes, &entry);
	reason = entry.kind == ENTRY_KEY ? signer_key(&entry) : NULL;
	if (reason)
	{
		refuse(slot, psprintf("The entry %s.", reason), "");
		return;
	}
	if (!chain_accept(next, entry.seq, bytes.data, bytes.len, &reason))
	{
		refuse(slot, psprintf("The entry %s.", reason), "");
		return;
	}

	values[0] = bytea_datum(bytes.data, bytes.len);
	segment_rows_put(&entry_rows, entry.seq, values);
	if (content->has_payload)
	{
		values[0] = bytea_datum(content->salt, SALT_BYTES);
		values[1] = bytea_datum(content->payload, content->payload_len);
		segment_rows_put(&payload_rows, entry.seq, values);
	}
	signer_append(next->head);
}

/*
 * Locks the ledger until the end of the transaction, so that it stays the
 * table we know; if it is another one, reads its end into *next.
 */
static bool
open_ledger(Batch *batch, ChainState *next)
{
	RangeVar   *name = makeRangeVar("secmed", "ledger", -1);
	Oid			oid = RangeVarGetRelid(name, RowExclusiveLock, true);
	Refusal		refusal;

	if (!OidIsValid(oid))
	{
		ledger_oid = InvalidOid;
		signer_close();
		refuse_batch(batch, "The ledger's table is not there, or not yet committed.",
					 "Commit CREATE EXTENSION secmed first.");
		return false;
	}
	refusal.reason = standing_problem(MyDatabaseId);
	refusal.hint = "See secmed.witnesses; if the ledger is behind, CALL secmed.recover_ledger().";
	if (refusal.reason)
	{
		ledger_oid = InvalidOid;
		signer_close();
		refuse_batch(batch, refusal.reason, refusal.hint);
		return false;
	}
	if (oid == ledger_oid)
		return true;

	ledger_oid = InvalidOid;
	signer_close();
	refusal = load_chain(next);
	if (refusal.reason == NULL)
		refusal = (Refusal)
	{
		signer_open(oid, next),
			"See secmed.verify_ledger(), and restore the ledger's tables from one backup."
	};
	if (refusal.reason)
		refuse_batch(batch, refusal.reason, refusal.hint);
	else
		ledger_oid = oid;
	return refusal.reason == NULL;
}

static void
write_batch(Batch *batch, ChainState *next)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	pgstat_report_activity(STATE_RUNNING, "appending to secmed.ledger");

	if (open_ledger(batch, next))
	{
		segment_require(next->next_seq, next->next_seq + batch->n - 1);
		segment_rows_start(&entry_rows, "ledger");
		segment_rows_start(&payload_rows, "ledger_payload");
		for (int i = 0; i < batch->n; i++)
			write_entry(batch->slots[i], next);
		segment_rows_end(&entry_rows);
		segment_rows_end(&payload_rows);
	}

	SPI_finish();
	PopActiveSnapshot();
}

/* Tells every owner, and frees the slots that have none. */
static void
finish_batch(Batch *batch)
{
	PGPROC	   *owners[LEDGER_SLOTS];
	bool		freed = false;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	for (int i = 0; i < batch->n; i++)
	{
		Slot	   *slot = batch->slots[i];

		owners[i] = slot->owner;
		slot->state = slot->refused ? SLOT_FAILED : SLOT_DONE;
		if (slot->owner == NULL)
		{
			queue_free_slot(slot);
			freed = true;
		}
	}
	LWLockRelease(queue->lock);

	for (int i = 0; i < batch->n; i++)
		if (owners[i])
			SetLatch(&owners[i]->procLatch);
	if (freed)
		ConditionVariableBroadcast(&queue->places);
}

/* Only the message: details may show what was to be inserted. */
static void
fail_batch(Batch *batch)
{
	ErrorData  *error;

	MemoryContextSwitchTo(TopMemoryContext);
	error = CopyErrorData();
	FlushErrorState();
	AbortCurrentTransaction();
	ledger_oid = InvalidOid;	/* read the end of the chain again */
	signer_close();

	refuse_batch(batch, error->message ? error->message : "unknown error", "");
	FreeErrorData(error);
	finish_batch(batch);
}

void
batch_append(Batch *batch)
{
	PG_TRY();
	{
		ChainState	next = chain;

		write_batch(batch, &next);
		HOLD_INTERRUPTS();
		CommitTransactionCommand();
		chain = next;
		finish_batch(batch);
		RESUME_INTERRUPTS();
	}
	PG_CATCH();
	{
		fail_batch(batch);
	}
	PG_END_TRY();
	pgstat_report_activity(STATE_IDLE, NULL);
	(void) pgstat_report_stat(false);
}
