/*
 * merge.c
 *	  GROUP BY without public values, from the groups of each site.
 *
 * The query is taken apart as for sums over sites (query/shape.c); its components become columns of groups that each site
 * shares, and a plan of three nodes: SCAN, MERGE, RELEASE.
 */
#include "postgres.h"

#include "compute/merge.h"
#include "compute/site_input.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "query/column_type.h"
#include "query/options.h"

typedef struct Merging
{
	PlannerInfo *root;
	Shape	   *shape;
	Answer	   *answer;
	TermMaker	maker;			/* for refusals, and texts for people */
	PlanInput	input;
} Merging;

/* ---- columns ---- */

static void
add_column(Merging *merging, char *name, SecretType type)
{
	merging->input.columns[merging->input.ncolumns++] = (InputColumn) {name, type, false};
}

static bool
add_keys(Merging *merging)
{
	for (int i = 0; i < merging->shape->plan.nkeys; i++)
	{
		Node	   *expr = (Node *) list_nth_node(TargetEntry, merging->shape->tlist, i)->expr;
		SecretType	type;
		char	   *hint;

		if (!site_column_type(merging->root, merging->shape->optional, expr, &type, &hint))
			return term_refuse(&merging->maker, psprintf("values of %s can't be shared",
														 deparse_for_people(&merging->maker.deparser, expr)), hint);
		add_column(merging, psprintf("key_%d", i + 1), type);
	}
	return true;
}

static bool
add_sum_of_numeric(Merging *merging, const Component *component, SecretType *type)
{
	char	   *hint;

	if (component->arg == NULL ||
		!site_column_type(merging->root, merging->shape->optional, component->arg, type, &hint) ||
		type->kind != SECRET_NUMERIC)
		return false;
	*type = secret_numeric(SECRET_DIGITS_MAX, type->scale);
	return true;
}

/* How a component is shared and merged; false if it can't be. */
static bool
component_column(Merging *merging, const Component *component, SecretType *type, int *kind)
{
	char	   *hint;

	if (component->extreme != EXTREME_NONE)
	{
		*kind = component->extreme == EXTREME_LEAST ? PLAN_AGGREGATE_MIN : PLAN_AGGREGATE_MAX;
		if (!site_column_type(merging->root, merging->shape->optional, component->arg, type, &hint))
			return false;
		type->nullable = true;
		return true;
	}
	*kind = PLAN_AGGREGATE_SUM;
	switch (component->kind)
	{
		case COMPONENT_COUNT:
			*type = secret_integer(PLAN_ROW_BITS);
			return true;
		case COMPONENT_SUM_INTEGER:
			*type = secret_integer(SECRET_NUMBER_BITS_MAX);
			break;
		case COMPONENT_SUM_NUMERIC:
			if (!add_sum_of_numeric(merging, component, type))
				return false;
			break;
		case COMPONENT_BOOL_OR:
		case COMPONENT_BOOL_AND:
			*type = secret_boolean();
			*kind = component->kind == COMPONENT_BOOL_OR ? PLAN_AGGREGATE_BOOL_OR : PLAN_AGGREGATE_BOOL_AND;
			break;
		default:
			return false;
	}
	type->nullable = true;
	return true;
}

static bool
add_components(Merging *merging, InputSource *source)
{
	ListCell   *lc;

	source->aggregates = palloc0(sizeof(SourceAggregate) * (list_length(merging->shape->components) + 1));
	foreach(lc, merging->shape->components)
	{
		const Component *component = lfirst(lc);
		SourceAggregate *aggregate = &source->aggregates[source->naggregates];
		SecretType	type;

		if (!component_column(merging, component, &type, &aggregate->kind))
			return term_refuse(&merging->maker, psprintf("%s can't be merged from the sites' groups", component->what), NULL);
		aggregate->part = component->part;
		source->naggregates++;
		add_column(merging, psprintf("value_%d", source->naggregates), type);
	}
	return true;
}

/* ---- the input ---- */

/* Those that totals.c makes of opened values. */
static bool
finals_known(const Shape *shape)
{
	ListCell   *lc;

	foreach(lc, shape->finals)
	{
		Final		final = final_from_list(lfirst(lc));

		if (final.kind > FINAL_BOOL && final.kind != FINAL_VALUE)
			return false;
	}
	return true;
}

