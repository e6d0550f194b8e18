/*
 * site_patients.c
 *	  Counting the patients of each part of the answer.
 *
 * The site does this itself, on the query tree it has checked and by range
 * table index and column number: nothing that the coordinator named decides
 * what is counted.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "identity/node.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_node.h"
#include "parser/parse_oper.h"
#include "query/masks.h"
#include "query/published.h"
#include "query/site_query.h"
#include "query/support.h"
#include "rewrite/rewriteManip.h"
#include "stats/glm_sums.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/* Range table indexes whose rows an outer join may leave out. */
static void
collect_nullable(Node *item, bool nullable, Bitmapset **result)
{
	if (IsA(item, RangeTblRef))
	{
		if (nullable)
			*result = bms_add_member(*result, ((RangeTblRef *) item)->rtindex);
	}
	else if (IsA(item, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) item;

		collect_nullable(join->larg, nullable || join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL, result);
		collect_nullable(join->rarg, nullable || join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL, result);
	}
	else
	{
		ListCell   *lc;

		foreach(lc, ((FromExpr *) item)->fromlist)
			collect_nullable(lfirst(lc), nullable, result);
	}
}

Bitmapset *
site_optional_tables(Query *query)
{
	Bitmapset  *optional = NULL;

	collect_nullable((Node *) query->jointree, false, &optional);
	return optional;
}

Node *
site_own_expression(const char *call, const Published *published, int rtindex)
{
	char	   *sql = psprintf("SELECT %s FROM %s", call,
							   quote_qualified_identifier(PUBLISHED_SCHEMA, published->name));
	Query	   *query = site_analyse(sql, site_parse(sql), NULL, 0);
	Node	   *expression = (Node *) linitial_node(TargetEntry, query->targetList)->expr;

	ChangeVarNodes(expression, 1, rtindex, 0);
	return expression;
}

/* The patients of one table; rows, if each is a patient of its own. */
static Node *
patients_of_table(const Published *published, int rtindex, bool alone)
{
	if (published->patient == NULL || (published->patient_unique && alone))
		return site_own_expression("count(*)", published, rtindex);
	return site_own_expression(psprintf("count(DISTINCT %s)", quote_identifier(published->patient)),
						 published, rtindex);
}

/*
 * How many patients a cell has here: the smallest count over the joined tables
 * that have a patient column and whose rows are always there.
 */
static Node *
patient_count(SiteQuery *site)
{
	MinMaxExpr *least = makeNode(MinMaxExpr);
	int			ntables = 0;
	ListCell   *lc;

	foreach(lc, site->tables)
		ntables += lfirst(lc) != NULL;
	least->op = IS_LEAST;
	least->minmaxtype = INT8OID;
	least->location = -1;
	foreach(lc, site->tables)
	{
		Published  *published = lfirst(lc);
		int			rtindex = foreach_current_index(lc) + 1;

		if (published == NULL || bms_is_member(rtindex, site->optional))
			continue;
		if (published->patient != NULL || ntables == 1)
			least->args = lappend(least->args, patients_of_table(published, rtindex, ntables == 1));
	}
	if (least->args == NIL)
		site_refuse("None of the joined tables tells patients apart: publish one with a patient column");
	return list_length(least->args) == 1 ? linitial(least->args) : (Node *) least;
}

/* count(*) over the rows where one expression is not NULL is its own count. */
static bool
count_expression(Aggref *count, const Support *support)
{
	Node	   *expr = list_length(support->present) == 1 ? linitial(support->present) : NULL;

	if (!count->aggstar || support->conditions != NIL || expr == NULL)
		return false;
	count->aggfnoid = F_COUNT_ANY;
	count->aggstar = false;
	count->args = list_make1(makeTargetEntry(copyObject((Expr *) expr), 1, NULL, false));
	count->aggargtypes = list_make1_oid(exprType(expr));
	count->inputcollid = exprCollation(expr);
	return true;
}

/* The same count over those rows only that support an aggregate. */
static Node *
restrict_count(Node *node, const Support *support)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, Aggref))
	{
		Aggref	   *count = copyObject((Aggref *) node);

		if (!count_expression(count, support))
			count->aggfilter = copyObject(support_condition(support));
		return (Node *) count;
	}
	return expression_tree_mutator(node, restrict_count, (void *) support);
}

