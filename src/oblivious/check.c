/*
 * check.c
 *	  What follows from a plan alone, node by node.
 */
#include "oblivious/check.h"

/* Of a relation we remember so many sets that are unique; more help nobody. */
#define UNIQUE_SETS_MAX		16

/* Where we are. */
typedef struct Checking
{
	CheckedPlan *checked;
	const ObliviousPlan *plan;
	const PlanNode *node;
	int			number;			/* of the node */
	RelationType *out;
	Refusal    *refusal;
} Checking;

#define refuse(checking, ...)	refuse_expression((checking)->refusal, NULL, __VA_ARGS__)

static const RelationType *
child(const Checking *checking, int which)
{
	return &checking->checked->nodes[checking->node->children[which]];
}

/* ---- sets ---- */

static void
set_add(ColumnSet *set, int column)
{
	set->words[column / 64] |= UINT64CONST(1) << (column % 64);
}

static bool
set_within(const ColumnSet *part, const ColumnSet *whole)
{
	for (int w = 0; w < lengthof(part->words); w++)
		if (part->words[w] & ~whole->words[w])
			return false;
	return true;
}

static ColumnSet
set_union(ColumnSet a, const ColumnSet *b)
{
	for (int w = 0; w < lengthof(a.words); w++)
		a.words[w] |= b->words[w];
	return a;
}

/* The set with columns numbered from `by` on. */
static ColumnSet
set_shifted(const ColumnSet *set, int by)
{
	ColumnSet	shifted = {{0}};

	for (int c = 0; c + by < RELATION_COLUMNS_MAX; c++)
		if (column_set_has(set, c))
			set_add(&shifted, c + by);
	return shifted;
}

static void
add_unique(RelationType *relation, ColumnSet set)
{
	if (relation->nunique < UNIQUE_SETS_MAX)
		relation->unique[relation->nunique++] = set;
}

static void
add_source(RelationType *relation, PatientSource source)
{
	relation->sources[relation->nsources++] = source;
}

/* Two NULLs are equal for GROUP BY and make rows unequal for UNIQUE, so there must be none. */
bool
relation_is_unique(const RelationType *relation, const int *columns, int n)
{
	ColumnSet	given = {{0}};

	for (int i = 0; i < n; i++)
		if (!relation->columns[columns[i]].type.nullable)
			set_add(&given, columns[i]);
	for (int i = 0; i < relation->nunique; i++)
		if (set_within(&relation->unique[i], &given))
			return true;
	return false;
}

bool
plan_withholds(const CheckedPlan *checked)
{
	for (int i = 0; i < checked->plan->ninputs; i++)
		if (checked->patients_min[i] > 1 && checked->patients_min[i] != PATIENTS_NOT_OPENED)
			return true;
	return false;
}

ExpressionScope
checked_scope(const CheckedPlan *checked, int node)
{
	const RelationType *relation = &checked->nodes[node];

	return (ExpressionScope) {relation->ncolumns, relation->columns, checked->plan->nparams, checked->plan->params};
}

/* ---- steps that nodes share ---- */

/* An empty relation with room for so many columns and sources. */
static bool
start(Checking *checking, uint64 rows, int ncolumns, int nsources)
{
	RelationType *out = checking->out;

	if (ncolumns > RELATION_COLUMNS_MAX)
		return refuse(checking, "has %d columns, which is more than %d", ncolumns, RELATION_COLUMNS_MAX);
	if (rows > RELATION_ROWS_MAX)
		return refuse(checking, "has " UINT64_FORMAT " rows, which is more than " UINT64_FORMAT, rows, RELATION_ROWS_MAX);
	out->rows = rows;
	out->ncolumns = ncolumns;
	out->columns = palloc0((ncolumns + 1) * sizeof(ColumnType));
	out->unique = palloc0(UNIQUE_SETS_MAX * sizeof(ColumnSet));
	out->sources = palloc0((nsources + 1) * sizeof(PatientSource));
	return true;
}

/* The relation of the child, with all that is known of it. */
static bool
start_as_child(Checking *checking, uint64 rows)
{
	const RelationType *from = child(checking, 0);
	RelationType *out = checking->out;

	if (!start(checking, rows, from->ncolumns, from->nsources))
		return false;
	memcpy(out->columns, from->columns, from->ncolumns * sizeof(ColumnType));
	memcpy(out->unique, from->unique, from->nunique * sizeof(ColumnSet));
	memcpy(out->sources, from->sources, from->nsources * sizeof(PatientSource));
	out->nunique = from->nunique;
	out->nsources = from->nsources;
	return true;
}

static bool
require_column(Checking *checking, int which, int column)
{
	if (column < 0 || column >= child(checking, which)->ncolumns)
		return refuse(checking, "refers to column %d of %d", column, child(checking, which)->ncolumns);
	return true;
}

static bool
require_columns(Checking *checking, const int *columns, int n)
{
	for (int i = 0; i < n; i++)
		if (!require_column(checking, 0, columns[i]))
			return false;
	return true;
}

