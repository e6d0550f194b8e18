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
 * Letters as in mpc/README.md, "Shuffle".  Numbers are masked by adding, bits by XOR.
 */
#include "mpc/shuffle.h"

#include "share/vector.h"

/* 8 KB, which stay in the first-level cache. */
#define BLOCK	1024

/*
 * The rows on their way: one vector of n words after the other, first the numbers,
 * then groups of up to 64 planes.
 */
typedef struct Parcel
{
	size_t		n;
	int			numbers;
	int			vectors;
	int			planes;
	uint64	   *words;
	uint64	   *moved;			/* n words, for moving */
	uint64	   *space;			/* 64 planes */
} Parcel;

static uint64 *
vector_of(const Parcel *parcel, int k)
{
	return parcel->words + k * parcel->n;
}

static size_t
wire_bytes(const Parcel *parcel)
{
	return parcel->numbers * parcel->n * sizeof(uint64) + parcel->planes * PLANE_BYTES(parcel->n);
}

static Parcel
parcel_create(const Table *table)
{
	Parcel		parcel = {table->n, table->numbers};

	parcel.planes = table_planes(table);
	parcel.vectors = table->numbers + table_groups(table);
	parcel.words = table_words(parcel.vectors * parcel.n);
	parcel.moved = table_words(parcel.n);
	parcel.space = table_words(64 * BIT_WORDS(parcel.n));
	return parcel;
}

static void
parcel_free(Parcel *parcel)
{
	table_free_words(parcel->words, parcel->vectors * parcel->n);
	table_free_words(parcel->moved, parcel->n);
	table_free_words(parcel->space, 64 * BIT_WORDS(parcel->n));
}

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

static uint32 *
permutation(Prg *prg, size_t n)
{
	uint32	   *order = palloc_extended(n * sizeof(uint32), MCXT_ALLOC_HUGE);

	shuffle_permutation(prg, order, n);
	return order;
}

static void
forget(uint32 *order, size_t n)
{
	wipe(order, n * sizeof(uint32));
	pfree(order);
}

static void
permute(Parcel *parcel, const uint32 *order)
{
	for (int k = 0; k < parcel->vectors; k++)
	{
		table_gather(parcel->moved, vector_of(parcel, k), order, parcel->n);
		memcpy(vector_of(parcel, k), parcel->moved, parcel->n * sizeof(uint64));
	}
}

/* ---- masks ---- */

/* Adds the next of a stream to the numbers, or subtracts it if sign is -1, and XORs it to the bits. */
static void
mask(Parcel *parcel, Prg *prg, uint64 sign)
{
	uint64		random[BLOCK];

	for (int k = 0; k < parcel->vectors; k++)
	{
		for (size_t at = 0; at < parcel->n; at += BLOCK)
		{
			uint64	   *words = vector_of(parcel, k) + at;
			size_t		len = Min(BLOCK, parcel->n - at);

			ring64_random(prg, random, len);
			if (k < parcel->numbers)
				vector_linear64(words, 1, words, sign, random, len);
			else
				vector_xor(words, words, random, len);
		}
	}
	wipe(random, sizeof(random));
}

static void
clear(Parcel *parcel)
{
	memset(parcel->words, 0, parcel->vectors * parcel->n * sizeof(uint64));
}

/* x += y, or x -= y if sign is -1 */
static void
add(Parcel *x, const Parcel *y, uint64 sign)
{
	size_t		of_numbers = x->numbers * x->n;

	vector_linear64(x->words, 1, x->words, sign, y->words, of_numbers);
	vector_xor(x->words + of_numbers, x->words + of_numbers, y->words + of_numbers,
			   (x->vectors - x->numbers) * x->n);
}

/* ---- from and to the table ---- */

/* A summand of the table. */
static void
load(Parcel *parcel, const Table *table, bool next)
{
	for (int k = 0; k < table->numbers; k++)
		memcpy(vector_of(parcel, k), next ? table->number[k].next : table->number[k].mine,
			   parcel->n * sizeof(uint64));
	for (int g = 0; g < table_groups(table); g++)
		table_read_group(table, next, g, vector_of(parcel, table->numbers + g), parcel->space);
}

static void
store(const Parcel *parcel, Table *table, bool next)
{
	for (int k = 0; k < table->numbers; k++)
		memcpy(next ? table->number[k].next : table->number[k].mine, vector_of(parcel, k),
			   parcel->n * sizeof(uint64));
	for (int g = 0; g < table_groups(table); g++)
		table_write_group(table, next, g, vector_of(parcel, table->numbers + g), parcel->space);
}

/* ---- from and to the wire: numbers, then planes ---- */

static uint8 *
to_wire(const Parcel *parcel)
{
	uint8	   *message = palloc_extended(Max(wire_bytes(parcel), 1), MCXT_ALLOC_HUGE);
	size_t		used = parcel->numbers * parcel->n * sizeof(uint64);
	int			left = parcel->planes;

	memcpy(message, parcel->words, used);
	ring64_wire((uint64 *) message, parcel->numbers * parcel->n);
	for (int k = parcel->numbers; k < parcel->vectors; k++)
	{
		int			planes = Min(64, left);

		bits_slice(parcel->space, vector_of(parcel, k), parcel->n, planes);
		bits_pack(message + used, parcel->space, planes, parcel->n);
		used += planes * PLANE_BYTES(parcel->n);
		left -= planes;
	}
	return message;
}

