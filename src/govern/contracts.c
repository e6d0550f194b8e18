/*
 * contracts.c
 *	  Contracts at this node: what is kept of them, and how one is found.
 */
#include "postgres.h"

#include "govern/contracts.h"
#include "govern/rows.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

/*
 * A statement with one parameter, prepared once a session.  It sees what is committed at this
 * moment, so that a contract that was revoked meanwhile is not found, and writes nothing:
 * the planner may be what asks.
 */
typedef struct Reading
{
	const char *sql;
	Oid			type;
	SPIPlanPtr	plan;
	OwnerScope	scope;
	MemoryContext caller;
} Reading;

/* Rows are in SPI_tuptable until reading_end(). */
static uint64
reading_begin(Reading *reading, Datum value)
{
	reading->caller = CurrentMemoryContext;
	owner_begin(&reading->scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (reading->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(reading->sql, 1, &reading->type);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "can't prepare to read contracts");
		reading->plan = plan;
	}
	if (SPI_execute_snapshot(reading->plan, &value, NULL, GetLatestSnapshot(), InvalidSnapshot, true, false, 0)
		!= SPI_OK_SELECT)
		elog(ERROR, "can't read contracts");
	return SPI_processed;
}

static void
reading_end(Reading *reading)
{
	SPI_finish();
	owner_end(&reading->scope);
	MemoryContextSwitchTo(reading->caller);
}

/* ---- one ---- */

bool
contract_find(StoredContract *found, const uint8 hash[HASH_BYTES])
{
	OwnerScope	scope;
	Document	document;
	const char *reason;
	bool		taken;
	bool		known;

	owner_begin(&scope);
	known = document_find(&document, hash, &taken);
	owner_end(&scope);
	if (!known || !taken || strcmp(document.kind->name, CONTRACT_KIND) != 0)
		return false;
	memcpy(found->hash, hash, HASH_BYTES);
	if (!contract_decode(&found->contract, document.body, document.body_len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a stored contract is damaged"),
				 errdetail("It %s.", reason)));
	return true;
}

/* The hashes that it reads. */
static int
read_hashes(uint8 (**hashes)[HASH_BYTES], Reading *reading, Datum value)
{
	int			n = (int) reading_begin(reading, value);

	*hashes = MemoryContextAlloc(reading->caller, (n + 1) * HASH_BYTES);
	for (int i = 0; i < n; i++)
		rows_hash((*hashes)[i], i, 1);
	reading_end(reading);
	return n;
}

static void
refuse_name(const char *name, int n)
{
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no contract \"%s\"", name),
				 errhint("SELECT * FROM secmed.find_contracts('...'); finds contracts by words.")));
	ereport(ERROR,
			(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
			 errmsg("\"%s\" names %d contracts", name, n),
			 errhint("Name one by its hash; it is in secmed.contract.")));
}

static bool
is_hex(const char *name)
{
	size_t		len = strlen(name);

	return len >= 8 && len <= 2 * HASH_BYTES && strspn(name, "0123456789abcdef") == len;
}

void
contract_require(StoredContract *found, const char *name)
{
	static Reading by_name = {
		"SELECT hash FROM secmed.contract_standing WHERE name = $1 AND state = "
		"(SELECT CASE WHEN pg_catalog.bool_or(state = 5) THEN 5 ELSE pg_catalog.min(state) END"
		" FROM secmed.contract_standing WHERE name = $1)", TEXTOID
	};
	static Reading by_hash = {
		"SELECT hash FROM secmed.contract_standing WHERE pg_catalog.starts_with(pg_catalog.encode(hash, 'hex'), $1)", TEXTOID
	};
	uint8		(*hashes)[HASH_BYTES];
	int			n = read_hashes(&hashes, &by_name, CStringGetTextDatum(name));

	if (n == 0 && is_hex(name))
		n = read_hashes(&hashes, &by_hash, CStringGetTextDatum(name));
	if (n != 1 || !contract_find(found, hashes[0]))
		refuse_name(name, n);
}

List *
contracts_of_skeleton(const uint8 skeleton[HASH_BYTES])
{
	static Reading reading = {"SELECT hash FROM secmed.contract_standing WHERE skeleton = $1 AND state = 5 ORDER BY hash", BYTEAOID};
	uint8		(*hashes)[HASH_BYTES];
	int			n = read_hashes(&hashes, &reading, bytea_datum(skeleton, HASH_BYTES));
	List	   *found = NIL;

	for (int i = 0; i < n; i++)
	{
		StoredContract *stored = palloc0(sizeof(StoredContract));

		if (contract_find(stored, hashes[i]))
			found = lappend(found, stored);
	}
	return found;
}

bool
contracts_any(void)
{
	static Reading reading = {"SELECT FROM secmed.contract_standing WHERE state = $1 LIMIT 1", INT2OID};
	bool		any = reading_begin(&reading, Int16GetDatum(CONTRACT_ACTIVE)) > 0;

	reading_end(&reading);
	return any;
}

uint64
contract_uses(const uint8 contract[HASH_BYTES])
{
	static Reading reading = {"SELECT pg_catalog.count(*) FROM secmed.contract_use WHERE contract = $1", BYTEAOID};
	uint64		uses;

	(void) reading_begin(&reading, bytea_datum(contract, HASH_BYTES));
	uses = (uint64) rows_int(0, 1);
	reading_end(&reading);
	return uses;
}

bool
contract_terms_accepted(const uint8 contract[HASH_BYTES], const uint8 person[HASH_BYTES])
{
	static Reading reading = {"SELECT actor FROM secmed.contract_deed WHERE contract = $1 AND verb = 'accept'", BYTEAOID};
	uint8		(*actors)[HASH_BYTES];
	int			n = read_hashes(&actors, &reading, bytea_datum(contract, HASH_BYTES));

	for (int i = 0; i < n; i++)
	{
		Identity	identity;
		uint8		other[HASH_BYTES];

		if (!identity_find(&identity, actors[i]) || identity.state == IDENTITY_REMOVED)
			continue;
		contract_person(other, &identity);
		if (memcmp(other, person, HASH_BYTES) == 0)
			return true;
	}
	return false;
}

/* A chain that is longer, or a circle, ends where it is. */
#define REPLACED_MAX	16

void
contract_person(uint8 person[HASH_BYTES], const Identity *identity)
{
	Identity	at = *identity;

	for (int i = 0; i < REPLACED_MAX && at.has_document && at.person.has_replaces; i++)
	{
		Identity	before;

		if (memcmp(at.person.replaces, at.fingerprint, HASH_BYTES) == 0 || !identity_find(&before, at.person.replaces))
			break;
		at = before;
	}
	memcpy(person, at.fingerprint, HASH_BYTES);
}
