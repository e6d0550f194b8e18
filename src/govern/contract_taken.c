/*
 * contract_taken.c
 *	  A contract, or what somebody did with one, has arrived: what becomes of it.
 *
 * Called with SPI connected as the owner, in the transaction that takes the document in.
 */
#include "postgres.h"

#include "commands/async.h"
#include "govern/contract_deeds.h"
#include "govern/rows.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"

/* ---- states ---- */

static Datum
texts_datum(char **texts, int n)
{
	Datum	   *values = palloc(sizeof(Datum) * (n + 1));

	for (int i = 0; i < n; i++)
		values[i] = CStringGetTextDatum(texts[i]);
	return PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
signed_by_datum(const Contract *contract, const ContractLife *life)
{
	const NodeRef *signers;
	int			n = contract_signers(contract, &signers);
	char	   *names[SITES_MAX];
	int			nsigned = 0;

	for (int i = 0; i < n; i++)
		if (life->signed_by >> i & 1)
			names[nsigned++] = signers[i].name;
	return texts_datum(names, nsigned);
}

/* Listeners, and plans that were made while it was in another state. */
static void
announce(const StoredContract *stored, const char *before, ContractState state)
{
	char		hash[2 * HASH_BYTES + 1];
	uint64		counters[] = {stored->contract.version};
	Oid			relid;

	hex_encode((const char *) stored->hash, HASH_BYTES, hash);
	hash[2 * HASH_BYTES] = '\0';
	Async_Notify("secmed_contract", psprintf("%s %s %s", contract_state_name(state), hash, stored->contract.name));
	document_record("secmed:contracts", psprintf("contract %s", stored->contract.name), stored->hash,
					contract_state_name(state), 1, counters);
	relid = DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum("secmed.contract_standing")));
	CacheInvalidateRelcacheByRelid(relid);
}

/* Works its state out and writes it down. */
static void
settle(const StoredContract *stored)
{
	static const Oid types[] = {BYTEAOID, INT2OID, TEXTOID, INT4OID, INT4OID, INT4OID, TEXTARRAYOID, TIMESTAMPTZOID};
	ContractLife life = contract_now(stored);
	int64		next_us = contract_next_us(&stored->contract, identity_now_us());
	StringInfoData waits;
	Datum		values[8];
	char	   *before;

	initStringInfo(&waits);
	if (life.state <= CONTRACT_ACTIVE)
		contract_waits(&waits, &stored->contract, &life);
	values[0] = bytea_datum(stored->hash, HASH_BYTES);
	values[1] = Int16GetDatum(life.state);
	values[2] = CStringGetTextDatum(waits.data);
	values[3] = Int32GetDatum(life.vetters);
	values[4] = Int32GetDatum(life.organisations);
	values[5] = Int32GetDatum(life.objections);
	values[6] = signed_by_datum(&stored->contract, &life);
	values[7] = next_us ? time_datum(next_us) : TimestampTzGetDatum(DT_NOEND);
	if (rows_run("SELECT state FROM secmed.contract_standing WHERE hash = $1 FOR UPDATE", SPI_OK_SELECT, 1, types, values) != 1)
		elog(ERROR, "a contract is lost");
	before = rows_text(0, 1);
	(void) rows_run("UPDATE secmed.contract_standing SET state = $2, waits = $3, vetters = $4, organisations = $5,"
					" objections = $6, signed_by = $7, next_at = $8, settled_at = pg_catalog.clock_timestamp(),"
					" since = CASE WHEN state = $2 THEN since ELSE pg_catalog.clock_timestamp() END WHERE hash = $1",
					SPI_OK_UPDATE, 8, types, values);
	if (before == NULL || atoi(before) != life.state)
		announce(stored, before, life.state);
}

/* The version that a contract replaces changes with it. */
static void
settle_with_replaced(const StoredContract *stored)
{
	StoredContract before;

	settle(stored);
	if (stored->contract.has_replaces && contract_find(&before, stored->contract.replaces))
		settle(&before);
}

