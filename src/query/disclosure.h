/*
 * disclosure.h
 *	  What a site does about questions over some of its tables as a whole: rows of secmed.disclosure_policy.
 */
#ifndef SECMED_DISCLOSURE_H
#define SECMED_DISCLOSURE_H

#include "postgres.h"
#include "nodes/pg_list.h"

/* With whose answers a question is compared. */
typedef enum Differencing
{
	DIFFERENCING_NONE = 1,
	DIFFERENCING_REQUESTER,
	DIFFERENCING_EVERYBODY
} Differencing;

/* 0 if there is no such word. */
extern Differencing differencing_from_name(const char *name);

typedef struct DisclosureRule
{
	Differencing differencing;
	int			repeats;		/* how often the same may be asked; 0: as often as one likes */
} DisclosureRule;

/* The strictest of these tables (names). */
extern DisclosureRule disclosure_rule(const List *tables);

#endif							/* SECMED_DISCLOSURE_H */
