/*
 * survival.h
 *	  Questions about times until an event, over a relation: from the formula
 *	  surv(time, event) ~ arms + strata(...) to SQL.
 *
 * An arm is a combination of levels of the formula's variables, a stratum one
 * of those in strata().  Rows with a NULL in any of them are left out.  An event
 * is true, or as in R the larger of the codes 0 and 1, or 1 and 2.
 */
#ifndef SECMED_MODEL_SURVIVAL_H
#define SECMED_MODEL_SURVIVAL_H

#include "postgres.h"
#include "contract/estimate.h"
#include "model/design.h"
#include "stats/survival.h"

/* Arms of one question, and strata. */
#define SURVIVAL_ARMS_MAX	64

typedef struct Combinations
{
	int			n;				/* 1 if there are no variables */
	char	  **names;			/* as R shows them: "sex=1, inst=2"; NULL without variables */
	char	   *sql;			/* integer, from 0 on */
} Combinations;

typedef struct SurvivalDesign
{
	Design	   *design;
	Combinations arms;
	Combinations strata;
	char	   *time;			/* SQL: double precision */
	char	   *event;			/* SQL: boolean */
} SurvivalDesign;

/* Needs SPI; arguments as of design_start().  Of curves strata() makes arms, as in R. */
extern SurvivalDesign *survival_design(const char *formula, Oid relation, const char *where, Jsonb *levels, bool curves);

/* Counts of the rows of one arm and stratum, sorted by time. */
typedef struct SurvivalCounts
{
	int			n;
	EventCount *counts;
} SurvivalCounts;

/*
 * Over a local relation: [arm * strata.n + stratum], in the caller's memory.
 * `missing` gets the number of rows that are left out.
 */
extern SurvivalCounts *survival_count(const SurvivalDesign *design, MemoryContext context, int64 *missing);

/*
 * Over sites: the grid of times on which they count, the public values of the time unless `grid`
 * says {first, last, step}.  Times between are rounded to it; those beyond it are an error at the site.
 */
typedef struct SurvivalGrid
{
	double		first;
	double		step;
	int			cells;
} SurvivalGrid;

extern SurvivalGrid survival_grid(const SurvivalDesign *design, const double *grid, int n);

/* Where a time is on it, as a position of contract/estimate.h. */
extern uint32 survival_position(const SurvivalGrid *grid, double time);

/*
 * What the parties open of each arm for this program (its cells and strata are set here), in
 * the caller's memory; NULL where an arm is withheld.
 */
extern double **survival_estimate(const SurvivalDesign *design, const SurvivalGrid *grid, Estimate *estimate,
								  MemoryContext context);

/* Over sites: rows of the relation that meet the condition, complete or not. */
extern int64 survival_rows(const SurvivalDesign *design);

#endif							/* SECMED_MODEL_SURVIVAL_H */
