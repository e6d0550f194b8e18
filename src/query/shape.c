/*
 * shape.c
 *	  From a query to its canonical plan, or to the reason why there is none.
 *
 * Each site runs the FROM, WHERE and GROUP BY with components in place of the
 * aggregates; HAVING, ORDER BY and arithmetic on the results are PostgreSQL's
 * own work at the coordinator, over the rows the foreign scan returns.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_namespace.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "parser/parsetree.h"
#include "query/column_policy.h"
#include "query/column_type.h"
#include "query/from.h"
#include "query/settings.h"
#include "query/shape.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

typedef struct Shaper
{
	PlannerInfo *root;
	Shape	   *shape;
	QueryRefusal    *refusal;
	Deparser	deparser;
	FromClause	from;
	ComponentSet set;
	List	   *key_texts;		/* of char * */
	bool		open_keys;
} Shaper;

static bool
refuse(Shaper *shaper, char *reason, char *hint)
{
	if (shaper->refusal->reason == NULL)
	{
		shaper->refusal->reason = reason;
		shaper->refusal->hint = hint;
	}
	return false;
}

/* The same, of something that may be computed on shares. */
static bool
refuse_sums(Shaper *shaper, char *reason, char *hint)
{
	if (shaper->refusal->reason == NULL)
		shaper->refusal->needs_rows = true;
	return refuse(shaper, reason, hint);
}

/* Is it an aggregate that rows are needed for, or groups of single values? */
static bool
needs_rows(Aggref *agg)
{
	const char *name = get_func_name(agg->aggfnoid);

	return get_func_namespace(agg->aggfnoid) == PG_CATALOG_NAMESPACE &&
		((agg->aggdistinct != NIL && strcmp(name, "count") == 0) || strcmp(name, "min") == 0 || strcmp(name, "max") == 0 ||
		 strcmp(name, "percentile_cont") == 0 || strcmp(name, "percentile_disc") == 0);
}

/* ---- callbacks: what the foreign tables declare ---- */

static bool
is_patient_column(Node *expr, void *arg)
{
	Shaper	   *shaper = arg;
	Var		   *var = (Var *) expr;
	PublishedTable *table;

	if (!IsA(expr, Var) || var->varattno <= 0)
		return false;
	table = from_clause_table(&shaper->from, var->varno);
	return table != NULL && table->patient != NULL &&
		strcmp(table->patient, get_attname(table->relid, var->varattno, false)) == 0;
}

/* A column that is NOT NULL at all sites, and whose rows are always there. */
static bool
is_never_null(Var *var, void *arg)
{
	Shaper	   *shaper = arg;
	PublishedTable *table = from_clause_table(&shaper->from, var->varno);

	return table != NULL && var->varattno > 0 && foreign_column_not_null(table->relid, var->varattno) &&
		!bms_is_member(var->varno, shaper->from.optional);
}

/* A number of this width, whatever it is of doubles: their bits in order. */
static bool
number_type(Node *expr, SecretType *type, char **hint, void *arg)
{
	Shaper	   *shaper = arg;

	if (!site_column_type(shaper->root, shaper->from.optional, expr, type, hint) || !secret_is_number(type))
		return false;
	type->nullable = false;
	if (type->kind == SECRET_FLOAT)
		type->bits = SECRET_NUMBER_BITS_MAX;
	return true;
}

static Domain *
column_domain(Var *var, void *arg)
{
	Shaper	   *shaper = arg;
	PublishedTable *table = from_clause_table(&shaper->from, var->varno);
	Domain	   *domain;

	if (table == NULL || var->varattno <= 0)
		return NULL;
	domain = foreign_column_domain(table->relid, var->varattno);
	if (domain != NULL && bms_is_member(var->varno, shaper->from.optional))
		domain = domain_with_null(domain);
	return domain;
}

/*
 * The policy as the foreign tables tell it, so that an analyst hears of it before anybody is asked.  The
 * sites decide.
 */
static void
note_use(Var *var, ColumnUse use, void *arg)
{
	Shaper	   *shaper = arg;
	PublishedTable *table = from_clause_table(&shaper->from, var->varno);
	int			uses;

	if (table == NULL || var->varattno <= 0)
		return;
	uses = foreign_column_uses(table, var->varattno);
	if (uses & (use == USE_COUNT ? USE_AGGREGATE : use) || (use == USE_COUNT && is_patient_column((Node *) var, shaper)))
		return;
	refuse(shaper, psprintf("the sites do not allow column \"%s\" of \"%s\" for this (%s)",
							get_attname(table->relid, var->varattno, false), table->name,
							column_uses_text(use == USE_COUNT ? USE_AGGREGATE : use)),
		   psprintf("Their policy for the column allows: %s.", column_uses_text(uses)));
}

