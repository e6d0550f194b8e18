/*
 * test_contract_terms.c
 *	  Contracts and acts: what was written is read, every rule refuses, and
 *	  the words say every field.
 */
#include "base/base.h"

#include <math.h>

#include "a_contract.h"
#include "vectors.h"

/* Contracts -----------------------------------------------------------------*/

static bool
contract_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	Contract	contract;

	if (!contract_decode(&contract, bytes, len, reason))
		return false;
	contract_encode(again, &contract);
	return true;
}

static StringInfoData
contract_bytes(const Contract *contract)
{
	StringInfoData out = empty();

	contract_encode(&out, contract);
	return out;
}

static void
test_bytes(void)
{
	Contract	contract = a_contract();
	StringInfoData bytes = contract_bytes(&contract);
	Contract	back;
	const char *reason;
	const NodeRef *signers;

	check(contract_decode(&back, bytes.data, bytes.len, &reason) && strcmp(back.name, "survival") == 0 &&
		  back.version == 2 && back.has_replaces && back.nslots == 4 && back.slots[1].parameter == 1 &&
		  back.slots[2].parameter == -1 && strcmp(back.slots[2].value, "1") == 0 && back.slots[3].value == NULL &&
		  back.params[0].nvalues == 0 && strcmp(back.params[0].max, "80") == 0 && back.params[1].null_allowed &&
		  back.params[1].items_max == 4 && back.until_us == UNTIL_US && back.payees[0].weight == 2 &&
		  back.consents_min == 1000 && back.noise->rho == 10000 && back.noise->rows_max == 3 &&
		  back.noise->thresholds && back.noise->bounds[0].high == 1 && back.runs_max == 100,
		  "a contract says what was written");
	check(contract_parameter(&back, "stages") == 1 && contract_parameter(&back, "stage") == -1,
		  "parameters are found by name");
	check(contract_signers(&back, &signers) == 2 && strcmp(signers[1].name, "lmu") == 0, "its sites sign it");
	check(contract_patients_min(&back, "US-CA") == 20 && contract_patients_min(&back, "FR") == 11,
		  "a jurisdiction may ask for more patients");
	test_hostile("contract", contract_again, &bytes);
}

/* A constant string that names the rule, or "accepted". */
#define rule(wanted, what, ...) \
	do { \
		Contract	contract = a_contract(); \
		ContractParameter params[2]; \
		StringInfoData bytes; \
		memcpy(params, contract.params, sizeof(params)); \
		contract.params = params; \
		__VA_ARGS__; \
		bytes = contract_bytes(&contract); \
		check_refused(contract_again, bytes, wanted, what); \
	} while (0)

static void
test_heading_rules(void)
{
	rule("accepted", "the contract");
	rule("has a name that is not of [a-z0-9_-], beginning with a letter", "a name with a capital", contract.name = "Survival");
	rule("has no title", "no title", contract.title = "");
	rule("has no version", "version 0", contract.version = 0);
	rule("names the version before it if and only if it is not the first", "a first version that replaces", contract.version = 1);
	rule("accepted", "a first version", contract.version = 1; contract.has_replaces = false);
	rule("names the version before it if and only if it is not the first", "a second that does not", contract.has_replaces = false);
	rule("has no purpose", "no purpose code", contract.purpose_code = "");
	rule("has no purpose", "no purpose", contract.purpose = "");
	rule("has no legal basis", "no legal basis", contract.legal_basis = "");
	rule("has no terms", "no terms", contract.terms = "");
	rule("accepted", "the longest title", contract.title = text_of(CONTRACT_LINE_MAX));
	rule(TOO_LONG, "a longer title", contract.title = text_of(CONTRACT_LINE_MAX + 1));
	rule(TOO_LONG, "too long terms", contract.terms = text_of(CONTRACT_TEXT_MAX + 1));
}

