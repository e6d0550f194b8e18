/*
 * run.c
 *	  One run, seen from the coordinator.
 *
 * All nodes are talked to at once; what is waited for is written down per
 * node (Want).  Sealed shares are passed on as they came: the coordinator
 * can't open them, and can't exchange them either, because each site signs
 * its own for this run.
 *
 * Whatever fails, every connection of the run is closed, which cancels the
 * run at all nodes, and the failure is on this node's ledger before the
 * analyst sees it.
 */
#include "postgres.h"

#include "crypto/hash.h"
#include "mpc/party.h"
#include "miscadmin.h"
#include "peer/connection.h"
#include "portability/instr_time.h"
#include "query/record.h"
#include "query/run.h"
#include "share/ring.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* A failed node often takes others with it: wait so long for better news. */
#define BLAME_MS		300

typedef enum Want
{
	WANT_NOTHING,
	WANT_SHARES,
	WANT_INPUTS,				/* a party that waits for its inputs */
	WANT_RESULT,
	WANT_DONE,
	WANT_END
} Want;

typedef struct RunNode
{
	const char *name;
	NodeConn   *conn;
	int			site;			/* index, or -1 */
	int			party;			/* index, or -1 */
	Want		want;
	SharesMessage shares;
	ResultMessage result;
} RunNode;

typedef struct Run
{
	const RunSpec *spec;
	Request		request;
	uint8		plan_hash[HASH_BYTES];
	RunRecord	record;
	size_t		elements;
	int			nnodes;
	RunNode		nodes[SITES_MAX + PARTIES];
	RunResult  *result;
	TimestampTz started;
} Run;

char *
current_actor(void)
{
	const char *current = GetUserNameFromId(GetUserId(), false);
	const char *session = GetUserNameFromId(GetSessionUserId(), false);

	if (strcmp(current, session) == 0)
		return psprintf("%s:%s", node_self()->card.name, current);
	return psprintf("%s:%s (session of %s)", node_self()->card.name, current, session);
}

/* ---- preparing ---- */

static void
fill_ref(NodeRef *ref, const char *name)
{
	Peer		peer;

	peer_require(&peer, name);
	if (peer.conninfo == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NODE_LOST),
				 errmsg("node \"%s\" is known without a connection string", name),
				 errhint("Add it again with secmed.add_peer(card, conninfo).")));
	ref->name = pstrdup(name);
	card_fingerprint(ref->fingerprint, &peer.card);
}

static RunNode *
add_node(Run *run, const char *name)
{
	RunNode    *node;

	for (int i = 0; i < run->nnodes; i++)
		if (strcmp(run->nodes[i].name, name) == 0)
			return &run->nodes[i];
	node = &run->nodes[run->nnodes++];
	node->name = name;
	node->site = node->party = -1;
	node->want = WANT_NOTHING;
	return node;
}

static void
prepare_request(Run *run)
{
	const RunSpec *spec = run->spec;
	Request    *request = &run->request;

	random_bytes(request->run, RUN_ID_BYTES);
	/* An RFC 9562 version 4 UUID, so that ledgers show it as one. */
	request->run[6] = (request->run[6] & 0x0F) | 0x40;
	request->run[8] = (request->run[8] & 0x3F) | 0x80;
	request->at_us = GetCurrentTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	request->coordinator = pstrdup(node_self()->card.name);
	request->requester = pstrdup(strchr(current_actor(), ':') + 1);
	request->model = MODEL_HONEST_MAJORITY;
	request->timeout_ms = node_timeout_ms;
	request->plan = spec->plan_bytes;
	request->plan_len = spec->plan_len;
	request->params = spec->params;
	request->nparams = spec->plan->nparams;

	request->nsites = spec->federation->nsites;
	for (int i = 0; i < request->nsites; i++)
	{
		fill_ref(&request->sites[i], spec->federation->sites[i]);
		add_node(run, spec->federation->sites[i])->site = i;
	}
	for (int i = 0; i < PARTIES; i++)
	{
		fill_ref(&request->parties[i], spec->federation->parties[i]);
		add_node(run, spec->federation->parties[i])->party = i;
	}
	plan_hash(run->plan_hash, spec->plan_bytes, spec->plan_len);
	run->elements = plan_elements(spec->plan);
	run->record = (RunRecord) {request, spec->plan, run->plan_hash, 0};
}

/* ---- messages ---- */

static void
protocol_error(const RunNode *node, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("node \"%s\" sent a message that the protocol does not allow", node->name),
			 errdetail("%s.", reason)));
}

/* Messages live in the receive buffer; keep what is needed later. */
static void *
keep(const char *message, size_t len)
{
	char	   *copy = MemoryContextAllocHuge(CurrentMemoryContext, len + 1);

	memcpy(copy, message, len);
	return copy;
}

static void
take_shares(Run *run, RunNode *node, const char *message, size_t len)
{
	const char *reason;

	if (!shares_decode(&node->shares, keep(message, len), len, &reason))
		protocol_error(node, reason);
	run->result->sites[node->site].name = node->name;
	run->result->sites[node->site].elapsed_ms = node->shares.elapsed_us / 1000.0;
	node->want = node->party >= 0 ? WANT_INPUTS : WANT_NOTHING;
}

