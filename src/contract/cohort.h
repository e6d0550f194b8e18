/*
 * cohort.h
 *	  Who is behind a number, in 8 kB: enough to tell by how few patients two numbers differ.
 *
 * A site remembers of each answered group a sketch of its patients.  Every patient has a print, 64 bits under a key
 * that only the site knows; the upper bits choose one of COHORT_BUCKETS buckets, and what the bucket holds is the sum of
 * its prints' lower halves, made odd, modulo 2^32.  Of two sketches with equal buckets the patients are the same; where buckets
 * differ, so many patients differ at least.  So a small difference is never taken for a large one; a large one of d patients
 * is taken for smaller only where two of them share a bucket, of about d^2 / (2 COHORT_BUCKETS) pairs.
 * [Flajolet, Martin, JCSS 31, 1985, for sketches of sets; sums instead of marks make them comparable]
 *
 * A patient with several rows adds his print for each of them: groups differ in a patient as well if it is only in
 * how many rows they have of him.
 *
 * As bytes: 1, then prints of 8 bytes (up to COHORT_PRINTS_MAX of them, in any order); or 2, then the buckets, 4 bytes each; all
 * little-endian.  They stay at the site.
 */
#ifndef SECMED_COHORT_H
#define SECMED_COHORT_H

#include "base/base.h"

#define COHORT_BUCKETS		2048
/* Half as many bytes as the buckets: groups of few are many. */
#define COHORT_PRINTS_MAX	512

/* While it is collected: prints first, then buckets.  Zeroed at first; memory is palloc'd as it grows. */
typedef struct Cohort
{
	uint32		n;				/* prints; of no meaning once there are buckets */
	uint32		room;
	uint64	   *prints;
	uint32	   *buckets;		/* or NULL */
} Cohort;

extern void cohort_add(Cohort *cohort, uint64 print);

/* Those of `other` as well. */
extern void cohort_combine(Cohort *cohort, const Cohort *other);

extern void cohort_encode(StringInfo out, const Cohort *cohort);

/* Into a zeroed Cohort; false if these are not bytes of one. */
extern bool cohort_decode(Cohort *cohort, const void *bytes, size_t len);

/* Adds to buckets[COHORT_BUCKETS]. */
extern void cohort_expand(uint32 *buckets, const Cohort *cohort);

/*
 * What is compared many times: the buckets that are not empty if they are few, or all of them.
 */
typedef struct CohortView
{
	uint32		n;				/* of the few */
	uint16	   *which;
	uint32	   *sums;
	uint32	   *buckets;		/* or NULL */
} CohortView;

extern CohortView cohort_view(const Cohort *cohort);

/* Buckets in which both differ; filled is how many of `buckets` are not empty (cohort_filled). */
extern uint32 cohort_difference(const CohortView *a, const uint32 *buckets, uint32 filled);
extern uint32 cohort_filled(const uint32 *buckets);

/* The same for two views. */
extern uint32 cohort_view_difference(const CohortView *a, const CohortView *b);

#endif							/* SECMED_COHORT_H */
