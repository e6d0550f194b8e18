/*
 * design.h
 *	  From a formula to the columns of a design, over a relation.
 *
 * A number is a column; a boolean, an enum, a text or factor(x) is one column of
 * 0 and 1 for each of its levels but the first (treatment contrasts), or for all
 * of them where the term without it is not in the model: R's rule (Chambers and
 * Hastie 1992, section 2.4.1).  Names are R's: sexmale, age:sexmale.
 *
 * Levels are those of the type (boolean, enum), of the published domain, over
 * local tables of the rows themselves, or what the caller says.
 */
#ifndef SECMED_DESIGN_H
#define SECMED_DESIGN_H

#include "postgres.h"
#include "base/limits.h"
#include "model/formula.h"
#include "query/domain.h"
#include "utils/jsonb.h"

typedef struct DesignColumn
{
	char	   *name;			/* "(Intercept)", "sexmale" */
	char	   *sql;			/* double precision */
} DesignColumn;

typedef struct Levels
{
	int			n;				/* 0: a number */
	char	  **values;			/* as text */
	char	  **names;			/* as R shows them */
} Levels;

typedef struct Design
{
	Oid			relation;
	bool		federated;		/* a foreign table over sites */
	Formula    *formula;
	char	   *from;			/* SQL: the relation's name */
	char	   *where;			/* SQL or NULL */
	char	   *complete;		/* SQL: no used value is NULL */
	char	   *outcome;		/* SQL, double precision */
	char	   *weight;
	char	   *offset;
	Levels		levels[FORMULA_VARIABLES_MAX];	/* of the formula's variables */
	int			p;
	DesignColumn *columns;
} Design;

/*
 * All but the columns: types are looked up, levels found.  `weights` and `where`
 * are SQL or NULL; `levels` a JSON object {"d": [1, 2, 3]} or NULL.  Needs SPI.
 */
extern Design *design_start(Formula *formula, Oid relation, const char *where, const char *weights,
							Jsonb *levels, bool binomial);

/* The public values of an expression over the relation, or NULL.  Needs SPI. */
extern Domain *design_domain(const Design *design, const char *sql);

/* Leaves out levels without rows: `rows` of each of a variable's levels, */
extern void design_keep_levels(Design *design, int variable, const int64 *rows);

/* The columns. */
extern void design_expand(Design *design);

/* SQL: the row is of this level. */
extern char *design_level_condition(const Design *design, int variable, int level);

#endif							/* SECMED_DESIGN_H */