/* ---- keys ---- */

static bool
contain_params_walker(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	return IsA(node, Param) || expression_tree_walker(node, contain_params_walker, unused);
}

static bool
contain_params(Node *node)
{
	return contain_params_walker(node, NULL);
}

static bool
add_key(Shaper *shaper, Node *expr)
{
	CanonicalPlan	   *plan = &shaper->shape->plan;
	PlanKey    *key = &plan->keys[plan->nkeys];
	char	   *reason;
	char	   *text;
	Domain	   *domain = NULL;
	int			level;

	if (deparser_owns(&shaper->deparser, expr))
		return refuse(shaper, psprintf("GROUP BY %s groups by a value that no column gives",
									   deparse_for_people(&shaper->deparser, expr)),
					  "Leave it out of GROUP BY, and add it to the result.");
	text = deparse_site_expression(&shaper->deparser, expr, &reason);
	if (text == NULL)
		return refuse(shaper, reason, NULL);
	column_uses_of_key(expr, note_use, shaper);

	level = transmission_settings();
	if (!shaper->open_keys)
		domain = domain_of_expression(expr, column_domain, shaper);
	AtEOXact_GUC(true, level);
	if (domain == NULL && !shaper->open_keys)
		return refuse_sums(shaper, psprintf("GROUP BY %s needs a public list of its values",
									   deparse_for_people(&shaper->deparser, expr)),
					  contain_params(expr) ?
					  "Its groups depend on a parameter: SET plan_cache_mode = force_custom_plan." :
					  "Group by a boolean, an enum, a CASE with constant results, or a column that the sites publish with a domain.");

	level = transmission_settings();
	key->type = format_type_be_qualified(exprType(expr));
	AtEOXact_GUC(true, level);
	if (domain != NULL)
	{
		key->nvalues = domain->nvalues;
		key->values = domain->values;
	}
	plan->nkeys++;
	shaper->key_texts = lappend(shaper->key_texts, text);
	return true;
}

static void
add_final(Shaper *shaper, const Final *final)
{
	shaper->shape->finals = lappend(shaper->shape->finals, final_to_list(final));
}

/* Every GROUP BY expression is a key, used in the answer or not. */
static bool
add_keys(Shaper *shaper)
{
	Query	   *query = shaper->root->parse;
	ListCell   *lc;

	if (list_length(query->groupClause) > KEYS_MAX)
		return refuse(shaper, psprintf("more than %d columns to group by", KEYS_MAX), NULL);
	shaper->shape->plan.keys = palloc0(sizeof(PlanKey) * (list_length(query->groupClause) + 1));
	foreach(lc, query->groupClause)
	{
		SortGroupClause *clause = lfirst_node(SortGroupClause, lc);
		TargetEntry *entry = get_sortgroupclause_tle(clause, shaper->root->processed_tlist);
		Final		final = {.kind = FINAL_KEY, .type = exprType((Node *) entry->expr)};

		final.components[0] = shaper->shape->plan.nkeys;
		if (!add_key(shaper, (Node *) entry->expr))
			return false;
		shaper->shape->tlist = lappend(shaper->shape->tlist,
									   makeTargetEntry(copyObject(entry->expr),
													   list_length(shaper->shape->tlist) + 1,
													   NULL, false));
		add_final(shaper, &final);
	}
	return true;
}

/* ---- aggregates ---- */

static bool
add_aggregate(Shaper *shaper, Aggref *agg)
{
	Shape	   *shape = shaper->shape;
	Final		final;
	QueryRefusal		refusal;

	if (tlist_member((Expr *) agg, shape->tlist))
		return true;
	if (!aggregate_decompose(&shaper->set, agg, &final, &refusal.reason, &refusal.hint))
		return needs_rows(agg) ? refuse_sums(shaper, refusal.reason, refusal.hint) :
			refuse(shaper, refusal.reason, refusal.hint);
	column_uses_of_aggregate(agg, note_use, shaper);
	shape->tlist = lappend(shape->tlist,
						   makeTargetEntry((Expr *) copyObject(agg), list_length(shape->tlist) + 1,
										   NULL, false));
	add_final(shaper, &final);
	return true;
}

static bool
add_aggregates(Shaper *shaper, Node *expr)
{
	ListCell   *lc;

	foreach(lc, pull_var_clause(expr, PVC_INCLUDE_AGGREGATES | PVC_INCLUDE_PLACEHOLDERS |
								PVC_RECURSE_WINDOWFUNCS))
	{
		Node	   *node = lfirst(lc);

		if (IsA(node, Aggref) && !add_aggregate(shaper, (Aggref *) node))
			return false;
	}
	return true;
}

