/*
 * earlier.c
 *	  Which answers sites compare a question with, and how their lists become one.
 */
#include "contract/earlier.h"

/* ---- bytes ---- */

void
earlier_encode(StringInfo out, const EarlierAnswers *earlier)
{
	cbor_array(out, 2);
	cbor_array(out, earlier->ncontents);
	for (int i = 0; i < earlier->ncontents; i++)
		cbor_uint(out, earlier->groups[i]);
	cbor_array(out, earlier->nruns);
	for (int i = 0; i < earlier->nruns; i++)
	{
		cbor_array(out, 2);
		cbor_bytes(out, earlier->runs[i].run, RUN_ID_BYTES);
		cbor_uint(out, earlier->runs[i].content);
	}
}

void
earlier_read(CborReader *in, EarlierAnswers *earlier)
{
	cbor_expect_array(in, 2);
	earlier->ncontents = (int) cbor_read_array(in, EARLIER_RUNS_MAX);
	earlier->groups = palloc((earlier->ncontents + 1) * sizeof(uint32));
	for (int i = 0; i < earlier->ncontents; i++)
	{
		earlier->groups[i] = (uint32) cbor_read_uint(in, ELEMENTS_MAX);
		if (in->error == NULL && earlier->groups[i] == 0)
			in->error = "an earlier answer without groups";
	}
	earlier->nruns = (int) cbor_read_array(in, EARLIER_RUNS_MAX);
	earlier->runs = palloc((earlier->nruns + 1) * sizeof(EarlierRun));
	for (int i = 0; i < earlier->nruns; i++)
	{
		cbor_expect_array(in, 2);
		cbor_read_fixed(in, earlier->runs[i].run, RUN_ID_BYTES);
		earlier->runs[i].content = (uint32) cbor_read_uint(in, EARLIER_RUNS_MAX);
		if (in->error == NULL && earlier->runs[i].content >= earlier->ncontents)
			in->error = "an earlier run with a content that is not listed";
	}
}

/* ---- elements ---- */

size_t
earlier_offset(const EarlierAnswers *earlier, uint32 content, size_t k)
{
	size_t		at = 0;

	for (uint32 i = 0; i < content; i++)
		at += earlier->groups[i] * (1 + k);
	return at;
}

size_t
earlier_elements(const EarlierAnswers *earlier, size_t k)
{
	size_t		n = earlier_offset(earlier, earlier->ncontents, k);

	return n > EARLIER_ELEMENTS_MAX ? 0 : n;
}

/* ---- one list of many ---- */

typedef struct Known
{
	const EarlierRun *run;
	int			site;
	uint32		groups;
} Known;

static int
compare_runs(const void *a, const void *b)
{
	const Known *x = a;
	const Known *y = b;
	int			order = memcmp(x->run->run, y->run->run, RUN_ID_BYTES);

	return order != 0 ? order : x->site - y->site;
}

static Known *
all_runs(const EarlierAnswers *of_sites, int n, size_t *count)
{
	Known	   *known;

	*count = 0;
	for (int i = 0; i < n; i++)
		*count += of_sites[i].nruns;
	known = palloc((*count + 1) * sizeof(Known));
	*count = 0;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < of_sites[i].nruns; j++)
		{
			const EarlierRun *run = &of_sites[i].runs[j];

			known[(*count)++] = (Known) {run, i, of_sites[i].groups[run->content]};
		}
	qsort(known, *count, sizeof(Known), compare_runs);
	return known;
}

static int
compare_answers(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(EarlierAnswer));
}

/* Of neighbours that are equal one remains. */
static int
only_different(EarlierAnswer *answers, int n)
{
	int			kept = 0;

	qsort(answers, n, sizeof(EarlierAnswer), compare_answers);
	for (int i = 0; i < n; i++)
		if (kept == 0 || compare_answers(&answers[kept - 1], &answers[i]) != 0)
			answers[kept++] = answers[i];
	return kept;
}

bool
earlier_join(const EarlierAnswers *of_sites, int n, EarlierAnswer **answers, int *nanswers)
{
	size_t		count;
	Known	   *known = all_runs(of_sites, n, &count);
	EarlierAnswer *list = palloc0((count + 1) * sizeof(EarlierAnswer));
	int			last = -1;

	for (size_t i = 0; i < count; i++)
	{
		bool		same = i > 0 && memcmp(known[i].run->run, known[i - 1].run->run, RUN_ID_BYTES) == 0;

		if (same && known[i].groups != known[i - 1].groups)
			return false;
		if (!same)
		{
			list[++last].groups = known[i].groups;
			for (int site = 0; site < SITES_MAX; site++)
				list[last].contents[site] = -1;
		}
		list[last].contents[known[i].site] = (int32) known[i].run->content;
	}
	pfree(known);
	*answers = list;
	*nanswers = only_different(list, last + 1);
	return true;
}
