/*
 * answer.c
 *	  From a query over shared tables to the plan that answers it.
 *
 * PostgreSQL does what comes after opening: expressions over keys and
 * aggregates, ORDER BY without LIMIT, and conditions on quotients.
 */
#include "postgres.h"

#include "compute/answer.h"
#include "compute/inputs.h"
#include "compute/order.h"
#include "compute/site_input.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "utils/guc.h"

int			answer_rows_max = 4096;

typedef struct Answering
{
	Compiler	compiler;
	Answer	   *answer;
	Rel		   *rel;			/* what is opened */
	Grouped		grouped;
	List	   *columns;		/* int: of rel, to be opened */
	QueryRefusal *refusal;
} Answering;

/* ---- which queries ---- */

static bool
reads_shared_walker(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *rte = (RangeTblEntry *) node;

		return rte->rtekind == RTE_RELATION && is_shared_table(rte->relid);
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, reads_shared_walker, NULL, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, reads_shared_walker, NULL);
}

bool
query_reads_shared(Query *query)
{
	return reads_shared_walker((Node *) query, NULL);
}

/* In FROM of this level: queries in FROM have plans of their own, but for those whose rows are patients. */
bool
query_reads_published(Query *query)
{
	ListCell   *lc;

	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION && is_published_table(rte->relid))
			return true;
		if (rte->rtekind == RTE_SUBQUERY && rte->subquery != NULL && query_groups_patients(rte->subquery))
			return true;
	}
	return false;
}

/* ---- what is opened ---- */

/* Where a column of rel is among those that are opened. */
static int
open_column(Answering *answering, int column)
{
	ListCell   *lc;

	foreach(lc, answering->columns)
		if (lfirst_int(lc) == column)
			return foreach_current_index(lc);
	answering->columns = lappend_int(answering->columns, column);
	return list_length(answering->columns) - 1;
}

static void
add_target(Answering *answering, Node *expr, Opened *opened)
{
	Answer	   *answer = answering->answer;

	answer->tlist = lappend(answer->tlist, makeTargetEntry((Expr *) copyObject(expr),
														   list_length(answer->tlist) + 1, NULL, false));
	answer->opened = lappend(answer->opened, opened);
	answer->what = lappend(answer->what,
						   makeString(deparse_for_people(&answering->compiler.maker.deparser, expr)));
}

/* A key, or a column of a row. */
static bool
add_value(Answering *answering, Node *expr)
{
	int			at;
	Opened	   *opened;

	if (tlist_member((Expr *) expr, answering->answer->tlist))
		return true;
	at = rel_column(&answering->compiler.maker, &answering->rel, expr);
	if (at < 0)
		return false;
	if (((RelColumn *) list_nth(answering->rel->columns, at))->numbers != NIL)
		return term_refuse(&answering->compiler.maker, "patients of the sites have numbers here, which are not opened", NULL);
	opened = palloc0(sizeof(Opened));
	opened->final.kind = FINAL_KEY;
	opened->final.type = exprType(expr);
	for (int i = 1; i < FINAL_COMPONENTS_MAX; i++)
		opened->final.components[i] = -1;
	opened->final.components[0] = open_column(answering, at);
	opened->part = -1;
	add_target(answering, expr, opened);
	return true;
}

static void
add_aggregate(Answering *answering, Node *aggref)
{
	const Opened *grouped = grouped_find(&answering->grouped, aggref);
	Opened	   *opened;

	if (tlist_member((Expr *) aggref, answering->answer->tlist))
		return;
	opened = palloc(sizeof(Opened));
	*opened = *grouped;
	for (int i = 0; i < FINAL_COMPONENTS_MAX; i++)
		if (opened->final.components[i] >= 0 && !(opened->final.kind == FINAL_PERCENTILE && i > 0))
			opened->final.components[i] = open_column(answering, opened->final.components[i]);
	if (opened->part >= 0)
		opened->part = open_column(answering, opened->part);
	add_target(answering, aggref, opened);
}

/* Anything but keys and aggregates would need rows. */
static bool
covered_walker(Node *node, Answering *answering)
{
	if (node == NULL || IsA(node, Aggref))
		return false;
	if (!IsA(node, List) && tlist_member((Expr *) node, answering->answer->tlist))
		return false;
	if (IsA(node, Var) || IsA(node, PlaceHolderVar) || IsA(node, GroupingFunc))
		return true;
	return expression_tree_walker(node, covered_walker, answering);
}

static bool
open_groups(Answering *answering, List *targets)
{
	Query	   *query = answering->compiler.root->parse;
	ListCell   *lc;

	foreach(lc, query->groupClause)
		if (!add_value(answering, get_sortgroupclause_expr(lfirst_node(SortGroupClause, lc),
														   answering->compiler.root->processed_tlist)))
			return false;
	foreach(lc, answering->grouped.aggrefs)
		add_aggregate(answering, lfirst(lc));
	if (covered_walker((Node *) targets, answering) ||
		covered_walker((Node *) answering->grouped.having, answering))
		return term_refuse(&answering->compiler.maker, "the answer needs more than groups and aggregates", NULL);
	return true;
}

/*
 * Whole expressions, so that no more is opened than what is asked; but those that are the
 * coordinator's own, which it adds to the result.
 */
static bool
open_rows(Answering *answering, List *targets)
{
	ListCell   *lc;

	foreach(lc, targets)
		if (!deparser_owns(&answering->compiler.maker.deparser, lfirst(lc)) && !add_value(answering, lfirst(lc)))
			return false;
	return true;
}

