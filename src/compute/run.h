/*
 * run.h
 *	  One run over shared tables, seen from the coordinator: ask the three
 *	  parties, and open what they send.
 *
 *	  request   coordinator -> parties; each decides, records, loads its shares
 *	  result    each computes with the others (oblivious/execute.h), records, opens
 *	  finish    the outcome is on every ledger before rows return
 */
#ifndef SECMED_COMPUTE_RUN_H
#define SECMED_COMPUTE_RUN_H

#include "contract/request.h"
#include "oblivious/result.h"
#include "query/asked.h"
#include "query/options.h"

typedef struct AnswerSpec
{
	const Federation *federation;
	const ObliviousPlan *plan;
	const CheckedPlan *checked;
	const uint8 *plan_bytes;
	size_t		plan_len;
	char	  **params;			/* text or NULL */
	const char *statement;		/* for the local side table */
	AskedContract contract;
	bool		is_change;		/* its root is STORE, and these tell which change it is */
	uint8		change[CHANGE_ID_BYTES];
	uint64		change_xid;
} AnswerSpec;

typedef struct AnswerResult
{
	uint8		run[RUN_ID_BYTES];
	bool		proposed;		/* people were asked, and nothing was run */
	OpenedResult opened;
	double		mpc_ms;			/* the slowest party */
	double		total_ms;
	uint64		rounds;
	uint64		mpc_bytes;		/* sent by the three parties to each other */
	uint64		opened_bytes;
} AnswerResult;

/* Everything in CurrentMemoryContext.  Any failure is recorded, then raised. */
extern AnswerResult *answer_run(const AnswerSpec *spec);

#endif							/* SECMED_COMPUTE_RUN_H */
