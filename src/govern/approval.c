/*
 * approval.c
 *	  The yes of named people to a run, at a node that wants it.
 */
#include "postgres.h"

#include "access/xact.h"
#include "audit/append.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "govern/approval.h"
#include "govern/names.h"
#include "govern/statement.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/uuid.h"

/* How long one pass waits for the end of the one before. */
#define PASSES_LOCK_MS		10
#define PASSES_LOCK_TRIES	500

/* ---- the ledger ---- */

AuditTicket
approval_record(const uint8 submission[SUBMISSION_ID_BYTES], const char *actor, const char *object,
				const uint8 *plan_hash, const char *outcome, const char *words)
{
	LedgerEntry entry = {.kind = ENTRY_APPROVAL, .has_run = true, .revealed = ""};

	memcpy(entry.run, submission, RUN_ID_BYTES);
	entry.actor = actor ? actor : GetUserNameFromId(GetSessionUserId(), false);
	entry.object = object;
	entry.outcome = outcome;
	entry.has_plan = plan_hash != NULL;
	if (plan_hash)
		memcpy(entry.plan, plan_hash, HASH_BYTES);
	return audit_append(&entry, words, words ? strlen(words) : 0);
}

static Statement find_use = {
	"SELECT FROM secmed.events WHERE kind = 'approval' AND run = $1 AND outcome = 'used' LIMIT 1", 1, {UUIDOID}
};

/* How many passes have used it, and whether the first was too long ago. */
static Statement count_uses = {
	"SELECT pg_catalog.count(*), COALESCE(pg_catalog.min(at) < pg_catalog.clock_timestamp() - pg_catalog.make_interval(hours => $2), false)"
	"  FROM secmed.events WHERE kind = 'approval' AND run = $1 AND outcome = 'used'", 2, {UUIDOID, INT4OID}
};

/* ---- states ---- */

static Datum
uuid_datum(const uint8 id[SUBMISSION_ID_BYTES])
{
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	memcpy(uuid->data, id, UUID_LEN);
	return UUIDPGetDatum(uuid);
}

static Datum
bytea_datum(const void *bytes, size_t len)
{
	bytea	   *value = palloc(VARHDRSZ + len);

	SET_VARSIZE(value, VARHDRSZ + len);
	memcpy(VARDATA(value), bytes, len);
	return PointerGetDatum(value);
}

static Statement find_status = {
	"SELECT state, waits_for, reason, coordinator = $2 AND binding = $3 FROM secmed.asked_status WHERE id = $1",
	3, {UUIDOID, NAMEOID, BYTEAOID}
};

static char *
text_or_empty(MemoryContext context, int column)
{
	char	   *text = statement_text(context, 0, column);

	return text ? text : "";
}

/* The row of a run that failed after it had shared still says that it may take place: the ledger knows. */
static bool
was_used(const uint8 submission[SUBMISSION_ID_BYTES])
{
	Datum		values[] = {uuid_datum(submission)};

	return statement_run(&find_use, values, NULL) > 0;
}

bool
approval_known(const Request *request, ApprovalFact *fact)
{
	MemoryContext context = CurrentMemoryContext;
	uint8		binding[HASH_BYTES];
	Datum		values[3] = {uuid_datum(request->submission), name_datum(request->coordinator)};
	bool		isnull;
	bool		found;

	request_binding(binding, request);
	values[2] = bytea_datum(binding, HASH_BYTES);
	found = statement_begin(&find_status, values, NULL) == 1;
	if (found)
	{
		*fact = (ApprovalFact) {.state = approval_state_from_name(text_or_empty(context, 1)),
			.waits_for = text_or_empty(context, 2),.reason = text_or_empty(context, 3)};
		if (!DatumGetBool(statement_value(0, 4, &isnull)))
			*fact = (ApprovalFact) {.state = APPROVAL_OTHER,.waits_for = "",.reason = ""};
	}
	statement_end(&find_status);
	if (found && fact->state == APPROVAL_GIVEN && was_used(request->submission))
		fact->state = APPROVAL_USED;
	return found;
}

static Statement find_rule = {
	"SELECT pg_catalog.string_agg(pg_catalog.array_to_string(roles, ' or '), ', ' ORDER BY table_name)"
	"  FROM secmed.approval_rule WHERE table_name = '' OR table_name = ANY ($1)",
	1, {NAMEARRAYOID}
};

/* Whom a run about these tables must ask; NULL if nobody. */
static char *
who_decides(const List *tables)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {name_array_datum(tables)};
	char	   *who;

	statement_begin(&find_rule, values, NULL);
	who = statement_text(context, 0, 1);
	statement_end(&find_rule);
	return who;
}

/* Only one run at a time may look whether the approval was used. */
static bool
lock_submission(const uint8 submission[SUBMISSION_ID_BYTES])
{
	int64		key;

	memcpy(&key, submission, sizeof(key));
	return DatumGetBool(DirectFunctionCall1(pg_try_advisory_xact_lock_int8, Int64GetDatum(key)));
}