static void
add_problem(Checking *checking, ProblemKind kind)
{
	CheckedPlan *checked = checking->checked;

	checked->problems[checked->nproblems++] = (PlanProblem) {kind, checking->number};
}

/* The type of an expression over the child; *range_checks adds up. */
static bool
type_here(Checking *checking, ColumnType *out, const Expression *expression, int *range_checks)
{
	ExpressionScope scope = checked_scope(checking->checked, checking->node->children[0]);

	return expression_type(out, expression, &scope, range_checks, checking->refusal);
}

static bool
require_condition(Checking *checking, const Expression *condition, int *range_checks)
{
	ColumnType	type;

	if (!type_here(checking, &type, condition, range_checks))
		return false;
	if (type.type.kind != SECRET_BOOLEAN)
		return refuse_expression(checking->refusal, condition, "is of type %s, and no condition",
								 secret_kind_name(type.type.kind));
	return true;
}

/* Columns out[i] are columns from[i] of the child, or new ones if that is -1: what follows for sets. */
static bool
move_set(ColumnSet *to, const ColumnSet *from, const int *columns, int n)
{
	ColumnSet	found = {{0}};

	memset(to, 0, sizeof(ColumnSet));
	for (int i = 0; i < n; i++)
	{
		if (columns[i] < 0 || !column_set_has(from, columns[i]))
			continue;
		set_add(to, i);
		set_add(&found, columns[i]);
	}
	return set_within(from, &found);
}

static void
move_sets(Checking *checking, const int *columns, int n)
{
	const RelationType *from = child(checking, 0);
	ColumnSet	set;

	for (int i = 0; i < from->nunique; i++)
		if (move_set(&set, &from->unique[i], columns, n))
			add_unique(checking->out, set);
	for (int i = 0; i < from->nsources; i++)
	{
		move_set(&set, &from->sources[i].columns, columns, n);
		add_source(checking->out, (PatientSource) {from->sources[i].inputs, set});
	}
}

/* ---- scan, filter, project, union ---- */

static bool
check_numbers(Checking *checking, const PlanInput *input)
{
	const SecretType *type = &input->columns[0].type;

	if (input->patient != PATIENT_NONE || input->ncolumns != 1 || type->kind != SECRET_INTEGER || type->nullable ||
		input->rows == 0 || input->rows > NUMBERS_ROWS_MAX || !secret_fits(type, input->rows - 1))
		return refuse(checking, "is of numbers that are not from 0 to %d at most", NUMBERS_ROWS_MAX - 1);
	return true;
}

static bool
check_scan(Checking *checking)
{
	RelationType *out = checking->out;
	const PlanInput *input;
	PatientSource source = {UINT32_C(1) << checking->node->input};
	bool		numbered;

	if (checking->node->input >= checking->plan->ninputs)
		return refuse(checking, "is of input %d of %d", checking->node->input, checking->plan->ninputs);
	input = &checking->plan->inputs[checking->node->input];
	if (input->kind == INPUT_NUMBERS && !check_numbers(checking, input))
		return false;
	numbered = input->patient == PATIENT_EACH_ROW;
	if (!start(checking, input->rows, input->ncolumns + numbered, 1))
		return false;
	for (int i = 0; i < input->ncolumns; i++)
	{
		ColumnSet	set = {{0}};

		out->columns[i] = column_type(input->columns[i].type);
		set_add(&set, i);
		if (input->columns[i].unique)
			add_unique(out, set);
	}
	if (numbered)
	{
		set_add(&source.columns, input->ncolumns);
		out->columns[input->ncolumns] = column_type_of_range(SECRET_INTEGER, 0, 0, Max(input->rows, 1) - 1, false);
		add_unique(out, source.columns);
	}
	else if (input->patient >= 0)
		set_add(&source.columns, input->patient);
	if (input->patient != PATIENT_NONE)
		add_source(out, source);
	return true;
}

static bool
check_filter(Checking *checking)
{
	int			range_checks = 0;

	if (!require_condition(checking, checking->node->condition, &range_checks))
		return false;
	if (range_checks > 0)
		add_problem(checking, PROBLEM_RANGE);
	return start_as_child(checking, child(checking, 0)->rows);
}

static bool
check_project(Checking *checking)
{
	const PlanNode *node = checking->node;
	int		   *columns = palloc0((node->nexpressions + 1) * sizeof(int));
	int			range_checks = 0;

	if (!start(checking, child(checking, 0)->rows, node->nexpressions, child(checking, 0)->nsources))
		return false;
	for (int i = 0; i < node->nexpressions; i++)
	{
		const Expression *expression = node->expressions[i];

		if (!type_here(checking, &checking->out->columns[i], expression, &range_checks))
			return false;
		columns[i] = expression->kind == EXPRESSION_COLUMN ? expression->number : -1;
	}
	move_sets(checking, columns, node->nexpressions);
	pfree(columns);
	if (range_checks > 0)
		add_problem(checking, PROBLEM_RANGE);
	return true;
}

