/*
 * fdw.c
 *	  The foreign data wrapper: planning.
 *
 * Rows of a published table can't be fetched, so a plain scan of a foreign
 * table has a path only to give the planner something to put aggregates on;
 * making a plan of it is the error that tells the analyst why.  What can be
 * run is the path for the grouping relation above it.
 */
#include "postgres.h"

#include "base/cbor.h"
#include "catalog/pg_type.h"
#include "commands/explain.h"
#include "foreign/fdwapi.h"
#include "fdw/shared_insert.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
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
	Refusal		refusal;
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
refuse_rows(Oid relid, const Refusal *refusal)
{
	const char *name = get_rel_name(relid);

	if (refusal != NULL && refusal->reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("this question about \"%s\" can't be answered by the sites", name),
				 errdetail("%c%s.", pg_toupper((unsigned char) refusal->reason[0]), refusal->reason + 1),
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

	refuse_rows(planner_rt_fetch(rel->relid, root)->relid, info ? &info->refusal : NULL);
}

static void upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
						RelOptInfo *grouped, void *extra);

static void
note_refusal(PlannerInfo *root, const Refusal *refusal)
{
	for (int i = 1; i < root->simple_rel_array_size; i++)
	{
		RelOptInfo *rel = root->simple_rel_array[i];

		if (rel != NULL && IS_SIMPLE_REL(rel) && rel->rtekind == RTE_RELATION &&
			rel->fdwroutine != NULL && rel->fdwroutine->GetForeignUpperPaths == upper_paths &&
			rel->fdw_private != NULL)
			((BaseInfo *) rel->fdw_private)->refusal = *refusal;
	}
}

/* ---- grouping ---- */

static void
upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input,
			RelOptInfo *grouped, void *extra)
{
	GroupPathExtraData *grouping = extra;
	Refusal		refusal;
	Shape	   *shape;
	double		rows;

	if (stage != UPPERREL_GROUP_AGG || grouped->fdw_private != NULL)
		return;
	shape = shape_query(root, grouped, (List *) grouping->havingQual, &refusal);
	if (shape == NULL)
	{
		note_refusal(root, &refusal);
		return;
	}
	grouped->fdw_private = shape;
	rows = plan_cells(&shape->plan);
	add_path(grouped, (Path *) create_foreign_upper_path(root, grouped, grouped->reltarget, rows,
														 RUN_COST, RUN_COST + rows, NIL, NULL,
#if PG_VERSION_NUM >= 170000
														 NIL,
#endif
														 NIL));
}

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

static ForeignScan *
foreign_plan(PlannerInfo *root, RelOptInfo *rel, Oid relid, ForeignPath *path,
			 List *tlist, List *clauses, struct Plan *outer)
{
	Shape	   *shape = rel->fdw_private;

	if (!IS_UPPER_REL(rel))
		refuse_base_rel(root, rel);
	return make_foreignscan(tlist, shape->having, 0, shape->params,
							scan_private(plan_to_bytea(&shape->plan), shape->finals, shape->what),
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

static void
refuse_oblivious_change(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("rows of shared table \"%s\" can't be changed or deleted yet", name),
			 errdetail("Which rows a condition selects is secret, so all of them would get new shares.")));
}

static List *
plan_modify(PlannerInfo *root, ModifyTable *plan, Index relation, int subplan)
{
	Oid			relid = planner_rt_fetch(relation, root)->relid;

	if (!shared_foreign_is(relid))
		refuse_writing(get_rel_name(relid));
	if (plan->operation != CMD_INSERT)
		refuse_oblivious_change(get_rel_name(relid));
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
	if (shared_foreign_is(RelationGetRelid(relation)))
		refuse_oblivious_change(RelationGetRelationName(relation));
	refuse_writing(RelationGetRelationName(relation));
}

static void
exec_truncate(List *relations, DropBehavior behavior, bool restart)
{
	if (shared_foreign_is(RelationGetRelid((Relation) linitial(relations))))
		refuse_oblivious_change(RelationGetRelationName((Relation) linitial(relations)));
	refuse_writing(RelationGetRelationName((Relation) linitial(relations)));
}

static bool
analyze_table(Relation relation, AcquireSampleRowsFunc *func, BlockNumber *pages)
{
	return false;
}

Datum
secmed_fdw_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = base_rel_size;
	routine->GetForeignPaths = base_paths;
	routine->GetForeignUpperPaths = upper_paths;
	routine->GetForeignPlan = foreign_plan;
	routine->BeginForeignScan = scan_begin;
	routine->IterateForeignScan = scan_next;
	routine->ReScanForeignScan = scan_again;
	routine->EndForeignScan = scan_end;
	routine->ExplainForeignScan = scan_explain;
	routine->ImportForeignSchema = import_published;
	routine->AnalyzeForeignTable = analyze_table;

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
