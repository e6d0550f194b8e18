/*
 * shuffle.c
 *	  Rows in a random order that no party knows.
 *
 * Each seed gives a permutation s_i that two parties know.  The rows are
 * permuted by s_2, then s_0, then s_1, each time by the two who know it, who hold
 * the table as a sum of two.  Between two passes one of the summands moves on to
 * the party that takes over, masked by a stream that this one does not know.
 * [Laur, Willemson, Zhang: Round-Efficient Oblivious Database Manipulation, ISC
 * 2011; Araki et al.: Secure Graph Analysis at Scale, CCS 2021, section 4]
 *
 * A column is permuted when its turn comes to be sent, and what comes is put in
 * the place of a summand that is no longer needed.  So besides the table there are one
 * permutation and one vector of words: a column of numbers, or 64 planes.
 *
 * Letters as in mpc/README.md, "Shuffle".  Numbers are masked by adding, bits by XOR.
 */
#include "mpc/shuffle.h"

#include "crypto/hash.h"
#include "share/memory.h"
#include "share/vector.h"

/* 8 KB, which stay in the first-level cache. */
#define BLOCK	1024

/* ---- permutations ---- */

/* Uniform below `range`: Lemire, ACM TOMACS 29 (2019), from one random word, or more where one is unlucky. */
static uint32
below(Prg *prg, uint64 random, uint64 range)
{
	uint128		product = (uint128) random * range;

	if ((uint64) product < range)
	{
		uint64		threshold = -range % range;

		while ((uint64) product < threshold)
		{
			ring64_random(prg, &random, 1);
			product = (uint128) random * range;
		}
	}
	return (uint32) (product >> 64);
}

/* Fisher and Yates. */
void
shuffle_permutation(Prg *prg, uint32 *order, size_t n)
{
	uint64		random[BLOCK];

	Assert(n <= TABLE_ROWS_MAX);
	for (size_t v = 0; v < n; v++)
	{
		uint32		at;

		if (v % BLOCK == 0)
			ring64_random(prg, random, Min(BLOCK, n - v));
		at = below(prg, random[v % BLOCK], v + 1);
		order[v] = order[at];
		order[at] = v;
	}
	wipe(random, sizeof(random));
}

/* ---- vectors of a table: its columns of numbers, then groups of up to 64 planes ---- */

typedef struct Vector
{
	int			k;
	int			planes;			/* 0: numbers */
	uint64	   *mine[64];		/* its planes; or [0]: its numbers */
	uint64	   *next[64];
} Vector;

static int
vectors_of(const Table *table)
{
	return table->numbers + table_groups(table);
}

static void
vector_at(Vector *vector, const Table *table, int k)
{
	vector->k = k;
	vector->planes = 0;
	if (k < table->numbers)
	{
		vector->mine[0] = table->number[k].mine;
		vector->next[0] = table->number[k].next;
	}
	else if (k < vectors_of(table))
	{
		vector->planes = table_group(table, false, k - table->numbers, vector->mine);
		(void) table_group(table, true, k - table->numbers, vector->next);
	}
}

static size_t
wire_bytes(const Vector *vector, size_t rows)
{
	return vector->planes > 0 ? vector->planes * PLANE_BYTES(rows) : rows * sizeof(uint64);
}

/* A summand of a vector, a word a row. */
static void
load(uint64 *words, const Vector *vector, uint64 *const *summand, size_t n)
{
	if (vector->planes > 0)
		bits_unslice_planes(words, summand, vector->planes, 0, n);
	else
		memcpy(words, summand[0], n * sizeof(uint64));
}

/* Rows from `at` on, a multiple of VECTOR_BLOCK. */
static void
store(const Vector *vector, uint64 *const *summand, size_t at, const uint64 *words, size_t n)
{
	if (vector->planes > 0)
		bits_slice_planes(summand, vector->planes, at / 64, words, n);
	else
		memcpy(summand[0] + at, words, n * sizeof(uint64));
}

/* x += y, or x -= y if sign is -1 */
static void
add(const Vector *vector, uint64 *x, uint64 sign, const uint64 *y, size_t n)
{
	if (vector->planes > 0)
		vector_xor(x, x, y, n);
	else
		vector_linear64(x, 1, x, sign, y, n);
}

