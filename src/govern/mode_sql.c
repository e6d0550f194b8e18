/*
 * mode_sql.c
 *	  secmed.set_mode(): in which mode this node, or a table, is.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "govern/mode.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_set_mode);

static Statement set = {
	"INSERT INTO secmed.site_mode (table_name, mode, who, set_by) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (table_name) DO UPDATE SET mode = $2, who = $3, set_by = $4, set_at = pg_catalog.clock_timestamp()",
	4, {NAMEOID, TEXTOID, TEXTARRAYOID, NAMEOID}
};

static Statement unset = {
	"DELETE FROM secmed.site_mode WHERE table_name = $1", 1, {NAMEOID}
};

/* "node:role", "node:*", or "node:fingerprint". */
static bool
is_requester(const char *name)
{
	const char *colon = strchr(name, ':');
	char	   *node;

	if (colon == NULL)
		return false;
	node = pnstrdup(name, colon - name);
	return node_name_valid(node) && colon[1] != '\0' && strlen(colon + 1) <= 256;
}

/* Appends the names for the ledger's body. */
static void
check_names(ArrayType *array, StringInfo body)
{
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name = nulls[i] ? pstrdup("") : TextDatumGetCString(names[i]);

		if (!is_requester(name))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is nobody who asks", name),
					 errhint("Name roles as 'node:role', all of a node as 'node:*', or identities as 'node:fingerprint'.")));
		appendStringInfo(body, "%s%s", i ? ", " : "", name);
	}
}

static void
check_mode(const char *mode, bool has_names)
{
	SiteMode	wanted = site_mode_from_name(mode);

	if (wanted == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no mode \"%s\"", mode),
				 errhint("Modes are contracts, adhoc and closed.")));
	if (has_names && wanted != MODE_ADHOC)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("only mode \"adhoc\" is for named people"),
				 errhint("In mode \"contracts\" each contract says who may run it.")));
}

/* Who it is for is the body: they are people. */
static void
record(const char *table, const char *mode, const StringInfoData *names)
{
	LedgerEntry entry = {.kind = ENTRY_RULE, .revealed = ""};

	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	entry.object = table;
	entry.outcome = psprintf("mode %s", mode);
	audit_wait(audit_append(&entry, names->len ? names->data : NULL, names->len));
}

Datum
secmed_set_mode(PG_FUNCTION_ARGS)
{
	bool		has_names = !PG_ARGISNULL(1);
	NameData	table = {0};
	char	   *mode = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	Datum		values[4] = {NameGetDatum(&table)};
	StringInfoData names;

	(void) node_self();
	initStringInfo(&names);
	if (!PG_ARGISNULL(2))
		table = *PG_GETARG_NAME(2);
	if (has_names)
		check_names(PG_GETARG_ARRAYTYPE_P(1), &names);
	if (mode == NULL)
	{
		if (statement_run(&unset, values, NULL) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("%s has no mode of its own", table.data[0] ? quote_identifier(table.data) : "this node")));
		record(table.data, "default", &names);
		PG_RETURN_VOID();
	}
	check_mode(mode, has_names);
	values[1] = CStringGetTextDatum(mode);
	values[2] = has_names ? PG_GETARG_DATUM(1) : (Datum) 0;
	values[3] = user_datum();
	statement_run(&set, values, has_names ? NULL : "  n ");
	record(table.data, mode, &names);
	PG_RETURN_VOID();
}
