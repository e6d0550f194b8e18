/*
 * component.c
 *	  Standard aggregates taken apart into sums that add over sites.
 *
 * Integer sums are exact in 128 bits, numeric sums in 512; sums of double
 * precision use secmed.exact_sum (share/fixed.h), so no answer depends on
 * which site holds which row.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "query/component.h"
#include "query/event_counts.h"
#include "query/glm_aggregate.h"
#include "query/linear.h"
#include "query/quantile.h"
#include "stats/call_sql.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

/* One aggregate call being taken apart. */
typedef struct Call
{
	ComponentSet *set;
	Aggref	   *agg;
	const char *name;
	Final	   *final;
	int			nargs;
	Oid			types[2];
	char	   *args[2];		/* SQL text for the sites */
	char	   *words[2];		/* the same as the analyst wrote it, for EXPLAIN */
	char	   *filter;			/* SQL text, or NULL */
	char	   *filter_words;
	uint32		summands;		/* which arguments the next component adds */
	char	  **reason;
	char	  **hint;
} Call;

static const char *const available =
"Available are count, sum, avg, stddev, variance, covar, corr, regr_*, bool_and, bool_or, every, percentile_disc, percentile_cont and secmed's statistics.";

/* ---- adding components ---- */

/* The part of the answer with this support; a new one if there is none yet. */
static int
part_of_support(ComponentSet *set, Support *support)
{
	ListCell   *lc;

	if (set->supports == NIL)
		set->supports = list_make1(palloc0(sizeof(Support)));
	foreach(lc, set->supports)
		if (support_equal(lfirst(lc), support))
			return foreach_current_index(lc);
	set->supports = lappend(set->supports, support);
	return list_length(set->supports) - 1;
}

int
component_add(ComponentSet *set, Support *support, ComponentKind kind, char *sql, char *what)
{
	int			part = part_of_support(set, support);
	Component  *component;
	ListCell   *lc;

	foreach(lc, set->components)
	{
		component = lfirst(lc);
		if (component->kind == kind && component->part == part && strcmp(component->sql, sql) == 0)
			return foreach_current_index(lc);
	}
	component = palloc(sizeof(Component));
	component->kind = kind;
	component->width = 0;
	component->quantiles = NULL;
	component->part = part;
	component->sql = sql;
	component->what = what;
	component->extreme = EXTREME_NONE;
	component->arg = NULL;
	set->components = lappend(set->components, component);
	return list_length(set->components) - 1;
}

/* The aggregate call `inner`, with the query's FILTER and perhaps one more condition. */
static int
add_filtered(Call *call, ComponentKind kind, char *inner, char *what, const char *condition)
{
	int			at;

	if (call->filter && condition)
		inner = psprintf("%s FILTER (WHERE (%s) AND %s)", inner, call->filter, condition);
	else if (call->filter || condition)
		inner = psprintf("%s FILTER (WHERE %s)", inner, call->filter ? call->filter : condition);
	if (call->filter)
		what = psprintf("%s FILTER (WHERE %s)", what, call->filter_words);
	at = component_add(call->set,
					   support_of_aggregate(call->agg, kind, call->summands, call->set->never_null, call->set->arg),
					   kind, inner, what);
	((Component *) list_nth(call->set->components, at))->arg = call->agg->args ?
		(Node *) linitial_node(TargetEntry, call->agg->args)->expr : NULL;
	return at;
}

static int
add_count(Call *call)
{
	return add_filtered(call, COMPONENT_COUNT, psprintf("count(%s)", call->args[0]),
						psprintf("count(%s)", call->words[0]), NULL);
}

/*
 * The count beside a sum of the same column.  Where the column is never NULL
 * it is that of all rows, which other aggregates need as well; that it is
 * not NULL at a site either, the site finds out from the sum.
 */
