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

static ModeFact mode;
static ApprovalFact approval;
static RepeatsFact repeats;
static BudgetFact budget;

/* Under no contract. */
static Request
free_request(void)
{
	Request		request = good_request();

	request.has_contract = false;
	return request;
}

static PolicyFacts
good_facts(void)
{
	mode = (ModeFact) {.mode = MODE_ADHOC, .named = true};
	approval = (ApprovalFact) {.state = APPROVAL_NOT_NEEDED, .waits_for = "", .reason = ""};
	budget = (BudgetFact) {.table = ""};
	repeats = (RepeatsFact) {0};
	return (PolicyFacts) {.self = "lmu", .caller = "research", .now_us = AT_US, .known = known,
		.nmodes = 1, .modes = &mode, .approval = &approval, .budget = &budget,
	.repeats = &repeats};
}

static PolicyDecision
decide(const Request *request, const PolicyFacts *facts)
{
	return policy_decide(request, facts, RULE_FIRST, RULE_LAST);
}

static void
expect_no(const Request *request, const PolicyFacts *facts, int sqlstate, const char *words)
{
	PolicyDecision decision = decide(request, facts);

	check(!decision.yes && decision.sqlstate == sqlstate && strcmp(decision.message, words) == 0,
		  "no: %s", words);
	if (decision.yes || strcmp(decision.message, words) != 0)
		printf("# it said: %s\n", decision.yes ? "yes" : decision.message);
}

static void
test_yes(void)
{
	Request		request = free_request();
	PolicyFacts facts = good_facts();

	check(decide(&request, &facts).yes, "a site that is a party takes part");
	facts.self = "mayo";
	check(decide(&request, &facts).yes, "a site that is no party takes part");
	facts.now_us = AT_US + 299 * SECONDS;
	check(decide(&request, &facts).yes, "a clock 299 s ahead is near enough");
	facts.now_us = AT_US - 299 * SECONDS;
	check(decide(&request, &facts).yes, "a clock 299 s behind is near enough");
}

static void
test_membership(void)
{
	Request		request = free_request();
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
	Request		request = free_request();
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
	Request		request = free_request();
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
	check(decide(&request, &facts).hint[0] != '\0', "and it says what to do");
}

static void
test_modes(void)
{
	Request		request = free_request();
	PolicyFacts facts = good_facts();
	ModeFact	two[2];

	mode.named = false;
	expect_no(&request, &facts, ERRCODE_SECMED_MODE, "node \"lmu\" does not let \"research:anna\" ask freely");
	check(strstr(decide(&request, &facts).hint, "'{research:anna}'") != NULL, "it says how to let her");
	request.requester = "anna}'); DROP TABLE trial; --";
	check(strstr(decide(&request, &facts).hint, "DROP") == NULL, "but repeats no name that is more than a name in SQL");
	request.requester = "anna";
	mode.mode = MODE_CONTRACTS;
	expect_no(&request, &facts, ERRCODE_SECMED_MODE, "node \"lmu\" answers only questions that a contract allows");
	mode.named = true;
	expect_no(&request, &facts, ERRCODE_SECMED_MODE, "node \"lmu\" answers only questions that a contract allows");
	request.has_contract = true;
	expect_no(&request, &facts, ERRCODE_SECMED_CONTRACT, "node \"lmu\" knows nothing of the contract");
	mode.mode = MODE_CLOSED;
	expect_no(&request, &facts, ERRCODE_SECMED_MODE, "node \"lmu\" answers no questions at present");
	check(strstr(decide(&request, &facts).hint, "set_mode") != NULL, "and it says who may change that");
	request.has_contract = false;
	two[0] = (ModeFact) {.mode = MODE_ADHOC, .named = true};
	two[1] = (ModeFact) {.table = "trial", .mode = MODE_CLOSED};
	facts.modes = two;
	facts.nmodes = 2;
	expect_no(&request, &facts, ERRCODE_SECMED_MODE, "node \"lmu\" answers no questions about table \"trial\" at present");
	facts.nmodes = 1;
	check(decide(&request, &facts).yes, "the tables of another question do not matter");
	facts.nmodes = 0;
	expect_no(&request, &facts, ERRCODE_SECMED_MODE, "node \"lmu\" does not know in which mode it is");
}