static bool
join_columns(Checking *checking, int which)
{
	const RelationType *from = child(checking, which);
	RelationType *out = checking->out;

	if (from->ncolumns != out->ncolumns)
		return refuse(checking, "is of relations with %d and %d columns", out->ncolumns, from->ncolumns);
	for (int c = 0; c < out->ncolumns; c++)
		if (!column_type_join(&out->columns[c], &out->columns[c], &from->columns[c]))
			return refuse(checking, "is of relations whose columns %d have types %s and %s", c,
						  secret_kind_name(out->columns[c].type.kind), secret_kind_name(from->columns[c].type.kind));
	return true;
}

/*
 * Patients of a union: told apart together by columns that do so in every child, as patients of
 * one consortium.  Else nobody can count them: what other rows hold in that column are no patients.
 */
static void
union_sources(RelationType *out, const RelationType *from)
{
	for (int i = 0; i < out->nsources; i++)
	{
		for (int w = 0; w < lengthof(out->sources[i].columns.words); w++)
			out->sources[i].columns.words[w] &= i < from->nsources ? from->sources[i].columns.words[w] : 0;
		if (i < from->nsources)
			out->sources[i].inputs |= from->sources[i].inputs;
	}
	for (int i = out->nsources; i < from->nsources; i++)
		add_source(out, (PatientSource) {from->sources[i].inputs});
}

static bool
check_union(Checking *checking)
{
	uint64		rows = 0;
	int			nsources = 0;

	if (checking->node->nchildren < 2)
		return refuse(checking, "has %d children", checking->node->nchildren);
	for (int i = 0; i < checking->node->nchildren; i++)
	{
		rows += child(checking, i)->rows;
		nsources += child(checking, i)->nsources;
	}
	if (!start(checking, rows, child(checking, 0)->ncolumns, nsources))
		return false;
	memcpy(checking->out->columns, child(checking, 0)->columns, checking->out->ncolumns * sizeof(ColumnType));
	for (int i = 0; i < child(checking, 0)->nsources; i++)
		add_source(checking->out, child(checking, 0)->sources[i]);
	for (int i = 1; i < checking->node->nchildren; i++)
	{
		if (!join_columns(checking, i))
			return false;
		union_sources(checking->out, child(checking, i));
	}
	return true;
}

/* ---- join ---- */

/* Only for rows of both sides that are matched. */
static bool
keeps_right(JoinForm form)
{
	return form == JOIN_FORM_INNER || form == JOIN_FORM_LEFT;
}

static bool
check_join_keys(Checking *checking)
{
	const PlanNode *node = checking->node;
	ColumnType	both;

	if (node->nkeys == 0)
		return refuse(checking, "has no keys");
	for (int i = 0; i < node->nkeys; i++)
	{
		const ColumnType *left;
		const ColumnType *right;

		if (!require_column(checking, 0, node->keys[i]) || !require_column(checking, 1, node->right_keys[i]))
			return false;
		left = &child(checking, 0)->columns[node->keys[i]];
		right = &child(checking, 1)->columns[node->right_keys[i]];
		if (!column_type_join(&both, left, right))
			return refuse(checking, "is by keys of type %s and %s",
						  secret_kind_name(left->type.kind), secret_kind_name(right->type.kind));
	}
	return true;
}

/* NULLs match nothing, so here they do not spoil what is unique. */
static bool
right_is_unique(const Checking *checking)
{
	const RelationType *right = child(checking, 1);
	ColumnSet	keys = {{0}};

	for (int i = 0; i < checking->node->nkeys; i++)
		set_add(&keys, checking->node->right_keys[i]);
	for (int i = 0; i < right->nunique; i++)
		if (set_within(&right->unique[i], &keys))
			return true;
	return false;
}

/*
 * Are they the same patients, because a key of the join tells them apart on both sides?
 */
static bool
joined_by_patient(const Checking *checking, const PatientSource *left, const PatientSource *right)
{
	const PlanNode *node = checking->node;

	for (int i = 0; i < node->nkeys; i++)
		if (column_set_has(&left->columns, node->keys[i]) && column_set_has(&right->columns, node->right_keys[i]))
			return true;
	return false;
}

/*
 * In an inner join the columns of both sides tell the same patients apart.  In a left join those of the right may
 * be NULL.  After a semi or anti join nothing of the right is left, but that a row is there tells of it.
 */
static void
join_sources(Checking *checking)
{
	RelationType *out = checking->out;
	const RelationType *left = child(checking, 0);
	const RelationType *right = child(checking, 1);
	JoinForm	form = checking->node->form;

	for (int i = 0; i < left->nsources; i++)
		add_source(out, left->sources[i]);
	for (int j = 0; j < right->nsources; j++)
	{
		PatientSource source = {right->sources[j].inputs};
		int			i = 0;

		if (keeps_right(form))
			source.columns = set_shifted(&right->sources[j].columns, left->ncolumns);
		while (i < left->nsources && !joined_by_patient(checking, &left->sources[i], &right->sources[j]))
			i++;
		if (i == left->nsources)
		{
			add_source(out, source);
			continue;
		}
		out->sources[i].inputs |= source.inputs;
		if (form == JOIN_FORM_INNER)
			out->sources[i].columns = set_union(out->sources[i].columns, &source.columns);
	}
}

