/*
 * contract_query.c
 *	  The text of a contract's question, planned over this node's foreign tables.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_foreign_table.h"
#include "commands/defrem.h"
#include "compute/compile.h"
#include "compute/scan.h"
#include "compute/site_input.h"
#include "fdw/contract_query.h"
#include "foreign/foreign.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "query/settings.h"
#include "query/shared_table.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"
#include "utils/guc.h"
#include "utils/syscache.h"

static void refuse_text(const char *why, const char *hint) pg_attribute_noreturn();

static void
refuse_text(const char *why, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_SECMED_NOT_ALLOWED),
			 errmsg("this can't be the question of a contract"),
			 errdetail("%s.", why),
			 hint ? errhint("%s", hint) : 0));
}

/* ---- tables ---- */

/* Is it a foreign table of secmed that is published under this name? */
static bool
is_published_as(Oid relid, Oid serverid, const char *name)
{
	ForeignServer *server = GetForeignServer(serverid);

	if (strcmp(GetForeignDataWrapper(server->fdwid)->fdwname, "secmed") != 0)
		return false;
	if (shared_foreign_is(relid))
	{
		const char *shared = option_value(GetForeignTable(relid)->options, "table");

		return strcmp(shared ? shared : get_rel_name(relid), name) == 0;
	}
	return strcmp(published_table(relid)->name, name) == 0;
}

/* Does its server ask the sites, or parties, of the contract? */
static bool
asks_those_of(Oid serverid, const StoredContract *stored)
{
	Federation *federation;

	if (stored == NULL)
		return true;
	federation = federation_of_server(serverid);
	for (int i = 0; i < stored->contract.nsites; i++)
	{
		bool		asked = false;

		for (int j = 0; j < federation->nsites; j++)
			asked = asked || strcmp(stored->contract.sites[i].name, federation->sites[j]) == 0;
		if (!asked)
			return false;
	}
	return stored->contract.nsites == 0 || stored->contract.nsites == federation->nsites;
}

/*
 * The foreign table that is published under this name; of several, one in the search_path of who asks,
 * for which there must not be two.
 */
static Oid
find_table(const char *name, const StoredContract *stored)
{
	Relation	tables = table_open(ForeignTableRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(tables, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	List	   *found = NIL;
	List	   *visible = NIL;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_foreign_table form = (Form_pg_foreign_table) GETSTRUCT(tuple);

		if (!is_published_as(form->ftrelid, form->ftserver, name) || !asks_those_of(form->ftserver, stored))
			continue;
		found = lappend_oid(found, form->ftrelid);
		if (RelationIsVisible(form->ftrelid))
			visible = lappend_oid(visible, form->ftrelid);
	}
	systable_endscan(scan);
	table_close(tables, AccessShareLock);

	if (list_length(visible) == 1)
		return linitial_oid(visible);
	if (found == NIL)
		refuse_text(psprintf("No foreign table here is published as \"%s\"%s", name, stored ? " by the contract's sites" : ""),
					"IMPORT FOREIGN SCHEMA published FROM SERVER ...");
	if (list_length(found) > 1)
		refuse_text(psprintf("Several foreign tables here are published as \"%s\"", name),
					"SET search_path so that it finds one of them.");
	return linitial_oid(found);
}

typedef struct Tables
{
	List	   *ctes;			/* String: names of WITH */
	const StoredContract *stored;
	List	   *named;			/* RangeVar */
} Tables;

static bool
names_walker(Node *node, Tables *tables)
{
	if (node == NULL)
		return false;
	if (IsA(node, CommonTableExpr))
		tables->ctes = lappend(tables->ctes, makeString(((CommonTableExpr *) node)->ctename));
	if (IsA(node, RangeVar))
		tables->named = lappend(tables->named, node);
	return raw_expression_tree_walker(node, names_walker, tables);
}

/* Every table gets the schema that it has here.  Under the search_path of who asks. */
static void
resolve_tables(Node *statement, const StoredContract *stored)
{
	Tables		tables = {.stored = stored};
	ListCell   *lc;

	(void) names_walker(statement, &tables);
	foreach(lc, tables.named)
	{
		RangeVar   *name = lfirst_node(RangeVar, lc);
		Oid			relid;

		if (name->schemaname != NULL || name->catalogname != NULL)
			refuse_text(psprintf("Table \"%s\" is named with a schema, which other nodes may not have", name->relname),
						psprintf("Write its published name alone: FROM %s.", name->relname));
		if (list_member(tables.ctes, makeString(name->relname)))
			continue;
		relid = find_table(name->relname, stored);
		/* What it is called in the query stays. */
		if (name->alias == NULL)
		{
			name->alias = makeNode(Alias);
			name->alias->aliasname = name->relname;
		}
		name->schemaname = get_namespace_name(get_rel_namespace(relid));
		name->relname = get_rel_name(relid);
	}
}

/* ---- what it may call ---- */

static bool
is_foreign_function(Oid function, void *unused)
{
	return function >= FirstNormalObjectId && get_func_namespace(function) != get_namespace_oid("secmed", true);
}

static bool
foreign_functions_walker(Node *node, void *unused)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_foreign_function, NULL))
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, foreign_functions_walker, NULL, 0);
	return expression_tree_walker(node, foreign_functions_walker, NULL);
}

static void
check_query(Query *query)
{
	if (query->commandType != CMD_SELECT || query->hasModifyingCTE || query->rowMarks != NIL ||
		query->utilityStmt != NULL)
		refuse_text("It is not a plain SELECT", NULL);
	if (foreign_functions_walker((Node *) query, NULL))
		refuse_text("It calls a function that is not PostgreSQL's own", NULL);
	if (contain_mutable_functions((Node *) query))
		refuse_text("It calls a function whose result depends on more than its arguments, such as now()",
					"Give the value as a parameter, with bounds.");
}

