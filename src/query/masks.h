/*
 * masks.h
 *	  Conditions inside what is added up.
 *
 * sum(CASE WHEN patient = 17 THEN age ELSE 1 END) has a summand from everybody, and tells one
 * age all the same: each arm of such an expression is a group of its own, and
 * as small.  A site therefore counts the patients of each arm as well.
 */
#ifndef SECMED_MASKS_H
#define SECMED_MASKS_H

#include "contract/plan.h"
#include "nodes/primnodes.h"

/*
 * Boolean expressions, each of which must hold for enough patients, or the aggregate is withheld:
 * of a CASE its arms that are neither NULL nor zero; of a condition cast to a number inside a sum or
 * product both sides; of GREATEST and LEAST each argument as the one chosen; of COALESCE each value
 * that is not a constant.  Counts have none: what they count is in their support; nor have counts of events, of which
 * the parties open nothing that few of them make (estimate/program.h).
 */
extern List *mask_tests(Aggref *agg, ComponentKind kind);

#endif							/* SECMED_MASKS_H */
