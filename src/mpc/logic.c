/*
 * logic.c
 *	  Boolean operations on bit-sliced shares.
 *
 * The same protocols as in arith.c, over bits: + and - are XOR, * is AND
 * (Araki et al., CCS 2016, section 2.1), and a word is 64 of them.  Every
 * AND of two secrets goes through logic_and(): this is where a check against
 * cheating will see all of them.
 */
#include "mpc/logic.h"

/* 8 KB a stream, as in arith.c. */
#define CHUNK	1024

static inline size_t
words_of(const SharedBits *x)
{
	return x->planes * BIT_WORDS(x->n);
}

/* z_i = x_i y_i ^ x_i y_(i+1) ^ x_(i+1) y_i ^ alpha_i, for the words from start on. */
static void
and_chunk(Party *self, SharedBits *z, const SharedBits *x, const SharedBits *y,
		  size_t start, size_t len)
{
	uint64		alpha[CHUNK];
	uint64		beta[CHUNK];

	bits_random(self->prg_mine, alpha, len);
	bits_random(self->prg_next, beta, len);
	for (size_t i = 0; i < len; i++)
	{
		size_t		w = start + i;

		z->mine[w] = (x->mine[w] & (y->mine[w] ^ y->next[w])) ^
			(x->next[w] & y->mine[w]) ^ alpha[i] ^ beta[i];
	}
	wipe(alpha, sizeof(alpha));
	wipe(beta, sizeof(beta));
}

/*
 * A round of planes: packs what goes to the previous party, unpacks what
 * comes from the next.  Either may be NULL.
 */
static void
round_of_planes(Party *self, const uint64 *send, uint64 *recv, int planes, size_t n)
{
	size_t		bytes = planes * PLANE_BYTES(n);
	uint8	   *sent = NULL;
	uint8	   *received = NULL;

	if (send)
	{
		sent = palloc(bytes);
		bits_pack(sent, send, planes, n);
	}
	if (recv)
		received = palloc(bytes);

	party_round(self, sent, send ? bytes : 0, received, recv ? bytes : 0);

	if (recv)
	{
		bits_unpack(recv, received, planes, n);
		wipe(received, bytes);
		pfree(received);
	}
	if (send)
	{
		wipe(sent, bytes);
		pfree(sent);
	}
}

void
logic_and(Party *self, SharedBits *z, const SharedBits *x, const SharedBits *y)
{
	size_t		words = words_of(x);

	Assert(x->planes == y->planes && x->planes == z->planes);
	Assert(x->n == y->n && x->n == z->n);
	for (size_t start = 0; start < words; start += CHUNK)
		and_chunk(self, z, x, y, start, Min(CHUNK, words - start));
	bits_clear_tails(z->mine, z->planes, z->n);
	round_of_planes(self, z->mine, z->next, z->planes, z->n);
}

/* z1 is a stream of parties 0 and 1, z0 = words ^ z1, z2 = 0. */
void
logic_input_from_0(Party *self, SharedBits *z, const uint64 *words)
{
	size_t		len = words_of(z);

	Assert((words != NULL) == (self->index == 0));
	switch (self->index)
	{
		case 0:
			bits_random(self->prg_next, z->next, len);
			bits_clear_tails(z->next, z->planes, z->n);
			for (size_t w = 0; w < len; w++)
				z->mine[w] = words[w] ^ z->next[w];
			round_of_planes(self, z->mine, NULL, z->planes, z->n);
			break;
		case 1:
			bits_random(self->prg_mine, z->mine, len);
			bits_clear_tails(z->mine, z->planes, z->n);
			memset(z->next, 0, len * sizeof(uint64));
			round_of_planes(self, NULL, NULL, z->planes, z->n);
			break;
		case 2:
			memset(z->mine, 0, len * sizeof(uint64));
			round_of_planes(self, NULL, z->next, z->planes, z->n);
			break;
	}
}

void
logic_xor(SharedBits *x, const SharedBits *y)
{
	Assert(x->planes == y->planes && x->n == y->n);
	for (size_t w = 0; w < words_of(x); w++)
	{
		x->mine[w] ^= y->mine[w];
		x->next[w] ^= y->next[w];
	}
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
