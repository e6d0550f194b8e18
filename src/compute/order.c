/*
 * order.c
 *	  ORDER BY, LIMIT and OFFSET of one query level, computed on shares, so that
 *	  what is beyond the limit stays secret.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compute/order.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"

bool
query_has_limit(const Query *query)
{
	return query->limitCount != NULL || query->limitOffset != NULL;
}

/* A constant number of rows; NULL is `none`. */
static bool
constant_rows(Compiler *compiler, Node *expr, uint64 none, uint64 *rows)
{
	Const	   *number = (Const *) expr;

	*rows = none;
	if (expr == NULL || (IsA(expr, Const) && number->constisnull))
		return true;
	if (!IsA(expr, Const) || number->consttype != INT8OID || DatumGetInt64(number->constvalue) < 0)
		return term_refuse(&compiler->maker, "LIMIT and OFFSET over shared tables must be constants", NULL);
	*rows = DatumGetInt64(number->constvalue);
	return true;
}

static bool
is_descending(Oid sortop)
{
	return strcmp(get_opname(sortop), ">") == 0;
}

static bool
add_sort_key(Compiler *compiler, Rel **rel, const SortGroupClause *clause, OrderKey *key)
{
	Node	   *expr = get_sortgroupclause_expr((SortGroupClause *) clause, compiler->root->processed_tlist);
	int			at = rel_column(&compiler->maker, rel, expr);
	RelColumn  *column;

	if (at < 0)
		return false;
	column = list_nth((*rel)->columns, at);
	if (column->type.type.kind == SECRET_TEXT && !lc_collate_is_c(exprCollation(expr)))
		return term_refuse(&compiler->maker, "ORDER BY with LIMIT of text follows a language's rules",
						   "Secret text is ordered by its bytes: write COLLATE \"C\".");
	*key = (OrderKey) {at, is_descending(clause->sortop), clause->nulls_first};
	return true;
}

static Rel *
add_sort(Compiler *compiler, Rel *rel)
{
	List	   *clauses = compiler->root->parse->sortClause;
	OrderKey   *order = palloc0(sizeof(OrderKey) * (list_length(clauses) + 1));
	Rel		   *sort;
	ListCell   *lc;

	if (clauses == NIL)
		return rel;
	foreach(lc, clauses)
		if (!add_sort_key(compiler, &rel, lfirst_node(SortGroupClause, lc), &order[foreach_current_index(lc)]))
			return NULL;
	sort = rel_above(PLAN_SORT, rel);
	sort->node.norder = list_length(clauses);
	sort->node.order = order;
	return sort;
}

Rel *
compile_order(Compiler *compiler, Rel *rel)
{
	Query	   *query = compiler->root->parse;
	Rel		   *limit;
	uint64		offset;
	uint64		count;

	if (!query_has_limit(query))
		return compiler->is_subquery ? rel : add_sort(compiler, rel);
	if (query->limitOption == LIMIT_OPTION_WITH_TIES)
	{
		term_refuse(&compiler->maker, "WITH TIES is not available over shared tables", NULL);
		return NULL;
	}
	if (!constant_rows(compiler, query->limitOffset, 0, &offset) ||
		!constant_rows(compiler, query->limitCount, RELATION_ROWS_MAX, &count))
		return NULL;
	rel = add_sort(compiler, rel);
	if (rel == NULL)
		return NULL;
	limit = rel_above(PLAN_LIMIT, rel);
	limit->node.offset = offset;
	limit->node.count = count;
	return limit;
}
