/*
 * support.h
 *	  Whose values an aggregate is made of: the rows that pass its FILTER and
 *	  in which none of its arguments is NULL.
 *
 * A group with many patients may still have an average over two of them.
 * Each aggregate therefore belongs to a part of the answer with a number of
 * patients of its own: those who contribute to it.
 */
#ifndef SECMED_SUPPORT_H
#define SECMED_SUPPORT_H

#include "postgres.h"
#include "nodes/primnodes.h"

typedef struct Support
{
	List	   *conditions;		/* of FILTER, one by one */
	List	   *present;		/* expressions that must not be NULL */
} Support;

/* May this column be left out, because it is never NULL? */
typedef bool (*NeverNull) (Var *var, void *arg);

extern Support *support_of_aggregate(Aggref *agg, NeverNull never_null, void *arg);

/* All rows of the group. */
extern bool support_is_all(const Support *support);
extern bool support_equal(const Support *a, const Support *b);

/* As one boolean expression, for a FILTER; NULL for all rows. */
extern Expr *support_condition(const Support *support);

#endif							/* SECMED_SUPPORT_H */