/* The same with the next words of a stream; n is at most VECTOR_BLOCK. */
static void
mask(const Vector *vector, uint64 *x, uint64 sign, Prg *prg, size_t n)
{
	uint64		random[VECTOR_BLOCK];

	ring64_random(prg, random, n);
	add(vector, x, sign, random, n);
	wipe(random, n * sizeof(uint64));
}

/* ---- a table on its way: vector after vector, VECTOR_BLOCK rows at a time ---- */

typedef struct Passing Passing;

/* How far the messages of one direction have come. */
typedef struct Way
{
	Vector		vector;
	size_t		at;				/* the block's first row */
	size_t		rows;
	size_t		len;			/* its bytes, and how many have gone */
	size_t		done;
	uint8		bytes[VECTOR_BLOCK * sizeof(uint64)];
} Way;

struct Passing
{
	Party	   *self;
	Table	   *table;
	uint32	   *order;			/* the permutation that is being applied */
	uint64	   *words;			/* the vector whose turn it is, as it was */

	/* A summand is sent: permuted, and then what `block` makes of these rows. */
	bool		from_next;
	void		(*block) (Passing *passing, const Vector *vector, size_t at, size_t rows, uint64 *out);
	Way			out;

	/* What comes is a summand, or is added to what is there. */
	bool		to_next;
	bool		adds;
	Way			in;
};

/* False at the end. */
static bool
way_next(const Passing *passing, Way *way)
{
	const Table *table = passing->table;

	way->at += way->rows;
	if (way->at == table->n)
	{
		way->at = 0;
		vector_at(&way->vector, table, way->vector.k + 1);
	}
	if (way->vector.k == vectors_of(table))
		return false;
	way->rows = Min(VECTOR_BLOCK, table->n - way->at);
	way->len = wire_bytes(&way->vector, way->rows);
	way->done = 0;
	return true;
}

static void
way_start(const Passing *passing, Way *way)
{
	way->at = way->rows = 0;
	vector_at(&way->vector, passing->table, 0);
	(void) way_next(passing, way);
}

static void
make_block(Passing *passing)
{
	Way		   *way = &passing->out;
	const Vector *vector = &way->vector;
	uint64		out[VECTOR_BLOCK];
	uint64		planes[VECTOR_BLOCK];

	if (way->at == 0)
		load(passing->words, vector, passing->from_next ? vector->next : vector->mine, passing->table->n);
	table_gather(out, passing->words, passing->order + way->at, way->rows);
	passing->block(passing, vector, way->at, way->rows, out);
	if (vector->planes > 0)
	{
		bits_slice(planes, out, way->rows, vector->planes);
		bits_pack(way->bytes, planes, vector->planes, way->rows);
	}
	else
	{
		ring64_wire(out, way->rows);
		memcpy(way->bytes, out, way->len);
	}
}

static const void *
pass_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Passing    *passing = arg;
	Way		   *way = &passing->out;

	if (passing->block == NULL)
		return NULL;
	for (size_t done = 0, part; done < len; done += part)
	{
		if (way->done == 0)
			make_block(passing);
		part = Min(way->len - way->done, len - done);
		memcpy((uint8 *) space + done, way->bytes + way->done, part);
		way->done += part;
		if (way->done == way->len)
			(void) way_next(passing, way);
	}
	return space;
}

static void
take_block(Passing *passing)
{
	Way		   *way = &passing->in;
	const Vector *vector = &way->vector;
	uint64	   *const *summand = passing->to_next ? vector->next : vector->mine;
	size_t		words = BIT_WORDS(way->rows);
	uint64		in[VECTOR_BLOCK];

	if (vector->planes == 0)
	{
		memcpy(in, way->bytes, way->len);
		ring64_wire(in, way->rows);
		if (passing->adds)
			vector_linear64(in, 1, in, 1, summand[0] + way->at, way->rows);
		memcpy(summand[0] + way->at, in, way->len);
		return;
	}
	bits_unpack(in, way->bytes, vector->planes, way->rows);
	for (int k = 0; k < vector->planes; k++)
	{
		if (passing->adds)
			vector_xor(in + k * words, in + k * words, summand[k] + way->at / 64, words);
		memcpy(summand[k] + way->at / 64, in + k * words, words * sizeof(uint64));
	}
}

