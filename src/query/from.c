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
		refuse(from, "an outer join of published tables needs an equality of columns that are local to a site",
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
		refuse(from, "EXISTS and IN over another published table can't run at a site",
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
		refuse(from, "published tables can be joined only on columns that are local to a site: a partner may be at another site",
			   "Join on the patient columns, or on columns of one name that are published in local_keys.");
	if (from->reason == NULL && list_length(from->tables) > 1 && !tells_patients_apart(from))
		refuse(from, "none of the joined tables tells patients apart",
			   "Join with a table that is published with a patient column, and whose rows are always there.");
	return from->reason == NULL;
}
