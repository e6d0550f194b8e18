/*
 * run.c
 *	  One run, seen from the coordinator.
 *
 * Sealed shares are passed on as they came: the coordinator can't open them,
 * and can't exchange them either, because each site signs its own for this
 * run.
 *
 * Whatever fails, every connection of the run is closed, which cancels the
 * run at all nodes, and the failure is on this node's ledger before the
 * analyst sees it.
 */
#include "postgres.h"

#include "govern/account.h"
#include "govern/contracts.h"
#include "mpc/party.h"
#include "peer/link.h"
#include "query/nodes.h"
#include "query/record.h"
#include "query/run.h"
#include "query/sealed.h"
#include "query/submission.h"
#include "share/ring.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

typedef struct Run
{
	const RunSpec *spec;
	Request		request;
	uint8		plan_hash[HASH_BYTES];
	RunRecord	record;
	size_t		elements;
	RunNodes	nodes;
	RunResult  *result;
	TimestampTz started;
} Run;

/* ---- messages ---- */

static void
take_shares(Run *run, RunNode *node, const char *message, size_t len)
{
	nodes_take_shares(node, message, len);
	run->result->sites[node->site].name = node->name;
	if (run->result->noise != NULL && !node->shares.has_rho_left)
		nodes_protocol_error(node, "does not say what is left of its privacy budget");
	run->result->sites[node->site].rho_left = node->shares.rho_left;
	run->result->sites[node->site].elapsed_ms = node->shares.elapsed_us / 1000.0;
}

static void
take_result(Run *run, RunNode *node, const char *message, size_t len)
{
	const char *reason;

	if (!result_decode(&node->result, nodes_keep(message, len), len, &reason))
		nodes_protocol_error(node, reason);
	if (!node->result.refused && !run->request.has_reader && node->result.opened.len != run->elements * 32)
		nodes_protocol_error(node, "an answer of another length than the plan's");
	node->want = WANT_NOTHING;
}

static void
take_message(RunNode *node, const char *message, size_t len, void *arg)
{
	if (node->want == WANT_SHARES)
		take_shares(arg, node, message, len);
	else
		take_result(arg, node, message, len);
}

/* ---- the steps ---- */

static void
prepare_request(Run *run)
{
	const RunSpec *spec = run->spec;

	run->nodes.take = take_message;
	run->nodes.arg = run;
	nodes_prepare(&run->nodes, &run->request, spec->federation, REQUEST_RUN, true);
	sealed_ask(&run->request);
	run->request.plan = spec->plan_bytes;
	run->request.plan_len = spec->plan_len;
	run->request.params = spec->params;
	run->request.nparams = spec->plan->nparams;
	asked_contract_request(&run->request, &spec->contract);
	submission_mark_pass(&run->request, spec->plan);
	plan_hash(run->plan_hash, spec->plan_bytes, spec->plan_len);
	run->elements = plan_opened_elements(spec->plan);
	run->record = record_of_plan(&run->request, spec->plan, run->plan_hash);
	run->result->noise = contract_noise(&run->request);
	if (run->result->noise != NULL)
		record_noise(&run->record, run->result->noise);
}

/* Flags are 0 or 1, or the parties are not what they should be. */
static void
count_withheld(Run *run)
{
	RunResult  *result = run->result;
	PlanLayout	layout = plan_opened_layout(run->spec->plan);

	for (size_t at = 0; at < run->elements; at += layout.stride)
		for (int part = 0; part < run->spec->plan->nparts; part++)
		{
			uint128		flag = result->elements[at + layout.part_start[part]];

			if (flag > 1)
				ereport(ERROR,
						(errcode(ERRCODE_SECMED_SHARES_DIFFER),
						 errmsg("the parties' answer is malformed")));
			if (flag == 0 && part == 0)
				result->withheld++;
			else if (flag == 0 && result->elements[at] == 1)
				result->parts_withheld++;
		}
}

/* What the parties say of the run, and what they opened, by number of the party. */
static void
collect_results(Run *run, Bytes opened[PARTIES])
{
	RunResult  *result = run->result;
	uint64		patients_min = 0;

	for (int i = 0; i < run->nodes.n; i++)
	{
		RunNode    *node = &run->nodes.node[i];

		if (node->party < 0)
			continue;
		opened[node->party] = node->result.opened;
		if (patients_min != 0 && patients_min != node->result.patients_min)
			nodes_protocol_error(node, "another smallest number of patients than the other parties");
		patients_min = node->result.patients_min;
		result->mpc_ms = Max(result->mpc_ms, node->result.elapsed_us / 1000.0);
		result->rounds = Max(result->rounds, node->result.rounds);
		result->mpc_bytes += node->result.bytes;
		result->opened_bytes += node->result.opened.len;
	}
	result->patients_min = run->record.patients_min = patients_min;
}

