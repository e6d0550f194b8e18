/*
 * uses.h
 *	  What a plan does with each column of its inputs: for sites, which allow of their columns some things and not others.
 *
 * A column of a relation stands for the columns of inputs that it was computed from, until a GROUP that counts
 * patients has made aggregates of them.
 */
#ifndef SECMED_OBLIVIOUS_USES_H
#define SECMED_OBLIVIOUS_USES_H

#include "base/base.h"
#include "oblivious/check.h"

/* The same bits as those of a site's policy (query/column_policy.h). */
#define INPUT_AGGREGATE		1	/* in sums and their like */
#define INPUT_GROUP			2	/* a key of a GROUP */
#define INPUT_FILTER		4	/* in a condition of a FILTER or an aggregate */
#define INPUT_JOIN			8	/* a key of a JOIN */
#define INPUT_EXTREME		16	/* in min, max, percentiles */
#define INPUT_COUNT			32	/* counted by itself */
/* And one more, which is theirs for GROUP BY: */
#define INPUT_OPENED		64	/* keys that are opened, or sorted by */

/* Of input i and its column c: uses[i][c].  Groups that sites made have none: their own SQL says it all. */
extern int **plan_uses(const CheckedPlan *checked);

#endif							/* SECMED_OBLIVIOUS_USES_H */