/* ---- contracts ---- */

static void
insert_contract(const StoredContract *stored, const Document *document)
{
	static const Oid types[] = {BYTEAOID, TEXTOID, INT4OID, TEXTOID, BYTEAOID, BYTEAOID, BYTEAOID, TIMESTAMPTZOID,
		TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID};
	const Contract *contract = &stored->contract;
	const NodeRef *signers;
	int			n = contract_signers(contract, &signers);
	char	   *names[SITES_MAX];
	StringInfoData words;
	Datum		values[14];

	for (int i = 0; i < n; i++)
		names[i] = signers[i].name;
	initStringInfo(&words);
	contract_describe(&words, document->body, document->body_len);
	values[0] = bytea_datum(stored->hash, HASH_BYTES);
	values[1] = CStringGetTextDatum(contract->name);
	values[2] = Int32GetDatum((int32) contract->version);
	values[3] = CStringGetTextDatum(contract->title);
	values[4] = bytea_datum(contract->author, HASH_BYTES);
	values[5] = contract->has_replaces ? bytea_datum(contract->replaces, HASH_BYTES) : (Datum) 0;
	values[6] = bytea_datum(contract->skeleton, HASH_BYTES);
	values[7] = time_datum(contract->from_us);
	values[8] = time_datum(contract->until_us);
	values[9] = CStringGetTextDatum(contract->purpose_code);
	values[10] = CStringGetTextDatum(contract->purpose);
	values[11] = CStringGetTextDatum(contract->query);
	values[12] = CStringGetTextDatum(words.data);
	values[13] = texts_datum(names, n);
	(void) rows_run("INSERT INTO secmed.contract_standing (hash, name, version, title, author, replaces, skeleton, valid_from,"
					" valid_until, purpose_code, purpose, query, text, signers)"
					" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (hash) DO NOTHING",
					SPI_OK_INSERT, 14, types, values);
}

/* The signer whose fingerprint the contract names as its author, or NULL. */
static const Identity *
author_of(const DocumentTaken *taken, const Contract *contract)
{
	for (int i = 0; i < taken->document->nsignatures; i++)
		if (memcmp(taken->signers[i].fingerprint, contract->author, HASH_BYTES) == 0)
			return &taken->signers[i];
	return NULL;
}

/* Is it what it says, the next version of another?  NULL, or why not; *fate is set then. */
static const char *
version_problem(const Contract *contract, DocumentFate *fate)
{
	StoredContract before;

	if (!contract->has_replaces)
		return NULL;
	*fate = DOCUMENT_WAITS;
	if (!contract_find(&before, contract->replaces))
		return "waits for the version before it, which is not here";
	*fate = DOCUMENT_REFUSED;
	if (strcmp(before.contract.name, contract->name) != 0 || before.contract.version + 1 != contract->version)
		return "is not the next version of the contract that it names as the one before it";
	return NULL;
}

DocumentFate
contract_taken(const DocumentTaken *taken, const char **reason)
{
	const Document *document = taken->document;
	StoredContract stored;
	const Identity *author;
	DocumentFate fate;

	memcpy(stored.hash, document->hash, HASH_BYTES);
	if (!contract_decode(&stored.contract, document->body, document->body_len, reason))
		return DOCUMENT_REFUSED;
	author = author_of(taken, &stored.contract);
	if (author == NULL)
	{
		*reason = "is not signed by its author";
		return DOCUMENT_REFUSED;
	}
	if (author->state == IDENTITY_PROPOSED)
	{
		*reason = "is by somebody who was not admitted yet";
		return DOCUMENT_WAITS;
	}
	*reason = version_problem(&stored.contract, &fate);
	if (*reason != NULL)
		return fate;
	insert_contract(&stored, document);
	settle_with_replaced(&stored);
	return DOCUMENT_TAKEN;
}

/* ---- acts ---- */

