/*
 * exchange.h
 *	  Sending documents to other nodes, and asking for theirs.
 */
#ifndef SECMED_GOVERN_EXCHANGE_H
#define SECMED_GOVERN_EXCHANGE_H

#include "postgres.h"
#include "nodes/pg_list.h"

typedef struct Exchanged
{
	char	   *node;
	int64		sent;
	int64		received;		/* documents that the node had sent; most are known */
	int64		refused;		/* of those sent, by the node; of those received, here */
	const char *problem;		/* why it ended early, or NULL */

	/* for exchange.c */
	uint64		pushed;
	uint64		pulled;
	List	   *batches;		/* of ExchangeMessage */
} Exchanged;

/*
 * Sends every peer that can be called what it was not sent yet, and takes in
 * what they have and this node was not given; a list of Exchanged.  Whatever goes
 * wrong with one of them is its problem, and no error.
 *
 * To be called in a transaction that has taken no document in: while this node
 * waits for another, nobody may have to wait for this one.
 */
extern List *exchange_all(void);

#endif							/* SECMED_GOVERN_EXCHANGE_H */
