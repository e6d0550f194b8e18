/*
 * relation.c
 *	  Relations of a plan in the making.
 */
#include "postgres.h"

#include "compute/relation.h"
#include "nodes/nodeFuncs.h"

Rel *
rel_above(PlanNodeKind kind, Rel *child)
{
	Rel		   *rel = palloc0(sizeof(Rel));

	rel->node.kind = kind;
	rel->children = list_make1(child);
	rel->columns = list_copy(child->columns);
	rel->patients = list_copy(child->patients);
	rel->relids = child->relids;
	return rel;
}

RelColumn *
rel_add_column(Rel *rel, Node *expr, ColumnType type, bool unique)
{
	RelColumn  *column = palloc0(sizeof(RelColumn));

	*column = (RelColumn) {expr, type, unique, NIL};
	rel->columns = lappend(rel->columns, column);
	return column;
}

int
rel_find(const Rel *rel, Node *expr)
{
	ListCell   *lc;

	foreach(lc, rel->columns)
	{
		const RelColumn *column = lfirst(lc);

		if (column->expr != NULL && equal(column->expr, expr))
			return foreach_current_index(lc);
	}
	return -1;
}

int
rel_find_numbers(const Rel *rel, Node *expr)
{
	ListCell   *lc;

	foreach(lc, rel->columns)
		if (list_member(((const RelColumn *) lfirst(lc))->numbers, expr))
			return foreach_current_index(lc);
	return -1;
}

bool
rel_lookup(Node *expr, Term *term, void *arg)
{
	const Rel  *rel = arg;
	int			at = rel_find(rel, expr);
	const RelColumn *column;

	if (at < 0)
		return false;
	column = list_nth(rel->columns, at);
	*term = (Term) {expression_column(at), column->type.type.kind, column->type.type.scale};
	return true;
}

static bool
make_over(TermMaker *maker, Rel *rel, Node *expr, Term *term)
{
	maker->lookup = rel_lookup;
	maker->arg = rel;
	return term_make(maker, expr, term);
}

bool
rel_type(TermMaker *maker, const Rel *rel, const Expression *expression, ColumnType *type)
{
	ColumnType *columns = palloc(sizeof(ColumnType) * (list_length(rel->columns) + 1));
	ExpressionScope scope = {list_length(rel->columns), columns, maker->plan->nparams, maker->plan->params};
	Refusal		refusal;
	ListCell   *lc;

	foreach(lc, rel->columns)
		columns[foreach_current_index(lc)] = ((RelColumn *) lfirst(lc))->type;
	if (expression_type(type, expression, &scope, NULL, &refusal))
		return true;
	return term_refuse(maker, psprintf("an expression %s", refusal.reason),
					   "Declare fewer digits or option bits for the columns it reads.");
}

/* All columns as they are, and one more. */
static Rel *
project_with(Rel *child, Node *expr, const Term *term, ColumnType type)
{
	Rel		   *rel = rel_above(PLAN_PROJECT, child);
	int			n = list_length(child->columns);

	rel->node.nexpressions = n + 1;
	rel->node.expressions = palloc(sizeof(Expression *) * (n + 1));
	for (int i = 0; i < n; i++)
		rel->node.expressions[i] = expression_column(i);
	rel->node.expressions[n] = term->expression;
	rel_add_column(rel, expr, type, false);
	return rel;
}

int
rel_column(TermMaker *maker, Rel **rel, Node *expr)
{
	int			at = rel_find(*rel, expr);
	Term		term;
	ColumnType	type;

	if (at < 0)
		at = rel_find_numbers(*rel, expr);
	if (at >= 0)
		return at;
	if (!make_over(maker, *rel, expr, &term))
		return -1;
	if (term.expression->kind == EXPRESSION_COLUMN)
		return term.expression->number;
	if (!rel_type(maker, *rel, term.expression, &type))
		return -1;
	*rel = project_with(*rel, expr, &term, type);
	return list_length((*rel)->columns) - 1;
}

bool
rel_filter(TermMaker *maker, Rel **rel, List *conditions)
{
	Rel		   *filter;
	Term		term;

	if (conditions == NIL)
		return true;
	maker->lookup = rel_lookup;
	maker->arg = *rel;
	if (!term_make_and(maker, conditions, &term))
		return false;
	filter = rel_above(PLAN_FILTER, *rel);
	filter->node.condition = term.expression;
	*rel = filter;
	return true;
}

int
rel_emit(ObliviousPlan *plan, const Rel *rel)
{
	PlanNode	node = rel->node;
	ListCell   *lc;

	node.nchildren = list_length(rel->children);
	node.children = palloc(sizeof(int) * (node.nchildren + 1));
	foreach(lc, rel->children)
		node.children[foreach_current_index(lc)] = rel_emit(plan, lfirst(lc));
	return oblivious_plan_add_node(plan, &node);
}

bool
rel_collect_vars(Node *node, List **vars)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		if (((Var *) node)->varlevelsup == 0)
			*vars = list_append_unique(*vars, node);
		return false;
	}
	return expression_tree_walker(node, rel_collect_vars, vars);
}
