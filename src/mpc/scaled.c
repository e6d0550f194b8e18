/*
 * scaled.c
 *	  Fixed-point numbers: truncation, widening, multiplication.
 *
 * All of them take a number apart as x = a + b modulo the size N of the ring, a = x0 + x1
 * known to party 0 and b = x2 to the others, so over the integers x = a + b - N w.
 * What is wanted is then local, but for the carry w and, when truncating, the
 * carry out of the bits that go.
 */
#include "mpc/adder.h"
#include "mpc/arith.h"
#include "mpc/arith64.h"
#include "mpc/convert.h"
#include "mpc/logic.h"
#include "mpc/scaled.h"
#include "share/memory.h"
#include "share/vector.h"

static void *
alloc_secret(size_t bytes)
{
	return vector_alloc(bytes);
}

static void
free_secret(void *secret, size_t bytes)
{
	vector_free(secret, bytes);
}

/* ---- exact truncation ---- */

/* a or b: what this party knows of x. */
static uint64 *
known_part(const Party *self, const Shared64 *x)
{
	uint64	   *known = alloc_secret(x->n * sizeof(uint64));

	if (self->index == 0)
		vector_linear64(known, 1, x->mine, 1, x->next, x->n);
	else
		memcpy(known, self->index == 1 ? x->next : x->mine, x->n * sizeof(uint64));
	return known;
}

/* carries: plane 0 the carry into bit `shift` of a + b, plane 1 the one out of bit 63. */
static void
two_carries(Party *self, SharedBits *carries, const uint64 *known, int shift)
{
	size_t		n = carries->n;
	size_t		words = 64 * BIT_WORDS(n);
	uint64	   *sliced = alloc_secret(words * sizeof(uint64));
	SharedBits	a = shared_bits_raw(65, n);
	SharedBits	p = shared_bits_raw(65, n);
	SharedBits	zero = shared_bits_view(&a, 0, 1);
	SharedBits	a_bits = shared_bits_view(&a, 1, 64);
	SharedBits	p_bits = shared_bits_view(&p, 1, 64);
	SharedBits	low = shared_bits_view(carries, 0, 1);
	SharedBits	top = shared_bits_view(carries, 1, 1);

	bits_slice(sliced, known, n, 64);
	logic_constant(self, &zero, false);
	convert_parts(self, 0, &a_bits, &p_bits, sliced);
	/* Leaf k is bit k - 1. */
	adder_split(self, &low, &top, &a, &p, shift);
	shared_bits_free(&a);
	shared_bits_free(&p);
	free_secret(sliced, words * sizeof(uint64));
}

/* z += (0, 0, known) */
static void
add_known(const Party *self, Shared64 *z, const uint64 *known)
{
	if (self->index == 1)
		vector_linear64(z->next, 1, z->next, 1, known, z->n);
	if (self->index == 2)
		vector_linear64(z->mine, 1, z->mine, 1, known, z->n);
}

/*
 * Two carries become numbers as in convert_bit_to_ring64(), and party 0
 * shares `part` in the same round as what it knows of them:
 *
 *	  z = part + low - 2^(64 - shift) top
 */
static void
add_carries(Party *self, Shared64 *z, const SharedBits *carries, const uint64 *part, int shift)
{
	size_t		n = z->n;
	Shared64	input = shared64_alloc(3 * n);
	Shared64	bits = shared64_view(&input, 0, 2 * n);
	Shared64	low = shared64_view(&input, 0, n);
	Shared64	top = shared64_view(&input, n, n);
	Shared64	a_part = shared64_view(&input, 2 * n, n);
	uint64		weight = -(UINT64CONST(1) << (64 - shift));
	size_t		known_n = self->index == 0 ? 3 * n : 2 * n;
	uint64	   *known = alloc_secret(known_n * sizeof(uint64));

	convert_known_bits(self, known, carries);
	if (self->index == 0)
		memcpy(known + 2 * n, part, n * sizeof(uint64));
	arith64_input(self, &input, 0, self->index == 0 ? known : NULL);
	convert_finish_bits(self, &bits, known);
	add_known(self, &a_part, part);
	vector_linear64(z->mine, 1, a_part.mine, 1, low.mine, n);
	vector_linear64(z->next, 1, a_part.next, 1, low.next, n);
	vector_linear64(z->mine, 1, z->mine, weight, top.mine, n);
	vector_linear64(z->next, 1, z->next, weight, top.next, n);
	shared64_free(&input);
	free_secret(known, known_n * sizeof(uint64));
}

