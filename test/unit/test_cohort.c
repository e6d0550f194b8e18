/*
 * test_cohort.c
 *	  Sketches of patients: a small difference is never missed, a large one is large, whatever
 *	  the order, the number of rows, or where they were collected.
 */
#include "base/base.h"

#include "contract/cohort.h"
#include "crypto/prg.h"
#include "leaves.h"
#include "unit.h"

static uint64
print_of(uint64 patient)
{
	/* [Steele, Lea, Flood, OOPSLA 2014: splitmix64] */
	uint64		z = patient * UINT64CONST(0x9E3779B97F4A7C15) + UINT64CONST(0x1234567);

	z = (z ^ (z >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static bool symmetric = true;

/* Patients first to last but `without`, each `rows` times. */
static Cohort
cohort_of(uint64 first, uint64 last, uint64 without, int rows)
{
	Cohort		cohort = {0};

	for (uint64 i = first; i <= last; i++)
		for (int row = 0; row < rows && i != without; row++)
			cohort_add(&cohort, print_of(i));
	return cohort;
}

static uint32
difference(Cohort a, Cohort b)
{
	CohortView	x = cohort_view(&a);
	CohortView	y = cohort_view(&b);
	uint32		forth = cohort_view_difference(&x, &y);

	symmetric = symmetric && forth == cohort_view_difference(&y, &x);
	return forth;
}

static void
test_differences(void)
{
	static const uint64 sizes[] = {1, 11, 300, 512, 513, 5000, 100000};
	Cohort		nobody = {0};
	bool		exact = true;

	for (int i = 0; i < lengthof(sizes); i++)
	{
		exact = exact && difference(cohort_of(1, sizes[i], 0, 1), cohort_of(1, sizes[i], 0, 1)) == 0;
		exact = exact && difference(cohort_of(1, sizes[i], 0, 1), cohort_of(1, sizes[i], sizes[i] / 2 + 1, 1)) == 1;
		exact = exact && difference(cohort_of(1, sizes[i], 0, 1), cohort_of(1, sizes[i] + 1, 0, 1)) == 1;
	}
	check(exact, "one patient is one, none is none");
	check(difference(cohort_of(1, 1000, 0, 1), cohort_of(1, 1000, 7, 2)) > 700, "rows count");
	check(difference(nobody, cohort_of(1, 3, 0, 1)) == 3 && difference(nobody, nobody) == 0, "against nobody");
	check(difference(cohort_of(1, 5000, 0, 1), cohort_of(5001, 10000, 0, 1)) > 1800, "others are others");
	check(difference(cohort_of(1, 1000, 0, 3), cohort_of(1, 1000, 0, 3)) == 0, "three rows of each are three rows of each");
}

/* A patient whose rows differ in number: whatever the numbers are. */
static void
test_rows(void)
{
	bool		seen = true;

	for (int rows = 1; rows < 300; rows++)
	{
		Cohort		more = cohort_of(1, 100, 0, 1);
		Cohort		one = cohort_of(1, 100, 0, 1);

		for (int i = 0; i < rows; i++)
			cohort_add(&more, print_of(50));
		seen = seen && difference(more, one) == 1;
	}
	check(seen, "more rows of one patient are a difference of one");
}

static void
test_large(void)
{
	int			missed = 0;
	bool		never_more = true;

	for (uint64 d = 1; d <= 200; d++)
	{
		uint32		found = difference(cohort_of(1, 3000, 0, 1), cohort_of(1, 3000 + d, 0, 1));

		never_more = never_more && found > 0 && found <= d;
		missed += d - found;
	}
	check(never_more, "differences of 1 to 200 are at most that, and not none");
	/* sum of d^2 / 4096 for d up to 200 is about 650 */
	check(missed < 900, "and hardly less: %d of 20100 are missed", missed);
}

static void
test_combine(void)
{
	static const uint64 cuts[] = {0, 1, 100, 511, 512, 700, 1200};
	Cohort		all = cohort_of(1, 1200, 0, 1);

	for (int i = 0; i < lengthof(cuts); i++)
	{
		Cohort		sum = cohort_of(1, cuts[i], 0, 1);
		Cohort		rest = cohort_of(cuts[i] + 1, 1200, 0, 1);

		cohort_combine(&sum, &rest);
		check(difference(sum, all) == 0, "parts of workers, cut behind " UINT64_FORMAT, cuts[i]);
	}
}

static void
test_bytes(void)
{
	static const uint64 sizes[] = {0, 1, 512, 513};

	for (int i = 0; i < lengthof(sizes); i++)
	{
		Cohort		cohort = cohort_of(1, sizes[i], 0, 1);
		Cohort		again = {0};
		Cohort		broken = {0};
		StringInfoData bytes;

		initStringInfo(&bytes);
		cohort_encode(&bytes, &cohort);
		check(bytes.len == (sizes[i] > 512 ? 1 + 4 * COHORT_BUCKETS : 1 + 8 * sizes[i]), "bytes of " UINT64_FORMAT, sizes[i]);
		check(cohort_decode(&again, bytes.data, bytes.len) && difference(cohort, again) == 0, "read back");
		check(!cohort_decode(&broken, bytes.data, bytes.len - 1) || bytes.len == 2, "one byte less is none");
		bytes.data[0] = 3;
		check(!cohort_decode(&broken, bytes.data, bytes.len), "nor another form");
	}
}

int
main(void)
{
	test_differences();
	test_rows();
	test_large();
	test_combine();
	test_bytes();
	check(symmetric, "a difference is the same both ways");
	return unit_done();
}
