/*
 * site_noise.c
 *	  A site's part of a run with noise.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "parser/parse_clause.h"
#include "parser/parse_coerce.h"
#include "parser/parse_func.h"
#include "parser/parse_oper.h"
#include "query/site_noise.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(secmed_bounded);

/* ---- values ---- */

Datum
secmed_bounded(PG_FUNCTION_ARGS)
{
	Numeric		value = PG_GETARG_NUMERIC(0);
	int64		bounds[2] = {PG_GETARG_INT64(2), PG_GETARG_INT64(3)};
	Datum		unit;
	Datum		units;

	if (numeric_is_nan(value))
		PG_RETURN_INT64(bounds[0]);
	unit = DirectFunctionCall2(numeric_power, NumericGetDatum(int64_to_numeric(10)),
							   NumericGetDatum(int64_to_numeric(PG_GETARG_INT32(1))));
	units = DirectFunctionCall2(numeric_round, DirectFunctionCall2(numeric_mul, NumericGetDatum(value), unit), Int32GetDatum(0));
	for (int i = 0; i < 2; i++)
	{
		int			order = DatumGetInt32(DirectFunctionCall2(numeric_cmp, units, NumericGetDatum(int64_to_numeric(bounds[i]))));

		if (i == 0 ? order <= 0 : order >= 0)
			PG_RETURN_INT64(bounds[i]);
	}
	PG_RETURN_DATUM(DirectFunctionCall1(numeric_int8, units));
}

static Expr *
numeric_of(Node *expr)
{
	Node	   *cast = coerce_to_target_type(NULL, copyObject(expr), exprType(expr), NUMERICOID, -1, COERCION_EXPLICIT,
											 COERCE_EXPLICIT_CAST, -1);

	if (cast == NULL)
		site_refuse("The plan asks for noise on what is no number");
	return (Expr *) cast;
}

/* x, or x y of a sum of products. */
static Expr *
value_of(const Aggref *sum)
{
	Expr	   *value = numeric_of((Node *) linitial_node(TargetEntry, sum->args)->expr);

	if (list_length(sum->args) == 1)
		return value;
	return (Expr *) makeFuncExpr(F_NUMERIC_MUL, NUMERICOID,
								 list_make2(value, numeric_of((Node *) lsecond_node(TargetEntry, sum->args)->expr)),
								 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

static Const *
int8_const(int64 value)
{
	return makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(value), false, FLOAT8PASSBYVAL);
}

/* sum(secmed.bounded(value, scale, low, high)), with the same FILTER. */
static Aggref *
bounded_sum(const Aggref *sum, const NoiseBound *bound)
{
	Oid			types[] = {NUMERICOID, INT4OID, INT8OID, INT8OID};
	Oid			function = LookupFuncName(list_make2(makeString("secmed"), makeString("bounded")), lengthof(types), types, false);
	Const	   *scale = makeConst(INT4OID, -1, InvalidOid, sizeof(int32), Int32GetDatum(bound->scale), false, true);
	Expr	   *bounded = (Expr *) makeFuncExpr(function, INT8OID,
												list_make4(value_of(sum), scale, int8_const(bound->low), int8_const(bound->high)),
												InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	Aggref	   *result = copyObject((Aggref *) sum);

	result->aggfnoid = F_SUM_INT8;
	result->aggtype = NUMERICOID;
	result->aggcollid = result->inputcollid = InvalidOid;
	result->aggargtypes = list_make1_oid(INT8OID);
	result->args = list_make1(makeTargetEntry(bounded, 1, NULL, false));
	return result;
}

void
site_noise_bound(SiteQuery *site, Query *query, const Noise *noise)
{
	const CanonicalPlan *plan = site->plan;

	if (noise_plan_problem(noise, plan) != NULL)
		site_refuse("The plan is not the one that the contract bounds");
	site->noise = noise;
	site->patient = site_patient_expression(site, query, &site->patient_unique);
	for (int i = 0; i < plan->ncomponents; i++)
	{
		TargetEntry *target = list_nth(query->targetList, plan->nkeys + i);

		if (plan->components[i] != COMPONENT_COUNT)
			target->expr = (Expr *) bounded_sum(castNode(Aggref, target->expr), &noise->bounds[i]);
	}
}

/* ---- rows ---- */

typedef struct Inner
{
	List	   *vars;			/* Var, in the order of the sub-query's columns */
	List	   *targets;		/* TargetEntry */
} Inner;

static int
column_of(Inner *inner, const Var *var)
{
	ListCell   *lc;

	foreach(lc, inner->vars)
		if (equal(lfirst(lc), var))
			return foreach_current_index(lc) + 1;
	inner->vars = lappend(inner->vars, copyObject((Var *) var));
	inner->targets = lappend(inner->targets, makeTargetEntry((Expr *) copyObject((Var *) var), list_length(inner->vars),
															 psprintf("c%d", list_length(inner->vars)), false));
	return list_length(inner->vars);
}

/* Columns of tables become columns of the sub-query. */
static Node *
outer_mutator(Node *node, void *inner)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		return (Node *) makeVar(1, column_of(inner, var), var->vartype, var->vartypmod, var->varcollid, 0);
	}
	return expression_tree_mutator(node, outer_mutator, inner);
}

