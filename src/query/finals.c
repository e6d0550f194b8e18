/*
 * finals.c
 *	  From opened totals to the results PostgreSQL would give.
 *
 * Where PostgreSQL has a final function, it is given the state it would have
 * built itself from the pooled rows: for variances of exact numbers through
 * numeric_deserialize(), which parallel aggregation uses for the same
 * purpose; for double precision the array {N, Sx, Sxx, Sy, Syy, Sxy}, with
 * centred sums that were computed exactly and rounded once.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "nodes/execnodes.h"
#include "query/finals.h"
#include "query/glm_aggregate.h"
#include "query/linear.h"
#include "query/quantile.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static const ComponentTotal *
total_of(const Final *final, const ComponentTotal *totals, int which)
{
	return &totals[final->components[which]];
}

static Datum
null_result(bool *isnull)
{
	*isnull = true;
	return (Datum) 0;
}

static Datum
text_to_numeric(const char *text)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* ---- exact numbers ---- */

/* The sum, which may be NaN or infinite. */
static Datum
numeric_total(const ComponentTotal *total)
{
	if (total->nan || (total->pinf && total->ninf))
		return text_to_numeric("NaN");
	if (total->pinf)
		return text_to_numeric("Infinity");
	if (total->ninf)
		return text_to_numeric("-Infinity");
	return total->numeric;
}

static Datum
final_sum(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	const ComponentTotal *sum = total_of(final, totals, 0);

	if (!sum->present)
		return null_result(isnull);
	if (final->type == INT8OID)
		return DirectFunctionCall1(numeric_int8, sum->numeric);
	return numeric_total(sum);
}

static Datum
final_avg(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	const ComponentTotal *count = total_of(final, totals, 0);
	const ComponentTotal *sum = total_of(final, totals, 1);

	if (count->count == 0)
		return null_result(isnull);
	return DirectFunctionCall2(numeric_div, numeric_total(sum),
							   NumericGetDatum(int64_to_numeric(count->count)));
}

/* numeric_send()'s fields are 16 bits wide, numeric_deserialize() reads 32. */
static void
append_numericvar(StringInfo out, Datum value)
{
	bytea	   *sent = DatumGetByteaP(DirectFunctionCall1(numeric_send, value));
	StringInfoData in;
	int			ndigits;

	initStringInfo(&in);
	appendBinaryStringInfo(&in, VARDATA(sent), VARSIZE(sent) - VARHDRSZ);
	ndigits = pq_getmsgint(&in, 2);
	pq_sendint32(out, ndigits);
	pq_sendint32(out, (int16) pq_getmsgint(&in, 2));	/* weight */
	pq_sendint32(out, pq_getmsgint(&in, 2));	/* sign */
	pq_sendint32(out, pq_getmsgint(&in, 2));	/* display scale */
	for (int i = 0; i < ndigits; i++)
		pq_sendint16(out, pq_getmsgint(&in, 2));
}

/* The state of PostgreSQL's numeric aggregates, as parallel workers send it. */
static Datum
serialized_state(int64 count, Datum sum, Datum squares)
{
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendint64(&out, count);
	append_numericvar(&out, sum);
	append_numericvar(&out, squares);
	pq_sendint32(&out, 0);		/* largest scale, for removing rows only */
	pq_sendint64(&out, 0);
	pq_sendint64(&out, 0);		/* NaN, Infinity, -Infinity are settled before */
	pq_sendint64(&out, 0);
	pq_sendint64(&out, 0);
	return PointerGetDatum(pq_endtypsend(&out));
}

/*
 * Calls a function that insists on being part of an aggregate.  It asks for
 * no more than the node's type and a memory context.
 */
