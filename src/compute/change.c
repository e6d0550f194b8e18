/*
 * change.c
 *	  UPDATE and DELETE of shared tables.
 *
 *	  UPDATE t SET a = x WHERE c    PROJECT CASE WHEN c THEN x ELSE a END, then STORE
 *	  DELETE FROM t WHERE c         FILTER c IS NOT TRUE, then STORE nothing but which rows are there
 *
 * The columns that are stored are the first of the input, in their order
 * (permit_change()).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compute/change.h"
#include "compute/describe.h"
#include "compute/inputs.h"
#include "compute/run.h"
#include "compute/scan.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/appendinfo.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "query/scan.h"
#include "query/shared_table.h"
#include "shared/write.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

typedef struct Changing
{
	TermMaker	maker;
	Oid			relid;
	Index		varno;
	List	   *columns;		/* of char *: names of those that get new values */
	List	   *values;			/* of Node: the values */
	List	   *conditions;
	Rel		   *rel;
} Changing;

/* ---- planning ---- */

static void
refuse_change(const Changing *changing)
{
	const QueryRefusal *refusal = changing->maker.refusal;

	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NOT_ALLOWED),
			 errmsg("this change of \"%s\" can't be computed on shares", get_rel_name(changing->relid)),
			 refusal->reason ? errdetail("%c%s.", pg_toupper((unsigned char) refusal->reason[0]), refusal->reason + 1) : 0,
			 refusal->hint ? errhint("%s", refusal->hint) : 0));
}

static Node *
column_var(const Changing *changing, const char *name)
{
	AttrNumber	attnum = get_attnum(changing->relid, name);
	Oid			type;
	int32		typmod;
	Oid			collation;

	get_atttypetypmodcoll(changing->relid, attnum, &type, &typmod, &collation);
	return (Node *) makeVar(changing->varno, attnum, type, typmod, collation, 0);
}

/* The columns that change come first. */
static bool
scan_table(Changing *changing)
{
	List	   *vars = NIL;
	uint64		threshold = 0;
	ListCell   *lc;

	foreach(lc, changing->columns)
		vars = lappend(vars, column_var(changing, lfirst(lc)));
	rel_collect_vars((Node *) changing->values, &vars);
	rel_collect_vars((Node *) changing->conditions, &vars);
	changing->rel = input_scan(&changing->maker, changing->relid, changing->varno, vars, &threshold);
	return changing->rel != NULL;
}

/* Whether a value is NULL is secret, so what may be is not for a column that may not. */
static bool
check_null(Changing *changing, const Term *value, const SecretType *column, const char *name)
{
	ColumnType	type;

	if (column->nullable)
		return true;
	if (!rel_type(&changing->maker, changing->rel, value->expression, &type))
		return false;
	return !type.type.nullable ||
		term_refuse(&changing->maker, psprintf("the new value of column \"%s\", which is NOT NULL, may be NULL", name),
					"Say what it is then, with coalesce().");
}

/*
 * CASE WHEN the row is meant THEN the new value ELSE the old one END, as the column's type: only a
 * row that is meant can have a value that does not fit.
 */
static bool
new_value(Changing *changing, int which, Expression *condition, Expression **out)
{
	const SharedForeign *table = shared_foreign_table(changing->relid);
	int			column = shared_definition_column(&table->definition, list_nth(changing->columns, which));
	SecretType	type = table->definition.types[column];
	Node	   *expr = list_nth(changing->values, which);
	Expression **args = palloc(sizeof(Expression *) * 3);
	Term		value;

	changing->maker.lookup = rel_lookup;
	changing->maker.arg = changing->rel;
	if (!term_make(&changing->maker, expr, &value))
		return false;
	if (value.kind != type.kind || (value.scale != type.scale && value.scale > type.scale))
		return term_refuse(&changing->maker, psprintf("the new value of column \"%s\" is of another type, or would be rounded",
													  (char *) list_nth(changing->columns, which)), NULL);
	if (!check_null(changing, &value, &type, list_nth(changing->columns, which)))
		return false;
	type.nullable = false;
	args[0] = condition;
	args[1] = expression_cast(value.expression, secret_is_number(&type) ? secret_widest(type.kind, type.scale) : type);
	args[2] = expression_column(which);
	*out = expression_cast(condition ? expression_make(EXPRESSION_CASE, 3, args) : args[1], type);
	return true;
}

