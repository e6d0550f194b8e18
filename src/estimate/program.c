/*
 * program.c
 *	  The parties' programs on what the sites add up: which one, and what
 *	  they have in common.
 */
#include "estimate/program.h"

#include "base/limits.h"
#include "mpc/arith.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "share/bits.h"

#define COMPARISONS		3		/* of an arm */

size_t
estimate_stride_in(const EstimateRule *rule)
{
	return estimate_inputs(rule->estimate) + 2;
}

size_t
estimate_stride_out(const EstimateRule *rule)
{
	return estimate_outputs(rule->estimate, rule->arms) + 2;
}

Shared
estimate_counts(const Shared *in, const EstimateRule *rule, size_t arm, size_t stratum, bool censored)
{
	size_t		cells = rule->estimate->cells;

	return shared_view(in, arm * estimate_stride_in(rule) + 1 + (2 * stratum + (censored ? 1 : 0)) * cells, cells);
}

void
suffix_sums(Shared *x)
{
	for (size_t v = x->n - 1; v > 0; v--)
	{
		x->mine[v - 1] += x->mine[v];
		x->next[v - 1] += x->next[v];
	}
}

/* ---- which arms pass ---- */

static ReleaseRule
release_rule(const EstimateRule *rule)
{
	return (ReleaseRule) {.cells = rule->arms, .patients_min = rule->patients_min, .show_zero = rule->show_zero,
		.nkeys = rule->nkeys, .sizes = rule->sizes, .guard = rule->guard};
}

/* Of each arm: rows >= 2^ESTIMATE_ROWS_BITS, events >= patients_min, rows >= 1; three vectors end to end. */
static SharedBits
compare_rows(Party *self, const Shared *rows, const Shared *events, const EstimateRule *rule)
{
	size_t		n = rule->arms;
	const uint64 bounds[] = {UINT64CONST(1) << ESTIMATE_ROWS_BITS, rule->patients_min, 1};
	Shared		counts = shared_alloc(COMPARISONS * n);
	uint64	   *bound = palloc(sizeof(uint64) * COMPARISONS * n);
	SharedBits	reached = shared_bits_alloc(1, COMPARISONS * n);

	for (int i = 0; i < COMPARISONS; i++)
	{
		Shared		to = shared_view(&counts, i * n, n);

		shared_copy(&to, i == 1 ? events : rows);
		for (size_t arm = 0; arm < n; arm++)
			bound[i * n + arm] = bounds[i];
	}
	compare_ge_public(self, &reached, &counts, bound);
	shared_free(&counts);
	pfree(bound);
	return reached;
}

/* Of each arm 1 or 0: not too many rows, and enough events or no rows at all. */
static Shared
good_rows(Party *self, const Shared *rows, const Shared *events, const EstimateRule *rule)
{
	size_t		n = rule->arms;
	SharedBits	reached = compare_rows(self, rows, events, rule);
	SharedBits	many = shared_bits_cut(&reached, 0, n);
	SharedBits	enough = shared_bits_cut(&reached, n, n);
	SharedBits	some = shared_bits_cut(&reached, 2 * n, n);
	Shared		good = shared_alloc(n);

	logic_not(self, &many);
	logic_not(self, &some);
	logic_or(self, &enough, &enough, &some);
	logic_and(self, &enough, &enough, &many);
	convert_bit_to_ring(self, &good, &enough);
	shared_bits_free(&reached);
	shared_bits_free(&many);
	shared_bits_free(&enough);
	shared_bits_free(&some);
	return good;
}

bool
estimate_flags(Party *self, Shared *flags, const Shared *in, const Shared *rows, const Shared *events,
			   const EstimateRule *rule)
{
	ReleaseRule release = release_rule(rule);
	Shared		patients = shared_alloc(rule->arms);
	Shared		good = good_rows(self, rows, events, rule);
	bool		passes;

	for (size_t arm = 0; arm < rule->arms; arm++)
	{
		Shared		count = shared_view(in, arm * estimate_stride_in(rule), 1);
		Shared		to = shared_view(&patients, arm, 1);

		shared_copy(&to, &count);
	}
	passes = release_cells(self, flags, &patients, &release);
	if (passes)
		arith_multiply(self, flags, flags, &good);
	shared_free(&patients);
	shared_free(&good);
	return passes;
}

void
estimate_flags_cost(EstimateCost *cost, const EstimateRule *rule)
{
	ReleaseRule release = release_rule(rule);
	uint64		rounds;
	uint64		bytes;

	cost_ge_public(cost, COMPARISONS * rule->arms);
	cost_and(cost, 1, rule->arms);
	cost_and(cost, 1, rule->arms);
	cost_to_ring(cost, rule->arms);
	release_cost(&release, cost->party, &rounds, &bytes);
	cost->rounds += rounds;
	cost->bytes += bytes;
	cost_multiply(cost, rule->arms);
}

/* ---- the whole ---- */

bool
estimate_run(Party *self, Shared *out, const Shared *in, const EstimateRule *rule)
{
	bool		passes;

	party_reserve(self, "estimating", estimate_need(rule));
	Assert(in->n == rule->arms * estimate_stride_in(rule) && out->n == rule->arms * estimate_stride_out(rule));
	passes = rule->estimate->program == ESTIMATE_CURVE ? curve_run(self, out, in, rule) : logrank_run(self, out, in, rule);
	party_release(self, estimate_need(rule));
	return passes;
}

void
estimate_cost(const EstimateRule *rule, int party, uint64 *rounds, uint64 *bytes)
{
	EstimateCost cost = {.party = party};

	estimate_flags_cost(&cost, rule);
	if (rule->estimate->program == ESTIMATE_CURVE)
		curve_cost(&cost, rule);
	else
		logrank_cost(&cost, rule);
	*rounds = cost.rounds;
	*bytes = cost.bytes;
}

uint64
estimate_need(const EstimateRule *rule)
{
	ReleaseRule release = release_rule(rule);
	uint64		program = rule->estimate->program == ESTIMATE_CURVE ? curve_need(rule) : logrank_need(rule);

	return release_need(&release) + program;
}
