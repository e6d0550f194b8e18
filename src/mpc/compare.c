/*
 * compare.c
 *	  Which shared numbers reach a public bound.
 *
 * x >= bound unless x - bound has its top bit set, as long as both are below
 * 2^63.  Party 0 can add two of the three summands itself (Mohassel and
 * Rindal, ABY3, CCS 2018, share conversions), so one binary addition a + b is
 * left, and of that only the carry into bit 63.
 *
 * The carry comes from a tree over groups of bits that either generate a
 * carry (g) or propagate one (p): Catrina and de Hoogh, "Improved Primitives
 * for Secure Multiparty Integer Computation", SCN 2010.  A tree over 63 bits
 * has 62 nodes, each an AND for its g; a node whose group begins at bit 0
 * needs no p, and in six levels at most six nodes can be such.  Pairing
 * neighbours attains that: 62 + 56 = 118 ANDs, and 63 before for the bits.
 */
#include "mpc/compare.h"
#include "mpc/logic.h"

/* Bits 0 to 62 make the carry into bit 63, the sign. */
#define CARRY_BITS	63
#define BITS		64

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

/*
 * One level of the tree: groups 2j (low) and 2j + 1 (high) become group j,
 *
 *	  g = g_high ^ p_high g_low		p = p_high p_low
 *
 * in place, all ANDs in one round: first those of g, then those of p, which
 * group 0 does without.  A last group without a neighbour moves up as it is.
 */
static int
join_groups(Party *self, SharedBits *g, SharedBits *p, int groups)
{
	int			pairs = groups / 2;
	SharedBits	x = shared_bits_alloc(2 * pairs - 1, g->n);
	SharedBits	y = shared_bits_alloc(2 * pairs - 1, g->n);

	for (int j = 0; j < pairs; j++)
	{
		copy_plane(&x, j, p, 2 * j + 1);
		copy_plane(&y, j, g, 2 * j);
	}
	for (int j = 1; j < pairs; j++)
	{
		copy_plane(&x, pairs + j - 1, p, 2 * j + 1);
		copy_plane(&y, pairs + j - 1, p, 2 * j);
	}
	logic_and(self, &x, &x, &y);

	for (int j = 0; j < pairs; j++)
	{
		SharedBits	g_j = planes_of(g, j, 1);
		SharedBits	carried = planes_of(&x, j, 1);

		copy_plane(g, j, g, 2 * j + 1);
		logic_xor(&g_j, &carried);
		if (j > 0)
			copy_plane(p, j, &x, pairs + j - 1);
	}
	if (groups % 2 == 1)
	{
		copy_plane(g, pairs, g, groups - 1);
		copy_plane(p, pairs, p, groups - 1);
	}
	shared_bits_free(&x);
	shared_bits_free(&y);
	return groups - pairs;
}

void
compare_ge_public(Party *self, SharedBits *ge, const Shared *x, const uint64 *bound)
{
	SharedBits	a = shared_bits_alloc(BITS, x->n);
	SharedBits	b = shared_bits_alloc(BITS, x->n);
	SharedBits	g = shared_bits_alloc(CARRY_BITS, x->n);
	SharedBits	a_low = planes_of(&a, 0, CARRY_BITS);
	SharedBits	b_low = planes_of(&b, 0, CARRY_BITS);
	SharedBits *p = &a;
	SharedBits	carry = planes_of(&g, 0, 1);

	Assert(ge->planes == 1 && ge->n == x->n);
	share_a(self, &a, x, bound);
	share_b(self, &b, x);

	/* g = a b, p = a ^ b; bit 63 of p is not in the tree. */
	logic_and(self, &g, &a_low, &b_low);
	logic_xor(p, &b);
	shared_bits_free(&b);

	for (int groups = CARRY_BITS; groups > 1;)
		groups = join_groups(self, &g, p, groups);

	/* ge = NOT (a63 ^ b63 ^ c63) */
	copy_plane(ge, 0, p, CARRY_BITS);
	logic_xor(ge, &carry);
	logic_not(self, ge);
	shared_bits_free(&a);
	shared_bits_free(&g);
}
