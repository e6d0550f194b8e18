/*
 * logic.c
 *	  Boolean operations on bit-sliced shares.
 *
 * The same protocols as in ring_protocols.h, over bits: + and - are XOR, * is
 * AND (Araki et al., CCS 2016, section 2.1), and a word is 64 of them.  Every
 * AND of two secrets is computed in gate_block() and shown to `watch`: this is where a
 * check against cheating sees all of them.
 */
#include "mpc/logic.h"
#include "mpc/open.h"
#include "port/pg_bswap.h"
#include "share/memory.h"
#include "share/vector.h"

/* 8 KB a stream and operand: all of them stay in the first-level cache. */
#define BLOCK	1024

static inline size_t
words_of(const SharedBits *x)
{
	return x->planes * BIT_WORDS(x->n);
}

static inline uint64
used_bits(size_t n)
{
	return n % 64 == 0 ? ~UINT64CONST(0) : (UINT64CONST(1) << (n % 64)) - 1;
}

/* ---- gates ---- */

typedef struct Gates
{
	const Gate *gates;
	size_t		n;
	size_t		computed;		/* words so far, plane after plane */

	/* Of one block; wiped when all are done. */
	uint64		alpha[BLOCK];
	uint64		beta[BLOCK];
	uint64		space[4][BLOCK];
} Gates;

static const uint64 zeros[BLOCK] = {0};

/* x, or x ^ x2 in `space`. */
static const uint64 *
sum_of(const uint64 *x, const uint64 *x2, size_t word, uint64 *space, size_t len)
{
	if (x2 == NULL)
		return x + word;
	vector_xor(space, x + word, x2 + word, len);
	return space;
}

static void
watch_factors(Party *self, const uint64 *xm, const uint64 *xn, const uint64 *ym, const uint64 *yn,
			  const uint64 *vm, const uint64 *vn, size_t len)
{
	if (self->watch)
		self->watch(self, &(Watched)
					{
						.kind = WATCH_AND, .bytes = sizeof(uint64), .n = len,
						.x_mine = xm, .x_next = xn, .y_mine = ym, .y_next = yn, .v_mine = vm, .v_next = vn
					});
}

static void
watch_result(Party *self, const uint64 *z, size_t len)
{
	if (self->watch)
		self->watch(self, &(Watched)
					{
						.kind = WATCH_AND, .bytes = sizeof(uint64), .n = len, .z_mine = z
					});
}

/*
 * z_i = x_i y_i ^ x_i y_(i+1) ^ x_(i+1) y_i ^ v_i ^ alpha_i, for the words
 * of one plane from `word` on.  v is added before z_i is sent, so it costs nothing.
 */
static void
gate_block(Party *self, Gates *job, const Gate *gate, size_t word, size_t len)
{
	const uint64 *xm = sum_of(gate->x.mine, gate->x2.mine, word, job->space[0], len);
	const uint64 *xn = sum_of(gate->x.next, gate->x2.next, word, job->space[1], len);
	const uint64 *ym = sum_of(gate->y.mine, gate->y2.mine, word, job->space[2], len);
	const uint64 *yn = sum_of(gate->y.next, gate->y2.next, word, job->space[3], len);
	const uint64 *v = gate->v.mine ? gate->v.mine + word : zeros;
	uint64	   *z = gate->z.mine + word;

	watch_factors(self, xm, xn, ym, yn, v, gate->v.next ? gate->v.next + word : zeros, len);
	bits_random(self->prg_mine, job->alpha, len);
	bits_random(self->prg_next, job->beta, len);
	vector_gate(z, xm, xn, ym, yn, v, job->alpha, job->beta, len);
	if (word + len == BIT_WORDS(job->n))
		z[len - 1] &= used_bits(job->n);
	watch_result(self, z, len);
}

