/*
 * guarded.h
 *	  What sites share besides the sums: by how few patients groups differ. The party's part of it, and what it
 *	  says when nothing may be opened.
 */
#ifndef SECMED_GUARDED_H
#define SECMED_GUARDED_H

#include "mpc/release.h"
#include "query/serving.h"

typedef struct GuardedInputs
{
	size_t		k;				/* parts of cells */
	EarlierAnswer *answers;		/* of all sites */
	int			nanswers;
	ReleaseGuard guard;			/* sums, once every site is added */
} GuardedInputs;

/* Elements that a site shares behind those of the plan. */
extern size_t guarded_elements(const Receipt *receipt, size_t cells, size_t parts);

/* Fails if the receipts contradict each other, or the party has not the memory. */
extern void guarded_begin(GuardedInputs *inputs, Party *party, const Receipt *receipts, int nsites, size_t cells, size_t parts);
extern void guarded_add(GuardedInputs *inputs, int site, const Receipt *receipt, const Shared *elements);

/* This party's word that it has opened nothing; and whether these are the words of all three. */
extern void guarded_refuse(const Serving *serving, uint8 refusal[SIGNATURE_BYTES]);
extern bool guarded_refused(const Serving *serving, const FinishMessage *finish);

#endif							/* SECMED_GUARDED_H */