static void
pass_take(Party *self, void *arg, size_t start, size_t len, const void *bytes)
{
	Passing    *passing = arg;
	Way		   *way = &passing->in;

	for (size_t done = 0, part; done < len; done += part)
	{
		part = Min(way->len - way->done, len - done);
		memcpy(way->bytes + way->done, (const uint8 *) bytes + done, part);
		way->done += part;
		if (way->done == way->len)
		{
			take_block(passing);
			(void) way_next(passing, way);
		}
	}
}

/* One round.  A table to the previous party, if there is a `block`; one from the next, if `comes`. */
static void
pass_on(Passing *passing, bool comes)
{
	const Table *table = passing->table;
	size_t		bytes = table->numbers * table->n * sizeof(uint64) + table_planes(table) * PLANE_BYTES(table->n);
	PartyStream stream = {passing->block ? bytes : 0, comes ? bytes : 0, pass_make, pass_take, passing,
	passing->block != NULL};

	way_start(passing, &passing->out);
	way_start(passing, &passing->in);
	if (bytes > 0)
		party_stream(passing->self, &stream);
	else
		passing->self->rounds++;
}

/* The permutation of a seed; it comes before all that is drawn from the seed's stream. */
static void
draw_order(Passing *passing, Prg *prg)
{
	shuffle_permutation(prg, passing->order, passing->table->n);
}

/* Permutes summand `mine` of the whole table, and masks it. */
static void
permute_mine(Passing *passing, uint64 sign)
{
	size_t		n = passing->table->n;
	Vector		vector;
	uint64		moved[VECTOR_BLOCK];

	for (int k = 0; k < vectors_of(passing->table); k++)
	{
		vector_at(&vector, passing->table, k);
		load(passing->words, &vector, vector.mine, n);
		for (size_t at = 0; at < n; at += VECTOR_BLOCK)
		{
			size_t		rows = Min(VECTOR_BLOCK, n - at);

			table_gather(moved, passing->words, passing->order + at, rows);
			mask(&vector, moved, sign, passing->self->prg_mine, rows);
			store(&vector, vector.mine, at, moved, rows);
		}
	}
	wipe(moved, sizeof(moved));
}

/* ---- party 0 knows s_0 and s_1 ---- */

static void
block_0(Passing *passing, const Vector *vector, size_t at, size_t rows, uint64 *out)
{
	uint64		f[VECTOR_BLOCK];

	ring64_random(passing->self->prg_next, f, rows);
	add(vector, out, -1, f, rows);
	store(vector, vector->mine, at, out, rows); /* z_0 = s_1(s_0(Y) - Z') - F_1 */
	store(vector, vector->next, at, f, rows);	/* F_1, which s_1(X) - F_2 is added to */
}

static void
shuffle_0(Passing *passing)
{
	pass_on(passing, true);		/* Y, in the place of x_0 */
	draw_order(passing, passing->self->prg_mine);
	permute_mine(passing, -1);	/* s_0(Y) - Z' */
	draw_order(passing, passing->self->prg_next);
	passing->block = block_0;
	passing->to_next = passing->adds = true;
	pass_on(passing, true);
}

/* ---- party 1 knows s_1 and s_2 ---- */

static void
block_1_y(Passing *passing, const Vector *vector, size_t at, size_t rows, uint64 *out)
{
	mask(vector, out, -1, passing->self->prg_next, rows);	/* Y = s_2(x_1) - Z */
}

static void
block_1_x(Passing *passing, const Vector *vector, size_t at, size_t rows, uint64 *out)
{
	uint64		f[VECTOR_BLOCK];

	ring64_random(passing->self->prg_next, f, rows);
	store(vector, vector->next, at, f, rows);	/* z_2 = F_2 */
	add(vector, out, -1, f, rows);	/* s_1(X) - F_2 */
	memcpy(f, out, rows * sizeof(uint64));
	mask(vector, f, 1, passing->self->prg_mine, rows);
	store(vector, vector->mine, at, f, rows);	/* z_1 = F_1 + s_1(X) - F_2 */
}