bool
site_never_null(Var *var, void *arg)
{
	SiteQuery  *site = arg;
	PublishedColumn *column = site_column(site, var);

	return column != NULL && column->not_null && !bms_is_member(var->varno, site->optional);
}

/*
 * What each part of the answer is made of: all components of a part must be
 * made of the same rows, or the part's patient count would not be theirs.
 */
static Support **
part_supports(SiteQuery *site, Query *query)
{
	const CanonicalPlan *plan = site->plan;
	Support   **supports = palloc0(sizeof(Support *) * plan->nparts);

	supports[0] = palloc0(sizeof(Support));
	for (int i = 0; i < plan->ncomponents; i++)
	{
		TargetEntry *target = list_nth(query->targetList, plan->nkeys + i);
		Support    *support = support_of_aggregate(castNode(Aggref, target->expr), plan->components[i], ALL_ARGUMENTS,
													   site_never_null, site);
		Support   **part = &supports[plan->parts[i]];

		if (*part == NULL)
			*part = support;
		if (!support_equal(*part, support))
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
					 errmsg("site \"%s\" counts other patients for component %d than the plan says",
							node_self()->card.name, i + 1),
					 errhint("A column may have become NOT NULL or nullable here: import the foreign schema again.")));
	}
	return supports;
}

/* The conditions inside the sums of a part. */
static List *
tests_of_part(SiteQuery *site, Query *query, int part)
{
	const CanonicalPlan *plan = site->plan;
	List	   *tests = NIL;

	for (int i = 0; i < plan->ncomponents; i++)
	{
		TargetEntry *target = list_nth(query->targetList, plan->nkeys + i);

		if (plan->parts[i] == part)
			tests = list_concat_unique(tests, mask_tests(castNode(Aggref, target->expr), plan->components[i]));
	}
	return tests;
}

/* Coefficients of the largest regression in a part; 0 if there is none. */
static int
coefficients_of_part(const CanonicalPlan *plan, int part)
{
	int			most = 0;

	for (int i = 0; i < plan->ncomponents; i++)
		if (plan->parts[i] == part && plan->components[i] == COMPONENT_SUM_FLOAT_VECTOR)
			most = Max(most, glm_sums_columns(plan_width(plan, i)));
	return most;
}

static Node *
operation(const char *name, Node *count, int64 number)
{
	ParseState *state = make_parsestate(NULL);
	Node	   *constant = (Node *) makeConst(INT8OID, -1, InvalidOid, sizeof(int64), Int64GetDatum(number), false,
											  FLOAT8PASSBYVAL);
	Node	   *result = (Node *) make_op(state, list_make2(makeString("pg_catalog"), makeString(pstrdup(name))),
										  count, constant, NULL, -1);

	free_parsestate(state);
	return result;
}

/*
 * As many coefficients as patients would say each patient's outcome: patients
 * count for less, so that the threshold is reached by GLM_PATIENTS_EACH for each
 * coefficient.  Other sites' thresholds may be higher than this one's, and then
 * more are needed.
 */
static Node *
discount(SiteQuery *site, Node *count, int coefficients)
{
	int64		wanted = (int64) GLM_PATIENTS_EACH * coefficients;
	uint64		patients_min;
	bool		show_zero;

	site_rule(site, &patients_min, &show_zero);
	if (wanted <= (int64) patients_min)
		return count;
	return operation("/", operation("*", count, (int64) patients_min), wanted);
}

/*
 * The patients of a part: who contribute, or fewer if a condition inside a sum holds for fewer.  The
 * sum of the sites' least counts is at most the least of their sums.
 */
static Node *
patients_of_part(SiteQuery *site, Node *count, const Support *support, List *tests, int coefficients)
{
	MinMaxExpr *least = makeNode(MinMaxExpr);
	ListCell   *lc;

	least->op = IS_LEAST;
	least->minmaxtype = INT8OID;
	least->location = -1;
	least->args = list_make1(discount(site, restrict_count(count, support), coefficients));
	foreach(lc, tests)
	{
		Support		narrower = *support;

		narrower.conditions = list_append_unique(list_copy(support->conditions), lfirst(lc));
		least->args = lappend(least->args, restrict_count(count, &narrower));
	}
	return tests == NIL ? linitial(least->args) : (Node *) least;
}

