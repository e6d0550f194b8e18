/*
 * convert.c
 *	  Between bit shares and arithmetic shares.
 *
 * b = b0 ^ b1 ^ b2.  Party 0 knows s = b0 ^ b1, parties 1 and 2 know b2, and
 * s ^ b2 = s + b2 - 2 s b2 over the integers (Mohassel and Rindal, ABY3, CCS
 * 2018, share conversions).
 */
#include "mpc/arith.h"
#include "mpc/convert.h"

/* out[v] = bit v of the plane, or of the XOR of two. */
static void
plane_to_elements(uint128 *out, const uint64 *plane, const uint64 *other, size_t n)
{
	uint64	   *words = palloc(BIT_WORDS(n) * sizeof(uint64));
	uint8	   *bits = palloc(n);

	for (size_t w = 0; w < BIT_WORDS(n); w++)
		words[w] = plane[w] ^ (other ? other[w] : 0);
	bits_unslice_plane(bits, words, n);
	for (size_t v = 0; v < n; v++)
		out[v] = bits[v];

	wipe(words, BIT_WORDS(n) * sizeof(uint64));
	wipe(bits, n);
	pfree(words);
	pfree(bits);
}

static void
share_s(Party *self, Shared *s, const SharedBits *bits)
{
	uint128    *values;

	if (self->index != 0)
	{
		arith_input_from_0(self, s, NULL);
		return;
	}
	values = palloc(s->n * sizeof(uint128));
	plane_to_elements(values, bits->mine, bits->next, s->n);
	arith_input_from_0(self, s, values);
	wipe(values, s->n * sizeof(uint128));
	pfree(values);
}

void
convert_bit_to_ring(Party *self, Shared *z, const SharedBits *bits)
{
	size_t		n = bits->n;
	Shared		s = shared_alloc(n);
	Shared		b2 = shared_alloc(n);

	Assert(bits->planes == 1 && z->n == n);
	share_s(self, &s, bits);
	if (self->index == 1)
		plane_to_elements(b2.next, bits->next, NULL, n);
	if (self->index == 2)
		plane_to_elements(b2.mine, bits->mine, NULL, n);

	arith_multiply(self, z, &s, &b2);
	for (size_t v = 0; v < n; v++)
	{
		z->mine[v] = s.mine[v] + b2.mine[v] - 2 * z->mine[v];
		z->next[v] = s.next[v] + b2.next[v] - 2 * z->next[v];
	}
	shared_free(&s);
	shared_free(&b2);
}
