/*
 * consent_decide.c
 *	  Whether a patient's provisions permit a use.
 */
#include "postgres.h"

#include "govern/consent.h"

typedef enum Verdict
{
	SAYS_NOTHING,
	PERMITS,
	DENIES
} Verdict;

/* The part of HL7 v3 ActReason below HRESCH: purposes of research. */
static const struct
{
	const char *code;
	const char *broader;
}			purposes[] = {
	{"BIORCH", "HRESCH"},
	{"CLINTRCH", "HRESCH"},
	{"CLINTRCHNPC", "CLINTRCH"},
	{"CLINTRCHPC", "CLINTRCH"},
	{"PRECLINTRCH", "CLINTRCH"},
	{"DSRCH", "HRESCH"},
	{"POARCH", "HRESCH"},
	{"TRANSRCH", "HRESCH"},
};

static const char *
broader_purpose(const char *code)
{
	for (int i = 0; i < lengthof(purposes); i++)
		if (strcmp(purposes[i].code, code) == 0)
			return purposes[i].broader;
	return NULL;
}

bool
purpose_within(const char *purpose, const char *other)
{
	for (; purpose != NULL; purpose = broader_purpose(purpose))
		if (strcmp(purpose, other) == 0)
			return true;
	return false;
}

static bool
has_text(List *list, const char *text)
{
	ListCell   *lc;

	foreach(lc, list)
		if (strcmp(lfirst(lc), text) == 0)
			return true;
	return false;
}

/* A denial of a narrower purpose counts too: it may be among what is done for a broader one. */
static bool
fits_purpose(const Provision *provision, const char *purpose)
{
	ListCell   *lc;

	foreach(lc, provision->purposes)
		if (purpose_within(purpose, lfirst(lc)) ||
			(!provision->permit && purpose_within(lfirst(lc), purpose)))
			return true;
	return provision->purposes == NIL;
}

/* A permission must be of all the table's classes, a denial of one of them. */
static bool
fits_classes(const Provision *provision, List *classes)
{
	bool		all = classes != NIL;
	bool		any = classes == NIL;
	ListCell   *lc;

	foreach(lc, classes)
	{
		bool		has = has_text(provision->classes, lfirst(lc));

		all = all && has;
		any = any || has;
	}
	return provision->classes == NIL || (provision->permit ? all : any);
}

static bool
fits(const Provision *provision, const ConsentQuestion *question)
{
	return provision->from <= question->at && question->at < provision->until &&
		!(provision->limited && provision->permit) &&
		(provision->actors == NIL || has_text(provision->actors, question->actor)) &&
		fits_purpose(provision, question->purpose) && fits_classes(provision, question->classes);
}

/* Children come after their parents: from the last on, each tells its parent. */
bool
consent_permits(const Provision *provisions, int n, const ConsentQuestion *question)
{
	Verdict    *of_children = palloc0(sizeof(Verdict) * (n + 1));
	Verdict		whole = SAYS_NOTHING;

	for (int i = n - 1; i >= 0; i--)
	{
		int			parent = provisions[i].parent;
		Verdict    *above = parent < 0 ? &whole : &of_children[parent];
		Verdict		verdict = of_children[i];

		if (!fits(&provisions[i], question))
			continue;
		if (verdict == SAYS_NOTHING)
			verdict = provisions[i].permit ? PERMITS : DENIES;
		*above = Max(*above, verdict);
	}
	pfree(of_children);
	return whole == PERMITS;
}
