/*
 * curve.c
 *	  Survival curves of shared counts: Kaplan and Meier, Greenwood, Nelson and
 *	  Aalen, and where the curve and its limits reach 1/2.
 *
 * In each cell of the grid d of n have their event.  With m = n - d:
 *
 *	  a  1 / n, 1 / m, ln n and ln m (estimate/reciprocal.h)
 *	  b  log survival is the sum of ln m - ln n up to a time, Greenwood's sum that of
 *	     1 / m - 1 / n, the hazard that of d / n, its variance that of (d / n) (1 / n)
 *	  c  at the asked times, cut to what is opened
 *
 * Sums over cells are local.  A position is opened only if since the one before
 * patients_min rows or more have left, both up to its time and before it, and as many are left
 * behind it: so no two positions tell of fewer rows between them.
 *
 * The median: A = log survival - ln 1/2; the curve has reached 1/2 where A <= 0, its
 * lower limit exp(log survival - z sqrt(G)) where A <= z sqrt(G), its upper one where A <= -z sqrt(G), which
 * is decided on signs of A and of A^2 - z^2 G.  Where survival is 0 it has no limits.  Where 1/2 is reached
 * patients_min rows or more must be at risk; if not, it is said to be nowhere.
 */
#include "estimate/program.h"

#include "base/limits.h"
#include "estimate/reciprocal.h"
#include "mpc/adder.h"
#include "mpc/arith.h"
#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/scaled.h"
#include "share/bits.h"

#define COMPARISONS		3		/* of a position */
#define SUMS			4		/* log survival, Greenwood's sum, hazard, its variance */
#define LEVELS			4		/* curve, curve again, lower limit, upper limit: where they reach 1/2 */
#define FRACTION		(RECIPROCAL_FRACTION / 2)	/* of two factors, so that their product has as many as a sum */
#define A_FRACTION		50		/* of A */
#define G_FRACTION		48		/* of G, beside it */
#define D_CUT			52		/* off A^2 - z^2 G, so that its sign is in 64 bits */

/* -ln(1/2 + t) and -ln(1/2 - t), t = 2^-26: what is so near to 1/2 is 1/2, as in R.  60 fractional bits. */
#define HALF_ABOVE		UINT64CONST(0xb1721777d1cf99b)
#define HALF_BELOW		UINT64CONST(0xb1721877d1cf99b)
/* No survival is below exp(-16), but 0. */
#define ZERO_BELOW		(-20)

typedef struct CurveRun
{
	Party	   *self;
	const EstimateRule *rule;
	const Estimate *estimate;
	size_t		arms;
	size_t		cells;			/* of the grid */
	size_t		all;			/* arms * cells */
	Shared		events;			/* of each arm, in each cell */
	Shared		at_risk;
	Shared		rows;			/* of each arm */
	Shared		died;
	Shared		sums[SUMS];		/* up to each cell; SUMS vectors */
	Shared		flags;			/* of each arm */
	Shared		position_flags; /* of each arm and position */
	Shared		reached;		/* LEVELS of each arm: how many cells come before */
	Shared		reached_flags;	/* may it be opened? */
} CurveRun;

/* ---- counting ---- */

static void
count_arms(CurveRun *run, const Shared *in)
{
	for (size_t arm = 0; arm < run->arms; arm++)
	{
		Shared		events = estimate_counts(in, run->rule, arm, 0, false);
		Shared		censored = estimate_counts(in, run->rule, arm, 0, true);
		Shared		at_risk = part_of(&run->at_risk, arm, run->cells);
		Shared		rows = shared_view(&run->rows, arm, 1);
		Shared		died = shared_view(&run->died, arm, 1);
		Shared		first = shared_view(&run->at_risk, arm * run->cells, 1);

		part_put(&run->events, arm, &events);
		shared_linear(&at_risk, 1, &events, 1, &censored);
		suffix_sums(&at_risk);
		shared_copy(&rows, &first);
		arith_sum(&died, &events);
	}
}

/* Cells before a position's time, and up to it. */
static size_t
cells_before(const CurveRun *run, int position)
{
	return run->estimate->positions[position] / 2;
}

static size_t
cells_up_to(const CurveRun *run, int position)
{
	return (run->estimate->positions[position] + 1) / 2;
}

