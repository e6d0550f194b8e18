/*
 * fdw.c
 *	  The foreign data wrapper: planning.
 *
 * Rows of a published table can't be fetched, so a plain scan of a foreign
 * table has a path only to give the planner something to put aggregates on;
 * making a plan of it is the error that tells the analyst why.  What can be
 * run is the path for the grouping relation above it, if the rows are the
 * sites', or for groups, distinct rows or the whole query, if they are shared.
 */
#include "postgres.h"

#include "base/cbor.h"
#include "compute/change.h"
#include "compute/inputs.h"
#include "compute/merge.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "foreign/fdwapi.h"
#include "fdw/shared_insert.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/planner.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "compute/order.h"
#include "compute/scan.h"
#include "fdw/contract_match.h"
#include "compute/site_input.h"
#include "fdw/fdw.h"
#include "query/scan.h"
#include "query/shape.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(secmed_fdw_handler);

/*
 * Costs: fetching rows must lose against everything; a run costs a few round
 * trips whatever it computes.
 */
#define ROWS_COST	1.0e12
#define RUN_COST	1000.0

/* fdw_private of a base relation: why the grouping above it could not run. */
typedef struct BaseInfo
{
	QueryRefusal refusal;
} BaseInfo;

static void
base_rel_size(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	rel->rows = 1000000;
	rel->tuples = 1000000;
	rel->fdw_private = palloc0(sizeof(BaseInfo));
}

static void
base_paths(PlannerInfo *root, RelOptInfo *rel, Oid relid)
{
	add_path(rel, (Path *) create_foreignscan_path(root, rel, NULL, rel->rows,
												   ROWS_COST, ROWS_COST, NIL,
												   rel->lateral_relids, NULL,
#if PG_VERSION_NUM >= 170000
												   NIL,
#endif
												   NIL));
}

/* ---- the refusal ---- */

static void
refuse_shared_rows(const char *name, const QueryRefusal *refusal)
{
	if (refusal != NULL && refusal->reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("this question about \"%s\" can't be computed on shares", name),
				 errdetail("%c%s.", pg_toupper((unsigned char) refusal->reason[0]), refusal->reason + 1),
				 refusal->hint ? errhint("%s", refusal->hint) : 0));
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_ROWS_STAY),
			 errmsg("rows of \"%s\" are not opened", name),
			 errdetail("Its smallest group has more than one patient: only aggregates over enough patients can be asked."),
			 errhint("Aggregate first; the result may be joined, filtered and sorted like any table: SELECT count(*) FROM %s;",
					 quote_identifier(name))));
}

/* "Why sums of sites do not answer it." and, if there is one, why shares of rows do not either. */
static char *
both_reasons(const QueryRefusal *refusal)
{
	char	   *reason = psprintf("%c%s.", pg_toupper((unsigned char) refusal->reason[0]), refusal->reason + 1);

	if (refusal->on_shares == NULL)
		return reason;
	return psprintf("%s On shares of rows: %s.", reason, refusal->on_shares);
}

static void
refuse_rows(Oid relid, const QueryRefusal *refusal)
{
	const char *name = get_rel_name(relid);

	if (is_shared_table(relid))
		refuse_shared_rows(name, refusal);
	if (refusal != NULL && refusal->reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("this question about \"%s\" can't be answered by the sites", name),
				 errdetail_internal("%s", both_reasons(refusal)),
				 refusal->hint ? errhint("%s", refusal->hint) :
				 errhint("Sites run PostgreSQL's own immutable functions and operators over published columns, and standard aggregates of them.")));
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_ROWS_STAY),
			 errmsg("rows of \"%s\" stay at the sites", name),
			 errdetail("Only aggregates over the rows of all sites can be asked, such as count, sum, avg, stddev or corr, with WHERE and GROUP BY."),
			 errhint("Aggregate first; the result may be joined, filtered and sorted like any table: SELECT count(*) FROM %s;",
					 quote_identifier(name))));
}

/* A relation that is scanned row by row: the plan that must not be. */
static void
refuse_base_rel(PlannerInfo *root, RelOptInfo *rel)
{
	BaseInfo   *info = rel->fdw_private;
	Index		target = root->parse->resultRelation;

	if (target != 0 && root->parse->commandType != CMD_INSERT &&
		is_shared_table(planner_rt_fetch(target, root)->relid))
		change_refuse(planner_rt_fetch(target, root)->relid);
	refuse_rows(planner_rt_fetch(rel->relid, root)->relid, info ? &info->refusal : NULL);
}

static void upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
						RelOptInfo *grouped, void *extra);

static bool
is_secmed_table(const RelOptInfo *rel)
{
	return IS_SIMPLE_REL(rel) && rel->rtekind == RTE_RELATION && rel->fdwroutine != NULL &&
		rel->fdwroutine->GetForeignUpperPaths == upper_paths;
}

