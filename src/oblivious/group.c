/*
 * group.c
 *	  GROUP: keys, aggregates, and which groups have enough patients to be there.
 */
#include "oblivious/group.h"

#include "mpc/aggregate.h"
#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"

/* ---- passes ---- */

/* Keys that are NULL hold zero, and come together behind all others. */
static void
add_keys(const GroupJob *job, GroupPass *pass)
{
	for (int k = 0; k < job->node->nkeys; k++)
	{
		const SharedColumn *key = &job->child->columns[job->node->keys[k]];
		int			place;

		if (key->null.mine)
		{
			place = table_place_slice(&pass->table, plane_copy(&key->null));
			pass->keys[pass->nkeys++] = place;
			pass_order_by(pass, place, false);
		}
		place = table_place_slice(&pass->table, plane_copy(&job->key_planes[k]));
		pass->keys[pass->nkeys++] = place;
		pass_order_by(pass, place, secret_is_number(&key->type.type));
	}
}

void
pass_start(const GroupJob *job, GroupPass *pass)
{
	memset(pass, 0, sizeof(GroupPass));
	pass->table = table_create(job->n);
	if (job->keyed)
		table_add_slice(&pass->table, plane_copy(&job->child->valid));
	else
	{
		table_add_slice(&pass->table, shared_bits_raw(1, job->n));
		logic_constant(job->self, &pass->table.slice[0], true);
	}
	add_keys(job, pass);
}

void
pass_order_by(GroupPass *pass, int slice, bool is_signed)
{
	pass->order[pass->norder++] = (SortKey) {slice, is_signed};
}

void
pass_sort(const GroupJob *job, GroupPass *pass)
{
	if (pass->norder > 0)
		sort_table(job->self, &pass->table, pass->order, pass->norder, 0, NULL);
}

void
pass_group(const GroupJob *job, GroupPass *pass, const int *sums, int nsums, Shared64 *groups)
{
	Grouping	by = {pass->keys, pass->nkeys, 0, sums, nsums, GROUP_WITHOUT_ROWS};

	group_table(job->self, &pass->table, &by, job->size, groups);
}

/* ---- who contributes ---- */

/* The row that is not there, for a group without keys. */
static void
append_nobody(SharedRelation *relation)
{
	SharedBits	one = shared_bits_alloc(1, 1);
	SharedBits	longer = shared_bits_append(&relation->valid, &one);

	shared_bits_free(&relation->valid);
	relation->valid = longer;
	for (int c = 0; c < relation->ncolumns; c++)
	{
		SharedColumn *column = &relation->columns[c];
		SharedColumn before = *column;
		SharedColumn zero = column_create(column->type, 1);

		if (before.number.mine)
		{
			memset(zero.number.mine, 0, sizeof(uint64));
			memset(zero.number.next, 0, sizeof(uint64));
			column->number = number_append(&before.number, &zero.number);
		}
		else
			column->bits = shared_bits_append(&before.bits, &zero.bits);
		if (before.null.mine)
			column->null = shared_bits_append(&before.null, &zero.null);
		column_free(&before);
		column_free(&zero);
	}
	shared_bits_free(&one);
	relation->n++;
}

/* An argument that was evaluated for an aggregate before is copied. */
static SharedColumn
evaluate_argument(GroupJob *job, Evaluation *evaluation, int number, int arg)
{
	const PlanAggregate *aggregates = job->node->aggregates;
	SharedColumn column;

	for (int a = 0; a < number; a++)
		for (int k = 0; k < aggregates[a].nargs; k++)
			if (expression_equal(aggregates[a].args[k], aggregates[number].args[arg]))
				return column_copy(&job->args[2 * a + k]);
	column = evaluate(evaluation, aggregates[number].args[arg]);
	column_tighten(job->self, &column);
	return column;
}