static int
add_count_beside_sum(Call *call)
{
	Node	   *arg = (Node *) linitial_node(TargetEntry, call->agg->args)->expr;

	if (IsA(arg, Var) && call->set->never_null((Var *) arg, call->set->arg))
		return add_filtered(call, COMPONENT_COUNT, "count(*)", "count(*)", NULL);
	return add_count(call);
}

/* ---- aggregates of one column ---- */

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static bool
is_float(Oid type)
{
	return type == FLOAT4OID || type == FLOAT8OID;
}

static const char *
as_float8(Call *call, int i)
{
	return call->types[i] == FLOAT8OID ? call->args[i] :
		psprintf("(%s)::double precision", call->args[i]);
}

/* sum(x) as the component its type asks for; -1 if there is none. */
static int
add_sum(Call *call)
{
	ComponentKind kind = COMPONENT_SUM_FLOAT;
	char	   *what = psprintf("sum(%s)", call->words[0]);

	if (is_integer(call->types[0]))
		kind = COMPONENT_SUM_INTEGER;
	else if (call->types[0] == NUMERICOID)
		kind = COMPONENT_SUM_NUMERIC;
	else if (call->types[0] == INTERVALOID)
		kind = COMPONENT_SUM_INTERVAL;
	else if (!is_float(call->types[0]))
		return -1;

	if (kind == COMPONENT_SUM_FLOAT)
		return add_filtered(call, kind, psprintf("secmed.exact_sum(%s)", as_float8(call, 0)), what, NULL);
	return add_filtered(call, kind, psprintf("sum(%s)", call->args[0]), what, NULL);
}

/*
 * The sum of squares.  Squares of integer fit bigint; those of bigint need
 * more than one ring element, as those of numeric do.
 */
static int
add_sum_squares(Call *call)
{
	const char *x = call->args[0];
	char	   *what = psprintf("sum(%s * %s)", call->words[0], call->words[0]);

	switch (call->types[0])
	{
		case INT2OID:
		case INT4OID:
			return add_filtered(call, COMPONENT_SUM_INTEGER,
								psprintf("sum((%s)::bigint * (%s)::bigint)", x, x), what, NULL);
		case INT8OID:
			return add_filtered(call, COMPONENT_SUM_NUMERIC_PRODUCT,
								psprintf("sum((%s)::numeric * (%s)::numeric)", x, x), what, NULL);
		case NUMERICOID:
			return add_filtered(call, COMPONENT_SUM_NUMERIC_PRODUCT,
								psprintf("sum((%s) * (%s))", x, x), what, NULL);
		default:
			return add_filtered(call, COMPONENT_SUM_FLOAT_PRODUCT,
								psprintf("secmed.exact_sum(%s, %s)", as_float8(call, 0), as_float8(call, 0)),
								what, NULL);
	}
}

static bool
decompose_count(Call *call)
{
	call->final->kind = FINAL_COUNT;
	if (call->agg->aggstar)
	{
		call->final->components[0] = add_filtered(call, COMPONENT_COUNT, "count(*)", "count(*)", NULL);
		return true;
	}
	if (call->agg->aggdistinct == NIL)
	{
		call->final->components[0] = add_count(call);
		return true;
	}
	if (!call->set->is_patient((Node *) linitial_node(TargetEntry, call->agg->args)->expr,
							   call->set->arg))
	{
		*call->reason = "DISTINCT is available only in count, of the patient column: other values may occur at several sites";
		*call->hint = pstrdup(available);
		return false;
	}
	call->final->components[0] =
		add_filtered(call, COMPONENT_COUNT, psprintf("count(DISTINCT %s)", call->args[0]),
					 psprintf("count(DISTINCT %s)", call->words[0]), NULL);
	return true;
}

static bool
decompose_sum(Call *call)
{
	call->final->kind = FINAL_SUM;
	if (is_float(call->types[0]))
		call->final->kind = FINAL_SUM_FLOAT;
	else if (call->types[0] == INTERVALOID)
		call->final->kind = FINAL_SUM_INTERVAL;
	call->final->components[0] = add_sum(call);
	return call->final->components[0] >= 0;
}

