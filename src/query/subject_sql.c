/*
 * subject_sql.c
 *	  secmed.who_saw_my_record(): what a subject was among.
 *
 * Two ways to be: a statement names the subject, or the subject has rows in a
 * table that was asked about.  The second is looked up now: who was in a table
 * then is not known any more.
 */
#include "base/base.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "peer/erase.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(secmed_who_saw_my_record);

/* The names of published tables and of their relations, in which the subject has rows. */
typedef struct Memberships
{
	int			n;
	Datum	   *names;
	Datum	   *relations;
} Memberships;

/* Has the relation a row whose patient is this?  Of a relation that is gone: no. */
static bool
has_rows(Oid relation, const char *patient, Datum subject)
{
	Oid			types[] = {TEXTOID};
	char	   *name = get_rel_name(relation);
	char	   *query;

	if (name == NULL)
		return false;
	query = psprintf("SELECT FROM %s WHERE %s::pg_catalog.text = $1 LIMIT 1",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name),
					 quote_identifier(patient));
	if (SPI_execute_with_args(query, 1, types, &subject, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "can't read a published table");
	return SPI_processed > 0;
}

static void
find_memberships(Memberships *found, Datum subject)
{
	SPITupleTable *rows;
	uint64		n;

	if (SPI_execute("SELECT name::pg_catalog.text, relation, patient::pg_catalog.text,"
					" relation::pg_catalog.regclass::pg_catalog.text"
					" FROM secmed.published WHERE patient IS NOT NULL", true, 0) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.published");
	rows = SPI_tuptable;
	n = SPI_processed;
	found->n = 0;
	found->names = palloc(n * sizeof(Datum) + 1);
	found->relations = palloc(n * sizeof(Datum) + 1);
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		if (!has_rows(DatumGetObjectId(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull)),
					  SPI_getvalue(rows->vals[i], rows->tupdesc, 3), subject))
			continue;
		found->names[found->n] = SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull);
		found->relations[found->n++] = SPI_getbinval(rows->vals[i], rows->tupdesc, 4, &isnull);
	}
}

static Datum
text_array(Datum *texts, int n)
{
	return PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
number_array(const EntryList *list)
{
	Datum	   *numbers = palloc(list->n * sizeof(Datum) + 1);

	for (int i = 0; i < list->n; i++)
		numbers[i] = Int64GetDatum(list->seqs[i]);
	return PointerGetDatum(construct_array(numbers, list->n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

#define COLUMNS(why) \
"SELECT e.at, e.actor, CASE e.kind WHEN 'outcome' THEN e.revealed ELSE e.kind || ' ' || e.revealed END AS what," \
"  e.object, e.outcome, '" why "' AS why, e.run, e.seq FROM secmed.events e"

/*
 * $1: names of published tables, $2: of relations, $3: entries whose statement names the
 * subject.  What is looked for where there is nothing to look for is planned away.
 */
static const char query[] =
COLUMNS("names the subject") " WHERE e.seq = ANY ($3)"
" UNION ALL "
COLUMNS("has rows of the subject") " WHERE $1 <> '{}' AND e.kind = 'outcome' AND e.outcome IN ('opened', 'released')"
"  AND pg_catalog.string_to_array(e.object, ', ') && $1 AND e.seq <> ALL ($3)"
" UNION ALL "
COLUMNS("has rows of the subject") " WHERE $2 <> '{}' AND e.kind IN ('access', 'closed')"
"  AND pg_catalog.string_to_array(e.object, ', ') && $2 AND e.seq <> ALL ($3)"
" ORDER BY seq DESC";

Datum
secmed_who_saw_my_record(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[] = {TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID};
	Datum		values[3];
	Memberships found;
	EntryList	named = {0};
	OwnerScope	scope;

	InitMaterializedSRF(fcinfo, 0);
	bodies_naming(&named, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	owner_begin(&scope);
	SPI_connect();
	find_memberships(&found, PG_GETARG_DATUM(0));
	values[0] = text_array(found.names, found.n);
	values[1] = text_array(found.relations, found.n);
	values[2] = number_array(&named);
	if (SPI_execute_with_args(query, 3, types, values, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "can't read secmed.events");
	for (uint64 i = 0; i < SPI_processed; i++)
		tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_NULL();
}