/* Support of one aggregate; no memory if everybody contributes. */
static SharedBits
support_of(GroupJob *job, Evaluation *evaluation, int number)
{
	const PlanAggregate *aggregate = &job->node->aggregates[number];
	SharedBits	support = {0};

	if (!job->keyed)
		support = plane_copy(&job->child->valid);
	for (int k = -1; k < aggregate->nargs; k++)
	{
		SharedBits	more;

		if (k < 0 ? aggregate->filter == NULL : job->args[2 * number + k].null.mine == NULL)
			continue;
		more = k < 0 ? evaluate_condition(evaluation, aggregate->filter) :
			plane_not(job->self, &job->args[2 * number + k].null);
		if (support.mine == NULL)
		{
			support = more;
			continue;
		}
		logic_and(job->self, &support, &support, &more);
		shared_bits_free(&more);
	}
	return support;
}

static void
types_of_arguments(const GroupJob *job, int number, ColumnType types[2])
{
	for (int k = 0; k < 2; k++)
		types[k] = job->args[2 * number + k].type;
}

/* Aggregates to which the same rows contribute are of one class. */
static int
find_class(GroupJob *job, int number)
{
	const PlanAggregate *aggregates = job->node->aggregates;
	ColumnType	mine[2];
	ColumnType	others[2];

	types_of_arguments(job, number, mine);
	if (aggregate_takes_all(&aggregates[number], mine))
		return 0;
	for (int a = 0; a < number; a++)
	{
		types_of_arguments(job, a, others);
		if (aggregates_same_support(&aggregates[number], mine, &aggregates[a], others))
			return job->class_of[a];
	}
	return -1;
}

static void
find_classes(GroupJob *job)
{
	const PlanNode *node = job->node;
	Evaluation	evaluation;

	job->args = palloc0((2 * node->naggregates + 1) * sizeof(SharedColumn));
	job->class_of = palloc0((node->naggregates + 1) * sizeof(int));
	job->support = palloc0((node->naggregates + 1) * sizeof(SharedBits));
	job->nclasses = 1;
	if (!job->keyed)
		job->support[0] = plane_copy(&job->child->valid);
	evaluation_start_at(job->at, &evaluation, job->child);
	for (int a = 0; a < node->naggregates; a++)
	{
		for (int k = 0; k < node->aggregates[a].nargs; k++)
			job->args[2 * a + k] = evaluate_argument(job, &evaluation, a, k);
		job->class_of[a] = find_class(job, a);
		if (job->class_of[a] >= 0)
			continue;
		job->class_of[a] = job->nclasses;
		job->support[job->nclasses++] = support_of(job, &evaluation, a);
	}
	evaluation_end_at(job->at, &evaluation, &job->child->valid);
}

/* ---- what is counted ---- */

static int
find_distinct(GroupJob *job, const Expression *expression)
{
	for (int d = 0; d < job->ndistincts; d++)
		if (expression_equal(job->distincts[d].expression, expression))
			return d;
	return -1;
}

/* Takes the column, if it is new. */
static int
add_distinct(GroupJob *job, const Expression *expression, SharedColumn column)
{
	const RelationType *type = &job->at->run->checked->nodes[job->node->children[0]];
	int			number = find_distinct(job, expression);
	Distinct   *distinct = &job->distincts[number >= 0 ? number : job->ndistincts];

	if (number >= 0)
	{
		column_free(&column);
		return number;
	}
	distinct->expression = expression;
	distinct->column = column;
	column_tighten(job->self, &distinct->column);
	distinct->unique = expression->kind == EXPRESSION_COLUMN && relation_is_unique(type, &expression->number, 1);
	distinct->wanted = palloc0(job->nclasses * sizeof(bool));
	distinct->counts = palloc0(job->nclasses * sizeof(Shared64));
	return job->ndistincts++;
}

static void
want_distinct(GroupJob *job, int distinct, int class)
{
	if (job->distincts[distinct].unique)
		job->counted[class] = true;
	else
		job->distincts[distinct].wanted[class] = true;
}

static int
class_of_part(const GroupJob *job, int part)
{
	for (int a = 0; a < job->node->naggregates && part > 0; a++)
		if (job->node->aggregates[a].part == part)
			return job->class_of[a];
	return 0;
}

