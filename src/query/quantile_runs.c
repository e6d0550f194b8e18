/*
 * quantile_runs.c
 *	  What a party holds of the values that quantiles are found among.
 */
#include "postgres.h"

#include "query/quantile_runs.h"
#include "share/memory.h"
#include "share/packed.h"

/* x0 of all vectors of all sites. */
static uint64
passed_bytes(const CanonicalPlan *plan, int nsites)
{
	int			group_width = packed_width(quantile_group_bits(plan_cells(plan)));
	uint64		bytes = 0;

	for (int i = 0; i < plan->ncomponents; i++)
	{
		const QuantileSpec *spec = plan_quantiles(plan, i);

		if (spec)
			bytes += nsites * packed_bytes(packed_width(spec->type.bits) + group_width, spec->rows);
	}
	return bytes;
}

void
quantile_runs_create(QuantileRuns *runs, const CanonicalPlan *plan, int party, int nsites)
{
	*runs = (QuantileRuns) {plan, party, nsites};
	runs->values = palloc0(sizeof(Shared64) * (plan->ncomponents * nsites + 1));
	runs->groups = palloc0(sizeof(Shared64) * (plan->ncomponents * nsites + 1));
	runs->hashes = palloc0(HASH_BYTES * (2 * plan->ncomponents * nsites + 1));
	runs->passed_bytes = passed_bytes(plan, nsites);
	if (party != 1)
		runs->passed = vector_alloc(runs->passed_bytes + PACKED_SLACK);
}

void
quantile_runs_free(QuantileRuns *runs)
{
	for (int i = 0; i < runs->plan->ncomponents * runs->nsites; i++)
	{
		if (runs->values[i].mine)
			shared64_free(&runs->values[i]);
		if (runs->groups[i].mine)
			shared64_free(&runs->groups[i]);
	}
	if (runs->passed)
		vector_free(runs->passed, runs->passed_bytes + PACKED_SLACK);
}

static Quantiles
quantiles_of(const QuantileRuns *runs, int component)
{
	size_t		groups = plan_cells(runs->plan);
	int			at = component * runs->nsites;

	return (Quantiles) {plan_quantiles(runs->plan, component), groups, runs->nsites, &runs->values[at],
		groups > 1 ? &runs->groups[at] : NULL};
}

/* A column's numbers, and where they are among those of all columns. */
typedef struct Column
{
	Shared64   *numbers;
	uint64		rows;
	int			width;
	uint8	   *hash;
} Column;

/* Of component i and a site: its values, and, if there is more than one, its groups.  False if there is none. */
static bool
column_of(const QuantileRuns *runs, int i, int site, bool groups, Column *column)
{
	const QuantileSpec *spec = plan_quantiles(runs->plan, i);
	int			group_bits = quantile_group_bits(plan_cells(runs->plan));
	int			at = i * runs->nsites + site;

	if (spec == NULL || (groups && group_bits == 0))
		return false;
	column->numbers = groups ? &runs->groups[at] : &runs->values[at];
	column->rows = spec->rows;
	column->width = packed_width(groups ? group_bits : spec->type.bits);
	column->hash = runs->hashes[2 * at + groups];
	return true;
}

/* The next column of the package. */
static bool
take_column(QuantileRuns *runs, const Column *column, const uint8 **package, size_t *len)
{
	size_t		bytes = packed_package_bytes(column->width, runs->party, column->rows);

	if (*len < bytes)
		return false;
	*column->numbers = shared64_alloc(column->rows);
	if (!packed_from_package(column->numbers, runs->passed + (runs->party == 0 ? runs->taken : 0), column->hash,
							 column->width, runs->party, *package, bytes))
		return false;
	runs->taken += packed_bytes(column->width, column->rows);
	*package += bytes;
	*len -= bytes;
	return true;
}

bool
quantile_runs_take(QuantileRuns *runs, int site, const uint8 *package, size_t len)
{
	Column		column;

	for (int i = 0; i < runs->plan->ncomponents; i++)
		for (int groups = 0; groups < 2; groups++)
			if (column_of(runs, i, site, groups, &column) && !take_column(runs, &column, &package, &len))
				return false;
	return len == 0;
}

/* ---- what party 0 passes on ---- */

static const void *
give_passed(Party *self, void *arg, size_t start, size_t len, void *space)
{
	const QuantileRuns *runs = arg;

	return self->index == 0 ? runs->passed + start : NULL;
}

