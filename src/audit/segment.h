/*
 * segment.h
 *	  The segments of the ledger: partitions of secmed.ledger and
 *	  secmed.ledger_payload by RANGE (seq), and the way into them (sequencer only).
 *
 * A segment holds secmed.ledger_segment entries (a million) and is called
 * ledger_000000000000000 after its first.  It is no member of the extension,
 * so pg_dump writes it down as the table that it is, and a restored ledger
 * has the same segments.  pg_dump makes indexes after the rows, and refuses
 * to make what ATTACH PARTITION already has made, so the parents have no
 * indexes: each segment has its own.
 *
 * Rows go in past the executor, all of a batch at once.  The triggers of the
 * ledger are for everybody else; no other constraints are on these tables.
 */
#ifndef SECMED_SEGMENT_H
#define SECMED_SEGMENT_H

#include "base/base.h"
#include "nodes/execnodes.h"

/* The tables that have segments. */
typedef enum SegmentTable
{
	SEGMENTS_LEDGER,
	SEGMENTS_PAYLOAD
} SegmentTable;

/* Rows for one partitioned table, written at the end or with its next segment. */
typedef struct SegmentRows
{
	Oid			parent;
	EState	   *estate;			/* NULL: no segment is open */
	ResultRelInfo *target;
	TupleDesc	desc;			/* of the rows */
	uint64		first;			/* what the open segment holds, */
	uint64		end;			/* not with this */
	int			n;
	TupleTableSlot *rows[LEDGER_BATCH];
} SegmentRows;

/* A segment that is there. */
typedef struct Segment
{
	Oid			oid;
	uint64		first;
	uint64		end;
} Segment;

/* Those that lie wholly below an entry, palloc'd, by rising first (in any backend). */
extern Segment *segment_list(SegmentTable table, uint64 below, int *n);

/* _PG_init: secmed.ledger_segment. */
extern void segment_init(void);

/*
 * Makes the segments that entries first to last need and that are not there.
 * SPI is connected.  At most LEDGER_BATCH entries.  What was found once
 * is not looked for again until segment_forget(), or if the ledger is another table.
 */
extern void segment_require(uint64 first, uint64 last);
extern void segment_forget(void);

/*
 * One row, of column 1 and others, none NULL; what values point to stays until
 * segment_rows_end().  At most LEDGER_BATCH between two calls of that.
 */
extern void segment_rows_start(SegmentRows *rows, SegmentTable table);
extern void segment_rows_put(SegmentRows *rows, uint64 seq, const Datum *values);
extern void segment_rows_end(SegmentRows *rows);

#endif							/* SECMED_SEGMENT_H */