/* A row of the left at most once; and rows that were matched have two numbers of rows. */
static void
join_unique(Checking *checking, bool once)
{
	const RelationType *left = child(checking, 0);
	const RelationType *right = child(checking, 1);

	if (once)
	{
		for (int i = 0; i < left->nunique; i++)
			add_unique(checking->out, left->unique[i]);
		return;
	}
	for (int i = 0; i < left->nunique; i++)
		for (int j = 0; j < right->nunique; j++)
		{
			ColumnSet	shifted = set_shifted(&right->unique[j], left->ncolumns);

			if (checking->node->form == JOIN_FORM_INNER)
				add_unique(checking->out, set_union(left->unique[i], &shifted));
		}
}

static bool
check_join(Checking *checking)
{
	const PlanNode *node = checking->node;
	const RelationType *left = child(checking, 0);
	const RelationType *right = child(checking, 1);
	RelationType *out = checking->out;
	bool		both = keeps_right(node->form);

	if (!check_join_keys(checking))
		return false;
	if (both && node->rows == 0 && !right_is_unique(checking))
		return refuse(checking, "may match a row with several others: its keys are not known to be unique, and no number of rows is given");
	if (node->form == JOIN_FORM_LEFT && node->rows != 0)
		return refuse(checking, "keeps rows without a match, and may match a row with several others");
	if (!both && node->rows != 0)
		return refuse(checking, "has a number of rows that it does not need");
	if (!start(checking, node->rows ? node->rows : left->rows, left->ncolumns + (both ? right->ncolumns : 0),
			   left->nsources + right->nsources))
		return false;
	memcpy(out->columns, left->columns, left->ncolumns * sizeof(ColumnType));
	for (int c = left->ncolumns; c < out->ncolumns; c++)
	{
		ColumnType *column = &out->columns[c];

		*column = right->columns[c - left->ncolumns];
		if (node->form != JOIN_FORM_LEFT)
			continue;
		if (secret_is_number(&column->type))
			*column = column_type_of_range(column->type.kind, column->type.scale, column->low, column->high, true);
		column->type.nullable = true;
	}
	join_sources(checking);
	join_unique(checking, node->rows == 0);
	/* A semi join makes the right side unique, unless it is. */
	if (both ? node->rows == 0 : right_is_unique(checking))
		add_problem(checking, PROBLEM_KEYS);
	if (node->rows != 0)
		add_problem(checking, PROBLEM_ROWS);
	return true;
}

/* ---- group ---- */

/* How many arguments, and of which types. */
static bool
check_arguments(Checking *checking, const PlanAggregate *aggregate, const ColumnType *args)
{
	int			wanted = aggregate->kind == PLAN_AGGREGATE_COUNT_ROWS ? 0 :
		aggregate->kind == PLAN_AGGREGATE_SUM_PRODUCT ? 2 : 1;
	const char *name = plan_aggregate_name(aggregate->kind);

	if (aggregate->nargs != wanted)
		return refuse(checking, "has %s of %d arguments", name, aggregate->nargs);
	for (int i = 0; i < wanted; i++)
	{
		const SecretType *type = &args[i].type;
		bool		sums = aggregate->kind == PLAN_AGGREGATE_SUM || aggregate->kind == PLAN_AGGREGATE_SUM_PRODUCT;

		if (sums && type->kind != SECRET_INTEGER && type->kind != SECRET_NUMERIC && type->kind != SECRET_FLOAT)
			return refuse(checking, "has %s of a value of type %s", name, secret_kind_name(type->kind));
		if (aggregate->kind >= PLAN_AGGREGATE_PERCENTILE_DISC && !secret_is_number(type))
			return refuse(checking, "has %s of a value of type %s", name, secret_kind_name(type->kind));
		if (aggregate->kind != PLAN_AGGREGATE_COUNT && column_type_is_wide(&args[i]))
			return refuse(checking, "has %s of a sum that may need %d bits: declare smaller bits", name, type->bits);
		if ((aggregate->kind == PLAN_AGGREGATE_BOOL_AND || aggregate->kind == PLAN_AGGREGATE_BOOL_OR) && type->kind != SECRET_BOOLEAN)
			return refuse(checking, "has %s of a value of type %s", name, secret_kind_name(type->kind));
	}
	return true;
}

/* In 128 bits, one of which is the sign. */
static bool
range_of_sum(Checking *checking, ColumnType *out, int128 low, int128 high, uint64 rows)
{
	int128		most;
	int128		least;

	if (__builtin_mul_overflow(Max(high, 0), (int128) rows, &most) ||
		__builtin_mul_overflow(Min(low, 0), (int128) rows, &least))
		return refuse(checking, "has a sum that could overflow 128 bits: declare smaller bits");
	*out = column_type_of_range(out->type.kind, out->type.scale, least, most, out->type.nullable);
	return true;
}

