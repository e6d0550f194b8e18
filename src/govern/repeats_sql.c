/*
 * repeats_sql.c
 *	  secmed.unlock_question(): an auditor lets somebody ask the same again.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "govern/statement.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_unlock_question);

static Statement unlock_question = {
	"DELETE FROM secmed.question_run WHERE actor = $1 AND pg_catalog.left(pg_catalog.encode(question, 'hex'), 8) = $2",
	2, {TEXTOID, TEXTOID}
};
static Statement unlock_failed = {
	"UPDATE secmed.question_run SET failed = false WHERE actor = $1 AND failed", 1, {TEXTOID}
};

/* Who asked is the body: a person. */
static void
record(const char *actor, const char *question)
{
	LedgerEntry entry = {.kind = ENTRY_RULE, .revealed = ""};
	char	   *words = psprintf("%s of %s", question ? psprintf("question %s", question) : "failed questions", actor);

	entry.object = question ? question : "";
	entry.outcome = "question unlocked";
	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	audit_wait(audit_append(&entry, words, strlen(words)));
}

Datum
secmed_unlock_question(PG_FUNCTION_ARGS)
{
	Datum		values[2];
	char	   *question = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	uint64		rows;

	(void) node_self();
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("requester can't be null")));
	values[0] = PG_GETARG_DATUM(0);
	values[1] = question ? PG_GETARG_DATUM(1) : (Datum) 0;
	rows = question ? statement_run(&unlock_question, values, NULL) : statement_run(&unlock_failed, values, NULL);
	if (rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("\"%s\" has %s here", text_to_cstring(PG_GETARG_TEXT_PP(0)),
						question ? "asked no such question" : "no failed questions"),
				 errhint("See secmed.questions.")));
	record(text_to_cstring(PG_GETARG_TEXT_PP(0)), question);
	PG_RETURN_VOID();
}