static void
take_result(Run *run, RunNode *node, const char *message, size_t len)
{
	const char *reason;

	if (!result_decode(&node->result, keep(message, len), len, &reason))
		protocol_error(node, reason);
	if (node->result.opened.len != run->elements * 32)
		protocol_error(node, "an answer of another length than the plan's");
	node->want = WANT_NOTHING;
}

static void
take_message(Run *run, RunNode *node, const char *message, size_t len)
{
	const char *reason;

	switch (node->want)
	{
		case WANT_SHARES:
			take_shares(run, node, message, len);
			break;
		case WANT_RESULT:
			take_result(run, node, message, len);
			break;
		case WANT_DONE:
			if (!done_decode(message, len, &reason))
				protocol_error(node, reason);
			node->want = WANT_END;
			break;
		default:
			protocol_error(node, "a message that nobody asked for");
	}
}

/* ---- waiting ---- */

/* `node "a"` or `nodes "a", "b"`: those that have not answered. */
static char *
missing_nodes(const Run *run, Want want)
{
	StringInfoData names;
	int			n = 0;

	initStringInfo(&names);
	for (int i = 0; i < run->nnodes; i++)
		if (run->nodes[i].want == want)
			appendStringInfo(&names, "%s\"%s\"", n++ ? ", " : "", run->nodes[i].name);
	return psprintf("%s %s", n == 1 ? "node" : "nodes", names.data);
}

static bool
anybody_wants(const Run *run, Want want)
{
	for (int i = 0; i < run->nnodes; i++)
		if (run->nodes[i].want == want)
			return true;
	return false;
}

/* Is this failure only that another node, which is silent itself, is missed? */
static bool
blames_reporter(const Run *run, const ErrorData *failure, const bool *failed)
{
	if (failure->sqlerrcode != ERRCODE_SECMED_NODE_LOST || failure->message == NULL)
		return false;
	for (int i = 0; i < run->nnodes; i++)
		if (failed[i] && strstr(failure->message, psprintf("\"%s\"", run->nodes[i].name)))
			return true;
	return false;
}

/*
 * One node failed.  When a party dies or hangs, its neighbours miss it, and
 * theirs miss them: give the others a moment, and raise the failure that
 * blames a node which has not reported anybody itself.
 */
static void
raise_best_failure(Run *run, NodeConn **conns, ErrorData *first, int which)
{
	ErrorData  *failures[SITES_MAX + PARTIES] = {0};
	bool		failed[SITES_MAX + PARTIES] = {0};
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), BLAME_MS);

	failures[which] = first;
	failed[which] = true;
	while (first->sqlerrcode == ERRCODE_SECMED_NODE_LOST)
	{
		NodeConn   *rest[SITES_MAX + PARTIES];
		int			index[SITES_MAX + PARTIES];
		int			n = 0;
		ErrorData  *next = NULL;
		int			at;

		for (int i = 0; i < run->nnodes; i++)
			if (!failed[i])
			{
				index[n] = i;
				rest[n++] = conns[i];
			}
		if (n == 0 || !nodeconn_wait(rest, n, deadline, &next, &at))
			break;
		if (next != NULL)
		{
			failures[index[at]] = next;
			failed[index[at]] = true;
		}
	}
	for (int i = 0; i < run->nnodes; i++)
	{
		int			candidate = (which + i) % run->nnodes;

		if (failures[candidate] && failures[candidate]->sqlerrcode != ERRCODE_QUERY_CANCELED &&
			!blames_reporter(run, failures[candidate], failed))
			ReThrowError(failures[candidate]);
	}
	ReThrowError(first);
}

/* Moves everything until nobody wants `want` any more. */
static void
wait_while(Run *run, Want want, const char *step)
{
	NodeConn   *conns[SITES_MAX + PARTIES];
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);

	for (int i = 0; i < run->nnodes; i++)
		conns[i] = run->nodes[i].conn;

	for (;;)
	{
		ErrorData  *failed = NULL;
		int			which = 0;
		bool		in_time = true;

		for (int i = 0; i < run->nnodes; i++)
		{
			RunNode    *node = &run->nodes[i];
			const char *message;
			size_t		len;

			while (nodeconn_receive(node->conn, &message, &len))
				take_message(run, node, message, len);
			if (node->want == WANT_END && nodeconn_finish(node->conn))
				node->want = WANT_NOTHING;
		}
		if (!anybody_wants(run, want))
			return;
		in_time = nodeconn_wait(conns, run->nnodes, deadline, &failed, &which);
		if (failed != NULL)
			raise_best_failure(run, conns, failed, which);
		if (!in_time)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_NODE_LOST),
					 errmsg("%s did not answer within %g s", missing_nodes(run, want),
							node_timeout_ms / 1000.0),
					 errdetail("The run waited for %s.", step),
					 errhint("If the node is busy rather than gone, raise secmed.node_timeout.")));
	}
}

