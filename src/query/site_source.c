/*
 * site_source.c
 *	  Checking what a site is asked to share for a run over shares.
 *
 * The SQL is held to the rules of a question for sums (site.c), but for its target list: columns may be any
 * allowed expressions of a type that can be shared; or it groups by such, without public
 * domains, by aggregates that can be merged with those of other sites.
 */
#include "postgres.h"

#include "catalog/pg_aggregate.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "identity/node.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "oblivious/uses.h"
#include "optimizer/optimizer.h"
#include "query/column_policy.h"
#include "query/site_source_query.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"

/* ---- columns ---- */

/* Can values of this SQL type be shared as that? */
static bool
type_holds(const SecretType *type, Oid sql_type)
{
	switch (sql_type)
	{
		case BOOLOID:
			return type->kind == SECRET_BOOLEAN;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return type->kind == SECRET_INTEGER;
		case NUMERICOID:
			/* A sum of bigint is a numeric without digits behind the point. */
			return type->kind == SECRET_NUMERIC || type->kind == SECRET_INTEGER;
		case DATEOID:
			return type->kind == SECRET_DATE;
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return type->kind == SECRET_TIMESTAMP;
		case FLOAT4OID:
		case FLOAT8OID:
			return type->kind == SECRET_FLOAT;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return type->kind == SECRET_TEXT;
		default:
			return false;
	}
}

static void
check_column_type(const SiteSource *source, int i, Node *expr)
{
	const InputColumn *column = &source->input->columns[i];
	Oid			collation = exprCollation(expr);

	if (!type_holds(&column->type, exprType(expr)))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
				 errmsg("column \"%s\" is of type %s at site \"%s\" and can't be shared as %s", column->name,
						format_type_be_qualified(exprType(expr)), node_self()->card.name,
						secret_kind_name(column->type.kind)),
				 errhint("The sites publish the same types; then import the foreign schema again.")));
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
		site_refuse("Texts are shared by their bytes, and its collation takes different bytes for equal");
}

/* Only what the site knows to be so: other rows of a join lean on it, and so do counts of patients. */
static void
check_unique(const SiteSource *source, int i, Node *expr)
{
	bool		unique = false;

	if (source->input->columns[i].unique &&
		(expr == NULL || !site_is_patient(source->site, expr, &unique) || !unique))
		site_refuse("The plan says that a column has each value once, which this site does not");
}

/* ---- rows ---- */

/* Types of which equal values have one text. */
static void
check_patient_type(Node *patient)
{
	Oid			collation = exprCollation(patient);

	switch (exprType(patient))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case UUIDOID:
		case NAMEOID:
			if (!OidIsValid(collation) || get_collation_isdeterministic(collation))
				return;
			/* FALLTHROUGH */
		default:
			site_refuse(psprintf("Patients of type %s can't be numbered", format_type_be(exprType(patient))));
	}
}

/* Each row one patient, or a column with the site's numbers of them: what the site itself says. */
static void
add_patient(SiteSource *source, Query *query)
{
	const PlanInput *input = source->input;
	bool		unique;
	Node	   *patient = site_patient_expression(source->site, query, &unique);

	if (input->patient == PATIENT_EACH_ROW && (patient == NULL || unique))
		return;
	if (patient == NULL || input->patient != input->ncolumns - 1)
		site_refuse("The plan tells patients apart by something else than this site");
	if (input->columns[input->patient].type.kind != SECRET_INTEGER)
		site_refuse("The plan has no numbers for the patients");
	check_patient_type(patient);
	if (input->columns[input->patient].unique && !unique)
		site_refuse("The plan says that no patient has two rows, which this site does not");
	query->targetList = lappend(query->targetList,
								makeTargetEntry((Expr *) patient, list_length(query->targetList) + 1, "patient", false));
}

/* What the plan makes of a column it makes of all columns that this one is computed from. */
static void
check_uses(SiteSource *source, Node *expr, int uses)
{
	ListCell   *lc;

	foreach(lc, pull_var_clause(expr, 0))
		for (int use = USE_AGGREGATE; use <= USE_COUNT; use <<= 1)
			if (uses & use)
				site_require_use(lfirst_node(Var, lc), use, source->site);
}

static void
check_rows(SiteSource *source, Query *query)
{
	const PlanInput *input = source->input;
	ListCell   *lc;

	if (query->groupClause != NIL || query->hasAggs)
		site_refuse("The plan groups rows that it says are none");
	if (list_length(query->targetList) != input->ncolumns - source_numbers_patients(input))
		site_refuse("The plan's columns are not those of its input");
	foreach(lc, query->targetList)
	{
		TargetEntry *target = lfirst_node(TargetEntry, lc);

		if (target->resjunk)
			site_refuse("The plan's columns are not those of its input");
		site_check_expression((Node *) target->expr);
		check_column_type(source, foreach_current_index(lc), (Node *) target->expr);
		check_unique(source, foreach_current_index(lc), (Node *) target->expr);
	}
	add_patient(source, query);
	column_uses_of_jointree((Node *) query->jointree, site_require_use, source->site);
	foreach(lc, query->targetList)
	{
		Node	   *expr = (Node *) lfirst_node(TargetEntry, lc)->expr;
		int			i = foreach_current_index(lc);

		check_uses(source, expr, column_uses_of_plan(source->uses[i], IsA(expr, Var), i == input->patient));
	}
}

