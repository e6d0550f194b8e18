/*
 * joins.c
 *	  FROM and WHERE as joins on equal columns and filters.
 *
 * A join is oblivious if no key occurs twice on its right: then each row of the
 * left has at most one match, and the result as many rows as the left, whatever the
 * tables hold.  So tables are joined in the order in which that is so: first
 * those whose key is unique.
 */
#include "postgres.h"

#include "access/transam.h"
#include "compute/compile.h"
#include "compute/inputs.h"
#include "compute/site_input.h"
#include "foreign/fdwapi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "parser/parsetree.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

int			join_rows_max = 0;

/* Equalities between two relations. */
typedef struct JoinKeys
{
	List	   *left;			/* of Node */
	List	   *right;
	List	   *rest;			/* conditions that are none */
} JoinKeys;

static Rel *compile_item(Compiler *compiler, Node *item, List **conditions);
static Rel *compile_list(Compiler *compiler, FromExpr *from, List **conditions);

static bool
refuse(Compiler *compiler, char *reason, char *hint)
{
	return term_refuse(&compiler->maker, reason, hint);
}

/* ---- keys ---- */

static bool
is_equality(Node *clause)
{
	OpExpr	   *op = (OpExpr *) clause;

	return IsA(clause, OpExpr) && list_length(op->args) == 2 && op->opno < FirstNormalObjectId &&
		strcmp(get_opname(op->opno), "=") == 0;
}

/* Does this belong to one side alone, and to it indeed? */
static bool
is_of(PlannerInfo *root, Node *expr, Relids relids)
{
	Relids		needed = pull_varnos(root, expr);

	return !bms_is_empty(needed) && bms_is_subset(needed, relids);
}

/* varchar and text are the same secret text. */
static Node *
strip_relabel(Node *expr)
{
	while (IsA(expr, RelabelType))
		expr = (Node *) ((RelabelType *) expr)->arg;
	return expr;
}

static bool
add_equality(Compiler *compiler, JoinKeys *keys, OpExpr *op, const Rel *left, const Rel *right)
{
	Node	   *a = strip_relabel(linitial(op->args));
	Node	   *b = strip_relabel(lsecond(op->args));

	if (is_of(compiler->root, b, left->relids) && is_of(compiler->root, a, right->relids))
	{
		Node	   *swap = a;

		a = b;
		b = swap;
	}
	else if (!is_of(compiler->root, a, left->relids) || !is_of(compiler->root, b, right->relids))
		return false;
	keys->left = lappend(keys->left, a);
	keys->right = lappend(keys->right, b);
	return true;
}

static JoinKeys
split_clauses(Compiler *compiler, List *clauses, const Rel *left, const Rel *right)
{
	JoinKeys	keys = {NIL, NIL, NIL};
	ListCell   *lc;

	foreach(lc, clauses)
		if (!is_equality(lfirst(lc)) || !add_equality(compiler, &keys, lfirst(lc), left, right))
			keys.rest = lappend(keys.rest, lfirst(lc));
	return keys;
}

/* Is one of the keys a column in which no value occurs twice? */
static bool
keys_unique(const Rel *rel, List *keys)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		int			at = rel_find(rel, lfirst(lc));

		if (at >= 0 && ((RelColumn *) list_nth(rel->columns, at))->unique)
			return true;
		at = rel_find_numbers(rel, lfirst(lc));
		if (at >= 0 && ((RelColumn *) list_nth(rel->columns, at))->unique)
			return true;
	}
	return false;
}

/* ---- one join ---- */

/* The key columns of one side, as far as they are not numbers of patients on both. */
static bool
key_columns(Compiler *compiler, Rel **rel, List *keys, int *columns)
{
	ListCell   *lc;

	foreach(lc, keys)
	{
		int		   *column = &columns[foreach_current_index(lc)];

		if (*column < 0)
			*column = rel_column(&compiler->maker, rel, lfirst(lc));
		if (*column < 0)
			return false;
	}
	return true;
}

