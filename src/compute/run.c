/*
 * run.c
 *	  One run over shared tables, seen from the coordinator.
 */
#include "postgres.h"

#include "compute/describe.h"
#include "compute/progress.h"
#include "compute/run.h"
#include "govern/account.h"
#include "query/nodes.h"
#include "query/record.h"
#include "query/sealed.h"
#include "query/submission.h"
#include "utils/timestamp.h"

typedef struct Run
{
	const AnswerSpec *spec;
	Request		request;
	uint8		plan_hash[HASH_BYTES];
	RunRecord	record;
	RunNodes	nodes;
	AnswerResult *result;
	TimestampTz started;
} Run;

/* All three do the same; one of them is enough to look at. */
static void
take_progress(const Run *run, const RunNode *node, const ProgressMessage *progress)
{
	if (node->party != 0 || progress->step >= run->spec->plan->nnodes)
		return;
	progress_report(progress);
	ereport(DEBUG1,
			(errmsg_internal("step " UINT64_FORMAT " of " UINT64_FORMAT ", %s: " UINT64_FORMAT " rounds, " UINT64_FORMAT " bytes",
							 progress->step + 1, progress->steps,
							 plan_node_name(run->spec->plan->nodes[progress->step].kind),
							 progress->rounds, progress->bytes)));
}

static void
take_message(RunNode *node, const char *message, size_t len, void *arg)
{
	Run		   *run = arg;
	ProgressMessage progress;
	const char *reason;

	if (progress_decode(&progress, message, len, &reason))
	{
		take_progress(arg, node, &progress);
		return;
	}
	if (node->want == WANT_SHARES)
	{
		nodes_take_shares(node, message, len);
		run->result->sites_ms = Max(run->result->sites_ms, node->shares.elapsed_us / 1000.0);
		for (int i = 0; i < PARTIES; i++)
			run->result->shared_bytes += node->shares.sealed[i].len;
		return;
	}
	if (!result_decode(&node->result, nodes_keep(message, len), len, &reason))
		nodes_protocol_error(node, reason);
	node->want = WANT_NOTHING;
}

static void
prepare_request(Run *run)
{
	const AnswerSpec *spec = run->spec;

	if (!spec->is_change)
		sealed_refuse();
	run->nodes.take = take_message;
	run->nodes.arg = run;
	nodes_prepare(&run->nodes, &run->request, spec->federation,
				  spec->is_change ? REQUEST_CHANGE : REQUEST_COMPUTE, oblivious_plan_asks_sites(spec->plan));
	memcpy(run->request.change, spec->change, CHANGE_ID_BYTES);
	run->request.change_xid = spec->change_xid;
	run->request.plan = spec->plan_bytes;
	run->request.plan_len = spec->plan_len;
	run->request.params = spec->params;
	run->request.nparams = oblivious_plan_parameters(spec->plan);
	asked_contract_request(&run->request, &spec->contract);
	oblivious_plan_hash(run->plan_hash, spec->plan_bytes, spec->plan_len);
	run->record = describe_answer(&run->request, spec->checked, run->plan_hash);
}

/* Shares were fine, but what they hold says that the plan can't have been right. */
static void
raise_problem(const Run *run, const PlanProblem *problem)
{
	const PlanNode *node = &run->spec->plan->nodes[problem->node];

	if (problem->kind == PROBLEM_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a value is out of range"),
				 errdetail("It is in the %s of a plan over shares.", plan_node_name(node->kind))));
	if (problem->kind == PROBLEM_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("a column that option \"unique\" names has a value twice"),
				 errdetail("Two rows that a join looked for have the same key.")));
	if (node->kind == PLAN_RELEASE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the answer has more than " UINT64_FORMAT " rows", node->rows),
				 errhint("Ask for fewer, or raise secmed.answer_rows.")));
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a %s has more than " UINT64_FORMAT " rows", plan_node_name(node->kind), node->rows),
			 node->kind == PLAN_JOIN ? errhint("Raise secmed.join_rows.") : 0));
}

static void
shares_differ(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_SHARES_DIFFER),
			 errmsg("the parties' shares of the answer do not fit together"),
			 errdetail("%c%s.", pg_toupper((unsigned char) reason[0]), reason + 1),
			 errhint("One of the parties computed wrongly or lied; nothing of the answer was shown.")));
}

/* Every summand came from two parties: compare, add. */
static void
open_result(Run *run)
{
	AnswerResult *result = run->result;
	const uint8 *messages[PARTIES];
	size_t		lens[PARTIES];
	const char *reason;

	for (int i = 0; i < run->nodes.n; i++)
	{
		RunNode    *node = &run->nodes.node[i];

		if (node->party < 0)
			continue;
		messages[node->party] = node->result.opened.data;
		lens[node->party] = node->result.opened.len;
		result->mpc_ms = Max(result->mpc_ms, node->result.elapsed_us / 1000.0);
		result->rounds = Max(result->rounds, node->result.rounds);
		result->mpc_bytes += node->result.bytes;
		result->opened_bytes += node->result.opened.len;
	}
	if (!result_open(&result->opened, run->spec->checked, messages, lens, &reason))
		shares_differ(reason);
	if (result->opened.problem != NULL)
		raise_problem(run, result->opened.problem);
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
	progress_begin(run->request.run, "coordinator", run->spec->checked);
	payment_hold(&run->request);
	nodes_ask(&run->nodes, &run->request, "compute");
	nodes_wait_while(&run->nodes, WANT_SHARES, "its shares");
	if (!run->nodes.awaits)
	{
		if (run->request.nsites > 0)
			nodes_pass_on_shares(&run->nodes, &run->request);
		nodes_wait_while(&run->nodes, WANT_RESULT, "its part of the answer");
	}
	progress_end();
	if (run->nodes.awaits)
	{
		record_run(&run->record, ENTRY_OUTCOME, "refused SM047", "nothing");
		submission_wait(&run->nodes, &run->request);
		run_steps(run);
		return;
	}
	open_result(run);

	/* It is being flushed while the nodes hear of the end. */
	released = record_run(&run->record, ENTRY_OUTCOME, "released", record_revealed(&run->record));
	nodes_finish(&run->nodes, &(FinishMessage) {.released = true});
	audit_wait(released);
}

AnswerResult *
answer_run(const AnswerSpec *spec)
{
	Run		   *run = palloc0(sizeof(Run));

	run->spec = spec;
	run->result = palloc0(sizeof(AnswerResult));
	run->started = GetCurrentTimestamp();
	prepare_request(run);

	PG_TRY();
	{
		run_steps(run);
	}
	PG_CATCH();
	{
		nodes_abort(&run->nodes);
		record_failure_and_rethrow(&run->record, true);
	}
	PG_END_TRY();

	memcpy(run->result->run, run->request.run, RUN_ID_BYTES);
	run->result->total_ms = (GetCurrentTimestamp() - run->started) / 1000.0;
	return run->result;
}
