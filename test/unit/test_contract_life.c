/*
 * test_contract_life.c
 *	  The state of a contract: every subset of a list of deeds, under every
 *	  combination of facts, against rules written down a second time; and in every order.
 */
#include "base/base.h"

#include "a_contract.h"
#include "contract/life.h"

/* Two vetters of two organisations, two sites: small enough for all subsets. */
static Contract
the_contract(void)
{
	Contract	contract = a_contract();

	contract.consents_min = 2;
	return contract;
}

enum
{
	AUTHOR, ADA, BEN, CARL, OWNER1, OWNER2, BOARD
};

#define EARLY	(FROM_US - 100)

static ContractDeed
deed_of(int person, ContractVerb verb, const char *node)
{
	static const char *const organisations[] = {"Uni", "Uni", "LMU", "LMU", "Charité", "LMU", ""};
	ContractDeed deed = {.act = a_contract_act(verb), .organisation = organisations[person], .valid = true};

	deed.act.at_us = EARLY;
	deed.act.node = node ? pstrdup(node) : NULL;
	fill(deed.person, HASH_BYTES, 100 + person);
	deed.vetter = person == ADA || person == BEN || person == CARL || person == AUTHOR;
	deed.owns = (person == OWNER1 && node && strcmp(node, "charite") == 0) ||
		(person == OWNER2 && node && strcmp(node, "lmu") == 0);
	deed.governs = person == BOARD;
	return deed;
}

static ContractFacts
facts_of(const ContractDeed *deeds, int n)
{
	ContractFacts facts = {.now_us = FROM_US, .ndeeds = n, .deeds = deeds, .paid = true, .consents = 2};

	fill(facts.author, HASH_BYTES, 100 + AUTHOR);
	return facts;
}

/* Every subset ------------------------------------------------------------------*/

enum
{
	D_PROPOSE, D_ADA, D_BEN, D_CARL, D_BEN_OBJECTS, D_SIGN1, D_SIGN2, D_SUSPEND, D_RESUME, D_REVOKE, D_AUTHOR_VETS,
	D_WRONG_OWNER, DEEDS
};

static void
all_deeds(ContractDeed *deeds)
{
	deeds[D_PROPOSE] = deed_of(AUTHOR, CONTRACT_PROPOSE, NULL);
	deeds[D_ADA] = deed_of(ADA, CONTRACT_VET, NULL);
	deeds[D_BEN] = deed_of(BEN, CONTRACT_VET, NULL);
	deeds[D_CARL] = deed_of(CARL, CONTRACT_VET, NULL);
	deeds[D_BEN_OBJECTS] = deed_of(BEN, CONTRACT_OBJECT, NULL);
	deeds[D_SIGN1] = deed_of(OWNER1, CONTRACT_SIGN, "charite");
	deeds[D_SIGN2] = deed_of(OWNER2, CONTRACT_SIGN, "lmu");
	deeds[D_SUSPEND] = deed_of(OWNER2, CONTRACT_SUSPEND, "lmu");
	deeds[D_RESUME] = deed_of(OWNER2, CONTRACT_RESUME, "lmu");
	deeds[D_RESUME].act.at_us++;
	deeds[D_REVOKE] = deed_of(BOARD, CONTRACT_REVOKE, NULL);
	deeds[D_AUTHOR_VETS] = deed_of(AUTHOR, CONTRACT_VET, NULL);
	deeds[D_WRONG_OWNER] = deed_of(OWNER1, CONTRACT_SIGN, "lmu");
}

/* The rules again, for this list only. */
static ContractState
expected_state(int set, int facts)
{
	bool		ada = set >> D_ADA & 1;
	bool		ben = (set >> D_BEN & 1) && !(set >> D_BEN_OBJECTS & 1);	/* at one time no wins */
	bool		carl = set >> D_CARL & 1;
	bool		expired = facts & 1,
				waiting = facts & 2,
				replaced = facts & 4;

	if (set >> D_REVOKE & 1)
		return CONTRACT_REVOKED;
	if (replaced)
		return CONTRACT_REPLACED;
	if (expired)
		return CONTRACT_EXPIRED;
	if ((set >> D_SUSPEND & 1) && !(set >> D_RESUME & 1))
		return CONTRACT_SUSPENDED;
	if (!(set >> D_PROPOSE & 1))
		return CONTRACT_DRAFT;
	if (!ada || !(ben || carl))	/* Ben and Carl are of one organisation */
		return CONTRACT_PROPOSED;
	if (!(set >> D_SIGN1 & 1) || !(set >> D_SIGN2 & 1))
		return CONTRACT_VETTED;
	return waiting ? CONTRACT_SIGNED : CONTRACT_ACTIVE;
}