static bool
decompose_avg(Call *call)
{
	call->final->kind = FINAL_AVG;
	if (is_float(call->types[0]))
		call->final->kind = FINAL_AVG_FLOAT;
	else if (call->types[0] == INTERVALOID)
		call->final->kind = FINAL_AVG_INTERVAL;
	call->final->components[1] = add_sum(call);
	if (call->final->components[1] < 0)
		return false;
	call->final->components[0] = add_count_beside_sum(call);
	return true;
}

static const VarianceFinal variances[] = {
	{"var_pop", F_NUMERIC_VAR_POP, F_FLOAT8_VAR_POP},
	{"var_samp", F_NUMERIC_VAR_SAMP, F_FLOAT8_VAR_SAMP},
	{"variance", F_NUMERIC_VAR_SAMP, F_FLOAT8_VAR_SAMP},
	{"stddev_pop", F_NUMERIC_STDDEV_POP, F_FLOAT8_STDDEV_POP},
	{"stddev_samp", F_NUMERIC_STDDEV_SAMP, F_FLOAT8_STDDEV_SAMP},
	{"stddev", F_NUMERIC_STDDEV_SAMP, F_FLOAT8_STDDEV_SAMP},
};

const VarianceFinal *
variance_find(const char *name)
{
	for (int i = 0; i < lengthof(variances); i++)
		if (strcmp(name, variances[i].name) == 0)
			return &variances[i];
	return NULL;
}

static bool
decompose_variance(Call *call, const VarianceFinal *variance)
{
	bool		floating = is_float(call->types[0]);

	if (!floating && !is_integer(call->types[0]) && call->types[0] != NUMERICOID)
		return false;
	call->final->kind = floating ? FINAL_MOMENTS : FINAL_VARIANCE;
	call->final->function = floating ? variance->floating : variance->exact;
	call->final->components[0] = add_count_beside_sum(call);
	call->final->components[1] = add_sum(call);
	call->final->components[2] = add_sum_squares(call);
	return true;
}

static bool
decompose_bool(Call *call, bool is_or)
{
	call->final->kind = FINAL_BOOL;
	call->final->components[0] =
		add_filtered(call, is_or ? COMPONENT_BOOL_OR : COMPONENT_BOOL_AND,
					 psprintf("%s(%s)", is_or ? "bool_or" : "bool_and", call->args[0]),
					 psprintf("%s(%s)", is_or ? "bool_or" : "bool_and", call->words[0]), NULL);
	return true;
}

/* Whoever merges groups compares texts byte by byte. */
static bool
decompose_extreme(Call *call, Extreme extreme)
{
	Oid			collation = call->agg->inputcollid;
	Component  *component;

	if (OidIsValid(collation) && !lc_collate_is_c(collation))
		return false;
	call->final->kind = FINAL_VALUE;
	call->final->components[0] = add_filtered(call, COMPONENT_COUNT, psprintf("%s(%s)", call->name, call->args[0]),
											  psprintf("%s(%s)", call->name, call->words[0]), NULL);
	component = list_nth(call->set->components, call->final->components[0]);
	component->extreme = extreme;
	return true;
}

/* ---- aggregates of two columns ---- */

static const ComomentFinal comoments[] = {
	{"regr_avgx", F_FLOAT8_REGR_AVGX, "nx"},
	{"regr_avgy", F_FLOAT8_REGR_AVGY, "ny"},
	{"regr_sxx", F_FLOAT8_REGR_SXX, "nxX"},
	{"regr_syy", F_FLOAT8_REGR_SYY, "nyY"},
	{"regr_sxy", F_FLOAT8_REGR_SXY, "nxyp"},
	{"covar_pop", F_FLOAT8_COVAR_POP, "nxyp"},
	{"covar_samp", F_FLOAT8_COVAR_SAMP, "nxyp"},
	{"corr", F_FLOAT8_CORR, "nxXyYp"},
	{"regr_slope", F_FLOAT8_REGR_SLOPE, "nxXyp"},
	{"regr_intercept", F_FLOAT8_REGR_INTERCEPT, "nxXyp"},
	{"regr_r2", F_FLOAT8_REGR_R2, "nxXyYp"},
};