static void
take_passed(Party *self, void *arg, size_t start, size_t len, const void *bytes)
{
	const QuantileRuns *runs = arg;

	memcpy(runs->passed + start, bytes, len);
}

static void
pass_on(Party *self, const QuantileRuns *runs)
{
	PartyStream stream = {self->index == 0 ? runs->passed_bytes : 0, self->index == 2 ? runs->passed_bytes : 0,
	give_passed, take_passed, (void *) runs, false};
	size_t		at = 0;
	Column		column;

	party_stream(self, &stream);
	if (self->index != 2)
		return;
	for (int site = 0; site < runs->nsites; site++)
		for (int i = 0; i < runs->plan->ncomponents; i++)
			for (int groups = 0; groups < 2; groups++)
			{
				if (!column_of(runs, i, site, groups, &column))
					continue;
				if (!packed_complete(column.numbers, runs->passed + at, column.hash, column.width))
					fail(ERRCODE_SECMED_SHARES_DIFFER, "the shares that the next party passed on are not those of site %d", site + 1);
				at += packed_bytes(column.width, column.rows);
			}
}

/* ---- computing ---- */

/* What the vector has behind the mark of this component in a cell. */
static Shared
elements_at(const QuantileRuns *runs, const PlanLayout *layout, int component, size_t cell, const Shared *sum)
{
	size_t		at = cell * layout->stride + layout->component[component] + 1;

	return (Shared) {sum->mine + at, sum->next + at, plan_width(runs->plan, component)};
}

static Shared
counts_of(const QuantileRuns *runs, const PlanLayout *layout, int component, const Shared *sum)
{
	Shared		counts = shared_alloc(plan_cells(runs->plan));

	for (size_t cell = 0; cell < counts.n; cell++)
	{
		Shared		elements = elements_at(runs, layout, component, cell, sum);

		counts.mine[cell] = elements.mine[0];
		counts.next[cell] = elements.next[0];
	}
	return counts;
}

static void
compute_component(Party *self, const QuantileRuns *runs, const PlanLayout *layout, int component, Shared *sum)
{
	Quantiles	quantiles = quantiles_of(runs, component);
	Shared		counts = counts_of(runs, layout, component, sum);
	int			width = plan_width(runs->plan, component);
	Shared		found = shared_alloc(quantiles.ngroups * width);

	quantiles_compute(self, &found, &quantiles, &counts);
	for (size_t cell = 0; cell < quantiles.ngroups; cell++)
	{
		Shared		elements = elements_at(runs, layout, component, cell, sum);

		memcpy(elements.mine, found.mine + cell * width, width * sizeof(uint128));
		memcpy(elements.next, found.next + cell * width, width * sizeof(uint128));
	}
	shared_free(&counts);
	shared_free(&found);
}

void
quantile_runs_compute(Party *self, const QuantileRuns *runs, Shared *sum)
{
	PlanLayout	layout = plan_layout(runs->plan);

	if (plan_quantile_goals(runs->plan) == 0)
		return;
	pass_on(self, runs);
	for (int i = 0; i < runs->plan->ncomponents; i++)
		if (plan_quantiles(runs->plan, i))
			compute_component(self, runs, &layout, i, sum);
}

/* ---- costs ---- */

void
quantile_runs_cost(MpcCost *cost, const CanonicalPlan *plan, int nsites)
{
	if (plan_quantile_goals(plan) > 0)
		mpc_cost_round(cost, cost->party == 0 ? passed_bytes(plan, nsites) : 0);
	for (int i = 0; i < plan->ncomponents; i++)
	{
		Quantiles	quantiles = {plan_quantiles(plan, i), plan_cells(plan), nsites};

		if (quantiles.spec)
			quantiles_cost(cost, &quantiles);
	}
}

uint64
quantile_runs_bytes(const QuantileRuns *runs)
{
	uint64		bytes = runs->passed_bytes;

	for (int i = 0; i < runs->plan->ncomponents; i++)
		if (plan_quantiles(runs->plan, i))
			bytes += plan_quantiles(runs->plan, i)->rows * runs->nsites * 2 * sizeof(uint64) * (plan_cells(runs->plan) > 1 ? 2 : 1);
	return bytes;
}

uint64
quantile_runs_need(const QuantileRuns *runs)
{
	uint64		most = 0;

	for (int i = 0; i < runs->plan->ncomponents; i++)
	{
		Quantiles	quantiles = quantiles_of(runs, i);

		if (quantiles.spec)
			most = Max(most, quantiles_need(&quantiles));
	}
	return most;
}
