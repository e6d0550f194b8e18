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

#include "fmgr.h"
#include "estimate/program.h"
#include "govern/answered.h"
#include "govern/contracts.h"
#include "peer/served.h"
#include "query/guarded.h"
#include "query/noisy.h"
#include "query/quantile_runs.h"
#include "query/sealed.h"
#include "query/site_cohorts.h"
#include "share/ring.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(secmed_serve);

typedef struct Served
{
	Serving		run;
	CanonicalPlan plan;
	size_t		elements;
	SiteQuery  *query;
	const Noise *noise;			/* of the answer, or NULL */
	QuantileRuns runs;			/* at a party */
	Identity	reader;			/* to whom the answer is sealed, if to anybody */
} Served;

/* ---- 1, 2: request and decision ---- */

static void
take_plan(Served *served)
{
	const char *reason;

	if (!plan_decode(&served->plan, served->run.request.plan, served->run.request.plan_len, &reason))
		serving_protocol_error(reason);
	serving_check_passes(&served->run, &served->plan);
	served->elements = plan_elements(&served->plan);
	for (int i = 0; i < served->plan.ntables; i++)
		served->run.tables = lappend(served->run.tables, served->plan.tables[i].name);
	served->run.record = record_of_plan(&served->run.request, &served->plan, served->run.plan_hash);
}

static void
decide(Served *served)
{
	bool		show_zero;

	serving_decide(&served->run);
	if (served->run.request.has_reader)
		sealed_reader(&served->reader, &served->run.request);
	if (served->run.site >= 0)
	{
		served_watch_begin(served->run.work_until);
		served->query = site_prepare(&served->run.request, &served->plan);
		served_watch_end();
		site_rule(served->query, &served->run.record.patients_min, &show_zero);
		served->run.noise = site_noise(served->query);
	}
	served->noise = contract_noise(&served->run.request);
	if (served->noise != NULL)
		record_noise(&served->run.record, served->noise);
	serving_decide_rest(&served->run);
	serving_agree(&served->run);
}

/* ---- 3: share ---- */

static void
seal_packages(Served *served, const uint128 *elements, size_t n, SiteValues *values, SharesMessage *shares, Receipt *receipt)
{
	StringInfo	packages[PARTIES];

	for (int i = 0; i < PARTIES; i++)
		packages[i] = makeStringInfo();
	ring_split(elements, n, packages);
	site_values_share(values, packages);
	serving_seal(&served->run, packages, shares->sealed, receipt->sealed);
}

/*
 * The elements of the plan, and behind them by how few patients its groups differ from each other and from what was answered.  The
 * run is an answer from now on.
 */
static uint128 *
elements_of_site(Served *served, EarlierAnswers *earlier, size_t *n, SiteValues **values)
{
	uint128    *elements = palloc0(sizeof(uint128) * served->elements);
	uint128    *compared;
	uint128    *all;

	*values = site_execute(served->query, elements, served->run.work_until);
	served_watch_begin(served->run.work_until);
	compared = site_compare(served->query, elements, served->run.tables, earlier, n);
	served_watch_end();
	all = palloc_extended(sizeof(uint128) * (served->elements + *n), MCXT_ALLOC_HUGE);
	memcpy(all, elements, sizeof(uint128) * served->elements);
	memcpy(all + served->elements, compared, sizeof(uint128) * *n);
	wipe(elements, sizeof(uint128) * served->elements);
	wipe(compared, sizeof(uint128) * *n);
	pfree(elements);
	pfree(compared);
	*n += served->elements;
	return all;
}

