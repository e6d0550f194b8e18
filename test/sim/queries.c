/*
 * queries.c
 *	  Random plans over random relations: three parties open what clear.h computes, and
 *	  nothing when that has a problem.
 *
 * Relations have NULLs, rows that are not there, values at the ends of their ranges, and few different
 * ones so that groups and joins meet.  A plan that the checker refuses is drawn again.
 *
 *	  SIM_QUERIES=n    so many plans (400; with SECMED_LONG 10000), SIM_QUERY=k: only the k-th, and show it
 */
#include "sim64.h"

#include "../unit/a_plan.h"
#include "clear.h"
#include "oblivious/cost.h"
#include "oblivious/execute.h"
#include "oblivious/result.h"

/* Fifty times slower, and only there to see every access. */
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifdef RUNNING_ON_VALGRIND
#define SLOWED_DOWN	(RUNNING_ON_VALGRIND > 0)
#else
#define SLOWED_DOWN	false
#endif

#if defined(__SANITIZE_ADDRESS__)
/* Nodes leave small public lists to the memory context that they run in. */
extern const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

/* Two tables, and groups that sites made. */
#define INPUTS	3
#define TABLES	2
#define COLUMNS_HERE	7

static const size_t sizes[] = {0, 1, 2, 3, 5, 8, 9, 13, 16, 17, 31, 33};

static Prg *prg;

static uint64
pick(uint64 n)
{
	return sim_u64(prg) % n;
}

static bool
chance(int percent)
{
	return pick(100) < percent;
}

/* ---- relations ---- */

static SecretType
random_type(void)
{
	static const int bits[] = {4, 4, 7, 16, 32, 60, 64};
	SecretType	type = secret_boolean();

	switch (pick(10))
	{
		case 0:
		case 1:
		case 2:
			type = secret_integer(bits[pick(lengthof(bits))]);
			break;
		case 3:
			type = secret_numeric(2 + pick(8), pick(3));
			break;
		case 4:
		case 5:
			type = secret_date();
			type.bits = chance(50) ? SECRET_DATE_BITS : 12;
			break;
		case 6:
			type = secret_timestamp();
			type.bits = chance(50) ? 64 : 57;
			break;
		case 7:
			type = secret_float();
			type.bits = 32 + pick(30);
			break;
		case 8:
			type = secret_text(chance(20) ? 16 : 1 + pick(3));
			break;
	}
	type.nullable = chance(50);
	return type;
}

static PublicValue
random_value(const SecretType *type)
{
	PublicValue value = {type->nullable && chance(25)};

	if (value.null)
		return value;
	if (type->kind == SECRET_BOOLEAN)
		value.number = pick(2);
	else if (type->kind == SECRET_TEXT)
	{
		value.len = pick(type->bits / 8 + 1);
		for (int i = 0; i < value.len; i++)
			value.text[i] = chance(90) ? 'a' + pick(2) : 1 + pick(255);
	}
	else if (chance(70))
		value.number = (int64) pick(7) - 3;
	else if (chance(30))
		value.number = chance(50) ? secret_lowest(type) : secret_highest(type);
	else
		value.number = (int64) sim_u64(prg) >> (64 - type->bits + pick(type->bits - 1));
	if (secret_is_number(type) && !secret_fits(type, value.number))
		value.number = 0;
	return value;
}

/* Column 0 tells patients apart; unique columns are. */
static Rows
random_rows(const PlanInput *input, size_t n)
{
	Rows		rows = rows_make(n, input->ncolumns);

	for (size_t v = 0; v < n; v++)
	{
		rows.there[v] = chance(80);
		for (int c = 0; c < input->ncolumns; c++)
		{
			const SecretType *type = &input->columns[c].type;
			PublicValue value = random_value(type);

			if (input->source && c >= input->ncolumns - source_parts(input->source))
				value = (PublicValue) {false, (int64) pick(4)};
			else if (input->columns[c].unique)
				value = (PublicValue) {type->nullable && chance(10), (int64) v - 3};
			else if (c == 0 && !value.null && input->columns[c].type.kind == SECRET_INTEGER)
				value.number = (int64) pick(12) - 3;
			*cell(&rows, v, c) = public_of(type, &value);
		}
	}
	return rows;
}

static void
random_input(ObliviousPlan *plan, const char *name, bool unique, size_t n)
{
	PlanInput	input = {pstrdup(name), INPUT_SHARED_TABLE, n + pick(3), 0, 2 + pick(COLUMNS_HERE - 2)};

	input.columns = palloc0(input.ncolumns * sizeof(InputColumn));
	for (int c = 0; c < input.ncolumns; c++)
		input.columns[c] = (InputColumn) {psprintf("%s_%d", name, c), c == 0 ? secret_integer(8) : random_type()};
	input.columns[0].unique = unique;
	input.columns[0].type.nullable = chance(20);
	if (chance(10))
		input.patient = chance(50) ? PATIENT_EACH_ROW : PATIENT_NONE;
	oblivious_plan_add_input(plan, &input);
}

/* Keys, aggregates that can be merged, and how many patients contribute. */
static void
random_groups(ObliviousPlan *plan, size_t n)
{
	InputSource *source = palloc0(sizeof(InputSource));
	PlanInput	input = {pstrdup("groups"), INPUT_SITES, n + pick(3), PATIENT_COUNTED, .source = source};
	int			nkeys = 1 + pick(2);
	int			parts = 1;

	*source = (InputSource) {.rows = SITE_ROWS_STEP,.sql = pstrdup("SELECT 1"),.grouped = true,.naggregates = pick(4)};
	source->aggregates = palloc0((source->naggregates + 1) * sizeof(SourceAggregate));
	input.columns = palloc0((nkeys + 2 * source->naggregates + 1) * sizeof(InputColumn));
	for (int c = 0; c < nkeys; c++)
		input.columns[input.ncolumns++] = (InputColumn) {psprintf("key_%d", c), c == 0 ? secret_integer(8) : random_type()};
	for (int i = 0; i < source->naggregates; i++)
	{
		SecretType	type = random_type();

		source->aggregates[i].kind = type.kind == SECRET_BOOLEAN ? PLAN_AGGREGATE_BOOL_AND + pick(2) :
			PLAN_AGGREGATE_MIN + pick(2);
		if (chance(60) && (type.kind == SECRET_INTEGER || type.kind == SECRET_NUMERIC || type.kind == SECRET_FLOAT))
			source->aggregates[i].kind = PLAN_AGGREGATE_SUM;
		source->aggregates[i].part = pick(parts + 1);
		parts = Max(parts, source->aggregates[i].part + 1);
		input.columns[input.ncolumns++] = (InputColumn) {psprintf("value_%d", i), type};
	}
	for (int part = 0; part < parts; part++)
		input.columns[input.ncolumns++] = (InputColumn) {psprintf("patients_%d", part), secret_integer(PLAN_ROW_BITS)};
	oblivious_plan_add_input(plan, &input);
}

