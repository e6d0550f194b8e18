/*
 * changes.c
 *	  Commands that change who may do what, or what is done about it, become
 *	  actions of the kind CHANGE.
 *
 * Names are looked up as the command itself will do it, but without a lock: if
 * somebody exchanges a table in between, the entry names the one before.
 */
#include "base/base.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "audit/access.h"
#include "audit/audited.h"
#include "audit/changes.h"
#include "audit/dangling.h"
#include "audit/mode.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "rewrite/rewriteSupport.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

static ProcessUtility_hook_type prev_utility = NULL;
static object_access_hook_type prev_object_access = NULL;

/* Within a command that is told of: what it drops besides needs no word. */
static bool within_change = false;
/* Within a SET, which is told of by itself where it matters. */
static bool within_set = false;
/* session_replication_role was changed by a SET. */
static bool set_was_told = false;

/* What a command is about ---------------------------------------------------*/

typedef struct About
{
	StringInfoData object;
	bool		found;
	bool		published;		/* a published table is among it */
	bool		ledger;			/* one of secmed's own tables is */
	bool		secret;			/* the text holds a password */
} About;

static void
about_name(About *about, const char *name)
{
	if (name == NULL)
		name = "";
	about->found = true;
	if (about->object.len + strlen(name) + 8 > ENTRY_TEXT_MAX / 4)
		return;
	appendStringInfo(&about->object, "%s%s", about->object.len > 0 ? ", " : "", name);
}

static void
about_relid(About *about, Oid relid)
{
	const Audited *audited = OidIsValid(relid) ? audited_find(relid) : NULL;

	if (audited == NULL)
		return;
	about->published |= !audited->own;
	about->ledger |= audited->own;
	about_name(about, audited->name);
}

static void
about_range(About *about, RangeVar *range)
{
	if (range)
		about_relid(about, RangeVarGetRelid(range, NoLock, true));
}

static void
about_ranges(About *about, List *ranges)
{
	ListCell   *cell;

	foreach(cell, ranges)
		about_range(about, lfirst_node(RangeVar, cell));
}

/* A qualified name; of something on a table, without its last part. */
static void
about_list(About *about, List *names, bool of_table)
{
	if (of_table)
		names = list_truncate(list_copy(names), list_length(names) - 1);
	if (names != NIL && list_length(names) <= 3)
		about_range(about, makeRangeVarFromNameList(names));
}

static void
about_schema(About *about, const char *name)
{
	Oid			schema = get_namespace_oid(name, true);

	if (!OidIsValid(schema) || !(audited_schema(schema) || audited_in_schema(schema)))
		return;
	about->published |= !audited_schema(schema);
	about->ledger |= audited_schema(schema);
	about_name(about, name);
}

static void
about_schemas(About *about, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
		about_schema(about, strVal(lfirst(cell)));
}

/* Is a function's name qualified with our schema? */
static bool
is_own_function(List *names)
{
	return list_length(names) == 2 && strcmp(strVal(linitial(names)), "secmed") == 0;
}

static void
about_functions(About *about, List *functions)
{
	ListCell   *cell;

	foreach(cell, functions)
		if (IsA(lfirst(cell), ObjectWithArgs) &&
			is_own_function(lfirst_node(ObjectWithArgs, cell)->objname))
			about_name(about, NameListToString(lfirst_node(ObjectWithArgs, cell)->objname));
}

static void
about_roles(About *about, List *roles)
{
	ListCell   *cell;

	foreach(cell, roles)
		about_name(about, lfirst_node(RoleSpec, cell)->rolename);
}

static void
about_strings(About *about, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
		about_name(about, strVal(lfirst(cell)));
}

static void
about_database(About *about, const char *name)
{
	if (name && get_database_oid(name, true) == MyDatabaseId)
		about_name(about, name);
}

/* Kinds of commands ---------------------------------------------------------*/

