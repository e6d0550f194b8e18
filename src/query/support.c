/*
 * support.c
 *	  Whose values an aggregate is made of.
 *
 * Coordinator and site work it out from different trees: what the analyst
 * wrote, and the components that came of it (sums of squares, casts to double
 * precision).  Casts and products of numbers are NULL exactly when an operand
 * is, so both are taken down to their operands.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "query/support.h"
#include "utils/lsyscache.h"

typedef struct SupportBuilder
{
	Support    *support;
	NeverNull	never_null;
	void	   *arg;
} SupportBuilder;

static bool
is_number(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			return true;
		default:
			return false;
	}
}

static bool
is_number_cast(Node *expr)
{
	FuncExpr   *func = (FuncExpr *) expr;

	return IsA(expr, FuncExpr) && list_length(func->args) == 1 &&
		(func->funcformat == COERCE_EXPLICIT_CAST || func->funcformat == COERCE_IMPLICIT_CAST) &&
		is_number(func->funcresulttype) && is_number(exprType(linitial(func->args)));
}

static bool
is_number_product(Node *expr)
{
	OpExpr	   *op = (OpExpr *) expr;

	return IsA(expr, OpExpr) && list_length(op->args) == 2 && op->opno < FirstNormalObjectId &&
		strcmp(get_opname(op->opno), "*") == 0 && is_number(op->opresulttype) &&
		is_number(exprType(linitial(op->args))) && is_number(exprType(lsecond(op->args)));
}

static void
add_present(SupportBuilder *builder, Node *expr)
{
	if (is_number_cast(expr))
		add_present(builder, linitial(((FuncExpr *) expr)->args));
	else if (is_number_product(expr))
	{
		add_present(builder, linitial(((OpExpr *) expr)->args));
		add_present(builder, lsecond(((OpExpr *) expr)->args));
	}
	else if (IsA(expr, Const) && !((Const *) expr)->constisnull)
		return;
	else if (IsA(expr, Var) && builder->never_null((Var *) expr, builder->arg))
		return;
	else
		builder->support->present = list_append_unique(builder->support->present, expr);
}

static void
add_condition(SupportBuilder *builder, Node *condition)
{
	ListCell   *lc;

	if (is_andclause(condition))
	{
		foreach(lc, ((BoolExpr *) condition)->args)
			add_condition(builder, lfirst(lc));
	}
	else if (IsA(condition, List))
	{
		foreach(lc, (List *) condition)
			add_condition(builder, lfirst(lc));
	}
	else if (IsA(condition, NullTest) && !((NullTest *) condition)->argisrow &&
			 ((NullTest *) condition)->nulltesttype == IS_NOT_NULL)
		add_present(builder, (Node *) ((NullTest *) condition)->arg);
	else
		builder->support->conditions = list_append_unique(builder->support->conditions, condition);
}

Support *
support_of_aggregate(Aggref *agg, NeverNull never_null, void *arg)
{
	Support    *support = palloc0(sizeof(Support));
	SupportBuilder builder = {support, never_null, arg};
	ListCell   *lc;

	foreach(lc, agg->args)
		add_present(&builder, (Node *) lfirst_node(TargetEntry, lc)->expr);
	if (agg->aggfilter != NULL)
		add_condition(&builder, (Node *) agg->aggfilter);
	return support;
}

bool
support_is_all(const Support *support)
{
	return support->conditions == NIL && support->present == NIL;
}

static bool
same_members(List *a, List *b)
{
	return list_length(a) == list_length(b) && list_difference(a, b) == NIL;
}

bool
support_equal(const Support *a, const Support *b)
{
	return same_members(a->conditions, b->conditions) && same_members(a->present, b->present);
}

Expr *
support_condition(const Support *support)
{
	List	   *all = list_copy(support->conditions);
	ListCell   *lc;

	foreach(lc, support->present)
	{
		NullTest   *test = makeNode(NullTest);

		test->arg = lfirst(lc);
		test->nulltesttype = IS_NOT_NULL;
		test->argisrow = false;
		test->location = -1;
		all = lappend(all, test);
	}
	return all == NIL ? NULL : make_ands_explicit(all);
}
