/*
 * client.h
 *	  Asking other nodes about shared tables.
 */
#ifndef SECMED_SHARED_CLIENT_H
#define SECMED_SHARED_CLIENT_H

#include "postgres.h"
#include "contract/shared.h"

/*
 * Asks n nodes (at most PARTIES), all at the same time, each its own
 * question, and waits for all answers, at most secmed.node_timeout; what they
 * hold is in CurrentMemoryContext.  Any failure is raised.
 */
extern void shared_ask(const char *const *nodes, int n, const SharedMessage *questions, SharedMessage *answers);

#endif							/* SECMED_SHARED_CLIENT_H */
