/*
 * cost.c
 *	  Estimates from the formulas of mpc/README.md.
 *
 * A node's rows are taken to be as many as they may be.
 */
#include "oblivious/cost.h"

#include "mpc/adder.h"
#include "mpc/order.h"

const LinkCost link_cost_usual = {.round_us = 500,.bytes_per_us = 60,.value_ns = 1};

/* Where costs add up. */
typedef struct Costing
{
	const CheckedPlan *checked;
	const PlanNode *node;
	ExpressionScope scope;		/* of the first child */
	double		n;				/* its rows */
	uint64		round_bytes;
	NodeCost   *cost;
} Costing;

uint64
link_round_bytes(const LinkCost *link)
{
	double		bytes = link->round_us * link->bytes_per_us;

	return bytes < 1 ? 1 : bytes > ROUND_BYTES_MAX ? ROUND_BYTES_MAX : (uint64) bytes;
}

double
node_cost_us(const NodeCost *cost, const LinkCost *link)
{
	return cost->rounds * link->round_us + cost->bytes / link->bytes_per_us + cost->values * link->value_ns / 1000;
}

static void
spend(Costing *costing, double rounds, double bytes)
{
	costing->cost->rounds += rounds;
	costing->cost->bytes += bytes;
}

static double
plane(double n)
{
	return n / 8;
}

static double
log2_of(double n)
{
	double		log = 0;

	for (; n > 1; n /= 2)
		log++;
	return log;
}

/* ---- of the engine's protocols ---- */

static void
spend_less(Costing *costing, double n, int bits)
{
	int			w = Min(bits + 1, 64);
	int			times = bits >= 64 ? 2 : 1;

	spend(costing, 1 + carry_rounds(w), (times * carry_gates(w) + w) * plane(n));
}

static void
spend_equal(Costing *costing, double n, int bits)
{
	spend(costing, 1 + log2_up(bits), (2 * bits - 1) * plane(n));
}

static void
spend_to_bits(Costing *costing, double n, const ColumnType *type)
{
	int			w = type->type.bits;

	if (column_type_is_number(type))
		spend(costing, 1 + prefix_rounds(w), (prefix_gates(w) + w) * plane(n));
}

static void
spend_truncation(Costing *costing, double n)
{
	spend(costing, 10, 47 * n);
}

/* Bit times number. */
static void
spend_selection(Costing *costing, double n, const ColumnType *type)
{
	if (column_type_is_number(type))
		spend(costing, 2, 16 * n);
	else
		spend(costing, 1, type->type.bits * plane(n));
}

/* Bytes of a row's columns when they are sent. */
static double
column_bytes(const ColumnType *type)
{
	return (column_type_is_number(type) ? 8 : type->type.bits / 8.0) + (type->type.nullable ? 1 / 8.0 : 0);
}

static double
row_bytes(const RelationType *relation)
{
	double		bytes = 1 / 8.0;

	for (int c = 0; c < relation->ncolumns; c++)
		bytes += column_bytes(&relation->columns[c]);
	return bytes;
}

/* A shuffle, and then comparisons in batches. */
static void
spend_sort(Costing *costing, double n, double planes, double bytes_of_row)
{
	double		depth = log2_of(n);
	int			w = planes + depth + 1;
	OrderWork	work = order_expected(n, w, costing->round_bytes);

	if (n <= 1)
		return;
	spend(costing, 2, 2 * n * (bytes_of_row + planes / 8 + depth / 8));
	spend(costing, work.batches * (1 + carry_rounds(w)), work.comparisons * (carry_gates(w) + 1) / 8);
}

static void
spend_compaction(Costing *costing, double n, double bytes_of_row)
{
	spend(costing, 6, 24 * n + 2 * n * (bytes_of_row + 8));
}

/* Whether neighbours are of one group, and their last rows put together. */
static void
spend_grouping(Costing *costing, double n, double planes, double bytes_of_row)
{
	spend(costing, 1 + log2_up(planes + 1), (planes + 1) * plane(n));
	spend_compaction(costing, n, bytes_of_row);
}

/* Along stretches: gates on the way up and down, less than n each. */
static void
spend_scan(Costing *costing, double n, double gates, double rounds)
{
	spend(costing, 2 * log2_of(n) * rounds, 2 * gates * plane(n));
}

static void
spend_copy_number(Costing *costing, double n)
{
	spend(costing, 2 * log2_of(n) + 2, 32 * n);
}

/* ---- expressions ---- */

