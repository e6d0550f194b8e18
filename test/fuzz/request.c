/*
 * request.c
 *	  A request, its plan, and the decision on it.
 */
#include "fuzz.h"

#include "base/cbor.h"
#include "contract/policy.h"

static bool
known(const char *name, uint8 fingerprint[HASH_BYTES])
{
	memset(fingerprint, name[0] == 'c', HASH_BYTES);
	return name[0] != 'g';
}

static void
decide(const Request *request)
{
	ModeFact	mode = {.mode = MODE_ADHOC, .named = request->requester[0] != 'x'};
	RepeatsFact repeats = {0};
	BudgetFact	budget = {.table = ""};
	ApprovalFact approval = {.state = APPROVAL_NOT_NEEDED, .waits_for = "", .reason = ""};
	PolicyFacts facts = {.self = request->sites[0].name, .caller = request->coordinator,
	.now_us = INT64CONST(1700000000123456), .known = known, .nmodes = 1, .modes = &mode, .approval = &approval, .budget = &budget,
	.repeats = &repeats};
	PolicyDecision decision = policy_decide(request, &facts, RULE_FIRST, RULE_LAST);
	CanonicalPlan plan;
	const char *reason = NULL;

	must(decision.yes || (decision.sqlstate != 0 && decision.message[0] != '\0'));
	if (!plan_decode(&plan, request->plan, request->plan_len, &reason))
		must_say(reason);
}

/* The body that another node would sign for the same request. */
static Bytes
body_again(const Request *request)
{
	static NodeKeys keys;
	StringInfoData bytes = empty();
	Request		ignored;
	Bytes		body;
	uint8		signature[SIGNATURE_BYTES];
	const char *reason;

	if (keys.card.name[0] == '\0')
		node_keys_generate(&keys, "research", 0);
	request_encode(&bytes, request, &keys);
	must(request_decode(&ignored, bytes.data, bytes.len, &body.data, &body.len, signature, &reason));
	return body;
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	Request		request;
	Bytes		body;
	Bytes		again;
	uint8		signature[SIGNATURE_BYTES];
	const char *reason = NULL;

	if (request_decode(&request, data, size, &body.data, &body.len, signature, &reason))
	{
		again = body_again(&request);
		must(again.len == body.len && memcmp(again.data, body.data, body.len) == 0);
		decide(&request);
	}
	else
		must_say(reason);
	memory_reset();
	return 0;
}
