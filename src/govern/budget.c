/*
 * budget.c
 *	  How much privacy answers with noise may spend here.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "govern/budget.h"
#include "govern/contracts.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "utils/builtins.h"

/*
 * Who asks, through all keys that the person has had: a new key has no new budget.  "" if it is
 * nobody who is known, which contract_permit() refuses before.
 */
static char *
requester_of(const Request *request)
{
	Identity	identity;
	uint8		person[HASH_BYTES];
	char		text[FINGERPRINT_TEXT_BYTES];

	if (!request->has_identity || !identity_find(&identity, request->identity))
		return pstrdup("");
	contract_person(person, &identity);
	fingerprint_to_text(text, person);
	return pstrdup(text);
}

/* ---- before ---- */

static Statement find_least = {
	"SELECT t.name, l.rho - l.spent FROM pg_catalog.unnest($1) t(name)"
	" LEFT JOIN secmed.budget_limit l ON l.\"table\" = t.name AND (l.requester = '' OR l.requester = $2)"
	" WHERE l.rho IS NOT NULL OR NOT EXISTS (SELECT FROM secmed.budget_limit a WHERE a.\"table\" = t.name AND a.requester = '')"
	" ORDER BY l.rho - l.spent NULLS FIRST LIMIT 1",
	2, {NAMEARRAYOID, TEXTOID}
};

BudgetFact
budget_of_run(const Request *request, const List *tables, const Noise *noise)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[2];
	BudgetFact	fact = {.table = ""};
	bool		isnull;
	Datum		left;

	if (noise == NULL)
		return fact;
	fact.needed = noise->rho;
	values[0] = name_array_datum(tables);
	values[1] = CStringGetTextDatum(requester_of(request));
	if (statement_begin(&find_least, values, NULL) > 0)
	{
		fact.table = statement_text(context, 0, 1);
		left = statement_value(0, 2, &isnull);
		fact.set = !isnull;
		fact.left = isnull ? 0 : (uint64) Max(DatumGetInt64(left), 0);
	}
	statement_end(&find_least);
	return fact;
}

/* ---- taking ---- */

/* In an order that is the same for all: two runs over the same tables never wait for each other both. */
static Statement lock_limits = {
	"SELECT l.\"table\" FROM secmed.budget_limit l"
	" WHERE l.\"table\" = ANY ($1) AND l.requester IN ('', $2) ORDER BY l.\"table\", l.requester FOR UPDATE",
	2, {NAMEARRAYOID, TEXTOID}
};

static Statement take = {
	"WITH taken AS (UPDATE secmed.budget_limit l SET spent = l.spent + $3"
	"  WHERE l.\"table\" = ANY ($1) AND l.requester IN ('', $2) AND l.spent + $3 <= l.rho RETURNING l.\"table\", l.requester, l.rho - l.spent AS rest),"
	" noted AS (INSERT INTO secmed.budget_spent (run, contract, \"table\", requester, rho, asked_by)"
	"  SELECT $4, $5, t.\"table\", t.requester, $3, $6 FROM taken t)"
	" SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE requester = ''), pg_catalog.min(rest) FROM taken",
	6, {NAMEARRAYOID, TEXTOID, INT8OID, BYTEAOID, BYTEAOID, TEXTOID}
};

static void
refuse(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_BUDGET),
			 errmsg("the privacy budget at site \"%s\" is spent", node_self()->card.name),
			 errdetail("Another run took what was left while this one was under way.")));
}

static Datum
bytes_datum(const uint8 *bytes, size_t len)
{
	bytea	   *value = palloc(VARHDRSZ + len);

	SET_VARSIZE(value, VARHDRSZ + len);
	memcpy(VARDATA(value), bytes, len);
	return PointerGetDatum(value);
}

static void
record(const Request *request, const char *tables_text, const uint8 plan_hash[HASH_BYTES], uint64 rho, uint64 left)
{
	LedgerEntry entry = {.kind = ENTRY_BUDGET, .has_run = true, .has_plan = true, .outcome = "spent", .revealed = "",
	.ncounters = 2, .counters = {rho, left}};

	memcpy(entry.run, request->run, RUN_ID_BYTES);
	memcpy(entry.plan, plan_hash, HASH_BYTES);
	entry.actor = psprintf("%s:%s", request->coordinator, request->requester);
	entry.object = tables_text;
	audit_append(&entry, NULL, 0);
}

uint64
budget_take(const Request *request, const List *tables, const Noise *noise, const char *tables_text,
			const uint8 plan_hash[HASH_BYTES])
{
	Datum		values[6];
	uint64		locked;
	uint64		taken;
	uint64		whole;
	uint64		left;
	bool		isnull;

	values[0] = name_array_datum(tables);
	values[1] = CStringGetTextDatum(requester_of(request));
	values[2] = Int64GetDatum((int64) noise->rho);
	values[3] = bytes_datum(request->run, RUN_ID_BYTES);
	values[4] = bytes_datum(request->contract, HASH_BYTES);
	values[5] = CStringGetTextDatum(psprintf("%s:%s", request->coordinator, request->requester));
	locked = statement_run(&lock_limits, values, NULL);
	statement_begin(&take, values, NULL);
	taken = (uint64) DatumGetInt64(statement_value(0, 1, &isnull));
	whole = (uint64) DatumGetInt64(statement_value(0, 2, &isnull));
	left = (uint64) DatumGetInt64(statement_value(0, 3, &isnull));
	statement_end(&take);
	if (taken < locked || whole < list_length(tables))
		refuse();
	record(request, tables_text, plan_hash, noise->rho, left);
	return left;
}