void
site_add_patient_counts(SiteQuery *site, Query *query)
{
	Support   **supports = part_supports(site, query);
	Node	   *count = patient_count(site);
	List	   *counts = NIL;
	ListCell   *lc;

	for (int part = 0; part < site->plan->nparts; part++)
		counts = lappend(counts, patients_of_part(site, count, supports[part], tests_of_part(site, query, part),
												  coefficients_of_part(site->plan, part)));
	foreach(lc, counts)
		query->targetList = lappend(query->targetList,
									makeTargetEntry(lfirst(lc), list_length(query->targetList) + 1, "patients", false));
	query->hasAggs = true;
}

/* ---- rows ---- */

static Node *
without_relabel(Node *node)
{
	while (IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	return node;
}

/* Adds the pairs of tables whose patients are made equal by these conditions, which all hold. */
static void
join_by_patients(SiteQuery *site, Node *condition, Bitmapset **joined)
{
	OpExpr	   *op = (OpExpr *) condition;
	Node	   *a;
	Node	   *b;
	bool		unique;
	ListCell   *lc;

	if (condition == NULL)
		return;
	if (is_andclause(condition))
	{
		foreach(lc, ((BoolExpr *) condition)->args)
			join_by_patients(site, lfirst(lc), joined);
		return;
	}
	if (!IsA(condition, OpExpr) || list_length(op->args) != 2 ||
		!op_mergejoinable(op->opno, exprType(linitial(op->args))))
		return;
	a = without_relabel(linitial(op->args));
	b = without_relabel(lsecond(op->args));
	if (!site_is_patient(site, a, &unique) || !site_is_patient(site, b, &unique))
		return;
	for (int i = 0; i < list_length(site->tables); i++)
		if (bms_is_member(((Var *) a)->varno, joined[i]) || bms_is_member(((Var *) b)->varno, joined[i]))
			joined[i] = bms_add_member(bms_add_member(joined[i], ((Var *) a)->varno), ((Var *) b)->varno);
}

/* Conditions of inner joins, and of WHERE. */
static void
join_item_by_patients(SiteQuery *site, Node *item, Bitmapset **joined)
{
	ListCell   *lc;

	if (IsA(item, FromExpr))
	{
		foreach(lc, ((FromExpr *) item)->fromlist)
			join_item_by_patients(site, lfirst(lc), joined);
		join_by_patients(site, ((FromExpr *) item)->quals, joined);
	}
	else if (IsA(item, JoinExpr))
	{
		join_item_by_patients(site, ((JoinExpr *) item)->larg, joined);
		join_item_by_patients(site, ((JoinExpr *) item)->rarg, joined);
		if (((JoinExpr *) item)->jointype == JOIN_INNER)
			join_by_patients(site, ((JoinExpr *) item)->quals, joined);
	}
}

/* Tables with patients, whose rows are always there, all have the same one in a row. */
static void
check_one_patient(SiteQuery *site, Query *query, Bitmapset *tables)
{
	int			n = list_length(site->tables);
	Bitmapset **joined = palloc0(sizeof(Bitmapset *) * n);
	Bitmapset  *same = bms_make_singleton(bms_next_member(tables, -1));

	for (int i = 0; i < n; i++)
		joined[i] = bms_make_singleton(i + 1);
	join_item_by_patients(site, (Node *) query->jointree, joined);
	for (int round = 0; round < n; round++)
		for (int i = 0; i < n; i++)
			if (bms_overlap(joined[i], same))
				same = bms_add_members(same, joined[i]);
	if (!bms_is_subset(tables, same))
		site_refuse("Rows of the plan are of several patients at once: its tables are not joined on their patient columns");
}

Node *
site_patient_expression(SiteQuery *site, Query *query, bool *unique)
{
	Bitmapset  *tables = NULL;
	int			ntables = 0;
	ListCell   *lc;
	int			rtindex;
	const Published *published;

	*unique = false;
	foreach(lc, site->tables)
	{
		published = lfirst(lc);
		if (published == NULL)
			continue;
		ntables++;
		rtindex = foreach_current_index(lc) + 1;
		if (published->patient != NULL && !bms_is_member(rtindex, site->optional))
			tables = bms_add_member(tables, rtindex);
	}
	if (tables == NULL && ntables > 1)
		site_refuse("None of the joined tables tells patients apart: publish one with a patient column");
	if (tables == NULL)
		return NULL;
	check_one_patient(site, query, tables);
	rtindex = bms_next_member(tables, -1);
	published = list_nth(site->tables, rtindex - 1);
	*unique = published->patient_unique && ntables == 1;
	return site_own_expression(quote_identifier(published->patient), published, rtindex);
}
