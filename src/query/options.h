/*
 * options.h
 *	  Options of servers, foreign tables and their columns.
 *
 *	  server   sites, parties    lists of node names
 *	  table    table             published name (default: the table's own)
 *	           patient           the column that tells patients apart
 *	           local_keys        columns whose values never belong to two sites
 *	           threshold         the largest of the sites' smallest groups
 *	           unique            the patient column, if no patient has two rows
 *	           rows_max          the most rows that a site shares for a run
 *	  column   domain            JSON list: the public values
 *	           uses              what all sites allow it for (column_policy.h), if that is not the usual
 *	           bucket, class     how coarse its values are, and how sensitive: for people
 *
 * and of shared tables (shared_table.h):
 *
 *	  table    kind              shared
 *	           table             name at the parties (default: the table's own)
 *	           patient           the column that tells patients apart
 *	           unique            columns whose value no two rows share
 *	           threshold         smallest group that may be opened (default 11)
 *	  column   bits, bytes       public bound of numbers and texts
 *
 * IMPORT FOREIGN SCHEMA writes those of tables and columns; a site checks
 * whatever a query makes of them.
 */
#ifndef SECMED_OPTIONS_H
#define SECMED_OPTIONS_H

#include "postgres.h"
#include "base/limits.h"
#include "nodes/primnodes.h"
#include "query/domain.h"

typedef struct Federation
{
	char	   *server;			/* name of the foreign server */
	int			nsites;
	char	   *sites[SITES_MAX];
	char	   *parties[PARTIES];
} Federation;

/* The value of an option in a list of DefElem, or NULL. */
extern const char *option_value(List *options, const char *name);

/* A number between these, or an error that names the option. */
extern int	number_option(const char *option, const char *value, int min, int max);

/* The nodes of a server; an error if an option is missing. */
extern Federation *federation_of_server(Oid serverid);

/* The smallest group of a table that does not say. */
#define THRESHOLD_DEFAULT		11

typedef struct PublishedTable
{
	Oid			relid;
	char	   *name;			/* published name */
	char	   *patient;		/* or NULL */
	List	   *local_keys;		/* of char *, with the patient column */
	bool		patient_unique; /* no patient has two rows at a site */
	uint64		threshold;		/* the largest of the sites' smallest groups */
	uint64		rows_max;		/* the most rows that a site shares for a run; 0: none */
} PublishedTable;

extern PublishedTable *published_table(Oid relid);

/* Is it declared NOT NULL: no site has a NULL in it? */
extern bool foreign_column_not_null(Oid relid, AttrNumber attnum);

/* What the sites allow a column of a published table for, as far as it is known here. */
extern int	foreign_column_uses(const PublishedTable *table, AttrNumber attnum);

/* The public domain of a foreign table's column, or NULL. */
extern Domain *foreign_column_domain(Oid relid, AttrNumber attnum);

#endif							/* SECMED_OPTIONS_H */
