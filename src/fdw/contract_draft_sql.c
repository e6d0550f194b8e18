/*
 * contract_draft_sql.c
 *	  secmed.draft_contract(): a contract for its author to sign, with the plan
 *	  that this node makes of its question.
 */
#include "postgres.h"

#include "fdw/contract_query.h"
#include "fdw/json_terms.h"
#include "fdw/noise_draft.h"
#include "fmgr.h"
#include "govern/contract_values.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "query/scan.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(secmed_draft_contract);

/* In the order of the SQL function. */
enum
{
	ARG_NAME, ARG_TITLE, ARG_PURPOSE, ARG_QUERY, ARG_PARAMETERS, ARG_PURPOSE_CODE, ARG_LEGAL_BASIS, ARG_TERMS, ARG_WHO,
	ARG_PATIENTS_MIN, ARG_ROUNDING, ARG_NOISE, ARG_RUNS_MAX, ARG_FROM, ARG_UNTIL, ARG_JURISDICTIONS, ARG_PRICE,
	ARG_PAYEES, ARG_VETTERS, ARG_ORGANISATIONS, ARG_APPROVALS, ARG_CONSENTS, ARG_REPLACES, ARG_AUTHOR
};

/* ---- plain arguments ---- */

static char *
text_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? pstrdup("") : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

static uint64
number_argument(FunctionCallInfo fcinfo, int arg, const char *what)
{
	int64		number = PG_ARGISNULL(arg) ? 0 : PG_GETARG_INT64(arg);

	if (number < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative", what)));
	return (uint64) number;
}

/* Microseconds since 1970; infinity is the last time there is. */
static int64
time_argument(FunctionCallInfo fcinfo, int arg, int64 missing)
{
	TimestampTz at;
	int64		us;

	if (PG_ARGISNULL(arg))
		return missing;
	at = PG_GETARG_TIMESTAMPTZ(arg);
	if (TIMESTAMP_IS_NOEND(at))
		return ENTRY_AT_US_MAX;
	us = at + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	if (us < 0 || us > ENTRY_AT_US_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("a contract is valid between the years 1970 and 9999")));
	return us;
}

static JsonbContainer *
json_argument(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : &PG_GETARG_JSONB_P(arg)->root;
}

/* ---- lists ---- */

static int
texts_of(const char *what, JsonbContainer *json, char ***texts)
{
	JsonbValue *elements;
	int			n = json_list(what, json, &elements);

	*texts = palloc(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		(*texts)[i] = json_text(what, &elements[i]);
		if ((*texts)[i] == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s holds a null", what)));
	}
	return n;
}

static char *
required_text(const char *what, JsonbContainer *json, const char *key)
{
	char	   *text = json_text(what, json_get(json, key));

	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has no \"%s\"", what, key)));
	return text;
}

static void
read_parameter(ContractParameter *param, JsonbContainer *json)
{
	static const char *const keys[] = {"name", "type", "words", "null", "min", "max", "values", "items_max", NULL};
	const char *what = "a parameter";

	json_keys(what, json, keys);
	param->name = required_text(what, json, "name");
	what = psprintf("parameter \"%s\"", param->name);
	param->type = contract_type_name(contract_type(required_text(what, json, "type")));
	param->words = json_text(what, json_get(json, "words"));
	if (param->words == NULL)
		param->words = "";
	param->null_allowed = json_truth(what, json_get(json, "null"), false);
	param->min = json_text(what, json_get(json, "min"));
	param->max = json_text(what, json_get(json, "max"));
	if (json_get(json, "values") != NULL)
		param->nvalues = texts_of(what, json_container(what, json_get(json, "values")), &param->values);
	param->items_max = json_number(what, json_get(json, "items_max"), 0);
	contract_bounds_normalize(param);
}