/* Computes the words of this gate up to `end`, as far as they are not yet. */
static void
compute_gate(Party *self, Gates *job, size_t gate, size_t end)
{
	size_t		words = BIT_WORDS(job->n);

	while (job->computed < gate * words + end)
	{
		size_t		word = job->computed - gate * words;
		size_t		len = Min(BLOCK, end - word);

		gate_block(self, job, &job->gates[gate], word, len);
		job->computed += len;
	}
}

/* A message is PLANE_BYTES(n) bytes of each gate; a piece may begin and end within one. */
static const void *
gates_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Gates	   *job = arg;
	size_t		plane = PLANE_BYTES(job->n);

	for (size_t done = 0; done < len;)
	{
		size_t		gate = (start + done) / plane;
		size_t		offset = (start + done) % plane;
		size_t		part = Min(plane - offset, len - done);

		compute_gate(self, job, gate, (offset + part + 7) / 8);
		bits_bytes_out((uint8 *) space + done, job->gates[gate].z.mine, offset, part);
		done += part;
	}
	return space;
}

static void
gates_take(Party *self, void *arg, size_t start, size_t len, const void *bytes)
{
	Gates	   *job = arg;
	size_t		plane = PLANE_BYTES(job->n);

	for (size_t done = 0; done < len;)
	{
		size_t		gate = (start + done) / plane;
		size_t		offset = (start + done) % plane;
		size_t		part = Min(plane - offset, len - done);

		bits_bytes_in(job->gates[gate].z.next, job->n, offset, (const uint8 *) bytes + done, part);
		done += part;
	}
}

void
logic_gates(Party *self, const Gate *gates, int count, size_t n)
{
	Gates		job;
	size_t		bytes = count * PLANE_BYTES(n);
	PartyStream stream = {bytes, bytes, gates_make, gates_take, &job, true};

	job.gates = gates;
	job.n = n;
	job.computed = 0;
	party_stream(self, &stream);

	/* What a short vector has left alone needs no wiping. */
	for (int k = 0; k < 4; k++)
		wipe(job.space[k], Min(BLOCK, BIT_WORDS(n)) * sizeof(uint64));
	wipe(job.alpha, Min(BLOCK, BIT_WORDS(n)) * sizeof(uint64));
	wipe(job.beta, Min(BLOCK, BIT_WORDS(n)) * sizeof(uint64));
}

/* ---- gates, block by block ---- */

/* Random words are drawn for several blocks at a time, or AES would not run at speed. */
typedef struct Blocks
{
	const GateBlocks *of;
	size_t		computed;		/* blocks */
	size_t		drawn;			/* blocks that there are random words for, from `first` on */
	size_t		first;
	size_t		at_once;
	uint64	   *alpha;
	uint64	   *beta;
} Blocks;

static inline size_t
block_words(const GateBlocks *of, size_t block)
{
	return Min(VECTOR_BLOCK_WORDS, BIT_WORDS(of->n) - block * VECTOR_BLOCK_WORDS);
}

static inline size_t
block_plane_bytes(const GateBlocks *of, size_t block)
{
	return Min(VECTOR_BLOCK / 8, PLANE_BYTES(of->n) - block * (VECTOR_BLOCK / 8));
}

static void
draw_blocks(Party *self, Blocks *job, size_t block)
{
	size_t		words = job->at_once * job->of->count * VECTOR_BLOCK_WORDS;

	bits_random(self->prg_mine, job->alpha, words);
	bits_random(self->prg_next, job->beta, words);
	job->first = block;
	job->drawn = job->at_once;
}

/* The operands of all gates, and what came out, are told one by one. */
static void
watch_block(Party *self, const GateBlocks *of, size_t block, bool before)
{
	size_t		words = block_words(of, block);
	uint64		space[4][VECTOR_BLOCK_WORDS];

	for (int g = 0; self->watch && g < of->count; g++)
	{
		const Gate *gate = &of->gates[g];
		size_t		in = block * of->in;

		if (before)
			watch_factors(self, sum_of(gate->x.mine, gate->x2.mine, in, space[0], words),
						  sum_of(gate->x.next, gate->x2.next, in, space[1], words),
						  sum_of(gate->y.mine, gate->y2.mine, in, space[2], words),
						  sum_of(gate->y.next, gate->y2.next, in, space[3], words),
						  gate->v.mine ? gate->v.mine + in : zeros,
						  gate->v.next ? gate->v.next + in : zeros, words);
		else
			watch_result(self, gate->z.mine + block * of->out, words);
	}
}

