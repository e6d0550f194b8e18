/*
 * policy.c
 *	  Yes or no to a run, in a fixed order of questions; the first no ends it.
 *
 * A check returns true, or writes down why not.
 */
#include "contract/policy.h"

#include "contract/permit.h"

typedef bool (*Check) (PolicyDecision *no, const Request *request, const PolicyFacts *facts);

/* What did not fit must not end within a character. */
static void
end_cleanly(char text[POLICY_TEXT_BYTES])
{
	size_t		len = strlen(text);
	size_t		start = len;

	if (len < POLICY_TEXT_BYTES - 1)
		return;
	while (start > 0 && len - start < 4 && (text[--start] & 0xC0) == 0x80)
		;
	text[start] = '\0';
}

static bool refuse(PolicyDecision *no, int sqlstate, const char *fmt,...) pg_attribute_printf(3, 4);

static bool
refuse(PolicyDecision *no, int sqlstate, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(no->message, sizeof(no->message), fmt, args);
	va_end(args);
	end_cleanly(no->message);
	no->sqlstate = sqlstate;
	return false;
}

static void add_detail(PolicyDecision *no, const char *fmt,...) pg_attribute_printf(2, 3);
static void add_hint(PolicyDecision *no, const char *fmt,...) pg_attribute_printf(2, 3);

static void
add_detail(PolicyDecision *no, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(no->detail, sizeof(no->detail), fmt, args);
	va_end(args);
	end_cleanly(no->detail);
}

static void
add_hint(PolicyDecision *no, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(no->hint, sizeof(no->hint), fmt, args);
	va_end(args);
	end_cleanly(no->hint);
}

/* ---- sender ---- */

static bool
check_caller(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	if (strcmp(request->coordinator, facts->caller) == 0)
		return true;
	return refuse(no, ERRCODE_SECMED_PROTOCOL, "node \"%s\" sent a request in the name of node \"%s\"",
				  facts->caller, request->coordinator);
}

static bool
check_model(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	if (strcmp(request->model, MODEL_HONEST_MAJORITY) == 0)
		return true;
	return refuse(no, ERRCODE_SECMED_REFUSED, "node \"%s\" does not offer security model \"%s\"",
				  facts->self, request->model);
}

static bool
check_clock(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	int64		skew_us = facts->now_us - request->at_us;

	if (Abs(skew_us) <= CLOCK_SKEW_MS_MAX * INT64CONST(1000))
		return true;
	add_hint(no, "Set the clocks of both nodes.");
	return refuse(no, ERRCODE_SECMED_REFUSED, "the clocks of nodes \"%s\" and \"%s\" differ by %lld s",
				  facts->self, facts->caller, (long long) (Abs(skew_us) / 1000000));
}

static bool
check_member(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	if (noderef_find(request->sites, request->nsites, facts->self) >= 0 ||
		noderef_find(request->parties, PARTIES, facts->self) >= 0)
		return true;
	return refuse(no, ERRCODE_SECMED_PROTOCOL, "node \"%s\" is neither a site nor a party of the run", facts->self);
}

/* Every node of the run must be known here under the key the request names. */
static bool
check_node(PolicyDecision *no, const NodeRef *node, const PolicyFacts *facts)
{
	uint8		fingerprint[HASH_BYTES];

	if (!facts->known(node->name, fingerprint))
	{
		add_hint(no, "Its administrator adds it with secmed.add_peer().");
		return refuse(no, ERRCODE_SECMED_UNKNOWN_NODE, "node \"%s\" does not know node \"%s\"",
					  facts->self, node->name);
	}
	if (memcmp(fingerprint, node->fingerprint, HASH_BYTES) == 0)
		return true;
	add_hint(no, "Compare the fingerprints of that node's card by phone.");
	return refuse(no, ERRCODE_SECMED_WRONG_KEY, "nodes \"%s\" and \"%s\" hold different keys of node \"%s\"",
				  facts->self, facts->caller, node->name);
}