static void
about_grant(About *about, GrantStmt *grant)
{
	ListCell   *cell;

	if (grant->targtype == ACL_TARGET_ALL_IN_SCHEMA || grant->objtype == OBJECT_SCHEMA)
		about_schemas(about, grant->objects);
	else if (grant->targtype == ACL_TARGET_DEFAULTS)
		about_name(about, "");
	else if (grant->objtype == OBJECT_TABLE)
		about_ranges(about, grant->objects);
	else if (grant->objtype == OBJECT_FUNCTION || grant->objtype == OBJECT_PROCEDURE ||
			 grant->objtype == OBJECT_ROUTINE)
		about_functions(about, grant->objects);
	else if (grant->objtype == OBJECT_DATABASE)
		foreach(cell, grant->objects)
			about_database(about, strVal(lfirst(cell)));
	else if (grant->objtype == OBJECT_PARAMETER_ACL)
		about_strings(about, grant->objects);
}

static void
about_membership(About *about, GrantRoleStmt *grant)
{
	ListCell   *cell;

	foreach(cell, grant->granted_roles)
		about_name(about, lfirst_node(AccessPriv, cell)->priv_name);
	about_roles(about, grant->grantee_roles);
}

static void
about_drop(About *about, DropStmt *drop)
{
	ListCell   *cell;

	foreach(cell, drop->objects)
		switch (drop->removeType)
		{
			case OBJECT_TABLE:
			case OBJECT_VIEW:
			case OBJECT_MATVIEW:
			case OBJECT_FOREIGN_TABLE:
				about_list(about, lfirst(cell), false);
				break;
			case OBJECT_TRIGGER:
			case OBJECT_POLICY:
			case OBJECT_RULE:
				about_list(about, lfirst(cell), true);
				break;
			case OBJECT_SCHEMA:
				about_schema(about, strVal(lfirst(cell)));
				break;
			case OBJECT_EXTENSION:
				about->ledger |= strcmp(strVal(lfirst(cell)), "secmed") == 0;
				about_name(about, strVal(lfirst(cell)));
				break;
			case OBJECT_PUBLICATION:
				about_name(about, strVal(lfirst(cell)));
				break;
			case OBJECT_FUNCTION:
			case OBJECT_PROCEDURE:
			case OBJECT_ROUTINE:
				about_functions(about, list_make1(lfirst(cell)));
				break;
			default:
				break;
		}
}

/* The password is in the text; so are others that look like one. */
static bool
has_password(List *options)
{
	ListCell   *cell;

	foreach(cell, options)
		if (strcmp(lfirst_node(DefElem, cell)->defname, "password") == 0)
			return true;
	return false;
}

static void
about_function(About *about, CreateFunctionStmt *create)
{
	ListCell   *cell;

	if (is_own_function(create->funcname))
		about_name(about, NameListToString(create->funcname));
	foreach(cell, create->options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, "language") == 0 && pg_strcasecmp(strVal(option->arg), "c") == 0 &&
			!about->found)
			about_name(about, NameListToString(create->funcname));
	}
}

/* Settings of a session that take something from the audit. */
static void
about_set(About *about, VariableSetStmt *set)
{
	static const char *const watched[] = {"secmed.ledger_mode", "secmed.on_ledger_failure",
	"secmed.standby_reads", "session_replication_role"};

	for (int i = 0; set->name && i < lengthof(watched); i++)
		if (pg_strcasecmp(set->name, watched[i]) == 0)
			about_name(about, watched[i]);
}

static void
about_prepared(About *about, TransactionStmt *transaction)
{
	if (transaction->kind == TRANS_STMT_COMMIT_PREPARED ||
		transaction->kind == TRANS_STMT_ROLLBACK_PREPARED)
		about_name(about, "");
}

static void
about_roles_command(About *about, Node *command)
{
	switch (nodeTag(command))
	{
		case T_GrantRoleStmt:
			about_membership(about, castNode(GrantRoleStmt, command));
			break;
		case T_CreateRoleStmt:
			about_name(about, castNode(CreateRoleStmt, command)->role);
			about->secret = has_password(castNode(CreateRoleStmt, command)->options);
			break;
		case T_AlterRoleStmt:
			about_roles(about, list_make1(castNode(AlterRoleStmt, command)->role));
			about->secret = has_password(castNode(AlterRoleStmt, command)->options);
			break;
		case T_AlterRoleSetStmt:
			about_name(about, castNode(AlterRoleSetStmt, command)->role ?
					   castNode(AlterRoleSetStmt, command)->role->rolename : "");
			break;
		case T_DropRoleStmt:
			about_roles(about, castNode(DropRoleStmt, command)->roles);
			break;
		case T_DropOwnedStmt:
			about_roles(about, castNode(DropOwnedStmt, command)->roles);
			break;
		case T_ReassignOwnedStmt:
			about_roles(about, castNode(ReassignOwnedStmt, command)->roles);
			break;
		default:
			break;
	}
}

