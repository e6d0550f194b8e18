/*
 * permit.c
 *	  Whether a contract allows a run.
 */
#include "contract/permit.h"

#include "contract/person.h"

static bool refuse(ContractRefusal *no, int sqlstate, const char *fmt,...) pg_attribute_printf(3, 4);
static void add_detail(ContractRefusal *no, const char *fmt,...) pg_attribute_printf(2, 3);
static void add_hint(ContractRefusal *no, const char *fmt,...) pg_attribute_printf(2, 3);

static bool
refuse(ContractRefusal *no, int sqlstate, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(no->message, sizeof(no->message), fmt, args);
	va_end(args);
	no->sqlstate = sqlstate;
	return false;
}

static void
add_detail(ContractRefusal *no, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(no->detail, sizeof(no->detail), fmt, args);
	va_end(args);
}

static void
add_hint(ContractRefusal *no, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	vsnprintf(no->hint, sizeof(no->hint), fmt, args);
	va_end(args);
}

/* ---- the contract ---- */

static bool
check_known(ContractRefusal *no, const Request *request, const ContractGround *ground)
{
	if (ground->contract != NULL)
		return true;
	add_hint(no, "Documents reach every member within a minute; see secmed.contract there.");
	return refuse(no, ERRCODE_SECMED_CONTRACT, "node \"%s\" does not know the contract %02x%02x%02x%02x...",
				  ground->self, request->contract[0], request->contract[1], request->contract[2], request->contract[3]);
}

static bool
check_state(ContractRefusal *no, const Request *request, const ContractGround *ground)
{
	if (ground->state == CONTRACT_ACTIVE)
		return true;
	if (ground->state < CONTRACT_ACTIVE && ground->waits[0] != '\0')
		add_detail(no, "%c%s.", pg_toupper((unsigned char) ground->waits[0]), ground->waits + 1);
	if (ground->state == CONTRACT_REPLACED)
		add_hint(no, "A later version is in force: secmed.find_contracts('%s').", ground->contract->name);
	else if (ground->state == CONTRACT_SUSPENDED)
		add_hint(no, "Who suspended it, and why, is in secmed.contract_act; they may resume it.");
	else if (ground->state == CONTRACT_EXPIRED)
		add_hint(no, "Propose a new version with a later end.");
	return refuse(no, ERRCODE_SECMED_CONTRACT, "contract \"%s\" is not active at node \"%s\": it is %s",
				  ground->contract->name, ground->self, contract_state_name(ground->state));
}

static bool
check_question(ContractRefusal *no, const Request *request, const ContractGround *ground)
{
	if (!ground->same_plan)
	{
		add_detail(no, "The plan that was sent is not the contract's with values in the place of its parameters.");
		add_hint(no, "Run it with secmed.run('%s', ...).", ground->contract->name);
		return refuse(no, ERRCODE_SECMED_CONTRACT, "the question is not that of contract \"%s\"", ground->contract->name);
	}
	if (ground->value_problem == NULL)
		return true;
	add_detail(no, "Parameter %s.", ground->value_problem);
	return refuse(no, ERRCODE_SECMED_CONTRACT, "contract \"%s\" does not allow this value", ground->contract->name);
}

/* ---- who asks ---- */

static bool
has_one_role(const Contract *contract, uint32 roles)
{
	for (int i = 0; i < contract->nroles; i++)
	{
		IdentityRole role;

		if (identity_role_from_word(&role, contract->roles[i]) && (roles & (uint32) 1 << role))
			return true;
	}
	return contract->nroles == 0;
}

static bool
is_of_organisation(const Contract *contract, const char *organisation)
{
	for (int i = 0; i < contract->norganisations; i++)
		if (strcmp(contract->organisations[i], organisation) == 0)
			return true;
	return contract->norganisations == 0;
}

bool
contract_lets_ask(const Contract *contract, const uint8 identity[HASH_BYTES],
				  const char *organisation, uint32 roles)
{
	for (int i = 0; i < contract->nidentities; i++)
		if (memcmp(contract->identities[i], identity, HASH_BYTES) == 0)
			return true;
	return contract->nroles + contract->norganisations > 0 && has_one_role(contract, roles) &&
		is_of_organisation(contract, organisation);
}

