/*
 * test_vectors.c
 *	  The exact bytes of all that is signed, hashed, stored or sent, against
 *	  test/vectors.  Run from the top of the tree.
 *
 * Each thing is made here from what its file's comments say, must have the
 * file's bytes, and is read back from them.
 */
#include "base/base.h"

#include <sodium.h>

#include "../memory.h"
#include "contract/erasure.h"
#include "contract/describe.h"
#include "contract/exchange.h"
#include "contract/person.h"
#include "contract/proposal.h"
#include "contract/request.h"
#include "contract/rows_receipt.h"
#include "contract/shared.h"
#include "contract/vote.h"
#include "identity/session.h"
#include "ledger/entry.h"
#include "ledger/spooled.h"
#include "ledger/mirror.h"
#include "a_plan.h"
#include "oblivious/result.h"
#include "vectors.h"

#define AT_US	INT64CONST(1700000000123456)

static const uint8 run[RUN_ID_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

/* Are these the bytes in the file?  If not, shows them. */
static void
check_bytes(const void *found, size_t len, const char *file, const char *name)
{
	StringInfoData expected = vector_bytes(file, name);
	bool		same = expected.len > 0 && expected.len == len && memcmp(expected.data, found, len) == 0;

	check(same, "%s: %s", file, name);
	if (same)
		return;
	printf("# found ");
	for (size_t i = 0; i < len; i++)
		printf("%02x", ((const uint8 *) found)[i]);
	printf("\n");
}

#define check_message(message, file)	check_bytes((message).data, (message).len, file, "bytes")

static StringInfoData
empty(void)
{
	StringInfoData out;

	initStringInfo(&out);
	return out;
}

static NodeKeys
charite_keys(void)
{
	NodeKeys	keys = {.card = {.name = "charite", .created_at_us = AT_US}};
	StringInfoData seed = vector_bytes("keys", "seed");
	StringInfoData seal = vector_bytes("keys", "seal_secret");

	if (seed.len != 32 || seal.len != SEAL_SECRET_BYTES)
		abort();
	crypto_sign_seed_keypair(keys.card.sign_public, keys.sign_secret, (uint8 *) seed.data);
	memcpy(keys.seal_secret, seal.data, SEAL_SECRET_BYTES);
	crypto_scalarmult_base(keys.card.seal_public, keys.seal_secret);
	return keys;
}

/* Only signs. */
static NodeKeys
research_keys(void)
{
	NodeKeys	keys = {.card = {.name = "research"}};
	StringInfoData seed = vector_bytes("request", "seed");

	if (seed.len != 32)
		abort();
	crypto_sign_seed_keypair(keys.card.sign_public, keys.sign_secret, (uint8 *) seed.data);
	return keys;
}

static void
test_keys(void)
{
	NodeKeys	keys = charite_keys();
	NodeKeys	back;
	StringInfoData bytes = empty();
	const char *reason;

	check_bytes(keys.card.sign_public, SIGN_PUBLIC_BYTES, "keys", "sign_public");
	check_bytes(keys.card.seal_public, SEAL_PUBLIC_BYTES, "keys", "seal_public");
	node_keys_encode(&bytes, &keys);
	check_message(bytes, "keys");
	bytes = vector_bytes("keys", "bytes");
	check(node_keys_decode(&back, bytes.data, bytes.len, &reason) && memcmp(&back, &keys, sizeof(keys)) == 0,
		  "keys: read back");
}

static void
test_card(void)
{
	NodeKeys	keys = charite_keys();
	StringInfoData body = vector_bytes("card", "body");
	StringInfoData signature = vector_bytes("card", "signature");
	char	   *text = vector_text("card", "text");
	uint8		fingerprint[HASH_BYTES];
	NodeCard	card;
	const char *reason;

	check(strcmp(card_to_text(&keys), text) == 0, "card: text");
	check(card_from_text(&card, text, &reason) && memcmp(&card, &keys.card, sizeof(card)) == 0, "card: read back");
	check(sign_verify((uint8 *) signature.data, keys.card.sign_public, "secmed/card/1", body.data, body.len),
		  "card: signature");
	card_fingerprint(fingerprint, &card);
	check_bytes(fingerprint, HASH_BYTES, "card", "fingerprint");
}

static CanonicalPlan
vector_plan(void)
{
	static PlanColumn columns[] = {{"age", "integer"}, {"name", "text"}, {"sex", "text"}, {"time", "double precision"}};
	static PlanTable tables[] = {{"trial", 4, columns}, {"visit", 0, NULL}};
	static char *types[] = {"double precision"};
	static char *sexes[] = {"f", "m", NULL};
	static char *truths[] = {"false", "true"};
	static PlanKey keys[] = {{"text", 3, sexes}, {"boolean", 2, truths}};
	static ComponentKind components[] = {COMPONENT_COUNT, COMPONENT_SUM_INTEGER, COMPONENT_SUM_FLOAT};
	static int	parts[] = {0, 1, 1};
	CanonicalPlan plan = {
		"SELECT sex, count(*), sum(age), sum(time * $1) FROM secmed_published.trial"
		" WHERE name <> 'M\303\274ller' GROUP BY sex",
	2, tables, 1, types, 2, keys, 3, components, parts, 2};

	return plan;
}

static void
test_plan(void)
{
	CanonicalPlan plan = vector_plan();
	CanonicalPlan back;
	StringInfoData bytes = empty();
	uint8		hash[HASH_BYTES];
	const char *reason;

	plan_encode(&bytes, &plan);
	check_message(bytes, "plan");
	bytes = vector_bytes("plan", "bytes");
	plan_hash(hash, bytes.data, bytes.len);
	check_bytes(hash, HASH_BYTES, "plan", "hash");
	check(plan_decode(&back, bytes.data, bytes.len, &reason) && plan_elements(&back) == 108, "plan: read back");
}

static void
test_estimate_plan(void)
{
	static PlanColumn columns[] = {{"sex", "smallint"}, {"status", "smallint"}, {"time", "integer"}};
	static PlanTable tables[] = {{"trial", 3, columns}};
	static char *sexes[] = {"1", "2"};
	static PlanKey keys[] = {{"smallint", 2, sexes}};
	static ComponentKind components[] = {COMPONENT_EVENT_COUNTS};
	static int	parts[] = {0};
	static int	widths[] = {2044};
	static uint32 positions[] = {0, 199, 400};
	CanonicalPlan plan = {
		"SELECT r1.sex, secmed.event_counts((r1.\"time\" - 1), (r1.status = 2), 0, '{1022,1}'::integer[])"
		" FROM secmed_published.trial r1 GROUP BY 1",
	1, tables, 0, NULL, 1, keys, 1, components, parts, 1, widths, {ESTIMATE_CURVE, 1022, 1, 3, positions, 257796711}};
	CanonicalPlan back;
	StringInfoData bytes = empty();
	uint8		hash[HASH_BYTES];
	const char *reason;

	plan_encode(&bytes, &plan);
	check_message(bytes, "estimate_plan");
	bytes = vector_bytes("estimate_plan", "bytes");
	plan_hash(hash, bytes.data, bytes.len);
	check_bytes(hash, HASH_BYTES, "estimate_plan", "hash");
	check(plan_decode(&back, bytes.data, bytes.len, &reason) && plan_opened_elements(&back) == 2 * 32, "plan with an estimate: read back");
}

static void
name_nodes(NodeRef refs[3], const StringInfoData *fingerprints)
{
	static char *names[] = {"charite", "lmu", "gemelli"};

	if (fingerprints->len != 3 * HASH_BYTES)
		abort();
	for (int i = 0; i < 3; i++)
	{
		refs[i].name = names[i];
		memcpy(refs[i].fingerprint, fingerprints->data + i * HASH_BYTES, HASH_BYTES);
	}
}

static void
test_request(void)
{
	static char *params[] = {"0.5", NULL};
	NodeKeys	keys = research_keys();
	StringInfoData plan = vector_bytes("plan", "bytes");
	StringInfoData fingerprints = vector_bytes("request", "fingerprints");
	StringInfoData bytes = empty();
	Request		request = {.kind = REQUEST_RUN, .at_us = AT_US, .coordinator = "research", .requester = "alice",
		.model = MODEL_HONEST_MAJORITY, .timeout_ms = 10000, .round_bytes = 50000, .nsites = 3,
	.has_identity = true, .has_contract = true, .has_submission = true,
	.plan = (uint8 *) plan.data, .plan_len = plan.len, .params = params, .nparams = 2};
	uint8		hash[HASH_BYTES];
	Request		back;
	const uint8 *body;
	size_t		body_len;
	uint8		signature[SIGNATURE_BYTES];
	const char *reason;

	memcpy(request.run, run, RUN_ID_BYTES);
	hash_bytes(request.identity, "identity", 8);
	hash_bytes(request.contract, "contract", 8);
	hash_bytes(hash, "submission", 10);
	memcpy(request.submission, hash, SUBMISSION_ID_BYTES);
	name_nodes(request.sites, &fingerprints);
	name_nodes(request.parties, &fingerprints);
	request_encode(&bytes, &request, &keys);
	check_message(bytes, "request");
	bytes = vector_bytes("request", "bytes");
	if (!request_decode(&back, bytes.data, bytes.len, &body, &body_len, signature, &reason))
		abort();
	check_bytes(body, body_len, "request", "body");
	check_bytes(signature, SIGNATURE_BYTES, "request", "signature");
	check(sign_verify(signature, keys.card.sign_public, "secmed/run/1", body, body_len), "request: signed");
}

static void
test_proposal(void)
{
	StringInfoData request = vector_bytes("request", "bytes");
	StringInfoData bytes = empty();
	StringInfoData wanted;
	ProposalQuestion question = {.request = (uint8 *) request.data, .request_len = request.len};
	ApprovalFact answer = {.state = APPROVAL_HELD, .waits_for = "irb (0 of 2)", .reason = "Too few."};
	Request		asked;
	const uint8 *body;
	size_t		body_len;
	uint8		signature[SIGNATURE_BYTES];
	uint8		binding[HASH_BYTES];
	const char *reason;

	proposal_question_encode(&bytes, &question);
	check_message(bytes, "proposal");
	bytes = empty();
	proposal_answer_encode(&bytes, &answer);
	wanted = vector_bytes("proposal", "answer");
	check(bytes.len == wanted.len && memcmp(bytes.data, wanted.data, bytes.len) == 0, "proposal: answer");
	question.withdraw = true;
	memcpy(question.submission, run, SUBMISSION_ID_BYTES);
	bytes = empty();
	proposal_question_encode(&bytes, &question);
	wanted = vector_bytes("proposal", "withdrawal");
	check(bytes.len == wanted.len && memcmp(bytes.data, wanted.data, bytes.len) == 0, "proposal: withdrawal");
	check(request_decode(&asked, request.data, request.len, &body, &body_len, signature, &reason), "proposal: request");
	request_binding(binding, &asked);
	check_bytes(binding, HASH_BYTES, "proposal", "binding");
}

/* Is the yes to this request one to that, too? */
static bool
same_binding(const Request *a, const Request *b)
{
	uint8		one[HASH_BYTES];
	uint8		other[HASH_BYTES];

	request_binding(one, a);
	request_binding(other, b);
	return memcmp(one, other, HASH_BYTES) == 0;
}

/* What a request with so many passes is refused for, NULL if it isn't. */
static const char *
passes_reason(Request request, uint64 passes_max)
{
	NodeKeys	keys = charite_keys();
	StringInfoData bytes = empty();
	Request		back;
	const uint8 *body;
	size_t		body_len;
	uint8		signature[SIGNATURE_BYTES];
	const char *reason;

	request.passes_max = passes_max;
	request_encode(&bytes, &request, &keys);
	if (!request_decode(&back, bytes.data, bytes.len, &body, &body_len, signature, &reason))
		return reason;
	check(back.passes_max == passes_max, "request: %d passes", (int) passes_max);
	return NULL;
}

/* One yes is for runs that differ in their point, and in nothing else. */
static void
test_passes(void)
{
	StringInfoData bytes = vector_bytes("request", "bytes");
	Request		first;
	Request		next;
	char	   *points[] = {"{0.1,2}", NULL};
	CanonicalPlan plan = {.nparams = 1,.param_types = (char *[]) {"double precision[]"},.ncomponents = 2,
		.components = (ComponentKind[]) {COMPONENT_SUM_FLOAT_VECTOR, COMPONENT_COUNT}};
	const uint8 *body;
	size_t		body_len;
	uint8		signature[SIGNATURE_BYTES];
	const char *reason;

	if (!request_decode(&first, bytes.data, bytes.len, &body, &body_len, signature, &reason))
		abort();
	next = first;
	next.params = points;
	check(!same_binding(&first, &next), "passes: one run is for its parameters");
	first.passes_max = next.passes_max = 50;
	check(same_binding(&first, &next), "passes: of one fit differ in their points");
	next.passes_max = 51;
	check(!same_binding(&first, &next), "passes: people say yes to a number of them");
	next = first;
	next.plan_len--;
	check(!same_binding(&first, &next), "passes: of one plan");
	check(passes_reason(first, 2) == NULL && passes_reason(first, PASSES_MAX) == NULL, "passes: from 2 on");
	check(passes_reason(first, 1) != NULL && passes_reason(first, PASSES_MAX + 1) != NULL, "passes: not others");
	next = first;
	next.has_submission = false;
	check(passes_reason(next, 2) != NULL, "passes: of a submission");
	next = first;
	next.kind = REQUEST_COMPUTE;
	check(passes_reason(next, 2) != NULL, "passes: over rows of sites");
	check(request_may_iterate(&first, &plan) && !request_may_iterate(&next, &plan), "passes: a regression's sums");
	plan.nkeys = 1;
	check(!request_may_iterate(&first, &plan), "passes: of all rows at once");
	plan.nkeys = 0;
	plan.components[1] = COMPONENT_SUM_FLOAT_VECTOR;
	check(!request_may_iterate(&first, &plan), "passes: of one regression");
	plan.components[1] = COMPONENT_COUNT;
	plan.param_types[0] = "double precision";
	check(!request_may_iterate(&first, &plan), "passes: at a point");
}

static void
test_receipt(void)
{
	NodeKeys	keys = charite_keys();
	Receipt		receipt = {.site = "charite", .has_contract = true, .patients_min = 5, .elements = 108};
	uint32		groups[] = {6, 1};
	EarlierRun	runs[3] = {{.content = 0}, {.content = 1}, {.content = 0}};
	StringInfoData bytes = empty();
	StringInfoData plan = vector_bytes("plan", "bytes");
	uint8		signature[SIGNATURE_BYTES];
	uint8		sealed[40];
	const char *reason;

	memcpy(receipt.run, run, RUN_ID_BYTES);
	plan_hash(receipt.plan, plan.data, plan.len);
	memset(receipt.contract, 0xc0, HASH_BYTES);
	for (int i = 0; i < PARTIES; i++)
	{
		memset(sealed, i + 1, sizeof(sealed));
		hash_bytes(receipt.sealed[i], sealed, 20 + 10 * i);
	}
	receipt.earlier = (EarlierAnswers) {2, groups, 3, runs};
	memcpy(runs[0].run, run, RUN_ID_BYTES);
	memset(runs[1].run, 0x11, RUN_ID_BYTES);
	memset(runs[2].run, 0x22, RUN_ID_BYTES);
	receipt_encode(&bytes, &receipt);
	check_message(bytes, "receipt");
	sign_message(signature, keys.sign_secret, "secmed/receipt/1", bytes.data, bytes.len);
	check_bytes(signature, SIGNATURE_BYTES, "receipt", "signature");
	bytes = vector_bytes("receipt", "bytes");
	check(receipt_decode(&receipt, bytes.data, bytes.len, &reason) && receipt.patients_min == 5, "receipt: read back");
}

/* The same site, run and packages, of rows. */
static void
test_rows_receipt(void)
{
	StringInfoData sums = vector_bytes("receipt", "bytes");
	StringInfoData bytes = empty();
	RowsReceipt receipt = {.site = "charite",.ninputs = 2,.inputs = {{1024, 5}, {4096, 1}}};
	Receipt		of_sums;
	const char *reason;

	check(receipt_decode(&of_sums, sums.data, sums.len, &reason), "the receipt for sums is read");
	memcpy(receipt.run, of_sums.run, RUN_ID_BYTES);
	memcpy(receipt.plan, of_sums.plan, HASH_BYTES);
	memcpy(receipt.sealed, of_sums.sealed, sizeof(receipt.sealed));
	rows_receipt_encode(&bytes, &receipt);
	check_message(bytes, "rows_receipt");
	check(rows_receipt_decode(&receipt, bytes.data, bytes.len, &reason) && receipt.ninputs == 2 &&
		  receipt.inputs[0].patients_min == 5, "receipt for rows: read back");
	check(!rows_receipt_decode(&receipt, sums.data, sums.len, &reason), "a receipt for sums is none for rows");
	for (int len = 0; len < bytes.len; len++)
		if (rows_receipt_decode(&receipt, bytes.data, len, &reason))
			check(false, "a receipt of %d bytes was read", len);
	receipt.inputs[1].patients_min = 0;
	resetStringInfo(&bytes);
	rows_receipt_encode(&bytes, &receipt);
	check(!rows_receipt_decode(&receipt, bytes.data, bytes.len, &reason), "and none with a threshold of zero");
}

static void
test_shares_and_inputs(void)
{
	StringInfoData receipt = vector_bytes("receipt", "bytes");
	StringInfoData signature = vector_bytes("receipt", "signature");
	SharesMessage shares = {.receipt = {(uint8 *) receipt.data, receipt.len}, .elapsed_us = 1234567,
	.has_rho_left = true, .rho_left = 450000};
	InputsMessage inputs = {.nsites = 2};
	StringInfoData bytes = empty();
	uint8		sealed[PARTIES][40];
	const char *reason;

	for (int i = 0; i < PARTIES; i++)
	{
		memset(sealed[i], i + 1, sizeof(sealed[i]));
		shares.sealed[i] = (Bytes) {sealed[i], 20 + 10 * i};
	}
	memcpy(shares.signature, signature.data, SIGNATURE_BYTES);
	shares_encode(&bytes, &shares);
	check_message(bytes, "shares");
	bytes = vector_bytes("shares", "bytes");
	check(shares_decode(&shares, bytes.data, bytes.len, &reason) && shares.elapsed_us == 1234567 && shares.has_rho_left &&
		  shares.rho_left == 450000, "shares: read back");

	inputs.receipts[0] = shares.receipt;
	memcpy(inputs.signatures[0], signature.data, SIGNATURE_BYTES);
	inputs.sealed[0] = (Bytes) {sealed[1], 30};
	inputs.receipts[1] = (Bytes) {(uint8 *) "", 1};
	memset(inputs.signatures[1], 0xff, SIGNATURE_BYTES);
	bytes = empty();
	inputs_encode(&bytes, &inputs);
	check_message(bytes, "inputs");
	bytes = vector_bytes("inputs", "bytes");
	check(inputs_decode(&inputs, bytes.data, bytes.len, &reason) && inputs.nsites == 2, "inputs: read back");
}

static void
test_result(void)
{
	uint8		opened[64];
	ResultMessage result = {{opened, sizeof(opened)}, 7, 89, 12, 70000};
	StringInfoData bytes = empty();
	const char *reason;

	memset(opened, 0xaa, sizeof(opened));
	result_encode(&bytes, &result);
	check_message(bytes, "result");
	bytes = vector_bytes("result", "bytes");
	check(result_decode(&result, bytes.data, bytes.len, &reason) && result.bytes == 70000, "result: read back");
	result.refused = true;
	result.opened = (Bytes) {opened, 0};
	memset(result.refusal, 0xbb, SIGNATURE_BYTES);
	bytes = empty();
	result_encode(&bytes, &result);
	check_bytes(bytes.data, bytes.len, "result", "refused");
}

static void
test_finish(void)
{
	FinishMessage finish = {.released = true};
	StringInfoData bytes = empty();

	finish_encode(&bytes, &finish);
	check_message(bytes, "finish");
	finish = (FinishMessage) {.refused = true};
	for (int i = 0; i < PARTIES; i++)
		memset(finish.refusals[i], i + 1, SIGNATURE_BYTES);
	bytes = empty();
	finish_encode(&bytes, &finish);
	check_bytes(bytes.data, bytes.len, "finish", "refused");
}

static void
test_oblivious_plan(void)
{
	ObliviousPlan *plan = a_plan();
	ObliviousPlan back;
	StringInfoData bytes = empty();
	uint8		hash[HASH_BYTES];
	const char *reason;

	oblivious_plan_encode(&bytes, plan);
	check_message(bytes, "oblivious_plan");
	bytes = vector_bytes("oblivious_plan", "bytes");
	oblivious_plan_hash(hash, bytes.data, bytes.len);
	check_bytes(hash, HASH_BYTES, "oblivious_plan", "hash");
	check(oblivious_plan_decode(&back, bytes.data, bytes.len, &reason) && back.nnodes == 9, "oblivious plan: read back");
}

/* Plane k of summand i holds the bits of (k + i) mod 4. */
static void
fill_planes(SharedBits *bits, int first)
{
	for (int k = 0; k < bits->planes; k++)
	{
		bits->mine[k] = (first + k) % 4;
		bits->next[k] = (first + k + 1) % 4;
	}
}

static void
test_oblivious_result(void)
{
	CheckedPlan checked;
	PlanRefusal refusal;
	ObliviousResult result = {{2, 2}};
	SharedColumn columns[2];
	ResultParts parts;
	StringInfoData bytes = empty();
	const char *reason;

	if (!plan_check(&checked, a_plan(), &refusal))
		abort();
	for (int c = 0; c < 2; c++)
		columns[c] = column_create(checked.nodes[8].columns[c], 2);
	result.relation.columns = columns;
	result.relation.valid = shared_bits_alloc(1, 2);
	fill_planes(&result.relation.valid, 0);
	fill_planes(&columns[0].bits, 1);
	fill_planes(&columns[0].null, 33);
	fill_planes(&columns[1].null, 34);
	columns[1].number.mine[0] = UINT64CONST(0x0102030405060708);
	columns[1].number.mine[1] = UINT64CONST(0x1112131415161718);
	columns[1].number.next[0] = UINT64CONST(0x2122232425262728);
	columns[1].number.next[1] = UINT64CONST(0x3132333435363738);
	result.problems = shared_bits_alloc(1, 3);
	result.problems.mine[0] = 5;
	result.problems.next[0] = 2;
	result_message_encode(&bytes, &result);
	check_message(bytes, "oblivious_result");
	bytes = vector_bytes("oblivious_result", "bytes");
	check(result_message_decode(&parts, &checked, bytes.data, bytes.len, &reason) && parts.rows == 2,
		  "oblivious result: read back");
}

static void
test_entry(void)
{
	LedgerEntry entry = {.kind = ENTRY_OUTCOME, .has_run = true, .actor = "research:alice", .object = "trial, visit",
		.has_plan = true, .outcome = "opened",
		.revealed = "to research:alice, of each group with at least 5 patients: 1 x count",
		.ncounters = 4, .counters = {6, 108, 5, 3}, .has_commitment = true,
	.site = "charite", .seq = 7, .at_us = AT_US};
	StringInfoData bytes = empty();
	StringInfoData plan = vector_bytes("plan", "hash");
	uint8		hash[HASH_BYTES];
	const char *reason;

	memcpy(entry.run, run, RUN_ID_BYTES);
	memcpy(entry.plan, plan.data, HASH_BYTES);
	hash_bytes(entry.prev, "\0before", 7);
	hash_bytes(entry.commitment, "body", 4);
	entry_encode(&bytes, &entry);
	check_message(bytes, "entry");
	bytes = vector_bytes("entry", "bytes");
	entry_hash(hash, bytes.data, bytes.len);
	check_bytes(hash, HASH_BYTES, "entry", "hash");
	check(entry_decode(&entry, bytes.data, bytes.len, &reason) && entry.seq == 7, "entry: read back");

	entry.has_spooled = true;
	entry.spooled_us = entry.at_us - 1000000;
	initStringInfo(&bytes);
	entry_encode(&bytes, &entry);
	check_bytes((uint8 *) bytes.data, bytes.len, "entry", "spooled");
}

static void
test_spooled(void)
{
	static const uint8 run[RUN_ID_BYTES] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
	0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	SpooledEntry spooled = {.entry = {.kind = ENTRY_ACCESS, .has_run = true, .actor = "anna", .object = "clinic.trial",
			.outcome = "read", .revealed = "select", .ncounters = 2, .counters = {1, 228},
	.has_commitment = true, .has_spooled = true}, .has_payload = true, .has_place = true, .seq = 77};
	SpooledEntry back;
	StringInfoData bytes;

	spooled.entry.spooled_us = INT64CONST(1700000000123456);
	memcpy(spooled.entry.run, run, RUN_ID_BYTES);
	for (int i = 0; i < SALT_BYTES; i++)
		spooled.salt[i] = (uint8) i;
	spooled.payload = (const uint8 *) "SELECT * FROM clinic.trial";
	spooled.payload_len = strlen((const char *) spooled.payload);
	commit_payload(spooled.entry.commitment, spooled.salt, spooled.payload, spooled.payload_len);
	hash_bytes(spooled.leaf, "leaf", 4);
	initStringInfo(&bytes);
	spooled_write(&bytes, &spooled);
	check_message(bytes, "spooled");
	check(spooled_read(&back, (uint8 *) bytes.data, bytes.len) == (size_t) bytes.len && back.seq == 77 &&
		  back.payload_len == spooled.payload_len, "spooled: read back");
}

static void
test_document(void)
{
	NodeKeys	charite = charite_keys();
	NodeKeys	research = research_keys();
	Person		person = {.kind = IDENTITY_PERSON, .name = "Ada Weber", .organisation = "Charité",
	.roles = 1 << ROLE_ANALYST | 1 << ROLE_GOVERNANCE, .from_us = AT_US,
	.until_us = AT_US + INT64CONST(365) * 86400 * 1000000, .has_replaces = true};
	Vote		vote = {.verb = VOTE_ADMIT, .at_us = AT_US, .reason = "known since 2019"};
	Governance	governance = {.serial = 1, .admit = 2, .rebind = 2, .remove = 3, .amend = 3, .title = "Consortium rules"};
	StringInfoData body = empty();
	StringInfoData bytes = empty();
	Document	document;
	const char *reason;

	memcpy(person.sign_public, charite.card.sign_public, SIGN_PUBLIC_BYTES);
	memcpy(person.seal_public, charite.card.seal_public, SEAL_PUBLIC_BYTES);
	document_signer(person.replaces, research.card.sign_public);
	(void) person_add_node(&person, "research");
	(void) person_add_node(&person, "charite");
	person_encode(&body, &person);
	check_bytes(body.data, body.len, "document", "body");
	check(document_begin(&document, body.data, body.len, &reason), "an identity is a document");
	check_bytes(document.hash, HASH_BYTES, "document", "hash");
	document_sign(&document, charite.card.sign_public, charite.sign_secret);
	document_sign(&document, research.card.sign_public, research.sign_secret);
	document_encode(&bytes, &document);
	check_message(bytes, "document");

	memcpy(vote.subject, document.hash, HASH_BYTES);
	resetStringInfo(&body);
	vote_encode(&body, &vote);
	check_bytes(body.data, body.len, "document", "vote");
	resetStringInfo(&body);
	governance_encode(&body, &governance);
	check_bytes(body.data, body.len, "document", "governance");
}

static void
test_exchange(void)
{
	ExchangeMessage *message = palloc0(sizeof(ExchangeMessage));
	StringInfoData bytes = empty();

	message->verb = EXCHANGE_PULL;
	message->serial = 7;
	exchange_encode(&bytes, message);
	check_bytes(bytes.data, bytes.len, "exchange", "question");
	resetStringInfo(&bytes);
	message->serial = 300;
	message->n = 1;
	message->documents[0] = (Bytes) {(const uint8 *) "\0\0\0", 3};
	exchange_encode(&bytes, message);
	check_message(bytes, "exchange");
}

static void
test_erasure(void)
{
	NodeKeys	keys = charite_keys();
	uint8		runs[2][ERASE_RUN_BYTES] = {{0}};
	ErasureOrder order = {.from = "charite", .to = "lmu", .ordered_us = INT64CONST(1700000000000000), .basis = "GDPR Art. 17(1)(b)",
	.nruns = 2, .runs = runs};
	ErasureReceipt receipt = {.node = "charite", .erased_us = INT64CONST(1700000001000000), .count = 3, .refused = ""};
	StringInfoData bytes = empty();
	StringInfoData message = empty();
	const uint8 *inside;
	size_t		len;
	const char *reason;

	memcpy(runs[0], run, RUN_ID_BYTES);
	order_encode(&bytes, &order);
	check_message(bytes, "erasure");
	erasure_seal(&message, &bytes, ERASE_PURPOSE, keys.sign_secret);
	check_bytes(message.data, message.len, "erasure", "order");
	check(erasure_open(&inside, &len, message.data, message.len, ERASE_PURPOSE, keys.card.sign_public, &reason) &&
		  order_decode(&order, inside, len, &reason) && order.nruns == 2, "an order is read back");
	check(!erasure_open(&inside, &len, message.data, message.len, ERASED_PURPOSE, keys.card.sign_public, &reason),
		  "and is no receipt");
	message.data[20] ^= 1;
	check(!erasure_open(&inside, &len, message.data, message.len, ERASE_PURPOSE, keys.card.sign_public, &reason),
		  "nor another order");

	hash_bytes(receipt.order, bytes.data, bytes.len);
	resetStringInfo(&bytes);
	resetStringInfo(&message);
	receipt_of_order_encode(&bytes, &receipt);
	check_bytes(bytes.data, bytes.len, "erasure", "receipt");
	erasure_seal(&message, &bytes, ERASED_PURPOSE, keys.sign_secret);
	check_bytes(message.data, message.len, "erasure", "message");
	check(receipt_of_order_decode(&receipt, bytes.data, bytes.len, &reason) && receipt.count == 3, "a receipt is read back");
	check(!order_decode(&order, bytes.data, bytes.len, &reason), "and is no order");
}

static void
test_description(void)
{
	char	   *sexes[] = {"f", "m", NULL};
	char	   *local[] = {"inst"};
	DescribedColumn columns[] = {{"patient_id", "bigint", true, -1, NULL, 12}, {"sex", "text", false, 3, sexes, 15, "prefix:1", "quasi"}};
	DescribedTable tables[] = {{"trial", "patient_id", 5, 1, local, 2, columns, true, 4096}, {"visit", NULL, 1}};
	DescribedTable *back;
	int			n;
	StringInfoData bytes = empty();
	const char *reason;

	description_encode(&bytes, tables, 2);
	check_message(bytes, "description");
	bytes = vector_bytes("description", "bytes");
	check(description_decode(&back, &n, bytes.data, bytes.len, &reason) && n == 2 && back[0].ncolumns == 2,
		  "description: read back");
}

static NodeRef
named_node(char *name)
{
	NodeRef		node = {.name = name};

	hash_bytes(node.fingerprint, name, strlen(name));
	return node;
}

static void
test_shared(void)
{
	SharedDefinition definition = {.name = "registry", .creator = named_node("research"),
		.parties = {named_node("charite"), named_node("lmu"), named_node("gemelli")}, .ncolumns = 4,
		.columns = {"patient", "cost", "icd", "alive"},
		.types = {secret_integer(64), secret_numeric(10, 2), secret_text(6), secret_boolean()},
	.patient = "patient", .nunique = 1, .unique = {"patient"}, .threshold = 11};
	uint8		payload[20];
	uint8		digests[32];
	SharedMessage question = {.verb = SHARED_STAGE, .table = "registry", .numbers = {742, SHARED_INSERT, 5, 2},
	.parts = {{(const uint8 *) "alice", 5}, {payload, sizeof(payload)}}};
	SharedMessage answer = {.verb = SHARED_DIGESTS, .numbers = {2, UINT64CONST(0xfedcba9876543210), 8192},
	.parts = {{digests, sizeof(digests)}}};
	StringInfoData bytes = empty();

	definition.types[1].nullable = definition.types[2].nullable = true;
	shared_definition_encode(&bytes, &definition);
	check_message(bytes, "shared_definition");
	for (int i = 0; i < WRITE_ID_BYTES; i++)
		question.write[i] = i;
	memset(payload, 1, sizeof(payload));
	memset(digests, 2, sizeof(digests));
	bytes = empty();
	shared_question_encode(&bytes, &question);
	check_message(bytes, "shared_question");
	bytes = empty();
	shared_answer_encode(&bytes, &answer);
	check_message(bytes, "shared_answer");
}

/* Real ones hold fresh random bytes, so these are only read. */
static void
test_handshake(void)
{
	NodeKeys	charite = charite_keys();
	NodeKeys	research = research_keys();
	StringInfoData hello = vector_bytes("hello", "bytes");
	StringInfoData welcome = vector_bytes("welcome", "bytes");
	StringInfoData answer = empty();
	int			signed_len = welcome.len - SIGNATURE_BYTES;
	uint8		hash[HASH_BYTES];
	const char *reason = "";
	Session    *session;

	session = session_welcome(&charite, &research.card, hello.data, hello.len, &answer, &reason);
	check(session != NULL, "hello: accepted %s", session ? "" : reason);
	if (session != NULL)
		session_free(session);
	check(answer.len == welcome.len && signed_len > HASH_BYTES, "welcome: length");
	hash_bytes(hash, hello.data, hello.len);
	check(memcmp(welcome.data + signed_len - HASH_BYTES, hash, HASH_BYTES) == 0, "welcome: answers the hello");
	/* They differ in the ephemeral key, which is last but one, and in the signature. */
	check(memcmp(answer.data, welcome.data, signed_len - 2 - HASH_BYTES - 32) == 0 &&
		  memcmp(answer.data + signed_len - HASH_BYTES, hash, HASH_BYTES) == 0, "welcome: as a real one");
	check(sign_verify((uint8 *) welcome.data + signed_len, charite.card.sign_public, "secmed/welcome/1",
					  welcome.data, signed_len), "welcome: signature");
}

static void
test_mirror(void)
{
	static const uint8 *entries[] = {(const uint8 *) "one", (const uint8 *) "twelve"};
	static const uint8 *note[] = {(const uint8 *) "note"};
	static size_t lens[] = {3, 6};
	static size_t note_len[] = {4};
	MirrorBytes proof = {(const uint8 *) "proof", 5};
	MirrorQuestion update = {.kind = MIRROR_UPDATE, .turn = 5, .note = {note[0], 4}, .first = 300, .n = 2,
	.items = entries, .lens = lens, .certified = {(const uint8 *) "certified", 9},
	.policy = {(const uint8 *) "policy", 6}};
	MirrorQuestion key = {.kind = MIRROR_KEY};
	MirrorQuestion head = {.kind = MIRROR_HEAD};
	MirrorQuestion pull = {.kind = MIRROR_PULL, .first = 8192};
	MirrorQuestion gossip = {.kind = MIRROR_GOSSIP, .n = 1, .items = note, .lens = note_len,
	.nproofs = 1, .proofs = &proof};
	MirrorAnswer answer = {.code = WITNESS_HOLDS_OTHER, .size = 17, .turn = 6, .text = "because", .n = 1,
	.items = entries, .lens = lens};
	const MirrorQuestion *questions[] = {&update, &key, &head, &pull, &gossip};
	static const char *const names[] = {"bytes", "key", "head", "pull", "gossip"};
	StringInfoData message;

	for (int i = 0; i < lengthof(questions); i++)
	{
		message = empty();
		mirror_question_encode(&message, questions[i]);
		check_bytes(message.data, message.len, "mirror", names[i]);
	}
	message = empty();
	mirror_answer_encode(&message, &answer);
	check_bytes(message.data, message.len, "mirror", "answer");
}

int
main(void)
{
	if (sodium_init() < 0)
		abort();
	test_keys();
	test_card();
	test_plan();
	test_estimate_plan();
	test_request();
	test_proposal();
	test_passes();
	test_receipt();
	test_rows_receipt();
	test_shares_and_inputs();
	test_result();
	test_finish();
	test_oblivious_plan();
	test_oblivious_result();
	test_entry();
	test_spooled();
	test_document();
	test_exchange();
	test_erasure();
	test_description();
	test_shared();
	test_handshake();
	test_mirror();
	memory_reset();
	return unit_done();
}