/* One element: at risk in an arm from a cell on, which may be behind the last. */
static void
at_risk_from(const CurveRun *run, Shared *z, size_t arm, size_t cell)
{
	Shared		own;

	if (cell == run->cells)
	{
		shared_linear(z, 0, z, 0, z);
		return;
	}
	own = shared_view(&run->at_risk, arm * run->cells + cell, 1);
	shared_copy(z, &own);
}

/* z = rows that leave between two cells. */
static void
leave_between(const CurveRun *run, Shared *z, size_t arm, size_t from, size_t to)
{
	Shared		later = shared_alloc(1);

	at_risk_from(run, z, arm, from);
	at_risk_from(run, &later, arm, to);
	shared_linear(z, 1, z, -1, &later);
	shared_free(&later);
}

/* ---- which positions are opened ---- */

/*
 * What must reach the threshold: leaving up to the time and before it since the position before, and what is left.
 * Where a number is known to everybody, all rows take its place.
 */
static void
count_position(const CurveRun *run, Shared *counts, size_t arm, int position)
{
	size_t		before = cells_before(run, position);
	size_t		up_to = cells_up_to(run, position);
	size_t		last_before = position > 0 ? cells_before(run, position - 1) : 0;
	size_t		last_up_to = position > 0 ? cells_up_to(run, position - 1) : 0;
	Shared		own[COMPARISONS];

	for (int i = 0; i < COMPARISONS; i++)
		own[i] = shared_view(counts, ((size_t) i * run->arms + arm) * run->estimate->npositions + position, 1);
	leave_between(run, &own[0], arm, up_to == 0 ? 0 : last_up_to, up_to == 0 ? run->cells : up_to);
	leave_between(run, &own[1], arm, before == 0 ? 0 : last_before, before == 0 ? run->cells : before);
	at_risk_from(run, &own[2], arm, up_to == run->cells ? 0 : up_to);
}

static void
find_positions(CurveRun *run)
{
	size_t		n = run->arms * run->estimate->npositions;
	Shared		counts = shared_alloc(COMPARISONS * n);
	SharedBits	reach = shared_bits_alloc(1, COMPARISONS * n);
	uint64	   *bound = palloc(sizeof(uint64) * (COMPARISONS * n + 1));
	SharedBits	pass;
	Shared		arms = shared_alloc(n);

	for (size_t arm = 0; arm < run->arms; arm++)
		for (int position = 0; position < run->estimate->npositions; position++)
		{
			Shared		to = shared_view(&arms, arm * run->estimate->npositions + position, 1);
			Shared		flag = shared_view(&run->flags, arm, 1);

			count_position(run, &counts, arm, position);
			shared_copy(&to, &flag);
		}
	for (size_t v = 0; v < COMPARISONS * n; v++)
		bound[v] = run->rule->patients_min;
	compare_ge_public(run->self, &reach, &counts, bound);
	pass = shared_bits_cut(&reach, 0, n);
	for (int i = 1; i < COMPARISONS; i++)
	{
		SharedBits	other = shared_bits_cut(&reach, i * n, n);

		logic_and(run->self, &pass, &pass, &other);
		shared_bits_free(&other);
	}
	convert_bit_to_ring(run->self, &run->position_flags, &pass);
	arith_multiply(run->self, &run->position_flags, &run->position_flags, &arms);
	shared_free(&counts);
	shared_bits_free(&reach);
	shared_bits_free(&pass);
	shared_free(&arms);
	pfree(bound);
}

/* ---- sums ---- */

static void
prefix_sums(CurveRun *run, Shared *x)
{
	for (size_t v = 1; v < run->all; v++)
		if (v % run->cells != 0)
		{
			x->mine[v] += x->mine[v - 1];
			x->next[v] += x->next[v - 1];
		}
}

/* d / n, with RECIPROCAL_FRACTION bits, and times 1 / n. */
static void
hazards(CurveRun *run, const Shared *inverse)
{
	Shared		cut = shared_alloc(2 * run->all);
	Shared		hazard = part_of(&cut, 0, run->all);
	Shared		factor = part_of(&cut, 1, run->all);

	arith_multiply(run->self, &run->sums[2], &run->events, inverse);
	part_put(&cut, 0, &run->sums[2]);
	part_put(&cut, 1, inverse);
	scaled_truncate_near(run->self, &cut, &cut, RECIPROCAL_FRACTION - FRACTION);
	arith_multiply(run->self, &run->sums[3], &hazard, &factor);
	shared_free(&cut);
}

