/*
 * entry.h
 *	  One entry of a node's ledger: its exact bytes and their meaning.
 *
 * An entry is a deterministic CBOR array that contains the hash of the entry
 * before it, so the chain is inside the bytes:
 *
 *	  [fmt, site, seq, prev, at_us, kind, run, actor, object, plan,
 *	   outcome, revealed, counters, commitment]
 *
 *	  fmt         1
 *	  site        name of the node whose ledger this is
 *	  seq         0, 1, 2, ...
 *	  prev        entry hash of seq - 1; 32 zero bytes at seq 0
 *	  at_us       microseconds since 1970 UTC, never smaller than before
 *	  kind        EntryKind
 *	  run         16 bytes, the query id common to all nodes, or of local
 *	              actions an id common to a transaction, or of approvals that
 *	              of the submission; or null
 *	  actor       "node:role" of who asked, or the local role
 *	  object      what it was about: published tables, a peer, a setting
 *	  plan        hash of the canonical plan (32 bytes) or null
 *	  outcome     short word: "ok", "refused", ...; with an SQLSTATE if failed
 *	  revealed    what was opened, and to whom, in words
 *	  counters    array of unsigned integers; of a run [cells, elements,
 *	              patients_min, sites]; of local actions see below; or empty
 *	  commitment  32 bytes, to the body in the side table, or null
 *
 * An entry that was spooled (audit/spool.h), because the ledger could not be
 * written when it was made, has fmt 2 and one element more, spooled_us: when
 * it was, in microseconds since 1970 UTC.  at_us is when it came here.
 *
 * Local actions (audit/action.h) are those of this node's own sessions on
 * published tables and on secmed's own.  n numbers them within a transaction:
 *
 *	  kind        object                     outcome      revealed   counters
 *	  INTENT      relations, changed first   asked        operation  [n]
 *	  CHANGE      what is changed            asked        command    [n]
 *	  PRECOMMIT   ""                         committing,  ""         [xid]
 *	                                         prepared
 *	  CLOSED      as its INTENT or CHANGE    an ending    the same   [n, rows, last]
 *	  ACCESS      relations                  an ending    operation  [n, rows, last]
 *	  LOGIN       role                       refused      ""         [how many]
 *	  RESTART     ""                         asked        ""         [seq, closed]
 *
 * An ending is "read", "committed", "aborted", "failed SQLSTATE", "refused
 * SQLSTATE" (for want of rights: nothing was read or changed) or "unknown" (the
 * server crashed meanwhile).  The surviving CLOSED of a change is "committed"
 * if and only if the transaction was.  It closes n, or n to last together;
 * rows are missing where nobody knows.  So does ACCESS, for reads in mode async
 * that one session made one after the other, in one transaction or several.
 * Of RESTART, seq is the first entry that is looked at after the next start.
 *
 * The entry hash is SHA-256(0x00 || bytes), the leaf hash of RFC 9162,
 * section 2.1.1.  Nothing here may hold a patient's details: SQL text and
 * parameters live in the side table, under the commitment.
 */
#ifndef SECMED_ENTRY_H
#define SECMED_ENTRY_H

#include "base/base.h"
#include "crypto/hash.h"

#define ENTRY_FORMAT		1
#define ENTRY_FORMAT_SPOOLED 2
#define RUN_ID_BYTES		16
#define ENTRY_TEXT_MAX		1024	/* bytes of object and revealed */
#define ENTRY_ACTOR_MAX		320	/* a node, a colon, and a requester of 256 bytes */
#define ENTRY_OUTCOME_MAX	128
#define ENTRY_COUNTERS_MAX	8
/* The end of year 9999, so that every entry's time is a PostgreSQL timestamp. */
#define ENTRY_AT_US_MAX		INT64CONST(253402300799999999)

