/*
 * clear.h
 *	  Oblivious plans, executed in the clear by whoever knows SQL: row by row, and
 *	  without anything of src/oblivious but the plan itself and its types.
 */
#ifndef CLEAR_H
#define CLEAR_H

#include "base/base.h"

#include "oblivious/check.h"
#include "oblivious/plan.h"

/* A text is its bytes from the highest on, zeros behind: so lengths do not matter. */
typedef struct Value
{
	bool		null;
	int128		v;
} Value;

typedef struct Rows
{
	size_t		n;
	int			ncolumns;
	Value	   *cells;			/* row by row */
	bool	   *there;
} Rows;

typedef struct ClearRun
{
	const CheckedPlan *checked;
	const PublicValue *params;
	const Rows *inputs;
	bool	   *problems;
} ClearRun;

static inline Rows
rows_make(size_t n, int ncolumns)
{
	return (Rows) {n, ncolumns, palloc0((n * ncolumns + 1) * sizeof(Value)), palloc0(n + 1)};
}

static inline Value *
cell(const Rows *rows, size_t row, int column)
{
	return &rows->cells[row * rows->ncolumns + column];
}

static inline Value
value_null(void)
{
	return (Value) {true, 0};
}

static inline Value
value_of(int128 v)
{
	return (Value) {false, v};
}

static inline uint128
text_bits(const char *text, int len)
{
	uint128		bits = 0;

	for (int i = 0; i < len; i++)
		bits |= (uint128) (uint8) text[i] << (120 - 8 * i);
	return bits;
}

static inline Value
public_of(const SecretType *type, const PublicValue *value)
{
	if (value->null)
		return value_null();
	return value_of(type->kind == SECRET_TEXT ? (int128) text_bits(value->text, value->len) : value->number);
}

static inline int
compare_values(SecretKind kind, int128 a, int128 b)
{
	if (kind == SECRET_TEXT)
		return (uint128) a < (uint128) b ? -1 : (uint128) a > (uint128) b;
	return a < b ? -1 : a > b;
}