static void
find_counts(GroupJob *job)
{
	const PlanNode *node = job->node;

	job->counted = palloc0(job->nclasses * sizeof(bool));
	job->counts = palloc0(job->nclasses * sizeof(Shared64));
	job->any = palloc0(job->nclasses * sizeof(SharedBits));
	job->distincts = palloc0((node->npatients + node->naggregates + 1) * sizeof(Distinct));
	job->distinct_of = palloc0((node->naggregates + 1) * sizeof(int));
	job->patient = palloc0((node->npatients + 1) * sizeof(int));
	for (int k = 0; k < node->npatients; k++)
	{
		job->patient[k] = add_distinct(job, expression_column(node->patients[k]),
									   column_copy(&job->child->columns[node->patients[k]]));
		for (int part = 0; part < plan_group_parts(node); part++)
			want_distinct(job, job->patient[k], class_of_part(job, part));
	}
	for (int a = 0; a < node->naggregates; a++)
	{
		const PlanAggregate *aggregate = &node->aggregates[a];

		if (aggregate->kind == PLAN_AGGREGATE_COUNT_ROWS || aggregate->kind == PLAN_AGGREGATE_COUNT)
			job->counted[job->class_of[a]] = true;
		if (aggregate->kind != PLAN_AGGREGATE_COUNT_DISTINCT)
			continue;
		job->distinct_of[a] = add_distinct(job, aggregate->args[0], column_copy(&job->args[2 * a]));
		want_distinct(job, job->distinct_of[a], job->class_of[a]);
	}
}

/* ---- the first pass: keys, and all that needs no order of its own ---- */

/* Sums and lists of it: five for each of COMPONENTS_MAX aggregates, and as many classes. */
#define PLACES_MAX	4096

/* Where things are in it. */
typedef struct FirstPass
{
	GroupPass	pass;
	int		   *key_number;		/* a key that is a number */
	int			distinct;		/* by which it is sorted as well, or -1 */
	int			distinct_value;
	int			distinct_null;
	int		   *support;		/* of each class, or -1 */
	int		   *arg;			/* two of each aggregate, number or slice */
	int			nsums;
	int			sums[PLACES_MAX];
	int		   *count;			/* of each class, or -1 */
	int		   *any;			/* of each class, or -1 */
	int		   *distinct_count; /* of each class */
	int		   *first_part;		/* of each aggregate that is a sum */
	int		   *parts;
	int			nlist;
	Aggregate	list[PLACES_MAX];
} FirstPass;

static int *
places(int n)
{
	int		   *list = palloc((n + 1) * sizeof(int));

	for (int i = 0; i < n; i++)
		list[i] = -1;
	return list;
}

static bool
has_values(const PlanAggregate *aggregate)
{
	return aggregate->kind >= PLAN_AGGREGATE_SUM && aggregate->kind < PLAN_AGGREGATE_PERCENTILE_DISC;
}

/* The value of an argument goes along; who contributes is known from its class. */
static int
place_argument(const GroupJob *job, FirstPass *first, int number, int arg)
{
	SharedColumn *column = &job->args[2 * number + arg];

	if (column->number.mine)
		return table_place_number(&first->pass.table, number_copy(&column->number));
	return table_place_slice(&first->pass.table, plane_copy(&column->bits));
}

/* The distinct values by which to sort, if there are any. */
static int
first_distinct(const GroupJob *job)
{
	for (int d = 0; d < job->ndistincts; d++)
		if (!job->distincts[d].unique)
			return d;
	return -1;
}

static void
place_distinct(const GroupJob *job, FirstPass *first)
{
	const SharedColumn *column;

	first->distinct = first_distinct(job);
	first->distinct_null = -1;
	if (first->distinct < 0)
		return;
	column = &job->distincts[first->distinct].column;
	if (column->null.mine)
	{
		first->distinct_null = table_place_slice(&first->pass.table, plane_copy(&column->null));
		pass_order_by(&first->pass, first->distinct_null, false);
	}
	first->distinct_value = table_place_slice(&first->pass.table,
											  column_to_planes(job->self, column, column_planes(&column->type)));
	pass_order_by(&first->pass, first->distinct_value, false);
}

