/*
 * datum.h
 *	  Values of the server, made of the ledger's (server only).
 */
#ifndef SECMED_DATUM_H
#define SECMED_DATUM_H

#include "base/base.h"
#include "fmgr.h"
#include "funcapi.h"

static inline Datum
bytea_datum(const void *bytes, size_t len)
{
	bytea	   *copy = palloc(VARHDRSZ + len);

	SET_VARSIZE(copy, VARHDRSZ + len);
	memcpy(VARDATA(copy), bytes, len);
	return PointerGetDatum(copy);
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
