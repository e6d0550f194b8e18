/*
 * logins.h
 *	  Logins that are refused to roles of the protocol become entries.
 *
 * Of roles that belong to secmed_peer, secmed_admin, secmed_analyst,
 * secmed_auditor or secmed_runner, in a database that is a node.  There is no
 * session yet, so the entry is queued for that database and nobody waits for
 * it.  A flood of attempts makes one entry in LOGIN_ENTRY_MS for each
 * database, with their number.
 */
#ifndef SECMED_LOGINS_H
#define SECMED_LOGINS_H

#include "base/base.h"

/* _PG_init: shared memory, the hook. */
extern void logins_init(void);

#endif							/* SECMED_LOGINS_H */
