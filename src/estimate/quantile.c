/*
 * quantile.c
 *	  Quantiles of what several sites hold.
 */
#include "estimate/quantile.h"

#include "mpc/arith.h"
#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"

/* Of d, which is below a denominator. */
#define WAY_BITS		14

StaticAssertDecl((1 << WAY_BITS) > PERCENTILE_DENOMINATOR_MAX, "d fits in its bits");

/* Goals are numbered group by group, in the order in which they are asked. */
typedef struct Job
{
	Party	   *self;
	const Quantiles *quantiles;
	const QuantileSpec *spec;
	size_t		n;				/* goals */
	Shared64	counts;			/* N of each group */
	Shared64	starts;			/* S */
	Shared64	goals;
	uint64	   *scales;			/* q of each */
	Shared64	before;			/* R - 1 */
	Shared64	way;			/* d */
	Shared		x;
	Shared		y;
	Shared		wide_way;		/* d */
	Shared		shown;			/* the bit */
	Shared		there;			/* of NEIGHBOURS: d is not 0 */
} Job;

static const QuantileAsked *
asked_of(const Job *job, size_t goal)
{
	return &job->spec->asked[goal % job->spec->nasked];
}

static bool
has_form(const QuantileSpec *spec, QuantileForm form)
{
	for (int i = 0; i < spec->nasked; i++)
		if (spec->asked[i].form == form)
			return true;
	return false;
}

static bool
needs_second(const QuantileSpec *spec)
{
	return has_form(spec, QUANTILE_CONT) || has_form(spec, QUANTILE_NEIGHBOURS);
}

/* z = x in the smaller ring; local. */
static Shared64
low_half(const Shared *x)
{
	Shared64	z = shared64_alloc(x->n);

	for (size_t i = 0; i < x->n; i++)
	{
		z.mine[i] = (uint64) x->mine[i];
		z.next[i] = (uint64) x->next[i];
	}
	return z;
}

static RankedRuns
runs_of(const Quantiles *quantiles)
{
	return (RankedRuns) {quantiles->nsites, quantiles->spec->rows, quantile_group_bits(quantiles->ngroups),
		quantiles->spec->type.bits, quantiles->groups, quantiles->values};
}

/* ---- (a) goals ---- */

static void
set_goal(Job *job, size_t t)
{
	const QuantileAsked *asked = asked_of(job, t);
	size_t		group = t / job->spec->nasked;
	uint64		p = asked->numerator;
	uint64		q = asked->denominator;
	uint64		more = asked->form != QUANTILE_DISC ? 1 - p : p == 0 ? 1 : 0;
	Shared64	goal = shared64_view(&job->goals, t, 1);

	goal.mine[0] = p * job->counts.mine[group] + q * job->starts.mine[group];
	goal.next[0] = p * job->counts.next[group] + q * job->starts.next[group];
	arith64_add_constant(job->self, &goal, &goal, more);
	job->scales[t] = q;
}

static void
set_goals(Job *job)
{
	job->starts = shared64_alloc(job->counts.n);
	shared64_copy(&job->starts, &job->counts);
	shared64_prefix_sums(&job->starts);
	shared64_subtract(&job->starts, &job->starts, &job->counts);
	job->goals = shared64_alloc(job->n);
	job->scales = palloc(job->n * sizeof(uint64));
	for (size_t t = 0; t < job->n; t++)
		set_goal(job, t);
}

/* ---- (b), (c) values, in the larger ring ---- */

/* d, which is arbitrary where there is no value. */
static void
find_way(Job *job)
{
	job->way = shared64_alloc(job->n);
	for (size_t t = 0; t < job->n; t++)
	{
		job->way.mine[t] = job->goals.mine[t] - job->scales[t] * job->before.mine[t];
		job->way.next[t] = job->goals.next[t] - job->scales[t] * job->before.next[t];
	}
	arith64_add_constant(job->self, &job->way, &job->way, -1);
}

/* Planes behind others, and zeros above them. */
static void
append_planes(SharedBits *all, const SharedBits *part)
{
	SharedBits	padded = shared_bits_alloc(all->planes, part->n);
	SharedBits	low = shared_bits_view(&padded, 0, part->planes);
	SharedBits	longer;

	shared_bits_copy(&low, part);
	longer = shared_bits_append(all, &padded);
	shared_bits_free(&padded);
	shared_bits_free(all);
	*all = longer;
}

/* Unsigned: as far above the lowest as it is. */
static void
append_values(Job *job, SharedBits *all, SharedBits *values)
{
	SharedBits	sign = shared_bits_view(values, values->planes - 1, 1);

	logic_not(job->self, &sign);
	append_planes(all, values);
	shared_bits_free(values);
}

/* Elements first to first + n - 1 as a vector of their own, plus c. */
static Shared
cut_wide(const Party *self, const Shared *x, size_t first, size_t n, uint128 c)
{
	Shared		z = shared_alloc(n);

	memcpy(z.mine, x->mine + first, n * sizeof(uint128));
	memcpy(z.next, x->next + first, n * sizeof(uint128));
	arith_add_constant(self, &z, &z, c);
	return z;
}