static void
about_table_command(About *about, Node *command)
{
	switch (nodeTag(command))
	{
		case T_AlterTableStmt:
			about_range(about, castNode(AlterTableStmt, command)->relation);
			break;
		case T_RenameStmt:
			about_range(about, castNode(RenameStmt, command)->relation);
			if (castNode(RenameStmt, command)->renameType == OBJECT_ROLE)
				about_name(about, castNode(RenameStmt, command)->subname);
			if (castNode(RenameStmt, command)->renameType == OBJECT_SCHEMA)
				about_schema(about, castNode(RenameStmt, command)->subname);
			break;
		case T_AlterObjectSchemaStmt:
			about_range(about, castNode(AlterObjectSchemaStmt, command)->relation);
			break;
		case T_AlterOwnerStmt:
			about_range(about, castNode(AlterOwnerStmt, command)->relation);
			if (castNode(AlterOwnerStmt, command)->objectType == OBJECT_SCHEMA)
				about_schema(about, strVal(castNode(AlterOwnerStmt, command)->object));
			break;
		case T_CreateTrigStmt:
			about_range(about, castNode(CreateTrigStmt, command)->relation);
			break;
		case T_RuleStmt:
			about_range(about, castNode(RuleStmt, command)->relation);
			break;
		case T_CreatePolicyStmt:
			about_range(about, castNode(CreatePolicyStmt, command)->table);
			break;
		case T_AlterPolicyStmt:
			about_range(about, castNode(AlterPolicyStmt, command)->table);
			break;
		case T_CreateStmt:
			about_ranges(about, castNode(CreateStmt, command)->inhRelations);
			break;
		case T_ViewStmt:
			about_range(about, castNode(ViewStmt, command)->view);
			break;
		default:
			break;
	}
}

static void
about_other_command(About *about, Node *command)
{
	switch (nodeTag(command))
	{
		case T_GrantStmt:
			about_grant(about, castNode(GrantStmt, command));
			break;
		case T_AlterDefaultPrivilegesStmt:
			about_name(about, "");
			break;
		case T_DropStmt:
			about_drop(about, castNode(DropStmt, command));
			break;
		case T_AlterDatabaseSetStmt:
			about_database(about, castNode(AlterDatabaseSetStmt, command)->dbname);
			break;
		case T_AlterSystemStmt:
			about_name(about, castNode(AlterSystemStmt, command)->setstmt->name);
			break;
		case T_VariableSetStmt:
			about_set(about, castNode(VariableSetStmt, command));
			break;
		case T_CreateExtensionStmt:
			about_name(about, castNode(CreateExtensionStmt, command)->extname);
			break;
		case T_AlterExtensionStmt:
			about_name(about, castNode(AlterExtensionStmt, command)->extname);
			break;
		case T_AlterExtensionContentsStmt:
			about_name(about, castNode(AlterExtensionContentsStmt, command)->extname);
			break;
		case T_LoadStmt:
			about_name(about, castNode(LoadStmt, command)->filename);
			break;
		case T_CreateFunctionStmt:
			about_function(about, castNode(CreateFunctionStmt, command));
			break;
		case T_AlterFunctionStmt:
			about_functions(about, list_make1(castNode(AlterFunctionStmt, command)->func));
			break;
		case T_CreatePublicationStmt:
			about_name(about, castNode(CreatePublicationStmt, command)->pubname);
			break;
		case T_AlterPublicationStmt:
			about_name(about, castNode(AlterPublicationStmt, command)->pubname);
			break;
		case T_CreateEventTrigStmt:
			about_name(about, castNode(CreateEventTrigStmt, command)->trigname);
			break;
		case T_AlterEventTrigStmt:
			about_name(about, castNode(AlterEventTrigStmt, command)->trigname);
			break;
		case T_TransactionStmt:
			about_prepared(about, castNode(TransactionStmt, command));
			break;
		default:
			break;
	}
}

/* The hooks -----------------------------------------------------------------*/

