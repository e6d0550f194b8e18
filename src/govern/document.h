/*
 * document.h
 *	  Documents at this node: taken in, kept, and exchanged with all others.
 *
 * A document that arrives, from a person (secmed.submit_document) or from
 * another node, goes through these steps, in one transaction:
 *
 *	1. strict decoding; each signature is verified with the key of its signer
 *	2. signatures of keys that are not known here wait, with the copy they
 *	   came in (secmed.document_copy); those of removed identities do not count
 *	3. the hook of its kind says what it does here: it is taken, it waits (for
 *	   votes, for what it refers to), or it is refused
 *	4. the ledger gets an entry, and all that waits is tried again
 *
 * More signatures for a document that is here are added to it, and its hook is
 * called again, so hooks must not mind to be called twice with the same.
 *
 * Documents that were taken go to every peer, those that wait only from the
 * node where they were submitted (exchange.c).
 */
#ifndef SECMED_GOVERN_DOCUMENT_H
#define SECMED_GOVERN_DOCUMENT_H

#include "contract/document.h"
#include "govern/identity.h"

typedef enum DocumentFate
{
	DOCUMENT_TAKEN,				/* it has taken effect, or has none */
	DOCUMENT_WAITS,				/* and is tried again after every other document */
	DOCUMENT_REFUSED			/* it is not kept */
} DocumentFate;

/* What a hook gets: every signature is verified, signers[i] has made signature i. */
typedef struct DocumentTaken
{
	const Document *document;
	const Identity *signers;
	const char *from;			/* the node that sent it, or NULL: submitted here */
} DocumentTaken;

/*
 * What a document of a kind does here.  *reason, of one that waits or is
 * refused, is a verb phrase for "the document %s" (palloc'd or constant).  SPI
 * is connected, as the owner; signers may be of any state but removed.
 */
typedef DocumentFate (*DocumentHook) (const DocumentTaken *taken, const char **reason);

/* Of a kind (hooks.c); NULL: documents of the kind are kept, and do nothing. */
extern DocumentHook document_hook(const char *kind);

/*
 * Takes a document in.  *reason is set unless it was taken.  hash gets its hash
 * if it is a document.  from as in DocumentTaken.
 */
extern DocumentFate document_take(const void *bytes, size_t len, const char *from,
								  uint8 hash[HASH_BYTES], const char **reason);

/*
 * Tries again all that waits: who may have an effect on it has changed.  For
 * those who change that otherwise than by a document.
 */
extern void document_settle(void);

/* Forgets proposals, votes and copies that have waited for DOCUMENT_WAITS_DAYS_MAX. SPI is connected, as the owner. */
extern void document_expire(void);

/*
 * Keeps others from taking documents in until the transaction ends.  Who locks rows that hooks lock, and issues
 * documents then, does so first.  SPI is connected, as the owner.
 */
extern void document_lock(void);

/* The same for this node's own: signs the body with the node's key and takes it in; an error if it is refused. */
extern void document_issue(const StringInfoData *body, uint8 hash[HASH_BYTES]);

/* The stored document of this hash, palloc'd; false if there is none. *taken: it does not wait. */
extern bool document_find(Document *document, const uint8 hash[HASH_BYTES], bool *taken);

/* Appends to the ledger what became of a document or of what it is about. */
extern void document_record(const char *actor, const char *object, const uint8 hash[HASH_BYTES],
							const char *outcome, int ncounters, const uint64 *counters);

/* Wakes the worker that sends documents to other nodes, once this transaction has committed. */
extern void document_wake(void);

/* _PG_init: settings and the worker. */
extern void document_init(void);

#endif							/* SECMED_GOVERN_DOCUMENT_H */
