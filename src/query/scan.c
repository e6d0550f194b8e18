/*
 * scan.c
 *	  The foreign data wrapper: executing.
 *
 * One run gives all cells; rows are made of them one at a time.  A rescan
 * reads the same answer again and asks nobody: what is asked of the sites is
 * one question a statement.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "query/deparse.h"
#include "query/scan.h"
#include "query/finals.h"
#include "query/quantile.h"
#include "query/settings.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/uuid.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

List *
scan_private(bytea *plan, List *finals, List *what, const AskedContract *contract)
{
	Const	   *bytes = makeConst(BYTEAOID, -1, InvalidOid, -1, PointerGetDatum(plan), false, false);

	return list_make4(bytes, finals, what, asked_contract_to_list(contract));
}

RunScan *
scan_state_create(ForeignScanState *node)
{
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	RunScan  *scan = palloc0(sizeof(RunScan));
	const char *reason;
	ListCell   *lc;

	scan->federation = federation_of_server(plan->fs_server);
	scan->plan_bytes = DatumGetByteaPP(linitial_node(Const, plan->fdw_private)->constvalue);
	if (!plan_decode(&scan->plan, VARDATA_ANY(scan->plan_bytes),
					 VARSIZE_ANY_EXHDR(scan->plan_bytes), &reason))
		elog(ERROR, "plan of a foreign scan: %s", reason);
	scan->layout = plan_opened_layout(&scan->plan);
	foreach(lc, (List *) lsecond(plan->fdw_private))
	{
		Final	   *final = palloc(sizeof(Final));

		*final = final_from_list(lfirst(lc));
		scan->finals = lappend(scan->finals, final);
	}
	scan->what = lthird(plan->fdw_private);
	scan->contract = asked_contract_from_list(lfourth(plan->fdw_private));
	return scan;
}

/* "count(*), sum(r1.age)" */
static char *
components_text(const RunScan *scan)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, scan->what)
		appendStringInfo(&text, "%s%s", foreach_current_index(lc) ? ", " : "", strVal(lfirst(lc)));
	if (text.len == 0)
		appendStringInfoString(&text, "which groups exist");
	return text.data;
}

char *
plan_revealed(const RunScan *scan, const char *requester)
{
	return psprintf("to %s, of each group: %s, each only if enough patients contribute to it, and which have too few; to sites and parties nothing of the answer",
					requester, components_text(scan));
}

void
require_analyst(void)
{
	Oid			analyst = get_role_oid("secmed_analyst", true);

	if (!has_privs_of_role(GetUserId(), analyst))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to ask the sites"),
				 errhint("Only roles with privileges of secmed_analyst may do so: GRANT secmed_analyst TO %s;",
						 quote_identifier(GetUserNameFromId(GetUserId(), false)))));
}

void
scan_begin(ForeignScanState *node, int eflags)
{
	RunScan  *scan = scan_state_create(node);

	node->fdw_state = scan;
	scan->params = ExecInitExprList(((ForeignScan *) node->ss.ps.plan)->fdw_exprs, (PlanState *) node);
	scan->statement = pstrdup(node->ss.ps.state->es_sourceText ? node->ss.ps.state->es_sourceText : "");
	scan->cell_context = AllocSetContextCreate(CurrentMemoryContext, "secmed cell", ALLOCSET_SMALL_SIZES);
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
		require_analyst();
}

/* ---- running ---- */

char *
scan_param_text(ExprState *state, ExprContext *context)
{
	bool		isnull;
	Datum		value = ExecEvalExprSwitchContext(state, context, &isnull);
	Oid			output;
	bool		varlena;
	int			level;
	char	   *text;

	if (isnull)
		return NULL;
	getTypeOutputInfo(exprType((Node *) state->expr), &output, &varlena);
	level = transmission_settings();
	text = OidOutputFunctionCall(output, value);
	AtEOXact_GUC(true, level);
	return text;
}

/* Values of the parameters as text. */
static char **
evaluate_params(ForeignScanState *node, RunScan *scan)
{
	ExprContext *context = node->ss.ps.ps_ExprContext;
	char	  **texts = palloc0(sizeof(char *) * (list_length(scan->params) + 1));
	ListCell   *lc;

	foreach(lc, scan->params)
		texts[foreach_current_index(lc)] = scan_param_text(lfirst(lc), context);
	return texts;
}

