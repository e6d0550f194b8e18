/*
 * from.c
 *	  The FROM and WHERE of a site's sub-query.
 *
 * The join tree is read as the query wrote it (after PostgreSQL has flattened
 * views and sub-queries into it), not as the planner would order it, so that
 * one question has one text.
 *
 * A federated table is the union of the sites' tables.  A join of two of them
 * is the union of the sites' joins only if no row finds its partner at
 * another site: the tables must be joined on columns that are declared local,
 * whose values never belong to two sites.
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "foreign/foreign.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "query/from.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

static Relids add_item(FromClause *from, StringInfo text, Node *item, bool under_outer);

static bool
refuse(FromClause *from, char *reason, char *hint)
{
	if (from->reason == NULL)
	{
		from->reason = reason;
		from->hint = hint;
	}
	return false;
}

/* The same, of a join that can be made where partners are not at one site. */
static void
refuse_local(FromClause *from, char *reason, char *hint)
{
	if (from->reason == NULL)
		from->needs_rows = true;
	refuse(from, reason, hint);
}

PublishedTable *
from_clause_table(const FromClause *from, int rtindex)
{
	ListCell   *table,
			   *index;

	forboth(table, from->tables, index, from->rtindexes)
		if (lfirst_int(index) == rtindex)
			return lfirst(table);
	return NULL;
}

/* ---- local keys ---- */

/*
 * The name of a column that is declared local to a site, or NULL.  Values of
 * the patient columns of two tables are of one kind; other local keys only if
 * they have the same name.
 */
static const char *
local_key(FromClause *from, Node *node)
{
	Var		   *var;
	PublishedTable *table;
	char	   *name;
	ListCell   *lc;

	while (node && IsA(node, RelabelType))
		node = (Node *) ((RelabelType *) node)->arg;
	if (node == NULL || !IsA(node, Var) || ((Var *) node)->varattno <= 0)
		return NULL;
	var = (Var *) node;
	table = from_clause_table(from, var->varno);
	if (table == NULL)
		return NULL;
	name = get_attname(table->relid, var->varattno, false);
	if (table->patient != NULL && strcmp(table->patient, name) == 0)
		return "";
	foreach(lc, table->local_keys)
		if (strcmp(lfirst(lc), name) == 0)
			return name;
	return NULL;
}

/* Does this condition equate local keys of the two sides? */
static bool
equates_local_keys(FromClause *from, Node *condition, Relids left, Relids right)
{
	OpExpr	   *op = (OpExpr *) condition;
	const char *key,
			   *other;
	Relids		a,
				b;

	if (!IsA(condition, OpExpr) || list_length(op->args) != 2 ||
		!op_mergejoinable(op->opno, exprType(linitial(op->args))))
		return false;
	key = local_key(from, linitial(op->args));
	other = local_key(from, lsecond(op->args));
	if (key == NULL || other == NULL || strcmp(key, other) != 0)
		return false;
	a = pull_varnos(from->deparser->root, linitial(op->args));
	b = pull_varnos(from->deparser->root, lsecond(op->args));
	return (bms_is_subset(a, left) && bms_is_subset(b, right)) ||
		(bms_is_subset(a, right) && bms_is_subset(b, left));
}

/* Grows the set of tables that hang together by local keys; true if it becomes all. */
static bool
all_connected(FromClause *from)
{
	Bitmapset  *all = NULL;
	Bitmapset  *reached = bms_make_singleton(linitial_int(from->rtindexes));
	bool		grown = true;
	ListCell   *lc;

	foreach(lc, from->rtindexes)
		all = bms_add_member(all, lfirst_int(lc));
	while (grown)
	{
		int			before = bms_num_members(reached);

		foreach(lc, from->joined)
			if (bms_overlap(lfirst(lc), reached))
				reached = bms_add_members(reached, lfirst(lc));
		foreach(lc, from->equalities)
		{
			Bitmapset  *vars = pull_varnos(from->deparser->root, lfirst(lc));
			Bitmapset  *rest = bms_difference(vars, reached);

			if (bms_overlap(vars, reached) && !bms_is_empty(rest) &&
				equates_local_keys(from, lfirst(lc), bms_intersect(vars, reached), rest))
				reached = bms_add_members(reached, rest);
		}
		grown = bms_num_members(reached) > before;
	}
	return bms_equal(reached, all);
}

/* ---- conditions ---- */

static char *
condition_text(FromClause *from, Node *condition)
{
	char	   *reason;
	char	   *text = deparse_site_expression(from->deparser, condition, &reason);

	if (text == NULL)
		refuse(from, reason, NULL);
	return text;
}

/* Conditions of an inner join go to WHERE. */
static void
add_conditions(FromClause *from, Node *quals)
{
	ListCell   *lc;

	foreach(lc, (List *) quals)
	{
		char	   *text = condition_text(from, lfirst(lc));

		if (text == NULL)
			return;
		from->conditions = lappend(from->conditions, text);
		from->equalities = lappend(from->equalities, lfirst(lc));
	}
}

/* ---- items ---- */

