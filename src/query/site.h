/*
 * site.h
 *	  A site's part of a run: the sub-query over its own rows, and the vector
 *	  of ring elements that it gives.
 */
#ifndef SECMED_SITE_H
#define SECMED_SITE_H

#include "postgres.h"
#include "access/tupdesc.h"
#include "contract/noise.h"
#include "contract/request.h"
#include "query/site_values.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

typedef struct SiteQuery SiteQuery;

/*
 * Parses, analyses and walks the plan's SQL; nothing is run.  Refuses (with a
 * message for the analyst) whatever is not an aggregate over published columns
 * with allowed expressions and public groups.
 */
extern SiteQuery *site_prepare(const Request *request, const CanonicalPlan *plan);

/* The strictest rule of the tables in the query; none, if a contract's noise takes the place of all. */
extern void site_rule(const SiteQuery *query, uint64 *patients_min, bool *show_zero);

/* The noise that the answer of this run is to have, or NULL. */
extern const Noise *site_noise(const SiteQuery *query);

/*
 * Runs it as role secmed_runner, read-only, until the deadline, and fills
 * cells * (1 + width) elements: of each cell the patient count, then its
 * components.  Gives the values that quantiles are found among, to be shared behind them.
 *
 * Whatever a row's value raises becomes one general error
 * (ERRCODE_SECMED_ROW_ERROR): its own text may hold the value.
 */
extern SiteValues *site_execute(SiteQuery *query, uint128 *elements, TimestampTz deadline);

/*
 * Runs it in the same way for people of this site: its rows, in a tuplestore of the caller's. What
 * a row raises is told as it is.
 */
extern Tuplestorestate *site_look(SiteQuery *query, TupleDesc *desc);

#endif							/* SECMED_SITE_H */
