/*
 * sort.c
 *	  Rows in the order of one or several keys: shuffle, then compare and open.
 *
 * After a secret shuffle the results of comparisons may be opened.  The number a row had
 * before the shuffle is the last part of its key, so no two keys are equal and the opened bits are
 * those of sorting a uniformly random permutation, whatever the keys hold.  [Hamada,
 * Kikuchi, Ikarashi, Chida, Takahashi: Practically Efficient Multi-party Sorting Protocols from
 * Comparison Sort Algorithms, ICISC 2012]
 *
 * The order in which to compare is ours.  A segment is rows that are known to lie
 * together.  All pairs of a small sample of it are compared in one batch; then the middle one of
 * the sorted sample splits the segment and the sample, and so on.  All segments
 * do their next step in the same batch.  A pivot is thus close to the median,
 * and there are few more than log2 n comparisons a row and few more than log2 n batches
 * (quicksort with one random pivot: 1.39 log2 n, and twice as many).
 */
#include "mpc/sort.h"

#include "crypto/hash.h"
#include "mpc/logic.h"
#include "mpc/shuffle.h"

/* So many rows are compared each with each. */
#define ALL_PAIRS_MAX	6

/* The pairs of a sample are at most so many times fewer than the rows it is to split. */
#define SAMPLE_SHARE	3

/* Rows in neighbouring places; the first `sorted` of them are in order. */
typedef struct Segment
{
	uint32		first;
	uint32		n;
	uint32		sorted;
} Segment;

typedef struct Sort
{
	size_t		n;
	int			planes;			/* of a whole key */
	int			words;			/* of a summand of a key */

	/* Row by row: the words of one summand of the key, then those of the other; and which row it is. */
	uint64	   *key;
	uint32	   *row;
	uint64	   *key_space;
	uint32	   *row_space;

	Segment    *segments;
	size_t		used;
	Segment    *children;
	size_t		children_used;

	/* A batch: is row left[k] before row right[k]? */
	uint32	   *left;
	uint32	   *right;
	size_t		pairs;
	uint64	   *before;			/* opened bits */
	size_t		answers;		/* looked at so far */
	SortWork	work;
} Sort;

static void *
space_for(size_t n, size_t size)
{
	return palloc_extended(Max(n, 1) * size, MCXT_ALLOC_HUGE);
}

static int
bits_for(size_t n)
{
	int			k = 0;

	while ((UINT64CONST(1) << k) < n)
		k++;
	return k;
}

/* ---- keys ---- */

static int
key_planes(const Table *table, const SortKey *keys, int count, int valid)
{
	int			planes = bits_for(table->n) + (valid == SORT_ALL_VALID ? 0 : 1);

	for (int k = 0; k < count; k++)
		planes += table->slice[keys[k].slice].planes;
	return planes;
}

/* The table with the number of each row as its last column. */
static Table
with_row_numbers(Party *self, const Table *table)
{
	Table		numbered = *table;
	int			planes = bits_for(table->n);
	uint64	   *numbers = table_words(table->n);
	uint64	   *words = table_words(planes * BIT_WORDS(table->n));
	SharedBits *last;

	numbered.slices++;
	numbered.slice = palloc(numbered.slices * sizeof(SharedBits));
	for (int c = 0; c < table->slices; c++)
		numbered.slice[c] = table->slice[c];
	last = &numbered.slice[table->slices];
	*last = shared_bits_raw(planes, table->n);
	for (size_t v = 0; v < table->n; v++)
		numbers[v] = v;
	bits_slice(words, numbers, table->n, planes);
	logic_public(self, last, words);
	pfree(numbers);
	pfree(words);
	return numbered;
}

/* Appends planes to a key that has `used` of them. */
static int
append_planes(SharedBits *key, int used, const SharedBits *column)
{
	SharedBits	part = shared_bits_view(key, used, column->planes);

	shared_bits_copy(&part, column);
	return used + column->planes;
}

static void
invert(Party *self, SharedBits *key, int plane, int planes)
{
	SharedBits	part = shared_bits_view(key, plane, planes);

	logic_not(self, &part);
}

