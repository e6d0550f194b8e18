/*
 * site.c
 *	  A site's part of a run.
 *
 * The SQL comes from another node and is trusted with nothing.  It is parsed
 * and analysed as role secmed_runner, which can see the views of
 * secmed_published and nothing else; then its tree is walked: one SELECT,
 * inner and outer joins of published views, allowed expressions
 * (query/allowed.h), keys whose public domains are those the plan names, and
 * of aggregates only those that a component may be.  The count of patients is
 * added here, by the site, which is the one that knows its patients.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "govern/answered.h"
#include "govern/contracts.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "parser/parse_func.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "parser/parsetree.h"
#include "query/all_values.h"
#include "query/allowed.h"
#include "query/column_policy.h"
#include "query/deparse.h"
#include "query/encode.h"
#include "query/event_counts.h"
#include "query/glm_aggregate.h"
#include "query/published.h"
#include "query/site_cohorts.h"
#include "query/site_noise.h"
#include "query/site_query.h"
#include "query/support.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgroids.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

void
runner_begin(RunnerScope *scope)
{
	GetUserIdAndSecContext(&scope->userid, &scope->sec_context);
	scope->guc_level = transmission_settings();
	/* The run has entries of its own. */
	SetUserIdAndSecContext(get_role_oid("secmed_runner", false),
						   scope->sec_context | SECURITY_LOCAL_USERID_CHANGE | NODE_OWN_WORK);
	(void) set_config_option("transaction_read_only", "on", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
runner_end(RunnerScope *scope)
{
	AtEOXact_GUC(true, scope->guc_level);
	SetUserIdAndSecContext(scope->userid, scope->sec_context);
}

void
site_refuse(const char *why)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_REFUSED),
			 errmsg("site \"%s\" refuses the question", node_self()->card.name),
			 errdetail("%s.", why)));
}

/* ---- parsing ---- */

RawStmt *
site_parse(const char *sql)
{
	List	   *statements = raw_parser(sql, RAW_PARSE_DEFAULT);
	SelectStmt *select;

	if (list_length(statements) != 1)
		site_refuse("The plan is not one statement");
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	if (!IsA(select, SelectStmt) || select->op != SETOP_NONE || select->withClause != NULL ||
		select->intoClause != NULL || select->valuesLists != NIL || select->lockingClause != NIL)
		site_refuse("The plan is not a plain SELECT");
	return linitial_node(RawStmt, statements);
}

static Oid *
parameter_types(const CanonicalPlan *plan)
{
	Oid		   *types = palloc(sizeof(Oid) * (plan->nparams + 1));
	int32		typmod;

	for (int i = 0; i < plan->nparams; i++)
	{
		parseTypeString(plan->param_types[i], &types[i], &typmod, false);
		if (type_names_objects(types[i]))
			elog(ERROR, "the plan names objects");	/* as below */
		if (types[i] >= FirstNormalObjectId && !type_is_enum(types[i]))
			site_refuse(psprintf("Parameter $%d has type %s, which is not one of PostgreSQL's own",
				   i + 1, plan->param_types[i]));
	}
	return types;
}

Query *
site_analyse(const char *sql, RawStmt *raw, Oid *types, int ntypes)
{
	return parse_analyze_fixedparams(raw, sql, types, ntypes, NULL);
}

static ParamListInfo
bind_parameters(const Request *request, const CanonicalPlan *plan, Oid *types)
{
	ParamListInfo params;

	if (request->nparams != plan->nparams)
		site_refuse(psprintf("The plan has %d parameters and the request %d", plan->nparams, request->nparams));
	params = makeParamList(plan->nparams);
	for (int i = 0; i < plan->nparams; i++)
	{
		Oid			input,
					ioparam;

		getTypeInputInfo(types[i], &input, &ioparam);
		params->params[i].ptype = types[i];
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].isnull = request->params[i] == NULL;
		params->params[i].value = request->params[i] == NULL ? (Datum) 0 :
			OidInputFunctionCall(input, request->params[i], ioparam, -1);
	}
	return params;
}

/* ---- walking ---- */

