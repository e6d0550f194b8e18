/*
 * linear_sql.c
 *	  Linear aggregates over local tables.
 *
 * One transition, one combining and one final function serve them all: which
 * aggregate it is, they read from the call.  The state holds a count or an
 * exact sum for each term, so that the answer does not depend on the order of
 * rows, on parallel workers, or on which site holds which row.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "stats/call_sql.h"
#include "stats/outcome_sql.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(secmed_linear_step);
PG_FUNCTION_INFO_V1(secmed_linear_combine);
PG_FUNCTION_INFO_V1(secmed_linear_serialize);
PG_FUNCTION_INFO_V1(secmed_linear_deserialize);
PG_FUNCTION_INFO_V1(secmed_linear_final);

/* Flat, so that it can be sent to another process; `which` counts in linear_all(). */
typedef struct LinearState
{
	int			which;
	int			noptions;
	double		options[LINEAR_OPTIONS_MAX];
	int64		counts[LINEAR_TERMS_MAX];
	FixedAcc	sums[FLEXIBLE_ARRAY_MEMBER];	/* of all terms, counts as well */
} LinearState;

/* What one call needs for each row. */
typedef struct LinearCall
{
	const LinearAggregate *aggregate;
	int			nterms;
	LinearTerm	terms[LINEAR_TERMS_MAX];
	int			nargs;
	int			noptions;
	Oid			option_types[LINEAR_OPTIONS_MAX];
} LinearCall;

static Size
state_bytes(int nterms)
{
	return offsetof(LinearState, sums) + sizeof(FixedAcc) * nterms;
}

/* ---- which aggregate ---- */

static char
type_letter(Oid type)
{
	switch (type)
	{
		case FLOAT8OID:
			return 'n';
		case BOOLOID:
			return 'b';
		case INT4OID:
			return 'i';
		case TEXTOID:
			return 't';
		default:
			return '?';
	}
}

const LinearAggregate *
linear_of_aggref(const Aggref *agg)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(agg->aggfnoid));
	const LinearAggregate *found = NULL;
	char		types[LINEAR_ARGS_MAX + LINEAR_OPTIONS_MAX + 1];
	int			n = 0;
	ListCell   *lc;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", agg->aggfnoid);
	foreach(lc, agg->aggargtypes)
		if (n < lengthof(types) - 1)
			types[n++] = type_letter(lfirst_oid(lc));
	types[n] = '\0';
	if (((Form_pg_proc) GETSTRUCT(tuple))->pronamespace == get_namespace_oid("secmed", true) &&
		agg->aggkind == 'n')
		found = linear_find(NameStr(((Form_pg_proc) GETSTRUCT(tuple))->proname), types);
	ReleaseSysCache(tuple);
	return found;
}

double
linear_option_of_datum(Datum value, bool isnull, Oid type)
{
	Alternative alternative;

	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an option of a statistic must not be NULL")));
	switch (type)
	{
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case BOOLOID:
			return DatumGetBool(value);
		case INT4OID:
			return DatumGetInt32(value);
		case TEXTOID:
			if (alternative_parse(TextDatumGetCString(value), &alternative))
				return alternative;
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the alternative is 'two.sided', 'less' or 'greater'")));
	}
	elog(ERROR, "unexpected type %u of an option", type);
}

static const Aggref *
aggref_of_call(FunctionCallInfo fcinfo)
{
	const Aggref *agg = AggGetAggref(fcinfo);

	if (agg == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("secmed's statistics can't be used as window functions"),
				 errhint("Use GROUP BY.")));
	return agg;
}

static const LinearAggregate *
aggregate_of_call(FunctionCallInfo fcinfo)
{
	const LinearAggregate *aggregate = linear_of_aggref(aggref_of_call(fcinfo));

	if (aggregate == NULL)
		elog(ERROR, "this aggregate is not among secmed's statistics");
	return aggregate;
}

