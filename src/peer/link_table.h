/*
 * link_table.h
 *	  Where the two backends of a party find each other: the one that
 *	  computes, and the one that the previous party has reached.
 *
 * For link.c and relay.c only.
 */
#ifndef SECMED_LINK_TABLE_H
#define SECMED_LINK_TABLE_H

#include "ledger/entry.h"
#include "mpc/party.h"
#include "storage/dsm.h"
#include "storage/shm_mq.h"
#include "utils/timestamp.h"

/* Head of the dynamic shared memory segment that the two backends share. */
typedef struct LinkSegment
{
	char		lost[NODE_NAME_BYTES_MAX + 1];	/* whom the computing one misses, or missed when it failed */
	bool		late;			/* it still waits, but its deadline has passed */
	TimestampTz deadline;		/* of the computation; 0 until it is known */
	bool		closed;			/* the computing one has ended in order */
} LinkSegment;

/* A run and one of its parties, in this database. */
typedef struct LinkKey
{
	Oid			database;
	uint8		run[RUN_ID_BYTES];
	int			index;			/* of the party that computes here */
} LinkKey;

extern void link_key(LinkKey *key, const uint8 run[RUN_ID_BYTES], int index);

/*
 * The computing backend: a segment with both queues, attached, kept until
 * dsm_detach(), and its place in the table.  Fails if the table is full or
 * the party is in it already.  Returns the place.
 */
extern int	link_register(const LinkKey *key, const char *previous, dsm_segment **segment,
						  shm_mq_handle **from_relay, shm_mq_handle **to_relay);
extern void link_unregister(int place);

/*
 * The relay: takes the segment of this party, which no other relay then can.
 * NULL if it is not there (yet).
 */
extern dsm_segment *link_take(const LinkKey *key, const char *caller,
							  shm_mq_handle **from_computing, shm_mq_handle **to_computing);

/* Sleeps until the table changes, but no longer than CANCEL_POLL_MS. */
extern void link_sleep(void);
extern void link_sleep_end(void);

/* The relay's first message to the computing backend: the pair's secret (SEED_BYTES). */
#define PAIR_PURPOSE	"secmed/pair/1"

extern LinkSegment *link_segment(dsm_segment *segment);

/* The computing backend notes whom it misses; the first one noted stays. */
extern void link_note_lost(dsm_segment *segment, const char *name);

/* The same, and the relay shall say so at once. */
extern void link_note_late(dsm_segment *segment, shm_mq_handle *to_relay, const char *name);

#endif							/* SECMED_LINK_TABLE_H */
