/*
 * group.c
 *	  GROUP BY, aggregates and HAVING of one query level.
 *
 * Patients are counted where groups are made: from there on what is in a
 * group may be compared, sorted by and opened.
 */
#include "postgres.h"

#include "compute/group.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"

static int *
int_array(List *list)
{
	int		   *array = palloc(sizeof(int) * (list_length(list) + 1));
	ListCell   *lc;

	foreach(lc, list)
		array[foreach_current_index(lc)] = lfirst_int(lc);
	return array;
}

/* Are all who are told apart below told apart by the keys as well? */
static bool
keeps_patients(const Rel *below, List *columns)
{
	return list_difference_int(below->patients, columns) == NIL;
}

/*
 * A GROUP above `below` by these columns; the keys are its first columns.  Patients
 * are counted, unless one is enough, or they can be further up: each group of a sub-query is one
 * patient's then.
 */
static Rel *
start_group(Compiler *compiler, Rel *below, List *exprs, List *columns)
{
	Rel		   *group = rel_above(PLAN_GROUP, below);
	bool		alone = list_length(columns) == 1;
	ListCell   *expr;
	ListCell   *lc;

	group->columns = NIL;
	group->node.nkeys = list_length(columns);
	group->node.keys = int_array(columns);
	if (below->patients != NIL && compiler->threshold > 1 &&
		!(compiler->is_subquery && keeps_patients(below, columns)))
	{
		group->node.npatients = list_length(below->patients);
		group->node.patients = int_array(below->patients);
		group->node.patients_min = compiler->threshold;
	}
	group->patients = NIL;
	forboth(expr, exprs, lc, columns)
	{
		const RelColumn *column = list_nth(below->columns, lfirst_int(lc));

		/* Patients who are a key can be counted again further up. */
		if (list_member_int(below->patients, lfirst_int(lc)))
			group->patients = lappend_int(group->patients, list_length(group->columns));
		if (column->numbers == NIL)
			rel_add_column(group, lfirst(expr), column->type, alone && !column->type.type.nullable);
		else
			rel_add_column(group, NULL, column->type, alone)->numbers = column->numbers;
	}
	return group;
}

/* The columns of these expressions, after projections if they are needed. */
static bool
key_columns(Compiler *compiler, Rel **below, List *exprs, List **columns)
{
	ListCell   *lc;

	foreach(lc, exprs)
	{
		int			at;

		if (deparser_owns(&compiler->maker.deparser, lfirst(lc)))
			return term_refuse(&compiler->maker, psprintf("%s is a value that no column gives",
														  deparse_for_people(&compiler->maker.deparser, lfirst(lc))),
							   "Leave it out of GROUP BY or DISTINCT, and add it to the result.");
		at = rel_column(&compiler->maker, below, lfirst(lc));
		if (at < 0)
			return false;
		*columns = lappend_int(*columns, at);
	}
	return true;
}

/* ---- aggregates ---- */

static ColumnType
type_of_aggregate(const GroupMaker *maker, const PlanAggregate *aggregate)
{
	ColumnType	type;

	if (aggregate->kind <= PLAN_AGGREGATE_COUNT_DISTINCT)
	{
		type = column_type(secret_integer(PLAN_ROW_BITS));
		type.type.nullable = aggregate->part > 0;
		return type;
	}
	if (!rel_type(&maker->compiler->maker, maker->rel, aggregate->args[0], &type))
		type = column_type(secret_integer(SECRET_NUMBER_BITS_MAX));
	if (aggregate->kind == PLAN_AGGREGATE_SUM_PRODUCT)
		type.type.scale *= 2;
	type.type.nullable = true;
	return type;
}

static void
add_aggregate_columns(GroupMaker *maker)
{
	PlanNode   *node = &maker->group->node;
	ListCell   *lc;

	node->naggregates = list_length(maker->aggregates);
	node->aggregates = palloc0(sizeof(PlanAggregate) * (node->naggregates + 1));
	foreach(lc, maker->aggregates)
	{
		const PlanAggregate *aggregate = lfirst(lc);

		node->aggregates[foreach_current_index(lc)] = *aggregate;
		rel_add_column(maker->group, NULL, type_of_aggregate(maker, aggregate), false);
	}
	for (int part = 1; node->npatients > 0 && part < plan_group_parts(node); part++)
		rel_add_column(maker->group, NULL, column_type(secret_boolean()), false);
}

