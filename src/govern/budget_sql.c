/*
 * budget_sql.c
 *	  secmed.set_budget(): what answers with noise may spend.
 */
#include "postgres.h"

#include "audit/append.h"
#include "base/error.h"
#include "catalog/pg_type.h"
#include "contract/noise.h"
#include "fmgr.h"
#include "govern/contracts.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(secmed_set_budget);

/* A thousand rho of 1: more is no privacy, and sums stay far from what a bigint holds. */
#define BUDGET_RHO_MAX	(INT64CONST(1000) * 1000000)

static Statement set = {
	"INSERT INTO secmed.budget_limit (\"table\", requester, rho, set_by) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (\"table\", requester) DO UPDATE SET rho = $3, set_by = $4, set_at = pg_catalog.clock_timestamp()",
	4, {NAMEOID, TEXTOID, INT8OID, NAMEOID}
};

static int64
millionths(Datum rho)
{
	Datum		product = DirectFunctionCall2(numeric_mul, rho, NumericGetDatum(int64_to_numeric(1000000)));
	int64		amount;

	if (numeric_is_nan(DatumGetNumeric(rho)) || numeric_is_inf(DatumGetNumeric(rho)))
		amount = -1;
	else
		amount = DatumGetInt64(DirectFunctionCall1(numeric_int8, DirectFunctionCall2(numeric_trunc, product, Int32GetDatum(0))));
	if (amount < 0 || amount > BUDGET_RHO_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a budget is a rho from 0 to 1000")));
	return amount;
}

/* The first of the person's identities, as runs are counted. */
static char *
person_of(const char *name)
{
	Identity	identity;
	uint8		person[HASH_BYTES];
	char		text[FINGERPRINT_TEXT_BYTES];

	identity_require(&identity, name);
	contract_person(person, &identity);
	fingerprint_to_text(text, person);
	return pstrdup(text);
}

static void
require_published(Name table)
{
	static Statement find = {"SELECT FROM secmed.published WHERE name = $1", 1, {NAMEOID}};
	Datum		value = NameGetDatum(table);

	if (statement_run(&find, &value, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("\"%s\" is not published here", NameStr(*table))));
}

Datum
secmed_set_budget(PG_FUNCTION_ARGS)
{
	Name		table = PG_ARGISNULL(0) ? NULL : PG_GETARG_NAME(0);
	char	   *requester = PG_ARGISNULL(2) ? pstrdup("") : person_of(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	LedgerEntry entry = {.kind = ENTRY_RULE, .revealed = ""};
	Datum		values[4];
	int64		rho;

	(void) node_self();
	if (table == NULL || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a budget needs a table and a rho")));
	require_published(table);
	rho = millionths(PG_GETARG_DATUM(1));
	values[0] = NameGetDatum(table);
	values[1] = CStringGetTextDatum(requester);
	values[2] = Int64GetDatum(rho);
	values[3] = user_datum();
	statement_run(&set, values, NULL);

	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	entry.object = NameStr(*table);
	entry.outcome = requester[0] ? "budget of a requester" : "budget";
	entry.ncounters = 1;
	entry.counters[0] = (uint64) rho;
	audit_wait(audit_append(&entry, requester[0] ? requester : NULL, strlen(requester)));
	PG_RETURN_VOID();
}
