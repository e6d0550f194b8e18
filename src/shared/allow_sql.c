/*
 * allow_sql.c
 *	  secmed.allow_shared() and secmed.disallow_shared(): which nodes may make and
 *	  change shared tables here.
 */
#include "postgres.h"

#include "audit/append.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "shared/table.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(secmed_allow_shared);
PG_FUNCTION_INFO_V1(secmed_disallow_shared);

static uint64
change_allowed(const char *sql, const char *node, const char *outcome)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(node), CStringGetTextDatum(GetUserNameFromId(GetUserId(), false))};
	LedgerEntry entry = {.kind = ENTRY_SHARED, .outcome = outcome, .revealed = ""};
	OwnerScope	scope;
	uint64		changed;

	owner_begin(&scope);
	changed = shared_execute(sql, 2, types, values);
	owner_end(&scope);
	entry.actor = GetUserNameFromId(GetSessionUserId(), false);
	entry.object = node;
	audit_wait(audit_append(&entry, NULL, 0));
	return changed;
}

Datum
secmed_allow_shared(PG_FUNCTION_ARGS)
{
	char	   *node = pstrdup(NameStr(*PG_GETARG_NAME(0)));

	if (strcmp(node, node_self()->card.name) != 0)
	{
		Peer		peer;

		peer_require(&peer, node);
	}
	change_allowed("INSERT INTO secmed.shared_allowed (node, allowed_by) VALUES ($1, $2) ON CONFLICT DO NOTHING",
				   node, "allowed");
	PG_RETURN_VOID();
}

Datum
secmed_disallow_shared(PG_FUNCTION_ARGS)
{
	char	   *node = pstrdup(NameStr(*PG_GETARG_NAME(0)));

	if (change_allowed("DELETE FROM secmed.shared_allowed WHERE node = $1 AND $2 IS NOT NULL", node, "disallowed") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("node \"%s\" is not allowed to share tables here", node)));
	PG_RETURN_VOID();
}
