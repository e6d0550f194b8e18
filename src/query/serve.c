/*
 * serve.c
 *	  One run, seen from a node that was asked: CALL secmed.serve(request).
 *
 *	  1 request   verify the coordinator's signature, record the request
 *	  2 decide    policy; a site also prepares its sub-query; record yes or no
 *	  3 share     a site runs it, splits, seals, signs; recorded before it leaves
 *	  4 compute   a party adds what the sites sealed to it, and runs MPC
 *	  5 open      its part of the answer; recorded before it leaves
 *	  6 finish    the coordinator reports the end; a site records the outcome
 *
 * A node may be site and party of one run, in one backend.  Entries of steps
 * 1 and 2 are queued and become durable, in order, with that of step 3 or 5.
 */
#include "postgres.h"

#include "contract/policy.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "mpc/release.h"
#include "peer/connection.h"
#include "peer/link.h"
#include "peer/served.h"
#include "query/record.h"
#include "query/settings.h"
#include "query/site.h"
#include "share/ring.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(secmed_serve);

typedef struct Served
{
	NodeCard	coordinator;
	Request		request;
	CanonicalPlan plan;
	uint8		plan_hash[HASH_BYTES];
	RunRecord	record;
	size_t		elements;
	int			site;			/* index of this node among the sites, or -1 */
	int			party;			/* among the parties, or -1 */
	SiteQuery  *query;
	PartyLinks *links;
	bool		recorded;		/* the request is on the ledger: so must be its end */
	bool		decided;		/* and the answer was yes */
	bool		released;
	TimestampTz work_until;		/* for a site's sub-query */
	TimestampTz patience;		/* for the coordinator, who has the same timeout and counts first */
} Served;

static void
protocol_error(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("node \"%s\" sent a message that the protocol does not allow", served_peer()->name),
			 errdetail("%s.", reason)));
}

static int64
now_us(void)
{
	return GetCurrentTimestamp() + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

/* ---- 1, 2: request and decision ---- */

static void
take_request(Served *served, const char *bytes, size_t len)
{
	const char *reason;
	const uint8 *body;
	size_t		body_len;
	uint8		signature[SIGNATURE_BYTES];

	served->coordinator = *served_peer();
	if (!request_decode(&served->request, bytes, len, &body, &body_len, signature, &reason) ||
		!plan_decode(&served->plan, served->request.plan, served->request.plan_len, &reason))
		protocol_error(reason);
	if (!sign_verify(signature, served->coordinator.sign_public, "secmed/run/1", body, body_len))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("the request of node \"%s\" is not signed by it", served->coordinator.name)));
	plan_hash(served->plan_hash, served->request.plan, served->request.plan_len);
	served->elements = plan_elements(&served->plan);
	served->record = (RunRecord) {&served->request, &served->plan, served->plan_hash, 0};
	served->site = noderef_find(served->request.sites, served->request.nsites, node_self()->card.name);
	served->party = noderef_find(served->request.parties, PARTIES, node_self()->card.name);
	served->work_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													 Min(served->request.timeout_ms, (uint64) site_timeout_ms));
	served->patience = TimestampTzPlusMilliseconds(served->work_until, 2 * served->request.timeout_ms);
}

static bool
known_fingerprint(const char *name, uint8 fingerprint[HASH_BYTES])
{
	Peer		peer;

	if (strcmp(name, node_self()->card.name) == 0)
	{
		card_fingerprint(fingerprint, &node_self()->card);
		return true;
	}
	if (!peer_lookup(&peer, name))
		return false;
	card_fingerprint(fingerprint, &peer.card);
	return true;
}

static void
decide(Served *served)
{
	PolicyFacts facts = {node_self()->card.name, served_peer()->name, now_us(), known_fingerprint};
	PolicyDecision decision = policy_decide(&served->request, &facts);

	if (!decision.yes)
		ereport(ERROR,
				(errcode(decision.sqlstate),
				 errmsg_internal("%s", decision.message),
				 decision.hint[0] ? errhint("%s", decision.hint) : 0));
	if (served->site >= 0)
	{
		bool		show_zero;

		served_watch_begin(served->work_until);
		served->query = site_prepare(&served->request, &served->plan);
		served_watch_end();
		site_rule(served->query, &served->record.patients_min, &show_zero);
	}
	record_run(&served->record, ENTRY_DECISION, "yes", "");
	served->decided = true;
}

/* ---- 3: share ---- */

