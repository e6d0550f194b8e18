/*
 * outcome_sql.h
 *	  A statistic's outcome as a value of SQL (server only).
 */
#ifndef SECMED_OUTCOME_SQL_H
#define SECMED_OUTCOME_SQL_H

#include "postgres.h"
#include "access/tupdesc.h"
#include "stats/outcome.h"

/*
 * Of a row type: each column from the value of its name, which is double
 * precision, bigint or text; NULL if there is none.  Of double precision: the
 * only value.
 */
extern Datum outcome_to_datum(const Outcome *outcome, Oid type, bool *isnull);

/* The columns of such a row, for functions that return several. */
extern void outcome_to_columns(const Outcome *outcome, TupleDesc desc, Datum *values, bool *nulls);

#endif							/* SECMED_OUTCOME_SQL_H */
