/*
 * outcome_sql.c
 *	  A statistic's outcome as a value of SQL.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "stats/outcome_sql.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

static Datum
value_to_datum(const OutcomeValue *value, Oid type)
{
	if (type == FLOAT8OID && value->kind != OUTCOME_TEXT)
		return Float8GetDatum(value->number);
	if (type == INT8OID && value->kind == OUTCOME_COUNT)
		return Int64GetDatum((int64) value->number);
	if (type == TEXTOID && value->kind == OUTCOME_TEXT)
		return CStringGetTextDatum(value->text);
	elog(ERROR, "column %s of a statistic has another type", value->name);
}

void
outcome_to_columns(const Outcome *outcome, TupleDesc desc, Datum *values, bool *nulls)
{
	for (int i = 0; i < desc->natts; i++)
	{
		const OutcomeValue *value = outcome_find(outcome, NameStr(TupleDescAttr(desc, i)->attname));

		nulls[i] = value == NULL;
		values[i] = value ? value_to_datum(value, TupleDescAttr(desc, i)->atttypid) : (Datum) 0;
	}
}

Datum
outcome_to_datum(const Outcome *outcome, Oid type, bool *isnull)
{
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
	HeapTuple	tuple;

	*isnull = false;
	if (!type_is_rowtype(type))
	{
		*isnull = outcome->n == 0;
		return *isnull ? (Datum) 0 : value_to_datum(&outcome->values[0], type);
	}
	desc = lookup_rowtype_tupdesc(type, -1);
	values = palloc(sizeof(Datum) * desc->natts);
	nulls = palloc(sizeof(bool) * desc->natts);
	outcome_to_columns(outcome, desc, values, nulls);
	tuple = heap_form_tuple(desc, values, nulls);
	ReleaseTupleDesc(desc);
	return HeapTupleGetDatum(tuple);
}
