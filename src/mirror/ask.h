/*
 * ask.h
 *	  One question about ledgers to one node, from a session.
 */
#ifndef SECMED_ASK_H
#define SECMED_ASK_H

#include "ledger/mirror.h"

/* Waits for the answer, no longer than secmed.node_timeout; fails if none comes.  The answer is palloc'd. */
extern void ask_node(const char *node, const MirrorQuestion *question, MirrorAnswer *answer);

#endif							/* SECMED_ASK_H */
