/*
 * site_cohorts.h
 *	  Whom a site's sums are about, and by how few patients they differ from each other and from what was answered.
 */
#ifndef SECMED_SITE_COHORTS_H
#define SECMED_SITE_COHORTS_H

#include "contract/earlier.h"
#include "query/site_query.h"

/* Of each part of each cell, and each table that tells its patients apart (labels). */
struct SiteCohorts
{
	int			nlabels;
	char	  **labels;
	List	  **measures;		/* of each part: the columns that its aggregates are made of ("table.column"), or NIL */
	bool	   *revealed;		/* it has aggregates at all */
	size_t		n;				/* parts of cells */
	bytea	  **chosen;			/* n times nlabels: a sketch of whom conditions choose; NULL where nobody is */
	bytea	  **present;		/* and of those who have values of these columns; NULL: the same, or nobody */
	bool	   *has_present;	/* of each part: `present` is not the same */
};

/*
 * Columns of a checked query for the sketches, in the order of the parts and in each of the labels, `present` behind
 * `chosen`; as the runner.  site_cohorts_take() fills them in from a row's columns `column` on.
 */
extern List *site_cohort_targets(SiteQuery *site, Query *query, int64 key);
extern void site_cohorts_take(SiteQuery *site, size_t cell, TupleTableSlot *slot, int column);

/*
 * Behind the elements of the plan: what contract/earlier.h says.  Compares with what was answered, and records the run as an answer;
 * from here until the transaction's end nobody else does (govern/answered.h).
 *
 * Answers with noise are neither compared nor remembered: their budget says what they tell together (govern/budget.h).
 *
 * Answers for which the list has no room are compared here alone: ERRCODE_SECMED_DIFFERENCING if a group is
 * close to one of them at this site.
 */
extern uint128 *site_compare(SiteQuery *site, const uint128 *elements, const List *tables, EarlierAnswers *earlier,
							 size_t *n);

#endif							/* SECMED_SITE_COHORTS_H */
