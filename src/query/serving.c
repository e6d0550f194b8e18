/*
 * serving.c
 *	  What is the same for every kind of run at a node that was asked.
 */
#include "postgres.h"

#include "contract/policy.h"
#include "executor/spi.h"
#include "govern/account.h"
#include "govern/approval.h"
#include "govern/budget.h"
#include "govern/contracts.h"
#include "govern/facts.h"
#include "govern/repeats.h"
#include "mirror/forks.h"
#include "mirror/held.h"
#include "miscadmin.h"
#include "peer/connection.h"
#include "peer/served.h"
#include "crypto/seal.h"
#include "crypto/sign.h"
#include "query/disclosure.h"
#include "query/guarded.h"
#include "query/settings.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/* Of a run of which nothing is opened, because of the differencing guard. */
#define REFUSED_OUTCOME	"refused SM050"

void
serving_protocol_error(const char *reason)
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

static void
verify_request(Serving *serving, const char *bytes, size_t len)
{
	const char *reason;
	const uint8 *body;
	size_t		body_len;
	uint8		signature[SIGNATURE_BYTES];

	if (!request_decode(&serving->request, bytes, len, &body, &body_len, signature, &reason))
		serving_protocol_error(reason);
	if (!sign_verify(signature, serving->coordinator.sign_public, "secmed/run/1", body, body_len))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("the request of node \"%s\" is not signed by it", serving->coordinator.name)));
}

void
serving_take(Serving *serving, bytea *frame, bool over_sums)
{
	StringInfoData bytes;

	initStringInfo(&bytes);
	served_open(&bytes, VARDATA_ANY(frame), VARSIZE_ANY_EXHDR(frame));
	serving_take_bytes(serving, bytes.data, bytes.len);
	if ((serving->request.kind == REQUEST_RUN) != over_sums)
		serving_protocol_error("a request of another kind than the procedure's");
}

void
serving_take_bytes(Serving *serving, const char *bytes, size_t len)
{
	serving->coordinator = *served_peer();
	verify_request(serving, bytes, len);
	plan_hash(serving->plan_hash, serving->request.plan, serving->request.plan_len);
	serving->site = noderef_find(serving->request.sites, serving->request.nsites, node_self()->card.name);
	serving->party = noderef_find(serving->request.parties, PARTIES, node_self()->card.name);
	serving->work_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													  Min(serving->request.timeout_ms, (uint64) site_timeout_ms));
	serving->patience = TimestampTzPlusMilliseconds(serving->work_until, 2 * serving->request.timeout_ms);
}

void
serving_check_passes(const Serving *serving, const CanonicalPlan *plan)
{
	if (serving->request.passes_max > 0 && !request_may_iterate(&serving->request, plan))
		serving_protocol_error("several runs of a plan that is no regression's");
}