static void
compute_block(Party *self, Blocks *job, size_t block)
{
	const GateBlocks *of = job->of;
	size_t		words = block_words(of, block);
	size_t		random;

	if (of->prepare)
		of->prepare(of->arg, block);
	if (block >= job->first + job->drawn)
		draw_blocks(self, job, block);
	random = (block - job->first) * of->count * VECTOR_BLOCK_WORDS;
	watch_block(self, of, block, true);
	vector_gates(of->gates, of->count, block * of->in, block * of->out, words,
				 job->alpha + random, job->beta + random);
	if (block * VECTOR_BLOCK_WORDS + words == BIT_WORDS(of->n))
	{
		for (int g = 0; g < of->count; g++)
			of->gates[g].z.mine[block * of->out + words - 1] &= used_bits(of->n);
	}
	watch_block(self, of, block, false);
	job->computed = block + 1;
}

/* Where byte `at` of a message is: a block, a gate, and a byte of its plane. */
typedef struct Spot
{
	size_t		block;
	size_t		plane;			/* bytes of one in this block */
	int			gate;
	size_t		offset;
} Spot;

static Spot
spot_of(const GateBlocks *of, size_t at)
{
	size_t		whole = of->count * (VECTOR_BLOCK / 8);
	Spot		spot = {at / whole};

	spot.plane = block_plane_bytes(of, spot.block);
	spot.gate = at % whole / spot.plane;
	spot.offset = at % whole % spot.plane;
	return spot;
}

static const void *
blocks_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Blocks	   *job = arg;

	for (size_t done = 0; done < len;)
	{
		Spot		spot = spot_of(job->of, start + done);

		if (spot.block >= job->computed)
			compute_block(self, job, spot.block);
		for (; spot.gate < job->of->count && done < len; spot.gate++, spot.offset = 0)
		{
			size_t		part = Min(spot.plane - spot.offset, len - done);

			bits_bytes_out((uint8 *) space + done, job->of->gates[spot.gate].z.mine + spot.block * job->of->out,
						   spot.offset, part);
			done += part;
		}
	}
	return space;
}

static void
blocks_take(Party *self, void *arg, size_t start, size_t len, const void *bytes)
{
	const GateBlocks *of = ((Blocks *) arg)->of;

	for (size_t done = 0; done < len;)
	{
		Spot		spot = spot_of(of, start + done);
		size_t		n = Min(VECTOR_BLOCK, of->n - spot.block * VECTOR_BLOCK);

		for (; spot.gate < of->count && done < len; spot.gate++, spot.offset = 0)
		{
			size_t		part = Min(spot.plane - spot.offset, len - done);

			bits_bytes_in(of->gates[spot.gate].z.next + spot.block * of->out, n,
						  spot.offset, (const uint8 *) bytes + done, part);
			done += part;
		}
	}
}

void
logic_gate_blocks(Party *self, const GateBlocks *blocks)
{
	Blocks		job = {blocks};
	size_t		bytes = blocks->count * PLANE_BYTES(blocks->n);
	PartyStream stream = {bytes, bytes, blocks_make, blocks_take, &job, true};
	size_t		words = blocks->count * VECTOR_BLOCK_WORDS;

	if (bytes == 0)
	{
		party_stream(self, &stream);
		return;
	}
	job.at_once = Min(Max(1, BLOCK / words), (BIT_WORDS(blocks->n) + VECTOR_BLOCK_WORDS - 1) / VECTOR_BLOCK_WORDS);
	words *= job.at_once;
	job.alpha = vector_alloc(words * sizeof(uint64));
	job.beta = vector_alloc(words * sizeof(uint64));
	party_stream(self, &stream);
	vector_free(job.alpha, words * sizeof(uint64));
	vector_free(job.beta, words * sizeof(uint64));
}

