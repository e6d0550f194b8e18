/*
 * liar.c
 *	  A coordinator that lies: for tests only, never installed.
 *
 * A library for the coordinator's sessions.  When secmed has planned a query,
 * this puts something else into the canonical plan (src/contract/plan.h), and
 * the sites are asked that: signed, sealed and hashed as an honest plan is,
 * because the rest of the coordinator is one.
 *
 *     SET liar.sql = 'SELECT count(*) FROM clinic.trial';
 *     SET liar.components = '[[1, 0]]';
 *
 * liar.sql is text.  The other fields are JSON, arrays of strings, numbers
 * and nulls, which become the same in CBOR.  Nothing of secmed is in here: of
 * the plan it knows that it is the first constant of the scan, an array of six.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/plannodes.h"
#include "optimizer/planner.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

PG_MODULE_MAGIC;

#define FIELDS		6
#define SQL_FIELD	1

/* In the plan's order; the version is never another. */
static const char *const settings[FIELDS] = {
	NULL, "liar.sql", "liar.tables", "liar.parameters", "liar.keys", "liar.components"
};
static char *lies[FIELDS];
static planner_hook_type previous;

extern void _PG_init(void);

/* ---- CBOR ---- */

enum
{
	MAJOR_UINT = 0,
	MAJOR_TEXT = 3,
	MAJOR_ARRAY = 4,
	BYTE_NULL = 0xF6
};

static void
put_head(StringInfo out, int major, uint64 n)
{
	int			bytes = n < 24 ? 0 : n < 0x100 ? 1 : n < 0x10000 ? 2 : n < UINT64CONST(0x100000000) ? 4 : 8;
	int			code = bytes == 0 ? (int) n : bytes == 1 ? 24 : bytes == 2 ? 25 : bytes == 4 ? 26 : 27;

	appendStringInfoChar(out, (char) (major << 5 | code));
	while (bytes-- > 0)
		appendStringInfoChar(out, (char) (n >> 8 * bytes));
}

static void
put_text(StringInfo out, const char *text, int len)
{
	put_head(out, MAJOR_TEXT, len);
	appendBinaryStringInfo(out, text, len);
}

static void
put_scalar(StringInfo out, const JsonbValue *value)
{
	if (value->type == jbvString)
		put_text(out, value->val.string.val, value->val.string.len);
	else if (value->type == jbvNumeric)
		put_head(out, MAJOR_UINT, DatumGetInt64(DirectFunctionCall1(numeric_int8,
																	NumericGetDatum(value->val.numeric))));
	else
		appendStringInfoChar(out, (char) BYTE_NULL);
}

static void
put_json(StringInfo out, const char *json)
{
	Jsonb	   *jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	JsonbIterator *iterator = JsonbIteratorInit(&jsonb->root);
	JsonbIteratorToken token;
	JsonbValue	value;

	while ((token = JsonbIteratorNext(&iterator, &value, false)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_ARRAY)
			put_head(out, MAJOR_ARRAY, value.val.array.nElems);
		else if (token == WJB_ELEM)
			put_scalar(out, &value);
		else if (token != WJB_END_ARRAY)
			elog(ERROR, "a field of the plan has no objects");
	}
}

/* The end of the value that begins here; the bytes are secmed's own. */
static const uint8 *
skip(const uint8 *at)
{
	int			major = *at >> 5;
	int			code = *at++ & 31;
	uint64		n = code;

	if (code >= 24)
	{
		n = 0;
		for (int bytes = 1 << (code - 24); bytes > 0; bytes--)
			n = n << 8 | *at++;
	}
	if (major == MAJOR_TEXT)
		return at + n;
	if (major == MAJOR_ARRAY)
		while (n-- > 0)
			at = skip(at);
	return at;
}

/* ---- lying ---- */

static bytea *
changed_plan(bytea *plan)
{
	const uint8 *at = (const uint8 *) VARDATA_ANY(plan) + 1;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	put_head(&out, MAJOR_ARRAY, FIELDS);
	for (int i = 0; i < FIELDS; i++)
	{
		const uint8 *end = skip(at);

		if (lies[i] == NULL || lies[i][0] == '\0')
			appendBinaryStringInfo(&out, (const char *) at, end - at);
		else if (i == SQL_FIELD)
			put_text(&out, lies[i], strlen(lies[i]));
		else
			put_json(&out, lies[i]);
		at = end;
	}
	SET_VARSIZE(out.data, out.len);
	return (bytea *) out.data;
}

static void
change_scans(Plan *plan)
{
	if (plan == NULL)
		return;
	if (IsA(plan, ForeignScan))
	{
		Const	   *bytes = linitial(((ForeignScan *) plan)->fdw_private);

		if (IsA(bytes, Const) && bytes->consttype == BYTEAOID)
			bytes->constvalue = PointerGetDatum(changed_plan(DatumGetByteaPP(bytes->constvalue)));
	}
	change_scans(plan->lefttree);
	change_scans(plan->righttree);
}

static PlannedStmt *
plan_and_lie(Query *query, const char *sql, int options, ParamListInfo params)
{
	PlannedStmt *planned = previous ? previous(query, sql, options, params) :
		standard_planner(query, sql, options, params);

	change_scans(planned->planTree);
	return planned;
}

void
_PG_init(void)
{
	for (int i = SQL_FIELD; i < FIELDS; i++)
		DefineCustomStringVariable(settings[i], "Sets what the plan says in place of the truth.",
								   NULL, &lies[i], "", PGC_USERSET, 0, NULL, NULL, NULL);
	previous = planner_hook;
	planner_hook = plan_and_lie;
}
