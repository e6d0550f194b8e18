/*
 * access.c
 *	  Statements that read or change audited relations become actions.
 *
 * What a statement looks at is known when it starts: the range table of its
 * plan.  The intent is written when it runs first, so that what is prepared
 * and never executed leaves none; it runs only after that.
 */
#include "base/base.h"

#include "access/parallel.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "audit/access.h"
#include "audit/audited.h"
#include "audit/changes.h"
#include "audit/mode.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "parser/parsetree.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Whoever wants to write more into the side table has his statement cut. */
#define STATEMENT_BYTES_MAX	(LEDGER_PAYLOAD_BYTES_MAX / 4)

typedef enum StandbyReads
{
	STANDBY_REFUSE,
	STANDBY_ALLOW
} StandbyReads;

static int	standby_reads = STANDBY_REFUSE;

static ExecutorStart_hook_type prev_start = NULL;
static ExecutorRun_hook_type prev_run = NULL;
static ExecutorFinish_hook_type prev_finish = NULL;
static ExecutorEnd_hook_type prev_end = NULL;
static ProcessUtility_hook_type prev_utility = NULL;
static object_access_hook_type prev_object_access = NULL;

/* What becomes of the rows of the statement within: "create table as", or NULL. */
static const char *kept_as = NULL;

/* A plan is only shown. */
static bool explaining = false;

/* What is looked at ---------------------------------------------------------*/

typedef struct Looked
{
	List	   *changed;		/* names */
	List	   *read;
	List	   *roots;
	bool		own;			/* some of them are secmed's own */
	bool		published;		/* some are not */
	AclMode		operations;		/* on those that are changed */
	bool		gives_rows;
} Looked;

static void
look_at(Looked *looked, const Audited *audited, bool changed)
{
	char	   *name = pstrdup(audited->name);
	List	  **names = changed ? &looked->changed : &looked->read;
	ListCell   *cell;

	looked->roots = list_append_unique_oid(looked->roots, audited->root);
	looked->own |= audited->own;
	looked->published |= !audited->own;
	foreach(cell, *names)
		if (strcmp(lfirst(cell), name) == 0)
			return;
	*names = lappend(*names, name);
}

/*
 * Those that the statement names itself first; children are told of only if
 * the parent is not.
 */
static void
look_at_range_table(Looked *looked, const PlannedStmt *plan, bool named)
{
	ListCell   *cell;

	foreach(cell, plan->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);
		const Audited *audited;
		bool		changed;

		if (rte->rtekind != RTE_RELATION || (rte->requiredPerms != 0) != named ||
			(audited = audited_find(rte->relid)) == NULL)
			continue;
		if (!named && (list_member_oid(looked->roots, audited->root) || (audited->own && looked->own)))
			continue;
		changed = list_member_int(plan->resultRelations, foreach_current_index(cell) + 1);
		if (changed)
			looked->operations |= rte->requiredPerms & (ACL_INSERT | ACL_UPDATE | ACL_DELETE);
		look_at(looked, audited, changed);
	}
}

static bool
look_at_plan(Looked *looked, const PlannedStmt *plan)
{
	memset(looked, 0, sizeof(*looked));
	look_at_range_table(looked, plan, true);
	look_at_range_table(looked, plan, false);
	looked->gives_rows = looked->read != NIL || plan->hasReturning;
	return looked->changed != NIL || looked->read != NIL;
}

/* Foreign keys look whether a row is there, and tell nobody. */
static bool
is_key_check(const QueryDesc *query)
{
	return InNoForceRLSOperation() && query->operation == CMD_SELECT;
}

static void
refuse_standby(void)
{
	if (standby_reads == STANDBY_REFUSE)
		ereport(ERROR,
				(errcode(ERRCODE_SECMED_LEDGER),
				 errmsg("published tables can't be read on a standby"),
				 errdetail("A standby has no ledger of its own, in which that would be recorded."),
				 errhint("Read them on the primary, or let a superuser set secmed.standby_reads to allow.")));
}

static void pg_attribute_noreturn()
refuse_worker(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_LEDGER),
			 errmsg("a function can't read published tables in a parallel worker"),
			 errhint("Mark the function PARALLEL RESTRICTED.")));
}

