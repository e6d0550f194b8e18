/*
 * noisy.c
 *	  A party's part of the noise of a run over the rows of sites.
 */
#include "postgres.h"

#include "crypto/hash.h"
#include "miscadmin.h"
#include "mpc/arith.h"
#include "mpc/noise.h"
#include "query/noisy.h"

size_t
noisy_numbers(const CanonicalPlan *plan)
{
	return plan_cells(plan) * plan->ncomponents;
}

int64 *
noisy_draw(const CanonicalPlan *plan, const Noise *noise)
{
	int64	   *drawn = palloc_extended(sizeof(int64) * noisy_numbers(plan) + 1, MCXT_ALLOC_HUGE);
	size_t		cells = plan_cells(plan);
	uint8		seed[SEED_BYTES];
	Gaussian   *source;

	random_bytes(seed, sizeof(seed));
	source = gaussian_create(seed);
	wipe(seed, sizeof(seed));
	for (size_t cell = 0; cell < cells; cell++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < plan->ncomponents; i++)
			drawn[cell * plan->ncomponents + i] = gaussian_draw(source, noise_sigma_of_party(noise, i));
	}
	gaussian_free(source);
	return drawn;
}

/* Where the number of each component of each cell is; public. */
static size_t *
positions(const CanonicalPlan *plan)
{
	PlanLayout	layout = plan_layout(plan);
	size_t		cells = plan_cells(plan);
	size_t	   *at = palloc_extended(sizeof(size_t) * noisy_numbers(plan) + 1, MCXT_ALLOC_HUGE);

	for (size_t cell = 0; cell < cells; cell++)
		for (int i = 0; i < plan->ncomponents; i++)
			at[cell * plan->ncomponents + i] = cell * layout.stride + layout.component[i] + noise_number(plan->components[i]);
	return at;
}

static void
move(Shared *to, size_t to_at, const Shared *from, size_t from_at)
{
	to->mine[to_at] = from->mine[from_at];
	to->next[to_at] = from->next[from_at];
}

/* All that is not a number and not a patient count. */
static void
level(const Party *self, Shared *sum, const CanonicalPlan *plan)
{
	PlanLayout	layout = plan_layout(plan);
	uint128		mine;
	uint128		next;
	Shared		one = {&mine, &next, 1};

	arith_constant(self, &one, 1);
	for (size_t cell = 0; cell < sum->n; cell += layout.stride)
	{
		for (int part = 0; part < plan->nparts; part++)
		{
			Shared		values = shared_view(sum, cell + layout.part_start[part] + 1, layout.part_width[part]);

			memset(values.mine, 0, sizeof(uint128) * values.n);
			memset(values.next, 0, sizeof(uint128) * values.n);
		}
		for (int i = 0; i < plan->ncomponents; i++)
			if (noise_number(plan->components[i]) > 0)
				move(sum, cell + layout.component[i], &one, 0);
		move(sum, cell + layout.exists, &one, 0);
	}
}

void
noisy_cells(Party *self, Shared *sum, const CanonicalPlan *plan, const int64 *drawn)
{
	size_t	   *at = positions(plan);
	Shared		numbers = shared_alloc(noisy_numbers(plan));

	for (size_t v = 0; v < numbers.n; v++)
		move(&numbers, v, sum, at[v]);
	noise_add(self, &numbers, drawn);
	level(self, sum, plan);
	for (size_t v = 0; v < numbers.n; v++)
		move(sum, at[v], &numbers, v);
	shared_free(&numbers);
	pfree(at);
}
