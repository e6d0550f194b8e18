/*
 * publish_sql.c
 *	  secmed.publish() and secmed.unpublish().
 *
 * A published table is a view in schema secmed_published, made and owned by
 * whoever publishes, so that PostgreSQL's own privileges and dependencies
 * hold: a sub-query reads the table with the publisher's rights, and a column
 * that is published can't be dropped or change its type unnoticed.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "audit/append.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "query/column_policy.h"
#include "query/deparse.h"
#include "query/publish.h"
#include "query/published.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(secmed_publish);
PG_FUNCTION_INFO_V1(secmed_unpublish);

/* The arguments of publish(). */
typedef struct PublishCall
{
	Oid			relation;
	char	   *name;
	char	   *patient;
	int			patients_min;
	List	   *columns;		/* of char * */
	Jsonb	   *domains;
	List	   *local_keys;		/* of char * */
	bool		show_zero;
	List	   *sites;			/* of char *; NIL: any */
	int			rows_max;
} PublishCall;

static List *
names_of_array(ArrayType *array)
{
	Datum	   *datums;
	bool	   *nulls;
	int			n;
	List	   *names = NIL;

	deconstruct_array(array, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &datums, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a column name can't be null")));
		names = lappend(names, pstrdup(NameStr(*DatumGetName(datums[i]))));
	}
	return names;
}

static List *
all_columns(Oid relid)
{
	Relation	relation = relation_open(relid, AccessShareLock);
	List	   *names = NIL;

	for (int i = 0; i < RelationGetDescr(relation)->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), i);

		if (!attribute->attisdropped)
			names = lappend(names, pstrdup(NameStr(attribute->attname)));
	}
	relation_close(relation, AccessShareLock);
	return names;
}

static bool
has_name(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
		if (strcmp(lfirst(lc), name) == 0)
			return true;
	return false;
}

static void
require_column(const PublishCall *publication, const char *name, const char *as)
{
	if (!has_name(publication->columns, name))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\", named as %s, is not among the published columns", name, as)));
}

static PublishCall
read_arguments(FunctionCallInfo fcinfo)
{
	PublishCall publication = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(3) || PG_ARGISNULL(5) || PG_ARGISNULL(6) || PG_ARGISNULL(7) ||
		PG_ARGISNULL(9))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("relation, min_patients, domains, local_keys, show_zero and rows_max can't be null")));
	publication.relation = PG_GETARG_OID(0);
	if (get_rel_name(publication.relation) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", publication.relation)));
	publication.name = PG_ARGISNULL(1) ? get_rel_name(publication.relation) : pstrdup(NameStr(*PG_GETARG_NAME(1)));
	publication.patient = PG_ARGISNULL(2) ? NULL : pstrdup(NameStr(*PG_GETARG_NAME(2)));
	publication.patients_min = PG_GETARG_INT32(3);
	publication.columns = PG_ARGISNULL(4) ? all_columns(publication.relation) :
		names_of_array(PG_GETARG_ARRAYTYPE_P(4));
	publication.domains = PG_GETARG_JSONB_P(5);
	publication.local_keys = names_of_array(PG_GETARG_ARRAYTYPE_P(6));
	publication.show_zero = PG_GETARG_BOOL(7);
	publication.sites = PG_ARGISNULL(8) ? NIL : names_of_array(PG_GETARG_ARRAYTYPE_P(8));
	publication.rows_max = PG_GETARG_INT32(9);
	return publication;
}

/* ---- checks ---- */

static void
check_relation(const PublishCall *publication)
{
	char		relkind = get_rel_relkind(publication->relation);

	if (relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE &&
		relkind != RELKIND_VIEW && relkind != RELKIND_MATVIEW)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view", get_rel_name(publication->relation)),
				 errhint("Publish a table, a partitioned table, a view or a materialized view.")));
	if (!pg_class_ownercheck(publication->relation, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(relkind),
					   get_rel_name(publication->relation));
}

static void
check_types(const PublishCall *publication)
{
	ListCell   *lc;

	foreach(lc, publication->columns)
	{
		AttrNumber	attnum = get_attnum(publication->relation, lfirst(lc));

		if (attnum <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of relation \"%s\" does not exist", (char *) lfirst(lc),
							get_rel_name(publication->relation))));
	}
	if (publication->columns == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("nothing is left to publish: no columns")));
}

