/*
 * consent_filter.h
 *	  Runs see rows of those patients only who have agreed to their purpose.
 */
#ifndef SECMED_CONSENT_FILTER_H
#define SECMED_CONSENT_FILTER_H

#include "query/site_query.h"

/*
 * In a query that site.c has checked, puts in place of each published table that needs consent its rows of
 * patients who have given it for the request's purpose, and appends to the ledger how many patients that leaves out.
 * The rows are selected before anything of the plan's SQL sees them.  Returns the query's parameters, with those of the
 * selection behind them.  As the runner; ERRCODE_SECMED_CONSENT if the table is not open to the purpose.
 */
extern ParamListInfo consent_filter(SiteQuery *site, Query *query);

#endif							/* SECMED_CONSENT_FILTER_H */