int
product_limb_bits(const ColumnType *x, const ColumnType *y)
{
	return (Max(x->type.bits, y->type.bits) + 2) / 3;
}

static bool
type_sum_of_products(Checking *checking, ColumnType *out, const ColumnType *args, uint64 rows)
{
	int128		bound;

	if (args[0].type.kind != args[1].type.kind || args[0].type.scale != args[1].type.scale)
		return refuse(checking, "has a sum of products of type %s and %s",
					  secret_kind_name(args[0].type.kind), secret_kind_name(args[1].type.kind));
	bound = Max(-args[0].low, args[0].high) * Max(-args[1].low, args[1].high);
	/* Three products of two thirds in each row, added up in 62 bits. */
	if (bound > PG_INT64_MAX && ((int128) 3 << (2 * product_limb_bits(&args[0], &args[1]))) * rows >= (int128) 1 << 62)
		return refuse(checking, "has a sum of products that could overflow: declare smaller bits");
	out->type.scale *= 2;
	return range_of_sum(checking, out, -bound, bound, rows);
}

static bool
type_percentile(Checking *checking, ColumnType *out, const PlanAggregate *aggregate)
{
	int128		factor = aggregate->kind == PLAN_AGGREGATE_PERCENTILE_CONT ? aggregate->denominator : 1;

	if (aggregate->denominator < 1 || aggregate->denominator > PERCENTILE_DENOMINATOR_MAX ||
		aggregate->numerator < 0 || aggregate->numerator > aggregate->denominator)
		return refuse(checking, "has a percentile of %d / %d", aggregate->numerator, aggregate->denominator);
	*out = column_type_of_range(out->type.kind, out->type.scale, out->low * factor, out->high * factor,
								out->type.nullable);
	if (column_type_is_wide(out))
		return refuse(checking, "has a percentile that could overflow 64 bits: declare smaller bits");
	return true;
}

/* *may_be_null: some row may not contribute. */
static bool
type_aggregate(Checking *checking, ColumnType *out, const PlanAggregate *aggregate, const ColumnType *args, bool may_be_null)
{
	uint64		rows = child(checking, 0)->rows;

	switch (aggregate->kind)
	{
		case PLAN_AGGREGATE_COUNT_ROWS:
		case PLAN_AGGREGATE_COUNT:
		case PLAN_AGGREGATE_COUNT_DISTINCT:
			*out = column_type_of_range(SECRET_INTEGER, 0, 0, rows, false);
			return true;
		case PLAN_AGGREGATE_SUM:
			*out = args[0];
			out->type.nullable = may_be_null;
			return range_of_sum(checking, out, args[0].low, args[0].high, rows);
		case PLAN_AGGREGATE_SUM_PRODUCT:
			*out = args[0];
			out->type.nullable = may_be_null;
			return type_sum_of_products(checking, out, args, rows);
		default:
			*out = args[0];
			if (may_be_null && secret_is_number(&out->type))
				*out = column_type_of_range(out->type.kind, out->type.scale, out->low, out->high, true);
			out->type.nullable = may_be_null;
			return aggregate->kind < PLAN_AGGREGATE_PERCENTILE_DISC || type_percentile(checking, out, aggregate);
	}
}

static bool
same_expression(const Expression *a, const Expression *b)
{
	return a == NULL || b == NULL ? a == b : expression_equal(a, b);
}

/* Arguments that are never NULL do not matter, nor does one that came before. */
static bool
matters(const PlanAggregate *aggregate, const ColumnType *args, int i)
{
	return args[i].type.nullable && (i == 0 || !expression_equal(aggregate->args[i], aggregate->args[i - 1]));
}

bool
aggregates_same_support(const PlanAggregate *a, const ColumnType *a_args, const PlanAggregate *b, const ColumnType *b_args)
{
	int			i = 0;
	int			j = 0;

	if (!same_expression(a->filter, b->filter))
		return false;
	for (;; i++, j++)
	{
		while (i < a->nargs && !matters(a, a_args, i))
			i++;
		while (j < b->nargs && !matters(b, b_args, j))
			j++;
		if (i == a->nargs || j == b->nargs)
			return i == a->nargs && j == b->nargs;
		if (!expression_equal(a->args[i], b->args[j]))
			return false;
	}
}

bool
aggregate_takes_all(const PlanAggregate *aggregate, const ColumnType *args)
{
	for (int i = 0; i < aggregate->nargs; i++)
		if (args[i].type.nullable)
			return false;
	return aggregate->filter == NULL;
}

