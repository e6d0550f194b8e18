/*
 * life.c
 *	  In which state a contract is.
 *
 * Of each person the last word counts where two contradict each other; at one
 * and the same time, the one that forbids.
 */
#include "contract/life.h"

static const char *const state_names[] = {
	[CONTRACT_DRAFT] = "draft", [CONTRACT_PROPOSED] = "proposed", [CONTRACT_VETTED] = "vetted",
	[CONTRACT_SIGNED] = "signed", [CONTRACT_ACTIVE] = "active", [CONTRACT_SUSPENDED] = "suspended",
	[CONTRACT_EXPIRED] = "expired", [CONTRACT_REPLACED] = "replaced", [CONTRACT_REVOKED] = "revoked",
};

const char *
contract_state_name(ContractState state)
{
	return state_names[state];
}

static bool
same_person(const uint8 *a, const uint8 *b)
{
	return memcmp(a, b, HASH_BYTES) == 0;
}

static bool
is_author(const ContractFacts *facts, const ContractDeed *deed)
{
	return same_person(deed->person, facts->author);
}

/* ---- which deeds count ---- */

/* May this person do this?  Acts that forbid count though their maker was removed since. */
static bool
counts(const ContractFacts *facts, const ContractDeed *deed)
{
	if (!deed->valid)
		return false;
	switch (deed->act.verb)
	{
		case CONTRACT_PROPOSE:
			return !deed->removed && is_author(facts, deed);
		case CONTRACT_VET:
			return !deed->removed && deed->vetter && !is_author(facts, deed);
		case CONTRACT_OBJECT:
			return deed->vetter;
		case CONTRACT_SIGN:
			return !deed->removed && deed->owns;
		case CONTRACT_SUSPEND:
			return deed->owns || deed->vetter || deed->governs;
		case CONTRACT_RESUME:
			return !deed->removed && (deed->owns || deed->vetter || deed->governs);
		case CONTRACT_REVOKE:
			return deed->owns || deed->governs || is_author(facts, deed);
		case CONTRACT_ACCEPT:
			return false;
	}
	return false;
}

/*
 * Do a later than b, both of `yes` or `no`, decide?  Deeds of one time and verb are equal in what
 * they say, so which of them is found does not matter.
 */
static bool
overrides(const ContractDeed *a, const ContractDeed *b, ContractVerb no)
{
	if (a->act.at_us != b->act.at_us)
		return a->act.at_us > b->act.at_us;
	return a->act.verb == no && b->act.verb != no;
}

/* One of a pair of opposite verbs? */
static bool
is_of(const ContractDeed *deed, ContractVerb yes, ContractVerb no)
{
	return deed->act.verb == yes || deed->act.verb == no;
}

/*
 * Is this the first deed in the list that has this person's last word?
 */
static bool
is_last_word(const ContractFacts *facts, int which, ContractVerb yes, ContractVerb no)
{
	const ContractDeed *deed = &facts->deeds[which];

	if (!is_of(deed, yes, no) || !counts(facts, deed))
		return false;
	for (int i = 0; i < facts->ndeeds; i++)
	{
		const ContractDeed *other = &facts->deeds[i];

		if (i == which || !is_of(other, yes, no) || !same_person(other->person, deed->person) ||
			!counts(facts, other))
			continue;
		if (overrides(other, deed, no))
			return false;
		if (i < which && !overrides(deed, other, no))
			return false;
	}
	return true;
}

/* ---- counting ---- */

static bool
is_proposed(const ContractFacts *facts)
{
	for (int i = 0; i < facts->ndeeds; i++)
		if (facts->deeds[i].act.verb == CONTRACT_PROPOSE && counts(facts, &facts->deeds[i]))
			return true;
	return false;
}

static bool
is_revoked(const ContractFacts *facts)
{
	for (int i = 0; i < facts->ndeeds; i++)
		if (facts->deeds[i].act.verb == CONTRACT_REVOKE && counts(facts, &facts->deeds[i]))
			return true;
	return false;
}

/* Has an earlier vetter of the list, who says yes, the same organisation? */
static bool
organisation_counted(const ContractFacts *facts, int which)
{
	for (int i = 0; i < which; i++)
		if (facts->deeds[i].act.verb == CONTRACT_VET &&
			strcmp(facts->deeds[i].organisation, facts->deeds[which].organisation) == 0 &&
			is_last_word(facts, i, CONTRACT_VET, CONTRACT_OBJECT))
			return true;
	return false;
}

static void
count_vetters(const ContractFacts *facts, ContractLife *life)
{
	for (int i = 0; i < facts->ndeeds; i++)
	{
		if (!is_last_word(facts, i, CONTRACT_VET, CONTRACT_OBJECT))
			continue;
		if (facts->deeds[i].act.verb == CONTRACT_OBJECT)
		{
			life->objections++;
			continue;
		}
		life->vetters++;
		if (facts->deeds[i].organisation[0] != '\0' && !organisation_counted(facts, i))
			life->organisations++;
	}
}

