/*
 * groups.h
 *	  Comparing several groups: means and variances.
 *
 * Groups of fewer than two rows have no variance; where a test needs one, it
 * is not defined, and the outcome has numbers only.
 */
#ifndef SECMED_GROUPS_H
#define SECMED_GROUPS_H

#include "stats/moments.h"

/* One-way analysis of variance; Fisher 1925; R's oneway.test(var.equal = TRUE). */
extern void groups_anova(const Sample *groups, int k, Outcome *outcome);

/* Without equal variances; Welch, Biometrika 1951; R's oneway.test. */
extern void groups_welch(const Sample *groups, int k, Outcome *outcome);

/* Are the variances equal?  Bartlett, Proceedings of the Royal Society A 1937; R's bartlett.test. */
extern void groups_bartlett(const Sample *groups, int k, Outcome *outcome);

#endif							/* SECMED_GROUPS_H */
