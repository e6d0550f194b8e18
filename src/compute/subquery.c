/*
 * subquery.c
 *	  A query in FROM: a relation whose columns are its target list.
 *
 * What it groups is protected where it is grouped; only what can be computed on shares may be
 * among its columns, so averages are taken further up.
 */
#include "postgres.h"

#include "compute/compile.h"
#include "compute/group.h"
#include "compute/order.h"
#include "nodes/nodeFuncs.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"

void
compiler_start(Compiler *compiler, PlannerInfo *root, const Compiler *outer,
			   ObliviousPlan *plan, QueryRefusal *refusal)
{
	memset(compiler, 0, sizeof(*compiler));
	compiler->root = root;
	compiler->maker.plan = plan;
	compiler->maker.refusal = refusal;
	compiler->is_subquery = outer != NULL;
	if (outer != NULL)
	{
		compiler->serverid = outer->serverid;
		compiler->threshold = outer->threshold;
		compiler->maker.params = outer->maker.params;
		compiler->site_params = outer->site_params;
		compiler->site_inputs = outer->site_inputs;
		compiler->site_columns = outer->site_columns;
	}
	deparser_start(&compiler->maker.deparser, root);
	if (outer != NULL)
		compiler->maker.deparser.constants = outer->maker.deparser.constants;
}

bool
compile_check(Compiler *compiler)
{
	Query	   *query = compiler->root->parse;

	if (query->rowMarks != NIL)
		return term_refuse(&compiler->maker, "FOR UPDATE and FOR SHARE need rows that somebody sees", NULL);
	if (query->hasTargetSRFs)
		return term_refuse(&compiler->maker, "a function that returns a set can't be computed on shares", "Aggregate in a sub-query, and use the function on its result.");
	if (query->hasWindowFuncs)
		return term_refuse(&compiler->maker, "window functions are not available over shared tables", "Use them on the result of a sub-query with GROUP BY.");
	if (query->setOperations != NULL)
		return term_refuse(&compiler->maker, "UNION, INTERSECT and EXCEPT are not available inside a question over shared tables", NULL);
	if (query->cteList != NIL || query->hasRecursive)
		return term_refuse(&compiler->maker, "WITH is not available inside a question over shared tables", "Write it as a sub-query in FROM.");
	return true;
}

static List *
target_exprs(List *tlist)
{
	List	   *exprs = NIL;
	ListCell   *lc;

	foreach(lc, tlist)
		exprs = lappend(exprs, lfirst_node(TargetEntry, lc)->expr);
	return exprs;
}

/* Rows, groups or distinct rows: what the target list is made of. */
static Rel *
compile_rows(Compiler *compiler)
{
	Query	   *query = compiler->root->parse;
	List	   *exprs = target_exprs(compiler->root->processed_tlist);
	Rel		   *rel;
	Grouped		grouped;

	if (!compile_check(compiler))
		return NULL;
	rel = compile_from(compiler, query->jointree);
	if (rel == NULL)
		return NULL;
	if (query->groupClause != NIL || query->hasAggs)
	{
		if (!compile_group(compiler, rel, exprs, (List *) query->havingQual, &grouped))
			return NULL;
		if (grouped.having != NIL)
		{
			term_refuse(&compiler->maker, psprintf("HAVING %s in a sub-query can't be computed on shares",
												   deparse_for_people(&compiler->maker.deparser, linitial(grouped.having))), NULL);
			return NULL;
		}
		rel = grouped.rel;
	}
	if (query->distinctClause != NIL)
	{
		if (query->hasDistinctOn)
		{
			term_refuse(&compiler->maker, "DISTINCT ON is not available over shared tables", NULL);
			return NULL;
		}
		rel = compile_distinct(compiler, rel, exprs);
	}
	return rel;
}

/* The columns of the target list; false if one can't be computed. */
static bool
target_columns(Compiler *inner, Rel **rel, List **columns)
{
	ListCell   *lc;

	foreach(lc, inner->root->processed_tlist)
	{
		int			at = rel_column(&inner->maker, rel, (Node *) lfirst_node(TargetEntry, lc)->expr);

		if (at < 0)
			return false;
		*columns = lappend_int(*columns, at);
	}
	return true;
}

/*
 * Under the names of the query around it, in a PROJECT: all columns as they are, and
 * those once more that the target list has twice, as the planner leaves it when it makes NULLs
 * of what nobody reads.
 */
static Rel *
rename_columns(Compiler *inner, Rel *rel, Index varno)
{
	Rel		   *renamed;
	List	   *columns = NIL;
	Expression **expressions;
	ListCell   *lc;

	if (!target_columns(inner, &rel, &columns))
		return NULL;
	renamed = rel_above(PLAN_PROJECT, rel);
	expressions = palloc(sizeof(Expression *) * (list_length(rel->columns) + list_length(columns)));
	renamed->columns = NIL;
	foreach(lc, rel->columns)
	{
		const RelColumn *column = lfirst(lc);

		expressions[foreach_current_index(lc)] = expression_column(foreach_current_index(lc));
		rel_add_column(renamed, NULL, column->type, column->unique);
	}
	foreach(lc, inner->root->processed_tlist)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, lc);
		int			at = list_nth_int(columns, foreach_current_index(lc));
		RelColumn  *column = list_nth(renamed->columns, at);

		Node	   *var = (Node *) makeVar(varno, entry->resno, exprType((Node *) entry->expr),
										   exprTypmod((Node *) entry->expr), exprCollation((Node *) entry->expr), 0);

		if (((RelColumn *) list_nth(rel->columns, at))->numbers != NIL)
		{
			column->numbers = lappend(column->numbers, var);
			continue;
		}
		if (column->expr != NULL)
		{
			expressions[list_length(renamed->columns)] = expression_column(at);
			column = rel_add_column(renamed, NULL, column->type, column->unique);
		}
		column->expr = var;
	}
	renamed->node.nexpressions = list_length(renamed->columns);
	renamed->node.expressions = expressions;
	renamed->relids = bms_make_singleton(varno);
	return renamed;
}

Rel *
compile_subquery(Compiler *outer, Index varno)
{
	PlannerInfo *root = outer->root->simple_rel_array[varno]->subroot;
	Compiler	inner;
	Rel		   *rel;

	if (root == NULL)
	{
		term_refuse(&outer->maker, "a sub-query in FROM can't be computed on shares", NULL);
		return NULL;
	}
	compiler_start(&inner, root, outer, outer->maker.plan, outer->maker.refusal);
	rel = compile_rows(&inner);
	if (rel != NULL)
		rel = compile_order(&inner, rel);
	if (rel != NULL)
		rel = rename_columns(&inner, rel, varno);
	outer->serverid = inner.serverid;
	outer->threshold = inner.threshold;
	outer->maker.params = inner.maker.params;
	outer->site_params = inner.site_params;
	outer->site_inputs = inner.site_inputs;
	outer->site_columns = inner.site_columns;
	return rel;
}