/* ---- expressions ---- */

static ExpressionScope scope;

static bool
type_of(const Expression *expression, ColumnType *type)
{
	Refusal		refusal;

	return expression_type(type, expression, &scope, NULL, &refusal);
}

static Expression *
random_constant(SecretType type)
{
	type.nullable = chance(10);
	return expression_constant(type, random_value(&type));
}

/* A column of this kind and scale, or a constant, or now and then a parameter. */
static Expression *
random_leaf(const SecretType *like)
{
	int			first = scope.ncolumns > 0 ? pick(scope.ncolumns) : 0;
	if (chance(80))
	{
		for (int i = 0; i < scope.ncolumns; i++)
		{
			int			c = (first + i) % scope.ncolumns;

			if (scope.columns[c].type.kind == like->kind && scope.columns[c].type.scale == like->scale)
				return expression_column(c);
		}
	}
	for (int p = 0; p < scope.nparams && chance(50); p++)
		if (scope.params[p].kind == like->kind && scope.params[p].scale == like->scale)
			return expression_parameter(p);
	{
		SecretType	narrow = *like;

		if (secret_is_number(like))
			narrow.bits = Min(like->bits, 3 + pick(10));
		return random_constant(narrow);
	}
}

static Expression *random_expression(const SecretType *like, int depth);

static SecretType
random_column_type(void)
{
	SecretType	type = scope.ncolumns > 0 && chance(90) ? scope.columns[pick(scope.ncolumns)].type : random_type();

	type.bits = Min(type.bits, type.kind == SECRET_TEXT ? 8 * SECRET_TEXT_BYTES_MAX : 64);
	type.scale = Min(type.scale, SECRET_DIGITS_MAX);
	return type;
}

static Expression *
random_list(ExpressionKind kind, const SecretType *like, int least, int depth)
{
	Expression *args[5];
	int			n = least + pick(lengthof(args) - least);

	for (int i = 0; i < n; i++)
		args[i] = kind == EXPRESSION_IN && i > 0 && chance(60) ? random_constant(*like) : random_expression(like, depth - 1);
	return expression_make(kind, n, args);
}

static Expression *
random_boolean(int depth)
{
	SecretType	boolean = secret_boolean();
	SecretType	other = random_column_type();
	int			column = pick(Max(scope.ncolumns, 1));

	/* A column with a public value, one side or the other. */
	if (scope.ncolumns > 0 && secret_is_number(&scope.columns[column].type) && chance(40))
	{
		Expression *args[] = {expression_column(column), NULL};
		bool		turned = chance(30);

		other = scope.columns[column].type;
		other.bits = 4;
		other.scale = Min(other.scale, SECRET_DIGITS_MAX);
		args[1] = random_constant(other);
		return expression_binary(EXPRESSION_EQUAL + pick(7), args[turned], args[!turned]);
	}
	switch (pick(6))
	{
		case 0:
		case 1:
			return expression_binary(EXPRESSION_EQUAL + pick(7), random_expression(&other, depth - 1),
									 random_expression(&other, depth - 1));
		case 2:
			return random_list(chance(50) ? EXPRESSION_AND : EXPRESSION_OR, &boolean, 2, depth);
		case 3:
			return expression_unary(chance(50) ? EXPRESSION_NOT : EXPRESSION_IS_TRUE, random_expression(&boolean, depth - 1));
		case 4:
			return expression_unary(EXPRESSION_IS_NULL, random_expression(&other, depth - 1));
		default:
			return random_list(EXPRESSION_IN, &other, 2, depth);
	}
}

static Expression *
random_case(const SecretType *like, int depth)
{
	Expression *args[5];
	int			n = chance(50) ? 3 : 5;
	SecretType	boolean = secret_boolean();

	for (int i = 0; i < n; i++)
		args[i] = i % 2 == 0 && i < n - 1 ? random_expression(&boolean, depth - 1) : random_expression(like, depth - 1);
	return expression_make(EXPRESSION_CASE, n, args);
}

static Expression *
random_cast(const SecretType *like, int depth)
{
	SecretType	from = *like;
	SecretType	to = *like;

	to.nullable = from.nullable = false;
	if (like->kind == SECRET_INTEGER && chance(30))
		from = secret_boolean();
	else if (like->kind == SECRET_INTEGER && chance(50))
		to.bits = 4 + pick(30);
	else if (like->kind == SECRET_DATE)
		from = secret_timestamp();
	else if (like->kind == SECRET_TIMESTAMP)
		from = secret_date();
	else if (like->kind == SECRET_NUMERIC || like->kind == SECRET_FLOAT)
		from = secret_integer(20);
	return expression_cast(random_expression(&from, depth - 1), to);
}

