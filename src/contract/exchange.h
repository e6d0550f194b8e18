/*
 * exchange.h
 *	  What nodes say to each other about documents.
 *
 * Deterministic CBOR in a session's sealed frames (identity/session.h), one
 * question and one answer at a time:
 *
 *	  put     ["put", 0, [document, ...]]
 *	          -> ["put", documents that were refused, []]
 *	  pull    ["pull", serial, []]: what do you have behind this number?
 *	          -> ["pull", serial of the last, [document, ...]]
 *
 * Serial numbers are the answering node's own.  A pull that is answered with
 * no document is at the end; one with a smaller serial than was asked for says
 * that the node has lost some (it was restored from a backup).
 */
#ifndef SECMED_EXCHANGE_H
#define SECMED_EXCHANGE_H

#include "contract/document.h"
#include "contract/request.h"

typedef enum ExchangeVerb
{
	EXCHANGE_PUT = 1,
	EXCHANGE_PULL
} ExchangeVerb;

typedef struct ExchangeMessage
{
	ExchangeVerb verb;
	uint64		serial;
	int			n;
	Bytes		documents[EXCHANGE_DOCUMENTS_MAX];	/* point into what was decoded */
} ExchangeMessage;

extern void exchange_encode(StringInfo out, const ExchangeMessage *message);

/* Strict; documents are not looked into.  False with a reason. */
extern bool exchange_decode(ExchangeMessage *message, const void *bytes, size_t len, const char **reason);

#endif							/* SECMED_EXCHANGE_H */
