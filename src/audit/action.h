/*
 * action.h
 *	  Intent, precommit and outcome: the entries of one local action.
 *
 * An action is one statement's work on one set of audited relations, or one
 * change of rights, roles, settings or definitions.  Its entries
 * (ledger/entry.h, "Local actions"):
 *
 *	  INTENT or CHANGE	durable before the first row is read or changed
 *	  PRECOMMIT			durable before a transaction commits that has changed
 *						something: one for all its actions, with its xid
 *	  CLOSED			how it ended; nobody waits for it
 *
 * So a change that is committed has a PRECOMMIT, and an entry of one that was
 * rolled back is followed by "aborted".  What a crash leaves open is closed
 * at the next start (dangling.h).  "Durable" is as secmed.ledger_mode says.
 *
 * A read whose INTENT still waits in the queue when it has ended (mode async)
 * becomes one entry, ACCESS.
 *
 * Two exceptions, for secmed's own tables only, because else nobody could repair
 * a broken ledger.  A transaction that has itself locked the ledger does not
 * wait: its entries come after it.  And a superuser whose entry is not taken
 * is warned, and so is the server's log, and goes on.  What is published is not
 * read or changed in either case.
 *
 * Statements within functions count their rows on the action of the same
 * relations, text and client's statement, so a loop leaves one entry.
 * Successive changes of the same kind in one transaction are closed together.
 */
#ifndef SECMED_ACTION_H
#define SECMED_ACTION_H

#include "ledger/entry.h"

/* What is going to be done. */
typedef struct ActionPlan
{
	EntryKind	kind;			/* ENTRY_INTENT or ENTRY_CHANGE */
	bool		changes;		/* rows or definitions: the end of the transaction decides */
	bool		own;			/* nothing but secmed's own tables */
	bool		locks_ledger;	/* the command itself, so PRECOMMIT has to come first */
	const char *object;
	const char *operation;
	const char *statement;		/* for the side table; NULL: none */
	int			statement_len;
	int			text_len;		/* of it, what is the same each time it is run */
} ActionPlan;

/* One in this session; 0 is none.  What has ended is ignored below. */
typedef uint64 ActionId;

/* _PG_init: follows the ends of transactions. */
extern void action_init(void);

/*
 * Announces the action, or finds the one that it is part of, and returns when
 * its entry is durable.  Fails with ERRCODE_SECMED_LEDGER; then nothing
 * may be read or changed.
 */
extern ActionId action_enter(const ActionPlan *plan);

extern void action_add_rows(ActionId id, uint64 rows);
extern void action_failed(ActionId id, int sqlstate);

/*
 * The statement has ended.  A read is closed when the client's statement has,
 * a change with its transaction.
 */
extern void action_leave(ActionId id);

/* Somebody was refused: one entry, for which nobody waits.  Never fails. */
extern void action_refused(const ActionPlan *plan, int sqlstate);

/*
 * How deep we are in statements of statements: 0 between those of the client.
 * action_rise() closes what has ended when it comes back to 0.
 */
extern int	action_depth(void);
extern void action_descend(void);
extern void action_rise(void);

#endif							/* SECMED_ACTION_H */
