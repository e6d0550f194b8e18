/*
 * cohort_sql.c
 *	  The aggregate secmed.cohort(key, patient): a sketch of who is in a group (contract/cohort.h).
 *
 * A patient's print is PostgreSQL's own hash of the value, under the site's key, so that any
 * type that can be hashed tells patients apart, and equal values of it are one patient.
 */
#include "postgres.h"

#include "contract/cohort.h"
#include "fmgr.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(secmed_cohort_step);
PG_FUNCTION_INFO_V1(secmed_cohort_combine);
PG_FUNCTION_INFO_V1(secmed_cohort_serialize);
PG_FUNCTION_INFO_V1(secmed_cohort_deserialize);

/* The state in the aggregate's context; made on the first call. */
static Cohort *
aggregate_state(FunctionCallInfo fcinfo, MemoryContext *context)
{
	if (!AggCheckCallContext(fcinfo, context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (!PG_ARGISNULL(0))
		return (Cohort *) PG_GETARG_POINTER(0);
	return MemoryContextAllocZero(*context, sizeof(Cohort));
}

static FmgrInfo *
hash_function(FunctionCallInfo fcinfo)
{
	TypeCacheEntry *type = fcinfo->flinfo->fn_extra;

	if (type == NULL)
	{
		type = lookup_type_cache(get_fn_expr_argtype(fcinfo->flinfo, 2), TYPECACHE_HASH_EXTENDED_PROC_FINFO);
		if (!OidIsValid(type->hash_extended_proc_finfo.fn_oid))
			elog(ERROR, "this type can't be hashed");
		fcinfo->flinfo->fn_extra = type;
	}
	return &type->hash_extended_proc_finfo;
}

/* Rows without a patient are one patient's. */
Datum
secmed_cohort_step(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext old;
	Cohort	   *cohort = aggregate_state(fcinfo, &context);
	uint64		print = 0;

	if (!PG_ARGISNULL(2))
		print = DatumGetUInt64(FunctionCall2Coll(hash_function(fcinfo), PG_GET_COLLATION(), PG_GETARG_DATUM(2),
												 PG_GETARG_DATUM(1)));
	old = MemoryContextSwitchTo(context);
	cohort_add(cohort, print);
	MemoryContextSwitchTo(old);
	PG_RETURN_POINTER(cohort);
}

Datum
secmed_cohort_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext old;
	Cohort	   *cohort;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return PG_GETARG_DATUM(0);
	}
	cohort = aggregate_state(fcinfo, &context);
	old = MemoryContextSwitchTo(context);
	cohort_combine(cohort, (Cohort *) PG_GETARG_POINTER(1));
	MemoryContextSwitchTo(old);
	PG_RETURN_POINTER(cohort);
}

Datum
secmed_cohort_serialize(PG_FUNCTION_ARGS)
{
	StringInfoData bytes;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	initStringInfo(&bytes);
	appendStringInfoSpaces(&bytes, VARHDRSZ);
	cohort_encode(&bytes, (Cohort *) PG_GETARG_POINTER(0));
	SET_VARSIZE(bytes.data, bytes.len);
	PG_RETURN_BYTEA_P(bytes.data);
}

Datum
secmed_cohort_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	Cohort	   *cohort = palloc0(sizeof(Cohort));

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (!cohort_decode(cohort, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes)))
		elog(ERROR, "unexpected bytes of a cohort");
	PG_RETURN_POINTER(cohort);
}
