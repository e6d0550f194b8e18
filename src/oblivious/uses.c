/*
 * uses.c
 *	  What a plan does with each column of its inputs.
 */
#include "oblivious/uses.h"

/* Columns of all inputs are numbered through; a set of them has `words` words. */
typedef struct Using
{
	const CheckedPlan *checked;
	int		  **uses;
	int		   *first;			/* number of each input's first column */
	int			words;
	uint64	  **from;			/* of each node: a set for each column */
} Using;

static uint64 *
set_of(const Using *using, int node, int column)
{
	return using->from[node] + (size_t) column * using->words;
}

static void
add_set(const Using *using, uint64 *to, const uint64 *set)
{
	for (int w = 0; w < using->words; w++)
		to[w] |= set[w];
}

static void
add_sources(const Using *using, uint64 *to, int node, const Expression *expression)
{
	if (expression == NULL)
		return;
	if (expression->kind == EXPRESSION_COLUMN)
		add_set(using, to, set_of(using, node, expression->number));
	for (int i = 0; i < expression->nargs; i++)
		add_sources(using, to, node, expression->args[i]);
}

static void
note(const Using *using, const uint64 *set, int use)
{
	const ObliviousPlan *plan = using->checked->plan;

	for (int i = 0; i < plan->ninputs; i++)
		for (int c = 0; c < plan->inputs[i].ncolumns; c++)
		{
			int			n = using->first[i] + c;

			if (set[n / 64] >> (n % 64) & 1)
				using->uses[i][c] |= use;
		}
}

static void
note_expression(const Using *using, int node, const Expression *expression, int use)
{
	uint64	   *set = palloc0(using->words * sizeof(uint64));

	add_sources(using, set, node, expression);
	note(using, set, use);
	pfree(set);
}

static int
use_of_aggregate(const PlanAggregate *aggregate)
{
	switch (aggregate->kind)
	{
		case PLAN_AGGREGATE_COUNT:
		case PLAN_AGGREGATE_COUNT_DISTINCT:
			return aggregate->args[0]->kind == EXPRESSION_COLUMN ? INPUT_COUNT : INPUT_AGGREGATE;
		case PLAN_AGGREGATE_MIN:
		case PLAN_AGGREGATE_MAX:
		case PLAN_AGGREGATE_ANY:
		case PLAN_AGGREGATE_PERCENTILE_DISC:
		case PLAN_AGGREGATE_PERCENTILE_CONT:
			return INPUT_EXTREME;
		default:
			return INPUT_AGGREGATE;
	}
}

static void
use_group(const Using *using, int number)
{
	const PlanNode *node = &using->checked->plan->nodes[number];
	int			child = node->children[0];

	for (int k = 0; k < node->nkeys; k++)
	{
		note(using, set_of(using, child, node->keys[k]), INPUT_GROUP);
		add_set(using, set_of(using, number, k), set_of(using, child, node->keys[k]));
	}
	for (int a = 0; a < node->naggregates; a++)
	{
		const PlanAggregate *aggregate = &node->aggregates[a];

		for (int i = 0; i < aggregate->nargs; i++)
		{
			note_expression(using, child, aggregate->args[i], use_of_aggregate(aggregate));
			/* Of single patients still. */
			if (node->npatients == 0)
				add_sources(using, set_of(using, number, node->nkeys + a), child, aggregate->args[i]);
		}
		if (aggregate->filter)
			note_expression(using, child, aggregate->filter, INPUT_FILTER);
	}
}

static void
use_join(const Using *using, int number)
{
	const PlanNode *node = &using->checked->plan->nodes[number];
	int			left = using->checked->nodes[node->children[0]].ncolumns;

	for (int k = 0; k < node->nkeys; k++)
	{
		note(using, set_of(using, node->children[0], node->keys[k]), INPUT_JOIN);
		note(using, set_of(using, node->children[1], node->right_keys[k]), INPUT_JOIN);
	}
	for (int c = 0; c < using->checked->nodes[number].ncolumns; c++)
		add_set(using, set_of(using, number, c), c < left ? set_of(using, node->children[0], c) :
				set_of(using, node->children[1], c - left));
}

static void
use_columns(const Using *using, int number, int from)
{
	for (int c = 0; c < using->checked->nodes[number].ncolumns; c++)
		add_set(using, set_of(using, number, c), set_of(using, from, c));
}

static void
use_node(const Using *using, int number)
{
	const PlanNode *node = &using->checked->plan->nodes[number];

	switch (node->kind)
	{
		case PLAN_SCAN:
			for (int c = 0; c < using->checked->plan->inputs[node->input].ncolumns; c++)
			{
				int			n = using->first[node->input] + c;

				set_of(using, number, c)[n / 64] |= UINT64CONST(1) << (n % 64);
			}
			break;
		case PLAN_PROJECT:
			for (int i = 0; i < node->nexpressions; i++)
				add_sources(using, set_of(using, number, i), node->children[0], node->expressions[i]);
			break;
		case PLAN_JOIN:
			use_join(using, number);
			break;
		case PLAN_GROUP:
			use_group(using, number);
			break;
		case PLAN_MERGE:
			break;
		case PLAN_RELEASE:
		case PLAN_STORE:
			for (int c = 0; c < node->ncolumns; c++)
				note(using, set_of(using, node->children[0], node->columns[c]), INPUT_OPENED);
			break;
		default:
			for (int i = 0; i < node->nchildren; i++)
				use_columns(using, number, node->children[i]);
			if (node->kind == PLAN_FILTER)
				note_expression(using, node->children[0], node->condition, INPUT_FILTER);
			for (int i = 0; i < node->norder; i++)
				note(using, set_of(using, number, node->order[i].column), INPUT_OPENED);
			break;
	}
}

int **
plan_uses(const CheckedPlan *checked)
{
	const ObliviousPlan *plan = checked->plan;
	Using		using = {checked};
	int			columns = 0;

	using.uses = palloc0((plan->ninputs + 1) * sizeof(int *));
	using.first = palloc0((plan->ninputs + 1) * sizeof(int));
	for (int i = 0; i < plan->ninputs; i++)
	{
		using.uses[i] = palloc0((plan->inputs[i].ncolumns + 1) * sizeof(int));
		using.first[i] = columns;
		columns += plan->inputs[i].ncolumns;
	}
	using.words = columns / 64 + 1;
	using.from = palloc0(plan->nnodes * sizeof(uint64 *));
	for (int i = 0; i < plan->nnodes; i++)
	{
		using.from[i] = palloc0(((size_t) checked->nodes[i].ncolumns + 1) * using.words * sizeof(uint64));
		use_node(&using, i);
	}
	for (int i = 0; i < plan->nnodes; i++)
		pfree(using.from[i]);
	pfree(using.from);
	pfree(using.first);
	return using.uses;
}