static bool
make_condition(Changing *changing, Expression **condition)
{
	Term		term;

	*condition = NULL;
	if (changing->conditions == NIL)
		return true;
	changing->maker.lookup = rel_lookup;
	changing->maker.arg = changing->rel;
	if (!term_make_and(&changing->maker, changing->conditions, &term))
		return false;
	*condition = term.expression;
	return true;
}

static bool
make_update(Changing *changing, Expression *condition)
{
	int			n = list_length(changing->columns);
	Rel		   *project = rel_above(PLAN_PROJECT, changing->rel);

	project->node.nexpressions = n;
	project->node.expressions = palloc(sizeof(Expression *) * n);
	for (int i = 0; i < n; i++)
		if (!new_value(changing, i, condition, &project->node.expressions[i]))
			return false;
	changing->rel = project;
	return true;
}

static bool
make_delete(Changing *changing, Expression *condition)
{
	Rel		   *filter = rel_above(PLAN_FILTER, changing->rel);

	filter->node.condition = condition == NULL ? expression_boolean(false) :
		expression_unary(EXPRESSION_NOT, expression_unary(EXPRESSION_IS_TRUE, condition));
	changing->rel = filter;
	return true;
}

static void
emit(Changing *changing, int ncolumns)
{
	Rel		   *store = rel_above(PLAN_STORE, changing->rel);

	store->node.ncolumns = ncolumns;
	store->node.columns = palloc(sizeof(int) * (ncolumns + 1));
	for (int i = 0; i < ncolumns; i++)
		store->node.columns[i] = i;
	rel_emit(changing->maker.plan, store);
}

static bool
build(Changing *changing, CmdType operation)
{
	Expression *condition;
	CheckedPlan checked;
	PlanRefusal refusal;

	if (!scan_table(changing) || !make_condition(changing, &condition))
		return false;
	if (!(operation == CMD_UPDATE ? make_update(changing, condition) : make_delete(changing, condition)))
		return false;
	emit(changing, list_length(changing->columns));
	if (plan_check(&checked, changing->maker.plan, &refusal))
		return true;
	return term_refuse(&changing->maker, psprintf("the %s of its plan %s",
												  plan_node_name(changing->maker.plan->nodes[refusal.node].kind),
												  refusal.refusal.reason), NULL);
}

/* SET columns and their values. */
static void
take_targets(Changing *changing, PlannerInfo *root)
{
	List	   *tlist;
	List	   *attnums;
	ListCell   *target;
	ListCell   *attnum;

	get_translated_update_targetlist(root, changing->varno, &tlist, &attnums);
	forboth(target, tlist, attnum, attnums)
	{
		changing->columns = lappend(changing->columns, get_attname(changing->relid, lfirst_int(attnum), false));
		changing->values = lappend(changing->values, lfirst_node(TargetEntry, target)->expr);
	}
}

void
change_refuse(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("this change of shared table \"%s\" is not available", get_rel_name(relid)),
			 errdetail("UPDATE and DELETE of shared tables take SET and WHERE over the table's own columns, no other table and no RETURNING.")));
}

/* The scan of the table itself, and nothing else. */
static ForeignScan *
scan_below(PlannerInfo *root, ModifyTable *plan, Index relation, Oid relid)
{
	ForeignScan *scan = (ForeignScan *) outerPlan(plan);

	if (IsA(scan, ForeignScan) && scan->scan.scanrelid == relation &&
		bms_membership(root->all_baserels) == BMS_SINGLETON && plan->returningLists == NIL)
		return scan;
	change_refuse(relid);
}

