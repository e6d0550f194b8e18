/*
 * arith.c
 *	  Arithmetic on vectors shared over Z_2^128.
 *
 * Letters as in Araki et al., CCS 2016, section 2: party i holds
 * (x_i, x_(i+1)).  Every product of two secrets goes through
 * arith_multiply_rows(): this is where a check against cheating will see all
 * of them.
 */
#include "mpc/arith.h"

/* 8 KB a stream: long enough for AES to run at speed, short enough for the cache. */
#define CHUNK	512

/*
 * z_i = x_i y_i + x_i y_(i+1) + x_(i+1) y_i + alpha_i, for the elements from
 * start on.  alpha_i = F(seed i) - F(seed i + 1) sums to zero over the
 * parties and hides the cross terms from the previous one.
 */
static void
multiply_chunk(Party *self, Shared *z, const Shared *x, const Shared *y,
			   size_t start, size_t len)
{
	uint128		alpha[CHUNK];
	uint128		beta[CHUNK];
	size_t		width = x->n / y->n;
	size_t		row = start / width;
	size_t		column = start % width;

	ring_random(self->prg_mine, alpha, len);
	ring_random(self->prg_next, beta, len);
	for (size_t i = 0; i < len;)
	{
		uint128		y_mine = y->mine[row];
		uint128		y_both = y_mine + y->next[row];
		size_t		stop = Min(len, i + width - column);

		for (; i < stop; i++)
			z->mine[start + i] = x->mine[start + i] * y_both +
				x->next[start + i] * y_mine + alpha[i] - beta[i];
		row++;
		column = 0;
	}
	wipe(alpha, sizeof(alpha));
	wipe(beta, sizeof(beta));
}

void
arith_multiply_rows(Party *self, Shared *z, const Shared *x, const Shared *y)
{
	size_t		n = x->n;

	Assert(z->n == n);
	Assert(y->n == 0 ? n == 0 : n % y->n == 0);
	for (size_t start = 0; start < n; start += CHUNK)
		multiply_chunk(self, z, x, y, start, Min(CHUNK, n - start));

	ring_wire(z->mine, n);
	party_round(self, z->mine, n * sizeof(uint128), z->next, n * sizeof(uint128));
	ring_wire(z->mine, n);
	ring_wire(z->next, n);
}

void
arith_multiply(Party *self, Shared *z, const Shared *x, const Shared *y)
{
	Assert(x->n == y->n);
	arith_multiply_rows(self, z, x, y);
}

/* The first summand is c, the others are zero. */
void
arith_constant(const Party *self, Shared *z, uint128 c)
{
	for (size_t i = 0; i < z->n; i++)
	{
		z->mine[i] = self->index == 0 ? c : 0;
		z->next[i] = self->index == 2 ? c : 0;
	}
}

/* z1 is a stream of parties 0 and 1, z0 = values - z1, z2 = 0. */
void
arith_input_from_0(Party *self, Shared *z, const uint128 *values)
{
	size_t		n = z->n;
	size_t		bytes = n * sizeof(uint128);

	Assert((values != NULL) == (self->index == 0));
	switch (self->index)
	{
		case 0:
			ring_random(self->prg_next, z->next, n);
			for (size_t i = 0; i < n; i++)
				z->mine[i] = values[i] - z->next[i];
			ring_wire(z->mine, n);
			party_round(self, z->mine, bytes, NULL, 0);
			ring_wire(z->mine, n);
			break;
		case 1:
			ring_random(self->prg_mine, z->mine, n);
			memset(z->next, 0, bytes);
			party_round(self, NULL, 0, NULL, 0);
			break;
		case 2:
			memset(z->mine, 0, bytes);
			party_round(self, NULL, 0, z->next, bytes);
			ring_wire(z->next, n);
			break;
	}
}
