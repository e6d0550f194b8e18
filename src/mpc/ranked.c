/*
 * ranked.c
 *	  Which element of several sorted vectors, put together, has a given rank.
 *
 * A window of each run is cut into m blocks of s elements.  The last elements of the blocks, the pivots, are
 * ranked among themselves by comparing all pairs of different runs; so it is known of each pivot, within
 * the elements of a few blocks, how many elements are up to it.  A pivot that is too low for every goal takes
 * its block out of the window, and H blocks are left in each run, beginning in a place that is a vector of
 * shared bits.  When a block is one element, those are left that are looked for.
 */
#include "mpc/ranked.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"

/* Pivots of a run: whole words of bits, and more of them than blocks are left. */
#define PIVOTS			64
#define PIVOTS_MANY		128
#define RUNS_MANY		16

/* How a window is cut; all of it public. */
typedef struct Cut
{
	size_t		window;			/* w, elements of a run that are still possible */
	size_t		pivots;			/* m, a multiple of 64 */
	size_t		block;			/* s; m s >= w */
	size_t		left;			/* elements of the next window */
} Cut;

/* Windows that are being searched: of every goal one in each run; of the first level, the runs, one for all goals. */
typedef struct Windows
{
	size_t		sets;			/* 1, or as many as goals */
	Shared64   *values;			/* of set k and run i: [k * runs + i] */
	Shared64   *groups;
	Shared64	memory;			/* in which they lie, if it is ours */
} Windows;

typedef struct Search
{
	Party	   *self;
	const RankedRuns *runs;
	const RankedGoals *goals;
	Cut			cut;
	Windows		windows;
	Shared64	goal;			/* what is left of it */
	Shared64   *before;
} Search;

uint64
ranked_last_group(int group_planes)
{
	return (UINT64CONST(1) << group_planes) - 1;
}

uint64
ranked_last_value(int value_planes)
{
	return (UINT64CONST(1) << (value_planes - 1)) - 1;
}

/* With H runs at most H - 1 pivots are neither too low nor beyond, so what is wanted is in H blocks. */
static size_t
blocks_left(const RankedRuns *runs)
{
	return Max(2, runs->runs);
}

static Cut
cut_window(const RankedRuns *runs, size_t window)
{
	Cut			cut = {.window = window};

	if (window <= PIVOTS_MANY)
	{
		cut.pivots = (window + 63) / 64 * 64;
		cut.block = 1;
	}
	else
	{
		cut.pivots = runs->runs <= RUNS_MANY ? PIVOTS : PIVOTS_MANY;
		cut.block = (window + cut.pivots - 1) / cut.pivots;
	}
	cut.left = blocks_left(runs) * cut.block;
	return cut;
}

static int
all_planes(const RankedRuns *runs)
{
	return runs->value_planes + runs->group_planes;
}

static size_t
pairs_of_runs(const RankedRuns *runs)
{
	return runs->runs * (runs->runs - 1) / 2;
}

/* Bits that hold scale times any number of elements, a sign among them. */
static int
goal_bits(const RankedRuns *runs, const RankedGoals *goals)
{
	uint64		most = 1;
	int			bits = 2;

	for (size_t t = 0; t < goals->n; t++)
		most = Max(most, goals->scales[t]);
	most *= 2 * (uint64) runs->runs * (runs->n + 2 * PIVOTS_MANY);
	while (UINT64CONST(1) << (bits - 1) <= most)
		bits++;
	return bits;
}

/* x[v] += c */
static void
add_public(const Party *self, Shared64 *x, size_t v, uint64 c)
{
	if (self->index == 0)
		x->mine[v] += c;
	if (self->index == 2)
		x->next[v] += c;
}

/* ---- (a) pivots, as planes ---- */