static void
share(Served *served, FunctionCallInfo fcinfo)
{
	TimestampTz started = GetCurrentTimestamp();
	Receipt		receipt = {.elements = served->elements};
	size_t		n;
	SiteValues *values;
	uint128    *elements;
	SharesMessage shares;
	StringInfoData body;
	StringInfoData message;

	serving_take_up(&served->run, fcinfo);
	elements = elements_of_site(served, &receipt.earlier, &n, &values);
	serving_count_use(&served->run, fcinfo);

	memcpy(receipt.run, served->run.request.run, RUN_ID_BYTES);
	memcpy(receipt.plan, served->run.plan_hash, HASH_BYTES);
	receipt.site = pstrdup(node_self()->card.name);
	receipt.has_contract = served->run.request.has_contract;
	memcpy(receipt.contract, served->run.request.contract, HASH_BYTES);
	site_rule(served->query, &receipt.patients_min, &receipt.show_zero);
	seal_packages(served, elements, n, values, &shares, &receipt);
	wipe(elements, sizeof(uint128) * n);
	pfree(elements);

	initStringInfo(&body);
	receipt_encode(&body, &receipt);
	sign_message(shares.signature, node_self()->sign_secret, "secmed/receipt/1", body.data, body.len);
	shares.receipt = (Bytes) {(uint8 *) body.data, body.len};
	shares.elapsed_us = GetCurrentTimestamp() - started;
	shares.has_rho_left = served->run.noise != NULL;
	shares.rho_left = served->run.rho_left;
	initStringInfo(&message);
	shares_encode(&message, &shares);

	audit_wait(record_run(&served->run.record, ENTRY_EXECUTION, "shared", "secret shares, sealed to the three parties"));
	served_send(message.data, message.len);
	pfree(message.data);
}

/* ---- 4, 5: compute and open ---- */

static void pg_attribute_noreturn()
not_sealed(const Served *served, int site)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_PROTOCOL),
			 errmsg("the shares of site \"%s\" are not sealed to party \"%s\"",
					served->run.request.sites[site].name, node_self()->card.name)));
}

/*
 * A site's receipt must be for this run and plan and bear that site's
 * signature, and the sealed package be the one it binds; then the site's threshold counts.
 */
static void
check_receipt(Served *served, int site, const InputsMessage *inputs, Receipt *receipt)
{
	const char *name = served->run.request.sites[site].name;
	const char *reason;

	if (!receipt_decode(receipt, inputs->receipts[site].data, inputs->receipts[site].len, &reason))
		serving_protocol_error(reason);
	serving_verify_site(&served->run, site, "secmed/receipt/1", inputs);
	if (strcmp(receipt->site, name) != 0 ||
		memcmp(receipt->run, served->run.request.run, RUN_ID_BYTES) != 0 ||
		memcmp(receipt->plan, served->run.plan_hash, HASH_BYTES) != 0 ||
		receipt->elements != served->elements)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("the shares of site \"%s\" are not those of this run", name)));
	/* Or a coordinator could leave the noise out. */
	if (receipt->has_contract != served->run.request.has_contract ||
		memcmp(receipt->contract, served->run.request.contract, HASH_BYTES) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("site \"%s\" and party \"%s\" were asked under different contracts", name, node_self()->card.name)));
	if (!serving_is_sealed(inputs->sealed[site], receipt->sealed[served->run.party]))
		not_sealed(served, site);
}

/* What a site has sealed to this party: n elements, and behind them the values that quantiles are of. */
static Shared
open_input(Served *served, int site, Bytes sealed, size_t n)
{
	size_t		sums = package_bytes(served->run.party, n);
	size_t		len;
	uint8	   *package;
	Shared		input;

	if (sealed.len != sums + plan_quantile_bytes(&served->plan, served->run.party) + SEAL_OVERHEAD_BYTES)
		serving_protocol_error("a package of another length than the plan's");
	package = serving_unseal(sealed, &len);
	input = shared_alloc(n);
	if (package == NULL || !ring_add_package(&input, served->run.party, package, sums) ||
		!quantile_runs_take(&served->runs, site, package + sums, len - sums))
		not_sealed(served, site);
	wipe(package, len);
	pfree(package);
	return input;
}

static void
add_input(Served *served, Shared *sum, GuardedInputs *guarded, int site, const InputsMessage *inputs, const Receipt *receipt,
		  size_t extra)
{
	Shared		input = open_input(served, site, inputs->sealed[site], served->elements + extra);
	Shared		sums = shared_view(&input, 0, served->elements);
	Shared		rest = shared_view(&input, served->elements, extra);

	shared_linear(sum, 1, sum, 1, &sums);
	guarded_add(guarded, site, receipt, &rest);
	shared_free(&input);
}