typedef enum EntryKind
{
	ENTRY_NODE_CREATED = 1,		/* first entry: the node's fingerprint */
	ENTRY_PEER_ADDED = 2,
	ENTRY_PEER_REMOVED = 3,
	ENTRY_PUBLISHED = 4,
	ENTRY_UNPUBLISHED = 5,
	ENTRY_NOTE = 6,				/* somebody's remark; its text is the body */
	ENTRY_SHARED = 7,			/* a shared table: allowed, made, changed, copied, dropped */
	ENTRY_DOCUMENT = 8,			/* a signed document came, or what it is about was decided */
	ENTRY_RULE = 9,				/* this node's rules: its mode, who approves runs */
	ENTRY_REQUEST = 10,			/* a run was asked of this node, or by it */
	ENTRY_DECISION = 11,		/* and this node said yes or no */
	ENTRY_EXECUTION = 12,		/* the sub-query ran; shares left */
	ENTRY_OUTCOME = 13,			/* released, refused, failed, cancelled */
	ENTRY_APPROVAL = 14,		/* people were asked about a run, looked, said yes or no */
	ENTRY_BUDGET = 15,			/* privacy that a run with noise has spent; counters [rho, left], millionths */
	ENTRY_ACCOUNT = 16,			/* credits moved; plan is the account's head, counters [amount, balance, held, serial] */
	ENTRY_KEY = 20,				/* a key or policy of this ledger; history.h */
	ENTRY_HEAD = 21,			/* another ledger's certified checkpoint; history.h */
	ENTRY_ERASED = 22,			/* bodies were deleted from the side table; history.h */
	ENTRY_FORK = 23,			/* another ledger signed two histories; history.h */
	ENTRY_REVIEWED = 24,		/* an officer has examined entries; review.h */
	ENTRY_ARCHIVED = 25,		/* entries were moved out of the database; audit/archive.c */
	ENTRY_INTENT = 30,			/* local: somebody is about to read or change rows */
	ENTRY_CHANGE = 31,			/* local: or rights, roles, settings, definitions */
	ENTRY_PRECOMMIT = 32,		/* local: a transaction that changed some will commit */
	ENTRY_CLOSED = 33,			/* local: how an intent or change ended */
	ENTRY_ACCESS = 34,			/* local: an intent that had ended when it was written */
	ENTRY_LOGIN = 35,			/* logins that were refused */
	ENTRY_RESTART = 36			/* the server has started: what was open before is closed */
} EntryKind;

#define ENTRY_KIND_MAX		ENTRY_RESTART

typedef struct LedgerEntry
{
	/* set by whoever appends */
	EntryKind	kind;
	bool		has_run;
	uint8		run[RUN_ID_BYTES];
	const char *actor;
	const char *object;
	bool		has_plan;
	uint8		plan[HASH_BYTES];
	const char *outcome;
	const char *revealed;
	int			ncounters;
	uint64		counters[ENTRY_COUNTERS_MAX];
	bool		has_commitment;
	uint8		commitment[HASH_BYTES];
	bool		has_spooled;
	int64		spooled_us;

	/* set by the sequencer, or by decoding */
	const char *site;
	uint64		seq;
	uint8		prev[HASH_BYTES];
	int64		at_us;
} LedgerEntry;

extern const char *entry_kind_name(EntryKind kind);	/* "request", ...; NULL if unknown */

/* Is it a local action? */
extern bool entry_kind_is_local(EntryKind kind);

/*
 * What is wrong with the fields the appender sets (constant string), or NULL.
 * Reasons are verb phrases, for "the entry %s".
 */
extern const char *entry_problem(const LedgerEntry *entry);

/* Fails with ERRCODE_SECMED_LEDGER if entry_decode() would refuse the result. */
extern void entry_encode(StringInfo out, const LedgerEntry *entry);

/* Text inside an entry's bytes, not terminated. */
typedef struct EntryText
{
	const char *at;
	size_t		len;
} EntryText;

/* What an entry's bytes say, where they say it: points into them. */
typedef struct EntryView
{
	EntryText	site;
	uint64		seq;
	const uint8 *prev;
	int64		at_us;
	EntryKind	kind;
	const uint8 *run;			/* NULL: none; so for plan and commitment */
	EntryText	actor;
	EntryText	object;
	const uint8 *plan;
	EntryText	outcome;
	EntryText	revealed;
	int			ncounters;
	uint64		counters[ENTRY_COUNTERS_MAX];
	const uint8 *commitment;
	bool		has_spooled;
	int64		spooled_us;
} EntryView;

/*
 * Strict: reads, and refuses what entry_encode() would not have written.
 * False with a reason (constant string).  Allocates nothing.
 */
extern bool entry_view(EntryView *view, const void *bytes, size_t len, const char **reason);

/*
 * The same with strings of its own, palloc'd in one piece that begins with
 * site; entry_forget() is for programs without memory contexts.
 */
extern bool entry_decode(LedgerEntry *entry, const void *bytes, size_t len, const char **reason);
extern void entry_from_view(LedgerEntry *entry, const EntryView *view);
extern void entry_forget(LedgerEntry *entry);
extern bool entry_text_is(EntryText text, const char *other);
extern void entry_hash(uint8 out[HASH_BYTES], const void *bytes, size_t len);

#endif							/* SECMED_ENTRY_H */
