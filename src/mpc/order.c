/*
 * order.c
 *	  Which rows to compare next, and where they go when the answers are known.
 *
 * Quicksort with one random pivot asks 1.39 log2 n questions a row, in twice as many batches as
 * log2 n.  Here a pivot is the middle of a sorted sample, so close to
 * the median, and its sample sorts what comes after: few more than log2 n of each.
 *
 * Where a round is dear, more rows are compared each with each, which takes fewer rounds.
 *
 * Rows change places within their segment, whose next sample must still be a
 * random one: it is, because rows were shuffled and a row is moved only by answers about itself.
 */
#include "mpc/order.h"

#include "mpc/adder.h"
#include "port/pg_bitutils.h"
#include "share/memory.h"

/* At most so many rows of a segment are compared each with each. */
#define TOGETHER_MAX	1024


/* The pairs of a sample are at most so many times fewer than the rows it is to split. */
#define SAMPLE_SHARE	3

/* A segment asks no more than all pairs of `together` rows, or 2.5 a row (of six). */
uint64
order_pairs_max(size_t n, size_t together)
{
	return (n * (uint64) (together - 1) + 1) / 2;
}

/*
 * Segments are halved until they are small enough, which takes 1.05 comparisons a row each time, and two batches, or
 * fewer where all of them come to an end at once.
 */
static OrderWork
work_with(size_t n, size_t together)
{
	double		size = n;
	int			halved = 0;

	for (; size > together; size /= 2)
		halved++;
	return (OrderWork) {1 + (together > ORDER_TOGETHER_MIN ? 1.4 : 2.2) * halved, n * ((size - 1) / 2 + 1.05 * halved)};
}

/* Bytes, and rounds as so many bytes. */
static double
bytes_with(size_t n, size_t together, int planes, uint64 round_bytes)
{
	OrderWork	work = work_with(n, together);

	return work.comparisons * (carry_gates(planes) + 1) / 8 + work.batches * (1 + carry_rounds(planes)) * (double) round_bytes;
}

size_t
order_together(size_t n, int planes, uint64 round_bytes)
{
	size_t		best = ORDER_TOGETHER_MIN;

	for (size_t rows = 2 * ORDER_TOGETHER_MIN; round_bytes > 0 && n > ORDER_TOGETHER_MIN; rows *= 2)
	{
		size_t		together = Min(rows, Min(n, TOGETHER_MAX));

		if (order_pairs_max(n, together) > ORDER_BATCH_MIN)
			break;
		if (bytes_with(n, together, planes, round_bytes) < bytes_with(n, Min(best, n), planes, round_bytes))
			best = together;
		if (together < rows)
			break;
	}
	return best;
}

OrderWork
order_expected(size_t n, int planes, uint64 round_bytes)
{
	if (n <= 1)
		return (OrderWork) {0, 0};
	return work_with(n, Min(order_together(n, planes, round_bytes), n));
}

/* How many rows are compared each with each before a segment is split. */
static size_t
sample_of(size_t n, size_t together)
{
	uint64		sample = 1;

	if (n <= together)
		return n;
	/* 1, 3, 7, ... */
	while ((2 * sample + 1) * sample * SAMPLE_SHARE <= n)
		sample = 2 * sample + 1;
	return sample;
}

size_t
order_spare_rows(size_t n, size_t together)
{
	return Max(together, sample_of(n, together));
}

static size_t
first_bytes(size_t n)
{
	return BIT_WORDS(n + 1) * sizeof(uint64);
}

static size_t
sorted_bytes(size_t n)
{
	return (n / 2 + 1) * sizeof(uint16);
}

static size_t
before_bytes(size_t n, size_t together)
{
	return BIT_WORDS(order_pairs_max(n, together)) * sizeof(uint64);
}

static size_t
place_bytes(size_t n, size_t together)
{
	return order_spare_rows(n, together) * sizeof(uint32);
}

uint64
order_bytes(size_t n, size_t together)
{
	return first_bytes(n) + sorted_bytes(n) + before_bytes(n, together) + place_bytes(n, together);
}

/* ---- segments ---- */

static void
mark(Order *order, size_t row)
{
	order->first[row / 64] |= UINT64CONST(1) << (row % 64);
}

/* The first row of a segment at or behind this row. */
static size_t
next_first(const Order *order, size_t row)
{
	size_t		w = row / 64;
	uint64		word = order->first[w] >> (row % 64) << (row % 64);

	while (word == 0)
		word = order->first[++w];
	return w * 64 + pg_rightmost_one_pos64(word);
}