static void
test_approvals(void)
{
	Request		request = free_request();
	PolicyFacts facts = good_facts();
	static const struct
	{
		ApprovalState state;
		int			sqlstate;
		const char *words;
	}			cases[] = {
		{APPROVAL_UNASKED, ERRCODE_SECMED_AWAITS_APPROVAL, "node \"lmu\" asks named people before each such run"},
		{APPROVAL_PENDING, ERRCODE_SECMED_AWAITS_APPROVAL, "node \"lmu\" asks named people before each such run"},
		{APPROVAL_HELD, ERRCODE_SECMED_AWAITS_APPROVAL, "somebody at node \"lmu\" holds this question back"},
		{APPROVAL_REJECTED, ERRCODE_SECMED_NOT_APPROVED, "somebody at node \"lmu\" has rejected this question"},
		{APPROVAL_EXPIRED, ERRCODE_SECMED_NOT_APPROVED, "the approval by node \"lmu\" has expired"},
		{APPROVAL_WITHDRAWN, ERRCODE_SECMED_NOT_APPROVED, "node \"lmu\" was told that this question is withdrawn"},
		{APPROVAL_USED, ERRCODE_SECMED_NOT_APPROVED, "the approval by node \"lmu\" was used by an earlier run"},
		{APPROVAL_OTHER, ERRCODE_SECMED_NOT_APPROVED, "node \"lmu\" has approved another question than this"},
		{0, ERRCODE_SECMED_NOT_APPROVED, "node \"lmu\" does not know who must approve this run"},
	};

	for (int i = 0; i < lengthof(cases); i++)
	{
		approval.state = cases[i].state;
		expect_no(&request, &facts, cases[i].sqlstate, cases[i].words);
	}
	approval.state = APPROVAL_GIVEN;
	check(decide(&request, &facts).yes, "a run that was approved takes place");
	approval.state = APPROVAL_HELD;
	approval.reason = "The cohort is small.";
	approval.waits_for = "irb (1 of 2)";
	check(strcmp(decide(&request, &facts).detail, "The reason given: The cohort is small.") == 0,
		  "who holds it back is heard");
	approval.state = APPROVAL_PENDING;
	check(strcmp(decide(&request, &facts).detail, "It waits for irb (1 of 2).") == 0, "it says whom it waits for");
	facts.approval = NULL;
	expect_no(&request, &facts, ERRCODE_SECMED_NOT_APPROVED, "node \"lmu\" does not know who must approve this run");
}

/* What noise spends must be left. */
static void
test_budget(void)
{
	Request		request = free_request();
	PolicyFacts facts = good_facts();
	PolicyDecision decision;

	budget = (BudgetFact) {.needed = 50000, .set = true, .table = "trial", .left = 50000};
	check(decide(&request, &facts).yes, "the last of a budget may be spent");
	budget.left = 49999;
	expect_no(&request, &facts, ERRCODE_SECMED_BUDGET, "the privacy budget of table \"trial\" at site \"lmu\" is spent");
	decision = decide(&request, &facts);
	check(decision.rule == RULE_BUDGET &&
		  strcmp(decision.detail, "The run spends a rho of 0.050000, and 0.049999 is left for this requester.") == 0,
		  "it says how much is missing");
	budget = (BudgetFact) {.needed = 1, .table = "trial"};
	expect_no(&request, &facts, ERRCODE_SECMED_BUDGET, "site \"lmu\" has set no privacy budget for table \"trial\"");
	facts.budget = NULL;
	expect_no(&request, &facts, ERRCODE_SECMED_BUDGET, "node \"lmu\" does not know its privacy budgets");
}

/* The same question, and questions that failed. */
static void
test_repeats(void)
{
	Request		request = free_request();
	PolicyFacts facts = good_facts();
	PolicyDecision decision;

	repeats = (RepeatsFact) {.max = 7, .times = 6, .failed = 6, .days = 30, .question = "00c0ffee"};
	check(decide(&request, &facts).yes, "the seventh time is allowed");
	repeats.times = 7;
	expect_no(&request, &facts, ERRCODE_SECMED_REPEATED, "site \"lmu\" has locked this question for you");
	decision = decide(&request, &facts);
	check(decision.rule == RULE_REPEATS && strstr(decision.hint, "'00c0ffee'") != NULL, "an auditor is told which question");
	repeats.times = 0;
	repeats.failed = 7;
	expect_no(&request, &facts, ERRCODE_SECMED_REPEATED, "site \"lmu\" answers no more questions of yours");
	repeats.max = 0;
	check(decide(&request, &facts).yes, "without a bound both are allowed");
	facts.repeats = NULL;
	expect_no(&request, &facts, ERRCODE_SECMED_REPEATED, "node \"lmu\" does not know how often this was asked");
}

