/*
 * site_source_query.h
 *	  What the checking and the running half of sharing rows share.
 */
#ifndef SECMED_SITE_SOURCE_QUERY_H
#define SECMED_SITE_SOURCE_QUERY_H

#include "oblivious/plan.h"
#include "query/site_query.h"
#include "query/site_source.h"

typedef struct SiteSource
{
	const PlanInput *input;
	SiteQuery  *site;
	CanonicalPlan *plan;		/* of the site's query: the SQL as a plan of its own */
	const int  *uses;			/* what the plan does with each column of the input (oblivious/uses.h) */
	Oid		   *types;			/* SQL types of the query's columns, those that the site adds with them */
	uint64		rows_max;		/* more are not shared */
	uint64		patients_min;
} SiteSource;

struct SiteSources
{
	int			site;			/* index of this site */
	int			n;
	SiteSource *sources;
	uint64		patients_max;	/* numbers of patients that each site has to itself */
};

/* Has the input a column that tells patients apart? */
static inline bool
source_numbers_patients(const PlanInput *input)
{
	return input->patient >= 0;
}

#endif							/* SECMED_SITE_SOURCE_QUERY_H */