static void
test_parameter_rules(void)
{
	static char *down[] = {"II", "I"};
	static char *same[] = {"I", "I"};

	rule("has a parameter whose name is not of [a-z0-9_-], beginning with a letter", "a nameless parameter", params[0].name = "");
	rule("has two parameters of one name", "two of one name", params[1].name = "age");
	rule("has a parameter without bounds", "no bounds", params[0].min = params[0].max = NULL);
	rule("has a parameter with one bound only", "no upper bound", params[0].max = NULL);
	rule("has a parameter with one bound only", "no lower bound", params[0].min = NULL);
	rule("has a parameter with bounds and a list of values", "bounds and values",
		 params[1].min = "I"; params[1].max = "IV");
	rule("has a parameter whose values do not rise", "values that fall", params[1].values = down; params[1].nvalues = 2);
	rule("has a parameter whose values do not rise", "a value twice", params[1].values = same; params[1].nvalues = 2);
	rule("has a parameter that is a list without a largest number of elements, or the other way round",
		 "a list without a largest number", params[1].items_max = 0);
	rule("has a parameter that is a list without a largest number of elements, or the other way round",
		 "a number of elements of no list", params[0].items_max = 3);
	rule("has a parameter of another type than in its plan", "another type", params[0].type = "bigint");
	rule("has a parameter that its question does not use", "an unused parameter",
		 ContractParameter three[3]; memcpy(three, params, sizeof(params)); three[2] = params[0];
		 three[2].name = "unused"; contract.params = three; contract.nparams = 3);
}

static void
test_question_rules(void)
{
	rule("has no question", "no question", contract.query = "");
	rule("has no plan", "no plan", contract.plan_len = 0);
	rule("holds a plan that is not one", "half a plan", contract.plan_len /= 2);
	rule("has another number of parameters than its plan", "one parameter less", contract.nplan_params = 1);
	rule("has a plan with a parameter that it does not declare", "a third parameter",
		 int third[] = {0, 2}; contract.plan_params = third);
	rule("has a question with a parameter that it does not declare", "a slot of a third parameter",
		 ContractSlot slot = {2}; contract.slots = &slot; contract.nslots = 1);
	rule("has a constant without a type", "a slot without a type",
		 ContractSlot slot = {-1, "", "1"}; contract.slots = &slot; contract.nslots = 1);
	rule("accepted", "over shared tables", contract.over_sites = false; contract.nsites = 0;
		 contract.noise = NULL);
	rule("asks for noise on an answer over shared tables", "noise over shared tables", contract.over_sites = false;
		 contract.nsites = 0);
	rule("accepted", "over rows that sites share", contract.over_sites = false; contract.noise = NULL);
	rule("names fewer than two sites", "over rows of one site", contract.over_sites = false; contract.noise = NULL; contract.nsites = 1);
}

static void
test_people_rules(void)
{
	char	   *wizard = "wizard";
	char	   *twice[] = {"LMU", "LMU"};
	ContractApproval approval[] = {{"auditor", 1}, {"auditor", 1}};

	rule("lets nobody ask", "nobody", contract.nidentities = contract.nroles = contract.norganisations = 0);
	rule("accepted", "one role only", contract.nidentities = contract.norganisations = 0);
	rule("lets an unknown role ask", "a role that there is not", contract.roles = &wizard; contract.nroles = 1);
	rule("names a role or organisation twice, or one without a name", "an organisation twice",
		 contract.organisations = twice; contract.norganisations = 2);
	rule("is vetted by nobody", "no vetters", contract.vetters_min = 0);
	rule("asks for vetters of more organisations than vetters, or of none", "3 organisations of 2 vetters",
		 contract.vetting_organisations_min = 3);
	rule("asks for vetters of more organisations than vetters, or of none", "vetters of no organisation",
		 contract.vetting_organisations_min = 0);
	rule("asks for an approval by an unknown role, or by nobody", "no approver",
		 approval[0].number = 0; contract.approvals = approval);
	rule("asks a role for approval twice", "a role twice",
		 approval[0].number = 1; contract.approvals = approval; contract.napprovals = 2);
	rule("names fewer than two sites", "one site", contract.nsites = 1);
	rule("names a node twice", "a site twice", contract.sites[1].name = "charite");
	rule("names a node twice", "a party twice", contract.parties[1].name = "charite");
	rule("does not name three parties", "two parties", contract.nparties = 2);
	rule("accepted", "whichever parties", contract.nparties = 0);
	rule("does not name three parties", "a shared table's whichever parties", contract.over_sites = false;
		 contract.noise = NULL; contract.nparties = contract.nsites = 0);
	rule("names an unknown security model", "another model", contract.model = "trust me");
}

