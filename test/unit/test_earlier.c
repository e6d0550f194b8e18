/*
 * test_earlier.c
 *	  Lists of earlier answers: bytes, elements, and what several sites' lists come to.
 */
#include "base/base.h"

#include "contract/earlier.h"
#include "hostile.h"

static bool
earlier_again(StringInfo again, const void *bytes, size_t len, const char **reason)
{
	EarlierAnswers earlier;
	CborReader	in;

	cbor_start(&in, bytes, len);
	earlier_read(&in, &earlier);
	*reason = cbor_finish(&in) ? NULL : in.error ? in.error : "bytes after it";
	if (*reason != NULL)
		return false;
	earlier_encode(again, &earlier);
	return true;
}

static EarlierRun
run_of(uint8 id, uint32 content)
{
	EarlierRun	run = {.content = content};

	memset(run.run, id, RUN_ID_BYTES);
	return run;
}

static void
test_earlier_bytes(void)
{
	uint32		groups[] = {6, 1};
	EarlierRun	runs[] = {run_of(1, 0), run_of(2, 1), run_of(3, 0)};
	EarlierAnswers earlier = {2, groups, 3, runs};
	StringInfoData bytes;

	initStringInfo(&bytes);
	earlier_encode(&bytes, &earlier);
	test_hostile("earlier answers", earlier_again, &bytes);
	runs[2].content = 2;
	initStringInfo(&bytes);
	earlier_encode(&bytes, &earlier);
	check_refused(earlier_again, bytes, "an earlier run with a content that is not listed", "a content that is not there");
	runs[2].content = 0;
	groups[1] = 0;
	initStringInfo(&bytes);
	earlier_encode(&bytes, &earlier);
	check_refused(earlier_again, bytes, "an earlier answer without groups", "an answer without groups");
}

static void
test_elements(void)
{
	uint32		groups[] = {6, 1, 1000};
	EarlierAnswers earlier = {3, groups, 0, NULL};

	check(earlier_offset(&earlier, 0, 4) == 0 && earlier_offset(&earlier, 2, 4) == 35, "where contents begin");
	check(earlier_elements(&earlier, 4) == 5035, "elements of all");
	check(earlier_elements(&earlier, 100) == 0, "more than a site shares");
	earlier.ncontents = 0;
	check(earlier_elements(&earlier, 4) == 0, "of none none");
}

/* Sites 0 and 1 know run 1 and its repetition 2, which had another content at site 1 only; site 2 knows run 3. */
static void
test_join(void)
{
	uint32		groups[] = {6, 6};
	EarlierRun	at_0[] = {run_of(2, 0), run_of(1, 0), run_of(4, 0)};
	EarlierRun	at_1[] = {run_of(1, 0), run_of(2, 1), run_of(4, 1)};
	EarlierRun	at_2[] = {run_of(3, 0)};
	EarlierAnswers of_sites[] = {{1, groups, 3, at_0}, {2, groups, 3, at_1}, {1, groups, 1, at_2}};
	EarlierAnswer *answers;
	EarlierAnswer *turned;
	int			n;
	int			m;

	check(earlier_join(of_sites, 3, &answers, &n) && n == 3, "runs of the same contents are one answer");
	for (int i = 0; i < n; i++)
	{
		const int32 *c = answers[i].contents;

		check(answers[i].groups == 6 && c[3] == -1 && (c[2] == 0 ? c[0] == -1 && c[1] == -1 : c[0] == 0 && c[1] >= 0),
			  "answer %d is of those who know it", i);
	}
	at_0[0] = run_of(1, 0);
	at_0[1] = run_of(2, 0);
	check(earlier_join(of_sites, 3, &turned, &m) && m == n && memcmp(answers, turned, n * sizeof(EarlierAnswer)) == 0,
		  "in the same order whatever the lists'");
	groups[1] = 7;
	check(!earlier_join(of_sites, 3, &answers, &n), "the groups of a run are as many at all sites");
	check(earlier_join(of_sites, 0, &answers, &n) && n == 0, "no sites, no answers");
}

int
main(void)
{
	test_earlier_bytes();
	test_elements();
	test_join();
	memory_reset();
	return unit_done();
}
