/*
 * event_counts.h
 *	  The aggregates secmed.event_counts and secmed.estimate_events: how many
 *	  have their event, or are last seen, in each cell of a grid of times.
 *
 *	  event_counts(cell integer, event boolean, stratum integer, shape integer[])
 *	  estimate_events(cell, event, stratum, shape, program bigint[]) -> double precision[]
 *
 * shape is the number of cells and of strata, both from 0 on; a NULL, or what is
 * not among them, is an error.  event_counts, which sites run, returns the
 * counts as bytes (contract/estimate.h says in which order).  estimate_events is
 * what an analyst's function asks over sites: the parties run the program, (EstimateProgram,
 * squared, position, ...), and what they open comes back.  It has no meaning over local rows.
 */
#ifndef SECMED_EVENT_COUNTS_H
#define SECMED_EVENT_COUNTS_H

#include "postgres.h"
#include "contract/estimate.h"
#include "nodes/primnodes.h"

#define EVENT_COUNTS_ARGUMENTS	4

extern bool is_event_counts(Oid function);
extern bool is_estimate_aggregate(Oid function);

/* Counts, as far as the query's text says it; 0 if it does not. */
extern int	event_counts_width(const Aggref *agg);

/* The program of a call; false if its arrays are not constants that make sense. */
extern bool estimate_of_aggref(const Aggref *agg, Estimate *estimate);

#endif							/* SECMED_EVENT_COUNTS_H */
