/*
 * rows.c
 *	  Short ways to secmed's own tables.
 */
#include "postgres.h"

#include "govern/rows.h"
#include "utils/lsyscache.h"

uint64
rows_run(const char *sql, int expected, int nargs, const Oid *types, const Datum *values)
{
	char		nulls[16];

	Assert(nargs < lengthof(nulls));
	for (int i = 0; i < nargs; i++)
		nulls[i] = values[i] == (Datum) 0 && !get_typbyval(types[i]) ? 'n' : ' ';
	nulls[nargs] = '\0';
	if (SPI_execute_with_args(sql, nargs, (Oid *) types, (Datum *) values, nulls, false, 0) != expected)
		elog(ERROR, "can't read or write secmed's tables");
	return SPI_processed;
}

static Datum
value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

char *
rows_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

bytea *
rows_bytes(uint64 row, int column)
{
	bool		isnull;
	Datum		found = value(row, column, &isnull);

	return isnull ? NULL : DatumGetByteaPP(found);
}

int64
rows_int(uint64 row, int column)
{
	bool		isnull;
	Datum		found = value(row, column, &isnull);

	return isnull ? 0 : DatumGetInt64(found);
}

void
rows_hash(uint8 out[HASH_BYTES], uint64 row, int column)
{
	bytea	   *bytes = rows_bytes(row, column);

	if (bytes == NULL || VARSIZE_ANY_EXHDR(bytes) != HASH_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a hash in secmed's tables is damaged")));
	memcpy(out, VARDATA_ANY(bytes), HASH_BYTES);
}
