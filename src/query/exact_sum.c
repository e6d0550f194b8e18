/*
 * exact_sum.c
 *	  The aggregates secmed.exact_sum(x), of products (x, y), (x, y, z) and
 *	  (x, y, z, u).
 *
 * Their state is a FixedAcc (share/fixed.h), which is also what they return:
 * bytes that only the site's own encoder reads (query/encode.c), on the same
 * machine.
 */
#include "postgres.h"

#include "fmgr.h"
#include "share/fixed.h"

PG_FUNCTION_INFO_V1(secmed_exact_sum_step);
PG_FUNCTION_INFO_V1(secmed_exact_product_step);
PG_FUNCTION_INFO_V1(secmed_exact_combine);
PG_FUNCTION_INFO_V1(secmed_exact_serialize);
PG_FUNCTION_INFO_V1(secmed_exact_deserialize);

static void
out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("a double precision value does not fit the range in which sites add")));
}

/* The state in the aggregate's context; made on the first call. */
static FixedAcc *
aggregate_state(FunctionCallInfo fcinfo, FixedKind kind)
{
	MemoryContext context;
	FixedAcc   *acc;

	if (!PG_ARGISNULL(0))
		return (FixedAcc *) PG_GETARG_POINTER(0);
	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	acc = MemoryContextAlloc(context, sizeof(FixedAcc));
	fixed_init(acc, kind);
	return acc;
}

static Datum
state_or_null(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return PG_GETARG_DATUM(0);
}

Datum
secmed_exact_sum_step(PG_FUNCTION_ARGS)
{
	FixedAcc   *acc;

	if (PG_ARGISNULL(1))
		return state_or_null(fcinfo);
	acc = aggregate_state(fcinfo, FIXED_SUM);
	if (!fixed_add(acc, PG_GETARG_FLOAT8(1)))
		out_of_range();
	PG_RETURN_POINTER(acc);
}

Datum
secmed_exact_product_step(PG_FUNCTION_ARGS)
{
	int			nfactors = PG_NARGS() - 1;
	double		factors[FIXED_FACTORS_MAX];
	FixedAcc   *acc;

	Assert(nfactors <= FIXED_FACTORS_MAX);
	for (int i = 0; i < nfactors; i++)
	{
		if (PG_ARGISNULL(i + 1))
			return state_or_null(fcinfo);
		factors[i] = PG_GETARG_FLOAT8(i + 1);
	}
	acc = aggregate_state(fcinfo, (FixedKind) (nfactors - 1));
	if (!fixed_add_factors(acc, factors))
		out_of_range();
	PG_RETURN_POINTER(acc);
}

Datum
secmed_exact_combine(PG_FUNCTION_ARGS)
{
	FixedAcc   *acc,
			   *other;

	if (PG_ARGISNULL(1))
		return state_or_null(fcinfo);
	other = (FixedAcc *) PG_GETARG_POINTER(1);
	acc = aggregate_state(fcinfo, other->kind);
	fixed_combine(acc, other);
	PG_RETURN_POINTER(acc);
}

Datum
secmed_exact_serialize(PG_FUNCTION_ARGS)
{
	FixedAcc   *acc;
	bytea	   *bytes;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	acc = (FixedAcc *) PG_GETARG_POINTER(0);
	bytes = palloc(VARHDRSZ + sizeof(FixedAcc));
	SET_VARSIZE(bytes, VARHDRSZ + sizeof(FixedAcc));
	memcpy(VARDATA(bytes), acc, sizeof(FixedAcc));
	PG_RETURN_BYTEA_P(bytes);
}

Datum
secmed_exact_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	FixedAcc   *acc;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	if (VARSIZE_ANY_EXHDR(bytes) != sizeof(FixedAcc))
		elog(ERROR, "unexpected length of an exact sum");
	acc = palloc(sizeof(FixedAcc));
	memcpy(acc, VARDATA_ANY(bytes), sizeof(FixedAcc));
	PG_RETURN_POINTER(acc);
}
