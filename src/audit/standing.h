/*
 * standing.h
 *	  How a database's ledger stands with its peers: what of it is certified,
 *	  and whether it may go on at all.
 *
 * In shared memory, from the server's start to its end, and so longer than a
 * sequencer.  A ledger with witnesses is UNASKED after each start of the
 * server (also after a crash): until the mirror worker (mirror/worker.c) has
 * heard what its witnesses hold, it takes no entry and signs nothing, for the
 * data directory may be an old copy.  If none can be asked within
 * secmed.startup_wait it takes entries, and signs nothing before one has
 * answered.  BEHIND it stays until its entries are recovered.
 *
 * The queue's lock protects all of it.
 */
#ifndef SECMED_STANDING_H
#define SECMED_STANDING_H

#include "base/base.h"
#include "storage/condition_variable.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

#define STANDING_REASON_BYTES	256

typedef enum StandingState
{
	STANDING_UNASKED = 0,
	STANDING_GOOD,
	STANDING_ALONE,				/* no witness has answered: entries, but no signature */
	STANDING_BEHIND				/* others hold what is not here: reason */
} StandingState;

typedef struct Standing
{
	Oid			database;		/* InvalidOid: this place is free */
	StandingState state;
	char		reason[STANDING_REASON_BYTES];
	uint64		certified_size; /* of the newest certified checkpoint; 0: none known */
	PGPROC	   *mirror;			/* the mirror worker while it runs; its latch wakes it */
	TimestampTz mirror_asked_at;	/* when the postmaster was last asked for one */
	bool		mirror_stop;	/* it is asked to leave */
} Standing;

/* So many entries are certified, as far as is known: those with a smaller number. */
extern uint64 standing_certified(Oid database);

/* Broadcast when more is certified, or the state has changed. */
extern ConditionVariable *standing_changes(void);

/* The state; reason (of STANDING_REASON_BYTES) may be NULL. */
extern StandingState standing_get(Oid database, char *reason);
extern void standing_set(Oid database, StandingState state, const char *reason);
extern void standing_set_certified(Oid database, uint64 size);

/* Wakes the mirror worker of a database, or asks for one; false if none is to be had. */
extern bool mirror_wake(Oid database);

/* The worker itself: false if there is one. Gives its place up at its exit. */
extern bool mirror_attach(Oid database);
extern bool mirror_asked_to_stop(Oid database);

/* Makes it leave, and waits until it has (bounded). */
extern void mirror_stop(Oid database);

/*
 * Sequencer only, once when it starts, in no transaction: returns when the
 * state is known, or was not to be known in time.
 */
extern void standing_settle(Oid database);

/* Why the ledger may not go on; NULL if it may.  palloc'd. */
extern const char *standing_problem(Oid database);

/* Forgets a database that is no more. */
extern void standing_forget(Oid database);

/* _PG_init: secmed.startup_wait. */
extern void standing_init(void);
extern int	startup_wait_ms;

#endif							/* SECMED_STANDING_H */
