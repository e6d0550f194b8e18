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
 * keys.c holds the rows, order.c knows which to compare; here they are compared.
 */
#include "mpc/sort.h"

#include "crypto/hash.h"
#include "mpc/keys.h"
#include "mpc/logic.h"
#include "mpc/order.h"
#include "mpc/shuffle.h"
#include "share/memory.h"

static int
bits_for(size_t n)
{
	int			k = 0;

	while ((UINT64CONST(1) << k) < n)
		k++;
	return k;
}

/* ---- a batch of comparisons ---- */

/*
 * The network joins neighbouring spans of bits, in the place of the higher, until one
 * is left: the tree of compare_ge_public(), of any width.  Its leaves are made block by block
 * and joined at once; only what comes out of the first round is kept for all
 * comparisons of a batch: the a of each span, and the p of all but the lowest.
 *
 * The lowest span needs no p and there is no carry into it: keys differ, so if
 * all bits above bit 0 are equal, bit 0 is not.
 */
typedef struct Batch
{
	Party	   *self;
	const KeyRows *rows;
	const Order *order;
	OrderAsk	ask;
	size_t		n;				/* comparisons */

	/* Of one block: leaves.  Planes are a multiple of 64. */
	SharedBits	a_leaf;
	SharedBits	p_leaf;

	/* Block after block: planes of spans. */
	int			spans;
	size_t		stride;			/* words of a block */
	uint64	   *mine;
	uint64	   *next;
	size_t		words;			/* that these two have */
	SharedBits	less;
} Batch;

static size_t
blocks_for(size_t comparisons)
{
	return (comparisons + VECTOR_BLOCK - 1) / VECTOR_BLOCK;
}

static size_t
block_words(int planes)
{
	int			spans = (planes + 1) / 2;

	return (2 * spans - 1) * VECTOR_BLOCK_WORDS;
}

static PlaneRef
span_a(const Batch *batch, int span)
{
	return (PlaneRef)
	{
		batch->mine + span * VECTOR_BLOCK_WORDS, batch->next + span * VECTOR_BLOCK_WORDS
	};
}

static PlaneRef
span_p(const Batch *batch, int span)
{
	return span_a(batch, batch->spans + span - 1);
}

static void
copy_plane(PlaneRef to, size_t offset, PlaneRef from)
{
	memcpy(to.mine + offset, from.mine, VECTOR_BLOCK_WORDS * sizeof(uint64));
	memcpy(to.next + offset, from.next, VECTOR_BLOCK_WORDS * sizeof(uint64));
}

/* Where there are fewer pairs than a block has room for, nothing is in the rest of its planes. */
static void
clear_rest(SharedBits *leaf, size_t pairs)
{
	uint64		used[VECTOR_BLOCK_WORDS];

	for (size_t w = 0; w < VECTOR_BLOCK_WORDS; w++)
		used[w] = pairs >= 64 * (w + 1) ? ~UINT64CONST(0) : pairs > 64 * w ? (UINT64CONST(1) << (pairs % 64)) - 1 : 0;
	for (size_t w = 0; w < leaf->planes * VECTOR_BLOCK_WORDS; w++)
	{
		leaf->mine[w] &= used[w % VECTOR_BLOCK_WORDS];
		leaf->next[w] &= used[w % VECTOR_BLOCK_WORDS];
	}
}

/*
 * The leaves of a block: a = the key of the right row, p = NOT (that XOR the key of
 * the left row).  If their number is odd, the last is a span already.
 */
