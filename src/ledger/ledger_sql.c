/*
 * ledger_sql.c
 *	  A whole entry decoded, for SQL; fields_sql.c has its single fields.
 */
#include "base/base.h"

#include "ledger/datum.h"
#include "ledger/entry.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_decode_entry);

static Datum
text_datum(const char *utf8)
{
	return CStringGetTextDatum(pg_any_to_server(utf8, strlen(utf8), PG_UTF8));
}

static Datum
run_datum(const LedgerEntry *entry)
{
	pg_uuid_t  *run = palloc(sizeof(pg_uuid_t));

	StaticAssertStmt(RUN_ID_BYTES == UUID_LEN, "a run's id is a UUID");
	memcpy(run->data, entry->run, UUID_LEN);
	return UUIDPGetDatum(run);
}

static void
entry_columns(const LedgerEntry *entry, Datum *values, bool *nulls)
{
	values[0] = text_datum(entry->site);
	values[1] = Int64GetDatum((int64) entry->seq);
	values[2] = bytea_datum(entry->prev, HASH_BYTES);
	values[3] = time_datum(entry->at_us);
	values[4] = CStringGetTextDatum(entry_kind_name(entry->kind));
	values[5] = run_datum(entry);
	nulls[5] = !entry->has_run;
	values[6] = text_datum(entry->actor);
	values[7] = text_datum(entry->object);
	values[8] = bytea_datum(entry->plan, HASH_BYTES);
	nulls[8] = !entry->has_plan;
	values[9] = text_datum(entry->outcome);
	values[10] = text_datum(entry->revealed);
	values[11] = counters_datum(entry->counters, entry->ncounters);
	values[12] = bytea_datum(entry->commitment, HASH_BYTES);
	nulls[12] = !entry->has_commitment;
}

Datum
secmed_decode_entry(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	LedgerEntry entry;
	const char *reason;
	uint8		hash[HASH_BYTES];
	Datum		values[15];
	bool		nulls[15] = {false};

	if (!entry_decode(&entry, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("these bytes are not a ledger entry"),
				 errdetail("The entry %s.", reason)));
	entry_columns(&entry, values, nulls);
	entry_hash(hash, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	values[13] = bytea_datum(hash, HASH_BYTES);
	values[14] = time_datum(entry.spooled_us);
	nulls[14] = !entry.has_spooled;
	PG_RETURN_DATUM(row_datum(fcinfo, values, nulls));
}
