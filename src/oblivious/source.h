/*
 * source.h
 *	  Where rows come from that sites share for one run: the SELECT that each site runs over what it
 *	  publishes, and what its columns are.
 *
 *	  [rows of a site, sql, tables, parameter types, aggregates]
 *
 *	  rows        how many each site shares, padded with rows that are not there: a public number, a multiple of
 *	              SITE_ROWS_STEP; the input has as many for each site
 *	  sql         one SELECT over views of secmed_published; its target list are the input's columns in
 *	              their order, without those that the site adds by itself
 *	  tables      the columns that it reads, as in contract/plan.h
 *	  parameter types  as format_type() prints them; the values are in the request, behind those of the
 *	              plan's own parameters and of the inputs before
 *	  aggregates  null, or for rows that are groups already (PATIENT_COUNTED) of each column behind
 *	              the keys [PlanAggregateKind, part]
 *
 * A site adds at the end: if patients are told apart by a column, that column, which must be the input's last, an
 * integer of its own numbering: no two sites give the same number, and within one run a site gives each value of its tables'
 * patient columns one number, NULL if it is NULL.  If patients are counted, a column for each part: how many patients
 * contribute to it.  The coordinator has no say in either.
 *
 * Groups of several sites are merged by what `aggregates` says (PLAN_MERGE): counts and
 * sums by SUM, the least by MIN, and so on.  A site lets no column pass that is another aggregate than that.
 */
#ifndef SECMED_OBLIVIOUS_SOURCE_H
#define SECMED_OBLIVIOUS_SOURCE_H

#include "base/base.h"
#include "base/cbor.h"
#include "contract/plan.h"

/* A column of a group that a site has made: how it is merged with those of other sites, and who contributes to it. */
typedef struct SourceAggregate
{
	int			kind;			/* PlanAggregateKind: SUM, MIN, MAX, BOOL_AND or BOOL_OR */
	int			part;			/* numbered by first use; 0: every row of the group contributes */
} SourceAggregate;

typedef struct InputSource
{
	uint64		rows;			/* of one site */
	char	   *sql;
	int			ntables;
	PlanTable  *tables;
	int			nparams;
	char	  **param_types;
	bool		grouped;
	int			naggregates;	/* 0 if not grouped */
	SourceAggregate *aggregates;
} InputSource;

/* At least 1. */
extern int	source_parts(const InputSource *source);

extern void source_encode(StringInfo out, const InputSource *source);

/* The next element; what can't be a source is an error of the reader. */
extern InputSource *source_read(CborReader *in);

#endif							/* SECMED_OBLIVIOUS_SOURCE_H */