/* Parts are numbered by first use, and hold what they say. */
static bool
check_part(Checking *checking, int number, const ColumnType *args, int *parts, int *first)
{
	const PlanAggregate *aggregates = checking->node->aggregates;
	const PlanAggregate *aggregate = &aggregates[number];
	int			part = aggregate->part;

	if (checking->node->npatients == 0)
		return part == 0 || refuse(checking, "has parts and counts no patients");
	if (part == 0)
		return aggregate_takes_all(aggregate, &args[2 * number]) ||
			refuse(checking, "takes %s for an aggregate to which every row contributes", plan_aggregate_name(aggregate->kind));
	if (part > *parts)
		return refuse(checking, "has part %d where part %d should follow", part, *parts);
	if (part == *parts)
	{
		first[part] = number;
		(*parts)++;
		return true;
	}
	return aggregates_same_support(aggregate, &args[2 * number], &aggregates[first[part]], &args[2 * first[part]]) ||
		refuse(checking, "has aggregates in part %d to which different rows contribute", part);
}

static bool
check_aggregates(Checking *checking, int *parts)
{
	const PlanNode *node = checking->node;
	ColumnType *args = palloc0((2 * node->naggregates + 1) * sizeof(ColumnType));
	int		   *first = palloc0((node->naggregates + 2) * sizeof(int));
	int			range_checks = 0;

	*parts = 1;
	for (int i = 0; i < node->naggregates; i++)
	{
		const PlanAggregate *aggregate = &node->aggregates[i];
		ColumnType *mine = &args[2 * i];
		bool		may_be_null;

		for (int k = 0; k < aggregate->nargs; k++)
			if (!type_here(checking, &mine[k], aggregate->args[k], &range_checks))
				return false;
		if (aggregate->filter && !require_condition(checking, aggregate->filter, &range_checks))
			return false;
		if (!check_arguments(checking, aggregate, mine) || !check_part(checking, i, args, parts, first))
			return false;
		may_be_null = node->nkeys == 0 || !aggregate_takes_all(aggregate, mine);
		if (!type_aggregate(checking, &checking->out->columns[node->nkeys + i], aggregate, mine, may_be_null))
			return false;
		/* What too few patients contribute to becomes NULL, counts too. */
		if (aggregate->part > 0)
			checking->out->columns[node->nkeys + i].type.nullable = true;
	}
	if (range_checks > 0)
		add_problem(checking, PROBLEM_RANGE);
	pfree(args);
	pfree(first);
	return true;
}

/*
 * Whose rows the groups still are: of those patients who are told apart by a key.  Patients who
 * are counted are protected from here on.  All others can't be counted any more.
 */
static bool
check_patients(Checking *checking)
{
	const PlanNode *node = checking->node;
	const RelationType *from = child(checking, 0);
	bool	   *counts = palloc0((node->npatients + 1) * sizeof(bool));

	if ((node->npatients == 0) != (node->patients_min == 0))
		return refuse(checking, "counts patients in %d columns, and wants at least " UINT64_FORMAT,
					  node->npatients, node->patients_min);
	if (node->npatients == 0 && node->show_zero)
		return refuse(checking, "would show groups without patients, and counts none");
	for (int i = 0; i < from->nsources; i++)
	{
		const PatientSource *source = &from->sources[i];
		PatientSource left = {source->inputs};
		bool		counted = false;

		move_set(&left.columns, &source->columns, node->keys, node->nkeys);
		for (int k = 0; k < node->npatients; k++)
			if (column_set_has(&source->columns, node->patients[k]))
				counts[k] = counted = true;
		if (!counted)
			add_source(checking->out, left);
		for (int input = 0; counted && input < checking->plan->ninputs; input++)
			if (source->inputs >> input & 1)
				checking->checked->patients_min[input] = Min(checking->checked->patients_min[input], node->patients_min);
	}
	for (int k = 0; k < node->npatients; k++)
		if (!counts[k])
			return refuse(checking, "counts patients by column %d, which does not tell any apart", node->patients[k]);
	pfree(counts);
	return true;
}

static bool
check_group(Checking *checking)
{
	const PlanNode *node = checking->node;
	const RelationType *from = child(checking, 0);
	RelationType *out = checking->out;
	int			shown = node->npatients > 0 ? plan_group_parts(node) - 1 : 0;
	uint64		rows = node->nkeys == 0 ? 1 : node->rows ? Min(node->rows, from->rows) : from->rows;
	ColumnSet	keys = {{0}};
	int			parts;

	if (node->nkeys > KEYS_MAX)
		return refuse(checking, "has %d keys, which is more than %d", node->nkeys, KEYS_MAX);
	if (node->nkeys == 0 && node->rows != 0)
		return refuse(checking, "has a number of rows that it does not need");
	if (!require_columns(checking, node->keys, node->nkeys) ||
		!require_columns(checking, node->patients, node->npatients) ||
		!start(checking, rows, node->nkeys + node->naggregates + shown, from->nsources))
		return false;
	for (int i = 0; i < node->nkeys; i++)
	{
		out->columns[i] = from->columns[node->keys[i]];
		set_add(&keys, i);
	}
	if (!check_aggregates(checking, &parts) || !check_patients(checking))
		return false;
	for (int i = 0; i < shown; i++)
		out->columns[node->nkeys + node->naggregates + i] = column_type(secret_boolean());
	add_unique(out, keys);
	if (rows < from->rows && node->nkeys > 0)
		add_problem(checking, PROBLEM_ROWS);
	return true;
}