static void
prepare_block(void *arg, size_t block)
{
	Batch	   *batch = arg;
	int			planes = batch->rows->planes;
	size_t		pairs = Min(VECTOR_BLOCK, batch->n - block * VECTOR_BLOCK);
	uint32		left[VECTOR_BLOCK];
	uint32		right[VECTOR_BLOCK];

	order_ask_pairs(batch->order, &batch->ask, left, right, pairs);
	keys_slice_pairs(batch->rows, false, left, right, pairs, batch->a_leaf.mine, batch->p_leaf.mine);
	keys_slice_pairs(batch->rows, true, left, right, pairs, batch->a_leaf.next, batch->p_leaf.next);
	logic_not(batch->self, &batch->p_leaf);
	if (pairs < VECTOR_BLOCK)
	{
		clear_rest(&batch->a_leaf, pairs);
		clear_rest(&batch->p_leaf, pairs);
	}
	if (planes % 2 == 1)
	{
		copy_plane(span_a(batch, batch->spans - 1), block * batch->stride, plane_ref(&batch->a_leaf, planes - 1));
		if (batch->spans > 1)
			copy_plane(span_p(batch, batch->spans - 1), block * batch->stride,
					   plane_ref(&batch->p_leaf, planes - 1));
	}
}

/* a = a_high ^ p_high (a_high ^ a_low) */
static Gate
join_a(PlaneRef to, PlaneRef a_high, PlaneRef a_low, PlaneRef p_high)
{
	return (Gate)
	{
		.z = to, .x = p_high, .y = a_high, .y2 = a_low, .v = a_high
	};
}

/* p = p_high p_low */
static Gate
join_p(PlaneRef to, PlaneRef p_high, PlaneRef p_low)
{
	return (Gate)
	{
		.z = to, .x = p_high, .y = p_low
	};
}

/* The first round: of leaves. */
static int
leaf_gates(const Batch *batch, Gate *gates)
{
	const SharedBits *a = &batch->a_leaf;
	const SharedBits *p = &batch->p_leaf;
	int			joins = batch->rows->planes / 2;
	int			used = 0;

	for (int j = 0; j < joins; j++)
		gates[used++] = join_a(span_a(batch, j), plane_ref(a, 2 * j + 1), plane_ref(a, 2 * j),
							   plane_ref(p, 2 * j + 1));
	for (int j = 1; j < joins; j++)
		gates[used++] = join_p(span_p(batch, j), plane_ref(p, 2 * j + 1), plane_ref(p, 2 * j));
	return used;
}

/* Another round: of `left` spans, which are where span[] says. */
static int
span_gates(const Batch *batch, Gate *gates, const int *span, int left)
{
	int			used = 0;

	for (int j = 0; j < left / 2; j++)
	{
		PlaneRef	high = span_a(batch, span[2 * j + 1]);

		gates[used++] = join_a(high, high, span_a(batch, span[2 * j]), span_p(batch, span[2 * j + 1]));
	}
	for (int j = 1; j < left / 2; j++)
	{
		PlaneRef	high = span_p(batch, span[2 * j + 1]);

		gates[used++] = join_p(high, high, span_p(batch, span[2 * j]));
	}
	return used;
}

/* The spans of the next round; one left over moves along. */
static int
halve(int *span, int left)
{
	for (int j = 0; j < left / 2; j++)
		span[j] = span[2 * j + 1];
	if (left % 2 == 1)
		span[left / 2] = span[left - 1];
	return (left + 1) / 2;
}

/* Leaves that need no joining. */
static void
prepare_all(Batch *batch)
{
	for (size_t block = 0; block < blocks_for(batch->n); block++)
		prepare_block(batch, block);
}

/* All rounds; returns the span that is left. */
static int
join_spans(Party *self, Batch *batch)
{
	Gate	   *gates = palloc(2 * batch->rows->planes * sizeof(Gate));
	int		   *span = palloc(batch->spans * sizeof(int));
	GateBlocks	first = {gates, leaf_gates(batch, gates), batch->n, 0, batch->stride, prepare_block, batch};
	int			last;

	if (first.count > 0)
		logic_gate_blocks(self, &first);
	else
		prepare_all(batch);
	for (int k = 0; k < batch->spans; k++)
		span[k] = k;
	for (int left = batch->spans; left > 1; left = halve(span, left))
	{
		GateBlocks	next = {gates, span_gates(batch, gates, span, left), batch->n, batch->stride, batch->stride};

		logic_gate_blocks(self, &next);
	}
	last = span[0];
	pfree(gates);
	pfree(span);
	return last;
}

