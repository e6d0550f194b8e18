/*
 * options.c
 *	  Options of servers, foreign tables and their columns.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "identity/card.h"
#include "query/column_policy.h"
#include "query/options.h"
#include "share/secret.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(secmed_fdw_validator);

static const struct
{
	const char *name;
	Oid			catalog;
}			known_options[] = {
	{"sites", ForeignServerRelationId},
	{"parties", ForeignServerRelationId},
	{"table", ForeignTableRelationId},
	{"patient", ForeignTableRelationId},
	{"local_keys", ForeignTableRelationId},
	{"kind", ForeignTableRelationId},
	{"unique", ForeignTableRelationId},
	{"threshold", ForeignTableRelationId},
	{"rows_max", ForeignTableRelationId},
	{"domain", AttributeRelationId},
	{"uses", AttributeRelationId},
	{"bucket", AttributeRelationId},
	{"class", AttributeRelationId},
	{"bits", AttributeRelationId},
	{"bytes", AttributeRelationId},
};

/* A comma-separated list of node names, each once. */
static List *
node_list(const char *option, const char *value, int min, int max)
{
	List	   *names = NIL;
	ListCell   *lc;

	if (!SplitIdentifierString(pstrdup(value), ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"%s\" is not a list of node names", option)));
	foreach(lc, names)
	{
		if (!node_name_valid(lfirst(lc)))
			ereport(ERROR,
					(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
					 errmsg("\"%s\" in option \"%s\" is not a node name", (char *) lfirst(lc), option)));
		for (int i = 0; i < foreach_current_index(lc); i++)
			if (strcmp(list_nth(names, i), lfirst(lc)) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
						 errmsg("option \"%s\" names node \"%s\" twice", option, (char *) lfirst(lc))));
	}
	if (list_length(names) < min || list_length(names) > max)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"%s\" names %d nodes", option, list_length(names)),
				 min == max ? errdetail("It takes %d.", min) :
				 errdetail("It takes %d to %d.", min, max)));
	return names;
}

int
number_option(const char *option, const char *value, int min, int max)
{
	char	   *end;
	long		number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || number < min || number > max)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"%s\" is not a number from %d to %d", option, min, max)));
	return (int) number;
}

static void
check_option(const DefElem *option, Oid catalog)
{
	const char *value = defGetString((DefElem *) option);
	bool		known = false;

	for (int i = 0; i < lengthof(known_options); i++)
		if (known_options[i].catalog == catalog && strcmp(known_options[i].name, option->defname) == 0)
			known = true;
	if (!known)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"", option->defname),
				 catalog == ForeignServerRelationId ?
				 errhint("A secmed server has the options sites and parties.") :
				 errhint("IMPORT FOREIGN SCHEMA published writes the options of tables and columns.")));
	if (strcmp(option->defname, "sites") == 0)
		node_list("sites", value, SITES_MIN, SITES_MAX);
	else if (strcmp(option->defname, "parties") == 0)
		node_list("parties", value, PARTIES, PARTIES);
	else if (strcmp(option->defname, "kind") == 0 && strcmp(value, "shared") != 0 && strcmp(value, "published") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"kind\" is \"shared\" or \"published\"")));
	else if (strcmp(option->defname, "uses") == 0 && column_uses_parse(value) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"uses\" is a list of %s, or \"nothing\"", column_uses_text(USES_NAMED))));
	else if (strcmp(option->defname, "threshold") == 0)
		number_option("threshold", value, 1, PG_INT32_MAX);
	else if (strcmp(option->defname, "rows_max") == 0)
		number_option("rows_max", value, 0, PG_INT32_MAX);
	else if (strcmp(option->defname, "bits") == 0)
		number_option("bits", value, 2, SECRET_NUMBER_BITS_MAX);
	else if (strcmp(option->defname, "bytes") == 0)
		number_option("bytes", value, 1, SECRET_TEXT_BYTES_MAX);
}

Datum
secmed_fdw_validator(PG_FUNCTION_ARGS)
{
	ListCell   *lc;

	foreach(lc, untransformRelOptions(PG_GETARG_DATUM(0)))
		check_option(lfirst_node(DefElem, lc), PG_GETARG_OID(1));
	PG_RETURN_VOID();
}