/* ---- merge ---- */

static const PlanInput *
merged_input(const ObliviousPlan *plan, const PlanNode *merge)
{
	const PlanNode *scan = &plan->nodes[merge->children[0]];

	if (scan->kind != PLAN_SCAN || scan->input >= plan->ninputs || plan->inputs[scan->input].patient != PATIENT_COUNTED)
		return NULL;
	return &plan->inputs[scan->input];
}

/*
 * The GROUP that merges: by all keys, each aggregate by its own kind, and the patients of each part added up.  With fewer
 * keys a patient would be counted once for each group he is in.
 */
static void
group_of_merge(PlanNode *group, const PlanNode *merge, const PlanInput *input)
{
	int			nkeys = input_keys(input);

	*group = (PlanNode) {.kind = PLAN_GROUP,.nchildren = 1,.children = merge->children,.nkeys = nkeys,.rows = merge->rows};
	group->keys = palloc0((nkeys + 1) * sizeof(int));
	for (int i = 0; i < nkeys; i++)
		group->keys[i] = i;
	group->naggregates = input->ncolumns - nkeys;
	group->aggregates = palloc0((group->naggregates + 1) * sizeof(PlanAggregate));
	for (int i = 0; i < group->naggregates; i++)
		group->aggregates[i] = (PlanAggregate) {
			.kind = i < input->source->naggregates ? input->source->aggregates[i].kind : PLAN_AGGREGATE_SUM,
			.nargs = 1,.args = {expression_column(nkeys + i)}
		};
}

/* The last columns count patients. */
static bool
check_counts(Checking *checking, const PlanInput *input)
{
	for (int i = input->ncolumns - source_parts(input->source); i < input->ncolumns; i++)
		if (!secret_type_equal(&input->columns[i].type, &(SecretType) {SECRET_INTEGER, PLAN_ROW_BITS, 0, false}))
			return refuse(checking, "is of groups whose patients are counted in column %d, which does not fit", i);
	return true;
}

static bool
check_merge(Checking *checking)
{
	const PlanNode *node = checking->node;
	const PlanInput *input = merged_input(checking->plan, node);
	RelationType grouped = {0};
	RelationType *out = checking->out;
	PlanNode	group;
	Checking	inner = *checking;
	int			nkeys;
	int			shown;

	if (input == NULL)
		return refuse(checking, "is not of groups that sites made");
	nkeys = input_keys(input);
	if (nkeys < 1)
		return refuse(checking, "is of groups without keys");
	if (node->patients_min == 0)
		return refuse(checking, "wants no patients");
	if (!check_counts(checking, input))
		return false;
	group_of_merge(&group, node, input);
	inner.node = &group;
	inner.out = &grouped;
	if (!check_group(&inner))
		return false;

	shown = node->patients_min > 1 ? source_parts(input->source) - 1 : 0;
	if (!start(checking, grouped.rows, nkeys + input->source->naggregates + shown, 0))
		return false;
	memcpy(out->columns, grouped.columns, (nkeys + input->source->naggregates) * sizeof(ColumnType));
	for (int i = 0; i < input->source->naggregates; i++)
		if (shown > 0 && input->source->aggregates[i].part > 0)
			out->columns[nkeys + i].type.nullable = true;
	for (int i = 0; i < shown; i++)
		out->columns[nkeys + input->source->naggregates + i] = column_type(secret_boolean());
	add_unique(out, grouped.unique[0]);
	checking->checked->patients_min[input - checking->plan->inputs] =
		Min(checking->checked->patients_min[input - checking->plan->inputs], node->patients_min);
	return true;
}

void
plan_merge_group(const CheckedPlan *checked, int number, PlanNode *group, RelationType *type)
{
	const PlanNode *node = &checked->plan->nodes[number];
	CheckedPlan scratch = *checked;
	Refusal		refusal;
	Checking	checking = {&scratch, checked->plan, group, number, type, &refusal};

	memset(type, 0, sizeof(*type));
	group_of_merge(group, node, merged_input(checked->plan, node));
	/* The problem that it may have is known already. */
	scratch.problems = palloc0((2 * checked->plan->nnodes + 2) * sizeof(PlanProblem));
	scratch.nproblems = 0;
	if (!check_group(&checking))
		fail(ERRCODE_SECMED_PROTOCOL, "a merge that can't be checked again");
	pfree(scratch.problems);
}

/* Groups of sites say nothing of patients but to the node that adds them up. */
static bool
check_counted_inputs(const ObliviousPlan *plan, PlanRefusal *refusal)
{
	for (int i = 0; i < plan->nnodes; i++)
		for (int c = 0; c < plan->nodes[i].nchildren; c++)
		{
			const PlanNode *scan = &plan->nodes[plan->nodes[i].children[c]];

			refusal->node = i;
			if (scan->kind == PLAN_SCAN && plan->inputs[scan->input].patient == PATIENT_COUNTED &&
				plan->nodes[i].kind != PLAN_MERGE)
				return refuse_expression(&refusal->refusal, NULL, "is of groups that sites made, and no merge");
		}
	return true;
}

