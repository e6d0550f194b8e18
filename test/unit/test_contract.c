/*
 * test_contract.c
 *	  The messages of a run: what was written is read, what was changed is
 *	  refused or is another message written properly, and every limit holds.
 */
#include "base/base.h"

#include "a_request.h"
#include "base/cbor.h"
#include "contract/describe.h"
#include "contract/proposal.h"

/* Requests ------------------------------------------------------------------*/

static NodeKeys coordinator;

static bool
read_request(Request *request, const void *bytes, size_t len, Bytes *body,
			 uint8 signature[SIGNATURE_BYTES], const char **reason)
{
	return request_decode(request, bytes, len, &body->data, &body->len, signature, reason);
}

/* The signature is only passed on, so it is put back. */
static bool
request_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	Request		request;
	Bytes		body;
	uint8		signature[SIGNATURE_BYTES];
	uint8		ignored[SIGNATURE_BYTES];
	StringInfoData out = empty();

	if (!read_request(&request, bytes, len, &body, signature, reason))
		return false;
	request_encode(&out, &request, &coordinator);
	if (!read_request(&request, out.data, out.len, &body, ignored, reason))
		return false;
	cbor_array(again, 2);
	cbor_bytes(again, body.data, body.len);
	cbor_bytes(again, signature, SIGNATURE_BYTES);
	return true;
}

static StringInfoData
request_bytes(Request request)
{
	StringInfoData bytes = empty();

	request_encode(&bytes, &request, &coordinator);
	return bytes;
}

/* Each of the four may be there or not, and is itself. */
static void
test_authority(void)
{
	Request		back;
	Bytes		body;
	uint8		signature[SIGNATURE_BYTES];
	const char *reason;

	for (int which = 0; which < 32; which++)
	{
		Request		request = good_request();
		StringInfoData bytes;

		request.has_identity = which & 1;
		request.has_contract = which & 2;
		request.has_submission = which & 4;
		request.has_reader = which & 8;
		request.payment = which & 16 ? (const uint8 *) "paid" : NULL;
		request.payment_len = which & 16 ? 4 : 0;
		fill(request.identity, HASH_BYTES, 21);
		fill(request.contract, HASH_BYTES, 22);
		fill(request.submission, SUBMISSION_ID_BYTES, 23);
		fill(request.reader, HASH_BYTES, 24);
		bytes = request_bytes(request);
		check(read_request(&back, bytes.data, bytes.len, &body, signature, &reason) &&
			  back.payment_len == request.payment_len && (back.payment != NULL) == (request.payment != NULL) &&
			  (!(which & 16) || memcmp(back.payment, "paid", 4) == 0) &&
			  back.has_identity == request.has_identity && back.has_contract == request.has_contract &&
			  back.has_submission == request.has_submission && back.has_reader == request.has_reader &&
			  (!(which & 1) || memcmp(back.identity, request.identity, HASH_BYTES) == 0) &&
			  (!(which & 2) || memcmp(back.contract, request.contract, HASH_BYTES) == 0) &&
			  (!(which & 4) || memcmp(back.submission, request.submission, SUBMISSION_ID_BYTES) == 0) &&
			  (!(which & 8) || memcmp(back.reader, request.reader, HASH_BYTES) == 0),
			  "a request says by which right it is asked (%d)", which);
		if (which == 15)
			test_hostile("request under a contract", request_again, &bytes);
	}
}