static bool
make_input(Merging *merging)
{
	const Shape *shape = merging->shape;
	const CanonicalPlan *plan = &shape->plan;
	InputSource *source = palloc0(sizeof(InputSource));
	int			parts = plan->nparts;

	source->sql = plan->sql;
	source->ntables = plan->ntables;
	source->tables = plan->tables;
	source->nparams = plan->nparams;
	source->param_types = plan->param_types;
	source->grouped = true;
	if (!finals_known(shape))
		return term_refuse(&merging->maker, "a statistic can't be made of merged groups", NULL);
	if (plan->nkeys == 0)
		return term_refuse(&merging->maker, "there are no groups to merge", NULL);
	if (plan->nkeys + plan->ncomponents + parts > SHARED_COLUMNS_MAX)
		return term_refuse(&merging->maker, psprintf("more than %d columns would be shared", SHARED_COLUMNS_MAX), NULL);
	if (!site_rows_bound(&merging->maker, shape->tables, true, &source->rows))
		return false;

	merging->input = (PlanInput) {.name = ((PublishedTable *) linitial(shape->tables))->name,.kind = INPUT_SITES,
		.rows = source->rows * site_count(shape->serverid),.patient = PATIENT_COUNTED,.source = source};
	merging->input.columns = palloc0(sizeof(InputColumn) * SHARED_COLUMNS_MAX);
	if (!add_keys(merging) || !add_components(merging, source))
		return false;
	for (int part = 0; part < parts; part++)
		add_column(merging, psprintf("patients_%d", part), secret_integer(PLAN_ROW_BITS));
	oblivious_plan_add_input(merging->answer->plan, &merging->input);
	return true;
}

/* ---- the plan, and what is made of what it opens ---- */

static int *
children(int child)
{
	int		   *list = palloc(sizeof(int));

	*list = child;
	return list;
}

static bool
make_plan(Merging *merging)
{
	Answer	   *answer = merging->answer;
	PlanNode	release = {.kind = PLAN_RELEASE,.nchildren = 1,.rows = answer_rows_max};
	PlanRefusal refusal;
	int			at = oblivious_plan_add_node(answer->plan, &(PlanNode) {.kind = PLAN_SCAN});

	at = oblivious_plan_add_node(answer->plan, &(PlanNode) {.kind = PLAN_MERGE,.nchildren = 1,.children = children(at),
		.patients_min = answer->threshold});
	release.children = children(at);
	release.ncolumns = merging->input.ncolumns - merging->shape->plan.nparts +
		(answer->threshold > 1 ? merging->shape->plan.nparts - 1 : 0);
	release.columns = palloc(sizeof(int) * (release.ncolumns + 1));
	for (int i = 0; i < release.ncolumns; i++)
		release.columns[i] = i;
	oblivious_plan_add_node(answer->plan, &release);
	if (plan_check(&answer->checked, answer->plan, &refusal))
		return true;
	return term_refuse(&merging->maker, psprintf("the %s of its plan %s",
												 refusal.node < answer->plan->nnodes ?
												 plan_node_name(answer->plan->nodes[refusal.node].kind) : "end",
												 refusal.refusal.reason), NULL);
}

/* Components of finals count those of the shape; columns are behind the keys. */
static Opened *
opened_of(const Merging *merging, List *final_list)
{
	const CanonicalPlan *plan = &merging->shape->plan;
	Opened	   *opened = palloc0(sizeof(Opened));
	int			part = 0;

	opened->final = final_from_list(final_list);
	opened->part = -1;
	if (opened->final.kind == FINAL_KEY)
		return opened;
	for (int i = 0; i < FINAL_COMPONENTS_MAX; i++)
	{
		int			component = opened->final.components[i];

		if (component < 0)
			continue;
		part = Max(part, plan->parts[component]);
		opened->final.components[i] = plan->nkeys + component;
	}
	if (part > 0 && merging->answer->threshold > 1)
		opened->part = plan->nkeys + plan->ncomponents + part - 1;
	return opened;
}

static void
say_what(Merging *merging)
{
	ListCell   *lc;

	for (int i = 0; i < merging->shape->plan.nkeys; i++)
		merging->answer->what = lappend(merging->answer->what,
										makeString(deparse_for_people(&merging->maker.deparser,
																	  (Node *) list_nth_node(TargetEntry, merging->shape->tlist, i)->expr)));
	foreach(lc, merging->shape->components)
		merging->answer->what = lappend(merging->answer->what, makeString(((Component *) lfirst(lc))->what));
}

static void
make_answer(Merging *merging)
{
	Answer	   *answer = merging->answer;
	const Shape *shape = merging->shape;
	ListCell   *lc;

	answer->serverid = shape->serverid;
	answer->tlist = shape->tlist;
	answer->params = shape->params;
	answer->having = shape->having;
	answer->grouped = true;
	foreach(lc, shape->finals)
		answer->opened = lappend(answer->opened, opened_of(merging, lfirst(lc)));
	say_what(merging);
}

Answer *
merge_query(PlannerInfo *root, RelOptInfo *grouped, List *having, Constants *constants, QueryRefusal *refusal)
{
	Merging		merging = {.root = root,.answer = palloc0(sizeof(Answer))};

	merging.shape = shape_query(root, grouped, having, constants, true, refusal);
	if (merging.shape == NULL)
		return NULL;
	merging.maker.refusal = refusal;
	deparser_start(&merging.maker.deparser, root);
	merging.answer->plan = oblivious_plan_create();
	merging.answer->threshold = site_threshold(merging.shape->tables);
	if (!make_input(&merging) || !make_plan(&merging))
		return NULL;
	make_answer(&merging);
	return merging.answer;
}
