/*
 * request.c
 *	  Bytes of the messages of a run.
 *
 * Each decoder reads in one go and asks once, at the end, whether everything
 * was well-formed; nothing of a message is used before that.
 */
#include "contract/request.h"

#include "base/cbor.h"
#include "share/ring.h"

#define RUN_PURPOSE		"secmed/run/1"

/* Mostly its earlier runs, and each may have a content of its own. */
#define RECEIPT_BYTES_MAX	(1024 + EARLIER_RUNS_MAX * 32)

static bool
finish_reading(CborReader *in, const char **reason)
{
	*reason = NULL;
	if (!cbor_finish(in))
		*reason = in->error ? in->error : "bytes after the message";
	return *reason == NULL;
}

/* The word a message begins with. */
static void
expect_word(CborReader *in, const char *word)
{
	char	   *found = cbor_read_text(in, 16);

	if (in->error == NULL && strcmp(found, word) != 0)
		in->error = "message of another kind than expected";
}

static Bytes
read_piece(CborReader *in, size_t max)
{
	Bytes		piece;

	piece.data = cbor_read_bytes(in, max, &piece.len);
	return piece;
}

static void
write_piece(StringInfo out, Bytes piece)
{
	cbor_bytes(out, piece.data, piece.len);
}

int
noderef_find(const NodeRef *refs, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(refs[i].name, name) == 0)
			return i;
	return -1;
}

/* ---- request ---- */

static void
encode_refs(StringInfo out, const NodeRef *refs, int n)
{
	cbor_array(out, n);
	for (int i = 0; i < n; i++)
	{
		cbor_array(out, 2);
		cbor_text(out, refs[i].name);
		cbor_bytes(out, refs[i].fingerprint, HASH_BYTES);
	}
}

static int
decode_refs(CborReader *in, NodeRef *refs, int max)
{
	int			n = (int) cbor_read_array(in, max);

	for (int i = 0; i < n && in->error == NULL; i++)
	{
		cbor_expect_array(in, 2);
		refs[i].name = cbor_read_text(in, NODE_NAME_BYTES_MAX);
		cbor_read_fixed(in, refs[i].fingerprint, HASH_BYTES);
		if (in->error == NULL && !node_name_valid(refs[i].name))
			in->error = "not a node name";
		if (in->error == NULL && noderef_find(refs, i, refs[i].name) >= 0)
			in->error = "a node named twice";
	}
	return n;
}

static void
encode_if(StringInfo out, bool has, const uint8 *bytes, size_t len)
{
	if (has)
		cbor_bytes(out, bytes, len);
	else
		cbor_null(out);
}

static void
encode_authority(StringInfo out, const Request *request)
{
	cbor_array(out, request->payment ? 6 : 5);
	encode_if(out, request->has_identity, request->identity, HASH_BYTES);
	encode_if(out, request->has_contract, request->contract, HASH_BYTES);
	encode_if(out, request->has_submission, request->submission, SUBMISSION_ID_BYTES);
	encode_if(out, request->has_reader, request->reader, HASH_BYTES);
	if (request->passes_max > 0)
		cbor_uint(out, request->passes_max);
	else
		cbor_null(out);
	if (request->payment)
		cbor_bytes(out, request->payment, request->payment_len);
}

static bool
decode_if(CborReader *in, uint8 *bytes, size_t len)
{
	if (cbor_read_null(in))
		return false;
	cbor_read_fixed(in, bytes, len);
	return true;
}

static void
decode_passes(CborReader *in, Request *request)
{
	if (cbor_read_null(in))
		return;
	request->passes_max = cbor_read_uint(in, PASSES_MAX);
	if ((request->passes_max < 2 || !request->has_submission || request->kind != REQUEST_RUN) && in->error == NULL)
		in->error = "passes that are none";
}

static void
decode_authority(CborReader *in, Request *request)
{
	uint64		elements = cbor_read_array(in, 6);

	if (elements < 5 && in->error == NULL)
		in->error = "an array of another length than expected";
	request->has_identity = decode_if(in, request->identity, HASH_BYTES);
	request->has_contract = decode_if(in, request->contract, HASH_BYTES);
	request->has_submission = decode_if(in, request->submission, SUBMISSION_ID_BYTES);
	request->has_reader = decode_if(in, request->reader, HASH_BYTES);
	decode_passes(in, request);
	if (elements == 6)
		request->payment = cbor_read_bytes(in, PAYMENT_BYTES_MAX, &request->payment_len);
}

static const char *const kind_words[] = {NULL, "run", "compute", "change"};

static void
encode_change(StringInfo out, const Request *request)
{
	cbor_array(out, 2);
	cbor_bytes(out, request->change, CHANGE_ID_BYTES);
	cbor_uint(out, request->change_xid);
}