static void
note_refusal(PlannerInfo *root, const QueryRefusal *refusal)
{
	for (int i = 1; i < root->simple_rel_array_size; i++)
	{
		RelOptInfo *rel = root->simple_rel_array[i];

		if (rel != NULL && is_secmed_table(rel) && rel->fdw_private != NULL)
			((BaseInfo *) rel->fdw_private)->refusal = *refusal;
	}
}

/* ---- questions to sites ---- */

static void
upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
			RelOptInfo *grouped, void *extra)
{
	GroupPathExtraData *grouping = extra;
	QueryRefusal		refusal;
	Shape	   *shape;
	double		rows;

	if (stage != UPPERREL_GROUP_AGG || grouped->fdw_private != NULL || query_reads_shared(root->parse))
		return;
	shape = shape_query(root, grouped, (List *) grouping->havingQual, NULL, false, &refusal);
	if (shape == NULL)
	{
		note_refusal(root, &refusal);
		return;
	}
	shape = contract_match_shape(root, grouped, (List *) grouping->havingQual, shape);
	grouped->fdw_private = shape;
	rows = plan_cells(&shape->plan);
	add_path(grouped, (Path *) create_foreign_upper_path(root, grouped, grouped->reltarget, rows,
														 RUN_COST, RUN_COST + rows, NIL, NULL,
#if PG_VERSION_NUM >= 170000
														 NIL,
#endif
														 NIL));
}

/* ---- questions over shared tables ---- */

static create_upper_paths_hook_type previous_hook;

/* What the path at this stage answers; false if nothing is to be answered here. */
static bool
stage_of_query(const Query *query, UpperRelationKind stage, AnswerStage *answered)
{
	bool		grouped = query->groupClause != NIL || query->hasAggs || query->groupingSets != NIL;

	switch (stage)
	{
		case UPPERREL_GROUP_AGG:
			*answered = ANSWER_GROUPS;
			return true;
		case UPPERREL_DISTINCT:
			*answered = ANSWER_DISTINCT;
			return !grouped;
		case UPPERREL_FINAL:
			*answered = ANSWER_WHOLE;
			return query_has_limit(query) || (!grouped && query->distinctClause == NIL);
		default:
			return false;
	}
}

static List *
stage_targets(PlannerInfo *root, AnswerStage answered, const RelOptInfo *output)
{
	List	   *exprs = NIL;
	ListCell   *lc;

	if (answered == ANSWER_GROUPS)
		return output->reltarget->exprs;
	foreach(lc, root->processed_tlist)
		exprs = lappend(exprs, lfirst_node(TargetEntry, lc)->expr);
	return exprs;
}

static void
add_answer_path(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *output, Answer *answer)
{
	PathTarget *target = stage == UPPERREL_GROUP_AGG ? output->reltarget : root->upper_targets[stage];
	double		rows = Min(answer->checked.nodes[answer->plan->nnodes - 1].rows, 1000);

	output->serverid = answer->serverid;
	output->fdwroutine = GetFdwRoutineByServerId(answer->serverid);
	output->fdw_private = answer;
	add_path(output, (Path *) create_foreign_upper_path(root, output, target, rows,
														RUN_COST, RUN_COST + rows, NIL, NULL,
#if PG_VERSION_NUM >= 170000
														NIL,
#endif
														list_make1(makeString("answer"))));
}

/* Why rows of the sites can't be shared for it, beside the reason that is known. */
static void
note_refusal_on_shares(PlannerInfo *root, const QueryRefusal *refusal)
{
	for (int i = 1; i < root->simple_rel_array_size; i++)
	{
		RelOptInfo *rel = root->simple_rel_array[i];
		QueryRefusal *noted;

		if (rel == NULL || !is_secmed_table(rel) || rel->fdw_private == NULL)
			continue;
		noted = &((BaseInfo *) rel->fdw_private)->refusal;
		if (noted->reason == NULL)
			*noted = *refusal;
		else if (refusal->reason != NULL && strcmp(refusal->reason, noted->reason) != 0)
			noted->on_shares = refusal->reason;
	}
}

/*
 * Is it to be computed on shares?  Not rows, which stay; nor what sums of the sites, or their groups, answer
 * already, or what no shares would help with.
 */
static bool
may_share(PlannerInfo *root)
{
	const Query *query = root->parse;
	ListCell   *lc;

	if (query->groupClause == NIL && !query->hasAggs && query->distinctClause == NIL)
		return false;
	foreach(lc, root->upper_rels[UPPERREL_GROUP_AGG])
		if (((RelOptInfo *) lfirst(lc))->fdw_private != NULL)
			return false;
	for (int i = 1; i < root->simple_rel_array_size; i++)
	{
		RelOptInfo *rel = root->simple_rel_array[i];

		if (rel != NULL && is_secmed_table(rel) && rel->fdw_private != NULL &&
			((BaseInfo *) rel->fdw_private)->refusal.reason != NULL)
			return ((BaseInfo *) rel->fdw_private)->refusal.needs_rows;
	}
	return true;
}

