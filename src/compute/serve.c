/*
 * serve.c
 *	  One run of an oblivious plan, seen from a party or a site: CALL secmed.compute(request).
 *
 *	  1 request   verify the coordinator's signature, record the request
 *	  2 decide    policy; a party holds the plan against the tables' definitions, a site its SQL against
 *	              what it publishes; record yes or no; before, changes that wait are settled
 *	  3 share     a site runs its SELECTs, splits, seals, signs; recorded before it leaves
 *	    load      a party loads its shares, and takes what the sites sealed to it
 *	  4 compute   with the other two (oblivious/execute.h)
 *	  5 open      its part of the answer; recorded before it leaves
 *	  6 finish    the coordinator reports the end
 *
 * A node may be both, in one backend.
 */
#include "postgres.h"

#include "compute/describe.h"
#include "compute/inbox.h"
#include "compute/permit.h"
#include "compute/progress.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mirror/held.h"
#include "miscadmin.h"
#include "oblivious/execute.h"
#include "oblivious/result.h"
#include "peer/served.h"
#include "crypto/sign.h"
#include "query/serving.h"
#include "query/site_source.h"
#include "shared/load.h"
#include "shared/stage.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(secmed_compute);

typedef struct Computing
{
	Serving		run;
	ObliviousPlan plan;
	CheckedPlan checked;
	PublicValue *params;
	PermittedInput *inputs;
	SharedRows **rows;			/* of each shared table, until the executor takes them */
	Inbox	   *inbox;			/* rows of sites, or NULL: none are asked */
	SiteSources *sources;		/* at a site */
	uint8		context[HASH_BYTES];
	Party		party;
	void		(*wait) (Party *self, bool sending, bool receiving);	/* the links' own */
	ProgressMessage progress;
	TimestampTz told;			/* when the coordinator was told of it */
} Computing;

/* The coordinator hears of us so often, and so knows that we live. */
#define PROGRESS_MS		1000

static bool
is_change(const Computing *computing)
{
	return computing->run.request.kind == REQUEST_CHANGE;
}

static const PlanNode *
plan_root(const ObliviousPlan *plan)
{
	return &plan->nodes[plan->nnodes - 1];
}

/* ---- 1, 2: request and decision ---- */

static void
take_plan(Computing *computing)
{
	Request    *request = &computing->run.request;
	PlanRefusal refusal;
	const char *reason;

	if (!oblivious_plan_decode(&computing->plan, request->plan, request->plan_len, &reason))
		serving_protocol_error(reason);
	if (!plan_check(&computing->checked, &computing->plan, &refusal))
		serving_protocol_error(psprintf("a plan whose %s %s", refusal.node < computing->plan.nnodes ?
										plan_node_name(computing->plan.nodes[refusal.node].kind) : "end",
										refusal.refusal.reason));
	if (oblivious_plan_asks_sites(&computing->plan) != (request->nsites > 0))
		serving_protocol_error("sites that are asked for nothing, or rows of no sites");
	if (computing->run.party < 0 && computing->run.site < 0)
		serving_protocol_error("a computation in which this node is neither party nor site");
	if (is_change(computing) != (plan_root(&computing->plan)->kind == PLAN_STORE))
		serving_protocol_error("a change that opens, or a question that changes");
	computing->progress.steps = computing->plan.nnodes;
	computing->run.tables = describe_tables(&computing->plan);
	computing->run.record = describe_answer(request, &computing->checked, computing->run.plan_hash);
}

static void
decide(Computing *computing)
{
	computing->run.about_nobody = permit_numbers(&computing->checked);
	serving_decide(&computing->run);
	if (computing->run.request.has_reader)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("answers over shared tables are not sealed to a reader yet")));
	computing->params = permit_parameters(&computing->plan, &computing->run.request);
	if (computing->run.site >= 0)
	{
		served_watch_begin(computing->run.work_until);
		computing->sources = site_sources_prepare(&computing->run.request, &computing->checked, computing->run.site);
		served_watch_end();
	}
	if (computing->run.party >= 0)
		computing->inputs = permit_inputs(&computing->checked, &computing->run.request, &computing->run.coordinator);
	if (is_change(computing))
		permit_change(&computing->checked, computing->inputs, &computing->run.coordinator);
	serving_decide_rest(&computing->run);
	serving_agree(&computing->run);
}

/* ---- 3: share ---- */

