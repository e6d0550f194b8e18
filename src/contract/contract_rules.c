/*
 * contract_rules.c
 *	  What makes a contract consistent, and what follows from its fields.
 *
 * Everybody who reads a contract applies these rules, so none can be signed,
 * stored or shown that breaks one.
 */
#include "contract/account.h"
#include "contract/contract.h"
#include "contract/person.h"

static const char *
heading_problem(const Contract *contract)
{
	if (!node_name_valid(contract->name))
		return "has a name that is not of [a-z0-9_-], beginning with a letter";
	if (contract->title[0] == '\0')
		return "has no title";
	if (contract->version == 0)
		return "has no version";
	if ((contract->version > 1) != contract->has_replaces)
		return "names the version before it if and only if it is not the first";
	if (contract->purpose_code[0] == '\0' || contract->purpose[0] == '\0')
		return "has no purpose";
	if (contract->legal_basis[0] == '\0')
		return "has no legal basis";
	if (contract->terms[0] == '\0')
		return "has no terms";
	return NULL;
}

/* ---- parameters ---- */

static bool
is_array(const ContractParameter *param)
{
	size_t		len = strlen(param->type);

	return len > 2 && strcmp(param->type + len - 2, "[]") == 0;
}

/* Booleans, and no type else that is known without a server. */
static bool
has_few_values(const ContractParameter *param)
{
	return strcmp(param->type, "boolean") == 0 || strcmp(param->type, "boolean[]") == 0;
}

static const char *
parameter_problem(const ContractParameter *param)
{
	bool		range = param->min != NULL && param->max != NULL;

	if (!node_name_valid(param->name))
		return "has a parameter whose name is not of [a-z0-9_-], beginning with a letter";
	if (param->type[0] == '\0')
		return "has a parameter without a type";
	if ((param->min != NULL) != (param->max != NULL))
		return "has a parameter with one bound only";
	if (range && param->nvalues > 0)
		return "has a parameter with bounds and a list of values";
	if (!range && param->nvalues == 0 && !has_few_values(param))
		return "has a parameter without bounds";
	if (is_array(param) != (param->items_max > 0))
		return "has a parameter that is a list without a largest number of elements, or the other way round";
	for (int i = 1; i < param->nvalues; i++)
		if (strcmp(param->values[i - 1], param->values[i]) >= 0)
			return "has a parameter whose values do not rise";
	return NULL;
}

static const char *
parameters_problem(const Contract *contract)
{
	for (int i = 0; i < contract->nparams; i++)
	{
		const char *problem = parameter_problem(&contract->params[i]);
		bool		used = false;

		if (problem != NULL)
			return problem;
		if (contract_parameter(contract, contract->params[i].name) != i)
			return "has two parameters of one name";
		for (int j = 0; j < contract->nplan_params; j++)
			used = used || contract->plan_params[j] == i;
		if (!used)
			return "has a parameter that its question does not use";
	}
	return NULL;
}

/* ---- the question ---- */

static const char *
plan_problem(const Contract *contract)
{
	CanonicalPlan plan;
	const char *reason;

	if (!contract->over_sites)
		return contract->noise ? "asks for noise on an answer over shared tables" : NULL;
	if (!plan_decode(&plan, contract->plan, contract->plan_len, &reason))
		return "holds a plan that is not one";
	if (plan.nparams != contract->nplan_params)
		return "has another number of parameters than its plan";
	for (int i = 0; i < plan.nparams; i++)
		if (strcmp(plan.param_types[i], contract->params[contract->plan_params[i]].type) != 0)
			return "has a parameter of another type than in its plan";
	return contract->noise ? noise_plan_problem(contract->noise, &plan) : NULL;
}

static const char *
query_problem(const Contract *contract)
{
	if (contract->query[0] == '\0')
		return "has no question";
	if (contract->plan_len == 0)
		return "has no plan";
	for (int i = 0; i < contract->nplan_params; i++)
		if (contract->plan_params[i] >= contract->nparams)
			return "has a plan with a parameter that it does not declare";
	for (int i = 0; i < contract->nslots; i++)
	{
		if (contract->slots[i].parameter >= contract->nparams)
			return "has a question with a parameter that it does not declare";
		if (contract->slots[i].parameter < 0 && contract->slots[i].type[0] == '\0')
			return "has a constant without a type";
	}
	return plan_problem(contract);
}

/* ---- who ---- */

static bool
has_twice(char **texts, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(texts[i], texts[j]) == 0)
				return true;
	return false;
}

static bool
has_empty(char **texts, int n)
{
	for (int i = 0; i < n; i++)
		if (texts[i][0] == '\0')
			return true;
	return false;
}

static bool
is_role(const char *word)
{
	IdentityRole role;

	return identity_role_from_word(&role, word);
}