static Relids
add_table(FromClause *from, StringInfo text, int rtindex)
{
	RangeTblEntry *rte = rt_fetch(rtindex, from->deparser->root->parse->rtable);
	PublishedTable *table;

	if (rte->rtekind != RTE_RELATION || rte->relkind != RELKIND_FOREIGN_TABLE ||
		GetForeignTable(rte->relid)->serverid != from->serverid)
	{
		refuse(from, "rows of a published table can't be joined with other rows here",
			   "Aggregate first, in a sub-query, and join its result.");
		from->needs_rows = rte->rtekind == RTE_SUBQUERY;
		return NULL;
	}
	if (rte->tablesample != NULL || rte->securityQuals != NIL)
	{
		refuse(from, "a published table can't be sampled or filtered by a policy here", NULL);
		return NULL;
	}
	if (rte->inh && find_inheritance_children(rte->relid, NoLock) != NIL)
	{
		refuse(from, "a published table with child tables can't be asked together with them",
			   "Use ONLY before its name.");
		return NULL;
	}
	if (list_length(from->tables) >= TABLES_MAX)
	{
		refuse(from, psprintf("more than %d tables", TABLES_MAX), NULL);
		return NULL;
	}
	table = published_table(rte->relid);
	from->tables = lappend(from->tables, table);
	from->rtindexes = lappend_int(from->rtindexes, rtindex);
	appendStringInfo(text, "secmed_published.%s r%d", quote_identifier(table->name), rtindex);
	return bms_make_singleton(rtindex);
}

static const char *
join_word(JoinType type)
{
	switch (type)
	{
		case JOIN_LEFT:
			return "LEFT JOIN";
		case JOIN_RIGHT:
			return "RIGHT JOIN";
		case JOIN_FULL:
			return "FULL JOIN";
		default:
			return NULL;
	}
}

/* ON of an outer join; it must join on local keys by itself. */
static void
add_outer_conditions(FromClause *from, StringInfo text, JoinExpr *join, Relids left, Relids right)
{
	bool		local = false;
	ListCell   *lc;

	foreach(lc, (List *) join->quals)
	{
		char	   *condition = condition_text(from, lfirst(lc));

		if (condition == NULL)
			return;
		appendStringInfo(text, "%s(%s)", foreach_current_index(lc) ? " AND " : "", condition);
		local = local || equates_local_keys(from, lfirst(lc), left, right);
	}
	if (!local)
		refuse_local(from, "an outer join of published tables needs an equality of columns that are local to a site",
			   "Join on the patient columns, or on columns of one name that are published in local_keys.");
	from->joined = lappend(from->joined, bms_union(left, right));
}

static Relids
add_join(FromClause *from, StringInfo text, JoinExpr *join, bool under_outer)
{
	bool		inner = join->jointype == JOIN_INNER;
	Relids		left,
				right;

	if (!inner && join_word(join->jointype) == NULL)
	{
		refuse_local(from, "EXISTS and IN over another published table can't run at a site",
			   "Join the two tables on the patient column instead.");
		return NULL;
	}
	appendStringInfoChar(text, '(');
	left = add_item(from, text, join->larg, under_outer || !inner);
	appendStringInfo(text, " %s ", inner && !under_outer ? "CROSS JOIN" :
					 inner ? "JOIN" : join_word(join->jointype));
	right = add_item(from, text, join->rarg, under_outer || !inner);
	if (from->reason != NULL)
		return NULL;

	if (inner && !under_outer)
		add_conditions(from, join->quals);
	else
	{
		appendStringInfoString(text, " ON ");
		if (join->quals == NULL)
			appendStringInfoString(text, "true");
		add_outer_conditions(from, text, join, left, right);
		if (join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL)
			from->optional = bms_add_members(from->optional, right);
		if (join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL)
			from->optional = bms_add_members(from->optional, left);
	}
	appendStringInfoChar(text, ')');
	return bms_union(left, right);
}

/* A list of items, its conditions in WHERE; not where an outer join looks at it. */
static Relids
add_list(FromClause *from, StringInfo text, FromExpr *list, bool under_outer)
{
	Relids		relids = NULL;
	ListCell   *lc;

	if (under_outer && (list->quals != NULL || list_length(list->fromlist) != 1))
	{
		refuse(from, "a sub-query on one side of an outer join can't run at a site", NULL);
		return NULL;
	}
	foreach(lc, list->fromlist)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(text, " CROSS JOIN ");
		relids = bms_add_members(relids, add_item(from, text, lfirst(lc), under_outer));
	}
	if (from->reason == NULL)
		add_conditions(from, list->quals);
	return relids;
}

static Relids
add_item(FromClause *from, StringInfo text, Node *item, bool under_outer)
{
	if (from->reason != NULL)
		return NULL;
	if (IsA(item, RangeTblRef))
		return add_table(from, text, ((RangeTblRef *) item)->rtindex);
	if (IsA(item, JoinExpr))
		return add_join(from, text, (JoinExpr *) item, under_outer);
	return add_list(from, text, castNode(FromExpr, item), under_outer);
}

