/*
 * elsewhere.h
 *	  Commands for the whole server, in the ledgers of its other nodes.
 *
 * Roles, their members and settings, the settings of the server and the rights on
 * databases are shared by all databases.  A command that changes them, in a session of
 * any database, leaves a CHANGE and its CLOSED in the ledger of each other
 * database of the server that is a node: after its transaction has committed, and
 * nobody waits for them.  A crash right then loses them; what was rolled back leaves
 * nothing there.  The object is what the command names, and in which database.
 */
#ifndef SECMED_ELSEWHERE_H
#define SECMED_ELSEWHERE_H

#include "nodes/plannodes.h"

/* _PG_init: after changes_init(). */
extern void elsewhere_init(void);

#endif							/* SECMED_ELSEWHERE_H */
