/*
 * a_plan.h
 *	  An oblivious plan with most of what there is; its bytes are in test/vectors.
 */
#ifndef SECMED_TEST_A_PLAN_H
#define SECMED_TEST_A_PLAN_H

#include "oblivious/plan.h"

static inline int *
numbers_of(int n, int a, int b)
{
	int		   *list = palloc0((n + 1) * sizeof(int));

	list[0] = a;
	if (n > 1)
		list[1] = b;
	return list;
}

static inline SecretType
nullable(SecretType type)
{
	type.nullable = true;
	return type;
}

/* SELECT id, female FROM secmed_published.person WHERE born > $1, padded to 256 rows a site; id is the site's own number */
static inline InputSource *
a_source(void)
{
	InputSource *source = palloc0(sizeof(InputSource));
	PlanColumn	columns[] = {{"born", "date"}, {"female", "boolean"}};

	source->rows = 256;
	source->sql = pstrdup("SELECT id, female FROM secmed_published.person WHERE born > $1");
	source->ntables = 1;
	source->tables = palloc0(sizeof(PlanTable));
	source->tables[0] = (PlanTable) {pstrdup("person"), lengthof(columns), palloc(sizeof(columns))};
	memcpy(source->tables[0].columns, columns, sizeof(columns));
	source->nparams = 1;
	source->param_types = palloc(sizeof(char *));
	source->param_types[0] = pstrdup("date");
	return source;
}

static inline void
a_plan_inputs(ObliviousPlan *plan)
{
	InputColumn visit[] = {
		{"patient", secret_integer(32), false},
		{"diagnosis", nullable(secret_text(4)), false},
		{"cost", nullable(secret_numeric(8, 2)), false},
		{"day", secret_date(), false},
	};
	InputColumn person[] = {{"id", secret_integer(32), true}, {"female", secret_boolean(), false}};
	PlanInput	inputs[] = {
		{"visit", INPUT_SHARED_TABLE, 1000, 0, lengthof(visit)},
		{"person", INPUT_SITES, 500, 0, lengthof(person), .source = a_source()},
	};

	for (int i = 0; i < 2; i++)
	{
		const InputColumn *columns = i == 0 ? visit : person;

		inputs[i].columns = palloc(inputs[i].ncolumns * sizeof(InputColumn));
		for (int c = 0; c < inputs[i].ncolumns; c++)
		{
			inputs[i].columns[c] = columns[c];
			inputs[i].columns[c].name = pstrdup(columns[c].name);
		}
		inputs[i].name = pstrdup(inputs[i].name);
		oblivious_plan_add_input(plan, &inputs[i]);
	}
}

/* day >= 2026-01-01 AND (diagnosis IN ('I10', NULL) OR NOT diagnosis IS NULL) */
static inline Expression *
a_condition(void)
{
	Expression *list[] = {expression_column(1), expression_text("I10"), expression_null(secret_text(1))};
	Expression *in = expression_make(EXPRESSION_IN, 3, list);
	Expression *not = expression_unary(EXPRESSION_NOT, expression_unary(EXPRESSION_IS_NULL, expression_column(1)));
	Expression *late = expression_binary(EXPRESSION_GREATER_EQUAL, expression_column(3), expression_number(secret_date(), 9497));

	return expression_binary(EXPRESSION_AND, late, expression_binary(EXPRESSION_OR, in, not));
}

/* patient, diagnosis, cost + $0, whether of a woman, year of day */
static inline PlanNode
a_project(void)
{
	PlanNode	node = {PLAN_PROJECT, 1, numbers_of(1, 3, 0), .nexpressions = 5};

	node.expressions = palloc(node.nexpressions * sizeof(Expression *));
	node.expressions[0] = expression_column(0);
	node.expressions[1] = expression_column(1);
	node.expressions[2] = expression_binary(EXPRESSION_ADD, expression_column(2),
											expression_cast(expression_parameter(0), secret_numeric(8, 2)));
	node.expressions[3] = expression_column(5);
	node.expressions[4] = expression_unary(EXPRESSION_YEAR, expression_column(3));
	return node;
}

/* count(*), sum(cost) of women, their median, least year; of diagnoses with eleven patients */
static inline PlanNode
a_group(void)
{
	PlanNode	node = {PLAN_GROUP, 1, numbers_of(1, 4, 0), .nkeys = 1, .keys = numbers_of(1, 1, 0), .naggregates = 4,
	.npatients = 1, .patients = numbers_of(1, 0, 0), .patients_min = 11, .show_zero = true, .rows = 100};

	node.aggregates = palloc0(node.naggregates * sizeof(PlanAggregate));
	node.aggregates[0].kind = PLAN_AGGREGATE_COUNT_ROWS;
	node.aggregates[1] = (PlanAggregate) {PLAN_AGGREGATE_SUM, 1, {expression_column(2)}, expression_column(3), 1};
	node.aggregates[2] = (PlanAggregate) {PLAN_AGGREGATE_PERCENTILE_CONT, 1, {expression_column(2)}, expression_column(3), 1, 1, 2};
	node.aggregates[3] = (PlanAggregate) {PLAN_AGGREGATE_MIN, 1, {expression_column(4)}};
	return node;
}

static inline ObliviousPlan *
a_plan(void)
{
	ObliviousPlan *plan = oblivious_plan_create();
	OrderKey	order[] = {{1, true, false}};
	PlanNode	nodes[] = {
		{PLAN_SCAN, .input = 0},
		{PLAN_FILTER, 1, numbers_of(1, 0, 0), .condition = a_condition()},
		{PLAN_SCAN, .input = 1},
		{PLAN_JOIN, 2, numbers_of(2, 1, 2), .form = JOIN_FORM_INNER, .nkeys = 1, .keys = numbers_of(1, 0, 0),
		.right_keys = numbers_of(1, 0, 0)},
		a_project(),
		a_group(),
		{PLAN_SORT, 1, numbers_of(1, 5, 0), .norder = 1},
		{PLAN_LIMIT, 1, numbers_of(1, 6, 0), .count = 20},
		{PLAN_RELEASE, 1, numbers_of(1, 7, 0), .ncolumns = 2, .columns = numbers_of(2, 0, 2), .rows = 10, .ordered = true},
	};

	nodes[6].order = palloc(sizeof(order));
	memcpy(nodes[6].order, order, sizeof(order));
	a_plan_inputs(plan);
	oblivious_plan_add_parameter(plan, nullable(secret_integer(16)));
	for (int i = 0; i < lengthof(nodes); i++)
		oblivious_plan_add_node(plan, &nodes[i]);
	return plan;
}

#endif							/* SECMED_TEST_A_PLAN_H */
