/*
 * contract.c
 *	  A contract's bytes.
 *
 * Decoding is bounded before anything is allocated, and ends with
 * contract_problem() (contract_rules.c): what was decoded is consistent.
 */
#include "contract/contract.h"

#include "base/cbor.h"

/* ---- writing ---- */

static void
write_text_or_null(StringInfo out, const char *text)
{
	if (text == NULL)
		cbor_null(out);
	else
		cbor_text(out, text);
}

static void
write_texts(StringInfo out, char **texts, int n)
{
	cbor_array(out, n);
	for (int i = 0; i < n; i++)
		cbor_text(out, texts[i]);
}

static void
write_nodes(StringInfo out, const NodeRef *nodes, int n)
{
	cbor_array(out, n);
	for (int i = 0; i < n; i++)
	{
		cbor_array(out, 2);
		cbor_text(out, nodes[i].name);
		cbor_bytes(out, nodes[i].fingerprint, HASH_BYTES);
	}
}

static void
write_slots(StringInfo out, const Contract *contract)
{
	cbor_array(out, contract->nslots);
	for (int i = 0; i < contract->nslots; i++)
	{
		const ContractSlot *slot = &contract->slots[i];

		if (slot->parameter >= 0)
		{
			cbor_uint(out, slot->parameter);
			continue;
		}
		cbor_array(out, 2);
		cbor_text(out, slot->type);
		write_text_or_null(out, slot->value);
	}
}

static void
write_query(StringInfo out, const Contract *contract)
{
	cbor_array(out, 6);
	cbor_text(out, contract->over_sites ? "run" : "compute");
	cbor_text(out, contract->query);
	cbor_bytes(out, contract->plan, contract->plan_len);
	cbor_array(out, contract->nplan_params);
	for (int i = 0; i < contract->nplan_params; i++)
		cbor_uint(out, contract->plan_params[i]);
	cbor_bytes(out, contract->skeleton, HASH_BYTES);
	write_slots(out, contract);
}

static void
write_parameters(StringInfo out, const Contract *contract)
{
	cbor_array(out, contract->nparams);
	for (int i = 0; i < contract->nparams; i++)
	{
		const ContractParameter *param = &contract->params[i];

		cbor_array(out, 8);
		cbor_text(out, param->name);
		cbor_text(out, param->type);
		cbor_text(out, param->words);
		cbor_bool(out, param->null_allowed);
		write_text_or_null(out, param->min);
		write_text_or_null(out, param->max);
		write_texts(out, param->values, param->nvalues);
		cbor_uint(out, param->items_max);
	}
}

static void
write_askers(StringInfo out, const Contract *contract)
{
	cbor_array(out, 3);
	cbor_array(out, contract->nidentities);
	for (int i = 0; i < contract->nidentities; i++)
		cbor_bytes(out, contract->identities[i], HASH_BYTES);
	write_texts(out, contract->roles, contract->nroles);
	write_texts(out, contract->organisations, contract->norganisations);
}

static void
write_disclosure(StringInfo out, const Contract *contract)
{
	cbor_array(out, 3);
	cbor_uint(out, contract->patients_min);
	cbor_uint(out, contract->rounding);
	if (contract->noise != NULL)
		noise_encode(out, contract->noise);
	else
		cbor_null(out);
	if (contract->has_runs_max)
		cbor_uint(out, contract->runs_max);
	else
		cbor_null(out);
}

static void
write_time(StringInfo out, const Contract *contract)
{
	cbor_array(out, 2);
	cbor_int(out, contract->from_us);
	cbor_int(out, contract->until_us);
}

static void
write_rules(StringInfo out, const Contract *contract)
{
	cbor_array(out, contract->njurisdictions);
	for (int i = 0; i < contract->njurisdictions; i++)
	{
		cbor_array(out, 3);
		cbor_text(out, contract->jurisdictions[i].code);
		cbor_uint(out, contract->jurisdictions[i].patients_min);
		cbor_text(out, contract->jurisdictions[i].rule);
	}
	cbor_array(out, 2);
	cbor_uint(out, contract->price);
	cbor_array(out, contract->npayees);
	for (int i = 0; i < contract->npayees; i++)
	{
		cbor_array(out, 2);
		cbor_text(out, contract->payees[i].account);
		cbor_uint(out, contract->payees[i].weight);
	}
}

