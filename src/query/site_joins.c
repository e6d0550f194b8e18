/*
 * site_joins.c
 *	  Are outer joins of the plan joins on local keys?
 *
 * The coordinator asks this too, so that answers are right (from.c).  Here it
 * is a matter of privacy: the optional side's patients are not counted, so it
 * may only bring rows of those who are.
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "query/site_query.h"
#include "utils/lsyscache.h"

static void
add_tables(Node *item, Bitmapset **tables)
{
	if (IsA(item, RangeTblRef))
		*tables = bms_add_member(*tables, ((RangeTblRef *) item)->rtindex);
	else if (IsA(item, JoinExpr))
	{
		add_tables(((JoinExpr *) item)->larg, tables);
		add_tables(((JoinExpr *) item)->rarg, tables);
	}
}

/* The name of a column that is local to a site, "" for a patient column, or NULL. */
static const char *
local_key(SiteQuery *site, Node *expr, int *rtindex)
{
	Published  *published;
	PublishedColumn *column;
	ListCell   *lc;

	while (IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	if (!IsA(expr, Var) || (column = site_column(site, (Var *) expr)) == NULL)
		return NULL;
	*rtindex = ((Var *) expr)->varno;
	published = list_nth(site->tables, *rtindex - 1);
	if (published->patient != NULL && strcmp(published->patient, column->name) == 0)
		return "";
	foreach(lc, published->local_keys)
		if (strcmp(lfirst(lc), column->name) == 0)
			return column->name;
	return NULL;
}

static bool
joins_local_keys(SiteQuery *site, Node *condition, Bitmapset *left, Bitmapset *right)
{
	OpExpr	   *op = (OpExpr *) condition;
	const char *a,
			   *b;
	int			i,
				j;

	if (condition == NULL)
		return false;
	if (is_andclause(condition))
	{
		ListCell   *lc;

		foreach(lc, ((BoolExpr *) condition)->args)
			if (joins_local_keys(site, lfirst(lc), left, right))
				return true;
		return false;
	}
	if (!IsA(condition, OpExpr) || list_length(op->args) != 2 ||
		!op_mergejoinable(op->opno, exprType(linitial(op->args))))
		return false;
	a = local_key(site, linitial(op->args), &i);
	b = local_key(site, lsecond(op->args), &j);
	return a != NULL && b != NULL && strcmp(a, b) == 0 &&
		((bms_is_member(i, left) && bms_is_member(j, right)) ||
		 (bms_is_member(i, right) && bms_is_member(j, left)));
}

void
site_check_outer_joins(SiteQuery *site, Node *item)
{
	Bitmapset  *left = NULL;
	Bitmapset  *right = NULL;
	JoinExpr   *join = (JoinExpr *) item;
	ListCell   *lc;

	if (IsA(item, FromExpr))
	{
		foreach(lc, ((FromExpr *) item)->fromlist)
			site_check_outer_joins(site, lfirst(lc));
		return;
	}
	if (!IsA(item, JoinExpr))
		return;
	site_check_outer_joins(site, join->larg);
	site_check_outer_joins(site, join->rarg);
	add_tables(join->larg, &left);
	add_tables(join->rarg, &right);
	if (join->jointype != JOIN_INNER && !joins_local_keys(site, join->quals, left, right))
		site_refuse("An outer join of the plan is not on columns that are local to a site");
}