static bool
is_public(const Expression *expression)
{
	return expression->kind == EXPRESSION_CONSTANT || expression->kind == EXPRESSION_PARAMETER;
}

static ColumnType
type_of(const Costing *costing, const Expression *expression)
{
	ColumnType	type = {{0}};
	Refusal		refusal;

	expression_type(&type, expression, &costing->scope, NULL, &refusal);
	return type;
}

static void
spend_comparison(Costing *costing, const Expression *expression, int arg)
{
	ColumnType	x = type_of(costing, expression->args[0]);
	ColumnType	y = type_of(costing, expression->args[arg]);
	ColumnType	both;
	bool		equal = expression->kind <= EXPRESSION_NOT_EQUAL || expression->kind == EXPRESSION_DISTINCT ||
		expression->kind == EXPRESSION_IN;

	column_type_join(&both, &x, &y);
	if (!column_type_is_number(&both))
		spend(costing, log2_up(both.type.bits + 1), (equal ? both.type.bits : carry_gates(both.type.bits + 1)) * plane(costing->n));
	else if (equal)
		spend_equal(costing, costing->n, both.type.bits);
	else
		spend_less(costing, costing->n, both.type.bits);
	if (both.type.nullable)
		spend(costing, 1, plane(costing->n));
}

/* Truncations of each: calendar.c. */
static int
truncations_of_part(ExpressionKind kind)
{
	switch (kind)
	{
		case EXPRESSION_DOW:
			return 1;
		case EXPRESSION_YEAR:
			return 4;
		case EXPRESSION_MONTH:
			return 5;
		default:
			return 6;
	}
}

static void
spend_cast(Costing *costing, const Expression *expression)
{
	ColumnType	from = type_of(costing, expression->args[0]);
	int			range_checks = 0;
	ColumnType	type;
	Refusal		refusal;

	expression_type(&type, expression, &costing->scope, &range_checks, &refusal);
	if (from.type.kind == SECRET_BOOLEAN && expression->type.kind == SECRET_INTEGER)
		spend(costing, 2, 8 * costing->n);
	if (from.type.kind == SECRET_TIMESTAMP && expression->type.kind == SECRET_DATE)
		for (int i = 0; i < 3; i++)
			spend_truncation(costing, costing->n);
	if (range_checks > 0)
		spend_less(costing, 2 * costing->n, from.type.bits);
}

static void
spend_expression(Costing *costing, const Expression *expression)
{
	ColumnType	type = type_of(costing, expression);
	double		n = costing->n;
	int			nargs = expression->nargs;

	for (int i = 0; i < nargs; i++)
		spend_expression(costing, expression->args[i]);
	if (nargs > 0)
		costing->cost->values += n;
	switch (expression->kind)
	{
		case EXPRESSION_CAST:
			spend_cast(costing, expression);
			break;
		case EXPRESSION_MULTIPLY:
			if (!is_public(expression->args[0]) && !is_public(expression->args[1]))
				spend(costing, 1, 8 * n);
			if (type.type.kind == SECRET_FLOAT)
				spend_truncation(costing, n);
			break;
		case EXPRESSION_AND:
		case EXPRESSION_OR:
			spend(costing, log2_up(nargs), (type.type.nullable ? 2 : 1) * (nargs - 1) * plane(n));
			break;
		case EXPRESSION_CASE:
		case EXPRESSION_COALESCE:
		case EXPRESSION_LEAST:
		case EXPRESSION_GREATEST:
			for (int i = 1; i < nargs; i += expression->kind == EXPRESSION_CASE ? 2 : 1)
			{
				spend_selection(costing, n, &type);
				if (expression->kind >= EXPRESSION_LEAST)
					spend_comparison(costing, expression, i);
			}
			break;
		case EXPRESSION_IN:
			for (int i = 1; i < nargs; i++)
				spend_comparison(costing, expression, i);
			break;
		case EXPRESSION_YEAR:
		case EXPRESSION_QUARTER:
		case EXPRESSION_MONTH:
		case EXPRESSION_DAY:
		case EXPRESSION_DOW:
			for (int i = 0; i < truncations_of_part(expression->kind); i++)
				spend_truncation(costing, n);
			if (expression->kind != EXPRESSION_DOW)
				spend_less(costing, n, 10);
			break;
		default:
			if (expression->kind >= EXPRESSION_EQUAL && expression->kind <= EXPRESSION_DISTINCT)
				spend_comparison(costing, expression, 1);
	}
}

/* ---- nodes ---- */

static const RelationType *
child_of(const Costing *costing, int which)
{
	return &costing->checked->nodes[costing->node->children[which]];
}

