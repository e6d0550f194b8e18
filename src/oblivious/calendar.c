/*
 * calendar.c
 *	  Parts of dates, from numbers of days; no table, no branch.
 *
 * A year that begins in March has its leap day at its end, and months of lengths that a
 * line goes through.  [Neri, Schneider: Euclidean affine functions and their application to
 * calendar algorithms, Software: Practice and Experience, 2022; the letters are theirs]
 *
 * Divisions are by public numbers: a product and an exact truncation each.
 */
#include "oblivious/evaluate.h"

#include "mpc/arith64.h"
#include "mpc/compare.h"
#include "mpc/convert.h"
#include "mpc/scaled.h"

/* Days from 0000-03-01 to 2000-01-01. */
#define EPOCH			730425
/* 400 years; and so many of them more that no day in SECRET_DATE_BITS is before the first. */
#define ERA_DAYS		146097
#define ERAS			24
/* Days since then: (2^22 + EPOCH + ERAS * ERA_DAYS) < 2^24. */
#define DAYS_BITS		24

/* 2000-01-01 was a Saturday; and weeks before, as above. */
#define SATURDAY		6
#define WEEKS			599187

/*
 * floor(x m / 2^s) with s = bits + k, 2^(k-1) < d <= 2^k, m = ceil(2^s / d): m d exceeds 2^s by less than
 * d <= 2^k, so x m / 2^s exceeds x / d by less than x / (2^bits d) < 1 / d, and reaches no integer that
 * x / d does not.  x m < 2^(2 bits + 1).  [Granlund, Montgomery: Division by Invariant
 * Integers using Multiplication, PLDI 1994]
 */
void
divide_by_public(Party *self, Shared64 *q, const Shared64 *x, uint64 divisor, int bits)
{
	int			shift = bits;

	Assert(bits <= 31 && divisor >= 2);
	while (UINT64CONST(1) << (shift - bits) < divisor)
		shift++;
	shared64_scale(q, x, ((((uint128) 1) << shift) + divisor - 1) / divisor);
	scaled_truncate(self, q, q, shift);
}

/* z += c x */
static void
add_scaled(Shared64 *z, const Shared64 *x, uint64 c)
{
	Shared64	scaled = shared64_alloc(x->n);

	shared64_scale(&scaled, x, c);
	shared64_add(z, z, &scaled);
	shared64_free(&scaled);
}

/* z = c x + a */
static void
line(const Party *self, Shared64 *z, const Shared64 *x, uint64 c, uint64 a)
{
	shared64_scale(z, x, c);
	arith64_add_constant(self, z, z, a);
}

/* What a date consists of, in years that begin in March. */
typedef struct March
{
	Shared64	year;			/* Y */
	Shared64	day;			/* N_Y, of the year, from 0 */
	Shared64	late;			/* J: January or February, so of the year after */
} March;

static void
march_free(March *march)
{
	shared64_free(&march->year);
	shared64_free(&march->day);
	shared64_free(&march->late);
}

/* N_C = day of the century C; r = 4 N + 3. */
static void
centuries(Party *self, Shared64 *c, Shared64 *n_c, const Shared64 *days)
{
	Shared64	r = shared64_alloc(days->n);

	line(self, &r, days, 4, 4 * (EPOCH + (uint64) ERAS * ERA_DAYS) + 3);
	divide_by_public(self, c, &r, ERA_DAYS, DAYS_BITS + 2);
	add_scaled(&r, c, -(uint64) ERA_DAYS);
	scaled_truncate(self, n_c, &r, 2);
	shared64_free(&r);
}

static void
late_months(Party *self, Shared64 *late, const Shared64 *day)
{
	const uint64 first = 306;	/* of January */
	SharedBits	early = shared_bits_alloc(1, day->n);

	compare_less_public(self, &early, day, &first, 1, KIND_INT(10));
	convert_bit_to_ring64(self, late, &early);
	shared_bits_free(&early);
	line(self, late, late, -1, 1);
}