/* Elements `first`, `first` + step, ... of each window, `count` of them; beyond its end the last of all. */
static Shared64
pick(const Search *search, const Shared64 *windows, size_t first, size_t step, size_t count, uint64 last)
{
	size_t		n = search->windows.sets * search->runs->runs;
	Shared64	picked = shared64_zero(n * count);

	for (size_t k = 0; k < n; k++)
		for (size_t b = 0; b < count; b++)
		{
			size_t		from = first + b * step;
			size_t		to = k * count + b;

			if (from < windows[k].n)
			{
				picked.mine[to] = windows[k].mine[from];
				picked.next[to] = windows[k].next[from];
			}
			else
				add_public(search->self, &picked, to, last);
		}
	return picked;
}

/* The low planes of numbers, and the numbers are gone. */
static void
to_planes(Party *self, SharedBits *planes, Shared64 *numbers)
{
	convert_to_bits(self, planes, numbers);
	shared64_free(numbers);
}

/* Unsigned, the group above the value, whose sign is turned: their order is that of the elements. */
static SharedBits
picked_planes(const Search *search, size_t first, size_t step, size_t count)
{
	const RankedRuns *runs = search->runs;
	size_t		n = search->windows.sets * runs->runs * count;
	SharedBits	planes = shared_bits_raw(all_planes(runs), n);
	SharedBits	value = shared_bits_view(&planes, 0, runs->value_planes);
	SharedBits	sign = shared_bits_view(&planes, runs->value_planes - 1, 1);
	Shared64	picked = pick(search, search->windows.values, first, step, count, ranked_last_value(runs->value_planes));

	to_planes(search->self, &value, &picked);
	logic_not(search->self, &sign);
	if (runs->group_planes > 0)
	{
		SharedBits	group = shared_bits_view(&planes, runs->value_planes, runs->group_planes);

		picked = pick(search, search->windows.groups, first, step, count, ranked_last_group(runs->group_planes));
		to_planes(search->self, &group, &picked);
	}
	return planes;
}

/* ---- (b) their ranks among themselves ---- */

/* Bit v of a plane in every bit of a word. */
static uint64
broadcast(const uint64 *plane, size_t v)
{
	return -(plane[v / 64] >> (v % 64) & 1);
}

/* All pairs of pivots a of run i and c of run j, i < j: x is c, y is a. */
static void
fill_pairs(const Search *search, const SharedBits *pivots, SharedBits *x, SharedBits *y, int plane)
{
	size_t		m = search->cut.pivots;
	size_t		words = m / 64;
	size_t		at = plane * BIT_WORDS(x->n);
	const uint64 *mine = pivots->mine + plane * BIT_WORDS(pivots->n);
	const uint64 *next = pivots->next + plane * BIT_WORDS(pivots->n);
	int			runs = search->runs->runs;

	for (size_t set = 0; set < search->windows.sets; set++)
		for (int i = 0; i < runs; i++)
			for (int j = i + 1; j < runs; j++)
				for (size_t a = 0; a < m; a++)
				{
					size_t		of_a = (set * runs + i) * m + a;
					size_t		of_c = (set * runs + j) * words;

					for (size_t w = 0; w < words; w++, at++)
					{
						x->mine[at] = mine[of_c + w];
						x->next[at] = next[of_c + w];
						y->mine[at] = broadcast(mine, of_a);
						y->next[at] = broadcast(next, of_a);
					}
				}
}

/* 1 where c is before a, in the order of fill_pairs(): of equal ones the one of the first run comes first. */
static Shared64
compare_pairs(const Search *search, const SharedBits *pivots)
{
	size_t		m = search->cut.pivots;
	size_t		n = search->windows.sets * pairs_of_runs(search->runs) * m * m;
	SharedBits	x = shared_bits_raw(pivots->planes, n);
	SharedBits	y = shared_bits_raw(pivots->planes, n);
	SharedBits	less = shared_bits_raw(1, n);
	Shared64	number = shared64_alloc(n);

	for (int plane = 0; plane < pivots->planes; plane++)
		fill_pairs(search, pivots, &x, &y, plane);
	if (n > 0)
	{
		compare_less_bits(search->self, &less, &x, &y, false);
		convert_bit_to_ring64(search->self, &number, &less);
	}
	shared_bits_free(&x);
	shared_bits_free(&y);
	shared_bits_free(&less);
	return number;
}