/* ---- the plan ---- */

static Rel *
release(Answering *answering, bool ordered)
{
	Rel		   *root = rel_above(PLAN_RELEASE, answering->rel);
	ListCell   *lc;

	root->node.ncolumns = list_length(answering->columns);
	root->node.columns = palloc(sizeof(int) * (root->node.ncolumns + 1));
	foreach(lc, answering->columns)
		root->node.columns[foreach_current_index(lc)] = lfirst_int(lc);
	root->node.ordered = ordered;
	root->node.rows = answer_rows_max;
	return root;
}

static bool
check_plan(Answering *answering)
{
	PlanRefusal refusal;
	Answer	   *answer = answering->answer;

	if (plan_check(&answer->checked, answer->plan, &refusal))
		return true;
	return term_refuse(&answering->compiler.maker,
					   psprintf("the %s of its plan %s", plan_node_name(answer->plan->nodes[refusal.node].kind),
								refusal.refusal.reason),
					   "Declare fewer digits, or option bits, for the columns it reads.");
}

/*
 * Rows of patients may be opened only where the tables' owner says that one is enough.  Groups of them count
 * their patients, as long as the query keeps them apart.
 */
static bool
check_patients(Answering *answering)
{
	const Answer *answer = answering->answer;

	for (int i = 0; i < answer->plan->ninputs; i++)
	{
		if (answer->checked.patients_min[i] >= answering->compiler.threshold)
			continue;
		if (!answer->grouped)
			return term_refuse(&answering->compiler.maker, NULL, NULL);
		return term_refuse(&answering->compiler.maker,
						   psprintf("patients of \"%s\" can't be counted in what would be opened", answer->plan->inputs[i].name),
						   "They are lost where rows are only looked for, by EXISTS or IN, on another column than the patients', and where a sub-query drops them.");
	}
	return true;
}

static bool
build(Answering *answering, AnswerStage stage, List *targets, List *having)
{
	Compiler   *compiler = &answering->compiler;
	Query	   *query = compiler->root->parse;
	bool		grouped = query->groupClause != NIL || query->hasAggs;
	Rel		   *rel = compile_check(compiler) ? compile_from(compiler, query->jointree) : NULL;

	if (rel == NULL)
		return false;
	if (grouped && !compile_group(compiler, rel, targets, having, &answering->grouped))
		return false;
	answering->rel = grouped ? answering->grouped.rel : rel;
	if (query->distinctClause != NIL && stage != ANSWER_GROUPS)
	{
		if (query->hasDistinctOn || grouped)
			return term_refuse(&compiler->maker, "this DISTINCT is left to the coordinator", NULL);
		answering->rel = compile_distinct(compiler, answering->rel, targets);
	}
	if (stage == ANSWER_WHOLE && answering->rel != NULL)
	{
		/* A LIMIT is of the groups that HAVING lets through. */
		if (answering->grouped.having != NIL)
			return term_refuse(&compiler->maker, "this HAVING is left to the coordinator, and what comes after it", NULL);
		answering->rel = compile_order(compiler, answering->rel);
	}
	if (answering->rel == NULL || !(grouped ? open_groups(answering, targets) : open_rows(answering, targets)))
		return false;
	answering->answer->grouped = grouped || query->distinctClause != NIL;
	answering->answer->one_row = query->hasAggs && query->groupClause == NIL && query->havingQual == NULL;
	if (compiler->site_inputs > 0 && !answering->answer->grouped)
		return term_refuse(&compiler->maker, NULL, NULL);
	rel_emit(compiler->maker.plan, release(answering, stage == ANSWER_WHOLE));
	site_inputs_finish(compiler->maker.plan);
	return check_plan(answering) && check_patients(answering) &&
		site_inputs_allowed(compiler, &answering->answer->checked);
}

Answer *
answer_query(PlannerInfo *root, AnswerStage stage, List *targets, List *having,
			 Constants *constants, QueryRefusal *refusal)
{
	Answering	answering = {.answer = palloc0(sizeof(Answer)),.refusal = refusal};
	Answer	   *answer = answering.answer;

	memset(refusal, 0, sizeof(*refusal));
	answer->plan = oblivious_plan_create();
	compiler_start(&answering.compiler, root, NULL, answer->plan, refusal);
	answering.compiler.maker.deparser.constants = constants;
	if (!build(&answering, stage, targets, having))
		return NULL;
	answer->serverid = answering.compiler.serverid;
	answer->threshold = answering.compiler.threshold;
	answer->params = list_concat_copy(answering.compiler.maker.params, answering.compiler.site_params);
	answer->having = answering.grouped.having;
	return answer;
}

/* ---- as nodes ---- */

List *
opened_to_list(const Opened *opened)
{
	return lappend_int(final_to_list(&opened->final), opened->part);
}

Opened *
opened_from_list(List *list)
{
	Opened	   *opened = palloc(sizeof(Opened));

	opened->final = final_from_list(list);
	opened->part = llast_int(list);
	return opened;
}

void
answer_init(void)
{
	DefineCustomIntVariable("secmed.answer_rows",
							"Most rows of an answer over shared tables.",
							"The number is public: answers are padded to it. A larger answer fails.",
							&answer_rows_max, 4096, 1, 1024 * 1024, PGC_USERSET, 0, NULL, NULL, NULL);
}
