/*
 * convert.c
 *	  Between bit shares and arithmetic shares.
 *
 * One bit: b = b0 ^ b1 ^ b2.  Party 0 knows s = b0 ^ b1, parties 1 and 2 know
 * b2, and s ^ b2 = s + b2 - 2 s b2 over the integers (Mohassel and Rindal,
 * ABY3, CCS 2018, share conversions).
 *
 * Numbers: x = a + b, a = x0 + x1 known to party 0 and b = x2 to the others,
 * is added bit by bit; the other way two summands are drawn from seeds and
 * taken from x.
 */
#include "mpc/adder.h"
#include "mpc/arith.h"
#include "mpc/arith64.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "share/memory.h"
#include "share/vector.h"

static uint64 *
alloc_words(size_t words)
{
	return vector_alloc(words * sizeof(uint64));
}

static void
free_words(void *memory, size_t bytes)
{
	vector_free(memory, bytes);
}

/* ---- one bit ---- */

/* out[v] = bit v of the plane, or of the XOR of two. */
static void
plane_to_elements(uint128 *out, const uint64 *plane, const uint64 *other, size_t n)
{
	for (size_t v = 0; v < n; v++)
	{
		uint64		word = plane[v / 64] ^ (other ? other[v / 64] : 0);

		out[v] = (word >> (v % 64)) & 1;
	}
}

