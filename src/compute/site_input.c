/*
 * site_input.c
 *	  Rows that sites share as a relation of an oblivious plan.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "compute/aggregates.h"
#include "compute/site_input.h"
#include "foreign/fdwapi.h"
#include "foreign/foreign.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "parser/parse_relation.h"
#include "oblivious/uses.h"
#include "parser/parsetree.h"
#include "query/column_policy.h"
#include "query/column_type.h"
#include "query/from.h"
#include "query/quantile.h"
#include "query/settings.h"
#include "query/shared_table.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

int			site_groups_setting = 4096;

bool
is_published_table(Oid relid)
{
	return get_rel_relkind(relid) == RELKIND_FOREIGN_TABLE &&
		strcmp(GetForeignDataWrapper(GetForeignServer(GetForeignTable(relid)->serverid)->fdwid)->fdwname, "secmed") == 0 &&
		!shared_foreign_is(relid);
}

int
site_count(Oid serverid)
{
	return federation_of_server(serverid)->nsites;
}

uint64
site_threshold(List *tables)
{
	uint64		threshold = 1;
	ListCell   *lc;

	foreach(lc, tables)
		threshold = Max(threshold, ((PublishedTable *) lfirst(lc))->threshold);
	return threshold;
}

static uint64
whole_words(uint64 rows)
{
	return (rows + SITE_ROWS_STEP - 1) / SITE_ROWS_STEP * SITE_ROWS_STEP;
}

bool
site_rows_bound(TermMaker *maker, List *tables, bool grouped, uint64 *rows)
{
	ListCell   *lc;

	*rows = 0;
	foreach(lc, tables)
	{
		const PublishedTable *table = lfirst(lc);

		if (table->rows_max == 0)
			return term_refuse(maker, psprintf("a site shares no rows of \"%s\"", table->name),
							   "It is published with rows_max => 0, or was imported before there was such a number: import the foreign schema again.");
		*rows = Max(*rows, table->rows_max);
	}
	if (grouped)
		*rows = Min(*rows, site_groups_setting);
	else if (site_rows_setting > 0)
		*rows = site_rows_setting;
	*rows = whole_words(*rows);
	return true;
}

/* ---- columns ---- */

void
site_inputs_finish(ObliviousPlan *plan)
{
	uint64		patients = 0;

	for (int i = 0; i < plan->ninputs; i++)
		if (plan->inputs[i].kind == INPUT_SITES && plan->inputs[i].patient >= 0)
			patients += plan->inputs[i].rows;
	for (int i = 0; i < plan->ninputs; i++)
	{
		SecretType *type;

		if (plan->inputs[i].kind != INPUT_SITES || plan->inputs[i].patient < 0)
			continue;
		type = &plan->inputs[i].columns[plan->inputs[i].patient].type;
		while (type->bits > 2 && patients < UINT64CONST(1) << (type->bits - 2))
			type->bits--;
	}
}

/* ---- what is asked for ---- */

/* An input in the making. */
typedef struct SiteInput
{
	Compiler   *compiler;
	FromClause	from;
	Deparser	deparser;
	Relids		relids;
	List	   *done;			/* conditions that the sites check */
	List	   *exprs;			/* what they share, of Node */
	List	   *types;			/* of SecretType * */
	List	   *texts;			/* of char * */
	bool		numbered;		/* patients' numbers are compared or counted */
} SiteInput;

/* Could the sites compute it?  Constants that a contract is held against are left alone. */
static bool
can_deparse(const SiteInput *input, Node *expr)
{
	Deparser	trial = input->deparser;
	char	   *reason;

	trial.columns = list_copy(trial.columns);
	trial.params = list_copy(trial.params);
	trial.constants = NULL;
	return deparse_site_expression(&trial, expr, &reason) != NULL;
}

/* Takes the expression if the sites can compute it and its values can be shared. */
static bool
add_expression(SiteInput *input, Node *expr)
{
	SecretType	type;
	char	   *hint;
	char	   *reason;
	char	   *text;

	if (list_member(input->exprs, expr))
		return true;
	if (!site_column_type(input->compiler->root, input->from.optional, expr, &type, &hint))
		return false;
	if (list_length(input->exprs) >= SHARED_COLUMNS_MAX - 1 || !can_deparse(input, expr))
		return false;
	text = deparse_site_expression(&input->deparser, expr, &reason);
	if (text == NULL)
		return false;
	input->exprs = lappend(input->exprs, expr);
	input->types = lappend(input->types, memcpy(palloc(sizeof(SecretType)), &type, sizeof(SecretType)));
	input->texts = lappend(input->texts, text);
	return true;
}