static void
read_parameters(Contract *contract, JsonbContainer *json)
{
	JsonbValue *elements;

	if (json == NULL)
		return;
	contract->nparams = json_list("parameters", json, &elements);
	if (contract->nparams > CONTRACT_PARAMETERS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a contract has at most %d parameters", CONTRACT_PARAMETERS_MAX)));
	contract->params = palloc0(sizeof(ContractParameter) * (contract->nparams + 1));
	for (int i = 0; i < contract->nparams; i++)
		read_parameter(&contract->params[i], json_container("a parameter", &elements[i]));
}

static void
read_identities(Contract *contract, JsonbContainer *json)
{
	char	  **texts;

	contract->nidentities = texts_of("who", json, &texts);
	contract->identities = palloc0(HASH_BYTES * (contract->nidentities + 1));
	for (int i = 0; i < contract->nidentities; i++)
	{
		Identity	identity;

		identity_require(&identity, texts[i]);
		memcpy(contract->identities[i], identity.fingerprint, HASH_BYTES);
	}
}

static void
read_who(Contract *contract, JsonbContainer *json)
{
	static const char *const keys[] = {"identities", "roles", "organisations", NULL};

	if (json == NULL)
		return;
	json_keys("who", json, keys);
	if (json_get(json, "identities"))
		read_identities(contract, json_container("who", json_get(json, "identities")));
	if (json_get(json, "roles"))
		contract->nroles = texts_of("who", json_container("who", json_get(json, "roles")), &contract->roles);
	if (json_get(json, "organisations"))
		contract->norganisations = texts_of("who", json_container("who", json_get(json, "organisations")), &contract->organisations);
}

static void
read_jurisdictions(Contract *contract, JsonbContainer *json)
{
	static const char *const keys[] = {"patients_min", "rule", NULL};
	char	  **codes;
	JsonbValue *values;

	if (json == NULL)
		return;
	contract->njurisdictions = json_pairs("jurisdictions", json, &codes, &values);
	contract->jurisdictions = palloc0(sizeof(ContractJurisdiction) * (contract->njurisdictions + 1));
	for (int i = 0; i < contract->njurisdictions; i++)
	{
		JsonbContainer *rule = json_keys("a jurisdiction", json_container("a jurisdiction", &values[i]), keys);
		char	   *words = json_text("a jurisdiction", json_get(rule, "rule"));

		contract->jurisdictions[i] = (ContractJurisdiction) {codes[i],
		json_number("patients_min", json_get(rule, "patients_min"), contract->patients_min), words ? words : ""};
	}
}

static void
read_payees(Contract *contract, JsonbContainer *json)
{
	char	  **accounts;
	JsonbValue *values;

	if (json == NULL)
		return;
	contract->npayees = json_pairs("payees", json, &accounts, &values);
	contract->payees = palloc0(sizeof(ContractPayee) * (contract->npayees + 1));
	for (int i = 0; i < contract->npayees; i++)
		contract->payees[i] = (ContractPayee) {accounts[i], json_number("payees", &values[i], 0)};
}

static void
read_approvals(Contract *contract, JsonbContainer *json)
{
	char	  **roles;
	JsonbValue *values;

	if (json == NULL)
		return;
	contract->napprovals = json_pairs("approvals", json, &roles, &values);
	contract->approvals = palloc0(sizeof(ContractApproval) * (contract->napprovals + 1));
	for (int i = 0; i < contract->napprovals; i++)
		contract->approvals[i] = (ContractApproval) {roles[i], json_number("approvals", &values[i], 0)};
}

/* ---- people and versions ---- */

static void
read_author(FunctionCallInfo fcinfo, Contract *contract)
{
	Identity	author;

	if (!PG_ARGISNULL(ARG_AUTHOR))
		identity_require(&author, text_to_cstring(PG_GETARG_TEXT_PP(ARG_AUTHOR)));
	else if (!identity_of_role(&author, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_CONTRACT),
				 errmsg("it is not known who the author is"),
				 errhint("Name an identity: author => '...'; or bind this role to one with secmed.bind_identity().")));
	memcpy(contract->author, author.fingerprint, HASH_BYTES);
}