/* One unsigned number for each row, from its last bit up: row number, keys, validity. */
static SharedBits
whole_keys(Party *self, const Table *numbered, int planes, const SortKey *keys, int count, int valid)
{
	SharedBits	key = shared_bits_raw(planes, numbered->n);
	int			used = append_planes(&key, 0, &numbered->slice[numbered->slices - 1]);

	for (int k = count - 1; k >= 0; k--)
	{
		int			width = numbered->slice[keys[k].slice].planes;

		used = append_planes(&key, used, &numbered->slice[keys[k].slice]);
		if (keys[k].is_signed)
			invert(self, &key, used - 1, 1);
		if (keys[k].descending)
			invert(self, &key, used - width, width);
	}
	if (valid != SORT_ALL_VALID)
	{
		used = append_planes(&key, used, &numbered->slice[valid]);
		invert(self, &key, used - 1, 1);
	}
	Assert(used == planes);
	return key;
}

/* Key and row number of each row next to each other. */
static void
load_keys(Sort *sort, SharedBits *whole)
{
	Table		keys = {whole->n, 0, NULL, 1, whole};
	uint64	   *words = table_words(whole->n);
	uint64	   *space = table_words(64 * BIT_WORDS(whole->n));

	for (int next = 0; next < 2; next++)
	{
		for (int k = 0; k < sort->words; k++)
		{
			table_read_group(&keys, next, k, words, space);
			for (size_t v = 0; v < sort->n; v++)
				sort->key[(2 * v + next) * sort->words + k] = words[v];
		}
	}
	for (size_t v = 0; v < sort->n; v++)
		sort->row[v] = v;
	table_free_words(words, whole->n);
	table_free_words(space, 64 * BIT_WORDS(whole->n));
}

/* ---- a batch of comparisons ---- */

/*
 * One summand, sliced: a = the key of the right row and p = that XOR the key of
 * the left row.
 */
static void
slice_pairs(const Sort *sort, bool next, uint64 *a, uint64 *p)
{
	uint64	   *right = table_words(sort->pairs);
	uint64	   *both = table_words(sort->pairs);

	for (int k = 0; k < sort->words; k++)
	{
		const uint64 *key = sort->key + next * sort->words + k;
		size_t		stride = 2 * sort->words;
		size_t		plane = 64 * k * BIT_WORDS(sort->pairs);
		int			planes = Min(64, sort->planes - 64 * k);

		for (size_t m = 0; m < sort->pairs; m++)
		{
			right[m] = key[sort->right[m] * stride];
			both[m] = right[m] ^ key[sort->left[m] * stride];
		}
		bits_slice(a + plane, right, sort->pairs, planes);
		bits_slice(p + plane, both, sort->pairs, planes);
	}
	table_free_words(right, sort->pairs);
	table_free_words(both, sort->pairs);
}

/*
 * Neighbouring spans of bits become one, in the place of the higher, until
 * one is left: the tree of compare_ge_public(), of any width.  Returns its a.
 *
 * The lowest span needs no p and there is no carry into it: keys differ, so if
 * all bits above bit 0 are equal, bit 0 is not.
 */
static SharedBits
join_spans(Party *self, const SharedBits *a, const SharedBits *p)
{
	Gate	   *gates = palloc0(2 * a->planes * sizeof(Gate));
	int		   *span = palloc(a->planes * sizeof(int));
	SharedBits	last;

	for (int k = 0; k < a->planes; k++)
		span[k] = k;
	for (int left = a->planes; left > 1; left = (left + 1) / 2)
	{
		int			count = left / 2;

		memset(gates, 0, 2 * a->planes * sizeof(Gate));
		for (int j = 0; j < count; j++)
		{
			Gate	   *of_a = &gates[j];
			Gate	   *of_p = &gates[count + j - 1];

			of_a->z = of_a->v = of_a->y = plane_ref(a, span[2 * j + 1]);
			of_a->y2 = plane_ref(a, span[2 * j]);
			of_a->x = plane_ref(p, span[2 * j + 1]);
			if (j == 0)
				continue;
			of_p->z = of_p->x = plane_ref(p, span[2 * j + 1]);
			of_p->y = plane_ref(p, span[2 * j]);
		}
		logic_gates(self, gates, 2 * count - 1, a->n);
		for (int j = 0; j < count; j++)
			span[j] = span[2 * j + 1];
		if (left % 2 == 1)
			span[count] = span[left - 1];
	}
	last = shared_bits_view(a, span[0], 1);
	pfree(gates);
	pfree(span);
	return last;
}

