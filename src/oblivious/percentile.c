/*
 * percentile.c
 *	  Percentiles of groups, in rounds that do not depend on the data.
 *
 * Rows are sorted by the keys, those that contribute first, and by the value.  A row learns its rank r in
 * the group and the number N of rows that contribute, both by copying along the group; so whether it
 * is the one that is wanted is a comparison, and its value, times that bit, is added up
 * over the group.  With f = p / q:
 *
 *	  percentile_disc	the row with q (r - 1) < p N <= q r; for p = 0 the first
 *	  percentile_cont	the row with q (r - 1) <= p (N - 1) < q r; with d = p (N - 1) - q (r - 1) the
 *						value is ((q - d) x + d y) / q, where y is the next row's
 */
#include "oblivious/group.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/group.h"
#include "mpc/logic.h"
#include "mpc/scan.h"

/* Places in the table of the pass. */
typedef struct Ranked
{
	const GroupJob *job;
	GroupPass  *pass;
	int			value;			/* number */
	int			support;		/* slice, or -1 */
	Shared64	rank;			/* r, from 1, of rows that contribute */
	Shared64	total;			/* N */
} Ranked;

/* z[v] = x[n - 1 - v] */
static Shared64
reversed(const Shared64 *x)
{
	Shared64	z = shared64_alloc(x->n);

	for (size_t v = 0; v < x->n; v++)
	{
		z.mine[v] = x->mine[x->n - 1 - v];
		z.next[v] = x->next[x->n - 1 - v];
	}
	return z;
}