static void
place_columns(GroupJob *job, FirstPass *first)
{
	const PlanNode *node = job->node;

	pass_start(job, &first->pass);
	place_distinct(job, first);
	first->key_number = places(node->nkeys);
	for (int k = 0; k < node->nkeys; k++)
	{
		const SharedColumn *key = &job->child->columns[node->keys[k]];

		if (key->number.mine)
			first->key_number[k] = table_place_number(&first->pass.table, number_copy(&key->number));
	}
	first->support = places(job->nclasses);
	for (int class = 0; class < job->nclasses; class++)
		if (job->support[class].mine)
			first->support[class] = table_place_slice(&first->pass.table, plane_copy(&job->support[class]));
	first->arg = places(2 * node->naggregates);
	for (int a = 0; a < node->naggregates; a++)
		for (int k = 0; k < node->aggregates[a].nargs && has_values(&node->aggregates[a]); k++)
			first->arg[2 * a + k] = place_argument(job, first, a, k);
}

static void
add_sum(FirstPass *first, int place)
{
	Assert(first->nsums < PLACES_MAX);
	first->sums[first->nsums++] = place;
}

static void
add_to_list(FirstPass *first, AggregateKind kind, int place, bool is_signed)
{
	Assert(first->nlist < PLACES_MAX);
	first->list[first->nlist++] = (Aggregate) {kind, place, AGGREGATE_NOT_NULL, is_signed};
}

/* How many rows of each class there are, and how many different values. */
static void
place_counts(GroupJob *job, FirstPass *first)
{
	SharedBits *planes = palloc(job->nclasses * sizeof(SharedBits));
	Shared64   *numbers = palloc(job->nclasses * sizeof(Shared64));
	int			n = 0;

	first->count = places(job->nclasses);
	first->distinct_count = places(job->nclasses);
	for (int class = 0; class < job->nclasses; class++)
		if (job->counted[class] && first->support[class] >= 0)
			planes[n++] = first->pass.table.slice[first->support[class]];
	planes_to_numbers(job->self, planes, n, numbers);
	n = 0;
	for (int class = 0; class < job->nclasses; class++)
	{
		if (!job->counted[class])
			continue;
		if (first->support[class] >= 0)
			first->count[class] = table_place_number(&first->pass.table, numbers[n++]);
		else
		{
			first->count[class] = table_place_number(&first->pass.table, shared64_alloc(job->n));
			arith64_constant(job->self, &first->pass.table.number[first->count[class]], 1);
		}
		add_sum(first, first->count[class]);
	}
	pfree(planes);
	pfree(numbers);
	if (first->distinct < 0)
		return;
	distinct_numbers(job, &first->pass, first->distinct, first->distinct_value, first->distinct_null,
					 first->support, first->distinct_count);
	for (int class = 0; class < job->nclasses; class++)
		if (first->distinct_count[class] >= 0)
			add_sum(first, first->distinct_count[class]);
}

/* Is there some row of the class?  With keys there is always one of class 0. */
static void
place_any(GroupJob *job, FirstPass *first)
{
	first->any = places(job->nclasses);
	for (int class = 0; class < job->nclasses; class++)
	{
		if (first->support[class] < 0)
			continue;
		first->any[class] = table_place_slice(&first->pass.table, plane_copy(&first->pass.table.slice[first->support[class]]));
		add_to_list(first, AGGREGATE_OR, first->any[class], false);
	}
}

/* The column of an aggregate's argument, out of the table, zero where the row does not contribute. */
static SharedColumn
take_argument(GroupJob *job, FirstPass *first, int number, int arg)
{
	int			support = first->support[job->class_of[number]];
	SharedColumn column = {.type = job->args[2 * number + arg].type};
	bool		masked = job->node->aggregates[number].filter != NULL || !job->keyed || arg > 0;

	column.number = number_copy(&first->pass.table.number[first->arg[2 * number + arg]]);
	/* NULLs are zero; so are all factors if the first one is. */
	if (support >= 0 && masked && arg == 0)
		convert_bit_times(job->self, &column.number, &first->pass.table.slice[support], &column.number);
	return column;
}