typedef struct Change
{
	PlannedStmt *statement;
	const char *query;
	bool		read_only_tree;
	ProcessUtilityContext context;
	ParamListInfo params;
	QueryEnvironment *env;
	DestReceiver *dest;
	QueryCompletion *qc;
} Change;

static void
run_next(const Change *change)
{
	(prev_utility ? prev_utility : standard_ProcessUtility)
		(change->statement, change->query, change->read_only_tree, change->context,
		 change->params, change->env, change->dest, change->qc);
}

static void
run_command(const Change *change)
{
	bool		outer = within_set;

	if (!IsA(change->statement->utilityStmt, VariableSetStmt))
	{
		run_next(change);
		return;
	}
	within_set = set_was_told = true;
	PG_TRY();
	{
		run_next(change);
	}
	PG_FINALLY();
	{
		within_set = outer;
	}
	PG_END_TRY();
	changes_look_at_settings();
	set_was_told = false;
}

static ActionId
announce(const Change *change, const About *about)
{
	int			len = change->statement->stmt_len;
	const char *text = access_statement(change->query, change->statement->stmt_location, &len);

	return action_enter(&(ActionPlan)
						{
							.kind = ENTRY_CHANGE,
							.changes = true,
							.own = !about->published,
							.locks_ledger = about->ledger,
							.object = about->object.data,
							.operation = GetCommandTagName(CreateCommandTag(change->statement->utilityStmt)),
							.statement = about->secret ? NULL : text,
							.statement_len = about->secret ? 0 : Min(len, LEDGER_PAYLOAD_BYTES_MAX / 4),
						});
}

static void
run_change(const Change *change, const About *about)
{
	bool		outer = within_change;
	ActionId	action = announce(change, about);

	within_change = true;
	PG_TRY();
	{
		run_command(change);
	}
	PG_CATCH();
	{
		within_change = outer;
		action_failed(action, geterrcode());
		PG_RE_THROW();
	}
	PG_END_TRY();
	within_change = outer;
	action_leave(action);
	if (IsA(change->statement->utilityStmt, TransactionStmt))
		dangling_look_again(MyDatabaseId);
}

static bool
breaks_glass(Node *command)
{
	VariableSetStmt *set = IsA(command, VariableSetStmt) ? (VariableSetStmt *) command : NULL;

	return set && set->kind == VAR_SET_VALUE && pg_strcasecmp(set->name, "secmed.on_ledger_failure") == 0;
}

/*
 * Whoever breaks the glass, with secmed.on_ledger_failure = spool, need not wait
 * for what is broken: what a session sets holds for the entry that says so.
 * If that is not taken, the setting is taken back with the statement.
 */
static void
run_set(const Change *change, const About *about)
{
	run_command(change);
	action_leave(announce(change, about));
}

/* Extensions' scripts are told of by CREATE EXTENSION, subcommands by their command. */
static bool
can_be_change(const Change *change)
{
	return change->context != PROCESS_UTILITY_SUBCOMMAND && !creating_extension && !within_change &&
		IsTransactionState() && !RecoveryInProgress() && !IsParallelWorker();
}

static void
changes_utility(PlannedStmt *statement, const char *query, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params,
				QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	Change		change = {statement, query, read_only_tree, context, params, env, dest, qc};
	About		about = {.found = false};

	if (can_be_change(&change) && audited_here())
	{
		initStringInfo(&about.object);
		about_roles_command(&about, statement->utilityStmt);
		about_table_command(&about, statement->utilityStmt);
		about_other_command(&about, statement->utilityStmt);
	}
	if (about.found && audited_for_real() && breaks_glass(statement->utilityStmt))
		run_set(&change, &about);
	else if (about.found && audited_for_real())
		run_change(&change, &about);
	else
		run_command(&change);
}