/* What the three parties must agree on before they compute. */
static void
run_context(Served *served, const InputsMessage *inputs, uint8 context[HASH_BYTES])
{
	HashPart	parts[SITES_MAX + 4];
	int			n = 0;

	parts[n++] = (HashPart) {"secmed/context/1", 17};
	parts[n++] = (HashPart) {served->run.request.run, RUN_ID_BYTES};
	parts[n++] = (HashPart) {served->run.plan_hash, HASH_BYTES};
	if (served->run.request.has_contract)
		parts[n++] = (HashPart) {served->run.request.contract, HASH_BYTES};
	for (int i = 0; i < inputs->nsites; i++)
		parts[n++] = (HashPart) {inputs->receipts[i].data, inputs->receipts[i].len};
	hash_parts(context, parts, n);
}

static void
take_inputs(Served *served, Party *party, Shared *sum, ReleaseRule *rule, GuardedInputs *guarded)
{
	StringInfoData message;
	InputsMessage inputs;
	Receipt		receipts[SITES_MAX];

	serving_inputs(&served->run, &inputs, &message);
	rule->patients_min = 1;
	rule->show_zero = true;
	for (int i = 0; i < inputs.nsites; i++)
	{
		check_receipt(served, i, &inputs, &receipts[i]);
		rule->patients_min = Max(rule->patients_min, receipts[i].patients_min);
		rule->show_zero = rule->show_zero && receipts[i].show_zero;
	}
	guarded_begin(guarded, party, receipts, inputs.nsites, rule->cells, rule->parts);
	for (int i = 0; i < inputs.nsites; i++)
		add_input(served, sum, guarded, i, &inputs, &receipts[i], guarded_elements(&receipts[i], rule->cells, rule->parts));
	rule->guard = &guarded->guard;
	run_context(served, &inputs, party->context);
	pfree(message.data);
}

/* What would be opened to the coordinator becomes a box for the reader. */
static void
seal_to_reader(Served *served, StringInfo opened, uint64 patients_min)
{
	AnswerPart	part = {.party = served->run.party, .patients_min = patients_min};
	StringInfoData sealed;

	memcpy(part.run, served->run.request.run, RUN_ID_BYTES);
	memcpy(part.plan, served->run.plan_hash, HASH_BYTES);
	memcpy(part.reader, served->run.request.reader, HASH_BYTES);
	initStringInfo(&sealed);
	answer_part_make(&sealed, &part, opened->data, opened->len, served->reader.person.seal_public,
					 node_self()->sign_secret);
	wipe(opened->data, opened->len);
	pfree(opened->data);
	*opened = sealed;
}

static EstimateRule
estimate_rule(const Served *served, const ReleaseRule *rule)
{
	return (EstimateRule) {.estimate = &served->plan.estimate, .arms = rule->cells, .patients_min = rule->patients_min,
		.show_zero = rule->show_zero, .nkeys = rule->nkeys, .sizes = rule->sizes, .guard = rule->guard};
}

/* The sums themselves, or what a program makes of them; false if they are close to an earlier answer. */
static bool
release_or_estimate(const Served *served, Party *party, Shared *out, const Shared *in, const ReleaseRule *rule)
{
	EstimateRule estimate = estimate_rule(served, rule);

	return served->plan.estimate.program ? estimate_run(party, out, in, &estimate) : release_cells(party, out, in, rule);
}

static uint64
release_or_estimate_need(const Served *served, const ReleaseRule *rule)
{
	EstimateRule estimate = estimate_rule(served, rule);

	return served->plan.estimate.program ? estimate_need(&estimate) : release_need(rule);
}

