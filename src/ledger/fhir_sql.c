/*
 * fhir_sql.c
 *	  secmed.export_fhir(): entries of a time as lines of FHIR.
 */
#include "base/base.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "identity/node.h"
#include "ledger/datum.h"
#include "ledger/fhir.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(secmed_export_fhir);

#define FHIR_ROWS		1000

/* A damaged entry is left out: secmed.verify_ledger() names it. */
static void
put_event(ReturnSetInfo *result, bytea *bytes)
{
	EntryView	view;
	uint8		hash[HASH_BYTES];
	const char *reason;
	StringInfoData line;
	Datum		value;
	bool		isnull = false;

	if (!entry_view(&view, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason))
		return;
	entry_hash(hash, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	initStringInfo(&line);
	fhir_write(&line, &view, hash);
	value = CStringGetTextDatum(pg_any_to_server(line.data, line.len, PG_UTF8));
	tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
}

Datum
secmed_export_fhir(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[] = {TIMESTAMPTZOID, TIMESTAMPTZOID};
	Datum		values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	MemoryContext batch;
	OwnerScope	scope;
	Portal		portal;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	owner_begin(&scope);
	SPI_connect();
	batch = AllocSetContextCreate(CurrentMemoryContext, "FHIR lines", ALLOCSET_DEFAULT_SIZES);
	portal = SPI_cursor_open_with_args(NULL, "SELECT entry FROM secmed.ledger WHERE secmed.entry_at(entry) >= $1"
									   " AND secmed.entry_at(entry) < $2 ORDER BY seq",
									   2, types, values, NULL, true, 0);
	do
	{
		MemoryContext old;

		SPI_cursor_fetch(portal, true, FHIR_ROWS);
		old = MemoryContextSwitchTo(batch);
		for (uint64 i = 0; i < SPI_processed; i++)
		{
			bool		isnull;

			CHECK_FOR_INTERRUPTS();
			put_event(result, DatumGetByteaPP(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
															1, &isnull)));
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(batch);
		SPI_freetuptable(SPI_tuptable);
	} while (SPI_processed > 0);
	SPI_cursor_close(portal);
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_NULL();
}
