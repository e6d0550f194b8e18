/*
 * site_source.h
 *	  A site's part of a run over shares: rows of what it publishes, split among the parties
 *	  (oblivious/source.h).
 *
 * The plan comes from a stranger.  The site works out by itself what tells its patients apart and how many
 * must be behind whatever is opened, and refuses a plan that says otherwise.  Everybody
 * else learns of its rows only the bound to which they are padded.
 */
#ifndef SECMED_SITE_SOURCE_H
#define SECMED_SITE_SOURCE_H

#include "postgres.h"
#include "contract/request.h"
#include "contract/rows_receipt.h"
#include "oblivious/check.h"
#include "utils/timestamp.h"

typedef struct SiteSources SiteSources;

/*
 * Parses, analyses and walks the SQL of each input that sites share; nothing is run.  site: which one this is.
 * Errors are for the analyst: ERRCODE_SECMED_REFUSED, _TABLE_MISMATCH.
 */
extern SiteSources *site_sources_prepare(const Request *request, const CheckedPlan *checked, int site);

/* Rows and threshold of each of them; returns how many. */
extern int	site_sources_rules(const SiteSources *sources, RowsShared rules[TABLES_MAX]);

/*
 * Runs them all on one snapshot, as secmed_runner and read-only, until the deadline, and appends the three
 * parties' packages.  Too many rows for the bound: ERRCODE_PROGRAM_LIMIT_EXCEEDED, without the number.
 */
extern void site_sources_share(SiteSources *sources, StringInfo packages[PARTIES], TimestampTz deadline);

#endif							/* SECMED_SITE_SOURCE_H */