const ComomentFinal *
comoment_find(const char *name)
{
	for (int i = 0; i < lengthof(comoments); i++)
		if (strcmp(name, comoments[i].name) == 0)
			return &comoments[i];
	return NULL;
}

static int
add_regr_count(Call *call)
{
	return add_filtered(call, COMPONENT_COUNT,
						psprintf("regr_count(%s, %s)", call->args[0], call->args[1]),
						psprintf("regr_count(%s, %s)", call->words[0], call->words[1]), NULL);
}

/* Sums of one column count only where the other is there too. */
static int
add_pair_sum(Call *call, int arg)
{
	call->summands = 1 << arg;
	return add_filtered(call, COMPONENT_SUM_FLOAT, psprintf("secmed.exact_sum(%s)", call->args[arg]),
						psprintf("sum(%s) where %s is known", call->words[arg], call->words[1 - arg]),
						psprintf("(%s) IS NOT NULL", call->args[1 - arg]));
}

static int
add_pair_squares(Call *call, int arg)
{
	call->summands = 1 << arg;
	return add_filtered(call, COMPONENT_SUM_FLOAT_PRODUCT,
						psprintf("secmed.exact_sum(%s, %s)", call->args[arg], call->args[arg]),
						psprintf("sum(%s * %s) where %s is known", call->words[arg], call->words[arg], call->words[1 - arg]),
						psprintf("(%s) IS NOT NULL", call->args[1 - arg]));
}

static bool
decompose_comoments(Call *call, const ComomentFinal *comoment)
{
	int		   *components = call->final->components;
	const char *sums = comoment->sums;

	call->final->kind = FINAL_COMOMENTS;
	call->final->function = comoment->function;
	components[CO_N] = add_regr_count(call);
	if (strchr(sums, 'x'))
		components[CO_X] = add_pair_sum(call, 1);
	if (strchr(sums, 'X'))
		components[CO_XX] = add_pair_squares(call, 1);
	if (strchr(sums, 'y'))
		components[CO_Y] = add_pair_sum(call, 0);
	if (strchr(sums, 'Y'))
		components[CO_YY] = add_pair_squares(call, 0);
	call->summands = ALL_ARGUMENTS;
	if (strchr(sums, 'p'))
		components[CO_XY] = add_filtered(call, COMPONENT_SUM_FLOAT_PRODUCT,
										 psprintf("secmed.exact_sum(%s, %s)", call->args[0], call->args[1]),
										 psprintf("sum(%s * %s)", call->words[0], call->words[1]), NULL);
	return true;
}

/* ---- the sums of a regression ---- */

/*
 * Sites run exact_glm_sums with the same arguments.  No row is left out by a
 * NULL in them (it is an error), so FILTER alone says whose values are added.
 */
static bool
decompose_glm_sums(Call *call)
{
	StringInfoData sql;
	int			width = glm_aggregate_width(call->agg);
	int			which;
	ListCell   *lc;

	if (width == 0)
	{
		*call->reason = "the columns of glm_sums are to be written ARRAY[...]";
		return false;
	}
	initStringInfo(&sql);
	foreach(lc, call->agg->args)
	{
		char	   *text = deparse_site_expression(call->set->deparser,
												   (Node *) lfirst_node(TargetEntry, lc)->expr, call->reason);

		if (text == NULL)
			return false;
		appendStringInfo(&sql, "%s%s", foreach_current_index(lc) ? ", " : "secmed.exact_glm_sums(", text);
	}
	appendStringInfoChar(&sql, ')');
	which = add_filtered(call, COMPONENT_SUM_FLOAT_VECTOR, sql.data, "the sums of a regression's iteration", NULL);
	((Component *) list_nth(call->set->components, which))->width = width;
	call->final->kind = FINAL_VECTOR;
	call->final->components[0] = which;
	return true;
}

