/*
 * scan.h
 *	  A foreign scan over sites: what its plan carries, and its execution.
 */
#ifndef SECMED_SCAN_H
#define SECMED_SCAN_H

#include "postgres.h"
#include "commands/explain.h"
#include "contract/plan.h"
#include "foreign/fdwapi.h"
#include "nodes/execnodes.h"
#include "query/asked.h"
#include "query/options.h"
#include "query/run.h"

/* What a ForeignScan carries, and what one execution of it has. */
typedef struct RunScan
{
	Federation *federation;
	bytea	   *plan_bytes;
	CanonicalPlan plan;
	PlanLayout	layout;
	List	   *finals;			/* of Final *, one for each column */
	List	   *what;			/* String */
	List	   *params;			/* ExprState */
	AskedContract contract;
	RunResult  *result;			/* after the first row was asked for */
	size_t		next_cell;
	size_t		tails_withheld; /* percentiles beyond which there are too few values */
	MemoryContext cell_context;
	char	   *statement;
} RunScan;

/* fdw_private of a ForeignScan over sites */
extern List *scan_private(bytea *plan, List *finals, List *what, const AskedContract *contract);
extern RunScan *scan_state_create(ForeignScanState *node);

/* Standard deviations of the noise, by component; and what is left of the sites' budgets, rho. */
extern char *noise_text(const RunScan *scan, const Noise *noise);
extern double noise_left(const RunResult *result);
extern char *plan_revealed(const RunScan *scan, const char *requester);

/* Only roles with privileges of secmed_analyst may ask. */
extern void require_analyst(void);

extern void scan_begin(ForeignScanState *node, int eflags);
extern TupleTableSlot *scan_next(ForeignScanState *node);
extern void scan_again(ForeignScanState *node);
extern void scan_end(ForeignScanState *node);
extern void scan_explain(ForeignScanState *node, ExplainState *es);
extern List *import_published(ImportForeignSchemaStmt *stmt, Oid serverid);

/* The value of a parameter as sites read it, or NULL. */
extern char *scan_param_text(ExprState *state, ExprContext *context);

#endif							/* SECMED_SCAN_H */