static void
compute(Served *served, FunctionCallInfo fcinfo)
{
	size_t		opened_elements = plan_opened_elements(&served->plan);
	uint64		held = (served->noise ? 4 : 2) * (served->elements + opened_elements) * sizeof(uint128);
	Shared		sum;
	Shared		out;
	PlanLayout	layout = plan_layout(&served->plan);
	ReleaseRule rule = {.cells = plan_cells(&served->plan), .parts = served->plan.nparts,
	.widths = layout.part_width};
	Party		party = {.memory_max = links_memory_max()};
	GuardedInputs guarded = {0};
	ResultMessage result = {0};
	StringInfoData opened;
	StringInfoData message;
	TimestampTz started;
	int64	   *drawn = NULL;

	rule.nkeys = served->plan.nkeys;
	rule.sizes = plan_key_sizes(&served->plan);
	/* Whether empty groups show is not known yet: with them it takes more. */
	rule.show_zero = true;
	quantile_runs_create(&served->runs, &served->plan, served->run.party, served->run.request.nsites);
	held += quantile_runs_bytes(&served->runs);
	party_require(&party, "releasing groups", held + Max(release_or_estimate_need(served, &rule), quantile_runs_need(&served->runs)));
	party_reserve(&party, "releasing groups", held);
	sum = shared_alloc(served->elements);
	out = shared_alloc(opened_elements);
	/* Now, while the sites work: who watches this party's messages does not see how long it takes. */
	if (served->noise != NULL)
		drawn = noisy_draw(&served->plan, served->noise);
	take_inputs(served, &party, &sum, &rule, &guarded);
	served->run.record.patients_min = rule.patients_min;

	links_ready(served->run.links, &party, serving_compute_until(&served->run));
	started = GetCurrentTimestamp();
	if (drawn != NULL)
	{
		noisy_cells(&party, &sum, &served->plan, drawn);
		wipe(drawn, sizeof(int64) * noisy_numbers(&served->plan));
	}
	quantile_runs_compute(&party, &served->runs, &sum);
	result.refused = !release_or_estimate(served, &party, &out, &sum, &rule);
	result.elapsed_us = GetCurrentTimestamp() - started;
	result.rounds = party.rounds;
	result.bytes = party.bytes_sent;
	result.patients_min = rule.patients_min;

	initStringInfo(&opened);
	if (result.refused)
		guarded_refuse(&served->run, result.refusal);
	else
		ring_open_message(&out, &opened);
	if (served->run.request.has_reader && !result.refused)
		seal_to_reader(served, &opened, rule.patients_min);
	result.opened = (Bytes) {(uint8 *) opened.data, opened.len};
	initStringInfo(&message);
	result_encode(&message, &result);
	shared_free(&sum);
	shared_free(&out);
	quantile_runs_free(&served->runs);

	if (result.refused)
		serving_refuse(&served->run, &message);
	else
		serving_open(&served->run, &message, fcinfo);
	wipe(opened.data, opened.len);
	links_close(served->run.links);
}

/* ---- the whole ---- */

static void
serve_run(Served *served, FunctionCallInfo fcinfo)
{
	serving_record(&served->run, served->plan.sql);
	serving_begin_paid(&served->run, fcinfo);
	decide(served);
	served_begin();
	if (served->run.party >= 0)
		serving_link(&served->run);
	if (served->run.site >= 0)
		share(served, fcinfo);
	if (served->run.party >= 0)
		compute(served, fcinfo);
	if (serving_finish(&served->run) && served->run.site >= 0)
		answered_forget(served->run.request.run);
}

/* Millions of values go through one vector after the other. */
static void
keep_memory(const Served *served, bool keep)
{
	if (plan_quantile_goals(&served->plan) == 0)
		return;
	if (keep)
		party_keep_memory(links_memory_max());
	else
		party_give_memory_back();
}

Datum
secmed_serve(PG_FUNCTION_ARGS)
{
	Served	   *served = palloc0(sizeof(Served));

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("the request can't be null")));
	serving_take(&served->run, PG_GETARG_BYTEA_PP(0), true);
	take_plan(served);

	PG_TRY();
	{
		keep_memory(served, true);
		serve_run(served, fcinfo);
		keep_memory(served, false);
	}
	PG_CATCH();
	{
		keep_memory(served, false);
		serving_failed(&served->run);
	}
	PG_END_TRY();
	PG_RETURN_VOID();
}
