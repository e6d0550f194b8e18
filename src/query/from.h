/*
 * from.h
 *	  The FROM and WHERE of a site's sub-query, and whether joining at each
 *	  site for itself gives what joining the pooled rows would.
 */
#ifndef SECMED_FROM_H
#define SECMED_FROM_H

#include "postgres.h"
#include "contract/plan.h"
#include "query/deparse.h"
#include "query/options.h"

typedef struct FromClause
{
	Deparser   *deparser;
	Oid			serverid;
	StringInfoData text;		/* after FROM */
	List	   *conditions;		/* of char *: for WHERE, to be joined by AND */
	List	   *tables;			/* of PublishedTable, in order of appearance */
	List	   *rtindexes;		/* their range table indexes */
	List	   *equalities;		/* of OpExpr: inner conditions column = column */
	Bitmapset  *optional;		/* tables whose rows an outer join may leave out */
	List	   *joined;			/* of Bitmapset: sides of outer joins that are joined locally */
	char	   *reason;			/* why it can't be done */
	char	   *hint;
	bool		needs_rows;		/* a join that the parties can make */
} FromClause;

/* False with reason and hint in `from`. */
extern bool from_clause_build(FromClause *from, Deparser *deparser, FromExpr *jointree);

/* The table of a range table index among from->tables, or NULL. */
extern PublishedTable *from_clause_table(const FromClause *from, int rtindex);

/* The tables, and the columns that any expression read that was deparsed, into the plan. */
extern void from_clause_tables(const FromClause *from, CanonicalPlan *plan);

/* Types of the deparser's parameters. */
extern void from_clause_params(const FromClause *from, char ***types, int *n);

/* Are all tables whose patients are counted joined on their patient columns, so that a row is of one patient? */
extern bool from_clause_one_patient(FromClause *from);

#endif							/* SECMED_FROM_H */