static void
make_sums(CurveRun *run)
{
	Shared		counts = shared_alloc(2 * run->all);	/* n, then m */
	Shared		inverse = shared_alloc(2 * run->all);
	Shared		logarithm = shared_alloc(2 * run->all);
	Shared		left = part_of(&counts, 1, run->all);
	Shared		inverse_n = part_of(&inverse, 0, run->all);
	Shared		inverse_m = part_of(&inverse, 1, run->all);
	Shared		log_n = part_of(&logarithm, 0, run->all);
	Shared		log_m = part_of(&logarithm, 1, run->all);

	part_put(&counts, 0, &run->at_risk);
	shared_linear(&left, 1, &run->at_risk, -1, &run->events);
	reciprocal_of_counts(run->self, &inverse, &logarithm, &counts);
	shared_linear(&run->sums[0], 1, &log_m, -1, &log_n);
	shared_linear(&run->sums[1], 1, &inverse_m, -1, &inverse_n);
	hazards(run, &inverse_n);
	for (int i = 0; i < SUMS; i++)
		prefix_sums(run, &run->sums[i]);
	shared_free(&counts);
	shared_free(&inverse);
	shared_free(&logarithm);
}

/* ---- where 1/2 is reached ---- */

/* A, then G beside it, end to end. */
static Shared
cut_limits(CurveRun *run)
{
	Shared		both = shared_alloc(2 * run->all);
	Shared		a = part_of(&both, 0, run->all);

	part_put(&both, 1, &run->sums[1]);
	shared_copy(&a, &run->sums[0]);
	arith_add_constant(run->self, &a, &a, (uint128) HALF_ABOVE << (LOGARITHM_FRACTION - 60));
	scaled_truncate_near(run->self, &both, &both, LOGARITHM_FRACTION - A_FRACTION);
	return both;
}

/* A^2 - z^2 G, with 2 A_FRACTION - D_CUT bits. */
static Shared
discriminants(CurveRun *run, const Shared *both)
{
	Shared		a = part_of(both, 0, run->all);
	Shared		g = part_of(both, 1, run->all);
	Shared		d = shared_alloc(run->all);
	uint128		squared = (uint128) run->estimate->squared << (2 * A_FRACTION - G_FRACTION - ESTIMATE_SQUARED_BITS);

	arith_square(run->self, &d, &a);
	shared_linear(&d, 1, &d, -squared, &g);
	scaled_truncate_near(run->self, &d, &d, D_CUT);
	return d;
}

/* Four planes: A < 0, A < 0 with less of a tolerance, A^2 < z^2 G, survival > 0. */
static SharedBits
signs(CurveRun *run)
{
	Shared		both = cut_limits(run);
	Shared		a = part_of(&both, 0, run->all);
	Shared		d = discriminants(run, &both);
	Shared		x = shared_alloc(LEVELS * run->all);
	Shared		lower = part_of(&x, 1, run->all);
	Shared		zero = part_of(&x, 3, run->all);
	Shared64	narrow = shared64_alloc(LEVELS * run->all);
	SharedBits	negative = shared_bits_alloc(1, LEVELS * run->all);
	SharedBits	planes = shared_bits_alloc(LEVELS, run->all);

	part_put(&x, 0, &a);
	arith_add_constant(run->self, &lower, &a, (uint128) ((HALF_BELOW - HALF_ABOVE) >> (60 - A_FRACTION)));
	part_put(&x, 2, &d);
	shared_linear(&zero, -1, &a, 0, &a);
	arith_add_constant(run->self, &zero, &zero, (uint128) (int128) ZERO_BELOW << A_FRACTION);
	scaled_narrow(&narrow, &x);
	compare_negative(run->self, &negative, &narrow);
	for (int i = 0; i < LEVELS; i++)
	{
		SharedBits	own = shared_bits_cut(&negative, i * run->all, run->all);
		SharedBits	to = shared_bits_view(&planes, i, 1);

		shared_bits_copy(&to, &own);
		shared_bits_free(&own);
	}
	shared_free(&both);
	shared_free(&d);
	shared_free(&x);
	shared64_free(&narrow);
	shared_bits_free(&negative);
	return planes;
}

