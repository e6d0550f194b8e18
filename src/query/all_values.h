/*
 * all_values.h
 *	  The aggregate secmed.all_values(x, scale): all values of a group, as the numbers that quantiles are found
 *	  among (contract/quantile.h), in no order.
 *
 * Sites run it.  It returns 8 bytes for each value that is not NULL; scale are the decimal places of
 * numeric, and 0 for other types.
 */
#ifndef SECMED_ALL_VALUES_H
#define SECMED_ALL_VALUES_H

#include "postgres.h"
#include "nodes/primnodes.h"
#include "share/secret.h"

/* Is it a call of that aggregate, over a column whose values are of this type? */
extern bool is_all_values(const Aggref *agg, const SecretType *type);

/* What numbers of this SQL type are, with so many decimal places; false if there is no such thing. */
extern bool values_type(SecretType *type, Oid sql_type, int scale);

#endif							/* SECMED_ALL_VALUES_H */
