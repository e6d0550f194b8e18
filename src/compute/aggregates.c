/*
 * aggregates.c
 *	  Standard aggregates taken apart into those of oblivious plans.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "compute/aggregates.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "query/quantile.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/syscache.h"

/* One aggregate call being taken apart. */
typedef struct Call
{
	GroupMaker *group;
	Aggref	   *agg;
	Final	   *final;
	int			part;			/* of what was added last */
	Term		args[2];
	int			nargs;
	Expression *filter;
} Call;

static const char *const available =
"Available are count, sum, avg, min, max, variances, covar, corr, regr_*, bool_and, bool_or, every, percentile_disc and percentile_cont.";

static bool
refuse(Call *call, char *reason, const char *hint)
{
	return term_refuse(&call->group->compiler->maker, reason, pstrdup(hint ? hint : available));
}

static bool
refuse_call(Call *call)
{
	return refuse(call, psprintf("%s is not available over shared tables",
								 deparse_for_people(&call->group->compiler->maker.deparser, (Node *) call->agg)), NULL);
}

/* ---- parts ---- */

/* Arguments that may be NULL, so that not every row contributes. */
static int
nullable_args(Call *call, const PlanAggregate *aggregate, Expression *out[2])
{
	int			n = 0;

	for (int i = 0; i < aggregate->nargs; i++)
	{
		ColumnType	type;

		if (rel_type(&call->group->compiler->maker, call->group->rel, aggregate->args[i], &type) &&
			type.type.nullable && (n == 0 || !expression_equal(out[0], aggregate->args[i])))
			out[n++] = aggregate->args[i];
	}
	return n;
}

static bool
same_filter(const Expression *a, const Expression *b)
{
	return a == NULL || b == NULL ? a == b : expression_equal(a, b);
}

static bool
same_support(Call *call, const PlanAggregate *a, const PlanAggregate *b)
{
	Expression *of_a[2];
	Expression *of_b[2];
	int			n = nullable_args(call, a, of_a);

	if (!same_filter(a->filter, b->filter) || n != nullable_args(call, b, of_b))
		return false;
	for (int i = 0; i < n; i++)
		if (!expression_equal(of_a[i], of_b[i]))
			return false;
	return true;
}

/* The part of the answer whose patients contribute to this aggregate. */
static int
part_of(Call *call, PlanAggregate *aggregate)
{
	Expression *nullable[2];
	ListCell   *lc;

	if (call->group->group->node.npatients == 0 ||
		(aggregate->filter == NULL && nullable_args(call, aggregate, nullable) == 0))
		return 0;
	foreach(lc, call->group->supports)
		if (same_support(call, lfirst(lc), aggregate))
			return foreach_current_index(lc) + 1;
	call->group->supports = lappend(call->group->supports, aggregate);
	return list_length(call->group->supports);
}

static bool
same_aggregate(const PlanAggregate *a, const PlanAggregate *b)
{
	if (a->kind != b->kind || a->nargs != b->nargs || a->numerator != b->numerator ||
		a->denominator != b->denominator || !same_filter(a->filter, b->filter))
		return false;
	for (int i = 0; i < a->nargs; i++)
		if (!expression_equal(a->args[i], b->args[i]))
			return false;
	return true;
}

/* Its number in the group; one that is there already is used again. */
static int
add(Call *call, PlanAggregate wanted)
{
	PlanAggregate  *aggregate = palloc(sizeof(PlanAggregate));
	ListCell   *lc;

	wanted.filter = wanted.filter ? wanted.filter : call->filter;
	foreach(lc, call->group->aggregates)
		if (same_aggregate(lfirst(lc), &wanted))
		{
			call->part = ((PlanAggregate *) lfirst(lc))->part;
			return foreach_current_index(lc);
		}
	*aggregate = wanted;
	aggregate->part = call->part = part_of(call, aggregate);
	call->group->aggregates = lappend(call->group->aggregates, aggregate);
	return list_length(call->group->aggregates) - 1;
}

