/*
 * call_sql.h
 *	  A call of a linear aggregate: which one it is (server only).
 */
#ifndef SECMED_CALL_SQL_H
#define SECMED_CALL_SQL_H

#include "postgres.h"
#include "nodes/primnodes.h"
#include "stats/linear.h"

/* NULL if the aggregate is not of the table. */
extern const LinearAggregate *linear_of_aggref(const Aggref *agg);

/* An option's value as a number; fails if it is NULL, or no Alternative. */
extern double linear_option_of_datum(Datum value, bool isnull, Oid type);

#endif							/* SECMED_CALL_SQL_H */
