/*
 * aggregates.h
 *	  Standard aggregates taken apart into those of oblivious plans, and what is
 *	  made of their opened values.
 *
 * As over sites (query/component.h), an average is opened as its sum and count.
 */
#ifndef SECMED_AGGREGATES_H
#define SECMED_AGGREGATES_H

#include "compute/compile.h"
#include "query/component.h"

/* A GROUP in the making. */
typedef struct GroupMaker
{
	Compiler   *compiler;
	Rel		   *rel;			/* below */
	Rel		   *group;
	List	   *aggregates;		/* of PlanAggregate *, in the order of the node */
	List	   *supports;		/* of PlanAggregate *: the first of each part from 1 on */
} GroupMaker;

/* What is made of opened columns; components of `final` are columns of the relation that is opened. */
typedef struct Opened
{
	Final		final;
	int			part;			/* column that says whether it may be shown, or -1 */
} Opened;

/*
 * Adds what this aggregate is made of to the group.  False with the maker's
 * refusal.  final->components count the group's aggregates.
 */
extern bool group_add_aggregate(GroupMaker *maker, Aggref *agg, Final *final, int *part);

#endif							/* SECMED_AGGREGATES_H */