static bool
check_nodes(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	for (int i = 0; i < request->nsites; i++)
		if (!check_node(no, &request->sites[i], facts))
			return false;
	for (int i = 0; i < PARTIES; i++)
		if (!check_node(no, &request->parties[i], facts))
			return false;
	return true;
}

/* ---- mode ---- */

/* What follows the name of the node: nothing, or which table it is about. */
static const char *
about_table(char *out, size_t size, const ModeFact *mode)
{
	if (mode->table == NULL)
		return "";
	snprintf(out, size, " about table \"%s\"", mode->table);
	return out;
}

/* Is it harmless in a statement that an administrator may copy? */
static bool
is_plain(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@- ()") == strlen(name);
}

/* Tells the administrator which statement lets them; not if their name could be more than a name there. */
static void
add_adhoc_hint(PolicyDecision *no, const char *words, const Request *request)
{
	if (is_plain(request->requester) && is_plain(request->coordinator))
		add_hint(no, "%s: secmed.set_mode('adhoc', '{%s:%s}').", words, request->coordinator, request->requester);
	else
		add_hint(no, "%s with secmed.set_mode().", words);
}

static bool
check_one_mode(PolicyDecision *no, const ModeFact *mode, const Request *request, const PolicyFacts *facts)
{
	char		table[NAMEDATALEN + 20];
	const char *about = about_table(table, sizeof(table), mode);

	if (mode->mode == MODE_CLOSED)
	{
		add_hint(no, "Its administrator opens it with secmed.set_mode().");
		return refuse(no, ERRCODE_SECMED_MODE, "node \"%s\" answers no questions%s at present", facts->self, about);
	}
	if (request->has_contract)
		return true;			/* if it allows this, which is the next question */
	if (facts->about_nobody)
		return true;
	if (mode->mode == MODE_CONTRACTS)
	{
		add_detail(no, "It is in mode \"contracts\", and no active contract allows this one.");
		add_adhoc_hint(no, "Ask under a contract; or its administrator lets named people ask freely", request);
		return refuse(no, ERRCODE_SECMED_MODE, "node \"%s\" answers only questions%s that a contract allows",
					  facts->self, about);
	}
	if (mode->mode == MODE_ADHOC && mode->named)
		return true;
	add_adhoc_hint(no, "Its administrator names who may", request);
	return refuse(no, ERRCODE_SECMED_MODE, "node \"%s\" does not let \"%s:%s\" ask freely%s", facts->self,
				  request->coordinator, request->requester, about);
}

static bool
check_modes(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	if (facts->nmodes == 0)
		return refuse(no, ERRCODE_SECMED_MODE, "node \"%s\" does not know in which mode it is", facts->self);
	for (int i = 0; i < facts->nmodes; i++)
		if (!check_one_mode(no, &facts->modes[i], request, facts))
			return false;
	return true;
}

/* ---- contract ---- */

static bool
pass_on(PolicyDecision *no, const ContractRefusal *refusal)
{
	if (refusal->detail[0] != '\0')
		add_detail(no, "%s", refusal->detail);
	if (refusal->hint[0] != '\0')
		add_hint(no, "%s", refusal->hint);
	return refuse(no, refusal->sqlstate, "%s", refusal->message);
}

static bool
check_contract(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	ContractRefusal refusal;

	if (!request->has_contract)
		return true;
	if (facts->contract == NULL)
		return refuse(no, ERRCODE_SECMED_CONTRACT, "node \"%s\" knows nothing of the contract", facts->self);
	return contract_permit(&refusal, request, facts->contract) || pass_on(no, &refusal);
}

static bool
check_terms(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	ContractRefusal refusal;

	if (!request->has_contract)
		return true;
	return contract_permit_terms(&refusal, request, facts->contract) || pass_on(no, &refusal);
}

/* ---- payment ---- */