static void
place_sum(GroupJob *job, FirstPass *first, int number)
{
	const PlanAggregate *aggregate = &job->node->aggregates[number];
	const ColumnType *type = &job->at->type->columns[job->node->nkeys + number];
	SharedColumn x = take_argument(job, first, number, 0);
	SharedColumn y = {{{0}}};
	Shared64	parts[SUM_PARTS_MAX];

	if (aggregate->nargs > 1)
		y = take_argument(job, first, number, 1);
	first->parts[number] = sum_parts(job->self, type, &x, aggregate->nargs > 1 ? &y : NULL, parts);
	for (int k = 0; k < first->parts[number]; k++)
	{
		int			place = table_place_number(&first->pass.table, parts[k]);

		if (k == 0)
			first->first_part[number] = place;
		add_sum(first, place);
	}
}

/* Rows that do not contribute hold what is never the least (or greatest) before any that does. */
static SharedBits
filled(GroupJob *job, FirstPass *first, int number, SharedBits *bits, bool least, bool is_signed)
{
	int			support = first->support[job->class_of[number]];
	SharedBits	fill;

	if (support < 0)
		return *bits;
	fill = shared_bits_alloc(bits->planes, bits->n);
	logic_constant(job->self, &fill, least);
	if (is_signed)
	{
		SharedBits	sign = shared_bits_view(&fill, fill.planes - 1, 1);

		logic_not(job->self, &sign);
	}
	logic_select(job->self, bits, &first->pass.table.slice[support], bits, &fill);
	shared_bits_free(&fill);
	return *bits;
}

static void
place_extreme(GroupJob *job, FirstPass *first, int number)
{
	const SharedColumn *arg = &job->args[2 * number];
	int			place = first->arg[2 * number];
	bool		least = job->node->aggregates[number].kind == PLAN_AGGREGATE_MIN;
	bool		is_signed = secret_is_number(&arg->type.type);
	SharedBits	bits;

	if (arg->number.mine)
	{
		bits = shared_bits_alloc(column_planes(&arg->type), job->n);
		convert_to_bits(job->self, &bits, &first->pass.table.number[place]);
	}
	else
		bits = plane_copy(&first->pass.table.slice[place]);
	bits = filled(job, first, number, &bits, least, is_signed);
	first->arg[2 * number] = table_place_slice(&first->pass.table, bits);
	add_to_list(first, least ? AGGREGATE_MIN : AGGREGATE_MAX, first->arg[2 * number], is_signed);
}

/* bool_and is NOT some row is false. */
static void
place_logical(GroupJob *job, FirstPass *first, int number)
{
	int			support = first->support[job->class_of[number]];
	SharedBits	bits = plane_copy(&first->pass.table.slice[first->arg[2 * number]]);

	if (job->node->aggregates[number].kind == PLAN_AGGREGATE_BOOL_AND)
		logic_not(job->self, &bits);
	if (support >= 0)
		logic_and(job->self, &bits, &bits, &first->pass.table.slice[support]);
	first->arg[2 * number] = table_place_slice(&first->pass.table, bits);
	add_to_list(first, AGGREGATE_OR, first->arg[2 * number], false);
}

static void
place_aggregates(GroupJob *job, FirstPass *first)
{
	first->first_part = places(job->node->naggregates);
	first->parts = places(job->node->naggregates);
	for (int a = 0; a < job->node->naggregates; a++)
	{
		switch (job->node->aggregates[a].kind)
		{
			case PLAN_AGGREGATE_SUM:
			case PLAN_AGGREGATE_SUM_PRODUCT:
				place_sum(job, first, a);
				break;
			case PLAN_AGGREGATE_ANY:
				/* The last row's is as good as any, if it contributes. */
				if (job->keyed && first->support[job->class_of[a]] < 0)
					break;
				/* FALLTHROUGH */
			case PLAN_AGGREGATE_MIN:
			case PLAN_AGGREGATE_MAX:
				place_extreme(job, first, a);
				break;
			case PLAN_AGGREGATE_BOOL_AND:
			case PLAN_AGGREGATE_BOOL_OR:
				place_logical(job, first, a);
				break;
			default:
				break;
		}
	}
}