static void
insert_deed(const ContractAct *act, const Document *document, const uint8 actor[HASH_BYTES])
{
	static const Oid types[] = {BYTEAOID, BYTEAOID, TEXTOID, BYTEAOID, INT8OID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[] = {bytea_datum(document->hash, HASH_BYTES), bytea_datum(act->contract, HASH_BYTES),
		CStringGetTextDatum(contract_verb_name(act->verb)), bytea_datum(actor, HASH_BYTES), Int64GetDatum(act->at_us),
		act->node ? CStringGetTextDatum(act->node) : (Datum) 0,
		act->meaning ? CStringGetTextDatum(act->meaning) : (Datum) 0, CStringGetTextDatum(act->words)};

	(void) rows_run("INSERT INTO secmed.contract_deed (document, contract, verb, actor, at_us, node, meaning, words)"
					" VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (document, actor) DO NOTHING",
					SPI_OK_INSERT, 8, types, values);
}

static bool
too_many_deeds(const uint8 contract[HASH_BYTES])
{
	static const Oid types[] = {BYTEAOID};
	Datum		values[] = {bytea_datum(contract, HASH_BYTES)};

	(void) rows_run("SELECT pg_catalog.count(*) FROM secmed.contract_deed WHERE contract = $1", SPI_OK_SELECT, 1, types, values);
	return rows_int(0, 1) >= CONTRACT_DEEDS_MAX;
}

/* What keeps an act from being counted; *fate is set then. */
static const char *
act_problem(const ContractAct *act, StoredContract *stored, DocumentFate *fate)
{
	*fate = DOCUMENT_REFUSED;
	if (act->at_us > identity_now_us() + CLOCK_SKEW_MS_MAX * INT64CONST(1000))
		return "is of the future";
	*fate = DOCUMENT_WAITS;
	if (!contract_find(stored, act->contract))
		return "is about a contract that is not here";
	*fate = DOCUMENT_REFUSED;
	return too_many_deeds(act->contract) ? "is one too many about its contract" : NULL;
}

DocumentFate
contract_act_taken(const DocumentTaken *taken, const char **reason)
{
	const Document *document = taken->document;
	StoredContract stored;
	ContractAct act;
	DocumentFate fate;

	if (!contract_act_decode(&act, document->body, document->body_len, reason))
		return DOCUMENT_REFUSED;
	*reason = act_problem(&act, &stored, &fate);
	if (*reason != NULL)
		return fate;
	/* Of who is not admitted yet, too: it counts when he is. */
	for (int i = 0; i < document->nsignatures; i++)
		insert_deed(&act, document, taken->signers[i].fingerprint);
	settle_with_replaced(&stored);
	return DOCUMENT_TAKEN;
}

/* ---- dates ---- */

/* So many at a time; the rest at the next tick. */
#define TICK_MAX	100

void
contracts_tick(void)
{
	uint8		hashes[TICK_MAX][HASH_BYTES];
	OwnerScope	scope;
	int			n;

	owner_begin(&scope);
	SPI_connect();
	n = (int) rows_run("SELECT hash FROM secmed.contract_standing WHERE next_at <= pg_catalog.clock_timestamp() UNION"
					   " SELECT c.hash FROM secmed.contract_standing c WHERE state <= 6 AND EXISTS"
					   " (SELECT FROM secmed.contract_deed d JOIN secmed.identity i ON i.fingerprint = d.actor"
					   "  WHERE d.contract = c.hash AND i.changed_at >= c.settled_at) LIMIT 100",
					   SPI_OK_SELECT, 0, NULL, NULL);
	for (int i = 0; i < n; i++)
		rows_hash(hashes[i], i, 1);
	for (int i = 0; i < n; i++)
	{
		StoredContract stored;

		CHECK_FOR_INTERRUPTS();
		if (contract_find(&stored, hashes[i]))
			settle_with_replaced(&stored);
	}
	SPI_finish();
	owner_end(&scope);
}
