/*
 * write.h
 *	  Changing a shared table, seen from the coordinator (steps 1 to 3 of stage.h).
 */
#ifndef SECMED_SHARED_WRITE_H
#define SECMED_SHARED_WRITE_H

#include "postgres.h"
#include "contract/shared.h"
#include "shared/check.h"

typedef struct SharedWrite
{
	uint8		id[WRITE_ID_BYTES];
	uint64		xid;			/* of the (sub)transaction that decides */
	SharedParties parties;
	const char *requester;
} SharedWrite;

/*
 * Ties a new change to the current (sub)transaction, and records that it was
 * asked for ("insert", "create", ...).
 */
extern void shared_write_begin(SharedWrite *write, const SharedParties *parties, const char *what);

/* Sends each party its payload, and returns when all three have staged it. */
extern void shared_write_stage(const SharedWrite *write, SharedKind kind, uint64 chunk, uint64 rows,
							   const StringInfo payloads[PARTIES]);

/* Rows get ids from chunk << 16 on; a number is never given out twice. */
extern uint64 shared_next_chunk(void);

#endif							/* SECMED_SHARED_WRITE_H */