/* ---- what came out of it ---- */

static void
take_keys(GroupJob *job, const FirstPass *first)
{
	const Table *table = &first->pass.table;
	int			slice = 0;

	job->keys = palloc0((job->node->nkeys + 1) * sizeof(SharedColumn));
	for (int k = 0; k < job->node->nkeys; k++)
	{
		const SharedColumn *key = &job->child->columns[job->node->keys[k]];

		job->keys[k].type = key->type;
		if (key->null.mine)
			job->keys[k].null = plane_copy(&table->slice[first->pass.keys[slice++]]);
		if (key->number.mine)
			job->keys[k].number = number_copy(&table->number[first->key_number[k]]);
		else
			job->keys[k].bits = plane_copy(&table->slice[first->pass.keys[slice]]);
		slice++;
	}
}

static SharedColumn
take_sum(GroupJob *job, const FirstPass *first, int number)
{
	const ColumnType *type = &job->at->type->columns[job->node->nkeys + number];
	const PlanAggregate *aggregate = &job->node->aggregates[number];
	Shared64	parts[SUM_PARTS_MAX];

	for (int k = 0; k < first->parts[number]; k++)
		parts[k] = number_copy(&first->pass.table.number[first->first_part[number] + k]);
	return sum_of_parts(job->self, type, &job->args[2 * number].type,
						aggregate->nargs > 1 ? &job->args[2 * number + 1].type : NULL, parts, first->parts[number]);
}

/* Bits that an aggregate's argument became, or the argument of the last row as it was. */
static SharedColumn
take_value(GroupJob *job, const FirstPass *first, int number)
{
	const PlanAggregate *aggregate = &job->node->aggregates[number];
	const ColumnType *arg = &job->args[2 * number].type;
	SharedColumn column = {.type = *arg};
	int			place = first->arg[2 * number];
	bool		as_it_was = aggregate->kind == PLAN_AGGREGATE_ANY && job->keyed && first->support[job->class_of[number]] < 0;
	SharedBits	bits;

	if (as_it_was && column_type_is_number(arg))
	{
		column.number = number_copy(&first->pass.table.number[place]);
		return column;
	}
	bits = plane_copy(&first->pass.table.slice[place]);
	if (aggregate->kind == PLAN_AGGREGATE_BOOL_AND)
		logic_not(job->self, &bits);
	column_from_planes(job->self, &column, &bits);
	return column;
}

static void
take_values(GroupJob *job, const FirstPass *first)
{
	const Table *table = &first->pass.table;

	job->valid = plane_copy(&table->slice[0]);
	take_keys(job, first);
	for (int class = 0; class < job->nclasses; class++)
	{
		if (first->any[class] >= 0)
			job->any[class] = plane_copy(&table->slice[first->any[class]]);
		if (first->count[class] >= 0)
			job->counts[class] = number_copy(&table->number[first->count[class]]);
		if (first->distinct_count[class] >= 0)
			job->distincts[first->distinct].counts[class] = number_copy(&table->number[first->distinct_count[class]]);
	}
	for (int a = 0; a < job->node->naggregates; a++)
	{
		if (first->parts[a] > 0)
			job->values[a] = take_sum(job, first, a);
		else if (has_values(&job->node->aggregates[a]))
			job->values[a] = take_value(job, first, a);
	}
}

static void
first_pass(GroupJob *job)
{
	FirstPass  *first = palloc0(sizeof(FirstPass));
	Shared64	groups = shared64_zero(1);

	place_columns(job, first);
	pass_sort(job, &first->pass);
	place_counts(job, first);
	place_any(job, first);
	place_aggregates(job, first);
	{
		Grouping	by = {first->pass.keys, first->pass.nkeys, 0, first->sums, first->nsums, GROUP_WITHOUT_ROWS};

		aggregate_table(job->self, &first->pass.table, &by, first->list, first->nlist, job->size, &groups);
	}
	if (job->at->type->rows < job->at->run->checked->nodes[job->node->children[0]].rows && job->keyed)
		note_rows(job->at, &groups, job->node->rows, job->n);
	take_values(job, first);
	table_destroy(&first->pass.table);
	shared64_free(&groups);
	pfree(first);
}