static Expression *
random_arithmetic(const SecretType *like, int depth)
{
	SecretType	other = *like;

	if (like->kind == SECRET_DATE || like->kind == SECRET_TIMESTAMP)
	{
		other = secret_integer(10);
		return expression_binary(chance(50) ? EXPRESSION_ADD : EXPRESSION_SUBTRACT, random_expression(like, depth - 1),
								 random_expression(&other, depth - 1));
	}
	if (like->kind == SECRET_INTEGER && chance(30))
	{
		other = secret_date();
		return expression_unary(EXPRESSION_YEAR + pick(5), random_expression(&other, depth - 1));
	}
	if (like->kind == SECRET_INTEGER && chance(15))
	{
		other = secret_date();
		return expression_binary(EXPRESSION_SUBTRACT, random_expression(&other, depth - 1), random_expression(&other, depth - 1));
	}
	if (chance(15))
		return expression_unary(EXPRESSION_NEGATE, random_expression(like, depth - 1));
	if (like->kind == SECRET_NUMERIC && chance(30))
	{
		other.scale = pick(like->scale + 1);
		SecretType	rest = *like;

		rest.scale -= other.scale;
		return expression_binary(EXPRESSION_MULTIPLY, random_expression(&other, depth - 1), random_expression(&rest, depth - 1));
	}
	return expression_binary(EXPRESSION_ADD + pick(like->kind == SECRET_NUMERIC ? 2 : 3), random_expression(like, depth - 1),
							 random_expression(like, depth - 1));
}

/* Of this kind and scale; what the checker refuses is replaced by a leaf. */
static Expression *
random_expression(const SecretType *like, int depth)
{
	Expression *expression = NULL;
	ColumnType	type;

	if (depth <= 0 || chance(25))
		return random_leaf(like);
	if (chance(20))
		expression = random_case(like, depth);
	else if (chance(20))
		expression = random_list(EXPRESSION_COALESCE + (chance(50) ? 0 : 2 + pick(2)), like, 2, depth);
	else if (like->kind == SECRET_BOOLEAN)
		expression = random_boolean(depth);
	else if (chance(25) || like->kind == SECRET_TEXT)
		expression = random_cast(like, depth);
	else
		expression = random_arithmetic(like, depth);
	if (type_of(expression, &type) && type.type.kind == like->kind && type.type.scale == like->scale)
		return expression;
	return random_leaf(like);
}

/* ---- plans ---- */

static CheckedPlan checked;
static PlanRefusal refusal;

static bool accepted;

/* Adds a node, and looks at what it makes: a plan that wants but its root is fine so far. */
static int
add(ObliviousPlan *plan, PlanNode node)
{
	int			number = oblivious_plan_add_node(plan, &node);

	accepted = plan_check(&checked, plan, &refusal) || strstr(refusal.refusal.reason, "neither opens nor stores") != NULL;
	if (accepted)
		scope = checked_scope(&checked, number);
	return number;
}

static int *
children(int first, int second)
{
	int		   *list = palloc(2 * sizeof(int));

	list[0] = first;
	list[1] = second;
	return list;
}

static int *
random_columns(int n)
{
	int		   *list = palloc((n + 1) * sizeof(int));

	for (int i = 0; i < n; i++)
		list[i] = pick(Max(scope.ncolumns, 1));
	return list;
}

static int
add_filter(ObliviousPlan *plan, int child)
{
	SecretType	boolean = secret_boolean();

	return add(plan, (PlanNode) {PLAN_FILTER, 1, children(child, 0), .condition = random_expression(&boolean, 3)});
}

/* Half of the columns as they are. */
static int
add_project(ObliviousPlan *plan, int child)
{
	PlanNode	node = {PLAN_PROJECT, 1, children(child, 0), .nexpressions = 1 + pick(5)};

	node.expressions = palloc(node.nexpressions * sizeof(Expression *));
	for (int i = 0; i < node.nexpressions; i++)
	{
		SecretType	like = random_column_type();

		node.expressions[i] = i == 0 ? expression_column(0) : random_expression(&like, 3);
	}
	return add(plan, node);
}

static int
add_sort(ObliviousPlan *plan, int child)
{
	PlanNode	node = {PLAN_SORT, 1, children(child, 0), .norder = 1 + pick(2)};

	node.order = palloc(node.norder * sizeof(OrderKey));
	for (int i = 0; i < node.norder; i++)
		node.order[i] = (OrderKey) {pick(Max(scope.ncolumns, 1)), chance(50), chance(50)};
	return add(plan, node);
}

static void
random_aggregate(PlanAggregate *aggregate)
{
	static const PlanAggregateKind of_numbers[] = {PLAN_AGGREGATE_SUM, PLAN_AGGREGATE_SUM, PLAN_AGGREGATE_SUM_PRODUCT,
	PLAN_AGGREGATE_PERCENTILE_DISC, PLAN_AGGREGATE_PERCENTILE_CONT, PLAN_AGGREGATE_MIN, PLAN_AGGREGATE_MAX};
	static const PlanAggregateKind of_any[] = {PLAN_AGGREGATE_COUNT, PLAN_AGGREGATE_COUNT_DISTINCT, PLAN_AGGREGATE_MIN,
	PLAN_AGGREGATE_MAX, PLAN_AGGREGATE_COUNT_DISTINCT};
	SecretType	like = random_column_type();
	SecretType	boolean = secret_boolean();

	memset(aggregate, 0, sizeof(PlanAggregate));
	if (chance(30))
		aggregate->filter = random_expression(&boolean, 2);
	aggregate->kind = PLAN_AGGREGATE_COUNT_ROWS;
	if (chance(20))
		return;
	aggregate->kind = like.kind == SECRET_BOOLEAN && chance(70) ? PLAN_AGGREGATE_BOOL_AND + pick(2) :
		secret_is_number(&like) && chance(70) ? of_numbers[pick(lengthof(of_numbers))] : of_any[pick(lengthof(of_any))];
	aggregate->nargs = aggregate->kind == PLAN_AGGREGATE_SUM_PRODUCT ? 2 : 1;
	for (int k = 0; k < aggregate->nargs; k++)
		aggregate->args[k] = random_expression(&like, chance(70) ? 0 : 2);
	if (aggregate->kind < PLAN_AGGREGATE_PERCENTILE_DISC)
		return;
	aggregate->denominator = 1 + pick(chance(50) ? 4 : PERCENTILE_DENOMINATOR_MAX);
	aggregate->numerator = pick(aggregate->denominator + 1);
}

