/*
 * asked.h
 *	  Under which contract a planned question is asked.
 */
#ifndef SECMED_ASKED_H
#define SECMED_ASKED_H

#include "postgres.h"
#include "contract/request.h"
#include "nodes/pg_list.h"

typedef struct AskedContract
{
	bool		any;			/* false: under none, and the rest is 0 */
	uint8		hash[HASH_BYTES];
	char	   *name;			/* for EXPLAIN */
} AskedContract;

/* For plans, which are made of nodes: String each; NIL if there is none. */
extern List *asked_contract_to_list(const AskedContract *contract);
extern AskedContract asked_contract_from_list(List *list);

/* What the request says of it. */
extern void asked_contract_request(Request *request, const AskedContract *contract);

#endif							/* SECMED_ASKED_H */
