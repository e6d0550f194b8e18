/*
 * inbox.h
 *	  What a party gets from the sites of a run: their rows, as the inputs of a plan.
 *
 * The coordinator passes packages on, and is trusted with nothing: each bears its site's receipt
 * (contract/rows_receipt.h), which says for which run and plan the site sealed it, and how many patients it wants to
 * be behind what is opened.
 */
#ifndef SECMED_INBOX_H
#define SECMED_INBOX_H

#include "oblivious/check.h"
#include "oblivious/relation.h"
#include "query/serving.h"

typedef struct Inbox
{
	SharedRelation *relations;	/* of each input of the plan; those that are shared tables are empty */
	uint8		digest[HASH_BYTES];	/* of all receipts: what the parties must have alike */
} Inbox;

/*
 * Waits for the sites' packages and puts their rows together, in the order of the request's sites.  Errors:
 * ERRCODE_SECMED_REFUSED if the plan opens what is about fewer patients than a site wants,
 * ERRCODE_SECMED_WRONG_KEY, ERRCODE_SECMED_PROTOCOL.
 */
extern Inbox *inbox_take(Serving *serving, const CheckedPlan *checked);

#endif							/* SECMED_INBOX_H */
