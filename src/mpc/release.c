/*
 * release.c
 *	  Which parts of cells may be opened: compared, turned into a factor, multiplied.
 *
 * A withheld cell becomes zeros before anything of it is opened, so neither
 * the parties nor the requester learn more of it than that it is withheld.
 * The last multiplication also refreshes all shares: nothing of how a value
 * came about is left in what the parties send to the requester.
 */
#include "mpc/arith.h"
#include "mpc/compare.h"
#include "mpc/complement.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/release.h"

/* compare.h promises nothing for a bound outside [0, 2^63), and 0 would pass everyone. */
static void
check_rule(const ReleaseRule *rule)
{
	if (rule->patients_min < 1 || rule->patients_min > PG_INT64_MAX)
		fail(ERRCODE_SECMED_PROTOCOL,
			 "a smallest number of " UINT64_FORMAT " patients in a cell is not possible",
			 rule->patients_min);
}

static size_t
parts_of_cell(const ReleaseRule *rule)
{
	return rule->parts ? rule->parts : 1;
}

static size_t
part_width(const ReleaseRule *rule, size_t part)
{
	return rule->widths ? rule->widths[part] : rule->width;
}

size_t
release_stride(const ReleaseRule *rule)
{
	size_t		stride = 0;

	for (size_t part = 0; part < parts_of_cell(rule); part++)
		stride += 1 + part_width(rule, part);
	return stride;
}

/* All parts of all cells. */
static size_t
all_parts(const ReleaseRule *rule)
{
	return rule->cells * parts_of_cell(rule);
}

/* Of numbers of patients; behind them come the guard's. */
static size_t
count_comparisons(const ReleaseRule *rule)
{
	return all_parts(rule) * (rule->show_zero ? 2 : 1);
}

static size_t
comparisons(const ReleaseRule *rule)
{
	return count_comparisons(rule) + (rule->guard ? guard_comparisons(rule->guard) : 0);
}

static size_t
elements(const ReleaseRule *rule)
{
	return rule->cells * release_stride(rule);
}

/* Where each part of each cell begins; public. */
static size_t *
part_starts(const ReleaseRule *rule)
{
	size_t	   *starts = palloc((all_parts(rule) + 1) * sizeof(size_t));
	size_t		at = 0;

	for (size_t i = 0; i < all_parts(rule); i++)
	{
		starts[i] = at;
		at += 1 + part_width(rule, i % parts_of_cell(rule));
	}
	starts[all_parts(rule)] = at;
	return starts;
}

/* The patient counts against patients_min, then, if zeros show, against 1; then the guard's numbers. */
static SharedBits
compare_counts(Party *self, const Shared *in, const size_t *starts, const ReleaseRule *rule)
{
	size_t		n = comparisons(rule);
	Shared		patients = shared_alloc(n);
	uint64	   *bound = palloc(n * sizeof(uint64));
	SharedBits	reached = shared_bits_alloc(1, n);

	for (size_t v = 0; v < count_comparisons(rule); v++)
	{
		size_t		part = v % all_parts(rule);

		patients.mine[v] = in->mine[starts[part]];
		patients.next[v] = in->next[starts[part]];
		bound[v] = v < all_parts(rule) ? rule->patients_min : 1;
	}
	if (rule->guard)
		guard_fill(rule->guard, rule->patients_min, &patients, bound, count_comparisons(rule));
	compare_ge_public(self, &reached, &patients, bound);
	shared_free(&patients);
	pfree(bound);
	return reached;
}

static CellTable
cell_table(const ReleaseRule *rule)
{
	return (CellTable) {rule->nkeys, rule->sizes, parts_of_cell(rule)};
}

/* The number of patients of each part, as one vector. */
static Shared
gather_counts(const Shared *in, const size_t *starts, const ReleaseRule *rule)
{
	Shared		patients = shared_alloc(all_parts(rule));

	for (size_t part = 0; part < all_parts(rule); part++)
	{
		patients.mine[part] = in->mine[starts[part]];
		patients.next[part] = in->next[starts[part]];
	}
	return patients;
}

static void
withhold_complements(Party *self, SharedBits *pass, const SharedBits *large, const Shared *in, const size_t *starts,
					 const ReleaseRule *rule)
{
	CellTable	table = cell_table(rule);
	Shared		patients;

	if (rule->nkeys == 0)
		return;
	patients = gather_counts(in, starts, rule);
	complement_withhold(self, pass, large, &patients, &table, rule->patients_min);
	shared_free(&patients);
}

/* Of parts that are close to others; false if nothing may be released. */
static bool
withhold_close(Party *self, SharedBits *pass, SharedBits *large, const SharedBits *reached, const ReleaseRule *rule)
{
	SharedBits	differences;
	bool		released;

	if (rule->guard == NULL)
		return true;
	differences = shared_bits_cut(reached, count_comparisons(rule), guard_comparisons(rule->guard));
	released = guard_withhold(self, pass, large, &differences, rule->guard, rule->cells, parts_of_cell(rule));
	shared_bits_free(&differences);
	return released;
}