static int
add_of(Call *call, PlanAggregateKind kind, int arg)
{
	return add(call, (PlanAggregate) {.kind = kind, .nargs = 1, .args = {call->args[arg].expression}});
}

static int
add_product(Call *call, int a, int b)
{
	return add(call, (PlanAggregate) {.kind = PLAN_AGGREGATE_SUM_PRODUCT, .nargs = 2,
			   .args = {call->args[a].expression, call->args[b].expression}});
}

/* Is the argument a value that can be added up? */
static bool
is_summable(const Term *term)
{
	return term->kind == SECRET_INTEGER || term->kind == SECRET_NUMERIC || term->kind == SECRET_FLOAT;
}

/* ---- aggregates of one column ---- */

static bool
decompose_count(Call *call)
{
	call->final->kind = FINAL_COUNT;
	if (call->agg->aggstar)
		call->final->components[0] = add(call, (PlanAggregate) {.kind = PLAN_AGGREGATE_COUNT_ROWS});
	else
		call->final->components[0] = add_of(call, call->agg->aggdistinct ? PLAN_AGGREGATE_COUNT_DISTINCT :
											PLAN_AGGREGATE_COUNT, 0);
	return true;
}

static bool
decompose_sum(Call *call)
{
	call->final->kind = call->args[0].kind == SECRET_FLOAT ? FINAL_SUM_FLOAT : FINAL_SUM;
	call->final->components[0] = add_of(call, PLAN_AGGREGATE_SUM, 0);
	return is_summable(&call->args[0]);
}

static bool
decompose_avg(Call *call)
{
	call->final->kind = call->args[0].kind == SECRET_FLOAT ? FINAL_AVG_FLOAT : FINAL_AVG;
	call->final->components[1] = add_of(call, PLAN_AGGREGATE_SUM, 0);
	call->final->components[0] = add_of(call, PLAN_AGGREGATE_COUNT, 0);
	return is_summable(&call->args[0]);
}

static bool
decompose_variance(Call *call, const VarianceFinal *variance)
{
	bool		is_float = call->args[0].kind == SECRET_FLOAT;

	call->final->kind = is_float ? FINAL_MOMENTS : FINAL_VARIANCE;
	call->final->function = is_float ? variance->floating : variance->exact;
	call->final->components[0] = add_of(call, PLAN_AGGREGATE_COUNT, 0);
	call->final->components[1] = add_of(call, PLAN_AGGREGATE_SUM, 0);
	call->final->components[2] = add_product(call, 0, 0);
	return is_summable(&call->args[0]);
}

static bool
decompose_value(Call *call, PlanAggregateKind kind)
{
	bool		ordered = kind == PLAN_AGGREGATE_MIN || kind == PLAN_AGGREGATE_MAX;

	if (ordered && call->args[0].kind == SECRET_TEXT && !lc_collate_is_c(call->agg->inputcollid))
		return refuse(call, "min and max of text follow a language's rules",
					  "Secret text is ordered by its bytes: write COLLATE \"C\".");
	call->final->kind = FINAL_VALUE;
	call->final->components[0] = add_of(call, kind, 0);
	return true;
}

/* ---- aggregates of two columns ---- */

static Expression *
and_present(Call *call, int arg)
{
	Expression *present = expression_unary(EXPRESSION_NOT,
										   expression_unary(EXPRESSION_IS_NULL, call->args[arg].expression));

	return call->filter ? expression_binary(EXPRESSION_AND, call->filter, present) : present;
}

/* Of one column, where the other is there too. */
static int
add_pair(Call *call, PlanAggregate aggregate, int other)
{
	ColumnType	type;

	if (rel_type(&call->group->compiler->maker, call->group->rel, call->args[other].expression, &type) &&
		type.type.nullable)
		aggregate.filter = and_present(call, other);
	return add(call, aggregate);
}