static void
encode_body(StringInfo out, const Request *request)
{
	cbor_array(out, request->kind == REQUEST_CHANGE ? 14 : 13);
	cbor_text(out, kind_words[request->kind]);
	cbor_bytes(out, request->run, RUN_ID_BYTES);
	cbor_int(out, request->at_us);
	cbor_text(out, request->coordinator);
	cbor_text(out, request->requester);
	encode_authority(out, request);
	cbor_text(out, request->model);
	cbor_uint(out, request->timeout_ms);
	cbor_uint(out, request->round_bytes);
	encode_refs(out, request->sites, request->nsites);
	encode_refs(out, request->parties, PARTIES);
	cbor_bytes(out, request->plan, request->plan_len);
	cbor_array(out, request->nparams);
	for (int i = 0; i < request->nparams; i++)
	{
		if (request->params[i] == NULL)
			cbor_null(out);
		else
			cbor_text(out, request->params[i]);
	}
	if (request->kind == REQUEST_CHANGE)
		encode_change(out, request);
}

void
request_encode(StringInfo out, const Request *request, const NodeKeys *keys)
{
	StringInfoData body;
	uint8		signature[SIGNATURE_BYTES];

	initStringInfo(&body);
	encode_body(&body, request);
	sign_message(signature, keys->sign_secret, RUN_PURPOSE, body.data, body.len);
	cbor_array(out, 2);
	cbor_bytes(out, body.data, body.len);
	cbor_bytes(out, signature, SIGNATURE_BYTES);
	pfree(body.data);
}

bool
request_may_iterate(const Request *request, const CanonicalPlan *plan)
{
	int			vectors = 0;

	for (int i = 0; i < plan->ncomponents; i++)
		vectors += plan->components[i] == COMPONENT_SUM_FLOAT_VECTOR;
	return request->kind == REQUEST_RUN && vectors == 1 && plan->nkeys == 0 && plan->nparams == 1 &&
		strcmp(plan->param_types[0], "double precision[]") == 0;
}

void
request_binding(uint8 out[HASH_BYTES], const Request *request)
{
	Request		asked = *request;
	StringInfoData body;
	HashPart	parts[] = {{"secmed/asked/1", 15}, {NULL, 0}};

	memset(asked.run, 0, RUN_ID_BYTES);
	memset(asked.change, 0, CHANGE_ID_BYTES);
	asked.payment = NULL;
	asked.at_us = 0;
	asked.timeout_ms = asked.round_bytes = asked.change_xid = 0;
	if (request->passes_max > 0)
		asked.nparams = 0;
	initStringInfo(&body);
	encode_body(&body, &asked);
	parts[1] = (HashPart) {body.data, body.len};
	hash_parts(out, parts, lengthof(parts));
	pfree(body.data);
}

static void
decode_params(CborReader *in, Request *request)
{
	request->nparams = (int) cbor_read_array(in, PARAMETERS_MAX);
	request->params = palloc0(sizeof(char *) * (request->nparams + 1));
	for (int i = 0; i < request->nparams && in->error == NULL; i++)
		if (!cbor_read_null(in))
			request->params[i] = cbor_read_text(in, REQUEST_BYTES_MAX);
}

static RequestKind
decode_kind(CborReader *in)
{
	char	   *word = cbor_read_text(in, 16);

	for (RequestKind kind = REQUEST_RUN; in->error == NULL && kind <= REQUEST_CHANGE; kind++)
		if (strcmp(word, kind_words[kind]) == 0)
			return kind;
	if (in->error == NULL)
		in->error = "message of another kind than expected";
	return REQUEST_RUN;
}

static void
decode_change(CborReader *in, Request *request)
{
	cbor_expect_array(in, 2);
	cbor_read_fixed(in, request->change, CHANGE_ID_BYTES);
	request->change_xid = cbor_read_uint(in, PG_INT64_MAX);
}

/* People read it in questions and ledgers: a line break could say anything there. */
static char *
decode_requester(CborReader *in)
{
	char	   *name = cbor_read_text(in, 256);

	for (const char *c = name; c != NULL && *c != '\0'; c++)
		if (((unsigned char) *c < 0x20 || *c == 0x7F) && in->error == NULL)
			in->error = "control characters in the requester's name";
	return name;
}