/* Looked up once for each call in a query. */
static LinearCall *
linear_call(FunctionCallInfo fcinfo)
{
	LinearCall *call = fcinfo->flinfo->fn_extra;

	if (call != NULL)
		return call;
	call = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(LinearCall));
	call->aggregate = aggregate_of_call(fcinfo);
	call->nterms = linear_nterms(call->aggregate);
	call->nargs = linear_nargs(call->aggregate);
	call->noptions = PG_NARGS() - 1 - call->nargs;
	for (int i = 0; i < call->nterms; i++)
		linear_term(call->aggregate, i, &call->terms[i]);
	for (int i = 0; i < call->noptions; i++)
		call->option_types[i] = list_nth_oid(AggGetAggref(fcinfo)->aggargtypes, call->nargs + i);
	fcinfo->flinfo->fn_extra = call;
	return call;
}

/* ---- rows ---- */

static LinearState *
new_state(FunctionCallInfo fcinfo, const LinearCall *call)
{
	MemoryContext context;
	LinearState *state;
	int			n;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	state = MemoryContextAllocZero(context, state_bytes(call->nterms));
	state->which = (int) (call->aggregate - linear_all(&n));
	state->noptions = call->noptions;
	for (int i = 0; i < call->noptions; i++)
		state->options[i] = linear_option_of_datum(PG_GETARG_DATUM(1 + call->nargs + i),
												   PG_ARGISNULL(1 + call->nargs + i), call->option_types[i]);
	for (int i = 0; i < call->nterms; i++)
		fixed_init(&state->sums[i], call->terms[i].nfactors == 0 ? FIXED_SUM :
				   (FixedKind) (call->terms[i].nfactors - 1));
	return state;
}

static void
check_options(FunctionCallInfo fcinfo, const LinearCall *call, const LinearState *state)
{
	for (int i = 0; i < call->noptions; i++)
		if (linear_option_of_datum(PG_GETARG_DATUM(1 + call->nargs + i), PG_ARGISNULL(1 + call->nargs + i),
								   call->option_types[i]) != state->options[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("an option of a statistic must be the same for all rows")));
}

static bool
row_counts(FunctionCallInfo fcinfo, const LinearCall *call, const LinearTerm *term)
{
	for (int i = 0; i < call->nargs; i++)
	{
		LinearWhere where = term->where[i];

		if (where == LINEAR_ANY)
			continue;
		if (PG_ARGISNULL(1 + i))
			return false;
		if (where != LINEAR_PRESENT && PG_GETARG_BOOL(1 + i) != (where == LINEAR_TRUE))
			return false;
	}
	return true;
}

static void
add_row(FunctionCallInfo fcinfo, const LinearTerm *term, FixedAcc *sum)
{
	double		factors[FIXED_FACTORS_MAX];

	for (int i = 0; i < term->nfactors; i++)
		factors[i] = PG_GETARG_FLOAT8(1 + term->factors[i]);
	if (!fixed_add_factors(sum, factors))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a double precision value does not fit the range of exact sums"),
				 errdetail("It is zero, or lies between 4e-62 and 1e48 in magnitude.")));
}

Datum
secmed_linear_step(PG_FUNCTION_ARGS)
{
	LinearCall *call = linear_call(fcinfo);
	LinearState *state;

	if (PG_ARGISNULL(0))
		state = new_state(fcinfo, call);
	else
	{
		state = (LinearState *) PG_GETARG_POINTER(0);
		check_options(fcinfo, call, state);
	}
	for (int i = 0; i < call->nterms; i++)
	{
		if (!row_counts(fcinfo, call, &call->terms[i]))
			continue;
		if (call->terms[i].nfactors == 0)
			state->counts[i]++;
		else
			add_row(fcinfo, &call->terms[i], &state->sums[i]);
	}
	PG_RETURN_POINTER(state);
}

/* ---- parallel workers ---- */

static int
state_terms(const LinearState *state)
{
	int			n;

	return linear_nterms(&linear_all(&n)[state->which]);
}