/* A join multiplies rows, so some table in it must tell patients apart. */
static bool
tells_patients_apart(FromClause *from)
{
	ListCell   *table,
			   *index;

	forboth(table, from->tables, index, from->rtindexes)
		if (((PublishedTable *) lfirst(table))->patient != NULL &&
			!bms_is_member(lfirst_int(index), from->optional))
			return true;
	return false;
}

bool
from_clause_build(FromClause *from, Deparser *deparser, FromExpr *jointree)
{
	from->deparser = deparser;
	initStringInfo(&from->text);
	add_list(from, &from->text, jointree, false);
	if (from->reason == NULL && list_length(from->tables) > 1 && !all_connected(from))
		refuse_local(from, "published tables can be joined only on columns that are local to a site: a partner may be at another site",
			   "Join on the patient columns, or on columns of one name that are published in local_keys.");
	if (from->reason == NULL && list_length(from->tables) > 1 && !tells_patients_apart(from))
		refuse_local(from, "none of the joined tables tells patients apart",
			   "Join with a table that is published with a patient column, and whose rows are always there.");
	return from->reason == NULL;
}

/* ---- for plans ---- */

static int
compare_columns(const void *a, const void *b)
{
	return strcmp(((const PlanColumn *) a)->name, ((const PlanColumn *) b)->name);
}

static int
compare_tables(const void *a, const void *b)
{
	return strcmp(((const PlanTable *) a)->name, ((const PlanTable *) b)->name);
}

static void
add_plan_column(PlanTable *table, char *name, char *type)
{
	for (int i = 0; i < table->ncolumns; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return;
	table->columns[table->ncolumns++] = (PlanColumn) {name, type};
}

void
from_clause_tables(const FromClause *from, CanonicalPlan *plan)
{
	int			level;
	ListCell   *lc;

	plan->tables = palloc0(sizeof(PlanTable) * list_length(from->tables));
	foreach(lc, from->tables)
	{
		PublishedTable *table = lfirst(lc);

		if (plan_table(plan, table->name) != NULL)
			continue;
		plan->tables[plan->ntables].name = table->name;
		plan->tables[plan->ntables++].columns =
			palloc0(sizeof(PlanColumn) * (list_length(from->deparser->columns) + 1));
	}

	level = transmission_settings();
	foreach(lc, from->deparser->columns)
	{
		Var		   *var = lfirst_node(Var, lc);
		PublishedTable *table = from_clause_table(from, var->varno);

		add_plan_column(plan_table(plan, table->name), get_attname(table->relid, var->varattno, false),
				   format_type_be_qualified(var->vartype));
	}
	AtEOXact_GUC(true, level);
	for (int i = 0; i < plan->ntables; i++)
		qsort(plan->tables[i].columns, plan->tables[i].ncolumns, sizeof(PlanColumn), compare_columns);
	qsort(plan->tables, plan->ntables, sizeof(PlanTable), compare_tables);
}

void
from_clause_params(const FromClause *from, char ***types, int *n)
{
	int			level = transmission_settings();
	ListCell   *lc;

	*types = palloc(sizeof(char *) * (list_length(from->deparser->params) + 1));
	*n = 0;
	foreach(lc, from->deparser->params)
		(*types)[(*n)++] = format_type_be_qualified(exprType(lfirst(lc)));
	AtEOXact_GUC(true, level);
}

/* ---- whose rows ---- */

static bool
is_protected(const FromClause *from, int i)
{
	const PublishedTable *table = list_nth(from->tables, i);

	return table->patient != NULL && !bms_is_member(list_nth_int(from->rtindexes, i), from->optional);
}

/* Does this condition make the patients of two tables equal? */
static bool
equates_patients(FromClause *from, Node *condition)
{
	OpExpr	   *op = (OpExpr *) condition;
	const char *a;
	const char *b;

	if (!IsA(condition, OpExpr) || list_length(op->args) != 2 ||
		!op_mergejoinable(op->opno, exprType(linitial(op->args))))
		return false;
	a = local_key(from, linitial(op->args));
	b = local_key(from, lsecond(op->args));
	return a != NULL && b != NULL && *a == '\0' && *b == '\0';
}

bool
from_clause_one_patient(FromClause *from)
{
	Bitmapset  *same = NULL;
	ListCell   *lc;

	for (int round = 0; round <= list_length(from->tables); round++)
		for (int i = 0; i < list_length(from->tables); i++)
		{
			if (same == NULL && is_protected(from, i))
				same = bms_make_singleton(list_nth_int(from->rtindexes, i));
			foreach(lc, from->equalities)
			{
				Bitmapset  *vars;

				if (!equates_patients(from, lfirst(lc)))
					continue;
				vars = pull_varnos(from->deparser->root, lfirst(lc));
				if (bms_overlap(vars, same))
					same = bms_add_members(same, vars);
			}
		}
	for (int i = 0; i < list_length(from->tables); i++)
		if (is_protected(from, i) && !bms_is_member(list_nth_int(from->rtindexes, i), same))
			return false;
	return true;
}
