/*
 * preview_sql.c
 *	  secmed.preview(): what this site would add to a run that waits for approval.
 *
 * The request is the one that came, prepared and run as the run would be: read-only, as
 * secmed_runner.  Only who may decide on the question sees it.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "govern/approval.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "miscadmin.h"
#include "query/site.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_preview);

static Statement find = {
	"SELECT request, pg_catalog.array_to_string(tables, ', ') FROM secmed.asked_status a"
	" WHERE id = $1 AND state IN ('pending', 'held', 'approved') AND request IS NOT NULL AND EXISTS (SELECT FROM secmed.approval_rule r"
	"  WHERE (r.table_name = '' OR r.table_name = ANY (a.tables)) AND secmed.member_of($2, r.roles))",
	2, {UUIDOID, NAMEOID}
};

static bytea *
find_request(pg_uuid_t *id, char **tables)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {UUIDPGetDatum(id), name_datum(GetUserNameFromId(GetSessionUserId(), false))};
	bytea	   *bytes = NULL;
	bool		isnull;

	if (statement_begin(&find, values, NULL) == 1)
	{
		MemoryContext spi = MemoryContextSwitchTo(context);

		bytes = DatumGetByteaPCopy(statement_value(0, 1, &isnull));
		*tables = statement_text(context, 0, 2);
		MemoryContextSwitchTo(spi);
	}
	statement_end(&find);
	if (bytes == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no such question waits for you"),
				 errhint("See secmed.pending.")));
	return bytes;
}

static void
decode_request(Request *request, CanonicalPlan *plan, const bytea *bytes)
{
	const uint8 *body;
	size_t		body_len;
	uint8		signature[SIGNATURE_BYTES];
	const char *reason;

	if (!request_decode(request, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &body, &body_len, signature, &reason))
		elog(ERROR, "a question that was asked is damaged: %s", reason);
	if (request->kind != REQUEST_RUN || noderef_find(request->sites, request->nsites, node_self()->card.name) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this node has no rows of its own in this run"),
				 errdetail("It only computes on shares.")));
	if (!plan_decode(plan, request->plan, request->plan_len, &reason))
		elog(ERROR, "a question that was asked is damaged: %s", reason);
}

static void
store_rows(ReturnSetInfo *result, Tuplestorestate *rows, TupleDesc desc)
{
	TupleTableSlot *slot;

	BlessTupleDesc(desc);
	slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		Datum		row = ExecFetchSlotHeapTupleDatum(slot);
		Datum		json = DirectFunctionCall1(row_to_json, row);
		bool		isnull = false;

		tuplestore_putvalues(result->setResult, result->setDesc, &json, &isnull);
		CHECK_FOR_INTERRUPTS();
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows);
}

Datum
secmed_preview(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id = PG_GETARG_UUID_P(0);
	Request		request;
	CanonicalPlan plan;
	uint8		hash[HASH_BYTES];
	char	   *tables;
	Tuplestorestate *rows;
	TupleDesc	desc;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	decode_request(&request, &plan, find_request(id, &tables));
	plan_hash(hash, request.plan, request.plan_len);
	audit_wait(approval_record(id->data, NULL, tables, hash, "previewed", NULL));
	rows = site_look(site_prepare(&request, &plan), &desc);
	store_rows((ReturnSetInfo *) fcinfo->resultinfo, rows, desc);
	return (Datum) 0;
}