/*
 * x + 2^63 = a + b - 2^64 w is not negative, and
 *
 *	  floor((a + b - 2^64 w) / 2^shift) = (a >> shift) + (b >> shift) + low - 2^(64 - shift) w
 */
void
scaled_truncate(Party *self, Shared64 *z, const Shared64 *x, int shift)
{
	size_t		n = x->n;
	Shared64	raised = shared64_alloc(n);
	SharedBits	carries = shared_bits_raw(2, n);
	uint64	   *known;

	Assert(shift >= 1 && shift <= 63 && z->n == n);
	arith64_add_constant(self, &raised, x, UINT64CONST(1) << 63);
	known = known_part(self, &raised);
	two_carries(self, &carries, known, shift);
	for (size_t v = 0; v < n; v++)
		known[v] >>= shift;
	add_carries(self, z, &carries, known, shift);
	arith64_add_constant(self, z, z, -(UINT64CONST(1) << (63 - shift)));

	free_secret(known, n * sizeof(uint64));
	shared_bits_free(&carries);
	shared64_free(&raised);
}

void
scaled_multiply(Party *self, Shared64 *z, const Shared64 *x, const Shared64 *y, int fraction)
{
	arith64_multiply(self, z, x, y);
	scaled_truncate(self, z, z, fraction);
}

/* ---- truncation to within one, and widening ---- */

/*
 * One round: party 0 shares z to party 2 (z->mine, 16 bytes an element), and
 * parties 1 and 2 send what they computed of t (`bytes` in all).
 */
static void
share_and_send(Party *self, Shared *z, void *t_mine, void *t_next, size_t bytes)
{
	size_t		z_bytes = z->n * sizeof(uint128);

	switch (self->index)
	{
		case 0:
			ring_wire(z->mine, z->n);
			party_round(self, z->mine, z_bytes, t_next, bytes);
			ring_wire(z->mine, z->n);
			break;
		case 1:
			party_round(self, t_mine, bytes, t_next, bytes);
			break;
		case 2:
			party_round(self, t_mine, bytes, z->next, z_bytes);
			ring_wire(z->next, z->n);
			break;
	}
}

/* z += weight a' b', a' known to party 0 and b' to the others; z is shared in the same round. */
static void
add_narrow_tops(Party *self, Shared *z, const uint64 *top, uint128 weight)
{
	size_t		n = z->n;
	Shared64	t = shared64_alloc(n);

	arith64_input(self, &t, 0, self->index == 0 ? top : NULL);
	arith64_known_begin(self, &t, &t, self->index == 0 ? NULL : top);
	ring64_wire(t.mine, n);
	share_and_send(self, z, t.mine, t.next, n * sizeof(uint64));
	ring64_wire(t.mine, n);
	if (self->index != 2)
		ring64_wire(t.next, n);
	for (size_t v = 0; v < n; v++)
	{
		z->mine[v] += weight * t.mine[v];
		z->next[v] += weight * t.next[v];
	}
	shared64_free(&t);
}