static void
test_disclosure_rules(void)
{
	ContractJurisdiction smaller = {"DE", 10, ""};
	ContractJurisdiction nowhere = {"", 11, ""};
	ContractPayee nothing = {"charite", 0};

	rule("allows groups of nobody", "groups of nobody", contract.patients_min = 0);
	rule("accepted", "no noise", contract.noise = NULL);
	rule("allows no run", "no run", contract.runs_max = 0);
	rule("accepted", "any number of runs", contract.has_runs_max = false);
	rule("ends before it begins", "an empty period", contract.until_us = contract.from_us);
	rule("has a jurisdiction with a smaller group than its own", "a jurisdiction with fewer patients",
		 contract.jurisdictions = &smaller; contract.njurisdictions = 1);
	rule("has a rule of no jurisdiction", "nowhere", contract.jurisdictions = &nowhere; contract.njurisdictions = 1);
	rule("has a price and nobody who gets it, or the other way round", "a price for nobody", contract.npayees = 0);
	rule("has a price and nobody who gets it, or the other way round", "payees of nothing", contract.price = 0);
	rule("accepted", "free", contract.price = 0; contract.npayees = 0);
	rule("has a payee without an account, or who gets nothing", "a payee of nothing",
		 contract.payees = &nothing; contract.npayees = 1);
}

static void
test_noise_rules(void)
{
	NoiseBound	narrow = {0, 2, 0};
	NoiseBound	none = {1, 1, 0};
	NoiseBound	vast = {0, NOISE_BOUND_MAX, 0};
	NoiseBound	two[] = {{0, 1, 0}, {0, 1, 0}};
	StringInfoData bytes;
	Contract	contract = a_contract();
	int			at = 0;

	rule("asks for noise and spends nothing on it, or more than a rho of 100", "no rho", contract.noise->rho = 0);
	rule("asks for noise and spends nothing on it, or more than a rho of 100", "a rho of more than 100",
		 contract.noise->rho = NOISE_RHO_MAX + 1);
	rule("asks for noise and does not say how many rows of a patient count", "no rows", contract.noise->rows_max = 0);
	rule("asks for noise and does not say how many rows of a patient count", "any number of rows",
		 contract.noise->rows_max = NOISE_ROWS_MAX + 1);
	rule("asks for noise and does not bound every value of its question", "no bounds", contract.noise->nbounds = 0);
	rule("asks for noise and does not bound every value of its question", "bounds of what is not asked",
		 contract.noise->nbounds = 2; contract.noise->bounds = two);
	rule("asks for noise and counts a row as something other than one", "rows that count double",
		 contract.noise->bounds = &narrow);
	rule("asks for noise and counts a row as something other than one", "an empty range", contract.noise->bounds = &none);
	rule("asks for noise and counts a row as something other than one", "a vast range", contract.noise->bounds = &vast);
	none = (NoiseBound) {1, 1, 0};
	contract.noise->bounds = &none;
	check(strcmp(noise_problem(contract.noise), "asks for noise and bounds a value by what is no range") == 0, "an empty range");
	none = (NoiseBound) {-NOISE_BOUND_MAX - 1, 1, 0};
	check(strcmp(noise_problem(contract.noise), "asks for noise and bounds a value by what is no range") == 0, "too wide a range");
	none = (NoiseBound) {0, 1, NOISE_SCALE_MAX + 1};
	check(strcmp(noise_problem(contract.noise), "asks for noise and bounds a value by what is no range") == 0, "too fine a unit");
	none = (NoiseBound) {0, NOISE_BOUND_MAX, 0};
	contract.noise->rows_max = NOISE_ROWS_MAX;
	check(strcmp(noise_problem(contract.noise), "asks for more noise than can be drawn") == 0, "too much noise");

	contract = a_contract();
	bytes = contract_bytes(&contract);
	while (memcmp(bytes.data + at, "gaussian", 8) != 0)
		at++;
	bytes.data[at] = 'G';
	check_refused(contract_again, bytes, "asks for noise of an unknown kind", "pink noise");
}