static void
check_table(SiteQuery *site, RangeTblEntry *rte)
{
	Published  *published = NULL;

	if (rte->alias != NULL && rte->alias->colnames != NIL)
		site_refuse("The plan renames columns");
	if (rte->rtekind == RTE_JOIN && rte->alias == NULL)
	{
		site->tables = lappend(site->tables, NULL);
		return;
	}
	if (rte->rtekind != RTE_RELATION || rte->tablesample != NULL)
		site_refuse("The plan reads something other than published tables");
	if (get_rel_namespace(rte->relid) == get_namespace_oid(PUBLISHED_SCHEMA, false))
		published = published_find(get_rel_name(rte->relid));
	if (published == NULL || published->view != rte->relid)
		site_refuse("The plan reads a table that is not published here");
	if (plan_table(site->plan, published->name) == NULL)
		site_refuse("The plan reads a table that it does not name");
	site->tables = lappend(site->tables, published);
}

static void
check_shape(SiteQuery *site, Query *query)
{
	ListCell   *lc;

	if (query->commandType != CMD_SELECT || query->cteList != NIL || query->hasWindowFuncs ||
		query->hasTargetSRFs || query->hasSubLinks || query->distinctClause != NIL ||
		query->groupingSets != NIL || query->havingQual != NULL || query->sortClause != NIL ||
		query->limitCount != NULL || query->limitOffset != NULL || query->setOperations != NULL ||
		query->rowMarks != NIL)
		site_refuse("The plan has a clause that sub-queries do not have");
	if (list_length(query->rtable) > 2 * TABLES_MAX)
		site_refuse("The plan reads too many tables");
	foreach(lc, query->rtable)
		check_table(site, lfirst_node(RangeTblEntry, lc));
	if (query->rtable == NIL)
		site_refuse("The plan reads no table");
}

/* Every column that is read is among those the plan names, so that the ledger says all. */
static void
check_columns(SiteQuery *site, Query *query)
{
	ListCell   *lc;

	foreach(lc, list_concat(pull_vars_of_level((Node *) query->targetList, 0),
							pull_vars_of_level((Node *) query->jointree, 0)))
	{
		Var		   *var = lfirst_node(Var, lc);
		Published  *published = list_nth(site->tables, var->varno - 1);
		const PlanTable *table;
		bool		named = false;

		if (published == NULL)
			site_refuse("The plan reads a column of a join");
		if (var->varattno <= 0)
			continue;			/* refused elsewhere, with a better reason */
		table = plan_table(site->plan, published->name);
		for (int i = 0; i < table->ncolumns; i++)
			named = named || strcmp(table->columns[i].name,
									get_attname(published->view, var->varattno, false)) == 0;
		if (!named)
			site_refuse("The plan reads a column that it does not name");
	}
}

void
site_check_expression(Node *expr)
{
	char	   *reason = expression_refusal(expr);

	if (reason != NULL)
		site_refuse(psprintf("%c%s", pg_toupper((unsigned char) reason[0]), reason + 1));
}

static bool
check_join_walker(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	if (IsA(node, FromExpr))
		site_check_expression(((FromExpr *) node)->quals);
	else if (IsA(node, JoinExpr))
		site_check_expression(((JoinExpr *) node)->quals);
	else if (!IsA(node, RangeTblRef) && !IsA(node, List))
		return false;
	if (IsA(node, FromExpr))
		return expression_tree_walker((Node *) ((FromExpr *) node)->fromlist, check_join_walker, unused);
	if (IsA(node, JoinExpr))
		return check_join_walker(((JoinExpr *) node)->larg, unused) ||
			check_join_walker(((JoinExpr *) node)->rarg, unused);
	return expression_tree_walker(node, check_join_walker, unused);
}

/* A column of a published table, through the join it may be named by. */
PublishedColumn *
site_column(SiteQuery *site, Var *var)
{
	Published  *published;

	if (var->varattno <= 0 || var->varlevelsup != 0)
		return NULL;
	published = list_nth(site->tables, var->varno - 1);
	return published ? published_column(published, get_attname(published->view, var->varattno, false)) : NULL;
}

static Domain *
domain_of_var(Var *var, void *site)
{
	PublishedColumn *column = site_column(site, var);
	Domain	   *domain = column ? column->domain : NULL;

	if (domain != NULL && bms_is_member(var->varno, ((SiteQuery *) site)->optional))
		domain = domain_with_null(domain);
	return domain;
}

