/*
 * breaks_sql.c
 *	  Public breaks of a number: of histograms, of cut points.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "stats/breaks_sql.h"

/* As many bins of a plot as somebody looks at; 64 by 64 is within the cells of one question. */
#define BREAKS_MAX	1001

static void
bad_breaks(int least, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s are %d to %d finite numbers, each larger than the one before", what, least, BREAKS_MAX)));
}

Breaks
breaks_of_array(ArrayType *array, int least, const char *what)
{
	Datum	   *datums;
	bool	   *nulls;
	Breaks		breaks;

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &datums, &nulls, &breaks.n);
	if (breaks.n < least || breaks.n > BREAKS_MAX)
		bad_breaks(least, what);
	breaks.at = palloc(sizeof(double) * breaks.n);
	for (int i = 0; i < breaks.n; i++)
	{
		breaks.at[i] = nulls[i] ? NAN : DatumGetFloat8(datums[i]);
		if (!isfinite(breaks.at[i]) || (i > 0 && breaks.at[i] <= breaks.at[i - 1]))
			bad_breaks(least, what);
	}
	return breaks;
}
