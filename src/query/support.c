/*
 * support.c
 *	  Whose values an aggregate is made of.
 *
 * Coordinator and site work it out from different trees: what the analyst
 * wrote, and the components that came of it (sums of squares, casts to double
 * precision).  Casts and products of numbers are NULL, or zero, exactly when an
 * operand is, so both are taken down to their operands.  A mask, that is a condition
 * cast to a number or a CASE that is 0 or NULL elsewhere, is the same as a FILTER.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_node.h"
#include "parser/parse_oper.h"
#include "query/support.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
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

/* ---- summands ---- */

/* A condition that counts as one where it is true. */
static bool
is_boolean_cast(Node *expr)
{
	FuncExpr   *func = (FuncExpr *) expr;

	return IsA(expr, FuncExpr) && list_length(func->args) == 1 && func->funcid < FirstNormalObjectId &&
		is_number(func->funcresulttype) && exprType(linitial(func->args)) == BOOLOID;
}

static Node *
strip_casts(Node *expr)
{
	while (is_number_cast(expr))
		expr = linitial(((FuncExpr *) expr)->args);
	return expr;
}

bool
support_adds_nothing(Node *expr)
{
	Const	   *constant;
	Oid			output;
	bool		varlena;
	char	   *text;

	if (expr == NULL)
		return true;
	constant = (Const *) strip_casts(expr);
	if (!IsA(constant, Const))
		return false;
	if (constant->constisnull)
		return true;
	if (!is_number(constant->consttype))
		return false;
	getTypeOutputInfo(constant->consttype, &output, &varlena);
	text = OidOutputFunctionCall(output, constant->constvalue);
	return strspn(text, "-0.") == strlen(text);
}

/* CASE WHEN condition THEN x, and 0 or NULL elsewhere. */
static bool
is_mask(Node *expr)
{
	CaseExpr   *chosen = (CaseExpr *) expr;

	return IsA(expr, CaseExpr) && chosen->arg == NULL && list_length(chosen->args) == 1 &&
		support_adds_nothing((Node *) chosen->defresult);
}

bool
support_factors(Node *expr, List **factors)
{
	if (is_number_cast(expr))
		*factors = list_make1(linitial(((FuncExpr *) expr)->args));
	else if (is_boolean_cast(expr))
		*factors = NIL;
	else if (is_number_product(expr))
		*factors = list_copy(((OpExpr *) expr)->args);
	else if (is_mask(expr))
		*factors = list_make1(linitial_node(CaseWhen, ((CaseExpr *) expr)->args)->result);
	else
		return false;
	return true;
}

static void
add_summand(SupportBuilder *builder, Node *expr)
{
	List	   *factors;
	ListCell   *lc;

	if (is_boolean_cast(expr))
		add_condition(builder, linitial(((FuncExpr *) expr)->args));
	else if (is_mask(expr))
		add_condition(builder, (Node *) linitial_node(CaseWhen, ((CaseExpr *) expr)->args)->expr);
	if (support_factors(expr, &factors))
	{
		foreach(lc, factors)
			add_summand(builder, lfirst(lc));
	}
	else if (!IsA(expr, Const))
		builder->support->nonzero = list_append_unique(builder->support->nonzero, expr);
}

static bool
is_sum(ComponentKind kind)
{
	return kind != COMPONENT_COUNT && kind != COMPONENT_BOOL_OR && kind != COMPONENT_BOOL_AND &&
		kind != COMPONENT_QUANTILES;
}

Support *
support_of_aggregate(Aggref *agg, ComponentKind kind, uint32 summands, NeverNull never_null, void *arg)
{
	Support    *support = palloc0(sizeof(Support));
	SupportBuilder builder = {support, never_null, arg};
	ListCell   *lc;

	foreach(lc, agg->args)
	{
		Node	   *expr = (Node *) lfirst_node(TargetEntry, lc)->expr;

		if (kind == COMPONENT_SUM_FLOAT_VECTOR || kind == COMPONENT_EVENT_COUNTS)
			break;				/* no row is left out: a NULL is an error */
		if (kind == COMPONENT_BOOL_OR)
			add_condition(&builder, expr);
		else if (kind == COMPONENT_BOOL_AND)
			add_condition(&builder, (Node *) makeBoolExpr(NOT_EXPR, list_make1(expr), -1));
		else if (is_sum(kind) && (summands & 1 << foreach_current_index(lc)))
			add_summand(&builder, expr);
		else
			add_present(&builder, expr);
	}
	if (agg->aggfilter != NULL)
		add_condition(&builder, (Node *) agg->aggfilter);
	/* What is not zero is not NULL either. */
	support->present = list_difference(support->present, support->nonzero);
	return support;
}

/* ---- supports ---- */

bool
support_is_all(const Support *support)
{
	return support->conditions == NIL && support->present == NIL && support->nonzero == NIL;
}

static bool
same_members(List *a, List *b)
{
	return list_length(a) == list_length(b) && list_difference(a, b) == NIL;
}

bool
support_equal(const Support *a, const Support *b)
{
	return same_members(a->conditions, b->conditions) && same_members(a->present, b->present) &&
		same_members(a->nonzero, b->nonzero);
}

static Expr *
is_not_null(Node *expr)
{
	NullTest   *test = makeNode(NullTest);

	test->arg = (Expr *) expr;
	test->nulltesttype = IS_NOT_NULL;
	test->argisrow = false;
	test->location = -1;
	return (Expr *) test;
}

/* expr <> 0, in its own type: a number or an interval. */
static Expr *
is_not_zero(Node *expr)
{
	ParseState *state = make_parsestate(NULL);
	Const	   *zero = makeConst(UNKNOWNOID, -1, InvalidOid, -2, CStringGetDatum("0"), false, false);
	Expr	   *test = make_op(state, list_make1(makeString("<>")), copyObject(expr), (Node *) zero, NULL, -1);

	free_parsestate(state);
	return test;
}

Expr *
support_condition(const Support *support)
{
	List	   *all = list_copy(support->conditions);
	ListCell   *lc;

	foreach(lc, support->present)
		all = lappend(all, is_not_null(lfirst(lc)));
	foreach(lc, support->nonzero)
		all = lappend(all, is_not_zero(lfirst(lc)));
	return all == NIL ? NULL : make_ands_explicit(all);
}