/* Every summand came from two parties: compare, add. */
static void
open_result(Run *run)
{
	RunResult  *result = run->result;
	Bytes		parts[PARTIES];
	const uint8 *opened[PARTIES];
	size_t		lens[PARTIES];

	collect_results(run, parts);
	for (int i = 0; i < PARTIES; i++)
	{
		opened[i] = parts[i].data;
		lens[i] = parts[i].len;
	}
	result->elements = palloc_extended(sizeof(uint128) * run->elements, MCXT_ALLOC_HUGE);
	if (!ring_rebuild(result->elements, run->elements, opened, lens))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_SHARES_DIFFER),
				 errmsg("the parties' shares of the answer do not fit together"),
				 errdetail("Each part of it is held by two of the three parties, and two copies differ."),
				 errhint("One of the parties computed wrongly or lied; nothing of the answer was shown.")));
	count_withheld(run);
}

/* Boxes that the reader opens; how many groups are withheld, he alone will see. */
static void
keep_sealed(Run *run)
{
	Bytes		parts[PARTIES];

	collect_results(run, parts);
	sealed_keep(&run->request, run->spec->plan_bytes, run->spec->plan_len, parts);
	run->result->sealed = true;
}

/*
 * The parties have found a group too close to an answered one.  The sites are given their word for it, and
 * forget the question.
 */
static void
refuse_if_close(Run *run)
{
	FinishMessage finish = {0};
	Bytes		opened[PARTIES];
	int			n = 0;

	for (int i = 0; i < run->nodes.n; i++)
	{
		const RunNode *node = &run->nodes.node[i];

		if (node->party < 0 || !node->result.refused)
			continue;
		memcpy(finish.refusals[node->party], node->result.refusal, SIGNATURE_BYTES);
		n++;
	}
	if (n == 0)
		return;
	if (n < PARTIES)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL), errmsg("the parties do not agree whether they may answer")));
	collect_results(run, opened);
	finish.refused = true;
	nodes_finish(&run->nodes, &finish);
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_DIFFERENCING),
			 errmsg("the question is too close to one that was answered"),
			 errdetail("A group of it and a group that was answered differ by fewer than " UINT64_FORMAT " patients, and are not the same.",
					   run->result->patients_min),
			 errhint("Ask about the same patients as before, or about groups that differ in more.")));
}

static void
run_steps(Run *run)
{
	AuditTicket released;

	record_request(&run->record, "asked", run->spec->statement);
	if (!submission_prepare(&run->nodes, &run->request))
	{
		record_run(&run->record, ENTRY_OUTCOME, "proposed", "nothing");
		run->result->proposed = true;
		return;
	}
	payment_hold(&run->request);
	nodes_ask(&run->nodes, &run->request, "serve");
	nodes_wait_while(&run->nodes, WANT_SHARES, "its shares");
	if (!run->nodes.awaits)
	{
		nodes_pass_on_shares(&run->nodes, &run->request);
		nodes_wait_while(&run->nodes, WANT_RESULT, "its part of the answer");
	}
	if (run->nodes.awaits)
	{
		record_run(&run->record, ENTRY_OUTCOME, "refused SM047", "nothing");
		submission_wait(&run->nodes, &run->request);
		run_steps(run);
		return;
	}
	refuse_if_close(run);
	if (run->request.has_reader)
		keep_sealed(run);
	else
		open_result(run);

	/* It is being flushed while the nodes hear of the end. */
	released = record_run(&run->record, ENTRY_OUTCOME, "released",
						  run->result->sealed ? record_revealed(&run->record) :
						  psprintf("%s; %zu groups withheld, and %zu parts of others",
								   record_revealed(&run->record), run->result->withheld,
								   run->result->parts_withheld));
	nodes_finish(&run->nodes, &(FinishMessage) {.released = true});
	audit_wait(released);
}

/* Millions of values of sites go from one buffer to the next. */
static void
keep_memory(const Run *run, bool keep)
{
	if (plan_quantile_goals(run->spec->plan) == 0)
		return;
	if (keep)
		party_keep_memory(links_memory_max());
	else
		party_give_memory_back();
}

RunResult *
run_federated(const RunSpec *spec)
{
	Run		   *run = palloc0(sizeof(Run));

	run->spec = spec;
	run->result = palloc0(sizeof(RunResult));
	run->started = GetCurrentTimestamp();
	prepare_request(run);

	PG_TRY();
	{
		keep_memory(run, true);
		run_steps(run);
		keep_memory(run, false);
	}
	PG_CATCH();
	{
		keep_memory(run, false);
		nodes_abort(&run->nodes);
		record_failure_and_rethrow(&run->record, true);
	}
	PG_END_TRY();

	memcpy(run->result->run, run->request.run, RUN_ID_BYTES);
	run->result->nsites = run->request.nsites;
	run->result->total_ms = (GetCurrentTimestamp() - run->started) / 1000.0;
	return run->result;
}