/* From numbers of aggregates and parts to columns of the group. */
static void
point_at_columns(Grouped *grouped, const GroupMaker *maker)
{
	int			first = grouped->nkeys;
	ListCell   *agg;
	ListCell   *lc;

	forboth(agg, grouped->aggrefs, lc, grouped->opened)
	{
		Opened	   *opened = lfirst(lc);
		Final	   *final = &opened->final;
		int			last = final->kind == FINAL_PERCENTILE ? 1 : FINAL_COMPONENTS_MAX;
		RelColumn  *column;

		for (int i = 0; i < last; i++)
			if (final->components[i] >= 0)
				final->components[i] += first;
		opened->part = opened->part == 0 ? -1 : first + maker->group->node.naggregates + opened->part - 1;
		column = list_nth(maker->group->columns, Max(final->components[0], first));
		if (final->kind == FINAL_COUNT || final->kind == FINAL_SUM || final->kind == FINAL_SUM_FLOAT ||
			final->kind == FINAL_VALUE)
			column->expr = lfirst(agg);
	}
}

static bool
add_aggregates(GroupMaker *maker, Grouped *grouped, Node *exprs)
{
	ListCell   *lc;

	foreach(lc, pull_var_clause(exprs, PVC_INCLUDE_AGGREGATES | PVC_INCLUDE_PLACEHOLDERS | PVC_RECURSE_WINDOWFUNCS))
	{
		Opened	   *opened;

		if (!IsA(lfirst(lc), Aggref) || list_member(grouped->aggrefs, lfirst(lc)))
			continue;
		opened = palloc0(sizeof(Opened));
		if (!group_add_aggregate(maker, lfirst(lc), &opened->final, &opened->part))
			return false;
		grouped->aggrefs = lappend(grouped->aggrefs, lfirst(lc));
		grouped->opened = lappend(grouped->opened, opened);
	}
	return true;
}

Opened *
grouped_find(const Grouped *grouped, Node *aggref)
{
	ListCell   *agg;
	ListCell   *lc;

	forboth(agg, grouped->aggrefs, lc, grouped->opened)
		if (equal(lfirst(agg), aggref))
			return lfirst(lc);
	return NULL;
}

/* ---- HAVING ---- */

/* Can this condition be computed on what the group has? */
static bool
is_computable(Compiler *compiler, Rel *rel, Node *condition)
{
	QueryRefusal *given = compiler->maker.refusal;
	QueryRefusal ignored = {NULL, NULL};
	Term		term;
	bool		can;

	compiler->maker.refusal = &ignored;
	compiler->maker.lookup = rel_lookup;
	compiler->maker.arg = rel;
	can = term_make(&compiler->maker, condition, &term) && term.kind == SECRET_BOOLEAN;
	compiler->maker.refusal = given;
	return can;
}

/*
 * Groups are left out before they are opened, as far as that can be; what needs
 * a quotient is left to the coordinator, who could ask for these groups anyhow.
 */
static bool
apply_having(Compiler *compiler, Grouped *grouped, List *having)
{
	List	   *secret = NIL;
	ListCell   *lc;

	foreach(lc, having)
	{
		if (is_computable(compiler, grouped->rel, lfirst(lc)))
			secret = lappend(secret, lfirst(lc));
		else
			grouped->having = lappend(grouped->having, lfirst(lc));
	}
	return rel_filter(&compiler->maker, &grouped->rel, secret);
}

/* ---- the whole ---- */

static List *
group_exprs(Query *query, List *tlist)
{
	List	   *exprs = NIL;
	ListCell   *lc;

	foreach(lc, query->groupClause)
		exprs = list_append_unique(exprs, get_sortgroupclause_expr(lfirst_node(SortGroupClause, lc), tlist));
	return exprs;
}

bool
compile_group(Compiler *compiler, Rel *below, List *targets, List *having, Grouped *grouped)
{
	Query	   *query = compiler->root->parse;
	List	   *exprs = group_exprs(query, compiler->root->processed_tlist);
	List	   *columns = NIL;
	GroupMaker	maker = {.compiler = compiler};

	memset(grouped, 0, sizeof(*grouped));
	if (query->groupingSets != NIL)
		return term_refuse(&compiler->maker, "GROUPING SETS, ROLLUP and CUBE are not available over shared tables",
						   "Totals beside parts would give back a withheld group; ask for one grouping at a time.");
	if (list_length(exprs) > KEYS_MAX)
		return term_refuse(&compiler->maker, psprintf("more than %d columns to group by", KEYS_MAX), NULL);
	if (!key_columns(compiler, &below, exprs, &columns))
		return false;
	maker.rel = below;
	maker.group = start_group(compiler, below, exprs, columns);
	grouped->nkeys = list_length(exprs);
	if (!add_aggregates(&maker, grouped, (Node *) targets) || !add_aggregates(&maker, grouped, (Node *) having))
		return false;
	add_aggregate_columns(&maker);
	point_at_columns(grouped, &maker);
	grouped->rel = maker.group;
	return apply_having(compiler, grouped, having);
}

Rel *
compile_distinct(Compiler *compiler, Rel *below, List *exprs)
{
	List	   *columns = NIL;

	if (!key_columns(compiler, &below, exprs, &columns))
		return NULL;
	return start_group(compiler, below, exprs, columns);
}
