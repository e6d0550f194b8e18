/*
 * guard.c
 *	  Groups that differ by few patients, from each other or from an answered one.
 *
 * All pairs lie in one vector of bits, those within the answer first, so that
 * both kinds take the same rounds.  Which pair is where is public.
 */
#include "mpc/guard.h"

#include "mpc/logic.h"

size_t
guard_pairs(size_t cells, size_t parts)
{
	return cells * (parts * (parts - 1) / 2);
}

static size_t
all_pairs(const ReleaseGuard *guard)
{
	return guard->within.n + guard->earlier.n;
}

size_t
guard_comparisons(const ReleaseGuard *guard)
{
	return 2 * all_pairs(guard) + guard->answers;
}

static size_t
append(Shared *x, uint64 *bound, size_t at, const Shared *values, uint64 limit)
{
	memcpy(x->mine + at, values->mine, values->n * sizeof(uint128));
	memcpy(x->next + at, values->next, values->n * sizeof(uint128));
	for (size_t i = 0; i < values->n; i++)
		bound[at + i] = limit;
	return at + values->n;
}

void
guard_fill(const ReleaseGuard *guard, uint64 patients_min, Shared *x, uint64 *bound, size_t at)
{
	at = append(x, bound, at, &guard->within, 1);
	at = append(x, bound, at, &guard->earlier, 1);
	at = append(x, bound, at, &guard->within, patients_min);
	at = append(x, bound, at, &guard->earlier, patients_min);
	(void) append(x, bound, at, &guard->patients, patients_min);
}

/* ---- bits, moved by public numbers ---- */

static void
copy_bit(SharedBits *to, size_t at, const SharedBits *from, size_t which)
{
	to->mine[at / 64] |= (from->mine[which / 64] >> which % 64 & 1) << at % 64;
	to->next[at / 64] |= (from->next[which / 64] >> which % 64 & 1) << at % 64;
}

/*
 * Of each pair both groups' bits: are they large?  Of an earlier one that is in `answered`.
 */
static void
spread_large(SharedBits *first, SharedBits *second, const SharedBits *large, const SharedBits *answered,
			 size_t cells, size_t parts)
{
	size_t		at = 0;

	for (size_t cell = 0; cell < cells; cell++)
		for (size_t q = 1; q < parts; q++)
			for (size_t p = 0; p < q; p++, at++)
			{
				copy_bit(first, at, large, cell * parts + p);
				copy_bit(second, at, large, cell * parts + q);
			}
	for (size_t answer = 0; answer < answered->n; answer++)
		for (size_t part = 0; part < cells * parts; part++, at++)
		{
			copy_bit(first, at, answered, answer);
			copy_bit(second, at, large, part);
		}
}

/* ---- the steps ---- */

/* 1 <= difference < patients_min, and both are large. */
static SharedBits
close_pairs(Party *self, const SharedBits *large, const SharedBits *reached, const ReleaseGuard *guard,
			size_t cells, size_t parts)
{
	size_t		m = all_pairs(guard);
	SharedBits	close = shared_bits_cut(reached, 0, m);
	SharedBits	enough = shared_bits_cut(reached, m, m);
	SharedBits	answered = shared_bits_cut(reached, 2 * m, guard->answers);
	SharedBits	first = shared_bits_alloc(1, m);
	SharedBits	second = shared_bits_alloc(1, m);

	spread_large(&first, &second, large, &answered, cells, parts);
	logic_xor(&close, &enough);	/* who reaches patients_min reaches 1 */
	logic_and(self, &close, &close, &first);
	logic_and(self, &close, &close, &second);
	shared_bits_free(&enough);
	shared_bits_free(&answered);
	shared_bits_free(&first);
	shared_bits_free(&second);
	return close;
}

