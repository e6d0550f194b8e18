/*
 * compare.c
 *	  Which of two shared numbers is smaller, and whether they are equal.
 *
 * x < y is the sign of x - y, as long as that does not overflow.  Party 0
 * can add two of the three summands itself (Mohassel and Rindal, ABY3, CCS
 * 2018, share conversions), so one binary addition a + b is left, and of that only the
 * carry into the sign (adder.h).  mpc/README.md tells why this is right.
 *
 * On the whole range of 64 bits x - y may overflow, but only if the signs of
 * x and y differ, and then they tell which is smaller.
 */
#include "mpc/adder.h"
#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "share/memory.h"
#include "share/vector.h"

/* ---- signs ---- */

/*
 * Signs of numbers of w bits, each the sum of what its owner knows (a) and
 * what the two others know.  The carry into bit w - 1 comes from w leaves:
 * the 0 that goes in, then the bits 0 to w - 2.
 */
typedef struct Signs
{
	int			count;			/* owners 0 to count - 1 */
	int			width;
	size_t		n;
	const uint64 *words[PARTIES];	/* bits of what this party knows, by owner */
} Signs;

static void
sum_signs(Party *self, SharedBits *sign, const Signs *signs)
{
	int			w = signs->width;
	SharedBits	a[PARTIES] = {{NULL}};
	SharedBits	p[PARTIES] = {{NULL}};
	SharedBits	a_bits[PARTIES] = {{NULL}};
	SharedBits	p_bits[PARTIES] = {{NULL}};
	SharedBits	a_leaves[PARTIES];
	SharedBits	p_leaves[PARTIES];

	for (int k = 0; k < signs->count; k++)
	{
		SharedBits	zero;

		a[k] = shared_bits_raw(1 + w, signs->n);
		p[k] = shared_bits_raw(1 + w, signs->n);
		zero = shared_bits_view(&a[k], 0, 1);
		logic_constant(self, &zero, false);
		a_bits[k] = shared_bits_view(&a[k], 1, w);
		p_bits[k] = shared_bits_view(&p[k], 1, w);
		a_leaves[k] = shared_bits_view(&a[k], 0, w);
		p_leaves[k] = shared_bits_view(&p[k], 0, w);
	}
	convert_parts_all(self, a_bits, p_bits, signs->words);
	adder_tops(self, signs->count, sign, a_leaves, p_leaves);

	/* sign = p_(w-1) ^ carry */
	for (int k = 0; k < signs->count; k++)
	{
		SharedBits	top = shared_bits_view(&p[k], w, 1);

		logic_xor(&sign[k], &top);
		shared_bits_free(&a[k]);
		shared_bits_free(&p[k]);
	}
}

/* The number that this party knows of x = a + b: a if it is the owner, else b. */
static void
known_part(const Party *self, uint64 *known, int owner, const uint64 *mine, const uint64 *next, size_t n)
{
	if (self->index == owner)
		vector_linear64(known, 1, mine, 1, next, n);
	else if (self->index == PARTY_NEXT(owner))
		memcpy(known, next, n * sizeof(uint64));
	else
		memcpy(known, mine, n * sizeof(uint64));
}

static uint64 *
alloc_words(size_t words)
{
	return vector_alloc(words * sizeof(uint64));
}

static void
free_words(uint64 *memory, size_t words)
{
	vector_free(memory, words * sizeof(uint64));
}

/* x, or x - y. */
typedef struct Operand
{
	const Shared64 *x;
	const Shared64 *y;			/* or NULL */
} Operand;

/* What this party knows of it, sliced. */
static uint64 *
known_bits(const Party *self, int owner, Operand of, int planes)
{
	size_t		n = of.x->n;
	uint64	   *known = alloc_words(n);
	uint64	   *words = alloc_words(planes * BIT_WORDS(n));

	known_part(self, known, owner, of.x->mine, of.x->next, n);
	if (of.y && self->index != PARTY_NEXT(owner))
		vector_linear64(known, 1, known, -1, of.y->mine, n);
	if (of.y && self->index != PARTY_PREV(owner))
		vector_linear64(known, 1, known, -1, of.y->next, n);
	bits_slice(words, known, n, planes);
	free_words(known, n);
	return words;
}

/* Signs of `count` operands as numbers of `width` bits, owned by party 0 and so on. */
static void
signs_of(Party *self, SharedBits *sign, const Operand *of, int count, int width)
{
	Signs		signs = {count, width, of[0].x->n};
	uint64	   *words[PARTIES];

	for (int k = 0; k < count; k++)
		signs.words[k] = words[k] = known_bits(self, k, of[k], width);
	sum_signs(self, sign, &signs);
	for (int k = 0; k < count; k++)
		free_words(words[k], width * BIT_WORDS(signs.n));
}

void
compare_negative(Party *self, SharedBits *negative, const Shared64 *x)
{
	Operand		of = {x};

	signs_of(self, negative, &of, 1, 64);
}

