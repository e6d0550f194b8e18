/*
 * elsewhere.c
 *	  Commands for the whole server, in the ledgers of its other nodes.
 */
#include "base/base.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "audit/append.h"
#include "audit/elsewhere.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "identity/key_file.h"
#include "ledger/lint.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* What the open transaction will tell; lies in TopTransactionContext, in UTF-8. */
typedef struct Told
{
	struct Told *next;
	SubTransactionId subid;
	Oid			database;
	char	   *actor;
	char	   *object;
	const char *operation;
} Told;

static Told *first = NULL;
static Told **last = &first;
static bool within = false;		/* a command that is told of; what it runs is not */
static ProcessUtility_hook_type prev_utility = NULL;

/* What a command names ------------------------------------------------------*/

static void
add_name(StringInfo names, const char *name)
{
	if (name && names->len + strlen(name) < ENTRY_TEXT_MAX / 4)
		appendStringInfo(names, "%s%s", names->len > 0 ? ", " : "", name);
}

static void
add_roles(StringInfo names, List *roles)
{
	ListCell   *cell;

	foreach(cell, roles)
		add_name(names, lfirst_node(RoleSpec, cell)->rolename ? lfirst_node(RoleSpec, cell)->rolename : "current_user");
}

static void
add_membership(StringInfo names, GrantRoleStmt *grant)
{
	ListCell   *cell;

	foreach(cell, grant->granted_roles)
		add_name(names, lfirst_node(AccessPriv, cell)->priv_name);
	add_roles(names, grant->grantee_roles);
}

/* False if it is not for the whole server. */
static bool
is_for_all(StringInfo names, Node *command)
{
	switch (nodeTag(command))
	{
		case T_GrantRoleStmt:
			add_membership(names, castNode(GrantRoleStmt, command));
			return true;
		case T_CreateRoleStmt:
			add_name(names, castNode(CreateRoleStmt, command)->role);
			return true;
		case T_AlterRoleStmt:
			add_roles(names, list_make1(castNode(AlterRoleStmt, command)->role));
			return true;
		case T_AlterRoleSetStmt:
			if (castNode(AlterRoleSetStmt, command)->role)
				add_roles(names, list_make1(castNode(AlterRoleSetStmt, command)->role));
			return true;
		case T_DropRoleStmt:
			add_roles(names, castNode(DropRoleStmt, command)->roles);
			return true;
		case T_RenameStmt:
			add_name(names, castNode(RenameStmt, command)->subname);
			return castNode(RenameStmt, command)->renameType == OBJECT_ROLE;
		case T_AlterSystemStmt:
			add_name(names, castNode(AlterSystemStmt, command)->setstmt->name);
			return true;
		case T_AlterDatabaseSetStmt:
			add_name(names, castNode(AlterDatabaseSetStmt, command)->dbname);
			return true;
		case T_GrantStmt:
			return castNode(GrantStmt, command)->objtype == OBJECT_DATABASE ||
				castNode(GrantStmt, command)->objtype == OBJECT_PARAMETER_ACL;
		default:
			return false;
	}
}

/* Remembering ---------------------------------------------------------------*/

static char *
keep(const char *text)
{
	char	   *utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);

	return MemoryContextStrdup(TopTransactionContext, text_has_hash(utf8) || text_is_sql(utf8) ? "?" : utf8);
}

static void
remember(Oid database, const char *object, const char *operation)
{
	Told	   *told = MemoryContextAllocZero(TopTransactionContext, sizeof(Told));

	told->subid = GetCurrentSubTransactionId();
	told->database = database;
	told->actor = keep(GetUserNameFromId(GetSessionUserId(), false));
	told->object = keep(object);
	told->operation = operation;
	*last = told;
	last = &told->next;
}

/* For each other database that has a node's key. */
static void
remember_everywhere(const char *names, const char *operation)
{
	char	   *object = psprintf("%s (in database %s)", names, get_database_name(MyDatabaseId));
	Relation	catalog = table_open(DatabaseRelationId, AccessShareLock);
	TableScanDesc scan = table_beginscan_catalog(catalog, 0, NULL);
	HeapTuple	tuple;

	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Oid			database = ((Form_pg_database) GETSTRUCT(tuple))->oid;

		if (database != MyDatabaseId && key_file_exists(KEY_FILE_NODE, database))
			remember(database, object, operation);
	}
	table_endscan(scan);
	table_close(catalog, AccessShareLock);
}

static void
run(PlannedStmt *statement, const char *query, bool read_only_tree, ProcessUtilityContext context,
	ParamListInfo params, QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	(prev_utility ? prev_utility : standard_ProcessUtility)
		(statement, query, read_only_tree, context, params, env, dest, qc);
}

/* Telling -------------------------------------------------------------------*/

static void
tell(const Told *told)
{
	LedgerEntry entry = {.kind = ENTRY_CHANGE, .has_run = true, .actor = told->actor, .object = told->object,
	.outcome = "asked", .revealed = told->operation, .ncounters = 1, .counters = {1}};

	audit_random(entry.run, RUN_ID_BYTES);
	if (!audit_note(told->database, &entry, NULL, 0))
		return;
	entry.kind = ENTRY_CLOSED;
	entry.outcome = "committed";
	(void) audit_note(told->database, &entry, NULL, 0);
}

/* ALTER SYSTEM runs alone, and is done when it was run. */
static void
transaction_ends(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT)
		for (Told *told = first; told; told = told->next)
			tell(told);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		first = NULL;
		last = &first;
	}
}

static void
subtransaction_ends(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	Told	  **at = &first;

	while (*at)
	{
		if ((*at)->subid == subid && event == SUBXACT_EVENT_COMMIT_SUB)
			(*at)->subid = parent;
		if ((*at)->subid == subid && event == SUBXACT_EVENT_ABORT_SUB)
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
	last = at;
}

static void
elsewhere_utility(PlannedStmt *statement, const char *query, bool read_only_tree,
				  ProcessUtilityContext context, ParamListInfo params,
				  QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	StringInfoData names;
	const char *operation;

	initStringInfo(&names);
	if (within || !IsTransactionState() || RecoveryInProgress() || !is_for_all(&names, statement->utilityStmt))
	{
		pfree(names.data);
		run(statement, query, read_only_tree, context, params, env, dest, qc);
		return;
	}
	operation = GetCommandTagName(CreateCommandTag(statement->utilityStmt));
	within = true;
	PG_TRY();
	{
		run(statement, query, read_only_tree, context, params, env, dest, qc);
	}
	PG_FINALLY();
	{
		within = false;
	}
	PG_END_TRY();
	remember_everywhere(names.data, operation);
}

void
elsewhere_init(void)
{
	prev_utility = ProcessUtility_hook;
	ProcessUtility_hook = elsewhere_utility;
	RegisterXactCallback(transaction_ends, NULL);
	RegisterSubXactCallback(subtransaction_ends, NULL);
}