static int
add_pair_of(Call *call, PlanAggregateKind kind, int arg)
{
	return add_pair(call, (PlanAggregate) {.kind = kind, .nargs = 1, .args = {call->args[arg].expression}}, 1 - arg);
}

static int
add_pair_squares(Call *call, int arg)
{
	return add_pair(call, (PlanAggregate) {.kind = PLAN_AGGREGATE_SUM_PRODUCT, .nargs = 2,
					.args = {call->args[arg].expression, call->args[arg].expression}}, 1 - arg);
}

static bool
decompose_comoments(Call *call, const ComomentFinal *comoment)
{
	const char *sums = comoment->sums;
	int		   *components = call->final->components;

	call->final->kind = FINAL_COMOMENTS;
	call->final->function = comoment->function;
	components[CO_N] = add_pair_of(call, PLAN_AGGREGATE_COUNT, 1);
	if (strchr(sums, 'x'))
		components[CO_X] = add_pair_of(call, PLAN_AGGREGATE_SUM, 1);
	if (strchr(sums, 'X'))
		components[CO_XX] = add_pair_squares(call, 1);
	if (strchr(sums, 'y'))
		components[CO_Y] = add_pair_of(call, PLAN_AGGREGATE_SUM, 0);
	if (strchr(sums, 'Y'))
		components[CO_YY] = add_pair_squares(call, 0);
	if (strchr(sums, 'p'))
		components[CO_XY] = add_product(call, 0, 1);
	return true;
}

static bool
decompose_regr_count(Call *call)
{
	call->final->kind = FINAL_COUNT;
	call->final->components[0] = add_pair_of(call, PLAN_AGGREGATE_COUNT, 1);
	return true;
}

/* ---- percentiles ---- */

static bool
decompose_percentile(Call *call, bool continuous)
{
	PlanAggregate	aggregate = {.kind = continuous ? PLAN_AGGREGATE_PERCENTILE_CONT : PLAN_AGGREGATE_PERCENTILE_DISC,
	.nargs = 1,.args = {call->args[0].expression}};
	Const	   *fraction = list_length(call->agg->aggdirectargs) == 1 ? linitial(call->agg->aggdirectargs) : NULL;
	SortGroupClause *order = list_length(call->agg->aggorder) == 1 ? linitial(call->agg->aggorder) : NULL;

	if (fraction == NULL || !IsA(fraction, Const) || fraction->constisnull || fraction->consttype != FLOAT8OID)
		return refuse(call, "the fraction of a percentile must be one constant", NULL);
	if (order == NULL || call->args[0].kind == SECRET_TEXT || call->args[0].kind == SECRET_BOOLEAN)
		return refuse_call(call);
	if (!percentile_ratio(DatumGetFloat8(fraction->constvalue), &aggregate.numerator, &aggregate.denominator))
		return refuse(call, psprintf("%g is not a fraction of at most %d parts", DatumGetFloat8(fraction->constvalue),
									 PERCENTILE_DENOMINATOR_MAX),
					  "Write it with fewer digits.");
	if (strcmp(get_opname(order->sortop), "<") != 0)
		return refuse(call, "a percentile in descending order is not available", "Ask for 1 minus the fraction, ascending.");
	call->final->kind = continuous ? FINAL_PERCENTILE : FINAL_VALUE;
	call->final->components[0] = add(call, aggregate);
	if (continuous)
		call->final->components[1] = aggregate.denominator;
	return true;
}

/* ---- dispatch ---- */

static bool
takes_distinct(const char *name)
{
	return strcmp(name, "count") == 0 || strcmp(name, "min") == 0 || strcmp(name, "max") == 0;
}

static bool
decompose_two(Call *call, const char *name)
{
	if (!is_summable(&call->args[0]) || !is_summable(&call->args[1]))
		return refuse_call(call);
	if (strcmp(name, "regr_count") == 0)
		return decompose_regr_count(call);
	if (comoment_find(name))
		return decompose_comoments(call, comoment_find(name));
	return refuse_call(call);
}

