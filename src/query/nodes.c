/*
 * nodes.c
 *	  The nodes of a run, as the coordinator talks to them.
 */
#include "postgres.h"

#include "contract/proposal.h"
#include "crypto/hash.h"
#include "mirror/forks.h"
#include "miscadmin.h"
#include "govern/identity.h"
#include "query/calibration.h"
#include "query/nodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* A failed node often takes others with it: wait so long for better news. */
#define BLAME_MS		300

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
	forks_require_none(name);
	if (peer.conninfo == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_NODE_LOST),
				 errmsg("node \"%s\" is known without a connection string", name),
				 errhint("Add it again with secmed.add_peer(card, conninfo).")));
	ref->name = pstrdup(name);
	card_fingerprint(ref->fingerprint, &peer.card);
}

static RunNode *
add_node(RunNodes *nodes, const char *name)
{
	RunNode    *node;

	for (int i = 0; i < nodes->n; i++)
		if (strcmp(nodes->node[i].name, name) == 0)
			return &nodes->node[i];
	node = &nodes->node[nodes->n++];
	node->name = name;
	node->site = node->party = -1;
	node->want = WANT_NOTHING;
	return node;
}

void
nodes_touch(Request *request)
{
	request->at_us = GetCurrentTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

void
nodes_renew(Request *request)
{
	random_bytes(request->run, RUN_ID_BYTES);
	/* An RFC 9562 version 4 UUID, so that ledgers show it as one. */
	request->run[6] = (request->run[6] & 0x0F) | 0x40;
	request->run[8] = (request->run[8] & 0x3F) | 0x80;
	nodes_touch(request);
}

void
nodes_prepare(RunNodes *nodes, Request *request, const Federation *federation, RequestKind kind,
			  bool asks_sites)
{
	Calibration calibration;

	request->kind = kind;
	nodes_renew(request);
	request->coordinator = pstrdup(node_self()->card.name);
	request->requester = pstrdup(strchr(current_actor(), ':') + 1);
	request->has_identity = identity_role_fingerprint(request->identity, GetUserId());
	request->model = MODEL_HONEST_MAJORITY;
	request->timeout_ms = node_timeout_ms;
	calibration = calibration_of(federation->server);
	request->round_bytes = link_round_bytes(&calibration.link);

	request->nsites = asks_sites ? federation->nsites : 0;
	for (int i = 0; i < request->nsites; i++)
	{
		fill_ref(&request->sites[i], federation->sites[i]);
		add_node(nodes, federation->sites[i])->site = i;
	}
	for (int i = 0; i < PARTIES; i++)
	{
		fill_ref(&request->parties[i], federation->parties[i]);
		add_node(nodes, federation->parties[i])->party = i;
	}
}

/* ---- messages ---- */

void
nodes_protocol_error(const RunNode *node, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("node \"%s\" sent a message that the protocol does not allow", node->name),
			 errdetail("%s.", reason)));
}

/* Messages live in the receive buffer; keep what is needed later. */
void *
nodes_keep(const char *message, size_t len)
{
	char	   *copy = MemoryContextAllocHuge(CurrentMemoryContext, len + 1);

	memcpy(copy, message, len);
	return copy;
}

static void
take_message(RunNodes *nodes, RunNode *node, const char *message, size_t len)
{
	const char *reason;

	switch (node->want)
	{
		case WANT_SHARES:
		case WANT_RESULT:
			nodes->take(node, message, len, nodes->arg);
			break;
		case WANT_PROPOSAL:
			if (!proposal_answer_decode(&node->proposal, nodes_keep(message, len), len, &reason))
				nodes_protocol_error(node, reason);
			node->want = WANT_NOTHING;
			break;
		case WANT_DONE:
			if (!done_decode(message, len, &reason))
				nodes_protocol_error(node, reason);
			node->want = WANT_END;
			break;
		default:
			nodes_protocol_error(node, "a message that nobody asked for");
	}
}

void
nodes_take_shares(RunNode *node, const char *message, size_t len)
{
	const char *reason;

	if (!shares_decode(&node->shares, nodes_keep(message, len), len, &reason))
		nodes_protocol_error(node, reason);
	node->want = node->party >= 0 ? WANT_INPUTS : WANT_NOTHING;
}

static void
send_inputs(RunNodes *nodes, const Request *request, RunNode *party)
{
	InputsMessage inputs = {.nsites = request->nsites};
	StringInfoData message;

	for (int j = 0; j < nodes->n; j++)
	{
		RunNode    *site = &nodes->node[j];

		if (site->site < 0)
			continue;
		inputs.receipts[site->site] = site->shares.receipt;
		memcpy(inputs.signatures[site->site], site->shares.signature, SIGNATURE_BYTES);
		inputs.sealed[site->site] = site->shares.sealed[party->party];
	}
	initStringInfo(&message);
	inputs_encode(&message, &inputs);
	if (message.len > MESSAGE_BYTES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the sites' shares are too large for a run"),
				 errdetail("A party would get %d bytes; at most %d can be sent.", message.len, MESSAGE_BYTES_MAX),
				 errhint("Ask for fewer columns, or SET secmed.site_rows to fewer rows of each site.")));
	nodeconn_send(party->conn, message.data, message.len);
	pfree(message.data);
	party->want = WANT_RESULT;
}

void
nodes_pass_on_shares(RunNodes *nodes, const Request *request)
{
	for (int i = 0; i < nodes->n; i++)
		if (nodes->node[i].party >= 0)
			send_inputs(nodes, request, &nodes->node[i]);
}

/* ---- waiting ---- */

