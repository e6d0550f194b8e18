/*
 * officer.h
 *	  What compliance officers write into the ledger: reviews, erasures.
 */
#ifndef SECMED_OFFICER_H
#define SECMED_OFFICER_H

#include "base/base.h"

/* A growing list of numbers of entries, rising. */
typedef struct EntryList
{
	int			n;
	int			room;
	int64	   *seqs;
} EntryList;

extern void entry_list_add(EntryList *list, int64 seq);

/* The entries whose bodies name the subject (the server's encoding), or an error if it is too short to tell. */
extern void bodies_naming(EntryList *list, const char *subject);

/*
 * Deletes the bodies of these entries, and says so in the ledger: durable when
 * it returns, whatever becomes of the caller's transaction, since the
 * sequencer deletes them with the entries that say so.
 */
extern void erase_bodies(const EntryList *list, const char *basis);

#endif							/* SECMED_OFFICER_H */
