/*
 * publish.h
 *	  Views of published tables, and what the ledger says of them.
 */
#ifndef SECMED_PUBLISH_H
#define SECMED_PUBLISH_H

#include "query/published.h"

/* Writes the view's definition again, after a policy has changed; as the caller, who must own it. */
extern void publish_view_again(const Published *published);

/* An entry `published` of the table, that says in words what its policy is now. */
extern void publish_record_policy(const char *table, const char *words);

#endif							/* SECMED_PUBLISH_H */