void
serving_record(Serving *serving, const char *words)
{
	serving->recorded = true;
	record_request(&serving->record, "received", words);
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

/* None of those who take part may have signed two histories of a ledger. */
static void
require_no_fork(const Serving *serving)
{
	const Request *request = &serving->request;

	forks_require_none(serving->coordinator.name);
	for (int i = 0; i < request->nsites; i++)
		forks_require_none(request->sites[i].name);
	for (int i = 0; i < PARTIES; i++)
		forks_require_none(request->parties[i].name);
}

static void
require_yes(Serving *serving, const PolicyFacts *facts, PolicyRule first, PolicyRule last)
{
	PolicyDecision decision = policy_decide(&serving->request, facts, first, last);

	if (decision.yes)
		return;
	serving->record.rule = policy_rule_name(decision.rule);
	ereport(ERROR,
			(errcode(decision.sqlstate),
			 errmsg_internal("%s", decision.message),
			 decision.detail[0] ? errdetail_internal("%s", decision.detail) : 0,
			 decision.hint[0] ? errhint("%s", decision.hint) : 0));
}

/* Nobody waits for the disk: what a crash loses is that somebody has asked. */
void
serving_take_up(Serving *serving, FunctionCallInfo fcinfo)
{
	MemoryContext caller = CurrentMemoryContext;

	if (!repeats_count(&serving->request))
		return;
	connect_nonatomic(fcinfo, "serve");
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	repeats_begin(&serving->request, serving->plan_hash, serving->tables);
	SPI_commit();
	SPI_finish();
	MemoryContextSwitchTo(caller);
}

/* A step of its own that is durable at once. */
static void
commit_step(Serving *serving, FunctionCallInfo fcinfo, void (*step) (Serving *serving))
{
	MemoryContext caller = CurrentMemoryContext;

	connect_nonatomic(fcinfo, serving->request.kind == REQUEST_RUN ? "serve" : "compute");
	step(serving);
	SPI_commit();
	SPI_finish();
	MemoryContextSwitchTo(caller);
}

static void
begin_paid(Serving *serving)
{
	payment_begin(&serving->request, serving->patience);
}

static void
opened_paid(Serving *serving)
{
	payment_opened(&serving->request);
}

void
serving_begin_paid(Serving *serving, FunctionCallInfo fcinfo)
{
	if (serving->party >= 0 && serving->request.payment != NULL)
		commit_step(serving, fcinfo, begin_paid);
}

static void
count_use(Serving *serving)
{
	contract_count_use(&serving->request);
	if (repeats_count(&serving->request))
		repeats_shared(&serving->request);
	if (serving->noise != NULL)
		serving->rho_left = budget_take(&serving->request, serving->tables, serving->noise, serving->record.tables,
										serving->plan_hash);
}

void
serving_count_use(Serving *serving, FunctionCallInfo fcinfo)
{
	if (!serving->request.has_contract && serving->request.kind != REQUEST_RUN)
		return;
	/* Another run may hold the budget. */
	served_watch_begin(serving->work_until);
	commit_step(serving, fcinfo, count_use);
	served_watch_end();
}

void
serving_decide(Serving *serving)
{
	static const PaymentFact free_of_charge = {0};

	PolicyFacts facts = {node_self()->card.name, served_peer()->name, now_us(), known_fingerprint};

	require_yes(serving, &facts, RULE_SENDER, RULE_SENDER);
	serving->record.rule = policy_rule_name(RULE_SENDER);
	require_no_fork(serving);
	facts_of_mode(&facts, &serving->request, serving->tables);
	facts.about_nobody = serving->about_nobody;
	facts_of_contract(&facts, &serving->request);
	facts_of_payment(&facts, &serving->request);
	if (serving->proposed)
		facts.payment = &free_of_charge;
	require_yes(serving, &facts, RULE_MODE, RULE_COLUMNS - 1);
	serving->record.rule = policy_rule_name(RULE_COLUMNS);
}

void
serving_decide_rest(Serving *serving)
{
	static const ApprovalFact not_needed = {.state = APPROVAL_NOT_NEEDED,.waits_for = "",.reason = ""};
	PolicyFacts facts = {node_self()->card.name, served_peer()->name, now_us(), known_fingerprint};

	facts.approval = &not_needed;
	if (!serving->about_nobody)
		facts_of_approval(&facts, &serving->request, serving->tables);
	facts_of_budget(&facts, &serving->request, serving->tables, serving->noise);
	facts_of_repeats(&facts, &serving->request, serving->plan_hash,
					 serving->site < 0 ? 0 : disclosure_rule(serving->tables).repeats);
	require_yes(serving, &facts, RULE_COLUMNS + 1, RULE_LAST);
	serving->approved = facts.approval->state == APPROVAL_GIVEN;
}

void
serving_agree(Serving *serving)
{
	if (serving->approved)
		approval_use(&serving->request, serving->record.tables, serving->plan_hash);
	record_run(&serving->record, ENTRY_DECISION, "yes", "");
	serving->decided = true;
}

/* ---- packages of sites ---- */

NodeCard
serving_card(const NodeRef *ref)
{
	Peer		peer;

	if (strcmp(ref->name, node_self()->card.name) == 0)
		return node_self()->card;
	peer_require(&peer, ref->name);
	return peer.card;
}

/* What no party would take; the first gets most. */
static void
check_package(const StringInfoData *package)
{
	if (package->len > PACKAGE_BYTES_MAX - SEAL_OVERHEAD_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the rows of site \"%s\" are too large for a run", node_self()->card.name),
				 errdetail("A party would get %d bytes of them; at most %d can be sent.", package->len, PACKAGE_BYTES_MAX),
				 errhint("Ask for fewer columns, or SET secmed.site_rows to fewer rows of each site.")));
}

