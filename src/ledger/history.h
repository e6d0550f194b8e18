/*
 * history.h
 *	  What a ledger says about ledgers: its own keys and policies, other
 *	  ledgers' heads, bodies that were erased.
 *
 * These are entries of format 1 whose fields mean the following; "" or null
 * or an empty list for all others.
 *
 *	  KEY     outcome   "first", "rotated", "recovered", "revoked" or "policy"
 *	          object    the key from now on, as notes write it: of kind 0x01 named
 *	                    by its origin, or of kind 0x04 named
 *	                    secmed.FEDERATION/SITE/cosigner
 *	          plan      SHA-256 of the policy file from now on; null for kind 0x04
 *	          revealed  base64 of signatures, with a space between them: one by the
 *	                    new key; for "rotated" another by the old one
 *	  HEAD    outcome   "certified"; object: an origin; plan: the root; counters:
 *	                    [size]
 *	  ERASED  outcome   "erased"; object: the legal basis; counters: [first, last,
 *	                    first, last, ...], rising ranges of entries before this one
 *	  FORK    outcome   "fork"; object: the origin; plan: SHA-256 of the fork proof;
 *	                    counters: [m, n]
 *
 * A key signs for purpose "secmed/key/1" the CBOR array
 *
 *	  [outcome, key, old key or null, policy or null, old policy or null]
 *
 * When does it hold?  Let the entry be number s.
 *
 *	  first                checkpoints of more than s entries
 *	  rotated, policy      of more than s + 1: the checkpoint of exactly s + 1 is the
 *	                       last under the old key and policy, and must be certified
 *	  recovered, revoked   of more than s, without the old key, which is lost or no
 *	                       longer trusted: the first such checkpoint must also reach
 *	                       the quorum of the old policy's witnesses, who thereby
 *	                       let the ledger go on
 *
 * The origin's epoch is 1 at first, one more when rotated, and any higher one
 * when recovered or revoked (epochs of a lost tail are not used again).
 */
#ifndef SECMED_HISTORY_H
#define SECMED_HISTORY_H

#include "ledger/checkpoint.h"
#include "ledger/entry.h"

/* A key a month for eight years. */
#define HISTORY_KEYS_MAX	100
#define KEY_PURPOSE			"secmed/key/1"

/* A key and a policy, from an entry on. */
typedef struct KeySpan
{
	uint64		entry;			/* the KEY entry */
	uint64		above;			/* checkpoints larger than this */
	NoteKey		key;
	uint8		policy[HASH_BYTES];
	bool		handed_over;	/* by the old key; else the old witnesses must agree */
} KeySpan;

typedef struct KeyHistory
{
	Origin		origin;			/* of the newest log key */
	int			nlogs;
	KeySpan		logs[HISTORY_KEYS_MAX];
	int			nwitnesses;
	KeySpan		witnesses[HISTORY_KEYS_MAX];
} KeyHistory;

extern void history_start(KeyHistory *history);

/*
 * Takes the next entry of kind KEY.  False with a reason (verb phrase) if it
 * does not follow from what was before; the history is then unchanged.
 */
extern bool history_accept(KeyHistory *history, const LedgerEntry *entry, const char **reason);

/* Whose checkpoint of this size it must be; NULL if none was introduced before. */
extern const KeySpan *history_log(const KeyHistory *history, uint64 size);

/* Must there be a checkpoint of exactly this size, because a key or policy was handed over there? */
extern bool history_hands_over(const KeyHistory *history, uint64 size);

/*
 * Makes the entry's kind, object, plan, outcome and revealed, to be appended.
 * The secret key of the new key signs, and that of the old one for "rotated";
 * for "policy" key is the current one.  policy is NULL for kind NOTE_WITNESS.
 */
extern void history_make(LedgerEntry *entry, const KeyHistory *history, const char *outcome,
						 const NoteKey *key, const uint8 secret_key[SIGN_SECRET_BYTES],
						 const uint8 *old_secret_key, const uint8 *policy);

/* The name of a site's countersigning key; palloc'd. */
extern char *cosigner_name(const char *federation, const char *site);

/* The other kinds, made to be appended; and what is wrong with one that was read, or NULL. */
extern void history_make_head(LedgerEntry *entry, const Checkpoint *head);
extern void history_make_erased(LedgerEntry *entry, const char *basis, uint64 first, uint64 last);
extern const char *head_problem(const LedgerEntry *entry);
extern const char *erased_problem(const LedgerEntry *entry);

/* Rising ranges [first, last, first, last, ...] of entries before this one? */
extern bool ranges_valid(const LedgerEntry *entry);

/* Does this entry of kind ERASED or REVIEWED speak of that entry? */
extern bool erased_covers(const LedgerEntry *entry, uint64 seq);

#endif							/* SECMED_HISTORY_H */
