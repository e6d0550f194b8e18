/*
 * ticket.h
 *	  The entries of this process that are not yet waited for.
 *
 * Each is remembered with the subtransaction that made it.  If that one is
 * rolled back nobody will come back for it, so the slot is abandoned: the entry
 * is appended, the sequencer frees the slot.
 */
#ifndef SECMED_TICKET_H
#define SECMED_TICKET_H

#include "access/xact.h"
#include "audit/append.h"

extern void ticket_remember(AuditTicket ticket, bool waits);	/* in the mode in which it was appended */
extern void ticket_forget(AuditTicket ticket);
extern bool ticket_is_open(AuditTicket ticket); /* remembered, and not forgotten */
extern bool ticket_is_waited(AuditTicket ticket);
extern bool ticket_oldest_waited(AuditTicket *ticket);	/* false: there is none */
extern bool ticket_same(AuditTicket a, AuditTicket b);

/* Nobody comes back for its slot. */
extern void ticket_abandon(AuditTicket ticket);

/* All those of one subtransaction, or all (InvalidSubTransactionId); forgets them. */
extern void ticket_abandon_all(SubTransactionId subid);

/* Of those that nobody waits for, leaves the oldest ones; keeps so many. */
extern void ticket_leave_unwaited(int keep);

/* Takes an entry back that no sequencer has seen, because there is none. */
extern void ticket_withdraw(AuditTicket ticket);

/* A subtransaction became part of its parent. */
extern void ticket_rise(SubTransactionId subid, SubTransactionId parent);

#endif							/* SECMED_TICKET_H */
