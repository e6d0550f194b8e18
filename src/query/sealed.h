/*
 * sealed.h
 *	  Answers for one reader (secmed.result_to; bytes: contract/answer.h).
 *
 * The coordinator asks in the name of the reader's identity; every node looks
 * that up for itself, and the parties seal to the key that they know.  What the
 * coordinator keeps are boxes that only the reader opens: secmed.sealed_answer.
 */
#ifndef SECMED_SEALED_H
#define SECMED_SEALED_H

#include "contract/answer.h"
#include "govern/identity.h"

/* At the coordinator: fills in the reader that secmed.result_to names, if it does. */
extern void sealed_ask(Request *request);

/*
 * At the coordinator, of a question whose answer comes as shares of a table: ERRCODE_FEATURE_NOT_SUPPORTED if
 * secmed.result_to names a reader, to whom it can't be sealed.
 */
extern void sealed_refuse(void);

/* At each node: the reader of a request that names one; an error unless he may read now. */
extern void sealed_reader(Identity *reader, const Request *request);

/* Keeps the answer, for whoever has asked; its parts by number of the party. */
extern void sealed_keep(const Request *request, const uint8 *plan, size_t plan_len, const Bytes parts[PARTIES]);

/* _PG_init: secmed.result_to. */
extern void sealed_init(void);

#endif							/* SECMED_SEALED_H */