static void
check_domain(Oid relid, JsonbValue *json, const char *column)
{
	Oid			type,
				collation;
	int32		typmod;

	get_atttypetypmodcoll(relid, get_attnum(relid, column), &type, &typmod, &collation);
	domain_from_json(json, type, typmod, column);
}

/* Each domain is of a published column and fits its type. */
static void
check_domains(const PublishCall *publication)
{
	JsonbIterator *iterator = JsonbIteratorInit(&publication->domains->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int			level = transmission_settings();

	if (!JB_ROOT_IS_OBJECT(publication->domains))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("domains must be a JSON object"),
				 errhint("For example '{\"sex\": [1, 2], \"stage\": {\"min\": 1, \"max\": 4}}'.")));
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		char	   *column;

		if (token != WJB_KEY)
			continue;
		column = pnstrdup(value.val.string.val, value.val.string.len);
		require_column(publication, column, "having a domain");
		JsonbIteratorNext(&iterator, &value, true);
		check_domain(publication->relation, &value, column);
	}
	AtEOXact_GUC(true, level);
}

static void
check_publication(const PublishCall *publication)
{
	ListCell   *lc;

	check_relation(publication);
	check_types(publication);
	if (publication->patients_min < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("min_patients must be at least 1")));
	if (publication->rows_max < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rows_max can't be negative"),
				 errhint("0 shares no rows: only sums can be asked then.")));
	if (publication->patient != NULL)
		require_column(publication, publication->patient, "patient");
	foreach(lc, publication->local_keys)
		require_column(publication, lfirst(lc), "local key");
	check_domains(publication);
	foreach(lc, publication->sites)
		if (!node_name_valid(lfirst(lc)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" in sites is not a node name", (char *) lfirst(lc))));
	if (published_find(publication->name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("\"%s\" is already published", publication->name),
				 errhint("SELECT secmed.unpublish(%s) first.", quote_literal_cstr(publication->name))));
}

/* ---- doing it ---- */

/* As the caller; the ledger tells of the publication, not of its parts. */
static void
run_utility(const char *sql)
{
	Oid			userid;
	int			sec_context;

	GetUserIdAndSecContext(&userid, &sec_context);
	SetUserIdAndSecContext(userid, sec_context | NODE_OWN_WORK);
	if (SPI_execute(sql, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", sql);
	SetUserIdAndSecContext(userid, sec_context);
}

static char *
view_name(const char *name)
{
	return psprintf(PUBLISHED_SCHEMA ".%s", quote_identifier(name));
}

/* What the view shows of a column of the relation. */
static char *
view_column(Oid relation, const char *column, List *names, List *buckets)
{
	ListCell   *name;
	ListCell   *bucket;

	forboth(name, names, bucket, buckets)
		if (strcmp(lfirst(name), column) == 0 && lfirst(bucket) != NULL)
		{
			AttrNumber	attnum = get_attnum(relation, column);
			Oid			type,
						collation;
			int32		typmod;
			char	   *expression;

			get_atttypetypmodcoll(relation, attnum, &type, &typmod, &collation);
			expression = bucket_expression(column, type, typmod, lfirst(bucket));
			if (expression == NULL)
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("bucket \"%s\" does not fit column \"%s\"", (char *) lfirst(bucket), column),
						 errhint("Change its policy with secmed.set_column_policy().")));
			return expression;
		}
	return pstrdup(quote_identifier(column));
}

/* A column that the policy gives a bucket to is made coarser here, before anybody's question is evaluated. */
static char *
view_definition(const char *name, Oid relation, List *columns)
{
	StringInfoData sql;
	List	   *names;
	List	   *buckets;
	ListCell   *lc;

	initStringInfo(&sql);
	published_buckets(name, &names, &buckets);
	/* A view may leave rows out: what others ask must not be evaluated on them. */
	appendStringInfo(&sql, "CREATE OR REPLACE VIEW %s %sAS SELECT ", view_name(name),
					 get_rel_relkind(relation) == RELKIND_VIEW ? "WITH (security_barrier) " : "");
	foreach(lc, columns)
		appendStringInfo(&sql, "%s%s", foreach_current_index(lc) ? ", " : "",
						 view_column(relation, lfirst(lc), names, buckets));
	appendStringInfo(&sql, " FROM %s",
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
												get_rel_name(relation)));
	return sql.data;
}