static Datum
call_in_aggregate(Oid function, int nargs, Datum a, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, 2);
	FmgrInfo	flinfo;
	AggState   *state = makeNode(AggState);
	ExprContext *context = makeNode(ExprContext);
	Datum		result;

	context->ecxt_per_tuple_memory = CurrentMemoryContext;
	state->curaggcontext = context;
	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, nargs, InvalidOid, (Node *) state, NULL);
	fcinfo->args[0].value = a;
	fcinfo->args[0].isnull = false;
	fcinfo->args[1].value = (Datum) 0;
	fcinfo->args[1].isnull = true;
	if (nargs == 2)
		fcinfo->args[1].isnull = false;
	result = FunctionCallInvoke(fcinfo);
	*isnull = fcinfo->isnull;
	return result;
}

static Datum
final_variance(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	int64		count = total_of(final, totals, 0)->count;
	const ComponentTotal *sum = total_of(final, totals, 1);
	bool		sample = final->function == F_NUMERIC_VAR_SAMP ||
		final->function == F_NUMERIC_STDDEV_SAMP;
	Datum		state;

	if (count == 0 || (sample && count == 1))
		return null_result(isnull);
	if (sum->nan || sum->pinf || sum->ninf)
		return text_to_numeric("NaN");
	state = call_in_aggregate(F_NUMERIC_DESERIALIZE, 2,
							  serialized_state(count, sum->numeric, total_of(final, totals, 2)->numeric),
							  isnull);
	return call_in_aggregate(final->function, 1, state, isnull);
}

/* ---- double precision ---- */

static double
float_total(const ComponentTotal *total)
{
	if (total->nan || (total->pinf && total->ninf))
		return get_float8_nan();
	if (total->pinf)
		return get_float8_infinity();
	if (total->ninf)
		return -get_float8_infinity();
	return wide_to_double(total->limbs, FIXED_SUM_LIMBS + 1, FIXED_SUM_EXPONENT);
}

static bool
is_special(const ComponentTotal *total)
{
	return total->nan || total->pinf || total->ninf;
}

static Datum
final_sum_float(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	const ComponentTotal *sum = total_of(final, totals, 0);
	double		value;

	if (!sum->present)
		return null_result(isnull);
	value = float_total(sum);
	if (isinf(value) && !is_special(sum))
		float_overflow_error();
	if (final->type == FLOAT8OID)
		return Float8GetDatum(value);
	return DirectFunctionCall1(dtof, Float8GetDatum(value));
}