void
serving_seal(const Serving *serving, StringInfo packages[PARTIES], Bytes sealed[PARTIES],
			 uint8 hashes[PARTIES][HASH_BYTES])
{
	check_package(packages[0]);
	for (int i = 0; i < PARTIES; i++)
	{
		NodeCard	card = serving_card(&serving->request.parties[i]);
		size_t		len = packages[i]->len + SEAL_OVERHEAD_BYTES;
		uint8	   *bytes = palloc_extended(len, MCXT_ALLOC_HUGE);

		seal_message(bytes, card.seal_public, packages[i]->data, packages[i]->len);
		wipe(packages[i]->data, packages[i]->len);
		pfree(packages[i]->data);
		sealed[i] = (Bytes) {bytes, len};
		hash_bytes(hashes[i], bytes, len);
	}
}

bool
serving_is_sealed(Bytes sealed, const uint8 hash[HASH_BYTES])
{
	uint8		found[HASH_BYTES];

	hash_bytes(found, sealed.data, sealed.len);
	return sealed.len >= SEAL_OVERHEAD_BYTES && memcmp(found, hash, HASH_BYTES) == 0;
}

uint8 *
serving_unseal(Bytes sealed, size_t *len)
{
	const NodeKeys *self = node_self();
	uint8	   *package;

	*len = sealed.len - SEAL_OVERHEAD_BYTES;
	package = palloc_extended(*len + 1, MCXT_ALLOC_HUGE);
	if (seal_open(package, sealed.data, sealed.len, self->card.seal_public, self->seal_secret))
		return package;
	pfree(package);
	return NULL;
}

void
serving_inputs(Serving *serving, InputsMessage *inputs, StringInfo message)
{
	const char *reason;
	bool		done;

	initStringInfo(message);
	served_receive(message, true, serving->patience, &done);
	if (done || !inputs_decode(inputs, message->data, message->len, &reason))
		serving_protocol_error(done ? "the run ended before its inputs came" : reason);
	if (inputs->nsites != serving->request.nsites)
		serving_protocol_error("inputs of another number of sites than the request's");
}

void
serving_verify_site(const Serving *serving, int site, const char *purpose, const InputsMessage *inputs)
{
	NodeCard	card = serving_card(&serving->request.sites[site]);

	if (!sign_verify(inputs->signatures[site], card.sign_public, purpose,
					 inputs->receipts[site].data, inputs->receipts[site].len))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_WRONG_KEY),
				 errmsg("the shares in the name of site \"%s\" are not signed by it", serving->request.sites[site].name)));
}

void
serving_link(Serving *serving)
{
	const char *names[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		names[i] = serving->request.parties[i].name;
	serving->links = links_open(serving->request.run, serving->party, names);
}

TimestampTz
serving_compute_until(const Serving *serving)
{
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(), serving->request.timeout_ms * 3 / 4);
}

void
serving_open(Serving *serving, const StringInfoData *message, FunctionCallInfo fcinfo)
{
	if (serving->request.payment != NULL)
		commit_step(serving, fcinfo, opened_paid);
	audit_wait(record_run(&serving->record, ENTRY_OUTCOME, "opened", record_revealed(&serving->record)));
	serving->released = true;
	served_send(message->data, message->len);
}

void
serving_refuse(Serving *serving, const StringInfoData *message)
{
	audit_wait(record_run(&serving->record, ENTRY_OUTCOME, REFUSED_OUTCOME, "nothing"));
	serving->released = true;
	served_send(message->data, message->len);
}

bool
serving_finish(Serving *serving)
{
	StringInfoData message;
	FinishMessage finish;
	const char *reason;
	bool		refused;
	bool		done;

	initStringInfo(&message);
	served_receive(&message, true, serving->patience, &done);
	if (done || !finish_decode(&finish, message.data, message.len, &reason))
		serving_protocol_error(done ? "the run ended without its outcome" : reason);
	refused = guarded_refused(serving, &finish);
	if (serving->party < 0)
	{
		audit_wait(record_run(&serving->record, ENTRY_OUTCOME,
							  finish.released ? "released" : refused ? REFUSED_OUTCOME : "failed",
							  finish.released ? record_revealed(&serving->record) : "nothing"));
		serving->released = true;
	}
	resetStringInfo(&message);
	done_encode(&message);
	served_send(message.data, message.len);
	served_end(serving->patience);
	return refused;
}

void
serving_failed(Serving *serving)
{
	served_watch_end();
	if (!serving->recorded || serving->released)
		PG_RE_THROW();
	record_failure_and_rethrow(&serving->record, serving->decided);
}