static void
create_view(const PublishCall *publication)
{
	char	   *sql = view_definition(publication->name, publication->relation, publication->columns);

	SPI_connect();
	run_utility(sql);
	run_utility(psprintf("GRANT SELECT ON %s TO secmed_runner", view_name(publication->name)));
	SPI_finish();
}

void
publish_view_again(const Published *published)
{
	List	   *columns = NIL;
	char	   *sql;
	ListCell   *lc;

	foreach(lc, published->columns)
		columns = lappend(columns, ((PublishedColumn *) lfirst(lc))->name);
	sql = view_definition(published->name, published->relation, columns);
	SPI_connect();
	run_utility(sql);
	SPI_finish();
}

static void
insert_row(const PublishCall *publication, FunctionCallInfo fcinfo)
{
	Oid			types[] = {NAMEOID, OIDOID, NAMEOID, INT4OID, BOOLOID, NAMEARRAYOID, JSONBOID, NAMEOID,
	NAMEARRAYOID, INT4OID};
	char		nulls[] = {' ', ' ', publication->patient ? ' ' : 'n', ' ', ' ', ' ', ' ', ' ',
	PG_ARGISNULL(8) ? 'n' : ' ', ' ', '\0'};
	NameData	name,
				patient,
				by;
	Datum		values[10];
	OwnerScope	scope;

	namestrcpy(&name, publication->name);
	namestrcpy(&patient, publication->patient ? publication->patient : "");
	namestrcpy(&by, GetUserNameFromId(GetUserId(), false));
	values[0] = NameGetDatum(&name);
	values[1] = ObjectIdGetDatum(publication->relation);
	values[2] = NameGetDatum(&patient);
	values[3] = Int32GetDatum(publication->patients_min);
	values[4] = BoolGetDatum(publication->show_zero);
	values[5] = PG_GETARG_DATUM(6);
	values[6] = PG_GETARG_DATUM(5);
	values[7] = NameGetDatum(&by);
	values[8] = PG_ARGISNULL(8) ? (Datum) 0 : PG_GETARG_DATUM(8);
	values[9] = Int32GetDatum(publication->rows_max);

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_with_args("INSERT INTO secmed.published (name, relation, patient, min_patients, show_zero, local_keys, domains, published_by, sites, rows_max)"
							  " VALUES ($1, $2::regclass, $3, $4, $5, $6, $7, $8, $9, $10)",
							  10, types, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not insert into secmed.published");
	SPI_finish();
	owner_end(&scope);
}

static void
record(EntryKind kind, const char *name, uint64 patients_min)
{
	LedgerEntry entry = {.kind = kind, .outcome = "asked", .revealed = ""};

	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	entry.object = name;
	if (patients_min > 0)
	{
		entry.ncounters = 1;
		entry.counters[0] = patients_min;
	}
	audit_wait(audit_append(&entry, NULL, 0));
}

void
publish_record_policy(const char *table, const char *words)
{
	LedgerEntry entry = {.kind = ENTRY_PUBLISHED, .outcome = "asked", .revealed = words};

	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	entry.object = table;
	audit_wait(audit_append(&entry, NULL, 0));
}

Datum
secmed_publish(PG_FUNCTION_ARGS)
{
	PublishCall publication = read_arguments(fcinfo);

	(void) node_self();
	check_publication(&publication);
	create_view(&publication);
	insert_row(&publication, fcinfo);
	record(ENTRY_PUBLISHED, publication.name, publication.patients_min);
	PG_RETURN_VOID();
}

Datum
secmed_unpublish(PG_FUNCTION_ARGS)
{
	char	   *name = NameStr(*PG_GETARG_NAME(0));
	Oid			types[1] = {NAMEOID};
	Datum		values[1] = {PG_GETARG_DATUM(0)};
	OwnerScope	scope;

	if (published_find(name) != NULL)
	{
		SPI_connect();
		run_utility(psprintf("DROP VIEW %s", view_name(name)));
		SPI_finish();
	}

	owner_begin(&scope);
	SPI_connect();
	if (SPI_execute_with_args("DELETE FROM secmed.published WHERE name = $1", 1, types, values, NULL,
							  false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete from secmed.published");
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("\"%s\" is not published", name)));
	SPI_finish();
	owner_end(&scope);
	record(ENTRY_UNPUBLISHED, name, 0);
	PG_RETURN_VOID();
}