/* Where patients of sites are joined with each other, their numbers are. */
static void
number_columns(const Rel *left, const Rel *right, const JoinKeys *keys, int *left_columns, int *right_columns)
{
	for (int i = 0; i < list_length(keys->left); i++)
	{
		left_columns[i] = rel_find_numbers(left, list_nth(keys->left, i));
		right_columns[i] = rel_find_numbers(right, list_nth(keys->right, i));
		if (left_columns[i] < 0 || right_columns[i] < 0)
			left_columns[i] = right_columns[i] = -1;
	}
}

static const RelColumn *
column_at(const Rel *rel, int at)
{
	return list_nth(rel->columns, at);
}

static bool
check_kinds(Compiler *compiler, const Rel *join, const Rel *left, const Rel *right, List *keys)
{
	for (int i = 0; i < join->node.nkeys; i++)
	{
		const RelColumn *a = column_at(left, join->node.keys[i]);
		const RelColumn *b = column_at(right, join->node.right_keys[i]);

		if ((a->numbers == NIL) != (b->numbers == NIL))
			return refuse(compiler, psprintf("the join on %s compares patients of the sites, who have numbers here, with other values",
											 deparse_for_people(&compiler->maker.deparser, list_nth(keys, i))),
						  "Join the published table itself: what a sub-query passes on of its patients are numbers of this run.");
		if (a->type.type.kind != b->type.type.kind || a->type.type.scale != b->type.type.scale)
			return refuse(compiler, psprintf("the join on %s compares values of different types",
											 deparse_for_people(&compiler->maker.deparser, list_nth(keys, i))),
						  "Declare both columns with the same type.");
	}
	return true;
}

/*
 * Patients of both sides are protected.  Where the join makes two patient columns
 * equal, one of them says it all.
 */
static void
join_patients(Rel *join, const Rel *right)
{
	int			offset = list_length(join->columns) - list_length(right->columns);
	ListCell   *lc;

	foreach(lc, right->patients)
	{
		bool		same = false;

		for (int i = 0; i < join->node.nkeys; i++)
			same = same || (join->node.right_keys[i] == lfirst_int(lc) &&
							list_member_int(join->patients, join->node.keys[i]));
		if (!same)
			join->patients = lappend_int(join->patients, lfirst_int(lc) + offset);
	}
}

/* Where a left row has no match they are NULL. */
static void
add_right_columns(Rel *join, const Rel *right)
{
	ListCell   *lc;

	foreach(lc, right->columns)
	{
		const RelColumn *column = lfirst(lc);
		ColumnType	type = column->type;

		if (join->node.form == JOIN_FORM_LEFT && secret_is_number(&type.type))
			type = column_type_of_range(type.type.kind, type.type.scale, type.low, type.high, true);
		else if (join->node.form == JOIN_FORM_LEFT)
			type.type.nullable = true;
		rel_add_column(join, column->expr, type, false)->numbers = column->numbers;
	}
}

static void
forget_unique(Rel *join)
{
	List	   *columns = join->columns;
	ListCell   *lc;

	join->columns = NIL;
	foreach(lc, columns)
	{
		const RelColumn *column = lfirst(lc);

		rel_add_column(join, column->expr, column->type, false)->numbers = column->numbers;
	}
}

static char *
keys_text(Compiler *compiler, List *keys)
{
	return deparse_for_people(&compiler->maker.deparser, linitial(keys));
}