static void
send_rows(Computing *computing, StringInfo packages[PARTIES], TimestampTz started)
{
	RowsReceipt receipt = {.site = pstrdup(node_self()->card.name)};
	SharesMessage shares;
	StringInfoData body;
	StringInfoData message;

	memcpy(receipt.run, computing->run.request.run, RUN_ID_BYTES);
	memcpy(receipt.plan, computing->run.plan_hash, HASH_BYTES);
	receipt.ninputs = site_sources_rules(computing->sources, receipt.inputs);
	serving_seal(&computing->run, packages, shares.sealed, receipt.sealed);
	initStringInfo(&body);
	rows_receipt_encode(&body, &receipt);
	sign_message(shares.signature, node_self()->sign_secret, "secmed/rows/1", body.data, body.len);
	shares.receipt = (Bytes) {(uint8 *) body.data, body.len};
	shares.elapsed_us = GetCurrentTimestamp() - started;
	initStringInfo(&message);
	shares_encode(&message, &shares);
	audit_wait(record_run(&computing->run.record, ENTRY_EXECUTION, "shared", "secret shares of rows, sealed to the three parties"));
	served_send(message.data, message.len);
	pfree(message.data);
}

static void
share_rows(Computing *computing)
{
	TimestampTz started = GetCurrentTimestamp();
	StringInfo	packages[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		packages[i] = makeStringInfo();
	site_sources_share(computing->sources, packages, computing->run.work_until);
	send_rows(computing, packages, started);
}

/* ---- 3: load ---- */

/* What the three parties must agree on: the question, its parameters, and which rows there are. */
static void
run_context(Computing *computing)
{
	const Request *request = &computing->run.request;
	HashPart   *parts = palloc(sizeof(HashPart) * (3 + 2 * request->nparams + computing->plan.ninputs));
	int			n = 0;

	parts[n++] = (HashPart) {"secmed/compute/1", 17};
	parts[n++] = (HashPart) {request->run, RUN_ID_BYTES};
	parts[n++] = (HashPart) {computing->run.plan_hash, HASH_BYTES};
	for (int i = 0; i < request->nparams; i++)
	{
		parts[n++] = (HashPart) {request->params[i] ? "p" : "n", 1};
		parts[n++] = (HashPart) {request->params[i] ? request->params[i] : "",
		request->params[i] ? strlen(request->params[i]) + 1 : 0};
	}
	for (int i = 0; i < computing->plan.ninputs; i++)
		if (computing->plan.inputs[i].kind != INPUT_NUMBERS)
			parts[n++] = (HashPart) {computing->rows[i] ? computing->rows[i]->digest : computing->inbox->digest, HASH_BYTES};
	hash_parts(computing->context, parts, n);
}

static void
load_tables(Computing *computing)
{
	computing->rows = palloc0(sizeof(SharedRows *) * (computing->plan.ninputs + 1));
	for (int i = 0; i < computing->plan.ninputs; i++)
		if (computing->inputs[i].table != NULL)
			computing->rows[i] = shared_load(computing->inputs[i].table, computing->inputs[i].columns,
										 computing->plan.inputs[i].ncolumns);
	if (computing->run.request.nsites > 0)
		computing->inbox = inbox_take(&computing->run, &computing->checked);
	run_context(computing);
}

/* Hands the vectors over. */
static SharedRelation
give_input(Party *self, int input, void *arg)
{
	Computing  *computing = arg;
	SharedRows *rows = computing->rows[input];
	SharedRelation relation;

	if (rows == NULL)
	{
		relation = computing->inbox->relations[input];
		memset(&computing->inbox->relations[input], 0, sizeof(SharedRelation));
		return relation;
	}
	relation = (SharedRelation) {.n = rows->n,.ncolumns = rows->ncolumns,.valid = rows->valid};
	relation.columns = palloc0(sizeof(SharedColumn) * (rows->ncolumns + 1));
	for (int i = 0; i < rows->ncolumns; i++)
		relation.columns[i] = (SharedColumn) {.type = column_type(rows->columns[i].type),
			.number = rows->columns[i].numbers,.bits = rows->columns[i].bits,.null = rows->columns[i].nulls};
	rows->ncolumns = 0;
	memset(&rows->valid, 0, sizeof(rows->valid));
	return relation;
}

/* ---- 4, 5: compute and open ---- */

static void
tell_progress(Computing *computing)
{
	StringInfoData message;

	computing->told = GetCurrentTimestamp();
	computing->progress.rounds = computing->party.rounds;
	computing->progress.bytes = computing->party.bytes_sent;
	progress_report(&computing->progress);
	initStringInfo(&message);
	progress_encode(&message, &computing->progress);
	served_send(message.data, message.len);
	pfree(message.data);
}

/* The links' wait, and from time to time a word to the coordinator. */
static void
wait_and_tell(Party *self, bool sending, bool receiving)
{
	Computing  *computing = (Computing *) ((char *) self - offsetof(Computing, party));

	computing->wait(self, sending, receiving);
	if (TimestampDifferenceExceeds(computing->told, GetCurrentTimestamp(), PROGRESS_MS))
		tell_progress(computing);
}

static void
begin_step(const CheckedPlan *checked, int node, void *arg)
{
	Computing  *computing = arg;

	CHECK_FOR_INTERRUPTS();
	computing->progress.step = node;
	tell_progress(computing);
}

static void
join_parties(Computing *computing)
{
	Party	   *party = &computing->party;

	memcpy(party->context, computing->context, HASH_BYTES);
	links_ready(computing->run.links, party, serving_compute_until(&computing->run));
	links_bound_silence(computing->run.links, computing->run.request.timeout_ms * 3 / 4);
	computing->wait = party->wait;
	party->wait = wait_and_tell;
	party->round_bytes = computing->run.request.round_bytes;
	progress_begin(computing->run.request.run, "party", &computing->checked);
}

/*
 * New shares are kept until the coordinator's transaction has decided; of what was computed,
 * only the problems leave.
 */
static void
stage_change(Computing *computing, ObliviousResult *result)
{
	const PermittedInput *input = &computing->inputs[0];
	SharedRelation *relation = &result->relation;
	LoadedColumn *values = palloc0(sizeof(LoadedColumn) * (relation->ncolumns + 1));

	for (int i = 0; i < relation->ncolumns; i++)
	{
		ColumnType	type = column_type(input->table->definition.types[input->columns[i]]);

		column_widen(&computing->party, &relation->columns[i], &type);
		column_tighten(&computing->party, &relation->columns[i]);
		values[i] = (LoadedColumn) {.type = type.type,.numbers = relation->columns[i].number,
			.bits = relation->columns[i].bits,.nulls = relation->columns[i].null};
	}
	shared_store_columns(input->table, computing->run.request.change, computing->run.request.change_xid,
						 computing->rows[0], input->columns, relation->ncolumns, values, &relation->valid);
	relation_free(relation);
	memset(relation, 0, sizeof(*relation));
}

static void
compute(Computing *computing, FunctionCallInfo fcinfo)
{
	Executing	executing = {.load = give_input,.arg = computing,.step = begin_step};
	ObliviousResult opened;
	ResultMessage result = {0};
	StringInfoData shares;
	StringInfoData message;
	TimestampTz started = GetCurrentTimestamp();

	join_parties(computing);
	opened = execute_plan(&computing->party, &computing->checked, computing->params, &executing);
	progress_end();
	result.elapsed_us = GetCurrentTimestamp() - started;
	result.rounds = computing->party.rounds;
	result.bytes = computing->party.bytes_sent;
	result.patients_min = computing->run.record.patients_min;

	if (is_change(computing))
		stage_change(computing, &opened);
	initStringInfo(&shares);
	result_message_encode(&shares, &opened);
	oblivious_result_free(&opened);
	result.opened = (Bytes) {(uint8 *) shares.data, shares.len};
	initStringInfo(&message);
	result_encode(&message, &result);
	serving_open(&computing->run, &message, fcinfo);
	wipe(shares.data, shares.len);
	links_close(computing->run.links);
}

/* ---- the whole ---- */

/* The one of this backend, for a hook that takes no argument. */
static Computing *settling;

static void
tell_while_settling(void)
{
	if (TimestampDifferenceExceeds(settling->told, GetCurrentTimestamp(), PROGRESS_MS))
		tell_progress(settling);
}

/*
 * Changes that wait for their fate are applied, or forgotten, in a transaction of their own: whoever
 * resolves others has to wait for its end, and the computation may be long.
 */
static void
settle_changes(Computing *computing, FunctionCallInfo fcinfo)
{
	MemoryContext caller = CurrentMemoryContext;

	if (computing->run.party < 0 || stage_nodes() == NIL)
		return;
	settling = computing;
	stage_step_hook = tell_while_settling;
	connect_nonatomic(fcinfo, "compute");
	stage_resolve(computing->run.coordinator.name);
	SPI_commit();
	SPI_finish();
	stage_step_hook = NULL;
	MemoryContextSwitchTo(caller);
}

static void
serve_computation(Computing *computing, FunctionCallInfo fcinfo)
{
	serving_record(&computing->run, describe_plan(&computing->checked));
	served_begin();
	serving_begin_paid(&computing->run, fcinfo);
	settle_changes(computing, fcinfo);
	decide(computing);
	serving_count_use(&computing->run, fcinfo);
	if (computing->run.party >= 0)
		serving_link(&computing->run);
	if (computing->run.site >= 0)
		share_rows(computing);
	if (computing->run.party >= 0)
	{
		load_tables(computing);
		compute(computing, fcinfo);
	}
	(void) serving_finish(&computing->run);
}

Datum
secmed_compute(PG_FUNCTION_ARGS)
{
	Computing  *computing = palloc0(sizeof(Computing));

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the request can't be null")));
	serving_take(&computing->run, PG_GETARG_BYTEA_PP(0), false);
	take_plan(computing);

	PG_TRY();
	{
		serve_computation(computing, fcinfo);
	}
	PG_CATCH();
	{
		stage_step_hook = NULL;
		serving_failed(&computing->run);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}
