/*
 * glm_aggregate.c
 *	  The aggregates secmed.glm_sums and secmed.exact_glm_sums.
 *
 * Their state is a FixedVector (share/fixed_vector.h), whose length the point
 * of the first row decides.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "query/glm_aggregate.h"
#include "stats/glm_sums.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(secmed_glm_sums_step);
PG_FUNCTION_INFO_V1(secmed_glm_sums_combine);
PG_FUNCTION_INFO_V1(secmed_glm_sums_serialize);
PG_FUNCTION_INFO_V1(secmed_glm_sums_deserialize);
PG_FUNCTION_INFO_V1(secmed_glm_sums_final);

/* ---- which function ---- */

bool
is_secmed_function(Oid function, const char *name)
{
	char	   *found = get_func_name(function);

	return found != NULL && strcmp(found, name) == 0 &&
		get_func_namespace(function) == get_namespace_oid("secmed", true);
}

bool
is_exact_glm_aggregate(Oid function)
{
	return is_secmed_function(function, "exact_glm_sums");
}

bool
is_glm_aggregate(Oid function)
{
	return is_exact_glm_aggregate(function) || is_secmed_function(function, "glm_sums");
}

int
glm_aggregate_width(const Aggref *agg)
{
	Node	   *design = (Node *) llast_node(TargetEntry, agg->args)->expr;
	int			p = 0;

	if (IsA(design, ArrayExpr) && !((ArrayExpr *) design)->multidims)
		p = list_length(((ArrayExpr *) design)->elements);
	else if (IsA(design, Const) && !((Const *) design)->constisnull)
		p = ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(((Const *) design)->constvalue)),
						   ARR_DIMS(DatumGetArrayTypeP(((Const *) design)->constvalue)));
	return p >= 1 && p <= GLM_COLUMNS_MAX ? glm_sums_count(p) : 0;
}

/* ---- the aggregate ---- */

static void
out_of_place(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s does not fit the sums of a regression", what)));
}

/* The numbers of a one-dimensional array without NULLs. */
static const double *
numbers_of(Datum datum, int *n, const char *what)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);

	if (ARR_NDIM(array) != 1 || ARR_ELEMTYPE(array) != FLOAT8OID || ARR_HASNULL(array))
		out_of_place(what);
	*n = ARR_DIMS(array)[0];
	return (const double *) ARR_DATA_PTR(array);
}

static FixedVector *
aggregate_state(FunctionCallInfo fcinfo, int sums)
{
	MemoryContext context;
	FixedVector *vector;

	if (!PG_ARGISNULL(0))
		return (FixedVector *) PG_GETARG_POINTER(0);
	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	vector = MemoryContextAlloc(context, fixed_vector_bytes(sums));
	fixed_vector_init(vector, sums);
	return vector;
}

Datum
secmed_glm_sums_step(PG_FUNCTION_ARGS)
{
	GlmPoint	point;
	FixedVector *vector;
	const double *numbers;
	const double *x;
	int			n;
	int			p;

	for (int i = 1; i <= 5; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the sums of a regression need complete rows"),
					 errhint("Leave rows with NULLs out with WHERE or FILTER.")));
	numbers = numbers_of(PG_GETARG_DATUM(1), &n, "a point");
	x = numbers_of(PG_GETARG_DATUM(5), &p, "a row");
	if (!glm_point_decode(&point, numbers, n) || point.p != p)
		out_of_place("a point");
	vector = aggregate_state(fcinfo, glm_sums_count(p));
	if (vector->n != glm_sums_count(p))
		out_of_place("a row");
	glm_sums_add(vector, &point, PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3), PG_GETARG_FLOAT8(4), x);
	PG_RETURN_POINTER(vector);
}

Datum
secmed_glm_sums_combine(PG_FUNCTION_ARGS)
{
	FixedVector *vector,
			   *other;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return PG_GETARG_DATUM(0);
	}
	other = (FixedVector *) PG_GETARG_POINTER(1);
	vector = aggregate_state(fcinfo, other->n);
	if (vector->n != other->n)
		out_of_place("a row");
	fixed_vector_combine(vector, other);
	PG_RETURN_POINTER(vector);
}

Datum
secmed_glm_sums_serialize(PG_FUNCTION_ARGS)
{
	FixedVector *vector;
	size_t		size;
	bytea	   *bytes;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	vector = (FixedVector *) PG_GETARG_POINTER(0);
	size = fixed_vector_bytes(vector->n);
	bytes = palloc(VARHDRSZ + size);
	SET_VARSIZE(bytes, VARHDRSZ + size);
	memcpy(VARDATA(bytes), vector, size);
	PG_RETURN_BYTEA_P(bytes);
}

Datum
secmed_glm_sums_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	size_t		size = VARSIZE_ANY_EXHDR(bytes);
	FixedVector *vector;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	vector = palloc(Max(size, fixed_vector_bytes(0)));
	memcpy(vector, VARDATA_ANY(bytes), size);
	if (size < fixed_vector_bytes(0) || size != fixed_vector_bytes(vector->n))
		elog(ERROR, "unexpected length of a vector of sums");
	PG_RETURN_POINTER(vector);
}

Datum
glm_aggregate_result(uint32 marks, const double *sums, int n)
{
	Datum	   *datums = palloc(sizeof(Datum) * (n + 1));

	datums[0] = Float8GetDatum((double) marks);
	for (int i = 0; i < n; i++)
		datums[i + 1] = Float8GetDatum(sums[i]);
	return PointerGetDatum(construct_array(datums, n + 1, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

Datum
secmed_glm_sums_final(PG_FUNCTION_ARGS)
{
	FixedVector *vector;
	FixedVector *copy;
	double	   *sums;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	vector = (FixedVector *) PG_GETARG_POINTER(0);
	copy = palloc(fixed_vector_bytes(vector->n));
	memcpy(copy, vector, fixed_vector_bytes(vector->n));
	sums = palloc(sizeof(double) * vector->n);
	fixed_vector_doubles(sums, copy);
	return glm_aggregate_result(vector->marks, sums, vector->n);
}
