/*
 * check.h
 *	  What a coordinator may ask for about a shared table as a whole.
 */
#ifndef SECMED_SHARED_CHECK_H
#define SECMED_SHARED_CHECK_H

#include "postgres.h"
#include "access/tupdesc.h"
#include "base/limits.h"
#include "utils/tuplestore.h"

typedef struct SharedParties
{
	const char *table;			/* its name at the parties */
	const char *nodes[PARTIES];
} SharedParties;

/*
 * A row for each pair of parties: (party, party, ok, detail).  Each learns what
 * it knew; the coordinator learns ids of rows that differ.
 */
extern void check_shared(const SharedParties *parties, Tuplestorestate *store, TupleDesc desc);

/*
 * New shares for all rows, as a change of the current transaction; returns how many
 * rows there are.  Shares that leaked before are of no use with those that leak later.
 */
extern void refresh_shared(const SharedParties *parties);

#endif							/* SECMED_SHARED_CHECK_H */