static void
plane_to_elements64(uint64 *out, const uint64 *plane, const uint64 *other, size_t n)
{
	for (size_t at = 0; at < n; at += 64)
	{
		uint64		word = plane[at / 64] ^ (other ? other[at / 64] : 0);
		size_t		len = Min(64, n - at);

		for (size_t v = 0; v < len; v++)
			out[at + v] = (word >> v) & 1;
	}
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
	values = vector_alloc(s->n * sizeof(uint128));
	plane_to_elements(values, bits->mine, bits->next, s->n);
	arith_input_from_0(self, s, values);
	free_words(values, s->n * sizeof(uint128));
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

void
convert_known_bits(const Party *self, uint64 *known, const SharedBits *bit)
{
	for (int k = 0; k < bit->planes; k++)
	{
		PlaneRef	plane = plane_ref(bit, k);
		uint64	   *out = known + k * bit->n;

		if (self->index == 0)
			plane_to_elements64(out, plane.mine, plane.next, bit->n);
		else
			plane_to_elements64(out, self->index == 1 ? plane.next : plane.mine, NULL, bit->n);
	}
}

static uint64 *
known_of_bit(const Party *self, const SharedBits *bit)
{
	uint64	   *known = alloc_words(bit->planes * bit->n);

	convert_known_bits(self, known, bit);
	return known;
}

/* z += y, for y = (0, 0, known). */
static void
add_known(const Party *self, Shared64 *z, const uint64 *known)
{
	if (self->index == 1)
		vector_linear64(z->next, 1, z->next, 1, known, z->n);
	if (self->index == 2)
		vector_linear64(z->mine, 1, z->mine, 1, known, z->n);
}

void
convert_finish_bits(Party *self, Shared64 *z, uint64 *known)
{
	if (self->index == 0)
	{
		arith64_multiply_known(self, z, z, NULL);
		return;
	}
	for (size_t v = 0; v < z->n; v++)
		known[v] = 1 - 2 * known[v];
	arith64_multiply_known(self, z, z, known);
	for (size_t v = 0; v < z->n; v++)
		known[v] = (1 - known[v]) / 2;
	add_known(self, z, known);
}

void
convert_bit_to_ring64(Party *self, Shared64 *z, const SharedBits *bit)
{
	size_t		n = z->n;
	uint64	   *known = known_of_bit(self, bit);

	Assert(z->n == bit->planes * bit->n);
	arith64_input(self, z, 0, self->index == 0 ? known : NULL);
	convert_finish_bits(self, z, known);
	free_words(known, n * sizeof(uint64));
}

/*
 * b x = s x + b2 x - 2 s b2 x.  In one round s is shared and u = b2 x
 * multiplied; in the next s (x - 2 u).
 */
void
convert_bit_times(Party *self, Shared64 *z, const SharedBits *bit, const Shared64 *x)
{
	size_t		n = bit->n;
	uint64	   *known = known_of_bit(self, bit);
	Shared64	s = shared64_alloc(n);
	Shared64	u = shared64_alloc(n);
	Shared64	d = shared64_alloc(n);

	Assert(bit->planes == 1 && z->n == n && x->n == n);
	arith64_input_and_known(self, &s, self->index == 0 ? known : NULL,
							&u, x, self->index == 0 ? NULL : known);
	vector_linear64(d.mine, 1, x->mine, -2, u.mine, n);
	vector_linear64(d.next, 1, x->next, -2, u.next, n);
	arith64_multiply(self, z, &s, &d);
	shared64_add(z, z, &u);
	shared64_free(&s);
	shared64_free(&u);
	shared64_free(&d);
	free_words(known, n * sizeof(uint64));
}

void
convert_select(Party *self, Shared64 *z, const SharedBits *bit,
			   const Shared64 *x, const Shared64 *y)
{
	Shared64	d = shared64_alloc(x->n);

	Assert(x->n == y->n && z->n == x->n);
	shared64_subtract(&d, x, y);
	convert_bit_times(self, &d, bit, &d);
	shared64_add(z, &d, y);
	shared64_free(&d);
}

/* ---- numbers to bits ---- */

void
convert_parts_all(Party *self, SharedBits a[PARTIES], SharedBits p[PARTIES],
				  const uint64 *const words[PARTIES])
{
	SharedBits *inputs[PARTIES];
	int			i = self->index;

	for (int k = 0; k < PARTIES; k++)
		inputs[k] = a[k].planes > 0 ? &a[k] : NULL;
	logic_input_all(self, inputs, inputs[i] ? words[i] : NULL);

	/* b = (0, 0, b2) counted from the owner: p = a but for that summand, where a has 0. */
	for (int k = 0; k < PARTIES; k++)
	{
		size_t		bytes;

		if (inputs[k] == NULL)
			continue;
		bytes = p[k].planes * BIT_WORDS(p[k].n) * sizeof(uint64);
		memcpy(p[k].mine, i == PARTY_PREV(k) ? words[k] : a[k].mine, bytes);
		memcpy(p[k].next, i == PARTY_NEXT(k) ? words[k] : a[k].next, bytes);
	}
}

void
convert_parts(Party *self, int owner, SharedBits *a, SharedBits *p, const uint64 *words)
{
	SharedBits	all_a[PARTIES] = {{NULL}};
	SharedBits	all_p[PARTIES] = {{NULL}};
	const uint64 *all_words[PARTIES] = {NULL};

	all_a[owner] = *a;
	all_p[owner] = *p;
	all_words[owner] = words;
	convert_parts_all(self, all_a, all_p, all_words);
}

/*
 * z = a + b.  Leaves are the 0 that goes in and the bits 0 to w - 2, and what
 * comes out of leaf k is the carry into bit k.
 */
static void
add_parts(Party *self, SharedBits *z, const uint64 *words)
{
	int			w = z->planes;
	SharedBits	a = shared_bits_raw(1 + w, z->n);
	SharedBits	p = shared_bits_raw(1 + w, z->n);
	SharedBits	zero = shared_bits_view(&a, 0, 1);
	SharedBits	a_bits = shared_bits_view(&a, 1, w);
	SharedBits	p_bits = shared_bits_view(&p, 1, w);
	SharedBits	a_leaves = shared_bits_view(&a, 0, w);
	SharedBits	p_leaves = shared_bits_view(&p, 0, w);

	logic_constant(self, &zero, false);
	convert_parts(self, 0, &a_bits, &p_bits, words);
	shared_bits_copy(z, &p_bits);
	adder_prefix(self, &a_leaves, &p_leaves);
	logic_xor(z, &a_leaves);
	shared_bits_free(&a);
	shared_bits_free(&p);
}

void
convert_to_bits(Party *self, SharedBits *z, const Shared64 *x)
{
	size_t		n = x->n;
	size_t		words = z->planes * BIT_WORDS(n);
	uint64	   *known = alloc_words(n);
	uint64	   *sliced = alloc_words(words);

	Assert(z->n == n && z->planes >= 1 && z->planes <= 64);
	if (self->index == 0)
		vector_linear64(known, 1, x->mine, 1, x->next, n);
	else
		memcpy(known, self->index == 1 ? x->next : x->mine, n * sizeof(uint64));
	bits_slice(sliced, known, n, z->planes);
	free_words(known, n * sizeof(uint64));
	add_parts(self, z, sliced);
	free_words(sliced, words * sizeof(uint64));
}

void
convert_to_bits_wide(Party *self, SharedBits *z, const Shared *x)
{
	size_t		n = x->n;
	size_t		words = z->planes * BIT_WORDS(n);
	uint128    *known = vector_alloc(n * sizeof(uint128));
	uint64	   *sliced = alloc_words(words);

	Assert(z->n == n && z->planes >= 1 && z->planes <= 128);
	if (self->index == 0)
		vector_linear128(known, 1, x->mine, 1, x->next, n);
	else
		memcpy(known, self->index == 1 ? x->next : x->mine, n * sizeof(uint128));
	bits_slice_wide(sliced, known, n, z->planes);
	free_words(known, n * sizeof(uint128));
	add_parts(self, z, sliced);
	free_words(sliced, words * sizeof(uint64));
}

/* ---- bits to numbers ---- */

/* The planes of n0 and n1: minus the summands that are drawn, as those know them who do. */
typedef struct Masks
{
	uint64	   *n0;				/* parties 0 and 2, else NULL */
	uint64	   *n1;				/* parties 0 and 1, else NULL */
	const uint64 *zero;			/* one plane */
} Masks;

static PlaneRef
mask_ref(const uint64 *mine, const uint64 *next, const Masks *masks, int plane, size_t n)
{
	PlaneRef	ref;

	ref.mine = (uint64 *) (mine ? mine + plane * BIT_WORDS(n) : masks->zero);
	ref.next = (uint64 *) (next ? next + plane * BIT_WORDS(n) : masks->zero);
	return ref;
}

/* n0 is its own summand 0. */
static PlaneRef
n0_ref(const Party *self, const Masks *masks, int plane, size_t n)
{
	return mask_ref(self->index == 0 ? masks->n0 : NULL, self->index == 2 ? masks->n0 : NULL,
					masks, plane, n);
}

/* n1 is its own summand 1. */
static PlaneRef
n1_ref(const Party *self, const Masks *masks, int plane, size_t n)
{
	return mask_ref(self->index == 1 ? masks->n1 : NULL, self->index == 0 ? masks->n1 : NULL,
					masks, plane, n);
}

/* Bit k of x; above its planes the sign, or zero. */
static PlaneRef
x_ref(const SharedBits *x, int plane, bool is_signed, const Masks *masks)
{
	if (plane < x->planes)
		return plane_ref(x, plane);
	if (is_signed)
		return plane_ref(x, x->planes - 1);
	return mask_ref(NULL, NULL, masks, 0, x->n);
}

/*
 * Carry-save: x + n0 + n1 = s + 2 c with s = x ^ n0 ^ n1 and c the majority,
 * c = (x ^ n0) (x ^ n1) ^ x.  c_k in plane k + 1 of c, plane 0 is zero; the
 * carry out of the last bit is not needed.
 */
static void
carry_save(Party *self, SharedBits *s, SharedBits *c, const SharedBits *x, bool is_signed,
		   const Masks *masks)
{
	int			w = s->planes;
	size_t		n = s->n;
	size_t		words = BIT_WORDS(n);
	Gate	   *gates = palloc0(w * sizeof(Gate));

	for (int k = 0; k < w; k++)
	{
		PlaneRef	x_k = x_ref(x, k, is_signed, masks);
		PlaneRef	n0_k = n0_ref(self, masks, k, n);
		PlaneRef	n1_k = n1_ref(self, masks, k, n);
		PlaneRef	s_k = plane_ref(s, k);

		vector_xor(s_k.mine, x_k.mine, n0_k.mine, words);
		vector_xor(s_k.next, x_k.next, n0_k.next, words);
		vector_xor(s_k.mine, s_k.mine, n1_k.mine, words);
		vector_xor(s_k.next, s_k.next, n1_k.next, words);
		if (k == w - 1)
			break;
		gates[k].z = plane_ref(c, k + 1);
		gates[k].x = gates[k].y = gates[k].v = x_k;
		gates[k].x2 = n0_k;
		gates[k].y2 = n1_k;
	}
	logic_gates(self, gates, w - 1, n);
	pfree(gates);
}

/*
 * s becomes s + 2 c.  Into bit 1 no carry goes: leaf 0 is that 0, leaf k bit
 * k, up to bit w - 2; what comes out of leaf k goes into bit k + 1.
 */
static void
add_carry_save(Party *self, SharedBits *s, SharedBits *c)
{
	int			w = s->planes;
	SharedBits	a = shared_bits_raw(w - 1, s->n);
	SharedBits	a_bits = shared_bits_view(&a, 1, w - 2);
	SharedBits	s_bits = shared_bits_view(s, 1, w - 2);
	SharedBits	zero = shared_bits_view(&a, 0, 1);
	SharedBits	p = shared_bits_view(c, 0, w - 1);
	SharedBits	c_high = shared_bits_view(c, 1, w - 1);
	SharedBits	s_high = shared_bits_view(s, 1, w - 1);

	/* a = s, p = s ^ c, and s = s ^ c ^ carry */
	logic_constant(self, &zero, false);
	shared_bits_copy(&a_bits, &s_bits);
	logic_xor(&s_high, &c_high);
	shared_bits_copy(&c_high, &s_high);
	adder_prefix(self, &a, &p);
	logic_xor(&s_high, &a);
	shared_bits_free(&a);
}

/* The planes of x - z0 - z1, opened to parties 1 and 2; NULL for party 0. */
static uint64 *
open_rest(Party *self, const SharedBits *x, bool is_signed, int w, Masks *masks)
{
	size_t		n = x->n;
	SharedBits	s = shared_bits_raw(w, n);
	SharedBits	c = shared_bits_raw(w, n);
	uint64	   *zero = vector_alloc_zero(BIT_WORDS(n) * sizeof(uint64));
	uint64	   *rest = self->index == 0 ? NULL : alloc_words(w * BIT_WORDS(n));

	masks->zero = zero;
	carry_save(self, &s, &c, x, is_signed, masks);
	add_carry_save(self, &s, &c);
	logic_open_to_pair(self, rest, &s);
	shared_bits_free(&s);
	shared_bits_free(&c);
	free_words(zero, BIT_WORDS(n) * sizeof(uint64));
	return rest;
}

/* Bits of minus these numbers. */
static uint64 *
negated_bits(const uint64 *values, size_t n)
{
	uint64	   *negated = alloc_words(n);
	uint64	   *words = alloc_words(64 * BIT_WORDS(n));

	vector_linear64(negated, -1, values, 0, values, n);
	bits_slice(words, negated, n, 64);
	free_words(negated, n * sizeof(uint64));
	return words;
}

static uint64 *
negated_bits_wide(const uint128 *values, size_t n)
{
	uint128    *negated = vector_alloc(n * sizeof(uint128));
	uint64	   *words = alloc_words(128 * BIT_WORDS(n));

	vector_linear128(negated, -1, values, 0, values, n);
	bits_slice_wide(words, negated, n, 128);
	free_words(negated, n * sizeof(uint128));
	return words;
}

static void
free_masks(Masks *masks, int w, size_t n)
{
	size_t		bytes = w * BIT_WORDS(n) * sizeof(uint64);

	if (masks->n0)
		free_words(masks->n0, bytes);
	if (masks->n1)
		free_words(masks->n1, bytes);
}

static void
from_bits(Party *self, Shared64 *z, const SharedBits *x, bool is_signed)
{
	size_t		n = x->n;
	uint64	   *z0 = self->index == 0 ? z->mine : z->next;
	uint64	   *z1 = self->index == 0 ? z->next : z->mine;
	uint64	   *z2 = self->index == 1 ? z->next : z->mine;
	Masks		masks = {NULL};
	uint64	   *rest;

	Assert(z->n == n && x->planes >= 1 && x->planes <= 64);
	if (self->index != 1)
	{
		ring64_random(self->index == 0 ? self->prg_mine : self->prg_next, z0, n);
		masks.n0 = negated_bits(z0, n);
	}
	if (self->index != 2)
	{
		ring64_random(self->index == 0 ? self->prg_next : self->prg_mine, z1, n);
		masks.n1 = negated_bits(z1, n);
	}
	rest = open_rest(self, x, is_signed, 64, &masks);
	if (rest)
	{
		bits_unslice(z2, rest, n, 64);
		free_words(rest, 64 * BIT_WORDS(n) * sizeof(uint64));
	}
	free_masks(&masks, 64, n);
}

void
convert_from_bits(Party *self, Shared64 *z, const SharedBits *x)
{
	from_bits(self, z, x, false);
}

void
convert_from_signed_bits(Party *self, Shared64 *z, const SharedBits *x)
{
	from_bits(self, z, x, true);
}

void
convert_from_bits_wide(Party *self, Shared *z, const SharedBits *x)
{
	size_t		n = x->n;
	uint128    *z0 = self->index == 0 ? z->mine : z->next;
	uint128    *z1 = self->index == 0 ? z->next : z->mine;
	uint128    *z2 = self->index == 1 ? z->next : z->mine;
	Masks		masks = {NULL};
	uint64	   *rest;

	Assert(z->n == n && x->planes >= 1 && x->planes <= 128);
	if (self->index != 1)
	{
		ring_random(self->index == 0 ? self->prg_mine : self->prg_next, z0, n);
		masks.n0 = negated_bits_wide(z0, n);
	}
	if (self->index != 2)
	{
		ring_random(self->index == 0 ? self->prg_next : self->prg_mine, z1, n);
		masks.n1 = negated_bits_wide(z1, n);
	}
	rest = open_rest(self, x, false, 128, &masks);
	if (rest)
	{
		bits_unslice_wide(z2, rest, n, 128);
		free_words(rest, 128 * BIT_WORDS(n) * sizeof(uint64));
	}
	free_masks(&masks, 128, n);
}