/* Parts, as the checker wants them: one for each aggregate to which not every row contributes, or one for several. */
static void
number_parts(PlanNode *node)
{
	int			parts = 1;

	for (int a = 0; a < node->naggregates; a++)
	{
		PlanAggregate *aggregate = &node->aggregates[a];
		bool		all = aggregate->filter == NULL;

		for (int k = 0; k < aggregate->nargs; k++)
		{
			ColumnType	type = {{0}};

			all = all && type_of(aggregate->args[k], &type) && !type.type.nullable;
		}
		aggregate->part = all ? 0 : parts++;
	}
}

/* Like those before it, but something else of the same rows. */
static void
repeat_aggregate(PlanAggregate *aggregate, const PlanAggregate *before)
{
	*aggregate = *before;
	if (before->nargs == 1)
		aggregate->kind = chance(50) ? PLAN_AGGREGATE_COUNT : PLAN_AGGREGATE_COUNT_DISTINCT;
}

static int
add_group(ObliviousPlan *plan, int child)
{
	PlanNode	node = {PLAN_GROUP, 1, children(child, 0), .nkeys = chance(30) ? 0 : 1 + pick(2), .naggregates = pick(5)};
	const RelationType *type = &checked.nodes[child];

	node.keys = random_columns(node.nkeys);
	node.aggregates = palloc0((node.naggregates + 1) * sizeof(PlanAggregate));
	for (int a = 0; a < node.naggregates; a++)
		random_aggregate(&node.aggregates[a]);
	node.patients = palloc0((type->nsources + 1) * sizeof(int));
	for (int i = 0; i < type->nsources && chance(80); i++)
		for (int c = 0; c < type->ncolumns; c++)
			if (column_set_has(&type->sources[i].columns, c))
			{
				node.patients[node.npatients++] = c;
				break;
			}
	if (node.npatients > 0)
	{
		node.patients_min = 1 + pick(3);
		node.show_zero = chance(30);
		number_parts(&node);
		if (node.naggregates >= 2 && node.aggregates[0].part == 1 && chance(50))
		{
			/* Two aggregates in one part. */
			node.naggregates = 2;
			repeat_aggregate(&node.aggregates[1], &node.aggregates[0]);
		}
	}
	if (node.nkeys > 0 && chance(20))
		node.rows = 1 + pick(10);
	return add(plan, node);
}

static int
add_source(ObliviousPlan *plan, int input)
{
	int			node = add(plan, (PlanNode) {PLAN_SCAN, .input = input});

	if (chance(25))
		node = add_filter(plan, node);
	return node;
}

/* Pairs of a join without a unique key come in an order of their own. */
static bool any_order;

/* By the patients of both, or by any two columns of one kind. */
static int
add_join(ObliviousPlan *plan)
{
	int			left = add_source(plan, pick(TABLES));
	int			left_columns = scope.ncolumns;
	int			right = add_source(plan, chance(70));
	int			right_columns = scope.ncolumns;
	PlanNode	node = {PLAN_JOIN, 2, children(left, right), .form = 1 + pick(4), .nkeys = chance(80) ? 1 : 2};

	node.keys = palloc0(2 * sizeof(int));
	node.right_keys = palloc0(2 * sizeof(int));
	for (int k = chance(70); k < node.nkeys; k++)
	{
		node.keys[k] = pick(left_columns);
		node.right_keys[k] = pick(right_columns);
	}
	if (node.form == JOIN_FORM_INNER && chance(50))
	{
		node.rows = 1 + pick(60);
		any_order = true;
	}
	return add(plan, node);
}

static int
add_union(ObliviousPlan *plan)
{
	int			left = add_source(plan, 0);
	int			right = add_source(plan, 0);

	return add(plan, (PlanNode) {PLAN_UNION, 2, children(left, right)});
}

static int
add_root(ObliviousPlan *plan, int child)
{
	PlanNode	node = {PLAN_RELEASE, 1, children(child, 0), .ncolumns = 1 + pick(scope.ncolumns)};

	node.columns = random_columns(node.ncolumns);
	node.ordered = !any_order && chance(70);
	if (chance(25))
		node.rows = 1 + pick(20);
	return add(plan, node);
}

static int
add_store(ObliviousPlan *plan)
{
	int			node = add(plan, (PlanNode) {PLAN_SCAN, .input = pick(TABLES)});

	if (chance(50))
		node = add_filter(plan, node);
	if (accepted && chance(70))
		node = add_project(plan, node);
	if (!accepted)
		return node;
	return add(plan, (PlanNode) {PLAN_STORE, 1, children(node, 0), .ncolumns = 1, .columns = random_columns(1)});
}

static int
add_merge(ObliviousPlan *plan)
{
	int			groups = add(plan, (PlanNode) {PLAN_SCAN, .input = TABLES});

	return add(plan, (PlanNode) {PLAN_MERGE, 1, children(groups, 0), .patients_min = 1 + pick(6),
			   .rows = chance(20) ? 1 + pick(10) : 0});
}

/* False if the checker refuses it. */
static bool
random_plan(ObliviousPlan *plan)
{
	int			node;

	plan->nnodes = 0;
	any_order = false;
	if (chance(10))
	{
		add_store(plan);
		return accepted;
	}
	node = chance(10) ? add_merge(plan) : chance(35) ? add_join(plan) : chance(15) ? add_union(plan) : add_source(plan, pick(TABLES));
	for (int steps = pick(4); steps >= 0 && accepted; steps--)
	{
		switch (pick(8))
		{
			case 0:
			case 1:
			case 2:
			case 3:
				node = add_group(plan, node);
				break;
			case 4:
				node = add_project(plan, node);
				break;
			case 5:
				node = add_filter(plan, node);
				break;
			case 6:
				if (any_order)
					break;
				node = add_sort(plan, node);
				if (chance(50) && accepted)
					node = add(plan, (PlanNode) {PLAN_LIMIT, 1, children(node, 0), .offset = pick(3), .count = pick(12)});
				break;
			default:
				break;
		}
	}
	if (!accepted || scope.ncolumns == 0)
		return false;
	add_root(plan, node);
	return accepted;
}

