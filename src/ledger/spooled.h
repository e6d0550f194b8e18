/*
 * spooled.h
 *	  What is kept in a file while the ledger can't be written: the bytes.
 *
 * A spool begins with SPOOL_HEADER_BYTES: "secmed spool 1\n", a zero byte and
 * a random id.  Then frames, each of them
 *
 *	  "sMfR"  length (4 bytes)  sum (8 bytes)  body
 *
 * with numbers most significant byte first, and the sum the first bytes of
 * SHA-256 of length and body.  The body is the CBOR array
 *
 *	  [spooled_us, kind, run, actor, object, plan, outcome, revealed,
 *	   counters, commitment, salt, payload, seq, leaf]
 *
 * with the fields of an entry; salt and payload are null where there is no body.
 * seq and leaf are null, or say which entry this one became if the batch was
 * committed that it was in when its backend gave up waiting.
 *
 * A frame that a crash or a full disk has cut is found by its sum and skipped.
 * Nothing was told to anybody of what it would have held.
 */
#ifndef SECMED_SPOOLED_H
#define SECMED_SPOOLED_H

#include "ledger/entry.h"

#define SPOOL_ID_BYTES		16
#define SPOOL_HEADER_BYTES	32
/* Fields, body and 200 bytes of heads and hashes. */
#define SPOOL_FRAME_BYTES_MAX	(LEDGER_ENTRY_BYTES_MAX + LEDGER_PAYLOAD_BYTES_MAX)

typedef struct SpooledEntry
{
	LedgerEntry entry;			/* has_spooled; without what the sequencer sets */
	bool		has_payload;
	uint8		salt[SALT_BYTES];
	const uint8 *payload;		/* in the frame */
	size_t		payload_len;
	bool		has_place;
	uint64		seq;			/* it may be in the ledger already, as this */
	uint8		leaf[HASH_BYTES];
} SpooledEntry;

/* May an entry of this kind be spooled?  Not what makes or changes the ledger itself. */
extern bool spooled_kind(EntryKind kind);

extern void spooled_header(uint8 out[SPOOL_HEADER_BYTES], const uint8 id[SPOOL_ID_BYTES]);

/* The id, or NULL if these bytes begin no spool. */
extern const uint8 *spooled_id(const uint8 *bytes, size_t len);

extern void spooled_write(StringInfo out, const SpooledEntry *spooled);

/*
 * Reads the frame that begins here.  Its length, or 0: there is no whole frame
 * here.  Strings are palloc'd, the payload is in bytes.
 */
extern size_t spooled_read(SpooledEntry *spooled, const uint8 *bytes, size_t len);

/* How far it is from here, but not 0, to what may be a frame, or to the end. */
extern size_t spooled_skip(const uint8 *bytes, size_t len);

#endif							/* SECMED_SPOOLED_H */
