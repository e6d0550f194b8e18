/*
 * record.c
 *	  What a run leaves on a node's ledger.
 *
 * Nothing of the question's text is among it, because constants of a query
 * may be a patient's details: tables by name, the plan by its hash, what was
 * revealed by counting components.
 */
#include "postgres.h"

#include "query/record.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

RunRecord
record_of_plan(const Request *request, const CanonicalPlan *plan, const uint8 *hash)
{
	RunRecord	record = {.request = request, .plan_hash = hash};
	StringInfoData what;

	initStringInfo(&what);
	plan_describe(&what, plan);
	record.tables = plan_tables_text(plan, ENTRY_TEXT_MAX);
	record.what = what.data;
	record.cells = plan_cells(plan);
	record.elements = plan_elements(plan);
	return record;
}

static LedgerEntry
run_entry(const RunRecord *record, EntryKind kind, const char *outcome, const char *revealed)
{
	const Request *request = record->request;
	LedgerEntry entry = {.kind = kind, .has_run = true, .has_plan = true};

	memcpy(entry.run, request->run, RUN_ID_BYTES);
	memcpy(entry.plan, record->plan_hash, HASH_BYTES);
	entry.actor = psprintf("%s:%s", request->coordinator, request->requester);
	entry.object = record->tables;
	entry.outcome = outcome;
	entry.revealed = revealed;
	entry.ncounters = 4;
	entry.counters[0] = record->cells;
	entry.counters[1] = record->elements;
	entry.counters[2] = record->patients_min;
	entry.counters[3] = request->nsites;
	return entry;
}

void
record_noise(RunRecord *record, const Noise *noise)
{
	record->what = psprintf("%s, with noise of rho %.6f%s", record->what, (double) noise->rho / 1000000,
							noise->thresholds ? "" : " in place of a smallest group");
}

AuditTicket
record_run(const RunRecord *record, EntryKind kind, const char *outcome, const char *revealed)
{
	LedgerEntry entry = run_entry(record, kind, outcome, revealed);

	return audit_append(&entry, NULL, 0);
}

void
record_request(const RunRecord *record, const char *outcome, const char *words)
{
	LedgerEntry entry = run_entry(record, ENTRY_REQUEST, outcome, "");
	StringInfoData payload;

	initStringInfo(&payload);
	appendStringInfoString(&payload, words);
	for (int i = 0; i < record->request->nparams; i++)
	{
		const char *value = record->request->params[i];

		appendStringInfo(&payload, "\n-- $%d = %s", i + 1, value ? quote_literal_cstr(value) : "NULL");
	}
	if (payload.len <= LEDGER_PAYLOAD_BYTES_MAX)
	{
		audit_append(&entry, payload.data, payload.len);
		return;
	}
	/* That it was asked is on record all the same; the caller refuses it. */
	audit_append(&entry, NULL, 0);
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the statement is too long to be recorded"),
			 errdetail("It has %d bytes with its parameters; the ledger keeps at most %d.",
					   payload.len, LEDGER_PAYLOAD_BYTES_MAX)));
}

char *
record_revealed(const RunRecord *record)
{
	if (record->request->kind == REQUEST_CHANGE)
		return psprintf("nothing: %s", record->what);
	if (record->request->has_reader)
	{
		char		reader[FINGERPRINT_TEXT_BYTES];

		fingerprint_to_text(reader, record->request->reader);
		return psprintf("to %s:%s, sealed to identity %s, of each group with at least " UINT64_FORMAT " patients: %s",
						record->request->coordinator, record->request->requester, reader, record->patients_min, record->what);
	}
	if (record->patients_min == 0)
		return psprintf("to %s:%s: %s", record->request->coordinator, record->request->requester, record->what);
	return psprintf("to %s:%s, of each group with at least " UINT64_FORMAT " patients: %s",
					record->request->coordinator, record->request->requester, record->patients_min,
					record->what);
}

void
record_failure_and_rethrow(const RunRecord *record, bool decided)
{
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
	ErrorData  *error = CopyErrorData();
	const char *word = decided ? "failed" : "refused";
	LedgerEntry entry;

	FlushErrorState();
	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
		word = "cancelled";
	if (!decided)
		record_run(record, ENTRY_DECISION, record->rule && error->sqlerrcode != ERRCODE_QUERY_CANCELED ?
				   psprintf("no: %s", record->rule) : "no", "");
	entry = run_entry(record, ENTRY_OUTCOME,
					  psprintf("%s %s", word, unpack_sql_state(error->sqlerrcode)), "nothing");
	audit_append_now(&entry, NULL, 0);
	MemoryContextSwitchTo(old);
	ReThrowError(error);
}
