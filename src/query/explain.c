/*
 * explain.c
 *	  What EXPLAIN shows of a run: who computes what, what it reveals, and
 *	  what it costs; with ANALYZE, what it did cost.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "estimate/program.h"
#include "govern/contracts.h"
#include "mpc/release.h"
#include "query/noisy.h"
#include "query/scan.h"
#include "query/nodes.h"
#include "query/quantile_runs.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

static char *
name_list(char *const *names, int n)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < n; i++)
		appendStringInfo(&text, "%s%s", i ? ", " : "", names[i]);
	return text.data;
}

static char *
hex(const uint8 *bytes, int len)
{
	char	   *text = palloc(len * 2 + 1);

	hex_encode((const char *) bytes, len, text);
	text[len * 2] = '\0';
	return text;
}

/* What sites share of single rows for quantiles. */
static void
explain_values(RunScan *scan, ExplainState *es)
{
	uint64		rows = 0;
	uint64		tail = 0;

	for (int i = 0; i < scan->plan.ncomponents; i++)
	{
		const QuantileSpec *spec = plan_quantiles(&scan->plan, i);

		if (spec == NULL)
			continue;
		rows += spec->rows;
		tail = Max(tail, spec->tail);
	}
	if (rows == 0)
		return;
	ExplainPropertyText("Percentiles", "of values that sites sort and share, found by rank", es);
	ExplainPropertyInteger("Shared Values of a Site", NULL, rows, es);
	ExplainPropertyInteger("Shared Bytes of a Site", "B", plan_quantile_bytes(&scan->plan, 0), es);
	if (tail > 0)
		ExplainPropertyInteger("Values Beyond a Percentile", NULL, tail, es);
}

/*
 * Costs do not depend on the sites' thresholds, but on whether all show empty
 * groups, which only they know: the larger is expected.
 */
static void
explain_expected(RunScan *scan, const Noise *noise, ExplainState *es)
{
	ReleaseRule rule = {.cells = plan_cells(&scan->plan), .patients_min = 1, .show_zero = true,
	.parts = scan->plan.nparts, .widths = scan->layout.part_width, .nkeys = scan->plan.nkeys,
	.sizes = plan_key_sizes(&scan->plan)};
	uint64		rounds = 0;
	uint64		bytes = 0;

	EstimateRule estimate = {.estimate = &scan->plan.estimate, .arms = rule.cells, .patients_min = 1, .show_zero = true,
	.nkeys = rule.nkeys, .sizes = rule.sizes};

	for (int i = 0; i < PARTIES; i++)
	{
		uint64		own;

		MpcCost		quantiles = {.party = i};

		if (scan->plan.estimate.program)
			estimate_cost(&estimate, i, &rounds, &own);
		else
			release_cost(&rule, i, &rounds, &own);
		quantile_runs_cost(&quantiles, &scan->plan, scan->federation->nsites);
		rounds += quantiles.rounds;
		bytes += own + quantiles.bytes;
	}
	if (noise != NULL)
	{
		rounds++;
		bytes += PARTIES * noisy_numbers(&scan->plan) * sizeof(uint128);
	}
	ExplainPropertyInteger("Groups", NULL, plan_cells(&scan->plan), es);
	if (scan->plan.nparts > 1)
		ExplainPropertyInteger("Parts of a Group", NULL, scan->plan.nparts, es);
	ExplainPropertyInteger("Ring Elements", NULL, plan_elements(&scan->plan), es);
	explain_values(scan, es);
	ExplainPropertyInteger("MPC Rounds Expected", NULL, rounds, es);
	ExplainPropertyInteger("MPC Bytes Expected", "B", bytes, es);
}

/* Of the contract's, which sites and parties have as well. */
static const Noise *
noise_of_scan(const RunScan *scan)
{
	Request		request = {0};

	asked_contract_request(&request, &scan->contract);
	return contract_noise(&request);
}

static void
explain_noise(RunScan *scan, const Noise *noise, ExplainState *es)
{
	ExplainPropertyText("Noise", psprintf("standard deviations %s", noise_text(scan, noise)), es);
	ExplainPropertyFloat("Privacy Spent", "rho", (double) noise->rho / 1000000, 6, es);
	if (!noise->thresholds)
		ExplainPropertyText("Small Groups", "shown: noise takes the place of the smallest group", es);
	if (es->analyze && scan->result != NULL)
		ExplainPropertyFloat("Privacy Left", "rho", noise_left(scan->result), 6, es);
}

static void
explain_actual(RunScan *scan, ExplainState *es)
{
	const RunResult *result = scan->result;
	char	   *run = DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(result->run)));

	ExplainPropertyText("Run", run, es);
	ExplainPropertyInteger("Smallest Group", "patients", result->patients_min, es);
	ExplainPropertyInteger("Groups Withheld", NULL, result->withheld, es);
	if (scan->plan.nparts > 1)
		ExplainPropertyInteger("Parts Withheld", NULL, result->parts_withheld, es);
	ExplainPropertyInteger("MPC Rounds", NULL, result->rounds, es);
	ExplainPropertyInteger("MPC Bytes", "B", result->mpc_bytes, es);
	ExplainPropertyInteger("Opened Bytes", "B", result->opened_bytes, es);
	if (!es->timing)
		return;
	for (int i = 0; i < result->nsites; i++)
		ExplainPropertyFloat(psprintf("Site %s", result->sites[i].name), "ms",
							 result->sites[i].elapsed_ms, 3, es);
	ExplainPropertyFloat("MPC", "ms", result->mpc_ms, 3, es);
	ExplainPropertyFloat("Run Total", "ms", result->total_ms, 3, es);
}

void
scan_explain(ForeignScanState *node, ExplainState *es)
{
	RunScan  *scan = node->fdw_state;
	const Noise *noise;
	uint8		hash[HASH_BYTES];

	if (scan == NULL)
		scan = scan_state_create(node);
	noise = noise_of_scan(scan);
	ExplainPropertyText("Sites", name_list(scan->federation->sites, scan->federation->nsites), es);
	ExplainPropertyText("Parties", name_list(scan->federation->parties, PARTIES), es);
	ExplainPropertyText("Security Model", MODEL_HONEST_MAJORITY, es);
	if (scan->contract.any)
		ExplainPropertyText("Contract", scan->contract.name, es);
	if (es->verbose)
	{
		plan_hash(hash, VARDATA_ANY(scan->plan_bytes), VARSIZE_ANY_EXHDR(scan->plan_bytes));
		ExplainPropertyText("Site Query", scan->plan.sql, es);
		ExplainPropertyText("Plan Hash", hex(hash, HASH_BYTES), es);
	}
	ExplainPropertyText("Revealed", plan_revealed(scan, current_actor()), es);
	if (noise != NULL)
		explain_noise(scan, noise, es);
	explain_expected(scan, noise, es);
	if (es->analyze && scan->result != NULL)
		explain_actual(scan, es);
}
