/*
 * shared_ddl.c
 *	  CREATE, ALTER and DROP of shared tables, check_shared() and refresh().
 *
 * CREATE FOREIGN TABLE makes the tables at the parties, as a change of the
 * transaction (shared/stage.h).  What a foreign table is dropped by (itself, its
 * server, its schema, its owner) drops them in the same way; only DROP
 * EXTENSION does not: nobody would be left to say that it was committed.
 *
 * The parties hold what was defined, so a definition does not change.  A
 * superuser who creates a table that is there, exactly so, gets hold of it again:
 * that is what a restored dump does.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_table.h"
#include "fdw/shared_insert.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "query/options.h"
#include "shared/write.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(secmed_check_shared);
PG_FUNCTION_INFO_V1(secmed_refresh);

static ProcessUtility_hook_type prev_utility = NULL;
static object_access_hook_type prev_access = NULL;
static bool dropping_extension = false;

/* ---- creating and dropping at the parties ---- */

static void
stage_everywhere(const SharedForeign *table, SharedKind kind, const char *what)
{
	SharedParties parties = shared_foreign_parties(table);
	StringInfo	payloads[PARTIES];
	SharedWrite write;

	for (int i = 0; i < PARTIES; i++)
	{
		payloads[i] = makeStringInfo();
		if (kind == SHARED_CREATE)
			shared_definition_encode(payloads[i], &table->definition);
	}
	shared_write_begin(&write, &parties, what);
	/* Whom a restored dump belongs to may get hold of what is there. */
	shared_write_stage(&write, kind, kind == SHARED_CREATE && superuser(), 0, payloads);
}

static void
create_shared(Oid relid)
{
	stage_everywhere(shared_foreign_table(relid), SHARED_CREATE, "create");
}

static void
drop_shared(Oid relid)
{
	SharedForeign *table = shared_foreign_table(relid);

	if (dropping_extension)
		ereport(WARNING,
				(errmsg("the shares of \"%s\" stay at its parties", table->definition.name),
				 errhint("DROP FOREIGN TABLE before DROP EXTENSION would have dropped them.")));
	else
		stage_everywhere(table, SHARED_DROP, "drop");
}

static void
object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (prev_access)
		prev_access(access, class_id, object_id, sub_id, arg);
	if (access == OAT_DROP && class_id == RelationRelationId && sub_id == 0 && shared_foreign_is(object_id))
		drop_shared(object_id);
}

/* ---- what is refused ---- */

static pg_attribute_noreturn() void
refuse_alter(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the definition of shared table \"%s\" can't be changed", name),
			 errdetail("The three parties hold shares of it as it is."),
			 errhint("Create another one; the owner, privileges, defaults and the schema may change.")));
}

static bool
is_harmless(const AlterTableCmd *command)
{
	return command->subtype == AT_ChangeOwner || command->subtype == AT_ColumnDefault ||
		command->subtype == AT_SetStatistics;
}

static void
check_alter(const AlterTableStmt *statement)
{
	Oid			relid = RangeVarGetRelid(statement->relation, NoLock, true);
	ListCell   *lc;

	if (!OidIsValid(relid) || !shared_foreign_is(relid))
		return;
	foreach(lc, statement->cmds)
		if (!is_harmless(lfirst_node(AlterTableCmd, lc)))
			refuse_alter(statement->relation->relname);
}

static void
check_rename(const RenameStmt *statement)
{
	Oid			relid;

	if (statement->relation == NULL)
		return;
	relid = RangeVarGetRelid(statement->relation, NoLock, true);
	if (!OidIsValid(relid) || !shared_foreign_is(relid))
		return;
	/* With a name of its own at the parties, that here is free. */
	if (statement->renameType != OBJECT_COLUMN && option_value(GetForeignTable(relid)->options, "table") != NULL)
		return;
	refuse_alter(statement->relation->relname);
}

static bool
drops_extension(const DropStmt *statement)
{
	ListCell   *lc;

	if (statement->removeType != OBJECT_EXTENSION)
		return false;
	foreach(lc, statement->objects)
		if (strcmp(strVal(lfirst(lc)), "secmed") == 0)
			return true;
	return false;
}

/* ---- the hook ---- */

/* The relation that a command has made, or would have. */
static Oid
created_relation(const RangeVar *relation)
{
	return get_relname_relid(relation->relname, RangeVarGetCreationNamespace(relation));
}

/* Does IF NOT EXISTS find it there? */
static bool
exists_already(const CreateForeignTableStmt *statement)
{
	return statement->base.if_not_exists && OidIsValid(created_relation(statement->base.relation));
}

static void
run_command(PlannedStmt *statement, const char *query, bool read_only_tree, ProcessUtilityContext context,
			ParamListInfo params, QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *command = statement->utilityStmt;
	bool		before = dropping_extension;

	dropping_extension = before || (IsA(command, DropStmt) && drops_extension(castNode(DropStmt, command)));
	PG_TRY();
	{
		(prev_utility ? prev_utility : standard_ProcessUtility) (statement, query, read_only_tree, context, params,
																 env, dest, qc);
	}
	PG_FINALLY();
	{
		dropping_extension = before;
	}
	PG_END_TRY();
}

static void
utility(PlannedStmt *statement, const char *query, bool read_only_tree, ProcessUtilityContext context,
		ParamListInfo params, QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	Node	   *command = statement->utilityStmt;
	RangeVar   *created = NULL;

	/* Options of columns are given by a command below CREATE. */
	if (IsA(command, AlterTableStmt) && context != PROCESS_UTILITY_SUBCOMMAND)
		check_alter(castNode(AlterTableStmt, command));
	if (IsA(command, RenameStmt))
		check_rename(castNode(RenameStmt, command));
	if (IsA(command, CreateForeignTableStmt) && !exists_already(castNode(CreateForeignTableStmt, command)))
		created = copyObject(castNode(CreateForeignTableStmt, command)->base.relation);
	run_command(statement, query, read_only_tree, context, params, env, dest, qc);
	if (created != NULL && shared_foreign_is(created_relation(created)))
		create_shared(created_relation(created));
}

void
shared_ddl_init(void)
{
	prev_utility = ProcessUtility_hook;
	ProcessUtility_hook = utility;
	prev_access = object_access_hook;
	object_access_hook = object_access;
}

/* ---- functions ---- */

static SharedForeign *
shared_argument(Oid relid)
{
	if (get_rel_name(relid) == NULL || !shared_foreign_is(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("that is not a shared table"),
				 errhint("Name the foreign table at the coordinator that made it.")));
	if (!pg_class_ownercheck(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_FOREIGN_TABLE, get_rel_name(relid));
	return shared_foreign_table(relid);
}

Datum
secmed_check_shared(PG_FUNCTION_ARGS)
{
	SharedForeign *table = shared_argument(PG_GETARG_OID(0));
	SharedParties parties = shared_foreign_parties(table);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	check_shared(&parties, result->setResult, result->setDesc);
	return (Datum) 0;
}

Datum
secmed_refresh(PG_FUNCTION_ARGS)
{
	SharedForeign *table = shared_argument(PG_GETARG_OID(0));
	SharedParties parties = shared_foreign_parties(table);

	refresh_shared(&parties);
	PG_RETURN_VOID();
}