/* ---- shares ---- */

static void
share_planes(SharedBits shared[PARTIES], const uint128 *values, int planes, size_t n)
{
	size_t		words = planes * BIT_WORDS(n);
	uint64	   *s[PARTIES];

	for (int i = 0; i < PARTIES; i++)
	{
		s[i] = palloc((words + 1) * sizeof(uint64));
		shared[i] = shared_bits_alloc(planes, n);
	}
	bits_random(prg, s[1], words);
	bits_random(prg, s[2], words);
	bits_clear_tails(s[1], planes, n);
	bits_clear_tails(s[2], planes, n);
	bits_slice_wide(s[0], values, n, planes);
	for (size_t w = 0; w < words; w++)
		s[0][w] ^= s[1][w] ^ s[2][w];
	for (int i = 0; i < PARTIES; i++)
	{
		memcpy(shared[i].mine, s[i], words * sizeof(uint64));
		memcpy(shared[i].next, s[PARTY_NEXT(i)], words * sizeof(uint64));
	}
	for (int i = 0; i < PARTIES; i++)
		pfree(s[i]);
}

/* Rows that are not there hold what they hold. */
static void
share_column(SharedColumn shared[PARTIES], const SecretType *type, const Rows *rows, int column)
{
	uint128    *values = palloc((rows->n + 1) * sizeof(uint128));
	uint128    *nulls = palloc((rows->n + 1) * sizeof(uint128));
	uint64	   *numbers = palloc((rows->n + 1) * sizeof(uint64));
	Shared64	number[PARTIES];
	SharedBits	bits[PARTIES];

	for (size_t v = 0; v < rows->n; v++)
	{
		nulls[v] = cell(rows, v, column)->null;
		values[v] = nulls[v] ? 0 : cell(rows, v, column)->v;
		numbers[v] = values[v];
		if (type->kind == SECRET_TEXT)
			values[v] >>= 128 - type->bits;
	}
	for (int i = 0; i < PARTIES; i++)
		shared[i] = (SharedColumn) {.type = column_type(*type)};
	if (secret_is_number(type))
		sim_share64(number, numbers, rows->n, prg, chance(30));
	else
		share_planes(bits, values, type->bits, rows->n);
	for (int i = 0; i < PARTIES; i++)
	{
		if (secret_is_number(type))
			shared[i].number = number[i];
		else
			shared[i].bits = bits[i];
	}
	share_planes(bits, nulls, 1, rows->n);
	for (int i = 0; i < PARTIES; i++)
		if (type->nullable)
			shared[i].null = bits[i];
	pfree(values);
	pfree(nulls);
	pfree(numbers);
}

/* ---- running ---- */

typedef struct Job
{
	const CheckedPlan *checked;
	const PublicValue *params;
	SharedRelation inputs[INPUTS][PARTIES];
	ObliviousResult result[PARTIES];
	uint64		round_bytes;
} Job;

/* A copy: a plan may scan an input twice. */
static SharedRelation
load(Party *self, int input, void *arg)
{
	const SharedRelation *from = &((Job *) arg)->inputs[input][self->index];
	SharedRelation relation = *from;

	relation.columns = palloc((from->ncolumns + 1) * sizeof(SharedColumn));
	for (int c = 0; c < from->ncolumns; c++)
		relation.columns[c] = column_copy(&from->columns[c]);
	relation.valid = plane_copy(&from->valid);
	return relation;
}

static void
step(Party *self, void *arg)
{
	Job		   *job = arg;
	Executing	executing = {load, job};

	self->round_bytes = job->round_bytes;
	job->result[self->index] = execute_plan(self, job->checked, job->params, &executing);
}

static void
share_inputs(Job *job, const ObliviousPlan *plan, const Rows *rows)
{
	for (int input = 0; input < plan->ninputs; input++)
	{
		const PlanInput *described = &plan->inputs[input];
		uint128    *there = palloc((rows[input].n + 1) * sizeof(uint128));
		SharedBits	valid[PARTIES];

		if (described->kind == INPUT_NUMBERS)
			continue;
		for (size_t v = 0; v < rows[input].n; v++)
			there[v] = rows[input].there[v];
		share_planes(valid, there, 1, rows[input].n);
		for (int i = 0; i < PARTIES; i++)
		{
			job->inputs[input][i] = (SharedRelation) {rows[input].n, described->ncolumns};
			job->inputs[input][i].columns = palloc((described->ncolumns + 1) * sizeof(SharedColumn));
			job->inputs[input][i].valid = valid[i];
		}
		for (int c = 0; c < described->ncolumns; c++)
		{
			SharedColumn shared[PARTIES];

			share_column(shared, &described->columns[c].type, &rows[input], c);
			for (int i = 0; i < PARTIES; i++)
				job->inputs[input][i].columns[c] = shared[i];
		}
		pfree(there);
	}
}

/* ---- comparing ---- */

static int128
opened_value(const ColumnType *type, int128 value)
{
	return type->type.kind == SECRET_TEXT ? (int128) ((uint128) value << (128 - type->type.bits)) : value;
}

static bool
same_row(const OpenedResult *opened, size_t v, const Rows *rows, size_t w)
{
	for (int c = 0; c < opened->ncolumns; c++)
	{
		const OpenedColumn *column = &opened->columns[c];
		const Value *value = cell(rows, w, c);
		bool		null = column->nulls && column->nulls[v];

		if (null != value->null || opened_value(&column->type, column->values[v]) != (null ? 0 : value->v))
			return false;
	}
	return true;
}

