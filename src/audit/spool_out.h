/*
 * spool_out.h
 *	  Brings what can't be in the ledger at the moment to the spool instead.
 */
#ifndef SECMED_SPOOL_OUT_H
#define SECMED_SPOOL_OUT_H

#include "audit/append.h"
#include "audit/queue.h"

/*
 * One that is in no slot, or was, at this place.  True if it was spooled: not if
 * it only may join others in the spool, and there are none.
 */
extern bool spool_in(const LedgerEntry *entry, int64 made_us, const uint8 *salt, const void *payload,
					 size_t payload_len, const Slot *place, bool only_if_used);

/*
 * Takes the entry out of the queue, or away from the sequencer, and spools it.
 * Nothing is done if the ledger has decided about it meanwhile.
 */
extern void spool_out(AuditTicket ticket);

#endif							/* SECMED_SPOOL_OUT_H */
