/*
 * digest_sql.c
 *	  secmed.shared_digest(): what the three parties must have alike before they
 *	  compute with a shared table, as a run sees it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "shared/load.h"
#include "shared/stage.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_shared_digest);

static SharedRows *
load_all(const SharedTable *table)
{
	int			columns[SHARED_COLUMNS_MAX];

	for (int i = 0; i < table->definition.ncolumns; i++)
		columns[i] = i;
	return shared_load(table, columns, table->definition.ncolumns);
}

Datum
secmed_shared_digest(PG_FUNCTION_ARGS)
{
	const char *name = NameStr(*PG_GETARG_NAME(0));
	SharedTable *table = shared_table_require(name);
	SharedRows *rows;
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false};
	bytea	   *digest = palloc(VARHDRSZ + HASH_BYTES);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	(void) stage_resolve(table->definition.creator.name);
	table = shared_table_require(name);
	rows = load_all(table);
	SET_VARSIZE(digest, VARHDRSZ + HASH_BYTES);
	memcpy(VARDATA(digest), rows->digest, HASH_BYTES);
	values[0] = Int64GetDatum((int64) rows->n);
	values[1] = PointerGetDatum(digest);
	shared_rows_free(rows);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
