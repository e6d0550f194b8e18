/*
 * group.c
 *	  Sorted rows: groups with their sums and counts; and rows that are left over.
 *
 * The last row of a group is where the next one's key is another.  Sums from the first
 * row on are local; those in the last rows of two neighbouring groups differ by what
 * is in the second group.  So groups cost one equality a row, and moving their last rows
 * together.  [mpc/README.md, "Group"]
 */
#include "mpc/group.h"

#include "mpc/arith64.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/shuffle.h"
#include "share/memory.h"
#include "share/vector.h"

/* ---- compaction ---- */

/* x[v] += what, public: summand 0. */
static inline void
add_public(const Party *self, Shared64 *x, size_t v, uint64 what)
{
	if (self->index == 0)
		x->mine[v] += what;
	if (self->index == 2)
		x->next[v] += what;
}

/*
 * Where each row goes, and kept = how many are kept.
 *
 * e = the bits as numbers, E their prefix sums, T = E of the last row.  A row that is kept goes to E - 1, another
 * to T plus how many others are before it: T + v - E.  Both: T + v - E + e (2 E - 1 - T - v).
 */
static Shared64
places(Party *self, Shared64 *kept, const SharedBits *keep)
{
	size_t		n = keep->n;
	Shared64	e = shared64_alloc(n);
	Shared64	place;
	uint64		mine = 0;
	uint64		next = 0;

	convert_bit_to_ring64(self, &e, keep);
	place = shared64_alloc(n);
	kept->mine[0] = vector_sum64(e.mine, n);
	kept->next[0] = vector_sum64(e.next, n);

	/* 2 E - 1 - T - v, and its product with e */
	for (size_t v = 0; v < n; v++)
	{
		mine += e.mine[v];
		next += e.next[v];
		place.mine[v] = 2 * mine - kept->mine[0];
		place.next[v] = 2 * next - kept->next[0];
		add_public(self, &place, v, -1 - (uint64) v);
	}
	arith64_multiply(self, &place, &place, &e);

	/* + T + v - E */
	for (size_t v = n; v-- > 0;)
	{
		place.mine[v] += kept->mine[0] - mine;
		place.next[v] += kept->next[0] - next;
		add_public(self, &place, v, v);
		mine -= e.mine[v];
		next -= e.next[v];
	}
	shared64_free(&e);
	return place;
}

/* The table with another column of numbers, the last. */
static Table
with_column(const Table *table, Shared64 column)
{
	Table		longer = *table;

	longer.numbers++;
	longer.number = palloc(longer.numbers * sizeof(Shared64));
	for (int c = 0; c < table->numbers; c++)
		longer.number[c] = table->number[c];
	longer.number[table->numbers] = column;
	return longer;
}

static size_t
seen_bytes(size_t n)
{
	return BIT_WORDS(n) * sizeof(uint64);
}

/* from[place] = row; false if places are no permutation: whoever cheats must not make us write elsewhere. */
static bool
invert(uint32 *from, const uint64 *to, size_t n)
{
	uint64	   *seen = vector_alloc_zero(seen_bytes(n));
	bool		good = true;

	for (size_t v = 0; v < n && good; v++)
	{
		good = to[v] < n && !(seen[to[v] / 64] >> (to[v] % 64) & 1);
		if (good)
		{
			seen[to[v] / 64] |= UINT64CONST(1) << (to[v] % 64);
			from[to[v]] = v;
		}
	}
	vector_free(seen, seen_bytes(n));
	return good;
}

/* Opens the places of shuffled rows: a random permutation. */
static uint32 *
open_places(Party *self, const Shared64 *place)
{
	size_t		n = place->n;
	uint64	   *to = table_words(n);
	uint32	   *from;

	arith64_open(self, to, place);
	from = vector_alloc(n * sizeof(uint32));
	if (!invert(from, to, n))
		fail(ERRCODE_SECMED_PROTOCOL, "the opened places of %zu rows are no permutation", n);
	table_free_words(to, n);
	return from;
}

/*
 * Bytes besides the table: places and how many are kept; and in turn what places are made of, the shuffle,
 * their inverse.
 */
static uint64
compact_need(size_t n)
{
	return 2 * (n + 2) * sizeof(uint64) +
		Max(2 * n * sizeof(uint64), Max(shuffle_need(n), n * (sizeof(uint64) + sizeof(uint32)) + seen_bytes(n)));
}

/* Of a table that has rows. */
static void
compact(Party *self, Table *table, int keep, size_t size, Shared64 *kept)
{
	size_t		n = table->n;
	Shared64	place = places(self, kept, &table->slice[keep]);
	Table		longer;
	uint32	   *from;

	if (size == SIZE_OPENED)
	{
		uint64		opened;

		arith64_open(self, &opened, kept);
		size = opened;
	}
	longer = with_column(table, place);
	shuffle_table(self, &longer);
	from = open_places(self, &longer.number[table->numbers]);
	shared64_free(&longer.number[table->numbers]);
	for (int c = 0; c < table->numbers; c++)
		table->number[c] = longer.number[c];
	pfree(longer.number);
	table_take(table, from, Min(size, n));
	vector_free(from, n * sizeof(uint32));
}