/* Has it to be recorded that somebody looks at these?  May fail instead. */
static bool
must_record(void)
{
	if (RecoveryInProgress())
	{
		refuse_standby();
		return false;
	}
	if (IsParallelWorker())
	{
		if (action_depth() > 0)
			refuse_worker();
		return false;			/* the leader has */
	}
	return audited_for_real();
}

/* Words ---------------------------------------------------------------------*/

static void
append_names(StringInfo text, const List *names)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (text->len + strlen(lfirst(cell)) + 8 > ENTRY_TEXT_MAX / 4)
		{
			if (strcmp(text->data + Max(text->len - 3, 0), "...") != 0)
				appendStringInfo(text, "%s...", text->len > 0 ? ", " : "");
			return;
		}
		appendStringInfo(text, "%s%s", text->len > 0 ? ", " : "", (char *) lfirst(cell));
	}
}

static const char *
object_words(const Looked *looked)
{
	StringInfoData text;

	initStringInfo(&text);
	append_names(&text, looked->changed);
	append_names(&text, looked->read);
	return text.data;
}

static const char *
operation_words(const Looked *looked, CmdType command)
{
	StringInfoData text;

	initStringInfo(&text);
	if (looked->changed != NIL && command == CMD_MERGE)
		appendStringInfoString(&text, ", merge");
	else
	{
		if (looked->operations & ACL_INSERT)
			appendStringInfoString(&text, ", insert");
		if (looked->operations & ACL_UPDATE)
			appendStringInfoString(&text, ", update");
		if (looked->operations & ACL_DELETE)
			appendStringInfoString(&text, ", delete");
	}
	if (looked->gives_rows)
		appendStringInfoString(&text, ", select");
	if (looked->gives_rows && kept_as)
		appendStringInfo(&text, ", %s", kept_as);
	return text.data + (text.len > 0 ? 2 : 0);
}

const char *
access_statement(const char *text, int location, int *len)
{
	if (location > 0 && location <= strlen(text))
		text += location;
	if (*len <= 0 || *len > strlen(text))
		*len = strlen(text);
	while (*len > 0 && isspace((unsigned char) *text))
	{
		text++;
		(*len)--;
	}
	while (*len > 0 && isspace((unsigned char) text[*len - 1]))
		(*len)--;
	return text;
}

static void
append_cut(StringInfo to, const char *text, int len)
{
	int			room = STATEMENT_BYTES_MAX - to->len;

	if (len <= room)
	{
		appendBinaryStringInfo(to, text, len);
		return;
	}
	appendBinaryStringInfo(to, text, pg_mbcliplen(text, len, Max(room, 0)));
	appendStringInfo(to, "\n-- cut: %d bytes", len);
}

/*
 * The statement as it was written, its parameters, and what the client had
 * sent; returns the bytes of the first.
 */
static int
statement_words(StringInfo words, const QueryDesc *query)
{
	int			len = query->plannedstmt->stmt_len;
	const char *text = access_statement(query->sourceText, query->plannedstmt->stmt_location, &len);
	char	   *params = NULL;
	int			text_len;

	initStringInfo(words);
	append_cut(words, text, len);
	text_len = words->len;
	if (query->params && query->params->numParams > 0 && query->params->numParams <= PARAMETERS_MAX)
		params = BuildParamLogString(query->params, NULL, 1024);
	if (params)
		appendStringInfo(words, "\n-- %s", params);
	if (action_depth() > 0 && debug_query_string && strcmp(debug_query_string, query->sourceText) != 0)
	{
		appendStringInfoString(words, "\n-- within: ");
		append_cut(words, debug_query_string, strlen(debug_query_string));
	}
	return text_len;
}

/* The executor --------------------------------------------------------------*/

/* A statement that has started; goes away with its memory. */
typedef struct Watch
{
	struct Watch *next;
	QueryDesc  *query;
	ActionPlan	plan;
	bool		announced;
	ActionId	action;
	MemoryContextCallback callback;
} Watch;

static Watch *watches = NULL;