const char *
option_value(List *options, const char *name)
{
	ListCell   *lc;

	foreach(lc, options)
	{
		DefElem    *option = lfirst_node(DefElem, lc);

		if (strcmp(option->defname, name) == 0)
			return defGetString(option);
	}
	return NULL;
}

static const char *
required_option(ForeignServer *server, const char *name)
{
	const char *value = option_value(server->options, name);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("server \"%s\" has no option \"%s\"", server->servername, name),
				 errhint("ALTER SERVER %s OPTIONS (ADD %s 'node, node, node');",
						 quote_identifier(server->servername), name)));
	return value;
}

Federation *
federation_of_server(Oid serverid)
{
	ForeignServer *server = GetForeignServer(serverid);
	Federation *federation = palloc0(sizeof(Federation));
	List	   *sites = node_list("sites", required_option(server, "sites"), SITES_MIN, SITES_MAX);
	List	   *parties = node_list("parties", required_option(server, "parties"), PARTIES, PARTIES);

	federation->server = server->servername;
	federation->nsites = list_length(sites);
	for (int i = 0; i < federation->nsites; i++)
		federation->sites[i] = list_nth(sites, i);
	for (int i = 0; i < PARTIES; i++)
		federation->parties[i] = list_nth(parties, i);
	return federation;
}

PublishedTable *
published_table(Oid relid)
{
	PublishedTable *table = palloc0(sizeof(PublishedTable));
	ForeignTable *foreign = GetForeignTable(relid);
	const char *name = option_value(foreign->options, "table");
	const char *patient = option_value(foreign->options, "patient");
	const char *keys = option_value(foreign->options, "local_keys");
	const char *unique = option_value(foreign->options, "unique");
	const char *threshold = option_value(foreign->options, "threshold");
	const char *rows = option_value(foreign->options, "rows_max");

	table->relid = relid;
	table->name = name ? pstrdup(name) : get_rel_name(relid);
	table->patient = patient ? pstrdup(patient) : NULL;
	table->patient_unique = patient && unique && strcmp(patient, unique) == 0;
	table->threshold = threshold ? number_option("threshold", threshold, 1, PG_INT32_MAX) : THRESHOLD_DEFAULT;
	table->rows_max = rows ? number_option("rows_max", rows, 0, PG_INT32_MAX) : 0;
	if (keys && !SplitIdentifierString(pstrdup(keys), ',', &table->local_keys))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("option \"local_keys\" of foreign table \"%s\" is not a list of columns",
						get_rel_name(relid))));
	if (patient)
		table->local_keys = lappend(table->local_keys, table->patient);
	return table;
}

bool
foreign_column_not_null(Oid relid, AttrNumber attnum)
{
	HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid), Int16GetDatum(attnum));
	bool		not_null;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for attribute %d of relation %u", attnum, relid);
	not_null = ((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;
	ReleaseSysCache(tuple);
	return not_null;
}

Domain *
foreign_column_domain(Oid relid, AttrNumber attnum)
{
	const char *json = option_value(GetForeignColumnOptions(relid, attnum), "domain");
	HeapTuple	tuple;
	Form_pg_attribute column;
	Domain	   *domain;

	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid), Int16GetDatum(attnum));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for attribute %d of relation %u", attnum, relid);
	column = (Form_pg_attribute) GETSTRUCT(tuple);
	if (json != NULL)
		domain = domain_from_json_text(json, column->atttypid, column->atttypmod, NameStr(column->attname));
	else
		domain = domain_of_type(column->atttypid, !column->attnotnull);
	ReleaseSysCache(tuple);
	return domain;
}

int
foreign_column_uses(const PublishedTable *table, AttrNumber attnum)
{
	const char *text = option_value(GetForeignColumnOptions(table->relid, attnum), "uses");

	if (text != NULL)
		return Max(column_uses_parse(text), 0);
	if (table->patient != NULL && strcmp(table->patient, get_attname(table->relid, attnum, false)) == 0)
		return USES_OF_PATIENT;
	return USES_OF_COLUMN;
}