/* Anything but the keys and aggregates would need rows. */
static bool
covered_walker(Node *node, Shaper *shaper)
{
	if (node == NULL || IsA(node, Aggref))
		return false;
	if (IsA(node, GroupingFunc))
		return true;
	if (!IsA(node, List) && tlist_member((Expr *) node, shaper->shape->tlist))
		return false;
	if (IsA(node, Var) || IsA(node, PlaceHolderVar))
		return true;
	return expression_tree_walker(node, covered_walker, shaper);
}

/* ---- the SQL ---- */

static void
append_list(StringInfo sql, List *texts, const char *separator)
{
	ListCell   *lc;

	foreach(lc, texts)
		appendStringInfo(sql, "%s%s", foreach_current_index(lc) ? separator : "", (char *) lfirst(lc));
}

static char *
build_sql(Shaper *shaper)
{
	StringInfoData sql;
	List	   *targets = list_copy(shaper->key_texts);
	ListCell   *lc;

	foreach(lc, shaper->set.components)
		targets = lappend(targets, ((Component *) lfirst(lc))->sql);

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_list(&sql, targets, ", ");
	appendStringInfo(&sql, " FROM %s", shaper->from.text.data);
	if (shaper->from.conditions != NIL)
	{
		appendStringInfoString(&sql, " WHERE (");
		append_list(&sql, shaper->from.conditions, ") AND (");
		appendStringInfoChar(&sql, ')');
	}
	for (int i = 0; i < shaper->shape->plan.nkeys; i++)
		appendStringInfo(&sql, "%s%d", i ? ", " : " GROUP BY ", i + 1);
	return sql.data;
}

/* May the least and the greatest of it be told, as far as it is known here? */
static bool
allows_extremes(Shaper *shaper, Node *arg)
{
	ListCell   *lc;

	foreach(lc, pull_var_clause(arg, 0))
	{
		Var		   *var = lfirst_node(Var, lc);
		PublishedTable *table = from_clause_table(&shaper->from, var->varno);

		if (table == NULL || !(foreign_column_uses(table, var->varattno) & USE_EXTREME))
			return false;
	}
	return true;
}

/* How many values are shared, and how many must be beyond a quantile if few may not be told of. */
static void
fill_quantiles(Shaper *shaper, Component *component)
{
	QuantileSpec *spec = component->quantiles;
	uint64		threshold = 1;
	ListCell   *lc;

	foreach(lc, shaper->from.tables)
	{
		const PublishedTable *table = lfirst(lc);

		if (table->rows_max == 0)
			refuse_sums(shaper, psprintf("a site shares no rows of \"%s\"", table->name), NULL);
		spec->rows = Max(spec->rows, table->rows_max);
		threshold = Max(threshold, table->threshold);
	}
	if (site_rows_setting > 0)
		spec->rows = site_rows_setting;
	if (!allows_extremes(shaper, component->arg))
		spec->tail = threshold;
	for (int i = 0; i < spec->nasked; i++)
		if (spec->tail > 0 && spec->asked[i].numerator % spec->asked[i].denominator == 0)
			refuse_sums(shaper, psprintf("a percentile of 0 or 1 is a single patient's value: %s", component->what),
						"The sites allow it for columns with the use extreme.");
	if (spec->rows > QUANTILE_ROWS_MAX)
		refuse_sums(shaper, psprintf("more than %d rows of a site would be shared", QUANTILE_ROWS_MAX),
					"SET secmed.site_rows to fewer.");
	component->width = quantile_elements(spec);
}

static void
fill_components(Shaper *shaper, CanonicalPlan *plan)
{
	ListCell   *lc;

	plan->components = palloc0(sizeof(ComponentKind) * (list_length(shaper->set.components) + 1));
	plan->parts = palloc0(sizeof(int) * (list_length(shaper->set.components) + 1));
	plan->widths = palloc0(sizeof(int) * (list_length(shaper->set.components) + 1));
	plan->quantiles = palloc0(sizeof(QuantileSpec *) * (list_length(shaper->set.components) + 1));
	plan->nparts = Max(1, list_length(shaper->set.supports));
	foreach(lc, shaper->set.components)
	{
		Component  *component = lfirst(lc);

		if (component->kind == COMPONENT_QUANTILES)
			fill_quantiles(shaper, component);
		plan->quantiles[plan->ncomponents] = component->quantiles;
		plan->components[plan->ncomponents] = component->kind;
		plan->widths[plan->ncomponents] = component->width;
		plan->parts[plan->ncomponents++] = component->part;
		shaper->shape->what = lappend(shaper->shape->what, makeString(component->what));
	}
}

/* All that was taken out of the question; NIL if nothing is. */
static List *
taken_constants(const Shaper *shaper)
{
	const Constants *constants = shaper->deparser.constants;

	return constants && constants->use == CONSTANTS_TAKEN ? constants->list : NIL;
}