/* ---- sort, limit, and the roots ---- */

static bool
check_sort(Checking *checking)
{
	const PlanNode *node = checking->node;

	if (node->norder == 0)
		return refuse(checking, "has no keys");
	for (int i = 0; i < node->norder; i++)
		if (!require_column(checking, 0, node->order[i].column))
			return false;
	return start_as_child(checking, child(checking, 0)->rows);
}

static bool
check_limit(Checking *checking)
{
	return start_as_child(checking, Min(checking->node->count, child(checking, 0)->rows));
}

static bool
start_root(Checking *checking, uint64 rows)
{
	const PlanNode *node = checking->node;

	if (checking->number != checking->plan->nnodes - 1)
		return refuse(checking, "is not the last node");
	if (!require_columns(checking, node->columns, node->ncolumns) ||
		!start(checking, rows, node->ncolumns, child(checking, 0)->nsources))
		return false;
	for (int i = 0; i < node->ncolumns; i++)
		checking->out->columns[i] = child(checking, 0)->columns[node->columns[i]];
	move_sets(checking, node->columns, node->ncolumns);
	return true;
}

static bool
check_release(Checking *checking)
{
	const RelationType *from = child(checking, 0);
	uint64		rows = checking->node->rows ? Min(checking->node->rows, from->rows) : from->rows;

	if (!start_root(checking, rows))
		return false;
	if (rows < from->rows)
		add_problem(checking, PROBLEM_ROWS);
	/* Whoever's rows these still are, each of them is one patient's. */
	for (int i = 0; i < from->nsources; i++)
		for (int input = 0; input < checking->plan->ninputs; input++)
			if (from->sources[i].inputs >> input & 1)
				checking->checked->patients_min[input] = 1;
	return true;
}

static bool
check_store(Checking *checking)
{
	const ObliviousPlan *plan = checking->plan;
	int			at = checking->node->children[0];

	while (plan->nodes[at].kind == PLAN_FILTER || plan->nodes[at].kind == PLAN_PROJECT)
		at = plan->nodes[at].children[0];
	if (plan->nodes[at].kind != PLAN_SCAN)
		return refuse(checking, "is of a %s, which does not keep its rows as they were", plan_node_name(plan->nodes[at].kind));
	if (!start_root(checking, child(checking, 0)->rows))
		return false;
	for (int i = 0; i < checking->node->ncolumns; i++)
		if (column_type_is_wide(&checking->out->columns[i]))
			return refuse(checking, "is of a column of %d bits", checking->out->columns[i].type.bits);
	for (int input = 0; input < plan->ninputs; input++)
		checking->checked->patients_min[input] = PATIENTS_NOT_OPENED;
	return true;
}

/* ---- all of it ---- */

static bool
check_node(Checking *checking)
{
	switch (checking->node->kind)
	{
		case PLAN_SCAN:
			return check_scan(checking);
		case PLAN_FILTER:
			return check_filter(checking);
		case PLAN_PROJECT:
			return check_project(checking);
		case PLAN_UNION:
			return check_union(checking);
		case PLAN_JOIN:
			return check_join(checking);
		case PLAN_GROUP:
			return check_group(checking);
		case PLAN_SORT:
			return check_sort(checking);
		case PLAN_LIMIT:
			return check_limit(checking);
		case PLAN_RELEASE:
			return check_release(checking);
		case PLAN_STORE:
			return check_store(checking);
		case PLAN_MERGE:
			return check_merge(checking);
	}
	return refuse(checking, "is of an unknown kind");
}

bool
plan_check(CheckedPlan *out, const ObliviousPlan *plan, PlanRefusal *refusal)
{
	PlanNodeKind root = plan->nnodes > 0 ? plan->nodes[plan->nnodes - 1].kind : 0;

	memset(out, 0, sizeof(*out));
	memset(refusal, 0, sizeof(*refusal));
	out->plan = plan;
	out->nodes = palloc0((plan->nnodes + 1) * sizeof(RelationType));
	/* A group may have two. */
	out->problems = palloc0((2 * plan->nnodes + 1) * sizeof(PlanProblem));
	out->patients_min = palloc0((plan->ninputs + 1) * sizeof(uint64));
	for (int i = 0; i < plan->ninputs; i++)
		out->patients_min[i] = PATIENTS_NOT_OPENED;
	for (int i = 0; i < plan->nnodes; i++)
	{
		Checking	checking = {out, plan, &plan->nodes[i], i, &out->nodes[i], &refusal->refusal};

		refusal->node = i;
		if (!check_node(&checking))
			return false;
	}
	refusal->node = plan->nnodes - 1;
	if (root == PLAN_RELEASE || root == PLAN_STORE)
		return check_counted_inputs(plan, refusal);
	return refuse_expression(&refusal->refusal, NULL, "is last, and neither opens nor stores");
}
