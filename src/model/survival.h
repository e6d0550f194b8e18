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

/* Needs SPI; arguments as of design_start(). */
extern SurvivalDesign *survival_design(const char *formula, Oid relation, const char *where, Jsonb *levels);

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

#endif							/* SECMED_MODEL_SURVIVAL_H */
