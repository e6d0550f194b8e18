/*
 * own.h
 *	  This node's own ledger as its witnesses are to see it (mirror worker and
 *	  the functions about witnesses).
 *
 * All of these use SPI, which the caller has connected, as the owner.
 */
#ifndef SECMED_OWN_H
#define SECMED_OWN_H

#include "ledger/history.h"
#include "ledger/mirror.h"
#include "ledger/tlog_policy.h"
#include "mirror/held.h"

/* The newest state: what was signed, under which policy, what is certified. */
typedef struct Own
{
	KeyHistory	keys;
	uint64		size;			/* of the newest checkpoint; 0: none yet */
	uint64		certified_size;
	HeldNote	certified;
	HeldNote	policy;			/* under which it is certified */
} Own;

/* False if this ledger has no key or can't be read. */
extern bool own_read(Own *own);

/* The checkpoint of this size; len 0 if there is none. */
extern HeldNote own_note(uint64 size);

/*
 * The checkpoint to send next to somebody who holds so many entries, on the
 * way to target; its size, or 0 if there is none within MIRROR_ENTRIES_LIMIT.
 * None is left out with which a new key or policy begins.
 */
extern uint64 own_next(const KeyHistory *keys, uint64 held, uint64 target);

/* Entries first to end - 1, those that are archived from there (audit/archived.h); false if one is missing. */
extern bool own_entries(uint64 first, uint64 end, const uint8 ***entries, size_t **lens);

/* The witnesses of a policy under which checkpoints of this size count; NULL if it has none. */
extern Policy *own_policy(const KeyHistory *keys, uint64 size);

/*
 * Is this checkpoint of ours, which another node holds, one of the entries
 * that are here?  A reason ("It ..."), palloc'd, or NULL.
 */
extern const char *own_problem(const KeyHistory *keys, const void *note, size_t len);

/* Notes that these certify the checkpoint: stores the note, and publishes its size. */
extern void own_certify(const Checkpoint *head, const StringInfoData *note);

#endif							/* SECMED_OWN_H */