static Rel *
make_join(Compiler *compiler, JoinForm form, Rel *left, Rel *right, const JoinKeys *keys)
{
	Rel		   *join;
	bool		semi = form == JOIN_FORM_SEMI || form == JOIN_FORM_ANTI;
	bool		unique = keys_unique(right, keys->right);
	int			n = list_length(keys->left);
	int		   *left_keys = palloc(sizeof(int) * n);
	int		   *right_keys = palloc(sizeof(int) * n);

	number_columns(left, right, keys, left_keys, right_keys);
	if (!key_columns(compiler, &left, keys->left, left_keys) ||
		!key_columns(compiler, &right, keys->right, right_keys))
		return NULL;
	join = rel_above(PLAN_JOIN, left);
	join->children = list_make2(left, right);
	join->node.form = form;
	join->node.nkeys = n;
	join->node.keys = left_keys;
	join->node.right_keys = right_keys;
	if (!check_kinds(compiler, join, left, right, keys->left))
		return NULL;
	if (!unique && !semi)
	{
		if (join_rows_max == 0)
		{
			refuse(compiler, psprintf("the join on %s is of many rows with many", keys_text(compiler, keys->left)),
				   "Name the column that has each value once in option unique of its table, or SET secmed.join_rows to the most rows the join may have.");
			return NULL;
		}
		join->node.rows = join_rows_max;
		forget_unique(join);
	}
	if (!semi)
	{
		add_right_columns(join, right);
		join_patients(join, right);
	}
	join->relids = bms_union(left->relids, right->relids);
	return join;
}

/* ---- FROM a, b, c WHERE ... ---- */

/* Applies the conditions for which everything is there, and takes them off the list. */
static bool
apply_conditions(Compiler *compiler, Rel **rel, List **clauses)
{
	List	   *now = NIL;
	List	   *later = NIL;
	ListCell   *lc;

	foreach(lc, *clauses)
	{
		Relids		needed = pull_varnos(compiler->root, lfirst(lc));

		if (bms_is_subset(needed, (*rel)->relids))
			now = lappend(now, lfirst(lc));
		else
			later = lappend(later, lfirst(lc));
	}
	*clauses = later;
	return rel_filter(&compiler->maker, rel, now);
}

/* Joins one more item to what there is, unique keys first if only_unique; *joined is the result. */
static bool
join_one(Compiler *compiler, Rel **joined, List **items, List **clauses, bool only_unique)
{
	ListCell   *lc;

	foreach(lc, *items)
	{
		Rel		   *item = lfirst(lc);
		JoinKeys	keys = split_clauses(compiler, *clauses, *joined, item);
		JoinKeys	turned = {keys.right, keys.left, keys.rest};
		Rel		   *result;

		if (keys.left == NIL)
			continue;
		if (!keys_unique(item, keys.right) && keys_unique(*joined, keys.left))
			result = make_join(compiler, JOIN_FORM_INNER, item, *joined, &turned);
		else if (only_unique && !keys_unique(item, keys.right))
			continue;
		else
			result = make_join(compiler, JOIN_FORM_INNER, *joined, item, &keys);
		if (result == NULL)
			return false;
		*items = foreach_delete_current(*items, lc);
		*clauses = keys.rest;
		*joined = result;
		return true;
	}
	return false;
}

static Rel *
join_items(Compiler *compiler, List *items, List *clauses)
{
	Rel		   *joined = linitial(items);

	items = list_copy_tail(items, 1);
	while (items != NIL)
	{
		if (!join_one(compiler, &joined, &items, &clauses, true) &&
			!join_one(compiler, &joined, &items, &clauses, false))
		{
			refuse(compiler, "a table is joined without an equality of columns",
				   "Secret tables are joined where a column of one equals a column of the other.");
			return NULL;
		}
		if (!apply_conditions(compiler, &joined, &clauses))
			return NULL;
	}
	return rel_filter(&compiler->maker, &joined, clauses) ? joined : NULL;
}

/* Takes off the list the conditions that are about nothing but this list's tables. */
static List *
take_conditions(Compiler *compiler, FromExpr *from, List **conditions)
{
	Relids		relids = get_relids_in_jointree((Node *) from, false);
	List	   *taken = NIL;
	ListCell   *lc;

	if (conditions == NULL)
		return NIL;
	foreach(lc, *conditions)
		if (bms_is_subset(pull_varnos(compiler->root, lfirst(lc)), relids))
			taken = lappend(taken, lfirst(lc));
	*conditions = list_difference_ptr(*conditions, taken);
	return taken;
}