static void
test_request(void)
{
	StringInfoData bytes = request_bytes(good_request());
	Request		request = good_request();
	Request		back;
	Bytes		body;
	uint8		signature[SIGNATURE_BYTES];
	const char *reason;

	if (!read_request(&back, bytes.data, bytes.len, &body, signature, &reason))
		abort();
	check(memcmp(back.run, request.run, RUN_ID_BYTES) == 0 && back.at_us == AT_US &&
		  strcmp(back.coordinator, "research") == 0 && strcmp(back.requester, "anna") == 0 &&
		  back.timeout_ms == 10000 && back.nsites == 4 && strcmp(back.sites[3].name, "mayo") == 0 &&
		  strcmp(back.parties[0].name, "gemelli") == 0 && back.plan_len == request.plan_len &&
		  memcmp(back.plan, request.plan, request.plan_len) == 0 &&
		  back.nparams == 3 && back.params[1] == NULL && strcmp(back.params[2], "\303\244") == 0,
		  "a request says what was asked");
	check(sign_verify(signature, coordinator.card.sign_public, "secmed/run/1", body.data, body.len),
		  "and is signed");
	check(!sign_verify(signature, coordinator.card.sign_public, "secmed/receipt/1", body.data, body.len),
		  "as a request only");
	check(back.kind == REQUEST_RUN, "and of which kind");
	check(!back.has_identity && !back.has_contract && !back.has_submission && !back.has_reader,
		  "and that nothing gives a right to it");
	test_authority();
	request.kind = REQUEST_COMPUTE;
	request.nsites = 0;
	bytes = request_bytes(request);
	check(read_request(&back, bytes.data, bytes.len, &body, signature, &reason) &&
		  back.kind == REQUEST_COMPUTE && back.nsites == 0, "a computation needs no site");
	test_hostile("request to compute", request_again, &bytes);
	request.kind = REQUEST_CHANGE;
	fill(request.change, CHANGE_ID_BYTES, 77);
	request.change_xid = 1234567890123;
	bytes = request_bytes(request);
	check(read_request(&back, bytes.data, bytes.len, &body, signature, &reason) && back.kind == REQUEST_CHANGE &&
		  memcmp(back.change, request.change, CHANGE_ID_BYTES) == 0 && back.change_xid == request.change_xid,
		  "a change says which, and who decides on it");
	test_hostile("request for a change", request_again, &bytes);
	request = good_request();
	bytes = request_bytes(request);
	check(noderef_find(request.sites, 4, "mayo") == 3 && noderef_find(request.sites, 3, "mayo") == -1 &&
		  noderef_find(request.parties, PARTIES, "charite") == 2, "nodes are found by name");
	test_hostile("request", request_again, &bytes);
}

static void
write_nodes(StringInfo out, int n, int twice, const char *bad)
{
	uint8		fingerprint[HASH_BYTES] = {0};

	cbor_array(out, n);
	for (int i = 0; i < n; i++)
	{
		cbor_array(out, 2);
		cbor_text(out, bad && i == n - 1 ? bad : psprintf("n%d", twice && i == n - 1 ? 0 : i));
		cbor_bytes(out, fingerprint, HASH_BYTES);
	}
}

/* A request with one thing wrong, as no request_encode() writes it. */
typedef struct Odd
{
	const char *word;
	int			nsites;
	int			nparties;
	bool		site_twice;
	bool		party_twice;
	const char *bad_name;
	int			identity_bytes; /* 0: null */
	int			contract_bytes;
	int			submission_bytes;
	int			reader_bytes;
	int			more_authority;
} Odd;

static void
write_right(StringInfo out, int len)
{
	if (len == 0)
		cbor_null(out);
	else
		cbor_bytes(out, text_of(len), len);
}

static void
write_authority(StringInfo out, const Odd *odd)
{
	cbor_array(out, 5 + odd->more_authority);
	write_right(out, odd->identity_bytes);
	write_right(out, odd->contract_bytes);
	write_right(out, odd->submission_bytes);
	write_right(out, odd->reader_bytes);
	for (int i = 0; i < 1 + odd->more_authority; i++)
		cbor_null(out);
}

static StringInfoData
odd_request(Odd odd)
{
	StringInfoData body = empty();
	StringInfoData bytes = empty();
	uint8		zeros[SIGNATURE_BYTES] = {0};

	cbor_array(&body, 13);
	cbor_text(&body, odd.word);
	cbor_bytes(&body, zeros, RUN_ID_BYTES);
	cbor_int(&body, AT_US);
	cbor_text(&body, "research");
	cbor_text(&body, "anna");
	write_authority(&body, &odd);
	cbor_text(&body, MODEL_HONEST_MAJORITY);
	cbor_uint(&body, 1000);
	cbor_uint(&body, 50000);
	write_nodes(&body, odd.nsites, odd.site_twice, odd.bad_name);
	write_nodes(&body, odd.nparties, odd.party_twice, NULL);
	cbor_bytes(&body, "", 0);
	cbor_array(&body, 0);
	cbor_array(&bytes, 2);
	cbor_bytes(&bytes, body.data, body.len);
	cbor_bytes(&bytes, zeros, SIGNATURE_BYTES);
	return bytes;
}