/* ---- the steps ---- */

static void
ask_everybody(Run *run)
{
	StringInfoData message;

	initStringInfo(&message);
	request_encode(&message, &run->request, node_self());
	for (int i = 0; i < run->nnodes; i++)
	{
		RunNode    *node = &run->nodes[i];

		node->conn = nodeconn_get(node->name);
		nodeconn_call(node->conn, "serve", message.data, message.len);
		node->want = node->site >= 0 ? WANT_SHARES : WANT_INPUTS;
	}
	pfree(message.data);
}

/* Each party gets every site's receipt and the package sealed to it. */
static void
pass_on_shares(Run *run)
{
	for (int i = 0; i < run->nnodes; i++)
	{
		RunNode    *party = &run->nodes[i];
		InputsMessage inputs;
		StringInfoData message;

		if (party->party < 0)
			continue;
		inputs.nsites = run->request.nsites;
		for (int j = 0; j < run->nnodes; j++)
		{
			RunNode    *site = &run->nodes[j];

			if (site->site < 0)
				continue;
			inputs.receipts[site->site] = site->shares.receipt;
			memcpy(inputs.signatures[site->site], site->shares.signature, SIGNATURE_BYTES);
			inputs.sealed[site->site] = site->shares.sealed[party->party];
		}
		initStringInfo(&message);
		inputs_encode(&message, &inputs);
		nodeconn_send(party->conn, message.data, message.len);
		pfree(message.data);
		party->want = WANT_RESULT;
	}
}

/* Flags are 0 or 1, or the parties are not what they should be. */
static void
count_withheld(Run *run)
{
	RunResult  *result = run->result;
	PlanLayout	layout = plan_layout(run->spec->plan);

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

/* Every summand came from two parties: compare, add. */
static void
open_result(Run *run)
{
	RunResult  *result = run->result;
	const uint8 *opened[PARTIES];
	size_t		lens[PARTIES];
	uint64		patients_min = 0;

	for (int i = 0; i < run->nnodes; i++)
	{
		RunNode    *node = &run->nodes[i];

		if (node->party < 0)
			continue;
		opened[node->party] = node->result.opened.data;
		lens[node->party] = node->result.opened.len;
		if (patients_min != 0 && patients_min != node->result.patients_min)
			protocol_error(node, "another smallest number of patients than the other parties");
		patients_min = node->result.patients_min;
		result->mpc_ms = Max(result->mpc_ms, node->result.elapsed_us / 1000.0);
		result->rounds = Max(result->rounds, node->result.rounds);
		result->mpc_bytes += node->result.bytes;
		result->opened_bytes += node->result.opened.len;
	}
	result->patients_min = run->record.patients_min = patients_min;
	result->elements = palloc_extended(sizeof(uint128) * run->elements, MCXT_ALLOC_HUGE);
	if (!ring_rebuild(result->elements, run->elements, opened, lens))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_SHARES_DIFFER),
				 errmsg("the parties' shares of the answer do not fit together"),
				 errdetail("Each part of it is held by two of the three parties, and two copies differ."),
				 errhint("One of the parties computed wrongly or lied; nothing of the answer was shown.")));
	count_withheld(run);
}

static void
finish_everybody(Run *run)
{
	StringInfoData message;

	initStringInfo(&message);
	finish_encode(&message, true);
	for (int i = 0; i < run->nnodes; i++)
	{
		nodeconn_send(run->nodes[i].conn, message.data, message.len);
		run->nodes[i].want = WANT_DONE;
	}
	wait_while(run, WANT_DONE, "the outcome to be on its ledger");
	wait_while(run, WANT_END, "the end of the run");
}

static void
run_steps(Run *run)
{
	AuditTicket released;

	record_request(&run->record, "asked", run->spec->statement);
	ask_everybody(run);
	wait_while(run, WANT_SHARES, "its shares");
	pass_on_shares(run);
	wait_while(run, WANT_RESULT, "its part of the answer");
	open_result(run);

	/* It is being flushed while the nodes hear of the end. */
	released = record_run(&run->record, ENTRY_OUTCOME, "released",
						  psprintf("%s; %zu groups withheld, and %zu parts of others",
								   record_revealed(&run->record), run->result->withheld,
								   run->result->parts_withheld));
	finish_everybody(run);
	audit_wait(released);
}

/* The other ends see their connections close, and cancel. */
static void
abort_everybody(Run *run)
{
	for (int i = 0; i < run->nnodes; i++)
		if (run->nodes[i].conn != NULL)
			nodeconn_abort(run->nodes[i].conn);
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
		run_steps(run);
	}
	PG_CATCH();
	{
		abort_everybody(run);
		record_failure_and_rethrow(&run->record, true);
	}
	PG_END_TRY();

	memcpy(run->result->run, run->request.run, RUN_ID_BYTES);
	run->result->nsites = run->request.nsites;
	run->result->total_ms = (GetCurrentTimestamp() - run->started) / 1000.0;
	return run->result;
}
