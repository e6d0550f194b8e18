/*
 * guard_sql.c
 *	  The trigger on the ledger: refuses every change but an append that
 *	  continues the chain.
 *
 * It keeps honest people from mistakes and lets a dump be restored.  Whoever
 * owns the server can go around it; secmed.verify_ledger() then says where the
 * chain is broken.  The sequencer writes past it.
 *
 * A restore fills one segment after the other, before there are indexes, so
 * the end of the chain is looked up once a transaction and kept.  pg_dump gives
 * rows as they lie: where a batch was rolled back a few may lie before those
 * they follow.  A row that is a little ahead is therefore let in, and whether
 * the rows between have come is looked at before the transaction commits.
 * Whole bundles of 256 may be missing: they are in an archive.
 */
#include "base/base.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "ledger/chain.h"
#include "ledger/guard.h"
#include "ledger/merkle.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(secmed_ledger_guard);

/* How far ahead a row may be: more than fit on a page or in a batch. */
#define AHEAD_MAX		1024
/* Rows read at once when that is looked at. */
#define WALK_ROWS		1000

bool		guard_is_sequencer = false;
bool		guard_is_recovery = false;

/* The end of the chain as of this (sub)transaction's last row. */
static TransactionId end_of = InvalidTransactionId;
static ChainState end;

/* The end before the first row that was ahead: what follows has to be looked at. */
static bool some_ahead = false;
static ChainState ahead_from;

static void
refuse_change(TriggerEvent event)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("the ledger can't be changed"),
			 errdetail("%s of its entries is refused, whoever asks.",
					   TRIGGER_FIRED_BY_UPDATE(event) ? "UPDATE" :
					   TRIGGER_FIRED_BY_DELETE(event) ? "DELETE" : "TRUNCATE"),
			 errhint("To forget what a statement said, call secmed.erase_subject() or erase_entries().")));
}

static void pg_attribute_noreturn()
refuse_row(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("this row does not continue the ledger"),
			 errdetail("It %s.", reason),
			 errhint("Only the sequencer appends. A restored ledger must come whole and in order.")));
}

/* Reading the chain ---------------------------------------------------------*/

static bytea *
row_of(uint64 i, uint64 *seq)
{
	HeapTuple	row = SPI_tuptable->vals[i];
	TupleDesc	desc = SPI_tuptable->tupdesc;
	bool		isnull;

	*seq = (uint64) DatumGetInt64(SPI_getbinval(row, desc, 1, &isnull));
	return DatumGetByteaPP(SPI_getbinval(row, desc, 2, &isnull));
}