/* Of the last two planes the limits: (A < 0 or e) and s; A < 0 and not e, and s. */
static void
combine_signs(CurveRun *run, SharedBits *planes)
{
	SharedBits	a = shared_bits_view(planes, 0, 1);
	SharedBits	e = shared_bits_view(planes, 2, 1);
	SharedBits	s = shared_bits_view(planes, 3, 1);
	SharedBits	limits = shared_bits_alloc(2, run->all);
	SharedBits	lower = shared_bits_view(&limits, 0, 1);
	SharedBits	upper = shared_bits_view(&limits, 1, 1);
	SharedBits	to = shared_bits_view(planes, 2, 2);

	logic_and(run->self, &upper, &a, &e);
	shared_bits_copy(&lower, &upper);
	logic_xor(&lower, &a);
	logic_xor(&lower, &e);
	logic_xor(&upper, &a);
	logic_and_bit(run->self, &to, &limits, &s);
	shared_bits_free(&limits);
}

/* z = x moved up by `by` values, zeros first; one plane, one summand. */
static void
shift_words(uint64 *z, const uint64 *x, size_t n, size_t by)
{
	size_t		words = BIT_WORDS(n);

	for (size_t w = words; w-- > 0;)
	{
		size_t		from = w - by / 64;
		uint64		word = 0;

		if (w >= by / 64)
			word = x[from] << by % 64 | (by % 64 && from > 0 ? x[from - 1] >> (64 - by % 64) : 0);
		z[w] = word;
	}
	bits_clear_tails(z, 1, n);
}

/* Each plane becomes the OR of all values up to each. */
static void
prefix_or(Party *self, SharedBits *planes)
{
	SharedBits	moved = shared_bits_alloc(planes->planes, planes->n);
	size_t		words = BIT_WORDS(planes->n);

	for (size_t by = 1; by < planes->n; by *= 2)
	{
		for (int i = 0; i < planes->planes; i++)
		{
			shift_words(moved.mine + i * words, planes->mine + i * words, planes->n, by);
			shift_words(moved.next + i * words, planes->next + i * words, planes->n, by);
		}
		logic_or(self, planes, planes, &moved);
	}
	shared_bits_free(&moved);
}

/* The planes of each arm as planes of their own: LEVELS * arms of them. */
static SharedBits
planes_of_arms(const CurveRun *run, const SharedBits *planes)
{
	SharedBits	out = shared_bits_alloc(LEVELS * run->arms, run->cells);

	for (int level = 0; level < LEVELS; level++)
	{
		SharedBits	own = shared_bits_view(planes, level, 1);

		for (size_t arm = 0; arm < run->arms; arm++)
		{
			SharedBits	cut = shared_bits_cut(&own, arm * run->cells, run->cells);
			SharedBits	to = shared_bits_view(&out, level * run->arms + arm, 1);

			shared_bits_copy(&to, &cut);
			shared_bits_free(&cut);
		}
	}
	return out;
}

/* At risk where 1/2 is reached, of each level and arm; all rows where it is not.  before: 1 in cells before. */
static void
at_risk_there(CurveRun *run, Shared64 *z, const Shared64 *before)
{
	Shared64	here = shared64_alloc(before->n);
	Shared64	at_risk = shared64_alloc(before->n);
	Shared64	rows = shared64_alloc(z->n);
	Shared64	never = shared64_alloc(z->n);

	for (size_t i = 0; i < z->n; i++)
	{
		size_t		arm = i % run->arms;
		Shared64	own = shared64_view(&at_risk, i * run->cells, run->cells);
		Shared		from = part_of(&run->at_risk, arm, run->cells);
		Shared64	one = shared64_view(&never, i, 1);
		Shared64	last = shared64_view(before, (i + 1) * run->cells - 1, 1);
		Shared64	all = shared64_view(&rows, i, 1);
		Shared		all_from = shared_view(&run->rows, arm, 1);

		scaled_narrow(&own, &from);
		shared64_copy(&one, &last);
		scaled_narrow(&all, &all_from);
	}
	/* 1 in the cell where it is reached: 1 less in `before` than in the cell before, or than 1. */
	for (size_t v = 0; v < before->n; v++)
	{
		bool		first = v % run->cells == 0;

		here.mine[v] = (first ? 0 : before->mine[v - 1]) - before->mine[v];
		here.next[v] = (first ? 0 : before->next[v - 1]) - before->next[v];
	}
	for (size_t i = 0; i < z->n; i++)
	{
		Shared64	one = shared64_view(&here, i * run->cells, 1);

		arith64_add_constant(run->self, &one, &one, 1);
	}
	arith64_dot(run->self, z, &here, &at_risk);
	arith64_multiply(run->self, &never, &never, &rows);
	shared64_add(z, z, &never);
	shared64_free(&here);
	shared64_free(&at_risk);
	shared64_free(&rows);
	shared64_free(&never);
}