static SharedBits
reversed_plane(const SharedBits *x)
{
	Table		table = table_create(x->n);
	uint32	   *from = palloc_extended((x->n + 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	SharedBits	plane;

	table_add_slice(&table, plane_copy(x));
	for (size_t v = 0; v < x->n; v++)
		from[v] = x->n - 1 - v;
	table_take(&table, from, x->n);
	plane = table.slice[0];
	pfree(from);
	pfree(table.number);
	pfree(table.slice);
	return plane;
}

/* r = prefix sum of who contributes, less what it was before the group. */
static void
find_ranks(Ranked *ranked, const SharedBits *same)
{
	Party	   *self = ranked->job->self;
	size_t		n = ranked->pass->table.n;
	SharedBits	back = looks_back(same);
	Shared64	before = shared64_alloc(n);

	ranked->rank = shared64_alloc(n);
	if (ranked->support >= 0)
		convert_bit_to_ring64(self, &ranked->rank, &ranked->pass->table.slice[ranked->support]);
	else
		arith64_constant(self, &ranked->rank, 1);
	shared64_copy(&before, &ranked->rank);
	shared64_prefix_sums(&ranked->rank);
	shared64_subtract(&before, &ranked->rank, &before);
	scan_copy_numbers(self, &before, 1, &back);
	shared64_subtract(&ranked->rank, &ranked->rank, &before);
	shared64_free(&before);
	shared_bits_free(&back);
}

/* N is the rank of the last row, copied upwards. */
static void
find_totals(Ranked *ranked, const SharedBits *same)
{
	SharedBits	forward = reversed_plane(same);
	Shared64	total = reversed(&ranked->rank);

	scan_copy_numbers(ranked->job->self, &total, 1, &forward);
	ranked->total = reversed(&total);
	shared64_free(&total);
	shared_bits_free(&forward);
}

/* d, which is in [0, q) in the row that is wanted, and in no other that contributes. */
static Shared64
distances(const Ranked *ranked, const PlanAggregate *aggregate)
{
	const Party *self = ranked->job->self;
	uint64		p = aggregate->numerator;
	uint64		q = aggregate->denominator;
	Shared64	target = shared64_alloc(ranked->rank.n);
	Shared64	d = shared64_alloc(ranked->rank.n);

	shared64_scale(&target, &ranked->total, p);
	shared64_scale(&d, &ranked->rank, q);
	if (aggregate->kind == PLAN_AGGREGATE_PERCENTILE_DISC)
	{
		/* q r - p N, with 1 in the place of p N if p = 0 */
		shared64_subtract(&d, &d, &target);
		if (p == 0)
			arith64_add_constant(self, &d, &d, -1);
	}
	else
	{
		/* p (N - 1) - q (r - 1) */
		shared64_subtract(&d, &target, &d);
		arith64_add_constant(self, &d, &d, q - p);
	}
	shared64_free(&target);
	return d;
}

/* Is d in [0, q), and does the row contribute? */
static SharedBits
chosen(const Ranked *ranked, const Shared64 *d, uint64 q)
{
	Party	   *self = ranked->job->self;
	size_t		n = d->n;
	Shared64	twice = number_append(d, d);
	uint64	   *bounds = table_words(2 * n);
	SharedBits	below = shared_bits_alloc(1, 2 * n);
	SharedBits	choice;
	SharedBits	negative;
	int			bits = 2;

	for (size_t v = 0; v < n; v++)
	{
		bounds[v] = q;
		bounds[n + v] = 0;
	}
	while ((UINT64CONST(1) << (bits - 1)) <= q * (n + 1))
		bits++;
	compare_less_public(self, &below, &twice, bounds, 2 * n, KIND_INT(bits));
	choice = shared_bits_cut(&below, 0, n);
	negative = shared_bits_cut(&below, n, n);
	logic_xor(&choice, &negative);	/* whoever is below 0 is below q */
	if (ranked->support >= 0)
		logic_and(self, &choice, &choice, &ranked->pass->table.slice[ranked->support]);
	shared64_free(&twice);
	shared_bits_free(&below);
	shared_bits_free(&negative);
	pfree(bounds);
	return choice;
}

/* q x + d (y - x), y being the next row's; where d = 0 it does not matter which. */
static Shared64
interpolated(const Ranked *ranked, const Shared64 *d, uint64 q)
{
	const Shared64 *x = &ranked->pass->table.number[ranked->value];
	size_t		n = x->n;
	Shared64	step = shared64_zero(n);
	Shared64	z = shared64_alloc(n);

	for (size_t v = 0; v + 1 < n; v++)
	{
		step.mine[v] = x->mine[v + 1] - x->mine[v];
		step.next[v] = x->next[v + 1] - x->next[v];
	}
	arith64_multiply(ranked->job->self, &step, &step, d);
	shared64_scale(&z, x, q);
	shared64_add(&z, &z, &step);
	shared64_free(&step);
	return z;
}

/* A column of numbers whose sum over the group is the percentile. */
static int
percentile_number(const Ranked *ranked, const PlanAggregate *aggregate)
{
	Shared64	d = distances(ranked, aggregate);
	SharedBits	choice = chosen(ranked, &d, aggregate->denominator);
	Shared64	z;

	if (aggregate->kind == PLAN_AGGREGATE_PERCENTILE_DISC)
		z = number_copy(&ranked->pass->table.number[ranked->value]);
	else
		z = interpolated(ranked, &d, aggregate->denominator);
	convert_bit_times(ranked->job->self, &z, &choice, &z);
	shared64_free(&d);
	shared_bits_free(&choice);
	return table_place_number(&ranked->pass->table, z);
}

static bool
same_values(const GroupJob *job, int a, int b)
{
	return job->node->aggregates[b].kind >= PLAN_AGGREGATE_PERCENTILE_DISC && job->class_of[a] == job->class_of[b] &&
		expression_equal(job->node->aggregates[a].args[0], job->node->aggregates[b].args[0]);
}

/* Those who contribute first; then by value. */
static void
start_ranked(Ranked *ranked, int aggregate)
{
	const GroupJob *job = ranked->job;
	const SharedColumn *x = &job->args[2 * aggregate];
	const SharedBits *support = &job->support[job->class_of[aggregate]];
	SharedBits	same;

	pass_start(job, ranked->pass);
	ranked->support = -1;
	if (support->mine)
	{
		/* Descending: first who contributes. */
		ranked->support = table_place_slice(&ranked->pass->table, plane_copy(support));
		pass_order_by(ranked->pass, ranked->support, false);
		ranked->pass->order[ranked->pass->norder - 1].descending = true;
	}
	pass_order_by(ranked->pass, table_place_slice(&ranked->pass->table, column_to_planes(job->self, x, column_planes(&x->type))),
				  true);
	ranked->value = table_place_number(&ranked->pass->table, number_copy(&x->number));
	pass_sort(job, ranked->pass);
	same = group_same(job->self, &ranked->pass->table, &(Grouping) {ranked->pass->keys, ranked->pass->nkeys, 0});
	find_ranks(ranked, &same);
	find_totals(ranked, &same);
	shared_bits_free(&same);
}

void
percentile_pass(GroupJob *job, int aggregate)
{
	GroupPass	pass;
	Ranked		ranked = {job, &pass};
	int		   *places = palloc(job->node->naggregates * sizeof(int));
	int		   *members = palloc(job->node->naggregates * sizeof(int));
	int			count = 0;

	start_ranked(&ranked, aggregate);
	for (int a = aggregate; a < job->node->naggregates; a++)
	{
		if (!same_values(job, aggregate, a))
			continue;
		members[count] = a;
		places[count++] = percentile_number(&ranked, &job->node->aggregates[a]);
	}
	pass_group(job, &pass, places, count, NULL);
	for (int k = 0; k < count; k++)
		job->values[members[k]].number = number_copy(&pass.table.number[places[k]]);
	shared64_free(&ranked.rank);
	shared64_free(&ranked.total);
	table_destroy(&pass.table);
	pfree(places);
	pfree(members);
}