static void
write_assent(StringInfo out, const Contract *contract)
{
	cbor_array(out, 2);
	cbor_uint(out, contract->vetters_min);
	cbor_uint(out, contract->vetting_organisations_min);
	cbor_array(out, contract->napprovals);
	for (int i = 0; i < contract->napprovals; i++)
	{
		cbor_array(out, 2);
		cbor_text(out, contract->approvals[i].role);
		cbor_uint(out, contract->approvals[i].number);
	}
	cbor_uint(out, contract->consents_min);
}

static void
write_heading(StringInfo out, const Contract *contract)
{
	uint8		terms[HASH_BYTES];

	cbor_text(out, CONTRACT_KIND);
	cbor_uint(out, CONTRACT_FORMAT);
	cbor_text(out, contract->name);
	cbor_text(out, contract->title);
	cbor_uint(out, contract->version);
	if (contract->has_replaces)
		cbor_bytes(out, contract->replaces, HASH_BYTES);
	else
		cbor_null(out);
	cbor_bytes(out, contract->author, HASH_BYTES);
	cbor_array(out, 2);
	cbor_text(out, contract->purpose_code);
	cbor_text(out, contract->purpose);
	cbor_text(out, contract->legal_basis);
	cbor_array(out, 2);
	hash_bytes(terms, contract->terms, strlen(contract->terms));
	cbor_bytes(out, terms, HASH_BYTES);
	cbor_text(out, contract->terms);
}

#define CONTRACT_ELEMENTS	24

void
contract_encode(StringInfo out, const Contract *contract)
{
	cbor_array(out, CONTRACT_ELEMENTS);
	write_heading(out, contract);	/* 10 */
	write_query(out, contract);
	write_parameters(out, contract);
	write_askers(out, contract);
	write_nodes(out, contract->sites, contract->nsites);
	write_nodes(out, contract->parties, contract->nparties);
	cbor_text(out, contract->model);
	write_disclosure(out, contract);	/* 2 */
	write_time(out, contract);
	write_rules(out, contract); /* 2 */
	write_assent(out, contract);	/* 3, and the last */
}

/* ---- reading ---- */

static char *
read_text_or_null(CborReader *in, size_t max)
{
	return cbor_read_null(in) ? NULL : cbor_read_text(in, max);
}

