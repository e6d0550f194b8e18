/*
 * shared_table.h
 *	  A shared table as its coordinator sees it: a foreign table of kind
 *	  'shared', and what its columns are as secret values.
 *
 *	  boolean                      boolean
 *	  smallint, integer, bigint    integer of 16, 32, 64 bits, or option bits
 *	  numeric(p,s), p <= 18        numeric of the bits that p digits need
 *	  date                         date
 *	  timestamp, timestamptz       timestamp
 *	  real, double precision       float: steps of 2^-24, magnitude below 2^39
 *	  varchar(n), char(n)          text of n bytes, at most 16, or option bytes
 *	  text                         text of 16 bytes, or option bytes
 *
 * NOT NULL makes a column not nullable, which is cheaper.
 */
#ifndef SECMED_QUERY_SHARED_TABLE_H
#define SECMED_QUERY_SHARED_TABLE_H

#include "postgres.h"
#include "access/attnum.h"
#include "contract/shared.h"
#include "shared/check.h"

typedef struct SharedForeign
{
	Oid			relid;
	Oid			serverid;
	SharedDefinition definition;
	AttrNumber	attnums[SHARED_COLUMNS_MAX];	/* of the columns, in order */
	Oid			types[SHARED_COLUMNS_MAX];
} SharedForeign;

/*
 * The secret type of a column of this SQL type with these options, not nullable; false with a
 * hint if values of it can't be shared.
 */
extern bool secret_type_of_sql(SecretType *secret, Oid type, int32 typmod, List *options, char **hint);

/* Is it a foreign table of secmed, of kind 'shared'? */
extern bool shared_foreign_is(Oid relid);

/*
 * In CurrentMemoryContext.  Errors: a column that can't be secret, a patient or
 * unique column that is not there, a server without parties, an unknown node.
 */
extern SharedForeign *shared_foreign_table(Oid relid);

/* The definition's column of an attribute, or -1. */
extern int	shared_foreign_column(const SharedForeign *table, AttrNumber attnum);

extern SharedParties shared_foreign_parties(const SharedForeign *table);

/*
 * A value of this column's SQL type as what is shared: a number; or, in *bits,
 * a truth value or text.  Fails with ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
 * ERRCODE_STRING_DATA_RIGHT_TRUNCATION and the like, naming the column and never the value.
 */
typedef struct SecretValue
{
	int64		number;
	uint128		bits;
} SecretValue;

extern SecretValue secret_value_from_datum(const SecretType *type, Oid sql_type, Datum datum, const char *column);

#endif							/* SECMED_QUERY_SHARED_TABLE_H */
