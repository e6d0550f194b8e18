/*
 * answer.h
 *	  Can this query be answered on shares, of shared tables or of rows of the sites, and by which plan?
 */
#ifndef SECMED_ANSWER_H
#define SECMED_ANSWER_H

#include "compute/group.h"
#include "oblivious/check.h"

typedef struct Answer
{
	Oid			serverid;
	ObliviousPlan *plan;
	CheckedPlan checked;
	List	   *tlist;			/* fdw_scan_tlist: keys and aggregates, or columns */
	List	   *opened;			/* of Opened *, for each of them; columns of the answer */
	List	   *params;			/* expressions, evaluated by the coordinator */
	List	   *having;			/* conditions on the opened results */
	List	   *what;			/* String: what opening each column reveals */
	uint64		threshold;		/* smallest group, 0 if nobody's data is in it */
	bool		grouped;		/* rows are groups */
	bool		one_row;		/* aggregates without GROUP BY */
	AskedContract contract;
} Answer;

/* What of the query is answered: up to its groups, its distinct rows, or all of it. */
typedef enum AnswerStage
{
	ANSWER_GROUPS,
	ANSWER_DISTINCT,
	ANSWER_WHOLE				/* with ORDER BY and LIMIT */
} AnswerStage;

/* Does the query or a query in its FROM read a shared table? */
extern bool query_reads_shared(Query *query);

/* Does it read, itself, rows of a published table, or a sub-query's groups that are its patients? */
extern bool query_reads_published(Query *query);

/*
 * NULL with a refusal if it can't be.  targets: the expressions that the stage gives; having: a
 * list of conditions on groups; constants: NULL, or what becomes of them.
 */
extern Answer *answer_query(PlannerInfo *root, AnswerStage stage, List *targets, List *having,
							Constants *constants, QueryRefusal *refusal);

/* For plans, which are made of nodes. */
extern List *opened_to_list(const Opened *opened);
extern Opened *opened_from_list(List *list);

/* setting secmed.answer_rows: an answer over shared tables has at most so many rows */
extern int	answer_rows_max;

extern void answer_init(void);

#endif							/* SECMED_ANSWER_H */