/* `node "a"` or `nodes "a", "b"`: those that have not answered. */
static char *
missing_nodes(const RunNodes *nodes, Want want)
{
	StringInfoData names;
	int			n = 0;

	initStringInfo(&names);
	for (int i = 0; i < nodes->n; i++)
		if (nodes->node[i].want == want)
			appendStringInfo(&names, "%s\"%s\"", n++ ? ", " : "", nodes->node[i].name);
	return psprintf("%s %s", n == 1 ? "node" : "nodes", names.data);
}

static bool
anybody_wants(const RunNodes *nodes, Want want)
{
	for (int i = 0; i < nodes->n; i++)
		if (nodes->node[i].want == want)
			return true;
	return false;
}

/* Is this failure only that another node, which is silent itself, is missed? */
static bool
blames_reporter(const RunNodes *nodes, const ErrorData *failure, const bool *failed)
{
	if (failure->sqlerrcode != ERRCODE_SECMED_NODE_LOST || failure->message == NULL)
		return false;
	for (int i = 0; i < nodes->n; i++)
		if (failed[i] && strstr(failure->message, psprintf("\"%s\"", nodes->node[i].name)))
			return true;
	return false;
}

/*
 * One node failed.  When a party dies or hangs, its neighbours miss it, and
 * theirs miss them: give the others a moment, and raise the failure that
 * blames a node which has not reported anybody itself.
 */
static void
raise_best_failure(RunNodes *nodes, NodeConn **conns, ErrorData *first, int which)
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

		for (int i = 0; i < nodes->n; i++)
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
	for (int i = 0; i < nodes->n; i++)
	{
		int			candidate = (which + i) % nodes->n;

		if (failures[candidate] && failures[candidate]->sqlerrcode != ERRCODE_QUERY_CANCELED &&
			!blames_reporter(nodes, failures[candidate], failed))
			ReThrowError(failures[candidate]);
	}
	ReThrowError(first);
}

/* Moves everything until nobody wants `want` any more. */
void
nodes_wait_while(RunNodes *nodes, Want want, const char *step)
{
	NodeConn   *conns[SITES_MAX + PARTIES];
	TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);

	for (int i = 0; i < nodes->n; i++)
		conns[i] = nodes->node[i].conn;

	for (;;)
	{
		ErrorData  *failed = NULL;
		int			which = 0;
		bool		in_time = true;

		for (int i = 0; i < nodes->n; i++)
		{
			RunNode    *node = &nodes->node[i];
			const char *message;
			size_t		len;

			while (nodeconn_receive(node->conn, &message, &len))
			{
				take_message(nodes, node, message, len);
				deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms);
			}
			if (node->want == WANT_END && nodeconn_finish(node->conn))
				node->want = WANT_NOTHING;
		}
		if (!anybody_wants(nodes, want))
			return;
		in_time = nodeconn_wait(conns, nodes->n, deadline, &failed, &which);
		if (failed != NULL && nodes->may_wait && failed->sqlerrcode == ERRCODE_SECMED_AWAITS_APPROVAL)
		{
			nodes->awaits = true;
			nodes_abort(nodes);
			return;
		}
		if (failed != NULL)
			raise_best_failure(nodes, conns, failed, which);
		if (!in_time)
			ereport(ERROR,
					(errcode(ERRCODE_SECMED_NODE_LOST),
					 errmsg("%s did not answer within %g s", missing_nodes(nodes, want),
							node_timeout_ms / 1000.0),
					 errdetail("The run waited for %s.", step),
					 errhint("If the node is busy rather than gone, raise secmed.node_timeout.")));
	}
}

/* ---- the steps ---- */

void
nodes_ask(RunNodes *nodes, const Request *request, const char *procedure)
{
	StringInfoData message;

	initStringInfo(&message);
	request_encode(&message, request, node_self());
	for (int i = 0; i < nodes->n; i++)
	{
		RunNode    *node = &nodes->node[i];

		node->conn = nodeconn_get(node->name);
		nodeconn_call(node->conn, procedure, message.data, message.len);
		node->want = node->site >= 0 ? WANT_SHARES : request->nsites > 0 ? WANT_INPUTS : WANT_RESULT;
	}
	pfree(message.data);
}

void
nodes_propose(RunNodes *nodes, const Request *request)
{
	ProposalQuestion question = {0};
	StringInfoData bytes;
	StringInfoData message;

	initStringInfo(&bytes);
	initStringInfo(&message);
	request_encode(&bytes, request, node_self());
	question.request = (uint8 *) bytes.data;
	question.request_len = bytes.len;
	proposal_question_encode(&message, &question);
	for (int i = 0; i < nodes->n; i++)
	{
		RunNode    *node = &nodes->node[i];

		if (node->proposal.state == APPROVAL_GIVEN || node->proposal.state == APPROVAL_NOT_NEEDED)
			continue;
		node->conn = nodeconn_get(node->name);
		nodeconn_call(node->conn, "propose", message.data, message.len);
		node->want = WANT_PROPOSAL;
	}
	nodes_wait_while(nodes, WANT_PROPOSAL, "what its people say");
	pfree(message.data);
	pfree(bytes.data);
}

void
nodes_finish(RunNodes *nodes, const FinishMessage *finish)
{
	StringInfoData message;

	initStringInfo(&message);
	finish_encode(&message, finish);
	for (int i = 0; i < nodes->n; i++)
	{
		nodeconn_send(nodes->node[i].conn, message.data, message.len);
		nodes->node[i].want = WANT_DONE;
	}
	nodes_wait_while(nodes, WANT_DONE, "the outcome to be on its ledger");
	nodes_wait_while(nodes, WANT_END, "the end of the run");
}

void
nodes_abort(RunNodes *nodes)
{
	for (int i = 0; i < nodes->n; i++)
		if (nodes->node[i].conn != NULL)
			nodeconn_abort(nodes->node[i].conn);
}