/* What c's being before a, or not, adds to the ranks of both. */
static void
count_pairs(const Search *search, Shared64 *rank, size_t of_i, size_t of_j, const Shared64 *before)
{
	size_t		m = search->cut.pivots;

	for (size_t a = 0; a < m; a++)
		for (size_t c = 0; c < m; c++)
		{
			rank->mine[of_i + a] += before->mine[a * m + c];
			rank->next[of_i + a] += before->next[a * m + c];
			rank->mine[of_j + c] -= before->mine[a * m + c];
			rank->next[of_j + c] -= before->next[a * m + c];
		}
	for (size_t c = 0; c < m; c++)
		add_public(search->self, rank, of_j + c, m);
}

/* r of each pivot, from 1. */
static Shared64
rank_pivots(const Search *search)
{
	size_t		m = search->cut.pivots;
	size_t		at = 0;
	int			runs = search->runs->runs;
	SharedBits	pivots = picked_planes(search, search->cut.block - 1, search->cut.block, m);
	Shared64	pairs = compare_pairs(search, &pivots);
	Shared64	rank = shared64_zero(search->windows.sets * runs * m);

	for (size_t k = 0; k < rank.n; k++)
		add_public(search->self, &rank, k, k % m + 1);
	for (size_t set = 0; set < search->windows.sets; set++)
		for (int i = 0; i < runs; i++)
			for (int j = i + 1; j < runs; j++, at += m * m)
			{
				Shared64	before = shared64_view(&pairs, at, m * m);

				count_pairs(search, &rank, (set * runs + i) * m, (set * runs + j) * m, &before);
			}
	shared_bits_free(&pivots);
	shared64_free(&pairs);
	return rank;
}

/* ---- (c) which are too low ---- */

/* Of each goal, run and pivot: even if all that may be up to the pivot are, they are too few. */
static Shared64
find_low(const Search *search, const Shared64 *rank)
{
	const RankedGoals *goals = search->goals;
	const Cut  *cut = &search->cut;
	size_t		each = search->runs->runs * cut->pivots;
	Shared64	most = shared64_zero(goals->n * each);
	Shared64	goal = shared64_zero(goals->n * each);
	SharedBits	low = shared_bits_raw(1, goals->n * each);

	for (size_t t = 0; t < goals->n; t++)
		for (size_t k = 0; k < each; k++)
		{
			size_t		from = search->windows.sets == 1 ? k : t * each + k;
			size_t		to = t * each + k;

			most.mine[to] = goals->scales[t] * cut->block * rank->mine[from];
			most.next[to] = goals->scales[t] * cut->block * rank->next[from];
			add_public(search->self, &most, to, goals->scales[t] * (search->runs->runs - 1) * (cut->block - 1));
			goal.mine[to] = search->goal.mine[t];
			goal.next[to] = search->goal.next[t];
		}
	compare_less(search->self, &low, &most, &goal, KIND_INT(goal_bits(search->runs, goals)));
	convert_bit_to_ring64(search->self, &most, &low);
	shared64_free(&goal);
	shared_bits_free(&low);
	return most;
}

/* ---- (d) what is left ---- */

/* One at the first block that is not too low, zero elsewhere; m + 1 of them. */
static Shared64
first_blocks(const Search *search, const Shared64 *low)
{
	size_t		m = search->cut.pivots;
	size_t		n = low->n / m;
	Shared64	at = shared64_zero(n * (m + 1));

	for (size_t k = 0; k < n; k++)
	{
		add_public(search->self, &at, k * (m + 1), 1);
		for (size_t b = 0; b < m; b++)
		{
			size_t		to = k * (m + 1) + b;

			at.mine[to] -= low->mine[k * m + b];
			at.next[to] -= low->next[k * m + b];
			at.mine[to + 1] += low->mine[k * m + b];
			at.next[to + 1] += low->next[k * m + b];
		}
	}
	return at;
}