static void
count_suspensions(const ContractFacts *facts, ContractLife *life)
{
	for (int i = 0; i < facts->ndeeds; i++)
		if (facts->deeds[i].act.verb == CONTRACT_SUSPEND &&
			is_last_word(facts, i, CONTRACT_RESUME, CONTRACT_SUSPEND))
			life->suspensions++;
}

static void
count_signatures(const Contract *contract, const ContractFacts *facts, ContractLife *life)
{
	const NodeRef *signers;
	int			n = contract_signers(contract, &signers);

	for (int i = 0; i < facts->ndeeds; i++)
	{
		const ContractDeed *deed = &facts->deeds[i];

		if (deed->act.verb == CONTRACT_SIGN && counts(facts, deed))
		{
			int			signer = noderef_find(signers, n, deed->act.node);

			if (signer >= 0)
				life->signed_by |= (uint32) 1 << signer;
		}
	}
	for (int i = 0; i < n; i++)
		life->nsigned += (life->signed_by >> i) & 1;
}

/* ---- the state ---- */

static int
what_it_waits_for(const Contract *contract, const ContractFacts *facts, const ContractLife *life)
{
	const NodeRef *signers;
	int			waits = 0;

	if (!is_proposed(facts))
		waits |= CONTRACT_WAITS_PROPOSAL;
	if (life->vetters < contract->vetters_min)
		waits |= CONTRACT_WAITS_VETTERS;
	if (life->organisations < contract->vetting_organisations_min)
		waits |= CONTRACT_WAITS_ORGANISATIONS;
	if (life->nsigned < contract_signers(contract, &signers))
		waits |= CONTRACT_WAITS_SIGNATURES;
	if (facts->now_us < contract->from_us)
		waits |= CONTRACT_WAITS_DATE;
	if (!facts->paid)
		waits |= CONTRACT_WAITS_PAYMENT;
	if (facts->consents < contract->consents_min)
		waits |= CONTRACT_WAITS_CONSENTS;
	return waits;
}

static ContractState
state_of_waits(int waits)
{
	if (waits & CONTRACT_WAITS_PROPOSAL)
		return CONTRACT_DRAFT;
	if (waits & (CONTRACT_WAITS_VETTERS | CONTRACT_WAITS_ORGANISATIONS))
		return CONTRACT_PROPOSED;
	if (waits & CONTRACT_WAITS_SIGNATURES)
		return CONTRACT_VETTED;
	return waits ? CONTRACT_SIGNED : CONTRACT_ACTIVE;
}

ContractLife
contract_life(const Contract *contract, const ContractFacts *facts)
{
	ContractLife life = {0};

	count_vetters(facts, &life);
	count_suspensions(facts, &life);
	count_signatures(contract, facts, &life);
	life.waits = what_it_waits_for(contract, facts, &life);

	if (is_revoked(facts))
		life.state = CONTRACT_REVOKED;
	else if (facts->replaced)
		life.state = CONTRACT_REPLACED;
	else if (facts->now_us >= contract->until_us)
		life.state = CONTRACT_EXPIRED;
	else if (life.suspensions > 0)
		life.state = CONTRACT_SUSPENDED;
	else
		life.state = state_of_waits(life.waits);
	return life;
}

static void
clause(StringInfo out, const char *text)
{
	appendStringInfo(out, "%s%s", out->len ? "; " : "", text);
}

void
contract_waits(StringInfo out, const Contract *contract, const ContractLife *life)
{
	const NodeRef *signers;
	int			n = contract_signers(contract, &signers);

	if (life->waits & CONTRACT_WAITS_PROPOSAL)
		clause(out, "its author has not proposed it");
	if (life->waits & CONTRACT_WAITS_VETTERS)
		clause(out, psprintf("%d of " UINT64_FORMAT " vetters have said yes", life->vetters, contract->vetters_min));
	if (life->waits & CONTRACT_WAITS_ORGANISATIONS)
		clause(out, psprintf("vetters of %d of " UINT64_FORMAT " organisations have said yes",
							 life->organisations, contract->vetting_organisations_min));
	if (life->waits & CONTRACT_WAITS_SIGNATURES)
	{
		clause(out, contract->nsites > 0 ? "not signed by site " : "not signed by party ");
		for (int i = 0, named = 0; i < n; i++)
			if ((life->signed_by >> i & 1) == 0)
				appendStringInfo(out, "%s\"%s\"", named++ ? ", " : "", signers[i].name);
	}
	if (life->waits & CONTRACT_WAITS_DATE)
		clause(out, "its time has not begun");
	if (life->waits & CONTRACT_WAITS_PAYMENT)
		clause(out, "it is not paid for");
	if (life->waits & CONTRACT_WAITS_CONSENTS)
		clause(out, psprintf("fewer than " UINT64_FORMAT " patients have consented", contract->consents_min));
}

int64
contract_next_us(const Contract *contract, int64 now_us)
{
	if (now_us < contract->from_us)
		return contract->from_us;
	return now_us < contract->until_us ? contract->until_us : 0;
}
