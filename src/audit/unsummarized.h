/*
 * unsummarized.h
 *	  Keeps BRIN indexes out of the way of appending.
 *
 * A BRIN index has nothing to be told of a row in a range of pages that is not
 * yet summarized, and rows are appended to the last range, which seldom is.
 * PostgreSQL finds that out for each row, after it has evaluated the index's
 * expressions; that was a third of what a row cost.  Here it is asked once for
 * a range and a batch.
 *
 * Only for rows that lie in the heap already: whoever summarizes the range
 * after we have looked reads them there.
 */
#ifndef SECMED_UNSUMMARIZED_H
#define SECMED_UNSUMMARIZED_H

#include "nodes/execnodes.h"
#include "storage/itemptr.h"

/* What one index has of the range that was looked at last. */
typedef struct RangeSeen
{
	bool		known;
	BlockNumber first;
	BlockNumber pages;
	bool		summarized;
} RangeSeen;

/*
 * Before ExecInsertIndexTuples() for the row at tid: lets it skip (ii_ReadyForInserts)
 * the BRIN indexes of the opened target that have nothing to be told.  seen has
 * a place for each index and starts zeroed for a batch.
 */
extern void unsummarized_skip(ResultRelInfo *target, RangeSeen *seen, ItemPointer tid);

#endif							/* SECMED_UNSUMMARIZED_H */
