/*
 * records_sql.h
 *	  Rows of any type, by the names of their columns (server only).
 */
#ifndef SECMED_PLOT_RECORDS_SQL_H
#define SECMED_PLOT_RECORDS_SQL_H

#include "postgres.h"
#include "access/tupdesc.h"
#include "utils/array.h"

typedef struct PlotRecords
{
	int			n;
	Datum	   *records;
	TupleDesc	desc;
} PlotRecords;

/*
 * Of an array of records of one type, NULLs left out; fails if there are none,
 * or too many to draw.
 */
extern PlotRecords records_of_array(ArrayType *array);

/* The place of the first of these columns that is there; 0 if none is. */
extern int	records_find(const PlotRecords *rows, const char *const *names, int n);

/* One that must be there: ERRCODE_UNDEFINED_COLUMN says which are. */
extern int	records_column(const PlotRecords *rows, const char *name);

/* NaN for NULL, and for the column 0.  Any type of number, or a boolean. */
extern double records_number(const PlotRecords *rows, int row, int column);

/* As text; NULL for NULL, and for the column 0. */
extern char *records_text(const PlotRecords *rows, int row, int column);

#endif							/* SECMED_PLOT_RECORDS_SQL_H */
