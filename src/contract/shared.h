/*
 * shared.h
 *	  What nodes say to each other about shared tables.
 *
 * Deterministic CBOR in a session's sealed frames (identity/session.h), one
 * question and one answer at a time:
 *
 *	  question  ["shared", verb, table, write, [number, ...], [bytes, ...]]
 *	  answer    ["answer", verb, [number, ...], [bytes, ...]]
 *
 * `write` is 16 bytes that name a change at all nodes; zeros where none is
 * meant.  How many numbers and bytes there are goes by the verb:
 *
 *	  stage     coordinator -> party: keep this until its fate is known
 *	            xid, kind, chunk, rows; requester, payload   ->  -
 *	  fates     party -> coordinator: what became of these changes?
 *	            -; (write, xid big-endian) each, write each that is done
 *	            ->  -; a Fate in a byte for each
 *	  digests   coordinator -> party
 *	            -; nonce  ->  party, generation, rows; digests of DIGEST_BUCKETS buckets
 *	  bucket    coordinator -> party
 *	            bucket; nonce  ->  -; (row id big-endian, MAC of mine, of next) each
 *	  offer     coordinator -> party  ->  -; X25519 key for this refresh, signature
 *	  deal      coordinator -> party: keys and signatures of parties 0, 1, 2
 *	            ->  -; seeds sealed to the next and to the previous party, signature
 *	  take      coordinator -> party: stage new shares
 *	            xid; requester, of the next party: both sealed seeds, signature; of the previous
 *	            ->  -; what tells whether all three got the same
 *	  copy      party -> party: rows behind this one, of the summand that both hold
 *	            row id + 1, at most so many  ->  generation, more to come;
 *	            definition, row ids big-endian, rows (share/rows.h)
 *
 * A table is told by its definition,
 *
 *	  [1, name, creator, [party, party, party], [[column, type], ...],
 *	   patient or null, [unique column, ...], threshold]
 *
 * with nodes as [name, fingerprint] and types as in share/secret.h.  What is
 * between two nodes only, and neither signed nor stored, has no vector.
 */
#ifndef SECMED_CONTRACT_SHARED_H
#define SECMED_CONTRACT_SHARED_H

#include "contract/request.h"
#include "share/secret.h"

/* ---- definitions ---- */

typedef struct SharedDefinition
{
	char	   *name;
	NodeRef		creator;
	NodeRef		parties[PARTIES];
	int			ncolumns;
	char	   *columns[SHARED_COLUMNS_MAX];
	SecretType	types[SHARED_COLUMNS_MAX];
	char	   *patient;		/* or NULL */
	int			nunique;
	char	   *unique[SHARED_COLUMNS_MAX];
	uint64		threshold;		/* at least 1 */
} SharedDefinition;

extern void shared_definition_encode(StringInfo out, const SharedDefinition *definition);

/* Strict and bounded; false with a reason (constant string). */
extern bool shared_definition_decode(SharedDefinition *definition, const void *bytes, size_t len,
									 const char **reason);

/* Of the column of this name, or -1. */
extern int	shared_definition_column(const SharedDefinition *definition, const char *name);

/* ---- messages ---- */

#define WRITE_ID_BYTES			16
#define DIGEST_BUCKETS			1024
#define SHARED_MAC_BYTES		16
#define FATE_RECORD_BYTES		(WRITE_ID_BYTES + 8)
#define BUCKET_RECORD_BYTES		(8 + 2 * SHARED_MAC_BYTES)
#define BUCKET_DIGEST_BYTES		(2 * SHARED_MAC_BYTES)	/* of mine, of next */

typedef enum SharedVerb
{
	SHARED_STAGE = 1,
	SHARED_FATES = 2,
	SHARED_DIGESTS = 3,
	SHARED_BUCKET = 4,
	SHARED_OFFER = 5,
	SHARED_DEAL = 6,
	SHARED_TAKE = 7,
	SHARED_COPY = 8
} SharedVerb;

#define SHARED_VERB_MAX			SHARED_COPY

/* What is staged. */
typedef enum SharedKind
{
	SHARED_CREATE = 1,			/* payload: the definition; chunk: 1 if such a table may be there */
	SHARED_DROP = 2,			/* payload: none */
	SHARED_INSERT = 3,			/* payload: a package (share/rows.h) */
	SHARED_REPLACE = 4			/* made at the party itself */
} SharedKind;

typedef enum Fate
{
	FATE_ABORTED = 0,
	FATE_COMMITTED = 1,
	FATE_IN_PROGRESS = 2
} Fate;

#define SHARED_NUMBERS_MAX		4
#define SHARED_PARTS_MAX		7

/* A question or an answer; parts point into the bytes it was decoded from. */
typedef struct SharedMessage
{
	SharedVerb	verb;
	char	   *table;			/* of a question */
	uint8		write[WRITE_ID_BYTES];	/* of a question */
	uint64		numbers[SHARED_NUMBERS_MAX];
	Bytes		parts[SHARED_PARTS_MAX];
} SharedMessage;

extern void shared_question_encode(StringInfo out, const SharedMessage *question);
extern bool shared_question_decode(SharedMessage *question, const void *bytes, size_t len, const char **reason);
extern void shared_answer_encode(StringInfo out, const SharedMessage *answer);

/* An answer to another verb is refused. */
extern bool shared_answer_decode(SharedMessage *answer, SharedVerb verb, const void *bytes, size_t len,
								 const char **reason);

#endif							/* SECMED_CONTRACT_SHARED_H */