static void
run_scan(ForeignScanState *node)
{
	RunScan  *scan = node->fdw_state;
	MemoryContext old = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	RunSpec		spec;

	spec.federation = scan->federation;
	spec.plan = &scan->plan;
	spec.plan_bytes = (uint8 *) VARDATA_ANY(scan->plan_bytes);
	spec.plan_len = VARSIZE_ANY_EXHDR(scan->plan_bytes);
	spec.params = evaluate_params(node, scan);
	spec.statement = scan->statement;
	spec.contract = scan->contract;
	scan->result = run_federated(&spec);
	MemoryContextSwitchTo(old);

	if (scan->result->sealed)
		ereport(NOTICE,
				(errmsg("the answer is sealed to its reader, and not shown here"),
				 errhint("Give the reader SELECT secmed.sealed_answer('%s'), for \"secmed open\".",
						 DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(scan->result->run))))));
	if (scan->result->withheld + scan->result->parts_withheld > 0 && suppressed_mode == SUPPRESSED_ERROR)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_SUPPRESSED),
				 errmsg("a part of the answer is withheld"),
				 errdetail("%zu of %zu groups have fewer than " UINT64_FORMAT " patients, or would give back one that has; within the others, too few patients contribute to %zu aggregates.",
						   scan->result->withheld, plan_cells(&scan->plan), scan->result->patients_min,
						   scan->result->parts_withheld),
				 errhint("Set secmed.suppressed to \"null\" or \"omit\" to see the rest.")));
}

/* ---- rows ---- */

static Datum
key_value(const RunScan *scan, size_t cell, const Final *final, bool *isnull)
{
	int			which = final->components[0];
	const PlanKey *key = &scan->plan.keys[which];
	const char *text;
	Oid			input,
				ioparam;
	Datum		value;
	int			level;

	for (int i = scan->plan.nkeys - 1; i > which; i--)
		cell /= scan->plan.keys[i].nvalues;
	text = key->values[cell % key->nvalues];
	*isnull = text == NULL;
	if (text == NULL)
		return (Datum) 0;
	getTypeInputInfo(final->type, &input, &ioparam);
	level = transmission_settings();
	value = OidInputFunctionCall(input, (char *) text, ioparam, -1);
	AtEOXact_GUC(true, level);
	return value;
}

static ComponentTotal *
decode_totals(const RunScan *scan, const uint128 *cell)
{
	ComponentTotal *totals = palloc(sizeof(ComponentTotal) * (scan->plan.ncomponents + 1));

	for (int i = 0; i < scan->plan.ncomponents; i++)
	{
		if (scan->result->noise != NULL)
			component_decode_noisy(scan->plan.components[i], scan->result->noise->bounds[i].scale,
								   cell + scan->layout.component[i], &totals[i]);
		else
			component_decode(scan->plan.components[i], plan_opened_width(&scan->plan, i), cell + scan->layout.component[i], &totals[i]);
		totals[i].asked = plan_quantiles(&scan->plan, i);
	}
	return totals;
}

/*
 * A group that every site let pass although it is empty (all have show_zero):
 * PostgreSQL has no row for it, unless there is no GROUP BY.
 */
static bool
cell_is_empty(const RunScan *scan, const uint128 *cell)
{
	return scan->plan.nkeys > 0 && cell[scan->layout.exists] == 0;
}

static bool
part_passes(const RunScan *scan, const uint128 *cell, int part)
{
	return cell[scan->layout.part_start[part]] == 1;
}

/* All components of an aggregate are of one part. */
static bool
aggregate_passes(const RunScan *scan, const uint128 *cell, const Final *final)
{
	for (int i = 0; i < FINAL_COMPONENTS_MAX; i++)
		if (final->components[i] >= 0 &&
			!part_passes(scan, cell, scan->plan.parts[final->components[i]]))
			return false;
	return part_passes(scan, cell, 0);
}

/* Of less than no rows there is no average. */
static ComponentTotal *
without_negative_counts(const RunScan *scan, const ComponentTotal *totals)
{
	size_t		size = sizeof(ComponentTotal) * (scan->plan.ncomponents + 1);
	ComponentTotal *result = memcpy(palloc(size), totals, size);

	for (int i = 0; i < scan->plan.ncomponents; i++)
		result[i].count = Max(result[i].count, 0);
	return result;
}

static void
count_withheld_tails(RunScan *scan, const Final *final, const ComponentTotal *totals)
{
	int			withheld = final->kind == FINAL_QUANTILE ? quantile_withheld(final, totals) : 0;

	if (withheld > 0 && suppressed_mode == SUPPRESSED_ERROR)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_SUPPRESSED),
				 errmsg("a percentile is withheld: too few values are before it or after it"),
				 errhint("Set secmed.suppressed to \"null\" or \"omit\" to see the rest.")));
	scan->tails_withheld += withheld;
}

static void
fill_slot(RunScan *scan, TupleTableSlot *slot, size_t number, const uint128 *cell)
{
	ComponentTotal *totals = decode_totals(scan, cell);
	ComponentTotal *counted = scan->result->noise ? without_negative_counts(scan, totals) : totals;
	ListCell   *lc;

	foreach(lc, scan->finals)
	{
		const Final *final = lfirst(lc);
		int			i = foreach_current_index(lc);

		slot->tts_values[i] = (Datum) 0;
		slot->tts_isnull[i] = true;
		if (final->kind == FINAL_KEY)
			slot->tts_values[i] = key_value(scan, number, final, &slot->tts_isnull[i]);
		else if (aggregate_passes(scan, cell, final))
		{
			count_withheld_tails(scan, final, totals);
			slot->tts_values[i] = final_compute(final, final->kind == FINAL_COUNT ? totals : counted, &slot->tts_isnull[i]);
		}
	}
}