/* Every row once. */
static bool
same_rows(const OpenedResult *opened, const Rows *rows, bool ordered)
{
	bool	   *used = palloc0(rows->n + 1);
	bool		same = opened->there == rows->n;

	for (size_t v = 0; v < opened->there && same; v++)
	{
		size_t		w = ordered ? v : 0;

		while (w < rows->n && (used[w] || !same_row(opened, v, rows, w)))
			w += ordered ? rows->n : 1;
		same = w < rows->n;
		if (same)
			used[w] = true;
	}
	pfree(used);
	return same;
}

/* Nothing is in what is not there. */
static bool
rest_is_zero(const OpenedResult *opened)
{
	for (int c = 0; c < opened->ncolumns; c++)
		for (size_t v = opened->there; v < opened->rows; v++)
			if (opened->columns[c].values[v] != 0 || (opened->columns[c].nulls && opened->columns[c].nulls[v]))
				return false;
	return true;
}

/* For whoever looks for the reason, as show_node(). */
static void
show_answers(const OpenedResult *opened, const Rows *rows)
{
	for (size_t v = 0; v < Max(opened->there, rows->n) && v < 20; v++)
	{
		printf("#   ");
		for (int c = 0; c < opened->ncolumns && v < opened->there; c++)
			printf(" " INT64_FORMAT "%s", (int64) opened->columns[c].values[v],
				   opened->columns[c].nulls && opened->columns[c].nulls[v] ? " null" : "");
		printf(" instead of");
		for (int c = 0; c < opened->ncolumns && v < rows->n; c++)
			printf(" " INT64_FORMAT "%s", (int64) cell(rows, v, c)->v, cell(rows, v, c)->null ? " null" : "");
		printf("\n");
	}
}

static bool
any_problem(const ClearRun *run)
{
	for (int i = 0; i < run->checked->nproblems; i++)
		if (run->problems[i])
			return true;
	return false;
}

static void
check_released(const Job *job, const ClearRun *run, const Rows *expected, uint64 id)
{
	const PlanNode *root = &run->checked->plan->nodes[run->checked->plan->nnodes - 1];
	StringInfoData message[PARTIES];
	const uint8 *messages[PARTIES];
	size_t		lens[PARTIES];
	OpenedResult opened;
	const char *reason = "";
	bool		read;

	for (int i = 0; i < PARTIES; i++)
	{
		initStringInfo(&message[i]);
		result_message_encode(&message[i], &job->result[i]);
		messages[i] = (uint8 *) message[i].data;
		lens[i] = message[i].len;
	}
	read = result_open(&opened, run->checked, messages, lens, &reason);
	CHECK(read, "query " UINT64_FORMAT ": %s", id, reason);
	if (!read)
		return;
	CHECK(rest_is_zero(&opened), "query " UINT64_FORMAT, id);
	if (getenv("SIM_QUERY"))
		show_answers(&opened, expected);
	if (!any_problem(run))
	{
		CHECK(opened.problem == NULL, "query " UINT64_FORMAT ": problem %d", id, opened.problem->kind);
		CHECK(same_rows(&opened, expected, root->ordered), "query " UINT64_FORMAT ": %zu rows, opened " UINT64_FORMAT,
			  id, expected->n, opened.there);
		return;
	}
	/* Where nothing would be shown because of patients, nothing is said. */
	CHECK(opened.problem != NULL || plan_withholds(run->checked), "query " UINT64_FORMAT ": a problem is not told", id);
	CHECK(opened.there == 0, "query " UINT64_FORMAT ": rows in spite of a problem", id);
}

static uint64
stored(const SharedColumn column[PARTIES], size_t v, bool *null)
{
	*null = false;
	if (column[0].null.mine)
		*null = (column[0].null.mine[v / 64] ^ column[1].null.mine[v / 64] ^ column[2].null.mine[v / 64]) >> (v % 64) & 1;
	return column[0].number.mine ? column[0].number.mine[v] + column[1].number.mine[v] + column[2].number.mine[v] : 0;
}

static void
check_stored(const Job *job, const ClearRun *run, const Rows *expected, uint64 id)
{
	const SharedRelation *relation = &job->result[0].relation;
	SharedColumn column[PARTIES];
	bool		problem = false;

	for (int i = 0; i < PARTIES; i++)
		column[i] = job->result[i].relation.columns[0];
	for (int i = 0; i < run->checked->nproblems; i++)
		problem = problem || ((job->result[0].problems.mine[0] ^ job->result[1].problems.mine[0] ^
							   job->result[2].problems.mine[0]) >> i & 1);
	CHECK(problem == any_problem(run), "query " UINT64_FORMAT, id);
	CHECK(relation->n == expected->n, "query " UINT64_FORMAT, id);
	/* What does not fit is not stored. */
	if (problem)
		return;
	for (size_t v = 0; v < relation->n; v++)
	{
		bool		null;
		uint64		found = stored(column, v, &null);
		const Value *value = cell(expected, v, 0);
		uint64		there = relation->valid.mine[v / 64] ^ job->result[1].relation.valid.mine[v / 64] ^
			job->result[2].relation.valid.mine[v / 64];

		CHECK((there >> (v % 64) & 1) == expected->there[v], "query " UINT64_FORMAT, id);
		if (!expected->there[v])
			continue;
		CHECK(null == value->null, "query " UINT64_FORMAT, id);
		if (column[0].number.mine)
			CHECK(found == (null ? 0 : (uint64) value->v), "query " UINT64_FORMAT, id);
	}
}

static void
free_job(Job *job)
{
	for (int i = 0; i < PARTIES; i++)
	{
		oblivious_result_free(&job->result[i]);
		for (int input = 0; input < checked.plan->ninputs; input++)
			relation_free(&job->inputs[input][i]);
	}
}

