/*
 * a_contract.h
 *	  A contract with most of what there is; its bytes are in test/vectors.
 */
#ifndef SECMED_TEST_A_CONTRACT_H
#define SECMED_TEST_A_CONTRACT_H

#include "contract/act.h"
#include "contract/contract.h"
#include "hostile.h"

#define FROM_US		INT64CONST(1700000000000000)
#define UNTIL_US	INT64CONST(1731536000000000)

/* SELECT sex, count(*) ... WHERE age >= $1 AND stage = ANY ($2), one key, one component */
static inline StringInfoData
a_contract_plan(void)
{
	static char *sex[] = {"f", "m"};
	static char *types[] = {"integer", "text[]"};
	static PlanColumn columns[] = {{"age", "integer"}, {"sex", "text"}, {"stage", "text"}};
	static PlanTable table = {"trial", 3, columns};
	static PlanKey key = {"text", 2, sex};
	static ComponentKind kind = COMPONENT_COUNT;
	static int	part = 0;
	CanonicalPlan plan = {"SELECT r1.sex, count(*) FROM secmed_published.trial r1 WHERE ((r1.age >= $1)) AND ((r1.stage = ANY ($2))) GROUP BY 1",
		1, &table, 2, types, 1, &key, 1, &kind, &part, 1};
	StringInfoData out = empty();

	plan_encode(&out, &plan);
	return out;
}

static inline Contract
a_contract(void)
{
	static int	plan_params[] = {0, 1};
	static char *stages[] = {"I", "II", "III", "IV"};
	static ContractParameter params[] = {
		{"age", "integer", "at least so old", false, "18", "80"},
		{"stages", "text[]", "stages of the tumour", true, NULL, NULL, 4, stages, 4},
	};
	static ContractSlot slots[] = {{0}, {1}, {-1, "integer", "1"}, {-1, "text", NULL}};
	static uint8 identities[1][HASH_BYTES];
	static char *roles[] = {"analyst", "sponsor"};
	static char *organisations[] = {"Charité"};
	static ContractJurisdiction jurisdictions[] = {{"DE", 11, "§ 287a SGB V"}, {"US-CA", 20, ""}};
	static ContractPayee payees[] = {{"charite", 2}, {"lmu", 1}};
	static ContractApproval approvals[] = {{"protection-officer", 1}};
	static NoiseBound count = {0, 1, 0};
	static Noise noise;
	StringInfoData plan = a_contract_plan();
	Contract	contract = {
		.name = "survival", .title = "Survival by sex in oncology", .version = 2, .has_replaces = true,
		.purpose_code = "HRESCH", .purpose = "Does survival differ by sex?",
		.legal_basis = "GDPR Art. 9(2)(j)", .terms = "Results are published in aggregate only.",
		.over_sites = true, .query = "SELECT sex, count(*) FROM trial WHERE age >= $1 AND stage = ANY ($2) GROUP BY sex",
		.plan = (uint8 *) plan.data, .plan_len = plan.len, .nplan_params = 2, .plan_params = plan_params,
		.nslots = 4, .slots = slots, .nparams = 2, .params = params,
		.nidentities = 1, .identities = identities, .nroles = 2, .roles = roles,
		.norganisations = 1, .organisations = organisations,
		.nsites = 2, .sites = {{"charite"}, {"lmu"}}, .nparties = 3,
		.parties = {{"charite"}, {"gemelli"}, {"lmu"}}, .model = MODEL_HONEST_MAJORITY,
		.patients_min = 11, .rounding = 5, .noise = &noise, .has_runs_max = true, .runs_max = 100,
		.from_us = FROM_US, .until_us = UNTIL_US,
		.njurisdictions = 2, .jurisdictions = jurisdictions, .price = 30, .npayees = 2, .payees = payees,
		.vetters_min = 2, .vetting_organisations_min = 2, .napprovals = 1, .approvals = approvals,
		.consents_min = 1000,
	};

	noise = (Noise) {.rho = 10000, .rows_max = 3, .thresholds = true, .nbounds = 1, .bounds = &count};
	fill(contract.replaces, HASH_BYTES, 1);
	fill(contract.author, HASH_BYTES, 2);
	fill(contract.skeleton, HASH_BYTES, 3);
	fill(identities[0], HASH_BYTES, 4);
	for (int i = 0; i < 2; i++)
		fill(contract.sites[i].fingerprint, HASH_BYTES, 10 + i);
	for (int i = 0; i < PARTIES; i++)
		fill(contract.parties[i].fingerprint, HASH_BYTES, 20 + i);
	return contract;
}

static inline ContractAct
a_contract_act(ContractVerb verb)
{
	ContractAct act = {.verb = verb, .at_us = FROM_US, .words = "read line by line"};

	fill(act.contract, HASH_BYTES, 5);
	if (verb == CONTRACT_SIGN)
		act.node = "lmu";
	if (verb == CONTRACT_VET)
		act.meaning = "approval";
	return act;
}

#endif							/* SECMED_TEST_A_CONTRACT_H */