static bool
decode_body(Request *request, Bytes body, const char **reason)
{
	CborReader	in;
	uint64		elements;

	cbor_start(&in, body.data, body.len);
	elements = cbor_read_array(&in, 14);
	request->kind = decode_kind(&in);
	if (elements != (request->kind == REQUEST_CHANGE ? 14 : 13) && in.error == NULL)
		in.error = "a request of another length than its kind's";
	cbor_read_fixed(&in, request->run, RUN_ID_BYTES);
	request->at_us = (int64) cbor_read_uint(&in, ENTRY_AT_US_MAX);
	request->coordinator = cbor_read_text(&in, NODE_NAME_BYTES_MAX);
	request->requester = decode_requester(&in);
	decode_authority(&in, request);
	request->model = cbor_read_text(&in, 64);
	request->timeout_ms = cbor_read_uint(&in, 24 * 3600 * 1000);
	request->round_bytes = cbor_read_uint(&in, ROUND_BYTES_MAX);
	request->nsites = decode_refs(&in, request->sites, SITES_MAX);
	if (decode_refs(&in, request->parties, PARTIES) != PARTIES && in.error == NULL)
		in.error = "not three parties";
	if (request->kind == REQUEST_RUN && request->nsites < SITES_MIN && in.error == NULL)
		in.error = "fewer than two sites";
	request->plan = cbor_read_bytes(&in, REQUEST_BYTES_MAX, &request->plan_len);
	decode_params(&in, request);
	if (request->kind == REQUEST_CHANGE)
		decode_change(&in, request);
	return finish_reading(&in, reason);
}

bool
request_decode(Request *request, const void *bytes, size_t len,
			   const uint8 **body, size_t *body_len,
			   uint8 signature[SIGNATURE_BYTES], const char **reason)
{
	CborReader	in;
	Bytes		piece;

	memset(request, 0, sizeof(*request));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 2);
	piece = read_piece(&in, 2 * REQUEST_BYTES_MAX);
	cbor_read_fixed(&in, signature, SIGNATURE_BYTES);
	if (!finish_reading(&in, reason))
		return false;
	*body = piece.data;
	*body_len = piece.len;
	return decode_body(request, piece, reason);
}

/* ---- receipt ---- */

void
receipt_encode(StringInfo out, const Receipt *receipt)
{
	cbor_array(out, 10);
	cbor_text(out, "receipt");
	cbor_bytes(out, receipt->run, RUN_ID_BYTES);
	cbor_bytes(out, receipt->plan, HASH_BYTES);
	cbor_text(out, receipt->site);
	encode_if(out, receipt->has_contract, receipt->contract, HASH_BYTES);
	cbor_uint(out, receipt->patients_min);
	cbor_bool(out, receipt->show_zero);
	cbor_uint(out, receipt->elements);
	cbor_array(out, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		cbor_bytes(out, receipt->sealed[i], HASH_BYTES);
	earlier_encode(out, &receipt->earlier);
}

bool
receipt_decode(Receipt *receipt, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(receipt, 0, sizeof(*receipt));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 10);
	expect_word(&in, "receipt");
	cbor_read_fixed(&in, receipt->run, RUN_ID_BYTES);
	cbor_read_fixed(&in, receipt->plan, HASH_BYTES);
	receipt->site = cbor_read_text(&in, NODE_NAME_BYTES_MAX);
	receipt->has_contract = decode_if(&in, receipt->contract, HASH_BYTES);
	receipt->patients_min = cbor_read_uint(&in, PG_INT32_MAX);
	receipt->show_zero = cbor_read_bool(&in);
	receipt->elements = cbor_read_uint(&in, ELEMENTS_MAX);
	cbor_expect_array(&in, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		cbor_read_fixed(&in, receipt->sealed[i], HASH_BYTES);
	earlier_read(&in, &receipt->earlier);
	if (in.error == NULL && receipt->patients_min == 0)
		in.error = "threshold of zero";
	return finish_reading(&in, reason);
}

/* ---- shares, inputs, result ---- */

void
shares_encode(StringInfo out, const SharesMessage *shares)
{
	cbor_array(out, 6);
	cbor_text(out, "shares");
	write_piece(out, shares->receipt);
	cbor_bytes(out, shares->signature, SIGNATURE_BYTES);
	cbor_array(out, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		write_piece(out, shares->sealed[i]);
	cbor_uint(out, shares->elapsed_us);
	if (shares->has_rho_left)
		cbor_uint(out, shares->rho_left);
	else
		cbor_null(out);
}

bool
shares_decode(SharesMessage *shares, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 6);
	expect_word(&in, "shares");
	shares->receipt = read_piece(&in, RECEIPT_BYTES_MAX);
	cbor_read_fixed(&in, shares->signature, SIGNATURE_BYTES);
	cbor_expect_array(&in, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		shares->sealed[i] = read_piece(&in, PACKAGE_BYTES_MAX);
	shares->elapsed_us = cbor_read_uint(&in, PG_INT64_MAX);
	shares->has_rho_left = !cbor_read_null(&in);
	shares->rho_left = shares->has_rho_left ? cbor_read_uint(&in, PG_INT64_MAX) : 0;
	return finish_reading(&in, reason);
}

void
inputs_encode(StringInfo out, const InputsMessage *inputs)
{
	cbor_array(out, 2);
	cbor_text(out, "inputs");
	cbor_array(out, inputs->nsites);
	for (int i = 0; i < inputs->nsites; i++)
	{
		cbor_array(out, 3);
		write_piece(out, inputs->receipts[i]);
		cbor_bytes(out, inputs->signatures[i], SIGNATURE_BYTES);
		write_piece(out, inputs->sealed[i]);
	}
}

bool
inputs_decode(InputsMessage *inputs, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 2);
	expect_word(&in, "inputs");
	inputs->nsites = (int) cbor_read_array(&in, SITES_MAX);
	for (int i = 0; i < inputs->nsites; i++)
	{
		cbor_expect_array(&in, 3);
		inputs->receipts[i] = read_piece(&in, RECEIPT_BYTES_MAX);
		cbor_read_fixed(&in, inputs->signatures[i], SIGNATURE_BYTES);
		inputs->sealed[i] = read_piece(&in, PACKAGE_BYTES_MAX);
	}
	return finish_reading(&in, reason);
}

void
result_encode(StringInfo out, const ResultMessage *result)
{
	cbor_array(out, 7);
	cbor_text(out, "result");
	write_piece(out, result->opened);
	cbor_uint(out, result->patients_min);
	cbor_uint(out, result->elapsed_us);
	cbor_uint(out, result->rounds);
	cbor_uint(out, result->bytes);
	if (result->refused)
		cbor_bytes(out, result->refusal, SIGNATURE_BYTES);
	else
		cbor_null(out);
}

bool
result_decode(ResultMessage *result, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 7);
	expect_word(&in, "result");
	result->opened = read_piece(&in, (size_t) ELEMENTS_MAX * 32);
	result->patients_min = cbor_read_uint(&in, PG_INT32_MAX);
	result->elapsed_us = cbor_read_uint(&in, PG_INT64_MAX);
	result->rounds = cbor_read_uint(&in, PG_INT64_MAX);
	result->bytes = cbor_read_uint(&in, PG_INT64_MAX);
	result->refused = !cbor_read_null(&in);
	if (result->refused)
		cbor_read_fixed(&in, result->refusal, SIGNATURE_BYTES);
	if (in.error == NULL && result->refused && result->opened.len != 0)
		in.error = "a refusal with an answer";
	return finish_reading(&in, reason);
}