static void
fill_params(Shaper *shaper, CanonicalPlan *plan)
{
	List	   *taken = taken_constants(shaper);
	List	   *params = taken != NIL ? taken : shaper->deparser.params;
	int			level = transmission_settings();
	ListCell   *lc;

	shaper->shape->params = params;
	plan->param_types = palloc(sizeof(char *) * (list_length(params) + 1));
	foreach(lc, params)
		plan->param_types[plan->nparams++] = format_type_be_qualified(exprType(lfirst(lc)));
	AtEOXact_GUC(true, level);
}

static bool
check_limits(Shaper *shaper, const CanonicalPlan *plan)
{
	if (!shaper->open_keys && plan_cells(plan) == 0)
		return refuse_sums(shaper, psprintf("the answer would have more than %d groups", CELLS_MAX),
					  "Group by fewer columns, or by coarser ones.");
	if (plan->ncomponents > COMPONENTS_MAX || (!shaper->open_keys && (plan_elements(plan) == 0 || plan_opened_elements(plan) == 0)))
		return refuse_sums(shaper, "the answer would be too large", "Ask for fewer groups or aggregates at a time.");
	if (!shaper->open_keys && plan_quantile_goals(plan) > QUANTILE_GOALS_MAX)
		return refuse_sums(shaper, psprintf("more than %d percentiles of all groups together", QUANTILE_GOALS_MAX),
						   "Ask for fewer groups or percentiles at a time.");
	if (plan->nparams > PARAMETERS_MAX && plan->nparams > list_length(taken_constants(shaper)))
		return refuse(shaper, psprintf("more than %d parameters", PARAMETERS_MAX), NULL);
	return true;
}

static bool
check_query(Shaper *shaper)
{
	Query	   *query = shaper->root->parse;

	if (query->groupingSets != NIL)
		return refuse(shaper, "GROUPING SETS, ROLLUP and CUBE are not available over several sites",
					  "Totals beside parts would give back a withheld group; ask for one grouping at a time.");
	if (query->rowMarks != NIL)
		return refuse(shaper, "FOR UPDATE and FOR SHARE need rows", NULL);
	if (query->hasTargetSRFs)
		return refuse(shaper, "a function that returns a set can't be used beside aggregates here",
					  "Aggregate in a sub-query, and use the function on its result.");
	return true;
}

Shape *
shape_query(PlannerInfo *root, RelOptInfo *grouped, List *having, Constants *constants, bool open_keys,
			QueryRefusal *refusal)
{
	Shaper		shaper = {.root = root, .refusal = refusal, .open_keys = open_keys};
	CanonicalPlan	   *plan;
	ListCell   *lc;

	memset(refusal, 0, sizeof(*refusal));
	shaper.shape = palloc0(sizeof(Shape));
	shaper.shape->serverid = shaper.from.serverid = grouped->serverid;
	shaper.set.deparser = &shaper.deparser;
	shaper.set.is_patient = is_patient_column;
	shaper.set.never_null = is_never_null;
	shaper.set.merged = open_keys;
	shaper.set.number_type = number_type;
	shaper.set.arg = &shaper;
	plan = &shaper.shape->plan;

	if (!check_query(&shaper))
		return NULL;
	deparser_start(&shaper.deparser, root);
	shaper.deparser.constants = constants;
	if (!from_clause_build(&shaper.from, &shaper.deparser, root->parse->jointree))
	{
		refuse(&shaper, shaper.from.reason, shaper.from.hint);
		refusal->needs_rows = shaper.from.needs_rows;
		return NULL;
	}
	column_uses_of_jointree((Node *) root->parse->jointree, note_use, &shaper);
	if (!add_keys(&shaper))
		return NULL;
	foreach(lc, grouped->reltarget->exprs)
		if (!add_aggregates(&shaper, lfirst(lc)))
			return NULL;
	if (!add_aggregates(&shaper, (Node *) having))
		return NULL;
	if (covered_walker((Node *) grouped->reltarget->exprs, &shaper) ||
		covered_walker((Node *) having, &shaper))
	{
		refuse(&shaper, "the answer needs more than groups and aggregates", NULL);
		return NULL;
	}
	shaper.shape->having = having;

	plan->sql = build_sql(&shaper);
	from_clause_tables(&shaper.from, plan);
	fill_components(&shaper, plan);
	plan->estimate = shaper.set.estimate;
	fill_params(&shaper, plan);
	shaper.shape->tables = shaper.from.tables;
	shaper.shape->optional = shaper.from.optional;
	shaper.shape->components = shaper.set.components;
	return refusal->reason == NULL && check_limits(&shaper, plan) ? shaper.shape : NULL;
}
