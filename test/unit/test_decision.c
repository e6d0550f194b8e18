/*
 * test_decision.c
 *	  The one place that decides whether a node takes part in a run: each of
 *	  its questions, with a yes and a no.
 */
#include "base/base.h"

#include "a_request.h"
#include "contract/policy.h"

#define SECONDS		INT64CONST(1000000)

/* Every node is known by its fingerprint in the request, but for these. */
static const char *unknown_node;
static const char *other_key;

static bool
known(const char *name, uint8 fingerprint[HASH_BYTES])
{
	Request		request = good_request();
	int			at = noderef_find(request.sites, request.nsites, name);

	if (at < 0 || (unknown_node && strcmp(name, unknown_node) == 0))
		return false;
	memcpy(fingerprint, request.sites[at].fingerprint, HASH_BYTES);
	if (other_key && strcmp(name, other_key) == 0)
		fingerprint[HASH_BYTES - 1] ^= 1;
	return true;
}

static PolicyFacts
good_facts(void)
{
	return (PolicyFacts) {.self = "lmu", .caller = "research", .now_us = AT_US, .known = known};
}

static void
expect_no(const Request *request, const PolicyFacts *facts, int sqlstate, const char *words)
{
	PolicyDecision decision = policy_decide(request, facts);

	check(!decision.yes && decision.sqlstate == sqlstate && strcmp(decision.message, words) == 0,
		  "no: %s", words);
	if (decision.yes || strcmp(decision.message, words) != 0)
		printf("# it said: %s\n", decision.yes ? "yes" : decision.message);
}

static void
test_yes(void)
{
	Request		request = good_request();
	PolicyFacts facts = good_facts();

	check(policy_decide(&request, &facts).yes, "a site that is a party takes part");
	facts.self = "mayo";
	check(policy_decide(&request, &facts).yes, "a site that is no party takes part");
	facts.now_us = AT_US + 299 * SECONDS;
	check(policy_decide(&request, &facts).yes, "a clock 299 s ahead is near enough");
	facts.now_us = AT_US - 299 * SECONDS;
	check(policy_decide(&request, &facts).yes, "a clock 299 s behind is near enough");
}

static void
test_membership(void)
{
	Request		request = good_request();
	PolicyFacts facts = good_facts();

	facts.caller = "charite";
	expect_no(&request, &facts, ERRCODE_SECMED_PROTOCOL,
			  "node \"charite\" sent a request in the name of node \"research\"");
	facts = good_facts();
	facts.self = "stranger";
	expect_no(&request, &facts, ERRCODE_SECMED_PROTOCOL,
			  "node \"stranger\" is neither a site nor a party of the run");
	facts = good_facts();
	request.model = "full-threshold";
	expect_no(&request, &facts, ERRCODE_SECMED_REFUSED,
			  "node \"lmu\" does not offer security model \"full-threshold\"");
}

static void
test_clocks(void)
{
	Request		request = good_request();
	PolicyFacts facts = good_facts();

	facts.now_us = AT_US + 301 * SECONDS;
	expect_no(&request, &facts, ERRCODE_SECMED_REFUSED,
			  "the clocks of nodes \"lmu\" and \"research\" differ by 301 s");
	facts.now_us = AT_US - 3600 * SECONDS;
	expect_no(&request, &facts, ERRCODE_SECMED_REFUSED,
			  "the clocks of nodes \"lmu\" and \"research\" differ by 3600 s");
}

static void
test_nodes(void)
{
	Request		request = good_request();
	PolicyFacts facts = good_facts();

	unknown_node = "mayo";
	expect_no(&request, &facts, ERRCODE_SECMED_UNKNOWN_NODE,
			  "node \"lmu\" does not know node \"mayo\"");
	unknown_node = NULL;
	other_key = "gemelli";
	expect_no(&request, &facts, ERRCODE_SECMED_WRONG_KEY,
			  "nodes \"lmu\" and \"research\" hold different keys of node \"gemelli\"");
	other_key = NULL;
	request.parties[1].fingerprint[0] ^= 1;
	expect_no(&request, &facts, ERRCODE_SECMED_WRONG_KEY,
			  psprintf("nodes \"lmu\" and \"research\" hold different keys of node \"%s\"",
					   request.parties[1].name));
	check(policy_decide(&request, &facts).hint[0] != '\0', "and it says what to do");
}

int
main(void)
{
	test_yes();
	test_membership();
	test_clocks();
	test_nodes();
	memory_reset();
	return unit_done();
}