void
compare_ge_public(Party *self, SharedBits *ge, const Shared *x, const uint64 *bound)
{
	size_t		n = x->n;
	uint64	   *mine = alloc_words(n);
	uint64	   *next = alloc_words(n);
	Shared64	low = {mine, next, n};
	Operand		difference = {&low};

	Assert(ge->planes == 1 && ge->n == n);
	for (size_t v = 0; v < n; v++)
	{
		mine[v] = (uint64) x->mine[v] - (self->index == 0 ? bound[v] : 0);
		next[v] = (uint64) x->next[v];
	}
	signs_of(self, ge, &difference, 1, 64);
	logic_not(self, ge);
	shared64_free(&low);
}

/* ---- less ---- */

/*
 * less = sign of the difference; but if the signs s and t of x and y differ,
 * s (signed) or t (unsigned):  d ^ (s ^ t) (d ^ s).
 */
static void
choose_sign(Party *self, SharedBits *less, const SharedBits *s, const SharedBits *t,
			const SharedBits *d, bool is_signed)
{
	Gate		gate = {{NULL}};

	gate.z = plane_ref(less, 0);
	gate.x = plane_ref(s, 0);
	gate.x2 = plane_ref(t, 0);
	gate.y = gate.v = plane_ref(d, 0);
	gate.y2 = plane_ref(is_signed ? s : t, 0);
	logic_gates(self, &gate, 1, less->n);
}

void
compare_less(Party *self, SharedBits *less, const Shared64 *x, const Shared64 *y, NumberKind kind)
{
	Operand		of[PARTIES] = {{x}, {y}, {x, y}};

	Assert(less->planes == 1 && less->n == x->n && x->n == y->n);
	Assert(kind.bits >= 1 && kind.bits <= 64);
	if (kind.bits < 64)
		signs_of(self, less, of + 2, 1, kind.bits + 1);
	else
	{
		SharedBits	sign[PARTIES];

		for (int k = 0; k < PARTIES; k++)
			sign[k] = shared_bits_raw(1, x->n);
		signs_of(self, sign, of, PARTIES, 64);
		choose_sign(self, less, &sign[0], &sign[1], &sign[2], kind.is_signed);
		for (int k = 0; k < PARTIES; k++)
			shared_bits_free(&sign[k]);
	}
}

/* c, or the nearest number that x of this kind can be compared with without overflow. */
static uint64
clamp(uint64 c, NumberKind kind)
{
	if (kind.is_signed)
	{
		int64		top = INT64CONST(1) << (kind.bits - 1);

		return (uint64) Max(-top, Min(top, (int64) c));
	}
	return Min(UINT64CONST(1) << kind.bits, c);
}

/* d = x - c */
static void
subtract_public(const Party *self, Shared64 *d, const Shared64 *x, const uint64 *c, size_t constants,
				const NumberKind *kind)
{
	Assert(constants == 1 || constants == x->n);
	shared64_copy(d, x);
	if (self->index == 1)
		return;
	for (size_t v = 0; v < x->n; v++)
	{
		uint64		value = c[constants == 1 ? 0 : v];

		if (kind && kind->bits < 64)
			value = clamp(value, *kind);
		if (self->index == 0)
			d->mine[v] -= value;
		else
			d->next[v] -= value;
	}
}

/* The signs of public numbers, as shares. */
static void
public_signs(const Party *self, SharedBits *t, const uint64 *c, size_t constants)
{
	uint64	   *words = palloc0(Max(BIT_WORDS(t->n), 1) * sizeof(uint64));

	for (size_t v = 0; v < t->n; v++)
		words[v / 64] |= (c[constants == 1 ? 0 : v] >> 63) << (v % 64);
	logic_public(self, t, words);
	pfree(words);
}

void
compare_less_public(Party *self, SharedBits *less, const Shared64 *x,
					const uint64 *c, size_t constants, NumberKind kind)
{
	Shared64	d = shared64_alloc(x->n);
	Operand		of[2] = {{x}, {&d}};

	Assert(less->planes == 1 && less->n == x->n);
	Assert(kind.bits >= 1 && kind.bits <= 64);
	subtract_public(self, &d, x, c, constants, &kind);
	if (kind.bits < 64)
		signs_of(self, less, of + 1, 1, kind.bits + 1);
	else
	{
		SharedBits	sign[2] = {shared_bits_raw(1, x->n), shared_bits_raw(1, x->n)};
		SharedBits	t = shared_bits_raw(1, x->n);

		public_signs(self, &t, c, constants);
		signs_of(self, sign, of, 2, 64);
		choose_sign(self, less, &sign[0], &t, &sign[1], kind.is_signed);
		shared_bits_free(&sign[0]);
		shared_bits_free(&sign[1]);
		shared_bits_free(&t);
	}
	shared64_free(&d);
}

/* ---- equal ---- */