/* ---- patients ---- */

/* Patients of each part by each patient column, end to end. */
static Shared64
patients_of_parts(const GroupJob *job, int parts)
{
	size_t		n = job->valid.n;
	Shared64	all = shared64_alloc(parts * job->node->npatients * n);
	size_t		at = 0;

	for (int part = 0; part < parts; part++)
		for (int k = 0; k < job->node->npatients; k++, at += n)
		{
			const Distinct *distinct = &job->distincts[job->patient[k]];
			int			class = class_of_part(job, part);
			Shared64	view = shared64_view(&all, at, n);

			shared64_copy(&view, distinct->unique ? &job->counts[class] : &distinct->counts[class]);
		}
	return all;
}

/* Of each part a plane: it is shown. */
static SharedBits *
shown_parts(GroupJob *job, int parts)
{
	Party	   *self = job->self;
	size_t		n = job->valid.n;
	int			npatients = job->node->npatients;
	Shared64	patients = patients_of_parts(job, parts);
	SharedBits	few = shared_bits_alloc(1, patients.n);
	SharedBits *shown = palloc0(parts * sizeof(SharedBits));

	compare_less_public(self, &few, &patients, &job->node->patients_min, 1, KIND_INT(PLAN_ROW_BITS + 1));
	logic_not(self, &few);
	for (int part = 0; part < parts; part++)
	{
		int			class = class_of_part(job, part);

		shown[part] = shared_bits_cut(&few, part * npatients * n, n);
		for (int k = 1; k < npatients; k++)
		{
			SharedBits	more = shared_bits_cut(&few, (part * npatients + k) * n, n);

			logic_and(self, &shown[part], &shown[part], &more);
			shared_bits_free(&more);
		}
		if (job->node->show_zero && job->any[class].mine)
		{
			/* Nobody contributes, not even rows without a patient. */
			SharedBits	nobody = plane_not(self, &job->any[class]);

			logic_or(self, &shown[part], &shown[part], &nobody);
			shared_bits_free(&nobody);
		}
	}
	shared64_free(&patients);
	shared_bits_free(&few);
	return shown;
}

/* ---- the relation ---- */

/* Where an aggregate is NULL: nobody contributes, or its part is not shown. */
static SharedBits
null_of_aggregate(const GroupJob *job, int number, const SharedBits *shown)
{
	const PlanAggregate *aggregate = &job->node->aggregates[number];
	bool		count = aggregate->kind <= PLAN_AGGREGATE_COUNT_DISTINCT;
	const SharedBits *any = &job->any[job->class_of[number]];
	SharedBits	there = shared_bits_alloc(1, job->valid.n);

	logic_constant(job->self, &there, true);
	if (!count && any->mine)
		shared_bits_copy(&there, any);
	if (aggregate->part > 0)
		logic_and(job->self, &there, &there, &shown[aggregate->part]);
	logic_not(job->self, &there);
	return there;
}

static SharedColumn
aggregate_column(GroupJob *job, int number, const SharedBits *shown)
{
	const PlanAggregate *aggregate = &job->node->aggregates[number];
	const ColumnType *type = &job->at->type->columns[job->node->nkeys + number];
	int			class = job->class_of[number];
	const Distinct *distinct = &job->distincts[job->distinct_of[number]];
	SharedColumn column = job->values[number];

	memset(&job->values[number], 0, sizeof(SharedColumn));
	if (aggregate->kind == PLAN_AGGREGATE_COUNT_ROWS || aggregate->kind == PLAN_AGGREGATE_COUNT)
		column.number = number_copy(&job->counts[class]);
	if (aggregate->kind == PLAN_AGGREGATE_COUNT_DISTINCT)
		column.number = number_copy(distinct->unique ? &job->counts[class] : &distinct->counts[class]);
	column.type = *type;
	if (type->type.nullable)
		column.null = null_of_aggregate(job, number, shown);
	column.loose = type->type.nullable;
	/* A truth value that is NULL is never 1: conditions rely on it. */
	if (type->type.kind == SECRET_BOOLEAN)
		column_tighten(job->self, &column);
	return column;
}

