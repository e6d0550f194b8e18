/*
 * consent_settle.c
 *	  Works out who permits what from when until when, so that a run need not.
 *
 * What a patient's provisions say changes only at the ends of their periods, and only for
 * actors that they name: they are asked once between any two such ends, for each of these actors and
 * for everybody else ("").
 */
#include "postgres.h"

#include "govern/consent.h"
#include "govern/names.h"
#include "govern/rows.h"
#include "govern/statement.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define ROWS_AT_ONCE	1000

/* The provisions of one patient, over all his active consents. */
typedef struct Patient
{
	char	   *subject;
	char	   *consent;		/* that is being read, */
	int			first;			/* and where it begins */
	int			n;
	int			room;
	Provision  *provisions;
} Patient;

typedef struct Settling
{
	List	   *rules;			/* of ConsentRule * */
	SPIPlanPtr	insert;
	MemoryContext patient;		/* what is palloc'd for one of them */
} Settling;

static List *
text_list(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		array = SPI_getbinval(tuple, desc, column, &isnull);
	Datum	   *texts;
	int			n;
	List	   *list = NIL;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &texts, NULL, &n);
	for (int i = 0; i < n; i++)
		list = lappend(list, TextDatumGetCString(texts[i]));
	return list;
}

/* ---- rules ---- */

static ConsentRule *
rule_of_row(uint64 row)
{
	ConsentRule *rule = palloc0(sizeof(ConsentRule));

	rule->table = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1);
	rule->purposes = text_list(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 2);
	rule->classes = text_list(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 3);
	return rule;
}

ConsentRule *
consent_rule(const char *table)
{
	static Statement find = {
		"SELECT \"table\", purposes, classes FROM secmed.consent_rule WHERE \"table\" = $1", 1, {NAMEOID}
	};
	MemoryContext caller = CurrentMemoryContext;
	NameData	name;
	Datum		values[1] = {NameGetDatum(&name)};
	ConsentRule *rule = NULL;

	namestrcpy(&name, table);
	if (statement_begin(&find, values, NULL) > 0)
	{
		MemoryContext old = MemoryContextSwitchTo(caller);

		rule = rule_of_row(0);
		MemoryContextSwitchTo(old);
	}
	statement_end(&find);
	return rule;
}

static List *
rules_of(const char *table)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {table ? CStringGetTextDatum(table) : (Datum) 0};
	uint64		n = rows_run("SELECT \"table\", purposes, classes FROM secmed.consent_rule"
							 " WHERE $1 IS NULL OR \"table\"::text = $1", SPI_OK_SELECT, 1, types, values);
	List	   *rules = NIL;

	for (uint64 i = 0; i < n; i++)
		rules = lappend(rules, rule_of_row(i));
	return rules;
}

/* ---- one patient ---- */

static int
compare_times(const void *a, const void *b)
{
	TimestampTz left = *(const TimestampTz *) a;
	TimestampTz right = *(const TimestampTz *) b;

	return left < right ? -1 : left > right;
}

/* When an answer may change, rising, the beginning and the end of time among them. */
static int
times_of_change(const Patient *patient, TimestampTz **times)
{
	int			n = 0;

	*times = palloc(sizeof(TimestampTz) * (2 * patient->n + 2));
	(*times)[n++] = DT_NOBEGIN;
	(*times)[n++] = DT_NOEND;
	for (int i = 0; i < patient->n; i++)
	{
		(*times)[n++] = patient->provisions[i].from;
		(*times)[n++] = patient->provisions[i].until;
	}
	qsort(*times, n, sizeof(TimestampTz), compare_times);
	return n;
}

static List *
actors_of(const Patient *patient)
{
	List	   *actors = NIL;

	for (int i = 0; i < patient->n; i++)
	{
		ListCell   *lc;

		foreach(lc, patient->provisions[i].actors)
		{
			bool		known = false;
			ListCell   *other;

			foreach(other, actors)
				known = known || strcmp(lfirst(other), lfirst(lc)) == 0;
			if (!known)
				actors = lappend(actors, lfirst(lc));
		}
	}
	return actors;
}

