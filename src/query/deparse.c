/*
 * deparse.c
 *	  Expressions of the planner as the SQL text that sites run.
 */
#include "postgres.h"

#include "access/table.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "query/allowed.h"
#include "query/deparse.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* Columns have their real names at the sites, whatever the query calls them. */
static void
use_own_column_names(RangeTblEntry *rte)
{
	Relation	relation;
	TupleDesc	desc;

	if (rte->rtekind != RTE_RELATION)
		return;
	relation = table_open(rte->relid, NoLock);
	desc = RelationGetDescr(relation);
	rte->alias = NULL;
	rte->eref = makeAlias(rte->eref->aliasname, NIL);
	for (int i = 0; i < desc->natts; i++)
		rte->eref->colnames = lappend(rte->eref->colnames,
									  makeString(TupleDescAttr(desc, i)->attisdropped ? pstrdup("") :
												 pstrdup(NameStr(TupleDescAttr(desc, i)->attname))));
	table_close(relation, NoLock);
}

/*
 * The deparse context of several tables is the one of a plan; only the range
 * table is looked at, because no Var here refers to a plan's child.
 */
void
deparser_start(Deparser *deparser, PlannerInfo *root)
{
	PlannedStmt *plan = makeNode(PlannedStmt);
	List	   *names = NIL;
	List	   *own_names = NIL;

	plan->rtable = copyObject(root->parse->rtable);
	for (int i = 1; i <= list_length(plan->rtable); i++)
	{
		RangeTblEntry *rte = rt_fetch(i, plan->rtable);

		use_own_column_names(rte);
		names = lappend(names, psprintf("r%d", i));
		own_names = lappend(own_names, rte->eref->aliasname);
	}

	deparser->root = root;
	deparser->context = deparse_context_for_plan_tree(plan, names);
	deparser->own_context = deparse_context_for_plan_tree(plan, own_names);
	deparser->several = list_length(root->parse->jointree->fromlist) > 1 ||
		!IsA(linitial(root->parse->jointree->fromlist), RangeTblRef);
	deparser->columns = NIL;
	deparser->params = NIL;
	deparser->constants = NULL;
}

/*
 * Is this parameter the value of a sub-query that is evaluated once?  If it is
 * evaluated again for rows of an outer query, the scan refuses (scan.c).
 */
static bool
param_is_initplan(PlannerInfo *root, int paramid)
{
	for (; root != NULL; root = root->parent_root)
	{
		ListCell   *lc;

		foreach(lc, root->init_plans)
			if (list_member_int(lfirst_node(SubPlan, lc)->setParam, paramid))
				return true;
	}
	return false;
}

static bool
row_dependent_walker(Node *node, Deparser *deparser)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Aggref:
		case T_GroupingFunc:
		case T_WindowFunc:
		case T_PlaceHolderVar:
		case T_SubPlan:
		case T_AlternativeSubPlan:
		case T_SubLink:
		case T_CaseTestExpr:
			return true;
		case T_Param:
			{
				Param	   *param = (Param *) node;

				if (param->paramkind == PARAM_EXEC)
					return !param_is_initplan(deparser->root, param->paramid);
				return param->paramkind != PARAM_EXTERN;
			}
		default:
			return expression_tree_walker(node, row_dependent_walker, deparser);
	}
}

/* A value that is the same for all rows, but that only the coordinator knows. */
bool
deparser_owns(Deparser *deparser, Node *node)
{
	if (IsA(node, Const) || IsA(node, List) || IsA(node, CaseWhen))
		return false;
	if (row_dependent_walker(node, deparser) || contain_volatile_functions(node))
		return false;
	return IsA(node, Param) || contain_mutable_functions(node);
}

/*
 * The planner makes a RelabelType of COLLATE, which deparse_expression() does
 * not show: make it COLLATE again.
 */
static Node *
restore_collate(Node *node)
{
	RelabelType *relabel = (RelabelType *) node;
	CollateExpr *collate;

	if (!IsA(node, RelabelType) || !OidIsValid(relabel->resultcollid) ||
		relabel->resultcollid == exprCollation((Node *) relabel->arg))
		return node;
	collate = makeNode(CollateExpr);
	collate->collOid = relabel->resultcollid;
	collate->location = -1;
	collate->arg = relabel->arg;
	if (exprType((Node *) relabel->arg) != relabel->resulttype)
	{
		relabel->resultcollid = exprCollation((Node *) relabel->arg);
		collate->arg = (Expr *) relabel;
	}
	return (Node *) collate;
}

/* $number, in the place of the node. */
static Node *
parameter_like(Node *node, int number)
{
	Param	   *param = makeNode(Param);

	param->paramkind = PARAM_EXTERN;
	param->paramid = number;
	param->paramtype = exprType(node);
	param->paramtypmod = exprTypmod(node);
	param->paramcollid = exprCollation(node);
	param->location = -1;
	return (Node *) param;
}

/* Its number among the parameters, which it becomes one of. */
static int
parameter_number(Deparser *deparser, Node *node)
{
	ListCell   *lc;

	foreach(lc, deparser->params)
		if (equal(lfirst(lc), node))
			return foreach_current_index(lc) + 1;
	deparser->params = lappend(deparser->params, node);
	return list_length(deparser->params);
}

static Node *
parameters_mutator(Node *node, Deparser *deparser)
{
	bool		owns;

	if (node == NULL)
		return NULL;
	owns = deparser_owns(deparser, node);
	if (deparser->constants != NULL && (owns || IsA(node, Const)))
	{
		node = constants_meet(deparser->constants, node);
		if (deparser->constants->use == CONSTANTS_TAKEN)
			return parameter_like(node, list_length(deparser->constants->list));
		owns = !IsA(node, Const);
	}
	if (owns)
		return parameter_like(node, parameter_number(deparser, node));
	node = expression_tree_mutator(node, parameters_mutator, deparser);
	return node ? restore_collate(node) : NULL;
}

char *
deparse_site_expression(Deparser *deparser, Node *expr, char **reason)
{
	Node	   *closed = parameters_mutator(expr, deparser);
	char	   *text;
	int			level;

	*reason = expression_refusal(closed);
	if (*reason != NULL)
		return NULL;

	deparser->columns = list_concat_unique(deparser->columns,
										   pull_var_clause(closed, PVC_RECURSE_AGGREGATES));
	level = transmission_settings();
	text = deparse_expression(closed, deparser->context, true, true);
	AtEOXact_GUC(true, level);
	return text;
}

char *
deparse_for_people(Deparser *deparser, Node *expr)
{
	return deparse_expression(expr, deparser->own_context, deparser->several, false);
}