static SharedRelation
group_relation(GroupJob *job)
{
	const PlanNode *node = job->node;
	int			parts = plan_group_parts(node);
	SharedBits *shown = node->npatients > 0 ? shown_parts(job, parts) : NULL;
	SharedRelation relation = {job->valid.n, job->at->type->ncolumns, NULL, job->valid, shown == NULL};
	int			used = node->nkeys;

	relation.columns = palloc0((relation.ncolumns + 1) * sizeof(SharedColumn));
	memcpy(relation.columns, job->keys, node->nkeys * sizeof(SharedColumn));
	for (int a = 0; a < node->naggregates; a++)
		relation.columns[used++] = aggregate_column(job, a, shown);
	if (shown == NULL)
		return relation;
	logic_and(job->self, &relation.valid, &relation.valid, &shown[0]);
	shared_bits_free(&shown[0]);
	for (int part = 1; part < parts; part++)
		relation.columns[used++] = (SharedColumn) {.type = column_type(secret_boolean()), .bits = shown[part]};
	pfree(shown);
	return relation;
}

/* ---- all of it ---- */

static void
start_job(GroupJob *job, const NodeRun *at, SharedRelation *child)
{
	memset(job, 0, sizeof(GroupJob));
	job->at = at;
	job->self = at->self;
	job->node = at->node;
	job->child = child;
	job->keyed = at->node->nkeys > 0;
	if (!job->keyed)
		append_nobody(child);
	job->n = child->n;
	job->size = job->keyed ? Min(at->type->rows, child->n) : 1;
	job->values = palloc0((at->node->naggregates + 1) * sizeof(SharedColumn));
	job->key_planes = palloc0((at->node->nkeys + 1) * sizeof(SharedBits));
	for (int k = 0; k < at->node->nkeys; k++)
	{
		SharedColumn *key = &child->columns[at->node->keys[k]];

		column_tighten(at->self, key);
		job->key_planes[k] = column_to_planes(at->self, key, column_planes(&key->type));
	}
}

static void
end_job(GroupJob *job)
{
	for (int k = 0; k < job->node->nkeys; k++)
		shared_bits_free(&job->key_planes[k]);
	for (int class = 0; class < job->nclasses; class++)
	{
		if (job->support[class].mine)
			shared_bits_free(&job->support[class]);
		if (job->any[class].mine)
			shared_bits_free(&job->any[class]);
		if (job->counts[class].mine)
			shared64_free(&job->counts[class]);
	}
	for (int d = 0; d < job->ndistincts; d++)
	{
		column_free(&job->distincts[d].column);
		for (int class = 0; class < job->nclasses; class++)
			if (job->distincts[d].counts[class].mine)
				shared64_free(&job->distincts[d].counts[class]);
	}
	for (int a = 0; a < 2 * job->node->naggregates; a++)
		column_free(&job->args[a]);
	relation_free(job->child);
}

/* The first of those who share a pass does it for all. */
static void
percentile_passes(GroupJob *job)
{
	for (int a = 0; a < job->node->naggregates; a++)
		if (job->node->aggregates[a].kind >= PLAN_AGGREGATE_PERCENTILE_DISC && job->values[a].number.mine == NULL)
			percentile_pass(job, a);
}

SharedRelation
execute_group(const NodeRun *at, SharedRelation *child)
{
	GroupJob	job;
	SharedRelation relation;

	start_job(&job, at, child);
	find_classes(&job);
	find_counts(&job);
	first_pass(&job);
	for (int d = 0; d < job.ndistincts; d++)
		if (!job.distincts[d].unique && d != first_distinct(&job))
			distinct_pass(&job, d);
	percentile_passes(&job);
	relation = group_relation(&job);
	end_job(&job);
	return relation;
}