/* The plane of a span, of all blocks. */
static void
collect_plane(const Batch *batch, SharedBits *to, int span)
{
	PlaneRef	from = span_a(batch, span);

	for (size_t block = 0; block < blocks_for(batch->n); block++)
	{
		size_t		at = block * VECTOR_BLOCK_WORDS;
		size_t		bytes = Min(VECTOR_BLOCK_WORDS, BIT_WORDS(batch->n) - at) * sizeof(uint64);

		memcpy(to->mine + at, from.mine + block * batch->stride, bytes);
		memcpy(to->next + at, from.next + block * batch->stride, bytes);
	}
	bits_clear_tails(to->mine, 1, batch->n);
	bits_clear_tails(to->next, 1, batch->n);
}

/* The next n answers, from word `at` of them on. */
static void
compare_batch(Party *self, Batch *batch, size_t n, uint64 *answers)
{
	SharedBits	less = {batch->less.mine, batch->less.next, 1, n};

	batch->n = n;
	collect_plane(batch, &less, join_spans(self, batch));
	logic_open(self, answers, &less);
}

static Batch
batch_create(Party *self, const KeyRows *rows, const Order *order, size_t batch_max)
{
	Batch		batch = {self, rows, order};
	int			leaves = (rows->planes + 63) / 64 * 64;

	batch.a_leaf = shared_bits_alloc(leaves, VECTOR_BLOCK);
	batch.p_leaf = shared_bits_alloc(leaves, VECTOR_BLOCK);
	batch.spans = (rows->planes + 1) / 2;
	batch.stride = block_words(rows->planes);
	batch.words = blocks_for(batch_max) * batch.stride;
	batch.mine = table_words(batch.words);
	batch.next = table_words(batch.words);
	batch.less = shared_bits_raw(1, batch_max);
	return batch;
}

static void
batch_free(Batch *batch)
{
	shared_bits_free(&batch->a_leaf);
	shared_bits_free(&batch->p_leaf);
	table_free_words(batch->mine, batch->words);
	table_free_words(batch->next, batch->words);
	shared_bits_free(&batch->less);
}

/* Spans; leaves, bits to open with their messages, and the pieces that gates travel in. */
static uint64
batch_bytes(int planes, size_t batch_max)
{
	uint64		leaves = 4 * (planes + 63) / 64 * 64 * (uint64) (VECTOR_BLOCK / 8);
	uint64		random = 2 * (planes + 128) * (uint64) (VECTOR_BLOCK / 8);

	return 2 * sizeof(uint64) * (uint64) block_words(planes) * blocks_for(batch_max) + leaves +
		5 * sizeof(uint64) * (uint64) BIT_WORDS(batch_max) + random + PARTY_CHUNK_BYTES;
}

/* ---- all of it ---- */

/* What is needed besides the table, and how many comparisons make a batch. */
typedef struct Plan
{
	uint64		numbers;		/* the column of row numbers */
	size_t		together;		/* order.h */
	size_t		batch_max;
	uint64		need;			/* once the rows are shuffled */
} Plan;

/*
 * The largest batch with which everything there is stays below three times the
 * columns of the table; but not one of more comparisons than there are rows, or than a small one has.
 */
static Plan
plan_sort(const Party *self, const Table *numbered, const KeySource *source)
{
	size_t		n = numbered->n;
	int			planes = keys_planes(numbered, source);
	size_t		together = order_together(n, planes, self->round_bytes);
	uint64		numbers = 2 * sizeof(uint64) * bits_for(n) * (uint64) BIT_WORDS(n);
	uint64		whole = table_bytes(numbered) - numbers;
	uint64		rows = keys_bytes(numbered, source, order_spare_rows(n, together));
	uint64		held = keys_others_bytes(numbered, source) + rows + order_bytes(n, together);
	uint64		block = batch_bytes(planes, VECTOR_BLOCK) - batch_bytes(planes, 0);
	uint64		fixed = held + batch_bytes(planes, 0);
	uint64		room = 3 * whole > fixed ? 3 * whole - fixed : 0;
	Plan		plan = {numbers, together};
	size_t		most = plan.together > ORDER_TOGETHER_MIN ? Min(order_pairs_max(n, together), ORDER_BATCH_MIN) : n;
	uint64		moving;
	uint64		comparing;

	plan.batch_max = Min(Max(ORDER_BATCH_MIN, room / block * VECTOR_BLOCK), blocks_for(most) * VECTOR_BLOCK);
	moving = whole + rows + Max(numbers, n * sizeof(uint32));
	comparing = held + batch_bytes(planes, plan.batch_max);
	plan.need = Max(moving, comparing) - whole;
	return plan;
}