/* before[k] = the key of left[k] is less than that of right[k], opened. */
static void
compare_pairs(Party *self, Sort *sort)
{
	SharedBits	a = shared_bits_raw(sort->planes, sort->pairs);
	SharedBits	p = shared_bits_raw(sort->planes, sort->pairs);
	SharedBits	less;

	slice_pairs(sort, false, a.mine, p.mine);
	slice_pairs(sort, true, a.next, p.next);
	logic_not(self, &p);
	less = join_spans(self, &a, &p);
	logic_open(self, sort->before, &less);
	shared_bits_free(&a);
	shared_bits_free(&p);

	sort->answers = 0;
	sort->work.batches++;
	sort->work.comparisons += sort->pairs;
	sort->work.bytes += PLANE_BYTES(sort->pairs);
}

static void
ask(Sort *sort, uint32 left, uint32 right)
{
	sort->left[sort->pairs] = left;
	sort->right[sort->pairs] = right;
	sort->pairs++;
}

/* Answers come in the order of the questions. */
static bool
answer(Sort *sort)
{
	size_t		k = sort->answers++;

	return sort->before[k / 64] >> (k % 64) & 1;
}

/* ---- segments; all that follows knows public things only ---- */

/* How many rows are compared each with each before a segment is split. */
static uint32
sample_of(uint32 n)
{
	uint64		sample = 1;

	if (n <= ALL_PAIRS_MAX)
		return n;
	/* 1, 3, 7, ... */
	while ((2 * sample + 1) * sample * SAMPLE_SHARE <= n)
		sample = 2 * sample + 1;
	return sample;
}

static void
add_segment(Sort *sort, uint32 first, uint32 n, uint32 sorted)
{
	if (n <= 1 || sorted == n)
		return;
	/* A sample of one is in order. */
	if (sorted == 0 && sample_of(n) == 1)
		sorted = 1;
	sort->children[sort->children_used++] = (Segment)
	{
		first, n, sorted
	};
}

static void
ask_segment(Sort *sort, const Segment *segment)
{
	uint32		first = segment->first;
	uint32		pivot = first + segment->sorted / 2;

	if (segment->sorted > 0)
	{
		for (uint32 v = segment->sorted; v < segment->n; v++)
			ask(sort, first + v, pivot);
		return;
	}
	for (uint32 v = 1; v < sample_of(segment->n); v++)
	{
		for (uint32 u = 0; u < v; u++)
			ask(sort, first + u, first + v);
	}
}

/* The row in place `from` is to be in place `to`, once rows_settle() says so. */
static void
move_row(Sort *sort, uint32 to, uint32 from)
{
	size_t		words = 2 * sort->words;

	memcpy(sort->key_space + to * words, sort->key + from * words, words * sizeof(uint64));
	sort->row_space[to] = sort->row[from];
}

static void
rows_settle(Sort *sort, uint32 first, uint32 n)
{
	size_t		words = 2 * sort->words;

	memcpy(sort->key + first * words, sort->key_space + first * words, n * words * sizeof(uint64));
	memcpy(sort->row + first, sort->row_space + first, n * sizeof(uint32));
}

/* A row's place is the number of rows before it. */
static void
order_sample(Sort *sort, const Segment *segment)
{
	uint32		sample = sample_of(segment->n);
	uint32	   *place = palloc0(sample * sizeof(uint32));
	uint8	   *taken = palloc0(sample);

	for (uint32 v = 1; v < sample; v++)
	{
		for (uint32 u = 0; u < v; u++)
			place[answer(sort) ? v : u]++;
	}
	for (uint32 v = 0; v < sample; v++)
	{
		/* Whoever cheats could make rows go around in a circle. */
		if (taken[place[v]]++)
			fail(ERRCODE_SECMED_PROTOCOL, "the opened comparisons of %u rows contradict each other", sample);
		move_row(sort, segment->first + place[v], segment->first + v);
	}
	rows_settle(sort, segment->first, sample);
	pfree(place);
	pfree(taken);
	add_segment(sort, segment->first, segment->n, sample);
}

/*
 * Rows before the pivot, the pivot, and rows after it; each part begins with its
 * half of the sorted sample.
 */