/* ---- groups ---- */

static bool
is_exact(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID;
}

/* Aggregates that are merged so: nothing else may be opened of a single site. */
static bool
aggregate_merges(Aggref *agg, int kind)
{
	const char *name = get_func_name(agg->aggfnoid);
	Oid			arg = agg->args ? exprType((Node *) linitial_node(TargetEntry, agg->args)->expr) : InvalidOid;

	if (get_func_namespace(agg->aggfnoid) != PG_CATALOG_NAMESPACE)
		return false;
	switch (kind)
	{
		case PLAN_AGGREGATE_SUM:
			return strcmp(name, "count") == 0 || strcmp(name, "regr_count") == 0 ||
				(strcmp(name, "sum") == 0 && is_exact(arg));
		case PLAN_AGGREGATE_MIN:
		case PLAN_AGGREGATE_MAX:
			return strcmp(name, kind == PLAN_AGGREGATE_MIN ? "min" : "max") == 0 &&
				(!OidIsValid(agg->inputcollid) || lc_collate_is_c(agg->inputcollid));
		case PLAN_AGGREGATE_BOOL_OR:
			return strcmp(name, "bool_or") == 0;
		case PLAN_AGGREGATE_BOOL_AND:
			return strcmp(name, "bool_and") == 0;
		default:
			return false;
	}
}

/* As what a question for sums would have it: that decides who contributes (query/support.h). */
static ComponentKind
component_of(Aggref *agg, int kind)
{
	switch (kind)
	{
		case PLAN_AGGREGATE_SUM:
			return strcmp(get_func_name(agg->aggfnoid), "sum") == 0 ? COMPONENT_SUM_NUMERIC : COMPONENT_COUNT;
		case PLAN_AGGREGATE_BOOL_OR:
			return COMPONENT_BOOL_OR;
		case PLAN_AGGREGATE_BOOL_AND:
			return COMPONENT_BOOL_AND;
		default:
			return COMPONENT_COUNT;
	}
}

static void
check_aggregate(SiteSource *source, int i, TargetEntry *target)
{
	Aggref	   *agg = (Aggref *) target->expr;
	bool		unique;
	ListCell   *lc;

	if (!IsA(agg, Aggref) || agg->aggkind != AGGKIND_NORMAL || agg->aggorder != NIL || agg->agglevelsup != 0 ||
		agg->aggvariadic || !aggregate_merges(agg, source->input->source->aggregates[i].kind))
		site_refuse(psprintf("Aggregate %d of the plan is not one that sites merge so", i + 1));
	source->plan->components[i] = component_of(agg, source->input->source->aggregates[i].kind);
	foreach(lc, agg->args)
		site_check_expression((Node *) lfirst_node(TargetEntry, lc)->expr);
	site_check_expression((Node *) agg->aggfilter);
	if (agg->aggdistinct != NIL &&
		(strcmp(get_func_name(agg->aggfnoid), "count") != 0 ||
		 !site_is_patient(source->site, (Node *) linitial_node(TargetEntry, agg->args)->expr, &unique)))
		site_refuse(psprintf("Aggregate %d counts distinct values of a column that is not the patient's", i + 1));
}

static void
check_groups(SiteSource *source, Query *query)
{
	const PlanInput *input = source->input;
	int			nkeys = input_keys(input);
	ListCell   *lc;

	if (list_length(query->targetList) != nkeys + input->source->naggregates || list_length(query->groupClause) != nkeys)
		site_refuse("The plan's columns are not its keys and aggregates");
	foreach(lc, query->targetList)
	{
		TargetEntry *target = lfirst_node(TargetEntry, lc);
		int			i = foreach_current_index(lc);

		if (target->resjunk || (i < nkeys) != (target->ressortgroupref != 0))
			site_refuse("The plan's columns are not its keys and aggregates");
		if (i >= nkeys)
			check_aggregate(source, i - nkeys, target);
		else
			site_check_expression((Node *) target->expr);
		check_column_type(source, i, (Node *) target->expr);
		check_unique(source, i, NULL);
	}
	for (int part = 0; part < source_parts(input->source); part++)
		check_unique(source, input->ncolumns - 1 - part, NULL);
	site_check_policy(source->site, query);
	site_add_patient_counts(source->site, query);
}

/* ---- bounds and thresholds ---- */

/* show_zero of the tables counts for groups that the plan makes: if one site does not show zeros, none are shown. */
static void
check_show_zero(const SiteSources *sources, const ObliviousPlan *plan)
{
	bool		shown = false;

	for (int i = 0; i < plan->nnodes; i++)
		shown = shown || (plan->nodes[i].kind == PLAN_GROUP && plan->nodes[i].show_zero);
	for (int i = 0; i < sources->n && shown; i++)
	{
		uint64		patients_min;
		bool		show_zero;

		site_rule(sources->sources[i].site, &patients_min, &show_zero);
		if (!show_zero)
			site_refuse("The plan shows that nobody is in a group, which this site does not");
	}
}

