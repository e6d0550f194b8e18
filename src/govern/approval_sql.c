/*
 * approval_sql.c
 *	  Which runs need somebody's yes, and saying it.
 *
 * Who answers is who has logged in, and a member of a role that a rule names, by
 * grants and not by being superuser.  SET ROLE makes nobody another person.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "govern/approval.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

PG_FUNCTION_INFO_V1(secmed_member_of);
PG_FUNCTION_INFO_V1(secmed_require_approval);
PG_FUNCTION_INFO_V1(secmed_waive_approval);
PG_FUNCTION_INFO_V1(secmed_approve);
PG_FUNCTION_INFO_V1(secmed_hold);
PG_FUNCTION_INFO_V1(secmed_reject);

/* ---- members ---- */

/* Roles that are gone have no members; superusers are none of themselves. */
Datum
secmed_member_of(PG_FUNCTION_ARGS)
{
	Oid			who = get_role_oid(NameStr(*PG_GETARG_NAME(0)), true);
	Datum	   *names;
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &names, NULL, &n);
	for (int i = 0; OidIsValid(who) && i < n; i++)
	{
		Oid			role = get_role_oid(NameStr(*DatumGetName(names[i])), true);

		if (OidIsValid(role) && is_member_of_role_nosuper(who, role))
			PG_RETURN_BOOL(true);
	}
	PG_RETURN_BOOL(false);
}

/* ---- rules ---- */

static Statement set_rule = {
	"INSERT INTO secmed.approval_rule (table_name, roles, approvals, review, valid, set_by) VALUES ($1, $2, $3, $4, $5, $6)"
	" ON CONFLICT (table_name) DO UPDATE SET roles = $2, approvals = $3, review = $4, valid = $5, set_by = $6,"
	" set_at = pg_catalog.clock_timestamp()",
	6, {NAMEOID, NAMEARRAYOID, INT4OID, BOOLOID, INTERVALOID, NAMEOID}
};

static Statement drop_rule = {
	"DELETE FROM secmed.approval_rule WHERE table_name = $1", 1, {NAMEOID}
};

/* "irb, owners": the roles, which must be there. */
static char *
check_roles(ArrayType *array)
{
	StringInfoData text;
	Datum	   *names;
	bool	   *nulls;
	int			n;

	initStringInfo(&text);
	deconstruct_array(array, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &names, &nulls, &n);
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("somebody must be named whose approval is required"),
				 errhint("SELECT secmed.waive_approval(...) ends a rule.")));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a role can't be null")));
		(void) get_role_oid(NameStr(*DatumGetName(names[i])), false);
		appendStringInfo(&text, "%s%s", i ? ", " : "", NameStr(*DatumGetName(names[i])));
	}
	return text.data;
}

static void
record_rule(const char *table, const char *outcome, const char *words)
{
	LedgerEntry entry = {.kind = ENTRY_RULE, .revealed = ""};

	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	entry.object = table;
	entry.outcome = outcome;
	audit_wait(audit_append(&entry, words, words ? strlen(words) : 0));
}

static NameData
table_argument(FunctionCallInfo fcinfo, int number)
{
	NameData	table = {0};

	if (!PG_ARGISNULL(number))
		table = *PG_GETARG_NAME(number);
	return table;
}

static void
check_rule(int approvals, Datum valid)
{
	Interval	least = {.time = 100 * 1000};
	Interval	most = {.month = 12};

	if (approvals < 1 || approvals > APPROVALS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("1 to %d approvals can be required", APPROVALS_MAX)));
	if (DatumGetBool(DirectFunctionCall2(interval_lt, valid, IntervalPGetDatum(&least))) ||
		DatumGetBool(DirectFunctionCall2(interval_gt, valid, IntervalPGetDatum(&most))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a question and its answers can hold for 0.1 seconds to a year")));
}

Datum
secmed_require_approval(PG_FUNCTION_ARGS)
{
	NameData	table = table_argument(fcinfo, 4);
	int			approvals;
	char	   *roles;
	Datum		values[6];

	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("roles, approvals, review and valid can't be null")));
	(void) node_self();
	approvals = PG_GETARG_INT32(1);
	check_rule(approvals, PG_GETARG_DATUM(3));
	roles = check_roles(PG_GETARG_ARRAYTYPE_P(0));
	values[0] = NameGetDatum(&table);
	for (int i = 0; i < 4; i++)
		values[i + 1] = PG_GETARG_DATUM(i);
	values[5] = user_datum();
	statement_run(&set_rule, values, NULL);
	record_rule(table.data, psprintf("approvals %d%s", approvals, PG_GETARG_BOOL(2) ? " after review" : ""), roles);
	PG_RETURN_VOID();
}

