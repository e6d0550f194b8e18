/*
 * published.h
 *	  What this site publishes: rows of secmed.published with the columns of
 *	  their views.
 */
#ifndef SECMED_PUBLISHED_H
#define SECMED_PUBLISHED_H

#include "postgres.h"
#include "query/domain.h"

typedef struct PublishedColumn
{
	char	   *name;
	Oid			type;
	int32		typmod;
	Oid			collation;
	bool		not_null;
	Domain	   *domain;			/* or NULL */
	int			uses;			/* column_policy.h */
	char	   *bucket;			/* or NULL */
	char	   *class;			/* or NULL */
	int			patients_min;	/* of whatever reads it; 1 unless its class says more */
} PublishedColumn;

typedef struct Published
{
	char	   *name;
	Oid			relation;		/* the table or view that is published */
	Oid			view;			/* secmed_published.<name> */
	char	   *patient;		/* column name, or NULL */
	bool		patient_unique; /* no two rows have the same, none is NULL */
	int			patients_min;
	bool		show_zero;
	int			rows_max;		/* the most rows that are shared for a run; 0: none */
	List	   *sites;			/* of char *: who may be pooled with; NIL: any node known here */
	List	   *local_keys;		/* of char *, without the patient column */
	List	   *columns;		/* of PublishedColumn */
} Published;

/* NULL if nothing is published under this name, or its view is gone. */
extern Published *published_find(const char *name);

/* All of them, by name. */
extern List *published_all(void);

/* The column, or NULL. */
extern PublishedColumn *published_column(const Published *published, const char *name);

/* Columns of a published name that have a bucket by its policy, and which (NULL: none). */
extern void published_buckets(const char *name, List **columns, List **buckets);

/* Schema of the views. */
#define PUBLISHED_SCHEMA	"secmed_published"

#endif							/* SECMED_PUBLISHED_H */
