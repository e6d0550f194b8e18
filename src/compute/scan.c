/*
 * scan.c
 *	  A foreign scan over shared tables: executing.
 *
 * One run gives all rows.  A rescan reads them again and asks nobody.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "compute/scan.h"
#include "compute/totals.h"
#include "compute/value.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "query/scan.h"
#include "query/settings.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* ---- the plan's private list ---- */

#define ANSWER_MARK		"answer"

bytea *
answer_plan_to_bytea(const ObliviousPlan *plan)
{
	StringInfoData bytes;
	bytea	   *result;

	initStringInfo(&bytes);
	oblivious_plan_encode(&bytes, plan);
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

List *
answer_private(const Answer *answer)
{
	Const	   *bytes = makeConst(BYTEAOID, -1, InvalidOid, -1,
								  PointerGetDatum(answer_plan_to_bytea(answer->plan)), false, false);
	List	   *opened = NIL;
	ListCell   *lc;

	foreach(lc, answer->opened)
		opened = lappend(opened, opened_to_list(lfirst(lc)));
	return lappend(list_make5(makeString(ANSWER_MARK), bytes, opened, answer->what,
							  list_make3_int((int) Min(answer->threshold, INT_MAX), answer->grouped, answer->one_row)),
				   asked_contract_to_list(&answer->contract));
}

bool
answer_is_private(List *fdw_private)
{
	return IsA(linitial(fdw_private), String);
}

AnswerScan *
answer_scan_create(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	AnswerScan *scan = palloc0(sizeof(AnswerScan));
	List	   *rest = list_nth(plan->fdw_private, 4);
	PlanRefusal refusal;
	const char *reason;
	ListCell   *lc;

	scan->federation = federation_of_server(plan->fs_server);
	scan->plan_bytes = DatumGetByteaPP(lsecond_node(Const, plan->fdw_private)->constvalue);
	if (!oblivious_plan_decode(&scan->plan, VARDATA_ANY(scan->plan_bytes),
							   VARSIZE_ANY_EXHDR(scan->plan_bytes), &reason))
		elog(ERROR, "plan of a foreign scan: %s", reason);
	if (!plan_check(&scan->checked, &scan->plan, &refusal))
		elog(ERROR, "plan of a foreign scan: %s", refusal.refusal.reason);
	foreach(lc, (List *) lthird(plan->fdw_private))
		scan->opened = lappend(scan->opened, opened_from_list(lfirst(lc)));
	scan->what = lfourth(plan->fdw_private);
	scan->contract = asked_contract_from_list(list_nth(plan->fdw_private, 5));
	scan->threshold = linitial_int(rest);
	scan->grouped = lsecond_int(rest);
	scan->one_row = lthird_int(rest);
	return scan;
}

/* ---- beginning ---- */

void
answer_begin(ForeignScanState *node, int eflags)
{
	AnswerScan *scan = answer_scan_create(node);

	node->fdw_state = scan;
	scan->params = ExecInitExprList(((ForeignScan *) node->ss.ps.plan)->fdw_exprs, (PlanState *) node);
	scan->statement = pstrdup(node->ss.ps.state->es_sourceText ? node->ss.ps.state->es_sourceText : "");
	scan->row_context = AllocSetContextCreate(CurrentMemoryContext, "secmed row", ALLOCSET_SMALL_SIZES);
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		require_analyst();
}

/* ---- running ---- */

static char *
evaluate_param(ExprState *state, ExprContext *context, const SecretType *type)
{
	bool		isnull;
	Datum		datum = ExecEvalExprSwitchContext(state, context, &isnull);
	PublicValue value;
	SecretType	own;
	const char *reason;

	if (!value_from_datum(&value, &own, datum, isnull, exprType((Node *) state->expr), &reason) ||
		(!value.null && own.bits > type->bits))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a parameter can't be sent to the parties"),
				 errdetail("%s.", reason)));
	return value_to_text(&value, type);
}

char **
answer_evaluate_params(ForeignScanState *node, List *params, const ObliviousPlan *plan)
{
	char	  **texts = palloc0(sizeof(char *) * (list_length(params) + 1));
	ListCell   *lc;

	foreach(lc, params)
	{
		int			i = foreach_current_index(lc);

		texts[i] = i < plan->nparams ? evaluate_param(lfirst(lc), node->ss.ps.ps_ExprContext, &plan->params[i]) :
			scan_param_text(lfirst(lc), node->ss.ps.ps_ExprContext);
	}
	return texts;
}