static bool
check_requester(ContractRefusal *no, const Request *request, const ContractGround *ground)
{
	if (!ground->has_requester)
	{
		if (ground->requester_problem != NULL)
			add_detail(no, "%s.", ground->requester_problem);
		else
			add_hint(no, "Bind the database role to a registered identity: secmed.bind_identity().");
		return refuse(no, ERRCODE_SECMED_CONTRACT, "contract \"%s\" lets registered people ask, and \"%s:%s\" is none",
					  ground->contract->name, request->coordinator, request->requester);
	}
	if (contract_lets_ask(ground->contract, ground->requester, ground->organisation, ground->roles))
		return true;
	add_hint(no, "Who may is in secmed.contract.");
	return refuse(no, ERRCODE_SECMED_CONTRACT, "contract \"%s\" does not let \"%s:%s\" ask",
				  ground->contract->name, request->coordinator, request->requester);
}

/* ---- of whom ---- */

static bool
same_node(const NodeRef *a, const NodeRef *b)
{
	return strcmp(a->name, b->name) == 0 && memcmp(a->fingerprint, b->fingerprint, HASH_BYTES) == 0;
}

/* The same nodes, in whatever order. */
static bool
same_nodes(const NodeRef *a, int na, const NodeRef *b, int nb)
{
	for (int i = 0; i < na; i++)
	{
		int			at = noderef_find(b, nb, a[i].name);

		if (at < 0 || !same_node(&a[i], &b[at]))
			return false;
	}
	return na == nb;
}

static bool
check_nodes(ContractRefusal *no, const Request *request, const ContractGround *ground)
{
	const Contract *contract = ground->contract;

	if (contract->over_sites != (request->kind == REQUEST_RUN) || request->kind == REQUEST_CHANGE)
		return refuse(no, ERRCODE_SECMED_CONTRACT, "contract \"%s\" is about a question of another kind", contract->name);
	if (!same_nodes(request->sites, request->nsites, contract->sites, contract->nsites))
	{
		add_detail(no, "An answer over fewer sites, or others, is another answer.");
		return refuse(no, ERRCODE_SECMED_CONTRACT, "the sites of the run are not those of contract \"%s\"", contract->name);
	}
	if (contract->nparties > 0 && !same_nodes(request->parties, PARTIES, contract->parties, contract->nparties))
		return refuse(no, ERRCODE_SECMED_CONTRACT, "the parties of the run are not those of contract \"%s\"", contract->name);
	if (strcmp(request->model, contract->model) != 0)
		return refuse(no, ERRCODE_SECMED_CONTRACT, "the security model of the run is not that of contract \"%s\"",
					  contract->name);
	if (contract->noise != NULL && request->has_reader)
		return refuse(no, ERRCODE_SECMED_CONTRACT, "answers of contract \"%s\" have noise, and can't be sealed to a reader",
					  contract->name);
	return true;
}

/* ---- how often, on which terms ---- */

static bool
check_uses(ContractRefusal *no, const Request *request, const ContractGround *ground)
{
	if (!ground->contract->has_runs_max || ground->uses < ground->contract->runs_max)
		return true;
	add_detail(no, "It allows " UINT64_FORMAT ", and node \"%s\" has taken part in " UINT64_FORMAT ".",
			   ground->contract->runs_max, ground->self, ground->uses);
	return refuse(no, ERRCODE_SECMED_CONTRACT, "the runs of contract \"%s\" are used up", ground->contract->name);
}

bool
contract_permit_terms(ContractRefusal *no, const Request *request, const ContractGround *ground)
{
	memset(no, 0, sizeof(*no));
	if (ground->terms_accepted)
		return true;
	add_hint(no, "Read them, sign what secmed.draft_contract_act('accept', '%s') gives, and submit it.", ground->contract->name);
	return refuse(no, ERRCODE_SECMED_TERMS, "\"%s:%s\" has not accepted the terms of contract \"%s\"",
				  request->coordinator, request->requester, ground->contract->name);
}

bool
contract_permit(ContractRefusal *no, const Request *request, const ContractGround *ground)
{
	static bool (*const checks[]) (ContractRefusal *, const Request *, const ContractGround *) = {
		check_known, check_state, check_question, check_requester, check_nodes, check_uses
	};

	memset(no, 0, sizeof(*no));
	for (int i = 0; i < lengthof(checks); i++)
		if (!checks[i] (no, request, ground))
			return false;
	return true;
}
