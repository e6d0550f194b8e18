/*
 * operator.c
 *	  Filter, project, union, sort, limit; and steps that nodes share.
 */
#include "oblivious/operator.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/group.h"
#include "mpc/logic.h"
#include "mpc/scan.h"

/* ---- steps ---- */

void
evaluation_start_at(const NodeRun *at, Evaluation *evaluation, const SharedRelation *relation)
{
	const ObliviousPlan *plan = at->run->checked->plan;

	evaluation_start(evaluation, at->self, relation, plan->nparams, plan->params, at->run->params);
}

void
evaluation_end_at(const NodeRun *at, Evaluation *evaluation, const SharedBits *valid)
{
	if (evaluation->unfit.mine)
	{
		SharedBits	any = shared_bits_alloc(1, 1);

		logic_and(at->self, &evaluation->unfit, &evaluation->unfit, valid);
		scan_any(at->self, &any, &evaluation->unfit);
		note_problem(at, PROBLEM_RANGE, &any);
	}
	evaluation_end(evaluation);
}

void
note_problem(const NodeRun *at, ProblemKind kind, SharedBits *bit)
{
	const CheckedPlan *checked = at->run->checked;
	int			i = 0;

	while (i < checked->nproblems && (checked->problems[i].kind != kind || checked->problems[i].node != at->number))
		i++;
	/* What was not declared may not be told. */
	if (i == checked->nproblems)
		fail(ERRCODE_SECMED_PROTOCOL, "a %s with a problem that the plan does not have", plan_node_name(at->node->kind));
	if (at->run->problems[i].mine)
	{
		logic_or(at->self, &at->run->problems[i], &at->run->problems[i], bit);
		shared_bits_free(bit);
	}
	else
		at->run->problems[i] = *bit;
}

void
note_rows(const NodeRun *at, const Shared64 *kept, uint64 most, uint64 n)
{
	const uint64 limit = most + 1;
	SharedBits	bit = shared_bits_alloc(1, 1);
	int			bits = 2;

	while (UINT64CONST(1) << (bits - 1) <= n)
		bits++;
	if (most < n)
	{
		compare_less_public(at->self, &bit, kept, &limit, 1, KIND_INT(bits));
		logic_not(at->self, &bit);
	}
	note_problem(at, PROBLEM_ROWS, &bit);
}

void
relation_compact(const NodeRun *at, SharedRelation *relation, uint64 size, bool problem)
{
	Table		table = relation_to_table(relation);
	Shared64	kept = shared64_zero(1);
	size_t		n = relation->n;

	group_compact(at->self, &table, 0, Min(size, n), &kept);
	relation_from_table(relation, &table);
	relation->valid_first = true;
	if (problem)
		note_rows(at, &kept, size, n);
	shared64_free(&kept);
}

static void
cut_column(SharedColumn *column, size_t first, size_t n)
{
	SharedColumn whole = *column;

	if (whole.number.mine)
		column->number = number_cut(&whole.number, first, n);
	if (whole.bits.mine)
		column->bits = shared_bits_cut(&whole.bits, first, n);
	if (whole.null.mine)
		column->null = shared_bits_cut(&whole.null, first, n);
	column_free(&whole);
}

void
relation_cut(SharedRelation *relation, uint64 first, uint64 n)
{
	SharedBits	valid = relation->valid;

	first = Min(first, relation->n);
	n = Min(n, relation->n - first);
	if (n == relation->n)
		return;
	relation->valid = shared_bits_cut(&valid, first, n);
	shared_bits_free(&valid);
	for (int c = 0; c < relation->ncolumns; c++)
		cut_column(&relation->columns[c], first, n);
	relation->n = n;
}

/* ---- filter, project ---- */

SharedRelation
execute_filter(const NodeRun *at, SharedRelation *child)
{
	Evaluation	evaluation;
	SharedBits	passes;

	evaluation_start_at(at, &evaluation, child);
	passes = evaluate_condition(&evaluation, at->node->condition);
	evaluation_end_at(at, &evaluation, &child->valid);
	logic_and(at->self, &child->valid, &child->valid, &passes);
	shared_bits_free(&passes);
	child->valid_first = false;
	return *child;
}

/* Columns that are only passed on are taken by the last who wants them. */
static void
pass_columns(const NodeRun *at, SharedRelation *relation, SharedRelation *child)
{
	for (int i = at->node->nexpressions - 1; i >= 0; i--)
	{
		const Expression *expression = at->node->expressions[i];
		bool		again = false;

		if (expression->kind != EXPRESSION_COLUMN)
			continue;
		for (int k = 0; k < i; k++)
			again = again || (at->node->expressions[k]->kind == EXPRESSION_COLUMN &&
							  at->node->expressions[k]->number == expression->number);
		if (again)
			relation->columns[i] = column_copy(&child->columns[expression->number]);
		else
		{
			relation->columns[i] = child->columns[expression->number];
			child->columns[expression->number] = (SharedColumn) {{{0}}};
		}
	}
}

