/*
 * segment.h
 *	  The segments of the ledger: partitions of secmed.ledger and
 *	  secmed.ledger_payload by RANGE (seq) (sequencer only; the way into them: segment_rows.h).
 *
 * A segment holds secmed.ledger_segment entries (a million) and is called
 * ledger_000000000000000 after its first.  It is no member of the extension,
 * so pg_dump writes it down as the table that it is, and a restored ledger
 * has the same segments.  pg_dump makes indexes after the rows, and refuses
 * to make what ATTACH PARTITION already has made, so the parents have no
 * indexes: each segment has its own.
 */
#ifndef SECMED_SEGMENT_H
#define SECMED_SEGMENT_H

#include "base/base.h"

/* The tables that have segments. */
typedef enum SegmentTable
{
	SEGMENTS_LEDGER,
	SEGMENTS_PAYLOAD
} SegmentTable;

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

/* Of what segment_require() has seen to: the table, and its segment that holds seq (InvalidOid: none). */
extern Oid	segment_parent(SegmentTable table);
extern Oid	segment_find(Oid parent, uint64 seq, uint64 *first, uint64 *end);

#endif							/* SECMED_SEGMENT_H */