static void
check_key(SiteQuery *site, int i, TargetEntry *target)
{
	const PlanKey *key = &site->plan->keys[i];
	Domain		asked = {exprType((Node *) target->expr), key->nvalues, key->values};
	Domain	   *domain;

	site_check_expression((Node *) target->expr);
	if (strcmp(key->type, format_type_be_qualified(asked.type)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
				 errmsg("site \"%s\" groups by another type than was asked", node_self()->card.name),
				 errdetail("Key %d is of type %s here, and of type %s in the plan.", i + 1,
						   format_type_be_qualified(asked.type), key->type)));
	domain = domain_of_expression((Node *) target->expr, domain_of_var, site);
	if (domain == NULL || !domain_equal(domain, &asked))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
				 errmsg("site \"%s\" publishes other values to group by than were asked",
						node_self()->card.name),
				 errdetail("Key %d has other public values here than in the plan.", i + 1),
				 errhint("The sites publish the same domains; then import the foreign schema again.")));
}

/* Aggregates that a site runs, by the component they may be. */
static bool
aggregate_allowed(Aggref *agg, const CanonicalPlan *plan, int component)
{
	ComponentKind kind = plan->components[component];
	const char *name = get_func_name(agg->aggfnoid);
	Oid			namespace = get_func_namespace(agg->aggfnoid);
	bool		exact = strcmp(name, "exact_sum") == 0 &&
		namespace == get_namespace_oid("secmed", false);

	if (exact)
		return (kind == COMPONENT_SUM_FLOAT && list_length(agg->args) == 1) ||
			(kind == COMPONENT_SUM_FLOAT_PRODUCT && list_length(agg->args) == 2) ||
			(kind == COMPONENT_SUM_FLOAT_PRODUCT_3 && list_length(agg->args) == 3) ||
			(kind == COMPONENT_SUM_FLOAT_PRODUCT_4 && list_length(agg->args) == 4);
	if (is_exact_glm_aggregate(agg->aggfnoid))
		return kind == COMPONENT_SUM_FLOAT_VECTOR && glm_aggregate_width(agg) == plan_width(plan, component);
	if (is_event_counts(agg->aggfnoid))
		return kind == COMPONENT_EVENT_COUNTS && event_counts_width(agg) == plan_width(plan, component);
	if (kind == COMPONENT_QUANTILES)
		return is_all_values(agg, &plan_quantiles(plan, component)->type);
	if (namespace != PG_CATALOG_NAMESPACE)
		return false;
	switch (kind)
	{
		case COMPONENT_COUNT:
			return strcmp(name, "count") == 0 || strcmp(name, "regr_count") == 0;
		case COMPONENT_SUM_INTEGER:
		case COMPONENT_SUM_NUMERIC:
		case COMPONENT_SUM_NUMERIC_PRODUCT:
		case COMPONENT_SUM_INTERVAL:
			return strcmp(name, "sum") == 0;
		case COMPONENT_BOOL_OR:
			return strcmp(name, "bool_or") == 0;
		case COMPONENT_BOOL_AND:
			return strcmp(name, "bool_and") == 0;
		default:
			return false;
	}
}

bool
site_is_patient(SiteQuery *site, Node *expr, bool *unique)
{
	Published  *published;
	PublishedColumn *column;

	if (!IsA(expr, Var) || (column = site_column(site, (Var *) expr)) == NULL)
		return false;
	published = list_nth(site->tables, ((Var *) expr)->varno - 1);
	if (published->patient == NULL || strcmp(published->patient, column->name) != 0)
		return false;
	*unique = published->patient_unique && list_length(site->tables) == 1;
	return true;
}

/* Where else than as the point of the sums does a parameter stand? */
static bool
uses_parameter(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return true;
	if (IsA(node, Aggref) && is_exact_glm_aggregate(((Aggref *) node)->aggfnoid) &&
		IsA(linitial_node(TargetEntry, ((Aggref *) node)->args)->expr, Param))
		return uses_parameter((Node *) list_copy_tail(((Aggref *) node)->args, 1), unused) ||
			uses_parameter((Node *) ((Aggref *) node)->aggfilter, unused);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, uses_parameter, unused, 0);
	return expression_tree_walker(node, uses_parameter, unused);
}

