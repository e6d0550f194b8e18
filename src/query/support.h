/*
 * support.h
 *	  Whose values an aggregate is made of: the rows that pass its FILTER, in
 *	  which none of its arguments is NULL, and of a sum those that add something to it.
 *
 * A group with many patients may still have an average over two of them, or a
 * sum in which everybody but one patient is multiplied by zero.  Each aggregate
 * therefore belongs to a part of the answer with a number of patients of its own:
 * those who contribute to it.
 */
#ifndef SECMED_SUPPORT_H
#define SECMED_SUPPORT_H

#include "postgres.h"
#include "contract/plan.h"
#include "nodes/primnodes.h"

typedef struct Support
{
	List	   *conditions;		/* of FILTER, and of a CASE that is 0 or NULL elsewhere, one by one */
	List	   *present;		/* expressions that must not be NULL */
	List	   *nonzero;		/* summands and factors that must be neither NULL nor zero */
} Support;

/* May this column be left out, because it is never NULL? */
typedef bool (*NeverNull) (Var *var, void *arg);

/*
 * Of an aggregate as a component of this kind.  A count is made of the rows in which nothing is
 * NULL; a sum of those that add something; bool_or of the rows that are true, and bool_and of those that are
 * false, or either would tell of a single patient.
 *
 * `summands`: which of its arguments are added or multiplied, one bit each; the others
 * must be there.
 */
extern Support *support_of_aggregate(Aggref *agg, ComponentKind kind, uint32 summands,
									 NeverNull never_null, void *arg);

#define ALL_ARGUMENTS	((uint32) -1)

/* A constant that adds nothing to a sum: NULL, or zero. */
extern bool support_adds_nothing(Node *expr);

/*
 * What a summand is a product of, one step down: of a cast what is cast, of a product both factors, of
 * a CASE that adds nothing elsewhere its result, of a condition as a number nothing.  False if it is
 * none of these.
 */
extern bool support_factors(Node *expr, List **factors);

/* All rows of the group. */
extern bool support_is_all(const Support *support);
extern bool support_equal(const Support *a, const Support *b);

/* As one boolean expression, for a FILTER; NULL for all rows. */
extern Expr *support_condition(const Support *support);

#endif							/* SECMED_SUPPORT_H */
