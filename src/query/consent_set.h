/*
 * consent_set.h
 *	  A set of patients, to be asked once a row by the sub-queries of one run.
 *
 * It is one value of type bytea, a parameter of the sub-query, so that parallel workers get it as well.
 * Integers that lie close to each other are bits, from the smallest on; others, and texts, are a
 * hash table of 128 bits each: two SipHashes, under keys that nobody has seen before.
 */
#ifndef SECMED_CONSENT_SET_H
#define SECMED_CONSENT_SET_H

#include "postgres.h"

/* Patients that are being collected. */
typedef struct PatientList
{
	bool		integers;
	size_t		n;
	size_t		room;
	int64	   *numbers;		/* of integers */
	char	  **texts;			/* of others */
} PatientList;

/* A subject as a consent names it; of integers, what is none is left out. */
extern void patient_list_add(PatientList *list, const char *subject);
extern void patient_list_free(PatientList *list);

/* In the current memory context. */
extern bytea *consent_set_make(const PatientList *list);

#endif							/* SECMED_CONSENT_SET_H */