static void
shuffle_1(Passing *passing)
{
	draw_order(passing, passing->self->prg_next);
	passing->block = block_1_y;
	passing->to_next = true;
	pass_on(passing, true);		/* X, in the place of x_2 */
	draw_order(passing, passing->self->prg_mine);
	passing->block = block_1_x;
	passing->from_next = true;
	pass_on(passing, false);
}

/* ---- party 2 knows s_2 and s_0 ---- */

/* x_2 + x_0, in the place of x_2. */
static void
add_summands(Table *table)
{
	for (int c = 0; c < table->numbers; c++)
		vector_linear64(table->number[c].mine, 1, table->number[c].mine, 1, table->number[c].next, table->n);
	for (int c = 0; c < table->slices; c++)
		vector_xor(table->slice[c].mine, table->slice[c].mine, table->slice[c].next,
				   table->slice[c].planes * BIT_WORDS(table->n));
}

static void
block_2(Passing *passing, const Vector *vector, size_t at, size_t rows, uint64 *out)
{
	mask(vector, out, 1, passing->self->prg_next, rows);	/* X = s_0(s_2(x_2 + x_0) + Z) + Z' */
}

/* z_2 = F_2 */
static void
fill_mine(Passing *passing)
{
	size_t		n = passing->table->n;
	Vector		vector;
	uint64		f[VECTOR_BLOCK];

	for (int k = 0; k < vectors_of(passing->table); k++)
	{
		vector_at(&vector, passing->table, k);
		for (size_t at = 0; at < n; at += VECTOR_BLOCK)
		{
			size_t		rows = Min(VECTOR_BLOCK, n - at);

			ring64_random(passing->self->prg_mine, f, rows);
			store(&vector, vector.mine, at, f, rows);
		}
	}
}

static void
shuffle_2(Passing *passing)
{
	draw_order(passing, passing->self->prg_mine);
	add_summands(passing->table);
	permute_mine(passing, 1);	/* s_2(x_2 + x_0) + Z */
	draw_order(passing, passing->self->prg_next);
	passing->block = block_2;
	pass_on(passing, false);
	fill_mine(passing);
	passing->block = NULL;
	passing->to_next = true;
	pass_on(passing, true);		/* z_0 */
}

/* ---- all of it ---- */

static void
watch_columns(Party *self, const Table *table, WatchedKind kind)
{
	for (int c = 0; self->watch && c < table->numbers; c++)
		self->watch(self, &(Watched)
					{
						.kind = kind, .bytes = sizeof(uint64), .n = table->n,
						.x_mine = table->number[c].mine, .x_next = table->number[c].next
					});
	for (int c = 0; self->watch && c < table->slices; c++)
		self->watch(self, &(Watched)
					{
						.kind = kind, .party = table->slice[c].planes, .n = table->n,
						.x_mine = table->slice[c].mine, .x_next = table->slice[c].next
					});
}

uint64
shuffle_need(size_t n)
{
	return n * (sizeof(uint64) + sizeof(uint32)) + PARTY_CHUNK_BYTES;
}

void
shuffle_table(Party *self, Table *table)
{
	void		(*const shuffle[PARTIES]) (Passing *) = {shuffle_0, shuffle_1, shuffle_2};
	size_t		n = table->n;
	uint64		need = shuffle_need(n);
	Passing		passing = {self, table};

	if (n == 0)
		return;
	party_reserve(self, "shuffling", need);
	watch_columns(self, table, WATCH_SHUFFLE);
	passing.order = vector_alloc(n * sizeof(uint32));
	passing.words = table_words(n);
	shuffle[self->index] (&passing);
	table_free_words(passing.words, n);
	vector_free(passing.order, n * sizeof(uint32));
	wipe(&passing, sizeof(passing));
	watch_columns(self, table, WATCH_SHUFFLED);
	party_release(self, need);
}
