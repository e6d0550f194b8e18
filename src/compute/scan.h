/*
 * scan.h
 *	  A foreign scan over shared tables: what its plan carries, and its
 *	  execution.
 */
#ifndef SECMED_COMPUTE_SCAN_H
#define SECMED_COMPUTE_SCAN_H

#include "compute/answer.h"
#include "compute/run.h"
#include "commands/explain.h"
#include "nodes/execnodes.h"

/* fdw_private of such a scan; and is it one? */
extern List *answer_private(const Answer *answer);
extern bool answer_is_private(List *fdw_private);

typedef struct AnswerScan
{
	Federation *federation;
	bytea	   *plan_bytes;
	ObliviousPlan plan;
	CheckedPlan checked;
	List	   *opened;			/* of Opened *, one for each column */
	List	   *what;			/* String */
	uint64		threshold;
	bool		grouped;
	bool		one_row;		/* aggregates without GROUP BY */
	List	   *params;			/* ExprState */
	AskedContract contract;
	AnswerResult *result;		/* after the first row was asked for */
	size_t		next_row;
	MemoryContext row_context;
	char	   *statement;
} AnswerScan;

extern AnswerScan *answer_scan_create(ForeignScanState *node);

extern void answer_begin(ForeignScanState *node, int eflags);
extern TupleTableSlot *answer_next(ForeignScanState *node);
extern void answer_again(ForeignScanState *node);
extern void answer_end(ForeignScanState *node);
extern void answer_explain(ForeignScanState *node, ExplainState *es);

/* For scans and changes: the plan's bytes, and the values of its parameters as texts. */
extern bytea *answer_plan_to_bytea(const ObliviousPlan *plan);
extern char **answer_evaluate_params(ForeignScanState *node, List *params, const ObliviousPlan *plan);
extern void answer_explain_plan(const Federation *federation, const CheckedPlan *checked, ExplainState *es);
extern void answer_explain_actual(const AnswerResult *result, ExplainState *es);

/* "to research:alice, of each group ...": what the scan reveals. */
extern char *answer_revealed(const AnswerScan *scan, const char *requester);

#endif							/* SECMED_COMPUTE_SCAN_H */