static Query *
analyse(const char *sql, const Oid *types, int ntypes, const StoredContract *stored)
{
	List	   *statements = raw_parser(sql, RAW_PARSE_DEFAULT);
	RawStmt    *raw;
	Query	   *query;
	int			level;

	if (list_length(statements) != 1 || !IsA(linitial_node(RawStmt, statements)->stmt, SelectStmt))
		refuse_text("It is not one SELECT", NULL);
	raw = linitial_node(RawStmt, statements);
	resolve_tables(raw->stmt, stored);
	level = transmission_settings();
	query = parse_analyze_fixedparams(raw, sql, types, ntypes, NULL);
	AtEOXact_GUC(true, level);
	check_query(query);
	return query;
}

/* ---- the plan ---- */

static bool
is_question(const ForeignScan *scan)
{
	return scan->scan.scanrelid == 0 &&
		strcmp(GetForeignDataWrapper(GetForeignServer(scan->fs_server)->fdwid)->fdwname, "secmed") == 0;
}

/* The foreign scans of a plan tree; those kinds of node that have children elsewhere, too. */
static void
find_scans(Plan *plan, List **scans)
{
	ListCell   *lc;

	if (plan == NULL)
		return;
	if (IsA(plan, ForeignScan) && is_question((ForeignScan *) plan))
		*scans = lappend(*scans, plan);
	if (IsA(plan, Append))
		foreach(lc, ((Append *) plan)->appendplans)
			find_scans(lfirst(lc), scans);
	if (IsA(plan, MergeAppend))
		foreach(lc, ((MergeAppend *) plan)->mergeplans)
			find_scans(lfirst(lc), scans);
	if (IsA(plan, SubqueryScan))
		find_scans(((SubqueryScan *) plan)->subplan, scans);
	find_scans(plan->lefttree, scans);
	find_scans(plan->righttree, scans);
}

static ForeignScan *
only_scan(PlannedStmt *planned)
{
	List	   *scans = NIL;
	ListCell   *lc;

	find_scans(planned->planTree, &scans);
	foreach(lc, planned->subplans)
		find_scans(lfirst(lc), &scans);
	if (list_length(scans) != 1)
		refuse_text(psprintf("It asks the sites %d questions; a contract has one", list_length(scans)),
					scans == NIL ? "Aggregate over the rows of a published table." : "Draft a contract for each.");
	return linitial(scans);
}

/* Of a plan over shares. */
static bool
asks_sites(const ContractQuestion *question)
{
	ObliviousPlan plan;
	const char *reason;

	return oblivious_plan_decode(&plan, question->plan, question->plan_len, &reason) && oblivious_plan_asks_sites(&plan);
}

static void
read_scan(ContractQuestion *question)
{
	List	   *private = question->scan->fdw_private;
	bool		shared = answer_is_private(private);
	Const	   *bytes = list_nth_node(Const, private, shared ? 1 : 0);
	bytea	   *plan = DatumGetByteaPP(bytes->constvalue);

	question->over_sites = !shared;
	question->plan = (uint8 *) VARDATA_ANY(plan);
	question->plan_len = VARSIZE_ANY_EXHDR(plan);
	question->asks_sites = !shared || asks_sites(question);
	question->contract = asked_contract_from_list(list_nth(private, shared ? 5 : 3));
}

/* A plan over shares says how many rows inputs, joins and the answer may have: as the contract's does. */
static void
use_limits(const StoredContract *stored)
{
	ObliviousPlan plan;
	const char *reason;

	if (stored == NULL || stored->contract.over_sites ||
		!oblivious_plan_decode(&plan, stored->contract.plan, stored->contract.plan_len, &reason))
		return;
	for (int i = 0; i < plan.ninputs; i++)
		if (plan.inputs[i].source != NULL)
			*(plan.inputs[i].source->grouped ? &site_groups_setting : &site_rows_setting) = (int) plan.inputs[i].source->rows;
	for (int i = 0; i < plan.nnodes; i++)
	{
		if (plan.nodes[i].kind == PLAN_RELEASE && plan.nodes[i].rows > 0)
			answer_rows_max = (int) plan.nodes[i].rows;
		if (plan.nodes[i].kind == PLAN_JOIN && plan.nodes[i].rows > 0)
			join_rows_max = (int) plan.nodes[i].rows;
	}
}

static PlannedStmt *
plan_query(const char *sql, Query *query, const StoredContract *stored, List **skeletons)
{
	int			answer_rows = answer_rows_max;
	int			join_rows = join_rows_max;
	int			site_rows = site_rows_setting;
	int			site_groups = site_groups_setting;
	PlannedStmt *planned;

	PG_TRY();
	{
		use_limits(stored);
		contract_to_match = stored;
		contract_skeletons = stored ? NULL : skeletons;
		planned = planner(query, sql, 0, NULL);
	}
	PG_FINALLY();
	{
		answer_rows_max = answer_rows;
		join_rows_max = join_rows;
		site_rows_setting = site_rows;
		site_groups_setting = site_groups;
		contract_to_match = NULL;
		contract_skeletons = NULL;
	}
	PG_END_TRY();
	return planned;
}

void
contract_query_plan(ContractQuestion *question, const char *sql, const Oid *types, int ntypes,
					const StoredContract *stored)
{
	Query	   *query = analyse(sql, types, ntypes, stored);
	List	   *rewritten = QueryRewrite(query);

	memset(question, 0, sizeof(*question));
	if (list_length(rewritten) != 1)
		refuse_text("It is not one SELECT", NULL);
	question->planned = plan_query(sql, linitial_node(Query, rewritten), stored, &question->skeletons);
	question->scan = only_scan(question->planned);
	read_scan(question);
}