/* Each site groups its own rows; if that can't be, they share them. */
static Answer *
answer_over_sites(PlannerInfo *root, RelOptInfo *output, AnswerStage answered, List *having)
{
	QueryRefusal refusal;
	Answer	   *answer = NULL;
	RelOptInfo *merged = NULL;

	if (!may_share(root))
		return NULL;
	if (answered == ANSWER_GROUPS && OidIsValid(output->serverid))
		answer = merge_query(root, output, having, NULL, &refusal);
	if (answer != NULL)
		merged = output;
	else
		answer = answer_query(root, answered, stage_targets(root, answered, output), having, NULL, &refusal);
	if (answer == NULL)
	{
		note_refusal_on_shares(root, &refusal);
		return NULL;
	}
	return contract_match_answer(root, merged, answered, stage_targets(root, answered, output), having, answer);
}

static void
shared_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
				   RelOptInfo *output, void *extra)
{
	AnswerStage answered;
	QueryRefusal refusal;
	Answer	   *answer;
	List	   *having = stage == UPPERREL_GROUP_AGG && extra ? (List *) ((GroupPathExtraData *) extra)->havingQual :
		(List *) root->parse->havingQual;

	if (previous_hook)
		previous_hook(root, stage, input, output, extra);
	if (root->parse->commandType != CMD_SELECT || !stage_of_query(root->parse, stage, &answered))
		return;
	if (!query_reads_shared(root->parse))
	{
		answer = query_reads_published(root->parse) ? answer_over_sites(root, output, answered, having) : NULL;
		if (answer != NULL)
			add_answer_path(root, stage, output, answer);
		return;
	}
	answer = answer_query(root, answered, stage_targets(root, answered, output), having, NULL, &refusal);
	if (answer != NULL)
		add_answer_path(root, stage, output,
						contract_match_answer(root, NULL, answered, stage_targets(root, answered, output), having, answer));
	else
		note_refusal(root, &refusal);
}

static ForeignScan *
answer_plan(RelOptInfo *rel, List *tlist, struct Plan *outer)
{
	Answer	   *answer = rel->fdw_private;

	contract_match_check(&answer->contract);
	return make_foreignscan(tlist, answer->having, 0, answer->params, answer_private(answer),
							answer->tlist, NIL, outer);
}

void
fdw_init(void)
{
	previous_hook = create_upper_paths_hook;
	create_upper_paths_hook = shared_upper_paths;
	contract_match_init();
	site_input_init();
}

/* ---- plans ---- */

static bytea *
plan_to_bytea(const CanonicalPlan *plan)
{
	StringInfoData bytes;
	bytea	   *result;

	initStringInfo(&bytes);
	plan_encode(&bytes, plan);
	if (bytes.len > REQUEST_BYTES_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the question is too long"),
				 errdetail("Its plan has %d bytes; at most %d can be sent.", bytes.len, REQUEST_BYTES_MAX / 2)));
	result = palloc(bytes.len + VARHDRSZ);
	SET_VARSIZE(result, bytes.len + VARHDRSZ);
	memcpy(VARDATA(result), bytes.data, bytes.len);
	return result;
}

/* The shared table that an UPDATE or DELETE is of: plan_change() makes the plan. */
static bool
is_target(PlannerInfo *root, const RelOptInfo *rel)
{
	return rel->reloptkind == RELOPT_BASEREL && rel->relid == root->parse->resultRelation &&
		is_shared_table(planner_rt_fetch(rel->relid, root)->relid);
}

static ForeignScan *
foreign_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *path,
			 List *tlist, List *clauses, struct Plan *outer)
{
	Shape	   *shape = rel->fdw_private;

	if (is_target(root, rel))
		return make_foreignscan(tlist, extract_actual_clauses(clauses, false), rel->relid, NIL, NIL, NIL, NIL, outer);
	if (!IS_UPPER_REL(rel))
		refuse_base_rel(root, rel);
	if (path->fdw_private != NIL)
		return answer_plan(rel, tlist, outer);
	contract_match_check(&shape->contract);
	return make_foreignscan(tlist, shape->having, 0, shape->params,
							scan_private(plan_to_bytea(&shape->plan), shape->finals, shape->what, &shape->contract),
							shape->tlist, NIL, outer);
}

/* ---- writing ---- */

static void
refuse_writing(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_ROWS_STAY),
			 errmsg("rows of \"%s\" can't be changed from here", name),
			 errdetail("They belong to the sites that publish them."),
			 errhint("Change them at the site, in the published table itself.")));
}

