/*
 * earlier.h
 *	  Which answers sites compare a question with, and how their lists become one.
 *
 * A site remembers of each answer the cohorts of its groups (cohort.h).  Answers that are about the same patients at this
 * site, group by group, share their content.  In its receipt a site lists contents by how many groups they have, and
 * runs by which content they had; behind the elements of the plan it shares
 *
 *	  by how many patients parts p < q of each cell differ (mpc/guard.h), and
 *	  of each content in turn, of each group: its patients, and by how many each part of each cell differs from it
 *
 * The parties add what sites say of the same run.  Runs of which every site says that the content is that of another
 * run are compared once.  A site that does not know a run adds nothing to it: a sum that is too small is
 * close sooner.
 *
 *	  earlier = [[groups, ...], [[run, content], ...]]
 */
#ifndef SECMED_EARLIER_H
#define SECMED_EARLIER_H

#include "base/base.h"
#include "base/cbor.h"
#include "ledger/entry.h"

typedef struct EarlierRun
{
	uint8		run[RUN_ID_BYTES];
	uint32		content;
} EarlierRun;

typedef struct EarlierAnswers
{
	int			ncontents;
	uint32	   *groups;			/* of each content */
	int			nruns;
	EarlierRun *runs;
} EarlierAnswers;

extern void earlier_encode(StringInfo out, const EarlierAnswers *earlier);

/* Strict and bounded; sets the reader's error. */
extern void earlier_read(CborReader *in, EarlierAnswers *earlier);

/* Elements that a site shares of it, for k parts of cells; 0 if more than EARLIER_ELEMENTS_MAX. */
extern size_t earlier_elements(const EarlierAnswers *earlier, size_t k);

/* Where among them a content begins. */
extern size_t earlier_offset(const EarlierAnswers *earlier, uint32 content, size_t k);

/* An answer as all sites know it: of each site the content, or -1. */
typedef struct EarlierAnswer
{
	uint32		groups;
	int32		contents[SITES_MAX];
} EarlierAnswer;

/*
 * All different answers of the lists of n sites, in an order that follows from the lists; palloc'd.  False if
 * two sites say that a run had different groups.
 */
extern bool earlier_join(const EarlierAnswers *of_sites, int n, EarlierAnswer **answers, int *nanswers);

#endif							/* SECMED_EARLIER_H */