static void
order_rows(Party *self, KeyRows *rows, size_t wanted, const Plan *plan, SortWork *work)
{
	size_t		batch_max = plan->batch_max;
	Order		order = order_create(rows->n, wanted, plan->together);
	Batch		batch = batch_create(self, rows, &order, batch_max);
	uint64		pairs;

	while ((pairs = order_pairs(&order)) > 0)
	{
		batch.ask = order_ask(&order);
		for (uint64 done = 0; done < pairs; done += batch.n)
		{
			compare_batch(self, &batch, Min(batch_max, pairs - done), order.before + done / 64);
			work->batches++;
			work->bytes += PLANE_BYTES(batch.n);
		}
		work->comparisons += pairs;
		order_settle(&order, rows);
	}
	batch_free(&batch);
	order_free(&order);
}

/* The number of each row, public, as the last column of the table. */
static Table
with_row_numbers(Party *self, const Table *table)
{
	Table		numbered = *table;
	SharedBits *last;
	int			planes = bits_for(table->n);
	uint64	   *summand;
	uint64	   *planes_of[64];
	uint64		numbers[VECTOR_BLOCK];

	numbered.slices++;
	numbered.slice = palloc(numbered.slices * sizeof(SharedBits));
	for (int c = 0; c < table->slices; c++)
		numbered.slice[c] = table->slice[c];
	last = &numbered.slice[table->slices];
	*last = shared_bits_alloc(planes, table->n);

	/* Summand 0 is the number, the others are zero. */
	summand = self->index == 0 ? last->mine : self->index == 2 ? last->next : NULL;
	for (int k = 0; summand && k < planes; k++)
		planes_of[k] = summand + k * BIT_WORDS(table->n);
	for (size_t at = 0; summand && at < table->n; at += VECTOR_BLOCK)
	{
		size_t		len = Min(VECTOR_BLOCK, table->n - at);

		for (size_t v = 0; v < len; v++)
			numbers[v] = at + v;
		bits_slice_planes(planes_of, planes, at / 64, numbers, len);
	}
	return numbered;
}

/* Of the numbered table. */
static void
sort_shuffled(Party *self, Table *numbered, const KeySource *source, size_t wanted, const Plan *plan,
			  SortWork *work)
{
	KeyRows		rows;

	party_reserve(self, "sorting", plan->need);
	work->planes = keys_planes(numbered, source);
	keys_take(self, &rows, numbered, source, order_spare_rows(numbered->n, plan->together));
	order_rows(self, &rows, wanted, plan, work);
	keys_put_back(self, &rows, numbered, source);
	party_release(self, plan->need);
}

void
sort_table(Party *self, Table *table, const SortKey *keys, int count, int valid, SortWork *work)
{
	sort_first(self, table, keys, count, valid, table->n, work);
}

void
sort_first(Party *self, Table *table, const SortKey *keys, int count, int valid, size_t wanted,
		   SortWork *work)
{
	KeySource	source = {keys, count, valid, table->slices};
	SortWork	own = {0};

	if (table->n > 1)
	{
		Table		numbered = with_row_numbers(self, table);
		Plan		plan = plan_sort(self, &numbered, &source);

		/* Before anything is sent. */
		party_require(self, "sorting", Max(plan.need, plan.numbers + shuffle_need(table->n)));
		party_reserve(self, "sorting", plan.numbers);
		shuffle_table(self, &numbered);
		party_release(self, plan.numbers);
		sort_shuffled(self, &numbered, &source, wanted, &plan, &own);

		/* Back to the columns that were asked for. */
		for (int c = 0; c < table->slices; c++)
			table->slice[c] = numbered.slice[c];
		pfree(numbered.slice);
	}
	if (work)
		*work = own;
}