/* d = a + b is zero if a = -b: where all bits of -a and b agree. */
static void
zero(Party *self, SharedBits *equal, Shared64 *d, int bits)
{
	uint64	   *words;
	SharedBits	a = shared_bits_raw(bits, d->n);
	SharedBits	p = shared_bits_raw(bits, d->n);

	Assert(equal->planes == 1 && equal->n == d->n);
	Assert(bits >= 1 && bits <= 64);
	if (self->index == 0)
		shared64_negate(d, d);
	words = known_bits(self, 0, (Operand)
					   {
						   d
					   }, bits);
	convert_parts(self, 0, &a, &p, words);
	logic_not(self, &p);
	logic_and_all(self, equal, &p);
	shared_bits_free(&a);
	shared_bits_free(&p);
	free_words(words, bits * BIT_WORDS(d->n));
}

void
compare_equal(Party *self, SharedBits *equal, const Shared64 *x, const Shared64 *y, int bits)
{
	Shared64	d = shared64_alloc(x->n);

	shared64_subtract(&d, x, y);
	zero(self, equal, &d, bits);
	shared64_free(&d);
}

void
compare_equal_public(Party *self, SharedBits *equal, const Shared64 *x,
					 const uint64 *c, size_t constants, int bits)
{
	Shared64	d = shared64_alloc(x->n);

	subtract_public(self, &d, x, c, constants, NULL);
	zero(self, equal, &d, bits);
	shared64_free(&d);
}

/* ---- bits ---- */

void
compare_equal_bits(Party *self, SharedBits *equal, const SharedBits *x, const SharedBits *y)
{
	SharedBits	p = shared_bits_raw(x->planes, x->n);

	shared_bits_copy(&p, x);
	logic_xor(&p, y);
	logic_not(self, &p);
	logic_and_all(self, equal, &p);
	shared_bits_free(&p);
}

/*
 * The borrow of x - y.  Bits that are equal (p = 1) pass on what goes in,
 * else y_k comes out; of the sign x_k, because there 1 is less than 0.
 */
void
compare_less_bits(Party *self, SharedBits *less, const SharedBits *x, const SharedBits *y,
				  bool is_signed)
{
	int			w = x->planes;
	SharedBits	a = shared_bits_raw(1 + w, x->n);
	SharedBits	p = shared_bits_raw(1 + w, x->n);
	SharedBits	zero = shared_bits_view(&a, 0, 1);
	SharedBits	a_bits = shared_bits_view(&a, 1, w);
	SharedBits	p_bits = shared_bits_view(&p, 1, w);

	Assert(less->planes == 1 && less->n == x->n && y->planes == w && y->n == x->n);
	logic_constant(self, &zero, false);
	shared_bits_copy(&a_bits, y);
	shared_bits_copy(&p_bits, x);
	logic_xor(&p_bits, y);
	logic_not(self, &p_bits);
	if (is_signed)
	{
		SharedBits	top = shared_bits_view(&a, w, 1);
		SharedBits	x_top = shared_bits_view(x, w - 1, 1);

		shared_bits_copy(&top, &x_top);
	}
	adder_top(self, less, &a, &p);
	shared_bits_free(&a);
	shared_bits_free(&p);
}

/* ---- the smaller and the greater ---- */

/* least = less ? x : y, greatest = x + y - least */
void
compare_min_max(Party *self, Shared64 *least, Shared64 *greatest,
				const Shared64 *x, const Shared64 *y, NumberKind kind)
{
	SharedBits	less = shared_bits_raw(1, x->n);
	Shared64	smaller = shared64_alloc(x->n);
	Shared64	sum = shared64_alloc(x->n);

	compare_less(self, &less, x, y, kind);
	convert_select(self, &smaller, &less, x, y);
	shared64_add(&sum, x, y);
	if (greatest)
		shared64_subtract(greatest, &sum, &smaller);
	if (least)
		shared64_copy(least, &smaller);
	shared_bits_free(&less);
	shared64_free(&smaller);
	shared64_free(&sum);
}

void
compare_min_max_bits(Party *self, SharedBits *least, SharedBits *greatest,
					 const SharedBits *x, const SharedBits *y, bool is_signed)
{
	SharedBits	less = shared_bits_raw(1, x->n);
	SharedBits	smaller = shared_bits_raw(x->planes, x->n);
	SharedBits	sum = shared_bits_raw(x->planes, x->n);

	compare_less_bits(self, &less, x, y, is_signed);
	logic_select(self, &smaller, &less, x, y);
	shared_bits_copy(&sum, x);
	logic_xor(&sum, y);
	if (greatest)
	{
		shared_bits_copy(greatest, &sum);
		logic_xor(greatest, &smaller);
	}
	if (least)
		shared_bits_copy(least, &smaller);
	shared_bits_free(&less);
	shared_bits_free(&smaller);
	shared_bits_free(&sum);
}