#define odd(wanted, what, ...)	check_refused(request_again, odd_request((Odd) {__VA_ARGS__}), wanted, what)
#define asks(wanted, what, change) \
	do { \
		Request		request = good_request(); \
		change; \
		check_refused(request_again, request_bytes(request), wanted, what); \
	} while (0)

static void
test_request_limits(void)
{
	odd("accepted", "two sites", "run", 2, 3);
	odd("accepted", "20 sites", "run", SITES_MAX, 3);
	odd(TOO_LONG_LIST, "21 sites", "run", SITES_MAX + 1, 3);
	odd("fewer than two sites", "one site", "run", 1, 3);
	odd("fewer than two sites", "no sites", "run", 0, 3);
	odd("not three parties", "two parties", "run", 3, 2);
	odd("not three parties", "no parties", "run", 3, 0);
	odd(TOO_LONG_LIST, "four parties", "run", 3, 4);
	odd("a node named twice", "a site twice", "run", 3, 3, .site_twice = true);
	odd("a node named twice", "a party twice", "run", 3, 3, .party_twice = true);
	odd("not a node name", "a site with capitals", "run", 3, 3, .bad_name = "N2");
	odd("not a node name", "a site without a name", "run", 3, 3, .bad_name = "");
	odd(TOO_LONG, "a site with a long name", "run", 3, 3, .bad_name = text_of(64));
	odd(OTHER_WORD, "another word", "ran", 3, 3);
	odd(OTHER_WORD, "no word", "", 3, 3);
	odd(TOO_LONG, "a long word", text_of(17), 3, 3);
	odd("accepted", "an identity of 32 bytes", "run", 3, 3, .identity_bytes = 32);
	odd("holds a string of another length than expected", "an identity of 31", "run", 3, 3, .identity_bytes = 31);
	odd("holds a string of another length than expected", "a contract of 16", "run", 3, 3, .contract_bytes = 16);
	odd("accepted", "a submission of 16", "run", 3, 3, .submission_bytes = 16);
	odd(TOO_LONG, "a submission of 32", "run", 3, 3, .submission_bytes = 32);
	odd(TOO_LONG, "a reader of 33", "run", 3, 3, .reader_bytes = 33);
	odd("holds another type than expected", "a payment that is none", "run", 3, 3, .more_authority = 1);
	odd(TOO_LONG_LIST, "a seventh right", "run", 3, 3, .more_authority = 2);

	asks("accepted", "a day's patience", request.timeout_ms = 24 * 3600 * 1000);
	asks(TOO_LARGE, "more patience", request.timeout_ms = 24 * 3600 * 1000 + 1);
	asks("accepted", "dear rounds", request.round_bytes = ROUND_BYTES_MAX);
	asks(TOO_LARGE, "dearer rounds", request.round_bytes = ROUND_BYTES_MAX + 1);
	asks("accepted", "the first time", request.at_us = 0);
	asks("accepted", "the last time", request.at_us = ENTRY_AT_US_MAX);
	asks(TOO_LARGE, "a time after 9999", request.at_us = ENTRY_AT_US_MAX + 1);
	asks("holds another type than expected", "a time before 1970", request.at_us = -1);
	asks(TOO_LONG, "a long coordinator", request.coordinator = text_of(64));
	asks("accepted", "a requester of 256 bytes", request.requester = text_of(256));
	asks(TOO_LONG, "a longer requester", request.requester = text_of(257));
	asks("control characters in the requester's name", "a line break in a requester", request.requester = "anna\n");
	asks(TOO_LONG, "a long model", request.model = text_of(65));
	asks("accepted", "1 MB of plan",
		 request.plan = (uint8 *) text_of(REQUEST_BYTES_MAX); request.plan_len = REQUEST_BYTES_MAX);
	asks(TOO_LONG, "more plan",
		 request.plan = (uint8 *) text_of(REQUEST_BYTES_MAX + 1); request.plan_len = REQUEST_BYTES_MAX + 1);
	asks("accepted", "256 parameters",
		 request.params = repeated(&request.params[0], sizeof(char *), 256); request.nparams = PARAMETERS_MAX);
	asks(TOO_LONG_LIST, "more parameters",
		 request.params = repeated(&request.params[0], sizeof(char *), 257); request.nparams = PARAMETERS_MAX + 1);
	asks(TOO_LONG, "2 MB in all",
		 char *param = text_of(REQUEST_BYTES_MAX);
		 request.params = repeated(&param, sizeof(param), 2); request.nparams = 2);
}

