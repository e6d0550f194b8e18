/*
 * utility.c
 *	  Sends the sequencer and the mirror worker away before commands that need a
 *	  database without other users, or that take the ledger itself away.
 *
 * They come back with the next append.
 */
#include "base/base.h"

#include "audit/queue.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/acl.h"

static ProcessUtility_hook_type prev_utility = NULL;

static DefElem *
find_option(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0)
			return option;
	}
	return NULL;
}

/* The database that the command needs for itself, or NULL. */
static const char *
database_needed(Node *command)
{
	if (IsA(command, DropdbStmt))
		return castNode(DropdbStmt, command)->dbname;
	if (IsA(command, RenameStmt) &&
		castNode(RenameStmt, command)->renameType == OBJECT_DATABASE)
		return castNode(RenameStmt, command)->subname;
	if (IsA(command, AlterDatabaseStmt) &&
		find_option(castNode(AlterDatabaseStmt, command)->options, "tablespace"))
		return castNode(AlterDatabaseStmt, command)->dbname;
	if (IsA(command, CreatedbStmt))
	{
		DefElem    *source = find_option(castNode(CreatedbStmt, command)->options, "template");

		return source && source->arg ? defGetString(source) : "template1";
	}
	return NULL;
}

static bool
drops_secmed(Node *command)
{
	ListCell   *cell;

	if (!IsA(command, DropStmt) ||
		castNode(DropStmt, command)->removeType != OBJECT_EXTENSION)
		return false;
	foreach(cell, castNode(DropStmt, command)->objects)
		if (strcmp(strVal(lfirst(cell)), "secmed") == 0)
			return true;
	return false;
}

/* Whose sequencer has to leave; those who may not give the command stop nobody's. */
static Oid
database_to_clear(Node *command)
{
	const char *name = database_needed(command);
	Oid			database;

	if (name)
	{
		database = get_database_oid(name, true);
		return OidIsValid(database) && pg_database_ownercheck(database, GetUserId())
			? database : InvalidOid;
	}
	if (drops_secmed(command))
	{
		Oid			extension = get_extension_oid("secmed", true);

		return OidIsValid(extension) && pg_extension_ownercheck(extension, GetUserId())
			? MyDatabaseId : InvalidOid;
	}
	return InvalidOid;
}

/* Entries that nobody waits for, of a database that is no more. */
static void
forget_database(Oid database)
{
	dlist_mutable_iter at;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	dlist_foreach_modify(at, &queue->queued)
	{
		Slot	   *slot = dlist_container(Slot, node, at.cur);

		if (slot->database == database)
			queue_free_slot(slot);
	}
	LWLockRelease(queue->lock);
	ConditionVariableBroadcast(&queue->places);
	standing_forget(database);
}

static void
clear_database(PlannedStmt *statement, const char *query, bool read_only_tree,
			   ProcessUtilityContext context, ParamListInfo params,
			   QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	Oid			database = database_to_clear(statement->utilityStmt);
	bool		drop = IsA(statement->utilityStmt, DropdbStmt);

	if (OidIsValid(database))
	{
		mirror_stop(database);
		sequencer_stop(database);
	}

	if (prev_utility)
		prev_utility(statement, query, read_only_tree, context, params, env, dest, qc);
	else
		standard_ProcessUtility(statement, query, read_only_tree, context, params, env, dest, qc);

	if (drop && OidIsValid(database))
		forget_database(database);
}

void
utility_init(void)
{
	prev_utility = ProcessUtility_hook;
	ProcessUtility_hook = clear_database;
}
