/*
 * changes.h
 *	  Commands that change who may do what, or what is done about it, become
 *	  actions of the kind CHANGE.
 *
 *	- rights and definitions of published tables and of secmed's own objects:
 *	  GRANT, REVOKE, ALTER, DROP (also by CASCADE), triggers, rules, policies,
 *	  children and partitions, publications;
 *	- roles and their members, settings of roles, of this database, of the
 *	  server, and those of secmed within a session, also by set_config();
 *	- extensions, libraries, functions in C;
 *	- COMMIT PREPARED and ROLLBACK PREPARED.
 *
 * What publish() and its like do is not told of twice.  Commands of a session
 * in a database that is no node leave nothing, also where they are for the
 * whole server.
 */
#ifndef SECMED_CHANGES_H
#define SECMED_CHANGES_H

#include "base/base.h"

/* _PG_init: hooks; after access_init(), so that ours comes first. */
extern void changes_init(void);

/* After each statement: was session_replication_role changed without a SET? */
extern void changes_look_at_settings(void);

#endif							/* SECMED_CHANGES_H */