/* One yes is for several passes: then they ask the same of the same rows, at another point. */
static void
check_passes(SiteQuery *site, Query *query)
{
	if (site->request->passes_max > 0 && uses_parameter((Node *) query, NULL))
		site_refuse("Passes of one fit may differ in the point of its sums only");
}

static void
check_component(SiteQuery *site, int i, TargetEntry *target)
{
	ComponentKind kind = site->plan->components[i];
	Aggref	   *agg = (Aggref *) target->expr;
	bool		unique;
	ListCell   *lc;

	if (!IsA(agg, Aggref) || agg->aggkind != AGGKIND_NORMAL || agg->aggorder != NIL ||
		agg->agglevelsup != 0 || agg->aggvariadic || !aggregate_allowed(agg, site->plan, i) ||
		!component_accepts(kind, agg->aggtype))
		site_refuse(psprintf("Component %d of the plan is not an aggregate that sites run", i + 1));
	foreach(lc, agg->args)
		site_check_expression((Node *) lfirst_node(TargetEntry, lc)->expr);
	site_check_expression((Node *) agg->aggfilter);
	if (agg->aggdistinct != NIL)
	{
		if (strcmp(get_func_name(agg->aggfnoid), "count") != 0 ||
			!site_is_patient(site, (Node *) linitial_node(TargetEntry, agg->args)->expr, &unique))
			site_refuse(psprintf("Component %d counts distinct values of a column that is not the patient's", i + 1));
		/* Where the column is unique, counting it is the same and needs no sort. */
		if (unique)
			agg->aggdistinct = NIL;
	}
}

static void
check_targets(SiteQuery *site, Query *query)
{
	int			nkeys = site->plan->nkeys;
	ListCell   *lc;

	if (list_length(query->targetList) != nkeys + site->plan->ncomponents ||
		list_length(query->groupClause) != nkeys)
		site_refuse("The plan's columns are not its keys and components");
	foreach(lc, query->targetList)
	{
		TargetEntry *target = lfirst_node(TargetEntry, lc);
		int			i = foreach_current_index(lc);

		if (target->resjunk)
			site_refuse("The plan's columns are not its keys and components");
		if (i >= nkeys)
			check_component(site, i - nkeys, target);
		else if (target->ressortgroupref == 0)
			site_refuse("A key of the plan is not grouped by");
		else
			check_key(site, i, target);
	}
}

/* ---- rows that are shared ---- */

/*
 * That there are more rows than the bound is told, so the bound must be large enough to tell nothing
 * of few; or as large as all there is.
 */
uint64
site_rows_most(const SiteQuery *site, uint64 asked, bool groups)
{
	uint64		declared = 0;
	int			ntables = 0;
	ListCell   *lc;

	foreach(lc, site->tables)
	{
		const Published *published = lfirst(lc);

		if (published == NULL)
			continue;
		if (published->rows_max == 0)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_REFUSED),
					 errmsg("site \"%s\" shares no rows of \"%s\"", node_self()->card.name, published->name),
					 errdetail("It is published with rows_max => 0: sums of all rows can be asked.")));
		declared = Max(declared, (uint64) published->rows_max);
		ntables++;
	}
	if (asked < Min(SITE_ROWS_MIN, declared))
		site_refuse(psprintf("A bound of " UINT64_FORMAT " rows is too small; it is at least %d", asked, SITE_ROWS_MIN));
	return ntables == 1 && !groups ? Min(asked, declared) : asked;
}

/* All columns of a quantile that may be one of few values are to be allowed for that. */
static void
check_extremes(SiteQuery *site, TargetEntry *target)
{
	ListCell   *lc;

	foreach(lc, pull_var_clause((Node *) castNode(Aggref, target->expr)->args, 0))
		site_require_use(lfirst_node(Var, lc), USE_EXTREME, site);
}

