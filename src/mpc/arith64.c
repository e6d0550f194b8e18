/*
 * arith64.c
 *	  Arithmetic on vectors shared over Z_2^64.
 */
#include "mpc/arith64.h"
#include "mpc/open.h"
#include "share/memory.h"
#include "share/vector.h"

#define ELEMENT			uint64
#define VECTOR			Shared64
#define NAME(x)			arith64_##x
#define LOOP(x)			vector_##x##64
#define WIRE			ring64_wire
#define RANDOM			ring64_random

#include "mpc/ring_protocols.h"

/* Each element as the product of two vectors, for whoever watches products. */
static void
watch_stretch(Party *self, const Stretch *stretch, size_t start, size_t len, const Shared64 *z)
{
	size_t		blocks = stretch->y.n;
	Shared64	x = shared64_zero(blocks);

	for (size_t j = 0; j < len; j++)
	{
		Product		p = {(Shared64 *) z, &x, &stretch->y, NULL};

		for (size_t b = 0; b < blocks; b++)
		{
			bool		there = b * stretch->step + j < stretch->x.n;

			x.mine[b] = there ? stretch->x.mine[b * stretch->step + j] : 0;
			x.next[b] = there ? stretch->x.next[b * stretch->step + j] : 0;
		}
		watch_factors(self, WATCH_DOT, &p, 0, blocks);
		watch_product(self, WATCH_DOT, &p, start + j, 1);
	}
	shared64_free(&x);
}

/*
 * Adds the products to z, which holds the masks.  x is read once, a piece at a time, with all factors under
 * which it comes: those of the blocks that begin before it and reach it.
 */
static void
add_stretch(uint64 *z, size_t len, const Stretch *stretch)
{
	size_t		step = stretch->step;
	size_t		piece;

	for (size_t start = 0; start < stretch->x.n; start += piece)
	{
		piece = Min(Min(BLOCK, step - start % step), stretch->x.n - start);
		for (size_t b = start / step + 1; b-- > 0 && start - b * step < len;)
			if (b < stretch->y.n)
				vector_add_product_one64(z + start - b * step, stretch->x.mine + start, stretch->x.next + start,
										 stretch->y.mine[b], stretch->y.next[b], Min(piece, len - (start - b * step)));
	}
}

void
arith64_stretches(Party *self, Shared64 *z, const Stretch *stretches, size_t count)
{
	size_t		len = count > 0 ? z->n / count : 0;
	size_t		bytes = z->n * sizeof(uint64);
	uint64	   *beta = vector_alloc(bytes);

	Assert(count == 0 || z->n % count == 0);
	ring64_random(self->prg_mine, z->mine, z->n);
	ring64_random(self->prg_next, beta, z->n);
	vector_linear64(z->mine, 1, z->mine, -1, beta, z->n);
	vector_free(beta, bytes);
	for (size_t k = 0; k < count; k++)
	{
		add_stretch(z->mine + k * len, len, &stretches[k]);
		if (self->watch != NULL)
			watch_stretch(self, &stretches[k], k * len, len, z);
	}
	ring64_wire(z->mine, z->n);
	party_round(self, z->mine, bytes, z->next, bytes);
	ring64_wire(z->mine, z->n);
	ring64_wire(z->next, z->n);
}
