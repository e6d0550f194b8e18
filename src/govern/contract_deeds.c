/*
 * contract_deeds.c
 *	  What people did with a contract, and who they are at this moment.
 */
#include "postgres.h"

#include "govern/contract_deeds.h"
#include "govern/rows.h"
#include "utils/snapmgr.h"

/* ---- who ---- */

static bool
has_any_role(const Identity *identity, uint32 roles)
{
	return (identity->person.roles & roles) != 0;
}

bool
contract_owns_node(const Identity *identity, const char *node)
{
	Peer		peer;
	Identity	of_node;
	uint8		fingerprint[HASH_BYTES];
	const char *organisation = node;

	if (!identity_has_role(identity, ROLE_OWNER))
		return false;
	if (strcmp(node, node_self()->card.name) == 0)
		document_signer(fingerprint, node_self()->card.sign_public);
	else if (peer_lookup(&peer, node))
		document_signer(fingerprint, peer.card.sign_public);
	else
		return false;
	if (identity_find(&of_node, fingerprint) && of_node.person.organisation[0] != '\0')
		organisation = of_node.person.organisation;
	return strcmp(identity->person.organisation, organisation) == 0;
}

/* Was it within its validity when it acted?  Proposed ones do not count, replaced ones do. */
static bool
was_valid(const Identity *identity, int64 at_us)
{
	return identity->state != IDENTITY_PROPOSED &&
		at_us >= identity->person.from_us && at_us < identity->person.until_us;
}

static void
fill_actor(ContractDeed *deed, const uint8 actor[HASH_BYTES])
{
	Identity	identity;

	deed->organisation = "";
	if (!identity_find(&identity, actor))
		return;
	contract_person(deed->person, &identity);
	deed->organisation = pstrdup(identity.person.organisation);
	deed->valid = was_valid(&identity, deed->act.at_us);
	deed->removed = identity.state == IDENTITY_REMOVED;
	deed->vetter = has_any_role(&identity, 1 << ROLE_VETTER | 1 << ROLE_COMMITTEE | 1 << ROLE_PROTECTION_OFFICER);
	deed->governs = identity_has_role(&identity, ROLE_GOVERNANCE);
	deed->owns = deed->act.node != NULL && contract_owns_node(&identity, deed->act.node);
}

/* ---- what ---- */

typedef struct ReadDeed
{
	uint8		actor[HASH_BYTES];
	ContractAct act;
} ReadDeed;

static char *
copied(MemoryContext context, const char *text)
{
	return text ? MemoryContextStrdup(context, text) : NULL;
}

static int
read_deeds(ReadDeed **deeds, const uint8 contract[HASH_BYTES])
{
	static SPIPlanPtr plan = NULL;
	MemoryContext caller = CurrentMemoryContext;
	Oid			type = BYTEAOID;
	Datum		value = bytea_datum(contract, HASH_BYTES);
	OwnerScope	scope;
	int			n;

	owner_begin(&scope);
	SPI_connect();
	if (plan == NULL)
	{
		SPIPlanPtr	made = SPI_prepare("SELECT actor, verb, at_us, node FROM secmed.contract_deed WHERE contract = $1", 1, &type);

		if (made == NULL || SPI_keepplan(made) != 0)
			elog(ERROR, "can't prepare to read contracts");
		plan = made;
	}
	if (SPI_execute_snapshot(plan, &value, NULL, GetLatestSnapshot(), InvalidSnapshot, true, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "can't read contracts");
	n = (int) SPI_processed;
	*deeds = MemoryContextAllocZero(caller, (n + 1) * sizeof(ReadDeed));
	for (int i = 0; i < n; i++)
	{
		rows_hash((*deeds)[i].actor, i, 1);
		(*deeds)[i].act.verb = contract_verb_of_name(rows_text(i, 2));
		(*deeds)[i].act.at_us = rows_int(i, 3);
		(*deeds)[i].act.node = copied(caller, rows_text(i, 4));
	}
	SPI_finish();
	owner_end(&scope);
	return n;
}

/* ---- replaced ---- */

/* Has all that only people can give, and does its time come before now? */
static bool
took_over(const StoredContract *later, const StoredContract *before, int64 now_us)
{
	ContractFacts facts;
	ContractLife life;
	const NodeRef *signers;
	const NodeRef *signers_before;
	int			n = contract_signers(&later->contract, &signers);
	int			n_before = contract_signers(&before->contract, &signers_before);

	for (int i = 0; i < n_before; i++)
		if (noderef_find(signers, n, signers_before[i].name) < 0)
			return false;
	memset(&facts, 0, sizeof(facts));
	contract_facts(&facts, later);
	facts.now_us = now_us;
	life = contract_life(&later->contract, &facts);
	return (life.waits & ~(CONTRACT_WAITS_PAYMENT | CONTRACT_WAITS_CONSENTS)) == 0;
}

static int
read_later(uint8 (**hashes)[HASH_BYTES], const uint8 contract[HASH_BYTES])
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {BYTEAOID};
	Datum		values[] = {bytea_datum(contract, HASH_BYTES)};
	OwnerScope	scope;
	int			n;

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_with_args("SELECT hash FROM secmed.contract_standing WHERE replaces = $1", 1, types, values, NULL,
							  true, 0) != SPI_OK_SELECT)
		elog(ERROR, "can't read contracts");
	n = (int) SPI_processed;
	*hashes = MemoryContextAlloc(caller, (n + 1) * HASH_BYTES);
	for (int i = 0; i < n; i++)
		rows_hash((*hashes)[i], i, 1);
	SPI_finish();
	owner_end(&scope);
	return n;
}

static bool
is_replaced(const StoredContract *stored, int64 now_us)
{
	uint8		(*hashes)[HASH_BYTES];
	int			n = read_later(&hashes, stored->hash);

	for (int i = 0; i < n; i++)
	{
		StoredContract later;

		if (contract_find(&later, hashes[i]) && took_over(&later, stored, now_us))
			return true;
	}
	return false;
}

/* ---- facts ---- */

void
contract_facts(ContractFacts *facts, const StoredContract *stored)
{
	ReadDeed   *read;
	ContractDeed *deeds;
	Identity	author;

	memset(facts, 0, sizeof(*facts));
	facts->now_us = identity_now_us();
	if (identity_find(&author, stored->contract.author))
		contract_person(facts->author, &author);
	facts->ndeeds = read_deeds(&read, stored->hash);
	deeds = palloc0(sizeof(ContractDeed) * (facts->ndeeds + 1));
	for (int i = 0; i < facts->ndeeds; i++)
	{
		deeds[i].act = read[i].act;
		fill_actor(&deeds[i], read[i].actor);
	}
	facts->deeds = deeds;
	facts->paid = true;			/* a price is for a run, and is asked for then */
	facts->consents = 0;
}

ContractLife
contract_now(const StoredContract *stored)
{
	ContractFacts facts;

	contract_facts(&facts, stored);
	facts.replaced = is_replaced(stored, facts.now_us);
	return contract_life(&stored->contract, &facts);
}