static bool
check_payment(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	const PaymentFact *payment = facts->payment;

	if (!request->has_contract)
		return true;
	if (payment == NULL)
		return refuse(no, ERRCODE_SECMED_PAYMENT, "node \"%s\" does not know what the run costs", facts->self);
	if (payment->price == 0 || payment->problem == NULL)
		return true;
	add_detail(no, "The payment %s.", payment->problem);
	return refuse(no, ERRCODE_SECMED_PAYMENT, "the price of the run, " UINT64_FORMAT " credits, is not held as node \"%s\" wants it",
				  payment->price, facts->self);
}

/* ---- approval ---- */

/* The reason that somebody gave, as a sentence before what we add. */
static void
add_reason(PolicyDecision *no, const ApprovalFact *approval)
{
	if (approval->reason[0] != '\0')
		add_detail(no, "The reason given: %s", approval->reason);
}

static bool
refuse_waiting(PolicyDecision *no, const ApprovalFact *approval, const PolicyFacts *facts)
{
	if (approval->waits_for[0] != '\0')
		add_detail(no, "It waits for %s.", approval->waits_for);
	if (approval->state == APPROVAL_UNASKED)
		add_hint(no, "Ask with secmed.submit(), or let secmed.approval_wait be longer than 0.");
	else
		add_hint(no, "Ask again later: secmed.result() or the same statement.");
	if (approval->state == APPROVAL_HELD)
		add_reason(no, approval);
	return refuse(no, ERRCODE_SECMED_AWAITS_APPROVAL,
				  approval->state == APPROVAL_HELD ? "somebody at node \"%s\" holds this question back" :
				  "node \"%s\" asks named people before each such run", facts->self);
}

static bool
check_approval(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	const ApprovalFact *approval = facts->approval;

	if (approval == NULL)
		return refuse(no, ERRCODE_SECMED_NOT_APPROVED, "node \"%s\" does not know who must approve this run", facts->self);
	switch (approval->state)
	{
		case APPROVAL_NOT_NEEDED:
		case APPROVAL_GIVEN:
			return true;
		case APPROVAL_UNASKED:
		case APPROVAL_PENDING:
		case APPROVAL_HELD:
			return refuse_waiting(no, approval, facts);
		case APPROVAL_REJECTED:
			add_reason(no, approval);
			return refuse(no, ERRCODE_SECMED_NOT_APPROVED, "somebody at node \"%s\" has rejected this question", facts->self);
		case APPROVAL_EXPIRED:
			add_hint(no, "Submit the question anew.");
			return refuse(no, ERRCODE_SECMED_NOT_APPROVED, "the approval by node \"%s\" has expired", facts->self);
		case APPROVAL_WITHDRAWN:
			add_hint(no, "Submit the question anew.");
			return refuse(no, ERRCODE_SECMED_NOT_APPROVED, "node \"%s\" was told that this question is withdrawn", facts->self);
		case APPROVAL_USED:
			add_hint(no, "Each run is approved for itself: submit the question anew.");
			return refuse(no, ERRCODE_SECMED_NOT_APPROVED, "the approval by node \"%s\" was used by an earlier run", facts->self);
		case APPROVAL_OTHER:
			add_hint(no, "An approval is for one question, with its parameters, by one requester. Submit this one.");
			return refuse(no, ERRCODE_SECMED_NOT_APPROVED, "node \"%s\" has approved another question than this", facts->self);
	}
	return refuse(no, ERRCODE_SECMED_NOT_APPROVED, "node \"%s\" does not know who must approve this run", facts->self);
}

/* ---- budget ---- */

static bool
check_budget(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	const BudgetFact *budget = facts->budget;

	if (budget == NULL)
		return refuse(no, ERRCODE_SECMED_BUDGET, "node \"%s\" does not know its privacy budgets", facts->self);
	if (budget->needed == 0 || (budget->set && budget->left >= budget->needed))
		return true;
	add_hint(no, "Its administrator sets budgets with secmed.set_budget().");
	if (!budget->set)
		return refuse(no, ERRCODE_SECMED_BUDGET, "site \"%s\" has set no privacy budget for table \"%s\"",
					  facts->self, budget->table);
	add_detail(no, "The run spends a rho of %.6f, and %.6f is left for this requester.",
			   (double) budget->needed / 1000000, (double) budget->left / 1000000);
	return refuse(no, ERRCODE_SECMED_BUDGET, "the privacy budget of table \"%s\" at site \"%s\" is spent",
				  budget->table, facts->self);
}