/* How much noise: by hand, exactly. */
static void
test_noise_arithmetic(void)
{
	NoiseBound	bounds[] = {{0, 1, 0}, {-20, 5, 1}, {3, 120, 0}};
	Noise		noise = {.rho = 500000, .rows_max = 1, .nbounds = 1, .bounds = bounds};

	/* One count, rho 1/2: sigma^2 = 1 / (2 rho) = 1, a party's 1/2; but none draws with less than 4. */
	check(noise_sensitivity(&noise, 0) == 1 && noise_sigma_of_party(&noise, 0) == NOISE_SIGMA_MIN, "the least noise");
	/* rho 1/200: sigma^2 = 100, a party's 50, above 7^2. */
	noise.rho = 5000;
	check(noise_sigma_of_party(&noise, 0) == 8, "sigma is rounded up");
	/* rho 1/512: sigma^2 = 256, a party's 128 + ...: 1 / (4 rho) = 128 is above 11^2. */
	noise.rho = 1000000 / 400;
	/* 1 / (4 rho) = 100 exactly is 10^2, and the noise is a little more. */
	check(noise_sigma_of_party(&noise, 0) == 11, "and up also from an integer");
	noise.rows_max = 7;
	check(noise_sigma_of_party(&noise, 0) == 71, "as many times as a patient has rows");
	noise.nbounds = 3;
	/* 3 7^2 100 = 14700 is above 121^2. */
	check(noise_sigma_of_party(&noise, 0) == 122, "components share what is spent");
	check(noise_sensitivity(&noise, 1) == 140 && noise_sensitivity(&noise, 2) == 840, "the larger bound counts");
	/* 3 140^2 100 = 5880000 is above 2424^2. */
	check(noise_sigma_of_party(&noise, 1) == 2425, "in the component's units");
	check(fabs(noise_sigma(&noise, 1) - sqrt(3) * 242.5) < 1e-9, "an answer has the noise of three, in units of one");
	check(fabs(noise_epsilon(500000, 1e-6) - 5.7565) < 1e-4, "rho 0.5 is epsilon 5.76 at delta 1e-6");
}

static void
test_terms_hash(void)
{
	Contract	contract = a_contract();
	StringInfoData bytes = contract_bytes(&contract);
	int			at = 0;

	while (memcmp(bytes.data + at, "Results", 7) != 0)
		at++;
	bytes.data[at] = 'r';
	check_refused(contract_again, bytes, "names another hash than that of its terms", "other terms");
}

static void
test_words(void)
{
	Contract	contract = a_contract();
	StringInfoData bytes = contract_bytes(&contract);
	StringInfoData words = empty();
	static const char *const said[] = {
		"survival", "Survival by sex", "HRESCH", "Does survival differ", "GDPR Art. 9(2)(j)", "in aggregate only",
		"stage = ANY ($2)", "age integer: 18 to 80", "one of I, II, III, IV, at most 4 of them, or NULL",
		"analyst, sponsor", "Charité", "charite, ", "gemelli, ", "honest-majority", "gaussian, rho 0.010000", "3 rows at most", "withheld as well", "from 0 to 1, standard",
		"2023-11-14 22:13:20", "2024-11-13", "DE: groups of 11; § 287a SGB V", "US-CA: groups of 20", "30 credits",
		"lmu, 1 parts", "2 of 2 organisations", "1 yes of role protection-officer", "1000", "terms hash",
	};

	contract_describe(&words, bytes.data, bytes.len);
	for (int i = 0; i < lengthof(said); i++)
		check(strstr(words.data, said[i]) != NULL, "the text says %s", said[i]);
	memory_reset();
}

