/*
 * cohort.c
 *	  Who is behind a number, in 8 kB.
 */
#include "contract/cohort.h"

#define FORM_PRINTS		1
#define FORM_BUCKETS	2

#define PRINTS_FIRST	8

/* The top 11 bits. */
static uint32
bucket_of(uint64 print)
{
	StaticAssertStmt(COHORT_BUCKETS == 1 << 11, "the bucket is in 11 bits");
	return print >> 53;
}

/* Odd, so that no number of rows makes it vanish. */
static uint32
sum_of(uint64 print)
{
	return (uint32) print | 1;
}

static void
spread_prints(uint32 *buckets, const uint64 *prints, uint32 n)
{
	for (uint32 i = 0; i < n; i++)
		buckets[bucket_of(prints[i])] += sum_of(prints[i]);
}

static void
make_buckets(Cohort *cohort)
{
	cohort->buckets = palloc0(COHORT_BUCKETS * sizeof(uint32));
	spread_prints(cohort->buckets, cohort->prints, cohort->n);
	if (cohort->prints != NULL)
		pfree(cohort->prints);
	cohort->prints = NULL;
	cohort->n = cohort->room = 0;
}

static void
make_room(Cohort *cohort)
{
	cohort->room = cohort->room ? 2 * cohort->room : PRINTS_FIRST;
	cohort->prints = cohort->prints ? repalloc(cohort->prints, cohort->room * sizeof(uint64)) :
		palloc(cohort->room * sizeof(uint64));
}

void
cohort_add(Cohort *cohort, uint64 print)
{
	if (cohort->buckets == NULL && cohort->n == COHORT_PRINTS_MAX)
		make_buckets(cohort);
	if (cohort->buckets != NULL)
	{
		cohort->buckets[bucket_of(print)] += sum_of(print);
		return;
	}
	if (cohort->n == cohort->room)
		make_room(cohort);
	cohort->prints[cohort->n++] = print;
}

void
cohort_combine(Cohort *cohort, const Cohort *other)
{
	if (other->buckets == NULL)
	{
		for (uint32 i = 0; i < other->n; i++)
			cohort_add(cohort, other->prints[i]);
		return;
	}
	if (cohort->buckets == NULL)
		make_buckets(cohort);
	for (int i = 0; i < COHORT_BUCKETS; i++)
		cohort->buckets[i] += other->buckets[i];
}

/* ---- bytes ---- */

static void
put_little_endian(StringInfo out, uint64 value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		appendStringInfoChar(out, (char) (value >> (8 * i)));
}

static uint64
get_little_endian(const uint8 *bytes, int n)
{
	uint64		value = 0;

	for (int i = 0; i < n; i++)
		value |= (uint64) bytes[i] << (8 * i);
	return value;
}

void
cohort_encode(StringInfo out, const Cohort *cohort)
{
	appendStringInfoChar(out, cohort->buckets ? FORM_BUCKETS : FORM_PRINTS);
	for (int i = 0; cohort->buckets && i < COHORT_BUCKETS; i++)
		put_little_endian(out, cohort->buckets[i], 4);
	for (uint32 i = 0; i < cohort->n; i++)
		put_little_endian(out, cohort->prints[i], 8);
}

bool
cohort_decode(Cohort *cohort, const void *bytes, size_t len)
{
	const uint8 *in = bytes;

	if (len < 1)
		return false;
	len--;
	if (*in++ == FORM_PRINTS)
	{
		if (len % 8 != 0 || len / 8 > COHORT_PRINTS_MAX)
			return false;
		for (size_t i = 0; i < len / 8; i++)
			cohort_add(cohort, get_little_endian(in + 8 * i, 8));
		return true;
	}
	if (in[-1] != FORM_BUCKETS || len != COHORT_BUCKETS * 4)
		return false;
	make_buckets(cohort);
	for (int i = 0; i < COHORT_BUCKETS; i++)
		cohort->buckets[i] = (uint32) get_little_endian(in + 4 * i, 4);
	return true;
}

/* ---- comparing ---- */

void
cohort_expand(uint32 *buckets, const Cohort *cohort)
{
	spread_prints(buckets, cohort->prints, cohort->n);
	for (int i = 0; cohort->buckets && i < COHORT_BUCKETS; i++)
		buckets[i] += cohort->buckets[i];
}

uint32
cohort_filled(const uint32 *buckets)
{
	uint32		n = 0;

	for (int i = 0; i < COHORT_BUCKETS; i++)
		n += buckets[i] != 0;
	return n;
}

CohortView
cohort_view(const Cohort *cohort)
{
	CohortView	view = {.buckets = palloc0(COHORT_BUCKETS * sizeof(uint32))};
	uint32		filled;

	cohort_expand(view.buckets, cohort);
	filled = cohort_filled(view.buckets);
	if (cohort->buckets != NULL)
		return view;
	view.which = palloc(filled * sizeof(uint16) + 1);
	view.sums = palloc(filled * sizeof(uint32) + 1);
	for (int i = 0; i < COHORT_BUCKETS; i++)
		if (view.buckets[i] != 0)
		{
			view.which[view.n] = i;
			view.sums[view.n++] = view.buckets[i];
		}
	pfree(view.buckets);
	view.buckets = NULL;
	return view;
}

uint32
cohort_difference(const CohortView *a, const uint32 *buckets, uint32 filled)
{
	uint32		differ = a->buckets ? 0 : filled;

	for (int i = 0; a->buckets && i < COHORT_BUCKETS; i++)
		differ += a->buckets[i] != buckets[i];
	/* Where only a has somebody, one more; where both have the same, one less. */
	for (uint32 i = 0; i < a->n; i++)
	{
		uint32		other = buckets[a->which[i]];

		differ += other == 0 ? 1 : other == a->sums[i] ? -1 : 0;
	}
	return differ;
}

static void
expand_view(uint32 *buckets, const CohortView *view)
{
	for (uint32 i = 0; i < view->n; i++)
		buckets[view->which[i]] = view->sums[i];
}

uint32
cohort_view_difference(const CohortView *a, const CohortView *b)
{
	uint32	   *buckets;
	uint32		differ;

	if (b->buckets != NULL)
		return cohort_difference(a, b->buckets, a->buckets ? 0 : cohort_filled(b->buckets));
	buckets = palloc0(COHORT_BUCKETS * sizeof(uint32));
	expand_view(buckets, b);
	differ = cohort_difference(a, buckets, b->n);
	pfree(buckets);
	return differ;
}