/* For whoever looks for the reason: SIM_QUERY=id shows the plan. */
static void
show_expression(const Expression *expression)
{
	printf("%s", expression_kind_name(expression->kind));
	if (expression->kind == EXPRESSION_COLUMN || expression->kind == EXPRESSION_PARAMETER)
		printf(" %d", expression->number);
	if (expression->kind == EXPRESSION_CONSTANT || expression->kind == EXPRESSION_CAST)
		printf(" %s %d.%d", secret_kind_name(expression->type.kind), expression->type.bits, expression->type.scale);
	if (expression->kind == EXPRESSION_CONSTANT)
		printf(" " INT64_FORMAT "%s", expression->value.number, expression->value.null ? " null" : "");
	for (int i = 0; i < expression->nargs; i++)
	{
		printf(i == 0 ? "(" : ", ");
		show_expression(expression->args[i]);
	}
	if (expression->nargs > 0)
		printf(")");
}

static void
show_node(int number)
{
	const PlanNode *node = &checked.plan->nodes[number];
	const RelationType *type = &checked.nodes[number];

	printf("# %d %s form %d rows " UINT64_FORMAT " children %d %d:", number, plan_node_name(node->kind), node->form, node->rows,
		   node->nchildren > 0 ? node->children[0] : -1, node->nchildren > 1 ? node->children[1] : -1);
	for (int c = 0; c < type->ncolumns; c++)
		printf(" %s %d.%d%s", secret_kind_name(type->columns[c].type.kind), type->columns[c].type.bits,
			   type->columns[c].type.scale, type->columns[c].type.nullable ? "?" : "");
	printf("\n");
	if (node->condition)
	{
		printf("#    ");
		show_expression(node->condition);
		printf("\n");
	}
	for (int i = 0; i < node->nexpressions; i++)
	{
		printf("#    ");
		show_expression(node->expressions[i]);
		printf("\n");
	}
	for (int k = 0; k < node->nkeys; k++)
		printf("#    key %d %d\n", node->keys[k], node->right_keys ? node->right_keys[k] : 0);
	for (int k = 0; k < node->npatients; k++)
		printf("#    patient %d, at least " UINT64_FORMAT "%s\n", node->patients[k], node->patients_min, node->show_zero ? ", or none" : "");
	for (int a = 0; a < node->naggregates; a++)
	{
		const PlanAggregate *aggregate = &node->aggregates[a];

		printf("#    part %d %s %d/%d ", aggregate->part, plan_aggregate_name(aggregate->kind), aggregate->numerator, aggregate->denominator);
		for (int k = 0; k < aggregate->nargs; k++)
			show_expression(aggregate->args[k]);
		if (aggregate->filter)
		{
			printf(" where ");
			show_expression(aggregate->filter);
		}
		printf("\n");
	}
}

static uint64 answers_with_rows;
static uint64 answers_with_problems;

/* What the last one took. */
static uint64 rounds_taken;
static uint64 bytes_taken;
static uint64 round_bytes;		/* that parties are told */

static void
run_plan(const ObliviousPlan *plan, const PublicValue *params, const Rows *rows, uint64 id)
{
	Job		   *job = palloc0(sizeof(Job));
	bool	   *problems = palloc0(checked.nproblems + 1);
	ClearRun	run = {&checked, params, rows, problems};
	Rows		expected = clear_execute(&run);
	Sim			sim;

	answers_with_rows += expected.n > 0;
	answers_with_problems += any_problem(&run);
	job->checked = &checked;
	job->params = params;
	job->round_bytes = round_bytes;
	share_inputs(job, plan, rows);
	sim_open(&sim, id);
	sim_run_well(&sim, step, job);
	rounds_taken = sim.party[0].rounds;
	bytes_taken = Max(sim.party[0].bytes_sent, sim.party[1].bytes_sent);
	for (int i = 0; i < PARTIES; i++)
	{
		CHECK(sim.party[i].memory_reserved == 0, "query " UINT64_FORMAT, id);
		CHECK(sim.party[i].rounds == sim.party[0].rounds, "query " UINT64_FORMAT, id);
	}
	if (!sim.outcome[0].failed && !sim.outcome[1].failed && !sim.outcome[2].failed)
	{
		if (plan->nodes[plan->nnodes - 1].kind == PLAN_STORE)
			check_stored(job, &run, &expected, id);
		else
			check_released(job, &run, &expected, id);
		free_job(job);
	}
	sim_close(&sim);
	pfree(job);
}

/* What is written is read, and has the same bytes. */
static void
check_bytes_of(const ObliviousPlan *plan, uint64 id)
{
	StringInfoData bytes;
	StringInfoData again;
	ObliviousPlan read;
	const char *reason = "";

	initStringInfo(&bytes);
	initStringInfo(&again);
	oblivious_plan_encode(&bytes, plan);
	if (!oblivious_plan_decode(&read, bytes.data, bytes.len, &reason))
	{
		CHECK(false, "query " UINT64_FORMAT ": %s", id, reason);
		return;
	}
	oblivious_plan_encode(&again, &read);
	CHECK(again.len == bytes.len && memcmp(again.data, bytes.data, bytes.len) == 0, "query " UINT64_FORMAT, id);
}

static uint64 nodes_run[PLAN_NODE_KIND_MAX + 1];
static uint64 aggregates_run[PLAN_AGGREGATE_KIND_MAX + 1];

static void
random_query(uint64 id)
{
	ObliviousPlan *plan = oblivious_plan_create();
	PublicValue params[2];
	Rows		rows[INPUTS];
	size_t		n;

	prg = sim_prg("query", id);
	for (int input = 0; input < INPUTS; input++)
	{
		n = sizes[pick(lengthof(sizes))];
		if (input == TABLES)
			random_groups(plan, n);
		else
			random_input(plan, input == 0 ? "visit" : "patient", input == 1 || chance(10), n);
		rows[input] = random_rows(&plan->inputs[input], n);
	}
	for (int p = 0; p < lengthof(params); p++)
	{
		SecretType	type = random_type();

		oblivious_plan_add_parameter(plan, type);
		params[p] = random_value(&type);
	}
	while (!random_plan(plan));
	round_bytes = UINT64CONST(1) << pick(28);
	if (getenv("SIM_VERBOSE"))
		printf("# query " UINT64_FORMAT "\n", id);
	for (int i = 0; i < plan->nnodes && getenv("SIM_QUERY"); i++)
		show_node(i);
	check_bytes_of(plan, id);
	for (int i = 0; i < plan->nnodes; i++)
	{
		nodes_run[plan->nodes[i].kind]++;
		for (int a = 0; a < plan->nodes[i].naggregates; a++)
			aggregates_run[plan->nodes[i].aggregates[a].kind]++;
	}
	run_plan(plan, params, rows, id);
	prg_free(prg);
}

