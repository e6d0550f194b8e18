/*
 * policy_sql.c
 *	  secmed.set_column_policy() and secmed.set_class_policy(): what published columns may be used for.
 *
 * A policy belongs to the published name and outlives unpublish(), so that publishing again does not
 * widen it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "query/column_policy.h"
#include "query/disclosure.h"
#include "query/publish.h"
#include "query/published.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_set_column_policy);
PG_FUNCTION_INFO_V1(secmed_set_class_policy);
PG_FUNCTION_INFO_V1(secmed_set_disclosure);

static char *
text_or_null(FunctionCallInfo fcinfo, int i)
{
	return PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

/* The uses in an array of texts; -1 for NULL. */
static int
uses_argument(FunctionCallInfo fcinfo, int i)
{
	Datum	   *datums;
	bool	   *nulls;
	int			n;
	int			uses = 0;

	if (PG_ARGISNULL(i))
		return -1;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(i), TEXTOID, -1, false, TYPALIGN_INT, &datums, &nulls, &n);
	for (int k = 0; k < n; k++)
	{
		char	   *word = nulls[k] ? pstrdup("NULL") : TextDatumGetCString(datums[k]);
		int			use = column_uses_parse(word);

		if (use <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is not a use of a column", word),
					 errhint("Uses are %s; '{}' allows nothing.", column_uses_text(USES_NAMED))));
		uses |= use;
	}
	return uses;
}

static void
require(FunctionCallInfo fcinfo, int i, const char *name)
{
	if (PG_ARGISNULL(i))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s can't be null", name)));
}

/* As the extension's owner. */
static void
execute(const char *sql, int n, Oid *types, Datum *values, const char *nulls)
{
	OwnerScope	scope;

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_with_args(sql, n, types, values, nulls, false, 0) < 0)
		elog(ERROR, "could not change a policy");
	SPI_finish();
	owner_end(&scope);
}

static void
check_column(const Published *published, const char *name, const char *bucket)
{
	PublishedColumn *column = published_column(published, name);

	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("\"%s\" is not published with a column \"%s\"", published->name, name)));
	if (bucket == NULL)
		return;
	if (published->patient != NULL && strcmp(published->patient, name) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the patient column can't have a bucket"),
				 errdetail("Patients would be counted as one.")));
	if (bucket_expression(name, column->type, column->typmod, bucket) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a bucket for column \"%s\" of type %s", bucket, name, format_type_be(column->type)),
				 errhint("Numbers have top:89 and width:5, dates and timestamps month, quarter and year, texts prefix:3.")));
}

Datum
secmed_set_column_policy(PG_FUNCTION_ARGS)
{
	Oid			types[] = {NAMEOID, NAMEOID, TEXTARRAYOID, TEXTOID, TEXTOID, NAMEOID};
	Datum		values[6];
	char		nulls[] = "      ";
	NameData	by;
	const char *bucket = text_or_null(fcinfo, 3);
	char	   *class = text_or_null(fcinfo, 4);
	int			uses;
	Published  *published;
	char	   *table;
	char	   *column;

	require(fcinfo, 0, "table");
	require(fcinfo, 1, "column");
	table = NameStr(*PG_GETARG_NAME(0));
	column = NameStr(*PG_GETARG_NAME(1));
	uses = uses_argument(fcinfo, 2);
	published = published_find(table);
	if (published == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("\"%s\" is not published", table)));
	check_column(published, column, bucket);

	namestrcpy(&by, GetUserNameFromId(GetUserId(), false));
	for (int i = 0; i < 5; i++)
	{
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	values[5] = NameGetDatum(&by);
	execute("INSERT INTO secmed.column_policy (\"table\", \"column\", uses, bucket, class, set_by) VALUES ($1, $2, $3, $4, $5, $6)"
			" ON CONFLICT (\"table\", \"column\") DO UPDATE SET uses = excluded.uses, bucket = excluded.bucket,"
			" class = excluded.class, set_at = pg_catalog.clock_timestamp(), set_by = excluded.set_by",
			6, types, values, nulls);
	publish_view_again(published_find(table));
	publish_record_policy(table, psprintf("column %s: uses %s, bucket %s, class %s", column,
										  uses < 0 ? "as by default" : column_uses_text(uses), bucket ? bucket : "none",
										  class ? class : "none"));
	PG_RETURN_VOID();
}

Datum
secmed_set_class_policy(PG_FUNCTION_ARGS)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTARRAYOID, INT4OID, NAMEOID};
	Datum		values[5];
	NameData	by;
	int			uses;

	for (int i = 0; i < 4; i++)
		require(fcinfo, i, i == 0 ? "jurisdiction" : i == 1 ? "class" : i == 2 ? "uses" : "min_patients");
	uses = uses_argument(fcinfo, 2);
	if (PG_GETARG_INT32(3) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("min_patients must be at least 1")));
	namestrcpy(&by, GetUserNameFromId(GetUserId(), false));
	for (int i = 0; i < 4; i++)
		values[i] = PG_GETARG_DATUM(i);
	values[4] = NameGetDatum(&by);
	execute("INSERT INTO secmed.class_policy (jurisdiction, class, uses, min_patients, set_by) VALUES ($1, $2, $3, $4, $5)"
			" ON CONFLICT (jurisdiction, class) DO UPDATE SET uses = excluded.uses, min_patients = excluded.min_patients,"
			" set_at = pg_catalog.clock_timestamp(), set_by = excluded.set_by",
			5, types, values, NULL);
	publish_record_policy(psprintf("%s/%s", text_or_null(fcinfo, 0), text_or_null(fcinfo, 1)),
						  psprintf("uses %s, at least %d patients", column_uses_text(uses), PG_GETARG_INT32(3)));
	PG_RETURN_VOID();
}

Datum
secmed_set_disclosure(PG_FUNCTION_ARGS)
{
	Oid			types[] = {NAMEOID, TEXTOID, TEXTOID, INT4OID, NAMEOID};
	Datum		values[5];
	char		nulls[] = "     ";
	NameData	by;
	char	   *jurisdiction = text_or_null(fcinfo, 1);
	char	   *differencing = text_or_null(fcinfo, 2);
	int			repeats = PG_ARGISNULL(3) ? REPEATS_DEFAULT : PG_GETARG_INT32(3);

	require(fcinfo, 0, "table");
	if (differencing != NULL && differencing_from_name(differencing) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("questions are compared with answers of everybody, requester or none, not of \"%s\"", differencing)));
	if (repeats < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("repeats can't be negative"), errhint("0 lets the same be asked as often as one likes.")));
	namestrcpy(&by, GetUserNameFromId(GetUserId(), false));
	for (int i = 0; i < 4; i++)
	{
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	values[4] = NameGetDatum(&by);
	execute("INSERT INTO secmed.disclosure_policy (\"table\", jurisdiction, differencing, repeats, set_by) VALUES ($1, $2, $3, $4, $5)"
			" ON CONFLICT (\"table\") DO UPDATE SET jurisdiction = excluded.jurisdiction, differencing = excluded.differencing, repeats = excluded.repeats,"
			" set_at = pg_catalog.clock_timestamp(), set_by = excluded.set_by",
			5, types, values, nulls);
	publish_record_policy(NameStr(*PG_GETARG_NAME(0)),
						  psprintf("jurisdiction %s, compared with answers of %s, asked %s times", jurisdiction ? jurisdiction : "none",
								   differencing ? differencing : "everybody",
								   repeats == 0 ? "any number of" : psprintf("%d", repeats)));
	PG_RETURN_VOID();
}