/* Planes of columns as keys, which become bits if they are numbers. */
static double
spend_keys(Costing *costing, int which, const int *keys, int nkeys)
{
	const RelationType *child = child_of(costing, which);
	double		planes = 0;

	for (int k = 0; k < nkeys; k++)
	{
		const ColumnType *type = &child->columns[keys[k]];

		spend_to_bits(costing, child->rows, type);
		planes += type->type.bits + type->type.nullable;
	}
	return planes;
}

static void
cost_join(Costing *costing)
{
	const PlanNode *node = costing->node;
	double		n = (double) child_of(costing, 0)->rows + child_of(costing, 1)->rows + 2.0 * node->rows;
	double		planes = spend_keys(costing, 0, node->keys, node->nkeys);
	double		values = row_bytes(child_of(costing, 1));

	spend_keys(costing, 1, node->right_keys, node->nkeys);
	if (node->form >= JOIN_FORM_SEMI)
	{
		spend_sort(costing, child_of(costing, 1)->rows, planes, values);
		spend_grouping(costing, child_of(costing, 1)->rows, planes, values);
		values = 1 / 8.0;
	}
	if (node->rows)
		values += row_bytes(child_of(costing, 0)) + 16;
	spend_sort(costing, n, planes, values);
	spend(costing, 2 + log2_up(planes + 1), (planes + 2) * plane(n));
	spend_scan(costing, n, 2 * 8 * values, 1);
	spend(costing, 6, 2 * n * (values + log2_of(n) / 8) + 8 * n);
}

/* One pass more for each further column whose values are counted, and for each percentile. */
static void
cost_pass(Costing *costing, double planes, const ColumnType *value)
{
	double		n = costing->n;
	double		bytes = (planes + value->type.bits) / 8 + 8;

	spend_to_bits(costing, n, value);
	spend_sort(costing, n, planes + value->type.bits, bytes);
	spend_grouping(costing, n, planes, bytes);
	spend_scan(costing, n, 2, 1);
	spend(costing, 2, 8 * n);
}

static void
cost_percentile(Costing *costing, double planes, const ColumnType *value)
{
	cost_pass(costing, planes, value);
	spend_copy_number(costing, costing->n);
	spend_copy_number(costing, costing->n);
	spend_less(costing, 2 * costing->n, 16 + log2_of(costing->n));
	spend(costing, 3, 24 * costing->n);
}

static void
cost_aggregate(Costing *costing, const PlanAggregate *aggregate, double planes, double *bytes)
{
	double		n = costing->n;
	ColumnType	arg = {{0}};

	for (int k = 0; k < aggregate->nargs; k++)
	{
		spend_expression(costing, aggregate->args[k]);
		arg = type_of(costing, aggregate->args[k]);
		*bytes += column_bytes(&arg);
	}
	if (aggregate->filter)
		spend_expression(costing, aggregate->filter);
	switch (aggregate->kind)
	{
		case PLAN_AGGREGATE_COUNT_ROWS:
		case PLAN_AGGREGATE_COUNT:
			spend(costing, 2, 8 * n);
			*bytes += 8;
			break;
		case PLAN_AGGREGATE_COUNT_DISTINCT:
			cost_pass(costing, planes, &arg);
			break;
		case PLAN_AGGREGATE_SUM:
		case PLAN_AGGREGATE_SUM_PRODUCT:
			if (aggregate->filter || costing->node->nkeys == 0)
				spend(costing, 2, 16 * n);
			if (aggregate->nargs > 1)
				spend(costing, 1, 8 * n);
			*bytes += 8;
			break;
		case PLAN_AGGREGATE_PERCENTILE_DISC:
		case PLAN_AGGREGATE_PERCENTILE_CONT:
			cost_percentile(costing, planes, &arg);
			break;
		case PLAN_AGGREGATE_ANY:
			break;
		default:
			spend_to_bits(costing, n, &arg);
			spend_scan(costing, n, carry_gates(arg.type.bits + 1) + arg.type.bits, carry_rounds(arg.type.bits + 1) + 1);
			*bytes += arg.type.bits / 8.0;
	}
}