static int
read_texts(CborReader *in, char ***texts, int max, size_t text_max)
{
	int			n = (int) cbor_read_array(in, max);

	*texts = palloc0(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		(*texts)[i] = cbor_read_text(in, text_max);
	return n;
}

static int
read_nodes(CborReader *in, NodeRef *nodes, int max)
{
	int			n = (int) cbor_read_array(in, max);

	for (int i = 0; i < n; i++)
	{
		char		name[NODE_NAME_BYTES_MAX + 1];

		cbor_expect_array(in, 2);
		node_name_read(in, name);
		nodes[i].name = pstrdup(name);
		cbor_read_fixed(in, nodes[i].fingerprint, HASH_BYTES);
	}
	return n;
}

/* A number, or the array of type and value: by the major type of what comes. */
static void
read_slot(CborReader *in, ContractSlot *slot)
{
	bool		is_constant = in->error == NULL && in->at < in->end && *in->at >> 5 == 4;

	slot->parameter = -1;
	if (!is_constant)
	{
		slot->parameter = (int) cbor_read_uint(in, CONTRACT_PARAMETERS_MAX - 1);
		return;
	}
	cbor_expect_array(in, 2);
	slot->type = cbor_read_text(in, CONTRACT_LINE_MAX);
	slot->value = read_text_or_null(in, CONTRACT_TEXT_MAX);
}

static void
read_query(CborReader *in, Contract *contract)
{
	char	   *kind;

	cbor_expect_array(in, 6);
	kind = cbor_read_text(in, 16);
	contract->over_sites = strcmp(kind, "run") == 0;
	if (in->error == NULL && !contract->over_sites && strcmp(kind, "compute") != 0)
		in->error = "asks a question of an unknown kind";
	contract->query = cbor_read_text(in, CONTRACT_TEXT_MAX);
	contract->plan = cbor_read_bytes(in, REQUEST_BYTES_MAX, &contract->plan_len);
	contract->nplan_params = (int) cbor_read_array(in, PARAMETERS_MAX);
	contract->plan_params = palloc0(sizeof(int) * (contract->nplan_params + 1));
	for (int i = 0; i < contract->nplan_params; i++)
		contract->plan_params[i] = (int) cbor_read_uint(in, CONTRACT_PARAMETERS_MAX - 1);
	cbor_read_fixed(in, contract->skeleton, HASH_BYTES);
	contract->nslots = (int) cbor_read_array(in, CONTRACT_SLOTS_MAX);
	contract->slots = palloc0(sizeof(ContractSlot) * (contract->nslots + 1));
	for (int i = 0; i < contract->nslots; i++)
		read_slot(in, &contract->slots[i]);
}

static void
read_parameters(CborReader *in, Contract *contract)
{
	contract->nparams = (int) cbor_read_array(in, CONTRACT_PARAMETERS_MAX);
	contract->params = palloc0(sizeof(ContractParameter) * (contract->nparams + 1));
	for (int i = 0; i < contract->nparams; i++)
	{
		ContractParameter *param = &contract->params[i];

		cbor_expect_array(in, 8);
		param->name = cbor_read_text(in, NODE_NAME_BYTES_MAX);
		param->type = cbor_read_text(in, CONTRACT_LINE_MAX);
		param->words = cbor_read_text(in, CONTRACT_TEXT_MAX);
		param->null_allowed = cbor_read_bool(in);
		param->min = read_text_or_null(in, CONTRACT_VALUE_MAX);
		param->max = read_text_or_null(in, CONTRACT_VALUE_MAX);
		param->nvalues = read_texts(in, &param->values, CONTRACT_VALUES_MAX, CONTRACT_VALUE_MAX);
		param->items_max = cbor_read_uint(in, CONTRACT_ITEMS_MAX);
	}
}

static void
read_askers(CborReader *in, Contract *contract)
{
	cbor_expect_array(in, 3);
	contract->nidentities = (int) cbor_read_array(in, CONTRACT_LIST_MAX);
	contract->identities = palloc0(HASH_BYTES * (contract->nidentities + 1));
	for (int i = 0; i < contract->nidentities; i++)
		cbor_read_fixed(in, contract->identities[i], HASH_BYTES);
	contract->nroles = read_texts(in, &contract->roles, CONTRACT_LIST_MAX, CONTRACT_LINE_MAX);
	contract->norganisations = read_texts(in, &contract->organisations, CONTRACT_LIST_MAX, CONTRACT_LINE_MAX);
}

static void
read_disclosure(CborReader *in, Contract *contract)
{
	cbor_expect_array(in, 3);
	contract->patients_min = cbor_read_uint(in, PG_INT32_MAX);
	contract->rounding = cbor_read_uint(in, PG_INT32_MAX);
	contract->noise = cbor_read_null(in) ? NULL : noise_read(in);
	contract->has_runs_max = !cbor_read_null(in);
	if (contract->has_runs_max)
		contract->runs_max = cbor_read_uint(in, PG_INT64_MAX);
}

static void
read_time(CborReader *in, Contract *contract)
{
	cbor_expect_array(in, 2);
	contract->from_us = (int64) cbor_read_uint(in, ENTRY_AT_US_MAX);
	contract->until_us = (int64) cbor_read_uint(in, ENTRY_AT_US_MAX);
}

static void
read_rules(CborReader *in, Contract *contract)
{
	contract->njurisdictions = (int) cbor_read_array(in, CONTRACT_LIST_MAX);
	contract->jurisdictions = palloc0(sizeof(ContractJurisdiction) * (contract->njurisdictions + 1));
	for (int i = 0; i < contract->njurisdictions; i++)
	{
		cbor_expect_array(in, 3);
		contract->jurisdictions[i].code = cbor_read_text(in, 16);
		contract->jurisdictions[i].patients_min = cbor_read_uint(in, PG_INT32_MAX);
		contract->jurisdictions[i].rule = cbor_read_text(in, CONTRACT_TEXT_MAX);
	}
	cbor_expect_array(in, 2);
	contract->price = cbor_read_uint(in, PG_INT64_MAX);
	contract->npayees = (int) cbor_read_array(in, CONTRACT_LIST_MAX);
	contract->payees = palloc0(sizeof(ContractPayee) * (contract->npayees + 1));
	for (int i = 0; i < contract->npayees; i++)
	{
		cbor_expect_array(in, 2);
		contract->payees[i].account = cbor_read_text(in, CONTRACT_LINE_MAX);
		contract->payees[i].weight = cbor_read_uint(in, PG_INT32_MAX);
	}
}

static void
read_assent(CborReader *in, Contract *contract)
{
	cbor_expect_array(in, 2);
	contract->vetters_min = cbor_read_uint(in, CONTRACT_LIST_MAX);
	contract->vetting_organisations_min = cbor_read_uint(in, CONTRACT_LIST_MAX);
	contract->napprovals = (int) cbor_read_array(in, CONTRACT_LIST_MAX);
	contract->approvals = palloc0(sizeof(ContractApproval) * (contract->napprovals + 1));
	for (int i = 0; i < contract->napprovals; i++)
	{
		cbor_expect_array(in, 2);
		contract->approvals[i].role = cbor_read_text(in, CONTRACT_LINE_MAX);
		contract->approvals[i].number = cbor_read_uint(in, CONTRACT_LIST_MAX);
	}
	contract->consents_min = cbor_read_uint(in, PG_INT64_MAX);
}

static void
read_heading(CborReader *in, Contract *contract)
{
	char	   *kind = cbor_read_text(in, 32);
	uint8		named[HASH_BYTES];
	uint8		terms[HASH_BYTES];

	if (in->error == NULL && strcmp(kind, CONTRACT_KIND) != 0)
		in->error = "is of another kind than expected";
	if (cbor_read_uint(in, PG_UINT64_MAX) != CONTRACT_FORMAT && in->error == NULL)
		in->error = "is of another version";
	contract->name = cbor_read_text(in, NODE_NAME_BYTES_MAX);
	contract->title = cbor_read_text(in, CONTRACT_LINE_MAX);
	contract->version = cbor_read_uint(in, PG_INT32_MAX);
	contract->has_replaces = !cbor_read_null(in);
	if (contract->has_replaces)
		cbor_read_fixed(in, contract->replaces, HASH_BYTES);
	cbor_read_fixed(in, contract->author, HASH_BYTES);
	cbor_expect_array(in, 2);
	contract->purpose_code = cbor_read_text(in, 64);
	contract->purpose = cbor_read_text(in, CONTRACT_TEXT_MAX);
	contract->legal_basis = cbor_read_text(in, CONTRACT_TEXT_MAX);
	cbor_expect_array(in, 2);
	cbor_read_fixed(in, named, HASH_BYTES);
	contract->terms = cbor_read_text(in, CONTRACT_TEXT_MAX);
	hash_bytes(terms, contract->terms, strlen(contract->terms));
	if (in->error == NULL && memcmp(named, terms, HASH_BYTES) != 0)
		in->error = "names another hash than that of its terms";
}

bool
contract_decode(Contract *contract, const void *bytes, size_t len, const char **reason)
{
	CborReader	in;

	memset(contract, 0, sizeof(*contract));
	cbor_start(&in, bytes, len);
	cbor_expect_array(&in, CONTRACT_ELEMENTS);
	read_heading(&in, contract);
	read_query(&in, contract);
	read_parameters(&in, contract);
	read_askers(&in, contract);
	contract->nsites = read_nodes(&in, contract->sites, SITES_MAX);
	contract->nparties = read_nodes(&in, contract->parties, PARTIES);
	contract->model = cbor_read_text(&in, 64);
	read_disclosure(&in, contract);
	read_time(&in, contract);
	read_rules(&in, contract);
	read_assent(&in, contract);

	*reason = cbor_finish(&in) ? contract_problem(contract) : in.error;
	return *reason == NULL;
}

bool
contract_check(const void *body, size_t len, const char **reason)
{
	Contract	contract;

	return contract_decode(&contract, body, len, reason);
}