/* The other messages --------------------------------------------------------*/

static Receipt
good_receipt(void)
{
	Receipt		receipt = {.site = "charite", .patients_min = 5, .show_zero = true, .elements = 108};

	fill(receipt.run, RUN_ID_BYTES, 1);
	fill(receipt.plan, HASH_BYTES, 2);
	receipt.has_contract = true;
	fill(receipt.contract, HASH_BYTES, 6);
	for (int i = 0; i < PARTIES; i++)
		fill(receipt.sealed[i], HASH_BYTES, 3 + i);
	return receipt;
}

static bool
receipt_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	Receipt		receipt;

	if (!receipt_decode(&receipt, bytes, len, reason))
		return false;
	receipt_encode(again, &receipt);
	return true;
}

static StringInfoData
receipt_bytes(Receipt receipt)
{
	StringInfoData bytes = empty();

	receipt_encode(&bytes, &receipt);
	return bytes;
}

#define receives(wanted, what, change) \
	do { \
		Receipt		receipt = good_receipt(); \
		change; \
		check_refused(receipt_again, receipt_bytes(receipt), wanted, what); \
	} while (0)

static void
test_receipt(void)
{
	Receipt		receipt = good_receipt();
	Receipt		back;
	StringInfoData bytes = receipt_bytes(receipt);
	const char *reason;

	check(receipt_decode(&back, bytes.data, bytes.len, &reason) && strcmp(back.site, "charite") == 0 &&
		  memcmp(back.run, receipt.run, RUN_ID_BYTES) == 0 && memcmp(back.plan, receipt.plan, HASH_BYTES) == 0 &&
		  back.patients_min == 5 && back.show_zero && back.elements == 108 &&
		  back.has_contract && memcmp(back.contract, receipt.contract, HASH_BYTES) == 0 &&
		  memcmp(back.sealed, receipt.sealed, sizeof(back.sealed)) == 0, "a receipt says what was shared");
	test_hostile("receipt", receipt_again, &bytes);
	receives("accepted", "no contract", receipt.has_contract = false);
	receives("threshold of zero", "a threshold of zero", receipt.patients_min = 0);
	receives("accepted", "the largest threshold", receipt.patients_min = PG_INT32_MAX);
	receives(TOO_LARGE, "a larger threshold", receipt.patients_min = (uint64) PG_INT32_MAX + 1);
	receives("accepted", "the most elements", receipt.elements = ELEMENTS_MAX);
	receives(TOO_LARGE, "more elements", receipt.elements = ELEMENTS_MAX + 1);
	receives(TOO_LONG, "a long site", receipt.site = text_of(64));
}

static bool
shares_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	SharesMessage shares;

	if (!shares_decode(&shares, bytes, len, reason))
		return false;
	shares_encode(again, &shares);
	return true;
}

static bool
inputs_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	InputsMessage inputs;

	if (!inputs_decode(&inputs, bytes, len, reason))
		return false;
	inputs_encode(again, &inputs);
	return true;
}

static bool
result_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	ResultMessage result;

	if (!result_decode(&result, bytes, len, reason))
		return false;
	result_encode(again, &result);
	return true;
}

static bool
finish_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	FinishMessage finish;

	if (!finish_decode(&finish, bytes, len, reason))
		return false;
	finish_encode(again, &finish);
	return true;
}

static bool
done_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	if (!done_decode(bytes, len, reason))
		return false;
	done_encode(again);
	return true;
}