/*
 * Behind the end of a window come last elements.  Position j of what is left is there if block b or a later one
 * is the first, b being the least with b s + j >= w: if block b - 1 is too low.
 */
static void
fill_end(const Search *search, Shared64 *left, const Shared64 *low, uint64 last)
{
	const Cut  *cut = &search->cut;

	for (size_t j = 0; j < left->n; j++)
	{
		size_t		b = j < cut->window ? (cut->window - j + cut->block - 1) / cut->block : 0;

		if (b == 0)
			add_public(search->self, left, j, last);
		else
		{
			left->mine[j] += last * low->mine[b - 1];
			left->next[j] += last * low->next[b - 1];
		}
	}
}

/* The windows of set k and run i, of each goal; as stretches of where they were before. */
static void
add_stretches(const Search *search, Stretch *stretches, const Shared64 *windows, const Shared64 *at)
{
	size_t		m = search->cut.pivots;
	size_t		n = search->goals->n * search->runs->runs;

	for (size_t k = 0; k < n; k++)
		stretches[k] = (Stretch) {windows[search->windows.sets == 1 ? k % search->runs->runs : k],
			shared64_view(at, k * (m + 1), m + 1), search->cut.block};
}

static void
windows_free(Windows *windows)
{
	pfree(windows->values);
	if (windows->groups)
		pfree(windows->groups);
	if (windows->memory.mine)
		shared64_free(&windows->memory);
}

static Windows
cut_out(const Search *search, const Shared64 *low)
{
	const RankedRuns *runs = search->runs;
	size_t		n = search->goals->n * runs->runs;
	size_t		limbs = runs->group_planes > 0 ? 2 : 1;
	size_t		m = search->cut.pivots;
	Shared64	at = first_blocks(search, low);
	Stretch    *stretches = palloc(limbs * n * sizeof(Stretch) + 1);
	Windows		left = {search->goals->n};

	left.memory = shared64_alloc(limbs * n * search->cut.left);
	add_stretches(search, stretches, search->windows.values, &at);
	if (limbs == 2)
		add_stretches(search, stretches + n, search->windows.groups, &at);
	arith64_stretches(search->self, &left.memory, stretches, limbs * n);
	left.values = palloc(n * sizeof(Shared64) + 1);
	if (limbs == 2)
		left.groups = palloc(n * sizeof(Shared64) + 1);
	for (size_t k = 0; k < n; k++)
	{
		Shared64	of_k = shared64_view(low, k * m, m);

		left.values[k] = shared64_view(&left.memory, k * search->cut.left, search->cut.left);
		fill_end(search, &left.values[k], &of_k, ranked_last_value(runs->value_planes));
		if (limbs < 2)
			continue;
		left.groups[k] = shared64_view(&left.memory, (n + k) * search->cut.left, search->cut.left);
		fill_end(search, &left.groups[k], &of_k, ranked_last_group(runs->group_planes));
	}
	shared64_free(&at);
	pfree(stretches);
	return left;
}

/* Whatever is before the windows counts no more for the goals. */
static void
pass_over(Search *search, const Shared64 *low)
{
	size_t		each = search->runs->runs * search->cut.pivots;

	for (size_t t = 0; t < search->goals->n; t++)
		for (size_t k = t * each; k < (t + 1) * each; k++)
		{
			uint64		scale = search->goals->scales[t] * search->cut.block;

			search->goal.mine[t] -= scale * low->mine[k];
			search->goal.next[t] -= scale * low->next[k];
			search->before->mine[t] += search->cut.block * low->mine[k];
			search->before->next[t] += search->cut.block * low->next[k];
		}
}

static void
narrow(Search *search)
{
	Shared64	rank = rank_pivots(search);
	Shared64	low = find_low(search, &rank);
	Windows		left = cut_out(search, &low);

	pass_over(search, &low);
	windows_free(&search->windows);
	search->windows = left;
	shared64_free(&rank);
	shared64_free(&low);
}

/* ---- (e) the least two of what is left ---- */