static void
read_replaced(FunctionCallInfo fcinfo, Contract *contract)
{
	StoredContract before;

	contract->version = 1;
	if (PG_ARGISNULL(ARG_REPLACES))
		return;
	contract_require(&before, text_to_cstring(PG_GETARG_TEXT_PP(ARG_REPLACES)));
	if (strcmp(before.contract.name, contract->name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_CONTRACT),
				 errmsg("a new version has the name of the one before, \"%s\"", before.contract.name)));
	contract->has_replaces = true;
	memcpy(contract->replaces, before.hash, HASH_BYTES);
	contract->version = before.contract.version + 1;
}

static void
read_arguments(FunctionCallInfo fcinfo, Contract *contract)
{
	contract->name = text_argument(fcinfo, ARG_NAME);
	contract->title = text_argument(fcinfo, ARG_TITLE);
	contract->purpose = text_argument(fcinfo, ARG_PURPOSE);
	contract->query = text_argument(fcinfo, ARG_QUERY);
	contract->purpose_code = text_argument(fcinfo, ARG_PURPOSE_CODE);
	contract->legal_basis = text_argument(fcinfo, ARG_LEGAL_BASIS);
	contract->terms = text_argument(fcinfo, ARG_TERMS);
	contract->model = MODEL_HONEST_MAJORITY;
	contract->patients_min = number_argument(fcinfo, ARG_PATIENTS_MIN, "patients_min");
	contract->rounding = number_argument(fcinfo, ARG_ROUNDING, "rounding");
	contract->has_runs_max = !PG_ARGISNULL(ARG_RUNS_MAX);
	contract->runs_max = number_argument(fcinfo, ARG_RUNS_MAX, "runs_max");
	contract->from_us = time_argument(fcinfo, ARG_FROM, identity_now_us());
	contract->until_us = time_argument(fcinfo, ARG_UNTIL, ENTRY_AT_US_MAX);
	contract->price = number_argument(fcinfo, ARG_PRICE, "price");
	contract->vetters_min = number_argument(fcinfo, ARG_VETTERS, "vetters");
	contract->vetting_organisations_min = number_argument(fcinfo, ARG_ORGANISATIONS, "organisations");
	contract->consents_min = number_argument(fcinfo, ARG_CONSENTS, "consents_min");
	read_parameters(contract, json_argument(fcinfo, ARG_PARAMETERS));
	read_who(contract, json_argument(fcinfo, ARG_WHO));
	read_jurisdictions(contract, json_argument(fcinfo, ARG_JURISDICTIONS));
	read_payees(contract, json_argument(fcinfo, ARG_PAYEES));
	read_approvals(contract, json_argument(fcinfo, ARG_APPROVALS));
}

/* ---- the question ---- */

static void
refuse_question(const char *why, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NOT_ALLOWED),
			 errmsg("this can't be the question of a contract"),
			 errdetail("%c%s.", pg_toupper((unsigned char) why[0]), why + 1),
			 errhint("%s", hint)));
}

/* Which parameter of the contract each of the plan's is. */
static void
fill_plan_params(Contract *contract, List *params)
{
	ListCell   *lc;

	contract->plan_params = palloc(sizeof(int) * (list_length(params) + 1));
	foreach(lc, params)
	{
		Param	   *param = lfirst(lc);

		if (!IsA(param, Param) || param->paramkind != PARAM_EXTERN)
			refuse_question("a value in it would be computed by whoever asks, and no site could check it",
							"Use parameters as they are, not in expressions without columns; lists are parameters of type ...[], as in x = ANY ($1).");
		contract->plan_params[contract->nplan_params++] = param->paramid - 1;
	}
}

static const ContractSkeleton *
chosen_skeleton(const ContractQuestion *question)
{
	StringInfoData plan;
	ListCell   *lc;

	initStringInfo(&plan);
	if (question->over_sites)
		appendBinaryStringInfo(&plan, (const char *) question->plan, (int) question->plan_len);
	else if (!contract_plan_normalize(&plan, question->plan, question->plan_len))
		elog(ERROR, "a plan that this node has made is none");
	foreach(lc, question->skeletons)
	{
		const ContractSkeleton *skeleton = lfirst(lc);

		if (skeleton->plan.len == plan.len && memcmp(skeleton->plan.data, plan.data, plan.len) == 0)
			return skeleton;
	}
	elog(ERROR, "the plan of a question was not considered");
	return NULL;
}

