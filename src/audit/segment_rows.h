/*
 * segment_rows.h
 *	  The way into a segment of the ledger (sequencer only).
 *
 * Rows go in past the executor, all of a batch at once.  The triggers of the
 * ledger are for everybody else; no other constraints are on these tables.
 *
 * What it takes to fill a segment's indexes is made once and kept from batch to
 * batch, until relcache tells of a change of the segment or an index, or a batch
 * fails.  Relations are open, and locked, for one transaction only.
 */
#ifndef SECMED_SEGMENT_ROWS_H
#define SECMED_SEGMENT_ROWS_H

#include "audit/segment.h"
#include "nodes/execnodes.h"

/* Rows for one partitioned table, written at the end or with its next segment. */
typedef struct SegmentRows
{
	SegmentTable table;
	bool		open;			/* the relations are, in this transaction */
	int			n;				/* rows that are not written */
	TupleTableSlot *rows[LEDGER_BATCH];

	/* What is kept of a segment. */
	MemoryContext kept;			/* it lies here; NULL: there is none */
	MemoryContext used;			/* what index methods keep while they are open */
	bool		changed;		/* so it is of no use any more */
	Oid			segment;
	uint64		first;			/* it holds this, */
	uint64		end;			/* not this */
	EState	   *estate;
	ResultRelInfo *target;
	Oid		   *indexes;
	TupleDesc	desc;			/* of the rows */
} SegmentRows;

/* For each transaction. */
extern void segment_rows_start(SegmentRows *rows, SegmentTable table);

/*
 * One row, of column 1 and others, none NULL, copied.  At most LEDGER_BATCH
 * between two calls of segment_rows_end(), which writes them.
 */
extern void segment_rows_put(SegmentRows *rows, uint64 seq, const Datum *values);
extern void segment_rows_end(SegmentRows *rows);

/* After a transaction that was rolled back. */
extern void segment_rows_forget(SegmentRows *rows);

#endif							/* SECMED_SEGMENT_ROWS_H */