static const char *
askers_problem(const Contract *contract)
{
	if (contract->nidentities + contract->nroles + contract->norganisations == 0)
		return "lets nobody ask";
	for (int i = 0; i < contract->nidentities; i++)
		for (int j = 0; j < i; j++)
			if (memcmp(contract->identities[i], contract->identities[j], HASH_BYTES) == 0)
				return "names an identity twice";
	for (int i = 0; i < contract->nroles; i++)
		if (!is_role(contract->roles[i]))
			return "lets an unknown role ask";
	if (has_twice(contract->roles, contract->nroles) ||
		has_twice(contract->organisations, contract->norganisations) ||
		has_empty(contract->organisations, contract->norganisations))
		return "names a role or organisation twice, or one without a name";
	return NULL;
}

static bool
node_twice(const NodeRef *nodes, int n)
{
	for (int i = 0; i < n; i++)
		if (noderef_find(nodes, n, nodes[i].name) != i)
			return true;
	return false;
}

static const char *
nodes_problem(const Contract *contract)
{
	if (node_twice(contract->sites, contract->nsites) || node_twice(contract->parties, contract->nparties))
		return "names a node twice";
	if (contract->nparties != PARTIES && (contract->nparties != 0 || !contract->over_sites))
		return "does not name three parties";
	if (contract->nsites < SITES_MIN && (contract->over_sites || contract->nsites > 0))
		return "names fewer than two sites";
	if (strcmp(contract->model, MODEL_HONEST_MAJORITY) != 0)
		return "names an unknown security model";
	return NULL;
}

/* ---- how much ---- */

static const char *
disclosure_problem(const Contract *contract)
{
	if (contract->patients_min == 0)
		return "allows groups of nobody";
	if (contract->noise != NULL && noise_problem(contract->noise) != NULL)
		return noise_problem(contract->noise);
	if (contract->has_runs_max && contract->runs_max == 0)
		return "allows no run";
	if (contract->until_us <= contract->from_us)
		return "ends before it begins";
	return NULL;
}

static const char *
rules_problem(const Contract *contract)
{
	uint64		weights = 0;

	for (int i = 0; i < contract->njurisdictions; i++)
	{
		if (contract->jurisdictions[i].code[0] == '\0')
			return "has a rule of no jurisdiction";
		if (contract->jurisdictions[i].patients_min < contract->patients_min)
			return "has a jurisdiction with a smaller group than its own";
		for (int j = 0; j < i; j++)
			if (strcmp(contract->jurisdictions[i].code, contract->jurisdictions[j].code) == 0)
				return "names a jurisdiction twice";
	}
	for (int i = 0; i < contract->npayees; i++)
	{
		if (contract->payees[i].account[0] == '\0' || contract->payees[i].weight == 0)
			return "has a payee without an account, or who gets nothing";
		if (!account_address_valid(contract->payees[i].account))
			return "pays an account whose address is not node or node:name";
		weights += contract->payees[i].weight;
		for (int j = 0; j < i; j++)
			if (strcmp(contract->payees[i].account, contract->payees[j].account) == 0)
				return "names a payee twice";
	}
	if (contract->price > CREDITS_MAX)
		return "costs more credits than there are";
	return (contract->price > 0) != (weights > 0) ? "has a price and nobody who gets it, or the other way round" : NULL;
}

static const char *
assent_problem(const Contract *contract)
{
	if (contract->vetters_min == 0)
		return "is vetted by nobody";
	if (contract->vetting_organisations_min == 0 ||
		contract->vetting_organisations_min > contract->vetters_min)
		return "asks for vetters of more organisations than vetters, or of none";
	for (int i = 0; i < contract->napprovals; i++)
	{
		if (!is_role(contract->approvals[i].role) || contract->approvals[i].number == 0)
			return "asks for an approval by an unknown role, or by nobody";
		for (int j = 0; j < i; j++)
			if (strcmp(contract->approvals[i].role, contract->approvals[j].role) == 0)
				return "asks a role for approval twice";
	}
	return NULL;
}

const char *
contract_problem(const Contract *contract)
{
	static const char *(*const rules[]) (const Contract *) = {
		heading_problem, query_problem, parameters_problem, askers_problem, nodes_problem,
		disclosure_problem, rules_problem, assent_problem
	};

	for (int i = 0; i < lengthof(rules); i++)
	{
		const char *problem = rules[i] (contract);

		if (problem != NULL)
			return problem;
	}
	return NULL;
}

/* ---- what follows ---- */

int
contract_parameter(const Contract *contract, const char *name)
{
	for (int i = 0; i < contract->nparams; i++)
		if (strcmp(contract->params[i].name, name) == 0)
			return i;
	return -1;
}

int
contract_signers(const Contract *contract, const NodeRef **signers)
{
	*signers = contract->nsites > 0 ? contract->sites : contract->parties;
	return contract->nsites > 0 ? contract->nsites : contract->nparties;
}

uint64
contract_patients_min(const Contract *contract, const char *jurisdiction)
{
	for (int i = 0; i < contract->njurisdictions; i++)
		if (strcmp(contract->jurisdictions[i].code, jurisdiction) == 0)
			return contract->jurisdictions[i].patients_min;
	return contract->patients_min;
}