/* Of two checks that fail the first in order decides; and only the rules that were asked for are checked. */
static void
test_order(void)
{
	Request		request = free_request();
	PolicyFacts facts = good_facts();

	facts.caller = "charite";
	mode.mode = MODE_CLOSED;
	approval.state = APPROVAL_REJECTED;
	facts.budget = NULL;
	facts.repeats = NULL;
	check(decide(&request, &facts).rule == RULE_SENDER, "the sender comes before the mode");
	check(policy_decide(&request, &facts, RULE_MODE, RULE_LAST).rule == RULE_MODE, "the mode before approvals");
	check(policy_decide(&request, &facts, RULE_COLUMNS, RULE_LAST).rule == RULE_APPROVAL, "approvals before budgets");
	check(policy_decide(&request, &facts, RULE_BUDGET, RULE_LAST).rule == RULE_BUDGET, "budgets before repeats");
	check(policy_decide(&request, &facts, RULE_REPEATS, RULE_LAST).rule == RULE_REPEATS, "repeats last");
	check(policy_decide(&request, &facts, RULE_COLUMNS, RULE_COLUMNS).yes, "the site's own reading is not decided here");
	facts = good_facts();
	request.model = "full-threshold";
	request.at_us = 0;
	check(strstr(decide(&request, &facts).message, "security model") != NULL, "the model comes before the clock");
}

/* A contract is asked for what the mode does not allow; what it says is test_contract_permit.c's. */
static void
test_contract(void)
{
	Request		request = free_request();
	PolicyFacts facts = good_facts();

	request.has_contract = true;
	mode.mode = MODE_CONTRACTS;
	expect_no(&request, &facts, ERRCODE_SECMED_CONTRACT, "node \"lmu\" knows nothing of the contract");
	check(decide(&request, &facts).rule == RULE_CONTRACT, "the contract decides");
	mode.mode = MODE_CLOSED;
	check(decide(&request, &facts).rule == RULE_MODE, "a closed node is closed to contracts, too");
}

/* What a run costs is held for it. */
static void
test_payment(void)
{
	Request		request = free_request();
	PolicyFacts facts = good_facts();
	PaymentFact payment = {.price = 30};

	check(policy_decide(&request, &facts, RULE_PAYMENT, RULE_PAYMENT).yes, "a run under no contract is free");
	request.has_contract = true;
	check(policy_decide(&request, &facts, RULE_PAYMENT, RULE_PAYMENT).sqlstate == ERRCODE_SECMED_PAYMENT, "a price that is not known is a no");
	facts.payment = &payment;
	check(policy_decide(&request, &facts, RULE_PAYMENT, RULE_PAYMENT).yes, "what is held is good");
	payment.problem = "is for another run";
	check(strcmp(policy_decide(&request, &facts, RULE_PAYMENT, RULE_PAYMENT).detail, "The payment is for another run.") == 0 &&
		  strcmp(policy_decide(&request, &facts, RULE_PAYMENT, RULE_PAYMENT).message,
				 "the price of the run, 30 credits, is not held as node \"lmu\" wants it") == 0, "what is held for another is not");
	payment.price = 0;
	check(policy_decide(&request, &facts, RULE_PAYMENT, RULE_PAYMENT).yes, "a run that costs nothing needs no payment");
}

static void
test_names(void)
{
	for (PolicyRule rule = RULE_FIRST; rule <= RULE_LAST; rule++)
		check(policy_rule_name(rule)[0] != '\0', "rule %s has a name", policy_rule_name(rule));
	for (SiteMode m = MODE_CLOSED; m <= MODE_ADHOC; m++)
		check(site_mode_from_name(site_mode_name(m)) == m, "mode %s is known by its name", site_mode_name(m));
	for (ApprovalState state = APPROVAL_NOT_NEEDED; state <= APPROVAL_STATE_MAX; state++)
		check(approval_state_from_name(approval_state_name(state)) == state, "state %s is known by its name",
			  approval_state_name(state));
	check(site_mode_from_name("open") == 0 && approval_state_from_name("") == 0, "what is none is none");
}

/* What others say is cut to what fits. */
static void
test_long_texts(void)
{
	Request		request = free_request();
	PolicyFacts facts = good_facts();
	PolicyDecision decision;

	mode.named = false;
	request.requester = text_of(256);
	facts.self = request.coordinator = (char *) (facts.caller = text_of(63));
	request.sites[0].name = request.coordinator;
	decision = policy_decide(&request, &facts, RULE_MODE, RULE_MODE);
	check(!decision.yes && decision.message[strlen(decision.message) - 1] == 'y' && strstr(decision.hint, ")."),
		  "the longest names fit");
}

int
main(void)
{
	test_modes();
	test_approvals();
	test_budget();
	test_repeats();
	test_order();
	test_contract();
	test_payment();
	test_names();
	test_long_texts();
	test_yes();
	test_membership();
	test_clocks();
	test_nodes();
	memory_reset();
	return unit_done();
}