static bool
is_scalar(Node *node)
{
	switch (nodeTag(node))
	{
		case T_Aggref:
		case T_List:
		case T_TargetEntry:
		case T_FromExpr:
		case T_JoinExpr:
		case T_RangeTblRef:
		case T_RelabelType:		/* the value is that below, whose length is known */
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_PlaceHolderVar:
			return false;
		default:
			return true;
	}
}

/* Is it a patient column of the sites, perhaps through a sub-query? */
static bool
is_patient(Query *query, Node *node)
{
	Var		   *var = (Var *) node;
	RangeTblEntry *rte;
	PublishedTable *table;

	while (IsA(var, RelabelType))
		var = (Var *) ((RelabelType *) var)->arg;
	if (!IsA(var, Var) || var->varlevelsup != 0 || var->varattno <= 0)
		return false;
	rte = rt_fetch(var->varno, query->rtable);
	if (rte->rtekind == RTE_SUBQUERY)
		return is_patient(rte->subquery, (Node *) get_tle_by_resno(rte->subquery->targetList, var->varattno)->expr);
	if (rte->rtekind != RTE_RELATION || !is_published_table(rte->relid))
		return false;
	table = published_table(rte->relid);
	return table->patient != NULL && strcmp(table->patient, get_attname(rte->relid, var->varattno, false)) == 0;
}

bool
query_groups_patients(Query *query)
{
	ListCell   *lc;

	foreach(lc, query->groupClause)
		if (is_patient(query, get_sortgroupclause_expr(lfirst_node(SortGroupClause, lc), query->targetList)))
			return true;
	return false;
}

static bool
is_own_patient(SiteInput *input, Node *node)
{
	return bms_is_subset(pull_varnos(input->compiler->root, node), input->relids) &&
		is_patient(input->compiler->root->parse, node);
}

/* Where numbers of patients do: compared with those of other tables, counted, or passed on by a sub-query. */
static bool
needs_numbers(SiteInput *input, Node *node)
{
	Query	   *query = input->compiler->root->parse;
	OpExpr	   *op = (OpExpr *) node;
	Aggref	   *agg = (Aggref *) node;

	if (IsA(node, OpExpr) && list_length(op->args) == 2 && op_mergejoinable(op->opno, exprType(linitial(op->args))))
		return is_patient(query, linitial(op->args)) && is_patient(query, lsecond(op->args)) &&
			(is_own_patient(input, linitial(op->args)) || is_own_patient(input, lsecond(op->args)));
	if (IsA(node, Aggref) && agg->aggdistinct != NIL && list_length(agg->args) == 1 && agg->aggfilter == NULL)
		return is_own_patient(input, (Node *) linitial_node(TargetEntry, agg->args)->expr);
	return IsA(node, TargetEntry) && input->compiler->is_subquery && is_own_patient(input, (Node *) ((TargetEntry *) node)->expr);
}

/* The largest expressions over this input alone that sites can compute. */
static bool
collect(Node *node, SiteInput *input)
{
	if (node == NULL || list_member_ptr(input->done, node))
		return false;
	if (IsA(node, Query) || IsA(node, SubLink))
		return false;
	if (needs_numbers(input, node))
	{
		input->numbered = true;
		return false;
	}
	if (IsA(node, Aggref) && ((Aggref *) node)->aggkind == AGGKIND_ORDERED_SET && list_length(((Aggref *) node)->args) == 1)
	{
		collect((Node *) ((Aggref *) node)->aggfilter, input);
		return collect(percentile_argument((Node *) linitial_node(TargetEntry, ((Aggref *) node)->args)->expr), input);
	}
	if (is_scalar(node))
	{
		Relids		needed = pull_varnos(input->compiler->root, node);

		if (!bms_overlap(needed, input->relids))
			return false;
		if (bms_is_subset(needed, input->relids) && !contain_agg_clause(node) && add_expression(input, node))
			return false;
	}
	return expression_tree_walker(node, collect, input);
}

static void
collect_all(SiteInput *input)
{
	PlannerInfo *root = input->compiler->root;

	collect((Node *) root->processed_tlist, input);
	collect((Node *) root->parse->jointree, input);
	collect(root->parse->havingQual, input);
}

/* ---- the input ---- */

