/*
 * held.h
 *	  The ledgers of other nodes that this node holds: rows of secmed.mirror,
 *	  their entries and tiles.
 *
 * All of these use SPI, which the caller has connected, as the owner.
 */
#ifndef SECMED_HELD_H
#define SECMED_HELD_H

#include "fmgr.h"
#include "ledger/witness.h"

typedef struct HeldNote
{
	const char *bytes;			/* palloc'd, terminated */
	size_t		len;			/* 0: none */
} HeldNote;

typedef struct Held
{
	int			id;
	char		site[NODE_NAME_BYTES_MAX + 1];
	uint64		size;			/* of the last checkpoint that was countersigned */
	HeldNote	note;
	uint64		signed_s;		/* when, in seconds since 1970 */
	uint64		certified_size;
	HeldNote	certified;
	HeldNote	suspect;		/* signed by its log, and does not extend this */
	uint64		others;			/* number after the last entry that is not a HEAD */
	uint64		quoted;			/* size that this node's ledger quotes */
	bool		frozen;
	uint64		epoch_min;
	uint64		turn;			/* how often its node has asked what is held */
} Held;

/*
 * The copy of this node's ledger; locked until the end of the transaction if
 * lock, and begun then if there is none.
 */
extern bool held_find(Held *held, const char *site, bool lock);

/* The next turn begins, as soon as this transaction has committed. */
extern void held_next_turn(Held *held);

/* All copies that are not ended: an array, palloc'd. */
extern int	held_all(Held **all);

/*
 * What a witness needs to know of it.  One is kept in memory for the next
 * time; held_changing() says that it is about to change, held_changed() that
 * the change is committed.
 */
extern WitnessLog *held_log(const Held *held);
extern void held_changing(void);
extern void held_changed(const Held *held);

/* Stores what witness_take() took, and that this was countersigned at that time. */
extern void held_store(Held *held, const WitnessUpdate *update, const WitnessLog *log,
					   const Checkpoint *head, uint64 time_s);
extern void held_store_certified(const Held *held, const Checkpoint *head, const void *note, size_t note_len,
								 const void *policy, size_t policy_len);
extern void held_store_suspect(const Held *held, const void *note, size_t len);

/* Entries from first on, as many as fit in bytes_max (at least one) and n_max. */
extern uint64 held_entries(const Held *held, uint64 first, uint64 n_max, size_t bytes_max,
						   const uint8 ***entries, size_t **lens);

/* A checkpoint that ends with a new key or policy; replace: it has more signatures. */
extern void held_store_handover(const Held *held, uint64 size, const void *note, size_t len, bool replace);

/* What else is needed to verify that ledger: its policy files, and these checkpoints. */
extern uint64 held_files(const Held *held, const uint8 ***files, size_t **lens);

/* For other files that use SPI here. */
extern Datum bytes_datum(const void *bytes, size_t len);
extern HeldNote column_note(uint64 row, int column);
extern uint64 column_number(uint64 row, int column);	/* 0 if it is null */
extern void run_spi(const char *command, int expected, int nargs, Oid *types, Datum *values, const char *nulls);

/* The same for a constant string, whose plan is kept for the session. */
extern void run_kept(const char *command, int expected, int nargs, Oid *types, Datum *values);
/* SPI for a procedure that commits; fails within a transaction block. */
extern void connect_nonatomic(FunctionCallInfo fcinfo, const char *procedure);
extern int64 time_of_seconds(uint64 seconds);	/* a timestamptz */
extern uint64 seconds_now(void);

#endif							/* SECMED_HELD_H */
