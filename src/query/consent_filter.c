/*
 * consent_filter.c
 *	  Leaves out of a site's sub-query whoever has not agreed to its purpose.
 *
 * Who has agreed is read from secmed.consented once, and kept in memory until consents change, or a period
 * begins or ends; sessions of nodes last.  What is asked for each row is whether a bit is set: a join with the table of a
 * million takes several times as long as the question itself.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "contract/contract.h"
#include "executor/spi.h"
#include "govern/consent.h"
#include "govern/document.h"
#include "govern/statement.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "query/consent_filter.h"
#include "query/consent_set.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Sets of a session, the latest first. */
#define SETS_KEPT	16

typedef struct KeptSet
{
	char	   *table;
	char	   *purpose;
	char	   *actor;
	bool		integers;
	int64		version;		/* of the consents */
	TimestampTz until;			/* a period begins or ends */
	bytea	   *set;
} KeptSet;

static List *kept_sets = NIL;

/* ---- the purpose ---- */

static const char *
purpose_of_contract(const Request *request)
{
	Document	document;
	Contract	contract;
	const char *reason;
	bool		taken;

	if (!document_find(&document, request->contract, &taken) || strcmp(document.kind->name, CONTRACT_KIND) != 0 ||
		!contract_decode(&contract, document.body, document.body_len, &reason))
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_CONSENT),
				 errmsg("site \"%s\" does not know the contract, and so not the purpose", node_self()->card.name)));
	return contract.purpose_code;
}

/* The contract's; without one that which the table's rule says. */
static const char *
purpose_of_run(const Request *request, const ConsentRule *rule)
{
	const char *purpose;
	ListCell   *lc;

	if (!request->has_contract)
		return linitial(rule->purposes);
	purpose = purpose_of_contract(request);
	foreach(lc, rule->purposes)
		if (strcmp(lfirst(lc), purpose) == 0)
			return purpose;
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_CONSENT),
			 errmsg("site \"%s\" does not open \"%s\" to purpose %s", node_self()->card.name, rule->table, purpose),
			 errhint("The site names the purposes for which it asks consent with secmed.require_consent().")));
}

/* ---- the set ---- */

static int64
consent_version(void)
{
	static Statement read = {"SELECT version FROM secmed.consent_version"};
	int64		version = 0;
	bool		isnull;

	if (statement_begin(&read, NULL, NULL) > 0)
		version = DatumGetInt64(statement_value(0, 1, &isnull));
	statement_end(&read);
	return version;
}

/* Periods that are to come count for when the set ends. */
static void
take_row(PatientList *list, TimestampTz *until, HeapTuple tuple, TupleDesc desc, TimestampTz now)
{
	bool		isnull;
	TimestampTz begins = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 2, &isnull));
	TimestampTz ends = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 3, &isnull));
	char	   *subject;

	*until = Min(*until, begins > now ? begins : ends);
	if (begins > now)
		return;
	subject = TextDatumGetCString(SPI_getbinval(tuple, desc, 1, &isnull));
	patient_list_add(list, subject);
	pfree(subject);
}

static void
read_patients(PatientList *list, KeptSet *kept, TimestampTz now)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {CStringGetTextDatum(kept->table), CStringGetTextDatum(kept->purpose),
	CStringGetTextDatum(kept->actor), TimestampTzGetDatum(now)};
	Portal		portal;
	uint64		n;

	portal = SPI_cursor_open_with_args(NULL, "SELECT subject, valid_from, valid_until FROM secmed.consented"
									   " WHERE \"table\" = $1::name AND purpose = $2 AND valid_until > $4"
									   " AND (actor = '' AND NOT $3 = ANY (others) OR actor = $3)",
									   4, types, values, NULL, false, 0);
	do
	{
		SPI_cursor_fetch(portal, true, 1000);
		n = SPI_processed;
		for (uint64 i = 0; i < n; i++)
			take_row(list, &kept->until, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, now);
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	} while (n > 0);
	SPI_cursor_close(portal);
}

static void
fill_set(KeptSet *kept)
{
	PatientList list = {.integers = kept->integers};
	OwnerScope	scope;
	MemoryContext old;
	bytea	   *set;

	kept->until = DT_NOEND;
	owner_begin(&scope);
	SPI_connect();
	read_patients(&list, kept, GetCurrentTimestamp());
	old = MemoryContextSwitchTo(TopMemoryContext);
	set = consent_set_make(&list);
	MemoryContextSwitchTo(old);
	kept->set = set;
	patient_list_free(&list);
	SPI_finish();
	owner_end(&scope);
}

static void
forget_set(KeptSet *kept)
{
	kept_sets = list_delete_ptr(kept_sets, kept);
	pfree(kept->table);
	pfree(kept->purpose);
	pfree(kept->actor);
	if (kept->set != NULL)
		pfree(kept->set);
	pfree(kept);
}

static KeptSet *
find_set(const KeptSet *wanted)
{
	ListCell   *lc;

	foreach(lc, kept_sets)
	{
		KeptSet    *kept = lfirst(lc);

		if (strcmp(kept->table, wanted->table) == 0 && strcmp(kept->purpose, wanted->purpose) == 0 &&
			strcmp(kept->actor, wanted->actor) == 0 && kept->integers == wanted->integers)
			return kept;
	}
	return NULL;
}