/* What is at risk there against the threshold. */
static void
flag_half(CurveRun *run, const Shared64 *before)
{
	size_t		n = LEVELS * run->arms;
	Shared64	at_risk = shared64_alloc(n);
	SharedBits	less = shared_bits_alloc(1, n);
	Shared		arms = shared_alloc(n);

	at_risk_there(run, &at_risk, before);
	compare_less_public(run->self, &less, &at_risk, &run->rule->patients_min, 1, (NumberKind) {true, 63});
	logic_not(run->self, &less);
	convert_bit_to_ring(run->self, &run->reached_flags, &less);
	for (int level = 0; level < LEVELS; level++)
		part_put(&arms, level, &run->flags);
	arith_multiply(run->self, &run->reached_flags, &run->reached_flags, &arms);
	shared64_free(&at_risk);
	shared_bits_free(&less);
	shared_free(&arms);
}

/* How many cells come before 1/2 is reached: those that are not set. */
static void
find_half(CurveRun *run)
{
	size_t		n = LEVELS * run->arms;
	SharedBits	planes = signs(run);
	SharedBits	of_arms;
	Shared64	before = shared64_alloc(n * run->cells);
	Shared64	counts = shared64_alloc(n);

	combine_signs(run, &planes);
	of_arms = planes_of_arms(run, &planes);
	prefix_or(run->self, &of_arms);
	logic_not(run->self, &of_arms);
	convert_bit_to_ring64(run->self, &before, &of_arms);
	arith64_sum(&counts, &before);
	scaled_widen(run->self, &run->reached, &counts);
	flag_half(run, &before);
	shared_bits_free(&planes);
	shared_bits_free(&of_arms);
	shared64_free(&before);
	shared64_free(&counts);
}

/* ---- what is opened ---- */

/*
 * The sums at all positions, in ESTIMATE_FRACTION bits: SUMS vectors of arms * positions.  Log survival and hazard
 * are cut to 60 bits or so, the variances, which are small, to 80: no more is opened than what is right.
 */
static Shared
cut_sums(CurveRun *run)
{
	size_t		n = run->arms * run->estimate->npositions;
	Shared		all = shared_alloc(SUMS * n);
	Shared		levels;
	Shared		variances;

	if (n == 0)
		return all;
	levels = shared_alloc(2 * n);
	variances = shared_alloc(2 * n);
	for (int i = 0; i < SUMS; i++)
		for (size_t v = 0; v < n; v++)
		{
			size_t		arm = v / run->estimate->npositions;
			size_t		cells = cells_up_to(run, v % run->estimate->npositions);
			Shared		to = shared_view(i % 2 == 0 ? &levels : &variances, i / 2 * n + v, 1);
			Shared		from;

			if (cells == 0)
				continue;
			from = shared_view(&run->sums[i], arm * run->cells + cells - 1, 1);
			shared_copy(&to, &from);
		}
	scaled_truncate_near(run->self, &levels, &levels, RECIPROCAL_FRACTION - FRACTION);
	scaled_truncate_near(run->self, &variances, &variances, RECIPROCAL_FRACTION - ESTIMATE_FRACTION);
	for (int i = 0; i < SUMS; i++)
	{
		int			cut = i % 2 == 0 ? RECIPROCAL_FRACTION - FRACTION : RECIPROCAL_FRACTION - ESTIMATE_FRACTION;
		int			bits = (i == 0 ? LOGARITHM_FRACTION : RECIPROCAL_FRACTION) - cut;
		Shared		from = shared_view(i % 2 == 0 ? &levels : &variances, i / 2 * n, n);
		Shared		to = part_of(&all, i, n);

		shared_linear(&to, (uint128) 1 << (ESTIMATE_FRACTION - bits), &from, 0, &from);
	}
	shared_free(&levels);
	shared_free(&variances);
	return all;
}