static void
add_wide_tops(Party *self, Shared *z, const uint64 *top, uint128 weight)
{
	size_t		n = z->n;
	Shared		t = shared_alloc(n);
	uint128    *wide = alloc_secret(n * sizeof(uint128));

	for (size_t v = 0; v < n; v++)
		wide[v] = top[v];
	arith_input(self, &t, 0, self->index == 0 ? wide : NULL);
	arith_known_begin(self, &t, &t, self->index == 0 ? NULL : wide);
	ring_wire(t.mine, n);
	share_and_send(self, z, t.mine, t.next, n * sizeof(uint128));
	ring_wire(t.mine, n);
	if (self->index != 2)
		ring_wire(t.next, n);
	vector_linear128(z->mine, 1, z->mine, weight, t.mine, n);
	vector_linear128(z->next, 1, z->next, weight, t.next, n);
	shared_free(&t);
	free_secret(wide, n * sizeof(uint128));
}

/*
 * If the top bit of x = a + b - N w is 0, then w is 1 unless the top bits of
 * both a and b are 0:  w = a' + b' - a' b'.  (If they differ, a carry must
 * have come into them, or the top bit were 1.)
 *
 *	  z = part_a + part_b - 2^(128 - bits) w
 *
 * Party 0 knows part_a and a', the others part_b and b'.  Only w modulo
 * 2^bits matters, so up to 64 bits a' b' is multiplied in the narrow ring: its
 * three summands, each times the power of two, sum to what they should.
 */
static void
join_parts(Party *self, Shared *z, const uint128 *part, const uint64 *top, int bits)
{
	size_t		n = z->n;
	uint128		weight = (uint128) 1 << (128 - bits);
	uint128    *known = alloc_secret(n * sizeof(uint128));

	for (size_t v = 0; v < n; v++)
		known[v] = part[v] - weight * top[v];
	arith_input_begin(self, z, known);
	if (bits <= 64)
		add_narrow_tops(self, z, top, weight);
	else
		add_wide_tops(self, z, top, weight);
	if (self->index == 1)
		vector_linear128(z->next, 1, z->next, 1, known, n);
	if (self->index == 2)
		vector_linear128(z->mine, 1, z->mine, 1, known, n);
	free_secret(known, n * sizeof(uint128));
}

void
scaled_truncate_near(Party *self, Shared *z, const Shared *x, int shift)
{
	size_t		n = x->n;
	Shared		raised = shared_alloc(n);
	uint128    *part = alloc_secret(n * sizeof(uint128));
	uint64	   *top = alloc_secret(n * sizeof(uint64));

	Assert(shift >= 1 && shift <= 126 && z->n == n);
	arith_add_constant(self, &raised, x, (uint128) 1 << 126);
	for (size_t v = 0; v < n; v++)
	{
		uint128		known = self->index == 0 ? raised.mine[v] + raised.next[v] :
			self->index == 1 ? raised.next[v] : raised.mine[v];

		part[v] = known >> shift;
		top[v] = (uint64) (known >> 127);
	}
	join_parts(self, z, part, top, shift);
	arith_add_constant(self, z, z, -((uint128) 1 << (126 - shift)));
	shared_free(&raised);
	free_secret(part, n * sizeof(uint128));
	free_secret(top, n * sizeof(uint64));
}

void
scaled_widen(Party *self, Shared *z, const Shared64 *x)
{
	size_t		n = x->n;
	uint128    *part = alloc_secret(n * sizeof(uint128));
	uint64	   *top = alloc_secret(n * sizeof(uint64));

	Assert(z->n == n);
	for (size_t v = 0; v < n; v++)
	{
		uint64		known = self->index == 0 ? x->mine[v] + x->next[v] :
			self->index == 1 ? x->next[v] : x->mine[v];

		part[v] = known;
		top[v] = known >> 63;
	}
	join_parts(self, z, part, top, 64);
	free_secret(part, n * sizeof(uint128));
	free_secret(top, n * sizeof(uint64));
}

void
scaled_narrow(Shared64 *z, const Shared *x)
{
	Assert(z->n == x->n);
	for (size_t v = 0; v < x->n; v++)
	{
		z->mine[v] = (uint64) x->mine[v];
		z->next[v] = (uint64) x->next[v];
	}
}