/*
 * The next segment of more than one row, at or behind this row; false if there is none.  It begins
 * where the next row begins none.
 */
static bool
next_segment(const Order *order, size_t row, size_t *first, size_t *end)
{
	size_t		w = row / 64;
	size_t		words = BIT_WORDS(order->n);
	uint64		from_row = ~UINT64CONST(0) << (row % 64);

	for (; w < words; w++, from_row = ~UINT64CONST(0))
	{
		uint64		above = w + 1 < BIT_WORDS(order->n + 1) ? order->first[w + 1] << 63 : 0;
		uint64		word = order->first[w] & ~(order->first[w] >> 1 | above) & from_row;

		if (word == 0)
			continue;
		*first = w * 64 + pg_rightmost_one_pos64(word);
		if (*first >= order->n)
			return false;
		*end = next_first(order, *first + 1);
		return true;
	}
	return false;
}

static size_t
sorted_of(const Order *order, size_t first)
{
	return order->sorted[first / 2];
}

/* Rows of their own are in order, and need not be where nobody wants them to be. */
static void
begin_segment(Order *order, size_t first, size_t n, size_t sorted)
{
	if (n == 0)
		return;
	mark(order, first);
	if (n == 1)
		return;
	if (sorted == n || first >= order->wanted)
	{
		for (size_t v = 1; v < n; v++)
			mark(order, first + v);
		return;
	}
	/* What its sample knows is not worth the rounds. */
	if (n <= order->together && order->together > ORDER_TOGETHER_MIN)
		sorted = 0;
	/* A sample of one is in order. */
	if (sorted == 0 && sample_of(n, order->together) == 1)
		sorted = 1;
	order->sorted[first / 2] = sorted;
}

Order
order_create(size_t n, size_t wanted, size_t together)
{
	Order		order = {n, wanted, together};

	Assert(order_spare_rows(n, together) <= UINT16_MAX);
	order.first = vector_alloc_zero(first_bytes(n));
	order.sorted = vector_alloc_zero(sorted_bytes(n));
	order.before = vector_alloc(before_bytes(n, together));
	order.place = vector_alloc(place_bytes(n, together));
	begin_segment(&order, 0, n, 0);
	mark(&order, n);
	return order;
}

void
order_free(Order *order)
{
	vector_free(order->first, first_bytes(order->n));
	vector_free(order->sorted, sorted_bytes(order->n));
	vector_free(order->before, before_bytes(order->n, order->together));
	vector_free(order->place, place_bytes(order->n, order->together));
}

/* ---- questions ---- */

uint64
order_pairs(const Order *order)
{
	uint64		pairs = 0;
	size_t		end = 0;

	for (size_t first = 0; next_segment(order, end, &first, &end);)
	{
		size_t		n = end - first;
		size_t		sorted = sorted_of(order, first);
		size_t		sample = sorted > 0 ? 0 : sample_of(n, order->together);

		pairs += sorted > 0 ? n - sorted : sample * (sample - 1) / 2;
	}
	return pairs;
}

/* The first pair of a segment: of the sample rows 0 and 1, else the first row that is not sorted and the pivot. */
static void
ask_segment(const Order *order, OrderAsk *ask, size_t row)
{
	size_t		sorted;

	if (!next_segment(order, row, &ask->segment, &ask->end))
	{
		ask->segment = ask->end = order->n;
		return;
	}
	sorted = sorted_of(order, ask->segment);
	ask->left = sorted > 0 ? sorted : 0;
	ask->right = sorted > 0 ? sorted / 2 : 1;
}

OrderAsk
order_ask(const Order *order)
{
	OrderAsk	ask;

	ask_segment(order, &ask, 0);
	return ask;
}

/* As many of a segment's pairs as are left, or as are wanted. */
static size_t
ask_rest(const Order *order, OrderAsk *ask, uint32 *left, uint32 *right, size_t count)
{
	size_t		first = ask->segment;
	size_t		n = ask->end - first;
	size_t		sample = sample_of(n, order->together);
	size_t		used = 0;

	if (sorted_of(order, first) > 0)
	{
		for (; used < count && ask->left < n; used++, ask->left++)
		{
			left[used] = first + ask->left;
			right[used] = first + ask->right;
		}
		if (ask->left == n)
			ask_segment(order, ask, ask->end);
		return used;
	}
	for (; used < count && ask->right < sample; used++)
	{
		left[used] = first + ask->left;
		right[used] = first + ask->right;
		if (++ask->left == ask->right)
		{
			ask->left = 0;
			ask->right++;
		}
	}
	if (ask->right == sample)
		ask_segment(order, ask, ask->end);
	return used;
}

