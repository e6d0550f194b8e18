/*
 * all_values_sql.c
 *	  The aggregate secmed.all_values(x, scale).
 *
 * Not for parallel workers: to pass values on takes longer than to read them.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "contract/quantile.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "query/all_values.h"
#include "query/shared_table.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(secmed_all_values_step);
PG_FUNCTION_INFO_V1(secmed_all_values_bytes);

/* In the aggregate's context.  The values have a varlena header before them, so that they are the result as they are. */
typedef struct AllValues
{
	size_t		n;
	size_t		room;
	char	   *memory;
} AllValues;

#define HEADER_BYTES	sizeof(int64)

#define ROOM_FIRST		64

/* ---- which type ---- */

bool
values_type(SecretType *type, Oid sql_type, int scale)
{
	char	   *hint;

	if (sql_type == NUMERICOID)
	{
		*type = secret_numeric(SECRET_DIGITS_MAX, Min(Max(scale, 0), SECRET_DIGITS_MAX));
		return scale >= 0 && scale <= SECRET_DIGITS_MAX;
	}
	if (!secret_type_of_sql(type, sql_type, -1, NIL, &hint) || !secret_is_number(type))
		return false;
	if (type->kind == SECRET_FLOAT)
		type->bits = 64;
	return scale == 0;
}

bool
is_all_values(const Aggref *agg, const SecretType *type)
{
	const Const *scale = list_length(agg->args) == 2 ? (Const *) lsecond_node(TargetEntry, agg->args)->expr : NULL;
	SecretType	of_column;

	if (get_func_namespace(agg->aggfnoid) != get_namespace_oid("secmed", false) ||
		strcmp(get_func_name(agg->aggfnoid), "all_values") != 0)
		return false;
	if (scale == NULL || !IsA(scale, Const) || scale->constisnull)
		return false;
	if (!values_type(&of_column, exprType((Node *) linitial_node(TargetEntry, agg->args)->expr),
					 DatumGetInt32(scale->constvalue)))
		return false;
	return of_column.kind == type->kind && of_column.scale == type->scale && type->bits <= of_column.bits &&
		(type->kind != SECRET_FLOAT || type->bits == 64);
}

/* ---- the state ---- */

static MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("all_values can be called as an aggregate only")));
	return context;
}

static int64 *
values_of(const AllValues *all)
{
	return (int64 *) (all->memory + HEADER_BYTES);
}

static AllValues *
values_create(MemoryContext context)
{
	AllValues  *all = MemoryContextAlloc(context, sizeof(AllValues));

	all->n = 0;
	all->room = ROOM_FIRST;
	all->memory = MemoryContextAllocHuge(context, HEADER_BYTES + all->room * sizeof(int64));
	return all;
}

static void
make_room(AllValues *all)
{
	if (all->n < all->room)
		return;
	if (all->n >= QUANTILE_ROWS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d values", QUANTILE_ROWS_MAX)));
	all->room *= 2;
	all->memory = repalloc_huge(all->memory, HEADER_BYTES + all->room * sizeof(int64));
}

static int64
number_of(const SecretType *type, Oid sql_type, Datum value)
{
	switch (sql_type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return DatumGetInt64(value);
		case FLOAT4OID:
			return quantile_of_double(DatumGetFloat4(value));
		case FLOAT8OID:
			return quantile_of_double(DatumGetFloat8(value));
		default:
			return secret_value_from_datum(type, sql_type, value, "x").number;
	}
}

/* What is known of the call, once for all rows. */
typedef struct ValuesCall
{
	Oid			sql_type;
	SecretType	type;
} ValuesCall;

static ValuesCall *
values_call(FunctionCallInfo fcinfo)
{
	ValuesCall *call = fcinfo->flinfo->fn_extra;

	if (call != NULL)
		return call;
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the scale of all_values can't be null")));
	call = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(ValuesCall));
	call->sql_type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	if (!values_type(&call->type, call->sql_type, PG_GETARG_INT32(2)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("all_values takes numbers, dates and timestamps, and a scale for numeric only")));
	fcinfo->flinfo->fn_extra = call;
	return call;
}

Datum
secmed_all_values_step(PG_FUNCTION_ARGS)
{
	AllValues  *all = PG_ARGISNULL(0) ? NULL : (AllValues *) PG_GETARG_POINTER(0);
	ValuesCall *call = values_call(fcinfo);

	if (PG_ARGISNULL(1))
	{
		if (all == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(all);
	}
	if (all == NULL)
		all = values_create(aggregate_context(fcinfo));
	make_room(all);
	values_of(all)[all->n++] = number_of(&call->type, call->sql_type, PG_GETARG_DATUM(1));
	PG_RETURN_POINTER(all);
}

Datum
secmed_all_values_bytes(PG_FUNCTION_ARGS)
{
	AllValues  *all = (AllValues *) PG_GETARG_POINTER(0);
	bytea	   *bytes = (bytea *) (all->memory + HEADER_BYTES - VARHDRSZ);

	SET_VARSIZE(bytes, VARHDRSZ + all->n * sizeof(int64));
	PG_RETURN_BYTEA_P(bytes);
}