static KeptSet *
add_set(const KeptSet *wanted)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	KeptSet    *kept = palloc0(sizeof(KeptSet));

	kept->table = pstrdup(wanted->table);
	kept->purpose = pstrdup(wanted->purpose);
	kept->actor = pstrdup(wanted->actor);
	kept->integers = wanted->integers;
	kept_sets = lcons(kept, kept_sets);
	MemoryContextSwitchTo(old);
	return kept;
}

/* The version is read before the consents: a change in between makes the next run read them again. */
static bytea *
current_set(const KeptSet *wanted)
{
	int64		version = consent_version();
	KeptSet    *kept = find_set(wanted);

	if (kept != NULL && kept->version == version && GetCurrentTimestamp() < kept->until)
		return kept->set;
	if (kept != NULL)
		forget_set(kept);
	if (list_length(kept_sets) == SETS_KEPT)
		forget_set(llast(kept_sets));
	kept = add_set(wanted);
	/* Until it is filled no version has it. */
	kept->version = -1;
	fill_set(kept);
	kept->version = version;
	return kept->set;
}

/* ---- the selection ---- */

static bool
is_integer(const Published *published)
{
	PublishedColumn *column = published_column(published, published->patient);
	Oid			type = column ? getBaseType(column->type) : InvalidOid;

	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static char *
condition(const Published *published, int param)
{
	return psprintf("secmed.has_consent($%d, %s::pg_catalog.%s)", param, quote_identifier(published->patient),
					is_integer(published) ? "int8" : "text");
}

static char *
view_of(const Published *published)
{
	return quote_qualified_identifier(PUBLISHED_SCHEMA, published->name);
}

static void
replace_table(RangeTblEntry *rte, const Published *published, int param)
{
	char	   *sql = psprintf("SELECT * FROM %s WHERE %s", view_of(published), condition(published, param));
	Oid		   *types = palloc0(sizeof(Oid) * param);

	types[param - 1] = BYTEAOID;
	rte->subquery = site_analyse(sql, site_parse(sql), types, param);
	rte->rtekind = RTE_SUBQUERY;
	rte->security_barrier = true;
	rte->inh = false;
	rte->relid = InvalidOid;
	rte->relkind = 0;
	rte->rellockmode = 0;
	rte->requiredPerms = 0;
	rte->selectedCols = NULL;
}

/* Patients in the table who have not agreed. */
static int64
count_excluded(const Published *published, Datum set)
{
	char	   *sql = psprintf("SELECT pg_catalog.count(%s%s) FROM %s WHERE %s IS NOT TRUE",
							   published->patient_unique ? "" : "DISTINCT ", quote_identifier(published->patient), view_of(published),
							   condition(published, 1));
	Oid			types[] = {BYTEAOID};
	int64		count;
	bool		isnull;

	SPI_connect();
	if (SPI_execute_with_args(sql, 1, types, &set, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "can't count patients");
	count = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_finish();
	return count;
}

/* The number is the entry's body: it stays here, witnesses of the chain see a commitment to it. */
static void
record_excluded(const Request *request, const char *table, const char *purpose, int64 excluded)
{
	LedgerEntry entry = {.kind = ENTRY_EXECUTION, .has_run = true, .outcome = "consent", .revealed = ""};
	char	   *body = psprintf("consent for %s: " INT64_FORMAT " patients of %s are left out", purpose, excluded, table);

	memcpy(entry.run, request->run, RUN_ID_BYTES);
	entry.actor = psprintf("%s:%s", request->coordinator, request->requester);
	entry.object = table;
	audit_append(&entry, body, strlen(body));
}

static bytea *
set_of_table(SiteQuery *site, const Published *published, const ConsentRule *rule)
{
	const char *purpose = purpose_of_run(site->request, rule);
	KeptSet		wanted = {published->name, (char *) purpose, site->request->coordinator};
	bytea	   *set;

	if (published->patient == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_CONSENT),
				 errmsg("\"%s\" of site \"%s\" needs consent, but does not tell its patients", published->name,
						node_self()->card.name)));
	wanted.integers = is_integer(published);
	set = current_set(&wanted);
	record_excluded(site->request, published->name, purpose, count_excluded(published, PointerGetDatum(set)));
	return set;
}

static ParamListInfo
with_param(ParamListInfo params, bytea *set)
{
	ParamListInfo more = makeParamList(params->numParams + 1);

	memcpy(more->params, params->params, sizeof(ParamExternData) * params->numParams);
	/* No constant, so that it is not copied into the plan. */
	more->params[params->numParams] = (ParamExternData) {.value = PointerGetDatum(set),.ptype = BYTEAOID};
	return more;
}

ParamListInfo
consent_filter(SiteQuery *site, Query *query)
{
	ParamListInfo params = site->params;
	ListCell   *lc;

	foreach(lc, site->tables)
	{
		Published  *published = lfirst(lc);
		ConsentRule *rule = published ? consent_rule(published->name) : NULL;

		if (rule == NULL)
			continue;
		params = with_param(params, set_of_table(site, published, rule));
		replace_table(list_nth(query->rtable, foreach_current_index(lc)), published, params->numParams);
	}
	return params;
}