/* x, y and d in Z_2^128, from their bits, all at once. */
static void
widen(Job *job, SharedBits *first, SharedBits *second)
{
	uint128		lowest = -((uint128) 1 << (job->spec->type.bits - 1));
	SharedBits	all = shared_bits_alloc(Max(job->spec->type.bits, WAY_BITS), 0);
	Shared		wide;

	append_values(job, &all, first);
	if (second->mine)
	{
		SharedBits	way = shared_bits_raw(WAY_BITS, job->n);

		append_values(job, &all, second);
		convert_to_bits(job->self, &way, &job->way);
		append_planes(&all, &way);
		shared_bits_free(&way);
	}
	wide = shared_alloc(all.n);
	convert_from_bits_wide(job->self, &wide, &all);
	job->x = cut_wide(job->self, &wide, 0, job->n, lowest);
	if (all.n > job->n)
	{
		job->y = cut_wide(job->self, &wide, job->n, job->n, lowest);
		job->wide_way = cut_wide(job->self, &wide, 2 * job->n, job->n, 0);
	}
	shared_free(&wide);
	shared_bits_free(&all);
}

static void
find_values(Job *job)
{
	RankedRuns	runs = runs_of(job->quantiles);
	RankedGoals goals = {job->n, job->goals, job->scales};
	SharedBits	first = shared_bits_raw(job->spec->type.bits, job->n);
	SharedBits	second = {0};

	job->before = shared64_alloc(job->n);
	if (needs_second(job->spec))
		second = shared_bits_raw(job->spec->type.bits, job->n);
	ranked_find(job->self, &runs, &goals, &first, second.mine ? &second : NULL, &job->before);
	find_way(job);
	widen(job, &first, &second);
}

/* ---- (d) what may be shown ---- */

/* Values before it in its group, and values after it, less the tail; or N - 1.  None of them negative: it may. */
static Shared64
spare_values(const Job *job)
{
	uint64		tail = job->spec->tail;
	Shared64	spare = shared64_alloc(job->n * (tail > 0 ? 2 : 1));

	for (size_t t = 0; t < job->n; t++)
	{
		size_t		group = t / job->spec->nasked;
		Shared64	one = shared64_view(&spare, t, 1);
		Shared64	other = shared64_view(&spare, tail > 0 ? job->n + t : t, 1);

		one.mine[0] = job->counts.mine[group];
		one.next[0] = job->counts.next[group];
		if (tail == 0)
		{
			arith64_add_constant(job->self, &one, &one, -1);
			continue;
		}
		one.mine[0] = job->before.mine[t] - job->starts.mine[group];
		one.next[0] = job->before.next[t] - job->starts.next[group];
		other.mine[0] = job->counts.mine[group] - one.mine[0];
		other.next[0] = job->counts.next[group] - one.next[0];
		arith64_add_constant(job->self, &one, &one, -tail);
		arith64_add_constant(job->self, &other, &other, -tail - (asked_of(job, t)->form == QUANTILE_DISC ? 1 : 2));
	}
	return spare;
}

static SharedBits
may_show(const Job *job)
{
	Shared64	spare = spare_values(job);
	SharedBits	negative = shared_bits_raw(1, spare.n);
	SharedBits	shown;

	compare_negative(job->self, &negative, &spare);
	logic_not(job->self, &negative);
	shown = shared_bits_cut(&negative, 0, job->n);
	if (job->spec->tail > 0)
	{
		SharedBits	other = shared_bits_cut(&negative, job->n, job->n);

		logic_and(job->self, &shown, &shown, &other);
		shared_bits_free(&other);
	}
	shared64_free(&spare);
	shared_bits_free(&negative);
	return shown;
}

/* d is not 0, so that the second neighbour is needed. */
static SharedBits
is_between(const Job *job)
{
	static const uint64 none = 0;
	SharedBits	between = shared_bits_raw(1, job->n);

	compare_equal_public(job->self, &between, &job->way, &none, 1, WAY_BITS);
	logic_not(job->self, &between);
	return between;
}

static void
find_shown(Job *job)
{
	SharedBits	bits = may_show(job);
	Shared		numbers;

	if (has_form(job->spec, QUANTILE_NEIGHBOURS))
	{
		SharedBits	between = is_between(job);
		SharedBits	both = shared_bits_append(&bits, &between);

		shared_bits_free(&between);
		shared_bits_free(&bits);
		bits = both;
	}
	numbers = shared_alloc(bits.n);
	convert_bit_to_ring(job->self, &numbers, &bits);
	job->shown = cut_wide(job->self, &numbers, 0, job->n, 0);
	if (bits.n > job->n)
		job->there = cut_wide(job->self, &numbers, job->n, job->n, 0);
	shared_free(&numbers);
	shared_bits_free(&bits);
}

/* ---- (e) what is opened ---- */

