/*
 * meta_sql.c
 *	  Meta-analysis as an aggregate over studies, one a row.
 *
 * Studies are few and public: their rows are kept, and sorted before anything is
 * computed, so that the order of rows does not matter.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "stats/meta.h"
#include "stats/outcome_sql.h"
#include "stats/relation_sql.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_meta_step);
PG_FUNCTION_INFO_V1(secmed_meta_final);

#define STUDIES_MAX	100000

typedef struct MetaState
{
	MetaMethod	method;
	double		level;
	int			n;
	int			capacity;
	Study	   *studies;
	int64		missing;
} MetaState;

/* ---- options ---- */

static MetaMethod
method_argument(FunctionCallInfo fcinfo)
{
	char	   *name = PG_NARGS() <= 3 ? "DL" : PG_ARGISNULL(3) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(3));

	if (pg_strcasecmp(name, "DL") == 0)
		return META_DERSIMONIAN_LAIRD;
	if (pg_strcasecmp(name, "REML") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the method of a meta-analysis is 'DL' or 'REML'")));
	return META_REML;
}

static double
level_argument(FunctionCallInfo fcinfo)
{
	double		level = PG_NARGS() <= 4 ? 0.95 : PG_ARGISNULL(4) ? NAN : PG_GETARG_FLOAT8(4);

	check_conf_level(level);
	return level;
}

static MetaState *
new_state(FunctionCallInfo fcinfo, MemoryContext context)
{
	MetaState  *state = MemoryContextAllocZero(context, sizeof(MetaState));

	state->method = method_argument(fcinfo);
	state->level = level_argument(fcinfo);
	state->capacity = 16;
	state->studies = MemoryContextAlloc(context, sizeof(Study) * state->capacity);
	return state;
}

/* ---- studies ---- */

static void
add_study(MetaState *state, double estimate, double error)
{
	if (!isfinite(estimate) || !isfinite(error) || error <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a study has a finite estimate and a standard error above zero")));
	if (state->n == STUDIES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a meta-analysis is of at most %d studies", STUDIES_MAX)));
	if (state->n == state->capacity)
		state->studies = repalloc(state->studies, sizeof(Study) * (state->capacity *= 2));
	state->studies[state->n++] = (Study) {estimate, error};
}

/* meta_step(state internal, estimate double precision, standard_error double precision, method text, conf_level double precision) */
Datum
secmed_meta_step(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MetaState  *state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	state = PG_ARGISNULL(0) ? new_state(fcinfo, context) : (MetaState *) PG_GETARG_POINTER(0);
	if (method_argument(fcinfo) != state->method || level_argument(fcinfo) != state->level)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an option of a statistic must be the same for all rows")));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		state->missing++;
	else
		add_study(state, PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2));
	PG_RETURN_POINTER(state);
}

static int
compare_studies(const void *a, const void *b)
{
	const Study *x = a;
	const Study *y = b;

	if (x->estimate != y->estimate)
		return x->estimate < y->estimate ? -1 : 1;
	return x->error < y->error ? -1 : x->error > y->error;
}

/* The state is not changed for good: sorting it again gives the same. */
Datum
secmed_meta_final(PG_FUNCTION_ARGS)
{
	MetaState  *state = PG_ARGISNULL(0) ? NULL : (MetaState *) PG_GETARG_POINTER(0);
	Outcome		outcome = {0};

	if (state == NULL)
		PG_RETURN_NULL();
	qsort(state->studies, state->n, sizeof(Study), compare_studies);
	meta_analyse(state->studies, state->n, state->method, state->level, &outcome);
	outcome_count(&outcome, "n_missing", state->missing);
	return outcome_of_call(fcinfo, &outcome);
}
