/*
 * consent_rule_sql.c
 *	  secmed.require_consent(): which published tables need their patients' consent.
 *
 * The rule belongs to the published name, as policies of columns do, and outlives unpublish().
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "govern/consent.h"
#include "govern/consent_change.h"
#include "govern/rows.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "query/publish.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_require_consent);

/* "HRESCH, TREAT"; an error for a NULL or an empty one. */
static char *
words_of(ArrayType *array, const char *what)
{
	Datum	   *texts;
	bool	   *nulls;
	int			n;
	StringInfoData words;

	initStringInfo(&words);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *word = nulls[i] ? "" : TextDatumGetCString(texts[i]);

		if (word[0] == '\0' || strlen(word) >= NAMEDATALEN)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is not a code of a %s", word, what)));
		appendStringInfo(&words, "%s%s", i ? ", " : "", word);
	}
	return words.data;
}

static void
check_table(const char *table)
{
	Published  *published = published_find(table);

	if (published == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("\"%s\" is not published", table)));
	if (!pg_class_ownercheck(published->view, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_VIEW, table);
	if (published->patient == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is published without a patient column", table),
				 errdetail("Whose consent a row needs can't be told.")));
}

static void
keep_rule(const char *table, bool needed, Datum *values)
{
	Oid			types[] = {NAMEOID, TEXTARRAYOID, TEXTARRAYOID, NAMEOID};
	OwnerScope	scope;

	owner_begin(&scope);
	SPI_connect();
	consent_changes_begin();
	if (!needed)
		rows_run("DELETE FROM secmed.consent_rule WHERE \"table\" = $1", SPI_OK_DELETE, 1, types, values);
	else
		rows_run("INSERT INTO secmed.consent_rule (\"table\", purposes, classes, set_by) VALUES ($1, $2, $3, $4)"
				 " ON CONFLICT (\"table\") DO UPDATE SET purposes = $2, classes = $3, set_by = $4,"
				 " set_at = pg_catalog.clock_timestamp()", SPI_OK_INSERT, 4, types, values);
	consent_settle(NULL, table);
	SPI_finish();
	owner_end(&scope);
}

Datum
secmed_require_consent(PG_FUNCTION_ARGS)
{
	char	   *table;
	bool		needed = !PG_ARGISNULL(1);
	char	   *purposes = "";
	char	   *classes = "";
	Datum		values[4] = {0};
	NameData	by;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("table and classes can't be null")));
	table = NameStr(*PG_GETARG_NAME(0));
	check_table(table);
	if (needed)
		purposes = words_of(PG_GETARG_ARRAYTYPE_P(1), "purpose");
	classes = words_of(PG_GETARG_ARRAYTYPE_P(2), "class");
	if (needed && purposes[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("no purpose is named"),
				 errhint("The first is that of questions without a contract; NULL ends the need for consent.")));
	namestrcpy(&by, GetUserNameFromId(GetUserId(), false));
	for (int i = 0; i < 3; i++)
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
	values[3] = NameGetDatum(&by);
	keep_rule(table, needed, values);
	publish_record_policy(table, needed ? psprintf("needs consent: purposes %s; classes %s", purposes,
												   classes[0] ? classes : "none") : "needs no consent");
	PG_RETURN_VOID();
}