/* The way from x to y that is added to x: d times, or all of it if it is needed. */
static Shared
steps_to_next(const Job *job)
{
	Shared		step = shared_alloc(job->n);
	Shared		factor = shared_alloc(job->n);

	for (size_t t = 0; t < job->n; t++)
	{
		const Shared *from = asked_of(job, t)->form == QUANTILE_NEIGHBOURS ? &job->there : &job->wide_way;

		step.mine[t] = job->y.mine[t] - job->x.mine[t];
		step.next[t] = job->y.next[t] - job->x.next[t];
		factor.mine[t] = from->mine[t];
		factor.next[t] = from->next[t];
	}
	arith_multiply(job->self, &step, &step, &factor);
	shared_free(&factor);
	return step;
}

static void
put(Shared *to, size_t at, uint128 mine, uint128 next)
{
	to->mine[at] = mine;
	to->next[at] = next;
}

/* One goal's elements, from `at` on: 1, then its values. */
static void
put_elements(const Job *job, Shared *out, size_t at, size_t t, const Shared *step)
{
	QuantileForm form = asked_of(job, t)->form;
	uint128		scale = form == QUANTILE_CONT ? job->scales[t] : 1;
	Shared		one = {out->mine + at, out->next + at, 1};

	arith_constant(job->self, &one, 1);
	put(out, at + 1, scale * job->x.mine[t], scale * job->x.next[t]);
	if (form == QUANTILE_CONT)
		put(out, at + 1, out->mine[at + 1] + step->mine[t], out->next[at + 1] + step->next[t]);
	if (form != QUANTILE_NEIGHBOURS)
		return;
	put(out, at + 2, job->x.mine[t] + step->mine[t], job->x.next[t] + step->next[t]);
	put(out, at + 3, job->wide_way.mine[t], job->wide_way.next[t]);
}

/* All elements, each times the bit of its goal. */
static void
make_elements(const Job *job, Shared *out)
{
	Shared		step = {0};
	Shared		factor = shared_alloc(out->n);
	size_t		at = 0;

	if (needs_second(job->spec))
		step = steps_to_next(job);
	for (size_t t = 0; t < job->n; t++)
	{
		int			n = quantile_form_elements(asked_of(job, t)->form);

		put_elements(job, out, at, t, &step);
		for (int i = 0; i < n; i++, at++)
			put(&factor, at, job->shown.mine[t], job->shown.next[t]);
	}
	arith_multiply(job->self, out, out, &factor);
	if (step.mine)
		shared_free(&step);
	shared_free(&factor);
}

static void
job_free(Job *job)
{
	Shared	   *wide[] = {&job->x, &job->y, &job->wide_way, &job->shown, &job->there};
	Shared64   *small[] = {&job->counts, &job->starts, &job->goals, &job->before, &job->way};

	for (int i = 0; i < lengthof(wide); i++)
		if (wide[i]->mine)
			shared_free(wide[i]);
	for (int i = 0; i < lengthof(small); i++)
		shared64_free(small[i]);
	pfree(job->scales);
}

void
quantiles_compute(Party *self, Shared *out, const Quantiles *quantiles, const Shared *counts)
{
	Job			job = {self, quantiles, quantiles->spec, quantiles->ngroups * quantiles->spec->nasked};

	Assert(counts->n == quantiles->ngroups && out->n == quantiles->ngroups * quantile_elements(quantiles->spec));
	job.counts = low_half(counts);
	set_goals(&job);
	find_values(&job);
	find_shown(&job);
	make_elements(&job, out);
	job_free(&job);
}

/* ---- costs ---- */

void
quantiles_cost(MpcCost *cost, const Quantiles *quantiles)
{
	const QuantileSpec *spec = quantiles->spec;
	size_t		n = quantiles->ngroups * spec->nasked;
	bool		second = needs_second(spec);
	bool		neighbours = has_form(spec, QUANTILE_NEIGHBOURS);
	RankedRuns	runs = runs_of(quantiles);
	RankedGoals goals = {.n = n};
	uint64	   *scales = palloc(n * sizeof(uint64));

	for (size_t t = 0; t < n; t++)
		scales[t] = spec->asked[t % spec->nasked].denominator;
	goals.scales = scales;
	ranked_cost(cost, &runs, &goals, second);
	if (second)
		mpc_cost_to_bits(cost, WAY_BITS, n);
	mpc_cost_from_bits_wide(cost, second ? 3 * n : n);
	mpc_cost_negative(cost, spec->tail > 0 ? 2 * n : n);
	if (spec->tail > 0)
		mpc_cost_round(cost, PLANE_BYTES(n));
	if (neighbours)
		mpc_cost_equal(cost, WAY_BITS, n);
	mpc_cost_bits_to_ring(cost, neighbours ? 2 * n : n);
	if (second)
		mpc_cost_round(cost, n * sizeof(uint128));
	mpc_cost_round(cost, (uint64) quantiles->ngroups * quantile_elements(spec) * sizeof(uint128));
	pfree(scales);
}

uint64
quantiles_need(const Quantiles *quantiles)
{
	RankedRuns	runs = runs_of(quantiles);

	return ranked_need(&runs, quantiles->ngroups * quantiles->spec->nasked);
}