static void
check_threshold(SiteSource *source, uint64 patients_min)
{
	bool		show_zero;

	site_rule(source->site, &source->patients_min, &show_zero);
	if (patients_min < source->patients_min)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_REFUSED),
				 errmsg("site \"%s\" does not share rows of \"%s\" for this question", node_self()->card.name,
						source->input->name),
				 errdetail("What it opens may be about fewer than " UINT64_FORMAT " patients, the site's smallest group.",
						   source->patients_min),
				 errhint("If the site has raised its smallest group, import the foreign schema again.")));
}

/* ---- all of it ---- */

/* The SQL as a plan of its own, for the checks that it shares with questions for sums. */
static CanonicalPlan *
plan_of_source(const PlanInput *input)
{
	CanonicalPlan *plan = palloc0(sizeof(CanonicalPlan));
	const InputSource *source = input->source;

	plan->sql = source->sql;
	plan->ntables = source->ntables;
	plan->tables = source->tables;
	plan->nparams = source->nparams;
	plan->param_types = source->param_types;
	plan->nparts = source_parts(source);
	if (!source->grouped)
		return plan;
	plan->nkeys = input_keys(input);
	plan->ncomponents = source->naggregates;
	plan->components = palloc0(sizeof(ComponentKind) * (source->naggregates + 1));
	plan->parts = palloc(sizeof(int) * (source->naggregates + 1));
	for (int i = 0; i < source->naggregates; i++)
		plan->parts[i] = source->aggregates[i].part;
	return plan;
}

static void
keep_types(SiteSource *source, Query *query)
{
	ListCell   *lc;

	source->types = palloc(sizeof(Oid) * list_length(query->targetList));
	foreach(lc, query->targetList)
		source->types[foreach_current_index(lc)] = exprType((Node *) lfirst_node(TargetEntry, lc)->expr);
}

/* *param: which of the request's parameters is the first of this input. */
static void
prepare_source(SiteSource *source, const Request *request, int param)
{
	Request    *own = palloc(sizeof(Request));
	RunnerScope scope;
	Query	   *query;

	if (source->input->source->grouped && input_keys(source->input) < 1)
		site_refuse("The plan's columns are not its keys and aggregates");
	if (request->nparams < param + source->input->source->nparams)
		site_refuse("The request has too few parameters");
	*own = *request;
	own->params += param;
	own->nparams = source->input->source->nparams;
	source->site = palloc0(sizeof(SiteQuery));
	source->site->request = own;
	source->plan = plan_of_source(source->input);
	source->site->plan = source->plan;

	runner_begin(&scope);
	query = site_check_query(source->site);
	if (source->input->source->grouped)
		check_groups(source, query);
	else
		check_rows(source, query);
	keep_types(source, query);
	source->site->query = query;
	runner_end(&scope);
}

/* Each site's patients have numbers of their own, and every input has room for them. */
static void
check_numbers(const SiteSources *sources, int nsites)
{
	uint64		most = sources->patients_max * nsites;

	for (int i = 0; i < sources->n; i++)
	{
		const PlanInput *input = sources->sources[i].input;

		if (source_numbers_patients(input) && !secret_fits(&input->columns[input->patient].type, most))
			site_refuse("The plan has no room for the numbers of all patients");
	}
}

SiteSources *
site_sources_prepare(const Request *request, const CheckedPlan *checked, int site)
{
	const ObliviousPlan *plan = checked->plan;
	SiteSources *sources = palloc0(sizeof(SiteSources));
	int			param = plan->nparams;
	int		  **uses = plan_uses(checked);

	sources->site = site;
	sources->sources = palloc0(sizeof(SiteSource) * (plan->ninputs + 1));
	for (int i = 0; i < plan->ninputs; i++)
	{
		SiteSource *source = &sources->sources[sources->n];

		if (plan->inputs[i].kind != INPUT_SITES)
			continue;
		sources->n++;
		source->input = &plan->inputs[i];
		source->uses = uses[i];
		prepare_source(source, request, param);
		param += source->input->source->nparams;
		source->rows_max = site_rows_most(source->site, source->input->source->rows, source->input->source->grouped);
		check_threshold(source, checked->patients_min[i]);
		if (source_numbers_patients(source->input))
			sources->patients_max += source->input->source->rows;
	}
	if (sources->n == 0)
		site_refuse("The plan asks no site for anything");
	check_numbers(sources, request->nsites);
	check_show_zero(sources, plan);
	return sources;
}

int
site_sources_rules(const SiteSources *sources, RowsShared rules[TABLES_MAX])
{
	for (int i = 0; i < sources->n; i++)
		rules[i] = (RowsShared) {sources->sources[i].input->source->rows, sources->sources[i].patients_min};
	return sources->n;
}
