/*
 * deparse.h
 *	  From PostgreSQL's planner trees to the SQL that sites run.
 *
 * The text is made by PostgreSQL's own deparse_expression() (ruleutils), for
 * tables of schema secmed_published under the aliases r1, r2, ...
 */
#ifndef SECMED_DEPARSE_H
#define SECMED_DEPARSE_H

#include "postgres.h"
#include "nodes/pathnodes.h"
#include "peer/transmission.h"
#include "query/constants.h"

typedef struct Deparser
{
	PlannerInfo *root;
	List	   *context;		/* for deparse_expression, tables r1, r2, ... */
	List	   *own_context;	/* the same, with the query's own names */
	bool		several;		/* more than one table: columns need a prefix */
	List	   *columns;		/* Var: those that site expressions read */
	List	   *params;			/* expressions without columns, evaluated by the coordinator */
	Constants  *constants;		/* or NULL: they stay as they are */
} Deparser;

/* Is this a value that only the coordinator can give: no column is in it? */
extern bool deparser_owns(Deparser *deparser, Node *expr);

extern void deparser_start(Deparser *deparser, PlannerInfo *root);

/*
 * Text of an expression, or NULL with a reason if it can't run at a site.
 * Parts without columns that are not constants (parameters, now(), values of
 * uncorrelated sub-queries) become parameters $1, $2, ... of the sub-query.
 */
extern char *deparse_site_expression(Deparser *deparser, Node *expr, char **reason);

/* The expression as the analyst would write it, for messages and EXPLAIN. */
extern char *deparse_for_people(Deparser *deparser, Node *expr);

#endif							/* SECMED_DEPARSE_H */