/* ---- programs of the parties ---- */

/* Sites run event_counts with the same arguments but the last, which says what the parties do with the counts. */
static bool
decompose_estimate(Call *call)
{
	StringInfoData sql;
	int			which;

	if (call->agg->aggfilter != NULL || call->set->components != NIL ||
		!estimate_of_aggref(call->agg, &call->set->estimate))
	{
		*call->reason = "estimate_events stands alone, with constant arrays, and without FILTER";
		return false;
	}
	initStringInfo(&sql);
	for (int i = 0; i < EVENT_COUNTS_ARGUMENTS; i++)
	{
		char	   *text = deparse_site_expression(call->set->deparser,
												   (Node *) list_nth_node(TargetEntry, call->agg->args, i)->expr, call->reason);

		if (text == NULL)
			return false;
		appendStringInfo(&sql, "%s%s", i ? ", " : "secmed.event_counts(", text);
	}
	appendStringInfoChar(&sql, ')');
	which = add_filtered(call, COMPONENT_EVENT_COUNTS, sql.data, pstrdup(estimate_words(&call->set->estimate)), NULL);
	((Component *) list_nth(call->set->components, which))->width = (int) estimate_inputs(&call->set->estimate);
	call->final->kind = FINAL_ESTIMATE;
	call->final->components[0] = which;
	return true;
}

/* ---- dispatch ---- */

/* FILTER as text; false with a reason. */
static bool
deparse_filter(Call *call)
{
	if (call->agg->aggfilter == NULL)
		return true;
	call->filter = deparse_site_expression(call->set->deparser, (Node *) call->agg->aggfilter, call->reason);
	if (call->filter == NULL)
		return false;
	call->filter_words = deparse_for_people(call->set->deparser, (Node *) call->agg->aggfilter);
	return true;
}

/* Arguments and FILTER as text; false with a reason. */
static bool
deparse_call(Call *call)
{
	ListCell   *lc;

	foreach(lc, call->agg->args)
	{
		Node	   *arg = (Node *) lfirst_node(TargetEntry, lc)->expr;

		if (call->nargs == 2)
			return false;
		call->types[call->nargs] = exprType(arg);
		call->args[call->nargs] = deparse_site_expression(call->set->deparser, arg, call->reason);
		if (call->args[call->nargs] == NULL)
			return false;
		call->words[call->nargs] = deparse_for_people(call->set->deparser, arg);
		call->nargs++;
	}
	return deparse_filter(call);
}

static bool
decompose_by_name(Call *call)
{
	const char *name = call->name;

	if (strcmp(name, "count") == 0)
		return decompose_count(call);
	if (call->agg->aggdistinct != NIL)
	{
		*call->reason = "DISTINCT is available only in count, of the patient column: other values may occur at several sites";
		*call->hint = pstrdup(available);
		return false;
	}
	if (strcmp(name, "sum") == 0)
		return decompose_sum(call);
	if (strcmp(name, "avg") == 0)
		return decompose_avg(call);
	if (strcmp(name, "bool_or") == 0)
		return decompose_bool(call, true);
	if (strcmp(name, "bool_and") == 0 || strcmp(name, "every") == 0)
		return decompose_bool(call, false);
	if (call->set->merged && strcmp(name, "min") == 0)
		return decompose_extreme(call, EXTREME_LEAST);
	if (call->set->merged && strcmp(name, "max") == 0)
		return decompose_extreme(call, EXTREME_GREATEST);
	if (strcmp(name, "regr_count") == 0)
	{
		call->final->kind = FINAL_COUNT;
		call->final->components[0] = add_regr_count(call);
		return true;
	}
	if (variance_find(name))
		return decompose_variance(call, variance_find(name));
	if (comoment_find(name))
		return decompose_comoments(call, comoment_find(name));
	return false;
}