/* Of run after run, for each goal, its element number `which`. */
static SharedBits
heads(const Search *search, const SharedBits *planes, int which)
{
	int			runs = search->runs->runs;
	size_t		goals = search->goals->n;
	SharedBits	out = shared_bits_alloc(planes->planes, runs * goals);

	for (int plane = 0; plane < planes->planes; plane++)
		for (int i = 0; i < runs; i++)
			for (size_t t = 0; t < goals; t++)
			{
				size_t		from = (t * runs + i) * 2 + which;
				size_t		to = i * goals + t;
				const uint64 *mine = planes->mine + plane * BIT_WORDS(planes->n);
				const uint64 *next = planes->next + plane * BIT_WORDS(planes->n);

				out.mine[plane * BIT_WORDS(out.n) + to / 64] |= (mine[from / 64] >> (from % 64) & 1) << (to % 64);
				out.next[plane * BIT_WORDS(out.n) + to / 64] |= (next[from / 64] >> (from % 64) & 1) << (to % 64);
			}
	return out;
}

static void
replace(SharedBits *old, SharedBits new)
{
	shared_bits_free(old);
	*old = new;
}

/* x without what is before `first`, and z before that. */
static void
put_before(SharedBits *x, size_t first, SharedBits *z)
{
	SharedBits	rest = shared_bits_cut(x, first, x->n - first);

	replace(x, shared_bits_append(z, &rest));
	shared_bits_free(&rest);
	shared_bits_free(z);
}

/* The first n values of x against the next n. */
static void
least_of(Party *self, const SharedBits *x, size_t n, SharedBits *least, SharedBits *greatest)
{
	SharedBits	a = shared_bits_cut(x, 0, n);
	SharedBits	b = shared_bits_cut(x, n, n);

	*least = shared_bits_raw(x->planes, n);
	if (greatest)
		*greatest = shared_bits_raw(x->planes, n);
	compare_min_max_bits(self, least, greatest, &a, &b, false);
	shared_bits_free(&a);
	shared_bits_free(&b);
}

/*
 * Runs by twos: the least of both, and of what is next the least of the greater one and of both that
 * come next.  The first halves are n values.
 */
static void
merge_halves(Party *self, SharedBits *first, SharedBits *second, size_t n)
{
	SharedBits	least;
	SharedBits	greatest;
	SharedBits	next;
	SharedBits	both;

	least_of(self, first, n, &least, second ? &greatest : NULL);
	if (second)
	{
		least_of(self, second, n, &next, NULL);
		both = shared_bits_append(&greatest, &next);
		shared_bits_free(&greatest);
		shared_bits_free(&next);
		least_of(self, &both, n, &next, NULL);
		shared_bits_free(&both);
		put_before(second, 2 * n, &next);
	}
	put_before(first, 2 * n, &least);
}

/* Values only, their sign as it was. */
static void
give(Party *self, const RankedRuns *runs, SharedBits *to, SharedBits *from)
{
	SharedBits	values = shared_bits_view(from, 0, runs->value_planes);
	SharedBits	sign = shared_bits_view(to, runs->value_planes - 1, 1);

	shared_bits_copy(to, &values);
	logic_not(self, &sign);
	shared_bits_free(from);
}

static void
find_least(const Search *search, SharedBits *first, SharedBits *second)
{
	SharedBits	planes = picked_planes(search, 0, 1, 2);
	SharedBits	least = heads(search, &planes, 0);
	SharedBits	next = {0};

	if (second)
		next = heads(search, &planes, 1);
	for (int runs = search->runs->runs; runs > 1; runs -= runs / 2)
		merge_halves(search->self, &least, second ? &next : NULL, runs / 2 * search->goals->n);
	give(search->self, search->runs, first, &least);
	if (second)
		give(search->self, search->runs, second, &next);
	shared_bits_free(&planes);
}

/* ---- all of it ---- */

