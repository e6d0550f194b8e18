/*
 * shape.h
 *	  Can this query be answered by aggregates over the sites, and by which
 *	  canonical plan?
 */
#ifndef SECMED_SHAPE_H
#define SECMED_SHAPE_H

#include "postgres.h"
#include "nodes/pathnodes.h"
#include "query/asked.h"
#include "query/component.h"

typedef struct Shape
{
	Oid			serverid;
	CanonicalPlan		plan;
	List	   *tlist;			/* fdw_scan_tlist: keys and aggregates */
	List	   *finals;			/* a Final as list for each of them */
	List	   *params;			/* expressions, evaluated by the coordinator */
	List	   *what;			/* String: what opening each component reveals */
	List	   *having;			/* conditions on the opened results */
	AskedContract contract;
} Shape;

/* Why not, in words for the analyst. */
typedef struct QueryRefusal
{
	char	   *reason;			/* "function random() is volatile" */
	char	   *hint;			/* or NULL */
} QueryRefusal;

/*
 * NULL with a refusal if the query asks for anything but aggregates.  constants: NULL, or what
 * becomes of them; where they are taken out, the plan is good for nothing but its bytes.
 */
extern Shape *shape_query(PlannerInfo *root, RelOptInfo *grouped, List *having, Constants *constants,
						  QueryRefusal *refusal);

#endif							/* SECMED_SHAPE_H */
