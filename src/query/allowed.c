/*
 * allowed.c
 *	  Which expressions may run at a site.
 *
 * An expression tree is walked with a list of node types that are known to
 * be harmless; whatever is not on the list is refused.  Functions must be
 * PostgreSQL's own (assigned before initdb, so nobody can have replaced
 * them), immutable, and not return sets: then the same row gives the same
 * value at every site, and a row can't cause anything but its value.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "query/allowed.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

typedef struct RefusalContext
{
	char	   *reason;
} RefusalContext;

static bool
refuse(RefusalContext *context, char *reason)
{
	if (context->reason == NULL)
		context->reason = reason;
	return true;
}

static const char *
volatility_name(char provolatile)
{
	return provolatile == PROVOLATILE_VOLATILE ? "volatile" :
		"stable: its value depends on a site's settings";
}

static bool
function_refused(Oid function, void *arg)
{
	RefusalContext *context = arg;
	HeapTuple	tuple;
	Form_pg_proc form;
	char	   *name = format_procedure(function);
	bool		refused = true;

	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	form = (Form_pg_proc) GETSTRUCT(tuple);

	if (function >= FirstNormalObjectId)
		refuse(context, psprintf("function %s is not one of PostgreSQL's own", name));
	else if (form->provolatile != PROVOLATILE_IMMUTABLE)
		refuse(context, psprintf("function %s is %s", name, volatility_name(form->provolatile)));
	else if (form->proretset)
		refuse(context, psprintf("function %s returns a set", name));
	else
		refused = false;
	ReleaseSysCache(tuple);
	return refused;
}

/*
 * Text in the database's own order may sort differently at another site, so
 * that the same question would mean different things.  Equality and LIKE
 * compare bytes and are fine.
 */
static bool
order_depends_on_site(Oid operator, Oid collation)
{
	List	   *interpretations;
	ListCell   *lc;

	if (collation != DEFAULT_COLLATION_OID)
		return false;
	interpretations = get_op_btree_interpretation(operator);
	foreach(lc, interpretations)
	{
		OpBtreeInterpretation *op = lfirst(lc);

		if (op->strategy == BTEqualStrategyNumber || op->strategy == ROWCOMPARE_NE)
			return false;
	}
	return interpretations != NIL;
}

static bool
operator_refused(Oid operator, Oid collation, RefusalContext *context)
{
	if (!order_depends_on_site(operator, collation))
		return false;
	return refuse(context,
				  psprintf("operator %s would use each site's own text order (add COLLATE \"C\")",
						   format_operator(operator)));
}

bool
type_names_objects(Oid type)
{
	Oid			element = get_element_type(type);

	switch (OidIsValid(element) ? element : type)
	{
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGTYPEOID:
		case REGROLEOID:
		case REGNAMESPACEOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
		case REGCOLLATIONOID:
		case ACLITEMOID:
			return true;
		default:
			return get_typtype(type) == TYPTYPE_PSEUDO;
	}
}

static bool
type_refused(Oid type, RefusalContext *context)
{
	if (type_names_objects(type))
		return refuse(context, psprintf("type %s names objects of a database", format_type_be(type)));
	/* Enums are published by the sites; all other types are PostgreSQL's own. */
	if (type < FirstNormalObjectId || type_is_enum(type) ||
		(OidIsValid(get_element_type(type)) && type_is_enum(get_element_type(type))))
		return false;
	return refuse(context, psprintf("type %s is not one of PostgreSQL's own", format_type_be(type)));
}

static bool
var_refused(Var *var, RefusalContext *context)
{
	if (var->varlevelsup != 0)
		return refuse(context, pstrdup("a sub-query that depends on the row can't run at a site"));
	if (var->varattno == 0)
		return refuse(context, pstrdup("a whole row can't be used, only its columns"));
	if (var->varattno < 0)
		return refuse(context, pstrdup("a system column can't be used"));
	return false;
}

static bool
refusal_walker(Node *node, RefusalContext *context)
{
	if (node == NULL)
		return false;

	if (check_functions_in_node(node, function_refused, context))
		return true;

	switch (nodeTag(node))
	{
		case T_Var:
			if (var_refused((Var *) node, context))
				return true;
			break;
		case T_Param:
			if (((Param *) node)->paramkind != PARAM_EXTERN)
				return refuse(context, pstrdup("a sub-query that depends on the row can't run at a site"));
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
			if (operator_refused(((OpExpr *) node)->opno, ((OpExpr *) node)->inputcollid, context))
				return true;
			break;
		case T_ScalarArrayOpExpr:
			if (operator_refused(((ScalarArrayOpExpr *) node)->opno,
								 ((ScalarArrayOpExpr *) node)->inputcollid, context))
				return true;
			break;
		case T_MinMaxExpr:
			if (((MinMaxExpr *) node)->inputcollid == DEFAULT_COLLATION_OID)
				return refuse(context,
							  pstrdup("GREATEST and LEAST would use each site's own text order (add COLLATE \"C\")"));
			break;
		case T_RowCompareExpr:
			{
				RowCompareExpr *row = (RowCompareExpr *) node;
				ListCell   *operator,
						   *collation;

				forboth(operator, row->opnos, collation, row->inputcollids)
					if (operator_refused(lfirst_oid(operator), lfirst_oid(collation), context))
						return true;
				break;
			}
		case T_Const:
		case T_FuncExpr:
		case T_BoolExpr:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_ArrayCoerceExpr:
		case T_ArrayExpr:
		case T_CollateExpr:
		case T_NamedArgExpr:
		case T_List:
			break;
		case T_SQLValueFunction:
			return refuse(context, pstrdup("the current time, date or user differs between sites"));
		case T_SubLink:
		case T_SubPlan:
		case T_AlternativeSubPlan:
			return refuse(context, pstrdup("a sub-query that depends on the row can't run at a site"));
		case T_Aggref:
		case T_WindowFunc:
		case T_GroupingFunc:
			return refuse(context, pstrdup("an aggregate can't be nested in another"));
		case T_PlaceHolderVar:
			return refuse(context, pstrdup("a sub-query on the optional side of an outer join can't run at a site"));
		default:
			return refuse(context, pstrdup("this kind of expression can't run at a site"));
	}

	if (!IsA(node, List) && !IsA(node, CaseWhen) && type_refused(exprType(node), context))
		return true;
	return expression_tree_walker(node, refusal_walker, context);
}

char *
expression_refusal(Node *expr)
{
	RefusalContext context = {NULL};

	refusal_walker(expr, &context);
	return context.reason;
}
