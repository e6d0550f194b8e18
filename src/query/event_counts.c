/*
 * event_counts.c
 *	  The aggregates secmed.event_counts and secmed.estimate_events.
 */
#include "postgres.h"

#include "base/limits.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "query/event_counts.h"
#include "query/glm_aggregate.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_event_counts_step);
PG_FUNCTION_INFO_V1(secmed_event_counts_combine);
PG_FUNCTION_INFO_V1(secmed_event_counts_final);
PG_FUNCTION_INFO_V1(secmed_event_counts_serialize);
PG_FUNCTION_INFO_V1(secmed_event_counts_deserialize);
PG_FUNCTION_INFO_V1(secmed_estimate_events_step);
PG_FUNCTION_INFO_V1(secmed_estimate_events_final);

/* ---- which function ---- */

bool
is_event_counts(Oid function)
{
	return is_secmed_function(function, "event_counts");
}

bool
is_estimate_aggregate(Oid function)
{
	return is_secmed_function(function, "estimate_events");
}

/* ---- the query's text ---- */

/* The numbers of a constant array; NULL if it is none. */
static ArrayType *
constant_array(const Aggref *agg, int argument, Oid type, int *n)
{
	Node	   *expr = (Node *) list_nth_node(TargetEntry, agg->args, argument)->expr;
	ArrayType  *array;

	if (!IsA(expr, Const) || ((Const *) expr)->constisnull)
		return NULL;
	array = DatumGetArrayTypeP(((Const *) expr)->constvalue);
	if (ARR_NDIM(array) != 1 || ARR_ELEMTYPE(array) != type || ARR_HASNULL(array))
		return NULL;
	*n = ARR_DIMS(array)[0];
	return array;
}

static bool
shape_of_aggref(const Aggref *agg, Estimate *estimate)
{
	int			n;
	ArrayType  *shape = list_length(agg->args) < EVENT_COUNTS_ARGUMENTS ? NULL :
		constant_array(agg, EVENT_COUNTS_ARGUMENTS - 1, INT4OID, &n);
	const int32 *numbers;

	if (shape == NULL || n != 2)
		return false;
	numbers = (const int32 *) ARR_DATA_PTR(shape);
	if (numbers[0] < 1 || numbers[0] > ESTIMATE_CELLS_MAX || numbers[1] < 1 || numbers[1] > ESTIMATE_CELLS_MAX)
		return false;
	estimate->cells = numbers[0];
	estimate->strata = numbers[1];
	return estimate_inputs(estimate) <= ELEMENTS_MAX;
}

int
event_counts_width(const Aggref *agg)
{
	Estimate	estimate = {0};

	return shape_of_aggref(agg, &estimate) ? (int) estimate_inputs(&estimate) : 0;
}

/* What the decoder takes at the nodes is good. */
static bool
estimate_is_good(const Estimate *estimate)
{
	StringInfoData bytes;
	CborReader	in;
	Estimate	read;

	initStringInfo(&bytes);
	estimate_encode(&bytes, estimate);
	cbor_start(&in, bytes.data, bytes.len);
	estimate_read(&in, &read);
	return cbor_finish(&in);
}

bool
estimate_of_aggref(const Aggref *agg, Estimate *estimate)
{
	ArrayType  *program;
	const int64 *numbers;
	int			n;

	memset(estimate, 0, sizeof(*estimate));
	if (list_length(agg->args) != EVENT_COUNTS_ARGUMENTS + 1 || !shape_of_aggref(agg, estimate))
		return false;
	program = constant_array(agg, EVENT_COUNTS_ARGUMENTS, INT8OID, &n);
	if (program == NULL || n < 2 || n - 2 > ESTIMATE_TIMES_MAX)
		return false;
	numbers = (const int64 *) ARR_DATA_PTR(program);
	for (int i = 0; i < n; i++)
		if (numbers[i] < 0 || numbers[i] > PG_UINT32_MAX)
			return false;
	estimate->program = numbers[0] <= ESTIMATE_PROGRAM_MAX ? (EstimateProgram) numbers[0] : 0;
	estimate->squared = (uint32) numbers[1];
	estimate->npositions = n - 2;
	estimate->positions = palloc(sizeof(uint32) * (n - 1));
	for (int i = 2; i < n; i++)
		estimate->positions[i - 2] = (uint32) numbers[i];
	return estimate_is_good(estimate);
}

/* ---- the aggregate ---- */

typedef struct EventCounts
{
	int32		cells;
	int32		strata;
	int64		counts[FLEXIBLE_ARRAY_MEMBER];
} EventCounts;

static size_t
number_of_counts(int32 cells, int32 strata)
{
	return 2 * (size_t) cells * strata;
}

static void
out_of_place(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s is outside the grid on which events are counted", what)));
}