static void
cost_group(Costing *costing)
{
	const PlanNode *node = costing->node;
	const RelationType *child = child_of(costing, 0);
	double		n = costing->n;
	double		groups = costing->cost->rows;
	double		planes = spend_keys(costing, 0, node->keys, node->nkeys);
	double		bytes = planes / 8;
	double		first = planes;

	for (int k = 0; k < node->nkeys; k++)
		bytes += column_bytes(&child->columns[node->keys[k]]);
	for (int a = 0; a < node->naggregates; a++)
		cost_aggregate(costing, &node->aggregates[a], planes, &bytes);
	for (int k = 0; k < node->npatients; k++)
	{
		const ColumnType *patient = &child->columns[node->patients[k]];

		if (relation_is_unique(child, &node->patients[k], 1))
			continue;
		spend_to_bits(costing, n, patient);
		if (first == planes)
			first += patient->type.bits;
		else
			cost_pass(costing, planes, patient);
		spend_scan(costing, n, 2, 1);
		spend(costing, 2, 8 * n);
		bytes += 8 + patient->type.bits / 8.0;
	}
	if (first > 0)
		spend_sort(costing, n, first, bytes);
	spend_grouping(costing, n, planes, bytes);
	if (node->npatients > 0)
		spend_less(costing, groups * plan_group_parts(node) * node->npatients, 34);
}

/* Its group, and a comparison of patients for each part. */
static void
cost_merge(Costing *costing, int number)
{
	Costing		inner = *costing;
	PlanNode	group;
	RelationType type;
	int			parts;

	plan_merge_group(costing->checked, number, &group, &type);
	inner.node = &group;
	cost_group(&inner);
	parts = source_parts(costing->checked->plan->inputs[costing->checked->plan->nodes[costing->node->children[0]].input].source);
	if (costing->node->patients_min > 1)
		spend_less(costing, costing->cost->rows * parts, type.columns[type.ncolumns - 1].type.bits);
}

static void
cost_sort(Costing *costing)
{
	const RelationType *child = child_of(costing, 0);
	double		planes = 0;

	for (int i = 0; i < costing->node->norder; i++)
		planes += spend_keys(costing, 0, &costing->node->order[i].column, 1);
	spend_sort(costing, costing->n, planes, row_bytes(child));
}

/* What is there times its values. */
static void
cost_release(Costing *costing, const RelationType *type)
{
	double		bytes = row_bytes(type);

	if (!costing->node->ordered)
		spend(costing, 2, 2 * costing->n * bytes);
	spend_compaction(costing, costing->n, bytes);
	spend(costing, 4 + log2_of(type->rows), 2 * bytes * type->rows);
}

static void
cost_node(Costing *costing, int number, const RelationType *type)
{
	const PlanNode *node = costing->node;

	switch (node->kind)
	{
		case PLAN_FILTER:
			spend_expression(costing, node->condition);
			spend(costing, 1, plane(costing->n));
			break;
		case PLAN_PROJECT:
			for (int i = 0; i < node->nexpressions; i++)
				spend_expression(costing, node->expressions[i]);
			break;
		case PLAN_JOIN:
			cost_join(costing);
			break;
		case PLAN_GROUP:
			cost_group(costing);
			break;
		case PLAN_SORT:
			cost_sort(costing);
			break;
		case PLAN_LIMIT:
			if (costing->checked->plan->nodes[node->children[0]].kind != PLAN_SORT)
				spend_compaction(costing, costing->n, row_bytes(type));
			break;
		case PLAN_RELEASE:
			cost_release(costing, type);
			break;
		case PLAN_MERGE:
			cost_merge(costing, number);
			break;
		default:
			break;
	}
}

void
plan_cost(NodeCost *costs, const CheckedPlan *checked, const LinkCost *link)
{
	for (int i = 0; i < checked->plan->nnodes; i++)
	{
		Costing		costing = {checked, &checked->plan->nodes[i]};

		costs[i] = (NodeCost) {checked->nodes[i].rows};
		costing.cost = &costs[i];
		costing.round_bytes = link_round_bytes(link);
		if (costing.node->nchildren > 0)
		{
			costing.scope = checked_scope(checked, costing.node->children[0]);
			costing.n = checked->nodes[costing.node->children[0]].rows;
		}
		cost_node(&costing, i, &checked->nodes[i]);
	}
}

NodeCost
plan_cost_total(const CheckedPlan *checked, const LinkCost *link)
{
	int			n = checked->plan->nnodes;
	NodeCost   *costs = palloc(n * sizeof(NodeCost));
	NodeCost	total = {checked->nodes[n - 1].rows};

	plan_cost(costs, checked, link);
	for (int i = 0; i < n; i++)
	{
		total.rounds += costs[i].rounds;
		total.bytes += costs[i].bytes;
		total.values += costs[i].values;
	}
	pfree(costs);
	return total;
}