static void
seal_packages(Served *served, const uint128 *elements, SharesMessage *shares, Receipt *receipt)
{
	StringInfo	packages[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		packages[i] = makeStringInfo();
	ring_split(elements, served->elements, packages);
	for (int i = 0; i < PARTIES; i++)
	{
		const char *name = served->request.parties[i].name;
		size_t		len = packages[i]->len + SEAL_OVERHEAD_BYTES;
		uint8	   *sealed = palloc(len);
		NodeCard	card = node_self()->card;

		if (strcmp(name, card.name) != 0)
		{
			Peer		peer;

			peer_require(&peer, name);
			card = peer.card;
		}
		seal_message(sealed, card.seal_public, packages[i]->data, packages[i]->len);
		wipe(packages[i]->data, packages[i]->len);
		pfree(packages[i]->data);
		shares->sealed[i] = (Bytes) {sealed, len};
		hash_bytes(receipt->sealed[i], sealed, len);
	}
}

static void
share(Served *served)
{
	TimestampTz started = GetCurrentTimestamp();
	uint128    *elements = palloc0(sizeof(uint128) * served->elements);
	Receipt		receipt = {.elements = served->elements};
	SharesMessage shares;
	StringInfoData body;
	StringInfoData message;

	site_execute(served->query, elements, served->work_until);

	memcpy(receipt.run, served->request.run, RUN_ID_BYTES);
	memcpy(receipt.plan, served->plan_hash, HASH_BYTES);
	receipt.site = pstrdup(node_self()->card.name);
	site_rule(served->query, &receipt.patients_min, &receipt.show_zero);
	seal_packages(served, elements, &shares, &receipt);
	wipe(elements, sizeof(uint128) * served->elements);
	pfree(elements);

	initStringInfo(&body);
	receipt_encode(&body, &receipt);
	sign_message(shares.signature, node_self()->sign_secret, "secmed/receipt/1", body.data, body.len);
	shares.receipt = (Bytes) {(uint8 *) body.data, body.len};
	shares.elapsed_us = GetCurrentTimestamp() - started;
	initStringInfo(&message);
	shares_encode(&message, &shares);

	audit_wait(record_run(&served->record, ENTRY_EXECUTION, "shared", "secret shares, sealed to the three parties"));
	served_send(message.data, message.len);
	pfree(message.data);
}

/* ---- 4, 5: compute and open ---- */

/*
 * A site's receipt must be for this run and plan and bear that site's
 * signature; then it binds the sealed package and the site's threshold.
 */
static void
check_receipt(Served *served, int site, const InputsMessage *inputs, Receipt *receipt)
{
	const char *name = served->request.sites[site].name;
	const char *reason;
	uint8		hash[HASH_BYTES];
	NodeCard	card = node_self()->card;

	if (strcmp(name, card.name) != 0)
	{
		Peer		peer;

		peer_require(&peer, name);
		card = peer.card;
	}
	if (!receipt_decode(receipt, inputs->receipts[site].data, inputs->receipts[site].len, &reason))
		protocol_error(reason);
	if (!sign_verify(inputs->signatures[site], card.sign_public, "secmed/receipt/1",
					 inputs->receipts[site].data, inputs->receipts[site].len))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("the shares in the name of site \"%s\" are not signed by it", name)));
	hash_bytes(hash, inputs->sealed[site].data, inputs->sealed[site].len);
	if (strcmp(receipt->site, name) != 0 ||
		memcmp(receipt->run, served->request.run, RUN_ID_BYTES) != 0 ||
		memcmp(receipt->plan, served->plan_hash, HASH_BYTES) != 0 ||
		receipt->elements != served->elements ||
		memcmp(receipt->sealed[served->party], hash, HASH_BYTES) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("the shares of site \"%s\" are not those of this run", name)));
}

static void
add_input(Served *served, Shared *sum, int site, Bytes sealed)
{
	const NodeKeys *self = node_self();
	size_t		len = sealed.len - SEAL_OVERHEAD_BYTES;
	uint8	   *package;

	if (sealed.len != package_bytes(served->party, served->elements) + SEAL_OVERHEAD_BYTES)
		protocol_error("a package of another length than the plan's");
	package = palloc(len);
	if (!seal_open(package, sealed.data, sealed.len, self->card.seal_public, self->seal_secret) ||
		!ring_add_package(sum, served->party, package, len))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("the shares of site \"%s\" are not sealed to party \"%s\"",
						served->request.sites[site].name, self->card.name)));
	wipe(package, len);
	pfree(package);
}

/* What the three parties must agree on before they compute. */
static void
run_context(Served *served, const InputsMessage *inputs, uint8 context[HASH_BYTES])
{
	HashPart	parts[SITES_MAX + 3];
	int			n = 0;

	parts[n++] = (HashPart) {"secmed/context/1", 17};
	parts[n++] = (HashPart) {served->request.run, RUN_ID_BYTES};
	parts[n++] = (HashPart) {served->plan_hash, HASH_BYTES};
	for (int i = 0; i < inputs->nsites; i++)
		parts[n++] = (HashPart) {inputs->receipts[i].data, inputs->receipts[i].len};
	hash_parts(context, parts, n);
}