void
order_ask_pairs(const Order *order, OrderAsk *ask, uint32 *left, uint32 *right, size_t count)
{
	for (size_t used = 0; used < count;)
		used += ask_rest(order, ask, left + used, right + used, count - used);
}

/* ---- answers ---- */

static inline bool
answer(const Order *order, size_t k)
{
	return order->before[k / 64] >> (k % 64) & 1;
}

/* Of answers first to end - 1 how many are yes. */
static size_t
count_answers(const Order *order, size_t first, size_t end)
{
	size_t		count = 0;

	for (; first < end && first % 64 != 0; first++)
		count += answer(order, first);
	for (; first + 64 <= end; first += 64)
		count += __builtin_popcountll(order->before[first / 64]);
	for (; first < end; first++)
		count += answer(order, first);
	return count;
}

/* A row's place is the number of rows before it.  Returns how many answers it took. */
static size_t
order_sample(Order *order, KeyRows *rows, size_t first, size_t n, size_t answers)
{
	size_t		sample = sample_of(n, order->together);
	uint32	   *place = order->place;
	size_t		used = answers;
	uint64		sum = 0;

	memset(place, 0, sample * sizeof(uint32));
	for (size_t v = 1; v < sample; v++)
	{
		for (size_t u = 0; u < v; u++)
			place[answer(order, used++) ? v : u]++;
	}
	/* Whoever cheats could make rows go around in a circle: then the squares of their places are fewer. */
	for (size_t v = 0; v < sample; v++)
		sum += (uint64) place[v] * place[v];
	if (sum != (uint64) (sample - 1) * sample * (2 * sample - 1) / 6)
		fail(ERRCODE_SECMED_PROTOCOL, "the opened comparisons of %zu rows contradict each other", sample);
	keys_set_aside(rows, 0, first, sample);
	for (size_t v = 0; v < sample; v++)
		keys_bring_back(rows, first + place[v], v, 1);
	begin_segment(order, first, n, sample);
	return used - answers;
}

/* Rows that are before the pivot first; answer k is that of row first + k. */
static void
part_rows(const Order *order, KeyRows *rows, size_t first, size_t n, size_t answers)
{
	size_t		low = 0;
	size_t		high = n;

	for (;;)
	{
		while (low < high && answer(order, answers + low))
			low++;
		while (low < high && !answer(order, answers + high - 1))
			high--;
		if (low == high)
			return;
		keys_swap(rows, first + low++, first + --high);
	}
}

/* Rows first to first + n - 1 and the `m` behind them change sides; the former stay in order. */
static void
change_sides(KeyRows *rows, size_t first, size_t n, size_t m)
{
	if (m >= n)
	{
		keys_set_aside(rows, 0, first, n);
		keys_move(rows, first, first + m, n);
		keys_bring_back(rows, first + m, 0, n);
	}
	else
	{
		keys_set_aside(rows, 0, first + n, m);
		keys_move(rows, first + m, first, n);
		keys_bring_back(rows, first, 0, m);
	}
}

/*
 * Rows before the pivot, the pivot, and rows after it; each part begins with its
 * half of the sorted sample.  Returns how many answers it took.
 */
static size_t
split_segment(Order *order, KeyRows *rows, size_t first, size_t n, size_t answers)
{
	size_t		sorted = sorted_of(order, first);
	size_t		half = sorted / 2;
	size_t		rest = n - sorted;
	size_t		lower = count_answers(order, answers, answers + rest);
	size_t		pivot = first + half + lower;

	part_rows(order, rows, first + sorted, rest, answers);
	change_sides(rows, first + half, sorted - half, lower);
	begin_segment(order, first, half + lower, half);
	mark(order, pivot);
	begin_segment(order, pivot + 1, n - half - lower - 1, sorted - half - 1);
	return rest;
}

void
order_settle(Order *order, KeyRows *rows)
{
	size_t		answers = 0;
	size_t		end = 0;

	for (size_t first = 0; next_segment(order, end, &first, &end);)
	{
		if (sorted_of(order, first) == 0)
			answers += order_sample(order, rows, first, end - first, answers);
		else
			answers += split_segment(order, rows, first, end - first, answers);
	}
}
