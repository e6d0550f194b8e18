/*
 * column_type.c
 *	  What values of an expression over published tables are shared as.
 */
#include "postgres.h"

#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "query/column_type.h"
#include "query/options.h"
#include "query/shared_table.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"

static bool
type_of_var(PlannerInfo *root, Bitmapset *optional, Var *var, SecretType *type, char **hint)
{
	Oid			relid = planner_rt_fetch(var->varno, root)->relid;

	if (var->varattno <= 0)
		return false;
	if (!secret_type_of_sql(type, var->vartype, var->vartypmod, GetForeignColumnOptions(relid, var->varattno), hint))
		return false;
	type->nullable = !foreign_column_not_null(relid, var->varattno) || bms_is_member(var->varno, optional);
	return true;
}

bool
site_column_type(PlannerInfo *root, Bitmapset *optional, Node *expr, SecretType *type, char **hint)
{
	Oid			collation = exprCollation(expr);

	*hint = NULL;
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
		return false;
	if (IsA(expr, Var))
		return type_of_var(root, optional, (Var *) expr, type, hint);
	if (!secret_type_of_sql(type, exprType(expr), exprTypmod(expr), NIL, hint))
		return false;
	type->nullable = true;
	return true;
}