/* The row of a catalog that has this oid; *relid is the table that it is of. */
static bool
table_of_part(Oid class, Oid index, AttrNumber key_column, Oid object,
			  Oid (*table_of) (HeapTuple), Oid *relid)
{
	Relation	catalog = table_open(class, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found;

	ScanKeyInit(&key, key_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	scan = systable_beginscan(catalog, index, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple);
	*relid = found ? table_of(tuple) : InvalidOid;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found && OidIsValid(*relid);
}

/* Those of foreign keys go with their constraint. */
static Oid
table_of_trigger(HeapTuple tuple)
{
	Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

	return trigger->tgisinternal ? InvalidOid : trigger->tgrelid;
}

static Oid
table_of_policy(HeapTuple tuple)
{
	return ((Form_pg_policy) GETSTRUCT(tuple))->polrelid;
}

/* A view's own rule is the view. */
static Oid
table_of_rule(HeapTuple tuple)
{
	Form_pg_rewrite rule = (Form_pg_rewrite) GETSTRUCT(tuple);

	return strcmp(NameStr(rule->rulename), ViewSelectRuleName) == 0 ? InvalidOid : rule->ev_class;
}

static Oid
table_of_constraint(HeapTuple tuple)
{
	return ((Form_pg_constraint) GETSTRUCT(tuple))->conrelid;
}

/* What is dropped, if it is a relation or a part of one; in the words of the command that would have. */
static const char *
dropped(Oid class, Oid object, int sub, Oid *relid)
{
	*relid = object;
	switch (class)
	{
		case RelationRelationId:
			return sub == 0 ? "DROP TABLE" : "ALTER TABLE";
		case TriggerRelationId:
			return table_of_part(class, TriggerOidIndexId, Anum_pg_trigger_oid, object, table_of_trigger, relid) ?
				"DROP TRIGGER" : NULL;
		case PolicyRelationId:
			return table_of_part(class, PolicyOidIndexId, Anum_pg_policy_oid, object, table_of_policy, relid) ?
				"DROP POLICY" : NULL;
		case RewriteRelationId:
			return table_of_part(class, RewriteOidIndexId, Anum_pg_rewrite_oid, object, table_of_rule, relid) ?
				"DROP RULE" : NULL;
		case ConstraintRelationId:
			return table_of_part(class, ConstraintOidIndexId, Anum_pg_constraint_oid, object, table_of_constraint, relid) ?
				"ALTER TABLE" : NULL;
		default:
			return NULL;
	}
}

/* What is dropped by a command that names something else. */
static void
changes_object(ObjectAccessType access, Oid class, Oid object, int sub, void *arg)
{
	const Audited *audited;
	const char *operation;
	Oid			relid;

	if (prev_object_access)
		prev_object_access(access, class, object, sub, arg);
	if (access != OAT_DROP || within_change || creating_extension || !audited_here() ||
		(operation = dropped(class, object, sub, &relid)) == NULL ||
		(audited = audited_find(relid)) == NULL || !audited_for_real())
		return;
	action_leave(action_enter(&(ActionPlan)
							  {
								  .kind = ENTRY_CHANGE,
								  .changes = true,
								  .own = audited->own,
								  .object = pstrdup(audited->name),
								  .operation = operation,
							  }));
}

/* Settings that no command names ---------------------------------------------*/

/* One of ours, by set_config(): its check hook calls us, before it holds. */
static void
setting_changes(const char *name)
{
	if (within_set || within_change || !IsTransactionState() || RecoveryInProgress() || IsParallelWorker() ||
		creating_extension || !audited_here() || !audited_for_real())
		return;
	action_leave(action_enter(&(ActionPlan)
							  {
								  .kind = ENTRY_CHANGE,
								  .changes = true,
								  .own = true,
								  .object = name,
								  .operation = "SET",
								  .statement = debug_query_string,
								  .statement_len = debug_query_string ?
								  Min(strlen(debug_query_string), LEDGER_PAYLOAD_BYTES_MAX / 4) : 0,
							  }));
}

/* PostgreSQL's own setting has no hook: it is looked at after each statement. */
void
changes_look_at_settings(void)
{
	static int	known = SESSION_REPLICATION_ROLE_ORIGIN;
	int			before = known;

	if (likely(SessionReplicationRole == before))
		return;
	known = SessionReplicationRole;
	if (known != SESSION_REPLICATION_ROLE_ORIGIN && !set_was_told)
		setting_changes("session_replication_role");
	set_was_told = false;
}

void
changes_init(void)
{
	prev_utility = ProcessUtility_hook;
	ProcessUtility_hook = changes_utility;
	prev_object_access = object_access_hook;
	object_access_hook = changes_object;
	mode_setting_changes = setting_changes;
}
