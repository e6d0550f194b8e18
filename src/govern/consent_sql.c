/*
 * consent_sql.c
 *	  secmed.import_consent(), export_consent() and withdraw_consent().
 *
 * Each change is an entry `rule` of the ledger.  Which patient it is about is the entry's body,
 * which stays in this node's side table and can be erased: the chain has a salted commitment to it.
 */
#include "postgres.h"

#include "audit/append.h"
#include "fmgr.h"
#include "govern/consent.h"
#include "govern/consent_change.h"
#include "govern/names.h"
#include "govern/rows.h"
#include "identity/node.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_import_consent);
PG_FUNCTION_INFO_V1(secmed_export_consent);
PG_FUNCTION_INFO_V1(secmed_withdraw_consent);

void
consent_changes_begin(void)
{
	rows_run("INSERT INTO secmed.consent_version VALUES (true, 1)"
			 " ON CONFLICT (single) DO UPDATE SET version = consent_version.version + 1", SPI_OK_INSERT, 0, NULL, NULL);
}

static void
record(const char *outcome, const char *subject, const char *consents)
{
	LedgerEntry entry = {.kind = ENTRY_RULE, .object = "consent", .revealed = ""};
	char	   *body = psprintf("patient %s: %s", subject, consents);

	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	entry.outcome = outcome;
	audit_wait(audit_append(&entry, body, strlen(body)));
}

/* ---- import ---- */

/* The same consent may come again, with another status or other provisions, but not of somebody else. */
static void
require_same_patient(const Consent *consent)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(consent->id), CStringGetTextDatum(consent->subject)};

	if (rows_run("SELECT FROM secmed.consent_document WHERE consent = $1 AND subject <> $2", SPI_OK_SELECT, 2, types, values) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("consent \"%s\" is another patient's", consent->id),
				 errhint("Each consent needs an id of its own.")));
}

static void
keep_document(const Consent *consent, Datum document)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, JSONBOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(consent->id), CStringGetTextDatum(consent->subject),
		CStringGetTextDatum(consent->status), document, CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false))};

	rows_run("INSERT INTO secmed.consent_document (consent, subject, status, document, changed_by) VALUES ($1, $2, $3, $4, $5)"
			 " ON CONFLICT (consent) DO UPDATE SET status = $3, document = $4, changed_by = $5,"
			 " changed_at = pg_catalog.clock_timestamp()", SPI_OK_INSERT, 5, types, values);
	rows_run("DELETE FROM secmed.consent WHERE consent = $1", SPI_OK_DELETE, 1, types, values);
}

static void
keep_provision(const Consent *consent, int i)
{
	const Provision *provision = &consent->provisions[i];
	Oid			types[] = {TEXTOID, INT4OID, INT4OID, TEXTOID, TEXTOID, BOOLOID, BOOLOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
	TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[] = {CStringGetTextDatum(consent->id), Int32GetDatum(i), Int32GetDatum(provision->parent),
		CStringGetTextDatum(consent->subject), CStringGetTextDatum(consent->status), BoolGetDatum(provision->permit),
		BoolGetDatum(provision->limited), TimestampTzGetDatum(provision->from), TimestampTzGetDatum(provision->until),
	text_list_datum(provision->purposes), text_list_datum(provision->classes), text_list_datum(provision->actors)};

	rows_run("INSERT INTO secmed.consent VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
			 SPI_OK_INSERT, 12, types, values);
}

Datum
secmed_import_consent(PG_FUNCTION_ARGS)
{
	Consent    *consent = consent_from_fhir(PG_GETARG_JSONB_P(0));
	OwnerScope	scope;

	(void) node_self();
	owner_begin(&scope);
	SPI_connect();
	consent_changes_begin();
	require_same_patient(consent);
	keep_document(consent, PG_GETARG_DATUM(0));
	for (int i = 0; i < consent->n; i++)
		keep_provision(consent, i);
	consent_settle(consent->subject, NULL);
	SPI_finish();
	owner_end(&scope);
	record(psprintf("consent %s", consent->status), consent->subject, consent->id);
	PG_RETURN_TEXT_P(cstring_to_text(consent->id));
}

/* ---- withdrawal ---- */

#define WITHDRAW \
	"UPDATE secmed.consent_document SET status = 'inactive', changed_by = $3, changed_at = pg_catalog.clock_timestamp()," \
	" document = pg_catalog.jsonb_set(document, '{status}', '\"inactive\"')" \
	" WHERE subject = $1 AND status = 'active' AND ($2 IS NULL OR consent = $2) RETURNING consent"

/* The withdrawn consents, joined by commas. */
static char *
withdraw(const Datum *values, uint64 *n, MemoryContext caller)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID};
	StringInfoData ids;

	*n = rows_run(WITHDRAW, SPI_OK_UPDATE_RETURNING, 3, types, values);
	initStringInfo(&ids);
	for (uint64 i = 0; i < *n; i++)
		appendStringInfo(&ids, "%s%s", i ? ", " : "", rows_text(i, 1));
	rows_run("UPDATE secmed.consent c SET status = 'inactive' FROM secmed.consent_document d"
			 " WHERE c.subject = $1 AND ($2 IS NULL OR c.consent = $2) AND $3 IS NOT NULL"
			 " AND d.consent = c.consent AND d.status = 'inactive'", SPI_OK_UPDATE, 3, types, values);
	return MemoryContextStrdup(caller, ids.data);
}

Datum
secmed_withdraw_consent(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		values[3];
	char	   *subject;
	char	   *ids;
	uint64		n;
	OwnerScope	scope;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("subject can't be null")));
	(void) node_self();
	subject = text_to_cstring(PG_GETARG_TEXT_PP(0));
	values[0] = PG_GETARG_DATUM(0);
	values[1] = PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1);
	values[2] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	owner_begin(&scope);
	SPI_connect();
	consent_changes_begin();
	ids = withdraw(values, &n, caller);
	if (n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no such active consent to withdraw"),
				 errhint("SELECT secmed.export_consent(subject) shows all of a patient's.")));
	consent_settle(subject, NULL);
	SPI_finish();
	owner_end(&scope);
	record("consent withdrawn", subject, ids);
	PG_RETURN_INT64(n);
}

/* ---- export ---- */

Datum
secmed_export_consent(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {TEXTOID};
	Datum		values[] = {PG_GETARG_DATUM(0)};
	Datum		bundle;
	bool		isnull;
	OwnerScope	scope;
	MemoryContext old;

	owner_begin(&scope);
	SPI_connect();
	rows_run("SELECT pg_catalog.jsonb_build_object('resourceType', 'Bundle', 'type', 'collection', 'entry',"
			 " COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('resource', document) ORDER BY consent), '[]'))"
			 " FROM secmed.consent_document WHERE subject = $1", SPI_OK_SELECT, 1, types, values);
	old = MemoryContextSwitchTo(caller);
	bundle = PointerGetDatum(PG_DETOAST_DATUM_COPY(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)));
	MemoryContextSwitchTo(old);
	SPI_finish();
	owner_end(&scope);
	PG_RETURN_DATUM(bundle);
}