/* The pass before this one has told its outcome, and may still be at the end of its transaction. */
static bool
lock_passes(const uint8 submission[SUBMISSION_ID_BYTES])
{
	for (int i = 0; i < PASSES_LOCK_TRIES; i++)
	{
		if (lock_submission(submission))
			return true;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, PASSES_LOCK_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/* Another pass of a fit that people have said yes to. */
static bool
pass_is_left(const Request *request)
{
	Datum		values[] = {uuid_datum(request->submission), Int32GetDatum(PASSES_HOURS)};
	bool		isnull;
	bool		left;

	if (!lock_passes(request->submission))
		return false;
	statement_begin(&count_uses, values, NULL);
	left = DatumGetInt64(statement_value(0, 1, &isnull)) < (int64) request->passes_max &&
		!DatumGetBool(statement_value(0, 2, &isnull));
	statement_end(&count_uses);
	return left;
}

ApprovalFact
approval_of_run(const Request *request, const List *tables)
{
	char	   *who = who_decides(tables);
	ApprovalFact fact = {.state = APPROVAL_NOT_NEEDED,.waits_for = who ? who : "",.reason = ""};

	if (who == NULL)
		return fact;
	fact.state = APPROVAL_UNASKED;
	if (!request->has_submission || !approval_known(request, &fact))
		return fact;
	if (request->passes_max > 0 && (fact.state == APPROVAL_GIVEN || fact.state == APPROVAL_USED))
		fact.state = pass_is_left(request) ? APPROVAL_GIVEN : APPROVAL_USED;
	else if (fact.state == APPROVAL_GIVEN && (!lock_submission(request->submission) || was_used(request->submission)))
		fact.state = APPROVAL_USED;
	return fact;
}

/* ---- changing them ---- */

static Statement end_asked = {
	"UPDATE secmed.asked SET ended = $2, request = NULL, statement = NULL, params = NULL"
	" WHERE id = $1 AND ended IS NULL AND ($3 IS NULL OR coordinator = $3) RETURNING pg_catalog.array_to_string(tables, ', ')",
	3, {UUIDOID, TEXTOID, NAMEOID}
};

void
approval_use(const Request *request, const char *tables_text, const uint8 plan_hash[HASH_BYTES])
{
	Datum		values[] = {uuid_datum(request->submission), CStringGetTextDatum("used"), (Datum) 0};

	approval_record(request->submission, psprintf("%s:%s", request->coordinator, request->requester), tables_text,
					plan_hash, "used", NULL);
	statement_run(&end_asked, values, "  n");
}

void
approval_withdraw(const uint8 submission[SUBMISSION_ID_BYTES], const char *coordinator)
{
	MemoryContext context = CurrentMemoryContext;
	Datum		values[] = {uuid_datum(submission), CStringGetTextDatum("withdrawn"), name_datum(coordinator)};
	char	   *tables = NULL;

	if (statement_begin(&end_asked, values, NULL) > 0)
		tables = statement_text(context, 0, 1);
	statement_end(&end_asked);
	if (tables)
		approval_record(submission, coordinator, tables, NULL, "withdrawn", NULL);
}

/* Whatever is over is forgotten but for what was asked about. */
static Statement tidy = {
	"UPDATE secmed.asked SET request = NULL, statement = NULL, params = NULL"
	" WHERE request IS NOT NULL AND expires_at <= pg_catalog.clock_timestamp()", 0
};

static Statement count_asked = {
	"SELECT FROM secmed.asked WHERE coordinator = $1 AND ended IS NULL AND expires_at > pg_catalog.clock_timestamp()",
	1, {NAMEOID}
};

static Statement insert_asked = {
	"INSERT INTO secmed.asked (id, binding, coordinator, requester, tables, plan, statement, params, reveals, request, question, expires_at)"
	" SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, pg_catalog.clock_timestamp() + min(valid)"
	"  FROM secmed.approval_rule WHERE table_name = '' OR table_name = ANY ($5) HAVING count(*) > 0",
	11, {UUIDOID, BYTEAOID, NAMEOID, TEXTOID, NAMEARRAYOID, BYTEAOID, TEXTOID, TEXTARRAYOID, TEXTOID, BYTEAOID, TEXTOID}
};

static void
require_room(const char *coordinator)
{
	Datum		values[] = {name_datum(coordinator)};

	statement_run(&tidy, NULL, NULL);
	if (statement_run(&count_asked, values, NULL) >= ASKED_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("too many questions of node \"%s\" wait for people at node \"%s\"", coordinator,
						node_self()->card.name),
				 errdetail("It may have %d.", ASKED_MAX)));
}

ApprovalFact
approval_ask(const AskedQuestion *question)
{
	const Request *request = question->request;
	ApprovalFact fact = {.state = APPROVAL_NOT_NEEDED,.waits_for = "",.reason = ""};
	uint8		binding[HASH_BYTES];
	Datum		values[11];

	require_room(request->coordinator);
	request_binding(binding, request);
	values[0] = uuid_datum(request->submission);
	values[1] = bytea_datum(binding, HASH_BYTES);
	values[2] = name_datum(request->coordinator);
	values[3] = CStringGetTextDatum(request->requester);
	values[4] = name_array_datum(question->tables);
	values[5] = bytea_datum(question->plan_hash, HASH_BYTES);
	values[6] = CStringGetTextDatum(question->statement);
	values[7] = text_array_datum(request->params, request->nparams);
	values[8] = CStringGetTextDatum(question->reveals);
	values[9] = bytea_datum(question->bytes, question->len);
	values[10] = CStringGetTextDatum(question->question);
	/* No rule: nobody is asked. */
	if (statement_run(&insert_asked, values, NULL) == 0)
		return fact;
	approval_record(request->submission, psprintf("%s:%s", request->coordinator, request->requester),
					question->tables_text, question->plan_hash, "asked", NULL);
	Async_Notify("secmed_pending", DatumGetCString(DirectFunctionCall1(uuid_out, values[0])));
	if (!approval_known(request, &fact))
		elog(ERROR, "a question that was asked is not there");
	return fact;
}