static void
split_segment(Sort *sort, const Segment *segment)
{
	uint32		first = segment->first;
	uint32		half = segment->sorted / 2;
	uint32		rest = segment->n - segment->sorted;
	size_t		answers = sort->answers;
	uint32		lower = 0;
	uint32		pivot;
	uint32		to_lower;
	uint32		to_upper;

	for (uint32 v = 0; v < rest; v++)
		lower += answer(sort);
	sort->answers = answers;
	pivot = first + half + lower;
	to_lower = first;
	to_upper = pivot;			/* which is the first of those */
	for (uint32 v = 0; v < segment->sorted; v++)
		move_row(sort, v < half ? to_lower++ : to_upper++, first + v);
	for (uint32 v = segment->sorted; v < segment->n; v++)
		move_row(sort, answer(sort) ? to_lower++ : to_upper++, first + v);
	rows_settle(sort, first, segment->n);
	add_segment(sort, first, half + lower, half);
	add_segment(sort, pivot + 1, segment->n - half - lower - 1, segment->sorted - half - 1);
}

/* One batch for all segments there are; their parts are left to the next step. */
static void
step(Party *self, Sort *sort)
{
	Segment    *segments = sort->segments;

	sort->segments = sort->children;
	sort->used = sort->children_used;
	sort->children = segments;
	sort->children_used = 0;

	sort->pairs = 0;
	for (size_t k = 0; k < sort->used; k++)
		ask_segment(sort, &sort->segments[k]);
	compare_pairs(self, sort);
	for (size_t k = 0; k < sort->used; k++)
	{
		if (sort->segments[k].sorted == 0)
			order_sample(sort, &sort->segments[k]);
		else
			split_segment(sort, &sort->segments[k]);
	}
}

/* ---- all of it ---- */

/* A segment asks at most 2.5 questions for each of its rows (all pairs of six). */
#define PAIRS_MAX(n)	(3 * (n))

static Sort
sort_create(size_t n, int planes)
{
	Sort		sort = {n, planes, (planes + 63) / 64};

	sort.key = table_words(2 * sort.words * n);
	sort.key_space = table_words(2 * sort.words * n);
	sort.row = space_for(n, sizeof(uint32));
	sort.row_space = space_for(n, sizeof(uint32));
	/* A segment has two rows at least. */
	sort.segments = space_for(n / 2, sizeof(Segment));
	sort.children = space_for(n / 2, sizeof(Segment));
	sort.left = space_for(PAIRS_MAX(n), sizeof(uint32));
	sort.right = space_for(PAIRS_MAX(n), sizeof(uint32));
	sort.before = table_words(BIT_WORDS(PAIRS_MAX(n)));
	sort.work.planes = planes;
	return sort;
}

static void
sort_free(Sort *sort)
{
	table_free_words(sort->key, 2 * sort->words * sort->n);
	table_free_words(sort->key_space, 2 * sort->words * sort->n);
	pfree(sort->row);
	pfree(sort->row_space);
	pfree(sort->segments);
	pfree(sort->children);
	pfree(sort->left);
	pfree(sort->right);
	pfree(sort->before);
}

/* Keys twice, questions, and the two operands of a batch, which has hardly more than n comparisons. */
static uint64
sort_need(size_t n, int planes)
{
	uint64		words = (planes + 63) / 64;

	return n * (uint64) (4 * words * sizeof(uint64) + 6 * sizeof(uint32) + 2 * sizeof(Segment) / 2) +
		4 * planes * (uint64) BIT_WORDS(n) * sizeof(uint64) + 2 * n * sizeof(uint64);
}

static void
sort_numbered(Party *self, Table *numbered, SharedBits *keys, SortWork *work)
{
	uint64		need = sort_need(numbered->n, keys->planes);
	Sort		sort;

	party_reserve(self, "sorting", need);
	sort = sort_create(numbered->n, keys->planes);
	load_keys(&sort, keys);
	shared_bits_free(keys);
	add_segment(&sort, 0, sort.n, 0);
	while (sort.children_used > 0)
		step(self, &sort);
	table_take(numbered, sort.row, sort.n);
	if (work)
		*work = sort.work;
	sort_free(&sort);
	party_release(self, need);
}

void
sort_table(Party *self, Table *table, const SortKey *keys, int count, int valid, SortWork *work)
{
	Table		numbered;
	SharedBits	whole;

	if (work)
		memset(work, 0, sizeof(SortWork));
	if (table->n <= 1)
		return;
	numbered = with_row_numbers(self, table);
	shuffle_table(self, &numbered);
	whole = whole_keys(self, &numbered, key_planes(table, keys, count, valid), keys, count, valid);

	/* Back to the columns that were asked for. */
	shared_bits_free(&numbered.slice[table->slices]);
	for (int c = 0; c < table->slices; c++)
		table->slice[c] = numbered.slice[c];
	pfree(numbered.slice);
	sort_numbered(self, table, &whole, work);
}
