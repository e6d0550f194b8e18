/*
 * erase.h
 *	  Deleting bodies from the side table, here and at other nodes.
 */
#ifndef SECMED_ERASE_H
#define SECMED_ERASE_H

#include "base/base.h"

/* A growing list of numbers of entries, rising. */
typedef struct EntryList
{
	int			n;
	int			room;
	int64	   *seqs;
} EntryList;

extern void entry_list_add(EntryList *list, int64 seq);
extern int	entry_number_compare(const void *a, const void *b);	/* for qsort() */

/* The entries whose bodies name the subject (the server's encoding), or an error if it is too short to tell. */
extern void bodies_naming(EntryList *list, const char *subject);

/* Those of a run, of 16 bytes. */
extern void bodies_of_run(EntryList *list, const uint8 *run);

/*
 * Deletes the bodies of these entries, and says so in the ledger as this actor:
 * durable when it returns, whatever becomes of the caller's transaction,
 * since the sequencer deletes them with the entries that say so.
 */
extern void erase_bodies(const EntryList *list, const char *actor, const char *basis);

/*
 * Orders the other nodes to erase what they keep of these entries' runs, and
 * notes what they answer in secmed.erasure.  A node that can't be reached is
 * no error: secmed.send_erasure_orders() tries again.  (erase_order.c)
 */
extern void erase_elsewhere(const EntryList *list, const char *basis);

/* _PG_init: secmed.erasure_orders. */
extern void erase_init(void);

#endif							/* SECMED_ERASE_H */