static void
check_quantiles(SiteQuery *site, Query *query)
{
	uint64		patients_min;
	bool		show_zero;

	site_rule(site, &patients_min, &show_zero);
	site->rows_most = palloc0(sizeof(uint64) * (site->plan->ncomponents + 1));
	for (int i = 0; i < site->plan->ncomponents; i++)
	{
		const QuantileSpec *spec = plan_quantiles(site->plan, i);

		if (spec == NULL)
			continue;
		site->rows_most[i] = site_rows_most(site, spec->rows, false);
		if (spec->tail < patients_min)
			check_extremes(site, list_nth(query->targetList, site->plan->nkeys + i));
	}
}

/* ---- column policy ---- */

static const char *
use_words(ColumnUse use)
{
	switch (use)
	{
		case USE_AGGREGATE:
			return "in aggregates";
		case USE_COUNT:
			return "in count()";
		case USE_GROUP:
			return "in GROUP BY";
		case USE_FILTER:
			return "in conditions";
		case USE_JOIN:
			return "to join tables";
		default:
			return "for minimum and maximum";
	}
}

/* By the site's own policy; whatever the coordinator knows of it. */
void
site_require_use(Var *var, ColumnUse use, void *arg)
{
	SiteQuery  *site = arg;
	PublishedColumn *column = site_column(site, var);
	Published  *published;
	bool		allowed;

	if (column == NULL)
		site_refuse("The plan reads a column of a join");
	published = list_nth(site->tables, var->varno - 1);
	site->patients_min = Max(site->patients_min, column->patients_min);
	allowed = use == USE_COUNT ? (column->uses & USE_AGGREGATE) != 0 ||
		(published->patient != NULL && strcmp(published->patient, column->name) == 0) : (column->uses & use) != 0;
	if (!allowed)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_COLUMN_POLICY),
				 errmsg("site \"%s\" does not allow column \"%s\" of \"%s\" %s",
						node_self()->card.name, column->name, published->name, use_words(use)),
				 errdetail("Its policy for the column%s%s%s allows: %s.", column->class ? ", of class \"" : "",
						   column->class ? column->class : "", column->class ? "\"," : "", column_uses_text(column->uses)),
				 errhint("Ask with other columns, or ask the site for secmed.set_column_policy().")));
}

void
site_check_policy(SiteQuery *site, Query *query)
{
	ListCell   *lc;

	column_uses_of_jointree((Node *) query->jointree, site_require_use, site);
	foreach(lc, query->targetList)
	{
		Node	   *expr = (Node *) lfirst_node(TargetEntry, lc)->expr;

		if (IsA(expr, Aggref))
			column_uses_of_aggregate((Aggref *) expr, site_require_use, site);
		else
			column_uses_of_key(expr, site_require_use, site);
	}
}

/* ---- the plan's tables against ours ---- */

static void
check_plan_column(const Published *published, const PlanColumn *asked)
{
	const char *site = node_self()->card.name;
	PublishedColumn *column = published_column(published, asked->name);

	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
				 errmsg("site \"%s\" does not publish column \"%s\" of \"%s\"",
						site, asked->name, published->name)));
	if (strcmp(format_type_be_qualified(column->type), asked->type) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
				 errmsg("column \"%s\" of \"%s\" is of type %s at site \"%s\", not %s",
						asked->name, published->name, format_type_be_qualified(column->type),
						site, asked->type),
				 errhint("The sites publish the same types; then import the foreign schema again.")));
}

/* Whoever is pooled with can fill groups up to the threshold: only whom the table allows. */
static void
check_cosites(const Published *published, const Request *request)
{
	for (int i = 0; published->sites != NIL && i < request->nsites; i++)
	{
		bool		allowed = strcmp(request->sites[i].name, node_self()->card.name) == 0;
		ListCell   *lc;

		foreach(lc, published->sites)
			allowed = allowed || strcmp(lfirst(lc), request->sites[i].name) == 0;
		if (!allowed)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_REFUSED),
					 errmsg("site \"%s\" does not pool \"%s\" with site \"%s\"",
							node_self()->card.name, published->name, request->sites[i].name)));
	}
}

