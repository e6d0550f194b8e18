/*
 * formula.h
 *	  A model's formula: chol ~ age + sex * log(trestbps) + offset(t) - 1
 *
 * The language is R's (Wilkinson and Rogers, "Symbolic Description of
 * Factorial Models for Analysis of Variance", Applied Statistics 22, 1973;
 * Chambers and Hastie, "Statistical Models in S", 1992, chapter 2): + and - of
 * terms, a:b an interaction, a*b is a + b + a:b, a/b is a + a:b, (a + b)^2;
 * 1 and 0 are the intercept.  Variables are columns, or PostgreSQL's own
 * expressions inside a function call: log(x), I(x * x); factor(x) makes levels
 * of numbers, offset(x) is a known part of the linear predictor.
 *
 * log(x) is R's natural logarithm; all other functions and operators are PostgreSQL's.
 *
 * Of times until an event: surv(time, event) ~ a + strata(b, c).
 *
 * It is read by PostgreSQL's scanner, so names and constants are written as
 * in SQL.
 */
#ifndef SECMED_FORMULA_H
#define SECMED_FORMULA_H

#include "postgres.h"
#include "nodes/pg_list.h"

/* Variables of one formula, a bit of a term each. */
#define FORMULA_VARIABLES_MAX	64

typedef struct Variable
{
	char	   *label;			/* as R shows it: "log(chol)" */
	char	   *sql;
	bool		factor;			/* factor(...) around it */
} Variable;

/* The interaction of the variables of these bits; none: the intercept. */
typedef uint64 Term;

typedef struct Formula
{
	char	   *text;
	Variable	outcome;		/* of surv(time, event) the event */
	char	   *time;			/* SQL: its time; NULL of other models */
	int			nvariables;
	Variable	variables[FORMULA_VARIABLES_MAX];
	bool		intercept;
	int			nterms;			/* of lower degree first, as R orders them; without the intercept */
	Term	   *terms;
	List	   *offsets;		/* of char *: SQL */
	List	   *strata;			/* of Variable * */
} Formula;

/* An error that points at what is wrong. */
extern Formula *formula_parse(const char *text);

/* The same, of a model without times and strata. */
extern Formula *formula_parse_plain(const char *text);

/* An error unless the SQL is one expression and nothing besides; `what` names it. */
extern void formula_check_expression(const char *sql, const char *what);

/* Is the term among the formula's, the intercept being the one without variables? */
extern bool formula_has_term(const Formula *formula, Term term);

#endif							/* SECMED_FORMULA_H */
