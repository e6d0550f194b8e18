/*
 * statement.h
 *	  SQL statements over secmed's own tables, prepared once a session.
 *
 * They run with the rights of the extension's owner, as secmed's own work
 * (identity/node.h), and see what the session has written before.
 */
#ifndef SECMED_GOVERN_STATEMENT_H
#define SECMED_GOVERN_STATEMENT_H

#include "postgres.h"
#include "executor/spi.h"
#include "identity/node.h"

#define STATEMENT_PARAMS_MAX	20

/* A static variable with sql and types filled in; the rest is zero at first. */
typedef struct Statement
{
	const char *sql;
	int			n;
	Oid			types[STATEMENT_PARAMS_MAX];
	SPIPlanPtr	plan;
	OwnerScope	scope;
} Statement;

/*
 * Runs it; returns how many rows.  They are in SPI_tuptable until
 * statement_end(), which frees them and all that was palloc'd meanwhile.  nulls as in
 * SPI_execute_plan, or NULL.
 */
extern uint64 statement_begin(Statement *statement, const Datum *values, const char *nulls);
extern void statement_end(Statement *statement);

/* Both: for what returns nothing that is read. */
extern uint64 statement_run(Statement *statement, const Datum *values, const char *nulls);

/* Of row and column (from 0 and 1): text in context, or NULL. */
extern char *statement_text(MemoryContext context, uint64 row, int column);
extern Datum statement_value(uint64 row, int column, bool *isnull);

#endif							/* SECMED_GOVERN_STATEMENT_H */