static void
run_scan(ForeignScanState *node)
{
	AnswerScan *scan = node->fdw_state;
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	AnswerSpec	spec = {.federation = scan->federation,.plan = &scan->plan,.checked = &scan->checked,
		.plan_bytes = (uint8 *) VARDATA_ANY(scan->plan_bytes),
		.plan_len = VARSIZE_ANY_EXHDR(scan->plan_bytes),
		.statement = scan->statement,.contract = scan->contract};

	spec.params = answer_evaluate_params(node, scan->params, &scan->plan);
	scan->result = answer_run(&spec);
	MemoryContextSwitchTo(old);
}

/* ---- rows ---- */

static OpenedValue
value_at(const OpenedColumn *column, size_t row)
{
	OpenedValue value = {.null = column->nulls != NULL && column->nulls[row],.number = column->values[row]};

	if (column->type.type.kind != SECRET_TEXT)
		return value;
	value.text = palloc(SECRET_TEXT_BYTES_MAX + 1);
	if (!secret_to_text(value.text, &column->type.type, (uint128) column->values[row]))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_SHARES_DIFFER),
				 errmsg("the parties opened a text that nobody can have written")));
	return value;
}

static void
fill_slot(AnswerScan *scan, TupleTableSlot *slot, size_t row)
{
	const OpenedResult *opened = &scan->result->opened;
	const ColumnType *types = scan->checked.nodes[scan->plan.nnodes - 1].columns;
	OpenedValue *values = palloc(sizeof(OpenedValue) * (opened->ncolumns + 1));
	ListCell   *lc;

	for (int i = 0; i < opened->ncolumns; i++)
		values[i] = value_at(&opened->columns[i], row);
	foreach(lc, scan->opened)
	{
		int			i = foreach_current_index(lc);

		slot->tts_values[i] = opened_compute(lfirst(lc), values, types, &slot->tts_isnull[i]);
	}
}

/* There is one row whatever is withheld of it. */
static void
fill_with_nulls(TupleTableSlot *slot)
{
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_values[i] = (Datum) 0;
		slot->tts_isnull[i] = true;
	}
}

TupleTableSlot *
answer_next(ForeignScanState *node)
{
	AnswerScan *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;
	MemoryContext old;

	ExecClearTuple(slot);
	if (scan->result == NULL)
		run_scan(node);
	if (scan->result->proposed || scan->next_row >= Max(scan->result->opened.there, scan->one_row ? 1 : 0))
		return slot;
	MemoryContextReset(scan->row_context);
	old = MemoryContextSwitchTo(scan->row_context);
	if (scan->next_row < scan->result->opened.there)
		fill_slot(scan, slot, scan->next_row);
	else
		fill_with_nulls(slot);
	MemoryContextSwitchTo(old);
	scan->next_row++;
	return ExecStoreVirtualTuple(slot);
}

void
answer_again(ForeignScanState *node)
{
	AnswerScan *scan = node->fdw_state;

	/* Another value of a parameter would be another question, for every row. */
	if (node->ss.ps.chgParam != NULL && scan->params != NIL && scan->result != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("the parties can't be asked again for each row"),
				 errdetail("A value in the question comes from a sub-query that depends on a row of the query around it."),
				 errhint("Ask once, with GROUP BY, and join the result.")));
	scan->next_row = 0;
}

/* How many groups are withheld is not opened, nor which. */
void
answer_end(ForeignScanState *node)
{
	AnswerScan *scan = node->fdw_state;

	if (scan == NULL || scan->result == NULL || scan->result->proposed || scan->threshold <= 1)
		return;
	if (scan->one_row && scan->result->opened.there == 0)
		ereport(NOTICE,
				(errmsg("the answer is withheld: it is about fewer than " UINT64_FORMAT " patients",
						scan->threshold)));
	else if (scan->grouped && !scan->one_row)
		ereport(NOTICE,
				(errmsg("groups with fewer than " UINT64_FORMAT " patients, if there are any, are left out",
						scan->threshold)));
}
