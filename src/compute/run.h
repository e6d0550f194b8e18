/*
 * run.h
 *	  One run of an oblivious plan, seen from the coordinator.  This is how to run such a plan, for
 *	  whatever made it.
 *
 *	  request   coordinator -> parties, and sites if the plan asks them; each decides and records
 *	  shares    each site runs the SELECT of each input that its rows are (oblivious/source.h), and seals
 *	            a package to each party, which the coordinator passes on as it came
 *	  result    each computes with the others (oblivious/execute.h), records, opens
 *	  finish    the outcome is on every ledger before rows return
 *
 * To run a plan of your own:
 *
 *	  ObliviousPlan *plan = oblivious_plan_create();
 *	  oblivious_plan_add_input(plan, ...);   rows of sites: INPUT_SITES, with a source; site_input.h helps
 *	  oblivious_plan_add_node(plan, ...);    in postorder; the last is RELEASE
 *	  plan_check(&checked, plan, &refusal);  is it right, and whom does it tell about?
 *	  result = answer_run(&spec);            result->opened: the first `there` rows of each column
 *
 * Sites and parties check all of it again: sites what their SQL says and whether enough patients are behind
 * what is opened, parties that no site asked for more.
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
	char	  **params;			/* text or NULL: those of the plan, then those of each input of sites */
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
	double		sites_ms;		/* the slowest site; 0 if none was asked */
	uint64		shared_bytes;	/* sent by the sites */
	uint64		rounds;
	uint64		mpc_bytes;		/* sent by the three parties to each other */
	uint64		opened_bytes;
} AnswerResult;

/* Everything in CurrentMemoryContext.  Any failure is recorded, then raised. */
extern AnswerResult *answer_run(const AnswerSpec *spec);

#endif							/* SECMED_COMPUTE_RUN_H */