static void
forget_watch(void *arg)
{
	for (Watch **at = &watches; *at; at = &(*at)->next)
		if (*at == arg)
		{
			*at = (*at)->next;
			return;
		}
}

static Watch *
find_watch(const QueryDesc *query)
{
	Watch	   *watch = watches;

	while (watch && watch->query != query)
		watch = watch->next;
	return watch;
}

static void
make_plan(ActionPlan *plan, const Looked *looked, const QueryDesc *query)
{
	StringInfoData statement;
	int			text_len = statement_words(&statement, query);

	*plan = (ActionPlan)
	{
		.kind = ENTRY_INTENT,
		.changes = looked->changed != NIL,
		.own = !looked->published,
		.object = object_words(looked),
		.operation = operation_words(looked, query->operation),
		.statement = statement.data,
		.statement_len = statement.len,
		.text_len = text_len,
	};
}

static void
watch_query(QueryDesc *query, const Looked *looked)
{
	MemoryContext old = MemoryContextSwitchTo(query->estate->es_query_cxt);
	Watch	   *watch = palloc0(sizeof(Watch));

	watch->query = query;
	make_plan(&watch->plan, looked, query);
	watch->callback.func = forget_watch;
	watch->callback.arg = watch;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &watch->callback);
	watch->next = watches;
	watches = watch;
	MemoryContextSwitchTo(old);
}