static March
march_of(Party *self, const Shared64 *days)
{
	size_t		n = days->n;
	March		march = {shared64_alloc(n), shared64_alloc(n), shared64_alloc(n)};
	Shared64	c = shared64_alloc(n);
	Shared64	z = shared64_alloc(n);

	centuries(self, &c, &march.day, days);

	/* Z = (4 N_C + 3) / 1461 */
	line(self, &z, &march.day, 4, 3);
	divide_by_public(self, &z, &z, 1461, 18);
	shared64_copy(&march.year, &z);
	add_scaled(&march.year, &c, 100);
	arith64_add_constant(self, &march.year, &march.year, -(uint64) (400 * ERAS));

	/* N_Y = N_C - floor(1461 Z / 4) */
	shared64_scale(&z, &z, 1461);
	scaled_truncate(self, &z, &z, 2);
	shared64_subtract(&march.day, &march.day, &z);
	late_months(self, &march.late, &march.day);
	shared64_free(&c);
	shared64_free(&z);
	return march;
}

/* There is no year 0: before 1 comes -1. */
static void
skip_year_0(Party *self, Shared64 *year)
{
	const uint64 first = 1;
	SharedBits	before = shared_bits_alloc(1, year->n);
	Shared64	one = shared64_alloc(year->n);

	compare_less_public(self, &before, year, &first, 1, KIND_INT(16));
	convert_bit_to_ring64(self, &one, &before);
	shared64_subtract(year, year, &one);
	shared_bits_free(&before);
	shared64_free(&one);
}

/* N_3 = 2141 N_Y + 197913; M = N_3 / 2^16, 3 to 14; D = (N_3 mod 2^16) / 2141, from 0. */
static void
month_and_day(Party *self, Shared64 *part, const March *march, bool day)
{
	Shared64	n_3 = shared64_alloc(part->n);

	line(self, &n_3, &march->day, 2141, 197913);
	scaled_truncate(self, part, &n_3, 16);
	if (day)
	{
		add_scaled(&n_3, part, -(uint64) 65536);
		divide_by_public(self, part, &n_3, 2141, 16);
		arith64_add_constant(self, part, part, 1);
	}
	else
		add_scaled(part, &march->late, -(uint64) 12);
	shared64_free(&n_3);
}

static void
day_of_week(Party *self, Shared64 *part, const Shared64 *days)
{
	Shared64	whole = shared64_alloc(days->n);
	Shared64	weeks = shared64_alloc(days->n);

	arith64_add_constant(self, &whole, days, SATURDAY + 7 * WEEKS);
	divide_by_public(self, &weeks, &whole, 7, DAYS_BITS);
	add_scaled(&whole, &weeks, -(uint64) 7);
	shared64_copy(part, &whole);
	shared64_free(&whole);
	shared64_free(&weeks);
}

void
calendar_part(Party *self, Shared64 *part, const Shared64 *days, ExpressionKind kind, bool before_christ)
{
	March		march;

	if (kind == EXPRESSION_DOW)
	{
		day_of_week(self, part, days);
		return;
	}
	march = march_of(self, days);
	if (kind == EXPRESSION_YEAR)
	{
		shared64_add(part, &march.year, &march.late);
		if (before_christ)
			skip_year_0(self, part);
	}
	else
		month_and_day(self, part, &march, kind == EXPRESSION_DAY);
	if (kind == EXPRESSION_QUARTER)
	{
		arith64_add_constant(self, part, part, 2);
		divide_by_public(self, part, part, 3, 4);
	}
	march_free(&march);
}

/*
 * A day has 2^13 e microseconds, e = 10546875.  With t = floor(x / 2^13) the day is floor(t / e).  With u = floor(t / 2^20),
 * |u| < 2^31, and m = floor(2^55 / e), u m / 2^35 is t / e less something in (-1/16, 0.1 + 1/16), for
 * u m < 2^63.  Less 1/16 more, its floor is the day or one less; then the remainder is e or more.
 */
void
calendar_day(Party *self, Shared64 *day, const Shared64 *microseconds)
{
	const uint64 e = 10546875;
	size_t		n = microseconds->n;
	Shared64	t = shared64_alloc(n);
	Shared64	rest = shared64_alloc(n);
	SharedBits	right = shared_bits_alloc(1, n);

	scaled_truncate(self, &t, microseconds, 13);
	scaled_truncate(self, day, &t, 20);
	line(self, day, day, (UINT64CONST(1) << 55) / e, -(UINT64CONST(1) << 31));
	scaled_truncate(self, day, day, 35);

	shared64_copy(&rest, &t);
	add_scaled(&rest, day, -e);
	compare_less_public(self, &right, &rest, &e, 1, KIND_INT(26));
	convert_bit_to_ring64(self, &rest, &right);
	shared64_subtract(day, day, &rest);
	arith64_add_constant(self, day, day, 1);
	shared64_free(&t);
	shared64_free(&rest);
	shared_bits_free(&right);
}
