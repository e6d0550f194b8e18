/*
 * submission_sql.c
 *	  secmed.submit(), result() and cancel_submission(): a question that is asked
 *	  now and answered when people at the sites have said yes.
 *
 * The run itself takes place in result(), in the analyst's own session: with his
 * rights and settings of that moment, and nobody else is there who would have to keep the answer, or
 * act in his name.
 */
#include "postgres.h"

#include "access/tupconvert.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "govern/approval.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "query/scan.h"
#include "query/submission.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/plancache.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_submit);
PG_FUNCTION_INFO_V1(secmed_result);
PG_FUNCTION_INFO_V1(secmed_cancel_submission);

/* ---- the table ---- */

static Statement insert_submission = {
	"INSERT INTO secmed.submission (id, submitter, statement, nodes) VALUES ($1, $2, $3, $4)",
	4, {UUIDOID, NAMEOID, TEXTOID, NAMEARRAYOID}
};

static Statement find_submission = {
	"SELECT statement, nodes FROM secmed.submission WHERE id = $1 AND submitter = $2 AND state = 'submitted' FOR UPDATE",
	2, {UUIDOID, NAMEOID}
};

static Statement end_submission = {
	"UPDATE secmed.submission SET state = $2, statement = NULL, ended_at = pg_catalog.clock_timestamp() WHERE id = $1",
	2, {UUIDOID, TEXTOID}
};

/* The statement of an open submission of the current user; its nodes, too. */
static char *
require_submission(pg_uuid_t *id, Datum *nodes)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {UUIDPGetDatum(id), user_datum()};
	char	   *statement = NULL;
	bool		isnull;

	if (statement_begin(&find_submission, values, NULL) == 1)
	{
		MemoryContext spi = MemoryContextSwitchTo(context);

		statement = statement_text(context, 0, 1);
		*nodes = PointerGetDatum(DatumGetArrayTypePCopy(statement_value(0, 2, &isnull)));
		MemoryContextSwitchTo(spi);
	}
	statement_end(&find_submission);
	if (statement == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("you have no open submission of this id"),
				 errhint("See secmed.submissions.")));
	return statement;
}

static void
end(pg_uuid_t *id, const char *state)
{
	Datum		values[] = {UUIDPGetDatum(id), CStringGetTextDatum(state)};

	statement_run(&end_submission, values, NULL);
}

/* ---- running the statement ---- */

static void
require_select(const char *statement)
{
	List	   *parsed = raw_parser(statement, RAW_PARSE_DEFAULT);

	if (list_length(parsed) != 1 || !IsA(linitial_node(RawStmt, parsed)->stmt, SelectStmt))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("a submission is one SELECT")));
}

/* Before it is run, which it is only once: are its columns those of the list? */
static SPIPlanPtr
prepare(const char *statement, TupleDesc expected)
{
	SPIPlanPtr	plan = SPI_prepare(statement, 0, NULL);
	CachedPlanSource *source;

	if (plan == NULL)
		elog(ERROR, "could not prepare a submission");
	source = linitial(SPI_plan_get_plan_sources(plan));
	if (expected != NULL)
		(void) convert_tuples_by_position(source->resultDesc, expected,
										  gettext_noop("The statement gives other columns than the list names."));
	return plan;
}

/* Its rows are in SPI_tuptable. */
static void
execute(const char *statement, TupleDesc expected, const uint8 id[SUBMISSION_ID_BYTES], bool propose)
{
	SPIPlanPtr	plan = prepare(statement, expected);

	submission_begin(id, propose);
	PG_TRY();
	{
		if (SPI_execute_plan(plan, NULL, NULL, true, 0) != SPI_OK_SELECT)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_NOT_ALLOWED),
					 errmsg("a submission is one SELECT")));
		if (submission_nodes() == NIL)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_NOT_ALLOWED),
					 errmsg("the statement asks no site anything"),
					 errhint("A submission is a question over foreign tables of secmed.")));
	}
	PG_CATCH();
	{
		submission_end();
		PG_RE_THROW();
	}
	PG_END_TRY();
}

Datum
secmed_submit(PG_FUNCTION_ARGS)
{
	char	   *statement = text_to_cstring(PG_GETARG_TEXT_PP(0));
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	Datum		values[4];

	require_analyst();
	require_select(statement);
	random_bytes(id->data, UUID_LEN);
	id->data[6] = (id->data[6] & 0x0F) | 0x40;
	id->data[8] = (id->data[8] & 0x3F) | 0x80;
	SPI_connect();
	execute(statement, NULL, id->data, true);
	SPI_finish();
	values[0] = UUIDPGetDatum(id);
	values[1] = user_datum();
	values[2] = CStringGetTextDatum(statement);
	values[3] = name_array_datum(submission_nodes());
	submission_end();
	statement_run(&insert_submission, values, NULL);
	approval_record(id->data, current_actor(), "", NULL, "submitted", statement);
	PG_RETURN_UUID_P(id);
}

/* ---- the answer ---- */

static void
store_rows(ReturnSetInfo *result)
{
	TupleConversionMap *map = convert_tuples_by_position(SPI_tuptable->tupdesc, result->setDesc,
														 gettext_noop("The statement gives other columns than the list names."));

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];

		tuplestore_puttuple(result->setResult, map ? execute_attr_map_tuple(tuple, map) : tuple);
	}
}

Datum
secmed_result(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id = PG_GETARG_UUID_P(0);
	Datum		nodes;
	char	   *statement;

	require_analyst();
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	statement = require_submission(id, &nodes);
	SPI_connect();
	execute(statement, ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc, id->data, false);
	submission_end();
	store_rows((ReturnSetInfo *) fcinfo->resultinfo);
	SPI_finish();
	end(id, "answered");
	return (Datum) 0;
}

Datum
secmed_cancel_submission(PG_FUNCTION_ARGS)
{
	pg_uuid_t  *id = PG_GETARG_UUID_P(0);
	Datum		nodes;
	Datum	   *names;
	int			n;

	(void) require_submission(id, &nodes);
	deconstruct_array(DatumGetArrayTypeP(nodes), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &names, NULL, &n);
	for (int i = 0; i < n; i++)
		submission_withdraw(NameStr(*DatumGetName(names[i])), id->data);
	end(id, "cancelled");
	approval_record(id->data, current_actor(), "", NULL, "cancelled", NULL);
	PG_RETURN_VOID();
}