static void
start_next(QueryDesc *query, int eflags)
{
	if (prev_start)
		prev_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

static void
start(QueryDesc *query, int eflags)
{
	if (!(eflags & EXEC_FLAG_EXPLAIN_ONLY))
	{
		start_next(query, eflags);
		return;
	}
	explaining = true;
	PG_TRY();
	{
		start_next(query, eflags);
	}
	PG_FINALLY();
	{
		explaining = false;
	}
	PG_END_TRY();
}

/* Starts it, and tells of who may not. */
static void
start_looked_at(QueryDesc *query, int eflags, const Looked *looked)
{
	PG_TRY();
	{
		start(query, eflags);
	}
	PG_CATCH();
	{
		if (geterrcode() == ERRCODE_INSUFFICIENT_PRIVILEGE)
		{
			ActionPlan	plan;

			make_plan(&plan, looked, query);
			action_refused(&plan, ERRCODE_INSUFFICIENT_PRIVILEGE);
		}
		PG_RE_THROW();
	}
	PG_END_TRY();
	watch_query(query, looked);
}

static void
access_start(QueryDesc *query, int eflags)
{
	Looked		looked;

	if ((eflags & EXEC_FLAG_EXPLAIN_ONLY) || !audited_here() || is_key_check(query) ||
		!look_at_plan(&looked, query->plannedstmt) || !must_record())
		start(query, eflags);
	else
		start_looked_at(query, eflags, &looked);
}

static void
run(QueryDesc *query, ScanDirection direction, uint64 count, bool execute_once)
{
	action_descend();
	PG_TRY();
	{
		if (prev_run)
			prev_run(query, direction, count, execute_once);
		else
			standard_ExecutorRun(query, direction, count, execute_once);
	}
	PG_FINALLY();
	{
		action_rise();
	}
	PG_END_TRY();
}

static void
run_watched(Watch *watch, ScanDirection direction, uint64 count, bool execute_once)
{
	QueryDesc  *query = watch->query;

	if (!watch->announced)
		watch->action = action_enter(&watch->plan);
	watch->announced = true;
	PG_TRY();
	{
		run(query, direction, count, execute_once);
	}
	PG_CATCH();
	{
		action_add_rows(watch->action, query->estate->es_processed);
		action_failed(watch->action, geterrcode());
		PG_RE_THROW();
	}
	PG_END_TRY();
	action_add_rows(watch->action, query->estate->es_processed);
}

static void
access_run(QueryDesc *query, ScanDirection direction, uint64 count, bool execute_once)
{
	Watch	   *watch = watches ? find_watch(query) : NULL;

	if (watch)
		run_watched(watch, direction, count, execute_once);
	else
		run(query, direction, count, execute_once);
	changes_look_at_settings();
}

static void
finish(QueryDesc *query)
{
	action_descend();
	PG_TRY();
	{
		if (prev_finish)
			prev_finish(query);
		else
			standard_ExecutorFinish(query);
	}
	PG_FINALLY();
	{
		action_rise();
	}
	PG_END_TRY();
}

/* Triggers that come at the end of a statement may fail it. */
static void
access_finish(QueryDesc *query)
{
	Watch	   *watch = watches ? find_watch(query) : NULL;
	ActionId	action = watch ? watch->action : 0;

	if (action == 0)
	{
		finish(query);
		return;
	}
	PG_TRY();
	{
		finish(query);
	}
	PG_CATCH();
	{
		action_failed(action, geterrcode());
		PG_RE_THROW();
	}
	PG_END_TRY();
}

static void
tell_what_was_written(const PlannedStmt *plan)
{
	ListCell   *cell;

	foreach(cell, plan->resultRelations)
		audited_written(rt_fetch(lfirst_int(cell), plan->rtable)->relid);
}

static void
access_end(QueryDesc *query)
{
	Watch	   *watch = watches ? find_watch(query) : NULL;
	ActionId	action = watch ? watch->action : 0;

	if (query->plannedstmt->resultRelations)
		tell_what_was_written(query->plannedstmt);
	if (prev_end)
		prev_end(query);
	else
		standard_ExecutorEnd(query);
	action_leave(action);
}

/* Commands ------------------------------------------------------------------*/

typedef struct Command
{
	PlannedStmt *statement;
	const char *query;
	bool		read_only_tree;
	ProcessUtilityContext context;
	ParamListInfo params;
	QueryEnvironment *env;
	DestReceiver *dest;
	QueryCompletion *qc;
} Command;

static void
run_command(Command *command)
{
	action_descend();
	PG_TRY();
	{
		(prev_utility ? prev_utility : standard_ProcessUtility)
			(command->statement, command->query, command->read_only_tree, command->context,
			 command->params, command->env, command->dest, command->qc);
	}
	PG_FINALLY();
	{
		action_rise();
	}
	PG_END_TRY();
}

static void
run_keeping(Command *command, const char *word)
{
	const char *outer = kept_as;

	kept_as = word;
	PG_TRY();
	{
		run_command(command);
	}
	PG_FINALLY();
	{
		kept_as = outer;
	}
	PG_END_TRY();
}

static void
command_plan(ActionPlan *plan, const Command *command, const Audited *audited,
			 const char *operation, bool changes)
{
	StringInfoData statement;
	int			len = command->statement->stmt_len;
	const char *text = access_statement(command->query, command->statement->stmt_location, &len);

	initStringInfo(&statement);
	append_cut(&statement, text, len);
	*plan = (ActionPlan)
	{
		.kind = ENTRY_INTENT,
		.changes = changes,
		.own = audited->own,
		.object = pstrdup(audited->name),
		.operation = operation,
		.statement = statement.data,
		.statement_len = statement.len,
		.text_len = statement.len,
	};
}

/* COPY of a table does without the executor, and looks itself who may. */
static void
run_copy(Command *command, const ActionPlan *plan)
{
	ActionId	action;
	QueryCompletion qc = {0};

	if (command->qc == NULL)
		command->qc = &qc;
	action = action_enter(plan);
	PG_TRY();
	{
		run_command(command);
	}
	PG_CATCH();
	{
		action_failed(action, geterrcode());
		PG_RE_THROW();
	}
	PG_END_TRY();
	action_add_rows(action, command->qc->nprocessed);
	action_leave(action);
}

static void
access_copy(Command *command)
{
	CopyStmt   *copy = castNode(CopyStmt, command->statement->utilityStmt);
	const Audited *audited = NULL;
	ActionPlan	plan;
	Oid			relid;

	if (copy->relation == NULL)
	{
		run_keeping(command, "copy to");
		return;
	}
	relid = RangeVarGetRelid(copy->relation, AccessShareLock, true);
	if (OidIsValid(relid) && audited_here())
		audited = audited_find(relid);
	if (audited == NULL || !must_record())
	{
		run_command(command);
		if (copy->is_from && OidIsValid(relid))
			audited_written(relid);
		return;
	}
	command_plan(&plan, command, audited, copy->is_from ? "copy from" : "copy to", copy->is_from);
	run_copy(command, &plan);
	if (copy->is_from)
		audited_written(relid);
}

static void
access_utility(PlannedStmt *statement, const char *query, bool read_only_tree,
			   ProcessUtilityContext context, ParamListInfo params,
			   QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	Command		command = {statement, query, read_only_tree, context, params, env, dest, qc};

	switch (nodeTag(statement->utilityStmt))
	{
		case T_CopyStmt:
			access_copy(&command);
			break;
		case T_CreateTableAsStmt:
			run_keeping(&command, "create table as");
			break;
		case T_RefreshMatViewStmt:
			run_keeping(&command, "refresh materialized view");
			break;
		default:
			run_command(&command);
	}
}

/* Does this function of ours give out what is in the ledger? */
static const char *
gives_out(Oid function)
{
	static const char *const giving[] = {"export_ledger", "export_fhir", "who_saw_my_record"};
	char	   *name;

	if (!audited_schema(get_func_namespace(function)) || (name = get_func_name(function)) == NULL)
		return NULL;
	for (int i = 0; i < lengthof(giving); i++)
		if (strcmp(name, giving[i]) == 0)
			return giving[i];
	return NULL;
}

/* Such functions read as secmed itself does; that they are called is what leaves an entry. */
static void
look_at_function(Oid function)
{
	const char *name;

	if (function < FirstNormalObjectId || explaining || !audited_here() ||
		(name = gives_out(function)) == NULL || !must_record())
		return;
	action_leave(action_enter(&(ActionPlan)
							  {
								  .kind = ENTRY_INTENT,
								  .own = true,
								  .object = psprintf("secmed.%s", name),
								  .operation = "export",
								  .statement = debug_query_string,
								  .statement_len = debug_query_string ?
								  Min(strlen(debug_query_string), STATEMENT_BYTES_MAX) : 0,
							  }));
}

/* TRUNCATE, for each table also by CASCADE; and calls of functions. */
static void
access_object(ObjectAccessType access, Oid class, Oid object, int sub, void *arg)
{
	const Audited *audited;

	if (prev_object_access)
		prev_object_access(access, class, object, sub, arg);
	if (access == OAT_FUNCTION_EXECUTE)
		look_at_function(object);
	if (access != OAT_TRUNCATE || !audited_here() || (audited = audited_find(object)) == NULL ||
		!must_record())
		return;
	action_leave(action_enter(&(ActionPlan)
							  {
								  .kind = ENTRY_INTENT,
								  .changes = true,
								  .own = audited->own,
								  .object = pstrdup(audited->name),
								  .operation = "truncate",
								  .statement = debug_query_string,
								  .statement_len = debug_query_string ?
								  Min(strlen(debug_query_string), STATEMENT_BYTES_MAX) : 0,
							  }));
}

static bool
check_standby_reads(int *new_value, void **extra, GucSource source)
{
	return mode_check("secmed.standby_reads", standby_reads, *new_value, source);
}

void
access_init(void)
{
	static const struct config_enum_entry answers[] = {
		{"refuse", STANDBY_REFUSE, false},
		{"allow", STANDBY_ALLOW, false},
		{NULL, 0, false}
	};

	DefineCustomEnumVariable("secmed.standby_reads",
							 "Whether published tables may be read on a standby, where it can't be recorded.",
							 NULL, &standby_reads, STANDBY_REFUSE, answers, PGC_SUSET, 0,
							 check_standby_reads, NULL, NULL);

	prev_start = ExecutorStart_hook;
	ExecutorStart_hook = access_start;
	prev_run = ExecutorRun_hook;
	ExecutorRun_hook = access_run;
	prev_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = access_finish;
	prev_end = ExecutorEnd_hook;
	ExecutorEnd_hook = access_end;
	prev_utility = ProcessUtility_hook;
	ProcessUtility_hook = access_utility;
	prev_object_access = object_access_hook;
	object_access_hook = access_object;
}