/* ---- repeats ---- */

static bool
check_repeats(PolicyDecision *no, const Request *request, const PolicyFacts *facts)
{
	const RepeatsFact *repeats = facts->repeats;

	if (repeats == NULL)
		return refuse(no, ERRCODE_SECMED_REPEATED, "node \"%s\" does not know how often this was asked", facts->self);
	if (repeats->max == 0 || (repeats->times < repeats->max && repeats->failed < repeats->max))
		return true;
	if (repeats->times >= repeats->max)
	{
		add_detail(no, "In %d days the same was asked %llu times.", repeats->days, (unsigned long long) repeats->times);
		add_hint(no, "Use the answers you have; or an auditor of the site lets you ask again: secmed.unlock_question(..., '%s').",
				 repeats->question);
		return refuse(no, ERRCODE_SECMED_REPEATED, "site \"%s\" has locked this question for you", facts->self);
	}
	add_detail(no, "In %d days %llu questions of yours failed or were broken off there: errors may tell of rows.",
			   repeats->days, (unsigned long long) repeats->failed);
	add_hint(no, "An auditor of the site lets you ask again: secmed.unlock_question().");
	return refuse(no, ERRCODE_SECMED_REPEATED, "site \"%s\" answers no more questions of yours", facts->self);
}

/* ---- all of them ---- */

static const struct
{
	PolicyRule	rule;
	Check		check;
}			checks[] = {
	{RULE_SENDER, check_caller},
	{RULE_SENDER, check_model},
	{RULE_SENDER, check_clock},
	{RULE_SENDER, check_member},
	{RULE_SENDER, check_nodes},
	{RULE_MODE, check_modes},
	{RULE_CONTRACT, check_contract},
	{RULE_TERMS, check_terms},
	{RULE_PAYMENT, check_payment},
	{RULE_APPROVAL, check_approval},
	{RULE_BUDGET, check_budget},
	{RULE_REPEATS, check_repeats},
};

PolicyDecision
policy_decide(const Request *request, const PolicyFacts *facts, PolicyRule first, PolicyRule last)
{
	PolicyDecision decision = {.yes = true};

	for (int i = 0; i < lengthof(checks); i++)
	{
		if (checks[i].rule < first || checks[i].rule > last)
			continue;
		decision.rule = checks[i].rule;
		decision.yes = checks[i].check(&decision, request, facts);
		if (!decision.yes)
			break;
	}
	return decision;
}

/* ---- names ---- */

static const char *const rule_names[] = {NULL, "sender", "mode", "contract", "terms", "payment", "columns", "approval", "budget",
"repeats"};
static const char *const mode_names[] = {NULL, "closed", "contracts", "adhoc"};
static const char *const state_names[] = {NULL, "not needed", "unasked", "pending", "held", "approved", "rejected",
"expired", "withdrawn", "used", "other"};

static int
find_name(const char *const *names, int n, const char *name)
{
	for (int i = 1; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return 0;
}

const char *
policy_rule_name(PolicyRule rule)
{
	return rule_names[rule];
}

const char *
site_mode_name(SiteMode mode)
{
	return mode_names[mode];
}

SiteMode
site_mode_from_name(const char *name)
{
	return (SiteMode) find_name(mode_names, lengthof(mode_names), name);
}

const char *
approval_state_name(ApprovalState state)
{
	return state_names[state];
}

ApprovalState
approval_state_from_name(const char *name)
{
	return (ApprovalState) find_name(state_names, lengthof(state_names), name);
}