static void
fill_node(NodeRef *node, const char *name)
{
	Peer		peer;

	node->name = pstrdup(name);
	if (strcmp(name, node_self()->card.name) == 0)
	{
		card_fingerprint(node->fingerprint, &node_self()->card);
		return;
	}
	peer_require(&peer, name);
	card_fingerprint(node->fingerprint, &peer.card);
}

static void
fill_nodes(Contract *contract, const ContractQuestion *question)
{
	Federation *federation = federation_of_server(question->scan->fs_server);

	contract->nsites = question->asks_sites ? federation->nsites : 0;
	for (int i = 0; i < contract->nsites; i++)
		fill_node(&contract->sites[i], federation->sites[i]);
	contract->nparties = PARTIES;
	for (int i = 0; i < PARTIES; i++)
		fill_node(&contract->parties[i], federation->parties[i]);
}

/* Over shares the smallest group is the tables', and stands in the plan. */
static void
check_threshold(Contract *contract, const ContractQuestion *question)
{
	uint64		threshold;

	if (contract->over_sites)
		return;
	threshold = linitial_int((List *) list_nth(question->scan->fdw_private, 4));
	if (contract->patients_min > Max(threshold, 1))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_CONTRACT),
				 errmsg("the smallest group of these tables is " UINT64_FORMAT " patients", threshold),
				 errhint("It is the tables' own: patients_min => " UINT64_FORMAT ".", Max(threshold, 1))));
}

static void
fill_question(Contract *contract)
{
	Oid		   *types = palloc(sizeof(Oid) * (contract->nparams + 1));
	ContractQuestion question;
	const ContractSkeleton *skeleton;
	const char *reason;

	for (int i = 0; i < contract->nparams; i++)
		types[i] = contract_type(contract->params[i].type);
	contract_query_plan(&question, contract->query, types, contract->nparams, NULL);
	skeleton = chosen_skeleton(&question);
	contract->over_sites = question.over_sites;
	contract->plan = (uint8 *) skeleton->plan.data;
	contract->plan_len = skeleton->plan.len;
	fill_plan_params(contract, skeleton->params);
	memcpy(contract->skeleton, skeleton->skeleton, HASH_BYTES);
	if (!contract_slots_of(contract, skeleton->taken, &reason))
		refuse_question(reason, "Write constants, or parameters as they are.");
	fill_nodes(contract, &question);
	check_threshold(contract, &question);
}

/* Of an answer over shared tables there is none, which contract_problem() says. */
static void
fill_noise(FunctionCallInfo fcinfo, Contract *contract)
{
	JsonbContainer *json = json_argument(fcinfo, ARG_NOISE);
	CanonicalPlan plan = {0};
	const char *reason;

	if (json == NULL)
		return;
	if (contract->over_sites && !plan_decode(&plan, contract->plan, contract->plan_len, &reason))
		elog(ERROR, "a plan that this node has made is none");
	contract->noise = noise_draft(json, &plan);
}

Datum
secmed_draft_contract(PG_FUNCTION_ARGS)
{
	Contract   *contract = palloc0(sizeof(Contract));
	Document	document;
	StringInfoData body;
	StringInfoData bytes;
	StringInfoData text;
	const char *reason;

	require_analyst();
	read_arguments(fcinfo, contract);
	read_author(fcinfo, contract);
	read_replaced(fcinfo, contract);
	fill_question(contract);
	fill_noise(fcinfo, contract);
	reason = contract_problem(contract);
	if (reason != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_CONTRACT),
				 errmsg("the contract %s", reason)));
	initStringInfo(&body);
	contract_encode(&body, contract);
	if (!document_begin(&document, body.data, body.len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the contract %s", reason)));
	initStringInfo(&bytes);
	document_encode(&bytes, &document);
	initStringInfo(&text);
	document_to_text(&text, bytes.data, bytes.len);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text.data, text.len));
}