/* Says what is missing or different before PostgreSQL would, in other words. */
static void
check_plan_tables(const Request *request, const CanonicalPlan *plan)
{
	for (int i = 0; i < plan->ntables; i++)
	{
		const PlanTable *table = &plan->tables[i];
		Published  *published = published_find(table->name);

		if (published == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
					 errmsg("site \"%s\" does not publish \"%s\"", node_self()->card.name, table->name)));
		check_cosites(published, request);
		for (int j = 0; j < table->ncolumns; j++)
			check_plan_column(published, &table->columns[j]);
	}
}

/*
 * Names of tables or roles as values ('clinic'::regnamespace) are looked up
 * while the SQL is analysed: whether there is such a one must not show.
 */
static bool
names_objects_walker(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, names_objects_walker, unused, 0);
	if ((IsA(node, Const) || IsA(node, FuncExpr) || IsA(node, Param) || IsA(node, CoerceViaIO) ||
		 IsA(node, RelabelType)) && type_names_objects(exprType(node)))
		return true;
	return expression_tree_walker(node, names_objects_walker, unused);
}

static Query *
parse_plan(SiteQuery *site)
{
	const CanonicalPlan *plan = site->plan;
	RawStmt    *raw = site_parse(plan->sql);
	Oid		   *types = parameter_types(plan);
	Query	   *query;

	site->params = bind_parameters(site->request, plan, types);
	query = site_analyse(plan->sql, raw, types, plan->nparams);
	if (names_objects_walker((Node *) query, NULL))
		elog(ERROR, "the plan names objects");	/* only to be replaced below */
	return query;
}

/*
 * PostgreSQL's own complaints would tell a coordinator which schemas and
 * functions there are here; ours do not.
 */
static Query *
parse_plan_discreetly(SiteQuery *site)
{
	MemoryContext caller = CurrentMemoryContext;
	Query	   *query = NULL;

	PG_TRY();
	{
		query = parse_plan(site);
	}
	PG_CATCH();
	{
		int			sqlstate = geterrcode();

		if (ERRCODE_TO_CATEGORY(sqlstate) == MAKE_SQLSTATE('S', 'M', '0', '0', '0') ||
			sqlstate == ERRCODE_QUERY_CANCELED)
			PG_RE_THROW();
		MemoryContextSwitchTo(caller);
		FlushErrorState();
		site_refuse("The plan's SQL has no meaning here");
	}
	PG_END_TRY();
	return query;
}

Query *
site_check_query(SiteQuery *site)
{
	Query	   *query;

	check_plan_tables(site->request, site->plan);
	query = parse_plan_discreetly(site);
	check_shape(site, query);
	check_columns(site, query);
	site_check_outer_joins(site, (Node *) query->jointree);
	site->optional = site_optional_tables(query);
	check_join_walker((Node *) query->jointree, NULL);
	return query;
}

SiteQuery *
site_prepare(const Request *request, const CanonicalPlan *plan)
{
	SiteQuery  *site = palloc0(sizeof(SiteQuery));
	const Noise *noise = contract_noise(request);
	RunnerScope scope;
	Query	   *query;
	int64		key;

	site->request = request;
	site->plan = plan;
	site->patients_min = contract_smallest_group(request);
	key = answered_key();
	runner_begin(&scope);
	query = site_check_query(site);
	check_targets(site, query);
	check_passes(site, query);
	site_check_policy(site, query);
	check_quantiles(site, query);

	if (noise == NULL)
		site->cohort_targets = site_cohort_targets(site, query, key);
	site_add_patient_counts(site, query);
	if (noise != NULL)
		site_noise_bound(site, query, noise);
	site->query = query;
	runner_end(&scope);
	return site;
}

const Noise *
site_noise(const SiteQuery *site)
{
	return site->noise;
}

void
site_rule(const SiteQuery *site, uint64 *patients_min, bool *show_zero)
{
	ListCell   *lc;

	*patients_min = Max(1, site->patients_min);
	*show_zero = true;
	if (site->noise != NULL && !site->noise->thresholds)
	{
		*patients_min = 1;
		return;
	}
	foreach(lc, site->tables)
	{
		Published  *published = lfirst(lc);

		if (published == NULL)
			continue;
		*patients_min = Max(*patients_min, (uint64) published->patients_min);
		*show_zero = *show_zero && published->show_zero;
	}
}