/* Calls a final function of PostgreSQL's float8 aggregates on its array. */
static Datum
call_on_sums(Oid function, const double *sums, int n, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, 1);
	FmgrInfo	flinfo;
	Datum		datums[CO_COUNT];
	Datum		result;

	for (int i = 0; i < n; i++)
		datums[i] = Float8GetDatum(sums[i]);
	fmgr_info(function, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = PointerGetDatum(construct_array(datums, n, FLOAT8OID, sizeof(float8),
															FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	fcinfo->args[0].isnull = false;
	result = FunctionCallInvoke(fcinfo);
	*isnull = fcinfo->isnull;
	return result;
}

/* Sum of (x - mean x)(y - mean y), as PostgreSQL's transition functions keep it. */
static double
centred(const ComponentTotal *products, const ComponentTotal *x, const ComponentTotal *y, int64 n)
{
	if (n == 0)
		return 0;
	if (is_special(x) || is_special(y))
		return get_float8_nan();
	return fixed_centred(products->limbs, x->limbs, y->limbs, n);
}

/* Not below zero, which only noise can bring about; NaN stays. */
static double
centred_square(const ComponentTotal *squares, const ComponentTotal *x, int64 n)
{
	double		sum = centred(squares, x, x, n);

	return sum < 0 ? 0 : sum;
}

static Datum
final_moments(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	int64		n = total_of(final, totals, 0)->count;
	const ComponentTotal *x = total_of(final, totals, 1);
	double		sums[3] = {n, float_total(x), 0};

	sums[2] = centred_square(total_of(final, totals, 2), x, n);
	return call_on_sums(final->function, sums, 3, isnull);
}

static Datum
final_avg_float(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	double		sums[3] = {total_of(final, totals, 0)->count,
	float_total(total_of(final, totals, 1)), 0};

	return call_on_sums(F_FLOAT8_AVG, sums, 3, isnull);
}

static Datum
final_comoments(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	const int  *components = final->components;
	int64		n = total_of(final, totals, CO_N)->count;
	const ComponentTotal *x = &totals[components[CO_X]];
	const ComponentTotal *y = &totals[components[CO_Y]];
	double		sums[CO_COUNT] = {n};

	if (components[CO_X] >= 0)
		sums[CO_X] = float_total(x);
	if (components[CO_Y] >= 0)
		sums[CO_Y] = float_total(y);
	if (components[CO_XX] >= 0)
		sums[CO_XX] = centred_square(&totals[components[CO_XX]], x, n);
	if (components[CO_YY] >= 0)
		sums[CO_YY] = centred_square(&totals[components[CO_YY]], y, n);
	if (components[CO_XY] >= 0)
		sums[CO_XY] = centred(&totals[components[CO_XY]], x, y, n);
	return call_on_sums(final->function, sums, CO_COUNT, isnull);
}

/* ---- intervals and booleans ---- */

static Datum
final_interval(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	bool		average = final->kind == FINAL_AVG_INTERVAL;
	const ComponentTotal *sum = total_of(final, totals, average ? 1 : 0);
	Interval   *result = palloc(sizeof(Interval));

	if (!sum->present)
		return null_result(isnull);
	*result = sum->interval;
	if (!average)
		return IntervalPGetDatum(result);
	return DirectFunctionCall2(interval_div, IntervalPGetDatum(result),
							   Float8GetDatum((double) total_of(final, totals, 0)->count));
}

/* ---- vectors ---- */

/* Marks, then sums: as glm_sums returns them over local rows. */
static Datum
final_vector(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	const ComponentTotal *total = total_of(final, totals, 0);

	if (!total->present)
		return null_result(isnull);
	return glm_aggregate_result(total->marks, total->sums, total->width);
}

/* What is opened of an arm, as numbers. */
static Datum
final_estimate(const Final *final, const ComponentTotal *totals)
{
	const ComponentTotal *total = total_of(final, totals, 0);
	Datum	   *datums = palloc(sizeof(Datum) * (total->width + 1));

	for (int i = 0; i < total->width; i++)
		datums[i] = Float8GetDatum(total->sums[i]);
	return PointerGetDatum(construct_array(datums, total->width, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum
final_compute(const Final *final, const ComponentTotal *totals, bool *isnull)
{
	const ComponentTotal *first = total_of(final, totals, 0);

	*isnull = false;
	switch (final->kind)
	{
		case FINAL_COUNT:
			return Int64GetDatum(first->count);
		case FINAL_SUM:
			return final_sum(final, totals, isnull);
		case FINAL_AVG:
			return final_avg(final, totals, isnull);
		case FINAL_VARIANCE:
			return final_variance(final, totals, isnull);
		case FINAL_SUM_FLOAT:
			return final_sum_float(final, totals, isnull);
		case FINAL_AVG_FLOAT:
			return final_avg_float(final, totals, isnull);
		case FINAL_MOMENTS:
			return final_moments(final, totals, isnull);
		case FINAL_COMOMENTS:
			return final_comoments(final, totals, isnull);
		case FINAL_SUM_INTERVAL:
		case FINAL_AVG_INTERVAL:
			return final_interval(final, totals, isnull);
		case FINAL_BOOL:
			return first->present ? BoolGetDatum(first->truth) : null_result(isnull);
		case FINAL_LINEAR:
			return linear_result(final, totals, isnull);
		case FINAL_VECTOR:
			return final_vector(final, totals, isnull);
		case FINAL_ESTIMATE:
			return final_estimate(final, totals);
		case FINAL_QUANTILE:
			return quantile_result(final, totals, isnull);
		case FINAL_KEY:
		case FINAL_VALUE:
		case FINAL_PERCENTILE:
			break;
	}
	elog(ERROR, "no aggregate of kind %d", final->kind);
}