static void
take_inputs(Served *served, Shared *sum, ReleaseRule *rule, uint8 context[HASH_BYTES])
{
	StringInfoData message;
	InputsMessage inputs;
	const char *reason;
	bool		done;

	initStringInfo(&message);
	served_receive(&message, true, served->patience, &done);
	if (done || !inputs_decode(&inputs, message.data, message.len, &reason))
		protocol_error(done ? "the run ended before its inputs came" : reason);
	if (inputs.nsites != served->request.nsites)
		protocol_error("inputs of another number of sites than the request's");

	rule->patients_min = 1;
	rule->show_zero = true;
	for (int i = 0; i < inputs.nsites; i++)
	{
		Receipt		receipt;

		check_receipt(served, i, &inputs, &receipt);
		add_input(served, sum, i, inputs.sealed[i]);
		rule->patients_min = Max(rule->patients_min, receipt.patients_min);
		rule->show_zero = rule->show_zero && receipt.show_zero;
	}
	run_context(served, &inputs, context);
	pfree(message.data);
}

static void
compute(Served *served)
{
	Shared		sum = shared_alloc(served->elements);
	Shared		out = shared_alloc(served->elements);
	PlanLayout	layout = plan_layout(&served->plan);
	ReleaseRule rule = {.cells = plan_cells(&served->plan), .parts = served->plan.nparts,
	.widths = layout.part_width};
	Party		party = {0};
	ResultMessage result = {0};
	StringInfoData opened;
	StringInfoData message;
	TimestampTz started;

	take_inputs(served, &sum, &rule, party.context);
	served->record.patients_min = rule.patients_min;

	/* Parties miss each other before the coordinator misses them all. */
	links_ready(served->links, &party,
				TimestampTzPlusMilliseconds(GetCurrentTimestamp(), served->request.timeout_ms * 3 / 4));
	started = GetCurrentTimestamp();
	release_cells(&party, &out, &sum, &rule);
	result.elapsed_us = GetCurrentTimestamp() - started;
	result.rounds = party.rounds;
	result.bytes = party.bytes_sent;
	result.patients_min = rule.patients_min;

	initStringInfo(&opened);
	ring_open_message(&out, &opened);
	result.opened = (Bytes) {(uint8 *) opened.data, opened.len};
	initStringInfo(&message);
	result_encode(&message, &result);
	shared_free(&sum);
	shared_free(&out);

	audit_wait(record_run(&served->record, ENTRY_OUTCOME, "opened", record_revealed(&served->record)));
	served->released = true;
	served_send(message.data, message.len);
	wipe(opened.data, opened.len);
	links_close(served->links);
}

/* ---- 6: finish ---- */

static void
finish(Served *served)
{
	StringInfoData message;
	const char *reason;
	bool		released;
	bool		done;

	initStringInfo(&message);
	served_receive(&message, true, served->patience, &done);
	if (done || !finish_decode(&released, message.data, message.len, &reason))
		protocol_error(done ? "the run ended without its outcome" : reason);
	if (served->party < 0)
	{
		audit_wait(record_run(&served->record, ENTRY_OUTCOME, released ? "released" : "failed",
						  released ? record_revealed(&served->record) : "nothing"));
		served->released = true;
	}
	resetStringInfo(&message);
	done_encode(&message);
	served_send(message.data, message.len);
	served_end(served->patience);
}

static void
serve_run(Served *served)
{
	served->recorded = true;
	record_request(&served->record, "received", served->plan.sql);
	decide(served);
	served_begin();
	if (served->party >= 0)
	{
		const char *names[PARTIES];

		for (int i = 0; i < PARTIES; i++)
			names[i] = served->request.parties[i].name;
		served->links = links_open(served->request.run, served->party, names);
	}
	if (served->site >= 0)
		share(served);
	if (served->party >= 0)
		compute(served);
	finish(served);
}

Datum
secmed_serve(PG_FUNCTION_ARGS)
{
	Served	   *served = palloc0(sizeof(Served));
	StringInfoData request;
	bytea	   *frame;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the request can't be null")));
	frame = PG_GETARG_BYTEA_PP(0);
	initStringInfo(&request);
	served_open(&request, VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame));
	take_request(served, request.data, request.len);

	PG_TRY();
	{
		serve_run(served);
	}
	PG_CATCH();
	{
		served_watch_end();
		if (!served->recorded || served->released)
			PG_RE_THROW();
		record_failure_and_rethrow(&served->record, served->decided);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}
