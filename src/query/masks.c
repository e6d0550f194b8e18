/*
 * masks.c
 *	  Conditions inside what is added up.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_node.h"
#include "parser/parse_oper.h"
#include "query/masks.h"
#include "query/support.h"

typedef struct Masks
{
	List	   *tests;
} Masks;

static void
add_test(Masks *masks, Expr *test)
{
	masks->tests = list_append_unique(masks->tests, test);
}

static Expr *
truth(Expr *condition, BoolTestType type)
{
	BooleanTest *test = makeNode(BooleanTest);

	test->arg = condition;
	test->booltesttype = type;
	test->location = -1;
	return (Expr *) test;
}

static Expr *
null_test(Expr *expr, NullTestType type)
{
	NullTest   *test = makeNode(NullTest);

	test->arg = expr;
	test->nulltesttype = type;
	test->argisrow = false;
	test->location = -1;
	return (Expr *) test;
}

static Expr *
equality(Expr *a, Expr *b)
{
	ParseState *state = make_parsestate(NULL);
	Expr	   *test = make_op(state, list_make1(makeString("=")), copyObject((Node *) a),
							   copyObject((Node *) b), NULL, -1);

	free_parsestate(state);
	return test;
}

/* ---- CASE ---- */

/* CASE x WHEN y means x = y, with x written as a CaseTestExpr. */
static Node *
name_subject(Node *node, void *subject)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, CaseTestExpr))
		return copyObject((Node *) subject);
	/* A CASE within has a subject of its own. */
	if (IsA(node, CaseExpr))
		return copyObject(node);
	return expression_tree_mutator(node, name_subject, subject);
}

/* Rows come to an arm that do not satisfy a condition before it. */
static void
case_tests(Masks *masks, CaseExpr *expr)
{
	List	   *before = NIL;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst_node(CaseWhen, lc);
		Expr	   *condition = expr->arg == NULL ? when->expr :
			(Expr *) name_subject((Node *) when->expr, expr->arg);

		if (!support_adds_nothing((Node *) when->result))
			add_test(masks, make_ands_explicit(lappend(list_copy(before), condition)));
		before = lappend(before, truth(condition, IS_NOT_TRUE));
	}
	if (!support_adds_nothing((Node *) expr->defresult))
		add_test(masks, make_ands_explicit(before));
}

/* ---- the others ---- */

static void
least_tests(Masks *masks, MinMaxExpr *expr)
{
	ListCell   *lc;

	foreach(lc, expr->args)
		add_test(masks, equality((Expr *) expr, lfirst(lc)));
}

static void
coalesce_tests(Masks *masks, CoalesceExpr *expr)
{
	List	   *before = NIL;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		Expr	   *arg = lfirst(lc);

		if (!IsA(arg, Const))
			add_test(masks, make_ands_explicit(lappend(list_copy(before), null_test(arg, IS_NOT_NULL))));
		before = lappend(before, null_test(arg, IS_NULL));
	}
}

static bool
mask_walker(Node *node, void *arg)
{
	Masks	   *masks = arg;

	if (node == NULL)
		return false;
	if (IsA(node, CaseExpr))
		case_tests(masks, (CaseExpr *) node);
	else if (IsA(node, MinMaxExpr))
		least_tests(masks, (MinMaxExpr *) node);
	else if (IsA(node, CoalesceExpr))
		coalesce_tests(masks, (CoalesceExpr *) node);
	else if (IsA(node, FuncExpr) && exprType(node) != BOOLOID && list_length(((FuncExpr *) node)->args) > 0 &&
			 exprType(linitial(((FuncExpr *) node)->args)) == BOOLOID)
	{
		Expr	   *condition = linitial(((FuncExpr *) node)->args);

		add_test(masks, truth(copyObject(condition), IS_TRUE));
		add_test(masks, truth(copyObject(condition), IS_FALSE));
	}
	return expression_tree_walker(node, mask_walker, arg);
}

/* A condition that is a factor is in the support: there it must hold, and elsewhere zero is added. */
static void
look_into_factors(Masks *masks, Node *expr)
{
	List	   *factors = NIL;
	ListCell   *lc;

	if (!support_factors(expr, &factors))
	{
		mask_walker(expr, masks);
		return;
	}
	foreach(lc, factors)
		look_into_factors(masks, lfirst(lc));
}

List *
mask_tests(Aggref *agg, ComponentKind kind)
{
	Masks		masks = {NIL};
	ListCell   *lc;

	if (kind == COMPONENT_COUNT || kind == COMPONENT_BOOL_OR || kind == COMPONENT_BOOL_AND ||
		kind == COMPONENT_EVENT_COUNTS || kind == COMPONENT_QUANTILES)
		return NIL;
	foreach(lc, agg->args)
		look_into_factors(&masks, (Node *) lfirst_node(TargetEntry, lc)->expr);
	return masks.tests;
}
