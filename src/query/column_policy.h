/*
 * column_policy.h
 *	  What a published column may be used for.
 *
 *	  aggregate   inside sums, averages and their like, and counted
 *	  group       in GROUP BY
 *	  filter      in WHERE, ON and FILTER
 *	  join        as one side of column = column of two tables
 *	  extreme     for minimum and maximum, which are values of single patients
 *
 * A site allows what its policy names (secmed.set_column_policy), and of that what the rule
 * for the column's class in the table's jurisdiction leaves.  Where nobody has said anything: all but
 * extreme; of the patient column filter and join, because a sum may be masked by a number that
 * tells patients apart.  Counting patients is always allowed.
 *
 * A bucket makes values coarser in the published view itself, so that no question, whatever its
 * shape, comes to the values behind it.
 */
#ifndef SECMED_COLUMN_POLICY_H
#define SECMED_COLUMN_POLICY_H

#include "postgres.h"
#include "nodes/parsenodes.h"

typedef enum ColumnUse
{
	USE_AGGREGATE = 1,
	USE_GROUP = 2,
	USE_FILTER = 4,
	USE_JOIN = 8,
	USE_EXTREME = 16,
	USE_COUNT = 32				/* in count() by itself: of whoever may be aggregated, and of the patient */
} ColumnUse;

#define USES_NAMED			(USE_AGGREGATE | USE_GROUP | USE_FILTER | USE_JOIN | USE_EXTREME)
#define USES_OF_COLUMN		(USE_AGGREGATE | USE_GROUP | USE_FILTER | USE_JOIN)
#define USES_OF_PATIENT		(USE_FILTER | USE_JOIN)

/* "aggregate, filter"; "nothing" */
extern char *column_uses_text(int uses);

/* The set in such a text, commas or spaces between; -1 if a word is none of them. */
extern int	column_uses_parse(const char *text);

/*
 * Of what an oblivious plan does with a column of an input (oblivious/uses.h): what must be allowed of each column that it is
 * computed from.  plain: it is one column as it is; numbers: of the patients, which are never opened.
 */
extern int	column_uses_of_plan(int uses, bool plain, bool numbers);

/* Is told of each use of each column. */
typedef void (*ColumnUser) (Var *var, ColumnUse use, void *arg);

extern void column_uses_of_aggregate(Aggref *agg, ColumnUser user, void *arg);
extern void column_uses_of_key(Node *expr, ColumnUser user, void *arg);

/* Of FROM and WHERE. */
extern void column_uses_of_jointree(Node *jointree, ColumnUser user, void *arg);

/*
 * What the published view shows of a column: SQL over its quoted name.  `bucket` is
 *
 *	  top:89      numbers over 89 are 90
 *	  width:5     numbers are rounded down to multiples of 5
 *	  month, quarter, year   dates and timestamps are the first of theirs
 *	  prefix:3    of texts the first characters
 *
 * NULL if there is no such bucket, or none of this type.
 */
extern char *bucket_expression(const char *column, Oid type, int32 typmod, const char *bucket);

#endif							/* SECMED_COLUMN_POLICY_H */