static void
insert_period(const Settling *settling, const Patient *patient, const char *table, const ConsentQuestion *question,
			  List *others, TimestampTz from, TimestampTz until)
{
	Datum		values[] = {CStringGetTextDatum(table), CStringGetTextDatum(question->purpose),
		CStringGetTextDatum(question->actor), CStringGetTextDatum(patient->subject), text_list_datum(others),
		TimestampTzGetDatum(from), TimestampTzGetDatum(until)};

	if (SPI_execute_plan(settling->insert, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "can't write secmed's tables");
}

/* others: actors for whom something of their own is said. */
static void
settle_question(const Settling *settling, const Patient *patient, const char *table, ConsentQuestion *question,
				List *others)
{
	TimestampTz *times;
	int			n = times_of_change(patient, &times);
	TimestampTz from = 0;
	bool		open = false;

	for (int i = 0; i < n; i++)
	{
		bool		permits;

		if (i + 1 < n && times[i] == times[i + 1])
			continue;
		question->at = times[i];
		permits = i < n - 1 && consent_permits(patient->provisions, patient->n, question);
		if (permits && !open)
			from = times[i];
		else if (!permits && open)
			insert_period(settling, patient, table, question, others, from, times[i]);
		open = permits;
	}
}

static void
settle_rule(const Settling *settling, const Patient *patient, const ConsentRule *rule)
{
	List	   *actors = actors_of(patient);
	ListCell   *purpose;

	foreach(purpose, rule->purposes)
	{
		ConsentQuestion question = {lfirst(purpose), rule->classes, ""};
		ListCell   *actor;

		settle_question(settling, patient, rule->table, &question, actors);
		foreach(actor, actors)
		{
			question.actor = lfirst(actor);
			settle_question(settling, patient, rule->table, &question, NIL);
		}
	}
}

static void
settle_patient(const Settling *settling, Patient *patient)
{
	ListCell   *lc;

	foreach(lc, settling->rules)
		settle_rule(settling, patient, lfirst(lc));
	MemoryContextReset(settling->patient);
	*patient = (Patient) {0};
	CHECK_FOR_INTERRUPTS();
}

/* ---- all of them ---- */

static void
add_provision(Patient *patient, HeapTuple tuple, TupleDesc desc, char *consent)
{
	Provision  *provision;
	bool		isnull;

	if (patient->n == patient->room)
	{
		patient->room = Max(8, 2 * patient->room);
		patient->provisions = patient->provisions == NULL ? palloc(sizeof(Provision) * patient->room) :
			repalloc(patient->provisions, sizeof(Provision) * patient->room);
	}
	if (patient->consent == NULL || strcmp(patient->consent, consent) != 0)
		patient->first = patient->n;
	patient->consent = consent;
	provision = &patient->provisions[patient->n++];
	provision->parent = DatumGetInt32(SPI_getbinval(tuple, desc, 3, &isnull));
	if (provision->parent >= 0)
		provision->parent += patient->first;
	provision->permit = DatumGetBool(SPI_getbinval(tuple, desc, 4, &isnull));
	provision->limited = DatumGetBool(SPI_getbinval(tuple, desc, 5, &isnull));
	provision->from = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 6, &isnull));
	provision->until = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 7, &isnull));
	provision->purposes = text_list(tuple, desc, 8);
	provision->classes = text_list(tuple, desc, 9);
	provision->actors = text_list(tuple, desc, 10);
}

/* A row of the cursor; a patient is settled when the next one's first comes. */
static void
take_row(const Settling *settling, Patient *patient, HeapTuple tuple, TupleDesc desc)
{
	char	   *subject = SPI_getvalue(tuple, desc, 1);
	MemoryContext old;

	if (patient->subject != NULL && strcmp(patient->subject, subject) != 0)
		settle_patient(settling, patient);
	old = MemoryContextSwitchTo(settling->patient);
	if (patient->subject == NULL)
		patient->subject = pstrdup(subject);
	add_provision(patient, tuple, desc, SPI_getvalue(tuple, desc, 2));
	MemoryContextSwitchTo(old);
	pfree(subject);
}

static void
forget(const char *subject, const char *table)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {subject ? CStringGetTextDatum(subject) : (Datum) 0, table ? CStringGetTextDatum(table) : (Datum) 0};

	rows_run(subject ? "DELETE FROM secmed.consented WHERE subject = $1 AND ($2 IS NULL OR \"table\"::text = $2)" :
			 "DELETE FROM secmed.consented WHERE $1 IS NULL AND ($2 IS NULL OR \"table\"::text = $2)",
			 SPI_OK_DELETE, 2, types, values);
}

/* Two statements: of one patient by the index, of all in the order of it. */
static Portal
open_provisions(const char *subject)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {subject ? CStringGetTextDatum(subject) : (Datum) 0};

	return SPI_cursor_open_with_args(NULL, psprintf("SELECT subject, consent, parent, permit, limited, valid_from, valid_until,"
													" purposes, classes, actors FROM secmed.consent WHERE status = 'active' AND %s"
													" ORDER BY subject, consent, provision",
													subject ? "subject = $1" : "$1 IS NULL"),
									 1, types, values, subject ? " " : "n", true, 0);
}

void
consent_settle(const char *subject, const char *table)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	Settling	settling = {rules_of(table)};
	Patient		patient = {0};
	Portal		portal;

	forget(subject, table);
	CommandCounterIncrement();
	settling.insert = SPI_prepare("INSERT INTO secmed.consented VALUES ($1, $2, $3, $4, $5, $6, $7)", 7, types);
	settling.patient = AllocSetContextCreate(CurrentMemoryContext, "secmed consent", ALLOCSET_SMALL_SIZES);
	PushActiveSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	portal = open_provisions(subject);
	do
	{
		SPITupleTable *rows;

		SPI_cursor_fetch(portal, true, ROWS_AT_ONCE);
		rows = SPI_tuptable;
		for (uint64 i = 0; i < rows->numvals; i++)
			take_row(&settling, &patient, rows->vals[i], rows->tupdesc);
		if (rows->numvals == 0)
			break;
		SPI_freetuptable(rows);
	} while (true);
	if (patient.subject != NULL)
		settle_patient(&settling, &patient);
	SPI_cursor_close(portal);
	PopActiveSnapshot();
	MemoryContextDelete(settling.patient);
}