/* pass = (patients >= patients_min) ^ NOT (patients >= 1): never both.  False if nothing passes, because of the guard. */
static bool
passing_parts(Party *self, SharedBits *pass, const Shared *in, const size_t *starts, const ReleaseRule *rule)
{
	SharedBits	reached = compare_counts(self, in, starts, rule);
	SharedBits	large = shared_bits_cut(&reached, 0, all_parts(rule));
	bool		released;

	*pass = shared_bits_cut(&reached, 0, all_parts(rule));
	if (rule->show_zero)
	{
		SharedBits	zero = shared_bits_cut(&reached, all_parts(rule), all_parts(rule));

		logic_not(self, &zero);
		logic_xor(pass, &zero);
		shared_bits_free(&zero);
	}
	released = withhold_close(self, pass, &large, &reached, rule);
	if (released)
		withhold_complements(self, pass, &large, in, starts, rule);
	shared_bits_free(&reached);
	shared_bits_free(&large);
	return released;
}

/* out = in with the public constant 1 in place of the patient counts. */
static void
copy_values(const Party *self, Shared *out, const Shared *in, const size_t *starts,
			const ReleaseRule *rule)
{
	uint128		one_mine;
	uint128		one_next;
	Shared		one = {&one_mine, &one_next, 1};

	arith_constant(self, &one, 1);
	memcpy(out->mine, in->mine, in->n * sizeof(uint128));
	memcpy(out->next, in->next, in->n * sizeof(uint128));
	for (size_t part = 0; part < all_parts(rule); part++)
	{
		out->mine[starts[part]] = one_mine;
		out->next[starts[part]] = one_next;
	}
}

/* For every element the flag of its part. */
static Shared
spread_flags(const Shared *flags, const size_t *starts)
{
	Shared		factors = shared_alloc(starts[flags->n]);

	for (size_t part = 0; part < flags->n; part++)
		for (size_t at = starts[part]; at < starts[part + 1]; at++)
		{
			factors.mine[at] = flags->mine[part];
			factors.next[at] = flags->next[part];
		}
	return factors;
}

/*
 * What is held at once: the counts and, while they are compared, their difference, its bits in the clear and
 * 65 planes of leaves and as many of what they pass on; or the flags with what they are made
 * of; or the factors beside them.
 */
uint64
release_need(const ReleaseRule *rule)
{
	uint64		n = comparisons(rule);
	uint64		planes = (64 + 4 * 65 + 2) * (uint64) BIT_WORDS(n) * sizeof(uint64);
	uint64		comparing = n * (2 * sizeof(uint128) + 4 * sizeof(uint64)) + planes;
	uint64		converting = all_parts(rule) * 5 * sizeof(uint128);
	uint64		flags = all_parts(rule) * 2 * sizeof(uint128);
	uint64		factors = elements(rule) * 2 * sizeof(uint128);
	uint64		complements = 0;

	if (rule->guard)
		comparing += guard_need(rule->guard, rule->cells, parts_of_cell(rule));
	if (rule->nkeys > 0)
	{
		CellTable	table = cell_table(rule);

		complements = complement_need(&table) + all_parts(rule) * 2 * sizeof(uint128);
	}
	return flags + Max(Max(Max(comparing, complements), converting), factors) + Min(planes, PARTY_CHUNK_BYTES);
}

bool
release_cells(Party *self, Shared *out, const Shared *in, const ReleaseRule *rule)
{
	size_t	   *starts;
	SharedBits	pass;
	Shared		flags;
	Shared		factors;
	bool		released;

	check_rule(rule);
	party_reserve(self, "releasing groups", release_need(rule));
	starts = part_starts(rule);
	Assert(in->n == elements(rule) && out->n == in->n && out->mine != in->mine);

	released = passing_parts(self, &pass, in, starts, rule);
	if (released)
	{
		flags = shared_alloc(all_parts(rule));
		convert_bit_to_ring(self, &flags, &pass);
		factors = spread_flags(&flags, starts);
		shared_free(&flags);
		copy_values(self, out, in, starts, rule);
		arith_multiply(self, out, out, &factors);
		shared_free(&factors);
	}
	shared_bits_free(&pass);
	pfree(starts);
	party_release(self, release_need(rule));
	return released;
}

void
release_cost(const ReleaseRule *rule, int party, uint64 *rounds, uint64 *bytes)
{
	uint64		plane = PLANE_BYTES(comparisons(rule));
	uint64		planes = COMPARE_AND_PLANES;
	uint64		sent = all_parts(rule) + elements(rule);

	if (party == 0)
	{
		planes += COMPARE_INPUT_PLANES;
		sent += all_parts(rule);
	}
	*rounds = COMPARE_ROUNDS + 2 + 1;
	*bytes = planes * plane + sent * sizeof(uint128);
	if (rule->guard)
		guard_cost(rule->guard, rule->cells, parts_of_cell(rule), rounds, bytes);
	if (rule->nkeys > 0)
	{
		CellTable	table = cell_table(rule);

		complement_cost(&table, party, rounds, bytes);
	}
}
