/*
 * explain.c
 *	  What EXPLAIN shows of a run over shared tables: the oblivious plan with
 *	  its public sizes, what it opens, and what it costs; with ANALYZE, what it did cost.
 */
#include "postgres.h"

#include "compute/describe.h"
#include "compute/scan.h"
#include "oblivious/cost.h"
#include "query/calibration.h"
#include "query/nodes.h"
#include "share/rows.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

/* "count(*), sum(age)" */
static char *
opened_text(const AnswerScan *scan)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, scan->what)
		appendStringInfo(&text, "%s%s", foreach_current_index(lc) ? ", " : "", strVal(lfirst(lc)));
	return text.data;
}

char *
answer_revealed(const AnswerScan *scan, const char *requester)
{
	const char *each = scan->grouped ? scan->threshold > 1 ?
		psprintf("of each group with at least " UINT64_FORMAT " patients", scan->threshold) : "of each group" :
		"of each row";

	return psprintf("to %s, %s: %s; to the parties nothing but numbers of rows%s",
					requester, each, opened_text(scan),
					oblivious_plan_asks_sites(&scan->plan) ? "; to the sites nothing but the question" : "");
}

/* Children are indented below their parents, the last node first. */
static void
explain_node(const CheckedPlan *checked, const NodeCost *costs, const Calibration *calibration, int number, int depth,
			 bool verbose, StringInfo out)
{
	const PlanNode *node = &checked->plan->nodes[number];
	const RelationType *relation = &checked->nodes[number];

	appendStringInfo(out, "%*s-> %s  (rows=" UINT64_FORMAT " columns=%d rounds=%.0f bytes=%.0f", 2 * depth, "",
					 verbose ? describe_node(checked, number) : describe_node_briefly(checked, number),
					 relation->rows, relation->ncolumns, costs[number].rounds, costs[number].bytes);
	if (calibration->measured)
		appendStringInfo(out, " time=%.1f ms", node_cost_us(&costs[number], &calibration->link) / 1000);
	appendStringInfoString(out, ")\n");
	for (int i = 0; i < node->nchildren; i++)
		explain_node(checked, costs, calibration, node->children[i], depth + 1, verbose, out);
}

static void
explain_nodes(const CheckedPlan *checked, const Calibration *calibration, ExplainState *es)
{
	NodeCost   *costs = palloc(sizeof(NodeCost) * (checked->plan->nnodes + 1));
	StringInfoData lines;
	List	   *list = NIL;

	plan_cost(costs, checked, &calibration->link);
	initStringInfo(&lines);
	explain_node(checked, costs, calibration, checked->plan->nnodes - 1, 0, es->verbose, &lines);
	if (es->format != EXPLAIN_FORMAT_TEXT)
	{
		for (char *line = strtok(lines.data, "\n"); line != NULL; line = strtok(NULL, "\n"))
			list = lappend(list, line);
		ExplainPropertyList("Oblivious Plan", list, es);
		return;
	}
	appendStringInfoSpaces(es->str, es->indent * 2);
	appendStringInfoString(es->str, "Oblivious Plan:\n");
	for (char *line = strtok(lines.data, "\n"); line != NULL; line = strtok(NULL, "\n"))
	{
		appendStringInfoSpaces(es->str, es->indent * 2);
		appendStringInfo(es->str, "  %s\n", line);
	}
}

void
answer_explain_actual(const AnswerResult *result, ExplainState *es)
{
	ExplainPropertyText("Run", DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(result->run))), es);
	ExplainPropertyInteger("MPC Rounds", NULL, result->rounds, es);
	ExplainPropertyInteger("MPC Bytes", "B", result->mpc_bytes, es);
	ExplainPropertyInteger("Opened Bytes", "B", result->opened_bytes, es);
	if (result->shared_bytes > 0)
		ExplainPropertyUInteger("Shared Bytes", "B", result->shared_bytes, es);
	if (!es->timing)
		return;
	if (result->shared_bytes > 0)
		ExplainPropertyFloat("Sites Run", "ms", result->sites_ms, 3, es);
	ExplainPropertyFloat("MPC", "ms", result->mpc_ms, 3, es);
	ExplainPropertyFloat("Run Total", "ms", result->total_ms, 3, es);
}

/* What each site runs, and how much of it leaves, whatever it holds. */
static void
explain_sites(const Federation *federation, const ObliviousPlan *plan, ExplainState *es)
{
	StringInfoData names;
	uint64		bytes = 0;

	initStringInfo(&names);
	for (int i = 0; i < federation->nsites; i++)
		appendStringInfo(&names, "%s%s", i ? ", " : "", federation->sites[i]);
	ExplainPropertyText("Sites", names.data, es);
	for (int i = 0; i < plan->ninputs; i++)
	{
		const InputSource *source = plan->inputs[i].source;
		SecretType	types[SHARED_COLUMNS_MAX];
		RowLayout	layout;

		if (source == NULL)
			continue;
		for (int c = 0; c < plan->inputs[i].ncolumns; c++)
			types[c] = plan->inputs[i].columns[c].type;
		rows_layout(&layout, types, plan->inputs[i].ncolumns, true);
		for (int party = 0; party < PARTIES; party++)
			bytes += rows_package_bytes(&layout, party, source->rows);
		ExplainPropertyText("Site Query", psprintf("%s  (%s=" UINT64_FORMAT ")", source->sql,
												   source->grouped ? "groups" : "rows", source->rows), es);
	}
	ExplainPropertyUInteger("Shared Bytes of a Site", "B", bytes, es);
}

/* Expected time is told where it was measured what things cost. */
static void
explain_costs(const Federation *federation, const CheckedPlan *checked, const Calibration *calibration, ExplainState *es)
{
	NodeCost	total = plan_cost_total(checked, &calibration->link);

	ExplainPropertyFloat("MPC Rounds Expected", NULL, total.rounds, 0, es);
	ExplainPropertyFloat("MPC Bytes Expected", "B", total.bytes, 0, es);
	if (calibration->measured)
	{
		ExplainPropertyFloat("Time Expected", "ms", calibration_run_ms(calibration, &total), 1, es);
		ExplainPropertyText("Costs", calibration_text(calibration), es);
	}
	else
		ExplainPropertyText("Costs", psprintf("not measured: secmed.calibrate(%s)", quote_literal_cstr(federation->server)), es);
}

void
answer_explain_plan(const Federation *federation, const CheckedPlan *checked, ExplainState *es)
{
	Calibration calibration = calibration_of(federation->server);

	if (oblivious_plan_asks_sites(checked->plan))
		explain_sites(federation, checked->plan, es);
	ExplainPropertyText("Parties", psprintf("%s, %s, %s", federation->parties[0], federation->parties[1],
											federation->parties[2]), es);
	ExplainPropertyText("Security Model", MODEL_HONEST_MAJORITY, es);
	explain_nodes(checked, &calibration, es);
	explain_costs(federation, checked, &calibration, es);
}

void
answer_explain(ForeignScanState *node, ExplainState *es)
{
	AnswerScan *scan = node->fdw_state;

	if (scan == NULL)
		scan = answer_scan_create(node);
	if (scan->contract.any)
		ExplainPropertyText("Contract", scan->contract.name, es);
	answer_explain_plan(scan->federation, &scan->checked, es);
	ExplainPropertyText("Revealed", answer_revealed(scan, current_actor()), es);
	if (es->analyze && scan->result != NULL)
		answer_explain_actual(scan->result, es);
}