static char *
hint_for(const char *name)
{
	if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0)
		return psprintf("A minimum or maximum is one patient's value. %s", available);
	if (strcmp(name, "array_agg") == 0 || strcmp(name, "string_agg") == 0 ||
		strncmp(name, "json", 4) == 0)
		return psprintf("It would show the rows themselves. %s", available);
	return pstrdup(available);
}

void
final_init(Final *final, Oid type)
{
	memset(final, 0, sizeof(*final));
	final->type = type;
	final->function = InvalidOid;
	for (int i = 0; i < FINAL_COMPONENTS_MAX; i++)
		final->components[i] = -1;
}

bool
aggregate_decompose(ComponentSet *set, Aggref *agg, Final *final, char **reason, char **hint)
{
	Call		call = {.set = set, .agg = agg, .final = final, .summands = ALL_ARGUMENTS,
	.reason = reason, .hint = hint};
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(agg->aggfnoid));
	bool		standard;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", agg->aggfnoid);
	call.name = pstrdup(NameStr(((Form_pg_proc) GETSTRUCT(tuple))->proname));
	standard = ((Form_pg_proc) GETSTRUCT(tuple))->pronamespace == PG_CATALOG_NAMESPACE;
	ReleaseSysCache(tuple);

	*reason = *hint = NULL;
	final_init(final, agg->aggtype);
	if (set->estimate.program != 0)
	{
		*reason = "estimate_events stands alone";
		return false;
	}
	if (linear_of_aggref(agg) != NULL)
		return linear_decompose(set, agg, final, reason, hint);
	if (is_percentile(agg) && agg->agglevelsup == 0)
		return quantile_decompose(set, agg, final, reason, hint);

	if (is_estimate_aggregate(agg->aggfnoid) && agg->aggdistinct == NIL && agg->agglevelsup == 0)
	{
		if (decompose_estimate(&call))
			return true;
	}
	else if (is_glm_aggregate(agg->aggfnoid) && agg->aggdistinct == NIL && agg->agglevelsup == 0 &&
		deparse_filter(&call) && decompose_glm_sums(&call))
		return true;
	if (standard && agg->aggkind == AGGKIND_NORMAL && !agg->aggvariadic && agg->agglevelsup == 0 &&
		deparse_call(&call) && decompose_by_name(&call))
		return true;
	if (*reason == NULL)
	{
		*reason = psprintf("aggregate %s is not available over several sites",
						   format_procedure(agg->aggfnoid));
		*hint = hint_for(call.name);
	}
	return false;
}

/* A double as two integers of a plan's list. */
static List *
append_double(List *list, double value)
{
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	return lappend_int(lappend_int(list, (int) (uint32) bits), (int) (bits >> 32));
}

static double
double_at(List *list, int at)
{
	uint64		bits = (uint32) list_nth_int(list, at) | (uint64) list_nth_int(list, at + 1) << 32;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

List *
final_to_list(const Final *final)
{
	List	   *list = list_make4_int(final->kind, (int) final->type, (int) final->function, final->linear);

	list = lappend_int(lappend_int(list, final->asked), final->nasked);
	for (int i = 0; i < FINAL_COMPONENTS_MAX; i++)
		list = lappend_int(list, final->components[i]);
	for (int i = 0; i < LINEAR_OPTIONS_MAX; i++)
		list = append_double(list, final->options[i]);
	return list;
}

Final
final_from_list(List *list)
{
	Final		final;
	int			at = 6;

	final.kind = list_nth_int(list, 0);
	final.type = (Oid) list_nth_int(list, 1);
	final.function = (Oid) list_nth_int(list, 2);
	final.linear = list_nth_int(list, 3);
	final.asked = list_nth_int(list, 4);
	final.nasked = list_nth_int(list, 5);
	for (int i = 0; i < FINAL_COMPONENTS_MAX; i++)
		final.components[i] = list_nth_int(list, at++);
	for (int i = 0; i < LINEAR_OPTIONS_MAX; i++, at += 2)
		final.options[i] = double_at(list, at);
	return final;
}