static List *
plan_modify(PlannerInfo *root, ModifyTable *plan, Index relation, int subplan)
{
	Oid			relid = planner_rt_fetch(relation, root)->relid;

	if (!shared_foreign_is(relid))
		refuse_writing(get_rel_name(relid));
	/* UPDATE and DELETE are whole scans: change_plan() has refused what can't be one. */
	if (plan->operation != CMD_INSERT)
		elog(ERROR, "a change of a shared table row by row");
	shared_insert_check(plan, relid);
	return NIL;
}

static void
begin_modify(ModifyTableState *state, ResultRelInfo *relation, List *private, int subplan, int flags)
{
	if ((flags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
		shared_insert_begin(relation);
}

static void
end_modify(EState *estate, ResultRelInfo *relation)
{
	shared_insert_end(relation);
}

/* COPY ... FROM and rows routed to a partition come without a plan. */
static void
begin_insert(ModifyTableState *state, ResultRelInfo *relation)
{
	if (!shared_foreign_is(RelationGetRelid(relation->ri_RelationDesc)))
		refuse_writing(RelationGetRelationName(relation->ri_RelationDesc));
	shared_insert_begin(relation);
}

static TupleTableSlot *
exec_insert(EState *estate, ResultRelInfo *relation, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	return shared_insert_row(relation, slot);
}

static TupleTableSlot *
exec_modify(EState *estate, ResultRelInfo *relation, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	refuse_writing(RelationGetRelationName(relation->ri_RelationDesc));
	return NULL;
}

static void
add_update_targets(PlannerInfo *root, Index rtindex, RangeTblEntry *target, Relation relation)
{
	if (!shared_foreign_is(RelationGetRelid(relation)))
		refuse_writing(RelationGetRelationName(relation));
}

static bool
plan_change(PlannerInfo *root, ModifyTable *plan, Index relation, int subplan)
{
	if (plan->operation == CMD_INSERT || !shared_foreign_is(planner_rt_fetch(relation, root)->relid))
		return false;
	return change_plan(root, plan, relation, subplan);
}

static void
exec_truncate(List *relations, DropBehavior behavior, bool restart)
{
	const char *name = RelationGetRelationName((Relation) linitial(relations));

	if (shared_foreign_is(RelationGetRelid((Relation) linitial(relations))))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("shared table \"%s\" can't be truncated", name),
				 errhint("DELETE FROM %s; or drop it and create it again.", quote_identifier(name))));
	refuse_writing(name);
}

static bool
analyze_table(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *pages)
{
	return false;
}

/* ---- executing: the two kinds of scan ---- */

static bool
is_answer(const ForeignScanState *node)
{
	return answer_is_private(((ForeignScan *) node->ss.ps.plan)->fdw_private);
}

static void
begin_scan(ForeignScanState *node, int eflags)
{
	if (is_answer(node))
		answer_begin(node, eflags);
	else
		scan_begin(node, eflags);
}

static TupleTableSlot *
next_row(ForeignScanState *node)
{
	return is_answer(node) ? answer_next(node) : scan_next(node);
}

static void
scan_from_start(ForeignScanState *node)
{
	if (is_answer(node))
		answer_again(node);
	else
		scan_again(node);
}

static void
end_scan(ForeignScanState *node)
{
	if (is_answer(node))
		answer_end(node);
	else
		scan_end(node);
}

static void
explain_scan(ForeignScanState *node, ExplainState *es)
{
	if (is_answer(node))
		answer_explain(node, es);
	else
		scan_explain(node, es);
}

Datum
secmed_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = base_rel_size;
	routine->GetForeignPaths = base_paths;
	routine->GetForeignUpperPaths = upper_paths;
	routine->GetForeignPlan = foreign_plan;
	routine->BeginForeignScan = begin_scan;
	routine->IterateForeignScan = next_row;
	routine->ReScanForeignScan = scan_from_start;
	routine->EndForeignScan = end_scan;
	routine->ExplainForeignScan = explain_scan;
	routine->ImportForeignSchema = import_published;
	routine->AnalyzeForeignTable = analyze_table;

	routine->PlanDirectModify = plan_change;
	routine->BeginDirectModify = change_begin;
	routine->IterateDirectModify = change_run;
	routine->EndDirectModify = change_end;
	routine->ExplainDirectModify = change_explain;

	routine->AddForeignUpdateTargets = add_update_targets;
	routine->PlanForeignModify = plan_modify;
	routine->BeginForeignModify = begin_modify;
	routine->EndForeignModify = end_modify;
	routine->BeginForeignInsert = begin_insert;
	routine->EndForeignInsert = end_modify;
	routine->ExecForeignInsert = exec_insert;
	routine->ExecForeignUpdate = exec_modify;
	routine->ExecForeignDelete = exec_modify;
	routine->ExecForeignTruncate = exec_truncate;

	PG_RETURN_POINTER(routine);
}