static char *
input_sql(const SiteInput *input)
{
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	foreach(lc, input->texts)
		appendStringInfo(&sql, "%s%s", foreach_current_index(lc) ? ", " : "", (char *) lfirst(lc));
	appendStringInfo(&sql, " FROM %s", input->from.text.data);
	foreach(lc, input->from.conditions)
		appendStringInfo(&sql, "%s(%s)", foreach_current_index(lc) ? " AND " : " WHERE ", (char *) lfirst(lc));
	return sql.data;
}

static InputSource *
source_of(const SiteInput *input, uint64 rows)
{
	InputSource *source = palloc0(sizeof(InputSource));
	CanonicalPlan tables = {0};

	source->rows = rows;
	source->sql = input_sql(input);
	from_clause_tables(&input->from, &tables);
	source->ntables = tables.ntables;
	source->tables = tables.tables;
	from_clause_params(&input->from, &source->param_types, &source->nparams);
	return source;
}

static bool
is_each_row(const SiteInput *input)
{
	const PublishedTable *table = linitial(input->from.tables);

	return list_length(input->from.tables) == 1 && (table->patient == NULL || table->patient_unique);
}

static bool
has_patient(const SiteInput *input)
{
	return ((const PublishedTable *) linitial(input->from.tables))->patient != NULL;
}

/* May the patient be missing in a row? */
static bool
patient_nullable(const SiteInput *input)
{
	ListCell   *table;
	ListCell   *index;

	forboth(table, input->from.tables, index, input->from.rtindexes)
	{
		const PublishedTable *published = lfirst(table);

		if (published->patient != NULL && !bms_is_member(lfirst_int(index), input->from.optional))
			return !foreign_column_not_null(published->relid, get_attnum(published->relid, published->patient));
	}
	return true;
}

static bool
is_unique(const SiteInput *input, Node *expr)
{
	const PublishedTable *table = linitial(input->from.tables);
	Var		   *var = (Var *) expr;

	return list_length(input->from.tables) == 1 && table->patient_unique && IsA(expr, Var) &&
		strcmp(get_attname(table->relid, var->varattno, false), table->patient) == 0;
}

static void
add_columns(SiteInput *input, PlanInput *plan)
{
	ListCell   *expr;
	ListCell   *type;

	plan->columns = palloc0(sizeof(InputColumn) * (list_length(input->exprs) + 2));
	forboth(expr, input->exprs, type, input->types)
	{
		char	   *name = IsA(lfirst(expr), Var) ?
			get_attname(planner_rt_fetch(((Var *) lfirst(expr))->varno, input->compiler->root)->relid,
						((Var *) lfirst(expr))->varattno, false) :
			psprintf("expression_%d", plan->ncolumns + 1);

		plan->columns[plan->ncolumns++] = (InputColumn) {name, *(SecretType *) lfirst(type), is_unique(input, lfirst(expr))};
	}
}

/* How many bits its numbers have is known once all inputs are: site_inputs_finish(). */
static void
add_patient(SiteInput *input, PlanInput *plan)
{
	SecretType	type = secret_integer(PLAN_ROW_BITS);

	plan->patient = PATIENT_EACH_ROW;
	if (is_each_row(input) && (!input->numbered || !has_patient(input)))
		return;
	type.nullable = patient_nullable(input);
	plan->patient = plan->ncolumns;
	plan->columns[plan->ncolumns++] = (InputColumn) {"patient", type, is_each_row(input)};
}

/* All patient columns of tables whose rows are always there have the same value in a row. */
static List *
patient_vars(const SiteInput *input)
{
	List	   *vars = NIL;
	ListCell   *table;
	ListCell   *index;

	forboth(table, input->from.tables, index, input->from.rtindexes)
	{
		const PublishedTable *published = lfirst(table);
		AttrNumber	attnum;
		Oid			type;
		int32		typmod;
		Oid			collation;

		if (published->patient == NULL || bms_is_member(lfirst_int(index), input->from.optional))
			continue;
		attnum = get_attnum(published->relid, published->patient);
		get_atttypetypmodcoll(published->relid, attnum, &type, &typmod, &collation);
		vars = lappend(vars, makeVar(lfirst_int(index), attnum, type, typmod, collation, 0));
	}
	return vars;
}