/* ---- costs ---- */

/* What EXPLAIN says is not half of what it takes, and not twice as much. */
static void
expect_cost(ObliviousPlan *plan, const Rows *rows, uint64 id)
{
	PublicValue params[1] = {{false, 100}};
	LinkCost	link = {.round_us = 1};
	NodeCost	cost;

	if (!plan_check(&checked, plan, &refusal))
		abort();
	round_bytes = id % 2 == 0 ? 1 : 1024 * 1024;
	link.bytes_per_us = round_bytes;
	cost = plan_cost_total(&checked, &link);
	run_plan(plan, params, rows, id);
	printf("# estimated %.0f rounds, %.0f bytes; took " UINT64_FORMAT ", " UINT64_FORMAT "\n",
		   cost.rounds, cost.bytes, rounds_taken, bytes_taken);
	CHECK(cost.rounds > rounds_taken / 2.0 && cost.rounds < rounds_taken * 2.0, "rounds");
	CHECK(cost.bytes > bytes_taken / 2.0 && cost.bytes < bytes_taken * 2.0, "bytes");
}

/* Numbers that everybody knows need no loading. */
static void
test_numbers(void)
{
	ObliviousPlan *plan = oblivious_plan_create();
	InputColumn column = {"number", secret_integer(11), true};
	PlanInput	input = {"numbers", INPUT_NUMBERS, 1000, PATIENT_NONE, 1, &column};
	PlanNode	release = {PLAN_RELEASE, 1, numbers_of(1, 1, 0), .ncolumns = 1, .columns = numbers_of(1, 0, 0), .ordered = true};
	PlanNode	sort = {PLAN_SORT, 1, numbers_of(1, 0, 0), .norder = 1, .order = palloc0(sizeof(OrderKey))};
	Rows		rows = rows_make(1000, 1);
	PlanRefusal refusal;

	for (size_t v = 0; v < rows.n; v++)
	{
		rows.there[v] = true;
		*cell(&rows, v, 0) = value_of(v);
	}
	sort.order[0].descending = true;
	oblivious_plan_add_input(plan, &input);
	oblivious_plan_add_node(plan, &(PlanNode) {PLAN_SCAN});
	oblivious_plan_add_node(plan, &sort);
	oblivious_plan_add_node(plan, &release);
	prg = sim_prg("numbers", 0);
	expect_cost(plan, &rows, 1000003);
	prg_free(prg);

	plan->inputs[0].rows = NUMBERS_ROWS_MAX + 1;
	plan->inputs[0].columns[0].type.bits = 33;
	CHECK(!plan_check(&checked, plan, &refusal), "too many numbers");
	plan->inputs[0].rows = 1000;
	CHECK(plan_check(&checked, plan, &refusal), "wide numbers");
	plan->inputs[0].columns[0].type.bits = 10;
	CHECK(!plan_check(&checked, plan, &refusal), "numbers that do not fit");
	plan->inputs[0].columns[0].type.bits = 11;
	plan->inputs[0].patient = 0;
	CHECK(!plan_check(&checked, plan, &refusal), "numbers of patients");
	sim_report("numbers that everybody knows are there, as many as may be");
}

static void
test_costs(void)
{
	ObliviousPlan *plan = a_plan();
	PlanNode	release = {PLAN_RELEASE, 1, numbers_of(1, 1, 0), .ncolumns = 2, .columns = numbers_of(2, 0, 1)};
	Rows		rows[INPUTS];

	prg = sim_prg("cost", 0);
	for (int input = 0; input < plan->ninputs; input++)
		rows[input] = random_rows(&plan->inputs[input], plan->inputs[input].rows);
	expect_cost(plan, rows, 1000000);
	plan->nnodes = 2;
	oblivious_plan_add_node(plan, &release);
	expect_cost(plan, rows, 1000001);
	plan = a_plan();
	plan->nodes[5].npatients = 0;
	plan->nodes[5].patients_min = 0;
	plan->nodes[5].show_zero = false;
	for (int a = 0; a < plan->nodes[5].naggregates; a++)
		plan->nodes[5].aggregates[a].part = 0;
	plan->nodes[5].aggregates[2].kind = PLAN_AGGREGATE_SUM;
	expect_cost(plan, rows, 1000002);
	prg_free(prg);
	sim_report("costs are estimated to within a factor of two");
}

int
main(void)
{
	const char *given = getenv("SIM_QUERIES");
	const char *one = getenv("SIM_QUERY");
	uint64		queries = given ? strtoull(given, NULL, 10) : SLOWED_DOWN ? 40 : getenv("SECMED_LONG") ? 10000 : 400;
	int			missing = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sim_start();
	for (uint64 id = one ? strtoull(one, NULL, 10) : 0; id < queries && (!one || sim_failures == 0); id++)
	{
		random_query(id);
		if (one)
			break;
	}
	sim_report("%d random plans open what was computed in the clear", (int) queries);
	for (int kind = 1; kind <= PLAN_NODE_KIND_MAX; kind++)
		missing += nodes_run[kind] == 0;
	for (int kind = 1; kind <= PLAN_AGGREGATE_KIND_MAX; kind++)
		missing += aggregates_run[kind] == 0 && kind != PLAN_AGGREGATE_ANY;
	if (!one && !SLOWED_DOWN)
	{
		test_costs();
		test_numbers();
		check(missing == 0, "every kind of node and aggregate was among them");
		check(answers_with_rows * 3 > queries && answers_with_problems > 0, "and answers with rows, and with problems");
	}
	return sim_end();
}
