/*
 * policy.c
 *	  Yes or no to a run, in a fixed order of questions; the first no ends it.
 */
#include "contract/policy.h"

static PolicyDecision refuse(int sqlstate, const char *hint, const char *fmt,...) pg_attribute_printf(3, 4);

static PolicyDecision
refuse(int sqlstate, const char *hint, const char *fmt,...)
{
	PolicyDecision no = {.yes = false, .sqlstate = sqlstate};
	va_list		args;

	va_start(args, fmt);
	vsnprintf(no.message, sizeof(no.message), fmt, args);
	va_end(args);
	if (hint != NULL)
		strlcpy(no.hint, hint, sizeof(no.hint));
	return no;
}

/* Every node of the run must be known here under the key the request names. */
static PolicyDecision
check_nodes(const NodeRef *refs, int n, const PolicyFacts *facts)
{
	uint8		fingerprint[HASH_BYTES];
	PolicyDecision yes = {.yes = true};

	for (int i = 0; i < n; i++)
	{
		if (!facts->known(refs[i].name, fingerprint))
			return refuse(ERRCODE_SECMED_UNKNOWN_NODE,
						  "Its administrator adds it with secmed.add_peer().",
						  "node \"%s\" does not know node \"%s\"", facts->self, refs[i].name);
		if (memcmp(fingerprint, refs[i].fingerprint, HASH_BYTES) != 0)
			return refuse(ERRCODE_SECMED_WRONG_KEY,
						  "Compare the fingerprints of that node's card by phone.",
						  "nodes \"%s\" and \"%s\" hold different keys of node \"%s\"",
						  facts->self, facts->caller, refs[i].name);
	}
	return yes;
}

PolicyDecision
policy_decide(const Request *request, const PolicyFacts *facts)
{
	PolicyDecision decision;
	int64		skew_us = facts->now_us - request->at_us;

	if (strcmp(request->coordinator, facts->caller) != 0)
		return refuse(ERRCODE_SECMED_PROTOCOL, NULL,
					  "node \"%s\" sent a request in the name of node \"%s\"",
					  facts->caller, request->coordinator);
	if (strcmp(request->model, MODEL_HONEST_MAJORITY) != 0)
		return refuse(ERRCODE_SECMED_REFUSED, NULL,
					  "node \"%s\" does not offer security model \"%s\"",
					  facts->self, request->model);
	if (skew_us > CLOCK_SKEW_MS_MAX * INT64CONST(1000) ||
		skew_us < -CLOCK_SKEW_MS_MAX * INT64CONST(1000))
		return refuse(ERRCODE_SECMED_REFUSED,
					  "Set the clocks of both nodes.",
					  "the clocks of nodes \"%s\" and \"%s\" differ by %lld s",
					  facts->self, facts->caller, (long long) (Abs(skew_us) / 1000000));
	if (noderef_find(request->sites, request->nsites, facts->self) < 0 &&
		noderef_find(request->parties, PARTIES, facts->self) < 0)
		return refuse(ERRCODE_SECMED_PROTOCOL, NULL,
					  "node \"%s\" is neither a site nor a party of the run", facts->self);

	decision = check_nodes(request->sites, request->nsites, facts);
	if (decision.yes)
		decision = check_nodes(request->parties, PARTIES, facts);
	return decision;
}
