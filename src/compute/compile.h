/*
 * compile.h
 *	  From a query over shared tables to an oblivious plan, or to the reason why
 *	  there is none.
 */
#ifndef SECMED_COMPILE_H
#define SECMED_COMPILE_H

#include "compute/relation.h"
#include "nodes/pathnodes.h"

/* A query, or one in its FROM, being compiled. */
typedef struct Compiler
{
	PlannerInfo *root;
	TermMaker	maker;			/* its plan is shared with the query around */
	uint64		threshold;		/* the largest of the tables' smallest groups */
	Oid			serverid;
	bool		is_subquery;
	int			site_inputs;	/* how many inputs are rows of sites */
	List	   *site_columns;	/* of SiteColumns *, for each of them */
	List	   *site_params;	/* expressions: the parameters of their SELECTs, input by input */
} Compiler;

extern void compiler_start(Compiler *compiler, PlannerInfo *root, const Compiler *outer,
						   ObliviousPlan *plan, QueryRefusal *refusal);

/* Is there anything in this query level that no plan can have?  False with the refusal. */
extern bool compile_check(Compiler *compiler);

/* FROM and WHERE.  (joins.c) */
extern Rel *compile_from(Compiler *compiler, FromExpr *from);

/*
 * A query in FROM: its columns are those of its target list, under the names of
 * the query around it.  (subquery.c)
 */
extern Rel *compile_subquery(Compiler *outer, Index varno);

/* setting secmed.join_rows: the most rows of a join whose keys are unique on neither side; 0: refused */
extern int	join_rows_max;

extern void compile_init(void);

#endif							/* SECMED_COMPILE_H */