/* ---- operations made of gates ---- */

static void
check_same(const SharedBits *z, const SharedBits *x, const SharedBits *y)
{
	Assert(x->planes == y->planes && x->planes == z->planes);
	Assert(x->n == y->n && x->n == z->n);
}

void
logic_and(Party *self, SharedBits *z, const SharedBits *x, const SharedBits *y)
{
	Gate	   *gates = palloc0(z->planes * sizeof(Gate));

	check_same(z, x, y);
	for (int k = 0; k < z->planes; k++)
	{
		gates[k].z = plane_ref(z, k);
		gates[k].x = plane_ref(x, k);
		gates[k].y = plane_ref(y, k);
	}
	logic_gates(self, gates, z->planes, z->n);
	pfree(gates);
}

/* x | y = (x ^ y) & y ^ x */
void
logic_or(Party *self, SharedBits *z, const SharedBits *x, const SharedBits *y)
{
	Gate	   *gates = palloc0(z->planes * sizeof(Gate));

	check_same(z, x, y);
	for (int k = 0; k < z->planes; k++)
	{
		gates[k].z = plane_ref(z, k);
		gates[k].x = plane_ref(x, k);
		gates[k].x2 = plane_ref(y, k);
		gates[k].y = plane_ref(y, k);
		gates[k].v = plane_ref(x, k);
	}
	logic_gates(self, gates, z->planes, z->n);
	pfree(gates);
}

/* choice ? x : y = choice & (x ^ y) ^ y */
void
logic_select(Party *self, SharedBits *z, const SharedBits *choice,
			 const SharedBits *x, const SharedBits *y)
{
	Gate	   *gates = palloc0(z->planes * sizeof(Gate));

	check_same(z, x, y);
	Assert(choice->planes == 1 && choice->n == z->n && choice->mine != z->mine);
	for (int k = 0; k < z->planes; k++)
	{
		gates[k].z = plane_ref(z, k);
		gates[k].x = plane_ref(choice, 0);
		gates[k].y = plane_ref(x, k);
		gates[k].y2 = plane_ref(y, k);
		gates[k].v = plane_ref(y, k);
	}
	logic_gates(self, gates, z->planes, z->n);
	pfree(gates);
}

void
logic_and_bit(Party *self, SharedBits *z, const SharedBits *x, const SharedBits *bit)
{
	Gate	   *gates = palloc0(z->planes * sizeof(Gate));

	Assert(bit->planes == 1 && bit->n == z->n && (bit->mine != z->mine || z->planes == 1));
	Assert(x->planes == z->planes && x->n == z->n);
	for (int k = 0; k < z->planes; k++)
	{
		gates[k].z = plane_ref(z, k);
		gates[k].x = plane_ref(bit, 0);
		gates[k].y = plane_ref(x, k);
	}
	logic_gates(self, gates, z->planes, z->n);
	pfree(gates);
}

/* Planes 2k and 2k + 1 become plane k; one that is left over moves along. */
static void
join_all(Party *self, SharedBits *z, SharedBits *x, bool or)
{
	PlaneRef   *refs = palloc(x->planes * sizeof(PlaneRef));
	Gate	   *gates = palloc0(x->planes * sizeof(Gate));
	SharedBits	last;

	Assert(z->planes == 1 && z->n == x->n && x->planes >= 1);
	for (int k = 0; k < x->planes; k++)
		refs[k] = plane_ref(x, k);
	for (int left = x->planes; left > 1; left = (left + 1) / 2)
	{
		for (int k = 0; k < left / 2; k++)
		{
			gates[k].z = gates[k].x = refs[2 * k];
			gates[k].y = refs[2 * k + 1];
			if (or)
			{
				gates[k].x2 = refs[2 * k + 1];
				gates[k].v = refs[2 * k];
			}
		}
		logic_gates(self, gates, left / 2, x->n);
		for (int k = 0; k < (left + 1) / 2; k++)
			refs[k] = refs[2 * k];
	}
	last = shared_bits_view(x, 0, 1);
	shared_bits_copy(z, &last);
	pfree(refs);
	pfree(gates);
}

