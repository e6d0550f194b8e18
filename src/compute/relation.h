/*
 * relation.h
 *	  Relations of a plan in the making: a tree of plan nodes whose columns are
 *	  known by the expressions of the query that they hold.
 */
#ifndef SECMED_RELATION_H
#define SECMED_RELATION_H

#include "compute/term.h"
#include "oblivious/type.h"

typedef struct Rel Rel;

typedef struct RelColumn
{
	Node	   *expr;			/* of the query: a Var, a key, an aggregate; NULL if nobody asks for it */
	ColumnType	type;
	bool		unique;			/* no value twice among rows that are there */

	/*
	 * Of Var: patient columns of published tables, of which this column has the sites' own numbers (oblivious/source.h)
	 * and not the values.  They can be compared with each other and counted, not computed with nor opened.
	 */
	List	   *numbers;
} RelColumn;

struct Rel
{
	PlanNode	node;			/* without the numbers of its children */
	List	   *children;		/* of Rel * */
	List	   *columns;		/* of RelColumn * */
	List	   *patients;		/* int: columns that tell patients apart */
	Relids		relids;			/* range table entries whose columns it has */
};

/* A relation above others; columns and patients are the first child's, as it is. */
extern Rel *rel_above(PlanNodeKind kind, Rel *child);

/* The column that holds this expression, or -1. */
extern int	rel_find(const Rel *rel, Node *expr);

/* The column with numbers of the patients that this expression is, or -1. */
extern int	rel_find_numbers(const Rel *rel, Node *expr);

/*
 * The column that holds this expression or numbers of it, after a PROJECT if there is none yet:
 * *rel is then another.  -1 with the maker's refusal.
 */
extern int	rel_column(TermMaker *maker, Rel **rel, Node *expr);

/* FILTER by all of these conditions; *rel is as it was if there are none. */
extern bool rel_filter(TermMaker *maker, Rel **rel, List *conditions);

/* The term maker's lookup; arg is the Rel. */
extern bool rel_lookup(Node *expr, Term *term, void *arg);

extern RelColumn *rel_add_column(Rel *rel, Node *expr, ColumnType type, bool unique);

/* The type of an expression over this relation; false with the maker's refusal. */
extern bool rel_type(TermMaker *maker, const Rel *rel, const Expression *expression, ColumnType *type);

/* Adds the columns of this query level that the node reads to a list, each once; returns false. */
extern bool rel_collect_vars(Node *node, List **vars);

/* Adds the nodes to the plan, children first; the number of the last one. */
extern int	rel_emit(ObliviousPlan *plan, const Rel *rel);

#endif							/* SECMED_RELATION_H */
