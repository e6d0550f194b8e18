/*
 * import.c
 *	  IMPORT FOREIGN SCHEMA published: foreign tables for what all sites
 *	  publish alike.
 *
 * A question means the same at every site only if the sites' tables have the
 * same columns of the same types and the same public domains; a difference is
 * an error that names the site.
 */
#include "postgres.h"

#include "commands/defrem.h"
#include "contract/describe.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "parser/parse_type.h"
#include "peer/connection.h"
#include "query/column_policy.h"
#include "query/domain.h"
#include "query/scan.h"
#include "query/options.h"
#include "utils/builtins.h"

typedef struct SiteTables
{
	const char *site;
	DescribedTable *tables;
	int			n;
} SiteTables;

static void
ask_site(SiteTables *answer, const char *site)
{
	StringInfoData question;
	StringInfoData description;
	const char *reason;

	initStringInfo(&question);
	initStringInfo(&description);
	question_encode(&question);
	nodeconn_ask(nodeconn_get(site), "describe", question.data, question.len, &description,
				 TimestampTzPlusMilliseconds(GetCurrentTimestamp(), node_timeout_ms));
	answer->site = site;
	if (!description_decode(&answer->tables, &answer->n, description.data, description.len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_PROTOCOL),
				 errmsg("node \"%s\" sent a message that the protocol does not allow", site),
				 errdetail("%s.", reason)));
}

static DescribedTable *
find_table(const SiteTables *site, const char *name)
{
	for (int i = 0; i < site->n; i++)
		if (strcmp(site->tables[i].name, name) == 0)
			return &site->tables[i];
	return NULL;
}

/* ---- are they alike? ---- */

static void
differs(const SiteTables *a, const SiteTables *b, const char *table, const char *how)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
			 errmsg("sites \"%s\" and \"%s\" publish different tables as \"%s\"", a->site, b->site, table),
			 errdetail("%s.", how),
			 errhint("One of the sites publishes it again, or leave it out with EXCEPT.")));
}

static bool
same_text(const char *a, const char *b)
{
	return (a == NULL && b == NULL) || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_domain(const DescribedColumn *a, const DescribedColumn *b)
{
	if (a->nvalues != b->nvalues)
		return false;
	for (int i = 0; i < a->nvalues; i++)
		if (!same_text(a->values[i], b->values[i]))
			return false;
	return true;
}

static void
compare_columns(const SiteTables *a, const SiteTables *b, DescribedTable *x, const DescribedTable *y)
{
	if (x->ncolumns != y->ncolumns)
		differs(a, b, x->name, psprintf("It has %d columns at \"%s\" and %d at \"%s\"",
				x->ncolumns, a->site, y->ncolumns, b->site));
	for (int i = 0; i < x->ncolumns; i++)
	{
		DescribedColumn *p = &x->columns[i];
		const DescribedColumn *q = &y->columns[i];

		if (strcmp(p->name, q->name) != 0)
			differs(a, b, x->name, psprintf("Column %d is \"%s\" at \"%s\" and \"%s\" at \"%s\"",
					i + 1, p->name, a->site, q->name, b->site));
		if (strcmp(p->type, q->type) != 0)
			differs(a, b, x->name, psprintf("Column \"%s\" is of type %s at \"%s\" and of type %s at \"%s\"",
					p->name, p->type, a->site, q->type, b->site));
		if (!same_domain(p, q))
			differs(a, b, x->name, psprintf("Column \"%s\" has other public values at \"%s\" than at \"%s\"",
					p->name, a->site, b->site));
		if (!same_text(p->bucket, q->bucket))
			differs(a, b, x->name, psprintf("Column \"%s\" has bucket %s at \"%s\" and %s at \"%s\"",
					p->name, p->bucket ? p->bucket : "none", a->site, q->bucket ? q->bucket : "none", b->site));
		p->not_null = p->not_null && q->not_null;
		p->uses &= q->uses;
		p->class = p->class ? p->class : q->class;
	}
}

static void
compare_tables(const SiteTables *a, const SiteTables *b, DescribedTable *x, const DescribedTable *y)
{
	compare_columns(a, b, x, y);
	/* The strictest threshold; a bound that all fit under, unless one shares none. */
	x->patients_min = Max(x->patients_min, y->patients_min);
	x->patient_unique = x->patient_unique && y->patient_unique;
	x->rows_max = x->rows_max == 0 || y->rows_max == 0 ? 0 : Max(x->rows_max, y->rows_max);
	if (!same_text(x->patient, y->patient))
		differs(a, b, x->name, psprintf("The patient column is %s at \"%s\" and %s at \"%s\"",
				x->patient ? x->patient : "missing", a->site,
				y->patient ? y->patient : "missing", b->site));
	if (x->nkeys != y->nkeys)
		differs(a, b, x->name, psprintf("Other columns are local to a site at \"%s\" than at \"%s\"", a->site, b->site));
	for (int i = 0; i < x->nkeys; i++)
		if (strcmp(x->local_keys[i], y->local_keys[i]) != 0)
			differs(a, b, x->name, psprintf("Other columns are local to a site at \"%s\" than at \"%s\"",
					a->site, b->site));
}

/* ---- the command ---- */

/*
 * The type's own name here.  What the site sent is never used as SQL: it is
 * parsed as a type and nothing else.
 */
static char *
column_type(const DescribedTable *table, const DescribedColumn *column)
{
	Oid			type;
	int32		typmod;

	parseTypeString(column->type, &type, &typmod, true);
	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type %s does not exist here", column->type),
				 errdetail("Column \"%s\" of \"%s\" is of this type.", column->name, table->name),
				 errhint("If it is an enum, create it here with the same labels as at the sites.")));
	return format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY);
}

