/*
 * note_sql.c
 *	  secmed.append_note(): a remark that anybody who answers for the node may
 *	  leave in its ledger ("the backup of March was restored to try it").
 *
 * What it says is the entry's body, since people write names.
 */
#include "base/base.h"

#include "audit/append.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_append_note);

Datum
secmed_append_note(PG_FUNCTION_ARGS)
{
	text	   *note = PG_GETARG_TEXT_PP(0);
	LedgerEntry entry = {
		.kind = ENTRY_NOTE,
		.actor = GetUserNameFromId(GetSessionUserId(), false),
		.outcome = "noted",
	};

	PreventCommandIfReadOnly("secmed.append_note()");
	audit_wait(audit_append(&entry, VARDATA_ANY(note), VARSIZE_ANY_EXHDR(note)));
	PG_RETURN_VOID();
}
