/*
 * statement.c
 *	  SQL statements over secmed's own tables, prepared once a session.
 */
#include "postgres.h"

#include "govern/statement.h"

static void
prepare(Statement *statement)
{
	statement->plan = SPI_prepare(statement->sql, statement->n, statement->types);
	if (statement->plan == NULL || SPI_keepplan(statement->plan) != 0)
		elog(ERROR, "could not prepare \"%s\"", statement->sql);
}

uint64
statement_begin(Statement *statement, const Datum *values, const char *nulls)
{
	owner_begin(&statement->scope);
	SPI_connect();
	if (statement->plan == NULL)
		prepare(statement);
	if (SPI_execute_plan(statement->plan, (Datum *) values, nulls, false, 0) < 0)
		elog(ERROR, "could not execute \"%s\"", statement->sql);
	return SPI_processed;
}

void
statement_end(Statement *statement)
{
	SPI_finish();
	owner_end(&statement->scope);
}

uint64
statement_run(Statement *statement, const Datum *values, const char *nulls)
{
	uint64		rows = statement_begin(statement, values, nulls);

	statement_end(statement);
	return rows;
}

char *
statement_text(MemoryContext context, uint64 row, int column)
{
	char	   *text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return text ? MemoryContextStrdup(context, text) : NULL;
}

Datum
statement_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}