static void
append_option(StringInfo sql, bool *any, const char *name, const char *value)
{
	appendStringInfo(sql, "%s%s %s", *any ? ", " : " OPTIONS (", name, quote_literal_cstr(value));
	*any = true;
}

/* Uses are written down where they are not those of a column that nobody has named. */
static void
append_column_options(StringInfo sql, const DescribedTable *table, const DescribedColumn *column)
{
	bool		patient = table->patient != NULL && strcmp(table->patient, column->name) == 0;
	bool		any = false;

	if (column->nvalues >= 0)
	{
		Domain		domain = {InvalidOid, column->nvalues, column->values};

		append_option(sql, &any, "domain", domain_to_json(&domain));
	}
	if (column->uses != (patient ? USES_OF_PATIENT : USES_OF_COLUMN))
		append_option(sql, &any, "uses", column_uses_text(column->uses));
	if (column->bucket != NULL)
		append_option(sql, &any, "bucket", column->bucket);
	if (column->class != NULL)
		append_option(sql, &any, "class", column->class);
	if (any)
		appendStringInfoChar(sql, ')');
}

static char *
create_command(const DescribedTable *table, const char *server)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "CREATE FOREIGN TABLE %s (", quote_identifier(table->name));
	for (int i = 0; i < table->ncolumns; i++)
	{
		const DescribedColumn *column = &table->columns[i];

		appendStringInfo(&sql, "%s\n  %s %s", i ? "," : "", quote_identifier(column->name), column_type(table, column));
		append_column_options(&sql, table, column);
		if (column->not_null)
			appendStringInfoString(&sql, " NOT NULL");
	}
	appendStringInfo(&sql, "\n) SERVER %s OPTIONS (\"table\" %s", quote_identifier(server),
					 quote_literal_cstr(table->name));
	if (table->patient)
		appendStringInfo(&sql, ", patient %s", quote_literal_cstr(table->patient));
	if (table->patient && table->patient_unique)
		appendStringInfo(&sql, ", \"unique\" %s", quote_literal_cstr(table->patient));
	appendStringInfo(&sql, ", threshold '" UINT64_FORMAT "', rows_max '" UINT64_FORMAT "'", table->patients_min, table->rows_max);
	if (table->nkeys > 0)
	{
		StringInfoData keys;

		initStringInfo(&keys);
		for (int i = 0; i < table->nkeys; i++)
			appendStringInfo(&keys, "%s%s", i ? ", " : "", quote_identifier(table->local_keys[i]));
		appendStringInfo(&sql, ", local_keys %s", quote_literal_cstr(keys.data));
	}
	appendStringInfoString(&sql, ");");
	return sql.data;
}

/* The table as all sites publish it, or NULL with a warning if one does not. */
static DescribedTable *
common_table(SiteTables *sites, int n, DescribedTable *first)
{
	for (int i = 1; i < n; i++)
	{
		DescribedTable *table = find_table(&sites[i], first->name);

		if (table == NULL)
		{
			ereport(WARNING,
					(errcode(ERRCODE_SECMED_TABLE_MISMATCH),
					 errmsg("\"%s\" is not imported: site \"%s\" does not publish it",
							first->name, sites[i].site)));
			return NULL;
		}
		compare_tables(&sites[0], &sites[i], first, table);
	}
	return first;
}

List *
import_published(ImportForeignSchemaStmt *stmt, Oid serverid)
{
	Federation *federation = federation_of_server(serverid);
	SiteTables	sites[SITES_MAX];
	List	   *commands = NIL;

	if (strcmp(stmt->remote_schema, "published") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_SCHEMA_NOT_FOUND),
				 errmsg("schema \"%s\" can't be imported", stmt->remote_schema),
				 errhint("What the sites publish is the schema \"published\": IMPORT FOREIGN SCHEMA published FROM SERVER %s INTO ...",
						 quote_identifier(federation->server))));
	if (stmt->options != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("invalid option \"%s\"", linitial_node(DefElem, stmt->options)->defname)));

	for (int i = 0; i < federation->nsites; i++)
		ask_site(&sites[i], federation->sites[i]);
	for (int i = 0; i < sites[0].n; i++)
	{
		DescribedTable *table = &sites[0].tables[i];

		if (IsImportableForeignTable(table->name, stmt) &&
			common_table(sites, federation->nsites, table) != NULL)
			commands = lappend(commands, create_command(table, federation->server));
	}
	return commands;
}
