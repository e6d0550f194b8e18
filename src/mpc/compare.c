/*
 * compare.c
 *	  Which shared numbers reach a public bound.
 *
 * x >= bound unless x - bound has its top bit set, as long as both are below
 * 2^63.  Party 0 can add two of the three summands itself (Mohassel and
 * Rindal, ABY3, CCS 2018, share conversions), so one binary addition a + b is
 * left, and of that only the carry into bit 63.
 *
 * Bit k passes on the carry that goes into it if p_k = a_k ^ b_k is 1, else
 * a_k comes out: one AND a bit, as in Kolesnikov, Sadeghi and Schneider,
 * "Improved Garbled Circuit Building Blocks", CANS 2009.  Spans of bits do
 * the same and are joined in a tree: Catrina and de Hoogh, "Improved
 * Primitives for Secure Multiparty Integer Computation", SCN 2010.  A bit is
 * a span by itself, with nothing to compute before.  mpc/README.md tells why
 * this is right, and why such a tree of six levels has 120 ANDs and not less.
 */
#include "mpc/compare.h"
#include "mpc/logic.h"

#define BITS	64

/*
 * The carry into bit 0 and the bits 0 to 62 make the carry into bit 63, the
 * sign.  So bit k is in plane k + 1, and plane 0 is the 0 carried in.
 */
#define LEAVES	64

/* a = x0 + x1 - bound modulo 2^64, which party 0 knows, as bit shares. */
static void
share_a(Party *self, SharedBits *a, const Shared *x, const uint64 *bound)
{
	uint64	   *values;
	uint64	   *planes;

	if (self->index != 0)
	{
		logic_input_from_0(self, a, NULL);
		return;
	}
	values = palloc(x->n * sizeof(uint64));
	planes = palloc(BITS * BIT_WORDS(x->n) * sizeof(uint64));
	for (size_t v = 0; v < x->n; v++)
		values[v] = (uint64) x->mine[v] + (uint64) x->next[v] - bound[v];
	bits_slice(planes, values, x->n, BITS);
	logic_input_from_0(self, a, planes);

	wipe(values, x->n * sizeof(uint64));
	wipe(planes, BITS * BIT_WORDS(x->n) * sizeof(uint64));
	pfree(values);
	pfree(planes);
}

/* b = x2 modulo 2^64, known to parties 1 and 2, is its own summand 2. */
static void
share_b(const Party *self, SharedBits *b, const Shared *x)
{
	const uint128 *x2 = self->index == 1 ? x->next : x->mine;
	uint64	   *values;

	if (self->index == 0)
		return;
	values = palloc(x->n * sizeof(uint64));
	for (size_t v = 0; v < x->n; v++)
		values[v] = (uint64) x2[v];
	bits_slice(self->index == 1 ? b->next : b->mine, values, x->n, BITS);
	wipe(values, x->n * sizeof(uint64));
	pfree(values);
}

/* Planes from `plane` on, as a vector of their own that is not to be freed. */
static SharedBits
planes_of(const SharedBits *bits, int plane, int planes)
{
	SharedBits	view;

	view.mine = bits->mine + plane * BIT_WORDS(bits->n);
	view.next = bits->next + plane * BIT_WORDS(bits->n);
	view.planes = planes;
	view.n = bits->n;
	return view;
}

static void
copy_plane(SharedBits *to, int to_plane, const SharedBits *from, int from_plane)
{
	SharedBits	target = planes_of(to, to_plane, 1);
	SharedBits	source = planes_of(from, from_plane, 1);

	memcpy(target.mine, source.mine, BIT_WORDS(to->n) * sizeof(uint64));
	memcpy(target.next, source.next, BIT_WORDS(to->n) * sizeof(uint64));
}

static void
xor_plane(SharedBits *to, int to_plane, const SharedBits *from, int from_plane)
{
	SharedBits	target = planes_of(to, to_plane, 1);
	SharedBits	source = planes_of(from, from_plane, 1);

	logic_xor(&target, &source);
}

/*
 * One level of the tree: spans 2j (low) and 2j + 1 (high) become span j,
 *
 *	  a = a_high ^ p_high (a_high ^ a_low)		p = p_high p_low
 *
 * in place, all ANDs in one round: first those of a, then those of p, which
 * span 0 does without.
 */
static void
join_spans(Party *self, SharedBits *a, SharedBits *p, int pairs)
{
	SharedBits	x = shared_bits_alloc(2 * pairs - 1, a->n);
	SharedBits	y = shared_bits_alloc(2 * pairs - 1, a->n);

	for (int j = 0; j < pairs; j++)
	{
		copy_plane(&x, j, p, 2 * j + 1);
		copy_plane(&y, j, a, 2 * j + 1);
		xor_plane(&y, j, a, 2 * j);
	}
	for (int j = 1; j < pairs; j++)
	{
		copy_plane(&x, pairs + j - 1, p, 2 * j + 1);
		copy_plane(&y, pairs + j - 1, p, 2 * j);
	}
	logic_and(self, &x, &x, &y);

	for (int j = 0; j < pairs; j++)
	{
		copy_plane(a, j, a, 2 * j + 1);
		xor_plane(a, j, &x, j);
		if (j > 0)
			copy_plane(p, j, &x, pairs + j - 1);
	}
	shared_bits_free(&x);
	shared_bits_free(&y);
}

void
compare_ge_public(Party *self, SharedBits *ge, const Shared *x, const uint64 *bound)
{
	SharedBits	a = shared_bits_alloc(1 + BITS, x->n);
	SharedBits	p = shared_bits_alloc(1 + BITS, x->n);
	SharedBits	a_bits = planes_of(&a, 1, BITS);
	SharedBits	p_bits = planes_of(&p, 1, BITS);

	Assert(ge->planes == 1 && ge->n == x->n);

	/* p = b ^ a */
	share_a(self, &a_bits, x, bound);
	share_b(self, &p_bits, x);
	logic_xor(&p_bits, &a_bits);

	for (int pairs = LEAVES / 2; pairs >= 1; pairs /= 2)
		join_spans(self, &a, &p, pairs);

	/* ge = NOT (p_63 ^ c), where c is the a of the one span that is left. */
	copy_plane(ge, 0, &p_bits, BITS - 1);
	xor_plane(ge, 0, &a, 0);
	logic_not(self, ge);
	shared_bits_free(&a);
	shared_bits_free(&p);
}