static Bytes
piece_of(size_t len)
{
	return (Bytes) {(uint8 *) text_of((int) len), len};
}

/* What ring_split() makes of the largest vector, sealed. */
#define SEALED_MAX	((size_t) PACKAGE_BYTES_MAX)
#define RECEIPT_MAX	(1024 + EARLIER_RUNS_MAX * 32)

static void
test_shares(void)
{
	SharesMessage shares = {.elapsed_us = 1234567, .has_rho_left = true, .rho_left = 450000};
	StringInfoData bytes = empty();

	shares.receipt = piece_of(20);
	fill(shares.signature, SIGNATURE_BYTES, 1);
	for (int i = 0; i < PARTIES; i++)
		shares.sealed[i] = piece_of(10 * i);
	shares_encode(&bytes, &shares);
	test_hostile("shares", shares_again, &bytes);

#define shares_with(wanted, what, change) \
	do { \
		SharesMessage odd = {.elapsed_us = 1}; \
		bytes = empty(); \
		for (int i = 0; i < PARTIES; i++) \
			odd.sealed[i] = piece_of(0); \
		odd.receipt = piece_of(1); \
		change; \
		shares_encode(&bytes, &odd); \
		check_refused(shares_again, bytes, wanted, what); \
	} while (0)

	shares_with("accepted", "the longest receipt", odd.receipt = piece_of(RECEIPT_MAX));
	shares_with(TOO_LONG, "a longer receipt", odd.receipt = piece_of(RECEIPT_MAX + 1));
	shares_with("accepted", "the largest package", odd.sealed[1] = piece_of(SEALED_MAX));
	shares_with(TOO_LONG, "a larger package", odd.sealed[1] = piece_of(SEALED_MAX + 1));
	shares_with(TOO_LARGE, "a time beyond bigint", odd.elapsed_us = (uint64) PG_INT64_MAX + 1);
}

/* A list of n sites' inputs, without content. */
static StringInfoData
inputs_of(int n, const char *word)
{
	StringInfoData bytes = empty();
	uint8		zeros[SIGNATURE_BYTES] = {0};

	cbor_array(&bytes, 2);
	cbor_text(&bytes, word);
	cbor_array(&bytes, n);
	for (int i = 0; i < n; i++)
	{
		cbor_array(&bytes, 3);
		cbor_bytes(&bytes, "", 0);
		cbor_bytes(&bytes, zeros, SIGNATURE_BYTES);
		cbor_bytes(&bytes, "", 0);
	}
	return bytes;
}

static void
test_inputs(void)
{
	InputsMessage inputs = {.nsites = 3};
	StringInfoData bytes = empty();

	for (int i = 0; i < inputs.nsites; i++)
	{
		inputs.receipts[i] = piece_of(15 + i);
		fill(inputs.signatures[i], SIGNATURE_BYTES, i);
		inputs.sealed[i] = piece_of(12 * i);
	}
	inputs_encode(&bytes, &inputs);
	test_hostile("inputs", inputs_again, &bytes);
	check_refused(inputs_again, inputs_of(SITES_MAX, "inputs"), "accepted", "inputs of 20 sites");
	check_refused(inputs_again, inputs_of(SITES_MAX + 1, "inputs"), TOO_LONG_LIST, "inputs of 21 sites");
	check_refused(inputs_again, inputs_of(2, "shares"), OTHER_WORD, "shares as inputs");
	inputs.nsites = 1;
	inputs.receipts[0] = piece_of(1);
	inputs.sealed[0] = piece_of(SEALED_MAX + 1);
	bytes = empty();
	inputs_encode(&bytes, &inputs);
	check_refused(inputs_again, bytes, TOO_LONG, "a larger package in inputs");
}

