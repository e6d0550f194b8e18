/*
 * mark.h
 *	  The largest checkpoint that this server has signed of a ledger, noted
 *	  outside of its tables.
 *
 * A dump that is restored beside it, or tables that come from an older copy,
 * have fewer entries than were signed; nobody who reads the tables alone would
 * see that.  The file is $PGDATA/secmed/LEDGER UUID.mark.  It is of no use when
 * the whole data directory is an old copy: then the witnesses know.
 */
#ifndef SECMED_MARK_H
#define SECMED_MARK_H

#include "ledger/checkpoint.h"

typedef struct Mark
{
	uint64		size;
	uint8		root[HASH_BYTES];
} Mark;

/* False if there is none. */
extern bool mark_read(Mark *mark, const char *ledger);

/* Durable when it returns.  One ledger in one process at a time. */
extern void mark_write(const Mark *mark, const char *ledger);

#endif							/* SECMED_MARK_H */