/* The state after the last entry, or that before the first, which this is to be. */
static bool
find_end(const LedgerEntry *appended, const char **reason)
{
	uint64		seq;
	bytea	   *last;

	/* Not read-only: it must see the rows before this one in the same COPY. */
	if (SPI_execute("SELECT seq, entry FROM secmed.ledger ORDER BY seq DESC LIMIT 1",
					false, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.ledger");
	if (SPI_processed == 0)
	{
		chain_start(&end, appended->site);
		return true;
	}
	last = row_of(0, &seq);
	return chain_resume(&end, seq, VARDATA_ANY(last), VARSIZE_ANY_EXHDR(last), reason);
}

static bool
know_end(const LedgerEntry *appended, const char **reason)
{
	TransactionId now = GetCurrentTransactionId();
	OwnerScope	scope;
	bool		found;

	if (end_of == now)
		return true;
	end_of = InvalidTransactionId;
	owner_begin(&scope);
	SPI_connect();
	found = find_end(appended, reason);
	SPI_finish();
	owner_end(&scope);
	if (found)
		end_of = now;
	return found;
}

/* Whole bundles may be in an archive; verify_ledger() knows which. */
static bool
is_archive_gap(uint64 next, uint64 seq)
{
	return next < seq && next % TILE_HASHES == 0 && seq % TILE_HASHES == 0;
}

/* Rows that came ahead ------------------------------------------------------*/

static void
walk_rows(ChainState *chain, uint64 n)
{
	const char *reason;

	for (uint64 i = 0; i < n; i++)
	{
		uint64		seq;
		bytea	   *entry = row_of(i, &seq);

		if (!chain_accept(chain, seq, VARDATA_ANY(entry), VARSIZE_ANY_EXHDR(entry), &reason) &&
			!(is_archive_gap(chain->next_seq, seq) &&
			  chain_resume(chain, seq, VARDATA_ANY(entry), VARSIZE_ANY_EXHDR(entry), &reason)))
			refuse_row(reason);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
walk_from(ChainState chain)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum((int64) chain.next_seq)};
	Portal		portal = SPI_cursor_open_with_args(NULL, "SELECT seq, entry FROM secmed.ledger"
												   " WHERE seq >= $1 ORDER BY seq",
												   1, types, values, NULL, true, 0);

	for (;;)
	{
		SPI_cursor_fetch(portal, true, WALK_ROWS);
		if (SPI_processed == 0)
			break;
		walk_rows(&chain, SPI_processed);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
}

static void
look_at_ahead(XactEvent event, void *arg)
{
	OwnerScope	scope;
	bool		ahead = some_ahead;

	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE &&
		event != XACT_EVENT_ABORT)
		return;
	some_ahead = false;
	end_of = InvalidTransactionId;
	if (!ahead || event == XACT_EVENT_ABORT)
		return;

	PushActiveSnapshot(GetTransactionSnapshot());
	owner_begin(&scope);
	SPI_connect();
	walk_from(ahead_from);
	SPI_finish();
	owner_end(&scope);
	PopActiveSnapshot();
}

static void
note_ahead(void)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(look_at_ahead, NULL);
	registered = true;
	if (!some_ahead)
		ahead_from = end;
	some_ahead = true;
}

/* The trigger ---------------------------------------------------------------*/

/* Has this row a place among those that will be looked at? */
static bool
may_come(uint64 seq)
{
	if (seq < end.next_seq)
		return some_ahead && seq >= ahead_from.next_seq;
	return seq > end.next_seq && seq - end.next_seq <= AHEAD_MAX;
}

static void
check_row(uint64 seq, bytea *bytes)
{
	LedgerEntry entry;
	const char *reason;
	const void *data = VARDATA_ANY(bytes);
	size_t		len = VARSIZE_ANY_EXHDR(bytes);

	if (!entry_decode(&entry, data, len, &reason) || !know_end(&entry, &reason))
		refuse_row(reason);
	if (chain_accept(&end, seq, data, len, &reason))
		return;
	if (entry.seq != seq || !(may_come(seq) || is_archive_gap(end.next_seq, seq)))
		refuse_row(reason);
	if (seq > end.next_seq)
	{
		if (!is_archive_gap(end.next_seq, seq))
			note_ahead();
		(void) chain_resume(&end, seq, data, len, &reason);
	}
}

static void
check_append(TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		no_seq;
	bool		no_entry;
	Datum		seq = SPI_getbinval(trigger->tg_trigtuple, desc,
									SPI_fnumber(desc, "seq"), &no_seq);
	Datum		entry = SPI_getbinval(trigger->tg_trigtuple, desc,
									  SPI_fnumber(desc, "entry"), &no_entry);

	if (no_seq || no_entry)
		refuse_row("has no number or no bytes");
	check_row((uint64) DatumGetInt64(seq), DatumGetByteaPP(entry));
}

Datum
secmed_ledger_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		elog(ERROR, "ledger_guard() is a trigger");
	if (guard_is_recovery)
		PG_RETURN_POINTER(trigger->tg_trigtuple);
	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		refuse_change(trigger->tg_event);
	check_append(trigger);
	PG_RETURN_POINTER(trigger->tg_trigtuple);
}
