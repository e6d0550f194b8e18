/*
 * group.h
 *	  GROUP BY, aggregates and HAVING of one query level.
 */
#ifndef SECMED_GROUP_H_
#define SECMED_GROUP_H_

#include "compute/aggregates.h"

/* A finished GROUP: its relation, and what each aggregate of the query is made of. */
typedef struct Grouped
{
	Rel		   *rel;
	int			nkeys;
	List	   *aggrefs;		/* of Aggref */
	List	   *opened;			/* of Opened *, in the same order; columns of rel */
	List	   *having;			/* conditions that only the coordinator can check, after opening */
} Grouped;

/*
 * targets: what the query level makes of groups (keys, aggregates and expressions
 * of them); having: a list of conditions.  False with the refusal.
 */
extern bool compile_group(Compiler *compiler, Rel *below, List *targets, List *having, Grouped *grouped);

/* SELECT DISTINCT of these expressions. */
extern Rel *compile_distinct(Compiler *compiler, Rel *below, List *exprs);

/* What is made of this aggregate, or NULL. */
extern Opened *grouped_find(const Grouped *grouped, Node *aggref);

#endif							/* SECMED_GROUP_H_ */
