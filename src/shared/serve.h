/*
 * serve.h
 *	  What a node answers when it is asked about shared tables; one function
 *	  for each verb of contract/shared.h.  Errors are raised.
 */
#ifndef SECMED_SHARED_SERVE_H
#define SECMED_SHARED_SERVE_H

#include "shared/table.h"

/* The table asked about; the asking node must have made it. */
extern SharedTable *serve_table(const SharedMessage *question, const NodeCard *from);

extern void check_digests(const SharedMessage *question, const NodeCard *from, SharedMessage *answer);
extern void check_bucket(const SharedMessage *question, const NodeCard *from, SharedMessage *answer);
extern void refresh_offer(const SharedMessage *question, const NodeCard *from, SharedMessage *answer);
extern void refresh_deal(const SharedMessage *question, const NodeCard *from, SharedMessage *answer);
extern void refresh_take(const SharedMessage *question, const NodeCard *from, SharedMessage *answer);
extern void rebuild_copy(const SharedMessage *question, const NodeCard *from, SharedMessage *answer);

#endif							/* SECMED_SHARED_SERVE_H */
