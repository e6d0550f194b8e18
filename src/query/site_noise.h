/*
 * site_noise.h
 *	  A site's part of a run with noise: what one patient can change of the answer is bounded here.
 *
 * Of each patient at most rows_max rows are counted, and what a row adds to a sum is a whole number
 * between two bounds, both of them the contract's (contract/noise.h).  Which rows of a patient count
 * depends on these rows alone, so that the rows of others never change it.
 */
#ifndef SECMED_SITE_NOISE_H
#define SECMED_SITE_NOISE_H

#include "query/site_query.h"

/* The sums of a checked query become sums of bounded whole numbers.  Sets site->noise and site->patient. */
extern void site_noise_bound(SiteQuery *site, Query *query, const Noise *noise);

/* The query over at most rows_max rows of each patient; itself, if nobody can have more. */
extern Query *site_noise_limit_rows(const SiteQuery *site, Query *query);

#endif							/* SECMED_SITE_NOISE_H */