bool
change_plan(PlannerInfo *root, ModifyTable *plan, Index relation, int subplan)
{
	QueryRefusal refusal = {NULL, NULL};
	Changing	changing = {.relid = planner_rt_fetch(relation, root)->relid,.varno = relation};
	ForeignScan *scan = scan_below(root, plan, relation, changing.relid);
	RelOptInfo *rel = find_base_rel(root, relation);

	changing.maker.refusal = &refusal;
	changing.maker.plan = oblivious_plan_create();
	deparser_start(&changing.maker.deparser, root);
	changing.conditions = extract_actual_clauses(rel->baserestrictinfo, false);
	if (plan->operation == CMD_UPDATE)
		take_targets(&changing, root);
	if (!build(&changing, plan->operation))
		refuse_change(&changing);

	scan->operation = plan->operation;
	scan->resultRelation = relation;
	scan->fdw_exprs = changing.maker.params;
	scan->fdw_private = list_make1(makeConst(BYTEAOID, -1, InvalidOid, -1,
											 PointerGetDatum(answer_plan_to_bytea(changing.maker.plan)), false, false));
	scan->scan.plan.qual = NIL;
	return true;
}

/* ---- executing ---- */

typedef struct ChangeScan
{
	AnswerSpec	spec;
	SharedForeign *table;
	ObliviousPlan plan;
	CheckedPlan checked;
	List	   *params;
	bool		done;
	AnswerResult *result;
} ChangeScan;

static ChangeScan *
change_create(ForeignScanState *node)
{
	ForeignScan *scan = (ForeignScan *) node->ss.ps.plan;
	ChangeScan *change = palloc0(sizeof(ChangeScan));
	bytea	   *bytes = DatumGetByteaPP(linitial_node(Const, scan->fdw_private)->constvalue);
	RangeTblEntry *rte = rt_fetch(scan->resultRelation, node->ss.ps.state->es_range_table);
	PlanRefusal refusal;
	const char *reason;

	if (!oblivious_plan_decode(&change->plan, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes), &reason))
		elog(ERROR, "plan of a change: %s", reason);
	if (!plan_check(&change->checked, &change->plan, &refusal))
		elog(ERROR, "plan of a change: %s", refusal.refusal.reason);
	change->table = shared_foreign_table(rte->relid);
	change->spec = (AnswerSpec) {.federation = federation_of_server(change->table->serverid),.plan = &change->plan,
		.checked = &change->checked,.plan_bytes = (uint8 *) VARDATA_ANY(bytes),
		.plan_len = VARSIZE_ANY_EXHDR(bytes)};
	return change;
}

void
change_begin(ForeignScanState *node, int eflags)
{
	ChangeScan *change = change_create(node);
	const char *statement = node->ss.ps.state->es_sourceText;

	node->fdw_state = change;
	change->params = ExecInitExprList(((ForeignScan *) node->ss.ps.plan)->fdw_exprs, (PlanState *) node);
	change->spec.statement = pstrdup(statement ? statement : "");
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		require_analyst();
}

/* Returns no row, and counts none: how many were meant is secret. */
TupleTableSlot *
change_run(ForeignScanState *node)
{
	ChangeScan *change = node->fdw_state;
	SharedParties parties = shared_foreign_parties(change->table);
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	SharedWrite write;

	if (!change->done)
	{
		change->done = true;
		change->spec.params = answer_evaluate_params(node, change->params, &change->plan);
		shared_write_begin(&write, &parties,
						   ((ForeignScan *) node->ss.ps.plan)->operation == CMD_UPDATE ? "update" : "delete");
		memcpy(change->spec.change, write.id, CHANGE_ID_BYTES);
		change->spec.change_xid = write.xid;
		change->spec.is_change = true;
		change->result = answer_run(&change->spec);
		ereport(NOTICE,
				(errmsg("which rows of \"%s\" were changed, and how many, is secret", change->table->definition.name)));
	}
	MemoryContextSwitchTo(old);
	return ExecClearTuple(node->ss.ss_ScanTupleSlot);
}

void
change_end(ForeignScanState *node)
{
}

void
change_explain(ForeignScanState *node, ExplainState *es)
{
	ChangeScan *change = node->fdw_state ? node->fdw_state : change_create(node);

	answer_explain_plan(change->spec.federation, &change->checked, es);
	ExplainPropertyText("Revealed", "nothing", es);
	if (es->analyze && change->result != NULL)
		answer_explain_actual(change->result, es);
}