static bool
decompose_one(Call *call, const char *name)
{
	if (call->agg->aggdistinct != NIL && !takes_distinct(name))
		return refuse(call, "DISTINCT is available in count only", NULL);
	if (strcmp(name, "count") == 0)
		return decompose_count(call);
	if (strcmp(name, "sum") == 0)
		return decompose_sum(call) || refuse_call(call);
	if (strcmp(name, "avg") == 0)
		return decompose_avg(call) || refuse_call(call);
	if (strcmp(name, "min") == 0)
		return decompose_value(call, PLAN_AGGREGATE_MIN);
	if (strcmp(name, "max") == 0)
		return decompose_value(call, PLAN_AGGREGATE_MAX);
	if (strcmp(name, "bool_or") == 0)
		return decompose_value(call, PLAN_AGGREGATE_BOOL_OR);
	if (strcmp(name, "bool_and") == 0 || strcmp(name, "every") == 0)
		return decompose_value(call, PLAN_AGGREGATE_BOOL_AND);
	if (variance_find(name))
		return decompose_variance(call, variance_find(name)) || refuse_call(call);
	return refuse_call(call);
}

static bool
decompose(Call *call, const char *name)
{
	if (call->agg->aggkind == AGGKIND_ORDERED_SET)
	{
		if (call->nargs == 1 && strcmp(name, "percentile_disc") == 0)
			return decompose_percentile(call, false);
		if (call->nargs == 1 && strcmp(name, "percentile_cont") == 0)
			return decompose_percentile(call, true);
		return refuse_call(call);
	}
	if (call->agg->aggkind != AGGKIND_NORMAL || call->agg->aggvariadic || call->agg->aggorder != NIL)
		return refuse_call(call);
	if (call->nargs == 2)
		return decompose_two(call, name);
	return decompose_one(call, name);
}

/* Arguments and FILTER as expressions over the relation below. */
static bool
make_terms(Call *call)
{
	TermMaker  *maker = &call->group->compiler->maker;
	Term		filter;
	ListCell   *lc;

	maker->lookup = rel_lookup;
	maker->arg = call->group->rel;
	if (list_length(call->agg->args) > 2)
		return refuse_call(call);
	foreach(lc, call->agg->args)
	{
		Node	   *arg = (Node *) lfirst_node(TargetEntry, lc)->expr;

		if (call->agg->aggkind == AGGKIND_ORDERED_SET)
			arg = percentile_argument(arg);
		if (call->agg->aggdistinct != NIL && rel_find_numbers(call->group->rel, arg) >= 0)
		{
			/* They are as many as the values. */
			call->args[call->nargs++] = (Term) {expression_column(rel_find_numbers(call->group->rel, arg)), SECRET_INTEGER, 0};
			continue;
		}
		if (!term_make(maker, arg, &call->args[call->nargs++]))
			return false;
	}
	if (call->agg->aggfilter == NULL)
		return true;
	if (!term_make(maker, (Node *) call->agg->aggfilter, &filter))
		return false;
	call->filter = filter.expression;
	return true;
}

bool
group_add_aggregate(GroupMaker *maker, Aggref *agg, Final *final, int *part)
{
	Call		call = {.group = maker, .agg = agg, .final = final};
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(agg->aggfnoid));
	char	   *name;
	bool		standard;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", agg->aggfnoid);
	name = pstrdup(NameStr(((Form_pg_proc) GETSTRUCT(tuple))->proname));
	standard = ((Form_pg_proc) GETSTRUCT(tuple))->pronamespace == PG_CATALOG_NAMESPACE;
	ReleaseSysCache(tuple);

	final_init(final, agg->aggtype);
	if (!standard || agg->agglevelsup != 0)
		return refuse_call(&call);
	if (!make_terms(&call) || !decompose(&call, name))
		return false;
	*part = call.part;
	return true;
}