static Rel *
scan_of(const SiteInput *input, const PlanInput *plan, int number)
{
	Rel		   *rel = palloc0(sizeof(Rel));

	rel->node.kind = PLAN_SCAN;
	rel->node.input = number;
	for (int i = 0; i < plan->ncolumns; i++)
		rel_add_column(rel, i < list_length(input->exprs) ? list_nth(input->exprs, i) : NULL,
					   column_type(plan->columns[i].type), plan->columns[i].unique);
	if (plan->patient == PATIENT_EACH_ROW)
		rel_add_column(rel, NULL, column_type_of_range(SECRET_INTEGER, 0, 0, plan->rows - 1, false), true);
	rel->patients = list_make1_int(plan->patient == PATIENT_EACH_ROW ? plan->ncolumns : plan->patient);
	if (plan->patient >= 0)
		((RelColumn *) list_nth(rel->columns, plan->patient))->numbers = patient_vars(input);
	rel->relids = input->relids;
	return rel;
}

/* ---- the sites' policy ---- */

static void
note_columns(SiteInput *input, const PlanInput *plan)
{
	SiteColumns *columns = palloc(sizeof(SiteColumns));

	*columns = (SiteColumns) {input->compiler->root, input->compiler->maker.plan->ninputs, plan->patient,
	plan->patient >= 0 ? lappend(list_copy(input->exprs), linitial(patient_vars(input))) : input->exprs, input->done};
	input->compiler->site_columns = lappend(input->compiler->site_columns, columns);
}

/* For whoever looks at uses. */
typedef struct Allowing
{
	Compiler   *compiler;
	PlannerInfo *root;
	bool		allowed;
} Allowing;

static void
check_use(Var *var, ColumnUse use, void *arg)
{
	Allowing   *allowing = arg;
	RangeTblEntry *rte = planner_rt_fetch(var->varno, allowing->root);
	PublishedTable *table;
	const char *name;
	int			uses;

	if (rte->rtekind != RTE_RELATION || !is_published_table(rte->relid) || var->varattno <= 0)
		return;
	table = published_table(rte->relid);
	name = get_attname(rte->relid, var->varattno, false);
	uses = foreign_column_uses(table, var->varattno);
	if ((uses & (use == USE_COUNT ? USE_AGGREGATE : use)) ||
		(use == USE_COUNT && table->patient != NULL && strcmp(table->patient, name) == 0))
		return;
	allowing->allowed = term_refuse(&allowing->compiler->maker,
									psprintf("the sites do not allow column \"%s\" of \"%s\" for this (%s)", name, table->name,
											 column_uses_text(use == USE_COUNT ? USE_AGGREGATE : use)),
									psprintf("Their policy for the column allows: %s.", column_uses_text(uses)));
}

static void
check_columns(Allowing *allowing, const SiteColumns *columns, const int *uses)
{
	ListCell   *lc;
	ListCell   *var;

	foreach(lc, columns->exprs)
	{
		Node	   *expr = lfirst(lc);
		int			i = foreach_current_index(lc);
		int			wanted = column_uses_of_plan(uses[i], IsA(expr, Var), i == columns->patient);

		foreach(var, pull_var_clause(expr, 0))
			for (int use = USE_AGGREGATE; use <= USE_COUNT; use <<= 1)
				if (wanted & use)
					check_use(lfirst_node(Var, var), use, allowing);
	}
	column_uses_of_jointree((Node *) makeFromExpr(NIL, (Node *) columns->conditions), check_use, allowing);
}

bool
site_inputs_allowed(Compiler *compiler, const CheckedPlan *checked)
{
	int		  **uses = plan_uses(checked);
	Allowing	allowing = {compiler, NULL, true};
	ListCell   *lc;

	foreach(lc, compiler->site_columns)
	{
		const SiteColumns *columns = lfirst(lc);

		allowing.root = columns->root;
		check_columns(&allowing, columns, uses[columns->input]);
	}
	return allowing.allowed;
}

/* The FROM clause is built: what is to be shared of it. */
static Rel *
finish(SiteInput *input)
{
	Compiler   *compiler = input->compiler;
	PlanInput	plan = {.kind = INPUT_SITES};
	uint64		rows;

	if (compiler->site_inputs >= TABLES_MAX || !site_rows_bound(&compiler->maker, input->from.tables, false, &rows))
		return NULL;
	collect_all(input);
	/* That rows are there is enough for count(*). */
	if (input->exprs == NIL)
		add_expression(input, (Node *) makeBoolConst(true, false));
	plan.name = ((PublishedTable *) linitial(input->from.tables))->name;
	plan.rows = rows * site_count(compiler->serverid);
	add_columns(input, &plan);
	add_patient(input, &plan);
	plan.source = source_of(input, rows);
	compiler->threshold = Max(compiler->threshold, site_threshold(input->from.tables));
	compiler->site_params = list_concat(compiler->site_params, input->deparser.params);
	compiler->site_inputs++;
	note_columns(input, &plan);
	return scan_of(input, &plan, oblivious_plan_add_input(compiler->maker.plan, &plan));
}

