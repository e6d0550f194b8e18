/*
 * merge.h
 *	  GROUP BY without public values: each site groups its own rows, and the parties merge the groups.
 *
 * What is shared is as long as the number of groups, not of rows.  Only sums, counts, bool_and and bool_or can
 * be had this way, and keys by which sites can group; for anything else rows are shared (answer.h).
 */
#ifndef SECMED_MERGE_H
#define SECMED_MERGE_H

#include "compute/answer.h"

/* NULL with a refusal if it can't be.  constants: NULL, or what becomes of them. */
extern Answer *merge_query(PlannerInfo *root, RelOptInfo *grouped, List *having, Constants *constants,
						   QueryRefusal *refusal);

#endif							/* SECMED_MERGE_H */