/* Where the next element goes, with the flag that it is multiplied by. */
typedef struct Writer
{
	Shared	   *out;
	Shared	   *factors;
	size_t		at;
} Writer;

static void
write_one(Writer *writer, const Shared *x, size_t i, uint128 factor, const Shared *flag, size_t which)
{
	writer->out->mine[writer->at] = x->mine[i] * factor;
	writer->out->next[writer->at] = x->next[i] * factor;
	writer->factors->mine[writer->at] = flag->mine[which];
	writer->factors->next[writer->at] = flag->next[which];
	writer->at++;
}

static void
write_position(CurveRun *run, Writer *writer, const Shared *one, const Shared *sums, size_t arm, int position)
{
	size_t		n = run->arms * run->estimate->npositions;
	size_t		which = arm * run->estimate->npositions + position;
	size_t		from = position > 0 ? cells_up_to(run, position - 1) : 0;
	size_t		to = cells_up_to(run, position);
	uint128		unit = (uint128) 1 << ESTIMATE_FRACTION;
	Shared		numbers = shared_alloc(3);	/* at risk, events, censored */
	Shared		at_risk = shared_view(&numbers, 0, 1);
	Shared		events = shared_view(&numbers, 1, 1);
	Shared		censored = shared_view(&numbers, 2, 1);

	at_risk_from(run, &at_risk, arm, cells_before(run, position));
	leave_between(run, &censored, arm, from, to);
	for (size_t cell = from; cell < to; cell++)
	{
		Shared		own = shared_view(&run->events, arm * run->cells + cell, 1);

		shared_linear(&events, 1, &events, 1, &own);
	}
	shared_linear(&censored, 1, &censored, -1, &events);
	write_one(writer, one, 0, unit, &run->position_flags, which);
	for (int i = 0; i < 3; i++)
		write_one(writer, &numbers, i, unit, &run->position_flags, which);
	for (int i = 0; i < SUMS; i++)
		write_one(writer, sums, i * n + which, 1, &run->position_flags, which);
	shared_free(&numbers);
}

/* One more than the cells before 1/2 is reached; 0 if that is not to be known. */
static void
write_half(CurveRun *run, Writer *writer, const Shared *one, size_t which)
{
	Shared		count = shared_alloc(1);
	Shared		own = shared_view(&run->reached, which, 1);

	shared_linear(&count, 1, &own, 1, one);
	write_one(writer, &count, 0, (uint128) 1 << ESTIMATE_FRACTION, &run->reached_flags, which);
	shared_free(&count);
}

static void
write_outputs(CurveRun *run, Shared *out, const Shared *in)
{
	uint128		unit = (uint128) 1 << ESTIMATE_FRACTION;
	Shared		sums = cut_sums(run);
	Shared		factors = shared_alloc(out->n);
	Shared		one = shared_alloc(1);
	Writer		writer = {out, &factors, 0};

	arith_constant(run->self, &one, 1);
	for (size_t arm = 0; arm < run->arms; arm++)
	{
		write_one(&writer, &one, 0, 1, &run->flags, arm);
		write_one(&writer, &run->rows, arm, unit, &run->flags, arm);
		write_one(&writer, &run->died, arm, unit, &run->flags, arm);
		for (int position = 0; position < run->estimate->npositions; position++)
			write_position(run, &writer, &one, &sums, arm, position);
		for (int level = 0; run->estimate->squared > 0 && level < LEVELS; level++)
			write_half(run, &writer, &one, level * run->arms + arm);
		write_one(&writer, in, (arm + 1) * estimate_stride_in(run->rule) - 1, 1, &run->flags, arm);
	}
	arith_multiply(run->self, out, out, &factors);
	shared_free(&sums);
	shared_free(&factors);
	shared_free(&one);
}

/* ---- the whole ---- */

