/*
 * term.h
 *	  From PostgreSQL's expressions to those of oblivious plans.
 *
 * Kinds follow from PostgreSQL's types; numerics have a scale, which is aligned
 * by casts, as PostgreSQL does for itself at run time.  How many bits
 * a result may have, and what could overflow, is oblivious/check.h's.
 */
#ifndef SECMED_TERM_H
#define SECMED_TERM_H

#include "postgres.h"
#include "oblivious/plan.h"
#include "query/deparse.h"
#include "query/shape.h"

/* An expression with what its PostgreSQL type does not say. */
typedef struct Term
{
	Expression *expression;
	SecretKind	kind;
	int			scale;			/* of a numeric */
} Term;

typedef struct TermMaker
{
	Deparser	deparser;		/* for messages, and what the coordinator evaluates */
	ObliviousPlan *plan;		/* gets the parameters */
	List	   *params;			/* expressions without columns, in the order of its parameters */
	QueryRefusal    *refusal;

	/* The term of a column or of a whole expression that the relation below has; false if it has none. */
	bool		(*lookup) (Node *expr, Term *term, void *arg);
	void	   *arg;
} TermMaker;

/* False with the refusal filled in. */
extern bool term_make(TermMaker *maker, Node *expr, Term *term);

/* The conjunction of a list of conditions; all of them are true if it is empty. */
extern bool term_make_and(TermMaker *maker, List *conditions, Term *term);

/* The kind of a PostgreSQL type; false if it has none here. */
extern bool secret_kind_of_type(Oid type, SecretKind *kind);

/* The widest type of its kind, for casts. */
extern SecretType secret_widest(SecretKind kind, int scale);

/* "why not", once: the first reason stays. */
extern bool term_refuse(TermMaker *maker, char *reason, char *hint);

#endif							/* SECMED_TERM_H */
