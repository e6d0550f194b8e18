/*
 * run.h
 *	  One run, seen from the coordinator: ask every site and party, pass on
 *	  what is sealed, open what may be opened.
 *
 *	  every node      request                    each decides, records, and says yes
 *	  sites           sub-query, shares sealed to the parties -> coordinator
 *	  parties         their sealed inputs; they add, compare, select (src/mpc)
 *	  parties         open messages -> coordinator, who checks and rebuilds
 *	  every node      finish; the outcome is on every ledger before rows return
 */
#ifndef SECMED_RUN_H
#define SECMED_RUN_H

#include "postgres.h"
#include "contract/noise.h"
#include "contract/request.h"
#include "query/asked.h"
#include "query/options.h"

typedef struct SiteReport
{
	const char *name;
	double		elapsed_ms;
	uint64		rho_left;		/* of a run with noise: what the requester may still spend there */
} SiteReport;

typedef struct RunResult
{
	uint8		run[RUN_ID_BYTES];
	bool		sealed;			/* to the reader that secmed.result_to names; then there are no elements */
	uint128    *elements;		/* as plan_layout() says, with flags in place of patient counts */
	const Noise *noise;			/* in the elements, or NULL */
	uint64		patients_min;
	int			nsites;
	SiteReport	sites[SITES_MAX];
	double		mpc_ms;			/* the slowest party */
	double		total_ms;
	uint64		rounds;			/* of MPC */
	uint64		mpc_bytes;		/* sent by the three parties to each other */
	uint64		opened_bytes;	/* received by the coordinator */
	bool		proposed;		/* people were asked, and nothing was run */
	size_t		withheld;		/* cells below the threshold */
	size_t		parts_withheld; /* and further parts of the other cells */
} RunResult;

typedef struct RunSpec
{
	const Federation *federation;
	const CanonicalPlan *plan;
	const uint8 *plan_bytes;
	size_t		plan_len;
	char	  **params;
	const char *statement;		/* for the local side table */
	AskedContract contract;
} RunSpec;

/* Everything in CurrentMemoryContext. Any failure is recorded, then raised. */
extern RunResult *run_federated(const RunSpec *spec);

#endif							/* SECMED_RUN_H */