SharedRelation
execute_project(const NodeRun *at, SharedRelation *child)
{
	int			n = at->node->nexpressions;
	SharedRelation relation = {child->n, n, palloc0((n + 1) * sizeof(SharedColumn)), child->valid, child->valid_first};
	Evaluation	evaluation;

	evaluation_start_at(at, &evaluation, child);
	for (int i = 0; i < n; i++)
		if (at->node->expressions[i]->kind != EXPRESSION_COLUMN)
			relation.columns[i] = evaluate(&evaluation, at->node->expressions[i]);
	evaluation_end_at(at, &evaluation, &child->valid);
	pass_columns(at, &relation, child);
	memset(&child->valid, 0, sizeof(SharedBits));
	relation_free(child);
	return relation;
}

/* ---- union ---- */

static SharedBits
append_bits(SharedBits *x, SharedBits *y)
{
	SharedBits	both = shared_bits_append(x, y);

	shared_bits_free(x);
	shared_bits_free(y);
	return both;
}

static void
append_column(SharedColumn *column, SharedColumn *more)
{
	if (column->number.mine)
	{
		Shared64	both = number_append(&column->number, &more->number);

		shared64_free(&column->number);
		shared64_free(&more->number);
		column->number = both;
	}
	else
		column->bits = append_bits(&column->bits, &more->bits);
	if (column->null.mine)
		column->null = append_bits(&column->null, &more->null);
	column->loose = column->loose || more->loose;
}

SharedRelation
execute_union(const NodeRun *at, SharedRelation *children)
{
	SharedRelation relation = children[0];

	for (int i = 0; i < at->node->nchildren; i++)
		for (int c = 0; c < relation.ncolumns; c++)
			column_widen(at->self, &children[i].columns[c], &at->type->columns[c]);
	for (int i = 1; i < at->node->nchildren; i++)
	{
		for (int c = 0; c < relation.ncolumns; c++)
			append_column(&relation.columns[c], &children[i].columns[c]);
		relation.valid = append_bits(&relation.valid, &children[i].valid);
		relation.n += children[i].n;
		relation_free(&children[i]);
	}
	relation.valid_first = false;
	return relation;
}

/* ---- sort, limit ---- */

/* NULLs are equal to each other, so what they hold must be as well: the columns are tight. */
void
add_order_keys(Party *self, const SharedRelation *relation, Table *table, const OrderKey *order, int count,
			   SortKey *keys, int *nkeys)
{
	for (int i = 0; i < count; i++)
	{
		const SharedColumn *column = &relation->columns[order[i].column];
		SortKey		key = {.is_signed = secret_is_number(&column->type.type), .descending = order[i].descending};

		if (column->null.mine)
			keys[(*nkeys)++] = (SortKey) {relation_null_place(relation, order[i].column), false, order[i].nulls_first};
		if (column->number.mine)
			key.slice = table_place_slice(table, column_to_planes(self, column, column_planes(&column->type)));
		else
			key.slice = relation_value_place(relation, order[i].column);
		keys[(*nkeys)++] = key;
	}
}

/* How many rows of an order are wanted: a LIMIT directly above cuts off the others. */
static uint64
wanted_rows(const NodeRun *at, size_t n)
{
	const ObliviousPlan *plan = at->run->checked->plan;
	const PlanNode *parent = &plan->nodes[at->number + 1];

	if (at->number + 1 == plan->nnodes || parent->kind != PLAN_LIMIT)
		return n;
	return Min(n, parent->offset + parent->count);
}

SharedRelation
execute_sort(const NodeRun *at, SharedRelation *child)
{
	const PlanNode *node = at->node;
	SortKey    *keys = palloc(2 * node->norder * sizeof(SortKey));
	int			nkeys = 0;
	int			slices;
	Table		table;

	for (int i = 0; i < node->norder; i++)
		column_tighten(at->self, &child->columns[node->order[i].column]);
	table = relation_to_table(child);
	slices = table.slices;
	add_order_keys(at->self, child, &table, node->order, node->norder, keys, &nkeys);
	if (wanted_rows(at, table.n) < table.n)
		sort_first(at->self, &table, keys, nkeys, 0, wanted_rows(at, table.n), NULL);
	else
		sort_table(at->self, &table, keys, nkeys, 0, NULL);
	table_drop(&table, 0, table.slices - slices);
	relation_from_table(child, &table);
	/* One row is not sorted, and may not be there. */
	child->valid_first = true;
	pfree(keys);
	return *child;
}

SharedRelation
execute_limit(const NodeRun *at, SharedRelation *child)
{
	uint64		end = at->node->offset + at->node->count;

	if (!child->valid_first)
		relation_compact(at, child, end, false);
	relation_cut(child, at->node->offset, at->node->count);
	return *child;
}
