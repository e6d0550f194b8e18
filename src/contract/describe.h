/*
 * describe.h
 *	  What a site publishes, as a message.
 *
 *	  question  ["describe"]
 *	  answer    ["published", [table, ...]]
 *	  table     [name, patient or null, patients_min, no patient has two rows, most rows that are shared,
 *	            [local key, ...], [column, ...]]
 *	  column    [name, type, not null, [value or null, ...] or null, uses, bucket or null, class or null]
 *
 * uses are the bits of query/column_policy.h: aggregate 1, group 2, filter 4, join 8, extreme 16.
 */
#ifndef SECMED_DESCRIBE_H
#define SECMED_DESCRIBE_H

#include "base/base.h"

typedef struct DescribedColumn
{
	char	   *name;
	char	   *type;			/* with typmod, qualified */
	bool		not_null;
	int			nvalues;		/* -1: no public domain */
	char	  **values;
	int			uses;
	char	   *bucket;			/* or NULL */
	char	   *class;			/* or NULL */
} DescribedColumn;

typedef struct DescribedTable
{
	char	   *name;
	char	   *patient;		/* or NULL */
	uint64		patients_min;
	int			nkeys;
	char	  **local_keys;
	int			ncolumns;
	DescribedColumn *columns;
	bool		patient_unique; /* no two rows have the same patient, none is NULL */
	uint64		rows_max;		/* the most rows that the site shares for a run; 0: none */
} DescribedTable;

#define DESCRIBED_TABLES_MAX	1000
#define DESCRIBED_COLUMNS_MAX	1600
#define DESCRIBED_USES_MAX		31
#define DESCRIBED_WORD_MAX		63

extern void question_encode(StringInfo out);
extern void description_encode(StringInfo out, const DescribedTable *tables, int n);

/* Strict and bounded; false with a reason (constant string). */
extern bool description_decode(DescribedTable **tables, int *n, const void *bytes, size_t len,
							   const char **reason);

#endif							/* SECMED_DESCRIBE_H */
