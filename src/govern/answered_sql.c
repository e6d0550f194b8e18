/*
 * answered_sql.c
 *	  secmed.forget_answers(): what new questions are no longer compared with.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "govern/answered.h"
#include "govern/statement.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(secmed_forget_answers);

static Statement forget = {
	"DELETE FROM secmed.answered_run WHERE at < $1", 1, {TIMESTAMPTZOID}
};
static Statement tidy = {
	"DELETE FROM secmed.answered_content c"
	" WHERE NOT EXISTS (SELECT FROM secmed.answered_run r WHERE r.content = c.content)"
};

Datum
secmed_forget_answers(PG_FUNCTION_ARGS)
{
	Datum		before = PG_GETARG_DATUM(0);
	LedgerEntry entry = {.kind = ENTRY_RULE, .object = "", .outcome = "answers forgotten", .revealed = "", .ncounters = 1};

	(void) node_self();
	answered_lock();
	entry.counters[0] = statement_run(&forget, &before, NULL);
	statement_run(&tidy, NULL, NULL);
	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	audit_wait(audit_append(&entry, NULL, 0));
	PG_RETURN_INT64(entry.counters[0]);
}