static void
start(SiteInput *input, Compiler *compiler)
{
	memset(input, 0, sizeof(*input));
	input->compiler = compiler;
	input->from.serverid = compiler->serverid;
	deparser_start(&input->deparser, compiler->root);
	input->deparser.constants = compiler->maker.deparser.constants;
}

/* ---- one table ---- */

/* Takes off the list what is about this table alone, and can be checked by a site. */
static List *
take_conditions(SiteInput *input, List **conditions)
{
	List	   *taken = NIL;
	List	   *left = NIL;
	ListCell   *lc;

	if (conditions == NULL)
		return NIL;
	foreach(lc, *conditions)
	{
		if (bms_equal(pull_varnos(input->compiler->root, lfirst(lc)), input->relids) && can_deparse(input, lfirst(lc)))
			taken = lappend(taken, lfirst(lc));
		else
			left = lappend(left, lfirst(lc));
	}
	*conditions = left;
	return taken;
}

Rel *
site_input_table(Compiler *compiler, Index varno, List **conditions)
{
	SiteInput	input;
	RangeTblRef *ref = makeNode(RangeTblRef);

	start(&input, compiler);
	input.relids = bms_make_singleton(varno);
	input.done = take_conditions(&input, conditions);
	ref->rtindex = varno;
	if (!from_clause_build(&input.from, &input.deparser, makeFromExpr(list_make1(ref), (Node *) input.done)))
	{
		term_refuse(&compiler->maker, input.from.reason, input.from.hint);
		return NULL;
	}
	return finish(&input);
}

/* ---- a join at the sites ---- */

/* All conditions below, and whether all of it is published tables. */
static bool
collect_conditions(PlannerInfo *root, Node *item, List **conditions)
{
	ListCell   *lc;

	if (IsA(item, RangeTblRef))
	{
		RangeTblEntry *rte = planner_rt_fetch(((RangeTblRef *) item)->rtindex, root);

		return rte->rtekind == RTE_RELATION && is_published_table(rte->relid);
	}
	if (IsA(item, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) item;

		*conditions = list_concat(*conditions, (List *) join->quals);
		return collect_conditions(root, join->larg, conditions) && collect_conditions(root, join->rarg, conditions);
	}
	*conditions = list_concat(*conditions, (List *) ((FromExpr *) item)->quals);
	foreach(lc, ((FromExpr *) item)->fromlist)
		if (!collect_conditions(root, lfirst(lc), conditions))
			return false;
	return true;
}

static void
collect_tables(Node *item, Relids *relids)
{
	ListCell   *lc;

	if (IsA(item, RangeTblRef))
		*relids = bms_add_member(*relids, ((RangeTblRef *) item)->rtindex);
	else if (IsA(item, JoinExpr))
	{
		collect_tables(((JoinExpr *) item)->larg, relids);
		collect_tables(((JoinExpr *) item)->rarg, relids);
	}
	else
		foreach(lc, ((FromExpr *) item)->fromlist)
			collect_tables(lfirst(lc), relids);
}

Rel *
site_input_join(Compiler *compiler, FromExpr *from)
{
	SiteInput	input;
	Oid			serverid;

	start(&input, compiler);
	collect_tables((Node *) from, &input.relids);
	if (bms_num_members(input.relids) < 2 || !collect_conditions(compiler->root, (Node *) from, &input.done))
		return NULL;
	serverid = GetForeignServerIdByRelId(planner_rt_fetch(bms_next_member(input.relids, -1), compiler->root)->relid);
	if (OidIsValid(compiler->serverid) && compiler->serverid != serverid)
		return NULL;
	input.from.serverid = serverid;
	if (!from_clause_build(&input.from, &input.deparser, from) || !from_clause_one_patient(&input.from))
		return NULL;
	compiler->serverid = serverid;
	return finish(&input);
}

/* ---- settings ---- */

void
site_input_init(void)
{
	DefineCustomIntVariable("secmed.site_groups",
							"Groups that each site shares for a question by groups without public values.",
							"The number is public: groups are padded to it, and a site that has more fails.",
							&site_groups_setting, 4096, SITE_ROWS_MIN, 1 << 24, PGC_USERSET, 0, NULL, NULL, NULL);
}