static void
compute(CurveRun *run, Shared *out, const Shared *in)
{
	if (run->estimate->npositions > 0)
		find_positions(run);
	make_sums(run);
	if (run->estimate->squared > 0)
		find_half(run);
	write_outputs(run, out, in);
}

bool
curve_run(Party *self, Shared *out, const Shared *in, const EstimateRule *rule)
{
	size_t		all = rule->arms * rule->estimate->cells;
	CurveRun	run = {self, rule, rule->estimate, rule->arms, rule->estimate->cells, all};
	bool		passes;

	run.events = shared_alloc(all);
	run.at_risk = shared_alloc(all);
	run.rows = shared_alloc(run.arms);
	run.died = shared_alloc(run.arms);
	run.flags = shared_alloc(run.arms);
	run.position_flags = shared_alloc(run.arms * run.estimate->npositions);
	run.reached = shared_alloc(LEVELS * run.arms);
	run.reached_flags = shared_alloc(LEVELS * run.arms);
	for (int i = 0; i < SUMS; i++)
		run.sums[i] = shared_alloc(all);
	count_arms(&run, in);
	passes = estimate_flags(self, &run.flags, in, &run.rows, &run.died, rule);
	if (passes)
		compute(&run, out, in);
	shared_free(&run.events);
	shared_free(&run.at_risk);
	shared_free(&run.rows);
	shared_free(&run.died);
	shared_free(&run.flags);
	shared_free(&run.position_flags);
	shared_free(&run.reached);
	shared_free(&run.reached_flags);
	for (int i = 0; i < SUMS; i++)
		shared_free(&run.sums[i]);
	return passes;
}

void
curve_cost(EstimateCost *cost, const EstimateRule *rule)
{
	const Estimate *estimate = rule->estimate;
	uint64		all = rule->arms * estimate->cells;
	uint64		positions = rule->arms * estimate->npositions;

	if (positions > 0)
	{
		cost_ge_public(cost, COMPARISONS * positions);
		for (int i = 1; i < COMPARISONS; i++)
			cost_and(cost, 1, positions);
		cost_to_ring(cost, positions);
		cost_multiply(cost, positions);
		cost_truncate(cost, 2 * positions, RECIPROCAL_FRACTION - FRACTION);
		cost_truncate(cost, 2 * positions, RECIPROCAL_FRACTION - ESTIMATE_FRACTION);
	}
	reciprocal_cost(cost, 2 * all, true);
	cost_multiply(cost, all);
	cost_truncate(cost, 2 * all, RECIPROCAL_FRACTION - FRACTION);
	cost_multiply(cost, all);
	if (estimate->squared > 0)
	{
		cost_truncate(cost, 2 * all, LOGARITHM_FRACTION - A_FRACTION);
		cost_multiply(cost, all);
		cost_truncate(cost, all, D_CUT);
		cost_negative(cost, LEVELS * all);
		cost_and(cost, 1, all);
		cost_and(cost, 2, all);
		for (uint64 by = 1; by < estimate->cells; by *= 2)
			cost_and(cost, LEVELS * rule->arms, estimate->cells);
		cost_to_ring64(cost, LEVELS * all);
		cost_widen(cost, LEVELS * rule->arms);
		cost_multiply64(cost, LEVELS * rule->arms);
		cost_multiply64(cost, LEVELS * rule->arms);
		cost_less_public(cost, LEVELS * rule->arms, 63);
		cost_to_ring(cost, LEVELS * rule->arms);
		cost_multiply(cost, LEVELS * rule->arms);
	}
	cost_multiply(cost, rule->arms * estimate_stride_out(rule));
}

uint64
curve_need(const EstimateRule *rule)
{
	uint64		all = rule->arms * (uint64) rule->estimate->cells;
	uint64		positions = rule->arms * (uint64) rule->estimate->npositions;
	uint64		elements = (2 + SUMS + 6) * all + (5 + COMPARISONS + 2 * SUMS) * positions + (4 + 2 * estimate_stride_out(rule)) * rule->arms;
	uint64		halves = rule->estimate->squared > 0 ? all * (9 * 2 * sizeof(uint128) + 6 * LEVELS * 2 * sizeof(uint64)) : 0;

	return elements * 2 * sizeof(uint128) + Max(reciprocal_need(2 * all, true), halves);
}