/* ---- progress, finish, done ---- */

void
progress_encode(StringInfo out, const ProgressMessage *progress)
{
	cbor_array(out, 5);
	cbor_text(out, "progress");
	cbor_uint(out, progress->step);
	cbor_uint(out, progress->steps);
	cbor_uint(out, progress->rounds);
	cbor_uint(out, progress->bytes);
}

bool
progress_decode(ProgressMessage *progress, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 5);
	expect_word(&in, "progress");
	progress->step = cbor_read_uint(&in, PG_INT32_MAX);
	progress->steps = cbor_read_uint(&in, PG_INT32_MAX);
	progress->rounds = cbor_read_uint(&in, PG_INT64_MAX);
	progress->bytes = cbor_read_uint(&in, PG_INT64_MAX);
	if (in.error == NULL && progress->step >= progress->steps)
		in.error = "a step behind the last";
	return finish_reading(&in, reason);
}

void
finish_encode(StringInfo out, const FinishMessage *finish)
{
	cbor_array(out, 3);
	cbor_text(out, "finish");
	cbor_bool(out, finish->released);
	if (!finish->refused)
	{
		cbor_null(out);
		return;
	}
	cbor_array(out, PARTIES);
	for (int i = 0; i < PARTIES; i++)
		cbor_bytes(out, finish->refusals[i], SIGNATURE_BYTES);
}

bool
finish_decode(FinishMessage *finish, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(finish, 0, sizeof(*finish));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 3);
	expect_word(&in, "finish");
	finish->released = cbor_read_bool(&in);
	finish->refused = !cbor_read_null(&in);
	if (finish->refused)
	{
		cbor_expect_array(&in, PARTIES);
		for (int i = 0; i < PARTIES; i++)
			cbor_read_fixed(&in, finish->refusals[i], SIGNATURE_BYTES);
	}
	if (in.error == NULL && finish->released && finish->refused)
		in.error = "released and refused";
	return finish_reading(&in, reason);
}

void
refusal_body(uint8 out[REFUSAL_BYTES], const uint8 run[RUN_ID_BYTES], const uint8 plan[HASH_BYTES])
{
	memcpy(out, run, RUN_ID_BYTES);
	memcpy(out + RUN_ID_BYTES, plan, HASH_BYTES);
}

void
done_encode(StringInfo out)
{
	cbor_array(out, 1);
	cbor_text(out, "done");
}

bool
done_decode(const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, 1);
	expect_word(&in, "done");
	return finish_reading(&in, reason);
}
