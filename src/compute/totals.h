/*
 * totals.h
 *	  Opened values as the totals that finals are made of.
 */
#ifndef SECMED_TOTALS_H
#define SECMED_TOTALS_H

#include "compute/aggregates.h"
#include "query/encode.h"

/* An opened value; numbers may have up to 128 bits. */
typedef struct OpenedValue
{
	bool		null;
	int128		number;			/* 0 or 1 if boolean */
	char	   *text;			/* of texts */
} OpenedValue;

/*
 * The result of an aggregate or a key from the opened columns of a row.  types
 * are those of the columns.
 */
extern Datum opened_compute(const Opened *opened, const OpenedValue *values, const ColumnType *types,
							bool *isnull);

#endif							/* SECMED_TOTALS_H */