static Windows
whole_runs(const RankedRuns *runs)
{
	Windows		windows = {1};

	windows.values = palloc(runs->runs * sizeof(Shared64));
	memcpy(windows.values, runs->values, runs->runs * sizeof(Shared64));
	if (runs->group_planes == 0)
		return windows;
	windows.groups = palloc(runs->runs * sizeof(Shared64));
	memcpy(windows.groups, runs->groups, runs->runs * sizeof(Shared64));
	return windows;
}

void
ranked_find(Party *self, const RankedRuns *runs, const RankedGoals *goals,
			SharedBits *first, SharedBits *second, Shared64 *before)
{
	Search		search = {self, runs, goals};
	uint64		need = ranked_need(runs, goals->n);
	size_t		window = runs->n;

	party_reserve(self, "finding percentiles", need);
	search.windows = whole_runs(runs);
	search.goal = shared64_alloc(goals->n);
	shared64_copy(&search.goal, &goals->goal);
	search.before = before;
	memset(before->mine, 0, goals->n * sizeof(uint64));
	memset(before->next, 0, goals->n * sizeof(uint64));
	do
	{
		search.cut = cut_window(runs, window);
		narrow(&search);
		window = search.cut.left;
	} while (search.cut.block > 1);
	find_least(&search, first, second);
	windows_free(&search.windows);
	shared64_free(&search.goal);
	party_release(self, need);
}

/* ---- costs ---- */

static void
add_level(MpcCost *cost, const RankedRuns *runs, const RankedGoals *goals, const Cut *cut, size_t sets)
{
	size_t		pairs = sets * pairs_of_runs(runs) * cut->pivots * cut->pivots;
	size_t		pivots = runs->runs * cut->pivots;

	mpc_cost_to_bits(cost, runs->value_planes, sets * pivots);
	mpc_cost_to_bits(cost, runs->group_planes, sets * pivots);
	if (pairs > 0)
	{
		mpc_cost_less_bits(cost, all_planes(runs), pairs);
		mpc_cost_bits_to_ring64(cost, pairs);
	}
	mpc_cost_less(cost, goal_bits(runs, goals), goals->n * pivots);
	mpc_cost_bits_to_ring64(cost, goals->n * pivots);
	mpc_cost_round(cost, (uint64) goals->n * runs->runs * cut->left * sizeof(uint64) * (runs->group_planes > 0 ? 2 : 1));
}

void
ranked_cost(MpcCost *cost, const RankedRuns *runs, const RankedGoals *goals, bool second)
{
	size_t		sets = 1;
	Cut			cut = {.left = runs->n};

	do
	{
		cut = cut_window(runs, cut.left);
		add_level(cost, runs, goals, &cut, sets);
		sets = goals->n;
	} while (cut.block > 1);
	mpc_cost_to_bits(cost, runs->value_planes, 2 * goals->n * runs->runs);
	mpc_cost_to_bits(cost, runs->group_planes, 2 * goals->n * runs->runs);
	for (int n = runs->runs; n > 1; n -= n / 2)
		for (int k = 0; k < (second ? 3 : 1); k++)
			mpc_cost_min_max_bits(cost, all_planes(runs), n / 2 * goals->n);
}

/* Of each level: pairs in planes with what comparing them takes, and windows with the ones before. */
uint64
ranked_need(const RankedRuns *runs, size_t goals)
{
	uint64		most = 0;
	uint64		before = 0;
	size_t		sets = 1;
	Cut			cut = {.left = runs->n};

	do
	{
		uint64		pairs;
		uint64		left;

		cut = cut_window(runs, cut.left);
		pairs = sets * pairs_of_runs(runs) * cut.pivots * cut.pivots;
		left = (runs->group_planes > 0 ? 2 : 1) * (uint64) goals * runs->runs * cut.left * 2 * sizeof(uint64);
		most = Max(most, before + pairs * (all_planes(runs) + 2) + pairs * 4 * sizeof(uint64));
		most = Max(most, before + 2 * left + goals * runs->runs * cut.pivots * 8 * sizeof(uint64));
		before = left;
		sets = goals;
	} while (cut.block > 1);
	return most;
}
