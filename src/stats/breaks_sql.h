/*
 * breaks_sql.h
 *	  Public breaks of a number: of histograms, of cut points (server only).
 */
#ifndef SECMED_BREAKS_SQL_H
#define SECMED_BREAKS_SQL_H

#include "postgres.h"
#include "utils/array.h"

typedef struct Breaks
{
	int			n;
	double	   *at;				/* finite, rising */
} Breaks;

/* At least so many; ERRCODE_INVALID_PARAMETER_VALUE, with what they are ("the breaks of a histogram"). */
extern Breaks breaks_of_array(ArrayType *array, int least, const char *what);

#endif							/* SECMED_BREAKS_SQL_H */
