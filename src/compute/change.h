/*
 * change.h
 *	  UPDATE and DELETE of shared tables: which rows a condition selects stays
 *	  secret, so all rows get new shares, computed by the parties.
 *
 * The new shares are staged at the parties as a change of the analyst's
 * transaction (shared/stage.h), whose commit decides for all three.
 */
#ifndef SECMED_CHANGE_H
#define SECMED_CHANGE_H

#include "commands/explain.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"
#include "nodes/plannodes.h"

/*
 * Makes the scan below an UPDATE or DELETE of this shared table do all of it.
 * An error that says why if it can't.
 */
extern bool change_plan(PlannerInfo *root, ModifyTable *plan, Index relation, int subplan);

/* The error for a change that is not of one table alone. */
extern void change_refuse(Oid relid) pg_attribute_noreturn();

extern void change_begin(ForeignScanState *node, int eflags);
extern TupleTableSlot *change_run(ForeignScanState *node);
extern void change_end(ForeignScanState *node);
extern void change_explain(ForeignScanState *node, ExplainState *es);

#endif							/* SECMED_CHANGE_H */