TupleTableSlot *
scan_next(ForeignScanState *node)
{
	RunScan  *scan = node->fdw_state;
	TupleTableSlot *slot = node->ss.ss_ScanTupleSlot;

	ExecClearTuple(slot);
	if (scan->result == NULL)
		run_scan(node);
	if (scan->result->proposed)
		return slot;

	if (scan->result->sealed)
		return slot;
	for (; scan->next_cell < plan_cells(&scan->plan); scan->next_cell++)
	{
		const uint128 *cell = scan->result->elements + scan->next_cell * scan->layout.stride;
		bool		passes = part_passes(scan, cell, 0);
		MemoryContext old;

		if (!passes && suppressed_mode == SUPPRESSED_OMIT)
			continue;
		if (passes && cell_is_empty(scan, cell))
			continue;
		MemoryContextReset(scan->cell_context);
		old = MemoryContextSwitchTo(scan->cell_context);
		fill_slot(scan, slot, scan->next_cell, cell);
		MemoryContextSwitchTo(old);
		scan->next_cell++;
		return ExecStoreVirtualTuple(slot);
	}
	return slot;
}

void
scan_again(ForeignScanState *node)
{
	RunScan  *scan = node->fdw_state;

	/* Another value of a parameter would be another question, for every row. */
	if (node->ss.ps.chgParam != NULL && scan->params != NIL && scan->result != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NOT_ALLOWED),
				 errmsg("the sites can't be asked again for each row"),
				 errdetail("A value in the question comes from a sub-query that depends on a row of the query around it."),
				 errhint("Ask once, with GROUP BY, and join the result.")));
	scan->next_cell = 0;
	scan->tails_withheld = 0;
}

static void
notice_withheld_tails(const RunScan *scan)
{
	uint64		tail = 0;

	for (int i = 0; i < scan->plan.ncomponents; i++)
		if (plan_quantiles(&scan->plan, i))
			tail = Max(tail, plan_quantiles(&scan->plan, i)->tail);
	if (scan->tails_withheld > 0)
		ereport(NOTICE,
				(errmsg_plural("%zu percentile is withheld: fewer than " UINT64_FORMAT " values are before it or after it",
							   "%zu percentiles are withheld: fewer than " UINT64_FORMAT " values are before each or after it",
							   scan->tails_withheld, scan->tails_withheld, tail),
				 errhint("The sites tell of so few values only of columns that they allow for that (extreme).")));
}

char *
noise_text(const RunScan *scan, const Noise *noise)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, scan->what)
	{
		int			i = foreach_current_index(lc);

		appendStringInfo(&text, "%s%s %.6g", i ? ", " : "", strVal(lfirst(lc)), noise_sigma(noise, i));
	}
	return text.data;
}

/* The least of what the sites have left for the requester. */
double
noise_left(const RunResult *result)
{
	uint64		left = PG_UINT64_MAX;

	for (int i = 0; i < result->nsites; i++)
		left = Min(left, result->sites[i].rho_left);
	return (double) left / 1000000;
}

static void
tell_noise(const RunScan *scan)
{
	const RunResult *result = scan->result;

	if (result->noise == NULL || result->proposed)
		return;
	ereport(NOTICE,
			(errmsg("the answer has noise, and spent a rho of %.6f", (double) result->noise->rho / 1000000),
			 errdetail("Standard deviations: %s. Left for this requester: a rho of %.6f.", noise_text(scan, result->noise),
					   noise_left(result))));
}

void
scan_end(ForeignScanState *node)
{
	RunScan  *scan = node->fdw_state;

	if (scan != NULL && scan->result != NULL)
		tell_noise(scan);
	if (scan == NULL || scan->result == NULL || suppressed_mode == SUPPRESSED_ERROR)
		return;
	if (scan->result->withheld > 0 && scan->plan.nkeys == 0)
		ereport(NOTICE,
				(errmsg("the answer is withheld: it is about fewer than " UINT64_FORMAT " patients",
						scan->result->patients_min)));
	else if (scan->result->withheld > 0)
		ereport(NOTICE,
				(errmsg_plural("%zu of %zu groups is withheld: it has fewer than " UINT64_FORMAT " patients",
							   "%zu of %zu groups are withheld: they have fewer than " UINT64_FORMAT " patients, or would give back one that has",
							   scan->result->withheld, scan->result->withheld,
							   plan_cells(&scan->plan), scan->result->patients_min)));
	if (scan->result->parts_withheld > 0)
		ereport(NOTICE,
				(errmsg("aggregates to which fewer than " UINT64_FORMAT " patients contribute are withheld",
						scan->result->patients_min),
				 errdetail_plural("It happens %zu time in the other groups: FILTER, NULLs, zeros or an arm of a CASE leave too few, or leave too few out.",
								  "It happens %zu times in the other groups: FILTER, NULLs, zeros or an arm of a CASE leave too few, or leave too few out.",
								  scan->result->parts_withheld, scan->result->parts_withheld)));
	notice_withheld_tails(scan);
}