void
logic_and_all(Party *self, SharedBits *z, SharedBits *x)
{
	join_all(self, z, x, false);
}

void
logic_or_all(Party *self, SharedBits *z, SharedBits *x)
{
	join_all(self, z, x, true);
}

/* ---- input ---- */

typedef struct Input
{
	SharedBits *out;			/* what this party shares; NULL: nothing */
	const uint64 *words;
	SharedBits *in;				/* what the next one shares */
	size_t		computed;		/* words of out so far */
} Input;

/* z_i+1 is a stream, z_i = words ^ z_i+1, for party i who shares; up to word `end` of all planes. */
static void
compute_input(Party *self, Input *in, size_t end)
{
	SharedBits *z = in->out;
	size_t		plane = BIT_WORDS(z->n);

	while (in->computed < end)
	{
		size_t		at = in->computed;
		size_t		len = Min(BLOCK, Min(end, (at / plane + 1) * plane) - at);

		bits_random(self->prg_next, z->next + at, len);
		if ((at + len) % plane == 0)
			z->next[at + len - 1] &= used_bits(z->n);
		vector_xor(z->mine + at, in->words + at, z->next + at, len);
		in->computed += len;
	}
}

static const void *
input_make(Party *self, void *arg, size_t start, size_t len, void *space)
{
	Input	   *in = arg;
	size_t		plane;
	size_t		words;

	if (in->out == NULL)
		return NULL;
	plane = PLANE_BYTES(in->out->n);
	words = BIT_WORDS(in->out->n);
	for (size_t done = 0; done < len;)
	{
		size_t		k = (start + done) / plane;
		size_t		offset = (start + done) % plane;
		size_t		part = Min(plane - offset, len - done);

		compute_input(self, in, k * words + (offset + part + 7) / 8);
		bits_bytes_out((uint8 *) space + done, in->out->mine + k * words, offset, part);
		done += part;
	}
	return space;
}

static void
input_take(Party *self, void *arg, size_t start, size_t len, const void *bytes)
{
	SharedBits *z = ((Input *) arg)->in;
	size_t		plane = PLANE_BYTES(z->n);
	size_t		words = BIT_WORDS(z->n);

	for (size_t done = 0; done < len;)
	{
		size_t		k = (start + done) / plane;
		size_t		offset = (start + done) % plane;
		size_t		part = Min(plane - offset, len - done);

		bits_bytes_in(z->next + k * words, z->n, offset, (const uint8 *) bytes + done, part);
		done += part;
	}
}

static size_t
plane_bytes_of(const SharedBits *z)
{
	return z ? z->planes * PLANE_BYTES(z->n) : 0;
}

void
logic_input_all(Party *self, SharedBits *const z[PARTIES], const uint64 *words)
{
	SharedBits *out = z[self->index];
	SharedBits *in = z[PARTY_NEXT(self->index)];
	SharedBits *known = z[PARTY_PREV(self->index)];
	Input		job = {out, words, in, 0};
	PartyStream stream = {plane_bytes_of(out), plane_bytes_of(in), input_make, input_take, &job, out != NULL};

	Assert((words != NULL) == (out != NULL));
	Assert(out == NULL || in == NULL || plane_bytes_of(out) == plane_bytes_of(in));
	if (known)
	{
		bits_random(self->prg_mine, known->mine, words_of(known));
		bits_clear_tails(known->mine, known->planes, known->n);
		memset(known->next, 0, words_of(known) * sizeof(uint64));
	}
	if (in)
		memset(in->mine, 0, words_of(in) * sizeof(uint64));
	party_stream(self, &stream);
	for (int from = 0; self->watch && from < PARTIES; from++)
	{
		if (z[from])
			self->watch(self, &(Watched)
						{
							.kind = WATCH_INPUT, .party = from, .bytes = sizeof(uint64),
							.n = words_of(z[from]),
							.x_mine = z[from]->mine, .x_next = z[from]->next
						});
	}
}

