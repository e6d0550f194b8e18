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
	List	   *tables;			/* of PublishedTable */
	Bitmapset  *optional;		/* range table indexes whose rows an outer join may leave out */
	List	   *components;		/* of Component, as the plan has them */
} Shape;

/* Why not, in words for the analyst. */
typedef struct QueryRefusal
{
	char	   *reason;			/* "function random() is volatile" */
	char	   *hint;			/* or NULL */
	bool		needs_rows;		/* shares of rows, or of groups, may do what sums can't */
	char	   *on_shares;		/* why it can't be computed on shares of rows either, or NULL */
} QueryRefusal;

/*
 * NULL with a refusal if the query asks for anything but aggregates.  constants: NULL, or what
 * becomes of them; where they are taken out, the plan is good for nothing but its bytes.  open_keys: keys need no public
 * domain, and have none in the plan; whoever asks for this merges the sites' groups in another way (compute/merge.c).
 */
extern Shape *shape_query(PlannerInfo *root, RelOptInfo *grouped, List *having, Constants *constants,
						  bool open_keys, QueryRefusal *refusal);

#endif							/* SECMED_SHAPE_H */