static void
test_result(void)
{
	ResultMessage result = {.patients_min = 5, .elapsed_us = 1000000, .rounds = 12, .bytes = 123456};
	StringInfoData bytes = empty();

	result.opened = piece_of(64);
	result_encode(&bytes, &result);
	test_hostile("result", result_again, &bytes);

#define result_with(wanted, what, change) \
	do { \
		ResultMessage odd = {.patients_min = 1}; \
		bytes = empty(); \
		odd.opened = piece_of(0); \
		change; \
		result_encode(&bytes, &odd); \
		check_refused(result_again, bytes, wanted, what); \
	} while (0)

	result_with("accepted", "the largest answer", odd.opened = piece_of((size_t) ELEMENTS_MAX * 32));
	result_with(TOO_LONG, "a larger answer", odd.opened = piece_of((size_t) ELEMENTS_MAX * 32 + 1));
	result_with(TOO_LARGE, "too large a threshold", odd.patients_min = (uint64) PG_INT32_MAX + 1);
	result_with(TOO_LARGE, "too many rounds", odd.rounds = PG_UINT64_MAX);
	result_with("accepted", "a refusal", odd.refused = true);
	result_with("a refusal with an answer", "a refusal with an answer", (odd.refused = true, odd.opened = piece_of(32)));
}

static void
test_ends(void)
{
	StringInfoData bytes = empty();
	FinishMessage finish = {0};
	const char *reason;

	finish_encode(&bytes, &finish);
	finish.released = true;
	check(finish_decode(&finish, bytes.data, bytes.len, &reason) && !finish.released && !finish.refused,
		  "finish says how it ended");
	test_hostile("finish", finish_again, &bytes);
	bytes = empty();
	finish.refused = true;
	fill(finish.refusals[0], sizeof(finish.refusals), 7);
	finish_encode(&bytes, &finish);
	test_hostile("finish with refusals", finish_again, &bytes);
	bytes = empty();
	finish.released = true;
	finish_encode(&bytes, &finish);
	check_refused(finish_again, bytes, "released and refused", "both a release and refusals");
	bytes = empty();
	done_encode(&bytes);
	test_hostile("done", done_again, &bytes);
	bytes = empty();
	done_encode(&bytes);
	check_refused(finish_again, bytes, OTHER_LENGTH, "done as finish");
	bytes = empty();
	finish_encode(&bytes, &finish);
	check_refused(done_again, bytes, TOO_LONG_LIST, "finish as done");
}

/* What a site publishes -----------------------------------------------------*/

static bool
description_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	DescribedTable *described;
	int			n;

	if (!description_decode(&described, &n, bytes, len, reason))
		return false;
	description_encode(again, described, n);
	return true;
}

static StringInfoData
description_of(int ntables, int nkeys, int ncolumns, int nvalues)
{
	StringInfoData bytes = empty();
	char	   *name = "n";
	DescribedColumn column = {"c", "text", true, nvalues, repeated(&name, sizeof(name), Max(nvalues, 0))};
	DescribedTable table = {"t", NULL, 5, nkeys, repeated(&name, sizeof(name), nkeys),
	ncolumns, repeated(&column, sizeof(column), ncolumns)};

	description_encode(&bytes, repeated(&table, sizeof(table), ntables), ntables);
	return bytes;
}

static void
test_description(void)
{
	char	   *values[] = {"f", "m", NULL};
	char	   *local[] = {"inst", "room"};
	DescribedColumn two[] = {{"id", "bigint", true, -1, NULL}, {"sex", "character varying(1)", false, 3, values}};
	DescribedTable described[] = {{"trial", "id", 5, 2, local, 2, two}, {"visit", NULL, PG_INT32_MAX}};
	StringInfoData bytes = empty();

	description_encode(&bytes, described, 2);
	test_hostile("description", description_again, &bytes);
	check_refused(description_again, description_of(0, 0, 0, 0), "accepted", "nothing published");
	check_refused(description_again, description_of(1000, 1, 1, -1), "accepted", "1000 tables");
	check_refused(description_again, description_of(1001, 0, 0, 0), TOO_LONG_LIST, "one more");
	check_refused(description_again, description_of(1, 1600, 1600, 0), "accepted", "1600 columns");
	check_refused(description_again, description_of(1, 0, 1601, -1), TOO_LONG_LIST, "one more");
	check_refused(description_again, description_of(1, 1601, 0, -1), TOO_LONG_LIST, "one more local key");
	check_refused(description_again, description_of(1, 0, 1, DOMAIN_VALUES_MAX), "accepted", "%d values", DOMAIN_VALUES_MAX);
	check_refused(description_again, description_of(1, 0, 1, DOMAIN_VALUES_MAX + 2), TOO_LONG_LIST, "more");
	bytes = empty();
	question_encode(&bytes);
	check(bytes.len == 10 && memcmp(bytes.data, "\x81\x68" "describe", 10) == 0, "the question");
	check_refused(description_again, bytes, OTHER_LENGTH, "the question as the answer");
}