void
logic_input(Party *self, SharedBits *z, int from, const uint64 *words)
{
	SharedBits *all[PARTIES] = {NULL};

	all[from] = z;
	logic_input_all(self, all, words);
}

void
logic_input_from_0(Party *self, SharedBits *z, const uint64 *words)
{
	logic_input(self, z, 0, words);
}

/* ---- opening ---- */

static void
open_bits(Party *self, int learners, uint64 *words, const SharedBits *x)
{
	size_t		bytes = x->planes * PLANE_BYTES(x->n);
	bool		learns = open_learns(self, learners);
	uint8	   *mine = vector_alloc(bytes);
	uint8	   *next = vector_alloc(bytes);
	uint8	   *missing = learns ? vector_alloc(bytes) : NULL;

	Assert((words != NULL) == learns);
	bits_pack(mine, x->mine, x->planes, x->n);
	bits_pack(next, x->next, x->planes, x->n);
	open_summands(self, learners, mine, next, missing, bytes);
	if (learns)
	{
		/* Of what was told to be opened, and nothing else. */
		for (size_t k = 0; k < bytes; k++)
			missing[k] ^= mine[k] ^ next[k];
		bits_unpack(words, missing, x->planes, x->n);
		vector_free(missing, bytes);
	}
	vector_free(mine, bytes);
	vector_free(next, bytes);
}

void
logic_open(Party *self, uint64 *words, const SharedBits *x)
{
	open_bits(self, LEARN_ALL, words, x);
}

void
logic_open_to(Party *self, int to, uint64 *words, const SharedBits *x)
{
	open_bits(self, LEARN_ONE(to), words, x);
}

void
logic_open_to_pair(Party *self, uint64 *words, const SharedBits *x)
{
	open_bits(self, LEARN_PAIR, words, x);
}

/* ---- what needs no message ---- */

void
logic_public(const Party *self, SharedBits *z, const uint64 *words)
{
	memset(z->mine, 0, words_of(z) * sizeof(uint64));
	memset(z->next, 0, words_of(z) * sizeof(uint64));
	if (self->index != 1)
		memcpy(self->index == 0 ? z->mine : z->next, words, words_of(z) * sizeof(uint64));
}

void
logic_constant(const Party *self, SharedBits *z, bool c)
{
	memset(z->mine, 0, words_of(z) * sizeof(uint64));
	memset(z->next, 0, words_of(z) * sizeof(uint64));
	if (c)
		logic_not(self, z);
}

void
logic_random(Party *self, SharedBits *z)
{
	bits_random(self->prg_mine, z->mine, words_of(z));
	bits_random(self->prg_next, z->next, words_of(z));
	bits_clear_tails(z->mine, z->planes, z->n);
	bits_clear_tails(z->next, z->planes, z->n);
}

void
logic_xor(SharedBits *x, const SharedBits *y)
{
	Assert(x->planes == y->planes && x->n == y->n);
	vector_xor(x->mine, x->mine, y->mine, words_of(x));
	vector_xor(x->next, x->next, y->next, words_of(x));
}

/* Summand 0 is flipped, by the two who hold it. */
void
logic_not(const Party *self, SharedBits *x)
{
	uint64	   *summand = self->index == 0 ? x->mine : x->next;

	if (self->index == 1)
		return;
	for (size_t w = 0; w < words_of(x); w++)
		summand[w] = ~summand[w];
	bits_clear_tails(summand, x->planes, x->n);
}