Datum
secmed_waive_approval(PG_FUNCTION_ARGS)
{
	NameData	table = table_argument(fcinfo, 0);
	Datum		values[] = {NameGetDatum(&table)};

	if (statement_run(&drop_rule, values, NULL) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no approval is required %s%s", table.data[0] ? "for " : "of this node", table.data[0] ? quote_identifier(table.data) : "")));
	record_rule(table.data, "approvals 0", NULL);
	PG_RETURN_VOID();
}

/* ---- answers ---- */

typedef struct Answer
{
	pg_uuid_t  *id;
	const char *verdict;		/* "approve", "hold", "reject" */
	const char *meaning;		/* of an approval, or NULL */
	const char *reason;			/* of the others, or NULL */
} Answer;

static Statement find_open = {
	"SELECT state, pg_catalog.array_to_string(tables, ', '), plan, EXISTS (SELECT FROM secmed.approval_rule r"
	"  WHERE (r.table_name = '' OR r.table_name = ANY (a.tables)) AND secmed.member_of($2, r.roles))"
	"  FROM secmed.asked_status a WHERE id = $1",
	2, {UUIDOID, NAMEOID}
};

static Statement insert_answer = {
	"INSERT INTO secmed.approval (asked, who, verdict, meaning, reason) VALUES ($1, $2, $3, $4, $5)",
	5, {UUIDOID, NAMEOID, TEXTOID, TEXTOID, TEXTOID}
};

static Datum
login_datum(void)
{
	return name_datum(GetUserNameFromId(GetSessionUserId(), false));
}

static bool
is_open(const char *state)
{
	return strcmp(state, "pending") == 0 || strcmp(state, "held") == 0 || strcmp(state, "approved") == 0;
}

/* The question waits, and for this person. */
static void
check_answer(const Answer *answer, char **tables, uint8 plan_hash[HASH_BYTES])
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {UUIDPGetDatum(answer->id), login_datum()};
	bool		isnull;
	char	   *state = NULL;
	bool		may = false;

	if (statement_begin(&find_open, values, NULL) == 1)
	{
		state = statement_text(context, 0, 1);
		*tables = statement_text(context, 0, 2);
		memcpy(plan_hash, VARDATA_ANY(DatumGetByteaPP(statement_value(0, 3, &isnull))), HASH_BYTES);
		may = DatumGetBool(statement_value(0, 4, &isnull));
	}
	statement_end(&find_open);
	if (state == NULL || !may)
		ereport(ERROR,
				(errcode(state ? ERRCODE_INSUFFICIENT_PRIVILEGE : ERRCODE_UNDEFINED_OBJECT),
				 state ? errmsg("this question is not for you to decide") : errmsg("there is no such question"),
				 state ? errdetail("You have logged in as \"%s\".", GetUserNameFromId(GetSessionUserId(), false)) : 0,
				 errhint("See secmed.pending.")));
	if (!is_open(state))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the question is not open any more: it is %s", state)));
}

static void
check_reason(const char *reason)
{
	if (reason != NULL && (reason[0] == '\0' || strlen(reason) > REASON_BYTES_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a reason has 1 to %d bytes", REASON_BYTES_MAX),
				 errdetail("The analyst reads it, so leave patients out of it.")));
}

static void
give_answer(const Answer *answer)
{
	uint8		plan_hash[HASH_BYTES];
	char	   *tables;
	Datum		values[5] = {UUIDPGetDatum(answer->id), login_datum(), CStringGetTextDatum(answer->verdict)};
	char		nulls[] = {' ', ' ', ' ', answer->meaning ? ' ' : 'n', answer->reason ? ' ' : 'n', '\0'};

	check_reason(answer->reason);
	check_answer(answer, &tables, plan_hash);
	values[3] = answer->meaning ? CStringGetTextDatum(answer->meaning) : (Datum) 0;
	values[4] = answer->reason ? CStringGetTextDatum(answer->reason) : (Datum) 0;
	approval_record(answer->id->data, NULL, tables, plan_hash,
					answer->meaning ? psprintf("%s %s", answer->verdict, answer->meaning) : answer->verdict, answer->reason);
	statement_run(&insert_answer, values, nulls);
}

Datum
secmed_approve(PG_FUNCTION_ARGS)
{
	Answer		answer = {.id = PG_GETARG_UUID_P(0), .verdict = "approve", .meaning = text_to_cstring(PG_GETARG_TEXT_PP(1))};

	if (strcmp(answer.meaning, "review") != 0 && strcmp(answer.meaning, "approval") != 0 &&
		strcmp(answer.meaning, "responsibility") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not what an approval can mean", answer.meaning),
				 errhint("It means review, approval or responsibility.")));
	give_answer(&answer);
	PG_RETURN_VOID();
}

Datum
secmed_hold(PG_FUNCTION_ARGS)
{
	Answer		answer = {.id = PG_GETARG_UUID_P(0), .verdict = "hold", .reason = text_to_cstring(PG_GETARG_TEXT_PP(1))};

	give_answer(&answer);
	PG_RETURN_VOID();
}

Datum
secmed_reject(PG_FUNCTION_ARGS)
{
	Answer		answer = {.id = PG_GETARG_UUID_P(0), .verdict = "reject", .reason = text_to_cstring(PG_GETARG_TEXT_PP(1))};

	give_answer(&answer);
	PG_RETURN_VOID();
}