/* Proposals -----------------------------------------------------------------*/

static bool
proposal_question_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	ProposalQuestion question;

	if (!proposal_question_decode(&question, bytes, len, reason))
		return false;
	proposal_question_encode(again, &question);
	return true;
}

static bool
proposal_answer_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	ApprovalFact answer;

	if (!proposal_answer_decode(&answer, bytes, len, reason))
		return false;
	proposal_answer_encode(again, &answer);
	return true;
}

static void
test_proposals(void)
{
	ProposalQuestion question = {.request = (const uint8 *) "a request", .request_len = 9};
	ApprovalFact answer = {.state = APPROVAL_HELD, .waits_for = "irb (0 of 2)", .reason = "\303\244"};
	StringInfoData bytes = empty();
	const char *reason;

	proposal_question_encode(&bytes, &question);
	test_hostile("proposal", proposal_question_again, &bytes);
	question.withdraw = true;
	fill(question.submission, SUBMISSION_ID_BYTES, 3);
	bytes = empty();
	proposal_question_encode(&bytes, &question);
	test_hostile("withdrawal", proposal_question_again, &bytes);
	bytes = empty();
	proposal_answer_encode(&bytes, &answer);
	test_hostile("answer to a proposal", proposal_answer_again, &bytes);
	answer.reason = text_of(PROPOSAL_TEXT_MAX + 10);
	((char *) answer.reason)[PROPOSAL_TEXT_MAX - 1] = '\303';
	((char *) answer.reason)[PROPOSAL_TEXT_MAX] = '\244';
	bytes = empty();
	proposal_answer_encode(&bytes, &answer);
	check(proposal_answer_decode(&answer, bytes.data, bytes.len, &reason) &&
		  strlen(answer.reason) == PROPOSAL_TEXT_MAX - 1, "a long reason is cut before a character");
}

/* Everything but the run and the times makes it another question. */
static void
test_binding(void)
{
	static char *params[] = {"5", NULL, "6"};
	uint8		first[HASH_BYTES];
	uint8		other[HASH_BYTES];

	Request		asked = good_request();

	request_binding(first, &asked);
#define binds(wanted, what, change) \
	do { \
		Request		request = good_request(); \
		change; \
		request_binding(other, &request); \
		check((memcmp(first, other, HASH_BYTES) != 0) == wanted, "a yes is for %s", what); \
	} while (0)
	binds(false, "any run", request.run[0] ^= 1);
	binds(false, "any time", request.at_us++; request.timeout_ms++; request.round_bytes++);
	binds(false, "any payment", request.payment = request.plan; request.payment_len = request.plan_len);
	binds(true, "one kind", request.kind = REQUEST_COMPUTE);
	binds(true, "one coordinator", request.coordinator = "mayo");
	binds(true, "one requester", request.requester = "bob");
	binds(true, "one identity", request.has_identity = true);
	binds(true, "one contract", request.has_contract = true);
	binds(true, "one submission", request.has_submission = true);
	binds(true, "one reader", request.has_reader = true);
	binds(true, "one model", request.model = "full-threshold");
	binds(true, "these sites", request.nsites--);
	binds(true, "these keys", request.sites[0].fingerprint[31] ^= 1);
	binds(true, "these parties", request.parties[2].name = "mayo");
	binds(true, "one plan", request.plan_len--);
	binds(true, "these parameters", request.params = params);
	binds(true, "all parameters", request.nparams--);
}

int
main(void)
{
	node_keys_generate(&coordinator, "research", 0);
	test_proposals();
	test_binding();
	test_request();
	test_request_limits();
	test_receipt();
	test_shares();
	test_inputs();
	test_result();
	test_ends();
	test_description();
	memory_reset();
	return unit_done();
}