/* Does the planner still read this column of a sub-query?  What it doesn't, it has made NULL there. */
static bool
is_read(const RelOptInfo *rel, const Var *var)
{
	List	   *vars = NIL;
	ListCell   *lc;

	rel_collect_vars((Node *) rel->reltarget->exprs, &vars);
	foreach(lc, rel->baserestrictinfo)
		rel_collect_vars((Node *) lfirst_node(RestrictInfo, lc)->clause, &vars);
	foreach(lc, vars)
		if (((Var *) lfirst(lc))->varattno == var->varattno || ((Var *) lfirst(lc))->varattno == 0)
			return true;
	return false;
}

/*
 * Has the planner moved this condition into a sub-query, and is what it reads gone
 * up here?  If it is still here, to check it once more costs little and changes nothing.
 */
static bool
is_checked_below(Compiler *compiler, Node *condition)
{
	List	   *vars = NIL;
	ListCell   *lc;

	rel_collect_vars(condition, &vars);
	foreach(lc, vars)
	{
		const Var  *var = lfirst(lc);
		const RelOptInfo *rel = compiler->root->simple_rel_array[var->varno];

		if (rel != NULL && rel->rtekind == RTE_SUBQUERY && rel->subroot != NULL && !is_read(rel, var))
			return true;
	}
	return false;
}

/* The conditions among these that are to be checked at this level. */
static List *
conditions_here(Compiler *compiler, Node *quals)
{
	List	   *here = NIL;
	ListCell   *lc;

	foreach(lc, (List *) quals)
		if (!is_checked_below(compiler, lfirst(lc)))
			here = lappend(here, lfirst(lc));
	return here;
}

/* The conditions of the list itself, and those of the query that may be checked below it already. */
static Rel *
compile_list(Compiler *compiler, FromExpr *from, List **conditions)
{
	List	   *clauses = list_concat(conditions_here(compiler, from->quals), take_conditions(compiler, from, conditions));
	List	   *items = NIL;
	Rel		   *local = site_input_join(compiler, makeFromExpr(from->fromlist, (Node *) clauses));
	ListCell   *lc;

	if (local != NULL)
		return local;
	foreach(lc, from->fromlist)
	{
		Rel		   *item = compile_item(compiler, lfirst(lc), &clauses);

		if (item == NULL || !apply_conditions(compiler, &item, &clauses))
			return NULL;
		items = lappend(items, item);
	}
	if (items == NIL)
	{
		refuse(compiler, "a query without tables has nothing to compute", NULL);
		return NULL;
	}
	return join_items(compiler, items, clauses);
}

Rel *
compile_from(Compiler *compiler, FromExpr *from)
{
	return compile_list(compiler, from, NULL);
}

/* ---- a JOIN b ON ... ---- */

static bool
join_form(JoinType type, JoinForm *form)
{
	switch (type)
	{
		case JOIN_LEFT:
			*form = JOIN_FORM_LEFT;
			return true;
		case JOIN_SEMI:
			*form = JOIN_FORM_SEMI;
			return true;
		case JOIN_ANTI:
			*form = JOIN_FORM_ANTI;
			return true;
		default:
			return false;
	}
}

/* Outer, semi and anti joins: conditions on the right alone come before the join. */
static Rel *
compile_outer(Compiler *compiler, JoinExpr *join, JoinForm form, List **conditions)
{
	List	   *clauses = conditions_here(compiler, join->quals);
	Rel		   *left = compile_item(compiler, join->larg, conditions);
	Rel		   *right = left ? compile_item(compiler, join->rarg, &clauses) : NULL;
	JoinKeys	keys;

	if (right == NULL || !apply_conditions(compiler, &right, &clauses))
		return NULL;
	keys = split_clauses(compiler, clauses, left, right);
	if (keys.left == NIL || keys.rest != NIL)
	{
		refuse(compiler, keys.left == NIL ? "an outer, EXISTS or IN join has no equality of columns" :
			   "an outer, EXISTS or IN join has a condition that is neither an equality of columns nor about the inner side alone",
			   NULL);
		return NULL;
	}
	return make_join(compiler, form, left, right, &keys);
}