/* Sorts by a target of the sub-query; NIL if its type has no order. */
static List *
sort_by(List *clauses, List *targets, TargetEntry *target)
{
	SortGroupClause *clause = makeNode(SortGroupClause);

	get_sort_group_operators(exprType((Node *) target->expr), false, false, false, &clause->sortop, &clause->eqop, NULL,
							 &clause->hashable);
	if (!OidIsValid(clause->sortop) || !OidIsValid(clause->eqop))
		return clauses;
	clause->tleSortGroupRef = assignSortGroupRef(target, targets);
	return lappend(clauses, clause);
}

/*
 * row_number() OVER (PARTITION BY patient ORDER BY all columns that are used): rows that are equal
 * in all of them add the same, so it does not matter which of them count.
 */
static void
add_row_number(Query *query, Inner *inner, Node *patient)
{
	WindowClause *window = makeNode(WindowClause);
	WindowFunc *number = makeNode(WindowFunc);
	TargetEntry *person = makeTargetEntry((Expr *) copyObject(patient), list_length(inner->targets) + 1, "patient", false);
	ListCell   *lc;

	query->targetList = lappend(list_copy(inner->targets), person);
	window->partitionClause = sort_by(NIL, query->targetList, person);
	if (window->partitionClause == NIL)
		site_refuse("Patients are told apart by a column that has no order");
	foreach(lc, inner->targets)
		window->orderClause = sort_by(window->orderClause, query->targetList, lfirst(lc));
	window->frameOptions = FRAMEOPTION_DEFAULTS;
	window->winref = 1;
	number->winfnoid = F_ROW_NUMBER;
	number->wintype = INT8OID;
	number->winref = 1;
	number->location = -1;
	query->windowClause = list_make1(window);
	query->hasWindowFuncs = true;
	query->targetList = lappend(query->targetList,
								makeTargetEntry((Expr *) number, list_length(query->targetList) + 1, "number", false));
}

static RangeTblEntry *
subquery_entry(Query *query)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);
	ListCell   *lc;

	entry->rtekind = RTE_SUBQUERY;
	entry->subquery = query;
	entry->inFromCl = true;
	entry->eref = makeAlias("counted", NIL);
	foreach(lc, query->targetList)
		entry->eref->colnames = lappend(entry->eref->colnames, makeString(lfirst_node(TargetEntry, lc)->resname));
	return entry;
}

static Node *
at_most(int column, uint64 rows_max)
{
	Oid			less_equal = get_opfamily_member(INTEGER_BTREE_FAM_OID, INT8OID, INT8OID, BTLessEqualStrategyNumber);

	return (Node *) make_opclause(less_equal, BOOLOID, false,
								  (Expr *) makeVar(1, column, INT8OID, -1, InvalidOid, 0),
								  (Expr *) int8_const((int64) rows_max), InvalidOid, InvalidOid);
}

Query *
site_noise_limit_rows(const SiteQuery *site, Query *query)
{
	Inner		inner = {0};
	Query	   *rows;
	RangeTblRef *ref = makeNode(RangeTblRef);

	if (site->noise == NULL || site->patient == NULL || site->patient_unique)
		return query;
	rows = copyObject(query);
	rows->groupClause = NIL;
	rows->hasAggs = false;
	query->targetList = (List *) outer_mutator((Node *) query->targetList, &inner);
	add_row_number(rows, &inner, site->patient);
	query->rtable = list_make1(subquery_entry(rows));
	ref->rtindex = 1;
	query->jointree = makeFromExpr(list_make1(ref), at_most(list_length(rows->targetList), site->noise->rows_max));
	query->hasSubLinks = false;
	return query;
}