static LinearState *
copy_state(FunctionCallInfo fcinfo, const LinearState *state)
{
	MemoryContext context;
	LinearState *copy;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	copy = MemoryContextAlloc(context, state_bytes(state_terms(state)));
	memcpy(copy, state, state_bytes(state_terms(state)));
	return copy;
}

Datum
secmed_linear_combine(PG_FUNCTION_ARGS)
{
	LinearState *state = PG_ARGISNULL(0) ? NULL : (LinearState *) PG_GETARG_POINTER(0);
	LinearState *other = PG_ARGISNULL(1) ? NULL : (LinearState *) PG_GETARG_POINTER(1);

	if (other == NULL && state == NULL)
		PG_RETURN_NULL();
	if (other == NULL)
		PG_RETURN_POINTER(state);
	if (state == NULL)
		PG_RETURN_POINTER(copy_state(fcinfo, other));
	for (int i = 0; i < state_terms(state); i++)
	{
		state->counts[i] += other->counts[i];
		fixed_combine(&state->sums[i], &other->sums[i]);
	}
	PG_RETURN_POINTER(state);
}

Datum
secmed_linear_serialize(PG_FUNCTION_ARGS)
{
	LinearState *state;
	Size		len;
	bytea	   *bytes;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	state = (LinearState *) PG_GETARG_POINTER(0);
	len = state_bytes(state_terms(state));
	bytes = palloc(VARHDRSZ + len);
	SET_VARSIZE(bytes, VARHDRSZ + len);
	memcpy(VARDATA(bytes), state, len);
	PG_RETURN_BYTEA_P(bytes);
}

Datum
secmed_linear_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes;
	LinearState *state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "aggregate function called in non-aggregate context");
	bytes = PG_GETARG_BYTEA_PP(0);
	state = palloc(VARSIZE_ANY_EXHDR(bytes));
	memcpy(state, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	if (VARSIZE_ANY_EXHDR(bytes) != state_bytes(state_terms(state)))
		elog(ERROR, "unexpected length of a statistic's state");
	PG_RETURN_POINTER(state);
}

/* ---- the result ---- */

static void
total_of_sum(LinearTotal *total, FixedAcc *sum)
{
	total->special = sum->nan || sum->pinf || sum->ninf;
	total->nlimbs = fixed_limbs_of(sum->kind);
	total->exponent = fixed_exponent_of(sum->kind);
	fixed_limbs(total->limbs, sum);
}

/* state is NULL if there was no row. */
static void
totals_of_state(LinearTotals *totals, const LinearState *state)
{
	for (int i = 0; i < linear_nterms(totals->aggregate); i++)
	{
		LinearTerm	term;
		FixedAcc	sum;

		linear_term(totals->aggregate, i, &term);
		if (state != NULL)
			totals->terms[i].count = state->counts[i];
		if (term.nfactors == 0)
			continue;
		fixed_init(&sum, (FixedKind) (term.nfactors - 1));
		if (state != NULL)
			sum = state->sums[i];
		total_of_sum(&totals->terms[i], &sum);
	}
}

Datum
secmed_linear_final(PG_FUNCTION_ARGS)
{
	const Aggref *agg = aggref_of_call(fcinfo);
	LinearState *state = PG_ARGISNULL(0) ? NULL : (LinearState *) PG_GETARG_POINTER(0);
	LinearTotals *totals = palloc0(sizeof(LinearTotals));
	Outcome		outcome;
	Datum		result;
	bool		isnull;

	totals->aggregate = aggregate_of_call(fcinfo);
	linear_set_options(totals, state ? state->options : NULL, state ? state->noptions : 0);
	totals_of_state(totals, state);
	linear_compute(totals, &outcome);
	result = outcome_to_datum(&outcome, agg->aggtype, &isnull);
	pfree(totals);
	if (isnull)
		PG_RETURN_NULL();
	return result;
}