/* The planner drops the right side of a left join that changes nothing: at most one match, and nobody reads it. */
static bool
is_dropped(Compiler *compiler, JoinExpr *join)
{
	const RelOptInfo *rel;

	if (join->jointype != JOIN_LEFT || !IsA(join->rarg, RangeTblRef))
		return false;
	rel = compiler->root->simple_rel_array[((RangeTblRef *) join->rarg)->rtindex];
	return rel == NULL || rel->reloptkind == RELOPT_DEADREL;
}

static Rel *
compile_join(Compiler *compiler, JoinExpr *join, List **conditions)
{
	JoinForm	form;
	FromExpr   *inner;

	if (is_dropped(compiler, join))
		return compile_item(compiler, join->larg, conditions);
	if (join_form(join->jointype, &form))
		return compile_outer(compiler, join, form, conditions);
	if (join->jointype != JOIN_INNER)
	{
		refuse(compiler, "FULL JOIN is not available over shared tables", "UNION ALL of a LEFT JOIN and an anti-join gives the same.");
		return NULL;
	}
	inner = makeFromExpr(list_make2(join->larg, join->rarg), join->quals);
	return compile_list(compiler, inner, conditions);
}

/* ---- tables ---- */

/* The columns of this entry that the query reads. */
static List *
vars_of(Compiler *compiler, Index varno)
{
	Query	   *query = compiler->root->parse;
	List	   *vars = NIL;
	List	   *own = NIL;
	ListCell   *lc;

	rel_collect_vars((Node *) compiler->root->processed_tlist, &vars);
	rel_collect_vars((Node *) query->targetList, &vars);
	rel_collect_vars((Node *) query->jointree, &vars);
	rel_collect_vars(query->havingQual, &vars);
	foreach(lc, vars)
		if (((Var *) lfirst(lc))->varno == varno)
			own = lappend(own, lfirst(lc));
	return own;
}

static Rel *
compile_table(Compiler *compiler, Index varno, List **conditions)
{
	RangeTblEntry *rte = planner_rt_fetch(varno, compiler->root);
	Oid			serverid;
	bool		published;

	if (rte->rtekind == RTE_SUBQUERY)
		return compile_subquery(compiler, varno);
	published = rte->rtekind == RTE_RELATION && is_published_table(rte->relid);
	if (rte->rtekind != RTE_RELATION || !(published || is_shared_table(rte->relid)) || rte->tablesample != NULL)
	{
		refuse(compiler, psprintf("\"%s\" is neither a shared nor a published table", rte->eref->aliasname),
			   "Join it with the result: aggregate the shared tables in a sub-query first.");
		return NULL;
	}
	if (rte->securityQuals != NIL)
	{
		refuse(compiler, "row level security at the coordinator can't be applied to shared rows", NULL);
		return NULL;
	}
	serverid = GetForeignServerIdByRelId(rte->relid);
	if (OidIsValid(compiler->serverid) && compiler->serverid != serverid)
	{
		refuse(compiler, "the tables belong to different servers", "Only tables with the same three parties can be joined.");
		return NULL;
	}
	compiler->serverid = serverid;
	if (published)
		return site_input_table(compiler, varno, conditions);
	return input_scan(&compiler->maker, rte->relid, varno, vars_of(compiler, varno), &compiler->threshold);
}

static Rel *
compile_item(Compiler *compiler, Node *item, List **conditions)
{
	switch (nodeTag(item))
	{
		case T_RangeTblRef:
			return compile_table(compiler, ((RangeTblRef *) item)->rtindex, conditions);
		case T_JoinExpr:
			return compile_join(compiler, (JoinExpr *) item, conditions);
		case T_FromExpr:
			return compile_list(compiler, (FromExpr *) item, conditions);
		default:
			elog(ERROR, "unexpected node %d in a join tree", (int) nodeTag(item));
			return NULL;
	}
}

void
compile_init(void)
{
	DefineCustomIntVariable("secmed.join_rows",
							"Most rows of a join of shared tables whose keys are unique on neither side.",
							"0 refuses such joins. The number is public; a join with more rows fails.",
							&join_rows_max, 0, 0, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
}
