/*
 * submission.h
 *	  Runs that wait for people at other nodes, seen from the coordinator.
 *
 * Within secmed.submit() a question to the sites is only put before the people
 * there, and gives no rows; within secmed.result() it is run, once all have said
 * yes.  A plain statement that meets a node which asks people waits for them, at most
 * secmed.approval_wait, in the analyst's own session.
 */
#ifndef SECMED_SUBMISSION_H
#define SECMED_SUBMISSION_H

#include "query/nodes.h"

extern int	approval_wait_ms;	/* secmed.approval_wait */

/* Between these, the one question that is asked belongs to this submission; propose: is only put before people. */
extern void submission_begin(const uint8 id[SUBMISSION_ID_BYTES], bool propose);
extern void submission_end(void);

/* The nodes whose people were asked since submission_begin(): names; NIL if none was. */
extern List *submission_nodes(void);

/*
 * Between these, runs of a plan that may be iterated (request_may_iterate()) are passes of one fit, at most so many:
 * one submission, whose people are asked once; returns its id.  An error ends them, too.
 */
extern const uint8 *submission_passes_begin(uint64 most);
extern void submission_passes_end(void);

/* Is there one, between submission_begin() and submission_end()? */
extern bool submission_is_open(void);

/*
 * Before a run: of a submission, asks the people.  False: that was all.  True: it may take place.
 * Errors: ERRCODE_SECMED_AWAITS_APPROVAL, which names those who have not answered, and
 * ERRCODE_SECMED_NOT_APPROVED.
 */
extern bool submission_prepare(RunNodes *nodes, Request *request);

/* Makes the request one of the passes of a fit, if it is one. */
extern void submission_mark_pass(Request *request, const CanonicalPlan *plan);

/*
 * A node has refused because it asks people: asks them and waits; the request is then one for a
 * new run.  Same errors; the question is withdrawn then.
 */
extern void submission_wait(RunNodes *nodes, Request *request);

/* Tells a node that nobody waits for this any more. */
extern void submission_withdraw(const char *node, const uint8 id[SUBMISSION_ID_BYTES]);

#endif							/* SECMED_SUBMISSION_H */