static inline int128
floor_div(int128 a, int128 b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* ---- dates, year by year and month by month ---- */

typedef struct Date
{
	int			year;			/* with a year 0 */
	int			month;
	int			day;
} Date;

static inline int
days_of_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool		leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static inline Date
date_of(int64 days)
{
	int64		eras = floor_div(days, 146097);
	Date		date = {2000 + 400 * eras, 1, 0};

	/* No date: of a row that is not there. */
	if (days < PG_INT32_MIN || days > PG_INT32_MAX)
		return (Date) {2000, 1, 1};
	days -= eras * 146097;
	while (days >= 337 + days_of_month(date.year, 2))
	{
		days -= 337 + days_of_month(date.year, 2);
		date.year++;
	}
	while (days >= days_of_month(date.year, date.month))
		days -= days_of_month(date.year, date.month++);
	date.day = days + 1;
	return date;
}

static inline int64
date_part(ExpressionKind kind, int64 days)
{
	Date		date = date_of(days);

	switch (kind)
	{
		case EXPRESSION_YEAR:
			return date.year > 0 ? date.year : date.year - 1;
		case EXPRESSION_QUARTER:
			return (date.month + 2) / 3;
		case EXPRESSION_MONTH:
			return date.month;
		case EXPRESSION_DAY:
			return date.day;
		default:
			return ((days + 6) % 7 + 7) % 7;
	}
}

/* ---- expressions ---- */

/* One row of a relation whose columns have these types. */
typedef struct ClearRow
{
	const ClearRun *run;
	const ExpressionScope *scope;
	const Value *cells;
	bool		unfit;
} ClearRow;

static Value clear_evaluate(ClearRow *row, const Expression *expression);

static inline ColumnType
clear_type(const ClearRow *row, const Expression *expression)
{
	ColumnType	type;
	Refusal		refusal;

	if (!expression_type(&type, expression, row->scope, NULL, &refusal))
		abort();
	return type;
}

static inline Value
clear_arithmetic(ClearRow *row, const Expression *expression)
{
	Value		x = clear_evaluate(row, expression->args[0]);
	Value		y = clear_evaluate(row, expression->args[1]);

	if (x.null || y.null)
		return value_null();
	if (expression->kind == EXPRESSION_ADD)
		return value_of(x.v + y.v);
	if (expression->kind == EXPRESSION_SUBTRACT)
		return value_of(x.v - y.v);
	if (clear_type(row, expression).type.kind == SECRET_FLOAT)
		return value_of(floor_div(x.v * y.v, 1 << SECRET_FLOAT_FRACTION));
	return value_of(x.v * y.v);
}

static inline bool
clear_holds(ExpressionKind kind, int order)
{
	switch (kind)
	{
		case EXPRESSION_EQUAL:
			return order == 0;
		case EXPRESSION_NOT_EQUAL:
			return order != 0;
		case EXPRESSION_LESS:
			return order < 0;
		case EXPRESSION_LESS_EQUAL:
			return order <= 0;
		case EXPRESSION_GREATER:
			return order > 0;
		default:
			return order >= 0;
	}
}

static inline Value
clear_comparison(ClearRow *row, const Expression *expression)
{
	Value		x = clear_evaluate(row, expression->args[0]);
	Value		y = clear_evaluate(row, expression->args[1]);
	SecretKind	kind = clear_type(row, expression->args[0]).type.kind;

	if (expression->kind == EXPRESSION_DISTINCT)
		return value_of(x.null || y.null ? x.null != y.null : x.v != y.v);
	if (x.null || y.null)
		return value_null();
	return value_of(clear_holds(expression->kind, compare_values(kind, x.v, y.v)));
}

/* AND and OR: what decides, then NULL, then the other. */
static inline Value
clear_and_or(ClearRow *row, const Expression *expression)
{
	bool		decides = expression->kind == EXPRESSION_OR;
	Value		result = value_of(!decides);

	for (int i = 0; i < expression->nargs; i++)
	{
		Value		x = clear_evaluate(row, expression->args[i]);

		if (!x.null && x.v == decides)
			result = x;
		else if (x.null && (result.null || result.v != decides))
			result = x;
	}
	return result;
}

static inline Value
clear_in(ClearRow *row, const Expression *expression)
{
	Value		x = clear_evaluate(row, expression->args[0]);
	Value		result = value_of(false);

	for (int i = 1; i < expression->nargs; i++)
	{
		Value		y = clear_evaluate(row, expression->args[i]);

		/* All are evaluated, because each may fail. */
		if (!x.null && !y.null && x.v == y.v)
			result = value_of(true);
		else if ((x.null || y.null) && (result.null || !result.v))
			result = value_null();
	}
	return result;
}

static inline Value
clear_case(ClearRow *row, const Expression *expression)
{
	Value		result = clear_evaluate(row, expression->args[expression->nargs - 1]);

	/* All are evaluated, because each may fail. */
	for (int i = expression->nargs - 3; i >= 0; i -= 2)
	{
		Value		condition = clear_evaluate(row, expression->args[i]);
		Value		x = clear_evaluate(row, expression->args[i + 1]);

		if (!condition.null && condition.v)
			result = x;
	}
	return result;
}

static inline Value
clear_choice(ClearRow *row, const Expression *expression)
{
	Value		result = value_null();
	SecretKind	kind = clear_type(row, expression).type.kind;

	for (int i = 0; i < expression->nargs; i++)
	{
		Value		x = clear_evaluate(row, expression->args[i]);
		int			order = compare_values(kind, x.v, result.v);

		if (x.null)
			continue;
		if (result.null || (expression->kind == EXPRESSION_LEAST && order < 0) ||
			(expression->kind == EXPRESSION_GREATEST && order > 0))
			result = x;
	}
	return result;
}

static inline Value
clear_cast(ClearRow *row, const Expression *expression)
{
	Value		x = clear_evaluate(row, expression->args[0]);
	SecretType	from = clear_type(row, expression->args[0]).type;
	const SecretType *to = &expression->type;

	if (x.null || to->kind == SECRET_TEXT || to->kind == SECRET_BOOLEAN)
		return x;
	for (int scale = from.scale; scale < to->scale; scale++)
		x.v *= 10;
	if (to->kind == SECRET_FLOAT && from.kind == SECRET_INTEGER)
		x.v *= 1 << SECRET_FLOAT_FRACTION;
	if (from.kind == SECRET_DATE && to->kind == SECRET_TIMESTAMP)
		x.v *= INT64CONST(86400000000);
	if (from.kind == SECRET_TIMESTAMP && to->kind == SECRET_DATE)
		x.v = floor_div(x.v, INT64CONST(86400000000));
	if (x.v < secret_lowest(to) || x.v > secret_highest(to))
		row->unfit = true;
	return x;
}

static Value
clear_evaluate(ClearRow *row, const Expression *expression)
{
	Value		x;

	switch (expression->kind)
	{
		case EXPRESSION_COLUMN:
			return row->cells[expression->number];
		case EXPRESSION_CONSTANT:
			return public_of(&expression->type, &expression->value);
		case EXPRESSION_PARAMETER:
			return public_of(&row->scope->params[expression->number], &row->run->params[expression->number]);
		case EXPRESSION_CAST:
			return clear_cast(row, expression);
		case EXPRESSION_ADD:
		case EXPRESSION_SUBTRACT:
		case EXPRESSION_MULTIPLY:
			return clear_arithmetic(row, expression);
		case EXPRESSION_NEGATE:
			x = clear_evaluate(row, expression->args[0]);
			return x.null ? x : value_of(-x.v);
		case EXPRESSION_AND:
		case EXPRESSION_OR:
			return clear_and_or(row, expression);
		case EXPRESSION_NOT:
			x = clear_evaluate(row, expression->args[0]);
			return x.null ? x : value_of(!x.v);
		case EXPRESSION_IS_NULL:
			return value_of(clear_evaluate(row, expression->args[0]).null);
		case EXPRESSION_IS_TRUE:
			x = clear_evaluate(row, expression->args[0]);
			return value_of(!x.null && x.v);
		case EXPRESSION_IN:
			return clear_in(row, expression);
		case EXPRESSION_CASE:
			return clear_case(row, expression);
		case EXPRESSION_COALESCE:
		case EXPRESSION_LEAST:
		case EXPRESSION_GREATEST:
			return clear_choice(row, expression);
		case EXPRESSION_YEAR:
		case EXPRESSION_QUARTER:
		case EXPRESSION_MONTH:
		case EXPRESSION_DAY:
		case EXPRESSION_DOW:
			x = clear_evaluate(row, expression->args[0]);
			return x.null ? x : value_of(date_part(expression->kind, x.v));
		default:
			return clear_comparison(row, expression);
	}
}

/* Of row v; notes what does not fit if the row is there. */
static inline Value
clear_at(const ClearRun *run, int node, int child, const Rows *rows, size_t v, const Expression *expression)
{
	ExpressionScope scope = checked_scope(run->checked, child);
	ClearRow	row = {run, &scope, cell(rows, v, 0)};
	Value		x = clear_evaluate(&row, expression);

	for (int i = 0; i < run->checked->nproblems && row.unfit && rows->there[v]; i++)
		if (run->checked->problems[i].node == node && run->checked->problems[i].kind == PROBLEM_RANGE)
			run->problems[i] = true;
	return x;
}

static inline bool
clear_true(const ClearRun *run, int node, int child, const Rows *rows, size_t v, const Expression *expression)
{
	Value		x = clear_at(run, node, child, rows, v, expression);

	return !x.null && x.v;
}

static inline void
clear_problem(const ClearRun *run, int node, ProblemKind kind, bool occurs)
{
	for (int i = 0; i < run->checked->nproblems; i++)
		if (run->checked->problems[i].node == node && run->checked->problems[i].kind == kind)
			run->problems[i] = run->problems[i] || occurs;
}

/* ---- orders ---- */

typedef struct Order
{
	const Rows *rows;
	const RelationType *type;
	const OrderKey *keys;
	int			nkeys;
} Order;

static __thread Order clear_order;	/* qsort() has no argument for it */

static inline int
compare_cells(SecretKind kind, const Value *x, const Value *y, const OrderKey *key)
{
	int			order;

	if (x->null || y->null)
		return x->null == y->null ? 0 : (x->null == key->nulls_first ? -1 : 1);
	order = compare_values(kind, x->v, y->v);
	return key->descending ? -order : order;
}

static inline int
compare_rows(const void *a, const void *b)
{
	size_t		x = *(const size_t *) a;
	size_t		y = *(const size_t *) b;

	for (int k = 0; k < clear_order.nkeys; k++)
	{
		int			column = clear_order.keys[k].column;
		int			order = compare_cells(clear_order.type->columns[column].type.kind, cell(clear_order.rows, x, column),
										  cell(clear_order.rows, y, column), &clear_order.keys[k]);

		if (order != 0)
			return order;
	}
	return x < y ? -1 : x > y;
}

/* Numbers of the rows that are there, in order. */
static inline size_t *
sorted_rows(const Rows *rows, const RelationType *type, const OrderKey *keys, int nkeys, size_t *n)
{
	size_t	   *list = palloc((rows->n + 1) * sizeof(size_t));

	*n = 0;
	for (size_t v = 0; v < rows->n; v++)
		if (rows->there[v])
			list[(*n)++] = v;
	clear_order = (Order) {rows, type, keys, nkeys};
	qsort(list, *n, sizeof(size_t), compare_rows);
	return list;
}

/* Only these rows, in this order. */
static inline Rows
rows_picked(const Rows *rows, const size_t *list, size_t n)
{
	Rows		picked = rows_make(n, rows->ncolumns);

	for (size_t v = 0; v < n; v++)
	{
		memcpy(cell(&picked, v, 0), cell(rows, list[v], 0), rows->ncolumns * sizeof(Value));
		picked.there[v] = true;
	}
	return picked;
}

/* ---- join ---- */

static inline bool
keys_match(const PlanNode *node, const Rows *left, size_t v, const Rows *right, size_t w)
{
	if (!left->there[v] || !right->there[w])
		return false;
	for (int k = 0; k < node->nkeys; k++)
	{
		const Value *x = cell(left, v, node->keys[k]);
		const Value *y = cell(right, w, node->right_keys[k]);

		if (x->null || y->null || x->v != y->v)
			return false;
	}
	return true;
}

static inline Rows
clear_join(const ClearRun *run, int number, const Rows *left, const Rows *right)
{
	const PlanNode *node = &run->checked->plan->nodes[number];
	bool		both = node->form == JOIN_FORM_INNER || node->form == JOIN_FORM_LEFT;
	Rows		out = rows_make(left->n * (right->n + 1), left->ncolumns + (both ? right->ncolumns : 0));
	size_t		n = 0;

	for (size_t v = 0; v < left->n; v++)
	{
		size_t		matches = 0;

		for (size_t w = 0; w < right->n; w++)
		{
			if (!keys_match(node, left, v, right, w) || (!both && matches++ > 0))
				continue;
			matches += both;
			if (node->form == JOIN_FORM_ANTI)
				continue;
			memcpy(cell(&out, n, 0), cell(left, v, 0), left->ncolumns * sizeof(Value));
			if (both)
				memcpy(cell(&out, n, left->ncolumns), cell(right, w, 0), right->ncolumns * sizeof(Value));
			out.there[n++] = true;
		}
		if (!left->there[v] || matches > 0 || node->form == JOIN_FORM_INNER || node->form == JOIN_FORM_SEMI)
			continue;
		memcpy(cell(&out, n, 0), cell(left, v, 0), left->ncolumns * sizeof(Value));
		for (int c = left->ncolumns; c < out.ncolumns; c++)
			*cell(&out, n, c) = value_null();
		out.there[n++] = true;
	}
	out.n = n;
	return out;
}

/* ---- group ---- */

typedef struct ClearGroup
{
	const ClearRun *run;
	int			number;
	const PlanNode *node;
	const Rows *rows;
	const size_t *members;
	size_t		n;
} ClearGroup;

static inline Value
argument(const ClearGroup *group, const PlanAggregate *aggregate, int k, size_t v)
{
	return clear_at(group->run, group->number, group->node->children[0], group->rows, v, aggregate->args[k]);
}

static inline bool
contributes(const ClearGroup *group, const PlanAggregate *aggregate, size_t v)
{
	bool		yes = true;

	/* All are evaluated, because each may fail. */
	for (int k = 0; k < aggregate->nargs; k++)
		if (argument(group, aggregate, k, v).null)
			yes = false;
	if (aggregate->filter && !clear_true(group->run, group->number, group->node->children[0], group->rows, v, aggregate->filter))
		yes = false;
	return yes;
}

static inline int
by_value(const void *a, const void *b)
{
	int128		x = *(const int128 *) a;
	int128		y = *(const int128 *) b;

	return x < y ? -1 : x > y;
}

static inline size_t
different(int128 *values, size_t n)
{
	size_t		count = 0;

	qsort(values, n, sizeof(int128), by_value);
	for (size_t i = 0; i < n; i++)
		count += i == 0 || values[i] != values[i - 1];
	return count;
}

/* Of n values in order, n > 0. */
static inline int128
percentile(const PlanAggregate *aggregate, const int128 *values, size_t n)
{
	size_t		p = aggregate->numerator;
	size_t		q = aggregate->denominator;
	size_t		at = p * (n - 1) / q;
	int128		rest = p * (n - 1) % q;

	if (aggregate->kind == PLAN_AGGREGATE_PERCENTILE_DISC)
		return values[p == 0 ? 0 : (p * n + q - 1) / q - 1];
	return values[at] * (int128) q + (rest > 0 ? rest * (values[at + 1] - values[at]) : 0);
}

static inline Value
clear_aggregate(const ClearGroup *group, const PlanAggregate *aggregate)
{
	int128	   *values = palloc((group->n + 1) * sizeof(int128));
	SecretKind	kind = SECRET_INTEGER;
	size_t		n = 0;
	int128		sum = 0;
	int128		least = 0;
	int128		greatest = 0;

	if (aggregate->nargs > 0)
	{
		ExpressionScope scope = checked_scope(group->run->checked, group->node->children[0]);
		ClearRow	row = {group->run, &scope};

		kind = clear_type(&row, aggregate->args[0]).type.kind;
	}
	for (size_t i = 0; i < group->n; i++)
	{
		size_t		v = group->members[i];
		int128		x = 0;

		if (!contributes(group, aggregate, v))
			continue;
		if (aggregate->nargs > 0)
			x = argument(group, aggregate, 0, v).v;
		if (n == 0 || compare_values(kind, x, least) < 0)
			least = x;
		if (n == 0 || compare_values(kind, x, greatest) > 0)
			greatest = x;
		values[n++] = x;
		if (aggregate->kind == PLAN_AGGREGATE_SUM || aggregate->kind == PLAN_AGGREGATE_SUM_PRODUCT)
			sum += aggregate->nargs > 1 ? x * argument(group, aggregate, 1, v).v : x;
	}
	switch (aggregate->kind)
	{
		case PLAN_AGGREGATE_COUNT_ROWS:
		case PLAN_AGGREGATE_COUNT:
			return value_of(n);
		case PLAN_AGGREGATE_COUNT_DISTINCT:
			return value_of(different(values, n));
		default:
			break;
	}
	if (n == 0)
		return value_null();
	switch (aggregate->kind)
	{
		case PLAN_AGGREGATE_SUM:
		case PLAN_AGGREGATE_SUM_PRODUCT:
			return value_of(sum);
		case PLAN_AGGREGATE_MIN:
		case PLAN_AGGREGATE_BOOL_AND:
			return value_of(least);
		case PLAN_AGGREGATE_PERCENTILE_DISC:
		case PLAN_AGGREGATE_PERCENTILE_CONT:
			qsort(values, n, sizeof(int128), by_value);
			return value_of(percentile(aggregate, values, n));
		default:
			return value_of(greatest);
	}
}

/* Has the part enough patients? */
static inline bool
part_shown(const ClearGroup *group, int part)
{
	const PlanNode *node = group->node;
	const PlanAggregate *first = NULL;
	bool		shown = true;
	size_t		rows = 0;

	for (int a = node->naggregates - 1; a >= 0; a--)
		if (part > 0 && node->aggregates[a].part == part)
			first = &node->aggregates[a];
	for (int k = 0; k < node->npatients; k++)
	{
		int128	   *values = palloc((group->n + 1) * sizeof(int128));
		size_t		n = 0;

		rows = 0;
		for (size_t i = 0; i < group->n; i++)
		{
			const Value *patient = cell(group->rows, group->members[i], node->patients[k]);

			if (first && !contributes(group, first, group->members[i]))
				continue;
			rows++;
			if (!patient->null)
				values[n++] = patient->v;
		}
		shown = shown && different(values, n) >= node->patients_min;
	}
	return shown || (node->show_zero && rows == 0);
}

static inline void
clear_one_group(const ClearGroup *group, Rows *out)
{
	const PlanNode *node = group->node;
	int			parts = plan_group_parts(node);
	size_t		at = out->n++;
	int			c = 0;

	out->there[at] = part_shown(group, 0);
	for (int k = 0; k < node->nkeys; k++)
		*cell(out, at, c++) = *cell(group->rows, group->members[0], node->keys[k]);
	for (int a = 0; a < node->naggregates; a++)
	{
		const PlanAggregate *aggregate = &node->aggregates[a];

		*cell(out, at, c++) = aggregate->part > 0 && !part_shown(group, aggregate->part) ? value_null() :
			clear_aggregate(group, aggregate);
	}
	for (int part = 1; part < parts && node->npatients > 0; part++)
		*cell(out, at, c++) = value_of(part_shown(group, part));
}

static inline Rows
clear_group(const ClearRun *run, int number, const PlanNode *node, int ncolumns, const Rows *rows)
{
	const RelationType *type = &run->checked->nodes[node->children[0]];
	OrderKey	keys[KEYS_MAX];
	size_t		n;
	size_t	   *list;
	Rows		out = rows_make(rows->n + 1, ncolumns);

	for (int k = 0; k < node->nkeys; k++)
		keys[k] = (OrderKey) {node->keys[k]};
	list = sorted_rows(rows, type, keys, node->nkeys, &n);
	out.n = 0;
	for (size_t first = 0, end; first < n || (node->nkeys == 0 && out.n == 0); first = end)
	{
		ClearGroup	group = {run, number, node, rows, list + first};

		for (end = first; end < n; end++)
		{
			bool		same = true;

			for (int k = 0; k < node->nkeys; k++)
				same = same && compare_cells(type->columns[node->keys[k]].type.kind, cell(rows, list[first], node->keys[k]),
											 cell(rows, list[end], node->keys[k]), &keys[k]) == 0;
			if (!same)
				break;
		}
		group.n = end - first;
		clear_one_group(&group, &out);
	}
	clear_problem(run, number, PROBLEM_ROWS, node->rows > 0 && out.n > node->rows);
	return out;
}

/* Patients of each part are added up; where they are too few its aggregates are NULL. */
static inline Rows
clear_merge(const ClearRun *run, int number, const Rows *rows)
{
	const ObliviousPlan *plan = run->checked->plan;
	const PlanNode *node = &plan->nodes[number];
	const PlanInput *input = &plan->inputs[plan->nodes[node->children[0]].input];
	const InputSource *source = input->source;
	int			values = input_keys(input) + source->naggregates;
	PlanNode	group;
	RelationType type;
	Rows		sums;
	Rows		out;

	plan_merge_group(run->checked, number, &group, &type);
	sums = clear_group(run, number, &group, type.ncolumns, rows);
	out = rows_make(sums.n, run->checked->nodes[number].ncolumns);
	for (size_t v = 0; v < sums.n; v++)
	{
		const Value *counts = cell(&sums, v, values);

		out.there[v] = sums.there[v] && (node->patients_min == 1 || counts[0].v >= node->patients_min);
		memcpy(cell(&out, v, 0), cell(&sums, v, 0), values * sizeof(Value));
		for (int i = 0; i < source->naggregates; i++)
			if (source->aggregates[i].part > 0 && node->patients_min > 1 &&
				counts[source->aggregates[i].part].v < node->patients_min)
				*cell(&out, v, input_keys(input) + i) = value_null();
		for (int part = 1; values + part - 1 < out.ncolumns; part++)
			*cell(&out, v, values + part - 1) = value_of(counts[part].v >= node->patients_min);
	}
	return out;
}

/* ---- all of it ---- */

static inline Rows
clear_scan(const ClearRun *run, int number)
{
	const Rows *input = &run->inputs[run->checked->plan->nodes[number].input];
	Rows		out = rows_make(input->n, run->checked->nodes[number].ncolumns);

	for (size_t v = 0; v < input->n; v++)
	{
		memcpy(cell(&out, v, 0), cell(input, v, 0), input->ncolumns * sizeof(Value));
		if (out.ncolumns > input->ncolumns)
			*cell(&out, v, input->ncolumns) = value_of(v);
		out.there[v] = input->there[v];
	}
	return out;
}

static inline Rows
clear_project(const ClearRun *run, int number, const Rows *rows)
{
	const PlanNode *node = &run->checked->plan->nodes[number];
	Rows		out = rows_make(rows->n, node->nexpressions);

	for (size_t v = 0; v < rows->n; v++)
	{
		out.there[v] = rows->there[v];
		for (int i = 0; i < node->nexpressions; i++)
			*cell(&out, v, i) = clear_at(run, number, node->children[0], rows, v, node->expressions[i]);
	}
	return out;
}

static inline Rows
clear_union(const PlanNode *node, const Rows *results)
{
	size_t		n = 0;
	Rows		out;

	for (int i = 0; i < node->nchildren; i++)
		n += results[node->children[i]].n;
	out = rows_make(n, results[node->children[0]].ncolumns);
	n = 0;
	for (int i = 0; i < node->nchildren; i++)
	{
		const Rows *rows = &results[node->children[i]];

		for (size_t v = 0; v < rows->n; v++, n++)
		{
			memcpy(cell(&out, n, 0), cell(rows, v, 0), out.ncolumns * sizeof(Value));
			out.there[n] = rows->there[v];
		}
	}
	return out;
}

static inline Rows
clear_columns(const PlanNode *node, const Rows *rows)
{
	Rows		out = rows_make(rows->n, node->ncolumns);

	for (size_t v = 0; v < rows->n; v++)
	{
		out.there[v] = rows->there[v];
		for (int i = 0; i < node->ncolumns; i++)
			*cell(&out, v, i) = *cell(rows, v, node->columns[i]);
	}
	return out;
}

static inline Rows
clear_node(const ClearRun *run, int number, Rows *results)
{
	const PlanNode *node = &run->checked->plan->nodes[number];
	Rows	   *child = node->nchildren > 0 ? &results[node->children[0]] : NULL;
	size_t		n;
	size_t	   *list;
	Rows		out;

	switch (node->kind)
	{
		case PLAN_SCAN:
			return clear_scan(run, number);
		case PLAN_FILTER:
			out = *child;
			out.there = palloc0(out.n + 1);
			for (size_t v = 0; v < out.n; v++)
				out.there[v] = clear_true(run, number, node->children[0], child, v, node->condition) && child->there[v];
			return out;
		case PLAN_PROJECT:
			return clear_project(run, number, child);
		case PLAN_UNION:
			return clear_union(node, results);
		case PLAN_JOIN:
			out = clear_join(run, number, child, &results[node->children[1]]);
			clear_problem(run, number, PROBLEM_ROWS, node->rows > 0 && out.n > node->rows);
			return out;
		case PLAN_GROUP:
			return clear_group(run, number, node, run->checked->nodes[number].ncolumns, child);
		case PLAN_MERGE:
			return clear_merge(run, number, child);
		case PLAN_SORT:
			list = sorted_rows(child, &run->checked->nodes[node->children[0]], node->order, node->norder, &n);
			return rows_picked(child, list, n);
		case PLAN_LIMIT:
			list = sorted_rows(child, &run->checked->nodes[node->children[0]], NULL, 0, &n);
			return rows_picked(child, list + Min(node->offset, n), Min(n - Min(node->offset, n), node->count));
		case PLAN_RELEASE:
			list = sorted_rows(child, &run->checked->nodes[node->children[0]], NULL, 0, &n);
			out = rows_picked(child, list, n);
			clear_problem(run, number, PROBLEM_ROWS, node->rows > 0 && n > node->rows);
			return clear_columns(node, &out);
		default:
			return clear_columns(node, child);
	}
}

static inline Rows
clear_execute(const ClearRun *run)
{
	const ObliviousPlan *plan = run->checked->plan;
	Rows	   *results = palloc0(plan->nnodes * sizeof(Rows));

	for (int i = 0; i < plan->nnodes; i++)
		results[i] = clear_node(run, i, results);
	return results[plan->nnodes - 1];
}

#endif							/* CLEAR_H */