/* The later part of a close pair. */
static void
withhold_later(Party *self, SharedBits *pass, SharedBits *large, const SharedBits *close, size_t cells, size_t parts)
{
	size_t		k = cells * parts;
	SharedBits	earlier = shared_bits_alloc(parts - 1, k);
	SharedBits	keep = shared_bits_alloc(1, k);
	SharedBits	both = shared_bits_append(pass, large);
	SharedBits	twice;
	size_t		at = 0;

	for (size_t cell = 0; cell < cells; cell++)
		for (size_t q = 1; q < parts; q++)
			for (size_t p = 0; p < q; p++, at++)
			{
				SharedBits	plane = shared_bits_view(&earlier, p, 1);

				copy_bit(&plane, cell * parts + q, close, at);
			}
	logic_or_all(self, &keep, &earlier);
	logic_not(self, &keep);
	twice = shared_bits_append(&keep, &keep);
	logic_and(self, &both, &both, &twice);
	shared_bits_free(pass);
	shared_bits_free(large);
	*pass = shared_bits_cut(&both, 0, k);
	*large = shared_bits_cut(&both, k, k);
	shared_bits_free(&earlier);
	shared_bits_free(&keep);
	shared_bits_free(&both);
	shared_bits_free(&twice);
}

/* The upper half, as long as the lower one. */
static SharedBits
upper_half(const SharedBits *bits, size_t half)
{
	SharedBits	cut = shared_bits_cut(bits, half, bits->n - half);
	SharedBits	upper = shared_bits_alloc(1, half);

	memcpy(upper.mine, cut.mine, BIT_WORDS(cut.n) * sizeof(uint64));
	memcpy(upper.next, cut.next, BIT_WORDS(cut.n) * sizeof(uint64));
	shared_bits_free(&cut);
	return upper;
}

/* Is any of them set?  Everybody learns this bit. */
static bool
open_any(Party *self, SharedBits *bits)
{
	uint64		any = 0;

	while (bits->n > 1)
	{
		size_t		half = (bits->n + 1) / 2;
		SharedBits	lower = shared_bits_cut(bits, 0, half);
		SharedBits	upper = upper_half(bits, half);

		logic_or(self, &lower, &lower, &upper);
		shared_bits_free(&upper);
		shared_bits_free(bits);
		*bits = lower;
	}
	logic_open(self, &any, bits);
	return any != 0;
}

bool
guard_withhold(Party *self, SharedBits *pass, SharedBits *large, const SharedBits *reached,
			   const ReleaseGuard *guard, size_t cells, size_t parts)
{
	SharedBits	close;
	SharedBits	to_earlier;
	bool		any = false;

	if (all_pairs(guard) == 0)
		return true;
	close = close_pairs(self, large, reached, guard, cells, parts);
	if (guard->earlier.n > 0)
	{
		to_earlier = shared_bits_cut(&close, guard->within.n, guard->earlier.n);
		any = open_any(self, &to_earlier);
		shared_bits_free(&to_earlier);
	}
	if (!any && guard->within.n > 0)
		withhold_later(self, pass, large, &close, cells, parts);
	shared_bits_free(&close);
	return !any;
}

/* ---- what it takes ---- */

void
guard_cost(const ReleaseGuard *guard, size_t cells, size_t parts, uint64 *rounds, uint64 *bytes)
{
	if (all_pairs(guard) == 0)
		return;
	*rounds += 2;
	*bytes += 2 * PLANE_BYTES(all_pairs(guard));
	if (guard->earlier.n > 0)
	{
		for (size_t n = guard->earlier.n; n > 1; n = (n + 1) / 2)
		{
			*rounds += 1;
			*bytes += PLANE_BYTES((n + 1) / 2);
		}
		*rounds += 1;
		*bytes += 1 + HASH_BYTES;
	}
	if (guard->within.n > 0)
	{
		for (size_t n = 1; n < parts - 1; n *= 2)
			*rounds += 1;
		*rounds += 1;
		*bytes += (parts - 2) * PLANE_BYTES(cells * parts) + PLANE_BYTES(2 * cells * parts);
	}
}

uint64
guard_need(const ReleaseGuard *guard, size_t cells, size_t parts)
{
	size_t		k = cells * parts;

	return (7 * (uint64) BIT_WORDS(all_pairs(guard)) + (2 * parts + 10) * BIT_WORDS(k)) * 2 * sizeof(uint64);
}