static void
from_wire(Parcel *parcel, const uint8 *message)
{
	size_t		used = parcel->numbers * parcel->n * sizeof(uint64);
	int			left = parcel->planes;

	memcpy(parcel->words, message, used);
	ring64_wire(parcel->words, parcel->numbers * parcel->n);
	for (int k = parcel->numbers; k < parcel->vectors; k++)
	{
		int			planes = Min(64, left);

		bits_unpack(parcel->space, message + used, planes, parcel->n);
		bits_unslice(vector_of(parcel, k), parcel->space, parcel->n, planes);
		used += planes * PLANE_BYTES(parcel->n);
		left -= planes;
	}
}

/* One round: `out` goes to the previous party, `in` comes from the next; either may be NULL. */
static void
pass_on(Party *self, const Parcel *out, Parcel *in)
{
	uint8	   *sent = out ? to_wire(out) : NULL;
	size_t		bytes = wire_bytes(out ? out : in);
	uint8	   *received = in ? palloc_extended(Max(bytes, 1), MCXT_ALLOC_HUGE) : NULL;

	party_round(self, sent, out ? bytes : 0, received, in ? bytes : 0);
	if (out)
		pfree(sent);
	if (in)
	{
		from_wire(in, received);
		pfree(received);
	}
}

/* ---- what each party does ---- */

/* Knows s_0 and s_1. */
static void
shuffle_0(Party *self, Table *table, const uint32 *s0, const uint32 *s1)
{
	Parcel		y = parcel_create(table);
	Parcel		z1 = parcel_create(table);

	pass_on(self, NULL, &y);	/* Y = s_2(x_1) - Z */
	permute(&y, s0);
	mask(&y, self->prg_mine, -1);	/* Y' = s_0(Y) - Z' */
	permute(&y, s1);
	clear(&z1);
	mask(&z1, self->prg_next, 1);	/* F_1 */
	add(&y, &z1, -1);
	store(&y, table, false);	/* z_0 = s_1(Y') - F_1 */
	pass_on(self, &y, &y);		/* s_1(X) - F_2 */
	add(&z1, &y, 1);
	store(&z1, table, true);	/* z_1 = F_1 + s_1(X) - F_2 */
	parcel_free(&y);
	parcel_free(&z1);
}

/* Knows s_1 and s_2. */
static void
shuffle_1(Party *self, Table *table, const uint32 *s1, const uint32 *s2)
{
	Parcel		x = parcel_create(table);
	Parcel		f = parcel_create(table);

	load(&f, table, false);
	permute(&f, s2);
	mask(&f, self->prg_next, -1);	/* Y = s_2(x_1) - Z */
	pass_on(self, &f, &x);		/* X */
	permute(&x, s1);
	clear(&f);
	mask(&f, self->prg_next, 1);
	store(&f, table, true);		/* z_2 = F_2 */
	add(&x, &f, -1);
	pass_on(self, &x, NULL);	/* s_1(X) - F_2 */
	mask(&x, self->prg_mine, 1);
	store(&x, table, false);	/* z_1 = F_1 + s_1(X) - F_2 */
	parcel_free(&x);
	parcel_free(&f);
}

/* Knows s_2 and s_0. */
static void
shuffle_2(Party *self, Table *table, const uint32 *s2, const uint32 *s0)
{
	Parcel		x = parcel_create(table);
	Parcel		other = parcel_create(table);

	load(&x, table, false);
	load(&other, table, true);
	add(&x, &other, 1);
	permute(&x, s2);
	mask(&x, self->prg_mine, 1);	/* s_2(x_2 + x_0) + Z */
	permute(&x, s0);
	mask(&x, self->prg_next, 1);
	pass_on(self, &x, NULL);	/* X = s_0(s_2(x_2 + x_0) + Z) + Z' */
	clear(&x);
	mask(&x, self->prg_mine, 1);
	store(&x, table, false);	/* z_2 = F_2 */
	pass_on(self, NULL, &other);
	store(&other, table, true);	/* z_0 */
	parcel_free(&x);
	parcel_free(&other);
}

void
shuffle_table(Party *self, Table *table)
{
	uint64		need = 2 * table_bytes(table) + 4 * sizeof(uint64) * table->n;
	uint32	   *mine;
	uint32	   *next;

	if (table->n == 0)
		return;
	party_reserve(self, "shuffling", need);
	mine = permutation(self->prg_mine, table->n);
	next = permutation(self->prg_next, table->n);
	if (self->index == 0)
		shuffle_0(self, table, mine, next);
	else if (self->index == 1)
		shuffle_1(self, table, mine, next);
	else
		shuffle_2(self, table, mine, next);
	forget(mine, table->n);
	forget(next, table->n);
	party_release(self, need);
}