static int
subset(ContractDeed *chosen, const ContractDeed *deeds, int set)
{
	int			n = 0;

	for (int i = 0; i < DEEDS; i++)
		if (set >> i & 1)
			chosen[n++] = deeds[i];
	return n;
}

static void
apply_facts(ContractFacts *facts, int which)
{
	facts->now_us = which & 1 ? UNTIL_US : FROM_US;
	if (which & 2)
		facts->consents = 1;
	facts->replaced = (which & 4) != 0;
}

static void
test_all_subsets(void)
{
	Contract	contract = the_contract();
	ContractDeed deeds[DEEDS];
	ContractDeed chosen[DEEDS];
	int			seen[CONTRACT_STATE_MAX + 1] = {0};
	int			wrong = 0;

	all_deeds(deeds);
	for (int set = 0; set < 1 << DEEDS; set++)
		for (int which = 0; which < 8; which++)
		{
			ContractFacts facts = facts_of(chosen, subset(chosen, deeds, set));
			ContractLife life;

			apply_facts(&facts, which);
			life = contract_life(&contract, &facts);
			wrong += life.state != expected_state(set, which);
			seen[life.state]++;
		}
	check(wrong == 0, "the state of %d sets of deeds under 8 sets of facts", 1 << DEEDS);
	for (int state = CONTRACT_DRAFT; state <= CONTRACT_STATE_MAX; state++)
		check(seen[state] > 0, "%d of them are %s", seen[state], contract_state_name(state));
	memory_reset();
}

/* Every order ---------------------------------------------------------------------*/

static bool
same_life(const ContractLife *a, const ContractLife *b)
{
	return a->state == b->state && a->waits == b->waits && a->vetters == b->vetters &&
		a->organisations == b->organisations && a->objections == b->objections &&
		a->suspensions == b->suspensions && a->signed_by == b->signed_by && a->nsigned == b->nsigned;
}

/* Heap's permutations. */
static int
permute(const Contract *contract, ContractDeed *deeds, int n, int k, const ContractLife *wanted)
{
	int			wrong = 0;

	if (k == 1)
	{
		ContractFacts facts = facts_of(deeds, n);
		ContractLife life = contract_life(contract, &facts);

		return !same_life(&life, wanted);
	}
	for (int i = 0; i < k; i++)
	{
		int			other = k % 2 == 0 ? i : 0;
		ContractDeed swapped;

		wrong += permute(contract, deeds, n, k - 1, wanted);
		swapped = deeds[other];
		deeds[other] = deeds[k - 1];
		deeds[k - 1] = swapped;
	}
	return wrong;
}

static void
test_all_orders(void)
{
	static const int sets[] = {
		1 << D_PROPOSE | 1 << D_ADA | 1 << D_BEN | 1 << D_CARL | 1 << D_SIGN1 | 1 << D_SIGN2 | 1 << D_SUSPEND | 1 << D_RESUME,
		1 << D_PROPOSE | 1 << D_ADA | 1 << D_BEN | 1 << D_BEN_OBJECTS | 1 << D_CARL | 1 << D_SUSPEND | 1 << D_WRONG_OWNER,
	};
	Contract	contract = the_contract();
	ContractDeed deeds[DEEDS];
	ContractDeed chosen[DEEDS];

	all_deeds(deeds);
	for (int i = 0; i < lengthof(sets); i++)
	{
		int			n = subset(chosen, deeds, sets[i]);
		ContractFacts facts = facts_of(chosen, n);
		ContractLife life = contract_life(&contract, &facts);

		check(permute(&contract, chosen, n, n, &life) == 0, "%d deeds in every order give one state, %s", n,
			  contract_state_name(life.state));
	}
	memory_reset();
}

/* Single rules --------------------------------------------------------------------*/

static ContractLife
life_with(ContractDeed *deeds, int n)
{
	Contract	contract = the_contract();
	ContractFacts facts = facts_of(deeds, n);

	return contract_life(&contract, &facts);
}