void
group_compact(Party *self, Table *table, int keep, size_t size, Shared64 *kept)
{
	Shared64	count = shared64_zero(1);
	uint64		need = compact_need(table->n);
	uint64		own = need - shuffle_need(table->n);

	if (table->n > 0)
	{
		/* The shuffle reserves for itself. */
		party_require(self, "compacting", need);
		party_reserve(self, "compacting", own);
		compact(self, table, keep, size, &count);
		party_release(self, own);
	}
	if (kept)
		shared64_copy(kept, &count);
	shared64_free(&count);
}

/* ---- groups ---- */

/* out = bits 1 to n of a plane of n + 1. */
static void
plane_below(uint64 *out, const uint64 *plane, size_t n)
{
	for (size_t w = 0; w < BIT_WORDS(n); w++)
	{
		uint64		above = w + 1 < BIT_WORDS(n + 1) ? plane[w + 1] << 63 : 0;

		out[w] = plane[w] >> 1 | above;
	}
	bits_clear_tails(out, 1, n);
}

/* The planes `used` and on of differ = rows 0 to n - 2 of a column XOR rows 1 to n - 1. */
static int
append_differences(SharedBits *differ, int used, const SharedBits *column)
{
	size_t		words = BIT_WORDS(differ->n);

	for (int k = 0; k < column->planes; k++)
	{
		PlaneRef	from = plane_ref(column, k);
		PlaneRef	to = plane_ref(differ, used + k);

		plane_below(to.mine, from.mine, differ->n);
		plane_below(to.next, from.next, differ->n);
		vector_xor(to.mine, to.mine, from.mine, words);
		vector_xor(to.next, to.next, from.next, words);
		bits_clear_tails(to.mine, 1, differ->n);
		bits_clear_tails(to.next, 1, differ->n);
	}
	return used + column->planes;
}

/* Valid rows come first: a row is valid if the next one is. */
static int
append_valid(Party *self, SharedBits *differ, const SharedBits *valid)
{
	SharedBits	part = shared_bits_view(differ, 0, 1);

	plane_below(part.mine, valid->mine, differ->n);
	plane_below(part.next, valid->next, differ->n);
	logic_not(self, &part);
	return 1;
}

static int
equal_planes(const Table *table, const Grouping *by)
{
	int			planes = 1;

	for (int k = 0; k < by->key_count; k++)
		planes += table->slice[by->keys[k]].planes;
	return planes;
}

/* equal[v] = rows v and v + 1 are valid and of one group, for all rows but the last. */
static SharedBits
equal_to_next(Party *self, const Table *table, const Grouping *by)
{
	SharedBits	same = shared_bits_raw(equal_planes(table, by), table->n - 1);
	SharedBits	equal = shared_bits_alloc(1, table->n - 1);
	int			used = append_valid(self, &same, &table->slice[by->valid]);

	for (int k = 0; k < by->key_count; k++)
		used = append_differences(&same, used, &table->slice[by->keys[k]]);
	logic_not(self, &same);
	logic_and_all(self, &equal, &same);
	shared_bits_free(&same);
	return equal;
}

SharedBits
group_same(Party *self, const Table *table, const Grouping *by)
{
	uint64		need = 2 * sizeof(uint64) * (equal_planes(table, by) + 1) * (uint64) BIT_WORDS(table->n) +
		PARTY_CHUNK_BYTES;
	SharedBits	none = shared_bits_alloc(1, Min(table->n, 1));
	SharedBits	equal;
	SharedBits	same;

	if (table->n == 0)
		return none;
	party_reserve(self, "grouping", need);
	equal = equal_to_next(self, table, by);
	same = shared_bits_append(&equal, &none);
	shared_bits_free(&equal);
	shared_bits_free(&none);
	party_release(self, need);
	return same;
}

/* The column of validity becomes that of the last rows of groups. */
static void
mark_ends(Party *self, Table *table, const Grouping *by, SharedBits *same)
{
	logic_not(self, same);
	logic_and(self, &table->slice[by->valid], &table->slice[by->valid], same);
}

/* Valid rows come first, so what is in the others changes no sum that is used, and the v-th is the v-th valid one. */
static void
sum_from_first(Party *self, Table *table, const Grouping *by)
{
	for (int k = 0; k < by->sum_count; k++)
		shared64_prefix_sums(&table->number[by->sums[k]]);
	if (by->rows != GROUP_WITHOUT_ROWS)
	{
		Shared64   *rows = &table->number[by->rows];

		arith64_constant(self, rows, 1);
		shared64_prefix_sums(rows);
	}
}

void
group_table(Party *self, Table *table, const Grouping *by, size_t size, Shared64 *groups)
{
	uint64		plane = 2 * sizeof(uint64) * (uint64) BIT_WORDS(table->n);
	SharedBits	same;

	/* Before anything is sent. */
	party_require(self, "grouping", plane + compact_need(table->n));
	party_reserve(self, "grouping", plane);
	same = group_same(self, table, by);
	group_rows(self, table, by, &same, size, groups);
	shared_bits_free(&same);
	party_release(self, plane);
}

void
group_rows(Party *self, Table *table, const Grouping *by, SharedBits *same, size_t size, Shared64 *groups)
{
	if (table->n > 0)
	{
		mark_ends(self, table, by, same);
		sum_from_first(self, table, by);
	}
	group_compact(self, table, by->valid, size, groups);
	for (int k = 0; k < by->sum_count; k++)
		shared64_differences(&table->number[by->sums[k]]);
	if (by->rows != GROUP_WITHOUT_ROWS)
		shared64_differences(&table->number[by->rows]);
}
