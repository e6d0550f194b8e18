/*
 * datum.h
 *	  Values of the server, made of the ledger's (server only).
 */
#ifndef SECMED_DATUM_H
#define SECMED_DATUM_H

#include "base/base.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "funcapi.h"
#include "ledger/entry.h"
#include "utils/array.h"
#include "utils/timestamp.h"

static inline Datum
bytea_datum(const void *bytes, size_t len)
{
	bytea	   *copy = palloc(VARHDRSZ + len);

	SET_VARSIZE(copy, VARHDRSZ + len);
	memcpy(VARDATA(copy), bytes, len);
	return PointerGetDatum(copy);
}

static inline Datum
time_datum(int64 at_us)
{
	return TimestampTzGetDatum(at_us - (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
}

/* A bigint[]. */
static inline Datum
counters_datum(const uint64 *counters, int n)
{
	Datum		values[ENTRY_COUNTERS_MAX];

	for (int i = 0; i < n; i++)
		values[i] = Int64GetDatum((int64) counters[i]);
	return PointerGetDatum(construct_array(values, n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* For a function that returns one row. */
static inline Datum
row_datum(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

#endif							/* SECMED_DATUM_H */