static void
test_rules(void)
{
	Contract	contract = the_contract();
	ContractDeed deeds[8];
	ContractLife life;
	StringInfoData words = empty();

	for (int i = 0; i < 4; i++)
		deeds[i] = deed_of(BEN, i % 2 ? CONTRACT_OBJECT : CONTRACT_VET, NULL);
	for (int i = 0; i < 4; i++)
		deeds[i].act.at_us += i;
	life = life_with(deeds, 4);
	check(life.vetters == 0 && life.objections == 1, "of a vetter who changes his mind the last word counts");
	life = life_with(deeds, 3);
	check(life.vetters == 1 && life.objections == 0, "also back to yes");

	deeds[0] = deed_of(ADA, CONTRACT_VET, NULL);
	deeds[1] = deed_of(ADA, CONTRACT_VET, NULL);
	deeds[1].act.at_us++;
	life = life_with(deeds, 2);
	check(life.vetters == 1 && life.organisations == 1, "who says yes twice counts once");
	deeds[0].valid = false;
	deeds[1].removed = true;
	life = life_with(deeds, 2);
	check(life.vetters == 0, "a yes of who was not admitted, or was removed, counts nothing");
	deeds[1].act.verb = CONTRACT_OBJECT;
	life = life_with(deeds, 2);
	check(life.objections == 1, "an objection of who was removed since still stands");
	deeds[1] = deed_of(ADA, CONTRACT_REVOKE, NULL);
	life = life_with(deeds + 1, 1);
	check(life.state == CONTRACT_DRAFT, "a vetter can't revoke");
	deeds[0] = deed_of(AUTHOR, CONTRACT_REVOKE, NULL);
	deeds[0].removed = true;
	life = life_with(deeds, 1);
	check(life.state == CONTRACT_REVOKED, "a revocation stands though who revoked was removed since");

	deeds[0] = deed_of(ADA, CONTRACT_SUSPEND, NULL);
	deeds[1] = deed_of(OWNER1, CONTRACT_RESUME, "charite");
	deeds[1].act.at_us++;
	life = life_with(deeds, 2);
	check(life.state == CONTRACT_SUSPENDED, "nobody resumes what somebody else suspended");
	deeds[1] = deed_of(ADA, CONTRACT_RESUME, NULL);
	life = life_with(deeds, 2);
	check(life.state == CONTRACT_SUSPENDED, "suspended and resumed at one time is suspended");

	deeds[0] = deed_of(BEN, CONTRACT_PROPOSE, NULL);
	life = life_with(deeds, 1);
	check(life.state == CONTRACT_DRAFT && life.waits & CONTRACT_WAITS_PROPOSAL, "only its author proposes it");
	deeds[0] = deed_of(OWNER2, CONTRACT_SIGN, "lmu");
	life = life_with(deeds, 1);
	contract_waits(&words, &contract, &life);
	check(strcmp(words.data, "its author has not proposed it; 0 of 2 vetters have said yes; "
				 "vetters of 0 of 2 organisations have said yes; not signed by site \"charite\"") == 0,
		  "what it waits for: %s", words.data);
	deeds[0] = deed_of(OWNER2, CONTRACT_SIGN, "mayo");
	deeds[0].owns = true;
	check(life_with(deeds, 1).signed_by == 0, "a site that is not of the contract signs nothing");
	memory_reset();
}

static void
test_waits(void)
{
	Contract	contract = the_contract();
	ContractDeed deeds[DEEDS];
	ContractFacts facts = facts_of(deeds, D_CARL);
	ContractLife life;

	all_deeds(deeds);
	deeds[D_CARL] = deeds[D_SIGN1];
	deeds[D_CARL + 1] = deeds[D_SIGN2];
	facts.ndeeds = D_CARL + 2;
	check(contract_life(&contract, &facts).state == CONTRACT_ACTIVE, "active when the last condition is there");
	facts.now_us = FROM_US - 1;
	life = contract_life(&contract, &facts);
	check(life.state == CONTRACT_SIGNED && life.waits == CONTRACT_WAITS_DATE, "not a microsecond earlier");
	facts.now_us = UNTIL_US - 1;
	check(contract_life(&contract, &facts).state == CONTRACT_ACTIVE, "until the last microsecond");
	facts.paid = false;
	check(contract_life(&contract, &facts).waits == CONTRACT_WAITS_PAYMENT, "it may wait for payment");
	facts.paid = true;
	facts.consents = 1;
	check(contract_life(&contract, &facts).waits == CONTRACT_WAITS_CONSENTS, "or for consents");
	check(contract_next_us(&contract, 0) == FROM_US && contract_next_us(&contract, FROM_US) == UNTIL_US &&
		  contract_next_us(&contract, UNTIL_US) == 0, "the times at which it changes by itself");
	memory_reset();
}

int
main(void)
{
	test_all_subsets();
	test_all_orders();
	test_rules();
	test_waits();
	return unit_done();
}