/* Acts ----------------------------------------------------------------------*/

static bool
act_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	ContractAct act;

	if (!contract_act_decode(&act, bytes, len, reason))
		return false;
	contract_act_encode(again, &act);
	return true;
}

static StringInfoData
act_bytes(const ContractAct *act)
{
	StringInfoData out = empty();

	contract_act_encode(&out, act);
	return out;
}

#define acts(wanted, what, verb, ...) \
	do { \
		ContractAct act = a_contract_act(verb); \
		StringInfoData bytes; \
		__VA_ARGS__; \
		bytes = act_bytes(&act); \
		check_refused(act_again, bytes, wanted, what); \
	} while (0)

static void
test_acts(void)
{
	for (int verb = CONTRACT_PROPOSE; verb <= CONTRACT_VERB_MAX; verb++)
	{
		ContractAct act = a_contract_act(verb);
		StringInfoData bytes = act_bytes(&act);

		check(contract_verb_of_name(contract_verb_name(verb)) == verb, "%s has a name", contract_verb_name(verb));
		test_hostile(contract_verb_name(verb), act_again, &bytes);
	}
	check(contract_verb_of_name("ignore") == 0, "nothing else has");
	acts("signs for no node", "a signature for no node", CONTRACT_SIGN, act.node = NULL);
	acts("names a node that it does not need, or that is none", "a bad node", CONTRACT_SIGN, act.node = "LMU");
	acts("names a node that it does not need, or that is none", "vetting for a node", CONTRACT_VET, act.node = "lmu");
	acts("accepted", "suspending for a node", CONTRACT_SUSPEND, act.node = "lmu");
	acts("has a meaning if and only if it vets", "vetting without meaning", CONTRACT_VET, act.meaning = NULL);
	acts("has a meaning if and only if it vets", "a revocation with meaning", CONTRACT_REVOKE, act.meaning = "review");
	acts("means neither review nor approval nor responsibility", "an odd meaning", CONTRACT_VET, act.meaning = "fun");
	acts("gives no reason", "a revocation without reason", CONTRACT_REVOKE, act.words = "");
	acts("gives no reason", "an objection without reason", CONTRACT_OBJECT, act.words = "");
	acts("gives no reason", "a suspension without reason", CONTRACT_SUSPEND, act.words = "");
	acts("accepted", "a yes without words", CONTRACT_VET, act.words = "");
	acts(TOO_LONG, "a long reason", CONTRACT_REVOKE, act.words = text_of(CONTRACT_ACT_WORDS_MAX + 1));
}

/* Against a second implementation. */
static void
test_vectors(void)
{
	Contract	contract = a_contract();
	ContractAct act = a_contract_act(CONTRACT_VET);
	StringInfoData bytes = contract_bytes(&contract);
	StringInfoData wanted = vector_bytes("contract", "bytes");

	check(wanted.len == bytes.len && memcmp(wanted.data, bytes.data, bytes.len) == 0, "contract: bytes");
	bytes = act_bytes(&act);
	wanted = vector_bytes("contract_act", "bytes");
	check(wanted.len == bytes.len && memcmp(wanted.data, bytes.data, bytes.len) == 0, "contract_act: bytes");
	memory_reset();
}

int
main(void)
{
	test_vectors();
	test_bytes();
	test_heading_rules();
	test_parameter_rules();
	test_question_rules();
	test_people_rules();
	test_disclosure_rules();
	test_noise_rules();
	test_noise_arithmetic();
	test_terms_hash();
	test_words();
	test_acts();
	memory_reset();
	return unit_done();
}