static EventCounts *
make_state(FunctionCallInfo fcinfo, int32 cells, int32 strata)
{
	MemoryContext context;
	EventCounts *state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	state = MemoryContextAllocZero(context, offsetof(EventCounts, counts) + sizeof(int64) * number_of_counts(cells, strata));
	state->cells = cells;
	state->strata = strata;
	return state;
}

/* The first row's shape is that of all: what sites run has a constant there. */
static EventCounts *
first_state(FunctionCallInfo fcinfo)
{
	ArrayType  *shape = PG_GETARG_ARRAYTYPE_P(4);
	const int32 *numbers = (const int32 *) ARR_DATA_PTR(shape);

	if (ARR_NDIM(shape) != 1 || ARR_DIMS(shape)[0] != 2 || ARR_HASNULL(shape) || ARR_ELEMTYPE(shape) != INT4OID ||
		numbers[0] < 1 || numbers[0] > ESTIMATE_CELLS_MAX || numbers[1] < 1 ||
		number_of_counts(numbers[0], numbers[1]) > ELEMENTS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a grid of events is {cells, strata}")));
	return make_state(fcinfo, numbers[0], numbers[1]);
}

Datum
secmed_event_counts_step(PG_FUNCTION_ARGS)
{
	EventCounts *state;
	int32		cell;
	int32		stratum;

	for (int i = 1; i <= EVENT_COUNTS_ARGUMENTS; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("counts of events need complete rows"),
					 errhint("Leave rows with NULLs out with WHERE.")));
	state = PG_ARGISNULL(0) ? first_state(fcinfo) : (EventCounts *) PG_GETARG_POINTER(0);
	cell = PG_GETARG_INT32(1);
	stratum = PG_GETARG_INT32(3);
	if (cell < 0 || cell >= state->cells)
		out_of_place("a time");
	if (stratum < 0 || stratum >= state->strata)
		out_of_place("a stratum");
	state->counts[(2 * (size_t) stratum + (PG_GETARG_BOOL(2) ? 0 : 1)) * state->cells + cell]++;
	PG_RETURN_POINTER(state);
}

Datum
secmed_event_counts_combine(PG_FUNCTION_ARGS)
{
	EventCounts *state;
	EventCounts *other;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		return PG_GETARG_DATUM(0);
	}
	other = (EventCounts *) PG_GETARG_POINTER(1);
	state = PG_ARGISNULL(0) ? make_state(fcinfo, other->cells, other->strata) : (EventCounts *) PG_GETARG_POINTER(0);
	if (state->cells != other->cells || state->strata != other->strata)
		out_of_place("a part of the rows");
	for (size_t i = 0; i < number_of_counts(state->cells, state->strata); i++)
		state->counts[i] += other->counts[i];
	PG_RETURN_POINTER(state);
}

/* The counts alone: whoever reads them knows the shape, and the deserializer takes it from the front. */
static Datum
counts_bytes(const EventCounts *state, bool with_shape)
{
	size_t		skip = with_shape ? 0 : offsetof(EventCounts, counts);
	size_t		size = offsetof(EventCounts, counts) + sizeof(int64) * number_of_counts(state->cells, state->strata) - skip;
	bytea	   *bytes = palloc(VARHDRSZ + size);

	SET_VARSIZE(bytes, VARHDRSZ + size);
	memcpy(VARDATA(bytes), (const char *) state + skip, size);
	return PointerGetDatum(bytes);
}

Datum
secmed_event_counts_final(PG_FUNCTION_ARGS)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return counts_bytes((EventCounts *) PG_GETARG_POINTER(0), false);
}

Datum
secmed_event_counts_serialize(PG_FUNCTION_ARGS)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	return counts_bytes((EventCounts *) PG_GETARG_POINTER(0), true);
}

Datum
secmed_event_counts_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	size_t		size = VARSIZE_ANY_EXHDR(bytes);
	EventCounts *state = palloc(Max(size, sizeof(EventCounts)));

	memcpy(state, VARDATA_ANY(bytes), size);
	if (size < offsetof(EventCounts, counts) ||
		size != offsetof(EventCounts, counts) + sizeof(int64) * number_of_counts(state->cells, state->strata))
		elog(ERROR, "unexpected length of counts of events");
	PG_RETURN_POINTER(state);
}

/* ---- estimate_events ---- */

static void
not_over_rows(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("secmed.estimate_events is computed by the parties, over tables of sites"),
			 errhint("Use secmed.survfit() and its like, which know local tables as well.")));
}

Datum
secmed_estimate_events_step(PG_FUNCTION_ARGS)
{
	not_over_rows();
	PG_RETURN_NULL();
}

Datum
secmed_estimate_events_final(PG_FUNCTION_ARGS)
{
	not_over_rows();
	PG_RETURN_NULL();
}
